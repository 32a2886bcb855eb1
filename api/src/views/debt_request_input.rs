//! What clients send about debt requests.

use debt_core::debt_requests::AssignDebtRequest as Command;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;
use uuid::Uuid;

use super::texts::RequestNumber;

/// Назначение запроса: переданные поля заменяются, `null` очищает поле.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignDebtRequest {
    /// Подразделение; его ответственный становится ответственным за запрос и исполнителем.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Uuid>, example = json!(null))]
    pub department_id: Option<Option<Uuid>>,
    /// Исполнитель: работающий сотрудник, обычно того же подразделения, что и ответственный.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Uuid>, example = json!(null))]
    pub executor_id: Option<Option<Uuid>>,
    /// Заметка для ваших сотрудников; в ГИС ЖКХ не передаётся.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1000, example = "Проверить решение суда")]
    pub note: Option<Option<String>>,
}

/// Поиск запросов по идентификаторам и номерам, всего не больше 1000.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DebtRequestLookup {
    /// GUID подзапросов.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub ids: Vec<Uuid>,
    /// Номера запросов.
    #[serde(default)]
    #[schema(max_items = 1000, value_type = Vec<RequestNumber>, example = json!(["62026110433"]))]
    pub request_numbers: Vec<String>,
}

/// Tells `null` from an absent field.
pub(super) fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

impl From<AssignDebtRequest> for Command {
    fn from(input: AssignDebtRequest) -> Self {
        Self {
            department: input.department_id.map(|id| id.map(Into::into)),
            executor: input.executor_id.map(|id| id.map(Into::into)),
            note: input.note,
        }
    }
}
