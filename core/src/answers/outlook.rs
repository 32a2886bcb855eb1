//! When something can next change about an answer on its way (`api.md` §7): the next poll, look, probe or end of a lease.
//!
//! It is reckoned when one answer is read, and not stored: what it waits for (a circuit that opens, an answer before it, a
//! look that was asked for) moves on without touching it. Lists, and replies to what changes an answer, show what is stored:
//! nobody waits there for more queries, least of all in a transaction for which others wait.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::AnswerDetails;
use crate::domain::answer::{Answer, State};
use crate::domain::attachment::FileState;
use crate::domain::message::{Message, MessageState, Purpose};
use crate::domain::submission::{Submission, SubmissionState};
use crate::error::Result;
use crate::ids::SubmissionId;
use crate::store::gis_operations::{self, Operation, OperationHealth};
use crate::store::{Conn, messages, organizations, submissions};

/// Tells of an answer when to look after it.
pub(super) async fn foresee(conn: &mut Conn, details: &mut AnswerDetails, now: DateTime<Utc>) -> Result<()> {
    if !is_open(&details.answer, now) {
        return Ok(());
    }
    let outlook = Outlook::of(conn, &details.answer).await?;
    let files = details.files.iter().all(|file| file.gis_state == FileState::Uploaded);
    details.answer.next_check_at = outlook.moment(&details.answer, files);
    Ok(())
}

/// Whether it is for the gateway to go on with an answer, and what is stored does not tell when. Of what GIS has accepted it
/// does until the poll is due.
fn is_open(answer: &Answer, now: DateTime<Utc>) -> bool {
    let is_planned =
        answer.state == State::Accepted && answer.next_check_at.is_some_and(|planned| planned > now);
    !answer.state.is_final() && !answer.state.is_editable() && !is_planned
}

/// What the moment of an answer follows from.
#[derive(Default)]
struct Outlook {
    /// What is still to be done in GIS for it, or while that waits, for its debt request.
    open: Vec<Submission>,
    /// The messages under way that carry some of it.
    imports: BTreeMap<SubmissionId, Message>,
    /// The readings of GIS under way.
    looks: Vec<Message>,
    /// How the operations of GIS behave.
    circuits: Vec<OperationHealth>,
    /// Whether nothing of the organisation is sent until a person has acted.
    halted: bool,
}

impl Outlook {
    /// Reads what the steps of these submissions depend on, and nothing else.
    async fn of(conn: &mut Conn, answer: &Answer) -> Result<Self> {
        let all = submissions::of_requests(conn, &[answer.debt_request]).await?;
        let mut outlook = Self { open: concerned(all, answer), ..Self::default() };
        let (mut carried, mut looked_at, mut sent, mut called) = (Vec::new(), false, false, false);
        for open in &outlook.open {
            match open.state {
                SubmissionState::Queued | SubmissionState::Uncertain => {
                    called = true;
                    looked_at |= open.look_first && open.looked_at.is_some();
                    sent |= !open.look_first;
                }
                SubmissionState::Sending => carried.push(open.id),
                SubmissionState::Accepted => {
                    called = true;
                    carried.push(open.id);
                }
                SubmissionState::Waiting
                | SubmissionState::Done
                | SubmissionState::Refused
                | SubmissionState::Cancelled => {}
            }
        }
        if !carried.is_empty() {
            outlook.imports = messages::carrying(conn, &carried).await?.into_iter().collect();
        }
        if looked_at {
            outlook.looks = messages::open_looks(conn, answer.organization).await?;
        }
        if sent {
            let organization = organizations::get(conn, answer.organization).await?;
            outlook.halted = organization.is_some_and(|found| found.halted.is_some());
        }
        if called {
            outlook.circuits = gis_operations::all(conn).await?;
        }
        Ok(outlook)
    }

    /// When something can next change about an answer; `None` where that takes a person.
    fn moment(&self, answer: &Answer, files_are_up: bool) -> Option<DateTime<Utc>> {
        let Some(own) = self.open.iter().find(|open| open.answer == answer.id) else {
            return answer.next_check_at;
        };
        match own.state {
            // Whatever it waits for is a submission of the same debt request.
            SubmissionState::Waiting => {
                let before = self.open.iter().filter(|open| open.state != SubmissionState::Waiting);
                before.filter_map(|before| self.step(before)).min()
            }
            SubmissionState::Queued if !own.look_first => {
                let files = if files_are_up { None } else { self.probe(Operation::Files) };
                // A package waits a moment for others to join it: the answer alone knows of that.
                let step = self.step(own)?;
                [Some(step), answer.next_check_at, files].into_iter().flatten().max()
            }
            SubmissionState::Queued
            | SubmissionState::Sending
            | SubmissionState::Accepted
            | SubmissionState::Uncertain
            | SubmissionState::Done
            | SubmissionState::Refused
            | SubmissionState::Cancelled => self.step(own),
        }
    }

    /// When the next step of a submission is.
    fn step(&self, submission: &Submission) -> Option<DateTime<Utc>> {
        let message = self.imports.get(&submission.id);
        match submission.state {
            SubmissionState::Queued | SubmissionState::Uncertain if submission.look_first => {
                Some(self.look(submission))
            }
            SubmissionState::Queued | SubmissionState::Uncertain if self.halted => None,
            SubmissionState::Queued | SubmissionState::Uncertain => {
                Some(self.not_before(Operation::ImportResponses, submission.not_before))
            }
            SubmissionState::Sending => message.and_then(|message| message.lease_until),
            SubmissionState::Accepted => {
                let poll = message.and_then(|message| message.next_poll_at);
                poll.map(|time| self.not_before(Operation::GetState, time))
            }
            SubmissionState::Waiting
            | SubmissionState::Done
            | SubmissionState::Refused
            | SubmissionState::Cancelled => None,
        }
    }

    /// When a look at a submission is asked for, or brings its result.
    fn look(&self, submission: &Submission) -> DateTime<Utc> {
        let shows = |look: &&Message| match &look.purpose {
            Purpose::Look { ids } => ids.contains(&submission.debt_request),
            Purpose::Import | Purpose::Page { .. } => false,
        };
        let result = |look: &Message| match look.state {
            MessageState::Sending => look.lease_until,
            MessageState::Accepted => {
                look.next_poll_at.map(|time| self.not_before(Operation::GetState, time))
            }
            MessageState::Done | MessageState::Failed | MessageState::Lost => None,
        };
        let asked = self.looks.iter().filter(shows).filter_map(result).min();
        asked.unwrap_or_else(|| self.not_before(Operation::Export, submission.not_before))
    }

    /// A time, or a later one while calls of an operation are held back.
    fn not_before(&self, operation: Operation, time: DateTime<Utc>) -> DateTime<Utc> {
        self.probe(operation).map_or(time, |probe| probe.max(time))
    }

    /// When an operation that is held back is tried again.
    fn probe(&self, operation: Operation) -> Option<DateTime<Utc>> {
        self.circuits.iter().find(|health| health.operation == operation)?.circuit.next_call()
    }
}

/// The submissions from which the moment of an answer follows, of all those of its debt request: its own one, and while that
/// waits, those before it.
fn concerned(all: Vec<Submission>, answer: &Answer) -> Vec<Submission> {
    let is_own = |open: &Submission| open.answer == answer.id;
    let mut open: Vec<_> = all.into_iter().filter(|submission| !submission.state.is_final()).collect();
    if !open.iter().any(|open| is_own(open) && open.state == SubmissionState::Waiting) {
        open.retain(is_own);
    }
    open
}

#[cfg(test)]
mod tests {
    use gis_client::cadence::Circuit;

    use super::*;
    use crate::ids::{DebtRequestId, OrganizationId};
    use crate::store::test_rows::{self, at};

    /// An answer on its way with its submission; `at` counts from the beginning of the story.
    fn queued() -> (Answer, Submission) {
        let answer = Answer {
            next_check_at: Some(at(2)),
            ..test_rows::answer(OrganizationId::generate(), DebtRequestId::generate())
        };
        let submission = test_rows::submission(&answer);
        (answer, submission)
    }

    fn outlook(open: &[&Submission]) -> Outlook {
        Outlook { open: open.iter().copied().cloned().collect(), ..Outlook::default() }
    }

    fn held_back(operation: Operation, until: i64) -> OperationHealth {
        let circuit = Circuit::Open { openings: 1, until: at(until) };
        OperationHealth { operation, circuit, since: at(0), last_success_at: None, last_error: None }
    }

    #[test]
    fn only_what_an_answer_waits_for_is_looked_at() {
        let (answer, own) = queued();
        let ids = |all: &[&Submission]| -> Vec<_> {
            let all = all.iter().copied().cloned().collect();
            concerned(all, &answer).into_iter().map(|open| open.id).collect()
        };
        let (other, over) = (queued().1, Submission { state: SubmissionState::Done, ..queued().1 });
        assert_eq!(ids(&[&other, &over, &own]), [own.id]);
        let waiting = Submission { state: SubmissionState::Waiting, ..own };
        assert_eq!(ids(&[&other, &over, &waiting]), [other.id, waiting.id]);

        let accepted = Answer { state: State::Accepted, ..answer.clone() };
        assert!(is_open(&answer, at(1)) && !is_open(&accepted, at(1)) && is_open(&accepted, at(2)));
    }

    #[test]
    fn what_is_queued_waits_for_the_package_and_for_the_circuit() {
        let (answer, submission) = queued();
        let mut outlook = outlook(&[&submission]);
        assert_eq!(outlook.moment(&answer, true), Some(at(2)));
        outlook.circuits = vec![held_back(Operation::Export, 90), held_back(Operation::Files, 70)];
        assert_eq!(outlook.moment(&answer, true), Some(at(2)), "that holds something else back");
        assert_eq!(outlook.moment(&answer, false), Some(at(70)), "its files go first");
        outlook.circuits.push(held_back(Operation::ImportResponses, 80));
        assert_eq!(outlook.moment(&answer, true), Some(at(80)));
        outlook.halted = true;
        assert_eq!(outlook.moment(&answer, true), None, "that takes a person");
    }

    #[test]
    fn what_is_being_sent_waits_for_the_end_of_the_lease_and_then_for_the_polls() {
        let (answer, queued) = queued();
        let sending = Submission { state: SubmissionState::Sending, ..queued.clone() };
        let mut of_sending = outlook(&[&sending]);
        assert_eq!(of_sending.moment(&answer, true), None);
        let message = test_rows::message(answer.organization);
        let sent = Message { lease_until: Some(at(61)), ..message.clone() };
        of_sending.imports.insert(sending.id, sent);
        assert_eq!(of_sending.moment(&answer, true), Some(at(61)));

        let accepted = Submission { state: SubmissionState::Accepted, look_first: true, ..queued };
        let mut of_accepted = outlook(&[&accepted]);
        let polled = Message { state: MessageState::Accepted, next_poll_at: Some(at(300)), ..message };
        of_accepted.imports.insert(accepted.id, polled);
        assert_eq!(of_accepted.moment(&answer, true), Some(at(300)));
        of_accepted.circuits = vec![held_back(Operation::GetState, 5000)];
        assert_eq!(of_accepted.moment(&answer, true), Some(at(5000)), "nothing is asked before");
    }

    #[test]
    fn a_look_that_was_asked_for_comes_before_the_next_one() {
        let (answer, queued) = queued();
        let doubtful = Submission {
            state: SubmissionState::Uncertain,
            look_first: true,
            looked_at: Some(at(10)),
            not_before: at(1810),
            ..queued
        };
        let mut outlook = outlook(&[&doubtful]);
        assert_eq!(outlook.moment(&answer, true), Some(at(1810)));
        let look = |ids| Message {
            purpose: Purpose::Look { ids },
            state: MessageState::Accepted,
            next_poll_at: Some(at(20)),
            ..test_rows::message(answer.organization)
        };
        outlook.looks = vec![look(vec![DebtRequestId::generate()])];
        assert_eq!(outlook.moment(&answer, true), Some(at(1810)), "that looks at others");
        outlook.looks.push(look(vec![answer.debt_request]));
        assert_eq!(outlook.moment(&answer, true), Some(at(20)));
    }

    #[test]
    fn what_is_blocked_waits_for_what_blocks_it() {
        let (first, queued) = queued();
        let sending = Submission { state: SubmissionState::Sending, ..queued };
        let second = Answer {
            blocked_by: Some(first.id),
            next_check_at: None,
            ..test_rows::answer(first.organization, first.debt_request)
        };
        let waiting = Submission { state: SubmissionState::Waiting, ..test_rows::submission(&second) };
        let mut outlook = outlook(&[&sending, &waiting]);
        let message = Message { lease_until: Some(at(61)), ..test_rows::message(first.organization) };
        outlook.imports.insert(sending.id, message);
        assert_eq!(outlook.moment(&second, true), Some(at(61)));
        assert_eq!(outlook.moment(&second, true), outlook.moment(&first, true));
    }
}
