//! Runs and their items as rows.

use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};

use crate::domain::debt_request::MatchResult;
use crate::domain::match_run::{Deed, Explanation, MatchItem, MatchMode, MatchRun, MatchRunStatus};
use crate::ids::{AnswerId, DebtRequestId, DepartmentId, EmployeeId, MatchRunId, OrganizationId, RegistryId};
use crate::store::json::AsJson;
use crate::store::schema::{match_items, match_runs};
use crate::store::types::Ts;

/// A row of `match_runs`.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = match_runs, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct RunRow {
    id: MatchRunId,
    organization_id: OrganizationId,
    department_id: Option<DepartmentId>,
    registry_id: RegistryId,
    mode: MatchMode,
    only_debts: bool,
    status: MatchRunStatus,
    total: i64,
    started_by: String,
    automatic: bool,
    employee_id: Option<EmployeeId>,
    created_at: Ts,
    finished_at: Option<Ts>,
}

impl From<MatchRun> for RunRow {
    fn from(run: MatchRun) -> Self {
        Self {
            id: run.id,
            organization_id: run.organization,
            department_id: run.department,
            registry_id: run.registry,
            mode: run.mode,
            only_debts: run.only_debts,
            status: run.status,
            total: run.total,
            started_by: run.started_by,
            automatic: run.automatic,
            employee_id: run.employee,
            created_at: Ts(run.created_at),
            finished_at: run.finished_at.map(Ts),
        }
    }
}

impl From<RunRow> for MatchRun {
    fn from(row: RunRow) -> Self {
        Self {
            id: row.id,
            organization: row.organization_id,
            department: row.department_id,
            registry: row.registry_id,
            mode: row.mode,
            only_debts: row.only_debts,
            status: row.status,
            total: row.total,
            started_by: row.started_by,
            automatic: row.automatic,
            employee: row.employee_id,
            created_at: row.created_at.0,
            finished_at: row.finished_at.map(|Ts(at)| at),
        }
    }
}

/// A row of `match_items`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = match_items, treat_none_as_default_value = false)]
pub(super) struct ItemRow {
    run_id: MatchRunId,
    place: i64,
    debt_request_id: DebtRequestId,
    deed: Deed,
    result: Option<MatchResult>,
    explanation: Option<AsJson<Explanation>>,
    answer_id: Option<AnswerId>,
    error: Option<String>,
}

impl ItemRow {
    pub(super) fn of(run: MatchRunId, item: MatchItem) -> Self {
        Self {
            run_id: run,
            place: item.place,
            debt_request_id: item.debt_request,
            deed: item.deed,
            result: item.result,
            explanation: item.explanation.map(AsJson),
            answer_id: item.answer,
            error: item.error,
        }
    }
}

impl From<ItemRow> for MatchItem {
    fn from(row: ItemRow) -> Self {
        Self {
            place: row.place,
            debt_request: row.debt_request_id,
            deed: row.deed,
            result: row.result,
            explanation: row.explanation.map(|AsJson(explanation)| explanation),
            answer: row.answer_id,
            error: row.error,
        }
    }
}
