//! Gives automatic answers. A run begins at its hour, reads the requests that it would answer from GIS, and answers them
//! once they are read. While GIS cannot be read it waits, for as long as its day lasts: nobody is answered blindly.
//!
//! Where a run stands is in its row, which is held by whoever moves it on, so several instances make one run of a day.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;

use super::exports::{self, Asked};
use super::{Report, Worker};
use crate::auto_answer::{Stop, consider, end, leave_unread, unread};
use crate::domain::auto_answer::{AutoAnswerRun, Verdict, due_run};
use crate::domain::message::{MessageState, Purpose};
use crate::domain::settings::{AutoAnswerSettings, Standing};
use crate::error::Result;
use crate::ids::{DebtRequestId, MessageId};
use crate::store::{Conn, Tx, auto_answer_runs, messages, organization_settings, organizations};

/// The least time between two questions about the same requests.
const BETWEEN_QUESTIONS: TimeDelta = TimeDelta::minutes(5);
/// Debt requests of one look.
const MOST_LOOKED_AT: usize = 100;

pub(crate) async fn activate(worker: &Worker) -> Result<Report> {
    let begun = begin_due(worker).await?;
    let runs = {
        let mut conn = worker.service.db.read().await?;
        auto_answer_runs::unfinished(&mut conn).await?
    };
    let (running, mut moved) = (runs.len(), begun);
    // One run that fails for a reason of ours must not stop the others.
    let mut trouble = None;
    for run in runs {
        match step(worker, &run).await {
            Ok(has_moved) => moved += u64::from(has_moved),
            Err(error) => trouble = Some(error),
        }
    }
    let report = Report { done: moved, next: None, detail: json!({ "begun": begun, "running": running }) };
    trouble.map_or(Ok(report), Err)
}

/// Begins the runs that are due; how many.
async fn begin_due(worker: &Worker) -> Result<u64> {
    let all = {
        let mut conn = worker.service.db.read().await?;
        organization_settings::all::<AutoAnswerSettings>(&mut conn).await?
    };
    let mut begun = 0;
    for (organization, standing) in all.into_iter().filter(|(_, standing)| standing.settings.enabled) {
        let mut conn = worker.service.db.read().await?;
        let Some(organization) = organizations::get(&mut conn, organization).await? else { continue };
        let Some(day) = due_run(&standing, organization.time_zone, worker.now()) else { continue };
        if auto_answer_runs::exists(&mut conn, organization.id, day).await? {
            continue;
        }
        drop(conn);
        let run = AutoAnswerRun::new(organization.id, day, worker.now());
        begun += u64::from(begin(worker, &run, &standing.settings).await?);
    }
    Ok(begun)
}

/// Begins a run; `false` when another instance was first. One of a day before that is still waiting for GIS is over.
async fn begin(worker: &Worker, run: &AutoAnswerRun, settings: &AutoAnswerSettings) -> Result<bool> {
    let mut tx = worker.service.db.begin().await?;
    if !auto_answer_runs::insert(&mut tx, run).await? {
        return Ok(false);
    }
    let earlier = auto_answer_runs::unfinished(&mut tx).await?.into_iter();
    for earlier in earlier.filter(|it| it.organization == run.organization && it.run_on < run.run_on) {
        let held = auto_answer_runs::lock(&mut tx, earlier.organization, earlier.run_on).await?;
        if let Some(held) = held.filter(|held| held.finished_at.is_none()) {
            worker.service.stop_auto_answer(&mut tx, held, settings, Stop::NotRead).await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}

/// Moves a run on, if it can go on now.
async fn step(worker: &Worker, run: &AutoAnswerRun) -> Result<bool> {
    let service = &worker.service;
    let mut conn = service.db.scan().await?;
    let Some(organization) = organizations::get(&mut conn, run.organization).await? else {
        return Ok(false);
    };
    let Standing { settings, .. } =
        organization_settings::get::<AutoAnswerSettings>(&mut conn, run.organization).await?;
    let Some(looks) = looks(&mut conn, run).await? else { return Ok(false) };
    let considered = if settings.enabled {
        consider(&mut conn, &service.settings.calendar, &organization, &settings, worker.now()).await?
    } else {
        Vec::new()
    };
    drop(conn);
    let mut tx = service.db.begin().await?;
    // Another instance may have moved it on meanwhile.
    let held = auto_answer_runs::lock(&mut tx, run.organization, run.run_on).await?;
    let Some(held) = held.filter(|held| held == run) else { return Ok(false) };
    let answers = considered.iter().filter(|item| item.verdict == Verdict::Answer).count();
    let unread = unread(&considered, run.began_at, &looks.read);
    if !settings.enabled {
        end(&mut tx, held, worker.now()).await?;
    } else if answers > usize::try_from(settings.max_per_run).unwrap_or(usize::MAX) {
        service.stop_auto_answer(&mut tx, held, &settings, Stop::TooMany { answers }).await?;
    } else if unread.is_empty() {
        let mut considered = considered;
        leave_unread(&mut considered, run.began_at);
        service.answer_automatically(&mut tx, held, &organization, &settings, considered).await?;
    } else {
        let again_at = run.asked_at.map(|asked| asked + BETWEEN_QUESTIONS);
        if again_at.is_some_and(|again_at| worker.now() < again_at) {
            return Ok(false);
        }
        return ask(worker, tx, held, looks.done, &unread).await;
    }
    tx.commit().await?;
    Ok(true)
}

/// The questions of a run that were answered.
struct Looks {
    done: Vec<MessageId>,
    /// The requests that they were about.
    read: BTreeSet<DebtRequestId>,
}

/// What came of the questions of a run; `None` while one is on its way.
async fn looks(conn: &mut Conn, run: &AutoAnswerRun) -> Result<Option<Looks>> {
    let mut looks = Looks { done: Vec::new(), read: BTreeSet::new() };
    for id in &run.looks {
        let Some(message) = messages::get(conn, *id).await? else { continue };
        match (message.state, message.purpose) {
            (MessageState::Sending | MessageState::Accepted, _) => return Ok(None),
            (MessageState::Done, Purpose::Look { ids }) => {
                looks.done.push(*id);
                looks.read.extend(ids);
            }
            (MessageState::Done, Purpose::Page { .. } | Purpose::Import)
            | (MessageState::Failed | MessageState::Lost, _) => {}
        }
    }
    Ok(Some(looks))
}

/// Asks GIS for requests. The questions are in the row of the run before they are asked.
async fn ask(
    worker: &Worker,
    mut tx: Tx,
    run: AutoAnswerRun,
    done: Vec<MessageId>,
    unread: &[DebtRequestId],
) -> Result<bool> {
    let mut questions = Vec::new();
    for ids in unread.chunks(MOST_LOOKED_AT) {
        let purpose = Purpose::Look { ids: ids.to_vec() };
        questions.push(exports::prepare(&mut tx, worker, run.organization, purpose, 0).await?);
    }
    let looks = done.into_iter().chain(questions.iter().map(exports::Prepared::id)).collect();
    let asked = AutoAnswerRun { asked_at: Some(worker.now()), looks, ..run };
    auto_answer_runs::update(&mut tx, &asked).await?;
    tx.commit().await?;
    for asked in join_all(questions.into_iter().map(|question| exports::send(worker, question))).await {
        match asked? {
            Asked::Accepted(_) => {}
            Asked::Later { again_at } => tracing::info!(%again_at, "the automatic answer waits for GIS"),
            Asked::Refused(error) => {
                tracing::warn!(code = error.code, "GIS refuses to show what shall be answered by itself");
            }
        }
    }
    Ok(true)
}
