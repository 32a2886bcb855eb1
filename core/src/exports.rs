//! Lists that are written into spreadsheets (`api.md` §12.2): asked for and watched here, written by the job `exports`.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::json;

use crate::Service;
use crate::domain::caller::{Caller, Scope};
use crate::domain::event::{EventKind, NewEvent};
use crate::domain::export::{Export, ExportKind, ExportStatus};
use crate::error::{Code, Error, Result};
use crate::ids::ExportId;
use crate::jobs::JobName;
use crate::store::debt_requests::Filter;
use crate::store::{Tx, exports};

/// Exports of one organisation that may wait or run at once.
const MOST_UNFINISHED: i64 = 20;

/// A spreadsheet to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateExport {
    /// What it lists.
    pub kind: ExportKind,
    /// Which debt requests.
    pub filter: Filter,
    /// Only those for which the book has an account, or only those for which it has none.
    pub account_found: Option<bool>,
}

impl Service {
    /// Asks for a spreadsheet. What was answered is in it when the client may read answers.
    ///
    /// # Errors
    /// [`Code::RunInProgress`] when too many have not ended yet.
    pub async fn create_export(&self, tx: &mut Tx, caller: &Caller, command: CreateExport) -> Result<Export> {
        caller.need(Scope::RequestsRead)?;
        if exports::unfinished(tx, caller.organization).await? >= MOST_UNFINISHED {
            let detail =
                format!("уже выполняется {MOST_UNFINISHED} выгрузок; дождитесь окончания хотя бы одной");
            return Err(Error::conflict(Code::RunInProgress, detail, None));
        }
        let export = Export {
            id: ExportId::generate(),
            organization: caller.organization,
            kind: command.kind,
            filter: command.filter,
            account_found: command.account_found,
            with_answers: caller.scopes.allow(Scope::AnswersRead),
            status: ExportStatus::Pending,
            started_by: caller.subject.clone(),
            requests: 0,
            file: None,
            error: None,
            created_at: self.clock.now(),
            finished_at: None,
            expires_at: None,
            tries: 0,
        };
        exports::insert(tx, &export).await?;
        tx.wake(JobName::Exports);
        Ok(export)
    }

    /// Newest first, after (`created_at`, `id`).
    ///
    /// # Errors
    /// The scope `requests:read` is missing.
    pub async fn list_exports(
        &self,
        caller: &Caller,
        after: Option<(DateTime<Utc>, ExportId)>,
        limit: i64,
    ) -> Result<Vec<Export>> {
        caller.need(Scope::RequestsRead)?;
        let mut conn = self.db.scan().await?;
        Ok(exports::page(&mut conn, caller.organization, after, limit).await?)
    }

    /// One export.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get_export(&self, caller: &Caller, id: ExportId) -> Result<Export> {
        caller.need(Scope::RequestsRead)?;
        let mut conn = self.db.read().await?;
        exports::get(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)
    }

    /// The spreadsheet. One that shows what was answered is for those alone who may read answers.
    ///
    /// # Errors
    /// [`Code::StateConflict`] while there is none.
    pub async fn export_content(&self, caller: &Caller, id: ExportId) -> Result<(Export, Bytes)> {
        let export = self.get_export(caller, id).await?;
        if export.with_answers {
            caller.need(Scope::AnswersRead)?;
        }
        match export.file {
            Some(file) => {
                let content = self.files.get(file.content).await?;
                Ok((export, content))
            }
            None => {
                let detail = format!("файла нет, состояние выгрузки: {}", export.status.label());
                Err(Error::conflict(Code::StateConflict, detail, None))
            }
        }
    }
}

/// What is told of an export that has ended.
pub(crate) fn ended(export: &Export) -> NewEvent {
    NewEvent {
        organization: export.organization,
        kind: EventKind::OperationCompleted,
        debt_request: None,
        answer: None,
        data: json!({
            "export_id": export.id,
            "kind": "export",
            "status": export.status.as_str(),
        }),
    }
}
