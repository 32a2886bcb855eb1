//! Reads spreadsheets with answers and brings the answers to their debt requests, so many in a transaction together with how
//! far it is. An import whose worker is gone goes on from there when the lease is over. A preview does the same, but every
//! transaction with answers is rolled back.

use bytes::Bytes;
use chrono::TimeDelta;
use serde_json::json;
use tokio::task::spawn_blocking;

use super::{Report, Worker, lease};
use crate::answers::scope;
use crate::domain::answer::LastError;
use crate::domain::caller::{Caller, Scopes};
use crate::domain::import::{AnswerColumnMode, Import, ImportCounts, ImportMode, ImportRow, ImportStatus};
use crate::domain::last_error_code::LastErrorCode;
use crate::domain::operation::{Intake, Outcome};
use crate::ids::ContentId;
use crate::imports::{ended, import_limits, noted};
use crate::spreadsheets::{
    AnswerColumn, Kind, Limits, MarkError, RowErrors, SheetAnswer, SheetAnswers, Workbook, WorkbookError,
    mark, read_answers,
};
use crate::store::{events, imports};
use crate::{Error, Result};

/// Answers of one transaction.
const CHUNK: usize = 200;
/// Rows with mistakes read at once for the marked copy.
const PAGE: i64 = 1000;
/// The dearest step is to read a large workbook, which takes a minute at most; a worker that was silent so long is gone.
const LEASE: TimeDelta = TimeDelta::minutes(10);
/// An import that so many workers have not survived at one place is given up.
const MOST_TRIES: i64 = 3;

pub(crate) async fn activate(worker: &Worker) -> Result<Report> {
    let mut tx = worker.service.db.begin().await?;
    let taken = imports::claim(&mut tx, worker.id, worker.now(), worker.now() + LEASE).await?;
    let next = imports::next_due(&mut tx).await?;
    tx.commit().await?;
    let Some(mut import) = taken else {
        return Ok(Report { done: 0, next, detail: json!({ "taken": 0 }) });
    };
    let done = carry_out(worker, &mut import).await;
    if let Err(error) = &done {
        postpone(worker, &import, error).await;
    }
    let taken = done?;
    Ok(Report { done: 1, next, detail: json!({ "taken": taken }) })
}

/// Lets it be tried again soon.
async fn postpone(worker: &Worker, import: &Import, error: &Error) {
    let tries = lease::tries_after(error, import.tries);
    let postponed = async {
        let mut tx = worker.service.db.begin().await?;
        imports::postpone(&mut tx, import.id, worker.id, lease::soon(worker), tries).await?;
        tx.commit().await
    };
    if let Err(error) = postponed.await {
        tracing::warn!(%error, "an import waits until its lease is over");
    }
}

/// How many answers were brought to their debt requests.
async fn carry_out(worker: &Worker, import: &mut Import) -> Result<i64> {
    import.tries += 1;
    import.status = ImportStatus::Running;
    if import.tries > MOST_TRIES {
        give_up(worker, import).await?;
        return Ok(0);
    }
    if !note(worker, import).await? {
        return Ok(0);
    }
    let content = worker.service.files.get(import.content).await?;
    let sheet = match read(worker, import, content.clone()).await? {
        Ok(sheet) => sheet,
        Err(error) => {
            fail(worker, import, "request", error.code(), &error.line()).await?;
            return Ok(0);
        }
    };
    if import.taken == 0 && !begin(worker, import, &sheet).await? {
        return Ok(0);
    }
    // What is about to leave the queue must not count as said.
    worker.service.take_back_all(import.organization).await?;
    let caller = caller(import);
    let done = usize::try_from(import.taken).map_err(Error::internal)?;
    for said in sheet.answers.get(done..).unwrap_or_default().chunks(CHUNK) {
        if !take(worker, import, &caller, said).await? {
            return Ok(import.taken);
        }
    }
    finish(worker, import, content).await?;
    Ok(import.taken)
}

type Read = std::result::Result<SheetAnswers, WorkbookError>;

async fn read(worker: &Worker, import: &Import, content: Bytes) -> Result<Read> {
    let limits = limits(worker);
    let column = match import.answer_column {
        AnswerColumnMode::Strict => AnswerColumn::Strict,
        AnswerColumnMode::Legacy => AnswerColumn::Legacy,
    };
    let read = move || read_answers(&mut Workbook::open(content, limits)?, column);
    spawn_blocking(read).await.map_err(Error::internal)
}

fn limits(worker: &Worker) -> Limits {
    import_limits(&worker.service.settings.limits)
}

/// On whose behalf: the scopes were there when the file came.
fn caller(import: &Import) -> Caller {
    Caller {
        token: import.client.token,
        subject: import.client.name.clone(),
        organization: import.organization,
        employee: import.client.employee,
        scopes: Scopes::from_iter([scope(import.submit)]),
    }
}

/// Notes what the workbook says and its mistakes of form; `false` when somebody else holds the import.
async fn begin(worker: &Worker, import: &mut Import, sheet: &SheetAnswers) -> Result<bool> {
    let count = |number: usize| u32::try_from(number).map_err(Error::internal);
    import.counts = Some(ImportCounts {
        rows: sheet.counts.rows,
        skipped_rows: sheet.counts.skipped_rows,
        answers: count(sheet.answers.len())?,
        no_debt_from_blank: sheet.counts.no_debt_from_blank,
        no_debt_from_other: sheet.counts.no_debt_from_other,
        errors: count(sheet.errors.count())?,
        ignored_columns: sheet.ignored_columns.clone(),
    });
    let mut tx = worker.service.db.begin().await?;
    imports::delete_rows(&mut tx, import.id).await?;
    imports::insert_rows(&mut tx, import.id, wrong_rows(&sheet.errors)).await?;
    let ours = imports::update(&mut tx, import, worker.id, Some(worker.now() + LEASE)).await?;
    if ours {
        tx.commit().await?;
    }
    Ok(ours)
}

/// Rows with mistakes of form, in their order. No sound answer has such a row.
fn wrong_rows(errors: &RowErrors) -> Vec<ImportRow> {
    let mut rows: Vec<ImportRow> = Vec::new();
    for error in errors.listed() {
        match rows.last_mut().filter(|row| row.row == i64::from(error.row)) {
            Some(row) => row.errors.push(noted(error)),
            None => rows.push(ImportRow {
                row: i64::from(error.row),
                debt_request: None,
                has_debt: None,
                waits_for_files: false,
                intake: Intake::Refused,
                answer: None,
                errors: vec![noted(error)],
            }),
        }
    }
    rows
}

/// Brings some answers to their debt requests; `false` when somebody else holds the import.
async fn take(worker: &Worker, import: &mut Import, caller: &Caller, said: &[SheetAnswer]) -> Result<bool> {
    let mut tx = worker.service.db.begin().await?;
    // Before the debt requests, as whoever stops the import does: he then finds these answers too.
    if !imports::hold(&mut tx, import.id, worker.id).await? {
        return Ok(false);
    }
    let mut rows = worker.service.take_sheet(&mut tx, caller, said, import.submit).await?;
    match import.mode {
        ImportMode::Apply => {}
        ImportMode::Preview => {
            drop(tx);
            tx = worker.service.db.begin().await?;
            for row in rows.iter_mut().filter(|row| row.intake != Intake::Unchanged) {
                row.answer = None;
            }
        }
    }
    imports::insert_rows(&mut tx, import.id, rows).await?;
    let taken = import.taken + i64::try_from(said.len()).map_err(Error::internal)?;
    let moved_on = Import { taken, tries: 1, ..import.clone() };
    let ours = imports::update(&mut tx, &moved_on, worker.id, Some(worker.now() + LEASE)).await?;
    if ours {
        tx.commit().await?;
        *import = moved_on;
    }
    Ok(ours)
}

async fn note(worker: &Worker, import: &Import) -> Result<bool> {
    let mut tx = worker.service.db.begin().await?;
    let ours = imports::update(&mut tx, import, worker.id, Some(worker.now() + LEASE)).await?;
    tx.commit().await?;
    Ok(ours)
}

/// Ends what could not be worked off after several tries. What was taken stays taken, and nobody must be told otherwise.
async fn give_up(worker: &Worker, import: &mut Import) -> Result<()> {
    let answers = import.counts.as_ref().map(|counts| i64::from(counts.answers));
    let is_whole = answers.is_some_and(|answers| answers <= import.taken);
    if import.mode == ImportMode::Apply && answers.is_some() && import.taken > 0 {
        import.status = ImportStatus::CompletedWithErrors;
        if !is_whole {
            let detail = "файл обработан не до конца; загрузите его ещё раз, принятые ответы не повторятся";
            import.error = Some(last_error("service", LastErrorCode::Internal.as_str(), detail));
        }
        return close(worker, import).await;
    }
    let detail = "файл не удалось обработать; загрузите его ещё раз";
    fail(worker, import, "service", LastErrorCode::Internal.as_str(), detail).await
}

async fn fail(worker: &Worker, import: &mut Import, origin: &str, code: &str, detail: &str) -> Result<()> {
    import.status = ImportStatus::Failed;
    import.error = Some(last_error(origin, code, detail));
    close(worker, import).await
}

fn last_error(origin: &str, code: &str, detail: &str) -> LastError {
    LastError {
        origin: origin.to_owned(),
        code: code.to_owned(),
        detail: detail.to_owned(),
        pointer: None,
        gis: None,
    }
}

async fn finish(worker: &Worker, import: &mut Import, content: Bytes) -> Result<()> {
    let errors = errors(worker, import).await?;
    import.status = match (import.mode, errors.is_empty()) {
        (ImportMode::Preview, _) => ImportStatus::Checked,
        (ImportMode::Apply, true) => ImportStatus::Succeeded,
        (ImportMode::Apply, false) => ImportStatus::CompletedWithErrors,
    };
    if !errors.is_empty() {
        // Whatever is wrong with the copy, the mistakes are told row by row, and what was taken is taken.
        match marked(worker, content, errors).await {
            Ok(copy) => {
                let id = ContentId::generate();
                worker.service.files.put(id, copy).await?;
                import.marked = Some(id);
            }
            Err(error) => tracing::error!(import = %import.id, %error, "the mistakes could not be marked"),
        }
    }
    close(worker, import).await
}

/// Every mistake that was noted, as far as they are listed.
async fn errors(worker: &Worker, import: &Import) -> Result<RowErrors> {
    let limits = limits(worker);
    let mut errors = RowErrors::again(&limits);
    let mut after = None;
    let mut conn = worker.service.db.scan().await?;
    loop {
        let page = imports::rows(&mut conn, import.id, Some(Outcome::Refused), after, PAGE).await?;
        let Some((last, _, _)) = page.last() else { break };
        after = Some(last.row);
        for error in page.into_iter().flat_map(|(row, _, _)| row.errors) {
            errors.add(error.row, error.column, error.detail);
        }
    }
    Ok(errors)
}

async fn marked(worker: &Worker, content: Bytes, errors: RowErrors) -> Result<Bytes> {
    let limits = limits(worker);
    let copy = move || -> std::result::Result<Vec<u8>, MarkError> {
        let mut copy = std::io::Cursor::new(Vec::new());
        let mut workbook = Workbook::open(content, limits)?;
        mark(&mut workbook, Kind::Answers, &errors, &std::env::temp_dir(), &mut copy)?;
        Ok(copy.into_inner())
    };
    let copy = spawn_blocking(copy).await.map_err(Error::internal)?;
    Ok(copy.map_err(Error::internal)?.into())
}

/// Ends it and tells of it, unless somebody else holds it.
async fn close(worker: &Worker, import: &mut Import) -> Result<()> {
    let now = worker.now();
    import.finished_at = Some(now);
    import.expires_at = Some(worker.kept_until());
    let mut tx = worker.service.db.begin().await?;
    if imports::update(&mut tx, import, worker.id, None).await? {
        events::append(&mut tx, &[ended(import)], now).await?;
    }
    tx.commit().await?;
    Ok(())
}
