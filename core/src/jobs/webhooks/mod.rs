//! Sends events to the addresses of clients (`api.md` §13). An endpoint is served by one worker at a time, which holds it by a
//! lease: it notes what the log has for it, sends what is due, and notes what came of it. Who dies in between sends some events
//! twice, under the same identifier.
//!
//! An endpoint that fails is asked with one event at a time and rests in between, so that nobody else waits for its silence;
//! as soon as it takes an event, what waits for it is sent.

mod sender;
mod signature;

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::Instant;

pub(super) use self::sender::Sender;
use super::{Report, Worker};
use crate::domain::event::{Event, EventKind, NewEvent};
use crate::domain::webhook_delivery::{Attempt, DeliveryFailure, WebhookDelivery};
use crate::domain::webhook_endpoint::{DisabledReason, WebhookEndpoint};
use crate::store::{Tx, events, webhook_deliveries, webhook_endpoints};
use crate::{Error, Result};

/// Endpoints served at once.
const ENDPOINTS: i64 = 16;
/// Events of the log looked at together, and attempts in one activation.
const BATCH: usize = 100;
/// Attempts at one endpoint at once.
const AT_ONCE: usize = 4;
/// No new attempt is begun after so long: others wait for the end of the activation.
const ENOUGH: Duration = Duration::from_secs(15);
/// Longer than the last attempts can take.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// The least time between two attempts at an endpoint that fails: at first, and when it has failed for longer.
const SHORTEST_REST: TimeDelta = TimeDelta::seconds(5);
const LONGEST_REST: TimeDelta = TimeDelta::seconds(60);
/// When an endpoint takes events again, all that was tried last so long ago is due at once.
const LONG_AGO: TimeDelta = TimeDelta::minutes(30);
/// Most events that wait for one endpoint as deliveries; the rest waits in the log.
const MOST_WAITING: i64 = 10_000;

pub(crate) async fn activate(worker: &Worker) -> Result<Report> {
    let endpoints = claim(worker).await?;
    // All of them come to their ends before the first error is told.
    let served = join_all(endpoints.into_iter().map(|endpoint| serve(worker, endpoint))).await;
    let moved = served.into_iter().sum::<Result<u64>>()?;
    let mut conn = worker.service.db.read().await?;
    let next = webhook_endpoints::next_due(&mut conn, worker.now()).await?;
    Ok(Report { done: moved, next, detail: json!({ "moved": moved }) })
}

/// Nothing is written where nobody has an endpoint: events come often.
async fn claim(worker: &Worker) -> Result<Vec<WebhookEndpoint>> {
    let any = {
        let mut conn = worker.service.db.read().await?;
        webhook_endpoints::any(&mut conn).await?
    };
    if !any {
        return Ok(Vec::new());
    }
    // What is wrong on our side is no failure of theirs.
    worker.sender.prepare().await.map_err(Error::internal)?;
    let now = worker.now();
    let mut tx = worker.service.db.begin().await?;
    let lease = (worker.id, now, now + LEASE);
    let endpoints = webhook_endpoints::claim(&mut tx, lease, ENDPOINTS).await?;
    tx.commit().await?;
    Ok(endpoints)
}

/// How many events were noted, passed over or tried.
async fn serve(worker: &Worker, endpoint: WebhookEndpoint) -> Result<u64> {
    let (noted, due) = match note_news(worker, &endpoint).await? {
        Some(noted) => (noted, due(worker, &endpoint).await?),
        None => (0, Vec::new()),
    };
    let tried = send(worker, &endpoint, due).await;
    let count = noted + tried.len();
    record(worker, &endpoint, tried).await?;
    Ok(u64::try_from(count).unwrap_or(u64::MAX))
}

/// Makes deliveries of what the log has for the endpoint, as far as one look goes; how many events it was. `None` when its owner
/// has changed it meanwhile: then it is looked at anew.
async fn note_news(worker: &Worker, endpoint: &WebhookEndpoint) -> Result<Option<usize>> {
    let mut tx = worker.service.db.begin().await?;
    let (from, head) = (endpoint.last_sequence, events::head(&mut tx).await?);
    if from >= head || webhook_deliveries::is_crowded(&mut tx, endpoint.id, MOST_WAITING).await? {
        return Ok(Some(0));
    }
    let (news, to) = look(&mut tx, endpoint, (from, head)).await?;
    if !webhook_endpoints::advance(&mut tx, (endpoint.id, worker.id), (from, to)).await? {
        return Ok(None);
    }
    let now = worker.now();
    let wanted = news.iter().filter(|event| endpoint.wants(event));
    let deliveries: Vec<_> =
        wanted.map(|event| WebhookDelivery::due(endpoint.id, event.sequence, now)).collect();
    webhook_deliveries::save(&mut tx, &deliveries).await?;
    tx.commit().await?;
    Ok(Some(news.len()))
}

/// Events behind a place in the log, and how far they reach.
async fn look(
    tx: &mut Tx,
    endpoint: &WebhookEndpoint,
    (from, head): (i64, i64),
) -> Result<(Vec<Event>, i64)> {
    let mut kinds = endpoint.kinds();
    if !kinds.is_empty() {
        kinds.push(EventKind::WebhookTest);
    }
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let found = events::page(tx, endpoint.organization, (from, head), &kinds, limit).await?;
    let last = found.last().map(|event| event.sequence).filter(|_| found.len() == BATCH);
    Ok((found, last.unwrap_or(head)))
}

/// What is to be sent now, with the events.
async fn due(worker: &Worker, endpoint: &WebhookEndpoint) -> Result<Vec<(WebhookDelivery, Event)>> {
    let limit = if endpoint.failing_since.is_some() { 1 } else { BATCH };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut conn = worker.service.db.read().await?;
    let due = webhook_deliveries::due(&mut conn, endpoint.id, worker.now(), limit).await?;
    let numbers: Vec<_> = due.iter().map(|delivery| delivery.sequence).collect();
    let found = events::numbered(&mut conn, &numbers).await?;
    let mut found: HashMap<_, _> = found.into_iter().map(|event| (event.sequence, event)).collect();
    let with_event = |delivery: WebhookDelivery| {
        let event = found.remove(&delivery.sequence)?;
        Some((delivery, event))
    };
    Ok(due.into_iter().filter_map(with_event).collect())
}

/// Sends some at a time until one fails or it is enough.
async fn send(
    worker: &Worker,
    endpoint: &WebhookEndpoint,
    due: Vec<(WebhookDelivery, Event)>,
) -> Vec<(WebhookDelivery, Attempt)> {
    let began = Instant::now();
    let mut tried = Vec::with_capacity(due.len());
    for some in due.chunks(AT_ONCE) {
        let attempts = some.iter().map(async |(delivery, event)| {
            let attempt = worker.sender.send(endpoint, event, worker.now()).await;
            (delivery.clone(), attempt)
        });
        tried.extend(join_all(attempts).await);
        if began.elapsed() > ENOUGH || tried.iter().any(|(_, attempt)| attempt.failure.is_some()) {
            break;
        }
    }
    tried
}

/// Notes what came of the attempts and lets the endpoint go.
async fn record(
    worker: &Worker,
    endpoint: &WebhookEndpoint,
    tried: Vec<(WebhookDelivery, Attempt)>,
) -> Result<()> {
    let now = worker.now();
    let mut tx = worker.service.db.begin().await?;
    // Its owner may have deleted it meanwhile, or the lease was over.
    let Some(held) = webhook_endpoints::hold(&mut tx, endpoint.id, Some(worker.id)).await? else {
        return Ok(());
    };
    let mut attempts: Vec<_> = tried.iter().map(|(_, attempt)| *attempt).collect();
    let deliveries: Vec<_> =
        tried.into_iter().map(|(delivery, attempt)| delivery.tried(attempt, now)).collect();
    webhook_deliveries::save(&mut tx, &deliveries).await?;
    count(&attempts);
    if held.url != endpoint.url {
        // What the old address has said is no verdict on the new one.
        attempts.clear();
    }
    let after = judged(held.clone(), &attempts, now);
    if held.failing_since.is_some() && after.failing_since.is_none() {
        webhook_deliveries::hasten(&mut tx, endpoint.id, now - LONG_AGO, now).await?;
    }
    if !after.enabled {
        webhook_deliveries::give_up(&mut tx, endpoint.id).await?;
    }
    webhook_endpoints::switch(&mut tx, &after).await?;
    webhook_endpoints::release(&mut tx, endpoint.id, worker.id, now).await?;
    if held.enabled && !after.enabled {
        events::append(&mut tx, &[disabled(&after)], now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The endpoint after attempts.
fn judged(mut endpoint: WebhookEndpoint, attempts: &[Attempt], now: DateTime<Utc>) -> WebhookEndpoint {
    if !endpoint.enabled || attempts.is_empty() {
        return endpoint;
    }
    if attempts.iter().any(|attempt| attempt.failure.is_none()) {
        endpoint.forgive();
    } else {
        let since = *endpoint.failing_since.get_or_insert(now);
        endpoint.rest_until = Some(now + (now - since).clamp(SHORTEST_REST, LONGEST_REST));
    }
    let reason = if attempts.iter().any(|attempt| attempt.says_gone()) {
        Some(DisabledReason::Gone)
    } else {
        endpoint.is_hopeless(now).then_some(DisabledReason::Failing)
    };
    if reason.is_some() {
        endpoint.disable(reason);
        (endpoint.version, endpoint.updated_at) = (endpoint.version + 1, now);
    }
    endpoint
}

fn disabled(endpoint: &WebhookEndpoint) -> NewEvent {
    NewEvent {
        organization: endpoint.organization,
        kind: EventKind::WebhookDisabled,
        debt_request: None,
        answer: None,
        data: json!({ "webhook_endpoint_id": endpoint.id, "reason": endpoint.disabled_reason }),
    }
}

fn count(attempts: &[Attempt]) {
    for attempt in attempts {
        let outcome = attempt.failure.map_or("succeeded", DeliveryFailure::as_str);
        metrics::counter!("debtgate_webhook_attempts_total", "outcome" => outcome).increment(1);
    }
}
