//! Events on their way to the addresses of clients. They go with their events when those are deleted.

use chrono::{DateTime, Utc};
use diesel::dsl::min;
use diesel::{
    ExpressionMethods, Insertable, JoinOnDsl, OptionalExtension, QueryDsl, Queryable, Selectable,
    SelectableHelper,
};
use diesel_async::RunQueryDsl;

use super::db::{both, excluded, insert_batch};
use super::schema::{events, webhook_deliveries, webhook_endpoints};
use super::types::Ts;
use super::{Conn, StoreError};
use crate::domain::event::EventKind;
use crate::domain::webhook_delivery::{DeliveryDetails, DeliveryFailure, DeliveryStatus, WebhookDelivery};
use crate::ids::{EventId, WebhookEndpointId};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = webhook_deliveries, treat_none_as_default_value = false)]
struct DeliveryRow {
    endpoint_id: WebhookEndpointId,
    sequence: i64,
    status: DeliveryStatus,
    attempts: i64,
    last_attempt_at: Option<Ts>,
    response_status: Option<i64>,
    failure: Option<DeliveryFailure>,
    next_attempt_at: Option<Ts>,
}

impl From<&WebhookDelivery> for DeliveryRow {
    fn from(delivery: &WebhookDelivery) -> Self {
        Self {
            endpoint_id: delivery.endpoint,
            sequence: delivery.sequence,
            status: delivery.status,
            attempts: delivery.attempts,
            last_attempt_at: delivery.last_attempt_at.map(Ts),
            response_status: delivery.response_status,
            failure: delivery.failure,
            next_attempt_at: delivery.next_attempt_at.map(Ts),
        }
    }
}

impl From<DeliveryRow> for WebhookDelivery {
    fn from(row: DeliveryRow) -> Self {
        Self {
            endpoint: row.endpoint_id,
            sequence: row.sequence,
            status: row.status,
            attempts: row.attempts,
            last_attempt_at: row.last_attempt_at.map(|time| time.0),
            response_status: row.response_status,
            failure: row.failure,
            next_attempt_at: row.next_attempt_at.map(|time| time.0),
        }
    }
}

/// Stores deliveries as they are now, whether they were known or not.
pub(crate) async fn save(conn: &mut Conn, deliveries: &[WebhookDelivery]) -> Result<(), StoreError> {
    let rows: Vec<_> = deliveries.iter().map(DeliveryRow::from).collect();
    insert_batch!(conn, rows, |batch| {
        diesel::insert_into(webhook_deliveries::table)
            .values(batch)
            .on_conflict((webhook_deliveries::endpoint_id, webhook_deliveries::sequence))
            .do_update()
            .set(excluded!(
                webhook_deliveries: status, attempts, last_attempt_at, response_status, failure, next_attempt_at
            ))
    })?;
    Ok(())
}

/// Those that are to be tried now, the longest due first.
pub(crate) async fn due(
    conn: &mut Conn,
    endpoint: WebhookEndpointId,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<WebhookDelivery>, StoreError> {
    let rows: Vec<DeliveryRow> = both!(conn, c => {
        webhook_deliveries::table
            .filter(webhook_deliveries::endpoint_id.eq(endpoint))
            .filter(webhook_deliveries::status.eq(DeliveryStatus::Pending))
            .filter(webhook_deliveries::next_attempt_at.le(Ts(now)))
            .order((webhook_deliveries::next_attempt_at, webhook_deliveries::sequence))
            .limit(limit)
            .select(DeliveryRow::as_select())
            .load(c)
            .await
    })?;
    Ok(rows.into_iter().map(WebhookDelivery::from).collect())
}

/// Whether so many wait, or more.
pub(crate) async fn is_crowded(
    conn: &mut Conn,
    endpoint: WebhookEndpointId,
    many: i64,
) -> Result<bool, StoreError> {
    let last: Option<i64> = both!(conn, c => {
        webhook_deliveries::table
            .filter(webhook_deliveries::endpoint_id.eq(endpoint))
            .filter(webhook_deliveries::status.eq(DeliveryStatus::Pending))
            .offset(many - 1)
            .limit(1)
            .select(webhook_deliveries::sequence)
            .first(c)
            .await
            .optional()
    })?;
    Ok(last.is_some())
}

/// When the oldest event happened that waits for any endpoint.
pub(crate) async fn oldest_waiting(conn: &mut Conn) -> Result<Option<DateTime<Utc>>, StoreError> {
    let oldest: Option<Ts> = both!(conn, c => {
        webhook_endpoints::table
            .inner_join(
                webhook_deliveries::table.on(webhook_deliveries::endpoint_id.eq(webhook_endpoints::id)),
            )
            .inner_join(events::table.on(events::sequence.eq(webhook_deliveries::sequence)))
            .filter(webhook_deliveries::status.eq(DeliveryStatus::Pending))
            .select(min(events::occurred_at))
            .get_result(c)
            .await
    })?;
    Ok(oldest.map(|time| time.0))
}

/// What waits and was tried last before a time is due now: the receiver takes events again. Those that were tried just now are
/// perhaps what it does not take.
pub(crate) async fn hasten(
    conn: &mut Conn,
    endpoint: WebhookEndpointId,
    tried_before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let waiting = webhook_deliveries::table
        .filter(webhook_deliveries::endpoint_id.eq(endpoint))
        .filter(webhook_deliveries::status.eq(DeliveryStatus::Pending))
        .filter(webhook_deliveries::next_attempt_at.gt(Ts(now)))
        .filter(webhook_deliveries::last_attempt_at.le(Ts(tried_before)));
    let change = webhook_deliveries::next_attempt_at.eq(Ts(now));
    both!(conn, c => diesel::update(waiting).set(change).execute(c).await)?;
    Ok(())
}

/// Nothing that waits is sent any more.
pub(crate) async fn give_up(conn: &mut Conn, endpoint: WebhookEndpointId) -> Result<(), StoreError> {
    let waiting = webhook_deliveries::table
        .filter(webhook_deliveries::endpoint_id.eq(endpoint))
        .filter(webhook_deliveries::status.eq(DeliveryStatus::Pending));
    let change = (
        webhook_deliveries::status.eq(DeliveryStatus::Failed),
        webhook_deliveries::failure.eq(DeliveryFailure::EndpointDisabled),
        webhook_deliveries::next_attempt_at.eq(None::<Ts>),
    );
    both!(conn, c => diesel::update(waiting).set(change).execute(c).await)?;
    Ok(())
}

/// Those of an endpoint, the newest event first, in front of a number; of one status when it is named.
pub(crate) async fn page(
    conn: &mut Conn,
    endpoint: WebhookEndpointId,
    status: Option<DeliveryStatus>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<DeliveryDetails>, StoreError> {
    let rows: Vec<(DeliveryRow, (EventId, EventKind, Ts))> = both!(conn, c => {
        let mut query = webhook_deliveries::table
            .inner_join(events::table.on(events::sequence.eq(webhook_deliveries::sequence)))
            .filter(webhook_deliveries::endpoint_id.eq(endpoint))
            .order(webhook_deliveries::sequence.desc())
            .limit(limit)
            .select((DeliveryRow::as_select(), (events::id, events::kind, events::occurred_at)))
            .into_boxed();
        if let Some(status) = status {
            query = query.filter(webhook_deliveries::status.eq(status));
        }
        if let Some(before) = before {
            query = query.filter(webhook_deliveries::sequence.lt(before));
        }
        query.load(c).await
    })?;
    let details = |(row, (event, kind, occurred_at)): (DeliveryRow, (EventId, EventKind, Ts))| {
        DeliveryDetails { delivery: row.into(), event, kind, occurred_at: occurred_at.0 }
    };
    Ok(rows.into_iter().map(details).collect())
}
