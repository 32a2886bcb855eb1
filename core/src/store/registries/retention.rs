//! Rows of registries that answer no more, and of those that never did. They hold names and СНИЛС, and live as long as work
//! that has ended. What the registry was stays: who brought it and when, and how many rows it had.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, not};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::rows::RegistryRow;
use crate::domain::court_debt::Origin;
use crate::domain::registry::{Registry, RegistryStatus};
use crate::ids::{AttachmentId, CourtDebtId, RegistryId};
use crate::store::db::both;
use crate::store::schema::{court_debt_files, court_debt_registries, court_debts, match_runs};
use crate::store::types::Ts;
use crate::store::{Conn, StoreError, attachments};

/// Deletes rows of one registry of which nothing was wanted since a time, at most so many; how many these were. Scans that
/// nothing else uses may live until `unused_until`.
pub(crate) async fn delete_rows_before(
    conn: &mut Conn,
    time: DateTime<Utc>,
    now: DateTime<Utc>,
    unused_until: DateTime<Utc>,
    limit: i64,
) -> Result<usize, StoreError> {
    for registry in idle(conn, time).await? {
        if is_over(conn, &registry, time).await? && mark(conn, &registry, now).await? {
            return delete_some(conn, registry.id, unused_until, limit).await;
        }
    }
    Ok(0)
}

/// Whether rows of a registry were deleted because its time is over.
pub(crate) async fn has_lost_rows(conn: &mut Conn, id: RegistryId) -> Result<bool, StoreError> {
    let deleted: Option<Option<Ts>> = both!(conn, c => {
        court_debt_registries::table
            .find(id)
            .select(court_debt_registries::rows_deleted_at)
            .first(c)
            .await
            .optional()
    })?;
    Ok(deleted.flatten().is_some())
}

/// Those that came before a time, have rows, and answer nobody: no match that is under way either.
async fn idle(conn: &mut Conn, time: DateTime<Utc>) -> Result<Vec<Registry>, StoreError> {
    let rows: Vec<RegistryRow> = both!(conn, c => {
        let debts = court_debts::table.filter(court_debts::registry_id.eq(court_debt_registries::id));
        let runs = match_runs::table
            .filter(match_runs::registry_id.eq(court_debt_registries::id))
            .filter(match_runs::finished_at.is_null());
        court_debt_registries::table
            .filter(
                court_debt_registries::status.eq_any([RegistryStatus::Checked, RegistryStatus::Replaced]),
            )
            .filter(court_debt_registries::created_at.lt(Ts(time)))
            .filter(exists(debts))
            .filter(not(exists(runs)))
            .order(court_debt_registries::id)
            .select(RegistryRow::as_select())
            .load(c)
            .await
    })?;
    Ok(rows.into_iter().map(Registry::from).collect())
}

async fn is_over(conn: &mut Conn, registry: &Registry, time: DateTime<Utc>) -> Result<bool, StoreError> {
    match registry.status {
        // One that is put together row by row waits for a person.
        RegistryStatus::Checked => Ok(registry.origin == Origin::Workbook),
        RegistryStatus::Replaced => was_followed_before(conn, registry, time).await,
        RegistryStatus::Active | RegistryStatus::Refused => Ok(false),
    }
}

/// Whether another one took its place before a time.
async fn was_followed_before(
    conn: &mut Conn,
    registry: &Registry,
    time: DateTime<Utc>,
) -> Result<bool, StoreError> {
    use court_debt_registries::{activated_at, department_id, id, organization_id, table};

    let Some(began) = registry.activated_at else { return Ok(false) };
    let found: Option<RegistryId> = both!(conn, c => {
        let query = table
            .filter(organization_id.eq(registry.organization))
            .filter(activated_at.gt(Ts(began)))
            .filter(activated_at.lt(Ts(time)))
            .select(id)
            .into_boxed();
        let query = match registry.department {
            Some(department) => query.filter(department_id.eq(department)),
            None => query.filter(department_id.is_null()),
        };
        query.first(c).await.optional()
    })?;
    Ok(found.is_some())
}

/// Notes that rows go; from then on it cannot be activated. `false` when it was activated meanwhile.
async fn mark(conn: &mut Conn, registry: &Registry, now: DateTime<Utc>) -> Result<bool, StoreError> {
    use court_debt_registries::{rows_deleted_at, status, table};

    let hit = both!(conn, c => {
        diesel::update(table.find(registry.id).filter(status.eq(registry.status)))
            .set(rows_deleted_at.eq(Ts(now)))
            .execute(c)
            .await
    })?;
    Ok(hit > 0)
}

async fn delete_some(
    conn: &mut Conn,
    registry: RegistryId,
    unused_until: DateTime<Utc>,
    limit: i64,
) -> Result<usize, StoreError> {
    let some: Vec<CourtDebtId> = both!(conn, c => {
        court_debts::table
            .filter(court_debts::registry_id.eq(registry))
            .order(court_debts::id)
            .limit(limit)
            .select(court_debts::id)
            .load(c)
            .await
    })?;
    let files: Vec<AttachmentId> = both!(conn, c => {
        diesel::delete(court_debt_files::table.filter(court_debt_files::court_debt_id.eq_any(&some)))
            .returning(court_debt_files::attachment_id)
            .get_results(c)
            .await
    })?;
    let deleted = both!(conn, c => {
        diesel::delete(court_debts::table.filter(court_debts::id.eq_any(&some))).execute(c).await
    })?;
    let files: Vec<_> = BTreeSet::from_iter(files).into_iter().collect();
    attachments::release(conn, &files, unused_until).await?;
    Ok(deleted)
}
