//! Asks GIS what became of messages and hands the results to whoever waits for them; takes over messages whose worker is
//! gone.
//!
//! What must stay true: a poll is a question about a message and says nothing about its answers, so no failed poll ends
//! anything before the patience with the message is over; and GIS is never asked earlier than its schedule allows, counted
//! from the last contact (Q1).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use gis_client::debt_requests::{GisError, Progress, State, SubrequestPage};
use gis_client::error::CodeClass;
use gis_client::{Call, Fate, Repeat, Verdict};
use serde_json::json;
use tracing::Instrument;

use super::calls::{Lease, after, error_of_call, error_of_gis, service_error};
use super::gate::{Entry, Pass};
use super::journal::Journal;
use super::{Report, Worker, exports, results};
use crate::crash::Point;
use crate::domain::answer::LastError;
use crate::domain::evidence::Part;
use crate::domain::last_error_code::LastErrorCode;
use crate::domain::message::{Kind, Message, MessageState};
use crate::domain::submission::SubmissionState;
use crate::ids::MessageId;
use crate::store::gis_operations::Operation;
use crate::store::{answers, messages, organizations};
use crate::{Error, Result, trace};

/// So long after its acknowledgement an import without a result is found out by reading GIS (`api.md` §6.11).
const PATIENCE_IMPORT: Duration = Duration::from_secs(24 * 3600);
/// An export changes nothing in GIS and is asked for anew much earlier (Q3).
const PATIENCE_EXPORT: Duration = Duration::from_secs(6 * 3600);
/// Messages taken over in one activation; each is a few writes.
const MOST_ABANDONED: i64 = 20;

pub(crate) async fn activate(worker: &Worker) -> Result<Report> {
    // A message that nobody can take over must not stop the polls.
    let abandoned = take_over(worker).await;
    let (polled, closed) = match worker.closed_until(Operation::GetState).await? {
        Some(until) => (0, Some(until)),
        None => (poll_due(worker).await?, None),
    };
    let abandoned = abandoned?;
    let mut conn = worker.service.db.read().await?;
    let due = messages::next_due(&mut conn).await?;
    Ok(Report {
        done: abandoned + polled,
        next: due.map(|due| closed.map_or(due, |until| due.max(until))),
        detail: json!({ "polled": polled, "abandoned": abandoned }),
    })
}

/// Messages in `sending` whose lease is over: nobody knows whether GIS has them.
async fn take_over(worker: &Worker) -> Result<u64> {
    let lease = worker.lease();
    let mut tx = worker.service.db.begin().await?;
    let messages =
        messages::claim_abandoned(&mut tx, worker.id, worker.now(), lease.until, MOST_ABANDONED).await?;
    tx.commit().await?;
    let mut taken = 0;
    for message in messages {
        tracing::warn!(message = %message.id, kind = %message.purpose.kind(), "the worker of a message is gone");
        match message.purpose.kind() {
            Kind::Import => results::abandoned(worker, &message).await?,
            Kind::Page | Kind::Look => {
                let error = service_error(LastErrorCode::WorkerGone, "отправка прервалась".to_owned());
                exports::put_off(worker, &message, MessageState::Lost, Some(error), worker.now()).await?;
            }
        }
        taken += 1;
    }
    Ok(taken)
}

/// Asks about those that are due. There are more lanes than calls that GIS takes at once: while some call, others record.
async fn poll_due(worker: &Worker) -> Result<u64> {
    let over = AtomicBool::new(false);
    let lanes = (0..worker.lanes()).map(|_| poll_one_after_the_other(worker, &over));
    // One message that we cannot cope with must not stop the others.
    join_all(lanes).await.into_iter().sum()
}

/// Until one lane finds nothing due: what becomes due while the others finish is for the next activation, and for all lanes.
async fn poll_one_after_the_other(worker: &Worker, over: &AtomicBool) -> Result<u64> {
    let mut polled = 0;
    while !over.load(Ordering::Relaxed) {
        let Some((message, lease)) = claim(worker).await? else {
            over.store(true, Ordering::Relaxed);
            break;
        };
        poll(worker, message, &lease).await?;
        polled += 1;
    }
    Ok(polled)
}

/// The message that has been due longest; the lease counts from now.
async fn claim(worker: &Worker) -> Result<Option<(Message, Lease)>> {
    let lease = worker.lease();
    let mut tx = worker.service.db.begin().await?;
    let claimed = messages::claim_polls(&mut tx, worker.id, worker.now(), lease.until, 1).await?.pop();
    tx.commit().await?;
    Ok(claimed.map(|message| (message, lease)))
}

async fn poll(worker: &Worker, message: Message, lease: &Lease) -> Result<()> {
    let pass = match worker.enter(Operation::GetState).await? {
        Entry::Open(pass) => pass,
        Entry::Closed { until } => return put_off(worker, message, until).await,
    };
    let Some(gis) = message.gis_guid else {
        return Err(Error::internal("an accepted message without the GUID that GIS gave"));
    };
    let call = match caller(worker, &message, lease).await? {
        Ok(call) => call,
        Err(error) => return failed(worker, message, error, Repeat::AfterRepair).await,
    };
    let span = tracing::info_span!("get_state", message = %message.id, kind = %message.purpose.kind());
    if let Some(trace) = &message.trace {
        trace::continue_in(&span, trace);
    }
    let journal = Journal::new(worker, message.id, Part::Result);
    let call = if message.purpose.kind() == Kind::Import { journal.of(call) } else { call };
    ask(worker, pass, message, &call, gis.into(), &journal).instrument(span).await
}

async fn ask(
    worker: &Worker,
    pass: Pass<'_>,
    message: Message,
    call: &Call,
    gis: gis_client::ids::GisMessageId,
    journal: &Journal,
) -> Result<()> {
    let outcome = worker.gis.get_state(call, gis).await;
    pass.leave(outcome.as_ref()).await?;
    // Before the result is recorded: after that nobody asks GIS again.
    if is_last_word(&outcome) {
        journal.keep_reply().await;
    }
    match outcome {
        Ok(state) => heard(worker, message, state).await,
        Err(gis_client::Error::Fault(fault)) if fault.gis_code().class() == CodeClass::UnknownMessage => {
            lost(worker, &message, Some(error_of_gis(&fault, message.gis_guid, worker.now()))).await
        }
        Err(error) if error.is_empty_export() && message.purpose.kind() != Kind::Import => {
            exports::hand_over(worker, &message, SubrequestPage::default()).await
        }
        Err(error) => {
            let words = error_of_call(&error, worker.now());
            failed(worker, message, words, error.repeat()).await
        }
    }
}

/// Whether GIS is not asked about the message any more.
fn is_last_word(outcome: &std::result::Result<State, gis_client::Error>) -> bool {
    match outcome {
        Ok(State { progress, .. }) => !matches!(progress, Progress::Received | Progress::Processing),
        Err(gis_client::Error::Fault(fault)) => fault.gis_code().class() == CodeClass::UnknownMessage,
        Err(_) => false,
    }
}

async fn caller(
    worker: &Worker,
    message: &Message,
    lease: &Lease,
) -> Result<std::result::Result<Call, LastError>> {
    let organization = {
        let mut conn = worker.service.db.read().await?;
        organizations::get(&mut conn, message.organization).await?
    };
    let organization = organization.ok_or_else(|| Error::internal("a message without its organisation"))?;
    let sender = worker.sender(&organization);
    Ok(sender.map(|sender| worker.call(&sender, MessageId::generate(), lease)))
}

/// GIS has told how far it is.
async fn heard(worker: &Worker, message: Message, state: State) -> Result<()> {
    match message.purpose.kind() {
        Kind::Import => match state.into_import_results() {
            Verdict::Pending => pending(worker, message).await,
            Verdict::Unclear => lost(worker, &message, None).await,
            verdict @ (Verdict::Done(_) | Verdict::Failed(_)) => {
                worker.service.reach(Point::ResultReceived);
                results::record(worker, &message, verdict).await
            }
        },
        Kind::Page | Kind::Look => match state.into_page() {
            Verdict::Pending => pending(worker, message).await,
            Verdict::Unclear => lost(worker, &message, None).await,
            Verdict::Done(page) => exports::hand_over(worker, &message, page).await,
            Verdict::Failed(error) => export_failed(worker, message, &error).await,
        },
    }
}

/// GIS is still at work.
async fn pending(worker: &Worker, message: Message) -> Result<()> {
    let now = worker.now();
    if is_overdue(&message, now) {
        return lost(worker, &message, None).await;
    }
    let polls = message.polls + 1;
    let schedule = &worker.service.settings.gis.poll_after;
    let next = schedule.next_poll(now, u32::try_from(polls).unwrap_or(u32::MAX));
    put_off(worker, Message { polls, failures: 0, error: None, ..message }, next).await?;
    worker.service.reach(Point::BetweenPolls);
    Ok(())
}

/// Whether its result has been waited for long enough: it will hardly come any more.
fn is_overdue(message: &Message, now: DateTime<Utc>) -> bool {
    let patience = match message.purpose.kind() {
        Kind::Import => PATIENCE_IMPORT,
        Kind::Page | Kind::Look => PATIENCE_EXPORT,
    };
    after(message.acknowledged_at.unwrap_or(message.sent_at), patience) <= now
}

/// The question failed, not the message: it is asked again, as late as the schedule and the failures demand. But GIS may
/// never answer a question about this message, and then nothing would ever follow from it.
async fn failed(worker: &Worker, message: Message, error: LastError, repeat: Repeat) -> Result<()> {
    if is_overdue(&message, worker.now()) {
        return lost(worker, &message, Some(error)).await;
    }
    let failures = message.failures + 1;
    let polls = u32::try_from(message.polls).unwrap_or(u32::MAX);
    let scheduled = worker.service.settings.gis.poll_after.next_poll(worker.now(), polls);
    // After one failure the schedule is wait enough, unless GIS wants more.
    let next = scheduled.max(worker.again(failures - 1, repeat));
    put_off(worker, Message { failures, error: Some(error), ..message }, next).await
}

/// Gives the message back until a time, which the answers that wait for it tell their clients.
async fn put_off(worker: &Worker, message: Message, until: DateTime<Utc>) -> Result<()> {
    let message = Message { next_poll_at: Some(until), worker: None, lease_until: None, ..message };
    let mut tx = worker.service.db.begin().await?;
    let carried = match message.purpose.kind() {
        Kind::Import => messages::carried(&mut tx, message.id).await?,
        Kind::Page | Kind::Look => Vec::new(),
    };
    if messages::update(&mut tx, &message, Some(worker.id)).await? {
        let waiting = carried.iter().filter(|submission| submission.state == SubmissionState::Accepted);
        let waiting: Vec<_> = waiting.map(|submission| submission.answer).collect();
        answers::set_next_check(&mut tx, &waiting, until).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// GIS does not know the message any more, or says neither yes nor no.
async fn lost(worker: &Worker, message: &Message, error: Option<LastError>) -> Result<()> {
    match message.purpose.kind() {
        Kind::Import => results::lost(worker, message).await,
        Kind::Page | Kind::Look => {
            exports::put_off(worker, message, MessageState::Lost, error, worker.now()).await.map(drop)
        }
    }
}

/// GIS could not do an export.
async fn export_failed(worker: &Worker, message: Message, error: &GisError) -> Result<()> {
    let words = error_of_gis(error, message.gis_guid, worker.now());
    // A page that GIS itself has named may be missing for a while (Q20).
    if error.fate() == Fate::Refused && !error.is_lost_page() {
        return exports::refuse(worker, &message, words).await.map(drop);
    }
    let message = exports::in_vain(message, error.is_lost_page());
    let again_at = worker.again(message.failures, error.repeat());
    exports::put_off(worker, &message, MessageState::Failed, Some(words), again_at).await.map(drop)
}
