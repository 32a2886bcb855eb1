//! Carries out matches with the registry, some requests at a time.

use serde_json::json;

use super::{Report, Worker};
use crate::Result;
use crate::store::match_runs;

/// Runs looked at in one activation; each gets a step in turn.
const FEW: i64 = 20;

pub(crate) async fn activate(worker: &Worker) -> Result<Report> {
    let unfinished = {
        let mut conn = worker.service.db.read().await?;
        match_runs::unfinished(&mut conn, FEW).await?
    };
    let mut moved = 0;
    for id in &unfinished {
        moved += worker.service.step_match_run(*id).await?;
    }
    Ok(Report { done: moved, next: None, detail: json!({ "running": unfinished.len(), "moved": moved }) })
}
