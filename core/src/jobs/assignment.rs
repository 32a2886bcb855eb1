//! Gives debt requests whose answer is not certain out anew after departments or employees have changed, some at a time. What
//! somebody gave by hand stays in its department, and with whoever works on it.

use serde_json::json;

use super::{Report, Worker};
use crate::Result;
use crate::departments::roster;
use crate::domain::debt_request::{DebtRequest, Stage};
use crate::domain::event::{EventKind, NewEvent};
use crate::ids::OrganizationId;
use crate::store::{assignments, debt_requests, events};

/// Suppliers looked at in one activation; each gets a step in turn.
const FEW: i64 = 20;
/// Debt requests of one step.
const BATCH: i64 = 500;

pub(crate) async fn activate(worker: &Worker) -> Result<Report> {
    let open = {
        let mut conn = worker.service.db.read().await?;
        assignments::open(&mut conn, FEW).await?
    };
    let (mut looked_at, mut given) = (0, 0);
    for organization in &open {
        let step = step(worker, *organization).await?;
        looked_at += step.0;
        given += step.1;
    }
    let detail = json!({ "organizations": open.len(), "looked_at": looked_at, "given": given });
    Ok(Report { done: looked_at, next: None, detail })
}

/// How many debt requests were looked at, 1 for the end of the work; and how many were given to somebody else.
async fn step(worker: &Worker, organization: OrganizationId) -> Result<(u64, u64)> {
    let mut tx = worker.service.db.begin().await?;
    // Another instance may have ended it.
    let Some(place) = assignments::lock(&mut tx, organization).await? else { return Ok((0, 0)) };
    let places = assignments::next(&mut tx, organization, place, BATCH).await?;
    assignments::move_on(&mut tx, organization, places.last().copied()).await?;
    let ids: Vec<_> = places.iter().map(|(_, id)| *id).collect();
    let held = debt_requests::lock_many(&mut tx, &ids).await?;
    let houses: Vec<_> = held.iter().flat_map(|request| request.gis.address.houses()).collect();
    let roster = roster(&mut tx, organization, &houses).await?;
    let now = worker.now();
    let mut changed: Vec<DebtRequest> = Vec::new();
    for mut request in held {
        let certain = request.answered && !request.answer.is_some_and(|it| it.state.is_under_way());
        let open = !certain && request.stage != Stage::Gone;
        if open && roster.assign(&mut request) {
            request.version += 1;
            request.updated_at = now;
            changed.push(request);
        }
    }
    let told: Vec<_> = changed.iter().map(assigned).collect();
    debt_requests::save_work(&mut tx, &changed).await?;
    events::append(&mut tx, &told, now).await?;
    tx.commit().await?;
    Ok((
        u64::try_from(places.len()).unwrap_or(u64::MAX).max(1),
        u64::try_from(changed.len()).unwrap_or(u64::MAX),
    ))
}

fn assigned(request: &DebtRequest) -> NewEvent {
    NewEvent {
        organization: request.organization,
        kind: EventKind::RequestAssigned,
        debt_request: Some(request.id),
        answer: None,
        data: request.assignment(),
    }
}
