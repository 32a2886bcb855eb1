//! `/v1/debt-requests`.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::NaiveDate;
use debt_core::audit::Changed;
use debt_core::debt_requests::DebtRequestDetails;
use debt_core::domain::caller::Caller;
use debt_core::ids::DebtRequestId;
use debt_core::store::debt_requests::{After, Filter, Sort, SortBy};
use debt_core::{Error, Service};

use crate::caller::Authenticated;
use crate::examples;
use crate::headers::{IdempotencyKey, data_as_of, etag, if_match};
use crate::input::Body;
use crate::page::Position;
use crate::paging::Ask;
use crate::path::Id;
use crate::problem::Failure;
use crate::query::Query;
use crate::routes::filters::{
    DebtRequestFilters, PageParameters, SortParameter, debt_request_parameters, read_debt_request_filter,
};
use crate::state::AppState;
use crate::views::debt_request_input::{AssignDebtRequest, DebtRequestLookup};
use crate::views::debt_requests::{DebtRequest, DebtRequestCounts};
use crate::views::lists::{DebtRequestLookupResult, DebtRequestPage, DebtRequestsNotFound, EventPage};
use crate::writing::{IdempotencyHeader, IfMatchHeader, UseCase, WithBefore, WithHeaders, reply, write};

/// Список запросов
///
/// Читает из базы шлюза: работает и тогда, когда ГИС ЖКХ недоступна; насколько сведения свежи, говорят заголовок
/// `Data-As-Of` и `gis.synced_at`.
/// Показывает все запросы; скрытых условий нет. Фамилии заявителя нет и не будет: ГИС ЖКХ не сообщает её поставщикам.
/// Неизвестный параметр — ошибка 400, чтобы опечатка в фильтре не вернула лишнее.
#[utoipa::path(
    get, path = "/v1/debt-requests", tag = "debt-requests", operation_id = "list_debt_requests",
    params(DebtRequestFilters, PageParameters, SortParameter),
    security(("bearer" = ["requests:read"])),
    responses((status = 200, description = "Страница запросов.", body = DebtRequestPage)),
)]
pub(crate) async fn list_debt_requests(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let names = debt_request_parameters(&["sort", "limit", "cursor"]);
    let mut query = Query::of(request.query_string(), &names)?;
    let conditions = read_debt_request_filter(&mut query);
    let sort = query.one_with("sort", read_sort).unwrap_or(BY_DUE_ON);
    let ask = Ask::read(&mut query, "debt-requests", &state)?;
    query.finish()?;
    let filter = with_day(&state.service, &caller, conditions).await?;
    let after = ask.after.as_ref().map(|position| after(sort, position)).transpose()?;
    let rows = state.service.list_debt_requests(&caller, &filter, sort, after.as_ref(), ask.rows()).await?;
    let mut response =
        ask.respond::<DebtRequestPage, _>(&request, &state, rows, |row| position(sort, row))?;
    tell_age(&mut response, &state, &caller).await?;
    Ok(response)
}

/// Says in `Data-As-Of` when GIS was last read: what is listed may have changed there since.
async fn tell_age(response: &mut HttpResponse, state: &AppState, caller: &Caller) -> Result<(), Error> {
    if let Some((name, value)) = state.service.data_as_of(caller).await?.and_then(data_as_of) {
        response.headers_mut().insert(name, value);
    }
    Ok(())
}

/// Brings the organisation's day into the conditions where `due=today` asks for it.
pub(crate) async fn with_day(
    service: &Service,
    caller: &Caller,
    (mut filter, due_today): (Filter, bool),
) -> Result<Filter, Error> {
    if due_today {
        let today = service.day_of(caller).await?;
        filter.due_from = Some(filter.due_from.map_or(today, |day| day.max(today)));
        filter.due_to = Some(filter.due_to.map_or(today, |day| day.min(today)));
    }
    Ok(filter)
}

const BY_DUE_ON: Sort = Sort { by: SortBy::DueOn, descending: false };

fn read_sort(text: &str) -> Result<Sort, String> {
    let (descending, name) = match text.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, text),
    };
    let by = match name {
        "due_on" => SortBy::DueOn,
        "sent_on" => SortBy::SentOn,
        "updated_at" => SortBy::UpdatedAt,
        _ => return Err("допустимы due_on, sent_on, updated_at и они же с минусом впереди".to_owned()),
    };
    Ok(Sort { by, descending })
}

fn position(sort: Sort, row: &DebtRequestDetails) -> Position {
    let key = match After::of(&row.request, sort.by) {
        After::Day(day, _) => day.to_string(),
        After::Moment(moment, _) => moment.timestamp_micros().to_string(),
    };
    Position { key, id: row.request.id.as_uuid() }
}

fn after(sort: Sort, position: &Position) -> Result<After, Error> {
    let id = DebtRequestId::from(position.id);
    Ok(match sort.by {
        SortBy::DueOn | SortBy::SentOn => After::Day(position.key::<NaiveDate>()?, id),
        SortBy::UpdatedAt => After::Moment(position.moment()?, id),
    })
}

/// Сколько запросов подходит под условия
///
/// Те же условия, что у списка. Удобно для счётчика новых запросов. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/debt-requests/count", tag = "debt-requests", operation_id = "count_debt_requests",
    params(DebtRequestFilters),
    security(("bearer" = ["requests:read"])),
    responses((status = 200, description = "Количество запросов.", body = DebtRequestCounts)),
)]
pub(crate) async fn count_debt_requests(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &debt_request_parameters(&[]))?;
    let conditions = read_debt_request_filter(&mut query);
    query.finish()?;
    let filter = with_day(&state.service, &caller, conditions).await?;
    let counts = state.service.count_debt_requests(&caller, &filter).await?;
    let mut response = HttpResponse::Ok().json(DebtRequestCounts::from(counts));
    tell_age(&mut response, &state, &caller).await?;
    Ok(response)
}

/// Один запрос
///
/// Читает из базы шлюза, ГИС ЖКХ не спрашивает. Чужой и несуществующий запрос дают один и тот же ответ 404.
#[utoipa::path(
    get, path = "/v1/debt-requests/{id}", tag = "debt-requests", operation_id = "get_debt_request",
    params(("id" = Uuid, Path, description = "GUID подзапроса в ГИС ЖКХ.", example = json!(examples::DEBT_REQUEST))),
    security(("bearer" = ["requests:read"])),
    responses((status = 200, description = "Запрос.", body = DebtRequest)),
)]
pub(crate) async fn get_debt_request(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<DebtRequestId>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let details = state.service.get_debt_request(&caller, id.0).await?;
    Ok(HttpResponse::Ok().insert_header(etag(details.request.version)).json(DebtRequest::from(details)))
}

/// История запроса
///
/// События запроса и его ответов, от старых к новым. Персональных данных в событиях нет. Читает из базы шлюза.
#[utoipa::path(
    get, path = "/v1/debt-requests/{id}/history", tag = "debt-requests", operation_id = "list_debt_request_history",
    params(
        ("id" = Uuid, Path, description = "GUID подзапроса в ГИС ЖКХ.", example = json!(examples::DEBT_REQUEST)),
        PageParameters,
    ),
    security(("bearer" = ["requests:read"])),
    responses((status = 200, description = "Страница событий.", body = EventPage)),
)]
pub(crate) async fn list_debt_request_history(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<DebtRequestId>,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["limit", "cursor"])?;
    let ask = Ask::read(&mut query, &format!("history of {}", id.0), &state)?;
    query.finish()?;
    let after = ask.after.as_ref().map(Position::key::<i64>).transpose()?;
    let rows = state.service.list_debt_request_history(&caller, id.0, after, ask.rows()).await?;
    ask.respond::<EventPage, _>(&request, &state, rows, |row| Position {
        key: row.sequence.to_string(),
        id: row.id.as_uuid(),
    })
}

/// Назначить запрос
///
/// Передаёт запрос подразделению или исполнителю, записывает заметку. В ГИС ЖКХ ничего не передаётся.
///
/// `department_id` — другое подразделение: ответственным и исполнителем становится его ответственный; `null` — исполнитель
/// организации по умолчанию. `executor_id` — кто готовит ответ; если ответственный работает в подразделении, то только
/// сотрудник того же подразделения; `null` снимает исполнителя. Назначенное так не меняется, когда меняются дома
/// подразделений. Токен сотрудника передаёт только запросы, за которые сотрудник отвечает (403 `not_responsible`).
/// `If-Match` защищает от одновременных изменений.
#[utoipa::path(
    patch, path = "/v1/debt-requests/{id}", tag = "debt-requests", operation_id = "assign_debt_request",
    params(
        ("id" = Uuid, Path, description = "GUID подзапроса в ГИС ЖКХ.", example = json!(examples::DEBT_REQUEST)),
        IfMatchHeader, IdempotencyHeader,
    ),
    request_body(content = AssignDebtRequest, example = json!({"note": "Проверить решение суда"})),
    security(("bearer" = ["answers:write"])),
    responses((status = 200, description = "Запрос после изменения.", body = DebtRequest)),
)]
pub(crate) async fn assign_debt_request(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<DebtRequestId>,
    body: Body<AssignDebtRequest>,
) -> Result<HttpResponse, Failure> {
    let Body { content: value, digest } = body;
    let version = if_match(request.headers());
    let owner = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let Changed { before, after } =
                service.assign_debt_request(tx, &owner, id.0, value.into(), version).await?;
            let version = after.request.version;
            let reply = reply(StatusCode::OK, &DebtRequest::from(after))?.with_version(version);
            reply.instead_of(&DebtRequest::from(before))
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

/// Найти запросы по идентификаторам и номерам
///
/// До 1000 за раз. Чего у организации нет, перечислено в `not_found`. Читает из базы шлюза.
#[utoipa::path(
    post, path = "/v1/debt-requests/lookup", tag = "debt-requests", operation_id = "lookup_debt_requests",
    request_body(content = DebtRequestLookup, example = json!({"ids": [examples::DEBT_REQUEST], "request_numbers": []})),
    security(("bearer" = ["requests:read"])),
    responses((status = 200, description = "Найденные запросы.", body = DebtRequestLookupResult)),
)]
pub(crate) async fn lookup_debt_requests(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    body: Body<DebtRequestLookup>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    // Nothing is done that could be repeated, but a bad key is a mistake here as anywhere.
    IdempotencyKey::read(request.headers())?;
    let DebtRequestLookup { ids, request_numbers } = body.content;
    let ids: Vec<_> = ids.into_iter().map(DebtRequestId::from).collect();
    let found = state.service.lookup_debt_requests(&caller, &ids, &request_numbers).await?;
    Ok(HttpResponse::Ok().json(DebtRequestLookupResult {
        items: found.found.into_iter().map(Into::into).collect(),
        not_found: DebtRequestsNotFound {
            ids: found.ids_not_found.into_iter().map(DebtRequestId::as_uuid).collect(),
            request_numbers: found.numbers_not_found,
        },
    }))
}
