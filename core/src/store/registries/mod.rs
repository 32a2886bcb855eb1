//! Registries of court debts.

mod debts;
mod files;
mod retention;
mod rows;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use diesel::dsl::max;
use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

pub(crate) use self::debts::{
    debt, debts, debts_by_id, delete_debt, entries, insert_debts, places, update_debt,
};
pub(crate) use self::files::{insert_files, set_files};
pub(crate) use self::retention::{delete_rows_before, has_lost_rows};
use self::rows::RegistryRow;
use super::db::{both, holding};
use super::json::AsJson;
use super::schema::{court_debt_registries, court_debts};
use super::types::Ts;
use super::{Conn, StoreError};
use crate::domain::court_debt::Origin;
use crate::domain::registry::{Registry, RegistryStatus, RowProblem};
use crate::ids::{DepartmentId, OrganizationId, RegistryId};

/// Stores a new registry with what is wrong with it.
pub(crate) async fn insert(
    conn: &mut Conn,
    registry: &Registry,
    problems: Vec<RowProblem>,
) -> Result<(), StoreError> {
    let row = RegistryRow::from(registry.clone());
    let values = (row, court_debt_registries::problems.eq(AsJson(problems)));
    both!(conn, c => diesel::insert_into(court_debt_registries::table).values(values).execute(c).await)?;
    Ok(())
}

/// Stores where a registry stands.
pub(crate) async fn update(conn: &mut Conn, registry: &Registry) -> Result<(), StoreError> {
    let row = RegistryRow::from(registry.clone());
    let hit = both!(conn, c => {
        diesel::update(court_debt_registries::table.find(registry.id)).set(row).execute(c).await
    })?;
    StoreError::unless_hit(hit)
}

/// One registry.
pub(crate) async fn get(
    conn: &mut Conn,
    organization: OrganizationId,
    id: RegistryId,
) -> Result<Option<Registry>, StoreError> {
    let row: Option<RegistryRow> = both!(conn, c => {
        court_debt_registries::table
            .find(id)
            .filter(court_debt_registries::organization_id.eq(organization))
            .select(RegistryRow::as_select())
            .first(c)
            .await
            .optional()
    })?;
    Ok(row.map(Registry::from))
}

/// The same, held until the transaction ends.
pub(crate) async fn lock(
    conn: &mut Conn,
    organization: OrganizationId,
    id: RegistryId,
) -> Result<Option<Registry>, StoreError> {
    let row: Option<RegistryRow> = holding!(
        conn,
        court_debt_registries::table
            .find(id)
            .filter(court_debt_registries::organization_id.eq(organization))
            .select(RegistryRow::as_select()),
        |query, c| query.first(c).await.optional()
    )?;
    Ok(row.map(Registry::from))
}

/// The one that answers for an organisation, or for a department of it.
pub(crate) async fn active(
    conn: &mut Conn,
    organization: OrganizationId,
    department: Option<DepartmentId>,
) -> Result<Option<Registry>, StoreError> {
    let row: Option<RegistryRow> = both!(conn, c => {
        let query = court_debt_registries::table
            .filter(court_debt_registries::organization_id.eq(organization))
            .filter(court_debt_registries::status.eq(RegistryStatus::Active))
            .select(RegistryRow::as_select())
            .into_boxed();
        let query = match department {
            Some(department) => query.filter(court_debt_registries::department_id.eq(department)),
            None => query.filter(court_debt_registries::department_id.is_null()),
        };
        query.first(c).await.optional()
    })?;
    Ok(row.map(Registry::from))
}

/// The newest one that is being put together row by row and was not activated yet.
pub(crate) async fn begun(
    conn: &mut Conn,
    organization: OrganizationId,
    department: Option<DepartmentId>,
) -> Result<Option<Registry>, StoreError> {
    use court_debt_registries::{created_at, department_id, id, organization_id, origin, status, table};

    let row: Option<RegistryRow> = both!(conn, c => {
        let query = table
            .filter(organization_id.eq(organization))
            .filter(status.eq(RegistryStatus::Checked))
            .filter(origin.eq(Origin::Single))
            .order((created_at.desc(), id.desc()))
            .select(RegistryRow::as_select())
            .into_boxed();
        let query = match department {
            Some(department) => query.filter(department_id.eq(department)),
            None => query.filter(department_id.is_null()),
        };
        query.first(c).await.optional()
    })?;
    Ok(row.map(Registry::from))
}

/// Every one that answers, that of the organisation and those of its departments.
pub(crate) async fn all_active(
    conn: &mut Conn,
    organization: OrganizationId,
) -> Result<Vec<Registry>, StoreError> {
    let rows: Vec<RegistryRow> = both!(conn, c => {
        court_debt_registries::table
            .filter(court_debt_registries::organization_id.eq(organization))
            .filter(court_debt_registries::status.eq(RegistryStatus::Active))
            .order(court_debt_registries::id)
            .select(RegistryRow::as_select())
            .load(c)
            .await
    })?;
    Ok(rows.into_iter().map(Registry::from).collect())
}

/// When a row of a registry last changed; `None` while it has none.
pub(crate) async fn last_change(
    conn: &mut Conn,
    registry: RegistryId,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let changed: Option<Ts> = both!(conn, c => {
        court_debts::table
            .filter(court_debts::registry_id.eq(registry))
            .select(max(court_debts::updated_at))
            .get_result(c)
            .await
    })?;
    Ok(changed.map(|Ts(at)| at))
}

/// Newest first, after (`created_at`, id).
pub(crate) async fn page(
    conn: &mut Conn,
    organization: OrganizationId,
    after: Option<(DateTime<Utc>, RegistryId)>,
    limit: i64,
) -> Result<Vec<Registry>, StoreError> {
    use court_debt_registries::{created_at, id, organization_id, table};

    let rows: Vec<RegistryRow> = both!(conn, c => {
        let mut query = table
            .filter(organization_id.eq(organization))
            .order((created_at.desc(), id.desc()))
            .limit(limit)
            .select(RegistryRow::as_select())
            .into_boxed();
        if let Some((time, last)) = after {
            let same_moment = created_at.eq(Ts(time)).and(id.lt(last));
            query = query
                .filter(created_at.le(Ts(time)))
                .filter(created_at.lt(Ts(time)).or(same_moment));
        }
        query.load(c).await
    })?;
    Ok(rows.into_iter().map(Registry::from).collect())
}

/// What is wrong with a registry, as far as it was kept.
pub(crate) async fn problems(conn: &mut Conn, id: RegistryId) -> Result<Vec<RowProblem>, StoreError> {
    let list: Option<AsJson<Vec<RowProblem>>> = both!(conn, c => {
        court_debt_registries::table
            .find(id)
            .select(court_debt_registries::problems)
            .first(c)
            .await
            .optional()
    })?;
    Ok(list.map(|AsJson(list)| list).unwrap_or_default())
}
