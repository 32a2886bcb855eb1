//! Addresses of a client's programs that events are sent to (webhooks, `api.md` §13). The pull feed stays the first way:
//! whatever is missed here is found there.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::Service;
use crate::access::name_mistake;
use crate::domain::caller::{Caller, Scope};
use crate::domain::event::{EventKind, NewEvent};
use crate::domain::webhook_delivery::{DeliveryDetails, DeliveryStatus};
use crate::domain::webhook_endpoint::{Secrets, WebhookEndpoint, url_mistake};
use crate::error::{Code, Error, Mistake, Result};
use crate::ids::WebhookEndpointId;
use crate::jobs::JobName;
use crate::store::{Tx, events, organizations, webhook_deliveries, webhook_endpoints};

/// Most endpoints of an organisation; also in the document.
const MOST: i64 = 20;

/// An endpoint to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWebhookEndpoint {
    /// The address.
    pub url: String,
    /// What it is for.
    pub description: Option<String>,
    /// Which events: types, or their beginnings with a star; all when none is named.
    pub masks: Vec<String>,
}

/// A change of an endpoint; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditWebhookEndpoint {
    /// The address.
    pub url: Option<String>,
    /// What it is for; `Some(None)` takes it away.
    pub description: Option<Option<String>>,
    /// Which events; all when none is named.
    pub masks: Option<Vec<String>>,
    /// Whether anything is sent.
    pub enabled: Option<bool>,
}

impl Service {
    /// A page of the endpoints in the order in which they were made.
    ///
    /// # Errors
    /// The scope `webhooks:manage` is missing.
    pub async fn list_webhook_endpoints(
        &self,
        caller: &Caller,
        after: Option<WebhookEndpointId>,
        limit: i64,
    ) -> Result<Vec<WebhookEndpoint>> {
        caller.need(Scope::WebhooksManage)?;
        let mut conn = self.db.read().await?;
        Ok(webhook_endpoints::page(&mut conn, caller.organization, after, limit).await?)
    }

    /// One endpoint.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get_webhook_endpoint(
        &self,
        caller: &Caller,
        id: WebhookEndpointId,
    ) -> Result<WebhookEndpoint> {
        caller.need(Scope::WebhooksManage)?;
        let mut conn = self.db.read().await?;
        webhook_endpoints::get(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)
    }

    /// A page of what was or will be sent to an endpoint, the newest events first; only of one status when it is named.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn list_webhook_deliveries(
        &self,
        caller: &Caller,
        id: WebhookEndpointId,
        status: Option<DeliveryStatus>,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<DeliveryDetails>> {
        caller.need(Scope::WebhooksManage)?;
        let mut conn = self.db.scan().await?;
        webhook_endpoints::get(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)?;
        Ok(webhook_deliveries::page(&mut conn, id, status, before, limit).await?)
    }

    /// Makes an endpoint. It gets what happens from now on.
    ///
    /// # Errors
    /// Every mistake by its place.
    pub async fn create_webhook_endpoint(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        new: NewWebhookEndpoint,
    ) -> Result<WebhookEndpoint> {
        caller.need(Scope::WebhooksManage)?;
        let (organization, now) = (caller.organization, self.clock.now());
        organizations::hold(tx, organization).await?;
        let NewWebhookEndpoint { url, description, masks } = new;
        let endpoint = WebhookEndpoint {
            id: WebhookEndpointId::generate(),
            organization,
            url,
            description,
            masks: distinct(masks),
            secrets: Secrets::generate(),
            enabled: true,
            disabled_reason: None,
            failing_since: None,
            last_sequence: events::head(tx).await?,
            rest_until: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let mut mistakes = self.endpoint_mistakes(&endpoint, true);
        if webhook_endpoints::count(tx, organization).await? >= MOST {
            let detail = format!("не более {MOST} приёмников");
            mistakes.push(Mistake::at("", "too_many", detail).with_max(20));
        }
        if !mistakes.is_empty() {
            return Err(Error::Invalid(mistakes));
        }
        webhook_endpoints::insert(tx, &endpoint).await?;
        Ok(endpoint)
    }

    /// Changes an endpoint. Switched on, it gets what happens from now on; switched off, nothing that waits is sent any more.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::VersionMismatch`]; every mistake by its place.
    pub async fn edit_webhook_endpoint(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: WebhookEndpointId,
        edit: EditWebhookEndpoint,
        if_match: Option<i64>,
    ) -> Result<WebhookEndpoint> {
        let before = take(tx, caller, id, if_match).await?;
        let EditWebhookEndpoint { url, description, masks, enabled } = edit;
        let mut endpoint = WebhookEndpoint {
            url: url.unwrap_or_else(|| before.url.clone()),
            description: description.unwrap_or_else(|| before.description.clone()),
            masks: masks.map_or_else(|| before.masks.clone(), distinct),
            ..before.clone()
        };
        match enabled {
            Some(true) if !before.enabled => {
                endpoint.enabled = true;
                endpoint.disabled_reason = None;
                endpoint.last_sequence = events::head(tx).await?;
            }
            Some(false) if before.enabled => {
                endpoint.disable(None);
                webhook_deliveries::give_up(tx, id).await?;
            }
            Some(_) | None => {}
        }
        if endpoint.url != before.url {
            // What the old address did not take says nothing of the new one.
            endpoint.forgive();
        }
        if endpoint == before {
            return Ok(endpoint);
        }
        // An endpoint whose address is allowed no more can still be switched off.
        let goes_there = endpoint.url != before.url || endpoint.enabled && !before.enabled;
        let mistakes = self.endpoint_mistakes(&endpoint, goes_there);
        if !mistakes.is_empty() {
            return Err(Error::Invalid(mistakes));
        }
        self.store_endpoint(tx, endpoint).await
    }

    /// Removes an endpoint with all that was to be sent to it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::VersionMismatch`].
    pub async fn delete_webhook_endpoint(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: WebhookEndpointId,
        if_match: Option<i64>,
    ) -> Result<()> {
        take(tx, caller, id, if_match).await?;
        Ok(webhook_endpoints::delete(tx, id).await?)
    }

    /// Gives an endpoint a new secret; the one before signs for a day more.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::VersionMismatch`].
    pub async fn rotate_webhook_secret(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: WebhookEndpointId,
        if_match: Option<i64>,
    ) -> Result<WebhookEndpoint> {
        let endpoint = take(tx, caller, id, if_match).await?;
        let secrets = endpoint.secrets.clone().rotated(self.clock.now());
        self.store_endpoint(tx, WebhookEndpoint { secrets, ..endpoint }).await
    }

    /// Sends a trial event to an endpoint, whatever events it wants.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Code::StateConflict`] when it is switched off.
    pub async fn test_webhook_endpoint(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: WebhookEndpointId,
    ) -> Result<WebhookEndpoint> {
        let endpoint = take(tx, caller, id, None).await?;
        refuse_disabled(&endpoint)?;
        let trial = NewEvent {
            organization: caller.organization,
            kind: EventKind::WebhookTest,
            debt_request: None,
            answer: None,
            data: json!({ "webhook_endpoint_id": id }),
        };
        events::append(tx, &[trial], self.clock.now()).await?;
        Ok(endpoint)
    }

    /// Sends all events since a time to an endpoint once more, those that have arrived before too.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Code::StateConflict`] when it is switched off; the time is in the future.
    pub async fn replay_webhooks(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: WebhookEndpointId,
        since: DateTime<Utc>,
    ) -> Result<WebhookEndpoint> {
        let mut endpoint = take(tx, caller, id, None).await?;
        refuse_disabled(&endpoint)?;
        if since > self.clock.now() {
            let detail = "время ещё не наступило";
            return Err(Error::Invalid(vec![Mistake::at("/since", "in_future", detail)]));
        }
        let before = events::last_before(tx, caller.organization, since).await?;
        endpoint.last_sequence = endpoint.last_sequence.min(before);
        endpoint.rest_until = None;
        self.store_endpoint(tx, endpoint).await
    }

    /// What is wrong with an endpoint, and with its address where that is new.
    fn endpoint_mistakes(&self, endpoint: &WebhookEndpoint, goes_there: bool) -> Vec<Mistake> {
        let private_allowed = self.settings.webhooks.allow_private_addresses;
        let url = goes_there.then(|| url_mistake(&endpoint.url, private_allowed)).flatten();
        let description = endpoint.description.as_deref();
        let description = description.and_then(|text| name_mistake(text, "/description"));
        url.into_iter().chain(description).collect()
    }

    async fn store_endpoint(&self, tx: &mut Tx, endpoint: WebhookEndpoint) -> Result<WebhookEndpoint> {
        let (version, updated_at) = (endpoint.version + 1, self.clock.now());
        let endpoint = WebhookEndpoint { version, updated_at, ..endpoint };
        webhook_endpoints::update(tx, &endpoint).await?;
        tx.wake(JobName::Webhooks);
        Ok(endpoint)
    }
}

/// An endpoint that the transaction may change.
async fn take(
    tx: &mut Tx,
    caller: &Caller,
    id: WebhookEndpointId,
    if_match: Option<i64>,
) -> Result<WebhookEndpoint> {
    caller.need(Scope::WebhooksManage)?;
    let held = webhook_endpoints::hold(tx, id, None).await?;
    let endpoint = held.filter(|it| it.organization == caller.organization).ok_or(Error::NotFound)?;
    match if_match {
        Some(expected) if expected != endpoint.version => {
            Err(Error::VersionMismatch { current: endpoint.version })
        }
        Some(_) | None => Ok(endpoint),
    }
}

fn refuse_disabled(endpoint: &WebhookEndpoint) -> Result<()> {
    if endpoint.enabled {
        return Ok(());
    }
    Err(Error::conflict(Code::StateConflict, "приёмник отключён; сначала включите его", None))
}

/// Each mask once.
fn distinct(masks: Vec<String>) -> Vec<String> {
    masks.into_iter().collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}
