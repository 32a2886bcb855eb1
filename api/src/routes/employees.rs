//! `/v1/employees`.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use debt_core::employees::{EditEmployee as EditCommand, NewEmployee};
use debt_core::ids::EmployeeId;
use debt_core::store::employees::EmployeeFilter;

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
use crate::views::employees::{CreateEmployee, EditEmployee, Employee};
use crate::views::lists::EmployeePage;
use crate::writing::{IdempotencyHeader, IfMatchHeader, UseCase, WithHeaders, no_content, reply, write};

/// Список сотрудников
///
/// В порядке добавления. Сотрудники, названные при добавлении организации, тоже здесь. Читает из базы шлюза, ГИС ЖКХ не
/// спрашивает.
#[utoipa::path(
    get, path = "/v1/employees", tag = "people", operation_id = "list_employees",
    params(
        ("department_id" = Option<Uuid>, Query, description = "Только сотрудники этого подразделения."),
        ("active" = Option<bool>, Query, description = "Только работающие (`true`) или только остальные (`false`)."),
        PageParameters,
    ),
    security(("bearer" = ["settings:read"])),
    responses((status = 200, description = "Страница сотрудников.", body = EmployeePage)),
)]
pub(crate) async fn list_employees(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["department_id", "active", "limit", "cursor"])?;
    let filter = EmployeeFilter { department: query.one("department_id"), active: query.one("active") };
    let ask = Ask::read(&mut query, "employees", &state)?;
    query.finish()?;
    let after = ask.after.as_ref().map(|position| EmployeeId::from(position.id));
    let rows = state.service.list_employees(&caller, filter, after, ask.rows()).await?;
    ask.respond::<EmployeePage, _>(&request, &state, rows, |employee| Position {
        key: String::new(),
        id: employee.id.as_uuid(),
    })
}

/// Один сотрудник
///
/// Версия — в `ETag`. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/employees/{id}", tag = "people", operation_id = "get_employee",
    params(("id" = Uuid, Path, description = "Идентификатор сотрудника.", example = json!(examples::EMPLOYEE))),
    security(("bearer" = ["settings:read"])),
    responses((status = 200, description = "Сотрудник.", body = Employee)),
)]
pub(crate) async fn get_employee(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<EmployeeId>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let employee = state.service.get_employee(&caller, id.0).await?;
    Ok(HttpResponse::Ok().insert_header(etag(employee.version)).json(Employee::from(employee)))
}

/// Добавить сотрудника
///
/// Сотрудник без `gis_id` готовит ответы, но не отправляет их. В ГИС ЖКХ ничего не передаётся: идентификатор сотрудника
/// берётся из её личного кабинета.
#[utoipa::path(
    post, path = "/v1/employees", tag = "people", operation_id = "create_employee",
    params(IdempotencyHeader),
    request_body(content = CreateEmployee, example = json!({"name": "Вымышленная Ольга Петровна", "gis_id": null})),
    security(("bearer" = ["settings:write"])),
    responses((status = 201, description = "Сотрудник добавлен.", body = Employee)),
)]
pub(crate) async fn create_employee(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    body: Body<CreateEmployee>,
) -> Result<HttpResponse, Failure> {
    let Body { content, digest } = body;
    let (author, new) = (caller.clone(), NewEmployee::from(content));
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let employee = service.create_employee(tx, &author, new).await?;
            let (location, version) = (format!("/v1/employees/{}", employee.id), employee.version);
            let reply = reply(StatusCode::CREATED, &Employee::from(employee))?;
            Ok(reply.with_location(location).with_version(version))
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

/// Изменить сотрудника
///
/// `active: false` — сотрудник больше не работает: его токены отзываются (подействует в течение 30 секунд), а запросы без
/// ответа, которые достались ему по дому или по умолчанию, переходят к исполнителю организации по умолчанию. Запросы,
/// назначенные вручную, остаются за ним, пока их не передадут. Исполнителя по умолчанию нельзя отключить или лишить
/// `gis_id` (409 `employee_in_use`).
#[utoipa::path(
    patch, path = "/v1/employees/{id}", tag = "people", operation_id = "edit_employee",
    params(
        ("id" = Uuid, Path, description = "Идентификатор сотрудника.", example = json!(examples::EMPLOYEE)),
        IfMatchHeader, IdempotencyHeader,
    ),
    request_body(content = EditEmployee, example = json!({"name": "Вымышленная Ольга Петровна"})),
    security(("bearer" = ["settings:write"])),
    responses((status = 200, description = "Сотрудник после изменения.", body = Employee)),
)]
pub(crate) async fn edit_employee(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<EmployeeId>,
    body: Body<EditEmployee>,
) -> Result<HttpResponse, Failure> {
    let version = if_match(request.headers());
    let Body { content, digest } = body;
    let (author, edit) = (caller.clone(), EditCommand::from(content));
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let employee = service.edit_employee(tx, &author, id.0, edit, version).await?;
            let version = employee.version;
            Ok(reply(StatusCode::OK, &Employee::from(employee))?.with_version(version))
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

/// Удалить сотрудника
///
/// Только того, за кем ничего нет: ни подразделения, ни запросов без ответа; иначе 409 `employee_in_use`, и тогда
/// сотрудника можно отключить (`active: false`). Его токены отзываются.
#[utoipa::path(
    delete, path = "/v1/employees/{id}", tag = "people", operation_id = "delete_employee",
    params(
        ("id" = Uuid, Path, description = "Идентификатор сотрудника.", example = json!(examples::EMPLOYEE_TO_DELETE)),
        IfMatchHeader, IdempotencyHeader,
    ),
    security(("bearer" = ["settings:write"])),
    responses((status = 204, description = "Сотрудника больше нет.")),
)]
pub(crate) async fn delete_employee(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<EmployeeId>,
) -> Result<HttpResponse, Failure> {
    let version = if_match(request.headers());
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            service.delete_employee(tx, &author, id.0, version).await?;
            Ok(no_content())
        })
    });
    write(&request, &state.service, &caller, [0; 32], use_case).await
}
