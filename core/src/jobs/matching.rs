//! Begins the matches with the registry that are due after readings of GIS, and carries out all of them, some requests at a
//! time.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Report, Worker};
use crate::Result;
use crate::store::{match_rounds, match_runs, matches_due};

/// Runs looked at in one activation; each gets a step in turn.
const FEW: i64 = 20;
/// Organisations whose match may begin in one activation, and as many whose round may go on.
const MOST_DUE: i64 = 100;

pub(crate) async fn activate(worker: &Worker) -> Result<Report> {
    let due: BTreeSet<_> = {
        let mut conn = worker.service.db.read().await?;
        let going_on = match_rounds::all(&mut conn, MOST_DUE).await?;
        going_on.into_iter().chain(matches_due::all(&mut conn, MOST_DUE).await?).collect()
    };
    // One organisation or run that fails for a reason of ours must not stop the others.
    let (mut moved, mut trouble) = (0, None);
    for organization in due {
        match worker.service.begin_due_match(organization).await {
            Ok(has_begun) => moved += u64::from(has_begun),
            Err(error) => trouble = Some(error),
        }
    }
    let unfinished = {
        let mut conn = worker.service.db.read().await?;
        match_runs::unfinished(&mut conn, FEW).await?
    };
    for id in &unfinished {
        match worker.service.step_match_run(*id).await {
            Ok(steps) => moved += steps,
            Err(error) => trouble = Some(error),
        }
    }
    let detail = json!({ "running": unfinished.len(), "moved": moved });
    trouble.map_or(Ok(Report { done: moved, next: None, detail }), Err)
}
