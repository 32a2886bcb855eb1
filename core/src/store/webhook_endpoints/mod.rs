//! Addresses that events are sent to. Whoever sends to one holds it by a lease; its owner changes it meanwhile, so that
//! either writes his own columns only.

mod rows;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, min};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, SelectableHelper,
};
use diesel_async::RunQueryDsl;

use self::rows::{EndpointRow, previous};
use super::db::{both, holding, taking};
use super::schema::{events, webhook_deliveries, webhook_endpoints};
use super::types::{Json, Ts};
use super::{Conn, StoreError};
use crate::domain::webhook_delivery::DeliveryStatus;
use crate::domain::webhook_endpoint::WebhookEndpoint;
use crate::ids::{OrganizationId, WebhookEndpointId, WorkerId};

/// Adds an endpoint.
pub(crate) async fn insert(conn: &mut Conn, endpoint: &WebhookEndpoint) -> Result<(), StoreError> {
    // As if it had been served then: its turn comes before those that were served since.
    let row = (EndpointRow::of(endpoint)?, webhook_endpoints::lease_until.eq(Ts(endpoint.created_at)));
    both!(conn, c => diesel::insert_into(webhook_endpoints::table).values(row).execute(c).await)?;
    Ok(())
}

/// Stores what its owner has changed, and where the log goes on for it.
pub(crate) async fn update(conn: &mut Conn, endpoint: &WebhookEndpoint) -> Result<(), StoreError> {
    let secrets = &endpoint.secrets;
    let change = (
        webhook_endpoints::url.eq(endpoint.url.clone()),
        webhook_endpoints::description.eq(endpoint.description.clone()),
        webhook_endpoints::masks.eq(Json::of(&endpoint.masks)?),
        webhook_endpoints::secret.eq(secrets.current.bytes().to_vec()),
        webhook_endpoints::previous_secrets.eq(previous(secrets)?),
        webhook_endpoints::last_sequence.eq(endpoint.last_sequence),
    );
    let one = webhook_endpoints::table.find(endpoint.id);
    both!(conn, c => diesel::update(one).set(change).execute(c).await)?;
    switch(conn, endpoint).await
}

/// Stores how the sending goes: whether there is any, since when it fails, how long it rests.
pub(crate) async fn switch(conn: &mut Conn, endpoint: &WebhookEndpoint) -> Result<(), StoreError> {
    let change = (
        webhook_endpoints::enabled.eq(endpoint.enabled),
        webhook_endpoints::disabled_reason.eq(endpoint.disabled_reason),
        webhook_endpoints::failing_since.eq(endpoint.failing_since.map(Ts)),
        webhook_endpoints::rest_until.eq(endpoint.rest_until.map(Ts)),
        webhook_endpoints::version.eq(endpoint.version),
        webhook_endpoints::updated_at.eq(Ts(endpoint.updated_at)),
    );
    let one = webhook_endpoints::table.find(endpoint.id);
    let hit = both!(conn, c => diesel::update(one).set(change).execute(c).await)?;
    StoreError::unless_hit(hit)
}

/// Moves the place in the log from one number to another; `false` when the worker holds the endpoint no more, its owner has
/// moved the place meanwhile or switched it off.
pub(crate) async fn advance(
    conn: &mut Conn,
    (id, worker): (WebhookEndpointId, WorkerId),
    (from, to): (i64, i64),
) -> Result<bool, StoreError> {
    let there = webhook_endpoints::table
        .find(id)
        .filter(webhook_endpoints::worker.eq(worker))
        .filter(webhook_endpoints::enabled)
        .filter(webhook_endpoints::last_sequence.eq(from));
    let change = webhook_endpoints::last_sequence.eq(to);
    let hit = both!(conn, c => diesel::update(there).set(change).execute(c).await)?;
    Ok(hit > 0)
}

/// One endpoint of an organisation.
pub(crate) async fn get(
    conn: &mut Conn,
    organization: OrganizationId,
    id: WebhookEndpointId,
) -> Result<Option<WebhookEndpoint>, StoreError> {
    let row: Option<EndpointRow> = both!(conn, c => {
        webhook_endpoints::table
            .find(id)
            .filter(webhook_endpoints::organization_id.eq(organization))
            .select(EndpointRow::as_select())
            .first(c)
            .await
            .optional()
    })?;
    row.map(WebhookEndpoint::try_from).transpose()
}

/// One endpoint, held to the end of the transaction; with a worker only while that one holds the lease.
pub(crate) async fn hold(
    conn: &mut Conn,
    id: WebhookEndpointId,
    worker: Option<WorkerId>,
) -> Result<Option<WebhookEndpoint>, StoreError> {
    let row: Option<EndpointRow> = match worker {
        None => {
            holding!(conn, webhook_endpoints::table.find(id).select(EndpointRow::as_select()), |query, c| {
                query.first(c).await.optional()
            })?
        }
        Some(worker) => holding!(
            conn,
            webhook_endpoints::table
                .find(id)
                .filter(webhook_endpoints::worker.eq(worker))
                .select(EndpointRow::as_select()),
            |query, c| query.first(c).await.optional()
        )?,
    };
    row.map(WebhookEndpoint::try_from).transpose()
}

/// The endpoints of an organisation in the order in which they were made, after one of them.
pub(crate) async fn page(
    conn: &mut Conn,
    organization: OrganizationId,
    after: Option<WebhookEndpointId>,
    limit: i64,
) -> Result<Vec<WebhookEndpoint>, StoreError> {
    let rows: Vec<EndpointRow> = both!(conn, c => {
        let mut query = webhook_endpoints::table
            .filter(webhook_endpoints::organization_id.eq(organization))
            .order(webhook_endpoints::id)
            .limit(limit)
            .select(EndpointRow::as_select())
            .into_boxed();
        if let Some(last) = after {
            query = query.filter(webhook_endpoints::id.gt(last));
        }
        query.load(c).await
    })?;
    rows.into_iter().map(WebhookEndpoint::try_from).collect()
}

/// How many an organisation has.
pub(crate) async fn count(conn: &mut Conn, organization: OrganizationId) -> Result<i64, StoreError> {
    let own = webhook_endpoints::table.filter(webhook_endpoints::organization_id.eq(organization));
    Ok(both!(conn, c => own.count().get_result(c).await)?)
}

/// Whether anything is sent anywhere.
pub(crate) async fn any(conn: &mut Conn) -> Result<bool, StoreError> {
    let enabled = webhook_endpoints::table.filter(webhook_endpoints::enabled);
    Ok(both!(conn, c => diesel::select(exists(enabled)).get_result(c).await)?)
}

/// Takes endpoints that do not rest, for which the log has something new or something is due, and that nobody holds; those that
/// were served longest ago first. Holds them until a time.
pub(crate) async fn claim(
    conn: &mut Conn,
    (worker, now, until): (WorkerId, DateTime<Utc>, DateTime<Utc>),
    limit: i64,
) -> Result<Vec<WebhookEndpoint>, StoreError> {
    let free = webhook_endpoints::lease_until.is_null().or(webhook_endpoints::lease_until.le(Ts(now)));
    let rested = webhook_endpoints::rest_until.is_null().or(webhook_endpoints::rest_until.le(Ts(now)));
    let news = exists(
        events::table
            .filter(events::organization_id.eq(webhook_endpoints::organization_id))
            .filter(events::sequence.gt(webhook_endpoints::last_sequence)),
    );
    let due = exists(
        webhook_deliveries::table
            .filter(webhook_deliveries::endpoint_id.eq(webhook_endpoints::id))
            .filter(webhook_deliveries::status.eq(DeliveryStatus::Pending))
            .filter(webhook_deliveries::next_attempt_at.le(Ts(now))),
    );
    let rows: Vec<EndpointRow> = taking!(
        conn,
        webhook_endpoints::table
            .filter(webhook_endpoints::enabled)
            .filter(free)
            .filter(rested)
            .filter(news.or(due))
            .order((webhook_endpoints::lease_until, webhook_endpoints::id))
            .limit(limit)
            .select(EndpointRow::as_select())
    )?;
    let endpoints: Vec<_> = rows.into_iter().map(WebhookEndpoint::try_from).collect::<Result<_, _>>()?;
    let ids: Vec<_> = endpoints.iter().map(|endpoint| endpoint.id).collect();
    both!(conn, c => {
        diesel::update(webhook_endpoints::table.filter(webhook_endpoints::id.eq_any(&ids)))
            .set((webhook_endpoints::worker.eq(worker), webhook_endpoints::lease_until.eq(Ts(until))))
            .execute(c)
            .await
    })?;
    Ok(endpoints)
}

/// Lets an endpoint go. The time stays: it says when it was served last.
pub(crate) async fn release(
    conn: &mut Conn,
    id: WebhookEndpointId,
    worker: WorkerId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let held = webhook_endpoints::table.find(id).filter(webhook_endpoints::worker.eq(worker));
    let change = (webhook_endpoints::worker.eq(None::<WorkerId>), webhook_endpoints::lease_until.eq(Ts(now)));
    both!(conn, c => diesel::update(held).set(change).execute(c).await)?;
    Ok(())
}

/// When the next attempt is due of all those that nobody holds.
pub(crate) async fn next_due(
    conn: &mut Conn,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let free = webhook_endpoints::lease_until.is_null().or(webhook_endpoints::lease_until.le(Ts(now)));
    let due: Vec<(Option<Ts>, Option<Ts>)> = both!(conn, c => {
        webhook_endpoints::table
            .inner_join(
                webhook_deliveries::table.on(webhook_deliveries::endpoint_id.eq(webhook_endpoints::id)),
            )
            .filter(webhook_endpoints::enabled)
            .filter(free)
            .filter(webhook_deliveries::status.eq(DeliveryStatus::Pending))
            .group_by((webhook_endpoints::id, webhook_endpoints::rest_until))
            .select((webhook_endpoints::rest_until, min(webhook_deliveries::next_attempt_at)))
            .load(c)
            .await
    })?;
    let after_rest = |(rest, due): (Option<Ts>, Option<Ts>)| {
        let due = due?.0;
        Some(rest.map_or(due, |rest| due.max(rest.0)))
    };
    Ok(due.into_iter().filter_map(after_rest).min())
}

/// Removes an endpoint with its deliveries.
pub(crate) async fn delete(conn: &mut Conn, id: WebhookEndpointId) -> Result<(), StoreError> {
    let hit = both!(conn, c => diesel::delete(webhook_endpoints::table.find(id)).execute(c).await)?;
    StoreError::unless_hit(hit)
}
