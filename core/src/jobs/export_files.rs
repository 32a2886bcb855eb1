//! Writes lists into spreadsheets: reads debt requests page by page in the order of sending, which never changes, looks into
//! the book of accounts once a page, and puts the file into the file store. An export whose worker is gone is begun anew when
//! the lease is over: its rows lay on that worker's disk.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;
use chrono::TimeDelta;
use serde_json::json;
use tokio::task::spawn_blocking;

use super::{Report, Worker, lease};
use crate::accounts;
use crate::domain::account::{FoundAccounts, PlaceKey};
use crate::domain::answer::{Answer, LastError, State};
use crate::domain::debt_request::DebtRequest;
use crate::domain::export::{Export, ExportFile, ExportStatus};
use crate::domain::last_error_code::LastErrorCode;
use crate::domain::matching::Question;
use crate::exports::ended;
use crate::ids::{AnswerId, ContentId, DepartmentId, OrganizationId};
use crate::spreadsheets::{DebtRequestRow, DebtRequestsWriter, Said, WriteError};
use crate::store::debt_requests::{After, Sort, SortBy};
use crate::store::{answers, debt_requests, departments, events, exports};
use crate::{Error, Result};

/// Debt requests read at once.
const PAGE: i64 = 200;
/// Pages between two notes of how far it is: each note is a transaction.
const PAGES_A_NOTE: u32 = 5;
/// Most rows of one file. An answer takes a row for each of its debtors; a file of so many comes back with answers, see
/// [`Limits`](crate::spreadsheets::Limits).
const MOST_ROWS: u32 = 100_000;
/// Bytes that a row takes in the packed file, generously.
const PACKED_ROW: usize = 256;
/// The pages between two notes take seconds at most; a worker that was silent so long is gone.
const LEASE: TimeDelta = TimeDelta::minutes(5);
/// An export that so many workers have not survived is given up.
const MOST_TRIES: i64 = 3;
/// The day of sending never changes, so that no request is written twice or passed over.
const BY_SENT_ON: Sort = Sort { by: SortBy::SentOn, descending: false };

/// What becomes of an export that was taken.
enum Written {
    File(Bytes),
    /// There are too many rows.
    TooMany,
    /// Somebody else has taken it over.
    Lost,
}

pub(crate) async fn activate(worker: &Worker) -> Result<Report> {
    let mut tx = worker.service.db.begin().await?;
    let taken = exports::claim(&mut tx, worker.id, worker.now(), worker.now() + LEASE).await?;
    let next = exports::next_due(&mut tx).await?;
    tx.commit().await?;
    let Some(mut export) = taken else {
        return Ok(Report { done: 0, next, detail: json!({ "written": 0 }) });
    };
    let done = carry_out(worker, &mut export).await;
    if let Err(error) = &done {
        postpone(worker, &export, error).await;
    }
    let written = done?;
    Ok(Report { done: 1, next, detail: json!({ "written": written }) })
}

/// Lets it be tried again soon.
async fn postpone(worker: &Worker, export: &Export, error: &Error) {
    let tries = lease::tries_after(error, export.tries);
    let postponed = async {
        let mut tx = worker.service.db.begin().await?;
        exports::postpone(&mut tx, export.id, worker.id, lease::soon(worker), tries).await?;
        tx.commit().await
    };
    if let Err(error) = postponed.await {
        tracing::warn!(%error, "an export waits until its lease is over");
    }
}

/// How many debt requests were written.
async fn carry_out(worker: &Worker, export: &mut Export) -> Result<i64> {
    export.tries += 1;
    export.requests = 0;
    export.status = ExportStatus::Running;
    if export.tries > MOST_TRIES {
        let detail = "файл не удалось записать; попробуйте ещё раз";
        fail(worker, export, LastErrorCode::Internal, detail).await?;
        return Ok(0);
    }
    if !note(worker, export).await? {
        return Ok(0);
    }
    match write(worker, export).await? {
        Written::Lost => {}
        Written::TooMany => {
            let detail = format!("в файле получается больше {MOST_ROWS} строк; разделите запросы по датам");
            fail(worker, export, LastErrorCode::TooManyRows, &detail).await?;
        }
        Written::File(content) => {
            let size = u64::try_from(content.len()).map_err(Error::internal)?;
            let file = ExportFile { content: ContentId::generate(), size };
            worker.service.files.put(file.content, content).await?;
            export.file = Some(file);
            export.status = ExportStatus::Succeeded;
            finish(worker, export).await?;
        }
    }
    Ok(export.requests)
}

async fn write(worker: &Worker, export: &mut Export) -> Result<Written> {
    let folder = std::env::temp_dir();
    let mut writer = blocking(move || DebtRequestsWriter::new(&folder)).await?.map_err(Error::internal)?;
    let names = Arc::new(departments(worker, export.organization).await?);
    let mut page = read(worker, export, None).await?;
    for pages in 1_u32.. {
        let Some(last) = page.last.clone() else { break };
        export.requests += i64::try_from(page.requests.len()).map_err(Error::internal)?;
        let names = Arc::clone(&names);
        let push = move || {
            page.requests.iter().try_for_each(|(request, accounts)| {
                let address = request.gis.address.with_premises();
                let department = request.department.and_then(|id| names.get(&id));
                let row = row(request, &address, accounts, &page.said);
                writer.push(&DebtRequestRow { directorate: department.map(String::as_str), ..row })
            })?;
            Ok::<_, WriteError>(writer)
        };
        // One page is written while the next one is read.
        let (pushed, next) = tokio::join!(blocking(push), read(worker, export, Some(&last)));
        writer = pushed?.map_err(Error::internal)?;
        page = next?;
        if writer.rows() > MOST_ROWS {
            return Ok(Written::TooMany);
        }
        if pages.is_multiple_of(PAGES_A_NOTE) && !note(worker, export).await? {
            return Ok(Written::Lost);
        }
    }
    let pack = move || {
        // Reserved at once and used as far as it is needed: what grows step by step is there twice at each step.
        let room = usize::try_from(writer.rows()).unwrap_or(0).saturating_mul(PACKED_ROW);
        let mut content = Cursor::new(Vec::with_capacity(room));
        writer.finish(&mut content)?;
        Ok::<_, WriteError>(content.into_inner())
    };
    Ok(Written::File(blocking(pack).await?.map_err(Error::internal)?.into()))
}

/// The names of all departments; there are a thousand at most.
async fn departments(worker: &Worker, organization: OrganizationId) -> Result<HashMap<DepartmentId, String>> {
    let mut conn = worker.service.db.scan().await?;
    let all = departments::page(&mut conn, organization, None, i64::MAX).await?;
    Ok(all.into_iter().map(|department| (department.id, department.name)).collect())
}

type Answers = HashMap<AnswerId, Answer>;

/// Debt requests with what is written beside them.
struct Page {
    requests: Vec<(DebtRequest, FoundAccounts)>,
    said: Answers,
    /// Where the next page begins; there is none after an empty one.
    last: Option<After>,
}

/// A page with the accounts of its premises, and what was answered where that shall be shown.
async fn read(worker: &Worker, export: &Export, after: Option<&After>) -> Result<Page> {
    let mut conn = worker.service.db.scan().await?;
    let organization = export.organization;
    let page = debt_requests::page(&mut conn, organization, &export.filter, BY_SENT_ON, after, PAGE).await?;
    let last = page.last().map(|last| After::of(last, BY_SENT_ON.by));
    let today = worker.now().date_naive();
    let places: Vec<_> =
        page.iter().map(|request| PlaceKey::of(&Question::of(&request.gis, today))).collect();
    let book = accounts::of_places(&mut conn, organization, places.iter().flatten().cloned()).await?;
    let of_place = |place: Option<PlaceKey>| place.and_then(|place| book.get(&place).cloned());
    let wanted = |found: &Option<FoundAccounts>| export.account_found.is_none_or(|it| it == found.is_some());
    let requests: Vec<_> = page
        .into_iter()
        .zip(places.into_iter().map(of_place))
        .filter(|(_, found)| wanted(found))
        .map(|(request, found)| (request, found.unwrap_or_default()))
        .collect();
    if !export.with_answers {
        return Ok(Page { requests, said: Answers::new(), last });
    }
    let ids: Vec<_> = requests.iter().filter_map(|(request, _)| Some(request.answer?.id)).collect();
    let found = answers::find_any(&mut conn, &ids).await?;
    Ok(Page { requests, said: found.into_iter().map(|answer| (answer.id, answer)).collect(), last })
}

fn row<'a>(
    request: &'a DebtRequest,
    address: &'a str,
    accounts: &'a FoundAccounts,
    answers: &'a Answers,
) -> DebtRequestRow<'a> {
    let gis = &request.gis;
    DebtRequestRow {
        request_number: &gis.request_number,
        request: gis.request_id,
        subrequest: request.id,
        status: gis.response_status,
        requester: gis.requester.name.as_deref(),
        employee: gis.requester.employee.as_deref(),
        sent_on: gis.sent_on,
        period_from: gis.period_from,
        period_to: gis.period_to,
        due_on: gis.due_on,
        fias_house: gis.address.fias_house_id,
        address: Some(address),
        unified_account: accounts.unified.as_deref(),
        account: accounts.own.as_deref(),
        directorate: None,
        said: said(request, answers),
    }
}

/// What is taken back says nothing any more: whoever sends the file back must not say it again by accident.
fn said<'a>(request: &'a DebtRequest, answers: &'a Answers) -> Said<'a> {
    let in_gis = request.shown.as_ref().and_then(|shown| shown.has_debt);
    let Some(summary) = request.answer else { return in_gis.map_or(Said::Nothing, Said::HasDebt) };
    match summary.state {
        State::Draft
        | State::Prepared
        | State::Queued
        | State::Sending
        | State::Accepted
        | State::Uncertain
        | State::Delivered
        | State::Rejected => answers
            .get(&summary.id)
            .filter(|answer| !answer.is_erased())
            .map_or(Said::HasDebt(summary.has_debt), |answer| Said::Content(&answer.content)),
        State::Revoking | State::Revoked | State::Cancelled | State::Superseded => Said::Nothing,
    }
}

/// Notes how far it is and holds it further; `false` when somebody else holds it.
async fn note(worker: &Worker, export: &Export) -> Result<bool> {
    let mut tx = worker.service.db.begin().await?;
    let ours = exports::update(&mut tx, export, worker.id, Some(worker.now() + LEASE)).await?;
    tx.commit().await?;
    Ok(ours)
}

async fn fail(worker: &Worker, export: &mut Export, code: LastErrorCode, detail: &str) -> Result<()> {
    export.status = ExportStatus::Failed;
    export.error = Some(LastError {
        origin: "service".to_owned(),
        code: code.to_string(),
        detail: detail.to_owned(),
        pointer: None,
        gis: None,
    });
    finish(worker, export).await
}

/// Ends it and tells of it, unless somebody else holds it; then the file is swept one day.
async fn finish(worker: &Worker, export: &mut Export) -> Result<()> {
    let now = worker.now();
    export.finished_at = Some(now);
    export.expires_at = Some(worker.kept_until());
    let mut tx = worker.service.db.begin().await?;
    if exports::update(&mut tx, export, worker.id, None).await? {
        events::append(&mut tx, &[ended(export)], now).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.map_err(Error::internal)
}
