//! Sends answers: a package for each organisation in turn, committed before its call (`api.md` §6.4, §6.10, §6.13).
//!
//! A package has one organisation and one kind (debt, no debt, withdrawals), because a refusal concerns it as a whole and a
//! front end that is busy means something else for a withdrawal. What must stay true: an answer in a package stands as
//! `sending` in the database before the first byte leaves, and every end of the call is brought into it.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use futures_util::future::join3;
use futures_util::stream;
use gis_client::debt_requests::{Acknowledgement, ImportResponses};
use gis_client::envelope::Sender;
use serde_json::json;
use tracing::Instrument as _;

use super::calls::{acknowledge, after, error_of_call, finish, new_message};
use super::ends::{End, end_of_call};
use super::gate::Entry;
use super::items::{Item, close_all, hold};
use super::journal::Journal;
use super::outcomes::{GIS_REJECTED, record_end};
use super::packages::{self, Means};
use super::{JobName, Report, Worker, files, results};
use crate::crash::Point;
use crate::domain::answer::LastError;
use crate::domain::employee::Employee;
use crate::domain::evidence::Part;
use crate::domain::message::{Message, MessageState, Purpose};
use crate::domain::organization::Organization;
use crate::domain::submission::{Action, Submission, SubmissionState};
use crate::ids::OrganizationId;
use crate::store::gis_operations::Operation;
use crate::store::{Tx, answers, employees, messages, organizations, submissions, watches};
use crate::{Error, Result, trace};

pub(crate) async fn activate(worker: &Worker) -> Result<Report> {
    if let Some(until) = worker.closed_until(Operation::ImportResponses).await? {
        return Ok(Report { done: 0, next: Some(until), detail: json!({ "sent": 0 }) });
    }
    let began = worker.now();
    let due = {
        let mut conn = worker.service.db.scan().await?;
        submissions::organizations_due(&mut conn, began).await?
    };
    let turns = stream::iter(due).map(|id| turn(worker, id));
    // Collected whatever comes: no call may be broken off because another organisation's failed.
    let turns: Vec<Result<Turn>> =
        turns.buffer_unordered(worker.service.settings.gis.parallel.max(1)).collect().await;
    let mut all = Turn::default();
    for turn in turns {
        all = all.and(turn?);
    }
    let stored = {
        let mut conn = worker.service.db.scan().await?;
        // What has become due meanwhile was not seen.
        submissions::next_due(&mut conn, began).await?
    };
    let next = all.next.into_iter().chain(stored).min();
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

/// As many packages as may be on their way at once: with debts, without, and withdrawals apart.
async fn turn(worker: &Worker, id: OrganizationId) -> Result<Turn> {
    let settings = &worker.service.settings.gis;
    let package_size = worker.package_size.of(id);
    let now = worker.now();
    let (organization, debts, others) = {
        let mut conn = worker.service.db.scan().await?;
        let organization = organizations::get(&mut conn, id).await?;
        let Some(organization) = organization.filter(|organization| organization.halted.is_none()) else {
            return Ok(Turn::default());
        };
        let today = now.with_timezone(&organization.time_zone).date_naive();
        let most = settings.package_size.saturating_mul(settings.parallel.max(1));
        let debts = submissions::claim(&mut conn, id, true, now, today, most).await?;
        let mut others = submissions::claim(&mut conn, id, false, now, today, most).await?;
        // One at a time of a debt request: a debt that goes makes a repair behind it obsolete.
        let taken: BTreeSet<_> = debts.iter().map(|submission| submission.debt_request).collect();
        others.retain(|submission| !taken.contains(&submission.debt_request));
        (organization, debts, others)
    };
    let waiting = debts.len() + others.len();
    let oldest = debts.iter().chain(&others).map(|submission| submission.created_at).min();
    if let Some(filled) = oldest.map(|since| after(since, settings.package_linger))
        && filled > now
        && waiting < package_size
    {
        return Ok(Turn::later(filled));
    }
    let packages = [packed(debts, package_size), packed(others, package_size)].concat();
    let sent = stream::iter(packages).map(|package| send(worker, &organization, package));
    let sent: Vec<Result<Turn>> = sent.buffer_unordered(worker.lanes()).collect().await;
    sent.into_iter().try_fold(Turn::default(), |all, turn| Ok(all.and(turn?)))
}

async fn send(worker: &Worker, organization: &Organization, chosen: Vec<Submission>) -> Result<Turn> {
    let sender = match worker.sender(organization) {
        Ok(sender) => sender,
        Err(error) => {
            tracing::error!(organization = %organization.id, code = error.code, "an organisation has no signer");
            return Ok(Turn::later(after(worker.now(), worker.service.settings.gis.backoff.longest)));
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
            worker.service.reach(Point::AttemptWritten);
            let journal = Journal::new(worker, package.message.id, Part::Acknowledgement);
            let sent = call(worker, &sender, &package, lease, &journal).await;
            let outcome = sent.as_ref();
            // The lease leaves no time to wait for the archive.
            let recorded = record(worker, package.message, outcome.copied());
            // The call is over: somebody else may take its place.
            let (left, recorded, ()) = join3(pass.leave(outcome), recorded, journal.keep_reply()).await;
            left.and(recorded)?;
            Ok(Turn { sent: package.size, next: None })
        }
    }
}

/// What goes together, in the order of the queue: of one kind, and apart what a refused package is split into.
fn packed(candidates: Vec<Submission>, package_size: usize) -> Vec<Vec<Submission>> {
    let mut packages: Vec<Vec<Submission>> = Vec::new();
    for candidate in candidates {
        let limit = candidate.pack_limit.and_then(|limit| usize::try_from(limit).ok());
        let room = limit.map_or(package_size, |limit| limit.min(package_size)).max(1);
        let fits = |package: &&mut Vec<Submission>| {
            package.len() < room
                && package.first().is_some_and(|first| {
                    (first.action, first.pack_limit) == (candidate.action, candidate.pack_limit)
                })
        };
        match packages.iter_mut().find(fits) {
            Some(package) => package.push(candidate),
            None => packages.push(vec![candidate]),
        }
    }
    packages
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
    let staff = staff(&mut tx, organization, &held).await?;
    let (mut attempts, mut actions, mut traces) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut called = Vec::new();
    let may_begin = |item: &Item| item.may_begin() && !means.awaits_files(&item.submission, &item.answer);
    let mut held: Vec<_> = held.into_iter().filter(may_begin).collect();
    for item in &mut held {
        if item.is_obsolete_repair() {
            item.give_up_repair();
            continue;
        }
        let executor = executor(item, organization, &staff);
        let guid = executor.and_then(|person| person.gis_guid).map(Into::into);
        match packages::action(&item.submission, &item.answer, guid, &means) {
            Ok(action) => {
                // Whoever was named may have lost the identifier since: the answer tells in whose name GIS gets it.
                if item.submission.action == Action::Send {
                    item.answer.executor = executor.map(|person| person.id);
                }
                item.overtake_repairs();
                item.begin(message.sent_at)?;
                called.push(item.submission.debt_request);
                attempts.push((item.submission.id, item.submission.attempts));
                actions.push(action);
                traces.extend(item.answer.trace.clone());
            }
            Err(defect) if item.was_tried_before(message.sent_at) => {
                let look_at = after(message.sent_at, item.polite_wait(&worker.service.settings.gis));
                let (for_good, error) = (defect.is_for_good(), defect.into_error());
                if for_good {
                    item.doubt(look_at, Some(LastError { code: GIS_REJECTED.to_owned(), ..error }))?;
                } else {
                    item.wait(look_at, Some(error));
                }
            }
            Err(defect) => {
                item.refused(&worker.service.settings.gis, defect.into_error())?;
                tx.wake(JobName::Settle);
            }
        }
    }
    close_all(&mut tx, held).await?;
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

async fn means<'a>(tx: &mut Tx, worker: &'a Worker, items: &[Item]) -> Result<Means<'a>> {
    let ids: Vec<_> = items.iter().map(|item| item.answer.id).collect();
    let files = answers::files(tx, &ids).await?;
    let files = files.into_iter().map(|(_, file)| (file.id, file)).collect();
    Ok(Means { dictionaries: &worker.service.dictionaries, files })
}

/// Those of the employees who may be named to GIS.
async fn staff(tx: &mut Tx, organization: &Organization, items: &[Item]) -> Result<Vec<Employee>> {
    let named = items.iter().flat_map(|item| [item.answer.executor, item.case.request.responsible]);
    let ids: Vec<_> = named.chain([organization.default_executor]).flatten().collect();
    Ok(employees::find(tx, organization.id, &ids).await?)
}

/// Who answers: the one named in the answer, else who is responsible, else who stands in (`api.md` §17).
fn executor<'a>(item: &Item, organization: &Organization, staff: &'a [Employee]) -> Option<&'a Employee> {
    let responsible = item.case.request.responsible;
    let named = [item.answer.executor, responsible, organization.default_executor];
    let mut known = named.into_iter().flatten().filter_map(|id| staff.iter().find(|person| person.id == id));
    known.find(|person| person.gis_guid.is_some())
}

async fn call(
    worker: &Worker,
    sender: &Sender,
    package: &Package,
    lease: super::calls::Lease,
    journal: &Arc<Journal>,
) -> std::result::Result<Acknowledgement, gis_client::Error> {
    let call = journal.of(worker.call(sender, package.message.id, &lease));
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
    if let Err(gis_client::Error::Fault(fault)) = outcome
        && let Some(withdrawn) = results::of_withdrawal(&known, fault)
    {
        return results::record_items(worker, &message, vec![withdrawn]).await;
    }
    let mut tx = worker.service.db.begin().await?;
    let items = hold(&mut tx, &known, worker.now()).await?;
    match outcome {
        Ok(acknowledgement) => {
            worker.service.reach(Point::Acknowledged);
            acknowledge(worker, &mut message, acknowledgement.message);
            let waits = if messages::update(&mut tx, &message, Some(worker.id)).await? {
                Some(SubmissionState::Sending)
            } else {
                acknowledge_late(&mut tx, worker, &message, acknowledgement).await?
            };
            let Some(waits) = waits else { return Ok(()) };
            record_acknowledgement(&mut tx, &message, items, waits).await?;
        }
        Err(error) => {
            let end = end_of_call(error);
            let words = error_of_call(error, worker.now());
            if !finish(&mut tx, worker, &message, state_after(end), Some(words.clone())).await? {
                return Ok(());
            }
            if let [alone] = items.as_slice() {
                files::renew(&mut tx, worker, alone.answer.id, &words).await?;
            }
            record_end(&mut tx, worker, &message, items, end, &words).await?;
        }
    }
    tx.wake(JobName::Polling);
    tx.wake(JobName::Settle);
    tx.commit().await?;
    if outcome.is_ok() {
        worker.service.reach(Point::AcknowledgementRecorded);
    }
    Ok(())
}

/// Somebody has taken the call over meanwhile. Its result is wanted all the same (`api.md` §6.4); which of its submissions
/// wait for it.
async fn acknowledge_late(
    tx: &mut Tx,
    worker: &Worker,
    message: &Message,
    acknowledgement: Acknowledgement,
) -> Result<Option<SubmissionState>> {
    let Some(mut present) = messages::get(tx, message.id).await? else { return Ok(None) };
    let waits = match present.state {
        // Whoever took it over has not given it up yet, and will find that there is nothing to give up: this is still the
        // attempt under way, and it is in time.
        MessageState::Sending => SubmissionState::Sending,
        // What is `sending` now is another attempt, whose own end will come.
        MessageState::Accepted | MessageState::Done | MessageState::Failed | MessageState::Lost => {
            SubmissionState::Uncertain
        }
    };
    let holder = present.worker;
    acknowledge(worker, &mut present, acknowledgement.message);
    present.finished_at = None;
    Ok(messages::update(tx, &present, holder).await?.then_some(waits))
}

async fn record_acknowledgement(
    tx: &mut Tx,
    message: &Message,
    items: Vec<Item>,
    waits: SubmissionState,
) -> Result<()> {
    let mut items: Vec<_> = items.into_iter().filter(|item| item.submission.state == waits).collect();
    for item in &mut items {
        item.acknowledged(message)?;
    }
    close_all(tx, items).await
}

/// The submissions of a message, as they are before a transaction takes them.
pub(crate) async fn carried(worker: &Worker, message: &Message) -> Result<Vec<Submission>> {
    let mut conn = worker.service.db.read().await?;
    Ok(messages::carried(&mut conn, message.id).await?)
}

const fn state_after(end: End) -> MessageState {
    match end {
        End::NotSent { .. } | End::RefusedContent | End::RefusedSender | End::RefusedUnexplained => {
            MessageState::Failed
        }
        End::MaybeSent(_) => MessageState::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DebtRequestId;
    use crate::store::test_rows;

    #[test]
    fn what_goes_together() {
        let one = |action, pack_limit| {
            let answer = test_rows::answer(OrganizationId::generate(), DebtRequestId::generate());
            Submission { action, pack_limit, ..test_rows::submission(&answer) }
        };
        let whole = one(Action::Send, None);
        let (revoke, small, alone) =
            (one(Action::Revoke, None), one(Action::Send, Some(2)), one(Action::Send, Some(1)));
        let queue = [&whole, &small, &whole, &revoke, &small, &alone, &small, &whole, &whole, &alone];
        let packages = packed(queue.into_iter().cloned().collect(), 3);
        let sizes: Vec<_> = packages.iter().map(|package| (package[0].id, package.len())).collect();
        let (whole, revoke, small, alone) = (whole.id, revoke.id, small.id, alone.id);
        assert_eq!(
            sizes,
            [(whole, 3), (small, 2), (revoke, 1), (alone, 1), (small, 1), (whole, 1), (alone, 1)]
        );
        assert!(packages.iter().all(|package| package.iter().all(|it| it.id == package[0].id)));
    }
}
