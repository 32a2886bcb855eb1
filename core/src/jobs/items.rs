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
use crate::ids::DebtRequestId;
use crate::settings::GisSettings;
use crate::store::{Tx, answers, debt_requests, submissions};

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

/// Takes the debt requests of submissions that were read before, and reads those again. Of a debt request only the first
/// one is taken.
pub(crate) async fn hold(tx: &mut Tx, known: &[Submission], now: DateTime<Utc>) -> Result<Vec<Item>> {
    let requests: Vec<DebtRequestId> = known.iter().map(|submission| submission.debt_request).collect();
    let mut requests: HashMap<_, _> = debt_requests::lock_many(tx, &requests)
        .await?
        .into_iter()
        .map(|request| (request.id, request))
        .collect();
    let ids: Vec<_> = known.iter().map(|submission| submission.id).collect();
    let mut fresh: HashMap<_, _> = submissions::find(tx, &ids)
        .await?
        .into_iter()
        .map(|submission| (submission.id, submission))
        .collect();
    let ids: Vec<_> = known.iter().map(|submission| submission.answer).collect();
    let mut answers: HashMap<_, _> =
        answers::find_any(tx, &ids).await?.into_iter().map(|answer| (answer.id, answer)).collect();
    let items = known.iter().filter_map(|known| {
        let submission = fresh.remove(&known.id)?;
        let answer = answers.remove(&known.answer)?;
        let request = requests.remove(&known.debt_request)?;
        Some(Item { case: Case::of(request, now), submission, answer })
    });
    Ok(items.collect())
}

impl Item {
    /// Whether an attempt may begin now.
    pub(crate) fn may_begin(&self) -> bool {
        let state = self.submission.state;
        let waits = matches!(state, SubmissionState::Queued | SubmissionState::Uncertain);
        waits && !self.submission.look_first && self.submission.not_before <= self.case.now()
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
    pub(crate) async fn give_up_repair(&mut self, tx: &mut Tx) -> Result<()> {
        self.end(SubmissionState::Done, None);
        self.touch(tx).await
    }

    /// An attempt begins.
    pub(crate) async fn begin(&mut self, tx: &mut Tx, sent_at: DateTime<Utc>) -> Result<()> {
        if !self.is_repair() {
            // What a person was called for is superseded by what is done now.
            self.case.request.alarm = None;
        }
        self.submission.state = SubmissionState::Sending;
        self.submission.attempts += 1;
        self.submission.began_at.get_or_insert(sent_at);
        self.answer.next_check_at = None;
        self.store(tx, Change::Claim).await
    }

    /// GIS has acknowledged an attempt. While it takes long, a look may find the answer first.
    pub(crate) async fn acknowledged(&mut self, tx: &mut Tx, message: &Message) -> Result<()> {
        self.submission.state = SubmissionState::Accepted;
        self.submission.uncertain_since = None;
        self.submission.error = None;
        self.submission.look_first = true;
        self.submission.not_before = after(self.case.now(), self.patience());
        self.answer.next_check_at = message.next_poll_at;
        self.answer.last_error = None;
        self.store(tx, Change::Acknowledge).await
    }

    /// Nobody knows whether GIS took the attempt.
    pub(crate) async fn doubt(
        &mut self,
        tx: &mut Tx,
        look_at: DateTime<Utc>,
        error: Option<LastError>,
    ) -> Result<()> {
        let known = self.submission.state == SubmissionState::Uncertain;
        self.submission.state = SubmissionState::Uncertain;
        self.submission.uncertain_since = Some(self.case.now());
        self.submission.error.clone_from(&error);
        self.look_at(look_at);
        self.answer.last_error = error;
        if known { self.touch(tx).await } else { self.store(tx, Change::LoseSight).await }
    }

    /// GIS certainly took nothing of an attempt that began at `sent_at`.
    pub(crate) async fn put_back(
        &mut self,
        tx: &mut Tx,
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
        self.store(tx, Change::NotSent { maybe_sent }).await
    }

    /// A look has shown that the attempt may be made, or made again.
    pub(crate) async fn allow(&mut self, tx: &mut Tx) -> Result<()> {
        self.submission.look_first = false;
        self.submission.not_before = self.case.now();
        self.answer.next_check_at = Some(self.case.now());
        self.touch(tx).await
    }

    /// Another look is needed first.
    pub(crate) async fn wait(
        &mut self,
        tx: &mut Tx,
        look_at: DateTime<Utc>,
        error: Option<LastError>,
    ) -> Result<()> {
        self.submission.error = error;
        self.look_at(look_at);
        self.touch(tx).await
    }

    /// The answer is in force, or withdrawn.
    pub(crate) async fn done(
        &mut self,
        tx: &mut Tx,
        settings: &GisSettings,
        gis_updated_at: Option<DateTime<Utc>>,
    ) -> Result<()> {
        self.end(SubmissionState::Done, None);
        self.answer.last_error = None;
        let (change, settled) = match self.submission.action {
            Action::Send => {
                self.answer.gis_updated_at = gis_updated_at;
                self.answer.next_check_at = Some(after(self.case.now(), settings.settle_time));
                (Change::Deliver, Settled::InForce)
            }
            Action::Revoke => (Change::Revoke, Settled::OutOfForce),
        };
        self.settle(tx, settings, change, settled).await
    }

    /// GIS has refused it for good, or something stands in its way.
    pub(crate) async fn refused(
        &mut self,
        tx: &mut Tx,
        settings: &GisSettings,
        error: LastError,
    ) -> Result<()> {
        self.end(SubmissionState::Refused, Some(error.clone()));
        self.answer.last_error = Some(error);
        if self.is_repair() {
            watching::repair_failed(&mut self.case, &self.answer, self.submission.action);
        }
        let (change, settled) = match self.submission.action {
            Action::Send => (Change::Reject, Settled::OutOfForce),
            Action::Revoke => (Change::RevokeFailed, Settled::RevokeFailed),
        };
        self.settle(tx, settings, change, settled).await
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

    /// Writes the debt request with its events.
    pub(crate) async fn close(self, tx: &mut Tx) -> Result<()> {
        self.case.close(tx).await?;
        Ok(())
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

    async fn settle(
        &mut self,
        tx: &mut Tx,
        settings: &GisSettings,
        change: Change,
        settled: Settled,
    ) -> Result<()> {
        if self.is_repair() {
            return self.touch(tx).await;
        }
        self.write(tx).await?;
        self.case.apply(tx, &mut self.answer, change).await?;
        followers::release(tx, &mut self.case, &mut self.answer, settings.correction, settled).await
    }

    /// Writes both; the answer changes only when it is its own submission, and not its withdrawal or a repair.
    async fn store(&mut self, tx: &mut Tx, change: Change) -> Result<()> {
        match self.submission.action {
            Action::Send if !self.is_repair() => {
                self.write(tx).await?;
                self.case.apply(tx, &mut self.answer, change).await
            }
            Action::Send | Action::Revoke => self.touch(tx).await,
        }
    }

    async fn touch(&mut self, tx: &mut Tx) -> Result<()> {
        self.write(tx).await?;
        self.case.update(tx, &mut self.answer).await
    }

    async fn write(&mut self, tx: &mut Tx) -> Result<()> {
        self.submission.updated_at = self.case.now();
        submissions::update(tx, &self.submission).await?;
        Ok(())
    }
}

/// Whether something of an answer may have reached GIS at any time.
pub(crate) fn may_have_reached(answer: &Answer) -> bool {
    match answer.state {
        State::Sending
        | State::Accepted
        | State::Uncertain
        | State::Delivered
        | State::Revoking
        | State::Revoked => true,
        State::Draft
        | State::Prepared
        | State::Queued
        | State::Rejected
        | State::Cancelled
        | State::Superseded => answer.maybe_sent,
    }
}

/// The end of a day; GIS counts its days in Moscow.
fn end_of(day: NaiveDate) -> Option<DateTime<Utc>> {
    let next = day.checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN);
    Some(Moscow.from_local_datetime(&next).earliest()?.to_utc())
}
