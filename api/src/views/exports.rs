//! Spreadsheets of debt requests as the API shows them (`api.md` §12.2).

use chrono::{DateTime, NaiveDate, Utc};
use debt_core::domain::export as domain;
use debt_core::store::debt_requests::{ExecutorFilter, Filter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answers::AnswerError;
use super::texts::RequestNumber;
use super::words::{ExportKind, ExportStatus};
use crate::routes::filters::{
    AnswerStateParameter, DueParameter, MatchParameter, RequestStatusParameter, ResponseStatusParameter,
    StageParameter,
};

/// Выгрузка списка в файл Excel. Хранится вместе с файлом 30 дней после окончания.
#[derive(Debug, Serialize, ToSchema)]
pub struct Export {
    /// Идентификатор.
    pub id: Uuid,
    /// Что выгружается.
    pub kind: ExportKind,
    /// Состояние.
    pub status: ExportStatus,
    /// Состояние по-русски.
    #[schema(max_length = 100, example = "Выполнена")]
    pub status_label: &'static str,
    /// Выгрузка закончена, спрашивать дальше незачем.
    pub is_final: bool,
    /// Условия, под которые подходят запросы; имена те же, что у списка. `due: "today"` показан днём.
    #[schema(value_type = Object, example = json!({"answered": false}))]
    pub filter: Value,
    /// В файле видно, что отвечено, с персональными данными: скачать его можно только с правом `answers:read`.
    pub with_answers: bool,
    /// Кто начал: имя клиента.
    #[schema(max_length = 255, example = "1С Биллинг")]
    pub started_by: String,
    /// Сколько запросов записано.
    #[schema(example = 412)]
    pub requests: i64,
    /// Размер файла в байтах; `null`, пока файла нет.
    #[schema(example = 70144)]
    pub file_size: Option<u64>,
    /// Где скачать файл; `null`, пока файла нет.
    #[schema(max_length = 200, example = "/v1/exports/019a4c00-0000-7000-8000-000000000010/content")]
    pub content_url: Option<String>,
    /// Почему файла нет.
    pub error: Option<AnswerError>,
    /// Когда начата.
    pub created_at: DateTime<Utc>,
    /// Когда закончена.
    pub finished_at: Option<DateTime<Utc>>,
    /// Когда будет удалена вместе с файлом.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Что выгрузить в файл Excel.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateExport {
    /// Что выгружается.
    #[schema(inline)]
    pub kind: KindInput,
    /// Условия; имена и смысл те же, что у списка запросов. Без условий — все запросы.
    #[serde(default)]
    #[schema(inline)]
    pub filter: FilterInput,
}

/// Что выгружается.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KindInput {
    /// Запросы о задолженности.
    DebtRequests,
}

/// Условия списка запросов.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FilterInput {
    /// Подразделение.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department_id: Option<Uuid>,
    /// Исполнитель; `none` — без исполнителя.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^(none|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$", example = "none")]
    pub executor_id: Option<String>,
    /// Состояние работы.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(inline, max_items = 8, value_type = Vec<StageParameter>)]
    pub stage: Vec<debt_core::domain::debt_request::Stage>,
    /// Статус ответа в ГИС ЖКХ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(inline, max_items = 4, value_type = Vec<ResponseStatusParameter>)]
    pub gis_response_status: Vec<debt_core::domain::debt_request::ResponseStatus>,
    /// Статус запроса в ГИС ЖКХ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(inline, max_items = 3, value_type = Vec<RequestStatusParameter>)]
    pub gis_request_status: Vec<debt_core::domain::debt_request::RequestStatus>,
    /// Состояние текущего ответа.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(inline, max_items = 12, value_type = Vec<AnswerStateParameter>)]
    pub answer_state: Vec<debt_core::domain::answer::State>,
    /// Номер запроса полностью.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100, value_type = Vec<RequestNumber>)]
    pub request_number: Vec<String>,
    /// Начало номера запроса.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 30)]
    pub request_number_prefix: Option<String>,
    /// Запрашивающая организация, GUID в реестре организаций ГИС ЖКХ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requester_id: Option<Uuid>,
    /// Часть наименования запрашивающей организации; регистр и «ё» не важны.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 255)]
    pub requester_name: Option<String>,
    /// `true` — в ГИС ЖКХ есть ответ или наш ответ отправляется и не отклонён; `false` — остальные.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<bool>,
    /// `today` — последний день ответа сегодня (по часовому поясу организации).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(inline, value_type = Option<DueParameter>)]
    pub due: Option<DueInput>,
    /// Последний день ответа не раньше.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_from: Option<NaiveDate>,
    /// Последний день ответа не позже.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_to: Option<NaiveDate>,
    /// Запрос направлен не раньше.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_from: Option<NaiveDate>,
    /// Запрос направлен не позже.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_to: Option<NaiveDate>,
    /// Изменились в этот момент или позже.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_since: Option<DateTime<Utc>>,
    /// Итог сверки с реестром.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(inline, max_items = 3, value_type = Vec<MatchParameter>)]
    pub match_result: Vec<debt_core::domain::debt_request::MatchResult>,
    /// Дом в ФИАС.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fias_house_id: Option<Uuid>,
    /// Слова адреса; должны встретиться все, регистр и «ё» не важны.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 255)]
    pub q: Option<String>,
    /// Есть ли черновик или подготовленный ответ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_draft: Option<bool>,
}

/// The one word of `due`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DueInput {
    /// The organisation's present day.
    Today,
}

impl From<KindInput> for domain::ExportKind {
    fn from(kind: KindInput) -> Self {
        match kind {
            KindInput::DebtRequests => Self::DebtRequests,
        }
    }
}

impl FilterInput {
    /// The conditions, and whether the last day shall be today.
    pub(crate) fn conditions(self) -> (Filter, bool) {
        let executor = self.executor_id.and_then(|text| match text.as_str() {
            "none" => Some(ExecutorFilter::Nobody),
            // The schema lets nothing else in.
            id => id.parse().ok().map(ExecutorFilter::Is),
        });
        let filter = Filter {
            department: self.department_id.map(Into::into),
            executor,
            stages: self.stage,
            response_statuses: self.gis_response_status,
            request_statuses: self.gis_request_status,
            answer_states: self.answer_state,
            numbers: self.request_number,
            number_prefix: self.request_number_prefix,
            requester: self.requester_id,
            requester_name: self.requester_name,
            answered: self.answered,
            due_from: self.due_from,
            due_to: self.due_to,
            sent_from: self.sent_from,
            sent_to: self.sent_to,
            updated_since: self.updated_since,
            match_results: self.match_result,
            fias_house: self.fias_house_id,
            address_words: self.q,
            has_draft: self.has_draft,
        };
        (filter, self.due.is_some())
    }
}

impl From<Filter> for FilterInput {
    fn from(filter: Filter) -> Self {
        Self {
            department_id: filter.department.map(|id| id.as_uuid()),
            executor_id: filter.executor.map(|executor| match executor {
                ExecutorFilter::Is(id) => id.to_string(),
                ExecutorFilter::Nobody => "none".to_owned(),
            }),
            stage: filter.stages,
            gis_response_status: filter.response_statuses,
            gis_request_status: filter.request_statuses,
            answer_state: filter.answer_states,
            request_number: filter.numbers,
            request_number_prefix: filter.number_prefix,
            requester_id: filter.requester,
            requester_name: filter.requester_name,
            answered: filter.answered,
            due: None,
            due_from: filter.due_from,
            due_to: filter.due_to,
            sent_from: filter.sent_from,
            sent_to: filter.sent_to,
            updated_since: filter.updated_since,
            match_result: filter.match_results,
            fias_house_id: filter.fias_house,
            q: filter.address_words,
            has_draft: filter.has_draft,
        }
    }
}

impl From<domain::Export> for Export {
    fn from(export: domain::Export) -> Self {
        let filter = serde_json::to_value(FilterInput::from(export.filter)).unwrap_or_default();
        Self {
            id: export.id.as_uuid(),
            kind: export.kind.into(),
            status: export.status.into(),
            status_label: export.status.label(),
            is_final: export.finished_at.is_some(),
            filter,
            with_answers: export.with_answers,
            started_by: export.started_by,
            requests: export.requests,
            file_size: export.file.map(|file| file.size),
            content_url: export.file.map(|_| format!("/v1/exports/{}/content", export.id)),
            error: export.error.map(Into::into),
            created_at: export.created_at,
            finished_at: export.finished_at,
            expires_at: export.expires_at,
        }
    }
}
