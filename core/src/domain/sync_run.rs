//! A reading of GIS: a window of days of sending, page by page.

use chrono::{DateTime, NaiveDate, Utc};

use super::answer::LastError;
use super::words::words;
use crate::ids::{OrganizationId, SyncRunId};

words! {
    /// Where a reading stands.
    RunState {
        /// Under way.
        Running = "running" "Выполняется",
        /// All pages were read.
        Succeeded = "succeeded" "Выполнено",
        /// It was given up; the next one begins anew.
        Failed = "failed" "Не выполнено",
        /// A client has stopped it; the next one begins anew.
        Cancelled = "cancelled" "Остановлено",
    }
}

/// What begins a reading without a client: the schedule, the time since the last one, or that there was none yet.
pub(crate) const SCHEDULE: &str = "schedule";
pub(crate) const INTERVAL: &str = "interval";
pub(crate) const START: &str = "start";

/// A reading of GIS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncRun {
    /// Its identifier.
    pub id: SyncRunId,
    /// For whom.
    pub organization: OrganizationId,
    /// `schedule`, `interval`, `start` or the client's name.
    pub started_by: String,
    /// Where it stands.
    pub state: RunState,
    /// First day of sending that is read.
    pub window_from: NaiveDate,
    /// Last day.
    pub window_to: NaiveDate,
    /// Debt requests that GIS showed.
    pub found: i64,
    /// Those that were new.
    pub added: i64,
    /// Those that had changed.
    pub changed: i64,
    /// Pages read.
    pub pages: i64,
    /// Why it failed.
    pub error: Option<LastError>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

impl SyncRun {
    /// Whether a client with this name began it. One that bears the name of something automatic has begun nothing of that.
    pub(crate) fn is_by(&self, subject: &str) -> bool {
        self.started_by == subject && ![SCHEDULE, INTERVAL, START].contains(&subject)
    }
}
