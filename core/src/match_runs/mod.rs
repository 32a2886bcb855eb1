//! Matches of many debt requests with the registry that answers (`api.md` §12.3): clients start, watch and stop them; the
//! job `matching` carries them out.

mod batch;
mod compare;
mod lists;
mod scope;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::json;

pub(crate) use self::compare::{compare, known_houses};
pub(crate) use self::scope::{MOST, walk};
use crate::Service;
use crate::departments::unknown_department;
use crate::domain::caller::{Caller, Scope};
use crate::domain::debt_request::MatchResult;
use crate::domain::event::{EventKind, NewEvent};
use crate::domain::match_run::{
    MatchItem, MatchItemDetails, MatchMode, MatchRun, MatchRunStatus, MatchTally, RowPlace,
};
use crate::error::{Code, Error, Result};
use crate::ids::{DebtRequestId, DepartmentId, EmployeeId, ImportId, MatchRunId, OrganizationId, RegistryId};
use crate::jobs::JobName;
use crate::store::debt_requests::Filter;
use crate::store::{Conn, StoreError, Tx, events, match_runs, registries};

/// Which requests are matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MatchScope {
    /// These.
    Ids(Vec<DebtRequestId>),
    /// All that a filter leaves.
    Filter(Box<Filter>),
    /// Those that an uploaded workbook lists.
    Import(ImportId),
}

/// A run to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartMatchRun {
    /// The requests.
    pub requests: Vec<DebtRequestId>,
    /// What is done with the results.
    pub mode: MatchMode,
    /// Whether «no debt» is left to somebody else.
    pub only_debts: bool,
    /// The department whose registry it is.
    pub department: Option<DepartmentId>,
}

/// A run that begins, whoever wants it.
pub(crate) struct NewRun {
    pub(crate) organization: OrganizationId,
    pub(crate) department: Option<DepartmentId>,
    pub(crate) registry: RegistryId,
    pub(crate) mode: MatchMode,
    pub(crate) only_debts: bool,
    pub(crate) requests: Vec<DebtRequestId>,
    pub(crate) started_by: String,
    /// Whether nobody asked for it.
    pub(crate) automatic: bool,
    pub(crate) employee: Option<EmployeeId>,
}

/// A run with what its requests came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchRunDetails {
    /// The run.
    pub run: MatchRun,
    /// What its requests came to.
    pub tally: MatchTally,
}

/// What a token must be good for.
pub(crate) const fn scope(mode: MatchMode) -> Scope {
    match mode {
        MatchMode::Preview => Scope::RegistryRead,
        MatchMode::Prepare => Scope::AnswersWrite,
        MatchMode::Submit => Scope::AnswersSubmit,
    }
}

impl Service {
    /// Starts a run. The registry that answers now is the one it goes by to its end.
    ///
    /// # Errors
    /// [`Code::RunInProgress`]; [`Code::StateConflict`] when no registry answers; there is no such department.
    pub async fn start_match_run(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        command: StartMatchRun,
    ) -> Result<MatchRunDetails> {
        caller.need(Scope::RegistryRead)?;
        caller.need(scope(command.mode))?;
        let unknown = unknown_department(tx, caller.organization, command.department, "/department_id");
        if let Some(mistake) = unknown.await? {
            return Err(Error::Invalid(vec![mistake]));
        }
        let registry = registries::active(tx, caller.organization, command.department).await?;
        let Some(registry) = registry else {
            let detail = "ни один реестр не введён в действие: загрузите реестр и введите его в действие";
            return Err(Error::conflict(Code::StateConflict, detail, None));
        };
        let run = NewRun {
            organization: caller.organization,
            department: command.department,
            registry: registry.id,
            mode: command.mode,
            only_debts: command.only_debts,
            requests: command.requests,
            started_by: caller.subject.clone(),
            automatic: false,
            employee: caller.employee,
        };
        let run = begin(tx, run, self.clock.now()).await.map_err(in_progress)?;
        details(tx, run).await
    }

    /// Newest first, after (`created_at`, `id`).
    ///
    /// # Errors
    /// The scope `registry:read` is missing.
    pub async fn list_match_runs(
        &self,
        caller: &Caller,
        after: Option<(DateTime<Utc>, MatchRunId)>,
        limit: i64,
    ) -> Result<Vec<MatchRunDetails>> {
        caller.need(Scope::RegistryRead)?;
        let mut conn = self.db.scan().await?;
        let page = match_runs::page(&mut conn, caller.organization, after, limit).await?;
        let ids: Vec<_> = page.iter().map(|run| run.id).collect();
        let mut tallies = match_runs::tallies(&mut conn, &ids).await?;
        let details = |run: MatchRun| {
            let tally = tallies.remove(&run.id).unwrap_or_default();
            MatchRunDetails { run, tally }
        };
        Ok(page.into_iter().map(details).collect())
    }

    /// One run.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get_match_run(&self, caller: &Caller, id: MatchRunId) -> Result<MatchRunDetails> {
        caller.need(Scope::RegistryRead)?;
        let mut conn = self.db.scan().await?;
        let run = match_runs::get(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)?;
        details(&mut conn, run).await
    }

    /// The requests of a run in their order, after a place; all, or those with a result.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn list_match_items(
        &self,
        caller: &Caller,
        id: MatchRunId,
        result: Option<MatchResult>,
        after: Option<i64>,
        limit: i64,
    ) -> Result<Vec<MatchItemDetails>> {
        caller.need(Scope::RegistryRead)?;
        let mut conn = self.db.scan().await?;
        match_runs::get(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)?;
        let items = match_runs::items(&mut conn, id, result, after, limit).await?;
        with_places(&mut conn, caller.organization, items).await
    }
}

/// Begins a run; [`StoreError::Unique`] while another one is under way.
pub(crate) async fn begin(
    tx: &mut Tx,
    new: NewRun,
    now: DateTime<Utc>,
) -> std::result::Result<MatchRun, StoreError> {
    let run = MatchRun {
        id: MatchRunId::generate(),
        organization: new.organization,
        department: new.department,
        registry: new.registry,
        mode: new.mode,
        only_debts: new.only_debts,
        status: MatchRunStatus::Running,
        total: i64::try_from(new.requests.len()).unwrap_or(i64::MAX),
        started_by: new.started_by,
        automatic: new.automatic,
        employee: new.employee,
        created_at: now,
        finished_at: None,
    };
    match_runs::insert(tx, &run, &new.requests).await?;
    tx.wake(JobName::Matching);
    Ok(run)
}

async fn details(conn: &mut Conn, run: MatchRun) -> Result<MatchRunDetails> {
    let tally = match_runs::tally(conn, run.id).await?;
    Ok(MatchRunDetails { run, tally })
}

/// Looks up what the rows say that were weighed, those of all items together.
async fn with_places(
    conn: &mut Conn,
    organization: OrganizationId,
    items: Vec<MatchItem>,
) -> Result<Vec<MatchItemDetails>> {
    let mut rows: Vec<_> = items.iter().flat_map(MatchItem::rows).collect();
    rows.sort_unstable();
    rows.dedup();
    let places: HashMap<_, _> = registries::places(conn, organization, &rows)
        .await?
        .into_iter()
        .map(|(id, address, premises)| (id, RowPlace { address, premises }))
        .collect();
    let details = |item: MatchItem| {
        let places = item.rows().map(|id| places.get(&id).cloned()).collect();
        MatchItemDetails { item, places }
    };
    Ok(items.into_iter().map(details).collect())
}

/// Ends a run whose status says how, and tells of it.
pub(crate) async fn end(tx: &mut Tx, run: &mut MatchRun, now: DateTime<Utc>) -> Result<()> {
    run.finished_at = Some(now);
    match_runs::update(tx, run).await?;
    let event = NewEvent {
        organization: run.organization,
        kind: EventKind::OperationCompleted,
        debt_request: None,
        answer: None,
        data: json!({ "match_run_id": run.id, "kind": "match_run", "status": run.status.as_str() }),
    };
    events::append(tx, &[event], now).await?;
    Ok(())
}

/// The index `match_runs_running` lets one run of an organisation be under way.
fn in_progress(error: StoreError) -> Error {
    if error.is_unique() {
        Error::conflict(Code::RunInProgress, "сопоставление с реестром уже выполняется", None)
    } else {
        error.into()
    }
}
