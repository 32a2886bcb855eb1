//! When GIS is read, and which days of sending a reading covers. Both in Moscow time, which is the time of GIS.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Europe::Moscow;
use croner::Cron;
use croner::errors::CronError;

use crate::settings::SyncSettings;

/// A cron expression that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the schedule {schedule:?} cannot be used; give five fields such as \"15 4 * * *\"")]
pub struct BadSchedule {
    schedule: String,
    source: CronError,
}

impl SyncSettings {
    /// The first time of the schedule after another one. Fails or not whatever the time, so that a try at the start
    /// proves the configuration.
    ///
    /// # Errors
    /// [`BadSchedule`].
    pub fn next_after(&self, time: DateTime<Utc>) -> Result<DateTime<Utc>, BadSchedule> {
        let next = self
            .schedule
            .parse::<Cron>()
            .and_then(|cron| cron.find_next_occurrence(&time.with_timezone(&Moscow), false));
        match next {
            Ok(next) => Ok(next.to_utc()),
            Err(source) => Err(BadSchedule { schedule: self.schedule.clone(), source }),
        }
    }

    /// When the reading after one that began at a time is due: the sooner of the schedule and the pause between readings.
    ///
    /// # Errors
    /// [`BadSchedule`].
    pub fn due_after(&self, started_at: DateTime<Utc>) -> Result<DateTime<Utc>, BadSchedule> {
        let scheduled = self.next_after(started_at)?;
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
        let settings =
            |schedule: &str| SyncSettings { schedule: schedule.to_owned(), ..SyncSettings::default() };
        for (schedule, now, next) in [
            ("15 4 * * *", "2026-11-02T00:00:00Z", "2026-11-02T01:15:00Z"),
            ("15 4 * * *", "2026-11-02T01:15:00Z", "2026-11-03T01:15:00Z"),
            ("0 0 1 * *", "2026-11-02T00:00:00Z", "2026-11-30T21:00:00Z"),
            ("*/10 * * * *", "2026-11-02T00:01:00Z", "2026-11-02T00:10:00Z"),
        ] {
            assert_eq!(settings(schedule).next_after(at(now)).unwrap(), at(next), "{schedule} after {now}");
        }
        for schedule in ["", "daily", "61 * * * *", "0 0 30 2 *"] {
            assert!(settings(schedule).next_after(at("2026-11-02T00:00:00Z")).is_err(), "{schedule:?}");
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
