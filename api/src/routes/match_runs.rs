//! `/v1/match-runs`.

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use debt_core::Error;
use debt_core::domain::caller::Caller;
use debt_core::domain::debt_request::MatchResult;
use debt_core::error::Mistake;
use debt_core::ids::MatchRunId;
use debt_core::match_runs::{self as core, MatchScope};
use uuid::Uuid;

use crate::caller::Authenticated;
use crate::examples;
use crate::input::Body;
use crate::page::Position;
use crate::paging::Ask;
use crate::path::Id;
use crate::problem::Failure;
use crate::query::Query;
use crate::routes::debt_requests::with_day;
use crate::routes::exports::{Spreadsheet, spreadsheet};
use crate::routes::filters::PageParameters;
use crate::state::AppState;
use crate::views::lists::{MatchRunItemPage, MatchRunPage};
use crate::views::match_runs::{MatchRun, MatchRunScope, StartMatchRun};
use crate::writing::{IdempotencyHeader, UseCase, WithHeaders, replay, reply, write};

/// Seconds after which it is worth asking for a run again.
const AGAIN: i64 = 5;

/// Начать сопоставление запросов с реестром
///
/// Сопоставляются запросы по условиям (`filter`), по списку (`ids`) или из готового файла (`import_id`).
/// Каждый запрос сравнивается с действующим реестром: дом, помещение, адрес, даты решения и погашения. `preview` только
/// показывает итоги, `prepare` создаёт черновики ответов, `submit` отправляет ответы (нужны права `answers:write` и
/// `answers:submit`). Ответ создаётся, только если на запрос ещё не ответили, никто над ним не работает и прежний ответ не отменён
/// и не отклонён; на сомнительные совпадения (`ambiguous`) шлюз никогда не отвечает сам. Одновременно идёт одно сопоставление
/// (409 `run_in_progress`); остановить его можно там же, где любую операцию: `POST /v1/operations/{id}/cancel`.
///
/// Сопоставление идёт с одним реестром, но ответ «долга нет» даётся, только если ни один действующий реестр, который касается
/// запроса, не знает долга и не сомневается: реестр всей организации касается всех запросов, реестр подразделения — запросов этого
/// подразделения, тех, чьё подразделение неизвестно, и тех, о чьём помещении в нём есть строка. Иначе итог — `ambiguous` с
/// причиной `other_registry`, а у запроса остаётся то, что говорят реестры вместе. С `department_id` ответ «долга нет» даётся
/// только на запросы этого подразделения (причина `other_department` у остальных); ответ «долг есть» — и на чужие. Если реестр
/// заменили, сопоставление останавливается (`registry_replaced`), и остальные запросы не сопоставляются.
#[utoipa::path(
    post, path = "/v1/match-runs", tag = "registry", operation_id = "start_match_run",
    params(IdempotencyHeader),
    request_body(content = StartMatchRun, example = json!({
        "scope": {"filter": {"answered": false}},
        "mode": "preview",
        "only_debts": false
    })),
    security(("bearer" = ["registry:read"])),
    responses((status = 202, description = "Сопоставление начато.", body = MatchRun)),
)]
pub(crate) async fn start_match_run(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    body: Body<StartMatchRun>,
) -> Result<HttpResponse, Failure> {
    let Body { content, digest } = body;
    if let Some(earlier) = replay(&request, &state.service, &caller, digest).await? {
        return Ok(earlier);
    }
    let scope = scope(&state, &caller, content.scope).await?;
    let command = core::StartMatchRun {
        requests: state.service.match_scope(&caller, scope).await?,
        mode: content.mode.into(),
        only_debts: content.only_debts,
        department: content.department_id.map(Into::into),
    };
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let run = MatchRun::from(service.start_match_run(tx, &author, command).await?);
            let location = format!("/v1/match-runs/{}", run.id);
            let reply = reply(StatusCode::ACCEPTED, &run)?;
            Ok(reply.with_location(location).with_retry_after(Some(AGAIN)))
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

/// Which requests are meant, in one of the ways of saying it.
async fn scope(state: &AppState, caller: &Caller, scope: MatchRunScope) -> Result<MatchScope, Error> {
    match (scope.ids, scope.filter, scope.import_id) {
        (Some(ids), None, None) => Ok(MatchScope::Ids(ids.into_iter().map(Into::into).collect())),
        (None, None, Some(import)) => Ok(MatchScope::Import(import.into())),
        (None, Some(filter), None) => {
            let filter = with_day(&state.service, caller, filter.conditions()).await?;
            Ok(MatchScope::Filter(Box::new(filter)))
        }
        (_, _, _) => {
            let detail = "нужно что-то одно: ids, filter или import_id";
            Err(Error::Invalid(vec![Mistake::at("/scope", "scope", detail)]))
        }
    }
}

/// Список сопоставлений с реестром
///
/// От новых к старым. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/match-runs", tag = "registry", operation_id = "list_match_runs",
    params(PageParameters),
    security(("bearer" = ["registry:read"])),
    responses((status = 200, description = "Страница сопоставлений.", body = MatchRunPage)),
)]
pub(crate) async fn list_match_runs(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["limit", "cursor"])?;
    let ask = Ask::read(&mut query, "match runs", &state)?;
    query.finish()?;
    let after = match &ask.after {
        None => None,
        Some(position) => Some((position.moment()?, position.id.into())),
    };
    let rows = state.service.list_match_runs(&caller, after, ask.rows()).await?;
    ask.respond::<MatchRunPage, _>(&request, &state, rows, |row| Position {
        key: row.run.created_at.timestamp_micros().to_string(),
        id: row.run.id.as_uuid(),
    })
}

/// Одно сопоставление с реестром
///
/// Пока сопоставление не закончено, `Retry-After` говорит, когда спросить снова. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/match-runs/{id}", tag = "registry", operation_id = "get_match_run",
    params(("id" = Uuid, Path, description = "Идентификатор сопоставления.", example = json!(examples::MATCH_RUN))),
    security(("bearer" = ["registry:read"])),
    responses((status = 200, description = "Сопоставление.", body = MatchRun)),
)]
pub(crate) async fn get_match_run(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<MatchRunId>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let run = MatchRun::from(state.service.get_match_run(&caller, id.0).await?);
    let mut response = HttpResponse::Ok();
    if !run.is_final {
        response.insert_header((RETRY_AFTER, AGAIN.to_string()));
    }
    Ok(response.json(run))
}

/// Итоги сопоставления по запросам
///
/// Три списка сопоставления: найдено, не найдено, возможные ошибки (`result=found`, `not_found`, `ambiguous`) с объяснением каждого
/// итога. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/match-runs/{id}/items", tag = "registry", operation_id = "list_match_run_items",
    params(
        ("id" = Uuid, Path, description = "Идентификатор сопоставления.", example = json!(examples::MATCH_RUN)),
        ("result" = Option<String>, Query, description = "Только запросы с этим итогом: `found`, `not_found` или `ambiguous`.", max_length = 64, example = "found"),
        PageParameters,
    ),
    security(("bearer" = ["registry:read"])),
    responses((status = 200, description = "Страница итогов.", body = MatchRunItemPage)),
)]
pub(crate) async fn list_match_run_items(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<MatchRunId>,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["result", "limit", "cursor"])?;
    let result = query.one_with("result", |text| {
        text.parse::<MatchResult>().or(Err("нужно found, not_found или ambiguous".to_owned()))
    });
    let ask = Ask::read(&mut query, &format!("items of {}", id.0), &state)?;
    query.finish()?;
    let after = ask.after.as_ref().map(Position::key::<i64>).transpose()?;
    let rows = state.service.list_match_items(&caller, id.0, result, after, ask.rows()).await?;
    ask.respond::<MatchRunItemPage, _>(&request, &state, rows, |item| Position {
        key: item.item.place.to_string(),
        id: Uuid::nil(),
    })
}

/// Списки сопоставления в файле Excel
///
/// Книга из трёх листов: «Найдено», «Не найдено», «Возможные ошибки», с объяснением каждого итога и строками реестра. Номера и
/// адреса запросов есть в ней, если у токена есть право `requests:read`. Пока сопоставление не закончено — 409 `state_conflict`.
/// Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/match-runs/{id}/content", tag = "registry", operation_id = "get_match_run_content",
    params(("id" = Uuid, Path, description = "Идентификатор сопоставления.", example = json!(examples::MATCH_RUN))),
    security(("bearer" = ["registry:read"])),
    responses((
        status = 200, description = "Книга Excel.",
        content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body = Spreadsheet,
    )),
)]
pub(crate) async fn get_match_run_content(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<MatchRunId>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let (run, content) = state.service.match_run_content(&caller, id.0).await?;
    Ok(spreadsheet(format!("match-run-{}.xlsx", run.created_at.format("%Y-%m-%d")), content))
}
