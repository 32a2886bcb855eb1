//! `[limits]`, `[calendar]`, `[retention]`: how much, which days, how long.

use std::num::NonZero;
use std::time::Duration;

use chrono::{Months, NaiveDate};
use debt_core::attachments::FileTypes;

use super::section::Section;
use super::tree::Node;
use super::value::{self, Read};

/// Half a gibibyte: nothing here may be larger, because bodies are held in memory.
const MOST_BYTES: i64 = 512 * 1024 * 1024;
/// The schema of the interface takes no more files in a list, and no more bytes of a file in base64: whatever more were
/// allowed here, clients could not send it.
const MOST_FILES: i64 = 20;
const MOST_FILE_BYTES: i64 = 10 * 1024 * 1024;

/// What is too much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSettings {
    /// Files of one answer, those of its debtors aside.
    pub files_per_answer: usize,
    /// Files of one debtor.
    pub files_per_debtor: usize,
    /// Bytes of one file.
    pub file_bytes: usize,
    /// Kinds of files that are taken: those of GIS's own form, or fewer.
    pub file_types: FileTypes,
    /// Requests of one token.
    pub requests_per_minute: NonZero<u32>,
    /// Uploads of one organisation at once.
    pub parallel_uploads: usize,
    /// Bytes of a JSON body.
    pub body_bytes: usize,
    /// Bytes of a spreadsheet.
    pub import_bytes: usize,
    /// Answers in one bulk request.
    pub bulk_items: usize,
}

const REQUESTS_PER_MINUTE: NonZero<u32> = NonZero::<u32>::MIN.saturating_add(599);

impl LimitSettings {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let limits = Self {
            files_per_answer: section.or("files_per_answer", 5, value::number(0, MOST_FILES)),
            files_per_debtor: section.or("files_per_debtor", 5, value::number(0, MOST_FILES)),
            file_bytes: section.or("file_bytes", 5 * 1024 * 1024, value::number(1, MOST_FILE_BYTES)),
            file_types: section.or("file_types", FileTypes::default(), file_types),
            requests_per_minute: section.or(
                "requests_per_minute",
                REQUESTS_PER_MINUTE,
                value::count(1_000_000),
            ),
            parallel_uploads: section.or("parallel_uploads", 5, value::number(1, 1000)),
            body_bytes: section.or("body_bytes", 40 * 1024 * 1024, value::number(1024, MOST_BYTES)),
            import_bytes: section.or("import_bytes", 20 * 1024 * 1024, value::number(1024, MOST_BYTES)),
            bulk_items: section.or("bulk_items", 1000, value::number(1, 1000)),
        };
        section.finish();
        limits
    }
}

fn file_types(node: &Node) -> Read<FileTypes> {
    let extensions = value::list(value::text)(node)?;
    FileTypes::named(&extensions).ok_or_else(|| {
        let all = FileTypes::default().extensions();
        format!("must be file extensions without a dot, one or more of: {all}")
    })
}

/// Days that differ from the built-in calendar.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CalendarSettings {
    /// Days off.
    pub holidays: Vec<NaiveDate>,
    /// Working days.
    pub working_days: Vec<NaiveDate>,
}

impl CalendarSettings {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let days = || value::list(value::parsed("dates such as \"2028-01-09\""));
        let calendar = Self {
            holidays: section.or("holidays", Vec::new(), days()),
            working_days: section.or("working_days", Vec::new(), days()),
        };
        if let Some(day) = calendar.holidays.iter().find(|day| calendar.working_days.contains(day)) {
            section.wrong("working_days", format!("{day} stands in calendar.holidays too"));
        }
        section.finish();
        calendar
    }
}

/// How long things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionSettings {
    /// Personal data of answers, from the deadline on.
    pub personal_data: Months,
    /// Messages of the archive, from the last deadline of their answers on; they hold personal data.
    pub evidence: Months,
    /// Events of the feed.
    pub events: Duration,
    /// Finished operations.
    pub operations: Duration,
    /// Answers to requests with an Idempotency-Key.
    pub idempotency: Duration,
    /// Files that no answer uses.
    pub unused_files: Duration,
    /// Entries of the audit log.
    pub audit: Duration,
}

const fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86400)
}

impl RetentionSettings {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let personal_data = section.or("personal_data", Months::new(12), value::months);
        let retention = Self {
            personal_data,
            evidence: section.or("evidence", personal_data, value::months),
            events: section.or("events", days(30), value::duration),
            operations: section.or("operations", days(30), value::duration),
            idempotency: section.or("idempotency", days(7), value::duration),
            unused_files: section.or("unused_files", days(7), value::duration),
            audit: section.or("audit", days(1095), value::duration),
        };
        section.finish();
        retention
    }
}
