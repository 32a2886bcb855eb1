//! Endpoints of webhooks as rows.

use chrono::{DateTime, Utc};
use diesel::prelude::{Insertable, Queryable, Selectable};

use crate::domain::webhook_endpoint::{DisabledReason, Secret, Secrets, WebhookEndpoint};
use crate::ids::{OrganizationId, WebhookEndpointId};
use crate::store::StoreError;
use crate::store::schema::webhook_endpoints;
use crate::store::types::{Json, Ts};

/// A row of `webhook_endpoints`, without who sends just now.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = webhook_endpoints, treat_none_as_default_value = false)]
pub(super) struct EndpointRow {
    id: WebhookEndpointId,
    organization_id: OrganizationId,
    url: String,
    description: Option<String>,
    masks: Json,
    secret: Vec<u8>,
    previous_secrets: Json,
    enabled: bool,
    disabled_reason: Option<DisabledReason>,
    failing_since: Option<Ts>,
    last_sequence: i64,
    rest_until: Option<Ts>,
    version: i64,
    created_at: Ts,
    updated_at: Ts,
}

impl EndpointRow {
    pub(super) fn of(endpoint: &WebhookEndpoint) -> Result<Self, StoreError> {
        Ok(Self {
            id: endpoint.id,
            organization_id: endpoint.organization,
            url: endpoint.url.clone(),
            description: endpoint.description.clone(),
            masks: Json::of(&endpoint.masks)?,
            secret: endpoint.secrets.current.bytes().to_vec(),
            previous_secrets: previous(&endpoint.secrets)?,
            enabled: endpoint.enabled,
            disabled_reason: endpoint.disabled_reason,
            failing_since: endpoint.failing_since.map(Ts),
            last_sequence: endpoint.last_sequence,
            rest_until: endpoint.rest_until.map(Ts),
            version: endpoint.version,
            created_at: Ts(endpoint.created_at),
            updated_at: Ts(endpoint.updated_at),
        })
    }
}

impl TryFrom<EndpointRow> for WebhookEndpoint {
    type Error = StoreError;

    fn try_from(row: EndpointRow) -> Result<Self, StoreError> {
        let previous: Vec<([u8; 32], DateTime<Utc>)> = row.previous_secrets.read()?;
        Ok(Self {
            id: row.id,
            organization: row.organization_id,
            url: row.url,
            description: row.description,
            masks: row.masks.read()?,
            secrets: Secrets {
                current: secret(row.secret)?,
                previous: previous.into_iter().map(|(bytes, until)| (Secret::from(bytes), until)).collect(),
            },
            enabled: row.enabled,
            disabled_reason: row.disabled_reason,
            failing_since: row.failing_since.map(|time| time.0),
            last_sequence: row.last_sequence,
            rest_until: row.rest_until.map(|time| time.0),
            version: row.version,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

/// Those that are over go on signing for a time: bytes, and until when.
pub(super) fn previous(secrets: &Secrets) -> Result<Json, StoreError> {
    let previous: Vec<_> = secrets.previous.iter().map(|(secret, until)| (secret.bytes(), until)).collect();
    Json::of(&previous)
}

fn secret(bytes: Vec<u8>) -> Result<Secret, StoreError> {
    let bytes: Result<[u8; 32], _> = bytes.try_into();
    bytes.map(Secret::from).map_err(|other| StoreError::corrupt(WrongSecret(other.len())))
}

/// A secret of another length than they have.
#[derive(Debug, thiserror::Error)]
#[error("a webhook secret of {0} bytes")]
struct WrongSecret(usize);
