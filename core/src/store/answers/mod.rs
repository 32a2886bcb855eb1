//! Answers, their files and the names that clients gave to them.
//!
//! An answer is written with its version: `update` finds the row only in the version before. Who changes answers holds
//! their debt request (`Case`), so a version that does not fit is a mistake noticed, not a way to wait.

mod files;
mod names;
mod pages;
mod rows;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

pub(crate) use self::files::{files, set_files, using};
pub(crate) use self::names::{find, name, named};
pub use self::pages::Filter;
pub(crate) use self::pages::{by_state, delivery_seconds, page};
use self::rows::{AnswerRow, answers_of};
use super::db::both;
use super::schema::{answers, external_ids};
use super::types::Ts;
use super::{Conn, StoreError};
use crate::domain::answer::{Answer, State};
use crate::ids::{AnswerId, DebtRequestId, OrganizationId};

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

/// The newest answer of a debt request that is not superseded.
pub(crate) async fn current(
    conn: &mut Conn,
    organization: OrganizationId,
    request: DebtRequestId,
) -> Result<Option<Answer>, StoreError> {
    let row: Option<AnswerRow> = both!(conn, c => {
        answers::table
            .filter(answers::organization_id.eq(organization))
            .filter(answers::debt_request_id.eq(request))
            .filter(answers::state.ne(State::Superseded))
            .order(answers::revision.desc())
            .select(AnswerRow::as_select())
            .first(c)
            .await
            .optional()
    })?;
    Ok(row.map(Answer::from))
}

/// Every revision, newest first.
pub(crate) async fn of_request(
    conn: &mut Conn,
    organization: OrganizationId,
    request: DebtRequestId,
) -> Result<Vec<Answer>, StoreError> {
    let rows = both!(conn, c => {
        answers::table
            .filter(answers::organization_id.eq(organization))
            .filter(answers::debt_request_id.eq(request))
            .order(answers::revision.desc())
            .select(AnswerRow::as_select())
            .load(c)
            .await
    })?;
    Ok(answers_of(rows))
}

/// Those of any organisation, for jobs.
pub(crate) async fn find_any(conn: &mut Conn, ids: &[AnswerId]) -> Result<Vec<Answer>, StoreError> {
    let rows = both!(conn, c => {
        answers::table
            .filter(answers::id.eq_any(ids))
            .order(answers::id)
            .select(AnswerRow::as_select())
            .load(c)
            .await
    })?;
    Ok(answers_of(rows))
}

/// Answers that wait for this one.
pub(crate) async fn blocked_by(conn: &mut Conn, id: AnswerId) -> Result<Vec<Answer>, StoreError> {
    let rows = both!(conn, c => {
        answers::table
            .filter(answers::blocked_by_id.eq(id))
            .order(answers::revision)
            .select(AnswerRow::as_select())
            .load(c)
            .await
    })?;
    Ok(answers_of(rows))
}

/// Delivered, not confirmed and to be checked by now; the longest overdue first.
pub(crate) async fn unconfirmed(
    conn: &mut Conn,
    organization: OrganizationId,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Answer>, StoreError> {
    let rows = both!(conn, c => {
        answers::table
            .filter(answers::organization_id.eq(organization))
            .filter(answers::state.eq(State::Delivered))
            .filter(answers::confirmed_in_gis.eq(false))
            .filter(answers::next_check_at.le(Ts(now)))
            .order((answers::next_check_at, answers::id))
            .limit(limit)
            .select(AnswerRow::as_select())
            .load(c)
            .await
    })?;
    Ok(answers_of(rows))
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

/// Writes a new answer and gives it its name ([`name`]).
pub(crate) async fn insert(conn: &mut Conn, answer: &Answer) -> Result<(), StoreError> {
    let row = AnswerRow::from(answer.clone());
    both!(conn, c => diesel::insert_into(answers::table).values(row).execute(c).await)?;
    if let Some(external_id) = &answer.external_id {
        name(conn, answer.organization, external_id, answer.id, answer.created_at).await?;
    }
    Ok(())
}

/// Writes a changed answer; a changed external id is made known by [`name`]. [`StoreError::Stale`] when the stored version
/// is not the one before.
pub(crate) async fn update(conn: &mut Conn, answer: &Answer) -> Result<(), StoreError> {
    let row = AnswerRow::from(answer.clone());
    let version_before = answer.version.saturating_sub(1);
    let written = both!(conn, c => {
        diesel::update(answers::table.find(answer.id).filter(answers::version.eq(version_before)))
            .set(row)
            .execute(c)
            .await
    })?;
    if written == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// Deletes a draft with its external ids and the links to its files. Files that no other answer uses may live until
/// `unused_until`.
pub(crate) async fn delete(
    conn: &mut Conn,
    id: AnswerId,
    unused_until: DateTime<Utc>,
) -> Result<(), StoreError> {
    set_files(conn, id, &[], unused_until).await?;
    both!(conn, c => {
        diesel::delete(external_ids::table.filter(external_ids::answer_id.eq(id))).execute(c).await
    })?;
    both!(conn, c => diesel::delete(answers::table.find(id)).execute(c).await)?;
    Ok(())
}
