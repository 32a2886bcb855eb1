//! Windows of days in which a sync is read. Pages of one window follow each other, for each names the next; so what has many
//! pages is read in several windows side by side.

use chrono::{Days, Months, NaiveDate};

use crate::domain::message::Purpose;
use crate::domain::sync_run::SyncRun;

/// XSD annotation of periodOfSendingRequest: at most six months.
const LONGEST: Months = Months::new(6);
/// A window with many pages is read anew in so many parts: those of a month are days.
const PARTS: u64 = 30;

/// Days of sending, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: NaiveDate,
    pub(crate) to: NaiveDate,
}

impl Window {
    /// All days of a run.
    pub(crate) const fn of(run: &SyncRun) -> Self {
        Self { from: run.window_from, to: run.window_to }
    }

    /// The window in windows that GIS allows.
    pub(crate) fn allowed(self) -> Vec<Self> {
        let mut windows = Vec::new();
        let mut from = Some(self.from);
        while let Some(first) = from {
            let longest = first.checked_add_months(LONGEST).unwrap_or(self.to);
            let to = longest.min(self.to);
            windows.push(Self { from: first, to });
            from = to.succ_opt().filter(|day| *day <= self.to);
        }
        windows
    }

    /// The window in parts of nearly equal length; none for a single day.
    pub(crate) fn parts(self) -> Vec<Self> {
        let days = u64::try_from((self.to - self.from).num_days() + 1).unwrap_or(1);
        if days < 2 {
            return Vec::new();
        }
        let parts = days.min(PARTS);
        let day = |number: u64| self.from.checked_add_days(Days::new(number));
        let part = |part: u64| {
            let (first, next) = (part * days / parts, (part + 1) * days / parts);
            Some(Self { from: day(first)?, to: day(next)?.pred_opt()? })
        };
        (0..parts).filter_map(part).collect()
    }

    /// Its first page.
    pub(crate) fn first_page(self, run: &SyncRun) -> Purpose {
        Purpose::Page { run: run.id, from: self.from, to: self.to, after: None, found: 0, lost: 0 }
    }
}

#[cfg(test)]
mod tests {
    use gis_client::debt_requests::Period;
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn window(from: &str, to: &str) -> Window {
        Window { from: day(from), to: day(to) }
    }

    fn windows(from: &str, to: &str) -> Vec<Window> {
        Window { from: day(from), to: day(to) }.allowed()
    }

    #[test]
    fn a_usual_run_is_one_window() {
        assert_eq!(windows("2026-08-31", "2027-02-27"), [window("2026-08-31", "2027-02-27")]);
        assert_eq!(windows("2026-11-01", "2026-11-01"), [window("2026-11-01", "2026-11-01")]);
    }

    #[test]
    fn a_long_run_is_read_in_windows_of_six_months() {
        let expected = [
            window("2026-01-01", "2026-07-01"),
            window("2026-07-02", "2027-01-02"),
            window("2027-01-03", "2027-02-01"),
        ];
        assert_eq!(windows("2026-01-01", "2027-02-01"), expected);
        assert!(expected.iter().all(|window| Period::new(window.from, window.to).is_ok()));
    }

    #[test]
    fn a_window_with_many_pages_is_read_in_parts() {
        let parts = window("2026-06-01", "2026-11-29").parts();
        assert_eq!(parts.len(), 30);
        assert_eq!(parts[..2], [window("2026-06-01", "2026-06-06"), window("2026-06-07", "2026-06-12")]);
        assert_eq!(parts[0].parts().len(), 6, "days");
        let days = [window("2026-11-01", "2026-11-01"), window("2026-11-02", "2026-11-02")];
        assert_eq!(window("2026-11-01", "2026-11-02").parts(), days);
        assert_eq!(window("2026-11-01", "2026-11-01").parts(), []);
    }

    proptest! {
        #[test]
        fn parts_are_the_window(length in 2_u64..400) {
            let from = day("2026-01-01");
            let whole = Window { from, to: from + Days::new(length - 1) };
            let parts = whole.parts();
            prop_assert_eq!(parts[0].from, whole.from);
            prop_assert_eq!(parts[parts.len() - 1].to, whole.to);
            prop_assert!(parts.iter().all(|part| part.from <= part.to && *part != whole));
            prop_assert!(parts.windows(2).all(|pair| pair[0].to.succ_opt() == Some(pair[1].from)));
        }
    }
}
