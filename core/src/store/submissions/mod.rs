//! Submissions: the queue to GIS.
//!
//! A transaction that changes a submission holds its debt request. The queue holds the debt requests of what it gives
//! out too, and passes over those that others hold, so nobody waits for anybody crosswise.

mod queue;
mod rows;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use diesel::result::Error as DieselError;
use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

pub(crate) use self::queue::{claim, claim_looks, next_due, organizations_due};
pub(crate) use self::rows::{SubmissionRow, submissions_of};
use super::db::both;
use super::json::AsJson;
use super::messages::MessageRow;
use super::schema::{attempts, messages, submissions};
use super::types::Ts;
use super::{Conn, StoreError};
use crate::domain::answer::LastError;
use crate::domain::message::Message;
use crate::domain::submission::{Attempt, Outcome, Submission, SubmissionState};
use crate::ids::{AnswerId, DebtRequestId, SubmissionId};

/// Nothing more will be done for these.
const FINAL: [SubmissionState; 3] =
    [SubmissionState::Done, SubmissionState::Refused, SubmissionState::Cancelled];

/// Writes a new submission.
pub(crate) async fn insert(conn: &mut Conn, submission: &Submission) -> Result<(), StoreError> {
    let row = SubmissionRow::from(submission.clone());
    both!(conn, c => diesel::insert_into(submissions::table).values(row).execute(c).await)?;
    Ok(())
}

/// Writes the row. A second live submission of one debt request is a [`StoreError::Unique`].
pub(crate) async fn update(conn: &mut Conn, submission: &Submission) -> Result<(), StoreError> {
    let row = SubmissionRow::from(submission.clone());
    let written = both!(conn, c => {
        diesel::update(submissions::table.find(submission.id)).set(row).execute(c).await
    })?;
    if written == 0 { Err(StoreError::Database(DieselError::NotFound)) } else { Ok(()) }
}

/// By id.
pub(crate) async fn find(conn: &mut Conn, ids: &[SubmissionId]) -> Result<Vec<Submission>, StoreError> {
    let rows = both!(conn, c => {
        submissions::table
            .filter(submissions::id.eq_any(ids))
            .order(submissions::id)
            .select(SubmissionRow::as_select())
            .load(c)
            .await
    })?;
    Ok(submissions_of(rows))
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

/// Those of a debt request that are not final, oldest first.
pub(crate) async fn open(conn: &mut Conn, request: DebtRequestId) -> Result<Vec<Submission>, StoreError> {
    let rows = both!(conn, c => {
        submissions::table
            .filter(submissions::debt_request_id.eq(request))
            .filter(submissions::state.ne_all(FINAL))
            .order((submissions::created_at, submissions::id))
            .select(SubmissionRow::as_select())
            .load(c)
            .await
    })?;
    Ok(submissions_of(rows))
}

/// Lets GIS be read before anything that is queued is sent; how many there were.
pub(crate) async fn look_first(conn: &mut Conn, now: DateTime<Utc>) -> Result<usize, StoreError> {
    let queued = submissions::table.filter(submissions::state.eq(SubmissionState::Queued));
    let change = (submissions::look_first.eq(true), submissions::updated_at.eq(Ts(now)));
    Ok(both!(conn, c => diesel::update(queued).set(change).execute(c).await)?)
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
