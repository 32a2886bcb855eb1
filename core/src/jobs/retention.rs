//! Deletes what is no longer needed: old events, receipts, operations, exports, imports and audit entries, rows of registries
//! that answer no more, files that no answer uses, messages of the archive whose time is over, content without a row; erases
//! the personal data of answers whose time is over; and lets the database count what is left.
//!
//! Rows go before content: a row without content would be a promise that nobody can keep, content without a row is only
//! swept later.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt;
use serde_json::json;

use super::{Report, Worker, personal_data};
use crate::Result;
use crate::ids::ContentId;
use crate::store::{
    attachments, audit, auto_answer_runs, deadline_notices, delay_notices, events, evidence, expiry_notices,
    exports, imports, match_runs, operations, receipts, registries,
};

/// Rows deleted in one transaction; others can write in between.
const BATCH: i64 = 500;
/// Operations deleted in one transaction; each may have a thousand items.
const FEW: i64 = 10;
/// Time between two sweeps, when there is nothing left to do.
const PAUSE: TimeDelta = TimeDelta::hours(1);
/// Younger content may belong to an upload under way whose row is not committed yet.
const ORPHAN_AGE: TimeDelta = TimeDelta::days(1);
/// A cursor is refused when it is as old as events may become. What was noted behind it was begun a little earlier, and is
/// therefore kept a little longer.
const EVENT_GRACE: Duration = Duration::from_secs(3600);
/// A deadline that is so long past is near no more, as is the end of a token; nobody needs to know that they were told of.
const NOTICE_AGE: Duration = Duration::from_secs(180 * 24 * 3600);
/// Content looked at together.
const CHUNK: usize = 200;

pub(crate) async fn activate(worker: &Worker) -> Result<Report> {
    let now = worker.now();
    let retention = &worker.service.settings.retention;
    // An answer of which nothing can be erased keeps nothing else from being deleted.
    let erased = personal_data::erase(&worker.service, now).await;
    let mut tx = worker.service.db.begin().await?;
    let kept = retention.events.saturating_add(EVENT_GRACE);
    let events = events::delete_before(&mut tx, before(now, kept), BATCH).await?;
    let receipts = receipts::delete_before(&mut tx, before(now, retention.receipts), BATCH).await?;
    let operations = operations::delete_before(&mut tx, before(now, retention.operations), FEW).await?;
    let (exports, spreadsheets) = exports::delete_expired(&mut tx, now, BATCH).await?;
    let (imports, workbooks) = imports::delete_expired(&mut tx, now, BATCH).await?;
    let runs = match_runs::delete_before(&mut tx, before(now, retention.operations), FEW).await?;
    let automatic = auto_answer_runs::delete_before(&mut tx, before(now, retention.operations)).await?;
    let kept = before(now, retention.operations);
    let unused_until = worker.service.unused_until();
    let debts = registries::delete_rows_before(&mut tx, kept, now, unused_until, BATCH).await?;
    let told_before = before(now, NOTICE_AGE);
    let notices = deadline_notices::delete_before(&mut tx, told_before).await?
        + delay_notices::delete_before(&mut tx, told_before).await?
        + expiry_notices::delete_before(&mut tx, told_before).await?;
    let files = attachments::delete_expired(&mut tx, now, BATCH).await?;
    let audited = audit::delete_before(&mut tx, before(now, retention.audit), BATCH).await?;
    let kept = worker.service.evidence_kept_since();
    let messages = evidence::delete_before(&mut tx, kept, BATCH).await?;
    tx.commit().await?;
    delete_content(worker, files.iter().copied().map(ContentId::from)).await?;
    delete_content(worker, spreadsheets).await?;
    delete_content(worker, workbooks).await?;
    delete_content(worker, messages.iter().copied()).await?;
    let erased = erased?;
    let rows = erased
        + events
        + receipts
        + operations
        + exports
        + imports
        + runs
        + automatic
        + debts
        + notices
        + audited
        + files.len()
        + messages.len();
    // Listing the store and counting the rows are the dear part: only when the rest is done with.
    let (orphans, counted) =
        if rows == 0 { (sweep(worker, now).await?, worker.service.db.learn().await?) } else { (0, false) };
    Ok(Report {
        done: u64::try_from(rows).unwrap_or(u64::MAX),
        next: Some(now + PAUSE),
        detail: json!({ "events": events, "receipts": receipts, "operations": operations, "exports": exports, "imports": imports, "match_runs": runs, "auto_answer_runs": automatic, "court_debts": debts, "notices": notices, "audit": audited, "files": files.len(), "evidence": messages.len(), "personal_data": erased, "orphans": orphans, "counted": counted }),
    })
}

fn before(now: DateTime<Utc>, age: Duration) -> DateTime<Utc> {
    let age = TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX);
    now.checked_sub_signed(age).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

async fn delete_content(worker: &Worker, ids: impl IntoIterator<Item = ContentId>) -> Result<()> {
    for id in ids {
        worker.service.files.delete(id).await?;
    }
    Ok(())
}

/// Deletes old content that has no row.
async fn sweep(worker: &Worker, now: DateTime<Utc>) -> Result<usize> {
    let mut listed = worker.service.files.list_older_than(now - ORPHAN_AGE).chunks(CHUNK);
    let mut swept = 0;
    while let Some(ids) = listed.next().await {
        let ids = ids.into_iter().collect::<Result<Vec<_>>>()?;
        let known = {
            let mut conn = worker.service.db.scan().await?;
            let mut known = attachments::existing(&mut conn, &ids).await?;
            known.extend(exports::existing(&mut conn, &ids).await?);
            known.extend(imports::existing(&mut conn, &ids).await?);
            known.extend(evidence::existing(&mut conn, &ids).await?);
            known
        };
        let orphans: Vec<_> = ids.into_iter().filter(|id| !known.contains(id)).collect();
        swept += orphans.len();
        delete_content(worker, orphans).await?;
    }
    Ok(swept)
}
