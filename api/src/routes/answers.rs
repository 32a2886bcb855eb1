//! `/v1/answers` and `/v1/debt-requests/{id}/answers`.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use debt_core::answers::{AnswerDetails, CreatedOutcome};
use debt_core::audit::Changed;
use debt_core::idempotency::Reply;
use debt_core::ids::{AnswerId, DebtRequestId};
use debt_core::{Error, Service, trace};

use crate::caller::Authenticated;
use crate::examples;
use crate::headers::{IdempotencyKey, etag, if_match};
use crate::input::Body;
use crate::page::Position;
use crate::paging::Ask;
use crate::path::Id;
use crate::problem::Failure;
use crate::query::Query;
use crate::routes::filters::{AnswerFilters, PageParameters, answer_parameters, read_answer_filter};
use crate::state::AppState;
use crate::views::answer_input::{AnswerLookup, CreateAnswer, EditAnswer};
use crate::views::answers::Answer;
use crate::views::lists::{AnswerLookupResult, AnswerPage, AnswersNotFound, FoundAnswer};
use crate::waiting::{read_wait, wait_for};
use crate::writing::{
    IdempotencyHeader, IfMatchHeader, Stated, UseCase, WithBefore, WithHeaders, no_content, reply, write,
    write_stated,
};

/// Дать ответ
///
/// `submit: true` — ответ принят к отправке (202): он сохранён и будет отправлен, даже если ГИС ЖКХ сейчас недоступна.
/// `submit: false` — черновик (201). Тот же ответ ещё раз — 200, второго ответа не будет, даже без `Idempotency-Key`.
/// Все ошибки тела перечисляются сразу, и тогда ничего не сохранено.
///
/// Если ответ уже размещён, другой ответ — исправление: нужны `confirm: ["already_answered"]` и `reason`. Если по
/// действующему реестру долг есть, отправить «долга нет» можно только с `confirm: ["registry_disagrees"]`.
#[utoipa::path(
    post, path = "/v1/debt-requests/{id}/answers", tag = "answers", operation_id = "create_answer",
    params(
        ("id" = Uuid, Path, description = "GUID подзапроса в ГИС ЖКХ.", example = json!(examples::DEBT_REQUEST_TO_ANSWER)),
        IdempotencyHeader,
    ),
    request_body(content = CreateAnswer, examples(
        ("no_debt" = (summary = "Долга нет", value = json!({"submit": true, "has_debt": false}))),
        ("with_debt" = (summary = "Долг есть", value = json!({
            "submit": true,
            "has_debt": true,
            "comment": "Решение вступило в силу 12.03.2025",
            "debtors": [{
                "last_name": "Вымышленный",
                "first_name": "Пётр",
                "documents": [{
                    "type_code": "1",
                    "file_name": "Решение суда.txt",
                    "content_base64": "0KDQtdGI0LXQvdC40LUg0YHRg9C00LA="
                }]
            }]
        }))),
    )),
    security(("bearer" = ["answers:write"])),
    responses(
        (status = 200, description = "Такой ответ уже есть; второго не создано.", body = Answer),
        (status = 201, description = "Черновик сохранён.", body = Answer),
        (status = 202, description = "Ответ принят и будет отправлен в ГИС ЖКХ.", body = Answer),
    ),
)]
pub(crate) async fn create_answer(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<DebtRequestId>,
    body: Body<CreateAnswer>,
) -> Result<HttpResponse, Failure> {
    let Body { content: value, digest } = body;
    let stated = Stated::of(&value.confirm, value.reason.as_deref());
    let command = value.command(id.0, trace::current()).map_err(Error::Invalid)?;
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let created = service.create_answer(tx, &author, command).await?;
            let status = match created.outcome {
                CreatedOutcome::Draft => StatusCode::CREATED,
                CreatedOutcome::Queued => StatusCode::ACCEPTED,
                CreatedOutcome::Same => StatusCode::OK,
            };
            printed(&service, status, created.answer)
        })
    });
    write_stated(&request, &state.service, &caller, digest, stated, use_case).await
}

/// Least seconds after which a client asks again.
const LEAST: i64 = 5;
/// Most of them.
const MOST: i64 = 1800;

/// A changed answer as a reply, with where it is and when to ask again. Where that is not stored, reading the answer tells it,
/// and soon: here others wait for the transaction.
pub(super) fn printed(service: &Service, status: StatusCode, details: AnswerDetails) -> Result<Reply, Error> {
    let location = format!("/v1/answers/{}", details.answer.id);
    let version = details.answer.version;
    let retry_after = retry_after(&details, service.clock.now(), LEAST);
    let reply = reply(status, &Answer::from(details))?;
    Ok(reply.with_location(location).with_version(version).with_retry_after(retry_after))
}

/// Seconds until anything can change, 5 to 1800, or `unknown` of them; `None` when the answer is not on its way (`api.md` §7).
fn retry_after(details: &AnswerDetails, now: DateTime<Utc>, unknown: i64) -> Option<i64> {
    let answer = &details.answer;
    if answer.state.is_final() || answer.state.is_editable() {
        return None;
    }
    let seconds = answer.next_check_at.map_or(unknown, |moment| (moment - now).num_seconds() + 1);
    Some(seconds.clamp(LEAST, MOST))
}

/// Список ответов
///
/// По времени изменения, от старых к новым: с `updated_since` удобно забирать изменения. Читает из базы шлюза.
#[utoipa::path(
    get, path = "/v1/answers", tag = "answers", operation_id = "list_answers",
    params(AnswerFilters, PageParameters),
    security(("bearer" = ["answers:read"])),
    responses((status = 200, description = "Страница ответов.", body = AnswerPage)),
)]
pub(crate) async fn list_answers(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &answer_parameters(&["limit", "cursor"]))?;
    let filter = read_answer_filter(&mut query);
    let ask = Ask::read(&mut query, "answers", &state)?;
    query.finish()?;
    let after = ask.after.as_ref().map(after).transpose()?;
    let rows = state.service.list_answers(&caller, &filter, after, ask.rows()).await?;
    ask.respond::<AnswerPage, _>(&request, &state, rows, |row| Position {
        key: row.answer.updated_at.timestamp_micros().to_string(),
        id: row.answer.id.as_uuid(),
    })
}

fn after(position: &Position) -> Result<(DateTime<Utc>, AnswerId), Error> {
    Ok((position.moment()?, position.id.into()))
}

/// Найти ответы по идентификаторам
///
/// До 1000 за раз, по идентификаторам шлюза или по вашим. Чего нет, перечислено в `not_found`: такой ответ можно
/// безопасно отправить ещё раз с тем же ключом.
#[utoipa::path(
    post, path = "/v1/answers/lookup", tag = "answers", operation_id = "lookup_answers",
    request_body(content = AnswerLookup, example = json!({"ids": [examples::ANSWER], "external_ids": ["1C-000123"]})),
    security(("bearer" = ["answers:read"])),
    responses((status = 200, description = "Найденные ответы.", body = AnswerLookupResult)),
)]
pub(crate) async fn lookup_answers(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    body: Body<AnswerLookup>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    // Nothing is done that could be repeated, but a bad key is a mistake here as anywhere.
    IdempotencyKey::read(request.headers())?;
    let AnswerLookup { ids, external_ids } = body.content;
    let ids: Vec<_> = ids.into_iter().map(AnswerId::from).collect();
    let lookup = state.service.lookup_answers(&caller, &ids, &external_ids).await?;
    let items = lookup.found.into_iter().map(|(name, details)| FoundAnswer {
        found_by: name.map(|name| name.to_string()),
        answer: details.into(),
    });
    Ok(HttpResponse::Ok().json(AnswerLookupResult {
        items: items.collect(),
        not_found: AnswersNotFound {
            ids: lookup.ids_not_found.into_iter().map(AnswerId::as_uuid).collect(),
            external_ids: lookup.external_ids_not_found,
        },
    }))
}

/// Один ответ
///
/// Читает из базы шлюза, ГИС ЖКХ не спрашивает. `Retry-After` и `next_check_at` говорят, когда может измениться состояние:
/// здесь они точнее всего, в списках и в ответах на изменения `next_check_at` — последний записанный. `wait` держит запрос до
/// 25 секунд и отвечает раньше, если состояние изменится.
#[utoipa::path(
    get, path = "/v1/answers/{id}", tag = "answers", operation_id = "get_answer",
    params(
        ("id" = Uuid, Path, description = "Идентификатор ответа.", example = json!(examples::ANSWER)),
        ("wait" = Option<u8>, Query, description = "Сколько секунд ждать изменения, 0–25.", minimum = 0, maximum = 25, example = 0),
    ),
    security(("bearer" = ["answers:read"])),
    responses((status = 200, description = "Ответ.", body = Answer)),
)]
pub(crate) async fn get_answer(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<AnswerId>,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["wait"])?;
    let wait = read_wait(&mut query);
    query.finish()?;
    if !wait.is_zero() {
        let look = async || state.service.get_answer(&caller, id.0).await;
        let before = look().await?.answer.state;
        let is_news = |seen: &AnswerDetails| seen.answer.state != before || before.is_final();
        wait_for(wait, look, is_news).await?;
    }
    // When to ask again is reckoned once, for what is shown.
    let details = state.service.foresee_answer(&caller, id.0).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header(etag(details.answer.version));
    // Where a person must act first nobody knows when: the client asks as seldom as may be.
    if let Some(seconds) = retry_after(&details, state.service.clock.now(), MOST) {
        response.insert_header(("Retry-After", seconds.to_string()));
    }
    Ok(response.json(Answer::from(details)))
}

/// Изменить черновик
///
/// Меняются только переданные поля. Отправленный ответ изменить нельзя: дайте новый. Токен сотрудника меняет подготовленный
/// ответ, только если сотрудник отвечает за запрос. Пока ответ из файла ждёт документов (`waits_for_files`), тот, кто его
/// готовит, добавляет их, хоть по одному, и меняет комментарий, но не наличие долга, не должников и не исполнителя
/// (409 `state_conflict`); ожидание заканчивает `complete`.
#[utoipa::path(
    patch, path = "/v1/answers/{id}", tag = "answers", operation_id = "edit_answer",
    params(
        ("id" = Uuid, Path, description = "Идентификатор ответа.", example = json!(examples::ANSWER_TO_EDIT)),
        IfMatchHeader, IdempotencyHeader,
    ),
    request_body(content = EditAnswer, example = json!({"comment": "Уточнённый комментарий"})),
    security(("bearer" = ["answers:write"])),
    responses((status = 200, description = "Черновик после изменения.", body = Answer)),
)]
pub(crate) async fn edit_answer(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<AnswerId>,
    body: Body<EditAnswer>,
) -> Result<HttpResponse, Failure> {
    let Body { content: value, digest } = body;
    let command = value.command().map_err(Error::Invalid)?;
    let version = if_match(request.headers());
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let Changed { before, after } = service.edit_answer(tx, &author, id.0, command, version).await?;
            printed(&service, StatusCode::OK, after)?.instead_of(&Answer::from(before))
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

/// Удалить черновик
///
/// Удаляет черновик или подготовленный ответ. Отправленный ответ удалить нельзя: отмените или отзовите его. Токен сотрудника
/// удаляет подготовленный ответ, только если сотрудник отвечает за запрос.
#[utoipa::path(
    delete, path = "/v1/answers/{id}", tag = "answers", operation_id = "delete_answer",
    params(
        ("id" = Uuid, Path, description = "Идентификатор ответа.", example = json!(examples::ANSWER_TO_DELETE)),
        IfMatchHeader, IdempotencyHeader,
    ),
    security(("bearer" = ["answers:write"])),
    responses((status = 204, description = "Черновика больше нет.")),
)]
pub(crate) async fn delete_answer(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<AnswerId>,
) -> Result<HttpResponse, Failure> {
    let version = if_match(request.headers());
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let deleted = service.delete_answer(tx, &author, id.0, version).await?;
            no_content().instead_of(&Answer::from(deleted))
        })
    });
    write(&request, &state.service, &caller, [0; 32], use_case).await
}
