//! Messages to GIS and what they carry.
//!
//! A message is written by whoever holds it: [`update`] says so when somebody else does by now.

mod leases;
mod looks;
mod rows;
#[cfg(test)]
mod tests;
mod under_way;
mod words;

use chrono::{DateTime, Utc};
use diesel::sql_types::Bool;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, IntoSql, NullableExpressionMethods, OptionalExtension,
    QueryDsl, SelectableHelper,
};
use diesel_async::RunQueryDsl;

pub(crate) use self::leases::{claim_abandoned, claim_polls, next_due};
pub(crate) use self::looks::failed_looks;
pub(crate) use self::rows::MessageRow;
use self::rows::NewAttemptRow;
pub(crate) use self::under_way::{carrying, open_looks};
pub(crate) use self::words::forget_words;
use super::db::{Backend, both, insert_batch};
use super::json::AsJson;
use super::schema::{attempts, debt_requests, messages, submissions};
use super::submissions::{SubmissionRow, submissions_of};
use super::types::Ts;
use super::{Conn, StoreError};
use crate::domain::answer::LastError;
use crate::domain::message::{Kind, Message, MessageState};
use crate::domain::submission::{Outcome, Submission};
use crate::ids::{DebtRequestId, MessageId, OrganizationId, SubmissionId, WorkerId};

/// Writes a message and the attempts that it carries (submission, number of the attempt).
pub(crate) async fn insert(
    conn: &mut Conn,
    message: &Message,
    attempts: &[(SubmissionId, i64)],
) -> Result<(), StoreError> {
    let row = (MessageRow::from(message.clone()), messages::created_at.eq(Ts(message.sent_at)));
    both!(conn, c => diesel::insert_into(messages::table).values(row).execute(c).await)?;
    let carried = attempts.iter().map(|(submission, number)| NewAttemptRow {
        message_id: message.id,
        submission_id: *submission,
        number: *number,
    });
    insert_batch!(conn, carried.collect(), |batch| diesel::insert_into(attempts::table).values(batch))?;
    Ok(())
}

/// A message.
pub(crate) async fn get(conn: &mut Conn, id: MessageId) -> Result<Option<Message>, StoreError> {
    let row: Option<MessageRow> = both!(conn, c => {
        messages::table.find(id).select(MessageRow::as_select()).first(c).await.optional()
    })?;
    Ok(row.map(Message::from))
}

/// Writes the row, but only where the holder is still the one expected and the result is not recorded yet; `false`
/// otherwise.
pub(crate) async fn update(
    conn: &mut Conn,
    message: &Message,
    held_by: Option<WorkerId>,
) -> Result<bool, StoreError> {
    let row = MessageRow::from(message.clone());
    let nobody = held_by.is_none().into_sql::<Bool>();
    let written = both!(conn, c => {
        diesel::update(
            messages::table
                .find(message.id)
                .filter(messages::state.ne(MessageState::Done))
                .filter(messages::worker.eq(held_by).or(messages::worker.is_null().and(nobody))),
        )
        .set(row)
        .execute(c)
        .await
    })?;
    Ok(written > 0)
}

/// The submissions that a message carries, held until the transaction ends with their debt requests.
pub(crate) async fn carried(conn: &mut Conn, id: MessageId) -> Result<Vec<Submission>, StoreError> {
    let of_message = attempts::table.filter(attempts::message_id.eq(id)).select(attempts::submission_id);
    macro_rules! carried {
        () => {
            submissions::table
                .filter(submissions::id.eq_any(of_message))
                .order(submissions::id)
                .select(SubmissionRow::as_select())
        };
    }
    let rows = match conn.backend() {
        Backend::Pg(c) => {
            // The debt requests first, in one order for everybody: no deadlock with whoever has one and wants its submission.
            let requests = submissions::table
                .filter(submissions::id.eq_any(of_message))
                .select(submissions::debt_request_id);
            debt_requests::table
                .filter(debt_requests::id.eq_any(requests))
                .order(debt_requests::id)
                .select(debt_requests::id)
                .for_update()
                .load::<DebtRequestId>(c)
                .await?;
            carried!().for_update().load(c).await
        }
        Backend::Lite(c) => carried!().load(c).await,
    }?;
    Ok(submissions_of(rows))
}

/// Those of some debt requests for which an import was called before and perhaps reached GIS.
pub(crate) async fn called_before(
    conn: &mut Conn,
    requests: &[DebtRequestId],
) -> Result<Vec<DebtRequestId>, StoreError> {
    let requests = requests.to_vec();
    let reached = attempts::outcome.is_null().or(attempts::outcome.ne(Outcome::NotSent).assume_not_null());
    Ok(both!(conn, c => {
        attempts::table
            .inner_join(submissions::table)
            .filter(submissions::debt_request_id.eq_any(requests))
            .filter(reached)
            .select(submissions::debt_request_id)
            .distinct()
            .load(c)
            .await
    })?)
}

/// Says what became of attempts.
pub(crate) async fn set_outcome(
    conn: &mut Conn,
    id: MessageId,
    submissions: &[SubmissionId],
    outcome: Outcome,
    error: Option<&LastError>,
) -> Result<(), StoreError> {
    let error = error.cloned().map(AsJson);
    let those = attempts::table
        .filter(attempts::message_id.eq(id))
        .filter(attempts::submission_id.eq_any(submissions.to_vec()));
    both!(conn, c => {
        diesel::update(those)
            .set((attempts::outcome.eq(outcome), attempts::error.eq(error)))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// How many submissions a message carried.
pub(crate) async fn size(conn: &mut Conn, id: MessageId) -> Result<i64, StoreError> {
    Ok(both!(conn, c => attempts::table.filter(attempts::message_id.eq(id)).count().get_result(c).await)?)
}

/// The states of an organisation's packages that were sent since a time, but for one. Those sent before it say nothing of
/// what GIS takes since.
pub(crate) async fn packages_since(
    conn: &mut Conn,
    organization: OrganizationId,
    since: DateTime<Utc>,
    except: MessageId,
) -> Result<Vec<MessageState>, StoreError> {
    let states = both!(conn, c => {
        messages::table
            .filter(messages::organization_id.eq(organization))
            .filter(messages::kind.eq(Kind::Import))
            .filter(messages::id.ne(except))
            .filter(messages::sent_at.ge(Ts(since)))
            .select(messages::state)
            .load(c)
            .await
    })?;
    Ok(states)
}

/// The pages that an organisation's run still waits for: on their way, or to be asked for anew.
pub(crate) async fn open_pages(
    conn: &mut Conn,
    organization: OrganizationId,
) -> Result<Vec<Message>, StoreError> {
    let under_way = messages::state.eq_any([MessageState::Sending, MessageState::Accepted]);
    let again = messages::state
        .eq_any([MessageState::Failed, MessageState::Lost])
        .and(messages::next_poll_at.is_not_null());
    let rows: Vec<MessageRow> = both!(conn, c => {
        messages::table
            .filter(messages::organization_id.eq(organization))
            .filter(messages::kind.eq(Kind::Page))
            .filter(under_way.or(again))
            .order(messages::id)
            .select(MessageRow::as_select())
            .load(c)
            .await
    })?;
    Ok(rows.into_iter().map(Message::from).collect())
}

/// Pages that failed are not asked for anew: another question has taken their place, or the run is over.
pub(crate) async fn close_pages(conn: &mut Conn, pages: &[MessageId]) -> Result<(), StoreError> {
    let failed = messages::table
        .filter(messages::id.eq_any(pages.to_vec()))
        .filter(messages::state.eq_any([MessageState::Failed, MessageState::Lost]));
    both!(conn, c => {
        diesel::update(failed).set(messages::next_poll_at.eq(None::<Ts>)).execute(c).await
    })?;
    Ok(())
}
