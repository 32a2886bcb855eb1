//! Answers as rows.

use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};

use crate::domain::answer::{Answer, Confirm, ExternalId, LastError, Source, State, Warning};
use crate::domain::content::{Content, ContentHash};
use crate::ids::{AnswerId, DebtRequestId, EmployeeId, OrganizationId};
use crate::store::json::AsJson;
use crate::store::schema::answers;
use crate::store::types::{Ts, text};

text!(ExternalId);

/// A row of `answers`.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = answers, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct AnswerRow {
    id: AnswerId,
    organization_id: OrganizationId,
    debt_request_id: DebtRequestId,
    external_id: Option<ExternalId>,
    revision: i64,
    state: State,
    has_debt: bool,
    content: AsJson<Content>,
    executor_id: Option<EmployeeId>,
    source: Source,
    author: String,
    content_hash: String,
    warnings: AsJson<Vec<Warning>>,
    last_error: Option<AsJson<LastError>>,
    blocked_by_id: Option<AnswerId>,
    superseded_by_id: Option<AnswerId>,
    confirm: AsJson<Vec<Confirm>>,
    reason: Option<String>,
    return_comment: Option<String>,
    maybe_sent: bool,
    confirmed_in_gis: bool,
    gis_updated_at: Option<Ts>,
    next_check_at: Option<Ts>,
    trace: Option<String>,
    version: i64,
    created_at: Ts,
    updated_at: Ts,
    submitted_at: Option<Ts>,
    settled_at: Option<Ts>,
    delivered_at: Option<Ts>,
    personal_data_erased_at: Option<Ts>,
    waits_for_files: bool,
}

impl From<Answer> for AnswerRow {
    fn from(answer: Answer) -> Self {
        Self {
            id: answer.id,
            organization_id: answer.organization,
            debt_request_id: answer.debt_request,
            external_id: answer.external_id,
            revision: answer.revision,
            state: answer.state,
            has_debt: answer.content.has_debt(),
            content: AsJson(answer.content),
            executor_id: answer.executor,
            source: answer.source,
            author: answer.author,
            content_hash: answer.content_hash.as_str().to_owned(),
            warnings: AsJson(answer.warnings),
            last_error: answer.last_error.map(AsJson),
            blocked_by_id: answer.blocked_by,
            superseded_by_id: answer.superseded_by,
            confirm: AsJson(answer.confirm),
            reason: answer.reason,
            return_comment: answer.return_comment,
            maybe_sent: answer.maybe_sent,
            confirmed_in_gis: answer.confirmed_in_gis,
            gis_updated_at: answer.gis_updated_at.map(Ts),
            next_check_at: answer.next_check_at.map(Ts),
            trace: answer.trace,
            version: answer.version,
            created_at: Ts(answer.created_at),
            updated_at: Ts(answer.updated_at),
            submitted_at: answer.submitted_at.map(Ts),
            settled_at: answer.settled_at.map(Ts),
            delivered_at: answer.delivered_at.map(Ts),
            personal_data_erased_at: answer.personal_data_erased_at.map(Ts),
            waits_for_files: answer.waits_for_files,
        }
    }
}

impl From<AnswerRow> for Answer {
    fn from(row: AnswerRow) -> Self {
        Self {
            id: row.id,
            organization: row.organization_id,
            debt_request: row.debt_request_id,
            external_id: row.external_id,
            revision: row.revision,
            state: row.state,
            content: row.content.0,
            content_hash: ContentHash::stored(row.content_hash),
            executor: row.executor_id,
            source: row.source,
            author: row.author,
            warnings: row.warnings.0,
            last_error: row.last_error.map(|AsJson(error)| error),
            blocked_by: row.blocked_by_id,
            superseded_by: row.superseded_by_id,
            confirm: row.confirm.0,
            reason: row.reason,
            return_comment: row.return_comment,
            waits_for_files: row.waits_for_files,
            maybe_sent: row.maybe_sent,
            confirmed_in_gis: row.confirmed_in_gis,
            gis_updated_at: row.gis_updated_at.map(|Ts(at)| at),
            next_check_at: row.next_check_at.map(|Ts(at)| at),
            trace: row.trace,
            version: row.version,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
            submitted_at: row.submitted_at.map(|Ts(at)| at),
            settled_at: row.settled_at.map(|Ts(at)| at),
            delivered_at: row.delivered_at.map(|Ts(at)| at),
            personal_data_erased_at: row.personal_data_erased_at.map(|Ts(at)| at),
        }
    }
}

/// Rows as answers.
pub(super) fn answers_of(rows: Vec<AnswerRow>) -> Vec<Answer> {
    rows.into_iter().map(Answer::from).collect()
}

/// What an update takes from the new row: all that may change.
macro_rules! overwrite {
    () => {
        $crate::store::db::excluded!(answers:
            external_id,
            state,
            has_debt,
            content,
            executor_id,
            source,
            author,
            content_hash,
            warnings,
            last_error,
            blocked_by_id,
            superseded_by_id,
            confirm,
            reason,
            return_comment,
            maybe_sent,
            confirmed_in_gis,
            gis_updated_at,
            next_check_at,
            trace,
            version,
            updated_at,
            submitted_at,
            settled_at,
            delivered_at,
            personal_data_erased_at,
            waits_for_files,
        )
    };
}

pub(super) use overwrite;
