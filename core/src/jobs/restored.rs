//! A database that has slept: restored from a backup, or after a long downtime. Its queue may hold what GIS has got long
//! ago, so nothing of it is sent, nor sent again, before an export that was asked for since has shown the debt request
//! (`api.md` §6.14).

use chrono::TimeDelta;

use super::Worker;
use crate::Result;
use crate::store::{jobs, submissions};

/// Jobs are active every minute; a longer sleep than this is no restart.
const SLEEP: TimeDelta = TimeDelta::minutes(5);

/// Lets the queue of a database that has slept be looked at first. Call it before the jobs run.
pub(crate) async fn distrust(worker: &Worker) -> Result<()> {
    let now = worker.now();
    let mut tx = worker.service.db.begin().await?;
    let last = jobs::last_active(&mut tx).await?;
    if last.is_some_and(|last| now - last > SLEEP) {
        let count = submissions::look_first(&mut tx, now).await?;
        tracing::warn!(
            submissions = count,
            "the database has slept: GIS is read before anything queued is sent"
        );
    }
    tx.commit().await?;
    Ok(())
}
