//! Events on their way to the addresses of clients.

use chrono::{DateTime, TimeDelta, Utc};

use super::event::EventKind;
use super::words::words;
use crate::ids::{EventId, WebhookEndpointId};

/// The pauses before the second attempt and each after it; then the event is given up: three days in all.
const PAUSES: [TimeDelta; 9] = [
    TimeDelta::seconds(5),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
    TimeDelta::hours(10),
    TimeDelta::hours(14),
    TimeDelta::hours(20),
    TimeDelta::hours(24),
];

words! {
    /// How far a delivery is.
    DeliveryStatus {
        /// It will be tried, or tried again.
        Pending = "pending" "Ждёт отправки",
        /// The receiver has taken it.
        Succeeded = "succeeded" "Доставлено",
        /// It is tried no more.
        Failed = "failed" "Не доставлено",
    }
}

words! {
    /// Why an attempt failed, or why there will be no more.
    DeliveryFailure {
        /// The receiver answered with a status that is not 2xx.
        HttpStatus = "http_status" "Приёмник ответил ошибкой",
        /// It sent the message elsewhere; that is never followed.
        Redirected = "redirected" "Приёмник перенаправляет на другой адрес",
        /// It did not answer in time.
        TimedOut = "timed_out" "Приёмник не ответил вовремя",
        /// It could not be reached, or TLS failed.
        NotConnected = "not_connected" "Нет соединения с приёмником",
        /// Its name leads to an address that is not public.
        AddressNotAllowed = "address_not_allowed" "Имя приёмника ведёт на внутренний адрес",
        /// The endpoint was switched off before.
        EndpointDisabled = "endpoint_disabled" "Приёмник отключён",
    }
}

/// An event for an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookDelivery {
    /// Where to.
    pub endpoint: WebhookEndpointId,
    /// The number of the event.
    pub sequence: i64,
    /// How far it is.
    pub status: DeliveryStatus,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was tried last.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// What the receiver answered to the last attempt.
    pub response_status: Option<i64>,
    /// Why the last attempt failed.
    pub failure: Option<DeliveryFailure>,
    /// When it is tried next.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// A delivery with what it brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryDetails {
    /// The delivery.
    pub delivery: WebhookDelivery,
    /// The event.
    pub event: EventId,
    /// What kind of event.
    pub kind: EventKind,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The HTTP status, when there was a reply.
    pub status: Option<u16>,
    /// Why it failed, if it did.
    pub failure: Option<DeliveryFailure>,
}

impl Attempt {
    /// The receiver has answered.
    #[must_use]
    pub const fn answered(status: u16) -> Self {
        let failure = match status {
            200..300 => None,
            300..400 => Some(DeliveryFailure::Redirected),
            _ => Some(DeliveryFailure::HttpStatus),
        };
        Self { status: Some(status), failure }
    }

    /// There was no reply.
    #[must_use]
    pub const fn failed(failure: DeliveryFailure) -> Self {
        Self { status: None, failure: Some(failure) }
    }

    /// The receiver asks for nothing more.
    #[must_use]
    pub const fn says_gone(self) -> bool {
        matches!(self.status, Some(410))
    }
}

impl WebhookDelivery {
    /// An event that is to be sent at once.
    #[must_use]
    pub const fn due(endpoint: WebhookEndpointId, sequence: i64, now: DateTime<Utc>) -> Self {
        Self {
            endpoint,
            sequence,
            status: DeliveryStatus::Pending,
            attempts: 0,
            last_attempt_at: None,
            response_status: None,
            failure: None,
            next_attempt_at: Some(now),
        }
    }

    /// The delivery after an attempt that ended now.
    #[must_use]
    pub fn tried(self, attempt: Attempt, now: DateTime<Utc>) -> Self {
        let Attempt { status, failure } = attempt;
        let pause = usize::try_from(self.attempts).ok().and_then(|before| PAUSES.get(before));
        let next_attempt_at = failure.and(pause).map(|pause| now + *pause);
        let status_now = match (failure, next_attempt_at) {
            (None, _) => DeliveryStatus::Succeeded,
            (Some(_), Some(_)) => DeliveryStatus::Pending,
            (Some(_), None) => DeliveryStatus::Failed,
        };
        Self {
            status: status_now,
            attempts: self.attempts + 1,
            last_attempt_at: Some(now),
            response_status: status.map(i64::from),
            failure,
            next_attempt_at,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples::at;

    #[test]
    fn ten_attempts_within_four_days() {
        let mut delivery = WebhookDelivery::due(WebhookEndpointId::generate(), 7, at(0));
        let mut attempts = 0;
        while let Some(now) = delivery.next_attempt_at {
            assert_eq!(delivery.status, DeliveryStatus::Pending);
            delivery = delivery.tried(Attempt::answered(500), now);
            attempts += 1;
        }
        assert_eq!((attempts, delivery.status), (10, DeliveryStatus::Failed));
        assert_eq!(
            (delivery.response_status, delivery.failure),
            (Some(500), Some(DeliveryFailure::HttpStatus))
        );
        let took = delivery.last_attempt_at.unwrap() - at(0);
        assert!(took > TimeDelta::days(3) && took < TimeDelta::days(4), "{took}");
    }

    #[test]
    fn what_was_taken_is_done() {
        let delivery = WebhookDelivery::due(WebhookEndpointId::generate(), 7, at(0));
        let failed = delivery.tried(Attempt::failed(DeliveryFailure::TimedOut), at(1));
        assert_eq!((failed.status, failed.response_status), (DeliveryStatus::Pending, None));
        let taken = failed.tried(Attempt::answered(204), at(2));
        assert_eq!((taken.status, taken.attempts, taken.failure), (DeliveryStatus::Succeeded, 2, None));
        assert_eq!((taken.next_attempt_at, taken.last_attempt_at), (None, Some(at(2))));
    }

    #[test]
    fn only_2xx_is_success() {
        for status in [200, 202, 299] {
            assert_eq!(Attempt::answered(status).failure, None, "{status}");
        }
        for status in [301, 307] {
            assert_eq!(Attempt::answered(status).failure, Some(DeliveryFailure::Redirected), "{status}");
        }
        for status in [100, 400, 404, 410, 500] {
            assert_eq!(Attempt::answered(status).failure, Some(DeliveryFailure::HttpStatus), "{status}");
        }
        assert!(Attempt::answered(410).says_gone() && !Attempt::answered(404).says_gone());
    }
}
