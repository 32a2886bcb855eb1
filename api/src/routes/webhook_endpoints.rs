//! `/v1/webhook-endpoints`.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use debt_core::Error;
use debt_core::domain::event::EventKind;
use debt_core::domain::webhook_endpoint as domain;
use debt_core::error::Mistake;
use debt_core::idempotency::Reply;
use debt_core::ids::WebhookEndpointId;
use debt_core::webhook_endpoints::{EditWebhookEndpoint as EditCommand, NewWebhookEndpoint};

use super::events::NO_SUCH_TYPE;
use crate::caller::Authenticated;
use crate::examples;
use crate::headers::{etag, if_match};
use crate::input::Body;
use crate::page::Position;
use crate::paging::Ask;
use crate::path::Id;
use crate::problem::Failure;
use crate::query::Query;
use crate::routes::filters::PageParameters;
use crate::state::AppState;
use crate::views::lists::WebhookEndpointPage;
use crate::views::texts::EventTypeMask;
use crate::views::webhook_endpoints::{
    CreateWebhookEndpoint, EditWebhookEndpoint, WebhookEndpoint, WebhookEndpointWithSecret,
};
use crate::writing::{
    IdempotencyHeader, IfMatchHeader, UseCase, WithHeaders, WithSecret, no_content, reply, write,
};

/// Список приёмников событий
///
/// В порядке добавления. Секретов здесь нет. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/webhook-endpoints", tag = "events", operation_id = "list_webhook_endpoints",
    params(PageParameters),
    security(("bearer" = ["webhooks:manage"])),
    responses((status = 200, description = "Страница приёмников.", body = WebhookEndpointPage)),
)]
pub(crate) async fn list_webhook_endpoints(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["limit", "cursor"])?;
    let ask = Ask::read(&mut query, "webhook_endpoints", &state)?;
    query.finish()?;
    let after = ask.after.as_ref().map(|position| WebhookEndpointId::from(position.id));
    let rows = state.service.list_webhook_endpoints(&caller, after, ask.rows()).await?;
    ask.respond::<WebhookEndpointPage, _>(&request, &state, rows, |endpoint| Position {
        key: String::new(),
        id: endpoint.id.as_uuid(),
    })
}

/// Один приёмник событий
///
/// Версия — в `ETag`. Секрета здесь нет: потерянный заменяют новым. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/webhook-endpoints/{id}", tag = "events", operation_id = "get_webhook_endpoint",
    params(("id" = Uuid, Path, description = "Идентификатор приёмника.", example = json!(examples::WEBHOOK_ENDPOINT))),
    security(("bearer" = ["webhooks:manage"])),
    responses((status = 200, description = "Приёмник.", body = WebhookEndpoint)),
)]
pub(crate) async fn get_webhook_endpoint(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<WebhookEndpointId>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let endpoint = state.service.get_webhook_endpoint(&caller, id.0).await?;
    Ok(HttpResponse::Ok().insert_header(etag(endpoint.version)).json(WebhookEndpoint::from(endpoint)))
}

/// Добавить приёмник событий
///
/// На его адрес методом POST придут события, которые произойдут после этого, — в том же виде, что в `GET /v1/events`, без
/// персональных данных. Подпись — по Standard Webhooks: заголовки `webhook-id` (идентификатор события), `webhook-timestamp`
/// и `webhook-signature`. Ответ 2xx в течение 15 секунд означает, что событие принято; иначе будет до десяти попыток за
/// трое с лишним суток. Перенаправления не выполняются. Порядок не обещается, повтор возможен: сверяйте `sequence` и
/// `webhook-id`. Приёмник, который пять суток ничего не принимает или ответил 410, отключается, и в журнале появляется
/// `webhook.disabled`. Не больше 20 приёмников у организации. Программе за NAT проще читать журнал: `GET /v1/events`.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints", tag = "events", operation_id = "create_webhook_endpoint",
    params(IdempotencyHeader),
    request_body(content = CreateWebhookEndpoint, example = json!({"url": "https://erp.example/gis-events", "description": "Биллинг", "event_types": ["answer.*"]})),
    security(("bearer" = ["webhooks:manage"])),
    responses((status = 201, description = "Приёмник добавлен; в ответе — его секрет.", body = WebhookEndpointWithSecret)),
)]
pub(crate) async fn create_webhook_endpoint(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    body: Body<CreateWebhookEndpoint>,
) -> Result<HttpResponse, Failure> {
    let Body { content, digest } = body;
    let CreateWebhookEndpoint { url, description, event_types } = content;
    let (author, new) = (caller.clone(), NewWebhookEndpoint { url, description, masks: masks(event_types)? });
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let endpoint = service.create_webhook_endpoint(tx, &author, new).await?;
            let location = format!("/v1/webhook-endpoints/{}", endpoint.id);
            Ok(with_secret(StatusCode::CREATED, endpoint)?.with_location(location))
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

/// Изменить приёмник событий
///
/// `enabled: false` — больше ничего не отправляется, и то, что ждало отправки, получает статус `failed`; `enabled: true` —
/// отправляются события, которые произойдут после этого, а пропущенные можно запросить через `replay`.
#[utoipa::path(
    patch, path = "/v1/webhook-endpoints/{id}", tag = "events", operation_id = "edit_webhook_endpoint",
    params(
        ("id" = Uuid, Path, description = "Идентификатор приёмника.", example = json!(examples::WEBHOOK_ENDPOINT)),
        IfMatchHeader, IdempotencyHeader,
    ),
    request_body(content = EditWebhookEndpoint, example = json!({"description": "Биллинг, новый сервер"})),
    security(("bearer" = ["webhooks:manage"])),
    responses((status = 200, description = "Приёмник после изменения.", body = WebhookEndpoint)),
)]
pub(crate) async fn edit_webhook_endpoint(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<WebhookEndpointId>,
    body: Body<EditWebhookEndpoint>,
) -> Result<HttpResponse, Failure> {
    let version = if_match(request.headers());
    let Body { content, digest } = body;
    let EditWebhookEndpoint { url, description, event_types, enabled } = content;
    let masks = event_types.map(masks).transpose()?;
    let (author, edit) = (caller.clone(), EditCommand { url, description, masks, enabled });
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let endpoint = service.edit_webhook_endpoint(tx, &author, id.0, edit, version).await?;
            let version = endpoint.version;
            Ok(reply(StatusCode::OK, &WebhookEndpoint::from(endpoint))?.with_version(version))
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

/// Удалить приёмник событий
///
/// Вместе со всем, что ждало отправки на него. События остаются в журнале.
#[utoipa::path(
    delete, path = "/v1/webhook-endpoints/{id}", tag = "events", operation_id = "delete_webhook_endpoint",
    params(
        ("id" = Uuid, Path, description = "Идентификатор приёмника.", example = json!(examples::WEBHOOK_ENDPOINT_TO_DELETE)),
        IfMatchHeader, IdempotencyHeader,
    ),
    security(("bearer" = ["webhooks:manage"])),
    responses((status = 204, description = "Приёмника больше нет.")),
)]
pub(crate) async fn delete_webhook_endpoint(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<WebhookEndpointId>,
) -> Result<HttpResponse, Failure> {
    let version = if_match(request.headers());
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            service.delete_webhook_endpoint(tx, &author, id.0, version).await?;
            Ok(no_content())
        })
    });
    write(&request, &state.service, &caller, [0; 32], use_case).await
}

/// The secret is in the first reply alone.
pub(super) fn with_secret(status: StatusCode, endpoint: domain::WebhookEndpoint) -> Result<Reply, Error> {
    let version = endpoint.version;
    let kept = reply(status, &WebhookEndpointWithSecret::hidden(endpoint.clone()))?;
    kept.with_version(version).showing_once(&WebhookEndpointWithSecret::shown(endpoint))
}

/// The masks as they are kept. A word that fits no event is a mistake: nothing would ever come.
fn masks(given: Vec<EventTypeMask>) -> Result<Vec<String>, Error> {
    let fits_none = |mask: &EventTypeMask| EventKind::matching(&mask.0).next().is_none();
    let unknown = given.iter().enumerate().filter(|(_, mask)| fits_none(mask));
    let mistakes: Vec<_> =
        unknown.map(|(at, _)| Mistake::at(format!("/event_types/{at}"), "format", NO_SUCH_TYPE)).collect();
    if !mistakes.is_empty() {
        return Err(Error::Invalid(mistakes));
    }
    Ok(given.into_iter().map(|mask| mask.0).collect())
}
