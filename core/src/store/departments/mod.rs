//! Departments of suppliers and their houses.

mod houses;
mod rows;
#[cfg(test)]
mod tests;

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

pub(crate) use self::houses::{houses, of_houses, replace_houses};
use self::rows::DepartmentRow;
use super::db::both;
use super::schema::{department_houses, departments, employees};
use super::{Conn, StoreError};
use crate::domain::department::Department;
use crate::ids::{DepartmentId, EmployeeId, OrganizationId};

/// Adds a department.
pub(crate) async fn insert(conn: &mut Conn, department: &Department) -> Result<(), StoreError> {
    let row = DepartmentRow::from(department);
    both!(conn, c => diesel::insert_into(departments::table).values(row).execute(c).await)?;
    Ok(())
}

/// Stores what is known of a department.
pub(crate) async fn update(conn: &mut Conn, department: &Department) -> Result<(), StoreError> {
    let row = DepartmentRow::from(department);
    let hit = both!(conn, c => {
        diesel::update(departments::table.find(department.id)).set(row).execute(c).await
    })?;
    StoreError::unless_hit(hit)
}

/// One department of an organisation.
pub(crate) async fn get(
    conn: &mut Conn,
    organization: OrganizationId,
    id: DepartmentId,
) -> Result<Option<Department>, StoreError> {
    let row: Option<DepartmentRow> = both!(conn, c => {
        departments::table
            .find(id)
            .filter(departments::organization_id.eq(organization))
            .select(DepartmentRow::as_select())
            .first(c)
            .await
            .optional()
    })?;
    Ok(row.map(Department::from))
}

/// The departments of an organisation in the order in which they were made, after one of them.
pub(crate) async fn page(
    conn: &mut Conn,
    organization: OrganizationId,
    after: Option<DepartmentId>,
    limit: i64,
) -> Result<Vec<Department>, StoreError> {
    let rows: Vec<DepartmentRow> = both!(conn, c => {
        let mut query = departments::table
            .filter(departments::organization_id.eq(organization))
            .order(departments::id)
            .limit(limit)
            .select(DepartmentRow::as_select())
            .into_boxed();
        if let Some(last) = after {
            query = query.filter(departments::id.gt(last));
        }
        query.load(c).await
    })?;
    Ok(rows.into_iter().map(Department::from).collect())
}

/// How many an organisation has.
pub(crate) async fn count(conn: &mut Conn, organization: OrganizationId) -> Result<i64, StoreError> {
    Ok(both!(conn, c => {
        departments::table.filter(departments::organization_id.eq(organization)).count().get_result(c).await
    })?)
}

/// Every department with whoever is responsible for it, and whether he works here still.
pub(crate) async fn heads(
    conn: &mut Conn,
    organization: OrganizationId,
) -> Result<Vec<(DepartmentId, EmployeeId, bool)>, StoreError> {
    Ok(both!(conn, c => {
        departments::table
            .inner_join(employees::table)
            .filter(departments::organization_id.eq(organization))
            .select((departments::id, departments::responsible_id, employees::active))
            .load(c)
            .await
    })?)
}

/// Removes a department with its houses.
pub(crate) async fn delete(conn: &mut Conn, id: DepartmentId) -> Result<(), StoreError> {
    let hit = both!(conn, c => async {
        let houses = department_houses::table.filter(department_houses::department_id.eq(id));
        diesel::delete(houses).execute(c).await?;
        diesel::delete(departments::table.find(id)).execute(c).await
    }
    .await)?;
    StoreError::unless_hit(hit)
}
