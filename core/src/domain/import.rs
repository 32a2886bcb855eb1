//! Spreadsheets with answers that come in (`api.md` §12.2): how they shall be read, where that stands, and what became of
//! each answer.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::answer::LastError;
use super::operation::Intake;
use super::words::words;
use crate::ids::{AnswerId, ContentId, DebtRequestId, EmployeeId, ImportId, OrganizationId, TokenId};

words! {
    /// What an import does.
    ImportMode {
        /// It tells what would become of each row, and changes nothing.
        Preview = "preview" "Проверка",
        /// It makes answers.
        Apply = "apply" "Применение",
    }
}

words! {
    /// How the column that says whether there is a debt is read.
    AnswerColumnMode {
        /// ДА or НЕТ; a blank is passed over, anything else is a mistake.
        Strict = "strict" "ДА или НЕТ",
        /// Everything but ДА is "no debt", a blank too.
        Legacy = "legacy" "всё, кроме ДА, — долга нет",
    }
}

words! {
    /// Where an import stands.
    ImportStatus {
        /// No worker has taken it yet.
        Pending = "pending" "Ждёт очереди",
        /// It is being read.
        Running = "running" "Обрабатывается",
        /// It was read and may be applied.
        Checked = "checked" "Проверен, ждёт применения",
        /// Everything in it was taken.
        Succeeded = "succeeded" "Применён",
        /// What was right in it was taken.
        CompletedWithErrors = "completed_with_errors" "Применён с ошибками",
        /// Nothing of it was taken: it cannot be read.
        Failed = "failed" "Не принят",
        /// A client has stopped it: what was not taken yet is not taken, and what waited to be sent is taken back.
        Cancelled = "cancelled" "Отменён",
    }
}

/// A spreadsheet that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Its identifier.
    pub id: ImportId,
    /// For whom.
    pub organization: OrganizationId,
    /// What it does.
    pub mode: ImportMode,
    /// How it is read.
    pub answer_column: AnswerColumnMode,
    /// Whether its answers shall be sent.
    pub submit: bool,
    /// Where it stands.
    pub status: ImportStatus,
    /// Who answers.
    pub client: ImportClient,
    /// The name of the client that has uploaded it; another one may apply it.
    pub uploaded_by: String,
    /// The employee that client acted as.
    pub uploader: Option<EmployeeId>,
    /// The name of the file as it came.
    pub file_name: String,
    /// Its bytes.
    pub file_size: i64,
    /// Where it lies in the file store.
    pub content: ContentId,
    /// What it says, once it was read.
    pub counts: Option<ImportCounts>,
    /// How many of its answers were brought to their debt requests so far.
    pub taken: i64,
    /// Where the copy with its mistakes marked lies.
    pub marked: Option<ContentId>,
    /// Why nothing was taken.
    pub error: Option<LastError>,
    /// When it came.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// When it is deleted, with its file.
    pub expires_at: Option<DateTime<Utc>>,
    /// How often a worker began to read it since it last moved on.
    pub tries: i64,
}

/// On whose behalf answers are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportClient {
    /// The client's name.
    pub name: String,
    /// Its token.
    pub token: TokenId,
    /// The employee acted as.
    pub employee: Option<EmployeeId>,
}

/// What a workbook says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportCounts {
    /// Rows that are not blank.
    pub rows: u32,
    /// Rows that were passed over because they say neither ДА nor НЕТ.
    pub skipped_rows: u32,
    /// Answers without a mistake of form.
    pub answers: u32,
    /// Answers "no debt" that come from a blank.
    pub no_debt_from_blank: u32,
    /// Answers "no debt" that come from another word than НЕТ.
    pub no_debt_from_other: u32,
    /// Mistakes of form, those that are not listed too.
    pub errors: u32,
    /// Headers of columns that nobody reads; a mistyped one may be among them. Earlier imports did not note them.
    #[serde(default)]
    pub ignored_columns: Vec<String>,
}

/// What became of an answer, or of a row that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    /// The first row, as Excel counts it.
    pub row: i64,
    /// The debt request, where it names one.
    pub debt_request: Option<DebtRequestId>,
    /// What it says.
    pub has_debt: Option<bool>,
    /// It waits for files and is not sent by itself.
    pub waits_for_files: bool,
    /// What became of it, or would.
    pub intake: Intake,
    /// The answer made of it, or the earlier one that says the same; a preview makes none.
    pub answer: Option<AnswerId>,
    /// What is wrong with it.
    pub errors: Vec<ImportError>,
}

/// A mistake in a row; no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportError {
    /// The row, as Excel counts it.
    pub row: u32,
    /// The header of the column; `None` when the row as a whole is meant.
    pub column: Option<String>,
    /// What, for machines.
    pub code: String,
    /// What, for people.
    pub detail: String,
}
