//! How GIS behaves as seen from here, and how much waits for it (`api.md` §7).

mod health;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::Service;
use crate::domain::answer::State;
use crate::domain::caller::Caller;
use crate::domain::organization::Halt;
use crate::domain::sync_run::SyncRun;
use crate::domain::words::words;
use crate::error::{Error, Result};
use crate::ids::OrganizationId;
use crate::settings::SyncSettings;
use crate::store::gis_operations::Operation;
use crate::store::{Conn, answers, debt_requests, gis_operations, organizations, sync_runs};

words! {
    /// How GIS behaves as a whole.
    GisState {
        /// Every operation goes through.
        Ok = "ok" "ГИС ЖКХ отвечает",
        /// Some operations are paused.
        Degraded = "degraded" "ГИС ЖКХ отвечает с ошибками",
        /// No operation goes through.
        Down = "down" "ГИС ЖКХ не отвечает",
        /// GIS says that it is being serviced.
        Maintenance = "maintenance" "В ГИС ЖКХ идут технические работы",
    }
}

words! {
    /// How one operation behaves.
    OperationState {
        /// Calls go through.
        Ok = "ok" "работает",
        /// No calls for a while.
        Paused = "paused" "приостановлена",
        /// A trial call is under way or due.
        Probing = "probing" "проверяется",
    }
}

/// How GIS behaves and how much waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GisStatus {
    /// How it behaves.
    pub health: GisHealth,
    /// Why nothing of the organisation is sent; `None` while it is.
    pub halted: Option<Halt>,
    /// What waits for it.
    pub queue: Queue,
    /// Seconds from submission to delivery of the last answers; `None` while there is none.
    pub typical_delivery_seconds: Option<Percentiles>,
    /// The newest reading.
    pub last_sync: Option<SyncRun>,
    /// When GIS is read next.
    pub next_sync_at: DateTime<Utc>,
}

/// How GIS behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GisHealth {
    /// As a whole.
    pub state: GisState,
    /// Since when; `None` before the first call.
    pub since: Option<DateTime<Utc>>,
    /// When it last answered.
    pub last_success_at: Option<DateTime<Utc>>,
    /// When an operation that is left alone is tried again.
    pub next_probe_at: Option<DateTime<Utc>>,
    /// Each of [`Operation::ALL`].
    pub operations: BTreeMap<Operation, OperationState>,
}

/// What waits for GIS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Queue {
    /// Answers that wait for a worker.
    pub queued: i64,
    /// Answers that are on the way.
    pub sending: i64,
    /// Answers that GIS is at work on.
    pub accepted: i64,
    /// Answers whose fate is being found out.
    pub uncertain: i64,
    /// Since when the oldest waits.
    pub oldest_queued_at: Option<DateTime<Utc>>,
    /// Of all these, answers whose last day is today.
    pub due_today: i64,
}

/// Median and 95th percentile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentiles {
    /// Half of all are not longer.
    pub p50: i64,
    /// 95 of a hundred are not longer.
    pub p95: i64,
}

impl Service {
    /// How GIS behaves, and how much of the caller's organisation waits for it. Needs no scope.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn gis_status(&self, caller: &Caller) -> Result<GisStatus> {
        let now = self.clock.now();
        let organization = caller.organization;
        let mut conn = self.db.scan().await?;
        let today = self.today(&mut conn, organization).await?;
        let halted = organizations::get(&mut conn, organization).await?.ok_or(Error::NotFound)?.halted;
        let health = health::judge(&gis_operations::all(&mut conn).await?, now);
        let queue = queue(&mut conn, organization, today).await?;
        let seconds = answers::delivery_seconds(&mut conn, organization).await?;
        let last_sync = sync_runs::last(&mut conn, organization).await?;
        let next_sync_at = next_sync(&self.settings.sync, last_sync.as_ref(), now)?;
        let typical_delivery_seconds = Percentiles::of(seconds);
        Ok(GisStatus { health, halted, queue, typical_delivery_seconds, last_sync, next_sync_at })
    }
}

/// The states in which an answer waits for GIS.
pub(crate) const WAITING: [State; 4] = [State::Queued, State::Sending, State::Accepted, State::Uncertain];

async fn queue(conn: &mut Conn, organization: OrganizationId, today: NaiveDate) -> Result<Queue> {
    let counts = answers::by_state(conn, Some(organization)).await?;
    let count = |wanted| counts.iter().find(|(state, ..)| *state == wanted).map_or(0, |(_, count, _)| *count);
    let oldest = counts.iter().find(|(state, ..)| *state == State::Queued).and_then(|(_, _, oldest)| *oldest);
    let due_today = debt_requests::Filter {
        answer_states: WAITING.to_vec(),
        due_from: Some(today),
        due_to: Some(today),
        ..debt_requests::Filter::default()
    };
    Ok(Queue {
        queued: count(State::Queued),
        sending: count(State::Sending),
        accepted: count(State::Accepted),
        uncertain: count(State::Uncertain),
        oldest_queued_at: oldest,
        due_today: debt_requests::count(conn, organization, &due_today, today).await?.total,
    })
}

/// By the rule of the job: a first reading, or one that is overdue, comes now.
fn next_sync(settings: &SyncSettings, last: Option<&SyncRun>, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let Some(last) = last else { return Ok(now) };
    let due = settings.due_after(last.started_at).map_err(Error::internal)?;
    Ok(due.max(now))
}

impl Percentiles {
    /// By nearest rank: both are values that occur.
    pub(crate) fn of(mut values: Vec<i64>) -> Option<Self> {
        values.sort_unstable();
        let rank = |percent: usize| {
            let rank = (values.len() * percent).div_ceil(100);
            values.get(rank.checked_sub(1)?).copied()
        };
        Some(Self { p50: rank(50)?, p95: rank(95)? })
    }
}
