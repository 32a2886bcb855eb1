//! Days of the supplier: when one ends, and periods of them.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use crate::error::{Error, Mistake, Result};

/// Longest period of one report.
const MOST_DAYS: i64 = 366;

/// Refuses a period, both days included, that is no period or too long a one.
pub(crate) fn check_period(from: NaiveDate, to: NaiveDate) -> Result<()> {
    let mistaken = |detail| Error::Invalid(vec![Mistake::in_parameter("to", "range", detail)]);
    if to < from {
        return Err(mistaken("дата to раньше даты from".to_owned()));
    }
    if (to - from).num_days() >= MOST_DAYS {
        return Err(mistaken(format!("период не длиннее {MOST_DAYS} дней")));
    }
    Ok(())
}

/// The first moment after a day. Where the clocks skip midnight, midnight of UTC stands in.
pub(crate) fn end_of(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    let midnight = day.succ_opt()?.and_time(NaiveTime::MIN);
    let local = zone.from_local_datetime(&midnight).earliest();
    Some(local.map_or_else(|| midnight.and_utc(), |end| end.to_utc()))
}

/// By how many seconds a zone is ahead of UTC at the end of days: the first day, and each on which that changes.
pub(crate) fn offsets(zone: Tz, days: impl Iterator<Item = NaiveDate>) -> Vec<(NaiveDate, i64)> {
    let mut offsets: Vec<(NaiveDate, i64)> = Vec::new();
    for day in days {
        let midnight = day.succ_opt().map(|next| next.and_time(NaiveTime::MIN).and_utc());
        let Some((midnight, end)) = midnight.zip(end_of(day, zone)) else { continue };
        let ahead = (midnight - end).num_seconds();
        if offsets.last().is_none_or(|(_, known)| *known != ahead) {
            offsets.push((day, ahead));
        }
    }
    offsets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_period_has_a_beginning_an_end_and_a_limit() {
        let refused = |from, to| check_period(day(from), day(to)).is_err();
        assert!(!refused("2026-11-02", "2026-11-02"));
        assert!(refused("2026-11-02", "2026-11-01"));
        assert!(!refused("2025-11-02", "2026-11-02"), "366 days");
        assert!(refused("2025-11-01", "2026-11-02"));
    }

    #[test]
    fn clocks_that_are_changed_are_noticed() {
        let year = || day("2026-01-01").iter_days().take(365);
        assert_eq!(offsets(Tz::Asia__Yekaterinburg, year()), [(day("2026-01-01"), 5 * 3600)]);
        // The clocks go forward in the night to the 29th of March, and back in the night to the 25th of October.
        let expected = [(day("2026-01-01"), 3600), (day("2026-03-29"), 7200), (day("2026-10-25"), 3600)];
        assert_eq!(offsets(Tz::Europe__Berlin, year()), expected);
    }
}
