//! Answers, their files and the names that clients gave to them.
//!
//! Who changes answers holds their debt request: only a `Case` writes what has changed, so nobody overwrites what somebody
//! else has written meanwhile.

mod expiry;
mod files;
mod names;
mod pages;
mod rows;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use diesel::dsl::min;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

pub(crate) use self::expiry::past_keeping;
pub(crate) use self::files::{files, set_files};
pub(crate) use self::names::{find, holders, name};
pub use self::pages::Filter;
pub(crate) use self::pages::{by_state, by_these_states, delivery_seconds, page};
use self::rows::{AnswerRow, answers_of, overwrite};
use super::db::{both, insert_batch, load_where, taking};
use super::schema::{answers, external_ids, submissions};
use super::types::Ts;
use super::{Conn, StoreError};
use crate::domain::answer::{Answer, State};
use crate::ids::{AnswerId, AttachmentId, DebtRequestId, OrganizationId};

/// An answer of an organisation.
pub(crate) async fn get(
    conn: &mut Conn,
    organization: OrganizationId,
    id: AnswerId,
) -> Result<Option<Answer>, StoreError> {
    let row: Option<AnswerRow> = both!(conn, c => {
        answers::table
            .find(id)
            .filter(answers::organization_id.eq(organization))
            .select(AnswerRow::as_select())
            .first(c)
            .await
            .optional()
    })?;
    Ok(row.map(Answer::from))
}

/// Every revision of some debt requests of any organisation, newest first.
pub(crate) async fn of_requests(
    conn: &mut Conn,
    requests: &[DebtRequestId],
) -> Result<Vec<Answer>, StoreError> {
    let rows = load_where!(conn, answers::debt_request_id, requests, |named| answers::table
        .filter(named)
        .order((answers::debt_request_id, answers::revision.desc()))
        .select(AnswerRow::as_select()))?;
    Ok(answers_of(rows))
}

/// Those of any organisation, for jobs.
pub(crate) async fn find_any(conn: &mut Conn, ids: &[AnswerId]) -> Result<Vec<Answer>, StoreError> {
    let rows = load_where!(conn, answers::id, ids, |named| answers::table
        .filter(named)
        .select(AnswerRow::as_select()))?;
    Ok(answers_of(rows))
}

/// Takes those that are delivered, not confirmed and to be checked by now, the longest overdue first, and notes when they
/// are to be checked again; their debt requests.
pub(crate) async fn take_unconfirmed(
    conn: &mut Conn,
    organization: OrganizationId,
    now: DateTime<Utc>,
    again_at: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<DebtRequestId>, StoreError> {
    let taken: Vec<(AnswerId, DebtRequestId)> = taking!(
        conn,
        answers::table
            .filter(answers::organization_id.eq(organization))
            .filter(answers::state.eq(State::Delivered))
            .filter(answers::confirmed_in_gis.eq(false))
            .filter(answers::next_check_at.le(Ts(now)))
            .order((answers::next_check_at, answers::id))
            .limit(limit)
            .select((answers::id, answers::debt_request_id))
    )?;
    let (ids, requests): (Vec<_>, Vec<_>) = taken.into_iter().unzip();
    set_next_check(conn, &ids, again_at).await?;
    Ok(requests)
}

/// When the first of those that are delivered and not confirmed is to be checked.
pub(crate) async fn next_unconfirmed(
    conn: &mut Conn,
    organization: OrganizationId,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let next: Option<Ts> = both!(conn, c => {
        answers::table
            .filter(answers::organization_id.eq(organization))
            .filter(answers::state.eq(State::Delivered))
            .filter(answers::confirmed_in_gis.eq(false))
            .select(min(answers::next_check_at))
            .get_result(c)
            .await
    })?;
    Ok(next.map(|at| at.0))
}

/// Delivered answers of these debt requests that are to be checked later are checked then.
pub(crate) async fn check_earlier(
    conn: &mut Conn,
    requests: &[DebtRequestId],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let later = answers::table
        .filter(answers::debt_request_id.eq_any(requests.to_vec()))
        .filter(answers::state.eq(State::Delivered))
        .filter(answers::confirmed_in_gis.eq(false))
        .filter(answers::next_check_at.gt(Ts(at)));
    both!(conn, c => diesel::update(later).set(answers::next_check_at.eq(Ts(at))).execute(c).await)?;
    Ok(())
}

/// Notes when GIS is asked about these again. That is no new version: nothing is known that was not known before.
pub(crate) async fn set_next_check(
    conn: &mut Conn,
    ids: &[AnswerId],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    both!(conn, c => {
        diesel::update(answers::table.filter(answers::id.eq_any(ids)))
            .set(answers::next_check_at.eq(Ts(at)))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Writes new answers, gives them their names ([`name`]) and links their files, which lose their expiry.
/// [`StoreError::Stale`] when one of the files has been deleted meanwhile.
pub(crate) async fn insert(conn: &mut Conn, new: Vec<(Answer, Vec<AttachmentId>)>) -> Result<(), StoreError> {
    let rows = new.iter().map(|(answer, _)| AnswerRow::from(answer.clone())).collect();
    insert_batch!(conn, rows, |batch| diesel::insert_into(answers::table).values(batch))?;
    names::name_all(conn, new.iter().map(|(answer, _)| answer)).await?;
    for (answer, files) in new.iter().filter(|(_, files)| !files.is_empty()) {
        files::take(conn, answer.id, &files.iter().copied().collect()).await?;
    }
    Ok(())
}

/// Writes changed answers; a changed external id is made known by [`name`].
pub(crate) async fn save(conn: &mut Conn, changed: Vec<Answer>) -> Result<(), StoreError> {
    let rows = changed.into_iter().map(AnswerRow::from).collect();
    insert_batch!(conn, rows, |batch| {
        diesel::insert_into(answers::table)
            .values(batch)
            .on_conflict(answers::id)
            .do_update()
            .set(overwrite!())
    })?;
    Ok(())
}

/// Deletes a draft with its external ids, the links to its files and the submissions that were taken back untried. Files
/// that no other answer uses may live until `unused_until`.
pub(crate) async fn delete(
    conn: &mut Conn,
    id: AnswerId,
    unused_until: DateTime<Utc>,
) -> Result<(), StoreError> {
    set_files(conn, id, &[], unused_until).await?;
    both!(conn, c => {
        diesel::delete(external_ids::table.filter(external_ids::answer_id.eq(id))).execute(c).await
    })?;
    both!(conn, c => {
        diesel::delete(submissions::table.filter(submissions::answer_id.eq(id))).execute(c).await
    })?;
    both!(conn, c => diesel::delete(answers::table.find(id)).execute(c).await)?;
    Ok(())
}
