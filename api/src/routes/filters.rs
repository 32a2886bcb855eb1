//! The conditions of lists, as the document describes them and as they are read (`api.md` §4.3). A test compares the two.

use chrono::{DateTime, NaiveDate, Utc};
use debt_core::domain::debt_request as domain;
use debt_core::store::{answers, debt_requests};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::query::Query;
use crate::views::texts::RequestNumber;

/// XSD 16.3.0.0, RequestNumberType.
const LONGEST_NUMBER: usize = 30;
/// The longest text of the other conditions.
const LONGEST_TEXT: usize = 255;

/// Conditions of the list of debt requests.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; `read_filter` reads them")]
pub(crate) struct DebtRequestFilters {
    /// Подразделение; `none` — вне подразделений.
    #[param(value_type = Option<String>, pattern = "^(none|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$")]
    department_id: Option<String>,
    /// Ответственный; `none` — без ответственного.
    #[param(value_type = Option<String>, pattern = "^(none|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$")]
    responsible_id: Option<String>,
    /// Исполнитель; `none` — без исполнителя.
    #[param(value_type = Option<String>, pattern = "^(none|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$")]
    executor_id: Option<String>,
    /// Состояние работы; можно повторять.
    #[param(inline, style = Form, explode, max_items = 8)]
    stage: Option<Vec<StageParameter>>,
    /// Статус ответа в ГИС ЖКХ; можно повторять.
    #[param(inline, style = Form, explode, max_items = 4)]
    gis_response_status: Option<Vec<ResponseStatusParameter>>,
    /// Статус запроса в ГИС ЖКХ; можно повторять.
    #[param(inline, style = Form, explode, max_items = 3)]
    gis_request_status: Option<Vec<RequestStatusParameter>>,
    /// Состояние текущего ответа; можно повторять.
    #[param(inline, style = Form, explode, max_items = 12)]
    answer_state: Option<Vec<AnswerStateParameter>>,
    /// Номер запроса полностью; можно повторять до 100 раз.
    #[param(style = Form, explode, max_items = 100, value_type = Option<Vec<RequestNumber>>)]
    request_number: Option<Vec<String>>,
    /// Начало номера запроса.
    #[param(min_length = 1, max_length = 30)]
    request_number_prefix: Option<String>,
    /// Запрашивающая организация, GUID в реестре организаций ГИС ЖКХ.
    requester_id: Option<Uuid>,
    /// Часть наименования запрашивающей организации; регистр и «ё» не важны.
    #[param(min_length = 1, max_length = 255)]
    requester_name: Option<String>,
    /// `true` — в ГИС ЖКХ есть ответ или наш ответ отправляется и не отклонён; `false` — остальные.
    answered: Option<bool>,
    /// `today` — последний день ответа сегодня (по часовому поясу организации).
    #[param(inline)]
    due: Option<DueParameter>,
    /// Последний день ответа не раньше.
    due_from: Option<NaiveDate>,
    /// Последний день ответа не позже.
    due_to: Option<NaiveDate>,
    /// Запрос направлен не раньше.
    sent_from: Option<NaiveDate>,
    /// Запрос направлен не позже.
    sent_to: Option<NaiveDate>,
    /// Изменились в этот момент или позже. Границу включает, чтобы ничего не пропустить: повторы возможны.
    updated_since: Option<DateTime<Utc>>,
    /// Итог сопоставления с реестром; можно повторять.
    #[param(inline, style = Form, explode, max_items = 3)]
    match_result: Option<Vec<MatchParameter>>,
    /// Дом в ФИАС.
    fias_house_id: Option<Uuid>,
    /// Слова адреса; должны встретиться все, регистр и «ё» не важны.
    #[param(min_length = 1, max_length = 255)]
    q: Option<String>,
    /// Есть ли черновик или подготовленный ответ.
    has_draft: Option<bool>,
}

const DEBT_REQUEST_FILTERS: [&str; 22] = [
    "department_id",
    "responsible_id",
    "executor_id",
    "stage",
    "gis_response_status",
    "gis_request_status",
    "answer_state",
    "request_number",
    "request_number_prefix",
    "requester_id",
    "requester_name",
    "answered",
    "due",
    "due_from",
    "due_to",
    "sent_from",
    "sent_to",
    "updated_since",
    "match_result",
    "fias_house_id",
    "q",
    "has_draft",
];

/// Names of the conditions and of further parameters.
pub(crate) fn debt_request_parameters(more: &[&'static str]) -> Vec<&'static str> {
    DEBT_REQUEST_FILTERS.iter().chain(more).copied().collect()
}

/// Reads the conditions, and whether `due=today` is among them, which needs the organisation's day.
pub(crate) fn read_debt_request_filter(query: &mut Query) -> (debt_requests::Filter, bool) {
    let due_today = query.one_with("due", read_due).unwrap_or(false);
    let filter = debt_requests::Filter {
        department: query.one_with("department_id", read_department),
        responsible: query.one_with("responsible_id", read_employee),
        executor: query.one_with("executor_id", read_employee),
        stages: query.many("stage"),
        response_statuses: query.many("gis_response_status"),
        request_statuses: query.many("gis_request_status"),
        answer_states: query.many("answer_state"),
        numbers: query.texts("request_number", LONGEST_NUMBER),
        number_prefix: query.text("request_number_prefix", LONGEST_NUMBER),
        requester: query.one("requester_id"),
        requester_name: query.text("requester_name", LONGEST_TEXT),
        answered: query.one("answered"),
        due_from: query.one("due_from"),
        due_to: query.one("due_to"),
        sent_from: query.one("sent_from"),
        sent_to: query.one("sent_to"),
        updated_since: query.one("updated_since"),
        match_results: query.many("match_result"),
        fias_house: query.one("fias_house_id"),
        address_words: query.text("q", LONGEST_TEXT),
        has_draft: query.one("has_draft"),
    };
    (filter, due_today)
}

fn read_department(text: &str) -> Result<debt_requests::DepartmentFilter, String> {
    if text == "none" {
        return Ok(debt_requests::DepartmentFilter::Nowhere);
    }
    let id = text.parse().or(Err("нужен UUID подразделения или none".to_owned()))?;
    Ok(debt_requests::DepartmentFilter::Is(id))
}

fn read_employee(text: &str) -> Result<debt_requests::ExecutorFilter, String> {
    if text == "none" {
        return Ok(debt_requests::ExecutorFilter::Nobody);
    }
    let id = text.parse().or(Err("нужен UUID сотрудника или none".to_owned()))?;
    Ok(debt_requests::ExecutorFilter::Is(id))
}

fn read_due(text: &str) -> Result<bool, String> {
    if text == "today" { Ok(true) } else { Err("допустимо только today".to_owned()) }
}

/// Conditions of the list of answers.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; `read_answer_filter` reads them")]
pub(crate) struct AnswerFilters {
    /// Запрос.
    debt_request_id: Option<Uuid>,
    /// Ваш собственный идентификатор ответа.
    #[param(min_length = 1, max_length = 255, example = "1C-000123")]
    external_id: Option<String>,
    /// Состояние; можно повторять.
    #[param(inline, style = Form, explode, max_items = 12)]
    state: Option<Vec<AnswerStateParameter>>,
    /// Состояние окончательное.
    is_final: Option<bool>,
    /// Есть ли долг.
    has_debt: Option<bool>,
    /// Его показала ГИС ЖКХ.
    confirmed_in_gis: Option<bool>,
    /// Изменились в этот момент или позже. Границу включает, чтобы ничего не пропустить: повторы возможны.
    updated_since: Option<DateTime<Utc>>,
}

const ANSWER_FILTERS: [&str; 7] =
    ["debt_request_id", "external_id", "state", "is_final", "has_debt", "confirmed_in_gis", "updated_since"];

/// Names of the conditions and of further parameters.
pub(crate) fn answer_parameters(more: &[&'static str]) -> Vec<&'static str> {
    ANSWER_FILTERS.iter().chain(more).copied().collect()
}

/// Reads the conditions.
pub(crate) fn read_answer_filter(query: &mut Query) -> answers::Filter {
    answers::Filter {
        debt_request: query.one("debt_request_id"),
        external_id: query.text("external_id", LONGEST_TEXT),
        states: query.many("state"),
        is_final: query.one("is_final"),
        has_debt: query.one("has_debt"),
        sources: Vec::new(),
        confirmed_in_gis: query.one("confirmed_in_gis"),
        updated_since: query.one("updated_since"),
    }
}

/// Which page of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; `Ask::read` reads them")]
pub(crate) struct PageParameters {
    /// Сколько записей на странице, 1–200; большее число означает 200.
    #[param(value_type = Option<u64>, minimum = 1, default = 50, example = 50)]
    limit: Option<u32>,
    /// Курсор из поля `next` предыдущей страницы; условия должны быть теми же.
    #[param(min_length = 1, max_length = 2048)]
    cursor: Option<String>,
}

/// In which order.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameter; the route reads it")]
pub(crate) struct SortParameter {
    /// Порядок: `due_on` (по умолчанию), `sent_on`, `updated_at`; с минусом — по убыванию.
    #[param(pattern = "^-?(due_on|sent_on|updated_at)$", example = "due_on")]
    sort: Option<String>,
}

macro_rules! parameters {
    ($($name:ident = $domain:ty;)+) => {$(
        /// A closed list: a wrong word in a condition is refused.
        pub(crate) struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let words = <$domain>::ALL.iter().map(|word| word.as_str());
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .enum_values(Some(words))
                    .build()
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}

        impl crate::query::Parameter for $domain {
            const ALLOWED: &'static str = "недопустимое значение; допустимые перечислены в описании параметра";

            fn read(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )+};
}

parameters! {
    StageParameter = domain::Stage;
    ResponseStatusParameter = domain::ResponseStatus;
    RequestStatusParameter = domain::RequestStatus;
    AnswerStateParameter = debt_core::domain::answer::State;
    MatchParameter = domain::MatchResult;
    WorkKindParameter = debt_core::domain::long_work::WorkKind;
    DeliveryStatusParameter = debt_core::domain::webhook_delivery::DeliveryStatus;
}

/// The one word of `due`.
pub(crate) struct DueParameter;

impl utoipa::PartialSchema for DueParameter {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .enum_values(Some(["today"]))
            .build()
            .into()
    }
}

impl utoipa::ToSchema for DueParameter {}
