//! Exports as rows.

use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};

use crate::domain::answer::LastError;
use crate::domain::export::{Export, ExportFile, ExportKind, ExportStatus};
use crate::ids::{ContentId, ExportId, OrganizationId};
use crate::store::StoreError;
use crate::store::debt_requests::Filter;
use crate::store::json::AsJson;
use crate::store::schema::exports;
use crate::store::types::Ts;

/// A row of `exports` without its lease.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = exports, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct ExportRow {
    id: ExportId,
    organization_id: OrganizationId,
    kind: ExportKind,
    filter: AsJson<Filter>,
    account_found: Option<bool>,
    with_answers: bool,
    status: ExportStatus,
    started_by: String,
    requests: i64,
    content_id: Option<ContentId>,
    file_size: Option<i64>,
    error: Option<AsJson<LastError>>,
    created_at: Ts,
    finished_at: Option<Ts>,
    expires_at: Option<Ts>,
    tries: i64,
}

impl TryFrom<Export> for ExportRow {
    type Error = StoreError;

    fn try_from(export: Export) -> Result<Self, StoreError> {
        let size = export.file.map(|file| i64::try_from(file.size)).transpose();
        Ok(Self {
            id: export.id,
            organization_id: export.organization,
            kind: export.kind,
            filter: AsJson(export.filter),
            account_found: export.account_found,
            with_answers: export.with_answers,
            status: export.status,
            started_by: export.started_by,
            requests: export.requests,
            content_id: export.file.map(|file| file.content),
            file_size: size.map_err(StoreError::corrupt)?,
            error: export.error.map(AsJson),
            created_at: Ts(export.created_at),
            finished_at: export.finished_at.map(Ts),
            expires_at: export.expires_at.map(Ts),
            tries: export.tries,
        })
    }
}

impl TryFrom<ExportRow> for Export {
    type Error = StoreError;

    fn try_from(row: ExportRow) -> Result<Self, StoreError> {
        let file = row.content_id.zip(row.file_size).map(|(content, size)| {
            let size = u64::try_from(size).map_err(StoreError::corrupt)?;
            Ok::<_, StoreError>(ExportFile { content, size })
        });
        Ok(Self {
            id: row.id,
            organization: row.organization_id,
            kind: row.kind,
            filter: row.filter.0,
            account_found: row.account_found,
            with_answers: row.with_answers,
            status: row.status,
            started_by: row.started_by,
            requests: row.requests,
            file: file.transpose()?,
            error: row.error.map(|AsJson(error)| error),
            created_at: row.created_at.0,
            finished_at: row.finished_at.map(|Ts(at)| at),
            expires_at: row.expires_at.map(|Ts(at)| at),
            tries: row.tries,
        })
    }
}
