//! Addresses that events are sent to (`api.md` §13).

use chrono::{DateTime, Utc};
use debt_core::domain::{webhook_delivery, webhook_endpoint as domain};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::debt_request_input::present;
use super::texts::EventTypeMask;

/// Приёмник событий: адрес вашей программы, на который шлюз отправляет события.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookEndpoint {
    /// Идентификатор.
    pub id: Uuid,
    /// Адрес.
    #[schema(max_length = 2048, example = "https://erp.example/gis-events")]
    pub url: String,
    /// Для чего он.
    #[schema(max_length = 255, example = "Биллинг")]
    pub description: Option<String>,
    /// Какие события отправляются: виды или их начала со звёздочкой; пустой список — все.
    #[schema(value_type = Vec<EventTypeMask>, max_items = 100, example = json!(["answer.*"]))]
    pub event_types: Vec<String>,
    /// Отправляются ли события.
    #[schema(example = true)]
    pub enabled: bool,
    /// Почему шлюз отключил приёмник: `failing` — пять дней не принимает события, `gone` — ответил 410; возможны новые
    /// значения.
    #[schema(max_length = 64)]
    pub disabled_reason: Option<&'static str>,
    /// С какого времени не удалась ни одна отправка.
    pub failing_since: Option<DateTime<Utc>>,
    /// Версия; растёт с каждым изменением.
    #[schema(example = 1)]
    pub version: i64,
    /// Когда создан.
    pub created_at: DateTime<Utc>,
    /// Когда изменён.
    pub updated_at: DateTime<Utc>,
}

/// Приёмник и его секрет: секрет показывается один раз, сохраните его.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookEndpointWithSecret {
    /// Приёмник.
    #[serde(flatten)]
    pub endpoint: WebhookEndpoint,
    /// Секрет для проверки подписи: `whsec_` и base64 ключа HMAC-SHA256. `null` — в повторе ответа по Idempotency-Key.
    #[schema(max_length = 64, example = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")]
    pub secret: Option<String>,
}

/// Новый приёмник событий.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWebhookEndpoint {
    /// Адрес `https://…`. Внутренние адреса и `http://` — только если это разрешено настройкой шлюза
    /// `webhooks.allow_private_addresses`.
    #[schema(min_length = 1, max_length = 2048, example = "https://erp.example/gis-events")]
    pub url: String,
    /// Для чего он.
    #[schema(min_length = 1, max_length = 255, example = "Биллинг")]
    pub description: Option<String>,
    /// Какие события отправлять: виды или их начала со звёздочкой; без этого поля или с пустым списком — все.
    #[serde(default)]
    #[schema(max_items = 100, example = json!(["answer.*"]))]
    pub event_types: Vec<EventTypeMask>,
}

/// Изменение приёмника: переданные поля заменяются, `null` очищает описание.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditWebhookEndpoint {
    /// Адрес.
    #[schema(value_type = String, required = false, min_length = 1, max_length = 2048, example = "https://erp.example/gis-events")]
    pub url: Option<String>,
    /// Для чего он.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, example = "Биллинг")]
    pub description: Option<Option<String>>,
    /// Какие события отправлять; пустой список — все.
    #[schema(value_type = Vec<EventTypeMask>, required = false, max_items = 100)]
    pub event_types: Option<Vec<EventTypeMask>>,
    /// `false` — больше ничего не отправлять, и того, что ждёт; `true` — отправлять новые события.
    #[schema(value_type = bool, required = false, example = true)]
    pub enabled: Option<bool>,
}

/// Повторная отправка событий.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayWebhooks {
    /// С какого времени события отправить ещё раз.
    #[schema(example = "2026-11-10T00:00:00Z")]
    pub since: DateTime<Utc>,
}

/// Отправка события на приёмник.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookDelivery {
    /// Событие; его же шлюз передаёт в заголовке `webhook-id`.
    pub event_id: Uuid,
    /// Номер события.
    #[schema(example = 88123)]
    pub sequence: i64,
    /// Вид события; возможны новые значения.
    #[schema(max_length = 64, example = "answer.delivered")]
    pub event_type: &'static str,
    /// Когда событие произошло.
    pub occurred_at: DateTime<Utc>,
    /// `pending` — ждёт отправки, `succeeded` — приёмник ответил 2xx, `failed` — больше не отправляется.
    #[schema(max_length = 64, example = "succeeded")]
    pub status: &'static str,
    /// Сколько было попыток; самое большее — десять.
    #[schema(example = 1)]
    pub attempts: i64,
    /// Когда была последняя.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// Какой статус HTTP вернул приёмник.
    #[schema(example = 204)]
    pub response_status: Option<i64>,
    /// Почему последняя попытка не удалась: `http_status`, `redirected`, `timed_out`, `not_connected`,
    /// `address_not_allowed`; `endpoint_disabled` — приёмник отключён раньше. Возможны новые значения.
    #[schema(max_length = 64)]
    pub failure: Option<&'static str>,
    /// То же по-русски.
    #[schema(max_length = 100)]
    pub failure_label: Option<&'static str>,
    /// Когда будет следующая попытка.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

impl From<domain::WebhookEndpoint> for WebhookEndpoint {
    fn from(endpoint: domain::WebhookEndpoint) -> Self {
        Self {
            id: endpoint.id.as_uuid(),
            url: endpoint.url,
            description: endpoint.description,
            event_types: endpoint.masks,
            enabled: endpoint.enabled,
            disabled_reason: endpoint.disabled_reason.map(domain::DisabledReason::as_str),
            failing_since: endpoint.failing_since,
            version: endpoint.version,
            created_at: endpoint.created_at,
            updated_at: endpoint.updated_at,
        }
    }
}

impl WebhookEndpointWithSecret {
    /// With the secret.
    #[must_use]
    pub fn shown(endpoint: domain::WebhookEndpoint) -> Self {
        let secret = Some(endpoint.secrets.current.text());
        Self { endpoint: endpoint.into(), secret }
    }

    /// As a repeat shows it.
    #[must_use]
    pub fn hidden(endpoint: domain::WebhookEndpoint) -> Self {
        Self { endpoint: endpoint.into(), secret: None }
    }
}

impl From<webhook_delivery::DeliveryDetails> for WebhookDelivery {
    fn from(details: webhook_delivery::DeliveryDetails) -> Self {
        let webhook_delivery::DeliveryDetails { delivery, event, kind, occurred_at } = details;
        Self {
            event_id: event.as_uuid(),
            sequence: delivery.sequence,
            event_type: kind.as_str(),
            occurred_at,
            status: delivery.status.as_str(),
            attempts: delivery.attempts,
            last_attempt_at: delivery.last_attempt_at,
            response_status: delivery.response_status,
            failure: delivery.failure.map(webhook_delivery::DeliveryFailure::as_str),
            failure_label: delivery.failure.map(webhook_delivery::DeliveryFailure::label),
            next_attempt_at: delivery.next_attempt_at,
        }
    }
}
