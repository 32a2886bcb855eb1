//! Lets calls of GIS through: at most `gis.parallel` at once, none while the circuit of its operation is open, and after an
//! idle spell or a failure a harmless GET first, so that an outage meets the GET and not an answer (`api.md` §6.5).
//!
//! The circuits are rows, shared by all instances and seen by the status page; what this process alone knows is when GIS
//! last gave it a sign of life.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use gis_client::Fate;
use gis_client::cadence::{Circuit, CircuitEvent};
use serde_json::json;
use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit};

use super::calls::{after, error_of_call};
use super::{JobName, Worker};
use crate::domain::answer::{GisWords, LastError};
use crate::domain::event::{EventKind, NewEvent};
use crate::settings::GisSettings;
use crate::store::gis_operations::{self, Operation, OperationHealth};
use crate::store::{Conn, Tx, events, organizations};
use crate::{Error, Result};

/// So long after a sign of life a call is made without a GET before it.
const FRESH: TimeDelta = TimeDelta::seconds(60);
/// How exactly the row says when GIS last answered: not every call needs to write it.
const PRECISION: TimeDelta = TimeDelta::seconds(10);

/// Lets calls of GIS through.
#[derive(Debug)]
pub struct Gate {
    places: Semaphore,
    /// The last sign of life, none after a failure. Held during a GET, so that a burst makes one.
    alive: Mutex<Option<DateTime<Utc>>>,
}

/// Whether a call may be made.
pub(crate) enum Entry<'a> {
    /// It may. Take the lease now, commit, call, and [`Pass::leave`] with the outcome.
    Open(Pass<'a>),
    /// It may not, nothing was sent; not before this time.
    Closed {
        /// When to try again.
        until: DateTime<Utc>,
    },
}

/// The right to make one call; dropping it without [`leave`](Self::leave) gives it back and says nothing of GIS.
pub(crate) struct Pass<'a> {
    worker: &'a Worker,
    operation: Operation,
    began: DateTime<Utc>,
    stopwatch: Instant,
    _place: SemaphorePermit<'a>,
}

impl Gate {
    /// A gate with these manners.
    #[must_use]
    pub fn new(settings: &GisSettings) -> Self {
        Self { places: Semaphore::new(settings.parallel.max(1)), alive: Mutex::new(None) }
    }
}

impl Worker {
    /// Whether calls are held back now, and until when. Asks nobody and waits for nothing.
    pub(crate) async fn closed_until(&self, operation: Operation) -> Result<Option<DateTime<Utc>>> {
        let now = self.now();
        let mut conn = self.service.db.read().await?;
        let circuit = health(&mut conn, operation, now).await?.circuit;
        Ok(circuit.next_call().filter(|until| *until > now))
    }

    /// Asks for the right to make one call; waits for a free place.
    pub(crate) async fn enter(&self, operation: Operation) -> Result<Entry<'_>> {
        let place = self.gate.places.acquire().await.map_err(Error::internal)?;
        let alive = self.gate.alive.lock().await;
        let now = self.now();
        let circuit = {
            let mut conn = self.service.db.read().await?;
            health(&mut conn, operation, now).await?.circuit
        };
        if let Some(until) = circuit.next_call().filter(|until| *until > now) {
            return Ok(Entry::Closed { until });
        }
        let fresh = alive.is_some_and(|time| now - time < FRESH);
        if !(fresh && is_closed(circuit))
            && let Some(until) = self.probe(operation, alive).await?
        {
            return Ok(Entry::Closed { until });
        }
        Ok(Entry::Open(Pass {
            worker: self,
            operation,
            began: now,
            stopwatch: Instant::now(),
            _place: place,
        }))
    }

    /// The harmless GET; with a time when it failed.
    async fn probe(
        &self,
        operation: Operation,
        mut alive: MutexGuard<'_, Option<DateTime<Utc>>>,
    ) -> Result<Option<DateTime<Utc>>> {
        let began = self.now();
        self.note_event(operation, CircuitEvent::Started, None).await?;
        let Err(error) = self.gis.probe().await else {
            *alive = Some(began);
            return Ok(None);
        };
        *alive = None;
        drop(alive);
        let now = self.now();
        tracing::warn!(%operation, %error, "GIS gave no sign of life; the call is put off");
        let failed = CircuitEvent::Failed { began, jitter: rand::random() };
        let circuit = self.note_event(operation, failed, Some(words(&error, now))).await?;
        Ok(Some(match circuit {
            Circuit::Closed { failures } => {
                after(now, self.service.settings.gis.backoff.wait(failures, rand::random()))
            }
            Circuit::Open { until, .. } | Circuit::HalfOpen { until, .. } => until,
        }))
    }

    /// Brings an event into the row of an operation, with what follows from it.
    async fn note_event(
        &self,
        operation: Operation,
        event: CircuitEvent,
        error: Option<LastError>,
    ) -> Result<Circuit> {
        let now = self.now();
        let policy = &self.service.settings.gis.circuit;
        let before = {
            let mut conn = self.service.db.read().await?;
            health(&mut conn, operation, now).await?
        };
        if moved(&before, event, error.clone(), now, policy) == before {
            return Ok(before.circuit);
        }
        let mut tx = self.service.db.begin().await?;
        // Another instance may have moved it in between.
        let before = health(&mut tx, operation, now).await?;
        let health = moved(&before, event, error, now, policy);
        gis_operations::save(&mut tx, &health, now).await?;
        match (is_closed(before.circuit), is_closed(health.circuit)) {
            (true, false) => announce(&mut tx, EventKind::GisDegraded, operation, now).await?,
            (false, true) => {
                announce(&mut tx, EventKind::GisRecovered, operation, now).await?;
                JobName::ALL.iter().for_each(|job| tx.wake(*job));
            }
            (true, true) | (false, false) => {}
        }
        tx.commit().await?;
        Ok(health.circuit)
    }
}

impl Pass<'_> {
    /// Gives the right back and notes how GIS behaved.
    pub(crate) async fn leave<T>(self, outcome: std::result::Result<&T, &gis_client::Error>) -> Result<()> {
        let now = self.worker.now();
        self.measure(outcome.err());
        let (event, error) = match outcome {
            Ok(_) => (CircuitEvent::Answered, None),
            Err(error) if error.is_outage() => {
                let failed = CircuitEvent::Failed { began: self.began, jitter: rand::random() };
                (failed, Some(words(error, now)))
            }
            // It never came so far as to say something about GIS.
            Err(error) if error.fate() == Fate::NotSent => return Ok(()),
            Err(_) => (CircuitEvent::Answered, None),
        };
        *self.worker.gate.alive.lock().await = error.is_none().then_some(now);
        self.worker.note_event(self.operation, event, error).await?;
        Ok(())
    }

    fn measure(&self, error: Option<&gis_client::Error>) {
        let outcome = match error.map(gis_client::Error::fate) {
            None => "answered",
            Some(Fate::NotSent) => "not_sent",
            Some(Fate::Unknown) => "unknown",
            Some(Fate::Refused) => "refused",
        };
        let labels = [("operation", self.operation.as_str()), ("outcome", outcome)];
        metrics::counter!("debtgate_gis_calls_total", &labels).increment(1);
        metrics::histogram!("debtgate_gis_call_seconds", &labels).record(self.stopwatch.elapsed());
        if let Some(error) = error {
            tracing::warn!(operation = %self.operation, %error, "call of GIS failed");
        }
    }
}

/// What the status page says of an outage; of GIS's own words the code alone, for every organisation reads it.
fn words(error: &gis_client::Error, now: DateTime<Utc>) -> LastError {
    let error = error_of_call(error, now);
    let gis = error.gis.map(|words| GisWords { description: String::new(), message_guid: None, ..words });
    LastError { gis, ..error }
}

const fn is_closed(circuit: Circuit) -> bool {
    matches!(circuit, Circuit::Closed { .. })
}

async fn health(conn: &mut Conn, operation: Operation, now: DateTime<Utc>) -> Result<OperationHealth> {
    let known = gis_operations::all(conn).await?;
    let found = known.into_iter().find(|health| health.operation == operation);
    Ok(found.unwrap_or_else(|| OperationHealth {
        operation,
        circuit: Circuit::default(),
        since: now,
        last_success_at: None,
        last_error: None,
    }))
}

/// The row after an event; the same row when there is nothing worth a write.
fn moved(
    before: &OperationHealth,
    event: CircuitEvent,
    error: Option<LastError>,
    now: DateTime<Utc>,
    policy: &gis_client::cadence::CircuitPolicy,
) -> OperationHealth {
    let circuit = before.circuit.after(event, now, policy);
    let turned = is_closed(circuit) != is_closed(before.circuit);
    let answered = matches!(event, CircuitEvent::Answered);
    let old = before.last_success_at.is_none_or(|time| now - time >= PRECISION);
    OperationHealth {
        operation: before.operation,
        circuit,
        since: if turned { now } else { before.since },
        last_success_at: if answered && (old || turned) { Some(now) } else { before.last_success_at },
        last_error: error.or_else(|| before.last_error.clone()),
    }
}

/// Tells every organisation.
async fn announce(tx: &mut Tx, kind: EventKind, operation: Operation, now: DateTime<Utc>) -> Result<()> {
    tracing::warn!(%operation, "{}", kind.label());
    let organizations = organizations::list(tx).await?;
    let news: Vec<_> = organizations
        .into_iter()
        .map(|organization| NewEvent {
            organization: organization.id,
            kind,
            debt_request: None,
            answer: None,
            data: json!({ "operation": operation.as_str() }),
        })
        .collect();
    events::append(tx, &news, now).await?;
    Ok(())
}
