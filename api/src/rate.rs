//! How many requests a token may make in a minute (`api.md` §10). A bucket that holds a minute's worth and fills
//! evenly: a burst is allowed, a flood is not. The time is the injected clock's.

use std::num::NonZero;
use std::sync::Mutex;
use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use debt_core::Code;
use debt_core::clock::Clock;
use debt_core::error::Error;
use debt_core::ids::TokenId;
use governor::clock::Clock as GovernorClock;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

/// The two headers of draft-ietf-httpapi-ratelimit-headers.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// So many tokens are remembered before those at rest are forgotten.
const MANY: usize = 10_000;

/// Our clock in the words of the limiter.
#[derive(Debug, Clone)]
struct Ticks(Clock);

impl GovernorClock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let micros = u64::try_from(self.0.now().timestamp_micros()).unwrap_or(0);
        Duration::from_micros(micros).into()
    }
}

type Limiter = RateLimiter<TokenId, HashMapStateStore<TokenId>, Ticks, StateInformationMiddleware>;

/// The limiter of one instance.
pub struct Rate {
    per_minute: NonZero<u32>,
    clock: Ticks,
    limiter: Limiter,
    /// How many requests passed since the tokens at rest were forgotten.
    passed: Mutex<usize>,
}

/// What is left to a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    per_minute: u32,
    remaining: u32,
    /// When one more request is allowed; zero unless nothing is left.
    wait: Duration,
}

impl Rate {
    /// A limiter of so many requests a minute for each token.
    #[must_use]
    pub fn new(per_minute: NonZero<u32>, clock: Clock) -> Self {
        let clock = Ticks(clock);
        let limiter =
            Limiter::new(Quota::per_minute(per_minute), HashMapStateStore::default(), clock.clone());
        Self { per_minute, clock, limiter, passed: Mutex::new(0) }
    }

    /// Counts a request of a token.
    ///
    /// # Errors
    /// The allowance with the time to wait, when nothing is left.
    pub fn take(&self, token: TokenId) -> Result<Allowance, Allowance> {
        self.forget_sometimes();
        let per_minute = self.per_minute.get();
        match self.limiter.check_key(&token) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                Ok(Allowance { per_minute, remaining, wait: Duration::ZERO })
            }
            Err(refused) => {
                let wait = refused.wait_time_from(self.clock.now());
                Err(Allowance { per_minute, remaining: 0, wait })
            }
        }
    }

    fn forget_sometimes(&self) {
        let Ok(mut passed) = self.passed.lock() else { return };
        *passed += 1;
        if *passed >= MANY {
            *passed = 0;
            self.limiter.retain_recent();
        }
    }
}

impl Allowance {
    /// How long to wait before the next request.
    #[must_use]
    pub const fn retry_after(&self) -> Duration {
        self.wait
    }

    /// Writes the headers of every response.
    pub fn write(&self, headers: &mut HeaderMap) {
        let Self { per_minute, remaining, wait } = self;
        let policy = format!("\"token\";q={per_minute};w=60");
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let limit = format!("\"token\";r={remaining};t={seconds}");
        for (name, text) in [(POLICY, policy), (LIMIT, limit)] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
    }
}

impl From<Allowance> for Error {
    fn from(allowance: Allowance) -> Self {
        Self::TooEarly { code: Code::RateLimited, retry_after: allowance.wait }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use uuid::Uuid;

    use super::*;

    fn token(number: u128) -> TokenId {
        Uuid::from_u128(number).into()
    }

    #[test]
    fn a_burst_is_allowed_a_flood_waits_and_tokens_do_not_disturb_each_other() {
        let clock = Clock::manual(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let rate = Rate::new(NonZero::new(60).unwrap(), clock.clone());
        let left: Vec<_> = (0..60).map(|_| rate.take(token(1)).unwrap().remaining).collect();
        assert_eq!((left[0], left[59]), (59, 0));

        let refused = rate.take(token(1)).unwrap_err();
        assert_eq!(refused.wait, Duration::from_secs(1));
        assert!(rate.take(token(2)).is_ok());
        assert!(matches!(Error::from(refused), Error::TooEarly { code: Code::RateLimited, .. }));

        clock.advance(TimeDelta::seconds(1));
        assert!(rate.take(token(1)).is_ok());
        assert!(rate.take(token(1)).is_err());
        clock.advance(TimeDelta::seconds(60));
        assert_eq!(rate.take(token(1)).unwrap().remaining, 59);
    }

    #[test]
    fn the_headers_say_what_is_left() {
        let mut headers = HeaderMap::new();
        Allowance { per_minute: 600, remaining: 0, wait: Duration::from_millis(100) }.write(&mut headers);
        assert_eq!(headers.get("ratelimit-policy").unwrap(), "\"token\";q=600;w=60");
        assert_eq!(headers.get("ratelimit").unwrap(), "\"token\";r=0;t=1");
    }

    #[test]
    fn tokens_at_rest_are_forgotten() {
        let clock = Clock::manual(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let rate = Rate::new(NonZero::new(60).unwrap(), clock.clone());
        for number in 0..u128::try_from(MANY).unwrap() {
            assert!(rate.take(token(number)).is_ok());
            clock.advance(TimeDelta::seconds(1));
        }
        assert!(rate.limiter.len() < 100);
    }
}
