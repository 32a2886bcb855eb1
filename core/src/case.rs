//! One debt request at work: held by the transaction, with every change of its answers, the events that tell of them, and
//! the summary in its row that the list shows. Use cases and jobs change answers only through a [`Case`], so the three
//! never part.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::domain::answer::{Answer, Change, State};
use crate::domain::debt_request::{self, AnswerSummary, DebtRequest, ResponseStatus, Stage};
use crate::domain::event::{EventKind, NewEvent};
use crate::error::{Error, Result};
use crate::ids::{DebtRequestId, OrganizationId};
use crate::store::{Conn, answers, debt_requests, events};
use crate::trace;

/// A debt request that the transaction holds.
#[derive(Debug)]
pub(crate) struct Case {
    /// The request; [`close`](Self::close) writes it.
    pub(crate) request: DebtRequest,
    now: DateTime<Utc>,
    events: Vec<NewEvent>,
}

impl Case {
    /// Takes a debt request of an organisation; `None` when there is none, or it is somebody else's.
    pub(crate) async fn open(
        conn: &mut Conn,
        organization: OrganizationId,
        id: DebtRequestId,
        now: DateTime<Utc>,
    ) -> Result<Option<Self>> {
        let request = debt_requests::lock(conn, organization, id).await?;
        Ok(request.map(|request| Self::of(request, now)))
    }

    /// A debt request that the transaction holds already.
    pub(crate) const fn of(request: DebtRequest, now: DateTime<Utc>) -> Self {
        Self { request, now, events: Vec::new() }
    }

    /// The time of this transaction.
    pub(crate) const fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Stores a new answer.
    pub(crate) async fn insert(&mut self, conn: &mut Conn, answer: &Answer) -> Result<()> {
        answers::insert(conn, answer).await?;
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
        self.tell(kind, Some(answer));
        Ok(())
    }

    /// Moves an answer on and stores it. What else changes with the state (error, next check, …) the caller has put into
    /// the answer before.
    ///
    /// # Errors
    /// A change that does not fit the state is our own mistake here: use cases look at the state before.
    pub(crate) async fn apply(&mut self, conn: &mut Conn, answer: &mut Answer, change: Change) -> Result<()> {
        answer.apply(change, self.now).map_err(Error::internal)?;
        answers::update(conn, answer).await?;
        mark(answer);
        if let Some(kind) = event_of(change, answer.state) {
            self.tell(kind, Some(answer));
        }
        Ok(())
    }

    /// Stores an answer that changed in something else than its state.
    pub(crate) async fn update(&mut self, conn: &mut Conn, answer: &mut Answer) -> Result<()> {
        answer.touch(self.now);
        answers::update(conn, answer).await?;
        Ok(())
    }

    /// Notes an event about the request, or about an answer to it.
    pub(crate) fn tell(&mut self, kind: EventKind, answer: Option<&Answer>) {
        let data = match answer {
            None => json!({}),
            Some(answer) => json!({
                "external_id": answer.external_id.as_ref().map(ToString::to_string),
                "state": answer.state.as_str(),
                "is_final": answer.state.is_final(),
            }),
        };
        self.tell_with(kind, answer, data);
    }

    /// Notes an event with data of its own; no personal data.
    pub(crate) fn tell_with(&mut self, kind: EventKind, answer: Option<&Answer>, data: serde_json::Value) {
        self.events.push(NewEvent {
            organization: self.request.organization,
            kind,
            debt_request: Some(self.request.id),
            answer: answer.map(|answer| answer.id),
            data,
        });
    }

    /// Brings the summary up to date and writes the request with its events.
    pub(crate) async fn close(mut self, conn: &mut Conn) -> Result<DebtRequest> {
        let current = answers::current(conn, self.request.organization, self.request.id).await?;
        summarize(&mut self.request, current.as_ref());
        self.request.version += 1;
        self.request.updated_at = self.now;
        debt_requests::save(conn, &self.request).await?;
        events::append(conn, &self.events, self.now).await?;
        Ok(self.request)
    }
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

/// Brings the summary of the current answer into the row, and what follows from it.
pub(crate) fn summarize(request: &mut DebtRequest, current: Option<&Answer>) {
    request.answer = current.map(|answer| AnswerSummary {
        id: answer.id,
        state: answer.state,
        has_debt: answer.content.has_debt(),
        updated_at: answer.updated_at,
    });
    request.draft = current.filter(|answer| answer.state.is_editable()).map(|answer| answer.id);
    let state = current.map(|answer| answer.state);
    let status = request.gis.response_status;
    let gone = request.stage == Stage::Gone;
    let alarm = request.alarm.is_some() || contradicts(request, current);
    request.stage = debt_request::stage(status, state, gone, alarm);
    request.answered = debt_request::answered(status, state);
}

/// Whether GIS shows an answer in force that is not the delivered one.
pub(crate) fn contradicts(request: &DebtRequest, current: Option<&Answer>) -> bool {
    let (Some(answer), Some(shown)) = (current, request.shown.as_ref()) else { return false };
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
        Change::Complete => Some(EventKind::AnswerPrepared),
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
        Change::Revoke => Some(EventKind::AnswerRevoked),
        Change::RevokeFailed => Some(EventKind::AnswerRevokeFailed),
    }
}
