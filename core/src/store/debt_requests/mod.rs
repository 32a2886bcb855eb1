//! The mirror of debt requests. Lists are one table: the summary of the current answer is kept in the row.

mod filter;
mod rows;
#[cfg(test)]
mod tests;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::{self, exists};
use diesel::{
    AggregateExpressionMethods, BoolExpressionMethods, EscapeExpressionMethods, ExpressionMethods,
    NullableExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper, SqliteConnection,
    TextExpressionMethods,
};
use diesel_async::RunQueryDsl;

pub use self::filter::{After, DepartmentFilter, ExecutorFilter, Filter, Sort, SortBy};
use self::filter::{Start, listed, narrowed};
pub(crate) use self::rows::SENT_BEFORE_ALL;
use self::rows::{DebtRequestRecord, DebtRequestRow, overwrite, rework};
use super::db::{Backend, both, holding, insert_batch, load_where};
use super::schema::{answers, debt_requests};
use super::types::{Guid, Ts};
use super::{Conn, StoreError};
use crate::domain::answer::{Source, State};
use crate::domain::debt_request::{DebtRequest, Match, ResponseStatus, Stage};
use crate::ids::{DebtRequestId, OrganizationId};

/// Counts over a filter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All.
    pub total: i64,
    /// In stage `new`.
    pub new: i64,
    /// Not answered, and not gone from GIS.
    pub unanswered: i64,
    /// Of those: today is the last day.
    pub due_today: i64,
    /// Of those: the last day is over.
    pub overdue: i64,
}

/// One debt request of an organisation.
pub(crate) async fn get(
    conn: &mut Conn,
    organization: OrganizationId,
    id: DebtRequestId,
) -> Result<Option<DebtRequest>, StoreError> {
    let row = both!(conn, c => {
        debt_requests::table
            .find(id)
            .filter(debt_requests::organization_id.eq(organization))
            .select(DebtRequestRow::as_select())
            .first(c)
            .await
            .optional()
    })?;
    Ok(row.map(DebtRequest::from))
}

/// The same, and holds the row until the transaction ends: every change of an answer begins with this.
pub(crate) async fn lock(
    conn: &mut Conn,
    organization: OrganizationId,
    id: DebtRequestId,
) -> Result<Option<DebtRequest>, StoreError> {
    let row = holding!(
        conn,
        debt_requests::table
            .find(id)
            .filter(debt_requests::organization_id.eq(organization))
            .select(DebtRequestRow::as_select()),
        |query, c| query.first(c).await.optional()
    )?;
    Ok(row.map(DebtRequest::from))
}

/// Those of any organisation, held until the transaction ends, in the order of their ids (no deadlocks); for jobs.
pub(crate) async fn lock_many(
    conn: &mut Conn,
    ids: &[DebtRequestId],
) -> Result<Vec<DebtRequest>, StoreError> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let rows: Vec<DebtRequestRow> = load_where!(holding conn, debt_requests::id, &ids, |named| debt_requests::table
        .filter(named)
        .order(debt_requests::id)
        .select(DebtRequestRow::as_select()))?;
    Ok(rows.into_iter().map(DebtRequest::from).collect())
}

/// A page of the list. It is what clients ask for most: SQLite reads it on the thread of the connection, row by row into
/// our types, without the copies that pass through diesel-async's wrapper.
pub(crate) async fn page(
    conn: &mut Conn,
    organization: OrganizationId,
    filter: &Filter,
    sort: Sort,
    after: Option<&After>,
    limit: i64,
) -> Result<Vec<DebtRequest>, StoreError> {
    let start = Start::of(sort.by, after)?;
    let rows: Vec<DebtRequestRow> = match conn.backend() {
        Backend::Pg(conn) => listed!(organization, filter, sort, start).limit(limit).load(conn).await,
        Backend::Lite(conn) => {
            let filter = filter.clone();
            let read = move |conn: &mut SqliteConnection| {
                diesel::RunQueryDsl::load(listed!(organization, &filter, sort, start).limit(limit), conn)
            };
            conn.spawn_blocking(read).await
        }
    }?;
    Ok(rows.into_iter().map(DebtRequest::from).collect())
}

/// Counts what a filter leaves.
pub(crate) async fn count(
    conn: &mut Conn,
    organization: OrganizationId,
    filter: &Filter,
    today: NaiveDate,
) -> Result<Counts, StoreError> {
    // What GIS does not show any more waits for nobody.
    let open = || debt_requests::answered.eq(false).and(debt_requests::stage.ne(Stage::Gone));
    let (total, new, unanswered, due_today, overdue) = both!(conn, c => {
        let query = debt_requests::table
            .filter(debt_requests::organization_id.eq(organization))
            .select((
                dsl::count(debt_requests::id),
                dsl::count(debt_requests::id).aggregate_filter(debt_requests::stage.eq(Stage::New)),
                dsl::count(debt_requests::id).aggregate_filter(open()),
                dsl::count(debt_requests::id).aggregate_filter(open().and(debt_requests::due_key.eq(today))),
                dsl::count(debt_requests::id).aggregate_filter(open().and(debt_requests::due_key.lt(today))),
            ))
            .into_boxed();
        narrowed!(query, filter).first(c).await
    })?;
    Ok(Counts { total, new, unanswered, due_today, overdue })
}

/// By GUID or by number.
pub(crate) async fn find(
    conn: &mut Conn,
    organization: OrganizationId,
    ids: &[DebtRequestId],
    numbers: &[String],
) -> Result<Vec<DebtRequest>, StoreError> {
    find_some(conn, organization, ids, numbers, i64::MAX).await
}

/// The same, so many at most: one number may stand for a great many.
pub(crate) async fn find_some(
    conn: &mut Conn,
    organization: OrganizationId,
    ids: &[DebtRequestId],
    numbers: &[String],
    limit: i64,
) -> Result<Vec<DebtRequest>, StoreError> {
    let (ids, numbers) = (ids.to_vec(), numbers.to_vec());
    let named = debt_requests::id.eq_any(ids).or(debt_requests::request_number.eq_any(numbers));
    let rows = both!(conn, c => {
        debt_requests::table
            .filter(debt_requests::organization_id.eq(organization))
            .filter(named)
            .order(debt_requests::id)
            .limit(limit)
            .select(DebtRequestRow::as_select())
            .load(c)
            .await
    })?;
    Ok(rows.into_iter().map(DebtRequest::from).collect())
}

/// Writes rows; of a known one, what `$set` takes from the new one.
macro_rules! upsert {
    ($conn:expr, $requests:expr, $set:expr) => {{
        let rows: Vec<_> = $requests.iter().map(DebtRequestRecord::from).collect();
        insert_batch!($conn, rows, |batch| {
            diesel::insert_into(debt_requests::table)
                .values(batch)
                .on_conflict(debt_requests::id)
                .do_update()
                .set($set)
        })?;
        Ok(())
    }};
}

/// Writes whole rows, new or known, whatever their version: the transaction holds them. The owner never changes.
pub(crate) async fn save(conn: &mut Conn, requests: &[DebtRequest]) -> Result<(), StoreError> {
    upsert!(conn, requests, overwrite!())
}

/// Writes what was done about known rows; what GIS says of them is left alone.
pub(crate) async fn save_work(conn: &mut Conn, requests: &[DebtRequest]) -> Result<(), StoreError> {
    upsert!(conn, requests, rework!())
}

/// Not answered in GIS, sent in these days, and last shown before a time: perhaps withdrawn by who asked. Those that are
/// known to be gone are left out.
pub(crate) async fn unseen(
    conn: &mut Conn,
    organization: OrganizationId,
    sent: (NaiveDate, NaiveDate),
    before: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<DebtRequestId>, StoreError> {
    Ok(both!(conn, c => {
        debt_requests::table
            .filter(debt_requests::organization_id.eq(organization))
            .filter(debt_requests::sent_key.between(sent.0, sent.1))
            .filter(debt_requests::response_status.eq(ResponseStatus::NotSent))
            .filter(debt_requests::stage.ne(Stage::Gone))
            .filter(debt_requests::synced_at.lt(Ts(before)))
            .order((debt_requests::sent_key, debt_requests::id))
            .limit(limit)
            .select(debt_requests::id)
            .load(c)
            .await
    })?)
}

/// Sent in these days and not looked at since a time: those that GIS calls answered although no answer of ours is in force or
/// on its way, as long as it is not known what was answered, and those whose answer from elsewhere seems to be gone.
pub(crate) async fn unread(
    conn: &mut Conn,
    organization: OrganizationId,
    sent: (NaiveDate, NaiveDate),
    before: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<DebtRequestId>, StoreError> {
    let not_ours = debt_requests::answer_state.is_null().or(debt_requests::answer_state
        .eq_any([State::Draft, State::Prepared, State::Rejected, State::Cancelled, State::Revoked])
        .assume_not_null());
    let unknown = debt_requests::response_status
        .eq(ResponseStatus::Sent)
        .and(debt_requests::gis_content_hash.is_null())
        .and(not_ours);
    let recorded = answers::table
        .filter(answers::id.nullable().eq(debt_requests::answer_id))
        .filter(answers::source.eq(Source::Gis));
    let over = debt_requests::answer_state
        .eq(State::Delivered)
        .assume_not_null()
        .and(debt_requests::response_status.ne(ResponseStatus::Sent))
        .and(exists(recorded));
    let long_ago =
        debt_requests::viewed_at.is_null().or(debt_requests::viewed_at.lt(Ts(before)).assume_not_null());
    Ok(both!(conn, c => {
        debt_requests::table
            .filter(debt_requests::organization_id.eq(organization))
            .filter(debt_requests::sent_key.between(sent.0, sent.1))
            .filter(debt_requests::stage.ne(Stage::Gone))
            .filter(unknown.or(over))
            .filter(long_ago)
            .order((debt_requests::sent_key, debt_requests::id))
            .limit(limit)
            .select(debt_requests::id)
            .load(c)
            .await
    })?)
}

/// Writes what a match gave; `anew` where it is another result, which makes a new version of the row.
pub(crate) async fn note_match(
    conn: &mut Conn,
    id: DebtRequestId,
    matched: Match,
    anew: bool,
) -> Result<(), StoreError> {
    let at = Ts(matched.checked_at);
    let result = (
        debt_requests::match_result.eq(Some(matched.result)),
        debt_requests::match_registry_id.eq(matched.registry_id.map(Guid)),
        debt_requests::match_checked_at.eq(Some(at)),
    );
    let version = (debt_requests::version.eq(debt_requests::version + 1), debt_requests::updated_at.eq(at));
    let row = debt_requests::table.find(id);
    let hit = if anew {
        both!(conn, c => diesel::update(row).set((result, version)).execute(c).await)?
    } else {
        both!(conn, c => diesel::update(row).set(result).execute(c).await)?
    };
    StoreError::unless_hit(hit)
}
