//! Asking GIS about an answer earlier than planned, as far as the manners towards GIS allow.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gis_client::cadence::PollSchedule;

use super::AnswerDetails;
use super::desk::{Desk, wrong_state};
use crate::Service;
use crate::case::Case;
use crate::domain::answer::{Answer, State};
use crate::domain::caller::{Caller, Scope};
use crate::domain::message::{Message, MessageState};
use crate::domain::submission::{Submission, SubmissionState};
use crate::error::{Code, Error, Result};
use crate::ids::AnswerId;
use crate::jobs::JobName;
use crate::store::{Tx, messages, submissions};

/// The operator asks for at least this between two questions about one message.
const PAUSE: TimeDelta = TimeDelta::seconds(10);

/// When GIS may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// It is being asked, or next.
    Planned,
    /// Now.
    Now,
    /// Not before this.
    Wait(Duration),
}

impl Service {
    /// Asks GIS about an answer earlier than planned.
    ///
    /// # Errors
    /// [`Code::RefreshTooEarly`] with the time to wait; a conflict when there is nothing to ask, or when it is another version
    /// than `if_match`.
    pub async fn refresh_answer(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: AnswerId,
        if_match: Option<i64>,
    ) -> Result<AnswerDetails> {
        caller.need(Scope::AnswersRead)?;
        let (mut desk, mut answer) = Desk::open_answer(tx, caller, id, if_match, self.clock.now()).await?;
        if nothing_to_ask(&answer) {
            return Err(wrong_state(&answer, "об этом ответе нечего спрашивать у ГИС ЖКХ"));
        }
        if self.hurry(tx, &mut desk, id).await? {
            answer.next_check_at = Some(desk.case.now());
            desk.case.update(&mut answer);
        }
        desk.close(tx, answer).await
    }

    /// Brings the next poll or look forward; `false` where nothing is planned that could be.
    async fn hurry(&self, tx: &mut Tx, desk: &mut Desk, id: AnswerId) -> Result<bool> {
        let attempts = submissions::attempts(tx, id).await?;
        let message = attempts.iter().filter_map(|attempt| attempt.message.as_ref());
        let accepted = message.filter(|message| message.state == MessageState::Accepted);
        if let Some(message) = accepted.max_by_key(|message| message.sent_at) {
            return self.poll_now(tx, message.clone()).await;
        }
        let uncertain =
            desk.case.submissions_of(id).rfind(|submission| submission.state == SubmissionState::Uncertain);
        match uncertain.cloned() {
            Some(submission) => look_now(tx, &mut desk.case, submission),
            None => {
                tx.wake(JobName::Settle);
                Ok(false)
            }
        }
    }

    async fn poll_now(&self, tx: &mut Tx, mut message: Message) -> Result<bool> {
        let now = self.clock.now();
        if !allowed(poll_turn(&message, &self.settings.gis.poll_after, now))? {
            return Ok(false);
        }
        message.next_poll_at = Some(now);
        let holder = message.worker;
        tx.wake(JobName::Polling);
        Ok(messages::update(tx, &message, holder).await?)
    }
}

fn look_now(tx: &mut Tx, case: &mut Case, submission: Submission) -> Result<bool> {
    let now = case.now();
    if !allowed(look_turn(&submission, now))? {
        return Ok(false);
    }
    case.keep(Submission { not_before: now, ..submission });
    tx.wake(JobName::Settle);
    Ok(true)
}

/// What was never sent, and what is over, GIS can say nothing new about.
const fn nothing_to_ask(answer: &Answer) -> bool {
    match answer.state {
        State::Queued | State::Sending | State::Accepted | State::Uncertain | State::Revoking => false,
        State::Delivered => answer.confirmed_in_gis,
        State::Draft
        | State::Prepared
        | State::Rejected
        | State::Revoked
        | State::Cancelled
        | State::Superseded => true,
    }
}

fn allowed(turn: Turn) -> Result<bool> {
    match turn {
        Turn::Planned => Ok(false),
        Turn::Now => Ok(true),
        Turn::Wait(retry_after) => Err(Error::TooEarly { code: Code::RefreshTooEarly, retry_after }),
    }
}

/// The last contact is what the plan was reckoned from: the row keeps only the plan. After failures the plan is a
/// back-off, which nobody may shorten.
fn poll_turn(message: &Message, schedule: &PollSchedule, now: DateTime<Utc>) -> Turn {
    let Some(planned) = message.next_poll_at.filter(|planned| *planned > now) else { return Turn::Planned };
    if message.worker.is_some() && message.lease_until.is_some_and(|end| end > now) {
        return Turn::Planned;
    }
    if message.failures > 0 {
        return Turn::Wait(until(planned, now));
    }
    let polls = u32::try_from(message.polls).unwrap_or(u32::MAX);
    turn(planned - schedule.wait(polls), now)
}

fn look_turn(submission: &Submission, now: DateTime<Utc>) -> Turn {
    if submission.not_before <= now {
        return Turn::Planned;
    }
    match submission.looked_at.max(submission.uncertain_since) {
        Some(last) => turn(last, now),
        None => Turn::Now,
    }
}

fn turn(last: DateTime<Utc>, now: DateTime<Utc>) -> Turn {
    let earliest = last + PAUSE;
    if earliest <= now { Turn::Now } else { Turn::Wait(until(earliest, now)) }
}

fn until(time: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    (time - now).to_std().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::Purpose;
    use crate::ids::{MessageId, OrganizationId, WorkerId};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    /// Acknowledged at 0, polled at 10; the next poll is planned at 70.
    fn message() -> Message {
        Message {
            id: MessageId::generate(),
            organization: OrganizationId::generate(),
            purpose: Purpose::Import,
            state: MessageState::Accepted,
            worker: None,
            lease_until: None,
            gis_guid: None,
            sent_at: at(-1),
            acknowledged_at: Some(at(0)),
            polls: 1,
            next_poll_at: Some(at(70)),
            failures: 0,
            error: None,
            trace: None,
            finished_at: None,
        }
    }

    #[test]
    fn a_poll_keeps_its_pause() {
        let held = Message { worker: Some(WorkerId::generate()), lease_until: Some(at(60)), ..message() };
        let failing = Message { failures: 2, ..message() };
        for (message, now, expected) in [
            (message(), 12, Turn::Wait(Duration::from_secs(8))),
            (message(), 20, Turn::Now),
            (message(), 70, Turn::Planned),
            (held.clone(), 30, Turn::Planned),
            (held, 61, Turn::Now),
            (failing, 30, Turn::Wait(Duration::from_secs(40))),
            (Message { next_poll_at: None, ..message() }, 30, Turn::Planned),
        ] {
            assert_eq!(poll_turn(&message, &PollSchedule::default(), at(now)), expected, "{now}");
        }
    }

    #[test]
    fn what_is_hurried_once_is_planned() {
        let hurried = Message { next_poll_at: Some(at(20)), ..message() };
        assert_eq!(poll_turn(&hurried, &PollSchedule::default(), at(20)), Turn::Planned);
    }
}
