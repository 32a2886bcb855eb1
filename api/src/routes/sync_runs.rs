//! `/v1/sync-runs`.

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use debt_core::ids::SyncRunId;

use crate::caller::Authenticated;
use crate::examples;
use crate::input::{NO_BODY, NoBody};
use crate::page::Position;
use crate::paging::Ask;
use crate::path::Id;
use crate::problem::Failure;
use crate::query::Query;
use crate::routes::filters::PageParameters;
use crate::state::AppState;
use crate::views::lists::SyncRunPage;
use crate::views::sync_runs::{AGAIN, SyncRun};
use crate::writing::{IdempotencyHeader, UseCase, WithHeaders, reply, write};

/// Получить запросы из ГИС ЖКХ
///
/// Внеочередное получение запросов: начнётся сразу, а если ГИС ЖКХ недоступна — как только она ответит. Не чаще раза в десять
/// минут: раньше — 429 и `Retry-After`.
#[utoipa::path(
    post, path = "/v1/sync-runs", tag = "sync", operation_id = "start_sync",
    params(IdempotencyHeader),
    security(("bearer" = ["requests:read"])),
    responses((status = 202, description = "Получение запросов начато.", body = SyncRun)),
)]
pub(crate) async fn start_sync(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    _: NoBody,
) -> Result<HttpResponse, Failure> {
    let starter = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let run = SyncRun::of(&service, service.start_sync(tx, &starter).await?);
            let location = format!("/v1/sync-runs/{}", run.id);
            let reply = reply(StatusCode::ACCEPTED, &run)?;
            Ok(reply.with_location(location).with_retry_after(Some(AGAIN)))
        })
    });
    write(&request, &state.service, &caller, NO_BODY, use_case).await
}

/// Список получений запросов из ГИС ЖКХ
///
/// От новых к старым. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/sync-runs", tag = "sync", operation_id = "list_sync_runs",
    params(PageParameters),
    security(("bearer" = ["requests:read"])),
    responses((status = 200, description = "Страница получений запросов.", body = SyncRunPage)),
)]
pub(crate) async fn list_sync_runs(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["limit", "cursor"])?;
    let ask = Ask::read(&mut query, "sync-runs", &state)?;
    query.finish()?;
    let after = match &ask.after {
        None => None,
        Some(position) => Some((position.moment()?, position.id.into())),
    };
    let found = state.service.list_sync_runs(&caller, after, ask.rows()).await?;
    let rows: Vec<_> = found.into_iter().map(|run| SyncRun::of(&state.service, run)).collect();
    ask.respond::<SyncRunPage, _>(&request, &state, rows, |run| Position {
        key: run.started_at.timestamp_micros().to_string(),
        id: run.id,
    })
}

/// Одно получение запросов из ГИС ЖКХ
///
/// Пока оно не закончено, `Retry-After` говорит, когда спросить снова. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/sync-runs/{id}", tag = "sync", operation_id = "get_sync_run",
    params(("id" = Uuid, Path, description = "Идентификатор получения запросов.", example = json!(examples::SYNC_RUN))),
    security(("bearer" = ["requests:read"])),
    responses((status = 200, description = "Получение запросов.", body = SyncRun)),
)]
pub(crate) async fn get_sync_run(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<SyncRunId>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let run = SyncRun::of(&state.service, state.service.get_sync_run(&caller, id.0).await?);
    let mut response = HttpResponse::Ok();
    if !run.is_final {
        response.insert_header((RETRY_AFTER, AGAIN.to_string()));
    }
    Ok(response.json(run))
}
