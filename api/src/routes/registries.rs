//! `/v1/court-debt-registries`.

use actix_multipart::Multipart;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Data};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use bytes::Bytes;
use debt_core::domain::caller::Scope;
use debt_core::error::Mistake;
use debt_core::ids::{CourtDebtId, DepartmentId, RegistryId};
use debt_core::registries::NewRegistry;
use debt_core::spreadsheets::Limits;
use debt_core::{Code, Error};
use futures_util::StreamExt;
use uuid::Uuid;

use super::attachments::{broken, digest, file_name, read_part};
use crate::caller::Authenticated;
use crate::examples;
use crate::page::Position;
use crate::paging::Ask;
use crate::path::Id;
use crate::problem::Failure;
use crate::query::Query;
use crate::routes::filters::PageParameters;
use crate::state::AppState;
use crate::views::lists::{CourtDebtPage, CourtDebtRegistryPage, RegistryProblemPage};
use crate::views::registries::{CourtDebtRegistry, RegistryForm};
use crate::writing::{IdempotencyHeader, UseCase, WithHeaders, reply, write};

/// Загрузить реестр судебных задолженностей
///
/// Книга Excel, где у каждого адреса с подтверждённым судом долгом одна строка. Столбцы ищутся по заголовкам, порядок
/// любой; столбцы с именами файлов должны быть пустыми. Каждая строка проверяется сразу. Реестр с ошибкой хотя бы в одной
/// строке не принимается целиком (`refused`): по пропущенной строке получился бы ответ «нет долга». Ошибки и
/// предупреждения — в `problems_url`. Принятый реестр (`checked`) ничего не меняет, пока не введён в действие.
///
/// ОГРН организации должен быть в имени файла или в части `ogrn` — защита от чужого реестра. Список запросов, выгруженный
/// из ГИС ЖКХ, не принимается.
#[utoipa::path(
    post, path = "/v1/court-debt-registries", tag = "registry", operation_id = "upload_registry",
    params(IdempotencyHeader),
    request_body(content((RegistryForm = "multipart/form-data"))),
    security(("bearer" = ["registry:write"])),
    responses((status = 202, description = "Реестр прочитан и проверен.", body = CourtDebtRegistry)),
)]
pub(crate) async fn upload_registry(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    caller.need(Scope::RegistryWrite)?;
    let (file, digest) = read_form(&request, &mut payload.into_inner()).await?;
    let checked = state.service.check_registry(&caller, file).await?;
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let registry = service.store_registry(tx, &author, checked).await?;
            let location = format!("/v1/court-debt-registries/{}", registry.id);
            let reply = reply(StatusCode::ACCEPTED, &CourtDebtRegistry::from(registry))?;
            Ok(reply.with_location(location))
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

/// Reads the parts `registry`, `ogrn` and `department_id`, each at most once, nothing else.
async fn read_form(request: &HttpRequest, payload: &mut Payload) -> Result<(NewRegistry, [u8; 32]), Failure> {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|text| text.to_ascii_lowercase().starts_with("multipart/form-data")) {
        return Err(Failure::new(Code::MediaTypeUnsupported, "нужен Content-Type: multipart/form-data"));
    }
    let mut form = Multipart::from_request(request, payload).await.or(Err(broken()))?;
    let mut file: Option<(String, Bytes)> = None;
    let (mut ogrn, mut department) = (None, None);
    let mut mistakes = Vec::new();
    while let Some(part) = form.next().await {
        let part = part.or(Err(broken()))?;
        match part.name().unwrap_or_default().to_owned().as_str() {
            "registry" if file.is_none() => {
                let name = part.content_disposition().and_then(file_name);
                let content = read_part(part, Limits::default().file_bytes).await?;
                file = Some((name.unwrap_or_default(), content));
            }
            "ogrn" if ogrn.is_none() => ogrn = Some(read_text(read_part(part, MOST_TEXT).await?)?),
            "department_id" if department.is_none() => {
                department = Some(read_text(read_part(part, MOST_TEXT).await?)?);
            }
            "registry" | "ogrn" | "department_id" => {
                return Err(
                    Error::Invalid(vec![Mistake::at("", "repeated", "часть формы повторяется")]).into()
                );
            }
            _ => mistakes.push(unknown_part()),
        }
    }
    if file.is_none() {
        mistakes.push(Mistake::at("/registry", "required", "нет части registry"));
    }
    let department_id = department.as_deref().map(str::parse::<DepartmentId>).transpose();
    if department_id.is_err() {
        mistakes.push(Mistake::at("/department_id", "format", "нужен GUID"));
    }
    match (file, department_id) {
        (Some((file_name, content)), Ok(department_id)) if mistakes.is_empty() => {
            let bytes = |text: &Option<String>| text.clone().unwrap_or_default().into_bytes();
            let digest = digest(&[file_name.as_bytes(), &bytes(&ogrn), &bytes(&department), &content]);
            Ok((NewRegistry { file_name, content, ogrn, department: department_id }, digest))
        }
        (_, _) => Err(Error::Invalid(mistakes).into()),
    }
}

/// Most bytes of a text part.
const MOST_TEXT: u64 = 1024;

fn read_text(content: Bytes) -> Result<String, Failure> {
    String::from_utf8(content.to_vec()).map(|text| text.trim().to_owned()).or(Err(broken()))
}

fn unknown_part() -> Mistake {
    let detail = "форма состоит из частей registry, ogrn и department_id; другие не допускаются";
    Mistake::at("", "unknown_field", detail)
}

/// Список реестров
///
/// От новых к старым, вместе с заменёнными и не принятыми. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/court-debt-registries", tag = "registry", operation_id = "list_registries",
    params(PageParameters),
    security(("bearer" = ["registry:read"])),
    responses((status = 200, description = "Страница реестров.", body = CourtDebtRegistryPage)),
)]
pub(crate) async fn list_registries(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["limit", "cursor"])?;
    let ask = Ask::read(&mut query, "registries", &state)?;
    query.finish()?;
    let after = match &ask.after {
        None => None,
        Some(position) => Some((position.moment()?, position.id.into())),
    };
    let rows = state.service.list_registries(&caller, after, ask.rows()).await?;
    ask.respond::<CourtDebtRegistryPage, _>(&request, &state, rows, |registry| Position {
        key: registry.created_at.timestamp_micros().to_string(),
        id: registry.id.as_uuid(),
    })
}

/// Один реестр
///
/// Сам реестр без строк. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/court-debt-registries/{id}", tag = "registry", operation_id = "get_registry",
    params(("id" = Uuid, Path, description = "Идентификатор реестра.", example = json!(examples::REGISTRY))),
    security(("bearer" = ["registry:read"])),
    responses((status = 200, description = "Реестр.", body = CourtDebtRegistry)),
)]
pub(crate) async fn get_registry(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<RegistryId>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let registry = state.service.get_registry(&caller, id.0).await?;
    Ok(HttpResponse::Ok().json(CourtDebtRegistry::from(registry)))
}

/// Ошибки и предупреждения реестра
///
/// По порядку строк файла; перечислено не больше тысячи ошибок и тысячи предупреждений, посчитаны все. Значения ячеек не
/// повторяются. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/court-debt-registries/{id}/problems", tag = "registry", operation_id = "list_registry_problems",
    params(
        ("id" = Uuid, Path, description = "Идентификатор реестра.", example = json!(examples::REGISTRY)),
        PageParameters,
    ),
    security(("bearer" = ["registry:read"])),
    responses((status = 200, description = "Страница ошибок и предупреждений.", body = RegistryProblemPage)),
)]
pub(crate) async fn list_registry_problems(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<RegistryId>,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["limit", "cursor"])?;
    let ask = Ask::read(&mut query, &format!("problems of {}", id.0), &state)?;
    query.finish()?;
    let after = ask.after.as_ref().map(Position::key::<usize>).transpose()?.unwrap_or(0);
    let limit = usize::try_from(ask.rows()).unwrap_or(usize::MAX);
    let rows = state.service.list_registry_problems(&caller, id.0, after, limit).await?;
    ask.respond::<RegistryProblemPage, _>(&request, &state, rows, |(place, _)| Position {
        key: place.to_string(),
        id: Uuid::nil(),
    })
}

/// Строки реестра
///
/// В порядке добавления; у реестра с ошибками строк нет. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/court-debt-registries/{id}/rows", tag = "registry", operation_id = "list_registry_rows",
    params(
        ("id" = Uuid, Path, description = "Идентификатор реестра.", example = json!(examples::REGISTRY)),
        ("fias_house_id" = Option<Uuid>, Query, description = "Только строки этого дома (код ФИАС)."),
        PageParameters,
    ),
    security(("bearer" = ["registry:read"])),
    responses((status = 200, description = "Страница строк.", body = CourtDebtPage)),
)]
pub(crate) async fn list_registry_rows(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<RegistryId>,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["fias_house_id", "limit", "cursor"])?;
    let house = query.one::<Uuid>("fias_house_id");
    let ask = Ask::read(&mut query, &format!("rows of {}", id.0), &state)?;
    query.finish()?;
    let after = ask.after.as_ref().map(|position| CourtDebtId::from(position.id));
    let rows = state.service.list_registry_rows(&caller, id.0, house, after, ask.rows()).await?;
    ask.respond::<CourtDebtPage, _>(&request, &state, rows, |kept| Position {
        key: String::new(),
        id: kept.debt.entry.id.as_uuid(),
    })
}

/// Ввести реестр в действие
///
/// Прежний действующий реестр организации (или подразделения) заменяется целиком и сразу. Заменённый реестр можно
/// вернуть тем же запросом. Повторить для действующего — не ошибка.
#[utoipa::path(
    post, path = "/v1/court-debt-registries/{id}/activate", tag = "registry", operation_id = "activate_registry",
    params(
        ("id" = Uuid, Path, description = "Идентификатор реестра.", example = json!(examples::REGISTRY)),
        IdempotencyHeader,
    ),
    security(("bearer" = ["registry:write"])),
    responses((status = 200, description = "Реестр действует.", body = CourtDebtRegistry)),
)]
pub(crate) async fn activate_registry(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<RegistryId>,
) -> Result<HttpResponse, Failure> {
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let registry = service.activate_registry(tx, &author, id.0).await?;
            reply(StatusCode::OK, &CourtDebtRegistry::from(registry))
        })
    });
    write(&request, &state.service, &caller, [0; 32], use_case).await
}
