//! `/v1/exports`.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, ContentDisposition, RETRY_AFTER};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use debt_core::exports as core;
use debt_core::ids::ExportId;

use crate::caller::Authenticated;
use crate::examples;
use crate::input::Body;
use crate::page::Position;
use crate::paging::Ask;
use crate::path::Id;
use crate::problem::Failure;
use crate::query::Query;
use crate::routes::debt_requests::with_day;
use crate::routes::filters::PageParameters;
use crate::state::AppState;
use crate::views::exports::{CreateExport, Export};
use crate::views::lists::ExportPage;
use crate::writing::{IdempotencyHeader, UseCase, WithHeaders, reply, write};

/// Seconds after which it is worth asking for an export again.
const AGAIN: i64 = 5;
/// What a workbook of Excel is called.
pub(crate) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Выгрузить запросы в Excel
///
/// Файл готовится в фоне: состояние показывает `GET /v1/exports/{id}`, готовый файл — `content_url`. Столбцы те же, что в
/// файле обмена РИАС ЖКХ; заполненный файл принимает `POST /v1/imports`. До 100 000 строк в одном файле; у ответа с
/// несколькими должниками строк столько же, сколько должников. Лицевые счета берутся из справочника `/v1/accounts` по коду
/// ФИАС дома и помещению.
///
/// Данные ответы (наличие долга, комментарий, должники) видны в файле, если у токена есть право `answers:read`; без него
/// — только наличие долга, известное из списка. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    post, path = "/v1/exports", tag = "exports", operation_id = "create_export",
    params(IdempotencyHeader),
    request_body(content = CreateExport, example = json!({"kind": "debt_requests", "filter": {"answered": false}})),
    security(("bearer" = ["requests:read"])),
    responses((status = 202, description = "Выгрузка начата.", body = Export)),
)]
pub(crate) async fn create_export(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    body: Body<CreateExport>,
) -> Result<HttpResponse, Failure> {
    let Body { content: CreateExport { kind, filter, account_found }, digest } = body;
    let owner = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let filter = with_day(&service, &owner, filter.conditions()).await?;
            let command = core::CreateExport { kind: kind.into(), filter, account_found };
            let export = Export::from(service.create_export(tx, &owner, command).await?);
            let location = format!("/v1/exports/{}", export.id);
            let reply = reply(StatusCode::ACCEPTED, &export)?;
            Ok(reply.with_location(location).with_retry_after(Some(AGAIN)))
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

/// История выгрузок в Excel
///
/// От новых к старым. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/exports", tag = "exports", operation_id = "list_exports",
    params(PageParameters),
    security(("bearer" = ["requests:read"])),
    responses((status = 200, description = "Страница выгрузок.", body = ExportPage)),
)]
pub(crate) async fn list_exports(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["limit", "cursor"])?;
    let ask = Ask::read(&mut query, "exports", &state)?;
    query.finish()?;
    let after = match &ask.after {
        None => None,
        Some(position) => Some((position.moment()?, position.id.into())),
    };
    let rows = state.service.list_exports(&caller, after, ask.rows()).await?;
    ask.respond::<ExportPage, _>(&request, &state, rows, |row| Position {
        key: row.created_at.timestamp_micros().to_string(),
        id: row.id.as_uuid(),
    })
}

/// Одна выгрузка в Excel
///
/// Пока выгрузка не закончена, `Retry-After` говорит, когда спросить снова. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/exports/{id}", tag = "exports", operation_id = "get_export",
    params(("id" = Uuid, Path, description = "Идентификатор выгрузки.", example = json!(examples::EXPORT))),
    security(("bearer" = ["requests:read"])),
    responses((status = 200, description = "Выгрузка.", body = Export)),
)]
pub(crate) async fn get_export(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<ExportId>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let export = Export::from(state.service.get_export(&caller, id.0).await?);
    let mut response = HttpResponse::Ok();
    if !export.is_final {
        response.insert_header((RETRY_AFTER, AGAIN.to_string()));
    }
    Ok(response.json(export))
}

/// Файл выгрузки
///
/// Книга Excel (xlsx). Пока файл не готов — 409 `state_conflict`. Файл, в котором видны ответы, отдаётся только с
/// правом `answers:read`. Читает из хранилища шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/exports/{id}/content", tag = "exports", operation_id = "get_export_content",
    params(("id" = Uuid, Path, description = "Идентификатор выгрузки.", example = json!(examples::EXPORT))),
    security(("bearer" = ["requests:read"])),
    responses((
        status = 200, description = "Книга Excel.",
        content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body = Spreadsheet,
    )),
)]
pub(crate) async fn get_export_content(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<ExportId>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let (export, content) = state.service.export_content(&caller, id.0).await?;
    let name = format!("{}-{}.xlsx", export.kind, export.created_at.format("%Y-%m-%d"));
    Ok(spreadsheet(name, content))
}

/// A workbook as a download.
pub(crate) fn spreadsheet(name: String, content: bytes::Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(XLSX)
        .insert_header((CONTENT_DISPOSITION, ContentDisposition::attachment(name)))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(content)
}

/// Книга Excel.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
pub(crate) struct Spreadsheet(#[expect(dead_code, reason = "describes the body")] Vec<u8>);
