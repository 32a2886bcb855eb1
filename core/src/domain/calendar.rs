//! Working days of Russia: Monday to Friday, but for holidays and the days that the government moves each year. The days of
//! 2025 to 2027 are built in (decrees № 1335 of 2024 and № 1466 of 2025, and the transfers announced for 2027); for later
//! years, and for a region's own holidays, the configuration adds days.
//!
//! Of a year that is not known, only weekends and the holidays of the Labour Code are days off. What the government moves is
//! missing then, so a day off may pass for a working day: whatever is done some working days before a deadline comes a
//! little later than it should, but never behind the deadline, which is always that of GIS.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate, Weekday};

/// Days off that fall on Monday to Friday: month and day.
const DAYS_OFF: [(i32, &[(u32, u32)]); 3] = [
    (
        2025,
        &[
            (1, 1),
            (1, 2),
            (1, 3),
            (1, 6),
            (1, 7),
            (1, 8),
            (5, 1),
            (5, 2),
            (5, 8),
            (5, 9),
            (6, 12),
            (6, 13),
            (11, 3),
            (11, 4),
            (12, 31),
        ],
    ),
    (
        2026,
        &[
            (1, 1),
            (1, 2),
            (1, 5),
            (1, 6),
            (1, 7),
            (1, 8),
            (1, 9),
            (2, 23),
            (3, 9),
            (5, 1),
            (5, 11),
            (6, 12),
            (11, 4),
            (12, 31),
        ],
    ),
    (
        2027,
        &[
            (1, 1),
            (1, 4),
            (1, 5),
            (1, 6),
            (1, 7),
            (1, 8),
            (2, 22),
            (2, 23),
            (3, 8),
            (5, 3),
            (5, 10),
            (6, 14),
            (11, 4),
            (11, 5),
            (12, 31),
        ],
    ),
];

/// Saturdays and Sundays that are worked.
const WORKED: [(i32, u32, u32); 2] = [(2025, 11, 1), (2027, 2, 20)];

/// Holidays by law (Labour Code, article 112), for years whose transfers are not known.
const BY_LAW: [(u32, u32); 14] = [
    (1, 1),
    (1, 2),
    (1, 3),
    (1, 4),
    (1, 5),
    (1, 6),
    (1, 7),
    (1, 8),
    (2, 23),
    (3, 8),
    (5, 1),
    (5, 9),
    (6, 12),
    (11, 4),
];

/// Which days are worked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    /// Days off besides the built-in ones.
    pub holidays: BTreeSet<NaiveDate>,
    /// Working days against the built-in calendar.
    pub working_days: BTreeSet<NaiveDate>,
}

impl Calendar {
    /// Whether a day is worked.
    #[must_use]
    pub fn is_working(&self, day: NaiveDate) -> bool {
        if self.working_days.contains(&day) {
            return true;
        }
        !self.holidays.contains(&day) && is_usually_worked(day)
    }

    /// Whether it is known which days of a year the government has moved: built in, or named by the configuration.
    #[must_use]
    pub fn knows(&self, year: i32) -> bool {
        let named = self.holidays.iter().chain(&self.working_days).any(|day| day.year() == year);
        named || DAYS_OFF.iter().any(|(known, _)| *known == year)
    }

    /// The day so many working days before another one; that day itself for none, and the last working day before it where
    /// it is a day off.
    #[must_use]
    pub fn working_days_before(&self, day: NaiveDate, count: u32) -> NaiveDate {
        let mut left = count;
        let mut at = day;
        while left > 0 || !self.is_working(at) {
            let Some(before) = at.pred_opt() else { return at };
            at = before;
            if self.is_working(at) {
                left = left.saturating_sub(1);
            }
        }
        at
    }

    /// The day so many working days after another one, which does not count itself.
    #[must_use]
    pub fn working_days_after(&self, day: NaiveDate, count: u32) -> NaiveDate {
        let mut left = count;
        let mut at = day;
        while left > 0 {
            let Some(after) = at.succ_opt() else { return at };
            at = after;
            if self.is_working(at) {
                left -= 1;
            }
        }
        at
    }
}

fn is_usually_worked(day: NaiveDate) -> bool {
    let date = (day.month(), day.day());
    if WORKED.contains(&(day.year(), date.0, date.1)) {
        return true;
    }
    let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    let off = DAYS_OFF.iter().find(|(year, _)| *year == day.year()).map_or(&BY_LAW[..], |(_, days)| days);
    !weekend && !off.contains(&date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn years_have_as_many_working_days_as_the_production_calendars_say() {
        let calendar = Calendar::default();
        for (year, expected) in [(2025, 247), (2026, 247), (2027, 247)] {
            let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
            let days = first.iter_days().take_while(|day| day.year() == year);
            assert_eq!(days.filter(|day| calendar.is_working(*day)).count(), expected, "{year}");
        }
    }

    #[test]
    fn deadlines_of_gis_are_five_working_days_after_the_day_of_sending() {
        let calendar = Calendar::default();
        for (sent, due) in [
            ("2025-08-08", "2025-08-15"),
            ("2025-09-01", "2025-09-08"),
            ("2025-10-29", "2025-11-06"),
            ("2026-10-30", "2026-11-09"),
            ("2026-12-28", "2027-01-13"),
        ] {
            assert_eq!(calendar.working_days_after(day(sent), 5), day(due), "{sent}");
        }
    }

    #[test]
    fn days_before_a_deadline_are_working_days() {
        let calendar = Calendar::default();
        for (due, count, expected) in [
            ("2026-11-10", 0, "2026-11-10"),
            ("2026-11-10", 1, "2026-11-09"),
            ("2026-11-09", 1, "2026-11-06"),
            ("2026-11-05", 1, "2026-11-03"),
            ("2026-11-08", 0, "2026-11-06"),
            ("2027-01-11", 1, "2026-12-30"),
        ] {
            assert_eq!(calendar.working_days_before(day(due), count), day(expected), "{due} {count}");
        }
    }

    #[test]
    fn the_configuration_has_the_last_word() {
        let calendar = Calendar {
            holidays: [day("2026-11-06"), day("2028-01-09")].into(),
            working_days: [day("2026-11-07"), day("2028-05-01")].into(),
        };
        assert!(!calendar.is_working(day("2026-11-06")) && calendar.is_working(day("2026-11-07")));
        assert!(!calendar.is_working(day("2028-01-03")) && calendar.is_working(day("2028-05-01")));
        assert!(calendar.knows(2028) && !Calendar::default().knows(2028) && Calendar::default().knows(2027));
    }

    #[test]
    fn of_a_year_that_is_not_known_weekends_and_holidays_by_law_are_days_off() {
        let calendar = Calendar::default();
        for (text, worked) in [
            ("2030-01-08", false),
            ("2030-01-09", true),
            ("2030-05-09", false),
            ("2030-05-10", true),
            ("2030-06-15", false),
        ] {
            assert_eq!(calendar.is_working(day(text)), worked, "{text}");
        }
        assert_eq!(calendar.working_days_before(day("2030-05-13"), 1), day("2030-05-10"));
    }
}
