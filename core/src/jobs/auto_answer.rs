//! Gives automatic answers. A run begins at its hour, reads the requests that it would answer from GIS, and answers them
//! once they are read. While GIS cannot be read it waits, for as long as its day lasts: nobody is answered blindly.
//!
//! GIS fails whole lists for one identifier that it cannot show (Q14, Q20). Those of a question that it failed are asked for
//! in smaller ones, and one that fails alone is left to people, as long as GIS shows others.
//!
//! Where a run stands is in its row, which is held by whoever moves it on, so several instances make one run of a day.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;

use super::exports::{self, Asked};
use super::halves::Halves;
use super::{Report, Worker};
use crate::auto_answer::{Stop, any_shown, consider, end, leave_unread, unread};
use crate::domain::auto_answer::{AutoAnswerRun, Verdict, due_run};
use crate::domain::message::{MessageState, Purpose};
use crate::domain::settings::{AutoAnswerSettings, Standing};
use crate::error::{Error, Result};
use crate::ids::{DebtRequestId, MessageId, OrganizationId};
use crate::store::{Conn, Tx, auto_answer_runs, messages, organization_settings, organizations};

/// The least time between two questions about the same requests.
const BETWEEN_QUESTIONS: TimeDelta = TimeDelta::minutes(5);
/// Questions asked at once: one for each hundred of the most answers of a run, and as many again for parts of them.
const MOST_QUESTIONS: usize = 20;

pub(crate) async fn activate(worker: &Worker) -> Result<Report> {
    // One organisation or run that fails for a reason of ours must not stop the others.
    let (begun, mut trouble) = begin_due(worker).await?;
    let runs = {
        let mut conn = worker.service.db.read().await?;
        auto_answer_runs::unfinished(&mut conn).await?
    };
    let (running, mut moved) = (runs.len(), begun);
    for run in runs {
        match step(worker, &run).await {
            Ok(has_moved) => moved += u64::from(has_moved),
            Err(error) => trouble = Some(error),
        }
    }
    let report = Report { done: moved, next: None, detail: json!({ "begun": begun, "running": running }) };
    trouble.map_or(Ok(report), Err)
}

/// Begins the runs that are due; how many, and what kept others from it.
async fn begin_due(worker: &Worker) -> Result<(u64, Option<Error>)> {
    let all = {
        let mut conn = worker.service.db.read().await?;
        organization_settings::all::<AutoAnswerSettings>(&mut conn).await?
    };
    let (mut begun, mut trouble) = (0, None);
    for (organization, standing) in all.into_iter().filter(|(_, standing)| standing.settings.enabled) {
        match begin_if_due(worker, organization, &standing).await {
            Ok(has_begun) => begun += u64::from(has_begun),
            Err(error) => trouble = Some(error),
        }
    }
    Ok((begun, trouble))
}

/// Begins the run of an organisation if its hour has come and the day has none yet.
async fn begin_if_due(
    worker: &Worker,
    organization: OrganizationId,
    standing: &Standing<AutoAnswerSettings>,
) -> Result<bool> {
    let mut conn = worker.service.db.read().await?;
    let Some(organization) = organizations::get(&mut conn, organization).await? else { return Ok(false) };
    let Some(day) = due_run(standing, organization.time_zone, worker.now()) else { return Ok(false) };
    if auto_answer_runs::exists(&mut conn, organization.id, day).await? {
        return Ok(false);
    }
    drop(conn);
    begin(worker, &AutoAnswerRun::new(organization.id, day, worker.now()), &standing.settings).await
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
    let settled = looks.settled(any_shown(&considered, run.began_at));
    let unread = unread(&considered, run.began_at, &settled);
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
        return ask(worker, tx, held, looks, &unread).await;
    }
    tx.commit().await?;
    Ok(true)
}

/// What came of the questions of a run.
#[derive(Default)]
struct Looks {
    /// Those that GIS answered, or failed.
    heard: Vec<MessageId>,
    /// The requests that it answered about.
    read: BTreeSet<DebtRequestId>,
    /// Those that it failed.
    failed: Halves,
}

impl Looks {
    /// The requests that GIS is not asked for again: it has answered about them, or fails each of them alone and shows
    /// others. While it shows none, it is GIS that fails, and the run waits.
    fn settled(&self, has_shown_any: bool) -> BTreeSet<DebtRequestId> {
        let works = has_shown_any || !self.read.is_empty();
        let alone = self.failed.alone().filter(|_| works);
        alone.chain(self.read.iter().copied()).collect()
    }

    /// The next questions, the large ones first: those of a question that failed are asked for in halves of it.
    fn questions(&self, unread: &[DebtRequestId]) -> Vec<Vec<DebtRequestId>> {
        let mut questions = self.failed.questions(unread);
        questions.truncate(MOST_QUESTIONS);
        questions
    }
}

/// What came of the questions of a run; `None` while one is on its way.
async fn looks(conn: &mut Conn, run: &AutoAnswerRun) -> Result<Option<Looks>> {
    let mut looks = Looks::default();
    for id in &run.looks {
        let Some(message) = messages::get(conn, *id).await? else { continue };
        // What did not get through says nothing of the requests in it.
        let by_gis = message.error.is_some_and(|error| error.gis.is_some());
        match (message.state, message.purpose) {
            (MessageState::Sending | MessageState::Accepted, _) => return Ok(None),
            (MessageState::Done, Purpose::Look { ids }) => {
                looks.heard.push(*id);
                looks.read.extend(ids);
            }
            (MessageState::Failed, Purpose::Look { ids }) if by_gis => {
                looks.heard.push(*id);
                looks.failed.fail(ids);
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
    looks: Looks,
    unread: &[DebtRequestId],
) -> Result<bool> {
    let mut questions = Vec::new();
    for ids in looks.questions(unread) {
        let purpose = Purpose::Look { ids };
        questions.push(exports::prepare(&mut tx, worker, run.organization, purpose, 0).await?);
    }
    let looks = looks.heard.into_iter().chain(questions.iter().map(exports::Prepared::id)).collect();
    let asked = AutoAnswerRun { asked_at: Some(worker.now()), looks, ..run };
    auto_answer_runs::update(&mut tx, &asked).await?;
    tx.commit().await?;
    for asked in join_all(questions.into_iter().map(|question| exports::send(worker, question))).await {
        match asked? {
            Asked::Accepted(_) | Asked::Withdrawn => {}
            Asked::Later { again_at } => tracing::info!(%again_at, "the automatic answer waits for GIS"),
            Asked::Refused(error) => {
                tracing::warn!(code = error.code, "GIS refuses to show what shall be answered by itself");
            }
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn ids(numbers: std::ops::RangeInclusive<u128>) -> Vec<DebtRequestId> {
        numbers.map(|number| Uuid::from_u128(number).into()).collect()
    }

    /// Asks until nothing is unread; GIS fails every question with one of `bad`. How often it was asked, and what was read.
    fn asked_out(all: &[DebtRequestId], bad: &[DebtRequestId]) -> (usize, BTreeSet<DebtRequestId>) {
        let mut looks = Looks::default();
        for round in 1..=20 {
            let settled = looks.settled(false);
            let unread: Vec<_> = all.iter().copied().filter(|id| !settled.contains(id)).collect();
            if unread.is_empty() {
                return (round - 1, looks.read);
            }
            for question in looks.questions(&unread) {
                assert!(question.len() <= 100);
                if question.iter().any(|id| bad.contains(id)) {
                    looks.failed.fail(question);
                } else {
                    looks.read.extend(question);
                }
            }
        }
        (20, looks.read)
    }

    #[test]
    fn what_gis_cannot_show_keeps_nobody_else_waiting() {
        let all = ids(1..=950);
        assert_eq!(asked_out(&all, &[]), (1, all.iter().copied().collect()));
        for bad in [ids(1..=1), ids(500..=500), ids(950..=950), ids(99..=102)] {
            let (rounds, read) = asked_out(&all, &bad);
            assert!(rounds <= 8, "{rounds}");
            assert_eq!(read, all.iter().copied().filter(|id| !bad.contains(id)).collect());
        }
    }

    #[test]
    fn while_gis_shows_nothing_nobody_is_given_up() {
        let all = ids(1..=3);
        let (rounds, read) = asked_out(&all, &all);
        assert_eq!((rounds, read), (20, BTreeSet::new()));
        let mut looks = Looks::default();
        looks.failed.fail(ids(1..=1));
        assert_eq!(looks.settled(false), BTreeSet::new());
        assert_eq!(looks.settled(true), ids(1..=1).into_iter().collect(), "something else was shown");
        looks.read.extend(ids(2..=2));
        assert_eq!(looks.settled(false), ids(1..=2).into_iter().collect());
    }

    #[test]
    fn a_question_that_failed_is_halved_and_few_are_asked_at_once() {
        let mut looks = Looks::default();
        looks.failed.fail(ids(1..=100));
        let sizes = |looks: &Looks, unread: &[DebtRequestId]| {
            looks.questions(unread).iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&looks, &ids(1..=150)), [50, 50, 50]);
        looks.failed.fail(ids(1..=5));
        assert_eq!(sizes(&looks, &ids(1..=5)), [2, 2, 1]);
        looks.failed.fail(ids(1..=100));
        assert_eq!(sizes(&looks, &ids(1..=5)), [2, 2, 1], "it is known better");
        looks.failed.fail(ids(1..=1));
        for id in ids(1..=90) {
            looks.failed.fail(vec![id]);
        }
        assert_eq!(looks.questions(&ids(1..=150)).len(), MOST_QUESTIONS);
        assert_eq!(looks.questions(&ids(1..=150))[0].len(), 50, "large ones first");
    }
}
