//! Answers that are on their way to GIS for longer than they should be (`api.md` §7).

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use super::days::end_of;
use super::words::words;

/// GIS takes minutes to hours; after so many a person may want to know.
const PATIENCE: TimeDelta = TimeDelta::hours(6);

words! {
    /// Why it is told of an answer that it is late.
    DelayReason {
        /// It has been on its way for hours, and there is no result.
        NoResult = "no_result" "Нет результата дольше 6 часов",
        /// A day is left to answer, and it is still on its way.
        DueSoon = "due_soon" "До конца срока ответа меньше суток",
    }
}

/// Which answers on their way are late now, for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delay {
    /// The reason.
    pub(crate) reason: DelayReason,
    /// Those whose sending began then or before.
    pub(crate) began_by: DateTime<Utc>,
    /// Of those, the ones with this last day to answer; `None` for any.
    pub(crate) due_on: Option<NaiveDate>,
}

/// What is late now where the supplier lives. An answer that was sent on the last day itself is told of after hours only:
/// whoever sent it knew what day it was.
pub(crate) fn delays(now: DateTime<Utc>, zone: Tz) -> impl Iterator<Item = Delay> {
    let today = now.with_timezone(&zone).date_naive();
    let day_began = today.pred_opt().and_then(|yesterday| end_of(yesterday, zone));
    let hours = Delay { reason: DelayReason::NoResult, began_by: now - PATIENCE, due_on: None };
    let last_day =
        day_began.map(|began_by| Delay { reason: DelayReason::DueSoon, began_by, due_on: Some(today) });
    std::iter::once(hours).chain(last_day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_begins_where_the_supplier_lives() {
        // 21:30 UTC is half past midnight in Moscow.
        let now = "2026-11-09T21:30:00Z".parse().unwrap();
        let told: Vec<_> = delays(now, Tz::Europe__Moscow).collect();
        let expected = [
            Delay {
                reason: DelayReason::NoResult,
                began_by: "2026-11-09T15:30:00Z".parse().unwrap(),
                due_on: None,
            },
            Delay {
                reason: DelayReason::DueSoon,
                began_by: "2026-11-09T21:00:00Z".parse().unwrap(),
                due_on: Some("2026-11-10".parse().unwrap()),
            },
        ];
        assert_eq!(told, expected);
        let in_utc = delays(now, Tz::UTC).last().unwrap();
        assert_eq!(in_utc.due_on, Some("2026-11-09".parse().unwrap()));
    }
}
