//! Puts answers into the queue to GIS, takes them out of it, and makes way for newer ones. Everything here happens in the
//! transaction that changes the answer, so an answer that is queued always has its submission (`api.md` §6.1).

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::decide::EarlierStep;
use super::desk::Desk;
use super::executor;
use crate::domain::answer::{Answer, Change, Confirm, State, Warning};
use crate::domain::caller::Caller;
use crate::domain::submission::{Action, Submission, SubmissionState};
use crate::error::Result;
use crate::ids::{AnswerId, SubmissionId, TransportId};
use crate::jobs::{JobName, let_go};
use crate::settings::GisSettings;
use crate::store::Tx;

/// What the client says when an answer shall go to GIS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mandate {
    /// What is confirmed.
    pub(super) confirm: Vec<Confirm>,
    /// Why.
    pub(super) reason: Option<String>,
    /// W3C `traceparent`.
    pub(super) trace: Option<String>,
}

impl Mandate {
    /// Notes it in an answer; what was said before stays said.
    pub(super) fn note(self, answer: &mut Answer) {
        confirm_too(answer, &self.confirm);
        answer.reason = self.reason.or(answer.reason.take());
        answer.trace = self.trace.or(answer.trace.take());
    }
}

fn confirm_too(answer: &mut Answer, confirm: &[Confirm]) {
    answer.confirm.extend(confirm);
    answer.confirm.sort_unstable();
    answer.confirm.dedup();
}

impl Desk {
    /// Prepares an answer that shall be sent, if the caller may: whom it names, what it waits for, what is odd about it.
    pub(super) async fn prepare(
        &mut self,
        tx: &mut Tx,
        caller: &Caller,
        step: EarlierStep,
        answer: &mut Answer,
        settings: &GisSettings,
    ) -> Result<()> {
        let (office, request) = (&mut self.office, &self.case.request);
        executor::guard(tx, office, request, caller).await?;
        // An employee answers in his own name, whatever name a draft holds (F8); the guard knows that he may.
        let named = caller.employee.or(answer.executor);
        answer.executor = Some(executor::choose(tx, office, request, named).await?);
        self.make_way(tx, step, answer)?;
        let now = self.case.now();
        answer.next_check_at = answer.blocked_by.is_none().then(|| now + settings.package_linger);
        answer.warnings.retain(|warning| warning.code != DEADLINE_PASSED);
        if self.deadline().has_passed(now) {
            answer.warnings.push(deadline_passed());
        }
        Ok(())
    }

    fn make_way(&mut self, tx: &mut Tx, step: EarlierStep, answer: &mut Answer) -> Result<()> {
        // What stands in GIS and is not ours is read before it is written over (`api.md` §6.8).
        self.look_first |= self.is_answered_elsewhere();
        let Some(mut earlier) = self.earlier().cloned() else { return Ok(()) };
        match step {
            // Over an answer in force: somebody may have placed another one since.
            EarlierStep::LetBe => self.look_first = true,
            EarlierStep::WaitFor => answer.blocked_by = Some(earlier.id),
            EarlierStep::Replace => {
                let open = self.open_submission(&earlier);
                let waits = open.as_ref().is_some_and(|open| open.state == SubmissionState::Waiting);
                answer.blocked_by = earlier.blocked_by.filter(|_| waits);
                self.look_first |= open.is_some_and(|open| open.look_first);
                // The one that it replaces may be a correction: that is confirmed already.
                confirm_too(answer, &earlier.confirm);
                answer.reason = answer.reason.take().or_else(|| earlier.reason.clone());
                self.supersede(&mut earlier, answer.id)?;
            }
            EarlierStep::Revoke => {
                earlier.trace.clone_from(&answer.trace);
                self.begin_revoke(tx, &mut earlier)?;
                answer.blocked_by = Some(earlier.id);
            }
        }
        Ok(())
    }

    /// A newer answer takes the place of one that nothing was sent of.
    pub(super) fn supersede(&mut self, old: &mut Answer, by: AnswerId) -> Result<()> {
        old.superseded_by = Some(by);
        old.next_check_at = None;
        self.withdraw_submissions(old);
        self.case.apply(old, Change::Supersede)
    }

    /// Takes an answer out of the queue. One that has waited for it, when it was on its way, goes on.
    pub(super) fn cancel(&mut self, tx: &mut Tx, answer: &mut Answer) -> Result<()> {
        answer.next_check_at = None;
        self.withdraw_submissions(answer);
        self.case.apply(answer, Change::Cancel)?;
        let_go(&mut self.case, answer.id);
        tx.wake(JobName::Settle);
        Ok(())
    }

    /// Takes an answer out of the queue because the work was stopped that had submitted it. A draft of somebody, of which
    /// nothing was tried yet, is prepared again with all that it says, unless there is a newer draft.
    pub(super) fn take_back(&mut self, tx: &mut Tx, answer: &mut Answer) -> Result<()> {
        let untried = self.case.submissions_of(answer.id).all(|submission| submission.attempts == 0);
        if !answer.was_drafted() || !untried || answer.blocked_by.is_some() || self.draft().is_some() {
            return self.cancel(tx, answer);
        }
        answer.next_check_at = None;
        self.withdraw_submissions(answer);
        self.case.apply(answer, Change::Unsubmit)
    }

    /// Whether an earlier answer was withdrawn, or is being so, to make way for this one: without it GIS would hold none.
    pub(super) fn has_made_way(&self, answer: &Answer) -> bool {
        let since =
            |other: &Answer| answer.submitted_at.is_some_and(|submitted| other.updated_at >= submitted);
        self.case
            .answers()
            .iter()
            .filter(|other| other.revision < answer.revision)
            .any(|other| other.state == State::Revoking || (other.state == State::Revoked && since(other)))
    }

    /// Starts to withdraw an answer in force.
    pub(super) fn begin_revoke(&mut self, tx: &mut Tx, answer: &mut Answer) -> Result<()> {
        answer.next_check_at = Some(self.case.now());
        answer.last_error = None;
        self.case.apply(answer, Change::BeginRevoke)?;
        self.submit(tx, answer, Action::Revoke, SubmissionState::Queued);
        Ok(())
    }

    /// Queues the sending of an answer that is stored.
    pub(super) fn queue(&mut self, tx: &mut Tx, answer: &Answer) {
        let state = match answer.blocked_by {
            Some(_) => SubmissionState::Waiting,
            None => SubmissionState::Queued,
        };
        if answer.content.attachments().next().is_some() {
            tx.wake(JobName::Files);
        }
        self.submit(tx, answer, Action::Send, state);
    }

    fn submit(&mut self, tx: &mut Tx, answer: &Answer, action: Action, state: SubmissionState) {
        let due_on = self.case.request.gis.due_on;
        let mut submission = new_submission(answer, action, state, due_on, self.case.now());
        submission.look_first |= self.look_first;
        tx.wake(if submission.look_first { JobName::Settle } else { JobName::Outbox });
        self.case.keep(submission);
    }

    fn withdraw_submissions(&mut self, answer: &Answer) {
        if let Some(open) = self.open_submission(answer) {
            self.case.keep(Submission { state: SubmissionState::Cancelled, ..open });
        }
    }

    /// The submission of an answer that is not over.
    fn open_submission(&self, answer: &Answer) -> Option<Submission> {
        self.case.submissions_of(answer.id).find(|submission| !submission.state.is_final()).cloned()
    }
}

const DEADLINE_PASSED: &str = "deadline_passed";

fn deadline_passed() -> Warning {
    Warning {
        code: DEADLINE_PASSED.to_owned(),
        pointer: None,
        detail: "срок ответа прошёл; ГИС ЖКХ может не принять ответ".to_owned(),
    }
}

fn new_submission(
    answer: &Answer,
    action: Action,
    state: SubmissionState,
    due_on: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Submission {
    // Without a day the queue takes it last; a century is far enough and every database can keep it.
    let far = || now.date_naive() + Days::new(36_525);
    Submission {
        id: SubmissionId::generate(),
        organization: answer.organization,
        debt_request: answer.debt_request,
        answer: answer.id,
        action,
        transport: TransportId::generate(),
        state,
        attempts: 0,
        has_debt: answer.content.has_debt(),
        due: due_on.unwrap_or_else(far),
        not_before: now,
        // Before a withdrawal GIS is read (`api.md` §6.8).
        look_first: action == Action::Revoke,
        pack_limit: None,
        began_at: None,
        uncertain_since: None,
        looked_at: None,
        repairs: 0,
        error: None,
        created_at: now,
        updated_at: now,
    }
}
