//! `/v1/court-debts`: the rows of the registry that answers, one by one.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use debt_core::audit::Changed;
use debt_core::ids::{CourtDebtId, DepartmentId};
use debt_core::registries::CourtDebtDraft;
use uuid::Uuid;

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
use crate::views::court_debt_input::CourtDebtInput;
use crate::views::lists::CourtDebtPage;
use crate::views::registries::CourtDebt;
use crate::writing::{
    IdempotencyHeader, IfMatchHeader, UseCase, WithBefore, WithHeaders, no_content, reply, write,
};

/// Строки действующего реестра
///
/// В порядке добавления; пусто, пока ни один реестр не введён в действие. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/court-debts", tag = "registry", operation_id = "list_court_debts",
    params(
        ("department_id" = Option<Uuid>, Query, description = "Подразделение с собственным реестром; без него — реестр всей организации."),
        ("fias_house_id" = Option<Uuid>, Query, description = "Только строки этого дома (код ФИАС)."),
        PageParameters,
    ),
    security(("bearer" = ["registry:read"])),
    responses((status = 200, description = "Страница строк.", body = CourtDebtPage)),
)]
pub(crate) async fn list_court_debts(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let mut query =
        Query::of(request.query_string(), &["department_id", "fias_house_id", "limit", "cursor"])?;
    let department = query.one::<DepartmentId>("department_id");
    let house = query.one::<Uuid>("fias_house_id");
    let ask = Ask::read(&mut query, "court debts", &state)?;
    query.finish()?;
    let after = ask.after.as_ref().map(|position| CourtDebtId::from(position.id));
    let rows = state.service.list_court_debts(&caller, department, house, after, ask.rows()).await?;
    ask.respond::<CourtDebtPage, _>(&request, &state, rows, |kept| Position {
        key: String::new(),
        id: kept.debt.entry.id.as_uuid(),
    })
}

/// Одна строка реестра
///
/// Версия — в `ETag`. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/court-debts/{id}", tag = "registry", operation_id = "get_court_debt",
    params(("id" = Uuid, Path, description = "Идентификатор строки.", example = json!(examples::COURT_DEBT))),
    security(("bearer" = ["registry:read"])),
    responses((status = 200, description = "Строка.", body = CourtDebt)),
)]
pub(crate) async fn get_court_debt(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<CourtDebtId>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let kept = state.service.get_court_debt(&caller, id.0).await?;
    Ok(HttpResponse::Ok().insert_header(etag(kept.version)).json(CourtDebt::from(kept)))
}

/// Добавить строку в реестр
///
/// Строка войдёт в действующий реестр. Пока ни один не введён в действие, строки собираются в новом реестре (`registry_id`,
/// `origin: "single"`, состояние `checked`): он ничего не отвечает, пока его не введут в действие
/// `POST /v1/court-debt-registries/{id}/activate`, потому что по помещениям, которых в нём ещё нет, он сказал бы «долга нет».
/// До этого его строки — в `GET /v1/court-debt-registries/{id}/rows`. Несколько должников одного помещения — список; несколько
/// решений по одному помещению — несколько строк. Файл реестра, введённый в действие позже, заменит и эти строки.
#[utoipa::path(
    post, path = "/v1/court-debts", tag = "registry", operation_id = "add_court_debt",
    params(IdempotencyHeader),
    request_body(content = CourtDebtInput, example = json!({
        "fias_house_id": "5603dc9c-e161-414c-9787-e40836561201",
        "address": "г Примерск, ул Ткацкая, д. 1",
        "premises": "кв. 12",
        "in_force_from": "2025-03-12",
        "debtors": [
            {"last_name": "Вымышленный", "first_name": "Пётр", "middle_name": "Иванович"},
            {"last_name": "Вымышленная", "first_name": "Анна"}
        ],
        "comment": "Солидарное взыскание"
    })),
    security(("bearer" = ["registry:write"])),
    responses((status = 201, description = "Строка добавлена.", body = CourtDebt)),
)]
pub(crate) async fn add_court_debt(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    body: Body<CourtDebtInput>,
) -> Result<HttpResponse, Failure> {
    let Body { content, digest } = body;
    let (author, draft) = (caller.clone(), CourtDebtDraft::from(content));
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let kept = service.add_court_debt(tx, &author, draft).await?;
            let (location, version) = (format!("/v1/court-debts/{}", kept.debt.entry.id), kept.version);
            let reply = reply(StatusCode::CREATED, &CourtDebt::from(kept))?;
            Ok(reply.with_location(location).with_version(version))
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

/// Изменить строку реестра
///
/// Можно изменить строку действующего реестра и того, что собирается из отдельных строк и ещё не введён в действие.
/// Передаётся вся строка целиком; опущенное поле очищается. С `If-Match` — только если строка с тех пор не изменилась.
#[utoipa::path(
    put, path = "/v1/court-debts/{id}", tag = "registry", operation_id = "replace_court_debt",
    params(
        ("id" = Uuid, Path, description = "Идентификатор строки.", example = json!(examples::COURT_DEBT)),
        IfMatchHeader, IdempotencyHeader,
    ),
    request_body(content = CourtDebtInput, example = json!({
        "fias_house_id": "5603dc9c-e161-414c-9787-e40836561201",
        "address": "г Примерск, ул Ткацкая, д. 1",
        "premises": "кв. 13",
        "in_force_from": "2025-03-12",
        "debtors": [
            {"last_name": "Вымышленный", "first_name": "Пётр", "middle_name": "Иванович"},
            {"last_name": "Вымышленная", "first_name": "Анна"}
        ],
        "comment": "Солидарное взыскание"
    })),
    security(("bearer" = ["registry:write"])),
    responses((status = 200, description = "Строка изменена.", body = CourtDebt)),
)]
pub(crate) async fn replace_court_debt(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<CourtDebtId>,
    body: Body<CourtDebtInput>,
) -> Result<HttpResponse, Failure> {
    let version = if_match(request.headers());
    let Body { content, digest } = body;
    let (author, draft) = (caller.clone(), CourtDebtDraft::from(content));
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let Changed { before, after } =
                service.replace_court_debt(tx, &author, id.0, version, draft).await?;
            let version = after.version;
            let reply = reply(StatusCode::OK, &CourtDebt::from(after))?.with_version(version);
            reply.instead_of(&CourtDebt::from(before))
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

/// Удалить строку реестра
///
/// Можно удалить строку действующего реестра и того, что собирается из отдельных строк и ещё не введён в действие. После этого по её помещению долга в реестре нет. С `If-Match` — только если строка с тех пор не изменилась.
#[utoipa::path(
    delete, path = "/v1/court-debts/{id}", tag = "registry", operation_id = "delete_court_debt",
    params(
        ("id" = Uuid, Path, description = "Идентификатор строки.", example = json!(examples::COURT_DEBT_TO_DELETE)),
        IfMatchHeader, IdempotencyHeader,
    ),
    security(("bearer" = ["registry:write"])),
    responses((status = 204, description = "Строки больше нет.")),
)]
pub(crate) async fn delete_court_debt(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<CourtDebtId>,
) -> Result<HttpResponse, Failure> {
    let version = if_match(request.headers());
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let deleted = service.delete_court_debt(tx, &author, id.0, version).await?;
            no_content().instead_of(&CourtDebt::from(deleted))
        })
    });
    write(&request, &state.service, &caller, [0; 32], use_case).await
}
