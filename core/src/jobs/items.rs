//! A submission with its answer and its debt request, held by a transaction, and the ways in which it moves on. The state of
//! the answer follows the submission's: both change here together, and nowhere else in the jobs.
//!
//! A transaction takes the debt requests first, in the order of their ids, and only then what belongs to them.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Europe::Moscow;

use super::calls::after;
use super::ends::Doubt;
use super::followers::{self, Settled};
use super::watching;
use crate::case::Case;
use crate::domain::answer::{Answer, Change, LastError, State};
use crate::domain::message::Message;
use crate::domain::submission::{Action, Submission, SubmissionState};
use crate::error::Result;
use crate::ids::{DebtRequestId, SubmissionId};
use crate::settings::GisSettings;
use crate::store::Tx;

/// So long after its delivery GIS is first asked to show an answer, where the settle time is not shorter: whoever waits for
/// the confirmation has it soon when GIS shows it soon, and packages that were delivered together are looked at together.
const FIRST_CONFIRMATION: Duration = Duration::from_secs(60);

/// A submission with its answer; the transaction holds their debt request.
#[derive(Debug)]
pub(crate) struct Item {
    /// The debt request.
    pub(crate) case: Case,
    /// What is done in GIS.
    pub(crate) submission: Submission,
    /// For this answer.
    pub(crate) answer: Answer,
}

/// Takes the debt requests of submissions that were read before, with those as they are now. Of a debt request only the
/// first one is taken.
pub(crate) async fn hold(tx: &mut Tx, known: &[Submission], now: DateTime<Utc>) -> Result<Vec<Item>> {
    let requests: Vec<DebtRequestId> = known.iter().map(|submission| submission.debt_request).collect();
    let mut cases: HashMap<_, _> =
        Case::open_many(tx, &requests, now).await?.into_iter().map(|case| (case.request.id, case)).collect();
    let item = |known: &Submission| Item::of(cases.remove(&known.debt_request)?, known.id);
    Ok(known.iter().filter_map(item).collect())
}

/// Writes what changed; for all items of a transaction at once.
pub(crate) async fn close_all(tx: &mut Tx, items: Vec<Item>) -> Result<()> {
    Case::close_all(tx, items.into_iter().map(|item| item.case).collect()).await?;
    Ok(())
}

/// Whether these were a package by themselves, not a part of one that was refused: parts are small anyway and say nothing of
/// packages to come.
pub(crate) fn is_whole(items: &[Item]) -> bool {
    items.iter().all(|item| item.submission.pack_limit.is_none())
}

impl Item {
    /// A submission of a debt request.
    pub(crate) fn of(case: Case, id: SubmissionId) -> Option<Self> {
        let submission = case.submissions().iter().find(|submission| submission.id == id)?.clone();
        let answer = case.answer(submission.answer)?.clone();
        Some(Self { case, submission, answer })
    }

    /// Whether an attempt may begin now.
    pub(crate) fn may_begin(&self) -> bool {
        let state = self.submission.state;
        let waits = matches!(state, SubmissionState::Queued | SubmissionState::Uncertain);
        let rival = |other: &Submission| other.id != self.submission.id && other.state.is_live();
        let alone = !self.case.submissions().iter().any(rival);
        waits && alone && !self.submission.look_first && self.submission.not_before <= self.case.now()
    }

    /// Whether something of it may have reached GIS before an attempt that began then.
    pub(crate) fn was_tried_before(&self, sent_at: DateTime<Utc>) -> bool {
        self.submission.began_at.is_some_and(|began| began < sent_at)
    }

    /// Whether it is done again because GIS has lost it (`api.md` §6.9): the answer was settled before and stays so.
    pub(crate) const fn is_repair(&self) -> bool {
        self.submission.repairs > 0
    }

    /// Whether it is a repair of something that is to be otherwise by now.
    pub(crate) fn is_obsolete_repair(&self) -> bool {
        let settled = match self.submission.action {
            Action::Send => State::Delivered,
            Action::Revoke => State::Revoked,
        };
        self.is_repair() && self.answer.state != settled
    }

    /// The repair is given up before anything of it was sent.
    pub(crate) fn give_up_repair(&mut self) {
        self.end(SubmissionState::Done, None);
        self.touch();
    }

    /// A repair of another action that is still queued is given up: this one decides what is in force.
    pub(crate) fn overtake_repairs(&mut self) {
        let overtaken = |other: &&Submission| {
            other.state == SubmissionState::Queued && other.repairs > 0 && other.id != self.submission.id
        };
        let overtaken: Vec<_> = self.case.submissions().iter().filter(overtaken).cloned().collect();
        for repair in overtaken {
            self.case.keep(Submission { state: SubmissionState::Done, ..repair });
        }
    }

    /// An attempt begins.
    pub(crate) fn begin(&mut self, sent_at: DateTime<Utc>) -> Result<()> {
        if !self.is_repair() {
            // What a person was called for is superseded by what is done now.
            self.case.request.alarm = None;
        }
        self.submission.state = SubmissionState::Sending;
        self.submission.attempts += 1;
        self.submission.began_at.get_or_insert(sent_at);
        self.answer.next_check_at = None;
        self.store(Change::Claim)
    }

    /// GIS has acknowledged an attempt. While it takes long, a look may find the answer first.
    pub(crate) fn acknowledged(&mut self, message: &Message) -> Result<()> {
        self.submission.state = SubmissionState::Accepted;
        self.submission.uncertain_since = None;
        self.submission.error = None;
        self.submission.look_first = true;
        self.submission.not_before = after(self.case.now(), self.patience());
        self.answer.next_check_at = message.next_poll_at;
        self.answer.last_error = None;
        self.store(Change::Acknowledge)
    }

    /// Nobody knows whether GIS took the attempt.
    pub(crate) fn doubt(&mut self, look_at: DateTime<Utc>, error: Option<LastError>) -> Result<()> {
        let known = self.submission.state == SubmissionState::Uncertain;
        self.submission.state = SubmissionState::Uncertain;
        self.submission.uncertain_since = Some(self.case.now());
        self.submission.error.clone_from(&error);
        self.look_at(look_at);
        self.answer.last_error = error;
        if known {
            self.touch();
            return Ok(());
        }
        self.store(Change::LoseSight)
    }

    /// GIS certainly took nothing of an attempt that began at `sent_at`.
    pub(crate) fn put_back(
        &mut self,
        sent_at: DateTime<Utc>,
        again_at: DateTime<Utc>,
        error: LastError,
    ) -> Result<()> {
        let maybe_sent = self.was_tried_before(sent_at);
        if maybe_sent {
            self.submission.state = SubmissionState::Uncertain;
            self.submission.uncertain_since.get_or_insert(sent_at);
        } else {
            self.submission.state = SubmissionState::Queued;
            self.submission.began_at = None;
            self.submission.uncertain_since = None;
        }
        self.submission.error = Some(error.clone());
        self.look_at(again_at);
        self.submission.look_first = maybe_sent || self.submission.action == Action::Revoke;
        self.answer.last_error = Some(error);
        self.store(Change::NotSent { maybe_sent })
    }

    /// A look has shown that the attempt may be made, or made again.
    pub(crate) fn allow(&mut self) {
        self.submission.look_first = false;
        self.submission.not_before = self.case.now();
        self.answer.next_check_at = Some(self.case.now());
        self.touch();
    }

    /// Another look is needed first.
    pub(crate) fn wait(&mut self, look_at: DateTime<Utc>, error: Option<LastError>) {
        self.submission.error = error;
        self.look_at(look_at);
        self.touch();
    }

    /// The answer is in force, or withdrawn.
    pub(crate) fn done(
        &mut self,
        settings: &GisSettings,
        gis_updated_at: Option<DateTime<Utc>>,
    ) -> Result<()> {
        self.end(SubmissionState::Done, None);
        self.answer.last_error = None;
        let (change, settled) = match self.submission.action {
            Action::Send => {
                self.answer.gis_updated_at = gis_updated_at;
                self.answer.next_check_at = Some(self.confirmation_at(settings));
                (Change::Deliver, Settled::InForce)
            }
            Action::Revoke => (Change::Revoke, Settled::OutOfForce),
        };
        if self.is_repair() {
            // What was seen before it was put right shows the past.
            self.answer.settled_at = Some(self.case.now());
        }
        // It may have taken effect long after the call, and what was seen before proves nothing of it.
        self.case.watch_from_now(after(self.case.now(), settings.view_lag));
        self.settle(settings, change, settled)
    }

    /// When an answer that is in force now is looked for in GIS first.
    fn confirmation_at(&self, settings: &GisSettings) -> DateTime<Utc> {
        after(self.case.now(), settings.settle_time.min(FIRST_CONFIRMATION))
    }

    /// GIS has refused it for good, or something stands in its way.
    pub(crate) fn refused(&mut self, settings: &GisSettings, error: LastError) -> Result<()> {
        self.end(SubmissionState::Refused, Some(error.clone()));
        self.answer.last_error = Some(error);
        if self.is_repair() {
            watching::repair_failed(&mut self.case, &self.answer, self.submission.action);
        }
        let (change, settled) = match self.submission.action {
            Action::Send => (Change::Reject, Settled::OutOfForce),
            Action::Revoke => (Change::RevokeFailed, Settled::RevokeFailed),
        };
        if settled == Settled::RevokeFailed && !self.is_repair() {
            // It stays in force, as far as is known: that is to be seen anew.
            self.answer.next_check_at = Some(self.confirmation_at(settings));
        }
        self.settle(settings, change, settled)
    }

    /// When to look after an attempt whose fate is unknown (`api.md` §6.5, §6.6).
    pub(crate) fn look_after(&self, settings: &GisSettings, doubt: Doubt) -> DateTime<Utc> {
        let now = self.case.now();
        let polite = self.polite_wait(settings);
        let wait = match doubt {
            Doubt::Fault => settings.resend_after_fault,
            Doubt::Silence { after } => polite.max(after.unwrap_or_default()),
        };
        after(now, wait)
    }

    /// How long an uncertain submission is left alone: shorter near the deadline, so that there is time for a repeat.
    pub(crate) fn polite_wait(&self, settings: &GisSettings) -> Duration {
        let left = self
            .case
            .request
            .gis
            .due_on
            .and_then(end_of)
            .and_then(|end| (end - self.case.now()).to_std().ok());
        left.map_or(settings.settle_time, |left| settings.settle_time.min(left / 4))
    }

    /// How long GIS may take before a look: an hour, on the last day half of one (`api.md` §6.11).
    fn patience(&self) -> Duration {
        const HOUR: Duration = Duration::from_secs(3600);
        let today = self.case.now().with_timezone(&Moscow).date_naive();
        let last_day = self.case.request.gis.due_on.is_some_and(|due| due <= today);
        if last_day { HOUR / 2 } else { HOUR }
    }

    fn look_at(&mut self, time: DateTime<Utc>) {
        self.submission.look_first = true;
        self.submission.not_before = time;
        self.answer.next_check_at = Some(time);
    }

    fn end(&mut self, state: SubmissionState, error: Option<LastError>) {
        self.submission.state = state;
        self.submission.uncertain_since = None;
        self.submission.look_first = false;
        self.submission.error = error;
        self.answer.next_check_at = None;
    }

    fn settle(&mut self, settings: &GisSettings, change: Change, settled: Settled) -> Result<()> {
        if self.is_repair() {
            self.touch();
            return Ok(());
        }
        self.case.keep(self.submission.clone());
        self.case.apply(&mut self.answer, change)?;
        if settled == Settled::InForce {
            self.case.supersede_others(&self.answer)?;
        }
        followers::release(&mut self.case, &mut self.answer, settings.correction, settled)
    }

    /// Keeps both; the answer changes only when it is its own submission, and not its withdrawal or a repair.
    fn store(&mut self, change: Change) -> Result<()> {
        match self.submission.action {
            Action::Send if !self.is_repair() => {
                self.case.keep(self.submission.clone());
                self.case.apply(&mut self.answer, change)
            }
            Action::Send | Action::Revoke => {
                self.touch();
                Ok(())
            }
        }
    }

    fn touch(&mut self) {
        self.case.keep(self.submission.clone());
        self.case.update(&mut self.answer);
    }
}

/// The end of a day; GIS counts its days in Moscow.
fn end_of(day: NaiveDate) -> Option<DateTime<Utc>> {
    let next = day.checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN);
    Some(Moscow.from_local_datetime(&next).earliest()?.to_utc())
}
