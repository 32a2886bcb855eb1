//! Departments as rows.

use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};

use crate::domain::department::Department;
use crate::ids::{DepartmentId, EmployeeId, OrganizationId};
use crate::store::schema::{department_houses, departments};
use crate::store::types::{Guid, Ts};

/// A row of `departments`.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = departments, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct DepartmentRow {
    id: DepartmentId,
    organization_id: OrganizationId,
    name: String,
    responsible_id: EmployeeId,
    house_count: i64,
    version: i64,
    created_at: Ts,
    updated_at: Ts,
}

impl From<&Department> for DepartmentRow {
    fn from(department: &Department) -> Self {
        Self {
            id: department.id,
            organization_id: department.organization,
            name: department.name.clone(),
            responsible_id: department.responsible,
            house_count: department.house_count,
            version: department.version,
            created_at: Ts(department.created_at),
            updated_at: Ts(department.updated_at),
        }
    }
}

impl From<DepartmentRow> for Department {
    fn from(row: DepartmentRow) -> Self {
        Self {
            id: row.id,
            organization: row.organization_id,
            name: row.name,
            responsible: row.responsible_id,
            house_count: row.house_count,
            version: row.version,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        }
    }
}

/// A row of `department_houses`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = department_houses, treat_none_as_default_value = false)]
pub(super) struct HouseRow {
    pub(super) organization_id: OrganizationId,
    pub(super) fias_house_id: Guid,
    pub(super) department_id: DepartmentId,
}
