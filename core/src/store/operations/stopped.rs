//! What work that was stopped has still in the queue: an import and a match have made more answers than one transaction
//! takes back.

use std::fmt;

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::{ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;

use crate::domain::answer::State;
use crate::domain::import::ImportStatus;
use crate::domain::match_run::{Deed, MatchRunStatus};
use crate::domain::operation::Intake;
use crate::ids::{AnswerId, DebtRequestId, ImportId, MatchRunId, OrganizationId};
use crate::store::db::both;
use crate::store::schema::{answers, import_rows, imports, match_items, match_runs};
use crate::store::types::Ts;
use crate::store::{Conn, StoreError};

/// Work that was stopped, with whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// A spreadsheet with answers.
    Import(OrganizationId, ImportId),
    /// A match of many debt requests with a registry.
    MatchRun(OrganizationId, MatchRunId),
}

impl Stopped {
    /// Whose it is.
    pub(crate) const fn organization(self) -> OrganizationId {
        match self {
            Self::Import(organization, _) | Self::MatchRun(organization, _) => organization,
        }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Import(_, id) => write!(formatter, "import {id}"),
            Self::MatchRun(_, id) => write!(formatter, "match run {id}"),
        }
    }
}

/// Rows of imports whose answers wait in the queue and of which nothing was sent.
macro_rules! waiting_rows {
    () => {
        import_rows::table
            .inner_join(answers::table.on(import_rows::answer_id.eq(answers::id.nullable())))
            .filter(import_rows::intake.eq(Intake::Queued))
            .filter(answers::state.eq(State::Queued))
            .filter(answers::maybe_sent.eq(false))
    };
}

/// The same of matches.
macro_rules! waiting_items {
    () => {
        match_items::table
            .inner_join(answers::table.on(match_items::answer_id.eq(answers::id.nullable())))
            .filter(match_items::deed.eq(Deed::Queued))
            .filter(answers::state.eq(State::Queued))
            .filter(answers::maybe_sent.eq(false))
    };
}

/// Work stopped after a time that has something in the queue, at most so much of each kind.
pub(crate) async fn stopped(
    conn: &mut Conn,
    after: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Stopped>, StoreError> {
    let of_imports: Vec<(OrganizationId, ImportId)> = both!(conn, c => {
        imports::table
            .filter(imports::status.eq(ImportStatus::Cancelled))
            .filter(imports::finished_at.gt(Ts(after)))
            .filter(exists(
                waiting_rows!()
                    .filter(import_rows::import_id.eq(imports::id))
                    .filter(answers::submitted_at.le(imports::finished_at)),
            ))
            .order((imports::finished_at, imports::id))
            .limit(limit)
            .select((imports::organization_id, imports::id))
            .load(c)
            .await
    })?;
    let of_matches: Vec<(OrganizationId, MatchRunId)> = both!(conn, c => {
        match_runs::table
            .filter(match_runs::status.eq(MatchRunStatus::Cancelled))
            .filter(match_runs::finished_at.gt(Ts(after)))
            .filter(exists(
                waiting_items!()
                    .filter(match_items::run_id.eq(match_runs::id))
                    .filter(answers::submitted_at.le(match_runs::finished_at)),
            ))
            .order((match_runs::finished_at, match_runs::id))
            .limit(limit)
            .select((match_runs::organization_id, match_runs::id))
            .load(c)
            .await
    })?;
    let imports = of_imports.into_iter().map(|(organization, id)| Stopped::Import(organization, id));
    let matches = of_matches.into_iter().map(|(organization, id)| Stopped::MatchRun(organization, id));
    Ok(imports.chain(matches).collect())
}

/// Its answers that wait in the queue since before it was stopped and of which nothing was sent, with their debt requests,
/// at most so many. What was submitted anew since then is no business of that work.
pub(crate) async fn waiting(
    conn: &mut Conn,
    work: Stopped,
    stopped_at: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(DebtRequestId, AnswerId)>, StoreError> {
    Ok(match work {
        Stopped::Import(_, id) => both!(conn, c => {
            waiting_rows!()
                .filter(import_rows::import_id.eq(id))
                .filter(answers::submitted_at.le(Ts(stopped_at)))
                .order(answers::debt_request_id)
                .limit(limit)
                .select((answers::debt_request_id, answers::id))
                .load(c)
                .await
        })?,
        Stopped::MatchRun(_, id) => both!(conn, c => {
            waiting_items!()
                .filter(match_items::run_id.eq(id))
                .filter(answers::submitted_at.le(Ts(stopped_at)))
                .order(answers::debt_request_id)
                .limit(limit)
                .select((answers::debt_request_id, answers::id))
                .load(c)
                .await
        })?,
    })
}
