//! Operations and their items as rows.

use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};

use crate::domain::operation::{Intake, ItemError, Operation, OperationItem, OperationKind, OperationStatus};
use crate::ids::{AnswerId, DebtRequestId, OperationId, OrganizationId};
use crate::store::json::AsJson;
use crate::store::schema::{operation_items, operations};
use crate::store::types::Ts;

/// A row of `operations`.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = operations, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct OperationRow {
    id: OperationId,
    organization_id: OrganizationId,
    kind: OperationKind,
    status: OperationStatus,
    started_by: String,
    total: i64,
    created_at: Ts,
    finished_at: Option<Ts>,
    author: String,
}

impl From<Operation> for OperationRow {
    fn from(operation: Operation) -> Self {
        Self {
            id: operation.id,
            organization_id: operation.organization,
            kind: operation.kind,
            status: operation.status,
            started_by: operation.started_by,
            total: operation.total,
            created_at: Ts(operation.created_at),
            finished_at: operation.finished_at.map(Ts),
            author: operation.author,
        }
    }
}

impl From<OperationRow> for Operation {
    fn from(row: OperationRow) -> Self {
        Self {
            id: row.id,
            organization: row.organization_id,
            kind: row.kind,
            status: row.status,
            started_by: row.started_by,
            author: row.author,
            total: row.total,
            created_at: row.created_at.0,
            finished_at: row.finished_at.map(|Ts(at)| at),
        }
    }
}

/// A row of `operation_items`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = operation_items, treat_none_as_default_value = false)]
pub(super) struct ItemRow {
    operation_id: OperationId,
    place: i64,
    debt_request_id: Option<DebtRequestId>,
    external_id: Option<String>,
    intake: Intake,
    answer_id: Option<AnswerId>,
    errors: AsJson<Vec<ItemError>>,
}

impl ItemRow {
    pub(super) fn of(operation: OperationId, item: OperationItem) -> Self {
        Self {
            operation_id: operation,
            place: item.place,
            debt_request_id: item.debt_request,
            external_id: item.external_id,
            intake: item.intake,
            answer_id: item.answer,
            errors: AsJson(item.errors),
        }
    }
}

impl From<ItemRow> for OperationItem {
    fn from(row: ItemRow) -> Self {
        Self {
            place: row.place,
            debt_request: row.debt_request_id,
            external_id: row.external_id,
            intake: row.intake,
            answer: row.answer_id,
            errors: row.errors.0,
        }
    }
}
