//! Reads debt requests from GIS: says when a run begins and keeps every run going until its last page.
//!
//! A run begins by the schedule (Moscow time), by `sync.every`, at once for an organisation that never had one, or by a
//! client. Where it stands is in its newest page message; what this job does follows from the rows alone, so it goes on
//! after a crash, an outage or a restart from where they are.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use serde_json::json;

use super::calls::{after, service_error};
use super::exports::{self, Asked};
use super::gate::Entry;
use super::{JobName, Report, Worker, pages};
use crate::domain::answer::LastError;
use crate::domain::message::{Message, MessageState, Purpose};
use crate::domain::sync_run::{RunState, SyncRun};
use crate::ids::OrganizationId;
use crate::settings::SyncSettings;
use crate::store::gis_operations::Operation;
use crate::store::{Conn, messages, organizations, sync_runs};
use crate::sync_runs::new_run;
use crate::{Error, Result};

/// A run that has taken so long is given up: the next one reads the same and more.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

pub(crate) async fn activate(worker: &Worker) -> Result<Report> {
    let (started, due) = start_due(worker).await?;
    let runs = {
        let mut conn = worker.service.db.read().await?;
        sync_runs::running(&mut conn).await?
    };
    let running = runs.len();
    let mut report =
        Report { done: started, next: due, detail: json!({ "started": started, "running": running }) };
    // One run that fails for a reason of ours must not stop the others.
    let mut trouble = None;
    for tended in join_all(runs.iter().map(|run| tend(worker, run))).await {
        match tended {
            Ok(Tended::Moved) => report.done += 1,
            Ok(Tended::Waits(time)) => report.next = earlier(report.next, time),
            Ok(Tended::UnderWay) => {}
            Err(error) => trouble = Some(error),
        }
    }
    trouble.map_or(Ok(report), Err)
}

/// Begins the runs that are due; how many, and when the next one will be.
async fn start_due(worker: &Worker) -> Result<(u64, Option<DateTime<Utc>>)> {
    let now = worker.now();
    let mut conn = worker.service.db.read().await?;
    let organizations = organizations::list(&mut conn).await?;
    let (mut started, mut next) = (0, None);
    for organization in organizations {
        let last = sync_runs::last(&mut conn, organization.id).await?;
        match due(&worker.service.settings.sync, last.as_ref(), now)? {
            Due::Now(by) => started += u64::from(start(worker, organization.id, by).await?),
            Due::At(time) => next = earlier(next, time),
            Due::AfterThis => {}
        }
    }
    Ok((started, next))
}

/// When the next run of an organisation begins.
#[derive(Debug, PartialEq, Eq)]
enum Due {
    /// Now, and what began it.
    Now(&'static str),
    /// Later.
    At(DateTime<Utc>),
    /// One is under way.
    AfterThis,
}

fn due(settings: &SyncSettings, last: Option<&SyncRun>, now: DateTime<Utc>) -> Result<Due> {
    let Some(last) = last else { return Ok(Due::Now("start")) };
    if last.state == RunState::Running {
        return Ok(Due::AfterThis);
    }
    let scheduled = settings.next_after(last.started_at).map_err(Error::internal)?;
    let time = settings.due_after(last.started_at).map_err(Error::internal)?;
    let by = if time < scheduled { "interval" } else { "schedule" };
    Ok(if time <= now { Due::Now(by) } else { Due::At(time) })
}

/// Begins a run; `false` when another instance was first.
async fn start(worker: &Worker, organization: OrganizationId, by: &str) -> Result<bool> {
    let settings = &worker.service.settings.sync;
    let run = new_run(organization, by.to_owned(), settings, worker.now());
    let mut tx = worker.service.db.begin().await?;
    match sync_runs::insert(&mut tx, &run).await {
        Ok(()) => {}
        // The index sync_runs_running lets one run of an organisation be under way.
        Err(error) if error.is_unique() => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    tx.commit().await?;
    Ok(true)
}

/// What became of a run at one activation.
enum Tended {
    /// A question was asked, or the run given up.
    Moved,
    /// Nothing before this time.
    Waits(DateTime<Utc>),
    /// A page is on its way.
    UnderWay,
}

async fn tend(worker: &Worker, run: &SyncRun) -> Result<Tended> {
    let step = {
        let mut conn = worker.service.db.read().await?;
        look_at(&mut conn, run, worker.now()).await?
    };
    match step {
        Step::Nothing => Ok(Tended::UnderWay),
        Step::Wait(time) => Ok(Tended::Waits(time)),
        Step::GiveUp(error) => {
            let mut tx = worker.service.db.begin().await?;
            pages::give_up(&mut tx, run.id, error, worker.now()).await?;
            // Perhaps the next one is due.
            tx.wake(JobName::Sync);
            tx.commit().await?;
            Ok(Tended::Moved)
        }
        Step::Ask { .. } => match worker.enter(Operation::Export).await? {
            Entry::Closed { until } => Ok(Tended::Waits(until)),
            Entry::Open(pass) => {
                let mut tx = worker.service.db.begin().await?;
                // Another instance may have asked meanwhile; the run's row decides who is first.
                let Some(run) = sync_runs::lock(&mut tx, run.id).await? else { return Ok(Tended::UnderWay) };
                let Step::Ask { purpose, failures } = look_at(&mut tx, &run, worker.now()).await? else {
                    return Ok(Tended::UnderWay);
                };
                let prepared = exports::prepare(&mut tx, worker, run.organization, purpose, failures).await?;
                tx.commit().await?;
                Ok(match exports::call(worker, pass, prepared).await? {
                    Asked::Accepted(_) | Asked::Refused(_) => Tended::Moved,
                    Asked::Later { again_at } => Tended::Waits(again_at),
                })
            }
        },
    }
}

/// What a run needs next.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// A page asked for.
    Ask {
        /// Which.
        purpose: Purpose,
        /// How often it was asked for in vain.
        failures: i64,
    },
    /// Time to pass.
    Wait(DateTime<Utc>),
    /// To be given up.
    GiveUp(LastError),
    /// Nothing: a page is on its way, or it has ended.
    Nothing,
}

async fn look_at(conn: &mut Conn, run: &SyncRun, now: DateTime<Utc>) -> Result<Step> {
    if run.state != RunState::Running {
        return Ok(Step::Nothing);
    }
    let last = messages::last_page(conn, run.organization).await?;
    let last = last.filter(|message| belongs(message, run));
    Ok(step(run, last, now))
}

fn belongs(message: &Message, run: &SyncRun) -> bool {
    matches!(message.purpose, Purpose::Page { run: of, .. } if of == run.id)
}

fn step(run: &SyncRun, last: Option<Message>, now: DateTime<Utc>) -> Step {
    let late = after(run.started_at, PATIENCE) <= now;
    let Some(last) = last else {
        return Step::Ask { purpose: pages::first(run), failures: 0 };
    };
    match last.state {
        MessageState::Sending | MessageState::Accepted => Step::Nothing,
        MessageState::Done | MessageState::Failed | MessageState::Lost if late => {
            Step::GiveUp(last.error.unwrap_or_else(too_long))
        }
        // Never so: what follows a page is written with it. Should it be so all the same, the run begins anew.
        MessageState::Done => Step::Ask { purpose: pages::first(run), failures: 0 },
        MessageState::Failed | MessageState::Lost => match last.next_poll_at.filter(|time| *time > now) {
            Some(time) => Step::Wait(time),
            None => Step::Ask { purpose: last.purpose, failures: last.failures },
        },
    }
}

fn too_long() -> LastError {
    service_error("sync_too_long", "выгрузка не закончилась за сутки".to_owned())
}

fn earlier(known: Option<DateTime<Utc>>, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
    Some(known.map_or(time, |known| known.min(time)))
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, TimeDelta};
    use uuid::Uuid;

    use super::*;
    use crate::ids::MessageId;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn run(started_at: DateTime<Utc>, state: RunState) -> SyncRun {
        let day = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap();
        SyncRun {
            id: Uuid::from_u128(1).into(),
            organization: Uuid::from_u128(2).into(),
            started_by: "schedule".to_owned(),
            state,
            window_from: day,
            window_to: day,
            found: 0,
            added: 0,
            changed: 0,
            pages: 0,
            error: None,
            started_at,
            finished_at: None,
        }
    }

    #[test]
    fn runs_begin_in_moscow_time() {
        let settings = SyncSettings::default();
        let due = |last: Option<&SyncRun>, now: &str| due(&settings, last, at(now)).unwrap();
        assert_eq!(due(None, "2026-11-05T12:00:00Z"), Due::Now("start"));

        // 04:15 in Moscow is 01:15 UTC.
        let last = run(at("2026-11-05T01:15:00Z"), RunState::Succeeded);
        let next = at("2026-11-06T01:15:00Z");
        assert_eq!(due(Some(&last), "2026-11-05T12:00:00Z"), Due::At(next));
        assert_eq!(due(Some(&last), "2026-11-06T01:15:00Z"), Due::Now("schedule"));
        assert_eq!(
            due(Some(&last), "2026-12-31T01:15:00Z"),
            Due::Now("schedule"),
            "one run, however many were missed"
        );

        let under_way = run(at("2026-11-05T01:15:00Z"), RunState::Running);
        assert_eq!(due(Some(&under_way), "2026-11-06T02:00:00Z"), Due::AfterThis);
    }

    #[test]
    fn an_interval_fills_the_day() {
        let settings = SyncSettings { every: Some(Duration::from_secs(3600)), ..SyncSettings::default() };
        let last = run(at("2026-11-05T12:00:00Z"), RunState::Failed);
        assert_eq!(
            due(&settings, Some(&last), at("2026-11-05T12:30:00Z")).unwrap(),
            Due::At(at("2026-11-05T13:00:00Z"))
        );
        assert_eq!(due(&settings, Some(&last), at("2026-11-05T13:00:00Z")).unwrap(), Due::Now("interval"));
    }

    fn page(state: MessageState, next_poll_at: Option<DateTime<Utc>>) -> Message {
        let run = run(at("2026-11-05T01:15:00Z"), RunState::Running);
        Message {
            id: MessageId::generate(),
            organization: run.organization,
            purpose: pages::first(&run),
            state,
            worker: None,
            lease_until: None,
            gis_guid: None,
            sent_at: run.started_at,
            acknowledged_at: None,
            polls: 0,
            next_poll_at,
            failures: 3,
            error: None,
            trace: None,
            finished_at: None,
        }
    }

    #[test]
    fn a_run_goes_on_from_its_newest_page() {
        let run = run(at("2026-11-05T01:15:00Z"), RunState::Running);
        let now = at("2026-11-05T02:00:00Z");
        let soon = now + TimeDelta::minutes(1);
        assert_eq!(step(&run, None, now), Step::Ask { purpose: pages::first(&run), failures: 0 });
        assert_eq!(step(&run, Some(page(MessageState::Accepted, None)), now), Step::Nothing);
        assert_eq!(step(&run, Some(page(MessageState::Sending, None)), now), Step::Nothing);
        assert_eq!(step(&run, Some(page(MessageState::Failed, Some(soon))), now), Step::Wait(soon));
        assert_eq!(
            step(&run, Some(page(MessageState::Lost, Some(now))), now),
            Step::Ask { purpose: pages::first(&run), failures: 3 }
        );
        let tomorrow = now + TimeDelta::days(1);
        assert_eq!(
            step(&run, Some(page(MessageState::Failed, Some(now))), tomorrow),
            Step::GiveUp(too_long())
        );
    }
}
