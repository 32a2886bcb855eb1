//! What becomes of answers that waited for another one of the same debt request (`api.md` §4.4, §6.8).
//!
//! An answer in force is not overwritten unless the settings say so: it is withdrawn first, and the newer one goes on
//! waiting. Whatever is sent behind another answer is sent after a look at what GIS shows.

use chrono::{DateTime, Utc};

use crate::case::Case;
use crate::domain::answer::{Answer, Change, LastError};
use crate::domain::submission::{Action, Submission, SubmissionState};
use crate::error::Result;
use crate::ids::{SubmissionId, TransportId};
use crate::jobs::JobName;
use crate::settings::Correction;
use crate::store::{Tx, answers, submissions};

/// How the answer that was waited for has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It is in force.
    InForce,
    /// It is not in force, and will not be.
    OutOfForce,
    /// It is in force because its withdrawal failed.
    RevokeFailed,
}

/// Lets those go on that waited for an answer.
pub(crate) async fn release(
    tx: &mut Tx,
    case: &mut Case,
    blocker: &mut Answer,
    correction: Correction,
    settled: Settled,
) -> Result<()> {
    let followers = answers::blocked_by(tx, blocker.id).await?;
    if followers.is_empty() {
        return Ok(());
    }
    tx.wake(JobName::Settle);
    match (settled, correction) {
        (Settled::InForce, Correction::RevokeThenSend) => return withdraw(tx, case, blocker).await,
        (Settled::InForce, Correction::Overwrite) | (Settled::OutOfForce, _) => {
            for follower in followers {
                enqueue(tx, case, follower).await?;
            }
        }
        (Settled::RevokeFailed, _) => {
            for follower in followers {
                reject(tx, case, follower, blocker.last_error.as_ref()).await?;
            }
        }
    }
    Ok(())
}

async fn withdraw(tx: &mut Tx, case: &mut Case, answer: &mut Answer) -> Result<()> {
    let now = case.now();
    let submitted = submissions::of_answer(tx, answer.id).await?;
    let Some(send) = submitted.iter().rfind(|submission| submission.action == Action::Send) else {
        return Ok(());
    };
    submissions::insert(tx, &revoke_of(send, now)).await?;
    answer.next_check_at = Some(now);
    case.apply(tx, answer, Change::BeginRevoke).await
}

/// The withdrawal of what a submission placed.
fn revoke_of(send: &Submission, now: DateTime<Utc>) -> Submission {
    Submission {
        id: SubmissionId::generate(),
        action: Action::Revoke,
        transport: TransportId::generate(),
        state: SubmissionState::Queued,
        attempts: 0,
        not_before: now,
        look_first: true,
        pack_limit: None,
        began_at: None,
        uncertain_since: None,
        looked_at: None,
        repairs: 0,
        error: None,
        created_at: now,
        updated_at: now,
        ..send.clone()
    }
}

async fn enqueue(tx: &mut Tx, case: &mut Case, mut follower: Answer) -> Result<()> {
    let now = case.now();
    let Some(waiting) = waiting(tx, &follower).await? else { return Ok(()) };
    let queued = Submission {
        state: SubmissionState::Queued,
        not_before: now,
        look_first: true,
        updated_at: now,
        ..waiting
    };
    submissions::update(tx, &queued).await?;
    follower.blocked_by = None;
    follower.next_check_at = Some(now);
    case.update(tx, &mut follower).await
}

async fn reject(tx: &mut Tx, case: &mut Case, mut follower: Answer, why: Option<&LastError>) -> Result<()> {
    let now = case.now();
    let Some(waiting) = waiting(tx, &follower).await? else { return Ok(()) };
    let error = LastError {
        origin: "gis".to_owned(),
        code: "correction_refused".to_owned(),
        detail: "прежний ответ не отозван, поэтому исправленный не отправлен".to_owned(),
        pointer: None,
        gis: why.and_then(|error| error.gis.clone()),
    };
    let refused = Submission {
        state: SubmissionState::Refused,
        error: Some(error.clone()),
        updated_at: now,
        ..waiting
    };
    submissions::update(tx, &refused).await?;
    follower.last_error = Some(error);
    follower.next_check_at = None;
    case.apply(tx, &mut follower, Change::Reject).await
}

async fn waiting(tx: &mut Tx, follower: &Answer) -> Result<Option<Submission>> {
    let submitted = submissions::of_answer(tx, follower.id).await?;
    Ok(submitted.into_iter().find(|submission| submission.state == SubmissionState::Waiting))
}
