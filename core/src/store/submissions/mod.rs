//! Submissions: the queue to GIS.
//!
//! A transaction that changes a submission holds its debt request. The queue holds the debt requests of what it gives
//! out too, and passes over those that others hold, so nobody waits for anybody crosswise.

mod queue;
mod rows;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

use self::queue::SENDABLE;
pub(crate) use self::queue::{
    NEED_FILES, claim, claim_looks, in_need_of, is_due, next_due, organizations_due,
};
use self::rows::overwrite;
pub(crate) use self::rows::{SubmissionRow, submissions_of};
use super::db::{both, insert_batch, load_where};
use super::json::AsJson;
use super::messages::MessageRow;
use super::schema::{attempts, messages, submissions};
use super::types::Ts;
use super::{Conn, StoreError};
use crate::domain::answer::LastError;
use crate::domain::message::Message;
use crate::domain::submission::{Attempt, Outcome, Submission};
use crate::ids::{AnswerId, DebtRequestId, SubmissionId};

/// Writes submissions, new or changed. A second live one of one debt request is a [`StoreError::Unique`].
pub(crate) async fn save(conn: &mut Conn, submissions: Vec<Submission>) -> Result<(), StoreError> {
    let rows = submissions.into_iter().map(SubmissionRow::from).collect();
    insert_batch!(conn, rows, |batch| {
        diesel::insert_into(submissions::table)
            .values(batch)
            .on_conflict(submissions::id)
            .do_update()
            .set(overwrite!())
    })?;
    Ok(())
}

/// Those of an answer, oldest first.
pub(crate) async fn of_answer(conn: &mut Conn, answer: AnswerId) -> Result<Vec<Submission>, StoreError> {
    let rows = both!(conn, c => {
        submissions::table
            .filter(submissions::answer_id.eq(answer))
            .order((submissions::created_at, submissions::id))
            .select(SubmissionRow::as_select())
            .load(c)
            .await
    })?;
    Ok(submissions_of(rows))
}

/// Those of some debt requests, of each oldest first.
pub(crate) async fn of_requests(
    conn: &mut Conn,
    requests: &[DebtRequestId],
) -> Result<Vec<Submission>, StoreError> {
    let rows = load_where!(conn, submissions::debt_request_id, requests, |named| submissions::table
        .filter(named)
        .order((submissions::created_at, submissions::id))
        .select(SubmissionRow::as_select()))?;
    Ok(submissions_of(rows))
}

/// Lets GIS be read anew before anything that is queued or uncertain is sent; how many there were. A look that was asked for
/// before does not count any more.
pub(crate) async fn look_first(conn: &mut Conn, now: DateTime<Utc>) -> Result<usize, StoreError> {
    let sendable = submissions::table.filter(submissions::state.eq_any(SENDABLE));
    let change = (
        submissions::look_first.eq(true),
        submissions::looked_at.eq(None::<Ts>),
        submissions::not_before.eq(Ts(now)),
        submissions::updated_at.eq(Ts(now)),
    );
    Ok(both!(conn, c => diesel::update(sendable).set(change).execute(c).await)?)
}

/// What `attempts` says of one attempt, and its message.
type AttemptRow = (SubmissionId, i64, Option<Outcome>, Option<AsJson<LastError>>, MessageRow);

/// Every attempt of an answer, oldest first; a submission that was never tried has one entry without number.
pub(crate) async fn attempts(conn: &mut Conn, answer: AnswerId) -> Result<Vec<Attempt>, StoreError> {
    let submissions = of_answer(conn, answer).await?;
    let mut tried: Vec<AttemptRow> = both!(conn, c => {
        attempts::table
            .inner_join(messages::table)
            .inner_join(submissions::table)
            .filter(submissions::answer_id.eq(answer))
            .order((attempts::number, messages::sent_at, messages::id))
            .select((
                attempts::submission_id,
                attempts::number,
                attempts::outcome,
                attempts::error,
                MessageRow::as_select(),
            ))
            .load(c)
            .await
    })?;
    let mut all = Vec::new();
    for submission in submissions {
        let (own, others) = tried.into_iter().partition(|(of, ..)| *of == submission.id);
        tried = others;
        all.extend(of_submission(submission, own));
    }
    Ok(all)
}

fn of_submission(submission: Submission, tried: Vec<AttemptRow>) -> Vec<Attempt> {
    if tried.is_empty() {
        return vec![Attempt { submission, number: None, message: None, outcome: None, error: None }];
    }
    let attempt = |(_, number, outcome, error, message): AttemptRow| Attempt {
        submission: submission.clone(),
        number: Some(number),
        message: Some(Message::from(message)),
        outcome,
        error: error.map(|AsJson(error)| error),
    };
    tried.into_iter().map(attempt).collect()
}
