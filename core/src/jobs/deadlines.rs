//! Tells of deadlines that are near: once for each request that has no answer in GIS on the working day before its last one,
//! or on that day. Beside it, of answers that are late ([`super::delays`]), and of tokens and certificates that will soon be
//! good no more ([`super::expiry`]).

use serde_json::json;

use super::{Report, Worker, delays, expiry};
use crate::Result;
use crate::domain::answer::State;
use crate::domain::auto_answer::soon;
use crate::domain::event::{EventKind, NewEvent};
use crate::domain::organization::Organization;
use crate::store::deadline_notices::{self, Near};
use crate::store::{events, organizations};

/// Requests told of in one transaction.
const BATCH: i64 = 500;

pub(crate) async fn activate(worker: &Worker) -> Result<Report> {
    let organizations = {
        let mut conn = worker.service.db.read().await?;
        organizations::list(&mut conn).await?
    };
    let (mut told, mut delayed) = (0, 0);
    for organization in &organizations {
        told += tell(worker, organization).await?;
        delayed += delays::tell(worker, organization).await?;
    }
    let expiring = expiry::tell(worker, &organizations).await?;
    Ok(Report {
        done: told + delayed + expiring,
        next: None,
        detail: json!({ "told": told, "delayed": delayed, "expiring": expiring }),
    })
}

async fn tell(worker: &Worker, organization: &Organization) -> Result<u64> {
    let now = worker.now();
    let today = now.with_timezone(&organization.time_zone).date_naive();
    let days = (today, soon(&worker.service.settings.calendar, today));
    {
        let mut conn = worker.service.db.scan().await?;
        if deadline_notices::untold(&mut conn, organization.id, days, 1).await?.is_empty() {
            return Ok(0);
        }
    }
    let mut tx = worker.service.db.begin().await?;
    // Of two instances the second one finds nothing left to tell.
    organizations::hold(&mut tx, organization.id).await?;
    let near = deadline_notices::untold(&mut tx, organization.id, days, BATCH).await?;
    let ids: Vec<_> = near.iter().map(|(id, ..)| *id).collect();
    deadline_notices::note(&mut tx, &ids, now).await?;
    let told: Vec<_> = near.into_iter().map(|near| event(organization, near)).collect();
    events::append(&mut tx, &told, now).await?;
    tx.commit().await?;
    Ok(u64::try_from(told.len()).unwrap_or(u64::MAX))
}

fn event(organization: &Organization, (debt_request, due_on, answer, state): Near) -> NewEvent {
    NewEvent {
        organization: organization.id,
        kind: EventKind::RequestDueSoon,
        debt_request: Some(debt_request),
        answer: None,
        data: json!({ "due_on": due_on, "answer_id": answer, "answer_state": state.map(State::as_str) }),
    }
}
