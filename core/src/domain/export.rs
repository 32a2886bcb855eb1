//! Lists that are written into spreadsheets (`api.md` §12.2): what is asked for, and where the writing stands.

use chrono::{DateTime, Utc};

use super::answer::LastError;
use super::words::words;
use crate::ids::{ContentId, ExportId, OrganizationId};
use crate::store::debt_requests::Filter;

words! {
    /// What an export writes.
    ExportKind {
        /// Debt requests, to be filled in.
        DebtRequests = "debt_requests" "Запросы о задолженности",
    }
}

words! {
    /// Where an export stands.
    ExportStatus {
        /// No worker has taken it yet.
        Pending = "pending" "Ждёт очереди",
        /// Rows are being written.
        Running = "running" "Выполняется",
        /// The file is there.
        Succeeded = "succeeded" "Выполнена",
        /// There is no file.
        Failed = "failed" "Не выполнена",
        /// A client has stopped it; there is no file.
        Cancelled = "cancelled" "Отменена",
    }
}

/// A list that is written into a spreadsheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Its identifier.
    pub id: ExportId,
    /// For whom.
    pub organization: OrganizationId,
    /// What it writes.
    pub kind: ExportKind,
    /// Which debt requests.
    pub filter: Filter,
    /// Only requests for which the book has an account, or only those for which it has none.
    pub account_found: Option<bool>,
    /// Whether it shows what was answered; such a file holds personal data, and whoever reads it may read answers.
    pub with_answers: bool,
    /// Where it stands.
    pub status: ExportStatus,
    /// The client's name.
    pub started_by: String,
    /// How many debt requests were written so far.
    pub requests: i64,
    /// The file, once it is there.
    pub file: Option<ExportFile>,
    /// Why there is none.
    pub error: Option<LastError>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// When it is deleted, with its file.
    pub expires_at: Option<DateTime<Utc>>,
    /// How often a worker began to write it.
    pub tries: i64,
}

/// The file of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportFile {
    /// Where it lies in the file store.
    pub content: ContentId,
    /// Its bytes.
    pub size: u64,
}
