//! What can be set: limits, times and manners towards GIS. The HTTP side reads them from the configuration file; the
//! defaults are those of `architecture.md` and `api.md` §17.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{Days, Months};
use gis_client::cadence::{Backoff, CircuitPolicy, PollSchedule};
use gis_client::debt_requests::ExportVersion;

use crate::attachments::FileTypes;
use crate::crash::CrashAt;
use crate::domain::calendar::Calendar;
use crate::schedule::Schedule;

/// Everything that can be set.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Manners towards GIS.
    pub gis: GisSettings,
    /// What clients may send.
    pub limits: Limits,
    /// When GIS is read.
    pub sync: SyncSettings,
    /// How long things are kept.
    pub retention: Retention,
    /// Where events may be sent.
    pub webhooks: WebhookSettings,
    /// Which days are worked.
    pub calendar: Calendar,
    /// The names of those who can sign, `[signers.NAME]`.
    pub signers: BTreeSet<String>,
    /// Where a test lets this process die.
    pub crash_at: CrashAt,
}

/// Manners towards GIS.
#[derive(Debug, Clone)]
pub struct GisSettings {
    /// Format of exports without answers; those with answers are always 13.1.10.1.
    pub export_version: ExportVersion,
    /// When to ask for a result.
    pub poll_after: PollSchedule,
    /// Most answers in a package, 1 to 100 (XSD importDSRResponsesRequest).
    pub package_size: usize,
    /// How long a package waits to be filled.
    pub package_linger: Duration,
    /// Most calls at once.
    pub parallel: usize,
    /// The longest time of one call; a lease is this and a second.
    pub timeout: Duration,
    /// How long an uncertain submission is left alone between looks.
    pub settle_time: Duration,
    /// How long to wait before a look after EXP001000 and the like.
    pub resend_after_fault: Duration,
    /// How late a copy of a message may land.
    pub max_delay: Duration,
    /// How far an export may lag behind the truth.
    pub view_lag: Duration,
    /// How an answer in force is corrected.
    pub correction: Correction,
    /// Waits after calls that failed.
    pub backoff: Backoff,
    /// When an operation is left alone.
    pub circuit: CircuitPolicy,
}

/// How an answer in force is corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// Withdraw, wait for it, send the new one.
    RevokeThenSend,
    /// Send the new one over it, as the annotation in the XSD allows.
    Overwrite,
}

impl Default for GisSettings {
    fn default() -> Self {
        const HOUR: u64 = 3600;
        let timeout = Duration::from_secs(180);
        Self {
            export_version: ExportVersion::V13_1_10_1,
            poll_after: PollSchedule::default(),
            package_size: 100,
            package_linger: Duration::from_secs(2),
            parallel: 5,
            timeout,
            settle_time: Duration::from_secs(HOUR / 2),
            resend_after_fault: Duration::from_secs(120),
            max_delay: Duration::from_secs(72 * HOUR),
            view_lag: Duration::from_secs(72 * HOUR),
            correction: Correction::RevokeThenSend,
            backoff: Backoff::default(),
            circuit: CircuitPolicy::of_calls(timeout),
        }
    }
}

/// What clients may send; defaults are those of F26.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files on the answer itself.
    pub files_per_answer: usize,
    /// Files of one debtor.
    pub files_per_debtor: usize,
    /// Debtors of one answer.
    pub debtors: usize,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Kinds of files.
    pub file_types: FileTypes,
    /// Bytes of a spreadsheet that comes in.
    pub import_bytes: u64,
    /// Answers in one bulk request.
    pub bulk_items: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            files_per_answer: 5,
            files_per_debtor: 5,
            debtors: 100,
            file_bytes: 5 * 1024 * 1024,
            file_types: FileTypes::default(),
            import_bytes: 20 * 1024 * 1024,
            bulk_items: 1000,
        }
    }
}

/// The longest window of a reading.
pub const MOST_WINDOW_DAYS: u64 = 180;

/// When GIS is read.
#[derive(Debug, Clone)]
pub struct SyncSettings {
    /// The daily reading.
    pub schedule: Schedule,
    /// Between the daily readings.
    pub every: Option<Duration>,
    /// How many days of sending are read, 1 to [`MOST_WINDOW_DAYS`].
    pub window: Days,
    /// The least time between readings that clients start.
    pub least_pause: Duration,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self {
            schedule: Schedule::default(),
            every: None,
            window: Days::new(30),
            least_pause: Duration::from_secs(600),
        }
    }
}

/// Where events may be sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WebhookSettings {
    /// To addresses of one's own network too, and without TLS.
    pub allow_private_addresses: bool,
}

/// How long things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Entries of the event log.
    pub events: Duration,
    /// Receipts of Idempotency-Keys.
    pub receipts: Duration,
    /// Operations that have ended.
    pub operations: Duration,
    /// Files that no answer uses.
    pub unused_files: Duration,
    /// Personal data of answers, from the deadline on, or from the last change where that is later.
    pub personal_data: Months,
    /// Messages of the archive, from the last deadline of their answers on.
    pub evidence: Months,
    /// Entries of the audit log.
    pub audit: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        const DAY: u64 = 24 * 3600;
        Self {
            events: Duration::from_secs(30 * DAY),
            receipts: Duration::from_secs(7 * DAY),
            operations: Duration::from_secs(30 * DAY),
            unused_files: Duration::from_secs(7 * DAY),
            personal_data: Months::new(12),
            evidence: Months::new(12),
            audit: Duration::from_secs(1095 * DAY),
        }
    }
}
