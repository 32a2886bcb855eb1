//! Spreadsheets with answers (`api.md` §12.2): they come in and are watched here; the job `imports` reads them.

mod take;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

pub(crate) use self::take::noted;
use crate::Service;
use crate::answers::scope;
use crate::domain::answer::LastError;
use crate::domain::caller::{Caller, Scope};
use crate::domain::event::{EventKind, NewEvent};
use crate::domain::import::{AnswerColumnMode, Import, ImportClient, ImportMode, ImportRow, ImportStatus};
use crate::domain::operation::{Outcome, Tally};
use crate::error::{Code, Error, Result};
use crate::ids::{ContentId, ImportId};
use crate::jobs::JobName;
use crate::spreadsheets::{Limits, Workbook, check_file_name, find_answers};
use crate::store::{Conn, Tx, imports};

/// Imports of one organisation that may wait or run at once.
const MOST_UNFINISHED: i64 = 20;

/// A workbook may become large when it is unpacked: one at a time.
static READING: Semaphore = Semaphore::const_new(1);

/// A spreadsheet as it came.
#[derive(Clone, PartialEq, Eq)]
pub struct CreateImport {
    /// The name of the file.
    pub file_name: String,
    /// Its bytes.
    pub content: Bytes,
    /// What shall be done.
    pub mode: ImportMode,
    /// How it is read.
    pub answer_column: AnswerColumnMode,
    /// Whether the answers shall be sent.
    pub submit: bool,
}

/// A spreadsheet whose content lies in the file store, before its import is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedImport {
    content: ContentId,
    file_name: String,
    file_size: i64,
    mode: ImportMode,
    answer_column: AnswerColumnMode,
    submit: bool,
}

/// An import with what its rows have come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportDetails {
    /// The import.
    pub import: Import,
    /// What its rows have come to, or would.
    pub tally: Tally,
}

/// A row with what it has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRowDetails {
    /// The row.
    pub row: ImportRow,
    /// What it has come to, or would.
    pub outcome: Outcome,
    /// Why its answer was refused, or waits.
    pub last_error: Option<LastError>,
}

impl Service {
    /// Looks whether a spreadsheet can be one with answers and puts it into the file store: no transaction waits for it. Where
    /// no import follows, because there is no room for it, it is swept one day.
    ///
    /// # Errors
    /// The name of the file is none; [`Code::FileTooLarge`]; the file is no workbook, or has neither a table of answers nor a
    /// list of debt requests, with its mistakes at `pointer`.
    pub async fn stage_import(
        &self,
        caller: &Caller,
        command: CreateImport,
        pointer: &str,
    ) -> Result<StagedImport> {
        caller.need(scope(command.submit))?;
        check_file_name(&command.file_name, "/file_name")?;
        let most = self.settings.limits.import_bytes;
        if u64::try_from(command.content.len()).map_err(Error::internal)? > most {
            return Err(Error::refused(Code::FileTooLarge, format!("файл больше {most} байт")));
        }
        let (content, limits) = (command.content.clone(), import_limits(&self.settings.limits));
        let turn = READING.acquire().await.map_err(Error::internal)?;
        let find = move || {
            // The thread goes on when the client hangs up, and so does its turn.
            let _turn = turn;
            find_answers(&mut Workbook::open(content, limits)?)
        };
        let found = spawn_blocking(find).await.map_err(Error::internal)?;
        found.map_err(|error| error.refusal(pointer))?;
        self.keep_import(command).await
    }

    /// Puts a spreadsheet into the file store as it is.
    pub(crate) async fn keep_import(&self, command: CreateImport) -> Result<StagedImport> {
        let CreateImport { file_name, content, mode, answer_column, submit } = command;
        let file_size = i64::try_from(content.len()).map_err(Error::internal)?;
        let id = ContentId::generate();
        self.files.put(id, content).await?;
        Ok(StagedImport { content: id, file_name, file_size, mode, answer_column, submit })
    }

    /// Takes a spreadsheet in. What stands in it is read later.
    ///
    /// # Errors
    /// [`Code::RunInProgress`] when too many have not ended yet.
    pub async fn create_import(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        staged: StagedImport,
    ) -> Result<ImportDetails> {
        caller.need(scope(staged.submit))?;
        room(tx, caller).await?;
        let import = Import {
            id: ImportId::generate(),
            organization: caller.organization,
            mode: staged.mode,
            answer_column: staged.answer_column,
            submit: staged.submit,
            status: ImportStatus::Pending,
            client: client(caller),
            uploaded_by: caller.subject.clone(),
            uploader: caller.employee,
            file_name: staged.file_name,
            file_size: staged.file_size,
            content: staged.content,
            counts: None,
            taken: 0,
            marked: None,
            error: None,
            created_at: self.clock.now(),
            finished_at: None,
            expires_at: None,
            tries: 0,
        };
        imports::insert(tx, &import).await?;
        tx.wake(JobName::Imports);
        Ok(ImportDetails { import, tally: Tally::default() })
    }

    /// Makes answers of what was checked.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Code::StateConflict`] when it is not checked.
    pub async fn apply_import(&self, tx: &mut Tx, caller: &Caller, id: ImportId) -> Result<ImportDetails> {
        caller.need(Scope::AnswersWrite)?;
        let held = imports::lock(tx, caller.organization, id).await?;
        let mut import = held.ok_or(Error::NotFound)?;
        caller.need(scope(import.submit))?;
        match import.status {
            ImportStatus::Checked => {}
            ImportStatus::Pending
            | ImportStatus::Running
            | ImportStatus::Succeeded
            | ImportStatus::CompletedWithErrors
            | ImportStatus::Failed
            | ImportStatus::Cancelled => {
                let detail =
                    format!("применить можно только проверенный файл, а сейчас: {}", import.status.label());
                return Err(Error::conflict(Code::StateConflict, detail, None));
            }
        }
        room(tx, caller).await?;
        import.mode = ImportMode::Apply;
        import.status = ImportStatus::Pending;
        import.client = client(caller);
        // The marked copy of the preview is swept one day; applying may find other mistakes.
        (import.taken, import.tries, import.marked) = (0, 0, None);
        (import.finished_at, import.expires_at) = (None, None);
        imports::delete_rows(tx, id).await?;
        imports::withdraw(tx, &import).await?;
        tx.wake(JobName::Imports);
        Ok(ImportDetails { import, tally: Tally::default() })
    }

    /// Newest first, after (`created_at`, `id`).
    ///
    /// # Errors
    /// The scope `answers:write` is missing.
    pub async fn list_imports(
        &self,
        caller: &Caller,
        after: Option<(DateTime<Utc>, ImportId)>,
        limit: i64,
    ) -> Result<Vec<ImportDetails>> {
        caller.need(Scope::AnswersWrite)?;
        let mut conn = self.db.scan().await?;
        let page = imports::page(&mut conn, caller.organization, after, limit).await?;
        let mut tallies = imports::tallies(&mut conn, &page.iter().collect::<Vec<_>>()).await?;
        let details = |import: Import| {
            let tally = tallies.remove(&import.id).unwrap_or_default();
            ImportDetails { import, tally }
        };
        Ok(page.into_iter().map(details).collect())
    }

    /// One import.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get_import(&self, caller: &Caller, id: ImportId) -> Result<ImportDetails> {
        caller.need(Scope::AnswersWrite)?;
        let mut conn = self.db.scan().await?;
        let import = imports::get(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)?;
        let tally = imports::tally(&mut conn, &import).await?;
        Ok(ImportDetails { import, tally })
    }

    /// The rows of an import in their order, after one; all, or those that have come to something.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn list_import_rows(
        &self,
        caller: &Caller,
        id: ImportId,
        outcome: Option<Outcome>,
        after: Option<i64>,
        limit: i64,
    ) -> Result<Vec<ImportRowDetails>> {
        caller.need(Scope::AnswersWrite)?;
        let mut conn = self.db.scan().await?;
        imports::get(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)?;
        let found = imports::rows(&mut conn, id, outcome, after, limit).await?;
        let rows =
            found.into_iter().map(|(row, outcome, last_error)| ImportRowDetails { row, outcome, last_error });
        Ok(rows.collect())
    }

    /// The workbook with its mistakes marked.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Code::StateConflict`] when there are no mistakes to be marked.
    pub async fn marked_import(&self, caller: &Caller, id: ImportId) -> Result<Bytes> {
        caller.need(Scope::AnswersWrite)?;
        let mut conn = self.db.read().await?;
        let import = imports::get(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)?;
        drop(conn);
        match import.marked {
            Some(content) => self.files.get(content).await,
            None => {
                let detail = "книги с отмеченными ошибками нет: файл ещё не обработан, не прочитан или в нём нет ошибок";
                Err(Error::conflict(Code::StateConflict, detail, None))
            }
        }
    }
}

/// What is told of an import that has ended.
pub(crate) fn ended(import: &Import) -> NewEvent {
    NewEvent {
        organization: import.organization,
        kind: EventKind::OperationCompleted,
        debt_request: None,
        answer: None,
        data: json!({
            "import_id": import.id,
            "kind": "import",
            "status": import.status.as_str(),
        }),
    }
}

async fn room(conn: &mut Conn, caller: &Caller) -> Result<()> {
    if imports::unfinished(conn, caller.organization).await? < MOST_UNFINISHED {
        return Ok(());
    }
    let detail = format!("уже обрабатывается {MOST_UNFINISHED} файлов; дождитесь окончания хотя бы одного");
    Err(Error::conflict(Code::RunInProgress, detail, None))
}

fn client(caller: &Caller) -> ImportClient {
    ImportClient { name: caller.subject.clone(), token: caller.token, employee: caller.employee }
}

/// How large a spreadsheet with answers may be.
pub(crate) fn import_limits(settings: &crate::settings::Limits) -> Limits {
    Limits { file_bytes: settings.import_bytes, ..Limits::default() }
}
