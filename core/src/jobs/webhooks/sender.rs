//! Brings an event to an address of the Internet, and to no other place: names are resolved here, redirections are not
//! followed, proxies of the environment are not asked.

use std::error::Error as StdError;
use std::net::SocketAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, redirect, retry};
use tokio::sync::OnceCell;

use super::signature::signatures;
use crate::domain::event::Event;
use crate::domain::public_address::is_public;
use crate::domain::webhook_delivery::{Attempt, DeliveryFailure};
use crate::domain::webhook_endpoint::{WebhookEndpoint, url_mistake};

/// How long a receiver may take for an answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// How long a connection may take of it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends messages. The client with its root certificates is made for the first one: most gateways send none.
pub(crate) struct Sender {
    client: OnceCell<Client>,
    private_allowed: bool,
}

impl Sender {
    pub(crate) fn new(private_allowed: bool) -> Self {
        Self { client: OnceCell::new(), private_allowed }
    }

    /// Makes the client; without it every attempt would fail.
    pub(super) async fn prepare(&self) -> Result<&Client, reqwest::Error> {
        self.client.get_or_try_init(async || client(self.private_allowed)).await
    }

    /// One attempt. Whatever the receiver says beside its status is not read.
    pub(super) async fn send(
        &self,
        endpoint: &WebhookEndpoint,
        event: &Event,
        now: DateTime<Utc>,
    ) -> Attempt {
        // The rules may have become stricter since the address was given, and literal addresses are not resolved.
        if url_mistake(&endpoint.url, self.private_allowed).is_some() {
            return Attempt::failed(DeliveryFailure::AddressNotAllowed);
        }
        match self.post(endpoint, event, now).await {
            Ok(status) => Attempt::answered(status),
            Err(error) => Attempt::failed(failure(&error)),
        }
    }

    async fn post(
        &self,
        endpoint: &WebhookEndpoint,
        event: &Event,
        now: DateTime<Utc>,
    ) -> Result<u16, reqwest::Error> {
        let client = self.prepare().await?;
        let (id, timestamp) = (event.id.to_string(), now.timestamp());
        let body = event.to_json().to_string();
        let signatures = signatures(endpoint.secrets.in_force(now), &id, timestamp, &body);
        let reply = client
            .post(&endpoint.url)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signatures)
            .body(body)
            .send()
            .await?;
        Ok(reply.status().as_u16())
    }
}

fn client(private_allowed: bool) -> Result<Client, reqwest::Error> {
    let builder = Client::builder()
        .user_agent(concat!("debtgate/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT);
    if private_allowed { builder.build() } else { builder.dns_resolver(PublicOnly).build() }
}

/// Resolves names to public addresses alone: what a name leads to may change after it was given.
struct PublicOnly;

/// A name leads to no public address.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to no public address")]
struct NotPublic;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(NotPublic.into());
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}

/// What an error means for the owner of the address; the error itself names the address and is told to nobody.
fn failure(error: &reqwest::Error) -> DeliveryFailure {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<NotPublic>() {
            return DeliveryFailure::AddressNotAllowed;
        }
        cause = inner.source();
    }
    if error.is_timeout() { DeliveryFailure::TimedOut } else { DeliveryFailure::NotConnected }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::OrganizationId;
    use crate::store::samples::{at, trial, webhook_endpoint};

    async fn attempt(url: &str, private_allowed: bool) -> Attempt {
        let organization = OrganizationId::generate();
        let endpoint = WebhookEndpoint { url: url.to_owned(), ..webhook_endpoint(organization) };
        Sender::new(private_allowed).send(&endpoint, &trial(&endpoint), at(0)).await
    }

    #[tokio::test]
    async fn what_stands_beside_the_gateway_is_not_reached() {
        for host in ["127.0.0.1", "[::1]", "localhost", "localhost."] {
            let attempt = attempt(&format!("https://{host}:9/"), false).await;
            assert_eq!(attempt, Attempt::failed(DeliveryFailure::AddressNotAllowed), "{host}");
        }
    }

    /// Any name may lead there; this one does on every machine.
    #[tokio::test]
    async fn a_name_that_leads_there_is_not_followed() {
        let error = client(false).unwrap().get("http://localhost:9/").send().await.unwrap_err();
        assert_eq!(failure(&error), DeliveryFailure::AddressNotAllowed);
    }

    #[tokio::test]
    async fn nobody_listens() {
        let attempt = attempt("http://127.0.0.1:9/", true).await;
        assert_eq!(attempt, Attempt::failed(DeliveryFailure::NotConnected));
    }
}
