//! Addresses of clients that events are sent to (webhooks, `api.md` §13).

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use url::{Host, Url};

use super::event::{Event, EventKind};
use super::public_address::is_public;
use super::words::words;
use crate::error::Mistake;
use crate::ids::{OrganizationId, WebhookEndpointId};

/// Most characters of an address.
const LONGEST_URL: usize = 2048;
/// So long the secret from before a rotation signs too: the receiver changes to the new one meanwhile.
pub const OVERLAP: TimeDelta = TimeDelta::hours(24);
/// Most of those.
const MOST_PREVIOUS: usize = 4;
/// An endpoint that has taken nothing for so long is given up.
pub const PATIENCE: TimeDelta = TimeDelta::days(5);

words! {
    /// Why an endpoint was switched off by the gateway.
    DisabledReason {
        /// It said that it is gone (HTTP 410).
        Gone = "gone" "Приёмник ответил 410",
        /// It has taken nothing for five days.
        Failing = "failing" "Пять дней приёмник не принимает события",
    }
}

/// An address that events of an organisation are sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// Its identifier.
    pub id: WebhookEndpointId,
    /// Whose events.
    pub organization: OrganizationId,
    /// The address. It may hold a secret of the receiver: it is never logged.
    pub url: String,
    /// What it is for, in words of its owner.
    pub description: Option<String>,
    /// Which events: types, or their beginnings with a star; all when none is named.
    pub masks: Vec<String>,
    /// What signs.
    pub secrets: Secrets,
    /// Whether anything is sent.
    pub enabled: bool,
    /// Why it is off, unless its owner has switched it off.
    pub disabled_reason: Option<DisabledReason>,
    /// Since when every attempt has failed.
    pub failing_since: Option<DateTime<Utc>>,
    /// Events up to this number are on their way or were passed over.
    pub last_sequence: i64,
    /// Until when it is left alone after a failure.
    pub rest_until: Option<DateTime<Utc>>,
    /// Grows with every change that its owner makes or must know of.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl WebhookEndpoint {
    /// Whether an event is for it. A trial is for the endpoint that it names alone.
    #[must_use]
    pub fn wants(&self, event: &Event) -> bool {
        if event.event.kind == EventKind::WebhookTest {
            return event.event.data.get("webhook_endpoint_id").and_then(|id| id.as_str())
                == Some(self.id.to_string().as_str());
        }
        self.masks.is_empty() || self.kinds().contains(&event.event.kind)
    }

    /// The types that its masks name today; a newer program may know more. None where it wants all.
    #[must_use]
    pub fn kinds(&self) -> Vec<EventKind> {
        self.masks.iter().flat_map(|mask| EventKind::matching(mask)).collect()
    }

    /// Nothing is sent any more; without a reason its owner wants it so.
    pub fn disable(&mut self, reason: Option<DisabledReason>) {
        self.enabled = false;
        self.disabled_reason = reason;
        self.forgive();
    }

    /// Its failures so far count no more.
    pub fn forgive(&mut self) {
        self.failing_since = None;
        self.rest_until = None;
    }

    /// Whether it is to be given up after one more failure.
    #[must_use]
    pub fn is_hopeless(&self, now: DateTime<Utc>) -> bool {
        self.failing_since.is_some_and(|since| now - since >= PATIENCE)
    }
}

/// What signs the messages to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    /// The present secret.
    pub current: Secret,
    /// Those before it that sign too, the newest first, and until when.
    pub previous: Vec<(Secret, DateTime<Utc>)>,
}

impl Secrets {
    /// A new secret and none before it.
    #[must_use]
    pub fn generate() -> Self {
        Self { current: Secret::generate(), previous: Vec::new() }
    }

    /// A new secret; the present one signs for a day more, and those before it as long as they would have: whoever loses a
    /// reply rotates once more, and the receiver has an older one still.
    #[must_use]
    pub fn rotated(self, now: DateTime<Utc>) -> Self {
        let older = self.previous.into_iter().filter(|(_, until)| now < *until);
        let previous = std::iter::once((self.current, now + OVERLAP)).chain(older).take(MOST_PREVIOUS);
        Self { current: Secret::generate(), previous: previous.collect() }
    }

    /// Those that sign now, the present one first.
    pub fn in_force(&self, now: DateTime<Utc>) -> impl Iterator<Item = &Secret> {
        let previous = self.previous.iter().filter(move |(_, until)| now < *until).map(|(secret, _)| secret);
        std::iter::once(&self.current).chain(previous)
    }
}

/// A secret that gateway and receiver share.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl Secret {
    fn generate() -> Self {
        Self(rand::random())
    }

    /// Its bytes, the key of the HMAC.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// As the receiver gets it (Standard Webhooks: `whsec_` and base64).
    #[must_use]
    pub fn text(&self) -> String {
        format!("whsec_{}", BASE64_STANDARD.encode(self.0))
    }
}

impl From<[u8; 32]> for Secret {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(***)")
    }
}

/// What is wrong with an address. Inside one's own network (`webhooks.allow_private_addresses`) anything may be named; on the
/// Internet only what is public, and only under TLS. Names are looked at once more when they are resolved.
#[must_use]
pub fn url_mistake(text: &str, private_allowed: bool) -> Option<Mistake> {
    let wrong = |code, detail: &str| Some(Mistake::at("/url", code, detail));
    if text.chars().count() > LONGEST_URL {
        let mistake = Mistake::at("/url", "too_long", format!("не более {LONGEST_URL} знаков"));
        return Some(mistake.with_max(2048));
    }
    let Ok(url) = Url::parse(text) else {
        return wrong("format", "нужен адрес вида https://host/path");
    };
    let plain = url.scheme() == "http" && private_allowed;
    if url.scheme() != "https" && !plain {
        return wrong("format", "нужен адрес https://");
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return wrong("format", "имя, пароль и часть после # в адресе не допускаются");
    }
    if !private_allowed && url.host().is_none_or(|host| !is_public_host(&host)) {
        return wrong("address_not_allowed", "адрес не из сети Интернет; отправка на такие не разрешена");
    }
    None
}

/// A name may be public; whether it is, shows when it is resolved.
fn is_public_host(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name != "localhost" && !name.ends_with(".localhost")
        }
        Host::Ipv4(address) => is_public((*address).into()),
        Host::Ipv6(address) => is_public((*address).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples::{at, trial, webhook_endpoint};

    #[test]
    fn a_rotated_secret_signs_for_a_day_more() {
        let first = Secrets::generate();
        let second = first.clone().rotated(at(0));
        assert_ne!(first.current, second.current);
        let signing = |now| second.in_force(now).cloned().collect::<Vec<_>>();
        let third = second.clone().rotated(at(7));
        assert_eq!(third.in_force(at(8)).count(), 3, "whichever the receiver has, it can check");
        assert_eq!(third.clone().rotated(at(0) + OVERLAP).previous.len(), 2);
        let last = at(0) + OVERLAP;
        assert_eq!(signing(last - TimeDelta::microseconds(1)), [second.current.clone(), first.current]);
        assert_eq!(signing(last), std::slice::from_ref(&second.current));
        assert_eq!(format!("{:?}", second.current), "Secret(***)");
        assert_eq!(Secret::from([0; 32]).text(), format!("whsec_{}=", "A".repeat(43)));
    }

    #[test]
    fn events_are_for_those_who_want_them_and_a_trial_is_for_one() {
        let endpoint = webhook_endpoint(OrganizationId::generate());
        let of_kind = |kind| {
            let mut event = trial(&endpoint);
            event.event.kind = kind;
            event
        };
        let (delivered, rejected) = (of_kind(EventKind::AnswerDelivered), of_kind(EventKind::AnswerRejected));
        let (ours, other) = (trial(&endpoint), trial(&webhook_endpoint(endpoint.organization)));
        let wanted = |endpoint: &WebhookEndpoint| {
            [&delivered, &rejected, &ours, &other].map(|event| endpoint.wants(event))
        };
        assert_eq!(wanted(&endpoint), [true, true, true, false]);
        let choosy = WebhookEndpoint { masks: vec!["answer.rejected".to_owned()], ..endpoint.clone() };
        assert_eq!(wanted(&choosy), [false, true, true, false]);
        let answers =
            WebhookEndpoint { masks: vec!["tea".to_owned(), "answer.*".to_owned()], ..endpoint.clone() };
        assert_eq!(wanted(&answers), [true, true, true, false]);
    }

    #[test]
    fn five_days_of_failures_are_enough() {
        let endpoint = webhook_endpoint(OrganizationId::generate());
        assert!(!endpoint.is_hopeless(at(0) + TimeDelta::days(99)));
        let failing = WebhookEndpoint { failing_since: Some(at(0)), ..endpoint };
        assert!(!failing.is_hopeless(at(0) + PATIENCE - TimeDelta::seconds(1)));
        assert!(failing.is_hopeless(at(0) + PATIENCE));
    }

    #[test]
    fn an_address_is_public_and_under_tls() {
        let code = |text: &str, private| url_mistake(text, private).map(|mistake| mistake.code);
        for text in [
            "https://erp.example.ru/hook?token=1",
            "https://8.8.8.8:8443/",
            "https://пример.рф/",
            "HTTPS://A.RU",
        ] {
            assert_eq!(code(text, false), None, "{text}");
        }
        for (text, expected) in [
            ("", "format"),
            ("erp.example.ru", "format"),
            ("ftp://erp.example.ru/", "format"),
            ("http://erp.example.ru/", "format"),
            ("https://user@erp.example.ru/", "format"),
            ("https://user:word@erp.example.ru/", "format"),
            ("https://erp.example.ru/#part", "format"),
            ("https://localhost/", "address_not_allowed"),
            ("https://a.LOCALHOST./", "address_not_allowed"),
            ("https://127.0.0.1/", "address_not_allowed"),
            ("https://0x7f.1/", "address_not_allowed"),
            ("https://2130706433/", "address_not_allowed"),
            ("https://[::1]/", "address_not_allowed"),
            ("https://[::ffff:10.0.0.1]/", "address_not_allowed"),
        ] {
            assert_eq!(code(text, false), Some(expected), "{text}");
        }
        assert_eq!(code("http://127.0.0.1:9000/hook", true), None);
        assert_eq!(code("ftp://127.0.0.1/", true), Some("format"));
        let long = format!("https://a.ru/{}", "x".repeat(LONGEST_URL));
        assert_eq!(code(&long, true), Some("too_long"));
    }
}
