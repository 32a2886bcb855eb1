//! Sends answers: a package for each organisation in turn, committed before its call (`api.md` §6.4, §6.10, §6.13).
//!
//! A package has one organisation and one kind (debt, no debt, withdrawals), because a refusal concerns it as a whole and a
//! front end that is busy means something else for a withdrawal. What must stay true: an answer in a package stands as
//! `sending` in the database before the first byte leaves, and every end of the call is brought into it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use futures_util::stream;
use gis_client::debt_requests::{Acknowledgement, ImportResponses};
use gis_client::envelope::Sender;
use serde_json::json;
use tracing::Instrument as _;

use super::calls::{acknowledge, after, error_of_call, finish, new_message};
use super::ends::{End, end_of_call};
use super::gate::Entry;
use super::items::{Item, hold};
use super::outcomes::record_end;
use super::packages::{self, Means};
use super::{JobName, Report, Worker};
use crate::domain::message::{Message, MessageState, Purpose};
use crate::domain::organization::{Employee, Organization};
use crate::domain::submission::{Submission, SubmissionState};
use crate::ids::OrganizationId;
use crate::store::gis_operations::Operation;
use crate::store::{Tx, answers, messages, organizations, submissions, watches};
use crate::{Error, Result, trace};

pub(crate) async fn activate(worker: &Worker) -> Result<Report> {
    let now = worker.now();
    let due = {
        let mut conn = worker.service.db.read().await?;
        submissions::organizations_due(&mut conn, now).await?
    };
    let turns = stream::iter(due).map(|(id, since, waiting)| turn(worker, id, since, waiting));
    // Collected whatever comes: no call may be broken off because another organisation's failed.
    let turns: Vec<Result<Turn>> =
        turns.buffer_unordered(worker.service.settings.gis.parallel.max(1)).collect().await;
    let mut all = Turn::default();
    for turn in turns {
        all = all.and(turn?);
    }
    let stored = {
        let mut conn = worker.service.db.read().await?;
        submissions::next_due(&mut conn).await?
    };
    let next = all.next.into_iter().chain(stored.filter(|next| *next > now)).min();
    Ok(Report { done: all.sent, next, detail: json!({ "sent": all.sent }) })
}

/// What was done for an organisation.
#[derive(Debug, Clone, Copy, Default)]
struct Turn {
    sent: u64,
    next: Option<DateTime<Utc>>,
}

impl Turn {
    const fn later(next: DateTime<Utc>) -> Self {
        Self { sent: 0, next: Some(next) }
    }

    fn and(self, other: Self) -> Self {
        Self { sent: self.sent + other.sent, next: self.next.into_iter().chain(other.next).min() }
    }
}

/// One package with debts and one without, withdrawals apart.
async fn turn(worker: &Worker, id: OrganizationId, since: DateTime<Utc>, waiting: i64) -> Result<Turn> {
    let settings = &worker.service.settings.gis;
    let filled = after(since, settings.package_linger);
    if filled > worker.now() && usize::try_from(waiting).is_ok_and(|waiting| waiting < settings.package_size)
    {
        return Ok(Turn::later(filled));
    }
    let organization = {
        let mut conn = worker.service.db.read().await?;
        organizations::get(&mut conn, id).await?
    };
    let Some(organization) = organization.filter(|organization| organization.halted.is_none()) else {
        return Ok(Turn::default());
    };
    let debts = send(worker, &organization, true).await?;
    Ok(debts.and(send(worker, &organization, false).await?))
}

async fn send(worker: &Worker, organization: &Organization, has_debt: bool) -> Result<Turn> {
    let settings = &worker.service.settings.gis;
    let now = worker.now();
    let today = now.with_timezone(&organization.time_zone).date_naive();
    let limit = i64::try_from(settings.package_size).unwrap_or(i64::MAX);
    let candidates = {
        let mut conn = worker.service.db.read().await?;
        submissions::claim(&mut conn, organization.id, has_debt, now, today, limit).await?
    };
    let chosen = choose(candidates, settings.package_size);
    if chosen.is_empty() {
        return Ok(Turn::default());
    }
    let sender = match worker.sender(organization) {
        Ok(sender) => sender,
        Err(error) => {
            tracing::error!(organization = %organization.id, code = error.code, "an organisation has no signer");
            return Ok(Turn::later(after(now, settings.backoff.longest)));
        }
    };
    match worker.enter(Operation::ImportResponses).await? {
        Entry::Closed { until } => Ok(Turn::later(until)),
        Entry::Open(pass) => {
            let lease = worker.lease();
            let message = new_message(worker, organization.id, Purpose::Import, None, &lease);
            let Some(package) = commit(worker, organization, &chosen, message).await? else {
                return Ok(Turn::default());
            };
            let sent = call(worker, &sender, &package, lease).await;
            let outcome = sent.as_ref();
            let recorded = record(worker, package.message, outcome.copied()).await;
            pass.leave(outcome).await?;
            recorded?;
            Ok(Turn { sent: package.size, next: None })
        }
    }
}

/// Those that may go together: of one kind, and apart from those that a refused package must be split into.
fn choose(candidates: Vec<Submission>, package_size: usize) -> Vec<Submission> {
    let Some(first) = candidates.first() else { return candidates };
    let (action, split) = (first.action, first.pack_limit.is_some());
    let mut limit = package_size.max(1);
    let mut chosen: Vec<Submission> = Vec::new();
    for candidate in candidates {
        let fits = candidate.action == action && candidate.pack_limit.is_some() == split;
        let bound = candidate.pack_limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(limit);
        if fits && chosen.len() < limit.min(bound) {
            limit = limit.min(bound.max(1));
            chosen.push(candidate);
        }
    }
    chosen
}

/// A package whose message and attempts are committed.
struct Package {
    message: Message,
    request: ImportResponses,
    size: u64,
    /// W3C `traceparent`s of the requests that submitted the answers.
    traces: BTreeSet<String>,
}

/// The first transaction: takes the submissions, makes the package and writes both down before the call.
async fn commit(
    worker: &Worker,
    organization: &Organization,
    chosen: &[Submission],
    mut message: Message,
) -> Result<Option<Package>> {
    let mut tx = worker.service.db.begin().await?;
    let held = hold(&mut tx, chosen, message.sent_at).await?;
    let means = means(&mut tx, worker, &held).await?;
    let staff = organizations::employees(&mut tx, organization.id).await?;
    let (mut attempts, mut actions, mut traces) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut called = Vec::new();
    for mut item in held.into_iter().filter(Item::may_begin) {
        if item.is_obsolete_repair() {
            item.give_up_repair(&mut tx).await?;
            item.close(&mut tx).await?;
            continue;
        }
        let executor = executor(&item, organization, &staff);
        match packages::action(&item.submission, &item.answer, executor, &means) {
            Ok(action) => {
                give_way(&mut tx, &item, message.sent_at).await?;
                item.begin(&mut tx, message.sent_at).await?;
                called.push(item.submission.debt_request);
                attempts.push((item.submission.id, item.submission.attempts));
                actions.push(action);
                traces.extend(item.answer.trace.clone());
            }
            Err(defect) if item.was_tried_before(message.sent_at) => {
                let look_at = after(message.sent_at, item.polite_wait(&worker.service.settings.gis));
                item.wait(&mut tx, look_at, Some(defect.into_error())).await?;
            }
            Err(defect) => {
                item.refused(&mut tx, &worker.service.settings.gis, defect.into_error()).await?;
            }
        }
        item.close(&mut tx).await?;
    }
    let size = u64::try_from(actions.len()).unwrap_or(u64::MAX);
    let request =
        if actions.is_empty() { None } else { Some(ImportResponses::new(actions).map_err(Error::internal)?) };
    message.trace = traces.first().cloned();
    if request.is_some() {
        // What GIS is called for a second time is watched afterwards.
        let again = messages::called_before(&mut tx, &called).await?;
        let look_at = after(message.sent_at, worker.service.settings.gis.view_lag);
        watches::note(&mut tx, organization.id, &again, message.sent_at, look_at).await?;
        messages::insert(&mut tx, &message, &attempts).await?;
    }
    tx.commit().await?;
    Ok(request.map(|request| Package { message, request, size, traces }))
}

/// A repair of an older action that is still queued is given up: this one decides what is in force.
async fn give_way(tx: &mut Tx, item: &Item, now: DateTime<Utc>) -> Result<()> {
    for mut other in submissions::open(tx, item.submission.debt_request).await? {
        let idle = other.state == SubmissionState::Queued && other.repairs > 0;
        if idle && other.id != item.submission.id {
            other.state = SubmissionState::Done;
            other.updated_at = now;
            submissions::update(tx, &other).await?;
        }
    }
    Ok(())
}

async fn means<'a>(tx: &mut Tx, worker: &'a Worker, items: &[Item]) -> Result<Means<'a>> {
    let ids: Vec<_> = items.iter().map(|item| item.answer.id).collect();
    let files = answers::files(tx, &ids).await?;
    let files = files.into_iter().map(|(_, file)| (file.id, file)).collect();
    Ok(Means { dictionaries: &worker.service.dictionaries, files })
}

/// Who answers: the one named in the answer, else who is responsible, else who stands in (`api.md` §17).
fn executor(
    item: &Item,
    organization: &Organization,
    staff: &[Employee],
) -> Option<gis_client::ids::ExecutorId> {
    let responsible = item.case.request.responsible;
    let named = [item.answer.executor, responsible, organization.default_executor];
    let mut known = named.into_iter().flatten().filter_map(|id| staff.iter().find(|person| person.id == id));
    known.find_map(|person| person.gis_guid).map(Into::into)
}

async fn call(
    worker: &Worker,
    sender: &Sender,
    package: &Package,
    lease: super::calls::Lease,
) -> std::result::Result<Acknowledgement, gis_client::Error> {
    let call = worker.call(sender, package.message.id, &lease);
    let span = tracing::info_span!("import_responses", message = %package.message.id, size = package.size);
    if let Some(trace) = &package.message.trace {
        trace::continue_in(&span, trace);
    }
    trace::link(&span, package.traces.iter().skip(1));
    worker.gis.import_responses(&call, &package.request).instrument(span).await
}

/// The second transaction: what became of the call.
async fn record(
    worker: &Worker,
    mut message: Message,
    outcome: std::result::Result<Acknowledgement, &gis_client::Error>,
) -> Result<()> {
    let known = carried(worker, &message).await?;
    let mut tx = worker.service.db.begin().await?;
    let items = hold(&mut tx, &known, worker.now()).await?;
    match outcome {
        Ok(acknowledgement) => {
            acknowledge(worker, &mut message, acknowledgement.message);
            let in_time = messages::update(&mut tx, &message, Some(worker.id)).await?;
            if !in_time && !acknowledge_late(&mut tx, worker, &message, acknowledgement).await? {
                return Ok(());
            }
            record_acknowledgement(&mut tx, &message, items, in_time).await?;
        }
        Err(error) => {
            let end = end_of_call(error);
            let words = error_of_call(error, worker.now());
            if !finish(&mut tx, worker, &message, state_after(end), Some(words.clone())).await? {
                return Ok(());
            }
            record_end(&mut tx, worker, &message, items, end, &words).await?;
        }
    }
    tx.wake(JobName::Polling);
    tx.wake(JobName::Settle);
    tx.commit().await?;
    Ok(())
}

/// Somebody has given the call up meanwhile. Its result is wanted all the same (`api.md` §6.4).
async fn acknowledge_late(
    tx: &mut Tx,
    worker: &Worker,
    message: &Message,
    acknowledgement: Acknowledgement,
) -> Result<bool> {
    let Some(mut present) = messages::get(tx, message.id).await? else { return Ok(false) };
    let holder = present.worker;
    acknowledge(worker, &mut present, acknowledgement.message);
    present.finished_at = None;
    Ok(messages::update(tx, &present, holder).await?)
}

async fn record_acknowledgement(
    tx: &mut Tx,
    message: &Message,
    items: Vec<Item>,
    in_time: bool,
) -> Result<()> {
    // Late, what is `sending` is another attempt, whose own end will come.
    let waits = if in_time { SubmissionState::Sending } else { SubmissionState::Uncertain };
    for mut item in items.into_iter().filter(|item| item.submission.state == waits) {
        item.acknowledged(tx, message).await?;
        item.close(tx).await?;
    }
    Ok(())
}

/// The submissions of a message, as they are before a transaction takes them.
pub(crate) async fn carried(worker: &Worker, message: &Message) -> Result<Vec<Submission>> {
    let mut conn = worker.service.db.read().await?;
    Ok(messages::carried(&mut conn, message.id).await?)
}

const fn state_after(end: End) -> MessageState {
    match end {
        End::NotSent { .. } | End::RefusedContent | End::RefusedSender => MessageState::Failed,
        End::MaybeSent(_) => MessageState::Lost,
    }
}
