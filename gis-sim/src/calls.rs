//! The log of calls received: what came in, what went out, for `GET /control/calls`.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::faults::Target;

/// Calls remembered; of more, the oldest are forgotten.
pub const MOST_CALLS: usize = 10_000;

/// One call received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Its number since the start or the last reset, from 1.
    pub number: u64,
    /// When it came.
    pub at: DateTime<Utc>,
    /// What was called; nothing when the message was not readable.
    pub operation: Option<Target>,
    /// orgPPAGUID.
    pub organization: Option<Uuid>,
    /// The client's `MessageGUID`, or the id of the file.
    pub message: Option<Uuid>,
    /// The id that GIS gave, or was asked for.
    pub gis_message: Option<Uuid>,
    /// Actions of an import, ids of an export.
    pub items: usize,
    /// What was answered, e.g. `ack`, `state 2`, `fault EXP001000`, `http 503`, `reset`.
    pub outcome: String,
}

impl Call {
    /// A call about which nothing more is known; the log gives it a number.
    #[must_use]
    pub fn new(at: DateTime<Utc>, operation: Option<Target>, outcome: impl Into<String>) -> Self {
        Self {
            number: 0,
            at,
            operation,
            organization: None,
            message: None,
            gis_message: None,
            items: 0,
            outcome: outcome.into(),
        }
    }
}

/// The last [`MOST_CALLS`] calls.
#[derive(Debug, Default)]
pub struct CallLog {
    calls: VecDeque<Call>,
    received: u64,
}

impl CallLog {
    /// Remembers a call.
    pub fn record(&mut self, mut call: Call) {
        self.received = self.received.saturating_add(1);
        call.number = self.received;
        if self.calls.len() >= MOST_CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }

    /// Calls received since the start or the last reset.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Remembered calls with a number above `after`, oldest first.
    pub fn after(&self, after: u64) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(move |call| call.number > after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::moment;

    #[test]
    fn the_log_is_a_ring() {
        let mut log = CallLog::default();
        for _ in 0..=MOST_CALLS {
            log.record(Call::new(moment(0), Some(Target::Probe), "http 200"));
        }
        assert_eq!(log.after(0).count(), MOST_CALLS);
        assert_eq!(log.after(0).next().unwrap().number, 2);
        assert_eq!(log.after(10_000).map(|call| call.number).collect::<Vec<_>>(), [10_001]);
        assert_eq!(log.received(), 10_001);
    }
}
