//! Lists that are written into spreadsheets. A worker holds the one that it writes by a lease.

mod rows;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, max, min};
use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

use self::rows::ExportRow;
use super::db::{both, holding, taking};
use super::schema::exports;
use super::turns::by_turns;
use super::types::Ts;
use super::{Conn, StoreError};
use crate::domain::export::Export;
use crate::ids::{ContentId, ExportId, OrganizationId, WorkerId};

/// Stores an export that waits for a worker.
pub(crate) async fn insert(conn: &mut Conn, export: &Export) -> Result<(), StoreError> {
    let row = ExportRow::try_from(export.clone())?;
    both!(conn, c => diesel::insert_into(exports::table).values(row).execute(c).await)?;
    Ok(())
}

/// One export.
pub(crate) async fn get(
    conn: &mut Conn,
    organization: OrganizationId,
    id: ExportId,
) -> Result<Option<Export>, StoreError> {
    let row: Option<ExportRow> = both!(conn, c => {
        exports::table
            .find(id)
            .filter(exports::organization_id.eq(organization))
            .select(ExportRow::as_select())
            .first(c)
            .await
            .optional()
    })?;
    row.map(Export::try_from).transpose()
}

/// The same, held until the transaction ends.
pub(crate) async fn lock(
    conn: &mut Conn,
    organization: OrganizationId,
    id: ExportId,
) -> Result<Option<Export>, StoreError> {
    let row: Option<ExportRow> = holding!(
        conn,
        exports::table
            .find(id)
            .filter(exports::organization_id.eq(organization))
            .select(ExportRow::as_select()),
        |query, c| query.first(c).await.optional()
    )?;
    row.map(Export::try_from).transpose()
}

/// How many of an organisation have not ended.
pub(crate) async fn unfinished(conn: &mut Conn, organization: OrganizationId) -> Result<i64, StoreError> {
    Ok(both!(conn, c => {
        exports::table
            .filter(exports::organization_id.eq(organization))
            .filter(exports::finished_at.is_null())
            .select(count_star())
            .get_result(c)
            .await
    })?)
}

/// Newest first, after (`created_at`, id).
pub(crate) async fn page(
    conn: &mut Conn,
    organization: OrganizationId,
    after: Option<(DateTime<Utc>, ExportId)>,
    limit: i64,
) -> Result<Vec<Export>, StoreError> {
    let rows: Vec<ExportRow> = both!(conn, c => {
        let mut query = exports::table
            .filter(exports::organization_id.eq(organization))
            .order((exports::created_at.desc(), exports::id.desc()))
            .limit(limit)
            .select(ExportRow::as_select())
            .into_boxed();
        if let Some((time, id)) = after {
            let same_moment = exports::created_at.eq(Ts(time)).and(exports::id.lt(id));
            query = query
                .filter(exports::created_at.le(Ts(time)))
                .filter(exports::created_at.lt(Ts(time)).or(same_moment));
        }
        query.load(c).await
    })?;
    rows.into_iter().map(Export::try_from).collect()
}

/// Takes one that has not ended and that nobody holds, and holds it until a time: the oldest of the organisation that was
/// served longest ago, so that nobody waits for the many files of somebody else.
pub(crate) async fn claim(
    conn: &mut Conn,
    worker: WorkerId,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<Export>, StoreError> {
    for organization in queue(conn, now).await? {
        let mut rows: Vec<ExportRow> = taking!(
            conn,
            exports::table
                .filter(exports::organization_id.eq(organization))
                .filter(exports::finished_at.is_null())
                .filter(exports::lease_until.is_null().or(exports::lease_until.le(Ts(now))))
                .order((exports::created_at, exports::id))
                .limit(1)
                .select(ExportRow::as_select())
        )?;
        // Another worker may have taken it meanwhile.
        let Some(export) = rows.pop().map(Export::try_from).transpose()? else { continue };
        both!(conn, c => {
            diesel::update(exports::table.find(export.id))
                .set((exports::worker.eq(worker), exports::lease_until.eq(Ts(until))))
                .execute(c)
                .await
        })?;
        return Ok(Some(export));
    }
    Ok(None)
}

/// Organisations for which something is to be done, see [`by_turns`].
async fn queue(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<OrganizationId>, StoreError> {
    let waiting: Vec<(OrganizationId, Option<Ts>)> = both!(conn, c => {
        exports::table
            .filter(exports::finished_at.is_null())
            .filter(exports::lease_until.is_null().or(exports::lease_until.le(Ts(now))))
            .group_by(exports::organization_id)
            .select((exports::organization_id, min(exports::created_at)))
            .load(c)
            .await
    })?;
    // Nearly always there is nothing to choose.
    if waiting.len() < 2 {
        return Ok(waiting.into_iter().map(|(organization, _)| organization).collect());
    }
    let ids: Vec<OrganizationId> = waiting.iter().map(|(organization, _)| *organization).collect();
    let served: Vec<(OrganizationId, Option<Ts>, Option<Ts>)> = both!(conn, c => {
        exports::table
            .filter(exports::organization_id.eq_any(&ids))
            .group_by(exports::organization_id)
            .select((exports::organization_id, max(exports::finished_at), max(exports::lease_until)))
            .load(c)
            .await
    })?;
    Ok(by_turns(waiting, served))
}

/// Stores where an export stands that this worker holds, and holds it until a time, or no longer; `false` when somebody else
/// holds it meanwhile.
pub(crate) async fn update(
    conn: &mut Conn,
    export: &Export,
    worker: WorkerId,
    until: Option<DateTime<Utc>>,
) -> Result<bool, StoreError> {
    let row = ExportRow::try_from(export.clone())?;
    let hit = both!(conn, c => {
        diesel::update(exports::table.find(export.id).filter(exports::worker.eq(worker)))
            .set((
                row,
                exports::worker.eq(until.map(|_| worker)),
                exports::lease_until.eq(until.map(Ts)),
            ))
            .execute(c)
            .await
    })?;
    Ok(hit > 0)
}

/// Stores an export that the transaction holds, and takes it from its worker.
pub(crate) async fn withdraw(conn: &mut Conn, export: &Export) -> Result<(), StoreError> {
    let row = ExportRow::try_from(export.clone())?;
    let hit = both!(conn, c => {
        diesel::update(exports::table.find(export.id))
            .set((row, exports::worker.eq(None::<WorkerId>), exports::lease_until.eq(None::<Ts>)))
            .execute(c)
            .await
    })?;
    StoreError::unless_hit(hit)
}

/// Lets an export that this worker holds be tried again at a time, with so many tries noted.
pub(crate) async fn postpone(
    conn: &mut Conn,
    id: ExportId,
    worker: WorkerId,
    until: DateTime<Utc>,
    tries: i64,
) -> Result<(), StoreError> {
    both!(conn, c => {
        diesel::update(exports::table.find(id).filter(exports::worker.eq(worker)))
            .set((exports::lease_until.eq(Ts(until)), exports::tries.eq(tries)))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// When the first lease ends.
pub(crate) async fn next_due(conn: &mut Conn) -> Result<Option<DateTime<Utc>>, StoreError> {
    Ok(both!(conn, c => {
        exports::table
            .filter(exports::finished_at.is_null())
            .select(min(exports::lease_until))
            .get_result(c)
            .await
    })?)
}

/// Deletes those whose time is over, at most so many, and names their files.
pub(crate) async fn delete_expired(
    conn: &mut Conn,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<(usize, Vec<ContentId>), StoreError> {
    let old: Vec<(ExportId, Option<ContentId>)> = both!(conn, c => {
        exports::table
            .filter(exports::expires_at.le(Ts(now)))
            .order(exports::expires_at)
            .limit(limit)
            .select((exports::id, exports::content_id))
            .load(c)
            .await
    })?;
    let (ids, files): (Vec<_>, Vec<_>) = old.into_iter().unzip();
    both!(conn, c => diesel::delete(exports::table.filter(exports::id.eq_any(&ids))).execute(c).await)?;
    Ok((ids.len(), files.into_iter().flatten().collect()))
}

/// Which of these are files of exports, of any organisation.
pub(crate) async fn existing(conn: &mut Conn, ids: &[ContentId]) -> Result<BTreeSet<ContentId>, StoreError> {
    let found: Vec<Option<ContentId>> = both!(conn, c => {
        exports::table.filter(exports::content_id.eq_any(ids)).select(exports::content_id).load(c).await
    })?;
    Ok(found.into_iter().flatten().collect())
}
