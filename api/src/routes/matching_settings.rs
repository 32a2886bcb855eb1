//! `/v1/settings/matching`.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::caller::Authenticated;
use crate::headers::{etag, if_match};
use crate::input::Body;
use crate::problem::Failure;
use crate::query::Query;
use crate::state::AppState;
use crate::views::matching_settings::{MatchingSettings, MatchingSettingsInput};
use crate::writing::{IdempotencyHeader, IfMatchHeader, UseCase, WithHeaders, reply, write};

/// Прочитать настройки сопоставления с реестром
///
/// Пока ничего не задано, сопоставление само не начинается. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/settings/matching", tag = "settings", operation_id = "get_matching_settings",
    security(("bearer" = ["settings:read"])),
    responses((status = 200, description = "Настройки.", body = MatchingSettings)),
)]
pub(crate) async fn get_matching_settings(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let standing = state.service.matching_settings(&caller).await?;
    Ok(HttpResponse::Ok().insert_header(etag(standing.version)).json(MatchingSettings::from(standing)))
}

/// Задать настройки сопоставления с реестром
///
/// После каждого успешного получения запросов из ГИС ЖКХ сопоставление с действующим реестром начинается само: только запросы, на
/// которые никто не ответил и над ответом на которые никто не работает. Если сопоставление уже идёт, следующее начнётся, когда
/// закончится это; сколько бы раз за это время запросы ни были получены, оно будет одно. Без действующего реестра сопоставления не
/// будет. Начало такого сопоставления и его ответы — в журнале действий, от имени шлюза.
///
/// Если у подразделений есть свои действующие реестры, а `department_id` не назван, сопоставлений несколько, по одному за раз:
/// сначала с реестром каждого подразделения, в порядке создания подразделений, и отвечают они только там, где долг найден; затем с
/// реестром всей организации — из того, на что подразделения долга не нашли. Запросы, пришедшие за это время, дождутся следующего
/// круга. Остановленное сопоставление (`POST /v1/operations/{id}/cancel`) заканчивает круг.
///
/// Запросов больше `max_per_run` — сопоставляются те, что с действующими реестрами ещё не сопоставлялись, начиная с ближайшего
/// срока, затем сопоставленные раньше других; остальные — в следующий раз. Если назван `department_id`, сопоставление одно, с
/// реестром этого подразделения: ответ «долга нет» даётся только на его запросы; с `only_debts` сопоставляются все запросы.
///
/// Передаются все настройки целиком; опущенная получает значение по умолчанию. Недоступность ГИС ЖКХ не мешает.
#[utoipa::path(
    put, path = "/v1/settings/matching", tag = "settings", operation_id = "set_matching_settings",
    params(IfMatchHeader, IdempotencyHeader),
    request_body(content = MatchingSettingsInput, example = json!({
        "enabled": false,
        "run_after_sync": true,
        "mode": "prepare",
        "only_debts": false,
        "max_per_run": 10000
    })),
    security(("bearer" = ["settings:write"])),
    responses((status = 200, description = "Настройки заданы.", body = MatchingSettings)),
)]
pub(crate) async fn set_matching_settings(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    body: Body<MatchingSettingsInput>,
) -> Result<HttpResponse, Failure> {
    let version = if_match(request.headers());
    let Body { content, digest } = body;
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let standing = service.set_matching(tx, &author, content.into(), version).await?;
            let version = standing.version;
            Ok(reply(StatusCode::OK, &MatchingSettings::from(standing))?.with_version(version))
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}
