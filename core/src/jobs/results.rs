//! The result of a package: what GIS says of each answer, found by its TransportGUID (`api.md` §5, §6.5, §6.11).
//!
//! GIS keeps neither order nor number of the items. Only an explicit success delivers and only an explicit refusal of the
//! only attempt rejects; whatever else leaves an answer uncertain, to be found out by a look.

use std::collections::HashMap;

use chrono::Utc;
use gis_client::debt_requests::{GisError, ImportResult, ItemResult};
use gis_client::{Fate, Repeat, Verdict};
use uuid::Uuid;

use super::calls::{error_of_gis, finish};
use super::ends::{Doubt, End, end_of_message};
use super::items::{Item, close_all, hold, is_whole};
use super::outbox::carried;
use super::outcomes::{ids, parts, record_end, refuse};
use super::{Worker, files};
use crate::Result;
use crate::domain::answer::LastError;
use crate::domain::last_error_code::LastErrorCode;
use crate::domain::message::{Message, MessageState};
use crate::domain::submission::{Action, Outcome, Submission, SubmissionState};
use crate::jobs::JobName;
use crate::store::{Tx, messages};

/// The result of a package that this worker holds (state accepted, leased): records it and ends the message.
/// Never called with [`Verdict::Pending`].
pub(crate) async fn record(
    worker: &Worker,
    message: &Message,
    verdict: Verdict<Vec<ImportResult>>,
) -> Result<()> {
    match verdict {
        Verdict::Pending => Ok(()),
        Verdict::Done(results) => record_items(worker, message, results).await,
        Verdict::Failed(error) => record_failure(worker, message, &error).await,
        Verdict::Unclear => lose(worker, message, LastErrorCode::ResultUnclear).await,
    }
}

/// A package that GIS does not know any more, or that hangs for a day: its submissions become uncertain, the message lost.
pub(crate) async fn lost(worker: &Worker, message: &Message) -> Result<()> {
    lose(worker, message, LastErrorCode::ResultLost).await
}

/// A package in `sending` whose worker is gone; this worker holds it now.
pub(crate) async fn abandoned(worker: &Worker, message: &Message) -> Result<()> {
    lose(worker, message, LastErrorCode::CallAbandoned).await
}

/// The results of a package that this worker holds: records them and ends the message.
pub(crate) async fn record_items(
    worker: &Worker,
    message: &Message,
    results: Vec<ImportResult>,
) -> Result<()> {
    let known = carried(worker, message).await?;
    let mut results = by_transport(results);
    let mut tx = worker.service.db.begin().await?;
    let mut items = hold(&mut tx, &known, worker.now()).await?;
    let mut done = Vec::new();
    for item in &mut items {
        let result = results.remove(&item.submission.transport.as_uuid());
        let (outcome, error) = understand(item.submission.action, result.as_ref(), message, worker.now());
        if outcome == Outcome::Done {
            done.push(item.submission.id);
        } else {
            let id = item.submission.id;
            messages::set_outcome(&mut tx, message.id, &[id], outcome, error.as_ref()).await?;
        }
        if is_waiting(item, outcome) {
            record_item(&mut tx, worker, message, item, result, outcome, error).await?;
        }
    }
    messages::set_outcome(&mut tx, message.id, &done, Outcome::Done, None).await?;
    if is_whole(&items) {
        worker.package_size.taken(message.organization);
    }
    close_all(&mut tx, items).await?;
    if !results.is_empty() {
        tracing::warn!(message = %message.id, surplus = results.len(), "GIS gave results for actions that were not sent");
    }
    end(tx, worker, message, MessageState::Done, None).await
}

/// The results by their TransportGUID; two for one action say nothing certain.
fn by_transport(results: Vec<ImportResult>) -> HashMap<Uuid, ItemResult> {
    let mut found = HashMap::new();
    for ImportResult { transport, result, .. } in results {
        let Some(transport) = transport else { continue };
        found
            .entry(transport.as_uuid())
            .and_modify(|earlier| *earlier = ItemResult::Unclear)
            .or_insert(result);
    }
    found
}

async fn record_item(
    tx: &mut Tx,
    worker: &Worker,
    message: &Message,
    item: &mut Item,
    result: Option<ItemResult>,
    outcome: Outcome,
    error: Option<LastError>,
) -> Result<()> {
    let settings = &worker.service.settings.gis;
    match (outcome, error) {
        (Outcome::Done, _) => {
            let updated_at = match result {
                Some(ItemResult::Ok { updated_at, .. }) => updated_at.map(|time| time.to_utc()),
                Some(ItemResult::Errors(_) | ItemResult::Unclear) | None => None,
            };
            item.done(settings, updated_at)
        }
        (Outcome::Refused, Some(error)) => {
            files::renew(tx, worker, item.answer.id, &error).await?;
            refuse(tx, worker, message, item, error).await
        }
        (Outcome::Refused | Outcome::NotSent | Outcome::Unknown, error) => {
            let fault = matches!(result.map(|result| result.repeat()), Some(Repeat::NewMessage { .. }));
            let doubt = if fault { Doubt::Fault } else { Doubt::Silence { after: None } };
            let look_at = item.look_after(settings, doubt);
            item.doubt(look_at, error)
        }
    }
}

/// What GIS says of an action.
fn understand(
    action: Action,
    result: Option<&ItemResult>,
    message: &Message,
    now: chrono::DateTime<Utc>,
) -> (Outcome, Option<LastError>) {
    let errors = match result {
        Some(ItemResult::Ok { .. }) => return (Outcome::Done, None),
        Some(ItemResult::Errors(errors)) => errors.as_slice(),
        Some(ItemResult::Unclear) | None => &[],
    };
    // The proof that a withdrawal is done (`api.md` §6.7).
    if action == Action::Revoke && errors.iter().any(GisError::is_nothing_to_revoke) {
        return (Outcome::Done, None);
    }
    let words = errors.first().map(|error| error_of_gis(error, message.gis_guid, now));
    match result.and_then(ItemResult::fate) {
        Some(Fate::Refused) => (Outcome::Refused, words),
        Some(Fate::NotSent | Fate::Unknown) | None => {
            (Outcome::Unknown, Some(words.unwrap_or_else(|| no_result(LastErrorCode::ResultMissing))))
        }
    }
}

/// Whether the result still changes the submission. Success counts from wherever it finds it; anything else not when
/// another attempt is under way, whose own end will come.
fn is_waiting(item: &Item, outcome: Outcome) -> bool {
    match item.submission.state {
        SubmissionState::Accepted | SubmissionState::Uncertain => true,
        SubmissionState::Sending => outcome == Outcome::Done,
        SubmissionState::Waiting
        | SubmissionState::Queued
        | SubmissionState::Done
        | SubmissionState::Refused
        | SubmissionState::Cancelled => false,
    }
}

/// What an error of a whole message says of the withdrawal that it carried alone, where it is the proof that this is done
/// (`api.md` §6.7): the code beside the words may be any.
pub(crate) fn of_withdrawal(known: &[Submission], error: &GisError) -> Option<ImportResult> {
    let [alone] = known else { return None };
    let proven = alone.action == Action::Revoke && error.is_nothing_to_revoke();
    proven.then(|| ImportResult {
        transport: Some(alone.transport.as_uuid().into()),
        entity: None,
        result: ItemResult::Errors(vec![error.clone()]),
    })
}

/// GIS has failed or refused the message as a whole, after it was acknowledged.
async fn record_failure(worker: &Worker, message: &Message, error: &GisError) -> Result<()> {
    let known = carried(worker, message).await?;
    if let Some(withdrawn) = of_withdrawal(&known, error) {
        return record_items(worker, message, vec![withdrawn]).await;
    }
    let words = error_of_gis(error, message.gis_guid, worker.now());
    let mut tx = worker.service.db.begin().await?;
    let items = hold(&mut tx, &known, worker.now()).await?;
    if let [alone] = items.as_slice() {
        files::renew(&mut tx, worker, alone.answer.id, &words).await?;
    }
    record_end(&mut tx, worker, message, items, end_of_message(error), &words).await?;
    end(tx, worker, message, MessageState::Failed, Some(words)).await
}

async fn lose(worker: &Worker, message: &Message, code: LastErrorCode) -> Result<()> {
    let known = carried(worker, message).await?;
    let words = no_result(code);
    let mut tx = worker.service.db.begin().await?;
    let items = hold(&mut tx, &known, worker.now()).await?;
    let doubt = Doubt::Silence { after: None };
    let parts = parts(&mut tx, message, &items, End::MaybeSent(doubt)).await?;
    messages::set_outcome(&mut tx, message.id, &ids(&items), Outcome::Unknown, Some(&words)).await?;
    let under_way =
        |item: &Item| matches!(item.submission.state, SubmissionState::Sending | SubmissionState::Accepted);
    let mut items: Vec<_> = items.into_iter().filter(under_way).collect();
    for item in &mut items {
        item.submission.pack_limit = parts.or(item.submission.pack_limit);
        let look_at = item.look_after(&worker.service.settings.gis, doubt);
        item.doubt(look_at, Some(words.clone()))?;
    }
    close_all(&mut tx, items).await?;
    end(tx, worker, message, MessageState::Lost, Some(words)).await
}

/// Ends the message; when somebody else holds it by now, nothing of all this is written.
async fn end(
    mut tx: Tx,
    worker: &Worker,
    message: &Message,
    state: MessageState,
    error: Option<LastError>,
) -> Result<()> {
    if finish(&mut tx, worker, message, state, error).await? {
        tx.wake(JobName::Outbox);
        tx.wake(JobName::Settle);
        tx.commit().await?;
    }
    Ok(())
}

fn no_result(code: LastErrorCode) -> LastError {
    LastError {
        origin: "gis".to_owned(),
        code: code.to_string(),
        detail: "ГИС ЖКХ не сообщила, что стало с ответом; исход выясняется".to_owned(),
        pointer: None,
        gis: None,
    }
}
