//! Asks GIS what it shows of submissions that need a look first (uncertain, behind another answer, accepted for long) and of
//! delivered answers that no export has confirmed yet (`api.md` §6.6, §6.11, §6.12). The replies come to `looks`. One debt
//! request that GIS cannot show keeps no other one from being looked at: what GIS refused is asked for in halves.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use serde_json::json;

use super::calls::after;
use super::exports::{Asked, ask};
use super::halves::{Halves, is_refusal};
use super::items::hold;
use super::{Report, Worker, looks};
use crate::Result;
use crate::domain::message::Purpose;
use crate::domain::submission::Submission;
use crate::ids::{DebtRequestId, OrganizationId};
use crate::store::{Tx, answers, messages, organizations, submissions, watches};

/// So long it counts that GIS refused a question: then what was in it is asked for with everything else again.
const MEMORY: Duration = Duration::hours(6);
/// Most questions of one organisation in one activation about what GIS refused before; the others follow soon.
const MOST_PARTS: usize = 20;
/// Submissions and answers looked at in one activation.
const BATCH: i64 = 1000;
/// How often GIS is asked about what needs no look soon, at most.
const DAY: Duration = Duration::days(1);

pub(crate) async fn activate(worker: &Worker) -> Result<Report> {
    let began = worker.now();
    let mut wanted = due_submissions(worker).await?;
    let mut tx = worker.service.db.begin().await?;
    let mut next = due_answers(&mut tx, worker, &mut wanted).await?;
    due_watches(&mut tx, worker, &mut wanted).await?;
    tx.commit().await?;
    let mut done = 0_u64;
    for (organization, ids) in wanted {
        for ids in questions(worker, organization, ids).await? {
            match ask(worker, organization, Purpose::Look { ids }).await? {
                Asked::Accepted(_) => done += 1,
                Asked::Later { again_at } => next = next.into_iter().chain([again_at]).min(),
                Asked::Withdrawn => {}
                Asked::Refused(error) => {
                    tracing::warn!(%organization, code = error.code, "GIS refuses to show debt requests");
                }
            }
        }
    }
    let mut conn = worker.service.db.scan().await?;
    // What has become due meanwhile was not seen.
    let stored = [submissions::next_due(&mut conn, began).await?, watches::next_due(&mut conn).await?];
    let stored = stored.into_iter().flatten().filter(|time| *time > began);
    Ok(Report { done, next: next.into_iter().chain(stored).min(), detail: json!({ "looks": done }) })
}

type Wanted = BTreeMap<OrganizationId, Vec<DebtRequestId>>;

/// The questions about debt requests that are asked now. Those that GIS would refuse one by one must not keep other
/// organisations waiting: some of them are put off.
async fn questions(
    worker: &Worker,
    organization: OrganizationId,
    mut wanted: Vec<DebtRequestId>,
) -> Result<Vec<Vec<DebtRequestId>>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    // In the order in which they were due, so that everyone has its turn.
    let mut seen = BTreeSet::new();
    wanted.retain(|id| seen.insert(*id));
    let halves = refused(worker, organization).await?;
    let is_part = |ids: &Vec<DebtRequestId>| ids.first().is_some_and(|id| halves.has_failed(*id));
    let (mut parts, mut questions): (Vec<_>, Vec<_>) =
        halves.questions(&wanted).into_iter().partition(is_part);
    let later = parts.split_off(parts.len().min(MOST_PARTS)).concat();
    if !later.is_empty() {
        let soon = after(worker.now(), worker.service.settings.gis.resend_after_fault);
        let mut tx = worker.service.db.begin().await?;
        looks::put_off(&mut tx, worker, &later, soon).await?;
        tx.commit().await?;
    }
    questions.extend(parts);
    Ok(questions)
}

/// What GIS has refused to show of late.
async fn refused(worker: &Worker, organization: OrganizationId) -> Result<Halves> {
    let mut conn = worker.service.db.read().await?;
    let failed = messages::failed_looks(&mut conn, organization, worker.now() - MEMORY).await?;
    let mut halves = Halves::default();
    for look in failed {
        if let (Purpose::Look { ids }, true) = (look.purpose, look.error.as_ref().is_some_and(is_refusal)) {
            halves.fail(ids);
        }
    }
    Ok(halves)
}

/// Submissions whose look is due. That a look was asked for is noted first, with the time of the next one in case that
/// this one is lost.
async fn due_submissions(worker: &Worker) -> Result<Wanted> {
    let now = worker.now();
    let known: Vec<Submission> = {
        let mut conn = worker.service.db.scan().await?;
        submissions::claim_looks(&mut conn, now, BATCH).await?
    };
    let mut wanted = Wanted::new();
    if known.is_empty() {
        return Ok(wanted);
    }
    let mut tx = worker.service.db.begin().await?;
    let held = hold(&mut tx, &known, now).await?.into_iter().map(|item| item.submission);
    let due = |it: &Submission| it.look_first && it.not_before <= now && !it.state.is_final();
    let noted = |it: Submission| Submission {
        looked_at: Some(now),
        not_before: after(now, worker.service.settings.gis.settle_time),
        updated_at: now,
        ..it
    };
    let due: Vec<_> = held.filter(due).map(noted).collect();
    for submission in &due {
        wanted.entry(submission.organization).or_default().push(submission.debt_request);
    }
    submissions::save(&mut tx, due).await?;
    tx.commit().await?;
    Ok(wanted)
}

/// When GIS is asked again about what needs no look soon: once a day, or as often as something new may be seen.
fn next_look(worker: &Worker, news: std::time::Duration) -> DateTime<Utc> {
    let settle = worker.service.settings.gis.settle_time;
    after(worker.now(), news.max(settle)).min(worker.now() + DAY)
}

/// Delivered answers that an export has still to confirm: the next one does when the view has caught up. When the first of
/// the others is due.
async fn due_answers(tx: &mut Tx, worker: &Worker, wanted: &mut Wanted) -> Result<Option<DateTime<Utc>>> {
    let again_at = next_look(worker, worker.service.settings.gis.view_lag);
    let mut next = None;
    for organization in organizations::list(tx).await? {
        let due = answers::take_unconfirmed(tx, organization.id, worker.now(), again_at, BATCH).await?;
        wanted.entry(organization.id).or_default().extend(due);
        let first = answers::next_unconfirmed(tx, organization.id).await?;
        next = next.into_iter().chain(first).min();
    }
    Ok(next)
}

/// Debt requests that are watched: copies land within `max_delay`, and the view shows them then.
async fn due_watches(tx: &mut Tx, worker: &Worker, wanted: &mut Wanted) -> Result<()> {
    let gis = &worker.service.settings.gis;
    let again_at = next_look(worker, gis.max_delay.saturating_add(gis.view_lag));
    let due = watches::due(tx, worker.now(), BATCH).await?;
    let ids: Vec<_> = due.iter().map(|(_, id)| *id).collect();
    watches::put_off(tx, &ids, again_at).await?;
    for (organization, id) in due {
        wanted.entry(organization).or_default().push(id);
    }
    Ok(())
}
