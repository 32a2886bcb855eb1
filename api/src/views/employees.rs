//! Employees.

use debt_core::domain::employee as domain;
use debt_core::employees::{EditEmployee as EditCommand, NewEmployee};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::debt_request_input::present;

/// Сотрудник организации.
#[derive(Debug, Serialize, ToSchema)]
pub struct Employee {
    /// Идентификатор.
    pub id: Uuid,
    /// Фамилия, имя, отчество.
    #[schema(max_length = 255, example = "Образцова Анна Сергеевна")]
    pub name: String,
    /// Идентификатор сотрудника в личном кабинете ГИС ЖКХ (executorGUID); без него ответы от имени сотрудника не
    /// отправляются.
    pub gis_id: Option<Uuid>,
    /// Подразделение, в котором сотрудник работает.
    pub department_id: Option<Uuid>,
    /// Работает ли сотрудник; остальным ничего не поручается.
    #[schema(example = true)]
    pub active: bool,
    /// Версия; растёт с каждым изменением.
    #[schema(example = 1)]
    pub version: i64,
}

/// Новый сотрудник.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateEmployee {
    /// Фамилия, имя, отчество.
    #[schema(min_length = 1, max_length = 255, example = "Вымышленная Ольга Петровна")]
    pub name: String,
    /// Идентификатор сотрудника в личном кабинете ГИС ЖКХ (executorGUID).
    pub gis_id: Option<Uuid>,
    /// Подразделение.
    pub department_id: Option<Uuid>,
}

/// Изменение сотрудника: переданные поля заменяются, `null` очищает поле, которое может быть пустым.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditEmployee {
    /// Фамилия, имя, отчество.
    #[schema(value_type = String, required = false, min_length = 1, max_length = 255, example = "Вымышленная Ольга Петровна")]
    pub name: Option<String>,
    /// Идентификатор сотрудника в личном кабинете ГИС ЖКХ (executorGUID).
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Uuid>)]
    pub gis_id: Option<Option<Uuid>>,
    /// Подразделение.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Uuid>)]
    pub department_id: Option<Option<Uuid>>,
    /// Работает ли сотрудник.
    #[schema(value_type = bool, required = false, example = true)]
    pub active: Option<bool>,
}

impl From<domain::Employee> for Employee {
    fn from(employee: domain::Employee) -> Self {
        Self {
            id: employee.id.as_uuid(),
            name: employee.full_name,
            gis_id: employee.gis_guid,
            department_id: employee.department.map(|id| id.as_uuid()),
            active: employee.active,
            version: employee.version,
        }
    }
}

impl From<CreateEmployee> for NewEmployee {
    fn from(input: CreateEmployee) -> Self {
        Self {
            full_name: input.name,
            gis_guid: input.gis_id,
            department: input.department_id.map(Into::into),
        }
    }
}

impl From<EditEmployee> for EditCommand {
    fn from(input: EditEmployee) -> Self {
        Self {
            full_name: input.name,
            gis_guid: input.gis_id,
            department: input.department_id.map(|id| id.map(Into::into)),
            active: input.active,
        }
    }
}
