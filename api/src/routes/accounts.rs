//! `/v1/accounts`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use debt_core::Error;
use debt_core::accounts::NewBook;
use debt_core::domain::caller::Scope;
use uuid::Uuid;

use crate::caller::Authenticated;
use crate::form::{self, Shape, is_form};
use crate::input::Body;
use crate::page::Position;
use crate::paging::Ask;
use crate::problem::Failure;
use crate::query::Query;
use crate::routes::filters::PageParameters;
use crate::state::AppState;
use crate::views::accounts::{AccountBook, AccountsForm, ReplaceAccounts};
use crate::views::lists::AccountPage;
use crate::writing::{IdempotencyHeader, UseCase, replay, reply, write};

/// Справочник лицевых счетов
///
/// Единые лицевые счета (ЕЛС) и лицевые счета (ЛС) помещений в порядке загрузки. По ним заполняются столбцы выгрузки
/// `POST /v1/exports`. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/accounts", tag = "registry", operation_id = "list_accounts",
    params(
        ("fias_house_id" = Option<Uuid>, Query, description = "Только счета этого дома (код ФИАС)."),
        PageParameters,
    ),
    security(("bearer" = ["registry:read"])),
    responses((status = 200, description = "Страница счетов.", body = AccountPage)),
)]
pub(crate) async fn list_accounts(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["fias_house_id", "limit", "cursor"])?;
    let house = query.one::<Uuid>("fias_house_id");
    let ask = Ask::read(&mut query, "accounts", &state)?;
    query.finish()?;
    let after = ask.after.as_ref().map(Position::key::<i64>).transpose()?;
    let rows = state.service.list_accounts(&caller, house, after, ask.rows()).await?;
    ask.respond::<AccountPage, _>(&request, &state, rows, |account| Position {
        key: account.place.to_string(),
        id: Uuid::nil(),
    })
}

/// Заменить справочник лицевых счетов
///
/// Прежний справочник заменяется целиком и сразу: списком в JSON (до 10 000 записей) или книгой Excel (до 100 000 строк) в
/// `multipart/form-data` либо в base64. Столбцы книги ищутся по заголовкам: «Код ФИАС дома», «Номер помещения», «Единый лицевой
/// счет», «Лицевой счет»; пустая книга — `GET /v1/templates/accounts`. При любой ошибке прежний справочник остаётся как был; ошибки названы по строкам и столбцам.
/// ГИС ЖКХ здесь не участвует.
#[utoipa::path(
    put, path = "/v1/accounts", tag = "registry", operation_id = "replace_accounts",
    params(IdempotencyHeader),
    request_body(content(
        (ReplaceAccounts = "application/json", example = json!({
            "accounts": [
                {
                    "fias_house_id": "5603dc9c-e161-414c-9787-e40836561201",
                    "premises": "кв. 12",
                    "unified_account": "70НН906761",
                    "account": "0033036150"
                },
                {"fias_house_id": "5603dc9c-e161-414c-9787-e40836561201", "premises": "кв. 13", "account": "0033036151"}
            ]
        })),
        (AccountsForm = "multipart/form-data"),
    )),
    security(("bearer" = ["registry:write"])),
    responses((status = 200, description = "Справочник заменён.", body = AccountBook)),
)]
pub(crate) async fn replace_accounts(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    payload: Payload,
) -> Result<HttpResponse, Failure> {
    // Nobody uploads megabytes to be told that he may not.
    caller.need(Scope::RegistryWrite)?;
    let _upload = state.uploads.begin(caller.organization)?;
    let mut payload = payload.into_inner();
    let (book, digest) = if is_form(&request) {
        let most_bytes = state.service.settings.limits.import_bytes;
        let shape = Shape { files: &[("file", most_bytes)], ..Shape::default() };
        let mut form = form::read(&request, &mut payload, shape).await?;
        let (digest, file) = (form.digest, form.need("file"));
        form.finish()?;
        (NewBook::Workbook { content: file.content, pointer: "/file" }, digest)
    } else {
        let Body { content, digest } = Body::<ReplaceAccounts>::from_request(&request, &mut payload).await?;
        (content.book().map_err(|mistake| Error::Invalid(vec![mistake]))?, digest)
    };
    if let Some(earlier) = replay(&request, &state.service, &caller, digest).await? {
        return Ok(earlier);
    }
    let checked = state.service.check_accounts(&caller, book).await?;
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let replaced = service.replace_accounts(tx, &author, checked).await?;
            reply(StatusCode::OK, &AccountBook::from(replaced))
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}
