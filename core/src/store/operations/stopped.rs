//! What work that was stopped has still in the queue: an import and a match have made more answers than one transaction
//! takes back.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;

use crate::domain::answer::State;
use crate::domain::import::ImportStatus;
use crate::domain::match_run::{Deed, MatchRunStatus};
use crate::domain::operation::Intake;
use crate::ids::{AnswerId, DebtRequestId, OrganizationId};
use crate::store::db::both;
use crate::store::schema::{answers, import_rows, imports, match_items, match_runs};
use crate::store::types::Ts;
use crate::store::{Conn, StoreError};

/// An answer that was made by work that was stopped since.
type Waiting = (OrganizationId, DebtRequestId, AnswerId);

/// Answers of imports stopped after a time that wait in the queue and of which nothing was sent, at most so many.
pub(crate) async fn waiting_of_imports(
    conn: &mut Conn,
    after: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Waiting>, StoreError> {
    Ok(both!(conn, c => {
        imports::table
            .inner_join(import_rows::table.on(import_rows::import_id.eq(imports::id)))
            .inner_join(answers::table.on(import_rows::answer_id.eq(answers::id.nullable())))
            .filter(imports::status.eq(ImportStatus::Cancelled))
            .filter(imports::finished_at.gt(Ts(after)))
            .filter(import_rows::intake.eq(Intake::Queued))
            .filter(answers::state.eq(State::Queued))
            .filter(answers::maybe_sent.eq(false))
            .order((imports::organization_id, answers::debt_request_id))
            .limit(limit)
            .select((imports::organization_id, answers::debt_request_id, answers::id))
            .load(c)
            .await
    })?)
}

/// The same of matches.
pub(crate) async fn waiting_of_matches(
    conn: &mut Conn,
    after: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Waiting>, StoreError> {
    Ok(both!(conn, c => {
        match_runs::table
            .inner_join(match_items::table.on(match_items::run_id.eq(match_runs::id)))
            .inner_join(answers::table.on(match_items::answer_id.eq(answers::id.nullable())))
            .filter(match_runs::status.eq(MatchRunStatus::Cancelled))
            .filter(match_runs::finished_at.gt(Ts(after)))
            .filter(match_items::deed.eq(Deed::Queued))
            .filter(answers::state.eq(State::Queued))
            .filter(answers::maybe_sent.eq(false))
            .order((match_runs::organization_id, answers::debt_request_id))
            .limit(limit)
            .select((match_runs::organization_id, answers::debt_request_id, answers::id))
            .load(c)
            .await
    })?)
}
