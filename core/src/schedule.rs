//! When GIS is read, and which days of sending a reading covers. Both in Moscow time, which is the time of GIS.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Europe::Moscow;
use croner::Cron;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};

use crate::settings::SyncSettings;

/// A cron expression of five fields, in Moscow time. One whose time never comes cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(Cron);

/// Why a text is no schedule.
#[derive(Debug, thiserror::Error)]
pub enum BadSchedule {
    /// It is no cron expression of five fields.
    #[error(transparent)]
    Pattern(CronError),
    /// There is no such day, as with 30 February.
    #[error("such a time never comes")]
    Never(#[source] CronError),
}

impl Schedule {
    /// The first time after another one.
    ///
    /// # Errors
    /// [`BadSchedule::Never`], beyond the years that anybody will see.
    pub fn next_after(&self, time: DateTime<Utc>) -> Result<DateTime<Utc>, BadSchedule> {
        let next = self.0.find_next_occurrence(&time.with_timezone(&Moscow), false);
        Ok(next.map_err(BadSchedule::Never)?.to_utc())
    }
}

impl FromStr for Schedule {
    type Err = BadSchedule;

    /// A sixth field would be seconds: `* * * * * *` would read GIS all the time.
    fn from_str(text: &str) -> Result<Self, BadSchedule> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let schedule = Self(parser.parse(text).map_err(BadSchedule::Pattern)?);
        // Without years, what comes once comes again.
        schedule.next_after(DateTime::UNIX_EPOCH)?;
        Ok(schedule)
    }
}

impl Default for Schedule {
    /// Every day before the working hours.
    #[expect(clippy::expect_used, reason = "the expression is our own, and a test makes it")]
    fn default() -> Self {
        "15 4 * * *".parse().expect("a cron expression of five fields")
    }
}

impl SyncSettings {
    /// When the reading after one that began at a time is due: the sooner of the schedule and the pause between readings.
    ///
    /// # Errors
    /// As [`Schedule::next_after`].
    pub fn due_after(&self, started_at: DateTime<Utc>) -> Result<DateTime<Utc>, BadSchedule> {
        let scheduled = self.schedule.next_after(started_at)?;
        Ok(self.every.map_or(scheduled, |pause| scheduled.min(started_at + pause)))
    }

    /// First and last day of sending that a reading covers.
    #[must_use]
    pub fn window_at(&self, time: DateTime<Utc>) -> (NaiveDate, NaiveDate) {
        let today = time.with_timezone(&Moscow).date_naive();
        (today.checked_sub_days(self.window).unwrap_or(today), today)
    }
}

#[cfg(test)]
mod tests {
    use chrono::Days;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_schedule_is_in_moscow_time() {
        for (schedule, now, next) in [
            ("15 4 * * *", "2026-11-02T00:00:00Z", "2026-11-02T01:15:00Z"),
            ("15 4 * * *", "2026-11-02T01:15:00Z", "2026-11-03T01:15:00Z"),
            ("0 0 1 * *", "2026-11-02T00:00:00Z", "2026-11-30T21:00:00Z"),
            ("0 0 29 2 *", "2026-11-02T00:00:00Z", "2028-02-28T21:00:00Z"),
            ("0 9 * * MON-FRI", "2026-11-06T12:00:00Z", "2026-11-09T06:00:00Z"),
            ("@daily", "2026-11-02T00:00:00Z", "2026-11-02T21:00:00Z"),
            ("*/10 * * * *", "2026-11-02T00:01:00Z", "2026-11-02T00:10:00Z"),
        ] {
            let found = schedule.parse::<Schedule>().unwrap().next_after(at(now)).unwrap();
            assert_eq!(found, at(next), "{schedule} after {now}");
        }
        assert_eq!(Schedule::default(), "15 4 * * *".parse().unwrap());
    }

    #[test]
    fn what_has_more_fields_or_never_comes_is_no_schedule() {
        for text in ["", "daily", "4 * * *", "61 * * * *", "* * * * * *", "0 15 4 * * *", "0 15 4 * * * 2027"]
        {
            let refused = text.parse::<Schedule>();
            assert!(matches!(refused, Err(BadSchedule::Pattern(_))), "{text:?}: {refused:?}");
        }
        for text in ["0 0 30 2 *", "0 0 31 4,6,9,11 *"] {
            let refused = text.parse::<Schedule>();
            assert!(matches!(refused, Err(BadSchedule::Never(_))), "{text:?}: {refused:?}");
        }
    }

    #[test]
    fn the_window_ends_today_in_moscow() {
        let settings = SyncSettings { window: Days::new(30), ..SyncSettings::default() };
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(settings.window_at(at("2026-11-02T20:59:59Z")), (day("2026-10-03"), day("2026-11-02")));
        assert_eq!(settings.window_at(at("2026-11-02T21:00:00Z")), (day("2026-10-04"), day("2026-11-03")));
    }
}
