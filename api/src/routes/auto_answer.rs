//! `/v1/settings/auto-answer`.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::caller::Authenticated;
use crate::headers::{IdempotencyKey, etag, if_match};
use crate::input::{Body, NoBody};
use crate::problem::Failure;
use crate::query::Query;
use crate::state::AppState;
use crate::views::auto_answer::{
    AutoAnswerPreview, AutoAnswerSettings, AutoAnswerSettingsInput, MOST_PREVIEWED,
};
use crate::writing::{IdempotencyHeader, IfMatchHeader, UseCase, WithHeaders, reply, write};

/// Прочитать настройки автоответа
///
/// Пока ничего не задано, автоответ выключен. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/settings/auto-answer", tag = "settings", operation_id = "get_auto_answer_settings",
    security(("bearer" = ["settings:read"])),
    responses((status = 200, description = "Настройки.", body = AutoAnswerSettings)),
)]
pub(crate) async fn get_auto_answer_settings(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let standing = state.service.auto_answer_settings(&caller).await?;
    Ok(HttpResponse::Ok().insert_header(etag(standing.version)).json(AutoAnswerSettings::from(standing)))
}

/// Задать настройки автоответа
///
/// Включённый автоответ каждый день в `run_at` (часовой пояс организации) отвечает «долга нет» на запросы, до последнего дня
/// ответа которых осталось не больше `days_before_due` рабочих дней. Последний день называет ГИС ЖКХ; запросы, срок которых
/// прошёл, остаются ей. Рабочие дни — по производственному календарю и разделу `[calendar]` конфигурации.
///
/// Автоответ даётся только на запрос, по которому действующий реестр не старше `registry_max_age_days` долга не нашёл, ГИС ЖКХ не
/// показывает ответа, никто не написал «долг есть», прежний ответ не отменён, не отозван и не отклонён, и ничего не отправляется
/// и не выясняется. С `require_registry: false` реестра
/// может не быть, но найденный долг и сомнение мешают всё равно. Черновик «долга нет» автоответ заменяет своим.
///
/// Перед ответом запросы ещё раз читаются из ГИС ЖКХ; если она недоступна, автоответ ждёт до следующего дня и никому вслепую
/// не отвечает (тогда событие `auto_answer.stopped`). Отдельный запрос, который ГИС ЖКХ показать не может, других не задерживает:
/// он остаётся сотрудникам с причиной `not_read`. Если ответов больше `max_per_run`, не даётся ни один, событие
/// `auto_answer.stopped`. Итог — операция вида `auto_answer`; у ответов `source: "auto"`.
///
/// Передаются все настройки целиком; опущенная получает значение по умолчанию. Изменённое после `run_at` действует со
/// следующего дня.
#[utoipa::path(
    put, path = "/v1/settings/auto-answer", tag = "settings", operation_id = "set_auto_answer_settings",
    params(IfMatchHeader, IdempotencyHeader),
    request_body(content = AutoAnswerSettingsInput, example = json!({
        "enabled": false,
        "days_before_due": 1,
        "run_at": "10:00",
        "require_registry": true,
        "registry_max_age_days": 30,
        "departments": null,
        "max_per_run": 500,
        "comment": null
    })),
    security(("bearer" = ["settings:write"])),
    responses((status = 200, description = "Настройки заданы.", body = AutoAnswerSettings)),
)]
pub(crate) async fn set_auto_answer_settings(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    body: Body<AutoAnswerSettingsInput>,
) -> Result<HttpResponse, Failure> {
    let version = if_match(request.headers());
    let Body { content, digest } = body;
    let settings = content.settings()?;
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let standing = service.set_auto_answer(tx, &author, settings, version).await?;
            let version = standing.version;
            Ok(reply(StatusCode::OK, &AutoAnswerSettings::from(standing))?.with_version(version))
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

/// Проверить автоответ, никому не отвечая
///
/// Кому автоответ ответил бы сейчас и кого оставил бы сотрудникам, с причинами, — по нынешним настройкам, даже если он выключен.
/// Ничего не меняет. Читает из базы шлюза, ГИС ЖКХ не спрашивает; сам автоответ перечитает запросы, на которые собирается
/// ответить. Показаны первые 1000 запросов, начиная с ближайшего срока; посчитаны все.
#[utoipa::path(
    post, path = "/v1/settings/auto-answer/preview", tag = "settings", operation_id = "preview_auto_answer",
    security(("bearer" = ["settings:read"])),
    responses((status = 200, description = "Что было бы сделано.", body = AutoAnswerPreview)),
)]
pub(crate) async fn preview_auto_answer(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    _: NoBody,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    // Nothing is done that could be repeated, but a bad key is a mistake here as anywhere.
    IdempotencyKey::read(request.headers())?;
    let preview = state.service.preview_auto_answer(&caller, MOST_PREVIEWED).await?;
    Ok(HttpResponse::Ok().json(AutoAnswerPreview::from(preview)))
}
