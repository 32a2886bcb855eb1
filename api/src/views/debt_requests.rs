//! Debt requests as the API shows them (`api.md` §4.2).

use chrono::{DateTime, NaiveDate, Utc};
use debt_core::debt_requests::DebtRequestDetails;
use debt_core::domain::debt_request as domain;
use debt_core::store::debt_requests::Counts;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::times;
use super::words::{AnswerState, GisRequestStatus, GisResponseStatus, MatchResult, Stage};

/// Запрос о задолженности, подтверждённой судом, по одному адресу (подзапрос ГИС ЖКХ).
///
/// Поставщик не видит, кто из граждан обратился за мерами поддержки: ГИС ЖКХ передаёт только адрес и период. Поэтому
/// имени заявителя здесь нет.
#[derive(Debug, Serialize, ToSchema)]
pub struct DebtRequest {
    /// GUID подзапроса в ГИС ЖКХ.
    pub id: Uuid,
    /// GUID запроса, частью которого является подзапрос.
    pub request_id: Option<Uuid>,
    /// Номер запроса в ГИС ЖКХ.
    #[schema(max_length = 30, example = "62026110433")]
    pub request_number: String,
    /// Кто запрашивает.
    pub requester: Requester,
    /// Адрес, о котором спрашивают.
    pub address: Address,
    /// Период, о котором спрашивают.
    pub period: Period,
    /// Дата направления запроса.
    #[serde(serialize_with = "times::day")]
    pub sent_on: Option<NaiveDate>,
    /// Последний день для ответа, как его установила ГИС ЖКХ.
    #[serde(serialize_with = "times::day")]
    pub due_on: Option<NaiveDate>,
    /// Сколько календарных дней осталось; отрицательное число после срока.
    #[schema(example = 6)]
    pub days_left: Option<i64>,
    /// Что показывает ГИС ЖКХ.
    pub gis: DebtRequestInGis,
    /// Состояние работы с запросом.
    pub stage: Stage,
    /// Состояние работы по-русски.
    #[schema(max_length = 100, example = "Новый")]
    pub stage_label: &'static str,
    /// Подразделение.
    pub department_id: Option<Uuid>,
    /// Наименование подразделения; `null`, если подразделения нет или оно удалено.
    #[schema(max_length = 255, example = "Северный участок")]
    pub department_name: Option<String>,
    /// Ответственный сотрудник.
    pub responsible_id: Option<Uuid>,
    /// Фамилия, имя, отчество ответственного; `null`, если ответственного нет или он удалён.
    #[schema(max_length = 255, example = "Образцова Анна Сергеевна")]
    pub responsible_name: Option<String>,
    /// Исполнитель.
    pub executor_id: Option<Uuid>,
    /// Фамилия, имя, отчество исполнителя; `null`, если исполнителя нет или он удалён.
    #[schema(max_length = 255, example = "Вымышленная Ольга Петровна")]
    pub executor_name: Option<String>,
    /// Заметка ваших сотрудников.
    #[schema(max_length = 1000)]
    pub note: Option<String>,
    /// Итог последнего сопоставления с реестром задолженности.
    #[schema(rename = "match")]
    #[serde(rename = "match")]
    pub matched: Option<Match>,
    /// Текущий ответ кратко; персональные данные есть только в `GET /v1/answers/{id}`.
    pub answer: Option<AnswerSummary>,
    /// Растёт с каждым изменением; то же число в `ETag`.
    #[schema(example = 2)]
    pub version: i64,
    /// Когда запрос получен из ГИС ЖКХ.
    #[serde(serialize_with = "times::moment")]
    pub created_at: DateTime<Utc>,
    /// Когда запрос изменился.
    #[serde(serialize_with = "times::moment")]
    pub updated_at: DateTime<Utc>,
}

/// Организация, которая запрашивает сведения.
#[derive(Debug, Serialize, ToSchema)]
pub struct Requester {
    /// GUID организации в реестре организаций ГИС ЖКХ.
    pub organization_id: Option<Uuid>,
    /// Наименование.
    #[schema(max_length = 1000, example = "Управление социальной политики № 7")]
    pub name: Option<String>,
    /// Телефон.
    #[schema(max_length = 255)]
    pub phone: Option<String>,
    /// Сотрудник, направивший запрос.
    #[schema(max_length = 1000)]
    pub employee: Option<String>,
}

/// Адрес, о котором спрашивают.
#[derive(Debug, Serialize, ToSchema)]
pub struct Address {
    /// Адрес строкой, как его пишет ГИС ЖКХ.
    #[schema(max_length = 4000)]
    pub text: Option<String>,
    /// Помещение словами, например `кв. 12`; в формате 14.0.0.0 его нет.
    #[schema(max_length = 1000)]
    pub premises: Option<String>,
    /// Вид объекта: `apartment`, `room`, `house`, `house_block`.
    #[schema(max_length = 64)]
    pub object_type: Option<String>,
    /// Дом в ФИАС.
    pub fias_house_id: Option<Uuid>,
    /// Дом в реестре адресных объектов ГИС ЖКХ.
    pub gis_house_id: Option<Uuid>,
    /// Объект в реестре адресных объектов ГИС ЖКХ.
    pub gis_object_id: Option<Uuid>,
}

/// Период, о котором спрашивают.
#[derive(Debug, Serialize, ToSchema)]
pub struct Period {
    /// Первый день.
    #[serde(serialize_with = "times::day")]
    pub from: Option<NaiveDate>,
    /// Последний день.
    #[serde(serialize_with = "times::day")]
    pub to: Option<NaiveDate>,
}

/// Что показывает ГИС ЖКХ.
#[derive(Debug, Serialize, ToSchema)]
pub struct DebtRequestInGis {
    /// Статус запроса.
    pub request_status: GisRequestStatus,
    /// Статус запроса по-русски.
    #[schema(max_length = 100, example = "Направлен")]
    pub request_status_label: &'static str,
    /// Статус ответа; может отставать на два-три дня.
    pub response_status: GisResponseStatus,
    /// Статус ответа по-русски.
    #[schema(max_length = 100, example = "Не отправлен")]
    pub response_status_label: &'static str,
    /// Когда сведения получены из ГИС ЖКХ.
    #[serde(serialize_with = "times::moment")]
    pub synced_at: DateTime<Utc>,
}

/// Итог сопоставления с реестром задолженности.
#[derive(Debug, Serialize, ToSchema)]
pub struct Match {
    /// Итог.
    pub result: MatchResult,
    /// Версия реестра.
    pub registry_id: Option<Uuid>,
    /// Когда сверено.
    #[serde(serialize_with = "times::moment")]
    pub checked_at: DateTime<Utc>,
}

/// Текущий ответ кратко.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnswerSummary {
    /// Идентификатор ответа.
    pub id: Uuid,
    /// Состояние ответа.
    pub state: AnswerState,
    /// Состояние ответа по-русски.
    #[schema(max_length = 100, example = "Ожидает отправки")]
    pub state_label: &'static str,
    /// Состояние окончательное: ответ сам больше не изменится.
    pub is_final: bool,
    /// Есть ли долг.
    pub has_debt: bool,
    /// Когда ответ изменился.
    #[serde(serialize_with = "times::moment")]
    pub updated_at: DateTime<Utc>,
}

/// Сколько запросов подходит под условия.
#[derive(Debug, Serialize, ToSchema)]
pub struct DebtRequestCounts {
    /// Всего.
    #[schema(example = 250)]
    pub total: i64,
    /// Новых, с которыми ещё не работали.
    #[schema(example = 200)]
    pub new: i64,
    /// Без ответа; кроме тех, которые ГИС ЖКХ больше не показывает.
    #[schema(example = 240)]
    pub unanswered: i64,
    /// Без ответа, срок сегодня.
    #[schema(example = 3)]
    pub due_today: i64,
    /// Без ответа, срок прошёл.
    #[schema(example = 0)]
    pub overdue: i64,
}

impl From<DebtRequestDetails> for DebtRequest {
    fn from(details: DebtRequestDetails) -> Self {
        let DebtRequestDetails { request, days_left, names } = details;
        let gis = request.gis;
        Self {
            id: request.id.as_uuid(),
            request_id: gis.request_id,
            request_number: gis.request_number,
            requester: gis.requester.into(),
            address: gis.address.into(),
            period: Period { from: gis.period_from, to: gis.period_to },
            sent_on: gis.sent_on,
            due_on: gis.due_on,
            days_left,
            gis: DebtRequestInGis {
                request_status: gis.request_status.into(),
                request_status_label: gis.request_status.label(),
                response_status: gis.response_status.into(),
                response_status_label: gis.response_status.label(),
                synced_at: request.synced_at,
            },
            stage: request.stage.into(),
            stage_label: request.stage.label(),
            department_id: request.department.map(|id| id.as_uuid()),
            department_name: names.department,
            responsible_id: request.responsible.map(|id| id.as_uuid()),
            responsible_name: names.responsible,
            executor_id: request.executor.map(|id| id.as_uuid()),
            executor_name: names.executor,
            note: request.note,
            matched: request.matched.map(Into::into),
            answer: request.answer.map(Into::into),
            version: request.version,
            created_at: request.created_at,
            updated_at: request.updated_at,
        }
    }
}

impl From<domain::Requester> for Requester {
    fn from(requester: domain::Requester) -> Self {
        let domain::Requester { organization_id, name, phone, employee } = requester;
        Self { organization_id, name, phone, employee }
    }
}

impl From<domain::Address> for Address {
    fn from(address: domain::Address) -> Self {
        let domain::Address { text, premises, object_type, fias_house_id, gis_house_id, gis_object_id } =
            address;
        Self { text, premises, object_type, fias_house_id, gis_house_id, gis_object_id }
    }
}

impl From<domain::Match> for Match {
    fn from(matched: domain::Match) -> Self {
        Self {
            result: matched.result.into(),
            registry_id: matched.registry_id,
            checked_at: matched.checked_at,
        }
    }
}

impl From<domain::AnswerSummary> for AnswerSummary {
    fn from(answer: domain::AnswerSummary) -> Self {
        Self {
            id: answer.id.as_uuid(),
            state: answer.state.into(),
            state_label: answer.state.label(),
            is_final: answer.state.is_final(),
            has_debt: answer.has_debt,
            updated_at: answer.updated_at,
        }
    }
}

impl From<Counts> for DebtRequestCounts {
    fn from(counts: Counts) -> Self {
        let Counts { total, new, unanswered, due_today, overdue } = counts;
        Self { total, new, unanswered, due_today, overdue }
    }
}
