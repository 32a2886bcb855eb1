//! The conditions of the list of debt requests in a body (`api.md` §4.3): exports and matches take them.

use chrono::{DateTime, NaiveDate, Utc};
use debt_core::store::debt_requests::{DepartmentFilter, ExecutorFilter, Filter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::texts::RequestNumber;
use crate::routes::filters::{
    AnswerStateParameter, DueParameter, MatchParameter, RequestStatusParameter, ResponseStatusParameter,
    StageParameter,
};

/// Условия; имена и смысл те же, что у списка запросов. Должны выполняться все.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DebtRequestFilter {
    /// Подразделение; `none` — вне подразделений.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^(none|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$", example = "none")]
    pub department_id: Option<String>,
    /// Ответственный; `none` — без ответственного.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^(none|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$", example = "none")]
    pub responsible_id: Option<String>,
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
    pub due: Option<DueWord>,
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
    /// Итог сопоставления с реестром.
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
pub enum DueWord {
    /// The organisation's present day.
    Today,
}

impl DebtRequestFilter {
    /// The conditions, and whether the last day shall be today.
    pub(crate) fn conditions(self) -> (Filter, bool) {
        let filter = Filter {
            department: self.department_id.as_deref().and_then(department),
            responsible: self.responsible_id.as_deref().and_then(employee),
            executor: self.executor_id.as_deref().and_then(employee),
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

/// What a text means; the schema lets in nothing but `none` and identifiers.
fn department(text: &str) -> Option<DepartmentFilter> {
    match text {
        "none" => Some(DepartmentFilter::Nowhere),
        id => id.parse().ok().map(DepartmentFilter::Is),
    }
}

/// The same of an employee.
fn employee(text: &str) -> Option<ExecutorFilter> {
    match text {
        "none" => Some(ExecutorFilter::Nobody),
        id => id.parse().ok().map(ExecutorFilter::Is),
    }
}

fn department_text(filter: DepartmentFilter) -> String {
    match filter {
        DepartmentFilter::Is(id) => id.to_string(),
        DepartmentFilter::Nowhere => "none".to_owned(),
    }
}

fn employee_text(filter: ExecutorFilter) -> String {
    match filter {
        ExecutorFilter::Is(id) => id.to_string(),
        ExecutorFilter::Nobody => "none".to_owned(),
    }
}

impl From<Filter> for DebtRequestFilter {
    fn from(filter: Filter) -> Self {
        Self {
            department_id: filter.department.map(department_text),
            responsible_id: filter.responsible.map(employee_text),
            executor_id: filter.executor.map(employee_text),
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
