//! Events as the API shows them (`api.md` §13).

use chrono::{DateTime, Utc};
use debt_core::domain::event as domain;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Часть журнала событий.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventFeed {
    /// События, от старых к новым.
    #[schema(max_items = 200)]
    pub items: Vec<Event>,
    /// Курсор: передайте его в `after` следующего вызова. Есть всегда, и в пустом ответе тоже.
    #[schema(max_length = 2048)]
    pub next: String,
    /// `true` — есть ещё события, спрашивайте сразу.
    #[schema(example = false)]
    pub has_more: bool,
}

/// Событие. Персональных данных в событиях нет.
#[derive(Debug, Serialize, ToSchema)]
pub struct Event {
    /// Идентификатор.
    pub id: Uuid,
    /// Номер; порядок номеров — порядок событий.
    #[schema(example = 88123)]
    pub sequence: i64,
    /// Вид события; все виды — в описании `list_events` и в справочнике `event_types`. Возможны новые значения.
    #[serde(rename = "type")]
    #[schema(max_length = 64, example = "answer.delivered")]
    pub kind: &'static str,
    /// Вид события по-русски.
    #[schema(max_length = 100, example = "Ответ размещён в ГИС ЖКХ")]
    pub label: &'static str,
    /// Организация.
    pub organization_id: Uuid,
    /// Когда произошло.
    pub occurred_at: DateTime<Utc>,
    /// Запрос.
    pub debt_request_id: Option<Uuid>,
    /// Ответ.
    pub answer_id: Option<Uuid>,
    /// Подробности. У событий ответа всегда есть `answer_id`, `debt_request_id`, `external_id`, `state`, `is_final`; остальные
    /// ключи каждого вида — в справочнике `event_types`.
    #[schema(value_type = Object, example = json!({"answer_id": "019a4c00-0000-7000-8000-000000000001", "debt_request_id": "5603dc9c-e161-414c-9787-e40836561102", "external_id": "1C-000123", "state": "delivered", "is_final": true}))]
    pub data: serde_json::Value,
}

impl From<domain::Event> for Event {
    fn from(event: domain::Event) -> Self {
        let domain::Event { sequence, id, event, occurred_at } = event;
        Self {
            id: id.as_uuid(),
            sequence,
            kind: event.kind.as_str(),
            label: event.kind.label(),
            organization_id: event.organization.as_uuid(),
            occurred_at,
            debt_request_id: event.debt_request.map(|id| id.as_uuid()),
            answer_id: event.answer.map(|id| id.as_uuid()),
            data: event.data,
        }
    }
}
