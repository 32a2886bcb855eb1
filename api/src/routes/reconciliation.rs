//! `/v1/reconciliation` and the list of its mismatches.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::period::{Period, PeriodParameters};
use crate::caller::Authenticated;
use crate::page::Position;
use crate::paging::Ask;
use crate::problem::Failure;
use crate::query::Query;
use crate::routes::filters::PageParameters;
use crate::state::AppState;
use crate::views::lists::MismatchPage;
use crate::views::reconciliation::Reconciliation;

/// Сверка за период
///
/// Для ежедневной сверки с вашей программой: где находятся запросы, направленные в эти дни, — каждый посчитан один раз, — и
/// где в ГИС ЖКХ не тот ответ, что отправлен отсюда. Период — не длиннее 366 дней. Читает из базы шлюза, работает и
/// тогда, когда ГИС ЖКХ недоступна.
#[utoipa::path(
    get, path = "/v1/reconciliation", tag = "answers", operation_id = "get_reconciliation",
    params(PeriodParameters),
    security(("bearer" = ["stats:read"]), ("bearer" = ["answers:read"])),
    responses((status = 200, description = "Сверка.", body = Reconciliation)),
)]
pub(crate) async fn get_reconciliation(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["from", "to"])?;
    let period = Period::read(&mut query);
    query.finish()?;
    let (from, to) = period.days(&state, &caller).await?;
    let report = state.service.reconcile(&caller, from, to).await?;
    Ok(HttpResponse::Ok().json(Reconciliation::from(report)))
}

/// Различия с ГИС ЖКХ
///
/// Все запросы за период, ответ на которые в ГИС ЖКХ не тот, что отправлен отсюда, по сроку ответа, от ближайшего. Период —
/// тот же, что у сверки. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/reconciliation/items", tag = "answers", operation_id = "list_reconciliation_items",
    params(PeriodParameters, PageParameters),
    security(("bearer" = ["stats:read"]), ("bearer" = ["answers:read"])),
    responses((status = 200, description = "Страница различий.", body = MismatchPage)),
)]
pub(crate) async fn list_reconciliation_items(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["from", "to", "limit", "cursor"])?;
    let period = Period::read(&mut query);
    let ask = Ask::read(&mut query, "reconciliation", &state)?;
    query.finish()?;
    let days = period.days(&state, &caller).await?;
    let after = match &ask.after {
        None => None,
        Some(position) => Some((position.key()?, position.id.into())),
    };
    let rows = state.service.list_differences(&caller, days, after, ask.rows()).await?;
    ask.respond::<MismatchPage, _>(&request, &state, rows, |row| Position {
        key: row.place.to_string(),
        id: row.debt_request.as_uuid(),
    })
}
