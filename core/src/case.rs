//! One debt request at work: held by the transaction, with all its answers and submissions, the events that tell of what
//! changes, and the summary in its row that the list shows. Use cases and jobs change answers only through a [`Case`], so
//! these never part. A case works in memory; what changed is written when it is closed, many cases at once in a few
//! statements.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::domain::answer::{Answer, Change, Source, State};
use crate::domain::content::{Content, ContentHash};
use crate::domain::debt_request::{self, AnswerSummary, DebtRequest, ResponseStatus, Stage};
use crate::domain::event::{EventKind, NewEvent};
use crate::domain::submission::Submission;
use crate::error::{Error, Result};
use crate::ids::{AnswerId, AttachmentId, DebtRequestId, OrganizationId, SubmissionId};
use crate::store::{Conn, Tx, answers, debt_requests, events, submissions, watches};
use crate::trace;

/// A debt request that the transaction holds.
#[derive(Debug)]
pub(crate) struct Case {
    /// The request; [`close`](Self::close) writes it.
    pub(crate) request: DebtRequest,
    now: DateTime<Utc>,
    /// Every revision, newest first.
    answers: Vec<Answer>,
    /// Of all its answers, oldest first.
    submissions: Vec<Submission>,
    changed: Changed,
    events: Vec<NewEvent>,
}

/// What is to be written besides the request.
#[derive(Debug, Default)]
struct Changed {
    /// New answers with their files.
    inserted: BTreeMap<AnswerId, Vec<AttachmentId>>,
    answers: BTreeSet<AnswerId>,
    submissions: BTreeSet<SubmissionId>,
    watch: Option<Watch>,
}

/// What becomes of the watch over a debt request, if somebody watches it.
#[derive(Debug, Clone, Copy)]
enum Watch {
    /// It counts from now; the next look is then.
    Anew(DateTime<Utc>),
    /// It is over.
    Over,
}

impl Case {
    /// Takes a debt request of an organisation; `None` when there is none, or it is somebody else's.
    pub(crate) async fn open(
        conn: &mut Conn,
        organization: OrganizationId,
        id: DebtRequestId,
        now: DateTime<Utc>,
    ) -> Result<Option<Self>> {
        match debt_requests::lock(conn, organization, id).await? {
            None => Ok(None),
            Some(request) => Ok(with_history(conn, vec![request], now).await?.pop()),
        }
    }

    /// Takes debt requests of any organisation, in the order of their ids; for jobs.
    pub(crate) async fn open_many(
        conn: &mut Conn,
        ids: &[DebtRequestId],
        now: DateTime<Utc>,
    ) -> Result<Vec<Self>> {
        let requests = debt_requests::lock_many(conn, ids).await?;
        with_history(conn, requests, now).await
    }

    /// The time of this transaction.
    pub(crate) const fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Every revision, newest first.
    pub(crate) fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// One of its answers.
    pub(crate) fn answer(&self, id: AnswerId) -> Option<&Answer> {
        self.answers.iter().find(|answer| answer.id == id)
    }

    /// What is and was to be done in GIS, for any of its answers, oldest first.
    pub(crate) fn submissions(&self) -> &[Submission] {
        &self.submissions
    }

    /// The same for one answer.
    pub(crate) fn submissions_of(&self, answer: AnswerId) -> impl DoubleEndedIterator<Item = &Submission> {
        self.submissions.iter().filter(move |submission| submission.answer == answer)
    }

    /// Adds a new answer with its files.
    pub(crate) fn insert(&mut self, answer: Answer, files: Vec<AttachmentId>) {
        self.changed.inserted.insert(answer.id, files);
        let kind = match answer.state {
            State::Queued => EventKind::AnswerQueued,
            State::Prepared => EventKind::AnswerPrepared,
            State::Delivered => EventKind::AnswerDelivered,
            State::Draft
            | State::Sending
            | State::Accepted
            | State::Uncertain
            | State::Rejected
            | State::Revoking
            | State::Revoked
            | State::Cancelled
            | State::Superseded => EventKind::AnswerDrafted,
        };
        self.tell(kind, Some(&answer));
        self.answers.insert(0, answer);
    }

    /// A draft of the next revision.
    pub(crate) fn next_revision(
        &self,
        content: Content,
        content_hash: ContentHash,
        author: String,
    ) -> Answer {
        Answer {
            id: AnswerId::generate(),
            organization: self.request.organization,
            debt_request: self.request.id,
            external_id: None,
            revision: self.answers.iter().map(|answer| answer.revision).max().unwrap_or(0) + 1,
            state: State::Draft,
            content,
            content_hash,
            executor: None,
            source: Source::Api,
            author,
            warnings: Vec::new(),
            last_error: None,
            blocked_by: None,
            superseded_by: None,
            confirm: Vec::new(),
            reason: None,
            return_comment: None,
            waits_for_files: false,
            maybe_sent: false,
            confirmed_in_gis: false,
            gis_updated_at: None,
            next_check_at: None,
            trace: None,
            version: 1,
            created_at: self.now,
            updated_at: self.now,
            submitted_at: None,
            settled_at: None,
            delivered_at: None,
            personal_data_erased_at: None,
        }
    }

    /// An answer is in force now: any other one is not.
    pub(crate) fn supersede_others(&mut self, answer: &Answer) -> Result<()> {
        let in_force = |other: &&Answer| other.id != answer.id && other.state == State::Delivered;
        let others: Vec<_> = self.answers.iter().filter(in_force).cloned().collect();
        for mut other in others {
            other.superseded_by = Some(answer.id);
            other.next_check_at = None;
            self.apply(&mut other, Change::Supersede)?;
        }
        Ok(())
    }

    /// An answer has been deleted.
    pub(crate) fn forget(&mut self, answer: &Answer) {
        self.answers.retain(|other| other.id != answer.id);
        self.changed.answers.remove(&answer.id);
        self.tell(EventKind::AnswerDeleted, Some(answer));
    }

    /// Moves an answer on. What else changes with the state (error, next check, …) the caller has put into the answer
    /// before.
    ///
    /// # Errors
    /// A change that does not fit the state is our own mistake here: use cases look at the state before.
    pub(crate) fn apply(&mut self, answer: &mut Answer, change: Change) -> Result<()> {
        answer.apply(change, self.now).map_err(Error::internal)?;
        self.keep_answer(answer);
        mark(answer);
        if let Some(kind) = event_of(change, answer.state) {
            self.tell(kind, Some(answer));
        }
        Ok(())
    }

    /// Keeps an answer that changed in something else than its state.
    pub(crate) fn update(&mut self, answer: &mut Answer) {
        answer.touch(self.now);
        self.keep_answer(answer);
    }

    fn keep_answer(&mut self, answer: &Answer) {
        if let Some(known) = self.answers.iter_mut().find(|known| known.id == answer.id) {
            known.clone_from(answer);
            self.changed.answers.insert(answer.id);
        }
    }

    /// Keeps a submission, new or changed.
    pub(crate) fn keep(&mut self, mut submission: Submission) {
        submission.updated_at = self.now;
        self.changed.submissions.insert(submission.id);
        match self.submissions.iter_mut().find(|known| known.id == submission.id) {
            Some(known) => *known = submission,
            None => self.submissions.push(submission),
        }
    }

    /// GIS is known to have done what it was called for: a watch, if there is one, counts from now.
    pub(crate) const fn watch_from_now(&mut self, next_look_at: DateTime<Utc>) {
        self.changed.watch = Some(Watch::Anew(next_look_at));
    }

    /// Nothing can come to the debt request any more.
    pub(crate) const fn end_watch(&mut self) {
        self.changed.watch = Some(Watch::Over);
    }

    /// Notes an event about the request, or about an answer to it.
    pub(crate) fn tell(&mut self, kind: EventKind, answer: Option<&Answer>) {
        self.tell_with(kind, answer, json!({}));
    }

    /// Notes an event with data of its own, beside what each event of an answer has; no personal data.
    pub(crate) fn tell_with(&mut self, kind: EventKind, answer: Option<&Answer>, data: serde_json::Value) {
        let event = match answer {
            Some(answer) => NewEvent::of_answer(kind, answer, data),
            None => NewEvent {
                organization: self.request.organization,
                kind,
                debt_request: Some(self.request.id),
                answer: None,
                data,
            },
        };
        self.events.push(event);
    }

    /// Brings the summary up to date and writes what changed, with the request and its events.
    pub(crate) async fn close(self, tx: &mut Tx) -> Result<DebtRequest> {
        let request = Self::close_all(tx, vec![self]).await?.pop();
        request.ok_or_else(|| Error::internal("a case was closed and its debt request is not there"))
    }

    /// Closes cases of one transaction, in this order.
    pub(crate) async fn close_all(tx: &mut Tx, cases: Vec<Self>) -> Result<Vec<DebtRequest>> {
        let Some(now) = cases.first().map(Self::now) else { return Ok(Vec::new()) };
        let mut all = Writes::default();
        cases.into_iter().for_each(|case| all.add(case));
        answers::insert(tx, all.inserted).await?;
        submissions::save(tx, all.submissions).await?;
        answers::save(tx, all.answers).await?;
        debt_requests::save_work(tx, &all.requests).await?;
        for (next_look_at, ids) in all.watched_anew {
            watches::begin_anew(tx, &ids, now, next_look_at).await?;
        }
        watches::end(tx, &all.unwatched).await?;
        events::append(tx, &all.events, now).await?;
        Ok(all.requests)
    }
}

/// What is to be written of all cases of a transaction, in the order of the statements: everybody who takes rows of several
/// tables takes them in this one.
#[derive(Default)]
struct Writes {
    inserted: Vec<(Answer, Vec<AttachmentId>)>,
    submissions: Vec<Submission>,
    answers: Vec<Answer>,
    requests: Vec<DebtRequest>,
    watched_anew: BTreeMap<DateTime<Utc>, Vec<DebtRequestId>>,
    unwatched: Vec<DebtRequestId>,
    events: Vec<NewEvent>,
}

impl Writes {
    fn add(&mut self, case: Case) {
        let Case { mut request, now, answers, submissions, mut changed, events } = case;
        summarize(&mut request, &answers);
        request.draft = answers.iter().find(|answer| answer.state.is_editable()).map(|answer| answer.id);
        request.version += 1;
        request.updated_at = now;
        self.submissions.extend(submissions.into_iter().filter(|it| changed.submissions.contains(&it.id)));
        for answer in answers {
            match changed.inserted.remove(&answer.id) {
                Some(files) => self.inserted.push((answer, files)),
                None if changed.answers.contains(&answer.id) => self.answers.push(answer),
                None => {}
            }
        }
        match changed.watch {
            None => {}
            Some(Watch::Anew(next_look_at)) => {
                self.watched_anew.entry(next_look_at).or_default().push(request.id);
            }
            Some(Watch::Over) => self.unwatched.push(request.id),
        }
        self.requests.push(request);
        self.events.extend(events);
    }
}

/// Debt requests that the transaction holds already, with what belongs to them.
async fn with_history(conn: &mut Conn, requests: Vec<DebtRequest>, now: DateTime<Utc>) -> Result<Vec<Case>> {
    let ids: Vec<_> = requests.iter().map(|request| request.id).collect();
    let mut answers: HashMap<DebtRequestId, Vec<Answer>> = HashMap::new();
    for answer in answers::of_requests(conn, &ids).await? {
        answers.entry(answer.debt_request).or_default().push(answer);
    }
    let mut submissions: HashMap<DebtRequestId, Vec<Submission>> = HashMap::new();
    for submission in submissions::of_requests(conn, &ids).await? {
        submissions.entry(submission.debt_request).or_default().push(submission);
    }
    let case = |request: DebtRequest| Case {
        answers: answers.remove(&request.id).unwrap_or_default(),
        submissions: submissions.remove(&request.id).unwrap_or_default(),
        request,
        now,
        changed: Changed::default(),
        events: Vec::new(),
    };
    Ok(requests.into_iter().map(case).collect())
}

/// A span for each step of an answer, in the trace of the request that submitted it: the calls between belong to the trace
/// of one answer of their package only.
fn mark(answer: &Answer) {
    let span =
        tracing::info_span!(parent: None, "answer", answer = %answer.id, state = answer.state.as_str());
    if let Some(trace) = &answer.trace {
        trace::continue_in(&span, trace);
    }
    span.in_scope(|| tracing::info!("the answer has moved on"));
}

/// Brings the summary of its answers (every revision, newest first) into the row, and what follows from them.
pub(crate) fn summarize(request: &mut DebtRequest, answers: &[Answer]) {
    let all_but = |left_out: &[State]| -> Vec<_> {
        answers.iter().filter(|answer| !left_out.contains(&answer.state)).collect()
    };
    // A cancelled answer leaves things as they were without it.
    let mut answers = all_but(&[State::Superseded, State::Cancelled]);
    if answers.is_empty() {
        answers = all_but(&[State::Superseded]);
    }
    request.answer = answers.first().map(|answer| AnswerSummary {
        id: answer.id,
        state: answer.state,
        has_debt: answer.content.has_debt(),
        updated_at: answer.updated_at,
    });
    let states: Vec<_> = answers.iter().map(|answer| answer.state).collect();
    let status = request.gis.response_status;
    let gone = request.stage == Stage::Gone;
    // A draft says nothing yet about what is in force.
    let last = answers.iter().find(|answer| !answer.state.is_editable());
    let alarm = request.alarm.is_some() || last.is_some_and(|answer| contradicts(request, answer));
    request.stage = debt_request::stage(status, &states, gone, alarm);
    request.answered = debt_request::answered(status, &states);
}

/// Whether GIS shows an answer in force that is not the delivered one.
pub(crate) fn contradicts(request: &DebtRequest, answer: &Answer) -> bool {
    let Some(shown) = request.shown.as_ref() else { return false };
    let in_force = match request.gis.response_status {
        ResponseStatus::Sent => true,
        ResponseStatus::NotSent | ResponseStatus::AutoGenerated | ResponseStatus::Unknown => false,
    };
    let differs = shown.content_hash.as_ref().is_some_and(|hash| *hash != answer.content_hash);
    // What was asked for before the answer was delivered shows the past.
    let later = answer.settled_at.is_some_and(|settled| shown.viewed_at > settled);
    answer.state == State::Delivered && in_force && differs && later
}

const fn event_of(change: Change, state: State) -> Option<EventKind> {
    match change {
        Change::Complete | Change::Unsubmit => Some(EventKind::AnswerPrepared),
        Change::Return => Some(EventKind::AnswerReturned),
        Change::Submit => Some(EventKind::AnswerQueued),
        Change::Cancel => Some(EventKind::AnswerCancelled),
        Change::Supersede => Some(EventKind::AnswerSuperseded),
        Change::Claim => Some(EventKind::AnswerSending),
        Change::NotSent { .. } => match state {
            State::Uncertain => Some(EventKind::AnswerUncertain),
            State::Draft
            | State::Prepared
            | State::Queued
            | State::Sending
            | State::Accepted
            | State::Delivered
            | State::Rejected
            | State::Revoking
            | State::Revoked
            | State::Cancelled
            | State::Superseded => Some(EventKind::AnswerQueued),
        },
        Change::Acknowledge => Some(EventKind::AnswerAccepted),
        Change::LoseSight => Some(EventKind::AnswerUncertain),
        Change::Deliver => Some(EventKind::AnswerDelivered),
        Change::Reject => Some(EventKind::AnswerRejected),
        Change::BeginRevoke => Some(EventKind::AnswerRevoking),
        Change::Revoke | Change::Vanish => Some(EventKind::AnswerRevoked),
        Change::RevokeFailed => Some(EventKind::AnswerRevokeFailed),
    }
}
