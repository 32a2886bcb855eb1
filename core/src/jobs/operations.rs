//! Ends operations: one is over when nothing of it goes on by itself any more. Takes back what imports and matches have
//! queued before they were stopped.
//!
//! What must stay true: one of all these that fails for a reason of ours stops none of the others.

use chrono::TimeDelta;
use serde_json::json;

use super::{Report, Worker};
use crate::domain::operation::{Operation, OperationStatus};
use crate::operations::end;
use crate::store::operations;
use crate::{Error, Result};

/// Operations ended in one activation.
const BATCH: i64 = 100;
/// Clients read the state of each item at once; that all have ended is told so much later at most.
const PAUSE: TimeDelta = TimeDelta::seconds(10);

pub(crate) async fn activate(worker: &Worker) -> Result<Report> {
    let (taken_back, not_taken_back) = take_back(worker).await?;
    let (over, unfinished) = {
        let mut conn = worker.service.db.scan().await?;
        (operations::over(&mut conn, BATCH).await?, operations::count_unfinished(&mut conn).await?)
    };
    let (ended, not_ended) = end_all(worker, over).await;
    let next = (unfinished > 0).then(|| worker.now() + PAUSE);
    let done = ended + taken_back;
    // It is told once nothing else can be done; until then the next activation follows at once.
    if let Some(trouble) = not_taken_back.or(not_ended).filter(|_| done == 0) {
        return Err(trouble);
    }
    let detail = json!({ "running": unfinished, "ended": ended, "taken_back": taken_back });
    Ok(Report { done, next, detail })
}

/// Takes back some of what each has queued; how much that was, and what kept others from it. Those try again with the next
/// activation.
async fn take_back(worker: &Worker) -> Result<(u64, Option<Error>)> {
    let (mut taken_back, mut trouble) = (0, None);
    for work in worker.service.stopped_work().await? {
        let (count, failed) = worker.service.take_back(work).await?;
        taken_back += u64::try_from(count).unwrap_or(u64::MAX);
        if let Some(error) = failed {
            tracing::warn!(%work, %error, "what was stopped could not take back all that it has queued");
            trouble = Some(error);
        }
    }
    Ok((taken_back, trouble))
}

/// Ends those that are over; how many, and what kept others from it.
async fn end_all(worker: &Worker, over: Vec<Operation>) -> (u64, Option<Error>) {
    let (mut ended, mut trouble) = (0, None);
    for operation in over {
        match end_if_over(worker, &operation).await {
            Ok(has_ended) => ended += u64::from(has_ended),
            Err(error) => {
                tracing::warn!(operation = %operation.id, %error, "an operation could not be ended");
                trouble = Some(error);
            }
        }
    }
    (ended, trouble)
}

async fn end_if_over(worker: &Worker, seen: &Operation) -> Result<bool> {
    let tally = {
        let mut conn = worker.service.db.scan().await?;
        operations::tally(&mut conn, seen.id).await?
    };
    let status = tally.status();
    if status == OperationStatus::Running {
        return Ok(false);
    }
    let mut tx = worker.service.db.begin().await?;
    // Somebody may have ended it meanwhile.
    let held = operations::lock(&mut tx, seen.id).await?;
    let Some(mut operation) = held.filter(|operation| operation.finished_at.is_none()) else {
        return Ok(false);
    };
    operation.status = status;
    end(&mut tx, &mut operation, worker.now()).await?;
    tx.commit().await?;
    Ok(true)
}
