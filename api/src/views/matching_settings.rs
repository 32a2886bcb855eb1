//! Matches that begin by themselves, as the API takes and shows them (`api.md` §12.3).

use chrono::{DateTime, Utc};
use debt_core::domain::match_run::MatchMode;
use debt_core::domain::settings as domain;
use debt_core::domain::settings::Standing;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::words::MatchRunMode;

/// Настройки сопоставления с реестром после получения запросов.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchingSettingsInput {
    /// Начинать ли сопоставление самому.
    #[schema(example = false)]
    pub enabled: bool,
    /// Начинать его после каждого успешного получения запросов.
    #[serde(default = "yes")]
    #[schema(default = true, example = true)]
    pub run_after_sync: bool,
    /// Что делать с итогами; по умолчанию `prepare`.
    #[serde(default)]
    pub mode: ScheduledMode,
    /// `true` — отвечать только там, где долг найден.
    #[serde(default)]
    #[schema(default = false, example = false)]
    pub only_debts: bool,
    /// Сколько запросов сопоставлять за раз.
    #[serde(default = "most")]
    #[schema(minimum = 1, maximum = 100000, default = 10000, example = 10000)]
    pub max_per_run: u32,
    /// Подразделение, с реестром которого сопоставлять; без него — реестры подразделений, затем реестр всей организации.
    pub department_id: Option<Uuid>,
}

/// Что делать с итогами сопоставления, которое началось само.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScheduledMode {
    /// Создать черновики ответов.
    #[default]
    Prepare,
    /// Отправить ответы.
    Submit,
}

const fn yes() -> bool {
    true
}

fn most() -> u32 {
    domain::MatchingSettings::default().max_per_run
}

/// Настройки сопоставления с реестром после получения запросов.
#[derive(Debug, Serialize, ToSchema)]
pub struct MatchingSettings {
    /// Начинается ли сопоставление само.
    pub enabled: bool,
    /// Начинается ли оно после каждого успешного получения запросов.
    pub run_after_sync: bool,
    /// Что делается с итогами.
    pub mode: MatchRunMode,
    /// Ответы только там, где долг найден.
    pub only_debts: bool,
    /// Сколько запросов сопоставляется за раз.
    #[schema(example = 10000)]
    pub max_per_run: u32,
    /// Подразделение, с реестром которого идёт сопоставление; `null` — реестры подразделений, затем реестр всей организации.
    pub department_id: Option<Uuid>,
    /// Версия, для `If-Match`.
    #[schema(example = 1)]
    pub version: i64,
    /// Когда заданы; `null`, пока действуют значения по умолчанию.
    pub updated_at: Option<DateTime<Utc>>,
}

impl From<MatchingSettingsInput> for domain::MatchingSettings {
    fn from(input: MatchingSettingsInput) -> Self {
        Self {
            enabled: input.enabled,
            run_after_sync: input.run_after_sync,
            submit: input.mode == ScheduledMode::Submit,
            only_debts: input.only_debts,
            max_per_run: input.max_per_run,
            department: input.department_id.map(Into::into),
        }
    }
}

impl From<Standing<domain::MatchingSettings>> for MatchingSettings {
    fn from(standing: Standing<domain::MatchingSettings>) -> Self {
        let Standing { settings, version, updated_at } = standing;
        let mode = if settings.submit { MatchMode::Submit } else { MatchMode::Prepare };
        Self {
            enabled: settings.enabled,
            run_after_sync: settings.run_after_sync,
            mode: mode.into(),
            only_debts: settings.only_debts,
            max_per_run: settings.max_per_run,
            department_id: settings.department.map(|id| id.as_uuid()),
            version,
            updated_at,
        }
    }
}
