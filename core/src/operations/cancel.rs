//! Stops long work of any kind. What was done stays done, except for answers that wait in the queue; what goes on is not
//! begun, and whoever is at it finds at his next step that it is not his any more.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::all::{LongWork, count, sees, sees_any};
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
use crate::ids::{AnswerId, DebtRequestId, OrganizationId};
use crate::jobs::{JobName, break_off};
use crate::store::operations::Stopped;
use crate::store::{Tx, events, exports, imports, match_rounds, match_runs, operations, sync_runs};

/// Answers taken back in one transaction.
const CHUNK: i64 = 200;
/// Stopped work of a kind that takes back at one time.
const MOST_STOPPED: i64 = 100;
/// What was stopped so long ago has nothing in the queue any more.
const LONG_AGO: TimeDelta = TimeDelta::days(1);

impl Service {
    /// Stops long work. Whoever might have started it may stop it; a reading of GIS, on which all answers rest, only who
    /// started it or may write answers. Answers that wait in the queue are taken back, those of imports and matches soon after by
    /// `take_back`; what was sent goes its way.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for what the caller may neither stop nor read; [`Code::StateConflict`] when it has ended
    /// otherwise.
    pub async fn cancel_operation(&self, tx: &mut Tx, caller: &Caller, id: Uuid) -> Result<LongWork> {
        // Whoever sees nothing stops nothing: the rights to stop include one to read something.
        if !sees_any(caller) {
            caller.need(Scope::AnswersSubmit)?;
        }
        let mut work = lock(tx, caller.organization, id).await?.ok_or(Error::NotFound)?;
        // Nobody learns by a refusal what he is not shown.
        if let Err(refused) = need_to_stop(caller, &work) {
            return Err(if sees(caller, &work) { refused } else { Error::NotFound });
        }
        if work.finished_at().is_none() {
            self.stop(tx, &mut work).await?;
        } else if work.status() != WorkStatus::Cancelled {
            let detail = format!("операция уже закончена: {}", work.status_label());
            return Err(Error::conflict(Code::StateConflict, detail, None));
        }
        // Clients repeat requests by themselves: what is done already is no conflict.
        count(tx, std::slice::from_mut(&mut work)).await?;
        Ok(work)
    }

    /// Imports and matches that have still something in the queue although they were stopped.
    ///
    /// # Errors
    /// The database.
    pub(crate) async fn stopped_work(&self) -> Result<Vec<Stopped>> {
        let mut conn = self.db.scan().await?;
        Ok(operations::stopped(&mut conn, self.clock.now() - LONG_AGO, MOST_STOPPED).await?)
    }

    /// Takes back some of the answers that one of these has queued. How many, and what kept others from it: an answer that
    /// cannot be read stands in the way of none of the others.
    ///
    /// # Errors
    /// The database.
    pub(crate) async fn take_back(&self, work: Stopped) -> Result<(usize, Option<Error>)> {
        let mut tx = self.db.begin().await?;
        // While it is held nobody else takes the same back.
        let Some(stopped_at) = hold(&mut tx, work).await? else { return Ok((0, None)) };
        let waiting = operations::waiting(&mut tx, work, stopped_at, CHUNK).await?;
        match self.cancel_answers(&mut tx, work.organization(), &waiting).await {
            Ok(count) => {
                tx.commit().await?;
                Ok((count, None))
            }
            Err(error @ Error::Unavailable(_)) => Err(error),
            Err(_) => {
                drop(tx);
                Ok(self.take_back_each(work.organization(), &waiting).await)
            }
        }
    }

    async fn take_back_each(
        &self,
        organization: OrganizationId,
        answers: &[(DebtRequestId, AnswerId)],
    ) -> (usize, Option<Error>) {
        let (mut taken_back, mut trouble) = (0, None);
        for answer in answers {
            let done = async {
                let mut tx = self.db.begin().await?;
                let count = self.cancel_answers(&mut tx, organization, std::slice::from_ref(answer)).await?;
                tx.commit().await?;
                Ok::<_, Error>(count)
            };
            match done.await {
                Ok(count) => taken_back += count,
                Err(error) => trouble = Some(error),
            }
        }
        (taken_back, trouble)
    }

    /// Takes back all that stopped work of an organisation has in the queue, before other work begins that might count on
    /// it. What fails is left to the job `operations`.
    ///
    /// # Errors
    /// The database.
    pub(crate) async fn take_back_all(&self, organization: OrganizationId) -> Result<()> {
        loop {
            let mut taken_back = 0;
            for work in self.stopped_work().await? {
                if work.organization() == organization {
                    taken_back += self.take_back(work).await?.0;
                }
            }
            if taken_back == 0 {
                return Ok(());
            }
        }
    }

    /// Its row is held, and it has not ended.
    async fn stop(&self, tx: &mut Tx, work: &mut LongWork) -> Result<()> {
        let now = self.clock.now();
        match work {
            LongWork::Answers(details) => {
                let waiting = operations::queued_answers(tx, details.operation.id).await?;
                self.cancel_answers(tx, details.operation.organization, &waiting).await?;
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
                import.status = ImportStatus::Cancelled;
                (import.finished_at, import.expires_at) = (Some(now), Some(self.kept_until(now)));
                imports::withdraw(tx, import).await?;
                events::append(tx, &[crate::imports::ended(import)], now).await?;
                tx.wake(JobName::Operations);
                Ok(())
            }
            LongWork::MatchRun(details) => {
                details.run.status = MatchRunStatus::Cancelled;
                if details.run.automatic {
                    // Whoever stops a branch does not want the head office to answer what the branch was not asked about.
                    match_rounds::end(tx, details.run.organization).await?;
                }
                tx.wake(JobName::Operations);
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

/// Holds work that was stopped; when that was.
async fn hold(tx: &mut Tx, work: Stopped) -> Result<Option<DateTime<Utc>>> {
    Ok(match work {
        Stopped::Import(organization, id) => {
            imports::lock(tx, organization, id).await?.and_then(|import| import.finished_at)
        }
        Stopped::MatchRun(_, id) => match_runs::lock(tx, id).await?.and_then(|run| run.finished_at),
    })
}

/// What has this identifier, held until the transaction ends; what belongs to others is not touched.
async fn lock(tx: &mut Tx, organization: OrganizationId, id: Uuid) -> Result<Option<LongWork>> {
    if operations::get(tx, organization, id.into()).await?.is_some() {
        return Ok(operations::lock(tx, id.into()).await?.map(LongWork::answers));
    }
    if let Some(export) = exports::lock(tx, organization, id.into()).await? {
        return Ok(Some(LongWork::export(export)));
    }
    if let Some(import) = imports::lock(tx, organization, id.into()).await? {
        return Ok(Some(LongWork::import(import)));
    }
    if match_runs::get(tx, organization, id.into()).await?.is_some() {
        return Ok(match_runs::lock(tx, id.into()).await?.map(LongWork::match_run));
    }
    if sync_runs::get(tx, organization, id.into()).await?.is_some() {
        return Ok(sync_runs::lock(tx, id.into()).await?.map(LongWork::Sync));
    }
    Ok(None)
}

/// Refuses a caller who may not stop it.
fn need_to_stop(caller: &Caller, work: &LongWork) -> Result<()> {
    match work {
        LongWork::Answers(_) => caller.need(Scope::AnswersSubmit),
        LongWork::Export(_) => caller.need(Scope::RequestsRead),
        LongWork::Sync(run) if run.is_by(&caller.subject) => caller.need(Scope::RequestsRead),
        LongWork::Sync(_) => caller.need(Scope::AnswersWrite),
        LongWork::Import(details) => caller.need(crate::answers::scope(details.import.submit)),
        LongWork::MatchRun(details) => {
            caller.need(Scope::RegistryRead)?;
            caller.need(crate::match_runs::scope(details.run.mode))
        }
    }
}
