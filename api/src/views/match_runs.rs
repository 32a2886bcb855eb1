//! Matches with the registry as the API takes and shows them (`api.md` §12.3).

use chrono::{DateTime, Utc};
use debt_core::domain::debt_request::MatchResult as Outcome;
use debt_core::domain::match_run as domain;
use debt_core::domain::match_run::Deed;
use debt_core::match_runs::MatchRunDetails;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::debt_request_filter::DebtRequestFilter;
use super::words::{
    AddressRule, DatesRule, HouseRule, MatchBasis, MatchDeed, MatchReason, MatchResult, MatchRunMode,
    MatchRunStatus, PremisesRule,
};

/// Новое сопоставление запросов с реестром.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartMatchRun {
    /// Какие запросы сопоставить.
    pub scope: MatchRunScope,
    /// Что делать с итогами.
    pub mode: MatchModeInput,
    /// `true` — отвечать только там, где долг найден; остальное останется другому подразделению.
    #[serde(default)]
    #[schema(default = false, example = false)]
    pub only_debts: bool,
    /// Подразделение, с реестром которого сопоставлять; без него — реестр всей организации.
    pub department_id: Option<Uuid>,
}

/// Что делать с итогами сопоставления.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MatchModeInput {
    /// Ничего.
    Preview,
    /// Создать черновики ответов.
    Prepare,
    /// Отправить ответы.
    Submit,
}

/// Какие запросы сопоставить: `ids`, `filter` или `import_id`, что-то одно.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchRunScope {
    /// Эти запросы.
    #[schema(min_items = 1, max_items = 1000)]
    pub ids: Option<Vec<Uuid>>,
    /// Все запросы, подходящие под условия; пустой объект — все.
    pub filter: Option<DebtRequestFilter>,
    /// Запросы готового файла, загруженного `POST /v1/imports` (достаточно `mode=preview`); поступившие позже не
    /// добавляются.
    pub import_id: Option<Uuid>,
}

/// Сопоставление запросов с реестром.
#[derive(Debug, Serialize, ToSchema)]
pub struct MatchRun {
    /// Идентификатор.
    pub id: Uuid,
    /// Подразделение, с реестром которого идёт сопоставление.
    pub department_id: Option<Uuid>,
    /// Реестр, действовавший в начале: с ним сопоставление и идёт. Если его заменили, сопоставление останавливается.
    pub registry_id: Uuid,
    /// Что делается с итогами.
    pub mode: MatchRunMode,
    /// Отвечать только там, где долг найден.
    pub only_debts: bool,
    /// Состояние.
    pub status: MatchRunStatus,
    /// Состояние по-русски.
    #[schema(max_length = 100, example = "Выполняется")]
    pub status_label: &'static str,
    /// Сопоставление закончено, спрашивать дальше незачем.
    pub is_final: bool,
    /// Кто начал: имя клиента; `sync`, если сопоставление началось само.
    #[schema(max_length = 255, example = "1С Биллинг")]
    pub started_by: String,
    /// Началось само, после получения запросов из ГИС ЖКХ.
    #[schema(example = false)]
    pub automatic: bool,
    /// Сколько чего.
    pub counts: MatchRunCounts,
    /// Где прочитать итог по каждому запросу.
    #[schema(max_length = 200, example = "/v1/match-runs/019a4c00-0000-7000-8000-000000000014/items")]
    pub items_url: String,
    /// Где скачать три списка книгой Excel; `null`, пока сопоставление не закончено.
    #[schema(max_length = 200, example = "/v1/match-runs/019a4c00-0000-7000-8000-000000000014/content")]
    pub content_url: Option<String>,
    /// Когда начато.
    pub created_at: DateTime<Utc>,
    /// Когда закончено.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Результаты обработки запросов.
#[derive(Debug, Serialize, ToSchema)]
pub struct MatchRunCounts {
    /// Всего.
    #[schema(example = 1000)]
    pub total: i64,
    /// Ещё не сопоставлены.
    #[schema(example = 0)]
    pub pending: i64,
    /// Долг найден.
    #[schema(example = 12)]
    pub found: i64,
    /// Долг не найден.
    #[schema(example = 980)]
    pub not_found: i64,
    /// Решение принимает сотрудник; ответ не создаётся никогда.
    #[schema(example = 8)]
    pub ambiguous: i64,
    /// Создано черновиков.
    #[schema(example = 0)]
    pub draft: i64,
    /// Ответов принято к отправке.
    #[schema(example = 990)]
    pub queued: i64,
    /// На запрос уже ответили, над ответом работают, или его остановил сотрудник.
    #[schema(example = 2)]
    pub skipped: i64,
    /// Ответ не принят.
    #[schema(example = 0)]
    pub refused: i64,
    /// Запроса больше нет.
    #[schema(example = 0)]
    pub gone: i64,
}

/// Итог сопоставления одного запроса.
#[derive(Debug, Serialize, ToSchema)]
pub struct MatchRunItem {
    /// Место в сопоставлении, с 0.
    #[schema(example = 17)]
    pub index: i64,
    /// Запрос (GUID подзапроса).
    pub debt_request_id: Uuid,
    /// Что сделано.
    pub deed: MatchDeed,
    /// Итог; `null`, пока запрос не сопоставлен.
    pub result: Option<MatchResult>,
    /// На чём основан итог.
    pub basis: Option<MatchBasis>,
    /// То же по-русски.
    #[schema(max_length = 200, example = "В реестре нет строк по этому дому")]
    pub basis_label: Option<&'static str>,
    /// Почему ответа не следует; пусто, если итог однозначен.
    #[schema(max_items = 10)]
    pub reasons: Vec<MatchRunReason>,
    /// Строки реестра, которые рассматривались, самые близкие первыми.
    #[schema(max_items = 20)]
    pub candidates: Vec<MatchCandidate>,
    /// Сколько ещё строк рассматривалось.
    #[schema(example = 0)]
    pub more_candidates: usize,
    /// Созданный ответ.
    pub answer_id: Option<Uuid>,
    /// Код проблемы, из-за которой ответ не принят.
    #[schema(max_length = 64, example = "already_answered")]
    pub error_code: Option<String>,
}

/// Почему ответа не следует.
#[derive(Debug, Serialize, ToSchema)]
pub struct MatchRunReason {
    /// Код.
    pub code: MatchReason,
    /// По-русски.
    #[schema(max_length = 200, example = "Помещение совпадает не полностью")]
    pub label: &'static str,
}

/// Строка реестра, которая рассматривалась.
#[derive(Debug, Serialize, ToSchema)]
pub struct MatchCandidate {
    /// Строка: `GET /v1/court-debts/{id}`.
    pub court_debt_id: Uuid,
    /// Адрес дома, как он записан в строке; `null`, если его нет или строку удалили.
    #[schema(max_length = 1000, example = "г Примерск, ул Ткацкая, д. 1")]
    pub address: Option<String>,
    /// Помещение, как оно записано в строке; `null`, если строку удалили.
    #[schema(max_length = 255, example = "кв. 1 комн. 2")]
    pub premises: Option<String>,
    /// Сама по себе — долг этого помещения.
    pub counts: bool,
    /// Насколько близка, от 0 до 1.
    #[schema(minimum = 0, maximum = 1, example = 0.8)]
    pub score: f64,
    /// Как узнан дом.
    pub house: HouseRule,
    /// Как сравнилось помещение.
    pub premises_rule: PremisesRule,
    /// Как сравнился адрес.
    pub address_rule: AddressRule,
    /// Что говорят даты.
    pub dates: DatesRule,
    /// Всё это по-русски.
    #[schema(max_items = 4, value_type = Vec<RuleLabel>)]
    pub labels: [&'static str; 4],
}

/// Правило по-русски.
#[derive(Deserialize, ToSchema)]
#[schema(max_length = 200, example = "Помещение то же")]
pub struct RuleLabel(pub String);

impl From<MatchModeInput> for domain::MatchMode {
    fn from(mode: MatchModeInput) -> Self {
        match mode {
            MatchModeInput::Preview => Self::Preview,
            MatchModeInput::Prepare => Self::Prepare,
            MatchModeInput::Submit => Self::Submit,
        }
    }
}

impl From<MatchRunDetails> for MatchRun {
    fn from(details: MatchRunDetails) -> Self {
        let MatchRunDetails { run, tally } = details;
        let counts = MatchRunCounts {
            total: run.total,
            pending: tally.of_deed(Deed::Pending),
            found: tally.of_result(Outcome::Found),
            not_found: tally.of_result(Outcome::NotFound),
            ambiguous: tally.of_result(Outcome::Ambiguous),
            draft: tally.of_deed(Deed::Drafted),
            queued: tally.of_deed(Deed::Queued),
            skipped: tally.of_deed(Deed::Skipped),
            refused: tally.of_deed(Deed::Refused),
            gone: tally.of_deed(Deed::Gone),
        };
        Self {
            id: run.id.as_uuid(),
            department_id: run.department.map(|id| id.as_uuid()),
            registry_id: run.registry.as_uuid(),
            mode: run.mode.into(),
            only_debts: run.only_debts,
            status: run.status.into(),
            status_label: run.status.label(),
            is_final: run.finished_at.is_some(),
            started_by: run.started_by,
            automatic: run.automatic,
            counts,
            items_url: format!("/v1/match-runs/{}/items", run.id),
            content_url: run.finished_at.map(|_| format!("/v1/match-runs/{}/content", run.id)),
            created_at: run.created_at,
            finished_at: run.finished_at,
        }
    }
}

impl From<domain::MatchItemDetails> for MatchRunItem {
    fn from(details: domain::MatchItemDetails) -> Self {
        let domain::MatchItemDetails { item, places } = details;
        let basis = item.explanation.as_ref().map(|it| it.basis);
        let (reasons, candidates, more_candidates) = item
            .explanation
            .map_or_else(Default::default, |it| (it.reasons, it.candidates, it.more_candidates));
        let reason = |it: debt_core::domain::matching::rules::Reason| MatchRunReason {
            code: it.into(),
            label: it.label(),
        };
        Self {
            index: item.place,
            debt_request_id: item.debt_request.as_uuid(),
            deed: item.deed.into(),
            result: item.result.map(Into::into),
            basis: basis.map(Into::into),
            basis_label: basis.map(|basis| basis.label()),
            reasons: reasons.into_iter().map(reason).collect(),
            candidates: candidates.into_iter().zip(places).map(MatchCandidate::from).collect(),
            more_candidates,
            answer_id: item.answer.map(|id| id.as_uuid()),
            error_code: item.error,
        }
    }
}

impl From<(domain::WeighedRow, Option<domain::RowPlace>)> for MatchCandidate {
    fn from((row, place): (domain::WeighedRow, Option<domain::RowPlace>)) -> Self {
        let (address, premises) = place.map_or((None, None), |it| (it.address, Some(it.premises)));
        Self {
            court_debt_id: row.id.as_uuid(),
            address,
            premises,
            counts: row.counts,
            score: row.score,
            house: row.house.into(),
            premises_rule: row.premises.into(),
            address_rule: row.address.into(),
            dates: row.dates.into(),
            labels: [row.house.label(), row.premises.label(), row.address.label(), row.dates.label()],
        }
    }
}
