//! Submissions as rows.

use chrono::NaiveDate;
use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};

use crate::domain::answer::LastError;
use crate::domain::submission::{Action, Submission, SubmissionState};
use crate::ids::{AnswerId, DebtRequestId, OrganizationId, SubmissionId, TransportId};
use crate::store::json::AsJson;
use crate::store::schema::submissions;
use crate::store::types::Ts;

/// A row of `submissions`.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = submissions, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct SubmissionRow {
    id: SubmissionId,
    organization_id: OrganizationId,
    debt_request_id: DebtRequestId,
    answer_id: AnswerId,
    action: Action,
    transport_guid: TransportId,
    state: SubmissionState,
    attempts: i64,
    has_debt: bool,
    due_key: NaiveDate,
    not_before: Ts,
    look_first: bool,
    pack_limit: Option<i64>,
    began_at: Option<Ts>,
    uncertain_since: Option<Ts>,
    looked_at: Option<Ts>,
    repairs: i64,
    error: Option<AsJson<LastError>>,
    created_at: Ts,
    updated_at: Ts,
}

impl From<Submission> for SubmissionRow {
    fn from(submission: Submission) -> Self {
        Self {
            id: submission.id,
            organization_id: submission.organization,
            debt_request_id: submission.debt_request,
            answer_id: submission.answer,
            action: submission.action,
            transport_guid: submission.transport,
            state: submission.state,
            attempts: submission.attempts,
            has_debt: submission.has_debt,
            due_key: submission.due,
            not_before: Ts(submission.not_before),
            look_first: submission.look_first,
            pack_limit: submission.pack_limit,
            began_at: submission.began_at.map(Ts),
            uncertain_since: submission.uncertain_since.map(Ts),
            looked_at: submission.looked_at.map(Ts),
            repairs: submission.repairs,
            error: submission.error.map(AsJson),
            created_at: Ts(submission.created_at),
            updated_at: Ts(submission.updated_at),
        }
    }
}

impl From<SubmissionRow> for Submission {
    fn from(row: SubmissionRow) -> Self {
        Self {
            id: row.id,
            organization: row.organization_id,
            debt_request: row.debt_request_id,
            answer: row.answer_id,
            action: row.action,
            transport: row.transport_guid,
            state: row.state,
            attempts: row.attempts,
            has_debt: row.has_debt,
            due: row.due_key,
            not_before: row.not_before.0,
            look_first: row.look_first,
            pack_limit: row.pack_limit,
            began_at: row.began_at.map(|Ts(at)| at),
            uncertain_since: row.uncertain_since.map(|Ts(at)| at),
            looked_at: row.looked_at.map(|Ts(at)| at),
            repairs: row.repairs,
            error: row.error.map(|AsJson(error)| error),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        }
    }
}

/// Rows as submissions.
pub(crate) fn submissions_of(rows: Vec<SubmissionRow>) -> Vec<Submission> {
    rows.into_iter().map(Submission::from).collect()
}

/// What an update takes from the new row: all that may change.
macro_rules! overwrite {
    () => {
        $crate::store::db::excluded!(submissions:
            state,
            attempts,
            has_debt,
            due_key,
            not_before,
            look_first,
            pack_limit,
            began_at,
            uncertain_since,
            looked_at,
            repairs,
            error,
            updated_at,
        )
    };
}

pub(super) use overwrite;
