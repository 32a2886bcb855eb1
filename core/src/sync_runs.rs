//! Readings of GIS that clients start and watch; the job `sync` carries them out.

#[cfg(test)]
mod tests;

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::Service;
use crate::domain::caller::{Caller, Scope};
use crate::domain::sync_run::{RunState, SyncRun};
use crate::error::{Code, Error, Result};
use crate::ids::{OrganizationId, SyncRunId};
use crate::jobs::JobName;
use crate::settings::SyncSettings;
use crate::store::{StoreError, Tx, sync_runs};

impl Service {
    /// Starts a reading: a run that is under way and has no page yet is what the job picks up.
    ///
    /// # Errors
    /// [`Code::SyncTooEarly`] with the wait; [`Code::RunInProgress`] while the last one is under way.
    pub async fn start_sync(&self, tx: &mut Tx, caller: &Caller) -> Result<SyncRun> {
        caller.need(Scope::RequestsRead)?;
        let now = self.clock.now();
        if let Some(last) = sync_runs::last(tx, caller.organization).await? {
            may_start(&last, self.settings.sync.least_pause, now)?;
        }
        let run = new_run(caller.organization, caller.subject.clone(), &self.settings.sync, now);
        sync_runs::insert(tx, &run).await.map_err(in_progress)?;
        tx.wake(JobName::Sync);
        Ok(run)
    }

    /// Newest first, after (`started_at`, `id`).
    ///
    /// # Errors
    /// The scope `requests:read` is missing.
    pub async fn list_sync_runs(
        &self,
        caller: &Caller,
        after: Option<(DateTime<Utc>, SyncRunId)>,
        limit: i64,
    ) -> Result<Vec<SyncRun>> {
        caller.need(Scope::RequestsRead)?;
        let mut conn = self.db.scan().await?;
        Ok(sync_runs::page(&mut conn, caller.organization, after, limit).await?)
    }

    /// One reading.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get_sync_run(&self, caller: &Caller, id: SyncRunId) -> Result<SyncRun> {
        caller.need(Scope::RequestsRead)?;
        let mut conn = self.db.read().await?;
        sync_runs::get(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)
    }
}

/// A run that has read nothing yet.
pub(crate) fn new_run(
    organization: OrganizationId,
    started_by: String,
    settings: &SyncSettings,
    now: DateTime<Utc>,
) -> SyncRun {
    let (window_from, window_to) = settings.window_at(now);
    SyncRun {
        id: SyncRunId::generate(),
        organization,
        started_by,
        state: RunState::Running,
        window_from,
        window_to,
        found: 0,
        added: 0,
        changed: 0,
        pages: 0,
        error: None,
        started_at: now,
        finished_at: None,
    }
}

fn may_start(last: &SyncRun, least_pause: Duration, now: DateTime<Utc>) -> Result<()> {
    let earliest = last.started_at + least_pause;
    if let Ok(retry_after) = (earliest - now).to_std()
        && !retry_after.is_zero()
    {
        return Err(Error::TooEarly { code: Code::SyncTooEarly, retry_after });
    }
    match last.state {
        RunState::Succeeded | RunState::Failed | RunState::Cancelled => Ok(()),
        RunState::Running => Err(running()),
    }
}

/// Somebody else, or the schedule, begins a run in this very moment: the index `sync_runs_running` lets one be under way.
fn in_progress(error: StoreError) -> Error {
    if error.is_unique() { running() } else { error.into() }
}

fn running() -> Error {
    Error::conflict(Code::RunInProgress, "получение запросов из ГИС ЖКХ уже выполняется", None)
}
