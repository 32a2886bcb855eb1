//! What becomes of answers that waited for another one of the same debt request (`api.md` §4.4, §6.8).
//!
//! An answer in force is not overwritten unless the settings say so: it is withdrawn first, and the newer one goes on
//! waiting. Whatever is sent behind another answer is sent after a look at what GIS shows.

use chrono::{DateTime, Utc};

use crate::case::Case;
use crate::domain::answer::{Answer, Change, LastError};
use crate::domain::last_error_code::LastErrorCode;
use crate::domain::submission::{Action, Submission, SubmissionState};
use crate::error::Result;
use crate::ids::{AnswerId, SubmissionId, TransportId};
use crate::settings::Correction;

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
pub(crate) fn release(
    case: &mut Case,
    blocker: &mut Answer,
    correction: Correction,
    settled: Settled,
) -> Result<()> {
    let waiting = waiting_for(case, blocker.id);
    match (settled, correction) {
        _ if waiting.is_empty() => Ok(()),
        (Settled::InForce, Correction::RevokeThenSend) => withdraw(case, blocker),
        (Settled::InForce, Correction::Overwrite) | (Settled::OutOfForce, _) => {
            let_go(case, blocker.id);
            Ok(())
        }
        (Settled::RevokeFailed, _) => {
            let why = blocker.last_error.as_ref();
            waiting.into_iter().try_for_each(|(follower, waiting)| reject(case, follower, waiting, why))
        }
    }
}

/// Lets those go on that waited for an answer which is not sent, or not in force.
pub(crate) fn let_go(case: &mut Case, blocker: AnswerId) {
    for (follower, waiting) in waiting_for(case, blocker) {
        enqueue(case, follower, waiting);
    }
}

/// Who waits for an answer, the oldest first, with what shall be sent then.
fn waiting_for(case: &Case, blocker: AnswerId) -> Vec<(Answer, Submission)> {
    let followers = case.answers().iter().rev().filter(|answer| answer.blocked_by == Some(blocker));
    let waiting = |follower: &Answer| {
        let mut submissions = case.submissions_of(follower.id);
        submissions.find(|submission| submission.state == SubmissionState::Waiting).cloned()
    };
    followers.filter_map(|answer| Some((answer.clone(), waiting(answer)?))).collect()
}

fn withdraw(case: &mut Case, answer: &mut Answer) -> Result<()> {
    let now = case.now();
    let send = case.submissions_of(answer.id).rfind(|submission| submission.action == Action::Send);
    let Some(revoke) = send.map(|send| revoke_of(send, now)) else { return Ok(()) };
    case.keep(revoke);
    answer.next_check_at = Some(now);
    case.apply(answer, Change::BeginRevoke)
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

fn enqueue(case: &mut Case, mut follower: Answer, waiting: Submission) {
    let now = case.now();
    case.keep(Submission { state: SubmissionState::Queued, not_before: now, look_first: true, ..waiting });
    follower.blocked_by = None;
    follower.next_check_at = Some(now);
    case.update(&mut follower);
}

fn reject(case: &mut Case, mut follower: Answer, waiting: Submission, why: Option<&LastError>) -> Result<()> {
    let error = LastError {
        origin: "gis".to_owned(),
        code: LastErrorCode::CorrectionRefused.to_string(),
        detail: "прежний ответ не отозван, поэтому исправленный не отправлен".to_owned(),
        pointer: None,
        gis: why.and_then(|error| error.gis.clone()),
    };
    case.keep(Submission { state: SubmissionState::Refused, error: Some(error.clone()), ..waiting });
    follower.last_error = Some(error);
    follower.next_check_at = None;
    case.apply(&mut follower, Change::Reject)
}
