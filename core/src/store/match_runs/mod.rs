//! Matches of many debt requests with a registry.

mod rows;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::count_star;
use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

use self::rows::{ItemRow, RunRow};
use super::db::{both, excluded, holding, insert_batch};
use super::schema::{match_items, match_runs};
use super::types::Ts;
use super::{Conn, StoreError};
use crate::domain::debt_request::MatchResult;
use crate::domain::match_run::{Deed, MatchItem, MatchRun, MatchTally};
use crate::ids::{DebtRequestId, MatchRunId, OrganizationId};

/// Stores a run that begins, with the requests it is about; [`StoreError::Unique`] while another one runs.
pub(crate) async fn insert(
    conn: &mut Conn,
    run: &MatchRun,
    requests: &[DebtRequestId],
) -> Result<(), StoreError> {
    let row = RunRow::from(run.clone());
    both!(conn, c => diesel::insert_into(match_runs::table).values(row).execute(c).await)?;
    let pending = |(place, debt_request)| MatchItem {
        place,
        debt_request,
        deed: Deed::Pending,
        result: None,
        explanation: None,
        answer: None,
        error: None,
    };
    let rows = (0..).zip(requests.iter().copied()).map(|item| ItemRow::of(run.id, pending(item))).collect();
    insert_batch!(conn, rows, |batch| diesel::insert_into(match_items::table).values(batch))?;
    Ok(())
}

/// Stores where a run stands.
pub(crate) async fn update(conn: &mut Conn, run: &MatchRun) -> Result<(), StoreError> {
    let row = RunRow::from(run.clone());
    let hit = both!(conn, c => diesel::update(match_runs::table.find(run.id)).set(row).execute(c).await)?;
    StoreError::unless_hit(hit)
}

/// One run of an organisation.
pub(crate) async fn get(
    conn: &mut Conn,
    organization: OrganizationId,
    id: MatchRunId,
) -> Result<Option<MatchRun>, StoreError> {
    let row: Option<RunRow> = both!(conn, c => {
        match_runs::table
            .find(id)
            .filter(match_runs::organization_id.eq(organization))
            .select(RunRow::as_select())
            .first(c)
            .await
            .optional()
    })?;
    Ok(row.map(MatchRun::from))
}

/// One of any organisation, held until the transaction ends.
pub(crate) async fn lock(conn: &mut Conn, id: MatchRunId) -> Result<Option<MatchRun>, StoreError> {
    let row: Option<RunRow> =
        holding!(conn, match_runs::table.find(id).select(RunRow::as_select()), |query, c| {
            query.first(c).await.optional()
        })?;
    Ok(row.map(MatchRun::from))
}

/// Newest first, after (`created_at`, id).
pub(crate) async fn page(
    conn: &mut Conn,
    organization: OrganizationId,
    after: Option<(DateTime<Utc>, MatchRunId)>,
    limit: i64,
) -> Result<Vec<MatchRun>, StoreError> {
    let rows: Vec<RunRow> = both!(conn, c => {
        let mut query = match_runs::table
            .filter(match_runs::organization_id.eq(organization))
            .order((match_runs::created_at.desc(), match_runs::id.desc()))
            .limit(limit)
            .select(RunRow::as_select())
            .into_boxed();
        if let Some((time, id)) = after {
            let same_moment = match_runs::created_at.eq(Ts(time)).and(match_runs::id.lt(id));
            query = query
                .filter(match_runs::created_at.le(Ts(time)))
                .filter(match_runs::created_at.lt(Ts(time)).or(same_moment));
        }
        query.load(c).await
    })?;
    Ok(rows.into_iter().map(MatchRun::from).collect())
}

/// Whether an organisation has one under way.
pub(crate) async fn is_running(conn: &mut Conn, organization: OrganizationId) -> Result<bool, StoreError> {
    let found: Option<MatchRunId> = both!(conn, c => {
        match_runs::table
            .filter(match_runs::organization_id.eq(organization))
            .filter(match_runs::finished_at.is_null())
            .select(match_runs::id)
            .first(c)
            .await
            .optional()
    })?;
    Ok(found.is_some())
}

/// Those that have not ended, of any organisation.
pub(crate) async fn unfinished(conn: &mut Conn, limit: i64) -> Result<Vec<MatchRunId>, StoreError> {
    Ok(both!(conn, c => {
        match_runs::table
            .filter(match_runs::finished_at.is_null())
            .order(match_runs::created_at)
            .limit(limit)
            .select(match_runs::id)
            .load(c)
            .await
    })?)
}

/// Requests that are still to be matched.
pub(crate) async fn pending(
    conn: &mut Conn,
    run: MatchRunId,
    limit: i64,
) -> Result<Vec<(i64, DebtRequestId)>, StoreError> {
    Ok(both!(conn, c => {
        match_items::table
            .filter(match_items::run_id.eq(run))
            .filter(match_items::deed.eq(Deed::Pending))
            .order(match_items::place)
            .limit(limit)
            .select((match_items::place, match_items::debt_request_id))
            .load(c)
            .await
    })?)
}

/// Requests of a run that it found no debt of, or was in doubt about; none when there is no such run any more.
pub(crate) async fn without_debt(conn: &mut Conn, run: MatchRunId) -> Result<Vec<DebtRequestId>, StoreError> {
    let results = [MatchResult::NotFound, MatchResult::Ambiguous];
    Ok(both!(conn, c => {
        match_items::table
            .filter(match_items::run_id.eq(run))
            .filter(match_items::result.eq_any(results))
            .order(match_items::place)
            .select(match_items::debt_request_id)
            .load(c)
            .await
    })?)
}

/// Writes what became of items.
pub(crate) async fn save_items(
    conn: &mut Conn,
    run: MatchRunId,
    items: Vec<MatchItem>,
) -> Result<(), StoreError> {
    let rows = items.into_iter().map(|item| ItemRow::of(run, item)).collect();
    insert_batch!(conn, rows, |batch| {
        diesel::insert_into(match_items::table)
            .values(batch)
            .on_conflict((match_items::run_id, match_items::place))
            .do_update()
            .set(excluded!(match_items: deed, result, explanation, answer_id, error))
    })?;
    Ok(())
}

/// Items in their order after a place; those with a result if that is given.
pub(crate) async fn items(
    conn: &mut Conn,
    run: MatchRunId,
    result: Option<MatchResult>,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<MatchItem>, StoreError> {
    let rows: Vec<ItemRow> = both!(conn, c => {
        let mut query = match_items::table
            .filter(match_items::run_id.eq(run))
            .order(match_items::place)
            .limit(limit)
            .select(ItemRow::as_select())
            .into_boxed();
        if let Some(result) = result {
            query = query.filter(match_items::result.eq(result));
        }
        if let Some(place) = after {
            query = query.filter(match_items::place.gt(place));
        }
        query.load(c).await
    })?;
    Ok(rows.into_iter().map(MatchItem::from).collect())
}

/// How many items came to what.
pub(crate) async fn tally(conn: &mut Conn, run: MatchRunId) -> Result<MatchTally, StoreError> {
    Ok(tallies(conn, &[run]).await?.remove(&run).unwrap_or_default())
}

/// The same of several runs, in one question; a run without items is not among them.
pub(crate) async fn tallies(
    conn: &mut Conn,
    runs: &[MatchRunId],
) -> Result<HashMap<MatchRunId, MatchTally>, StoreError> {
    let rows: Vec<(MatchRunId, Deed, Option<MatchResult>, i64)> = both!(conn, c => {
        match_items::table
            .filter(match_items::run_id.eq_any(runs))
            .group_by((match_items::run_id, match_items::deed, match_items::result))
            .select((match_items::run_id, match_items::deed, match_items::result, count_star()))
            .load(c)
            .await
    })?;
    let mut tallies: HashMap<MatchRunId, MatchTally> = HashMap::new();
    for (run, deed, result, count) in rows {
        tallies.entry(run).or_default().0.push((deed, result, count));
    }
    Ok(tallies)
}

/// Deletes runs that ended before a time with their items, at most so many runs.
pub(crate) async fn delete_before(
    conn: &mut Conn,
    time: DateTime<Utc>,
    limit: i64,
) -> Result<usize, StoreError> {
    let old: Vec<MatchRunId> = both!(conn, c => {
        match_runs::table
            .filter(match_runs::finished_at.lt(Ts(time)))
            .order(match_runs::finished_at)
            .limit(limit)
            .select(match_runs::id)
            .load(c)
            .await
    })?;
    both!(conn, c => {
        diesel::delete(match_items::table.filter(match_items::run_id.eq_any(&old))).execute(c).await
    })?;
    Ok(both!(conn, c => {
        diesel::delete(match_runs::table.filter(match_runs::id.eq_any(&old))).execute(c).await
    })?)
}
