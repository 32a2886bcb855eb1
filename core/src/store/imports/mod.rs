//! Spreadsheets with answers that came in. A worker holds the one that it reads by a lease.

mod items;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, max, min};
use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

use self::items::delete_some_rows;
pub(crate) use self::items::{delete_rows, insert_rows, rows, tallies, tally};
use self::rows::Record;
use super::db::{both, holding, taking};
use super::schema::imports;
use super::turns::by_turns;
use super::types::Ts;
use super::{Conn, StoreError};
use crate::domain::import::Import;
use crate::ids::{ContentId, ImportId, OrganizationId, WorkerId};

/// Stores an import that waits for a worker.
pub(crate) async fn insert(conn: &mut Conn, import: &Import) -> Result<(), StoreError> {
    let row = Record::from(import.clone());
    both!(conn, c => diesel::insert_into(imports::table).values(row).execute(c).await)?;
    Ok(())
}

/// One import.
pub(crate) async fn get(
    conn: &mut Conn,
    organization: OrganizationId,
    id: ImportId,
) -> Result<Option<Import>, StoreError> {
    let row: Option<Record> = both!(conn, c => {
        imports::table
            .find(id)
            .filter(imports::organization_id.eq(organization))
            .select(Record::as_select())
            .first(c)
            .await
            .optional()
    })?;
    Ok(row.map(Import::from))
}

/// The same, held until the transaction ends.
pub(crate) async fn lock(
    conn: &mut Conn,
    organization: OrganizationId,
    id: ImportId,
) -> Result<Option<Import>, StoreError> {
    let row: Option<Record> = holding!(
        conn,
        imports::table.find(id).filter(imports::organization_id.eq(organization)).select(Record::as_select()),
        |query, c| query.first(c).await.optional()
    )?;
    Ok(row.map(Import::from))
}

/// How many of an organisation have not ended.
pub(crate) async fn unfinished(conn: &mut Conn, organization: OrganizationId) -> Result<i64, StoreError> {
    Ok(both!(conn, c => {
        imports::table
            .filter(imports::organization_id.eq(organization))
            .filter(imports::finished_at.is_null())
            .select(count_star())
            .get_result(c)
            .await
    })?)
}

/// Newest first, after (`created_at`, id).
pub(crate) async fn page(
    conn: &mut Conn,
    organization: OrganizationId,
    after: Option<(DateTime<Utc>, ImportId)>,
    limit: i64,
) -> Result<Vec<Import>, StoreError> {
    let rows: Vec<Record> = both!(conn, c => {
        let mut query = imports::table
            .filter(imports::organization_id.eq(organization))
            .order((imports::created_at.desc(), imports::id.desc()))
            .limit(limit)
            .select(Record::as_select())
            .into_boxed();
        if let Some((time, id)) = after {
            let same_moment = imports::created_at.eq(Ts(time)).and(imports::id.lt(id));
            query = query
                .filter(imports::created_at.le(Ts(time)))
                .filter(imports::created_at.lt(Ts(time)).or(same_moment));
        }
        query.load(c).await
    })?;
    Ok(rows.into_iter().map(Import::from).collect())
}

/// Takes one that has not ended and that nobody holds, and holds it until a time: the oldest of the organisation that was
/// served longest ago, so that nobody waits for the many files of somebody else.
pub(crate) async fn claim(
    conn: &mut Conn,
    worker: WorkerId,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<Import>, StoreError> {
    for organization in queue(conn, now).await? {
        let mut rows: Vec<Record> = taking!(
            conn,
            imports::table
                .filter(imports::organization_id.eq(organization))
                .filter(imports::finished_at.is_null())
                .filter(imports::lease_until.is_null().or(imports::lease_until.le(Ts(now))))
                .order((imports::created_at, imports::id))
                .limit(1)
                .select(Record::as_select())
        )?;
        // Another worker may have taken it meanwhile.
        let Some(import) = rows.pop().map(Import::from) else { continue };
        both!(conn, c => {
            diesel::update(imports::table.find(import.id))
                .set((imports::worker.eq(worker), imports::lease_until.eq(Ts(until))))
                .execute(c)
                .await
        })?;
        return Ok(Some(import));
    }
    Ok(None)
}

/// Organisations for which something is to be done, see [`by_turns`].
async fn queue(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<OrganizationId>, StoreError> {
    let waiting: Vec<(OrganizationId, Option<Ts>)> = both!(conn, c => {
        imports::table
            .filter(imports::finished_at.is_null())
            .filter(imports::lease_until.is_null().or(imports::lease_until.le(Ts(now))))
            .group_by(imports::organization_id)
            .select((imports::organization_id, min(imports::created_at)))
            .load(c)
            .await
    })?;
    // Nearly always there is nothing to choose.
    if waiting.len() < 2 {
        return Ok(waiting.into_iter().map(|(organization, _)| organization).collect());
    }
    let ids: Vec<OrganizationId> = waiting.iter().map(|(organization, _)| *organization).collect();
    let served: Vec<(OrganizationId, Option<Ts>, Option<Ts>)> = both!(conn, c => {
        imports::table
            .filter(imports::organization_id.eq_any(&ids))
            .group_by(imports::organization_id)
            .select((imports::organization_id, max(imports::finished_at), max(imports::lease_until)))
            .load(c)
            .await
    })?;
    Ok(by_turns(waiting, served))
}

/// Stores where an import stands that this worker holds, and holds it until a time, or no longer; `false` when somebody else
/// holds it meanwhile.
pub(crate) async fn update(
    conn: &mut Conn,
    import: &Import,
    worker: WorkerId,
    until: Option<DateTime<Utc>>,
) -> Result<bool, StoreError> {
    let row = Record::from(import.clone());
    let hit = both!(conn, c => {
        diesel::update(imports::table.find(import.id).filter(imports::worker.eq(worker)))
            .set((
                row,
                imports::worker.eq(until.map(|_| worker)),
                imports::lease_until.eq(until.map(Ts)),
            ))
            .execute(c)
            .await
    })?;
    Ok(hit > 0)
}

/// Whether this worker holds an import; the transaction then holds the row until it ends.
pub(crate) async fn hold(conn: &mut Conn, id: ImportId, worker: WorkerId) -> Result<bool, StoreError> {
    let row: Option<ImportId> = holding!(
        conn,
        imports::table.find(id).filter(imports::worker.eq(worker)).select(imports::id),
        |query, c| query.first(c).await.optional()
    )?;
    Ok(row.is_some())
}

/// Stores an import that the transaction holds, and takes it from its worker.
pub(crate) async fn withdraw(conn: &mut Conn, import: &Import) -> Result<(), StoreError> {
    let row = Record::from(import.clone());
    let hit = both!(conn, c => {
        diesel::update(imports::table.find(import.id))
            .set((row, imports::worker.eq(None::<WorkerId>), imports::lease_until.eq(None::<Ts>)))
            .execute(c)
            .await
    })?;
    StoreError::unless_hit(hit)
}

/// Lets an import that this worker holds be tried again at a time, with so many tries noted.
pub(crate) async fn postpone(
    conn: &mut Conn,
    id: ImportId,
    worker: WorkerId,
    until: DateTime<Utc>,
    tries: i64,
) -> Result<(), StoreError> {
    both!(conn, c => {
        diesel::update(imports::table.find(id).filter(imports::worker.eq(worker)))
            .set((imports::lease_until.eq(Ts(until)), imports::tries.eq(tries)))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// When the first lease ends.
pub(crate) async fn next_due(conn: &mut Conn) -> Result<Option<DateTime<Utc>>, StoreError> {
    Ok(both!(conn, c => {
        imports::table
            .filter(imports::finished_at.is_null())
            .select(min(imports::lease_until))
            .get_result(c)
            .await
    })?)
}

/// Deletes the oldest whose time is over, at most so many of its rows at once, itself with the last of them; then its files
/// are named. How many rows of either kind were deleted.
pub(crate) async fn delete_expired(
    conn: &mut Conn,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<(usize, Vec<ContentId>), StoreError> {
    // Held, and asked again once it is: whoever applies it meanwhile keeps it.
    let old: Vec<(ImportId, ContentId, Option<ContentId>)> = taking!(
        conn,
        imports::table.filter(imports::expires_at.le(Ts(now))).order(imports::expires_at).limit(1).select((
            imports::id,
            imports::content_id,
            imports::marked_id
        ))
    )?;
    let Some((id, content, marked)) = old.into_iter().next() else { return Ok((0, Vec::new())) };
    let (rows, is_last) = delete_some_rows(conn, id, limit).await?;
    if !is_last {
        return Ok((rows, Vec::new()));
    }
    let gone = both!(conn, c => {
        diesel::delete(imports::table.find(id).filter(imports::expires_at.le(Ts(now)))).execute(c).await
    })?;
    let files = [Some(content), marked].into_iter().flatten().filter(|_| gone > 0);
    Ok((rows + gone, files.collect()))
}

/// Which of these are files of imports, of any organisation.
pub(crate) async fn existing(conn: &mut Conn, ids: &[ContentId]) -> Result<BTreeSet<ContentId>, StoreError> {
    let came: Vec<ContentId> = both!(conn, c => {
        imports::table.filter(imports::content_id.eq_any(ids)).select(imports::content_id).load(c).await
    })?;
    let marked: Vec<Option<ContentId>> = both!(conn, c => {
        imports::table.filter(imports::marked_id.eq_any(ids)).select(imports::marked_id).load(c).await
    })?;
    Ok(came.into_iter().chain(marked.into_iter().flatten()).collect())
}
