//! `/v1/organizations`.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use debt_core::Error;
use debt_core::domain::caller::Scope;
use debt_core::ids::OrganizationId;

use crate::caller::Authenticated;
use crate::examples;
use crate::headers::{etag, if_match};
use crate::input::{Body, NO_BODY};
use crate::page::Position;
use crate::paging::Ask;
use crate::path::Id;
use crate::problem::Failure;
use crate::query::Query;
use crate::routes::filters::PageParameters;
use crate::state::AppState;
use crate::views::lists::OrganizationPage;
use crate::views::organizations::{AddOrganization, EditOrganization, ServedOrganization};
use crate::writing::{IdempotencyHeader, IfMatchHeader, UseCase, WithHeaders, no_content, reply, write};

/// Список организаций
///
/// Организации вашего токена, в порядке добавления. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/organizations", tag = "access", operation_id = "list_organizations",
    params(PageParameters),
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "Страница организаций.", body = OrganizationPage)),
)]
pub(crate) async fn list_organizations(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["limit", "cursor"])?;
    let ask = Ask::read(&mut query, "organizations", &state)?;
    query.finish()?;
    let after = ask.after.as_ref().map(|position| OrganizationId::from(position.id));
    let rows = state.service.list_own_organizations(&caller, after, ask.rows()).await?;
    ask.respond::<OrganizationPage, _>(&request, &state, rows, |organization| Position {
        key: String::new(),
        id: organization.id.as_uuid(),
    })
}

/// Одна организация
///
/// Версия — в `ETag`. Её сотрудники — в `GET /v1/employees` с заголовком `Organization-Id`. Читает из базы шлюза, ГИС ЖКХ не
/// спрашивает.
#[utoipa::path(
    get, path = "/v1/organizations/{id}", tag = "access", operation_id = "get_organization",
    params(("id" = Uuid, Path, description = "Идентификатор организации.", example = json!(examples::ORGANIZATION))),
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "Организация.", body = ServedOrganization)),
)]
pub(crate) async fn get_organization(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<OrganizationId>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let organization = state.service.get_own_organization(&caller, id.0).await?;
    let version = etag(organization.version);
    Ok(HttpResponse::Ok().insert_header(version).json(ServedOrganization::from(organization)))
}

/// Добавить организацию
///
/// Организация добавляется и в список организаций вашего токена, иначе для неё никто не смог бы выпустить токен: после этого
/// `POST /v1/tokens` выпускает для неё другие, а вы обращаетесь к ней заголовком `Organization-Id`. Запросы без этого заголовка
/// остаются запросами от имени прежней организации; другим токенам новая не видна. Подписывает один из разделов `[signers.ИМЯ]`
/// настроек шлюза. Запросы из ГИС ЖКХ шлюз начинает получать сразу; если ГИС ЖКХ откажет в доступе, это покажут
/// `GET /v1/sync-runs` и `GET /v1/gis/status`. Второй организации с тем же `ppa_guid` не бывает (409): филиалы заводятся
/// подразделениями.
#[utoipa::path(
    post, path = "/v1/organizations", tag = "access", operation_id = "add_organization",
    params(IdempotencyHeader),
    request_body(content = AddOrganization, example = json!({
        "name": "УК «Вторая»",
        "ogrn": "1026605606620",
        "ppa_guid": examples::SUPPLIER,
        "signer": "main",
        "time_zone": "Asia/Yekaterinburg",
        "executors": [{"name": "Вымышленная Ольга Петровна", "gis_id": "5603dc9c-e161-414c-9787-e40836561401"}]
    })),
    security(("bearer" = ["admin"])),
    responses((status = 201, description = "Организация добавлена.", body = ServedOrganization)),
)]
pub(crate) async fn add_organization(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    body: Body<AddOrganization>,
) -> Result<HttpResponse, Failure> {
    caller.need(Scope::Admin)?;
    let Body { content, digest } = body;
    let new = content.command().map_err(Error::Invalid)?;
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let organization = service.open_organization(tx, &author, new).await?;
            let (location, version) =
                (format!("/v1/organizations/{}", organization.id), organization.version);
            let reply = reply(StatusCode::CREATED, &ServedOrganization::from(organization))?;
            Ok(reply.with_location(location).with_version(version))
        })
    });
    let response = write(&request, &state.service, &caller, digest, use_case).await?;
    state.service.forget_token(caller.token);
    Ok(response)
}

/// Изменить организацию
///
/// ОГРН и идентификатор поставщика не меняются. После смены исполнителя по умолчанию запросы без ответа, которые никто не
/// назначал вручную, вскоре распределяются заново. В ГИС ЖКХ ничего не передаётся.
#[utoipa::path(
    patch, path = "/v1/organizations/{id}", tag = "access", operation_id = "edit_organization",
    params(
        ("id" = Uuid, Path, description = "Идентификатор организации.", example = json!(examples::ORGANIZATION)),
        IfMatchHeader, IdempotencyHeader,
    ),
    request_body(content = EditOrganization, example = json!({"name": "УК «Пример»"})),
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "Организация после изменения.", body = ServedOrganization)),
)]
pub(crate) async fn edit_organization(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<OrganizationId>,
    body: Body<EditOrganization>,
) -> Result<HttpResponse, Failure> {
    caller.need(Scope::Admin)?;
    let version = if_match(request.headers());
    let Body { content, digest } = body;
    let edit = content.command().map_err(Error::Invalid)?;
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let organization = service.edit_organization(tx, &author, id.0, edit, version).await?;
            let version = organization.version;
            Ok(reply(StatusCode::OK, &ServedOrganization::from(organization))?.with_version(version))
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

/// Удалить организацию
///
/// Только ту, у которой нет ни запросов, ни файлов, и не ту, от имени которой выполняется запрос (409). Из списков токенов она
/// исчезает; токены, у которых других организаций нет, отзываются, это подействует в течение 30 секунд. В ГИС ЖКХ ничего не
/// передаётся.
#[utoipa::path(
    delete, path = "/v1/organizations/{id}", tag = "access", operation_id = "remove_organization",
    params(
        ("id" = Uuid, Path, description = "Идентификатор организации.", example = json!(examples::ORGANIZATION_TO_DELETE)),
        IfMatchHeader, IdempotencyHeader,
    ),
    security(("bearer" = ["admin"])),
    responses((status = 204, description = "Организации больше нет.")),
)]
pub(crate) async fn remove_organization(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<OrganizationId>,
) -> Result<HttpResponse, Failure> {
    let version = if_match(request.headers());
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            service.close_organization(tx, &author, id.0, version).await?;
            Ok(no_content())
        })
    });
    let response = write(&request, &state.service, &caller, NO_BODY, use_case).await?;
    state.service.forget_tokens();
    Ok(response)
}
