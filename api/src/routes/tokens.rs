//! `/v1/tokens`.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use debt_core::Error;
use debt_core::domain::caller::Scope;
use debt_core::ids::TokenId;

use crate::auth::Claims;
use crate::caller::Authenticated;
use crate::examples;
use crate::input::{Body, NO_BODY};
use crate::page::Position;
use crate::paging::Ask;
use crate::path::Id;
use crate::problem::Failure;
use crate::query::Query;
use crate::routes::filters::PageParameters;
use crate::state::AppState;
use crate::views::lists::TokenPage;
use crate::views::tokens::{IssueToken, IssuedToken, Token};
use crate::writing::{IdempotencyHeader, UseCase, WithHeaders, WithSecret, no_content, reply, write};

/// Список токенов
///
/// Токены, у которых есть хоть одна организация вашего, от новых к старым, вместе с отозванными и истёкшими. Самих токенов здесь
/// нет: они нигде не хранятся. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/tokens", tag = "access", operation_id = "list_tokens",
    params(PageParameters),
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "Страница токенов.", body = TokenPage)),
)]
pub(crate) async fn list_tokens(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["limit", "cursor"])?;
    let ask = Ask::read(&mut query, "tokens", &state)?;
    query.finish()?;
    let after = match &ask.after {
        None => None,
        Some(position) => Some((position.moment()?, position.id.into())),
    };
    let rows = state.service.list_seen_tokens(&caller, after, ask.rows()).await?;
    ask.respond::<TokenPage, _>(&request, &state, rows, |seen| Position {
        key: seen.token.created_at.timestamp_micros().to_string(),
        id: seen.token.id.as_uuid(),
    })
}

/// Один токен
///
/// Что известно о токене, в том числе отозванном. Токен чужих организаций не найден (404). Читает из базы шлюза, ГИС ЖКХ не
/// спрашивает.
#[utoipa::path(
    get, path = "/v1/tokens/{id}", tag = "access", operation_id = "get_token",
    params(("id" = Uuid, Path, description = "Идентификатор токена.", example = json!(examples::TOKEN))),
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "Токен.", body = Token)),
)]
pub(crate) async fn get_token(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<TokenId>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let seen = state.service.get_seen_token(&caller, id.0).await?;
    Ok(HttpResponse::Ok().json(Token::from(seen)))
}

/// Выпустить токен
///
/// Токен — в поле `token` этого ответа и больше нигде: сохраните его сразу. Шлюз его не хранит, поэтому повтор с тем же
/// `Idempotency-Key` второго токена не выпускает и отвечает тем же, но с `token: null`; если первый ответ потерян, отзовите этот
/// токен и выпустите другой с новым ключом. Дать можно только права и организации, которые есть у вашего токена, а с токеном
/// сотрудника — ничего (403 `rights_exceeded`); занять имя токена, у которого прав больше, тоже нельзя; срок от срока вашего токена не зависит, так токены и меняют. Если у шлюза есть
/// только открытые ключи, токены выпускают не здесь (409 `signing_key_missing`). В ГИС ЖКХ ничего не передаётся.
#[utoipa::path(
    post, path = "/v1/tokens", tag = "access", operation_id = "issue_token",
    params(IdempotencyHeader),
    request_body(content = IssueToken, example = json!({
        "name": "1С Биллинг",
        "scopes": ["requests:read", "answers:read", "answers:submit"],
        "days": 180
    })),
    security(("bearer" = ["admin"])),
    responses((status = 201, description = "Токен выпущен.", body = IssuedToken)),
)]
pub(crate) async fn issue_token(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    body: Body<IssueToken>,
) -> Result<HttpResponse, Failure> {
    caller.need(Scope::Admin)?;
    let Body { content, digest } = body;
    let grant = content.command().map_err(Error::Invalid)?;
    let (issuer, signing) = (caller.clone(), state.clone());
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let seen = service.grant_token(tx, &issuer, grant).await?;
            // Before anything is stored: a row without its text would be of no use to anybody.
            let text = signing.keys.issue(&Claims::of(&seen.token))?;
            let location = format!("/v1/tokens/{}", seen.token.id);
            let kept = IssuedToken { known: Token::from(seen), token: None };
            let reply = reply(StatusCode::CREATED, &kept)?;
            let shown = IssuedToken { token: Some(text), ..kept };
            Ok(reply.showing_once(&shown)?.with_location(location))
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

/// Отозвать токен
///
/// Подействует обычно сразу, самое позднее — через 30 секунд. Повторный отзыв ничего не меняет (204). Отозванный токен остаётся в
/// списке. Токен, у которого есть и организации, которых нет у вашего, теряет общие с вашим, а для остальных действует по-прежнему.
/// Сам себя токен не отзывает (409): выпустите новый и отзовите прежний уже им.
#[utoipa::path(
    delete, path = "/v1/tokens/{id}", tag = "access", operation_id = "revoke_token",
    params(
        ("id" = Uuid, Path, description = "Идентификатор токена.", example = json!(examples::TOKEN_TO_REVOKE)),
        IdempotencyHeader,
    ),
    security(("bearer" = ["admin"])),
    responses((status = 204, description = "Токен отозван.")),
)]
pub(crate) async fn revoke_token(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<TokenId>,
) -> Result<HttpResponse, Failure> {
    let revoker = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            service.withdraw_token(tx, &revoker, id.0).await?;
            Ok(no_content())
        })
    });
    let response = write(&request, &state.service, &caller, NO_BODY, use_case).await?;
    state.service.forget_token(id.0);
    Ok(response)
}
