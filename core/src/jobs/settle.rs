//! Asks GIS what it shows of submissions that need a look first (uncertain, behind another answer, accepted for long) and of
//! delivered answers that no export has confirmed yet (`api.md` §6.6, §6.11, §6.12). The replies come to `looks`.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use serde_json::json;

use super::calls::after;
use super::exports::{Asked, ask};
use super::items::hold;
use super::{Report, Worker};
use crate::Result;
use crate::case::Case;
use crate::domain::answer::{Answer, State};
use crate::domain::message::Purpose;
use crate::domain::submission::Submission;
use crate::ids::{DebtRequestId, OrganizationId};
use crate::store::{answers, organizations, submissions, watches};

/// XSD exportDSRsRequest: at most 100 GUIDs a question.
const MOST_IDS: usize = 100;
/// Submissions and answers looked at in one activation.
const BATCH: i64 = 1000;
/// How often an export is asked to confirm an answer that it does not show yet.
const CONFIRM_EVERY: Duration = Duration::days(1);

pub(crate) async fn activate(worker: &Worker) -> Result<Report> {
    let mut wanted = due_submissions(worker).await?;
    for (organization, ids) in due_answers(worker).await? {
        wanted.entry(organization).or_default().extend(ids);
    }
    for (organization, id) in due_watches(worker).await? {
        wanted.entry(organization).or_default().push(id);
    }
    let (mut done, mut next) = (0_u64, None);
    for (organization, mut ids) in wanted {
        ids.sort_unstable();
        ids.dedup();
        for ids in ids.chunks(MOST_IDS) {
            match ask(worker, organization, Purpose::Look { ids: ids.to_vec() }).await? {
                Asked::Accepted(_) => done += 1,
                Asked::Later { again_at } => {
                    put_off(worker, ids, again_at).await?;
                    next = next.into_iter().chain([again_at]).min();
                }
                Asked::Refused(error) => {
                    tracing::warn!(%organization, code = error.code, "GIS refuses to show debt requests");
                }
            }
        }
    }
    let mut conn = worker.service.db.read().await?;
    let stored = [submissions::next_due(&mut conn).await?, watches::next_due(&mut conn).await?];
    let stored = stored.into_iter().flatten().filter(|time| *time > worker.now());
    Ok(Report { done, next: next.into_iter().chain(stored).min(), detail: json!({ "looks": done }) })
}

type Wanted = BTreeMap<OrganizationId, Vec<DebtRequestId>>;

/// Submissions whose look is due. That a look was asked for is noted first, with the time of the next one in case that
/// this one is lost.
async fn due_submissions(worker: &Worker) -> Result<Wanted> {
    let now = worker.now();
    let known: Vec<Submission> = {
        let mut conn = worker.service.db.read().await?;
        submissions::claim_looks(&mut conn, now, BATCH).await?
    };
    let mut wanted = Wanted::new();
    if known.is_empty() {
        return Ok(wanted);
    }
    let mut tx = worker.service.db.begin().await?;
    for mut item in hold(&mut tx, &known, now).await? {
        let submission = &mut item.submission;
        if !submission.look_first || submission.not_before > now || submission.state.is_final() {
            continue;
        }
        submission.looked_at = Some(now);
        submission.not_before = after(now, worker.service.settings.gis.settle_time);
        submissions::update(&mut tx, submission).await?;
        wanted.entry(submission.organization).or_default().push(submission.debt_request);
    }
    tx.commit().await?;
    Ok(wanted)
}

/// Delivered answers that an export has still to confirm; each is asked about once a day.
async fn due_answers(worker: &Worker) -> Result<Wanted> {
    let now = worker.now();
    let mut wanted = Wanted::new();
    let unconfirmed: Vec<Answer> = {
        let mut conn = worker.service.db.read().await?;
        let mut found = Vec::new();
        for organization in organizations::list(&mut conn).await? {
            found.extend(answers::unconfirmed(&mut conn, organization.id, now, BATCH).await?);
        }
        found
    };
    for answer in unconfirmed {
        let mut tx = worker.service.db.begin().await?;
        let case = Case::open(&mut tx, answer.organization, answer.debt_request, now).await?;
        let fresh = answers::get(&mut tx, answer.organization, answer.id).await?;
        let (Some(mut case), Some(mut answer)) = (case, fresh) else { continue };
        if answer.state == State::Delivered && !answer.confirmed_in_gis {
            answer.next_check_at = Some(now + CONFIRM_EVERY);
            case.update(&mut tx, &mut answer).await?;
            case.close(&mut tx).await?;
            tx.commit().await?;
            wanted.entry(answer.organization).or_default().push(answer.debt_request);
        }
    }
    Ok(wanted)
}

/// Debt requests that are watched. Each is asked about once a day, or as often as exports say something new.
async fn due_watches(worker: &Worker) -> Result<Vec<(OrganizationId, DebtRequestId)>> {
    let now = worker.now();
    let mut tx = worker.service.db.begin().await?;
    let due = watches::due(&mut tx, now, BATCH).await?;
    let ids: Vec<_> = due.iter().map(|(_, id)| *id).collect();
    let gis = &worker.service.settings.gis;
    let again = after(now, gis.view_lag.max(gis.settle_time)).min(now + CONFIRM_EVERY);
    watches::put_off(&mut tx, &ids, again).await?;
    tx.commit().await?;
    Ok(due)
}

/// The question did not get through: the looks are due again when it may be asked again.
async fn put_off(worker: &Worker, ids: &[DebtRequestId], again_at: DateTime<Utc>) -> Result<()> {
    let known = {
        let mut conn = worker.service.db.read().await?;
        let mut known = Vec::new();
        for id in ids {
            known.extend(submissions::open(&mut conn, *id).await?);
        }
        known
    };
    let mut tx = worker.service.db.begin().await?;
    for mut item in hold(&mut tx, &known, worker.now()).await? {
        if item.submission.look_first && item.submission.not_before > again_at {
            item.submission.not_before = again_at;
            submissions::update(&mut tx, &item.submission).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}
