//! A page of a sync: its subrequests come into the mirror, then the next page is asked for, or the run ends.
//!
//! What must stay true: in one transaction the page is recorded, its message ended, and what follows written: the row of the
//! next question or the end of the run. So a run is never left without one of them, whatever dies.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use gis_client::debt_requests::SubrequestPage;
use serde_json::json;

use super::calls::finish;
use super::exports::{self, Asked, Prepared};
pub(crate) use super::mirror::merge;
use super::windows::Window;
use super::{JobName, Worker};
use crate::crash::Point;
use crate::domain::answer::LastError;
use crate::domain::event::{EventKind, NewEvent};
use crate::domain::message::{Message, MessageState, Purpose};
use crate::domain::sync_run::{RunState, SyncRun};
use crate::ids::{DebtRequestId, SyncRunId};
use crate::scheduled_matching::note_sync;
use crate::store::{Conn, Tx, debt_requests, events, messages, sync_runs};
use crate::{Error, Result};

/// So many pages of a run follow each other; when there are more, the days are read in parts, side by side.
const PAGES_IN_A_ROW: i64 = 3;
/// A window that has shown no more yet, which is a page of GIS, may end with its next page.
const FEW: i64 = 100;
/// A page that GIS has not found so often will hardly be found: it is not asked for any more where another way leads to what
/// is in it.
const OFTEN_LOST: u32 = 3;
/// At most so many debt requests are asked for by one look.
const MOST_LOOKED_AT: usize = 100;
/// At most so many of each kind are looked at after one run; the next run has the others.
const MOST_UNSEEN: i64 = 1000;
/// An answer from elsewhere that a look could not read is not looked at again so soon: runs may come every few minutes.
const BETWEEN_LOOKS: TimeDelta = TimeDelta::hours(20);

/// What comes after a page.
enum Then {
    Ask(Vec<Prepared>),
    LookFor(Vec<DebtRequestId>),
}

/// A page that this worker holds.
pub(crate) async fn record(worker: &Worker, message: &Message, page: SubrequestPage) -> Result<()> {
    let Purpose::Page { run, from, to, found, .. } = message.purpose else {
        return Err(Error::internal("not a page of a sync"));
    };
    worker.service.reach(Point::PageReceived);
    for unreadable in &page.unreadable {
        tracing::warn!(message = %message.id, position = unreadable.position, "GIS sent a debt request without a GUID");
    }
    let now = worker.now();
    let mut tx = worker.service.db.begin().await?;
    if !finish(&mut tx, worker, message, MessageState::Done, None).await? {
        return Ok(());
    }
    // Held before anything is noted, as whoever stops it does.
    let run = running(&mut tx, run).await?;
    let merged = merge(&mut tx, message.organization, &page.subrequests, message.sent_at, now).await?;
    let Some(mut run) = run else {
        tx.commit().await?;
        return Ok(());
    };
    run.found += merged.found;
    run.added += merged.added;
    run.changed += merged.changed;
    run.pages += 1;
    let found = found + merged.found;
    let next = match page.next {
        Some(next) => following(&mut run, Window { from, to }, next.into(), found),
        None => Vec::new(),
    };
    let then = if next.is_empty() && open_pages(&mut tx, &run).await?.is_empty() {
        complete(&mut tx, &mut run, now).await?;
        Then::LookFor(unclear(&mut tx, &run).await?)
    } else {
        sync_runs::update(&mut tx, &run).await?;
        Then::Ask(prepare(&mut tx, worker, &run, next).await?)
    };
    tx.commit().await?;
    match then {
        Then::Ask(prepared) => {
            let asked = join_all(prepared.into_iter().map(|question| exports::send(worker, question))).await;
            asked.into_iter().try_for_each(|asked| asked.map(drop))
        }
        Then::LookFor(ids) => look_for(worker, &run, &ids).await,
    }
}

/// The first questions of a run.
pub(crate) fn first(run: &SyncRun) -> Vec<Purpose> {
    Window::of(run).allowed().into_iter().map(|window| window.first_page(run)).collect()
}

/// What is asked after a page that is not the last of its window: the next one, or the window anew in parts. What is read
/// anew is counted anew.
fn following(run: &mut SyncRun, window: Window, next: DebtRequestId, found: i64) -> Vec<Purpose> {
    let may_end_soon = run.pages < PAGES_IN_A_ROW || found <= FEW;
    let parts = if may_end_soon { Vec::new() } else { in_parts(run, window, found) };
    if parts.is_empty() {
        return vec![Purpose::Page {
            run: run.id,
            from: window.from,
            to: window.to,
            after: Some(next),
            found,
            lost: 0,
        }];
    }
    parts
}

/// What is asked instead of a page that GIS does not find again and again (Q20): its window anew in parts, which have other
/// pages. Nothing while it may still come, and for the pages of a single day.
pub(crate) fn instead_of_lost(run: &mut SyncRun, page: &Purpose) -> Vec<Purpose> {
    match *page {
        Purpose::Page { from, to, found, lost, .. } if lost >= OFTEN_LOST => {
            in_parts(run, Window { from, to }, found)
        }
        Purpose::Page { .. } | Purpose::Look { .. } | Purpose::Import => Vec::new(),
    }
}

/// The first pages of the parts of a window, in which what was found is found once more; none for a single day.
fn in_parts(run: &mut SyncRun, window: Window, found: i64) -> Vec<Purpose> {
    let parts = window.parts();
    if !parts.is_empty() {
        run.found -= found;
    }
    parts.into_iter().map(|part| part.first_page(run)).collect()
}

/// Pages of a run that are on their way or to be asked for anew.
pub(crate) async fn open_pages(conn: &mut Conn, run: &SyncRun) -> Result<Vec<Message>> {
    let belongs =
        |message: &Message| matches!(message.purpose, Purpose::Page { run: of, .. } if of == run.id);
    let open = messages::open_pages(conn, run.organization).await?;
    Ok(open.into_iter().filter(belongs).collect())
}

/// Whether a question is still to be asked: a page only while its run is under way.
pub(crate) async fn is_wanted(conn: &mut Conn, message: &Message) -> Result<bool> {
    match message.purpose {
        Purpose::Page { run, .. } => {
            let run = sync_runs::get(conn, message.organization, run).await?;
            Ok(run.is_some_and(|run| run.state == RunState::Running))
        }
        Purpose::Look { .. } | Purpose::Import => Ok(true),
    }
}

/// Writes the rows of questions of a run.
pub(crate) async fn prepare(
    conn: &mut Conn,
    worker: &Worker,
    run: &SyncRun,
    questions: Vec<Purpose>,
) -> Result<Vec<Prepared>> {
    let mut prepared = Vec::with_capacity(questions.len());
    for question in questions {
        prepared.push(exports::prepare(conn, worker, run.organization, question, 0).await?);
    }
    Ok(prepared)
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
    note_sync(tx, run.organization, now).await?;
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
    let code = error.code.clone();
    run.error = Some(error);
    break_off(tx, &mut run, RunState::Failed, &code, now).await
}

/// Ends a run that is under way and held before its last page: no page of it is asked for any more, not even one that waits
/// for a place at the gate ([`is_wanted`]). Those that were asked for still come into the mirror.
pub(crate) async fn break_off(
    tx: &mut Tx,
    run: &mut SyncRun,
    state: RunState,
    code: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    run.state = state;
    run.finished_at = Some(now);
    sync_runs::update(tx, run).await?;
    let open: Vec<_> = open_pages(tx, run).await?.iter().map(|page| page.id).collect();
    messages::close_pages(tx, &open).await?;
    let data = json!({ "run_id": run.id, "code": code, "pages": run.pages });
    tell(tx, run, EventKind::SyncFailed, data, now).await
}

async fn tell(
    tx: &mut Tx,
    run: &SyncRun,
    kind: EventKind,
    data: serde_json::Value,
    now: DateTime<Utc>,
) -> Result<()> {
    let event = NewEvent { organization: run.organization, kind, debt_request: None, answer: None, data };
    events::append(tx, &[event], now).await?;
    Ok(())
}

/// What the pages leave open: those that the run should have shown and did not, perhaps withdrawn by who asked (Q29), and
/// those that somebody has answered elsewhere.
async fn unclear(conn: &mut Conn, run: &SyncRun) -> Result<Vec<DebtRequestId>> {
    let window = (run.window_from, run.window_to);
    let mut unclear =
        debt_requests::unseen(conn, run.organization, window, run.started_at, MOST_UNSEEN).await?;
    let looked_at = run.started_at - BETWEEN_LOOKS;
    unclear.extend(debt_requests::unread(conn, run.organization, window, looked_at, MOST_UNSEEN).await?);
    Ok(unclear)
}

/// Asks for them one by one: a page alone proves nothing. What is not asked now, the next run will find.
async fn look_for(worker: &Worker, run: &SyncRun, ids: &[DebtRequestId]) -> Result<()> {
    for ids in ids.chunks(MOST_LOOKED_AT) {
        match exports::ask(worker, run.organization, Purpose::Look { ids: ids.to_vec() }).await? {
            Asked::Accepted(_) | Asked::Withdrawn => {}
            Asked::Later { .. } | Asked::Refused(_) => return Ok(()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::OrganizationId;
    use crate::settings::SyncSettings;
    use crate::sync_runs::new_run;

    #[test]
    fn a_window_is_read_in_parts_when_it_has_shown_more_than_a_page() {
        let new = new_run(OrganizationId::generate(), String::new(), &SyncSettings::default(), Utc::now());
        let window = Window::of(&new);
        let questions = |pages, found| {
            let mut run = SyncRun { pages, found: 500, ..new.clone() };
            (following(&mut run, window, DebtRequestId::generate(), found).len(), run.found)
        };
        assert_eq!(questions(PAGES_IN_A_ROW - 1, 200), (1, 500), "few pages follow each other");
        assert_eq!(questions(PAGES_IN_A_ROW, 100), (1, 500), "a part that may end with its next page");
        assert_eq!(questions(PAGES_IN_A_ROW, 200), (window.parts().len(), 300), "it is counted anew");
        assert!(window.parts().len() > 1);
    }

    #[test]
    fn a_page_that_is_lost_again_and_again_is_read_in_parts() {
        let mut run =
            new_run(OrganizationId::generate(), String::new(), &SyncSettings::default(), Utc::now());
        run.found = 500;
        let window = Window::of(&run);
        let next = |run: &mut SyncRun, window, lost| {
            let pages = following(run, window, DebtRequestId::generate(), 100);
            let [page] = pages.try_into().unwrap();
            let page = (0..lost).fold(page, |page: Purpose, _| page.lost_again());
            instead_of_lost(run, &page)
        };
        assert_eq!(
            (next(&mut run, window, OFTEN_LOST - 1), run.found),
            (Vec::new(), 500),
            "it may still come"
        );
        let first_pages: Vec<_> = window.parts().into_iter().map(|part| part.first_page(&run)).collect();
        assert_eq!((next(&mut run, window, OFTEN_LOST), run.found), (first_pages, 400), "it is counted anew");
        let day = Window { from: window.to, to: window.to };
        assert_eq!((next(&mut run, day, OFTEN_LOST), run.found), (Vec::new(), 400), "there is no other way");
    }
}
