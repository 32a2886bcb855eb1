//! Begins the matches with the registry that are due after readings of GIS, and carries out all of them, some requests at a
//! time.

use serde_json::json;

use super::{Report, Worker};
use crate::Result;
use crate::store::{match_runs, matches_due};

/// Runs looked at in one activation; each gets a step in turn.
const FEW: i64 = 20;
/// Organisations whose match may begin in one activation.
const MOST_DUE: i64 = 100;

pub(crate) async fn activate(worker: &Worker) -> Result<Report> {
    let due = {
        let mut conn = worker.service.db.read().await?;
        matches_due::all(&mut conn, MOST_DUE).await?
    };
    let mut moved = 0;
    for organization in due {
        moved += u64::from(worker.service.begin_due_match(organization).await?);
    }
    let unfinished = {
        let mut conn = worker.service.db.read().await?;
        match_runs::unfinished(&mut conn, FEW).await?
    };
    for id in &unfinished {
        moved += worker.service.step_match_run(*id).await?;
    }
    Ok(Report { done: moved, next: None, detail: json!({ "running": unfinished.len(), "moved": moved }) })
}
