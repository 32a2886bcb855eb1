//! `/v1/answers/bulk`, and long work of every kind at `/v1/operations`.

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use debt_core::domain::long_work::WorkKind;
use debt_core::domain::operation::Outcome;
use debt_core::ids::OperationId;
use debt_core::operations::LongWork;
use debt_core::trace;
use uuid::Uuid;

use crate::caller::Authenticated;
use crate::examples;
use crate::input::{ItemsBody, NO_BODY, NoBody};
use crate::page::Position;
use crate::paging::Ask;
use crate::path::Id;
use crate::problem::Failure;
use crate::query::Query;
use crate::routes::filters::{PageParameters, WorkKindParameter};
use crate::state::AppState;
use crate::views::answers_bulk::CreateAnswers;
use crate::views::lists::{OperationItemPage, OperationPage};
use crate::views::operations::{AGAIN, Operation};
use crate::writing::{IdempotencyHeader, Stated, UseCase, WithHeaders, reply, write, write_stated};

/// Дать много ответов сразу
///
/// До 1000 ответов одним запросом. Каждый проверяется сразу, как если бы пришёл один, и становится ответом, отправкой
/// которого занимается шлюз, даже если ГИС ЖКХ сейчас недоступна. Что стало с каждым, показывает операция: результаты
/// обработки в числах — `counts`, по каждому ответу — `items_url`.
///
/// `on_invalid: "skip"` — ответ с ошибкой не принят, остальные приняты; `"reject_all"` — при любой ошибке не принят ни один
/// (422, ошибки всех ответов). Повтор того же тела безопасен: ответы, которые уже есть, — `unchanged`.
#[utoipa::path(
    post, path = "/v1/answers/bulk", tag = "operations", operation_id = "create_answers_bulk",
    params(IdempotencyHeader),
    request_body(content = CreateAnswers, example = json!({
        "submit": true,
        "on_invalid": "skip",
        "items": [
            {"debt_request_id": examples::DEBT_REQUEST_IN_BULK, "external_id": "1C-000124", "has_debt": false}
        ]
    })),
    security(("bearer" = ["answers:write"])),
    responses((status = 202, description = "Ответы приняты.", body = Operation)),
)]
pub(crate) async fn create_answers_bulk(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    body: ItemsBody<CreateAnswers>,
) -> Result<HttpResponse, Failure> {
    let ItemsBody { content, wrong, digest } = body;
    let confirm = content.items.iter().flat_map(|item| &item.confirm);
    // Each answer has a reason of its own, and keeps it.
    let stated = Stated::of(confirm, None);
    let command = content.command(wrong, trace::current().as_ref());
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let begun = LongWork::Answers(service.create_answers(tx, &author, command).await?);
            let operation = Operation::of(&service, begun);
            let location = operation.url.clone();
            let retry_after = (!operation.is_final).then_some(AGAIN);
            let reply = reply(StatusCode::ACCEPTED, &operation)?;
            Ok(reply.with_location(location).with_retry_after(retry_after))
        })
    });
    write_stated(&request, &state.service, &caller, digest, stated, use_case).await
}

/// Which operations.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameter; the route reads it")]
pub(crate) struct KindParameter {
    /// Только операции этого вида.
    #[param(inline)]
    kind: Option<WorkKindParameter>,
}

/// Список операций
///
/// Всё, что длится дольше запроса, от нового к старому: массовые ответы, автоответ, выгрузки в Excel, загрузки файлов,
/// сопоставления с реестром, получения запросов из ГИС ЖКХ. Видны операции, на которые у токена есть право: `answers:read` —
/// массовые ответы и автоответ (с `answers:write` без `answers:read` — только свои), `answers:write` — загрузки файлов,
/// `requests:read` — выгрузки и получения запросов, `registry:read` — сопоставления. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/operations", tag = "operations", operation_id = "list_operations",
    params(KindParameter, PageParameters),
    security(
        ("bearer" = ["answers:read"]), ("bearer" = ["answers:write"]),
        ("bearer" = ["requests:read"]), ("bearer" = ["registry:read"])
    ),
    responses((status = 200, description = "Страница операций.", body = OperationPage)),
)]
pub(crate) async fn list_operations(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["kind", "limit", "cursor"])?;
    let kind = query.one::<WorkKind>("kind");
    let ask = Ask::read(&mut query, "operations", &state)?;
    query.finish()?;
    let after = match &ask.after {
        None => None,
        Some(position) => Some((position.moment()?, position.id)),
    };
    let found = state.service.list_operations(&caller, kind, after, ask.rows()).await?;
    let rows: Vec<_> = found.into_iter().map(|work| Operation::of(&state.service, work)).collect();
    ask.respond::<OperationPage, _>(&request, &state, rows, |row| Position {
        key: row.created_at.timestamp_micros().to_string(),
        id: row.id,
    })
}

/// Одна операция
///
/// Массовые ответы, автоответ, выгрузка, загрузка файла, сопоставление или получение запросов: кому что видно, сказано у
/// списка. Пока операция не закончена, `Retry-After` говорит, когда спросить снова. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/operations/{id}", tag = "operations", operation_id = "get_operation",
    params(("id" = Uuid, Path, description = "Идентификатор операции.", example = json!(examples::OPERATION))),
    security(
        ("bearer" = ["answers:read"]), ("bearer" = ["answers:write"]),
        ("bearer" = ["requests:read"]), ("bearer" = ["registry:read"])
    ),
    responses((status = 200, description = "Операция.", body = Operation)),
)]
pub(crate) async fn get_operation(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<Uuid>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let work = state.service.get_operation(&caller, id.0).await?;
    let operation = Operation::of(&state.service, work);
    let mut response = HttpResponse::Ok();
    if !operation.is_final {
        response.insert_header((RETRY_AFTER, AGAIN.to_string()));
    }
    Ok(response.json(operation))
}

/// Записи операции
///
/// Записи массовых ответов и автоответа в том порядке, в котором пришли; у других операций записи там, куда ведёт `items_url`.
/// С правом `answers:write` без `answers:read` видны только свои операции. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/operations/{id}/items", tag = "operations", operation_id = "list_operation_items",
    params(
        ("id" = Uuid, Path, description = "Идентификатор операции.", example = json!(examples::OPERATION)),
        ("outcome" = Option<String>, Query, description = "Только записи с этим исходом: `refused`, `unchanged`, `skipped`, `deleted` или состояние ответа.", max_length = 64, example = "refused"),
        PageParameters,
    ),
    security(("bearer" = ["answers:read"])),
    responses((status = 200, description = "Страница записей.", body = OperationItemPage)),
)]
pub(crate) async fn list_operation_items(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<OperationId>,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["outcome", "limit", "cursor"])?;
    let outcome = query.one_with("outcome", |text| {
        Outcome::named(text)
            .ok_or_else(|| "нужно refused, unchanged, skipped, deleted или состояние ответа".to_owned())
    });
    let ask = Ask::read(&mut query, &format!("items of {}", id.0), &state)?;
    query.finish()?;
    let after = ask.after.as_ref().map(Position::key::<i64>).transpose()?;
    let rows = state.service.list_operation_items(&caller, id.0, outcome, after, ask.rows()).await?;
    ask.respond::<OperationItemPage, _>(&request, &state, rows, |row| Position {
        key: row.item.place.to_string(),
        id: Uuid::nil(),
    })
}

/// Остановить операцию
///
/// Останавливает любую операцию; нужно то же право, что и начать её: `answers:submit` — для массовых ответов и автоответа,
/// `requests:read` — для выгрузок в Excel, `registry:read` — для сопоставлений (и право на ответы, если они создаются),
/// `answers:write` или `answers:submit` — для загрузки файла. Получение запросов из ГИС ЖКХ останавливает тот клиент, который его
/// начал (`requests:read`), а начатое не им — только с правом `answers:write`.
///
/// Ответы, отправка которых не начиналась, отменяются (у загрузки файла и сопоставления — в ближайшую минуту), а те, что были
/// подготовлены раньше, снова становятся подготовленными; остальные идут своим путём; что уже выгружено, получено,
/// сопоставлено или создано черновиком, остаётся. Остановить остановленную — не ошибка, законченную — 409.
#[utoipa::path(
    post, path = "/v1/operations/{id}/cancel", tag = "operations", operation_id = "cancel_operation",
    params(
        ("id" = Uuid, Path, description = "Идентификатор операции.", example = json!(examples::OPERATION_TO_CANCEL)),
        IdempotencyHeader,
    ),
    security(
        ("bearer" = ["answers:submit"]), ("bearer" = ["answers:write"]),
        ("bearer" = ["requests:read"]), ("bearer" = ["registry:read"])
    ),
    responses((status = 200, description = "Операция остановлена.", body = Operation)),
)]
pub(crate) async fn cancel_operation(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<Uuid>,
    _: NoBody,
) -> Result<HttpResponse, Failure> {
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let work = service.cancel_operation(tx, &author, id.0).await?;
            reply(StatusCode::OK, &Operation::of(&service, work))
        })
    });
    write(&request, &state.service, &caller, NO_BODY, use_case).await
}
