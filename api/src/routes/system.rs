//! What is not about one debt request: the caller, GIS, dictionaries, health, the document itself.

use actix_web::http::StatusCode;
use actix_web::http::header::ACCEPT;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use debt_core::dictionaries::DictionaryName;
use debt_core::{Code, Error};

use crate::caller::{Authenticated, Identified};
use crate::problem::Failure;
use crate::problem::catalogue::{code_named, entry};
use crate::query::Query;
use crate::state::AppState;
use crate::telemetry::gauges::Gauges;
use crate::telemetry::metrics::Metrics;
use crate::views::system::{Dictionary, DictionaryEntry, GisStatus, Health, Me};

/// Кто я
///
/// Имя клиента, права токена, срок его действия и организации: отсюда берутся значения `Organization-Id`, здесь самого
/// заголовка не нужно. ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/me", tag = "system", operation_id = "get_me",
    security(("bearer" = [])),
    responses((status = 200, description = "Сведения о токене.", body = Me)),
)]
pub(crate) async fn get_me(
    request: HttpRequest,
    state: Data<AppState>,
    Identified(token): Identified,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let me = state.service.me(token).await?;
    Ok(HttpResponse::Ok().json(Me::from(me)))
}

/// Состояние ГИС ЖКХ и очереди
///
/// Отвечает сразу, ГИС ЖКХ не спрашивает: показывает, как она отвечала на последние вызовы. Недоступность ГИС ЖКХ видна
/// здесь и никогда не превращается в ошибку 5xx других методов.
#[utoipa::path(
    get, path = "/v1/gis/status", tag = "system", operation_id = "get_gis_status",
    security(("bearer" = [])),
    responses((status = 200, description = "Состояние ГИС ЖКХ и очереди организации.", body = GisStatus)),
)]
pub(crate) async fn get_gis_status(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let status = state.service.gis_status(&caller).await?;
    Ok(HttpResponse::Ok().json(GisStatus::of(&state.service, status)))
}

/// Справочник
///
/// `document_types` — НСИ 358, `identity_documents` — НСИ 95, `states`, `stages`, `request_statuses`, `response_statuses`; `event_types` — виды
/// событий с пояснениями и ключами `data`; `problem_codes` — коды ошибок в ответах API, `answer_errors` — коды ошибок
/// отправки, файлов и выгрузок (`last_error`, `error`); у ошибок названы причина и что делать. Читает из настроек шлюза,
/// ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/dictionaries/{name}", tag = "system", operation_id = "get_dictionary",
    params(("name" = String, Path, description = "Имя справочника.", pattern = "^[a-z_]+$", max_length = 64, example = "document_types")),
    security(("bearer" = [])),
    responses((status = 200, description = "Записи справочника.", body = Dictionary)),
)]
pub(crate) async fn get_dictionary(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(_caller): Authenticated,
    name: Path<String>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let dictionary = if name.as_str() == PROBLEM_CODES {
        problem_codes()
    } else {
        let name: DictionaryName = name.parse().or(Err(Error::NotFound))?;
        let items = state.service.dictionary(name).into_iter().map(DictionaryEntry::from);
        Dictionary { name: name.to_string(), title: name.label().to_owned(), items: items.collect() }
    };
    Ok(HttpResponse::Ok().json(dictionary))
}

const PROBLEM_CODES: &str = "problem_codes";

fn problem_codes() -> Dictionary {
    let items = Code::ALL.iter().map(|code| {
        let entry = entry(*code);
        DictionaryEntry {
            code: code.as_str().to_owned(),
            name: Some(entry.title.to_owned()),
            cause: Some(entry.cause.to_owned()),
            cure: Some(entry.cure.to_owned()),
            ..DictionaryEntry::default()
        }
    });
    Dictionary {
        name: PROBLEM_CODES.to_owned(), title: "Коды ошибок".to_owned(), items: items.collect()
    }
}

/// Процесс жив
///
/// Для балансировщика. Базу данных и ГИС ЖКХ не проверяет.
#[utoipa::path(
    get, path = "/health/live", tag = "health", operation_id = "get_liveness", security(()),
    responses((status = 200, description = "Процесс жив.", body = Health)),
)]
pub(crate) async fn get_liveness() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok", detail: None })
}

/// Готов принимать запросы
///
/// Проверяет базу данных и её таблицы. ГИС ЖКХ не проверяет: её недоступность не должна выводить шлюз из балансировщика.
#[utoipa::path(
    get, path = "/health/ready", tag = "health", operation_id = "get_readiness", security(()),
    responses(
        (status = 200, description = "Готов.", body = Health),
        (status = 503, description = "Не готов.", body = Health),
    ),
)]
pub(crate) async fn get_readiness(state: Data<AppState>) -> HttpResponse {
    let unready = |detail: &str| {
        let health = Health { status: "unavailable", detail: Some(detail.to_owned()) };
        HttpResponse::build(StatusCode::SERVICE_UNAVAILABLE).json(health)
    };
    match state.service.db.pending_migrations().await {
        Ok(pending) if pending.is_empty() => HttpResponse::Ok().json(Health { status: "ok", detail: None }),
        Ok(_) => unready("таблицы базы данных не обновлены: выполните debtgate migrate"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            unready("база данных не отвечает")
        }
    }
}

/// The document.
pub(crate) async fn get_openapi(state: Data<AppState>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(state.openapi.clone())
}

/// Figures for Prometheus; on the internal port only.
pub(crate) async fn get_metrics(metrics: Data<Metrics>, gauges: Data<Gauges>) -> HttpResponse {
    gauges.fill().await;
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(metrics.render())
}

/// What a problem code means and what to do: the page that `type` of every problem points to.
pub(crate) async fn get_problem_page(
    request: HttpRequest,
    code: Path<String>,
) -> Result<HttpResponse, Failure> {
    let code = code_named(&code).ok_or(Error::NotFound)?;
    let entry = entry(code);
    let wants_json = request
        .headers()
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("json"));
    if wants_json {
        return Ok(HttpResponse::Ok().json(serde_json::json!({
            "code": code.as_str(), "status": entry.status.as_u16(), "title": entry.title,
            "cause": entry.cause, "cure": entry.cure, "retryable": entry.retryable,
        })));
    }
    let page = format!(
        "<!doctype html><html lang=\"ru\"><meta charset=\"utf-8\"><title>{title}</title>\
         <h1>{title}</h1><p><code>{code}</code>, HTTP {status}</p><h2>Почему</h2><p>{cause}</p>\
         <h2>Что делать</h2><p>{cure}</p></html>",
        title = entry.title,
        code = code.as_str(),
        status = entry.status.as_u16(),
        cause = entry.cause,
        cure = entry.cure,
    );
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page))
}
