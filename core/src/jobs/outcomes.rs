//! Brings the end of an import call, or the error of a whole message, into the submissions that it carried (`api.md` §6.5,
//! §6.10): put back, split, refused, or uncertain.

use chrono::{DateTime, Utc};
use gis_client::Repeat;

use super::Worker;
use super::ends::{Doubt, End};
use super::items::{Item, close_all, is_whole};
use crate::domain::answer::LastError;
use crate::domain::last_error_code::LastErrorCode;
use crate::domain::message::{Message, MessageState};
use crate::domain::organization::Halt;
use crate::domain::submission::{Outcome, SubmissionState};
use crate::error::Result;
use crate::ids::SubmissionId;
use crate::store::{Tx, messages, organizations, submissions};

/// The code of an error that is GIS's refusal of one answer.
pub(crate) const GIS_REJECTED: &str = LastErrorCode::GisRejected.as_str();
/// The code of an error that is GIS's refusal of a package, by whose fault is not known.
const PACKAGE_REFUSED: &str = LastErrorCode::PackageRefused.as_str();

/// A refused package is split into so many. One bad answer among a hundred is found with 21 packages in three rounds; halves
/// would take 15 packages in eight rounds, and each round is a wait for GIS. Fewer than twice as many are sent alone.
const PARTS: usize = 10;
/// A front end that refuses without a word may have stumbled: so many attempts before it is believed.
const MOST_STUMBLES: usize = 3;
/// After every so many attempts that nobody knows the fate of, a package is split whatever becomes of others: two that hold
/// one bad answer each would wait for each other for ever.
const MOST_LOSSES: usize = 4;

/// Records what became of a message as a whole in every item that still waits for it.
pub(crate) async fn record_end(
    tx: &mut Tx,
    worker: &Worker,
    message: &Message,
    mut items: Vec<Item>,
    end: End,
    error: &LastError,
) -> Result<()> {
    let carried = items.len();
    if matches!(end, End::RefusedContent | End::RefusedSender | End::RefusedUnexplained) && is_whole(&items) {
        worker.package_size.refused(message.organization, carried);
    }
    let again_at = again_at(worker, &items, end);
    let parts = parts(tx, message, &items, end).await?;
    messages::set_outcome(tx, message.id, &ids(&items), outcome_of(end), Some(error)).await?;
    for item in &mut items {
        if matches!(item.submission.state, SubmissionState::Sending | SubmissionState::Accepted) {
            let end = if carried <= 1 { of_one(tx, worker, message, item, end, error).await? } else { end };
            item.submission.pack_limit = parts.or(item.submission.pack_limit);
            record_item(tx, worker, message, item, (end, carried), again_at, error).await?;
        }
    }
    close_all(tx, items).await
}

/// The submissions of items.
pub(crate) fn ids(items: &[Item]) -> Vec<SubmissionId> {
    items.iter().map(|item| item.submission.id).collect()
}

async fn record_item(
    tx: &mut Tx,
    worker: &Worker,
    message: &Message,
    item: &mut Item,
    (end, carried): (End, usize),
    again_at: DateTime<Utc>,
    error: &LastError,
) -> Result<()> {
    match end {
        End::NotSent { .. } => item.put_back(message.sent_at, again_at, error.clone()),
        End::RefusedContent if carried <= 1 => refuse(tx, worker, message, item, error.clone()).await,
        // What becomes of the others will tell whose fault it is.
        End::RefusedSender | End::RefusedUnexplained if carried <= 1 => {
            item.put_back(message.sent_at, again_at, of_package(error))
        }
        End::RefusedContent | End::RefusedSender | End::RefusedUnexplained => {
            item.put_back(message.sent_at, worker.now(), of_package(error))
        }
        End::MaybeSent(doubt) => {
            let look_at = item.look_after(&worker.service.settings.gis, doubt);
            item.doubt(look_at, Some(error.clone()))
        }
    }
}

/// How many a package may carry that the items of this one are sent in next, where this one is split.
pub(crate) async fn parts(tx: &mut Tx, message: &Message, items: &[Item], end: End) -> Result<Option<i64>> {
    if items.len() < 2 {
        return Ok(None);
    }
    let split = match end {
        End::RefusedContent | End::RefusedSender | End::RefusedUnexplained => true,
        End::MaybeSent(_) => is_suspect(tx, message, items).await?,
        End::NotSent { .. } => false,
    };
    Ok(i64::try_from((items.len() / PARTS).max(1)).ok().filter(|_| split))
}

/// Whether something in a package may be what GIS stumbles over: it has done so before, and meanwhile GIS has taken another
/// package of the organisation, or there was no other one. While everything fails, little is learnt from sending it in pieces.
async fn is_suspect(tx: &mut Tx, message: &Message, items: &[Item]) -> Result<bool> {
    let Some(item) = items.iter().max_by_key(|item| item.submission.attempts) else { return Ok(false) };
    let tried = submissions::attempts(tx, item.answer.id).await?;
    let lost = tried.iter().filter(|attempt| {
        attempt.submission.id == item.submission.id && attempt.outcome == Some(Outcome::Unknown)
    });
    let lost: Vec<_> = lost.filter_map(|attempt| attempt.message.as_ref()).map(|lost| lost.sent_at).collect();
    let Some(since) = lost.iter().min().copied() else { return Ok(false) };
    if (lost.len() + 1).is_multiple_of(MOST_LOSSES) {
        return Ok(true);
    }
    let others = messages::packages_since(tx, message.organization, since, message.id).await?;
    // Its earlier attempts are among the others.
    Ok(others.len() <= lost.len() || others.contains(&MessageState::Done))
}

/// The refusal of a package, which is none of this answer yet: a later look must not take it for one.
fn of_package(error: &LastError) -> LastError {
    LastError { code: PACKAGE_REFUSED.to_owned(), ..error.clone() }
}

/// What the end of a package with one answer means for it. A denied sender, or a refusal without a word, may be the fault of that answer alone, such as
/// one for a house that the organisation does not serve any more: so it is when GIS takes another answer of the
/// organisation. Only when every answer is denied is the sender at fault, and its queue stands still.
async fn of_one(
    tx: &mut Tx,
    worker: &Worker,
    message: &Message,
    item: &Item,
    end: End,
    error: &LastError,
) -> Result<End> {
    let sure = match end {
        End::RefusedSender => true,
        End::RefusedUnexplained => refusals_alone(tx, item).await? >= MOST_STUMBLES,
        End::RefusedContent | End::NotSent { .. } | End::MaybeSent(_) => return Ok(end),
    };
    if !sure {
        return Ok(end);
    }
    // One after the other, so that the last of several that are denied at once sees what became of the others.
    organizations::hold(tx, message.organization).await?;
    let tried = submissions::attempts(tx, item.answer.id).await?;
    let refused = tried.iter().filter(|attempt| {
        attempt.submission.id == item.submission.id && attempt.outcome == Some(Outcome::Refused)
    });
    let since = refused.filter_map(|attempt| attempt.message.as_ref()).map(|message| message.sent_at).min();
    let since = since.unwrap_or(message.sent_at);
    let others = messages::packages_since(tx, message.organization, since, message.id).await?;
    if others.contains(&MessageState::Done) {
        return Ok(End::RefusedContent);
    }
    let under_way =
        others.iter().any(|state| matches!(state, MessageState::Sending | MessageState::Accepted));
    let waiting = submissions::is_due(tx, message.organization, worker.now()).await?;
    if !under_way && !waiting {
        halt(tx, worker, message, error).await?;
    }
    Ok(end)
}

/// How often an answer was refused in a package of its own, this time included.
async fn refusals_alone(tx: &mut Tx, item: &Item) -> Result<usize> {
    let mut alone = 0;
    for attempt in submissions::attempts(tx, item.answer.id).await? {
        let same = attempt.submission.id == item.submission.id && attempt.outcome == Some(Outcome::Refused);
        if let Some(message) = attempt.message.filter(|_| same) {
            alone += usize::from(messages::size(tx, message.id).await? == 1);
        }
    }
    Ok(alone)
}

/// GIS has refused one answer. That counts when nothing else of it may have reached GIS; else what GIS shows decides.
pub(crate) async fn refuse(
    tx: &mut Tx,
    worker: &Worker,
    message: &Message,
    item: &mut Item,
    error: LastError,
) -> Result<()> {
    let settings = &worker.service.settings.gis;
    if is_only_attempt(tx, item, message).await? {
        return item.refused(settings, error);
    }
    let error = LastError { code: GIS_REJECTED.to_owned(), ..error };
    let look_at = item.look_after(settings, Doubt::Silence { after: None });
    item.doubt(look_at, Some(error))
}

/// Whether no other attempt may have reached GIS and been taken.
async fn is_only_attempt(tx: &mut Tx, item: &Item, message: &Message) -> Result<bool> {
    let attempts = submissions::attempts(tx, item.answer.id).await?;
    let others =
        attempts.iter().filter(|attempt| attempt.submission.id == item.submission.id).filter(|attempt| {
            attempt.message.as_ref().is_some_and(|other| other.id != message.id)
                && !matches!(attempt.outcome, Some(Outcome::NotSent | Outcome::Refused))
        });
    Ok(others.count() == 0)
}

const fn outcome_of(end: End) -> Outcome {
    match end {
        End::NotSent { .. } => Outcome::NotSent,
        End::RefusedContent | End::RefusedSender | End::RefusedUnexplained => Outcome::Refused,
        End::MaybeSent(_) => Outcome::Unknown,
    }
}

/// When a package that was not sent is tried again: all of it at once.
fn again_at(worker: &Worker, items: &[Item], end: End) -> DateTime<Utc> {
    let failures = items.iter().map(|item| item.submission.attempts).min().unwrap_or(1);
    let repeat = match end {
        End::NotSent { alarm: false, after } => Repeat::Later { after },
        End::NotSent { alarm: true, .. }
        | End::RefusedContent
        | End::RefusedSender
        | End::RefusedUnexplained
        | End::MaybeSent(_) => Repeat::AfterRepair,
    };
    worker.again(failures, repeat)
}

async fn halt(tx: &mut Tx, worker: &Worker, message: &Message, error: &LastError) -> Result<()> {
    let code = error.gis.as_ref().map_or_else(|| error.code.clone(), |words| words.code.clone());
    tracing::error!(organization = %message.organization, %code, "GIS denies the sender; nothing more is sent for it");
    let halt = Halt { code, detail: error.detail.clone(), since: worker.now() };
    organizations::set_halted(tx, message.organization, Some(&halt)).await?;
    Ok(())
}
