//! A page of a sync: its subrequests come into the mirror, then the next page is asked for, or the run ends.
//!
//! What must stay true: in one transaction the page is recorded, its message ended, and what follows written: the row of the
//! next question or the end of the run. So a run is never left without one of them, whatever dies.

use chrono::{DateTime, Months, NaiveDate, Utc};
use gis_client::debt_requests::SubrequestPage;
use serde_json::json;

use super::calls::finish;
use super::exports::{self, Asked, Prepared};
pub(crate) use super::mirror::merge;
use super::{JobName, Worker};
use crate::domain::answer::LastError;
use crate::domain::event::{EventKind, NewEvent};
use crate::domain::message::{Message, MessageState, Purpose};
use crate::domain::sync_run::{RunState, SyncRun};
use crate::ids::{DebtRequestId, SyncRunId};
use crate::store::{Conn, Tx, debt_requests, events, sync_runs};
use crate::{Error, Result};

/// XSD annotation of periodOfSendingRequest: at most six months.
const LONGEST_PERIOD: Months = Months::new(6);
/// At most so many debt requests are asked for by one look.
const MOST_LOOKED_AT: usize = 100;
/// At most so many that GIS did not show are looked at after one run; the next run has the others.
const MOST_UNSEEN: i64 = 1000;

/// What comes after a page.
enum Then {
    Ask(Box<Prepared>),
    LookFor(Vec<DebtRequestId>),
}

/// A page that this worker holds.
pub(crate) async fn record(worker: &Worker, message: &Message, page: SubrequestPage) -> Result<()> {
    let Purpose::Page { run, from, to, .. } = message.purpose else {
        return Err(Error::internal("not a page of a sync"));
    };
    for unreadable in &page.unreadable {
        tracing::warn!(message = %message.id, position = unreadable.position, "GIS sent a debt request without a GUID");
    }
    let now = worker.now();
    let mut tx = worker.service.db.begin().await?;
    if !finish(&mut tx, worker, message, MessageState::Done, None).await? {
        return Ok(());
    }
    let merged = merge(&mut tx, message.organization, &page.subrequests, message.sent_at, now).await?;
    let Some(mut run) = running(&mut tx, run).await? else {
        tx.commit().await?;
        return Ok(());
    };
    run.found += merged.found;
    run.added += merged.added;
    run.changed += merged.changed;
    run.pages += 1;
    let next = match page.next {
        Some(next) => Some(Purpose::Page { run: run.id, from, to, after: Some(next.into()) }),
        None => period_after(to, &run),
    };
    let then = match next {
        Some(purpose) => {
            sync_runs::update(&mut tx, &run).await?;
            let prepared = exports::prepare(&mut tx, worker, run.organization, purpose, 0).await?;
            Then::Ask(Box::new(prepared))
        }
        None => {
            complete(&mut tx, &mut run, now).await?;
            Then::LookFor(unseen(&mut tx, &run).await?)
        }
    };
    tx.commit().await?;
    match then {
        Then::Ask(prepared) => exports::send(worker, *prepared).await.map(drop),
        Then::LookFor(ids) => look_for(worker, &run, &ids).await,
    }
}

/// The first question of a run.
pub(crate) fn first(run: &SyncRun) -> Purpose {
    period(run, run.window_from)
}

/// The first question of the next period; `None` when the window has been read.
fn period_after(to: NaiveDate, run: &SyncRun) -> Option<Purpose> {
    let from = to.succ_opt().filter(|day| *day <= run.window_to)?;
    Some(period(run, from))
}

fn period(run: &SyncRun, from: NaiveDate) -> Purpose {
    let longest = from.checked_add_months(LONGEST_PERIOD).unwrap_or(run.window_to);
    Purpose::Page { run: run.id, from, to: longest.min(run.window_to), after: None }
}

/// A run that is still under way, held.
async fn running(conn: &mut Conn, id: SyncRunId) -> Result<Option<SyncRun>> {
    let run = sync_runs::lock(conn, id).await?;
    Ok(run.filter(|run| run.state == RunState::Running))
}

async fn complete(tx: &mut Tx, run: &mut SyncRun, now: DateTime<Utc>) -> Result<()> {
    run.state = RunState::Succeeded;
    run.finished_at = Some(now);
    sync_runs::update(tx, run).await?;
    let data = json!({
        "run_id": run.id, "found": run.found, "new": run.added, "changed": run.changed, "pages": run.pages,
    });
    tell(tx, run, EventKind::SyncCompleted, data, now).await?;
    tx.wake(JobName::Settle);
    Ok(())
}

/// Gives a run up; the next one begins anew.
pub(crate) async fn give_up(tx: &mut Tx, run: SyncRunId, error: LastError, now: DateTime<Utc>) -> Result<()> {
    let Some(mut run) = running(tx, run).await? else { return Ok(()) };
    let data = json!({ "run_id": run.id, "code": error.code, "pages": run.pages });
    run.state = RunState::Failed;
    run.finished_at = Some(now);
    run.error = Some(error);
    sync_runs::update(tx, &run).await?;
    tell(tx, &run, EventKind::SyncFailed, data, now).await
}

async fn tell(
    conn: &mut Conn,
    run: &SyncRun,
    kind: EventKind,
    data: serde_json::Value,
    now: DateTime<Utc>,
) -> Result<()> {
    let event = NewEvent { organization: run.organization, kind, debt_request: None, answer: None, data };
    events::append(conn, &[event], now).await?;
    Ok(())
}

/// Those that the run should have shown and did not: perhaps withdrawn by who asked (Q29).
async fn unseen(conn: &mut Conn, run: &SyncRun) -> Result<Vec<DebtRequestId>> {
    let window = (run.window_from, run.window_to);
    Ok(debt_requests::unseen(conn, run.organization, window, run.started_at, MOST_UNSEEN).await?)
}

/// Asks for them one by one: a page alone proves nothing. What is not asked now, the next run will find.
async fn look_for(worker: &Worker, run: &SyncRun, ids: &[DebtRequestId]) -> Result<()> {
    for ids in ids.chunks(MOST_LOOKED_AT) {
        match exports::ask(worker, run.organization, Purpose::Look { ids: ids.to_vec() }).await? {
            Asked::Accepted(_) => {}
            Asked::Later { .. } | Asked::Refused(_) => return Ok(()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn run(from: &str, to: &str) -> SyncRun {
        SyncRun {
            id: Uuid::from_u128(1).into(),
            organization: Uuid::from_u128(2).into(),
            started_by: "schedule".to_owned(),
            state: RunState::Running,
            window_from: day(from),
            window_to: day(to),
            found: 0,
            added: 0,
            changed: 0,
            pages: 0,
            error: None,
            started_at: DateTime::UNIX_EPOCH,
            finished_at: None,
        }
    }

    fn periods(run: &SyncRun) -> Vec<(NaiveDate, NaiveDate)> {
        let mut next = Some(first(run));
        let mut periods = Vec::new();
        while let Some(Purpose::Page { from, to, .. }) = next {
            periods.push((from, to));
            next = period_after(to, run);
        }
        periods
    }

    #[test]
    fn a_usual_window_is_one_period() {
        assert_eq!(periods(&run("2026-08-31", "2027-02-27")), [(day("2026-08-31"), day("2027-02-27"))]);
        assert_eq!(periods(&run("2026-11-01", "2026-11-01")), [(day("2026-11-01"), day("2026-11-01"))]);
    }

    #[test]
    fn a_long_window_is_read_in_periods_of_six_months() {
        let expected = [
            (day("2026-01-01"), day("2026-07-01")),
            (day("2026-07-02"), day("2027-01-02")),
            (day("2027-01-03"), day("2027-02-01")),
        ];
        assert_eq!(periods(&run("2026-01-01", "2027-02-01")), expected);
        for (from, to) in expected {
            assert!(gis_client::debt_requests::Period::new(from, to).is_ok());
        }
    }
}
