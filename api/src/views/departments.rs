//! Departments and their houses.

use debt_core::departments::{EditDepartment as EditCommand, NewDepartment};
use debt_core::domain::department as domain;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Подразделение организации.
#[derive(Debug, Serialize, ToSchema)]
pub struct Department {
    /// Идентификатор.
    pub id: Uuid,
    /// Название.
    #[schema(max_length = 255, example = "Северный участок")]
    pub name: String,
    /// Ответственный сотрудник: ему достаются запросы по домам подразделения.
    pub responsible_id: Uuid,
    /// Сколько домов относится к подразделению; сами дома — по адресу из `houses_url`.
    #[schema(example = 2, minimum = 0, maximum = 10000)]
    pub house_count: i64,
    /// Где прочитать дома.
    #[schema(
        format = "uri-reference",
        max_length = 100,
        example = "/v1/departments/019a4c00-0000-7000-8000-000000000032/houses"
    )]
    pub houses_url: String,
    /// Версия; растёт с каждым изменением.
    #[schema(example = 1)]
    pub version: i64,
}

/// Дом подразделения.
#[derive(Debug, Serialize, ToSchema)]
pub struct DepartmentHouse {
    /// Дом в ФИАС.
    pub fias_house_id: Uuid,
}

/// Новое подразделение.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateDepartment {
    /// Название.
    #[schema(min_length = 1, max_length = 255, example = "Северный участок")]
    pub name: String,
    /// Ответственный сотрудник; у него должен быть идентификатор ГИС ЖКХ, иначе он не сможет отправлять ответы.
    pub responsible_id: Uuid,
    /// Дома по кодам ФИАС; каждый дом относится не больше чем к одному подразделению.
    #[serde(default)]
    #[schema(max_items = 10000)]
    pub houses: Vec<Uuid>,
}

/// Изменение подразделения: переданные поля заменяются.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditDepartment {
    /// Название.
    #[schema(value_type = String, required = false, min_length = 1, max_length = 255, example = "Северный участок")]
    pub name: Option<String>,
    /// Ответственный сотрудник; у него должен быть идентификатор ГИС ЖКХ, иначе он не сможет отправлять ответы.
    #[schema(value_type = Uuid, required = false)]
    pub responsible_id: Option<Uuid>,
    /// Все дома подразделения по кодам ФИАС: прежний список заменяется целиком.
    #[schema(value_type = Vec<Uuid>, required = false, max_items = 10000)]
    pub houses: Option<Vec<Uuid>>,
}

impl From<domain::Department> for Department {
    fn from(department: domain::Department) -> Self {
        Self {
            id: department.id.as_uuid(),
            name: department.name,
            responsible_id: department.responsible.as_uuid(),
            house_count: department.house_count,
            houses_url: format!("/v1/departments/{}/houses", department.id),
            version: department.version,
        }
    }
}

impl From<Uuid> for DepartmentHouse {
    fn from(fias_house_id: Uuid) -> Self {
        Self { fias_house_id }
    }
}

impl From<CreateDepartment> for NewDepartment {
    fn from(input: CreateDepartment) -> Self {
        Self { name: input.name, responsible: input.responsible_id.into(), houses: input.houses }
    }
}

impl From<EditDepartment> for EditCommand {
    fn from(input: EditDepartment) -> Self {
        Self { name: input.name, responsible: input.responsible_id.map(Into::into), houses: input.houses }
    }
}
