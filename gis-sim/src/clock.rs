//! The simulator's clock: real time, or a moment that stands still, plus an offset that only grows.
//!
//! Everything that depends on time (results ready, late effects, deadlines, the lag of the registry) asks this clock,
//! so a test steps over days with no sleep. Time never runs back, not even when the machine's clock is set: the effects
//! already applied stay applied.
//! Only the `slow` fault and the `slow` switch take real time, because a client's timeout is real.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta, Utc};

/// The longest distance to which the clock can be moved: 100 years.
pub(crate) const FURTHEST: TimeDelta = TimeDelta::days(36_525);
const MOSCOW_SECONDS: i32 = 3 * 3600;

/// Real time, or a moment that stands still, plus an adjustable offset. Shared by all threads of one simulator.
#[derive(Debug)]
pub struct Clock {
    start: DateTime<Utc>,
    /// When it was started; `None`: it stands still.
    running: Option<Instant>,
    offset_milliseconds: AtomicI64,
}

/// Why the clock was not moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// The new time is before the present one.
    #[error("the clock never runs back: give a time after the present one, or start a new simulator")]
    Backwards,
    /// The new time, or the start, is more than 100 years away.
    #[error("the clock moves by at most 100 years in all")]
    TooFar,
}

impl Clock {
    /// A clock that begins at `start`, or at the real time, and runs.
    ///
    /// # Errors
    /// When `start` is more than 100 years away.
    pub fn starting_at(start: Option<DateTime<Utc>>) -> Result<Self, ClockError> {
        Ok(Self { running: Some(Instant::now()), ..Self::frozen_at(start)? })
    }

    /// A clock that shows `start`, or the real time of its making, until it is moved.
    ///
    /// # Errors
    /// When `start` is more than 100 years away.
    pub fn frozen_at(start: Option<DateTime<Utc>>) -> Result<Self, ClockError> {
        let real = Utc::now();
        let start = start.unwrap_or(real);
        if (start - real).abs() > FURTHEST {
            return Err(ClockError::TooFar);
        }
        Ok(Self { start, running: None, offset_milliseconds: AtomicI64::new(0) })
    }

    /// The simulator's present time.
    pub fn now(&self) -> DateTime<Utc> {
        let offset = TimeDelta::milliseconds(self.offset_milliseconds.load(Ordering::SeqCst));
        self.unmoved().checked_add_signed(offset).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// What the clock would show had it never been moved.
    fn unmoved(&self) -> DateTime<Utc> {
        let elapsed = self.running.map_or(Duration::ZERO, |since| since.elapsed());
        let elapsed = TimeDelta::from_std(elapsed).unwrap_or(TimeDelta::MAX);
        self.start.checked_add_signed(elapsed).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Moves the clock forward, by whole milliseconds rounded up, and returns the new time.
    ///
    /// # Errors
    /// When the clock would be moved by more than 100 years in all.
    pub fn advance(&self, by: Duration) -> Result<DateTime<Utc>, ClockError> {
        let by = i64::try_from(by.as_nanos().div_ceil(1_000_000)).map_err(|_overflow| ClockError::TooFar)?;
        let moved = |offset: i64| offset.checked_add(by).filter(|sum| *sum <= FURTHEST.num_milliseconds());
        self.offset_milliseconds
            .try_update(Ordering::SeqCst, Ordering::SeqCst, moved)
            .map_err(|_unchanged| ClockError::TooFar)?;
        Ok(self.now())
    }

    /// Moves the clock forward to `time`, to the millisecond rounded up, and returns the new time.
    ///
    /// # Errors
    /// When `time` is past, or too far.
    pub fn advance_to(&self, time: DateTime<Utc>) -> Result<DateTime<Utc>, ClockError> {
        let distance = time - self.unmoved();
        if distance > FURTHEST {
            return Err(ClockError::TooFar);
        }
        let whole = distance.num_milliseconds();
        let offset = if TimeDelta::milliseconds(whole) < distance { whole + 1 } else { whole };
        // The offset is what `time` asks for and no sum, so two callers with one time move the clock once.
        let before = self.offset_milliseconds.fetch_max(offset, Ordering::SeqCst);
        if before > offset { Err(ClockError::Backwards) } else { Ok(self.now()) }
    }
}

/// Moscow's zone, UTC+3 the whole year: GIS counts its days and deadlines there.
#[must_use]
pub fn moscow() -> FixedOffset {
    FixedOffset::east_opt(MOSCOW_SECONDS).unwrap_or_else(|| chrono::Offset::fix(&Utc))
}

/// The Moscow day of a moment.
#[must_use]
pub fn moscow_day(moment: DateTime<Utc>) -> NaiveDate {
    moment.with_timezone(&moscow()).date_naive()
}

/// The moment when a Moscow day is over.
#[must_use]
pub fn end_of_moscow_day(day: NaiveDate) -> DateTime<Utc> {
    let midnight = day.succ_opt().unwrap_or(day).and_time(chrono::NaiveTime::MIN);
    midnight.and_utc() - TimeDelta::seconds(i64::from(MOSCOW_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_moves_forward_only() {
        let start = DateTime::parse_from_rfc3339("2026-03-16T09:00:00Z").unwrap().to_utc();
        let clock = Clock::starting_at(Some(start)).unwrap();
        let first = clock.now();
        assert!(first >= start - TimeDelta::milliseconds(1) && first < start + TimeDelta::minutes(1));
        let moved = clock.advance(Duration::from_secs(72 * 3600)).unwrap();
        assert!(moved >= first + TimeDelta::hours(72));
        assert_eq!(clock.advance_to(start), Err(ClockError::Backwards));
        assert_eq!(clock.advance(Duration::MAX), Err(ClockError::TooFar));
        assert_eq!(clock.advance(Duration::from_secs(200 * 366 * 86_400)), Err(ClockError::TooFar));
        assert!(clock.now() >= moved);
    }

    #[test]
    fn a_frozen_clock_moves_only_when_told_to() {
        let start = DateTime::parse_from_rfc3339("2026-03-16T09:00:00Z").unwrap().to_utc();
        let clock = Clock::frozen_at(Some(start)).unwrap();
        assert_eq!(clock.now(), start);
        assert_eq!(clock.advance(Duration::from_secs(60)), Ok(start + TimeDelta::minutes(1)));
        assert_eq!(clock.advance_to(start + TimeDelta::hours(1)), Ok(start + TimeDelta::hours(1)));
        assert_eq!(clock.advance(Duration::from_nanos(1)), Ok(clock.now()), "at least a millisecond");
        assert_eq!(clock.now(), start + TimeDelta::hours(1) + TimeDelta::milliseconds(1));
    }

    #[test]
    fn callers_who_name_one_time_move_the_clock_once() {
        let start = DateTime::parse_from_rfc3339("2026-03-16T09:00:00Z").unwrap().to_utc();
        let clock = Clock::frozen_at(Some(start)).unwrap();
        let goal = start + TimeDelta::days(3);
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| assert_eq!(clock.advance_to(goal), Ok(goal)));
            }
        });
        assert_eq!(clock.now(), goal);
    }

    #[test]
    fn days_end_at_moscow_midnight() {
        let day = NaiveDate::from_ymd_opt(2026, 3, 16).unwrap();
        let end = end_of_moscow_day(day);
        assert_eq!(end.to_rfc3339(), "2026-03-16T21:00:00+00:00");
        assert_eq!(moscow_day(end), day.succ_opt().unwrap());
        assert_eq!(moscow_day(end - TimeDelta::milliseconds(1)), day);
    }
}
