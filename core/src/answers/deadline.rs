//! The last day to answer, in the days of the supplier.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::domain::days::end_of;

/// Less than this before the deadline, a withdrawal leaves time for GIS to answer "no debt" by itself (`api.md` §4.4).
const GUARD: TimeDelta = TimeDelta::hours(24);

/// The last day to answer one debt request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    /// As GIS set it; `None` when it set none.
    pub(super) due_on: Option<NaiveDate>,
    /// Where days begin.
    pub(super) zone: Tz,
}

impl Deadline {
    /// Whether the day is over.
    pub(super) fn has_passed(self, now: DateTime<Utc>) -> bool {
        self.end().is_some_and(|end| end <= now)
    }

    /// Whether less than a day is left, or none.
    pub(super) fn is_near(self, now: DateTime<Utc>) -> bool {
        self.end().is_some_and(|end| end - now < GUARD)
    }

    /// The first moment after the last day.
    fn end(self) -> Option<DateTime<Utc>> {
        end_of(self.due_on?, self.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_ends_where_the_supplier_lives() {
        let due_on = Some("2026-11-10".parse().unwrap());
        // Midnight after the 10th is 21:00 in Moscow, 19:00 in Yekaterinburg, both in UTC.
        for (zone, now, near, passed) in [
            (Tz::Europe__Moscow, "2026-11-09T21:00:00Z", false, false),
            (Tz::Europe__Moscow, "2026-11-09T21:00:01Z", true, false),
            (Tz::Asia__Yekaterinburg, "2026-11-09T19:00:01Z", true, false),
            (Tz::Europe__Moscow, "2026-11-10T20:59:59Z", true, false),
            (Tz::Europe__Moscow, "2026-11-10T21:00:00Z", true, true),
            (Tz::Asia__Yekaterinburg, "2026-11-10T19:00:00Z", true, true),
        ] {
            let deadline = Deadline { due_on, zone };
            let now = now.parse().unwrap();
            assert_eq!((deadline.is_near(now), deadline.has_passed(now)), (near, passed), "{zone} {now}");
        }
    }

    #[test]
    fn without_a_day_there_is_time() {
        let deadline = Deadline { due_on: None, zone: Tz::Europe__Moscow };
        let now = "2026-11-09T21:00:00Z".parse().unwrap();
        assert!(!deadline.is_near(now) && !deadline.has_passed(now));
    }
}
