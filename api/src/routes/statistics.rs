//! `/v1/statistics`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use debt_core::domain::statistics::GroupBy;

use super::period::{Period, PeriodParameters};
use crate::caller::Authenticated;
use crate::problem::Failure;
use crate::query::Query;
use crate::state::AppState;
use crate::views::statistics::Statistics;

/// Статистика
///
/// Сколько запросов направлено за эти дни, сколько из них с ответом и откуда он, сколько просрочено, как быстро размещаются
/// ответы: всего и по дням, подразделениям, исполнителям или запрашивающим организациям. Период — не длиннее 366 дней, дни —
/// в часовом поясе организации. Читает из базы шлюза, работает и тогда, когда ГИС ЖКХ недоступна.
#[utoipa::path(
    get, path = "/v1/statistics", tag = "reports", operation_id = "get_statistics",
    params(
        PeriodParameters,
        ("group_by" = Option<String>, Query, description = "По чему сгруппировать: `day` (обычно), `department`, `executor`, `requester`.", max_length = 64, pattern = "^(day|department|executor|requester)$", example = "day"),
    ),
    security(("bearer" = ["stats:read"])),
    responses((status = 200, description = "Статистика.", body = Statistics)),
)]
pub(crate) async fn get_statistics(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["from", "to", "group_by"])?;
    let period = Period::read(&mut query);
    let group_by = query.one_with("group_by", |text| {
        text.parse::<GroupBy>().or(Err("нужно day, department, executor или requester".to_owned()))
    });
    query.finish()?;
    let days = period.days(&state, &caller).await?;
    let group_by = group_by.unwrap_or(GroupBy::Day);
    let report = state.service.statistics(&caller, days, group_by).await?;
    Ok(HttpResponse::Ok().json(Statistics::of(days, group_by, report)))
}
