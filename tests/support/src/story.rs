//! When the stories of tests happen.

use chrono::{DateTime, Datelike, Days, NaiveTime, TimeDelta, Utc, Weekday};

/// GIS counts its days in Moscow, UTC+3.
const MOSCOW: TimeDelta = TimeDelta::hours(3);

/// When a story begins: on the coming Tuesday at noon in Moscow. What the simulator invents was sent within a week and is
/// to be answered within five working days, so on a Friday some of it would be due at once; and near midnight the day would
/// change in the middle of the story. The machine's clock is not far, for certificates are judged by it.
#[must_use]
pub fn beginning() -> DateTime<Utc> {
    beginning_after(Utc::now())
}

fn beginning_after(now: DateTime<Utc>) -> DateTime<Utc> {
    let noon = TimeDelta::hours(12);
    let today = (now + MOSCOW).date_naive();
    let days = (0..=7).map(|days| today + Days::new(days)).filter(|day| day.weekday() == Weekday::Tue);
    let noons = days.map(|day| (day.and_time(NaiveTime::MIN) + noon).and_utc() - MOSCOW);
    noons.filter(|noon| *noon >= now).min().unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_begins_on_tuesday() {
        let table = [
            ("2026-11-24T08:59:59Z", "2026-11-24T09:00:00Z"),
            ("2026-11-24T09:00:01Z", "2026-12-01T09:00:00Z"),
            ("2026-11-26T21:11:00Z", "2026-12-01T09:00:00Z"),
        ];
        for (now, begins) in table {
            let time = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
            assert_eq!(beginning_after(time(now)), time(begins), "{now}");
        }
    }
}
