//! Work on many things at once. What became of an item is not written down: it is where its answer stands.

mod items;
mod rows;
mod stopped;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, not};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension,
    QueryDsl, SelectableHelper,
};
use diesel_async::RunQueryDsl;

use self::items::pending_items;
pub(crate) use self::items::{insert_items, items, queued_answers, tallies, tally};
use self::rows::OperationRow;
pub(crate) use self::stopped::{Stopped, stopped, waiting};
use super::db::{both, holding};
use super::schema::{answers, operation_items, operations};
use super::types::Ts;
use super::{Conn, StoreError};
use crate::domain::operation::{Operation, OperationKind};
use crate::ids::{OperationId, OrganizationId};

/// Stores an operation that begins.
pub(crate) async fn insert(conn: &mut Conn, operation: &Operation) -> Result<(), StoreError> {
    let row = OperationRow::from(operation.clone());
    both!(conn, c => diesel::insert_into(operations::table).values(row).execute(c).await)?;
    Ok(())
}

/// Stores where an operation stands.
pub(crate) async fn update(conn: &mut Conn, operation: &Operation) -> Result<(), StoreError> {
    let row = OperationRow::from(operation.clone());
    let hit =
        both!(conn, c => diesel::update(operations::table.find(operation.id)).set(row).execute(c).await)?;
    StoreError::unless_hit(hit)
}

/// One operation.
pub(crate) async fn get(
    conn: &mut Conn,
    organization: OrganizationId,
    id: OperationId,
) -> Result<Option<Operation>, StoreError> {
    let row: Option<OperationRow> = both!(conn, c => {
        operations::table
            .find(id)
            .filter(operations::organization_id.eq(organization))
            .select(OperationRow::as_select())
            .first(c)
            .await
            .optional()
    })?;
    Ok(row.map(Operation::from))
}

/// One of any organisation, held until the transaction ends.
pub(crate) async fn lock(conn: &mut Conn, id: OperationId) -> Result<Option<Operation>, StoreError> {
    let row: Option<OperationRow> =
        holding!(conn, operations::table.find(id).select(OperationRow::as_select()), |query, c| {
            query.first(c).await.optional()
        })?;
    Ok(row.map(Operation::from))
}

/// Newest first, after (`created_at`, id); those of one author if that is given.
pub(crate) async fn page(
    conn: &mut Conn,
    organization: OrganizationId,
    kinds: &[OperationKind],
    author: Option<&str>,
    after: Option<(DateTime<Utc>, OperationId)>,
    limit: i64,
) -> Result<Vec<Operation>, StoreError> {
    let rows: Vec<OperationRow> = both!(conn, c => {
        let mut query = operations::table
            .filter(operations::organization_id.eq(organization))
            .filter(operations::kind.eq_any(kinds.to_vec()))
            .order((operations::created_at.desc(), operations::id.desc()))
            .limit(limit)
            .select(OperationRow::as_select())
            .into_boxed();
        if let Some(author) = author {
            query = query.filter(operations::author.eq(author));
        }
        if let Some((time, id)) = after {
            let same_moment = operations::created_at.eq(Ts(time)).and(operations::id.lt(id));
            query = query
                .filter(operations::created_at.le(Ts(time)))
                .filter(operations::created_at.lt(Ts(time)).or(same_moment));
        }
        query.load(c).await
    })?;
    Ok(rows.into_iter().map(Operation::from).collect())
}

/// Those that are over although they have not ended, oldest first: nothing of them goes on by itself. However many others
/// one organisation has under way, they hold up nobody.
pub(crate) async fn over(conn: &mut Conn, limit: i64) -> Result<Vec<Operation>, StoreError> {
    let rows: Vec<OperationRow> = both!(conn, c => {
        operations::table
            .filter(operations::finished_at.is_null())
            .filter(not(exists(pending_items!())))
            .order((operations::created_at, operations::id))
            .limit(limit)
            .select(OperationRow::as_select())
            .load(c)
            .await
    })?;
    Ok(rows.into_iter().map(Operation::from).collect())
}

/// How many have not ended.
pub(crate) async fn count_unfinished(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(both!(conn, c => {
        operations::table.filter(operations::finished_at.is_null()).count().get_result(c).await
    })?)
}

/// Deletes operations that ended before a time with their items, at most so many operations.
pub(crate) async fn delete_before(
    conn: &mut Conn,
    time: DateTime<Utc>,
    limit: i64,
) -> Result<usize, StoreError> {
    let old: Vec<OperationId> = both!(conn, c => {
        operations::table
            .filter(operations::finished_at.lt(Ts(time)))
            .order(operations::finished_at)
            .limit(limit)
            .select(operations::id)
            .load(c)
            .await
    })?;
    both!(conn, c => {
        diesel::delete(operation_items::table.filter(operation_items::operation_id.eq_any(&old)))
            .execute(c)
            .await
    })?;
    Ok(both!(conn, c => {
        diesel::delete(operations::table.filter(operations::id.eq_any(&old))).execute(c).await
    })?)
}
