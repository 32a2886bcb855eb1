//! What becomes of work under a lease that has failed: it is tried again soon, not only when the lease is over.

use chrono::{DateTime, TimeDelta, Utc};

use super::Worker;
use crate::Error;

/// Until the next try. What is out of order for longer is asked as rarely as that.
const PAUSE: TimeDelta = TimeDelta::seconds(30);

/// When it is tried again.
pub(super) fn soon(worker: &Worker) -> DateTime<Utc> {
    worker.now() + PAUSE
}

/// How many tries are noted. That our database or file store was away is no fault of the work.
pub(super) fn tries_after(error: &Error, tries: i64) -> i64 {
    match error {
        Error::Unavailable(_) => tries.saturating_sub(1).max(0),
        Error::NotFound
        | Error::Conflict(_)
        | Error::Invalid(_)
        | Error::Refused { .. }
        | Error::VersionMismatch { .. }
        | Error::TooEarly { .. }
        | Error::Internal(_) => tries,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_away_is_no_try() {
        assert_eq!(tries_after(&Error::Unavailable("down".into()), 3), 2);
        assert_eq!(tries_after(&Error::Unavailable("down".into()), 0), 0);
        assert_eq!(tries_after(&Error::internal("a mistake"), 3), 3);
    }
}
