//! Reads debt requests from GIS: says when a run begins and keeps every run going until its last page.
//!
//! A run begins by the schedule (Moscow time), by `sync.every`, at once for an organisation that never had one, or by a
//! client. Where it stands is in its open page messages; what this job does follows from the rows alone, so it goes on after
//! a crash, an outage or a restart from where they are.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use serde_json::json;

use super::calls::{after, service_error};
use super::exports::{self, Asked, Prepared};
use super::gate::{Entry, Pass};
use super::{JobName, Report, Worker, pages};
use crate::domain::answer::LastError;
use crate::domain::last_error_code::LastErrorCode;
use crate::domain::message::{Message, MessageState};
use crate::domain::sync_run::{INTERVAL, RunState, SCHEDULE, START, SyncRun};
use crate::ids::OrganizationId;
use crate::settings::SyncSettings;
use crate::store::gis_operations::Operation;
use crate::store::{Tx, messages, organizations, sync_runs};
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
            Ok(tended) => {
                report.done += tended.moved;
                report.next = report.next.into_iter().chain(tended.next).min();
            }
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
            Due::At(time) => next = next.into_iter().chain([time]).min(),
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
    let Some(last) = last else { return Ok(Due::Now(START)) };
    if last.state == RunState::Running {
        return Ok(Due::AfterThis);
    }
    let scheduled = settings.schedule.next_after(last.started_at).map_err(Error::internal)?;
    let time = settings.due_after(last.started_at).map_err(Error::internal)?;
    let by = if time < scheduled { INTERVAL } else { SCHEDULE };
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

/// What was done for a run.
#[derive(Debug, Clone, Copy, Default)]
struct Tended {
    /// Questions asked, or the run given up.
    moved: u64,
    /// Nothing more before this time.
    next: Option<DateTime<Utc>>,
}

impl Tended {
    const MOVED: Self = Self { moved: 1, next: None };

    const fn later(next: DateTime<Utc>) -> Self {
        Self { moved: 0, next: Some(next) }
    }

    fn after(asked: &Asked) -> Self {
        match asked {
            Asked::Accepted(_) | Asked::Refused(_) => Self::MOVED,
            Asked::Later { again_at } => Self::later(*again_at),
            Asked::Withdrawn => Self::default(),
        }
    }

    fn and(self, other: Self) -> Self {
        Self { moved: self.moved + other.moved, next: self.next.into_iter().chain(other.next).min() }
    }
}

async fn tend(worker: &Worker, run: &SyncRun) -> Result<Tended> {
    let open = {
        let mut conn = worker.service.db.read().await?;
        pages::open_pages(&mut conn, run).await?
    };
    if open.is_empty() {
        return begin(worker, run).await;
    }
    let mut all = Tended::default();
    for tended in join_all(open.iter().map(|page| tend_page(worker, run, page))).await {
        all = all.and(tended?);
    }
    Ok(all)
}

/// Asks for the first pages of a run.
async fn begin(worker: &Worker, run: &SyncRun) -> Result<Tended> {
    let pass = match worker.enter(Operation::Export).await? {
        Entry::Closed { until } => return Ok(Tended::later(until)),
        Entry::Open(pass) => pass,
    };
    let mut tx = worker.service.db.begin().await?;
    let Some(run) = running(&mut tx, run).await? else { return Ok(Tended::default()) };
    if !pages::open_pages(&mut tx, &run).await?.is_empty() {
        return Ok(Tended::default());
    }
    let questions = pages::prepare(&mut tx, worker, &run, pages::first(&run)).await?;
    tx.commit().await?;
    ask_all(worker, pass, questions).await
}

/// Asks prepared questions; the first one has its place at the gate already.
async fn ask_all(worker: &Worker, pass: Pass<'_>, questions: Vec<Prepared>) -> Result<Tended> {
    let mut questions = questions.into_iter();
    let Some(first) = questions.next() else { return Ok(Tended::default()) };
    let mut all = Tended::after(&exports::call(worker, pass, first).await?);
    for asked in join_all(questions.map(|question| exports::send(worker, question))).await {
        all = all.and(Tended::after(&asked?));
    }
    Ok(all)
}

async fn tend_page(worker: &Worker, run: &SyncRun, page: &Message) -> Result<Tended> {
    match step(run, page, worker.now()) {
        Step::Nothing => Ok(Tended::default()),
        Step::Wait(time) => Ok(Tended::later(time)),
        Step::GiveUp(error) => {
            let mut tx = worker.service.db.begin().await?;
            pages::give_up(&mut tx, run.id, error, worker.now()).await?;
            // Perhaps the next one is due.
            tx.wake(JobName::Sync);
            tx.commit().await?;
            Ok(Tended::MOVED)
        }
        Step::AskAnew => match worker.enter(Operation::Export).await? {
            Entry::Closed { until } => Ok(Tended::later(until)),
            Entry::Open(pass) => ask_anew(worker, pass, run, page).await,
        },
    }
}

/// A new question takes the place of one that failed, or several do.
async fn ask_anew(worker: &Worker, pass: Pass<'_>, run: &SyncRun, page: &Message) -> Result<Tended> {
    let mut tx = worker.service.db.begin().await?;
    let Some(mut run) = running(&mut tx, run).await? else { return Ok(Tended::default()) };
    let open = pages::open_pages(&mut tx, &run).await?;
    let Some(page) = open.into_iter().find(|other| other.id == page.id) else { return Ok(Tended::default()) };
    messages::close_pages(&mut tx, &[page.id]).await?;
    let parts = pages::instead_of_lost(&mut run, &page.purpose);
    let questions = if parts.is_empty() {
        vec![exports::prepare(&mut tx, worker, run.organization, page.purpose, page.failures).await?]
    } else {
        tracing::warn!(run = %run.id, parts = parts.len(), "GIS does not find a page: its days are read in parts");
        sync_runs::update(&mut tx, &run).await?;
        pages::prepare(&mut tx, worker, &run, parts).await?
    };
    tx.commit().await?;
    ask_all(worker, pass, questions).await
}

/// A run that is still under way, held: another instance may have moved it meanwhile, and its row decides who is first.
async fn running(tx: &mut Tx, run: &SyncRun) -> Result<Option<SyncRun>> {
    let run = sync_runs::lock(tx, run.id).await?;
    Ok(run.filter(|run| run.state == RunState::Running))
}

/// What an open page needs next.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// To be asked for anew.
    AskAnew,
    /// Time to pass.
    Wait(DateTime<Utc>),
    /// Its run to be given up.
    GiveUp(LastError),
    /// Nothing: it is on its way.
    Nothing,
}

fn step(run: &SyncRun, page: &Message, now: DateTime<Utc>) -> Step {
    match page.state {
        MessageState::Sending | MessageState::Accepted | MessageState::Done => Step::Nothing,
        MessageState::Failed | MessageState::Lost => {
            if after(run.started_at, PATIENCE) <= now {
                return Step::GiveUp(page.error.clone().unwrap_or_else(too_long));
            }
            page.next_poll_at.filter(|time| *time > now).map_or(Step::AskAnew, Step::Wait)
        }
    }
}

fn too_long() -> LastError {
    service_error(LastErrorCode::SyncTooLong, "получение запросов не закончилось за сутки".to_owned())
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, TimeDelta};
    use uuid::Uuid;

    use super::*;
    use crate::ids::MessageId;
    use crate::jobs::windows::Window;

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
            purpose: Window::of(&run).first_page(&run),
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
    fn a_run_goes_on_from_its_open_pages() {
        let run = run(at("2026-11-05T01:15:00Z"), RunState::Running);
        let now = at("2026-11-05T02:00:00Z");
        let soon = now + TimeDelta::minutes(1);
        let step = |state, next_poll_at, now| step(&run, &page(state, next_poll_at), now);
        assert_eq!(step(MessageState::Accepted, Some(now), now), Step::Nothing);
        assert_eq!(step(MessageState::Sending, None, now), Step::Nothing);
        assert_eq!(step(MessageState::Failed, Some(soon), now), Step::Wait(soon));
        assert_eq!(step(MessageState::Lost, Some(now), now), Step::AskAnew);
        let tomorrow = now + TimeDelta::days(1);
        assert_eq!(step(MessageState::Failed, Some(now), tomorrow), Step::GiveUp(too_long()));
    }
}
