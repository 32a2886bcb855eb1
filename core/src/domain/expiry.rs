//! Tokens and certificates are good for a time: when it is told that they will be no more (`api.md` §7, §9).

use chrono::{DateTime, TimeDelta, Utc};

/// So many days before the end it is told.
const MARKS: [i64; 3] = [1, 7, 30];
/// Before this nothing is told.
pub(crate) const FURTHEST_MARK: TimeDelta = TimeDelta::days(30);

/// How long something is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Term {
    /// Since when.
    pub(crate) begins: DateTime<Utc>,
    /// Until when.
    pub(crate) ends: DateTime<Utc>,
}

impl Term {
    /// The nearest mark before the end that is passed; `None` while the end is far, and once it is past. What was made for
    /// no longer than a mark was never further from its end, and nobody needs to hear that.
    pub(crate) fn mark(self, now: DateTime<Utc>) -> Option<i64> {
        let passed = |days: &i64| {
            let mark = TimeDelta::days(*days);
            self.ends - now <= mark && self.ends - self.begins > mark
        };
        MARKS.into_iter().find(passed).filter(|_| now < self.ends)
    }

    /// How many days are left, one that has begun among them.
    pub(crate) fn days_left(self, now: DateTime<Utc>) -> i64 {
        let left = (self.ends - now).max(TimeDelta::zero());
        left.num_days() + i64::from(left > TimeDelta::days(left.num_days()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_is_passed_in_its_turn() {
        let begins = DateTime::UNIX_EPOCH;
        let day = 24 * 60;
        // How many days something is good, minutes before its end, the mark, days left.
        for (good, before, mark, left) in [
            (90, 31 * day, None, 31),
            (90, 30 * day + 1, None, 31),
            (90, 30 * day, Some(30), 30),
            (90, 7 * day + 1, Some(30), 8),
            (90, 7 * day, Some(7), 7),
            (90, day, Some(1), 1),
            (90, 1, Some(1), 1),
            (90, 0, None, 0),
            (90, -1, None, 0),
            (30, 30 * day, None, 30),
            (30, 7 * day, Some(7), 7),
            (7, 5 * day, None, 5),
            (1, 60, None, 1),
        ] {
            let term = Term { begins, ends: begins + TimeDelta::days(good) };
            let now = term.ends - TimeDelta::minutes(before);
            assert_eq!((term.mark(now), term.days_left(now)), (mark, left), "{good} {before}");
        }
    }
}
