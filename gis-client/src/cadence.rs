//! When to call GIS again: the poll schedule, the back-off and the circuit breaker.
//!
//! Called by the jobs, which keep the counters in their rows; everything here is a pure function of its
//! arguments, so the clock and the random numbers come from outside. What must stay true: never earlier than
//! the operator's documentation asks, and never a wait without a bound.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// How long to wait between the calls of getState for one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollSchedule {
    waits: Vec<Duration>,
    last: Duration,
}

/// A list of waits that cannot be a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PollScheduleError {
    /// There is no wait in the list.
    #[error("the poll schedule is empty; give at least one wait, for example 10s")]
    Empty,
    /// A wait of zero would poll without a pause.
    #[error("wait number {number} of the poll schedule is zero; every wait must be longer than zero")]
    Zero {
        /// The place in the list, from 1.
        number: usize,
    },
}

impl PollSchedule {
    /// A schedule from the waits before the first, second, … call; the last one repeats for ever.
    ///
    /// # Errors
    /// The list is empty or holds a wait of zero.
    pub fn new(waits: Vec<Duration>) -> Result<Self, PollScheduleError> {
        let last = *waits.last().ok_or(PollScheduleError::Empty)?;
        match waits.iter().position(Duration::is_zero) {
            Some(place) => Err(PollScheduleError::Zero { number: place + 1 }),
            None => Ok(Self { waits, last }),
        }
    }

    /// The wait before the next poll when `polls` of them have been made.
    #[must_use]
    pub fn wait(&self, polls: u32) -> Duration {
        let place = usize::try_from(polls).unwrap_or(usize::MAX);
        self.waits.get(place).copied().unwrap_or(self.last)
    }

    /// The earliest time of the next poll. `last_contact` is the time of the acknowledgement or, after it, of
    /// the last poll: GIS asks for pauses between calls, so a poll that was made late moves the later ones.
    #[must_use]
    pub fn next_poll(&self, last_contact: DateTime<Utc>, polls: u32) -> DateTime<Utc> {
        later(last_contact, self.wait(polls))
    }
}

impl Default for PollSchedule {
    /// The operator's own recommendation for each message: 10 s, 60 s, 5 min, 15 min, then every 30 min.
    fn default() -> Self {
        let last = Duration::from_secs(1800);
        let waits = [10, 60, 300, 900].map(Duration::from_secs).into_iter().chain([last]).collect();
        Self { waits, last }
    }
}

/// Growing waits between tries of a call that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The step after the first failure.
    pub first: Duration,
    /// The longest step.
    pub longest: Duration,
}

impl Backoff {
    /// The wait after `failures` failures in a row: the step doubles with each, and the wait lies between half
    /// of the step and the whole of it. `jitter` is any random number: 0 gives the half, `u32::MAX` the whole,
    /// so that many workers do not come back at the same moment.
    #[must_use]
    pub fn wait(&self, failures: u32, jitter: u32) -> Duration {
        let doublings = 2_u32.saturating_pow(failures.saturating_sub(1));
        let step = self.first.saturating_mul(doublings).min(self.longest);
        let half = step / 2;
        half + (step - half).mul_f64(f64::from(jitter) / f64::from(u32::MAX))
    }
}

impl Default for Backoff {
    /// From 5 s to 30 min.
    fn default() -> Self {
        Self { first: Duration::from_secs(5), longest: Duration::from_secs(1800) }
    }
}

/// When a circuit opens and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitPolicy {
    /// So many failures in a row open the circuit; 0 counts as 1.
    pub threshold: u32,
    /// How long the circuit stays open, by the number of openings in a row.
    pub backoff: Backoff,
    /// How long one trial call may take before another may be made (its worker may have died).
    pub patience: Duration,
}

impl CircuitPolicy {
    /// Five failures, waits of the default [`Backoff`], and for a trial call the timeout of calls and a third of it.
    #[must_use]
    pub fn of_calls(timeout: Duration) -> Self {
        Self { threshold: 5, backoff: Backoff::default(), patience: timeout.saturating_add(timeout / 3) }
    }
}

/// Whether the far end is called at all: a circuit breaker as a plain value.
///
/// A failure in its sense is a call that got no answer of GIS; a refusal is an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Circuit {
    /// Calls go through.
    Closed {
        /// Failures in a row so far.
        failures: u32,
    },
    /// No calls until a time.
    Open {
        /// How many times in a row the circuit has opened.
        openings: u32,
        /// The time of the next trial call.
        until: DateTime<Utc>,
    },
    /// One trial call is under way.
    HalfOpen {
        /// How many times in a row the circuit has opened.
        openings: u32,
        /// When the trial call began.
        began: DateTime<Utc>,
        /// When it counts as lost and another may be made.
        until: DateTime<Utc>,
    },
}

/// What happened to a call, in the sense of the circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CircuitEvent {
    /// A call begins.
    Started,
    /// GIS answered, whatever it said.
    Answered,
    /// No answer of GIS came.
    Failed {
        /// When the call began, the time of its [`Started`](Self::Started).
        began: DateTime<Utc>,
        /// Any random number, for [`Backoff::wait`].
        jitter: u32,
    },
}

impl Default for Circuit {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Circuit {
    /// Whether a call may begin now.
    #[must_use]
    pub fn may_call(&self, now: DateTime<Utc>) -> bool {
        self.next_call().is_none_or(|time| time <= now)
    }

    /// The time before which no call may begin; `None` when calls go through.
    #[must_use]
    pub fn next_call(&self) -> Option<DateTime<Utc>> {
        match *self {
            Self::Closed { .. } => None,
            Self::Open { until, .. } | Self::HalfOpen { until, .. } => Some(until),
        }
    }

    /// The circuit after an event.
    ///
    /// Events of calls that began before the circuit opened still arrive, also while a trial is under way: an
    /// answer closes it, a failure tells nothing new.
    #[must_use]
    pub fn after(self, event: CircuitEvent, now: DateTime<Utc>, policy: &CircuitPolicy) -> Self {
        match (self, event) {
            (_, CircuitEvent::Answered) => Self::default(),
            (Self::Closed { .. }, CircuitEvent::Started) => self,
            (Self::Closed { failures }, CircuitEvent::Failed { jitter, .. }) => {
                let failures = failures.saturating_add(1);
                if failures < policy.threshold {
                    Self::Closed { failures }
                } else {
                    Self::open(1, jitter, now, policy)
                }
            }
            (Self::Open { openings, .. } | Self::HalfOpen { openings, .. }, CircuitEvent::Started) => {
                Self::HalfOpen { openings, began: now, until: later(now, policy.patience) }
            }
            (Self::Open { .. }, CircuitEvent::Failed { .. }) => self,
            (Self::HalfOpen { began: trial, .. }, CircuitEvent::Failed { began, .. }) if began < trial => {
                self
            }
            (Self::HalfOpen { openings, .. }, CircuitEvent::Failed { jitter, .. }) => {
                Self::open(openings.saturating_add(1), jitter, now, policy)
            }
        }
    }

    fn open(openings: u32, jitter: u32, now: DateTime<Utc>, policy: &CircuitPolicy) -> Self {
        Self::Open { openings, until: later(now, policy.backoff.wait(openings, jitter)) }
    }
}

/// `time + wait`, or the end of time when that lies beyond it.
fn later(time: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(wait)
        .ok()
        .and_then(|wait| time.checked_add_signed(wait))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn polls_follow_the_operators_schedule() {
        let schedule = PollSchedule::default();
        let waits: Vec<u64> = (0..7).map(|polls| schedule.wait(polls).as_secs()).collect();
        assert_eq!(waits, [10, 60, 300, 900, 1800, 1800, 1800]);
        assert_eq!(schedule.wait(u32::MAX), seconds(1800));
        assert_eq!(schedule.next_poll(at(0), 0), at(10));
        assert_eq!(schedule.next_poll(at(500), 1), at(560), "the pause counts from the last call");
    }

    #[test]
    fn a_schedule_of_ones_own() {
        let schedule = PollSchedule::new(vec![seconds(1), seconds(2)]).unwrap();
        assert_eq!([0, 1, 2, 9].map(|polls| schedule.wait(polls).as_secs()), [1, 2, 2, 2]);
        assert_eq!(PollSchedule::new(vec![]), Err(PollScheduleError::Empty));
        assert_eq!(
            PollSchedule::new(vec![seconds(1), Duration::ZERO]),
            Err(PollScheduleError::Zero { number: 2 })
        );
    }

    #[test]
    fn backoff_doubles_to_its_bound() {
        let backoff = Backoff::default();
        let whole: Vec<u64> = (1..=11).map(|failures| backoff.wait(failures, u32::MAX).as_secs()).collect();
        assert_eq!(whole, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800]);
        assert_eq!(backoff.wait(1, 0), Duration::from_millis(2500));
        assert_eq!(backoff.wait(0, u32::MAX), seconds(5), "no failure waits like one");
    }

    #[test]
    fn a_circuit_opens_tries_and_closes() {
        let policy = CircuitPolicy { threshold: 2, ..CircuitPolicy::of_calls(Duration::from_secs(180)) };
        let failed = CircuitEvent::Failed { began: at(0), jitter: u32::MAX };

        let circuit = Circuit::default().after(failed, at(0), &policy);
        assert_eq!(circuit, Circuit::Closed { failures: 1 });
        assert!(circuit.may_call(at(0)));

        let open = circuit.after(failed, at(1), &policy);
        assert_eq!(open, Circuit::Open { openings: 1, until: at(6) });
        assert!(!open.may_call(at(5)) && open.may_call(at(6)));
        assert_eq!(open.after(failed, at(2), &policy), open, "a call of before tells nothing new");

        let trial = open.after(CircuitEvent::Started, at(6), &policy);
        assert_eq!(trial, Circuit::HalfOpen { openings: 1, began: at(6), until: at(246) });
        assert!(!trial.may_call(at(7)), "one trial at a time");
        assert!(trial.may_call(at(246)), "a trial whose worker died does not block for ever");

        let trial_failed = CircuitEvent::Failed { began: at(6), jitter: u32::MAX };
        assert_eq!(trial.after(trial_failed, at(7), &policy), Circuit::Open { openings: 2, until: at(17) });
        assert_eq!(trial.after(CircuitEvent::Answered, at(7), &policy), Circuit::default());
        assert_eq!(open.after(CircuitEvent::Answered, at(2), &policy), Circuit::default());
    }

    #[test]
    fn while_a_trial_is_under_way_only_its_own_failure_counts() {
        let policy = CircuitPolicy::of_calls(Duration::from_secs(180));
        let failed = |began| CircuitEvent::Failed { began: at(began), jitter: u32::MAX };
        // Ten calls of before: five open the circuit, the other five are still under way when the trial begins.
        let mut circuit = Circuit::default();
        for call in 0..5 {
            circuit = circuit.after(failed(call), at(10), &policy);
        }
        assert_eq!(circuit, Circuit::Open { openings: 1, until: at(15) });
        let trial = circuit.after(CircuitEvent::Started, at(15), &policy);
        for call in 5..10 {
            assert_eq!(trial.after(failed(call), at(16), &policy), trial, "call {call}");
        }
        assert_eq!(trial.after(failed(15), at(20), &policy), Circuit::Open { openings: 2, until: at(30) });
        // A trial whose worker was thought dead does not speak for the next one.
        let next = trial.after(CircuitEvent::Started, at(255), &policy);
        assert_eq!(next.after(failed(15), at(256), &policy), next);
    }

    fn events() -> impl Strategy<Value = CircuitEvent> {
        prop_oneof![
            Just(CircuitEvent::Started),
            Just(CircuitEvent::Answered),
            (0_i64..600_000, any::<u32>())
                .prop_map(|(began, jitter)| CircuitEvent::Failed { began: at(began), jitter }),
        ]
    }

    proptest! {
        #[test]
        fn backoff_stays_in_its_bounds(failures: u32, jitter: u32) {
            let backoff = Backoff::default();
            let wait = backoff.wait(failures, jitter);
            prop_assert!(wait >= backoff.first / 2 && wait <= backoff.longest);
            prop_assert!(wait <= backoff.wait(failures, u32::MAX));
            prop_assert!(backoff.wait(failures.saturating_add(1), jitter) >= wait, "it never shrinks");
        }

        #[test]
        fn a_circuit_never_locks_for_longer_than_its_bound(
            steps in prop::collection::vec((0_i64..10_000, events()), 0..60),
        ) {
            let policy = CircuitPolicy::of_calls(Duration::from_secs(180));
            let (mut circuit, mut now) = (Circuit::default(), at(0));
            for (pause, event) in steps {
                now += TimeDelta::seconds(pause);
                circuit = circuit.after(event, now, &policy);
                if let Some(time) = circuit.next_call() {
                    prop_assert!(time <= now + TimeDelta::seconds(1800));
                }
                prop_assert!(circuit.may_call(now + TimeDelta::seconds(1800)));
                prop_assert_eq!(circuit.after(CircuitEvent::Answered, now, &policy), Circuit::default());
            }
        }

        #[test]
        fn time_does_not_overflow(wait in any::<u64>(), polls: u32) {
            let schedule = PollSchedule::new(vec![Duration::from_secs(wait.max(1))]).unwrap();
            prop_assert!(schedule.next_poll(at(0), polls) >= at(0));
        }
    }
}
