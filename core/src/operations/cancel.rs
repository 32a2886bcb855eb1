//! Stops long work of any kind. What was done stays done, what goes on is not begun, and whoever is at it finds at his next
//! step that it is not his any more.

use uuid::Uuid;

use super::all::{LongWork, count};
use super::end;
use crate::Service;
use crate::domain::caller::{Caller, Scope};
use crate::domain::export::ExportStatus;
use crate::domain::import::ImportStatus;
use crate::domain::long_work::WorkStatus;
use crate::domain::match_run::MatchRunStatus;
use crate::domain::operation::OperationStatus;
use crate::domain::sync_run::RunState;
use crate::error::{Code, Error, Result};
use crate::ids::OrganizationId;
use crate::jobs::{JobName, break_off};
use crate::store::{Tx, events, exports, imports, match_runs, operations, sync_runs};

/// Whoever has none of these may start nothing, and stop nothing.
const STARTERS: [Scope; 3] = [Scope::AnswersWrite, Scope::RequestsRead, Scope::RegistryRead];

impl Service {
    /// Stops long work; whoever might have started it may stop it. Of answers, what still waits in the queue is taken back,
    /// and what was sent goes its way.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Code::StateConflict`] when it has ended otherwise.
    pub async fn cancel_operation(&self, tx: &mut Tx, caller: &Caller, id: Uuid) -> Result<LongWork> {
        if !STARTERS.iter().any(|scope| caller.scopes.allow(*scope)) {
            caller.need(Scope::AnswersSubmit)?;
        }
        let mut work = lock(tx, caller.organization, id).await?.ok_or(Error::NotFound)?;
        need_to_stop(caller, &work)?;
        if work.finished_at().is_none() {
            self.stop(tx, caller, &mut work).await?;
        } else if work.status() != WorkStatus::Cancelled {
            let detail = format!("операция уже закончена: {}", work.status_label());
            return Err(Error::conflict(Code::StateConflict, detail, None));
        }
        // Clients repeat requests by themselves: what is done already is no conflict.
        count(tx, std::slice::from_mut(&mut work)).await?;
        Ok(work)
    }

    /// Its row is held, and it has not ended.
    async fn stop(&self, tx: &mut Tx, caller: &Caller, work: &mut LongWork) -> Result<()> {
        let now = self.clock.now();
        match work {
            LongWork::Answers(details) => {
                let waiting = operations::queued_answers(tx, details.operation.id).await?;
                self.cancel_answers(tx, caller, &waiting).await?;
                details.operation.status = OperationStatus::Cancelled;
                end(tx, &mut details.operation, now).await
            }
            LongWork::Export(export) => {
                export.status = ExportStatus::Cancelled;
                (export.finished_at, export.expires_at) = (Some(now), Some(self.kept_until(now)));
                exports::withdraw(tx, export).await?;
                events::append(tx, &[crate::exports::ended(export)], now).await?;
                Ok(())
            }
            LongWork::Import(details) => {
                let import = &mut details.import;
                let waiting = imports::queued_answers(tx, import.id).await?;
                self.cancel_answers(tx, caller, &waiting).await?;
                import.status = ImportStatus::Cancelled;
                (import.finished_at, import.expires_at) = (Some(now), Some(self.kept_until(now)));
                imports::withdraw(tx, import).await?;
                events::append(tx, &[crate::imports::ended(import)], now).await?;
                Ok(())
            }
            LongWork::MatchRun(details) => {
                details.run.status = MatchRunStatus::Cancelled;
                crate::match_runs::end(tx, &mut details.run, now).await
            }
            LongWork::Sync(run) => {
                break_off(tx, run, RunState::Cancelled, "cancelled", now).await?;
                // Perhaps the next one is due.
                tx.wake(JobName::Sync);
                Ok(())
            }
        }
    }
}

/// What has this identifier, held until the transaction ends.
async fn lock(tx: &mut Tx, organization: OrganizationId, id: Uuid) -> Result<Option<LongWork>> {
    let operation = operations::lock(tx, id.into()).await?;
    if let Some(operation) = operation.filter(|operation| operation.organization == organization) {
        return Ok(Some(LongWork::answers(operation)));
    }
    if let Some(export) = exports::lock(tx, organization, id.into()).await? {
        return Ok(Some(LongWork::export(export)));
    }
    if let Some(import) = imports::lock(tx, organization, id.into()).await? {
        return Ok(Some(LongWork::import(import)));
    }
    let run = match_runs::lock(tx, id.into()).await?;
    if let Some(run) = run.filter(|run| run.organization == organization) {
        return Ok(Some(LongWork::match_run(run)));
    }
    let run = sync_runs::lock(tx, id.into()).await?;
    Ok(run.filter(|run| run.organization == organization).map(LongWork::Sync))
}

/// Refuses a caller who might not have started it.
fn need_to_stop(caller: &Caller, work: &LongWork) -> Result<()> {
    match work {
        LongWork::Answers(_) => caller.need(Scope::AnswersSubmit),
        LongWork::Export(_) | LongWork::Sync(_) => caller.need(Scope::RequestsRead),
        LongWork::Import(details) => caller.need(crate::imports::scope(details.import.submit)),
        LongWork::MatchRun(details) => {
            caller.need(Scope::RegistryRead)?;
            caller.need(crate::match_runs::scope(details.run.mode))
        }
    }
}
