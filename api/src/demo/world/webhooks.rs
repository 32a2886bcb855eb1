//! Where the events of the demo are sent to: nowhere, the name leads to no machine.

use anyhow::{Context, Result};
use debt_core::ids::WebhookEndpointId;
use debt_core::webhook_endpoints::NewWebhookEndpoint;

use super::{Furnisher, finish};
use crate::examples;

/// RFC 2606: no such name is ever given to anybody.
const URL: &str = "https://erp.example/gis-events";

impl Furnisher<'_> {
    /// Two endpoints, one with a trial on its way. Data that were kept have them already.
    pub(super) async fn webhooks(&self) -> Result<[(&'static str, String); 2]> {
        let known = self.service.list_webhook_endpoints(self.caller, None, 2).await?;
        let mut ids: Vec<_> = known.iter().map(|endpoint| endpoint.id).collect();
        while ids.len() < 2 {
            ids.push(self.webhook_endpoint().await?);
        }
        let [first, second] = ids.try_into().ok().context("two endpoints")?;
        let mut tx = self.begin().await?;
        self.service.test_webhook_endpoint(&mut tx, self.caller, first).await?;
        finish(tx).await?;
        Ok([
            (examples::WEBHOOK_ENDPOINT, first.to_string()),
            (examples::WEBHOOK_ENDPOINT_TO_DELETE, second.to_string()),
        ])
    }

    async fn webhook_endpoint(&self) -> Result<WebhookEndpointId> {
        let description = Some("Биллинг".to_owned());
        let new = NewWebhookEndpoint { url: URL.to_owned(), description, masks: Vec::new() };
        let mut tx = self.begin().await?;
        let endpoint = self.service.create_webhook_endpoint(&mut tx, self.caller, new).await?;
        finish(tx).await?;
        Ok(endpoint.id)
    }
}
