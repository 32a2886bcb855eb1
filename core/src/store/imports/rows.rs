//! Imports and what became of their answers as rows.

use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};

use crate::domain::answer::LastError;
use crate::domain::import::{
    AnswerColumnMode, Import, ImportClient, ImportCounts, ImportError, ImportMode, ImportRow, ImportStatus,
};
use crate::domain::operation::Intake;
use crate::ids::{AnswerId, ContentId, DebtRequestId, EmployeeId, ImportId, OrganizationId, TokenId};
use crate::store::json::AsJson;
use crate::store::schema::{import_rows, imports};
use crate::store::types::Ts;

/// A row of `imports` without its lease.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = imports, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct Record {
    id: ImportId,
    organization_id: OrganizationId,
    mode: ImportMode,
    answer_column: AnswerColumnMode,
    submit: bool,
    status: ImportStatus,
    started_by: String,
    token_id: TokenId,
    employee_id: Option<EmployeeId>,
    file_name: String,
    file_size: i64,
    content_id: ContentId,
    counts: Option<AsJson<ImportCounts>>,
    taken: i64,
    marked_id: Option<ContentId>,
    error: Option<AsJson<LastError>>,
    created_at: Ts,
    finished_at: Option<Ts>,
    expires_at: Option<Ts>,
    tries: i64,
    uploaded_by: String,
    uploader_id: Option<EmployeeId>,
}

impl From<Import> for Record {
    fn from(import: Import) -> Self {
        Self {
            id: import.id,
            organization_id: import.organization,
            mode: import.mode,
            answer_column: import.answer_column,
            submit: import.submit,
            status: import.status,
            started_by: import.client.name,
            token_id: import.client.token,
            employee_id: import.client.employee,
            file_name: import.file_name,
            file_size: import.file_size,
            content_id: import.content,
            counts: import.counts.map(AsJson),
            taken: import.taken,
            marked_id: import.marked,
            error: import.error.map(AsJson),
            created_at: Ts(import.created_at),
            finished_at: import.finished_at.map(Ts),
            expires_at: import.expires_at.map(Ts),
            tries: import.tries,
            uploaded_by: import.uploaded_by,
            uploader_id: import.uploader,
        }
    }
}

impl From<Record> for Import {
    fn from(row: Record) -> Self {
        Self {
            id: row.id,
            organization: row.organization_id,
            mode: row.mode,
            answer_column: row.answer_column,
            submit: row.submit,
            status: row.status,
            client: ImportClient { name: row.started_by, token: row.token_id, employee: row.employee_id },
            uploaded_by: row.uploaded_by,
            uploader: row.uploader_id,
            file_name: row.file_name,
            file_size: row.file_size,
            content: row.content_id,
            counts: row.counts.map(|AsJson(counts)| counts),
            taken: row.taken,
            marked: row.marked_id,
            error: row.error.map(|AsJson(error)| error),
            created_at: row.created_at.0,
            finished_at: row.finished_at.map(|Ts(at)| at),
            expires_at: row.expires_at.map(|Ts(at)| at),
            tries: row.tries,
        }
    }
}

/// A row of `import_rows`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = import_rows, treat_none_as_default_value = false)]
pub(super) struct RowRecord {
    import_id: ImportId,
    row_number: i64,
    debt_request_id: Option<DebtRequestId>,
    has_debt: Option<bool>,
    waits_for_files: bool,
    intake: Intake,
    answer_id: Option<AnswerId>,
    errors: AsJson<Vec<ImportError>>,
}

impl RowRecord {
    pub(super) fn of(import: ImportId, row: ImportRow) -> Self {
        Self {
            import_id: import,
            row_number: row.row,
            debt_request_id: row.debt_request,
            has_debt: row.has_debt,
            waits_for_files: row.waits_for_files,
            intake: row.intake,
            answer_id: row.answer,
            errors: AsJson(row.errors),
        }
    }
}

impl From<RowRecord> for ImportRow {
    fn from(record: RowRecord) -> Self {
        Self {
            row: record.row_number,
            debt_request: record.debt_request_id,
            has_debt: record.has_debt,
            waits_for_files: record.waits_for_files,
            intake: record.intake,
            answer: record.answer_id,
            errors: record.errors.0,
        }
    }
}
