//! What is sent to `/v1/webhook-endpoints/{id}`: trials, repetitions, secrets, and how it goes.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use debt_core::Error;
use debt_core::domain::webhook_delivery::DeliveryStatus;
use debt_core::domain::webhook_endpoint as domain;
use debt_core::idempotency::Reply;
use debt_core::ids::WebhookEndpointId;

use super::webhook_endpoints::with_secret;
use crate::caller::Authenticated;
use crate::examples;
use crate::headers::if_match;
use crate::input::{Body, NO_BODY, NoBody};
use crate::page::Position;
use crate::paging::Ask;
use crate::path::Id;
use crate::problem::Failure;
use crate::query::Query;
use crate::routes::filters::{DeliveryStatusParameter, PageParameters};
use crate::state::AppState;
use crate::views::lists::WebhookDeliveryPage;
use crate::views::webhook_endpoints::{ReplayWebhooks, WebhookEndpoint, WebhookEndpointWithSecret};
use crate::writing::{IdempotencyHeader, IfMatchHeader, UseCase, WithHeaders, reply, write};

/// Which deliveries.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameter; the route reads it")]
pub(crate) struct StatusParameter {
    /// Только в этом статусе: `pending` — ждёт отправки, `succeeded` — доставлено, `failed` — не доставлено.
    #[param(inline)]
    status: Option<DeliveryStatusParameter>,
}

/// Отправки на приёмник
///
/// Что отправлено на него и что ждёт отправки, от новых событий к старым; хранятся вместе с событиями. Читает из базы
/// шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/webhook-endpoints/{id}/deliveries", tag = "events", operation_id = "list_webhook_deliveries",
    params(
        ("id" = Uuid, Path, description = "Идентификатор приёмника.", example = json!(examples::WEBHOOK_ENDPOINT)),
        StatusParameter,
        PageParameters,
    ),
    security(("bearer" = ["webhooks:manage"])),
    responses((status = 200, description = "Страница отправок.", body = WebhookDeliveryPage)),
)]
pub(crate) async fn list_webhook_deliveries(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<WebhookEndpointId>,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["status", "limit", "cursor"])?;
    let status: Option<DeliveryStatus> = query.one("status");
    let ask = Ask::read(&mut query, "webhook_deliveries", &state)?;
    query.finish()?;
    let before = ask.after.as_ref().map(Position::key).transpose()?;
    let rows = state.service.list_webhook_deliveries(&caller, id.0, status, before, ask.rows()).await?;
    ask.respond::<WebhookDeliveryPage, _>(&request, &state, rows, |details| Position {
        key: details.delivery.sequence.to_string(),
        id: details.event.as_uuid(),
    })
}

/// Проверить приёмник событий
///
/// На него отправляется событие `webhook.test`, какие бы события он ни получал. Чем это кончилось, видно в
/// `GET /v1/webhook-endpoints/{id}/deliveries`.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints/{id}/test", tag = "events", operation_id = "test_webhook_endpoint",
    params(
        ("id" = Uuid, Path, description = "Идентификатор приёмника.", example = json!(examples::WEBHOOK_ENDPOINT)),
        IdempotencyHeader,
    ),
    security(("bearer" = ["webhooks:manage"])),
    responses((status = 202, description = "Событие будет отправлено.", body = WebhookEndpoint)),
)]
pub(crate) async fn test_webhook_endpoint(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<WebhookEndpointId>,
    _: NoBody,
) -> Result<HttpResponse, Failure> {
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move { accepted(service.test_webhook_endpoint(tx, &author, id.0).await?) })
    });
    write(&request, &state.service, &caller, NO_BODY, use_case).await
}

/// Отправить события ещё раз
///
/// Все события этого приёмника с указанного времени, и те, что он уже принял: для программы, которая потеряла данные или
/// была отключена.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints/{id}/replay", tag = "events", operation_id = "replay_webhooks",
    params(
        ("id" = Uuid, Path, description = "Идентификатор приёмника.", example = json!(examples::WEBHOOK_ENDPOINT)),
        IdempotencyHeader,
    ),
    request_body(content = ReplayWebhooks, example = json!({"since": "2026-11-10T00:00:00Z"})),
    security(("bearer" = ["webhooks:manage"])),
    responses((status = 202, description = "События будут отправлены.", body = WebhookEndpoint)),
)]
pub(crate) async fn replay_webhooks(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<WebhookEndpointId>,
    body: Body<ReplayWebhooks>,
) -> Result<HttpResponse, Failure> {
    let Body { content: ReplayWebhooks { since }, digest } = body;
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move { accepted(service.replay_webhooks(tx, &author, id.0, since).await?) })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

/// Сменить секрет приёмника
///
/// В ответе — новый секрет. Ещё сутки каждое сообщение подписывается и прежним тоже: за это время приёмник переходит на новый.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints/{id}/rotate-secret", tag = "events", operation_id = "rotate_webhook_secret",
    params(
        ("id" = Uuid, Path, description = "Идентификатор приёмника.", example = json!(examples::WEBHOOK_ENDPOINT)),
        IfMatchHeader, IdempotencyHeader,
    ),
    security(("bearer" = ["webhooks:manage"])),
    responses((status = 200, description = "Приёмник с новым секретом.", body = WebhookEndpointWithSecret)),
)]
pub(crate) async fn rotate_webhook_secret(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<WebhookEndpointId>,
    _: NoBody,
) -> Result<HttpResponse, Failure> {
    let version = if_match(request.headers());
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let endpoint = service.rotate_webhook_secret(tx, &author, id.0, version).await?;
            with_secret(StatusCode::OK, endpoint)
        })
    });
    write(&request, &state.service, &caller, NO_BODY, use_case).await
}

fn accepted(endpoint: domain::WebhookEndpoint) -> Result<Reply, Error> {
    let (location, version) = (format!("/v1/webhook-endpoints/{}", endpoint.id), endpoint.version);
    let reply = reply(StatusCode::ACCEPTED, &WebhookEndpoint::from(endpoint))?;
    Ok(reply.with_location(location).with_version(version))
}
