//! `/v1/departments`.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use debt_core::departments::{EditDepartment as EditCommand, NewDepartment};
use debt_core::ids::DepartmentId;

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
use crate::views::departments::{CreateDepartment, Department, EditDepartment};
use crate::views::lists::{DepartmentHousePage, DepartmentPage};
use crate::writing::{IdempotencyHeader, IfMatchHeader, UseCase, WithHeaders, no_content, reply, write};

/// Список подразделений
///
/// В порядке создания. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/departments", tag = "people", operation_id = "list_departments",
    params(PageParameters),
    security(("bearer" = ["settings:read"])),
    responses((status = 200, description = "Страница подразделений.", body = DepartmentPage)),
)]
pub(crate) async fn list_departments(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["limit", "cursor"])?;
    let ask = Ask::read(&mut query, "departments", &state)?;
    query.finish()?;
    let after = ask.after.as_ref().map(|position| DepartmentId::from(position.id));
    let rows = state.service.list_departments(&caller, after, ask.rows()).await?;
    ask.respond::<DepartmentPage, _>(&request, &state, rows, |department| Position {
        key: String::new(),
        id: department.id.as_uuid(),
    })
}

/// Одно подразделение
///
/// Само подразделение без домов; они читаются постранично. Версия — в `ETag`. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/departments/{id}", tag = "people", operation_id = "get_department",
    params(("id" = Uuid, Path, description = "Идентификатор подразделения.", example = json!(examples::DEPARTMENT))),
    security(("bearer" = ["settings:read"])),
    responses((status = 200, description = "Подразделение.", body = Department)),
)]
pub(crate) async fn get_department(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<DepartmentId>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let department = state.service.get_department(&caller, id.0).await?;
    Ok(HttpResponse::Ok().insert_header(etag(department.version)).json(Department::from(department)))
}

/// Дома подразделения
///
/// В порядке кодов ФИАС. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/departments/{id}/houses", tag = "people", operation_id = "list_department_houses",
    params(
        ("id" = Uuid, Path, description = "Идентификатор подразделения.", example = json!(examples::DEPARTMENT)),
        PageParameters,
    ),
    security(("bearer" = ["settings:read"])),
    responses((status = 200, description = "Страница домов.", body = DepartmentHousePage)),
)]
pub(crate) async fn list_department_houses(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<DepartmentId>,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["limit", "cursor"])?;
    let ask = Ask::read(&mut query, &format!("houses of {}", id.0), &state)?;
    query.finish()?;
    let after = ask.after.as_ref().map(|position| position.id);
    let rows = state.service.list_department_houses(&caller, id.0, after, ask.rows()).await?;
    ask.respond::<DepartmentHousePage, _>(&request, &state, rows, |house| Position {
        key: String::new(),
        id: *house,
    })
}

/// Создать подразделение
///
/// Новые запросы по его домам достаются ответственному сотруднику подразделения. Дом узнаётся по коду ФИАС запроса или по
/// GUID дома в ГИС ЖКХ, если он равен коду ФИАС; запросы по остальным домам и без дома — исполнителю организации по
/// умолчанию. Запросы без ответа, которые никто не назначал вручную, вскоре распределяются заново. Дом другого
/// подразделения — ошибка 422 `house_taken` с местом в списке.
#[utoipa::path(
    post, path = "/v1/departments", tag = "people", operation_id = "create_department",
    params(IdempotencyHeader),
    request_body(content = CreateDepartment, example = json!({
        "name": "Заречный участок",
        "responsible_id": examples::EMPLOYEE,
        "houses": []
    })),
    security(("bearer" = ["settings:write"])),
    responses((status = 201, description = "Подразделение создано.", body = Department)),
)]
pub(crate) async fn create_department(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    body: Body<CreateDepartment>,
) -> Result<HttpResponse, Failure> {
    let Body { content, digest } = body;
    let (author, new) = (caller.clone(), NewDepartment::from(content));
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let department = service.create_department(tx, &author, new).await?;
            let (location, version) = (format!("/v1/departments/{}", department.id), department.version);
            let reply = reply(StatusCode::CREATED, &Department::from(department))?;
            Ok(reply.with_location(location).with_version(version))
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

/// Изменить подразделение
///
/// `houses` заменяет список домов целиком. После смены домов или ответственного запросы без ответа, которые никто не
/// назначал вручную, вскоре распределяются заново; черновики при этом остаются.
#[utoipa::path(
    patch, path = "/v1/departments/{id}", tag = "people", operation_id = "edit_department",
    params(
        ("id" = Uuid, Path, description = "Идентификатор подразделения.", example = json!(examples::DEPARTMENT)),
        IfMatchHeader, IdempotencyHeader,
    ),
    request_body(content = EditDepartment, example = json!({
        "name": "Северный участок",
        "houses": ["5603dc9c-e161-414c-9787-e40836561302", "5603dc9c-e161-414c-9787-e40836561303"]
    })),
    security(("bearer" = ["settings:write"])),
    responses((status = 200, description = "Подразделение после изменения.", body = Department)),
)]
pub(crate) async fn edit_department(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<DepartmentId>,
    body: Body<EditDepartment>,
) -> Result<HttpResponse, Failure> {
    let version = if_match(request.headers());
    let Body { content, digest } = body;
    let (author, edit) = (caller.clone(), EditCommand::from(content));
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let department = service.edit_department(tx, &author, id.0, edit, version).await?;
            let version = department.version;
            Ok(reply(StatusCode::OK, &Department::from(department))?.with_version(version))
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

/// Удалить подразделение
///
/// Его запросы без ответа, в том числе назначенные вручную, вскоре распределяются заново, сотрудники остаются без
/// подразделения. Пока у подразделения есть свой действующий реестр задолженностей, удалить его нельзя (409).
#[utoipa::path(
    delete, path = "/v1/departments/{id}", tag = "people", operation_id = "delete_department",
    params(
        ("id" = Uuid, Path, description = "Идентификатор подразделения.", example = json!(examples::DEPARTMENT_TO_DELETE)),
        IfMatchHeader, IdempotencyHeader,
    ),
    security(("bearer" = ["settings:write"])),
    responses((status = 204, description = "Подразделения больше нет.")),
)]
pub(crate) async fn delete_department(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<DepartmentId>,
) -> Result<HttpResponse, Failure> {
    let version = if_match(request.headers());
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            service.delete_department(tx, &author, id.0, version).await?;
            Ok(no_content())
        })
    });
    write(&request, &state.service, &caller, [0; 32], use_case).await
}
