//! Puts answers into the queue to GIS, takes them out of it, and makes way for newer ones. Everything here happens in the
//! transaction that changes the answer, so an answer that is queued always has its submission (`api.md` §6.1).

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::decide::EarlierStep;
use super::desk::Desk;
use crate::domain::answer::{Answer, Change, Confirm, Warning};
use crate::domain::caller::Caller;
use crate::domain::submission::{Action, Submission, SubmissionState};
use crate::error::Result;
use crate::ids::{AnswerId, SubmissionId, TransportId};
use crate::jobs::JobName;
use crate::settings::GisSettings;
use crate::store::{Conn, Tx, submissions};

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
    /// Prepares an answer that shall be sent: whom it names, what it waits for, what is odd about it.
    pub(super) async fn prepare(
        &mut self,
        tx: &mut Tx,
        caller: &Caller,
        step: EarlierStep,
        answer: &mut Answer,
        settings: &GisSettings,
    ) -> Result<()> {
        let (organization, request) = (&self.organization, &self.case.request);
        let executor = super::executor::choose(tx, organization, request, caller, answer.executor).await?;
        answer.executor = Some(executor);
        self.make_way(tx, step, answer).await?;
        let now = self.case.now();
        answer.next_check_at = answer.blocked_by.is_none().then(|| now + settings.package_linger);
        answer.warnings.retain(|warning| warning.code != DEADLINE_PASSED);
        if self.deadline().has_passed(now) {
            answer.warnings.push(deadline_passed());
        }
        Ok(())
    }

    async fn make_way(&mut self, tx: &mut Tx, step: EarlierStep, answer: &mut Answer) -> Result<()> {
        let Some(mut earlier) = self.earlier().cloned() else { return Ok(()) };
        match step {
            EarlierStep::LetBe => {}
            EarlierStep::WaitFor => answer.blocked_by = Some(earlier.id),
            EarlierStep::Replace => {
                let waits = is_waiting(tx, &earlier).await?;
                answer.blocked_by = earlier.blocked_by.filter(|_| waits);
                // The one that it replaces may be a correction: that is confirmed already.
                confirm_too(answer, &earlier.confirm);
                answer.reason = answer.reason.take().or_else(|| earlier.reason.clone());
                self.supersede(tx, &mut earlier, answer.id).await?;
            }
            EarlierStep::Revoke => {
                earlier.trace.clone_from(&answer.trace);
                self.begin_revoke(tx, &mut earlier).await?;
                answer.blocked_by = Some(earlier.id);
            }
        }
        Ok(())
    }

    /// A newer answer takes the place of one that nothing was sent of.
    pub(super) async fn supersede(&mut self, tx: &mut Tx, old: &mut Answer, by: AnswerId) -> Result<()> {
        old.superseded_by = Some(by);
        old.next_check_at = None;
        self.withdraw_submissions(tx, old).await?;
        self.case.apply(tx, old, Change::Supersede).await
    }

    /// Takes an answer out of the queue.
    pub(super) async fn cancel(&mut self, tx: &mut Tx, answer: &mut Answer) -> Result<()> {
        answer.next_check_at = None;
        self.withdraw_submissions(tx, answer).await?;
        self.case.apply(tx, answer, Change::Cancel).await
    }

    /// Starts to withdraw an answer in force.
    pub(super) async fn begin_revoke(&mut self, tx: &mut Tx, answer: &mut Answer) -> Result<()> {
        answer.next_check_at = Some(self.case.now());
        answer.last_error = None;
        self.case.apply(tx, answer, Change::BeginRevoke).await?;
        self.submit(tx, answer, Action::Revoke, SubmissionState::Queued).await
    }

    /// Queues the sending of an answer that is stored.
    pub(super) async fn queue(&self, tx: &mut Tx, answer: &Answer) -> Result<()> {
        let state = match answer.blocked_by {
            Some(_) => SubmissionState::Waiting,
            None => SubmissionState::Queued,
        };
        if answer.content.attachments().next().is_some() {
            tx.wake(JobName::Files);
        }
        self.submit(tx, answer, Action::Send, state).await
    }

    async fn submit(
        &self,
        tx: &mut Tx,
        answer: &Answer,
        action: Action,
        state: SubmissionState,
    ) -> Result<()> {
        let due_on = self.case.request.gis.due_on;
        let submission = new_submission(answer, action, state, due_on, self.case.now());
        submissions::insert(tx, &submission).await?;
        tx.wake(if submission.look_first { JobName::Settle } else { JobName::Outbox });
        Ok(())
    }

    async fn withdraw_submissions(&self, conn: &mut Conn, answer: &Answer) -> Result<()> {
        for mut submission in submissions::of_answer(conn, answer.id).await? {
            if !submission.state.is_final() {
                submission.state = SubmissionState::Cancelled;
                submission.updated_at = self.case.now();
                submissions::update(conn, &submission).await?;
            }
        }
        Ok(())
    }
}

/// Whether an answer still waits for another.
async fn is_waiting(conn: &mut Conn, answer: &Answer) -> Result<bool> {
    let submissions = submissions::of_answer(conn, answer.id).await?;
    Ok(submissions.iter().any(|submission| submission.state == SubmissionState::Waiting))
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
