//! `/v1/sandbox/debt-requests`.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use debt_core::domain::caller::Scope;
use debt_core::{Code, Error};

use crate::caller::Authenticated;
use crate::input::{Body, OptionalBody};
use crate::problem::Failure;
use crate::sandbox::Wanted;
use crate::state::AppState;
use crate::views::sandbox::{CreateSandboxRequests, SandboxRequests};
use crate::writing::{IdempotencyHeader, UseCase, WithHeaders, reply, write};

/// Создать запросы в имитаторе
///
/// Только в `debtgate demo`, где ГИС ЖКХ заменяет имитатор в том же процессе; в остальных шлюзах — 404 `sandbox_only`. Запросы
/// вымышленные и адресованы организации токена. В `/v1/debt-requests` они появятся после ближайшего получения запросов: начните
/// его методом `POST /v1/sync-runs`. `ending` выбирает, что случится с ответом: размещение, отказ, долгое ожидание, потеря
/// подтверждения, отказ всему пакету, автоматический ответ ГИС ЖКХ.
#[utoipa::path(
    post, path = "/v1/sandbox/debt-requests", tag = "sandbox", operation_id = "create_sandbox_requests",
    params(IdempotencyHeader),
    request_body(content = CreateSandboxRequests, example = json!({"count": 2, "ending": "02"})),
    security(("bearer" = ["requests:read"])),
    responses((status = 201, description = "Запросы созданы в имитаторе.", body = SandboxRequests)),
)]
pub(crate) async fn create_sandbox_requests(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    body: OptionalBody<CreateSandboxRequests>,
) -> Result<HttpResponse, Failure> {
    caller.need(Scope::RequestsRead)?;
    let sandbox = state.sandbox.clone().ok_or_else(no_sandbox)?;
    let Body { content, digest } = body.0;
    let wanted = Wanted::from(content);
    let supplier = state.service.show_organization(caller.organization).await?.organization.ppa_guid;
    let use_case: UseCase = Box::new(move |_service, _tx| {
        Box::pin(async move {
            let made = SandboxRequests::from(sandbox.invent(supplier, &wanted)?);
            Ok(reply(StatusCode::CREATED, &made)?.with_location("/v1/debt-requests"))
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

fn no_sandbox() -> Error {
    let detail =
        "этот шлюз обращается в ГИС ЖКХ, а не к имитатору внутри себя: создавать запросы здесь нельзя";
    Error::refused(Code::SandboxOnly, detail)
}
