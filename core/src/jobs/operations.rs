//! Ends operations: one is over when nothing of it goes on by itself any more. Takes back what imports and matches have
//! queued before they were stopped.

use chrono::TimeDelta;
use serde_json::json;

use super::{Report, Worker};
use crate::Result;
use crate::domain::operation::{Operation, OperationStatus};
use crate::operations::end;
use crate::store::operations;

/// Operations ended in one activation.
const BATCH: i64 = 100;
/// Clients read the state of each item at once; that all have ended is told so much later at most.
const PAUSE: TimeDelta = TimeDelta::seconds(10);

pub(crate) async fn activate(worker: &Worker) -> Result<Report> {
    let taken_back = worker.service.take_back().await?;
    let (over, unfinished) = {
        let mut conn = worker.service.db.scan().await?;
        (operations::over(&mut conn, BATCH).await?, operations::count_unfinished(&mut conn).await?)
    };
    let mut ended = 0;
    for operation in over {
        ended += u64::from(end_if_over(worker, &operation).await?);
    }
    let next = (unfinished > 0).then(|| worker.now() + PAUSE);
    Ok(Report {
        done: ended + u64::try_from(taken_back).unwrap_or(u64::MAX),
        next,
        detail: json!({ "running": unfinished, "ended": ended, "taken_back": taken_back }),
    })
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
