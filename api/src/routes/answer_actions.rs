//! Steps of an answer: `/v1/answers/{id}/complete` and its like.
//!
//! Scripts and 1C repeat requests by themselves: to cancel a cancelled answer succeeds again. Any other step that is done
//! already is a conflict, which tells the state; with an `Idempotency-Key` the first reply comes again.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use debt_core::answers::{RevokeAnswer as RevokeCommand, SubmitAnswer as SubmitCommand};
use debt_core::ids::AnswerId;
use debt_core::trace;

use super::answers::printed;
use crate::caller::Authenticated;
use crate::examples;
use crate::headers::if_match;
use crate::input::{Body, NO_BODY, NoBody, OptionalBody};
use crate::path::Id;
use crate::problem::Failure;
use crate::query::Query;
use crate::state::AppState;
use crate::views::answer_input::{ReturnAnswer, RevokeAnswer, SubmitAnswer, confirmed};
use crate::views::answers::{Answer, SubmissionList};
use crate::writing::{IdempotencyHeader, IfMatchHeader, Stated, UseCase, write, write_stated};

/// Завершить работу над черновиком
///
/// «Сохранить и завершить работу»: черновик становится подготовленным ответом и ждёт ответственного. Подготовленный ответ из
/// файла, который ждёт документов (`waits_for_files`), больше их не ждёт.
#[utoipa::path(
    post, path = "/v1/answers/{id}/complete", tag = "answers", operation_id = "complete_answer",
    params(
        ("id" = Uuid, Path, description = "Идентификатор ответа.", example = json!(examples::ANSWER_TO_COMPLETE)),
        IfMatchHeader, IdempotencyHeader,
    ),
    security(("bearer" = ["answers:write"])),
    responses((status = 200, description = "Подготовленный ответ.", body = Answer)),
)]
pub(crate) async fn complete_answer(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<AnswerId>,
    _: NoBody,
) -> Result<HttpResponse, Failure> {
    let version = if_match(request.headers());
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let details = service.complete_answer(tx, &author, id.0, version).await?;
            printed(&service, StatusCode::OK, details)
        })
    });
    write(&request, &state.service, &caller, NO_BODY, use_case).await
}

/// Вернуть ответ на доработку
///
/// Подготовленный ответ снова становится черновиком исполнителя. Токен сотрудника возвращает только ответы на запросы, за
/// которые сотрудник отвечает (403 `not_responsible`).
#[utoipa::path(
    post, path = "/v1/answers/{id}/return", tag = "answers", operation_id = "return_answer",
    params(
        ("id" = Uuid, Path, description = "Идентификатор ответа.", example = json!(examples::ANSWER_TO_RETURN)),
        IfMatchHeader, IdempotencyHeader,
    ),
    request_body(content = ReturnAnswer, example = json!({"comment": "Приложите решение суда"})),
    security(("bearer" = ["answers:submit"])),
    responses((status = 200, description = "Черновик.", body = Answer)),
)]
pub(crate) async fn return_answer(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<AnswerId>,
    OptionalBody(body): OptionalBody<ReturnAnswer>,
) -> Result<HttpResponse, Failure> {
    let Body { content, digest } = body;
    let version = if_match(request.headers());
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let details = service.return_answer(tx, &author, id.0, content.comment, version).await?;
            printed(&service, StatusCode::OK, details)
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

/// Отправить черновик
///
/// Ответ принят к отправке (202): он сохранён и будет отправлен, даже если ГИС ЖКХ сейчас недоступна.
/// Токен сотрудника отправляет, отменяет и отзывает только ответы на запросы, за которые сотрудник отвечает, и только с
/// идентификатором ГИС ЖКХ (403 `employee_cannot_submit`).
#[utoipa::path(
    post, path = "/v1/answers/{id}/submit", tag = "answers", operation_id = "submit_answer",
    params(
        ("id" = Uuid, Path, description = "Идентификатор ответа.", example = json!(examples::ANSWER_TO_SUBMIT)),
        IfMatchHeader, IdempotencyHeader,
    ),
    request_body(content = SubmitAnswer, example = json!({"confirm": []})),
    security(("bearer" = ["answers:submit"])),
    responses((status = 202, description = "Ответ принят и будет отправлен в ГИС ЖКХ.", body = Answer)),
)]
pub(crate) async fn submit_answer(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<AnswerId>,
    OptionalBody(body): OptionalBody<SubmitAnswer>,
) -> Result<HttpResponse, Failure> {
    let Body { content, digest } = body;
    let stated = Stated::of(&content.confirm, content.reason.as_deref());
    let confirm = confirmed(&content.confirm);
    let command = SubmitCommand { confirm, reason: content.reason, trace: trace::current() };
    let version = if_match(request.headers());
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let details = service.submit_answer(tx, &author, id.0, command, version).await?;
            printed(&service, StatusCode::ACCEPTED, details)
        })
    });
    write_stated(&request, &state.service, &caller, digest, stated, use_case).await
}

/// Отменить отправку
///
/// Пока ответ ждёт в очереди и ничего не отправлено. Позже — только отзыв размещённого ответа.
#[utoipa::path(
    post, path = "/v1/answers/{id}/cancel", tag = "answers", operation_id = "cancel_answer",
    params(
        ("id" = Uuid, Path, description = "Идентификатор ответа.", example = json!(examples::ANSWER_TO_CANCEL)),
        IfMatchHeader, IdempotencyHeader,
    ),
    security(("bearer" = ["answers:submit"])),
    responses((status = 200, description = "Отменённый ответ.", body = Answer)),
)]
pub(crate) async fn cancel_answer(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<AnswerId>,
    _: NoBody,
) -> Result<HttpResponse, Failure> {
    let version = if_match(request.headers());
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let details = service.cancel_answer(tx, &author, id.0, version).await?;
            printed(&service, StatusCode::OK, details)
        })
    });
    write(&request, &state.service, &caller, NO_BODY, use_case).await
}

/// Отозвать размещённый ответ
///
/// Отзыв принят (202) и уйдёт в ГИС ЖКХ, даже если она сейчас недоступна. Меньше чем за сутки до срока нужен
/// `confirm: ["correction_too_late"]`: ГИС ЖКХ может успеть сама ответить, что долга нет.
#[utoipa::path(
    post, path = "/v1/answers/{id}/revoke", tag = "answers", operation_id = "revoke_answer",
    params(
        ("id" = Uuid, Path, description = "Идентификатор ответа.", example = json!(examples::ANSWER_TO_REVOKE)),
        IfMatchHeader, IdempotencyHeader,
    ),
    request_body(content = RevokeAnswer, example = json!({"reason": "Ответ дан по ошибке", "confirm": ["correction_too_late"]})),
    security(("bearer" = ["answers:submit"])),
    responses((status = 202, description = "Отзыв принят.", body = Answer)),
)]
pub(crate) async fn revoke_answer(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<AnswerId>,
    OptionalBody(body): OptionalBody<RevokeAnswer>,
) -> Result<HttpResponse, Failure> {
    let Body { content, digest } = body;
    let stated = Stated::of(&content.confirm, content.reason.as_deref());
    let confirm = confirmed(&content.confirm);
    let command = RevokeCommand { confirm, reason: content.reason, trace: trace::current() };
    let version = if_match(request.headers());
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let details = service.revoke_answer(tx, &author, id.0, command, version).await?;
            printed(&service, StatusCode::ACCEPTED, details)
        })
    });
    write_stated(&request, &state.service, &caller, digest, stated, use_case).await
}

/// Спросить ГИС ЖКХ раньше
///
/// Приближает следующую проверку, если этого не запрещает порядок обращений к ГИС ЖКХ; иначе 429 и `Retry-After`.
/// Ответа ГИС ЖКХ не ждёт.
#[utoipa::path(
    post, path = "/v1/answers/{id}/refresh", tag = "answers", operation_id = "refresh_answer",
    params(
        ("id" = Uuid, Path, description = "Идентификатор ответа.", example = json!(examples::ANSWER)),
        IfMatchHeader, IdempotencyHeader,
    ),
    security(("bearer" = ["answers:read"])),
    responses((status = 202, description = "Проверка приближена.", body = Answer)),
)]
pub(crate) async fn refresh_answer(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<AnswerId>,
    _: NoBody,
) -> Result<HttpResponse, Failure> {
    let version = if_match(request.headers());
    let reader = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let details = service.refresh_answer(tx, &reader, id.0, version).await?;
            printed(&service, StatusCode::ACCEPTED, details)
        })
    });
    write(&request, &state.service, &caller, NO_BODY, use_case).await
}

/// Отправки ответа
///
/// Что и когда отправлено в ГИС ЖКХ и с какими идентификаторами: их спрашивает техническая поддержка ГИС ЖКХ.
#[utoipa::path(
    get, path = "/v1/answers/{id}/submissions", tag = "answers", operation_id = "list_submissions",
    params(("id" = Uuid, Path, description = "Идентификатор ответа.", example = json!(examples::ANSWER))),
    security(("bearer" = ["answers:read"])),
    responses((status = 200, description = "Отправки и попытки.", body = SubmissionList)),
)]
pub(crate) async fn list_submissions(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<AnswerId>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let attempts = state.service.list_submissions(&caller, id.0).await?;
    Ok(HttpResponse::Ok().json(SubmissionList { items: attempts.into_iter().map(Into::into).collect() }))
}
