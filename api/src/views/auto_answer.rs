//! The automatic answer as the API takes and shows it (`api.md` §12.4).

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use debt_core::auto_answer::{Considered, Preview};
use debt_core::domain::auto_answer::Verdict;
use debt_core::domain::settings as domain;
use debt_core::domain::settings::Standing;
use debt_core::error::{Error, Mistake};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::words::AutoAnswerSkipReason;

/// Requests that a preview lists.
pub const MOST_PREVIEWED: usize = 1000;
/// How the hour is written.
const HOUR: &str = "%H:%M";

/// Настройки автоответа.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoAnswerSettingsInput {
    /// Отвечать ли автоматически.
    #[schema(example = false)]
    pub enabled: bool,
    /// За сколько рабочих дней до последнего дня ответа; 0 — в последний день.
    #[serde(default = "days_before_due")]
    #[schema(maximum = 30, default = 1, example = 1)]
    pub days_before_due: u32,
    /// Когда, по времени организации: `ЧЧ:ММ`.
    #[serde(default = "run_at")]
    #[schema(
        min_length = 5,
        max_length = 5,
        pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$",
        default = "10:00",
        example = "10:00"
    )]
    pub run_at: String,
    /// Нужен ли реестр, по которому долга нет.
    #[serde(default = "yes")]
    #[schema(default = true, example = true)]
    pub require_registry: bool,
    /// Сколько дней реестру можно быть: у загруженного файлом — со дня загрузки, у собранного по строкам — с последнего изменения.
    #[serde(default = "registry_max_age_days")]
    #[schema(minimum = 1, maximum = 366, default = 30, example = 30)]
    pub registry_max_age_days: u32,
    /// Только запросы этих подразделений; `null` — все.
    #[schema(min_items = 1, max_items = 100)]
    pub departments: Option<Vec<Uuid>>,
    /// Если ответов больше, не даётся ни один.
    #[serde(default = "max_per_run")]
    #[schema(minimum = 1, maximum = 1000, default = 500, example = 500)]
    pub max_per_run: u32,
    /// Дополнительная информация в каждом ответе.
    #[schema(max_length = 1000, example = "Ответ сформирован автоматически")]
    pub comment: Option<String>,
}

const fn yes() -> bool {
    true
}

fn days_before_due() -> u32 {
    domain::AutoAnswerSettings::default().days_before_due
}

fn run_at() -> String {
    domain::AutoAnswerSettings::default().run_at.format(HOUR).to_string()
}

fn registry_max_age_days() -> u32 {
    domain::AutoAnswerSettings::default().registry_max_age_days
}

fn max_per_run() -> u32 {
    domain::AutoAnswerSettings::default().max_per_run
}

/// Настройки автоответа.
#[derive(Debug, Serialize, ToSchema)]
pub struct AutoAnswerSettings {
    /// Отвечает ли шлюз автоматически.
    pub enabled: bool,
    /// За сколько рабочих дней до последнего дня ответа.
    #[schema(example = 1)]
    pub days_before_due: u32,
    /// Когда, по времени организации.
    #[schema(max_length = 5, example = "10:00")]
    pub run_at: String,
    /// Нужен ли реестр, по которому долга нет.
    pub require_registry: bool,
    /// Сколько дней реестру можно быть.
    #[schema(example = 30)]
    pub registry_max_age_days: u32,
    /// Только запросы этих подразделений; `null` — все.
    #[schema(max_items = 100)]
    pub departments: Option<Vec<Uuid>>,
    /// Если ответов больше, не даётся ни один.
    #[schema(example = 500)]
    pub max_per_run: u32,
    /// Дополнительная информация в каждом ответе.
    #[schema(max_length = 1000, example = "Ответ сформирован автоматически")]
    pub comment: Option<String>,
    /// Версия, для `If-Match`.
    #[schema(example = 1)]
    pub version: i64,
    /// Когда заданы; `null`, пока действуют значения по умолчанию.
    pub updated_at: Option<DateTime<Utc>>,
}

/// Что автоответ сделал бы сейчас.
#[derive(Debug, Serialize, ToSchema)]
pub struct AutoAnswerPreview {
    /// День.
    pub run_on: NaiveDate,
    /// Последний день ответа запросов, о которых речь: не раньше.
    pub due_from: NaiveDate,
    /// И не позже.
    pub due_to: NaiveDate,
    /// Ответов больше `max_per_run`: автоответ не ответил бы никому.
    #[schema(example = false)]
    pub stops: bool,
    /// Сколько чего.
    pub counts: AutoAnswerCounts,
    /// Запросы, начиная с ближайшего срока.
    #[schema(max_items = 1000)]
    pub items: Vec<AutoAnswerItem>,
    /// Сколько ещё запросов не показано.
    #[schema(example = 0)]
    pub more: usize,
}

/// Какими были бы результаты обработки запросов.
#[derive(Debug, Serialize, ToSchema)]
pub struct AutoAnswerCounts {
    /// Получили бы ответ «долга нет».
    #[schema(example = 12)]
    pub answer: usize,
    /// Остались бы сотрудникам.
    #[schema(example = 3)]
    pub skip: usize,
}

/// Запрос и что с ним было бы.
#[derive(Debug, Serialize, ToSchema)]
pub struct AutoAnswerItem {
    /// Запрос (GUID подзапроса).
    pub debt_request_id: Uuid,
    /// Номер запроса.
    #[schema(max_length = 255, example = "62026110433")]
    pub request_number: String,
    /// Последний день ответа.
    pub due_on: Option<NaiveDate>,
    /// Получил бы ответ «долга нет».
    #[schema(example = true)]
    pub answer: bool,
    /// Почему остался бы сотрудникам.
    pub skip_reason: Option<AutoAnswerSkipReason>,
    /// То же по-русски.
    #[schema(max_length = 200, example = "По реестру долг есть")]
    pub skip_label: Option<&'static str>,
}

impl AutoAnswerSettingsInput {
    /// What is to be set.
    pub(crate) fn settings(self) -> Result<domain::AutoAnswerSettings, Error> {
        let wrong = |detail: &str| Error::Invalid(vec![Mistake::at("/run_at", "format", detail)]);
        let run_at = NaiveTime::parse_from_str(&self.run_at, HOUR).or(Err(wrong("нужно время ЧЧ:ММ")))?;
        Ok(domain::AutoAnswerSettings {
            enabled: self.enabled,
            days_before_due: self.days_before_due,
            run_at,
            require_registry: self.require_registry,
            registry_max_age_days: self.registry_max_age_days,
            departments: self.departments.map(|all| all.into_iter().map(Into::into).collect()),
            max_per_run: self.max_per_run,
            comment: self.comment,
        })
    }
}

impl From<Standing<domain::AutoAnswerSettings>> for AutoAnswerSettings {
    fn from(standing: Standing<domain::AutoAnswerSettings>) -> Self {
        let Standing { settings, version, updated_at } = standing;
        Self {
            enabled: settings.enabled,
            days_before_due: settings.days_before_due,
            run_at: settings.run_at.format(HOUR).to_string(),
            require_registry: settings.require_registry,
            registry_max_age_days: settings.registry_max_age_days,
            departments: settings.departments.map(|all| all.iter().map(|id| id.as_uuid()).collect()),
            max_per_run: settings.max_per_run,
            comment: settings.comment,
            version,
            updated_at,
        }
    }
}

impl From<Preview> for AutoAnswerPreview {
    fn from(preview: Preview) -> Self {
        Self {
            run_on: preview.run_on,
            due_from: preview.due_from,
            due_to: preview.due_to,
            stops: preview.stops,
            counts: AutoAnswerCounts { answer: preview.answers, skip: preview.skips },
            items: preview.items.into_iter().map(AutoAnswerItem::from).collect(),
            more: preview.more,
        }
    }
}

impl From<Considered> for AutoAnswerItem {
    fn from(considered: Considered) -> Self {
        let Considered { request, verdict } = considered;
        let reason = match verdict {
            Verdict::Answer => None,
            Verdict::Skip(reason) => Some(reason),
        };
        Self {
            debt_request_id: request.id.as_uuid(),
            request_number: request.gis.request_number,
            due_on: request.gis.due_on,
            answer: reason.is_none(),
            skip_reason: reason.map(Into::into),
            skip_label: reason.map(|reason| reason.label()),
        }
    }
}
