//! Tells of answers that are on their way for long, and of those that are still on their way when a day is left to answer:
//! once for each of both reasons (`api.md` §7), and anew when a withdrawal hangs after the sending did.

use serde_json::json;

use super::Worker;
use crate::Result;
use crate::domain::delay::{Delay, delays};
use crate::domain::event::{EventKind, NewEvent};
use crate::domain::organization::Organization;
use crate::store::delay_notices::{self, Late};
use crate::store::{answers, debt_requests, events};

/// Answers told of in one transaction.
const BATCH: i64 = 500;

/// Of how many it was told.
pub(super) async fn tell(worker: &Worker, organization: &Organization) -> Result<u64> {
    let mut told = 0;
    for delay in delays(worker.now(), organization.time_zone) {
        told += tell_of(worker, organization, delay).await?;
    }
    Ok(told)
}

async fn tell_of(worker: &Worker, organization: &Organization, delay: Delay) -> Result<u64> {
    let found = {
        let mut conn = worker.service.db.scan().await?;
        delay_notices::untold(&mut conn, organization.id, delay, BATCH).await?
    };
    if found.is_empty() {
        return Ok(0);
    }
    let held: Vec<_> = found.iter().map(|late| late.debt_request).collect();
    let mut tx = worker.service.db.begin().await?;
    // Whoever moves an answer on holds its debt request. What has moved meanwhile is late no more, and of two instances the
    // second one finds nothing left to tell.
    debt_requests::lock_many(&mut tx, &held).await?;
    let mut late = delay_notices::untold(&mut tx, organization.id, delay, BATCH).await?;
    late.retain(|late| held.contains(&late.debt_request));
    let submissions: Vec<_> = late.iter().map(|late| late.submission).collect();
    let told: Vec<_> = {
        let ids: Vec<_> = late.iter().map(|late| late.answer).collect();
        let answers = answers::find_any(&mut tx, &ids).await?;
        let event = |Late { answer, since, .. }: &Late| {
            let answer = answers.iter().find(|found| found.id == *answer)?;
            let more = json!({ "reason": delay.reason, "since": since });
            Some(NewEvent::of_answer(EventKind::AnswerDelayed, answer, more))
        };
        late.iter().filter_map(event).collect()
    };
    let now = worker.now();
    delay_notices::note(&mut tx, &submissions, delay.reason, now).await?;
    events::append(&mut tx, &told, now).await?;
    tx.commit().await?;
    Ok(u64::try_from(told.len()).unwrap_or(u64::MAX))
}
