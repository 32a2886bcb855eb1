//! Takes the personal data out of answers when the time of keeping them is over (`api.md` §14); a part of the job
//! `retention`.
//!
//! All revisions of a debt request go together, drafts too: their content becomes [`Content::Erased`], their files lose
//! their use and are deleted as any other that nothing uses. What must stay true: nothing is erased that may still be sent or
//! repaired, and every change of an answer gives the debt request as long again.
//!
//! [`Content::Erased`]: crate::domain::content::Content::Erased

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use crate::case::Case;
use crate::domain::answer::{Answer, LastError};
use crate::domain::submission::Submission;
use crate::error::{Error, Result};
use crate::ids::DebtRequestId;
use crate::service::Service;
use crate::store::{Tx, answers, messages, watches};

/// Answers of which one transaction erases the debt requests.
const FEW: i64 = 100;

/// What is kept: deadlines from a day on, changes from its beginning on.
#[derive(Debug, Clone, Copy)]
struct Kept {
    day: NaiveDate,
    time: DateTime<Utc>,
}

impl Kept {
    fn since(service: &Service, now: DateTime<Utc>) -> Self {
        let months = service.settings.retention.personal_data;
        let day = now.date_naive().checked_sub_months(months).unwrap_or(NaiveDate::MIN);
        Self { day, time: day.and_time(NaiveTime::MIN).and_utc() }
    }
}

/// Erases some of what is due; how many answers that were.
pub(crate) async fn erase(service: &Service, now: DateTime<Utc>) -> Result<usize> {
    erase_some(service, now, FEW).await
}

async fn erase_some(service: &Service, now: DateTime<Utc>, limit: i64) -> Result<usize> {
    let kept = Kept::since(service, now);
    let due: Vec<_> = {
        let mut conn = service.db.scan().await?;
        answers::past_keeping(&mut conn, kept.day, kept.time, limit).await?.into_iter().collect()
    };
    match erase_these(service, &due, kept, now).await {
        Err(Error::Internal(_)) => Ok(one_by_one(service, &due, kept, now).await),
        done => done,
    }
}

/// What cannot be read keeps none of the others, and is told each time.
async fn one_by_one(service: &Service, due: &[DebtRequestId], kept: Kept, now: DateTime<Utc>) -> usize {
    let mut erased = 0;
    for request in due {
        match erase_these(service, std::slice::from_ref(request), kept, now).await {
            Ok(count) => erased += count,
            Err(error) => tracing::error!(%request, %error, "its personal data could not be erased"),
        }
    }
    erased
}

/// Erases what is known of these debt requests, in one transaction.
async fn erase_these(
    service: &Service,
    due: &[DebtRequestId],
    kept: Kept,
    now: DateTime<Utc>,
) -> Result<usize> {
    if due.is_empty() {
        return Ok(0);
    }
    let mut tx = service.db.begin().await?;
    let cases = Case::open_many(&mut tx, due, now).await?;
    let watched = watches::last_calls(&mut tx, due).await?;
    let (mut erased, mut emptied) = (0, Vec::with_capacity(cases.len()));
    for mut case in cases {
        // Held now, and perhaps not as it was found.
        if is_over(&case, kept) && !watched.contains_key(&case.request.id) {
            erased += empty(service, &mut tx, &mut case).await?;
            emptied.push(case);
        }
    }
    Case::close_all(&mut tx, emptied).await?;
    tx.commit().await?;
    Ok(erased)
}

/// Whether nobody can need any more what the answers to a debt request say.
fn is_over(case: &Case, kept: Kept) -> bool {
    let settled = |answer: &Answer| !answer.state.is_under_way() && answer.updated_at < kept.time;
    case.request.gis.due_on.is_none_or(|due| due < kept.day)
        && case.answers().iter().all(settled)
        && case.submissions().iter().all(|submission| submission.state.is_final())
}

/// Erases every revision, and what GIS said of it.
async fn empty(service: &Service, tx: &mut Tx, case: &mut Case) -> Result<usize> {
    let now = case.now();
    let held: Vec<_> =
        case.answers().iter().filter(|answer| answer.may_hold_personal_data()).cloned().collect();
    let count = held.len();
    for mut answer in held {
        // Somebody may have uploaded the same file just now, and was told that it is there.
        answers::set_files(tx, answer.id, &[], service.unused_until()).await?;
        answer.erase(now);
        case.update(&mut answer);
    }
    let ids: Vec<_> = case.submissions().iter().map(|submission| submission.id).collect();
    messages::forget_words(tx, &ids).await?;
    let worded =
        |submission: &&Submission| submission.error.as_ref().is_some_and(|error| error.gis.is_some());
    let worded: Vec<_> = case.submissions().iter().filter(worded).cloned().collect();
    for mut submission in worded {
        submission.error = submission.error.map(LastError::without_words);
        case.keep(submission);
    }
    Ok(count)
}

#[cfg(test)]
mod tests;
