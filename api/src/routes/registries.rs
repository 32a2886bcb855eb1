//! `/v1/court-debt-registries`.

use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use debt_core::Error;
use debt_core::domain::caller::Scope;
use debt_core::ids::{CourtDebtId, RegistryId};
use debt_core::registries::{MOST_SCAN_BYTES, NewRegistry};
use tracing::Instrument;
use uuid::Uuid;

use crate::caller::Authenticated;
use crate::examples;
use crate::form::{self, FormFile, Shape};
use crate::input::{NO_BODY, NoBody};
use crate::page::Position;
use crate::paging::Ask;
use crate::path::Id;
use crate::problem::Failure;
use crate::query::Query;
use crate::routes::filters::PageParameters;
use crate::state::AppState;
use crate::views::lists::{CourtDebtPage, CourtDebtRegistryPage, RegistryProblemPage};
use crate::views::registries::{CourtDebtRegistry, RegistryForm};
use crate::writing::{IdempotencyHeader, UseCase, WithHeaders, replay, reply, write};

/// Загрузить реестр судебных задолженностей
///
/// Книга Excel, где у каждого адреса с подтверждённым судом долгом одна строка; пустая — `GET /v1/templates/court-debt-registry`.
/// Столбцы ищутся по заголовкам, порядок любой:
///
/// * обязательные: «Дата начала периода задолженности» (когда решение суда вступило в силу), «Идентификатор адреса» (код дома в
///   ФИАС; или «Код ФИАС дома»), «Номер квартиры, комнаты, блока жилого дома», «Фамилия», «Имя»;
/// * остальные: «Дата погашения задолженности», «Адрес дома», «Отчество», «СНИЛС», «Копия судебного акта», «Акт сверки»,
///   «Дополнительные файлы» (или «Дополнительный файлы»), «Дополнительная информация».
///
/// Звёздочка в конце заголовка не мешает. Даты — дд.мм.гггг. Каждая строка проверяется сразу. Реестр с ошибкой хотя бы в одной
/// строке не принимается целиком (`refused`): по пропущенной строке получился бы ответ «нет долга». Ошибки и
/// предупреждения — в `problems_url`. Пустой номер квартиры — дом целиком, с предупреждением `premises_blank`; столбец, которого
/// шлюз не знает, — предупреждение `column_ignored`: нет ли опечатки. Принятый реестр (`checked`) ничего не меняет, пока не введён в действие.
///
/// Сканы, названные в столбцах «Копия судебного акта», «Акт сверки» и «Дополнительные файлы» (несколько имён — через точку с
/// запятой), передаются архивом zip в части `files`: до 100 МБ и 5 000 файлов, каждый — как файл ответа по размеру и типу.
/// Регистр имён и папки архива не важны, имена должны быть уникальными. Скан, не названный ни в одной строке, —
/// предупреждение. Судебный акт войдёт в ответ документом должника, остальное — файлами ответа.
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
    let _upload = state.uploads.begin(caller.organization)?;
    let most = state.service.settings.limits.import_bytes;
    let (file, digest) = read_form(&request, &mut payload.into_inner(), most).await?;
    if let Some(earlier) = replay(&request, &state.service, &caller, digest).await? {
        return Ok(earlier);
    }
    // Thousands of scans take a while. The task goes on when the client hangs up, and what it has stored need not be stored
    // again when he comes back.
    let (service, author) = (Arc::clone(&state.service), caller.clone());
    let check = async move { service.check_registry(&author, file).await };
    let checked = tokio::spawn(check.in_current_span()).await.map_err(Error::internal)??;
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

/// Reads the parts `registry`, `files`, `ogrn` and `department_id`.
async fn read_form(
    request: &HttpRequest,
    payload: &mut Payload,
    most_bytes: u64,
) -> Result<(NewRegistry, [u8; 32]), Failure> {
    let shape = Shape {
        files: &[("registry", most_bytes)],
        archives: &[("files", MOST_SCAN_BYTES)],
        texts: &["ogrn", "department_id"],
    };
    let mut form = form::read(request, payload, shape).await?;
    let (digest, file, ogrn) = (form.digest, form.need("registry"), form.text("ogrn"));
    let scans = form.archive("files");
    let department = form.parse("department_id", "format", "GUID");
    form.finish()?;
    let FormFile { name, content } = file;
    Ok((NewRegistry { file_name: name, content, scans, ogrn, department }, digest))
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
/// В порядке добавления; у реестра с ошибками строк нет. Строки реестра, который не действует, удаляются через 30 дней после
/// замены (если не введён в действие — после загрузки), вместе со сканами, которые больше никому не нужны; сам реестр и числа
/// в нём остаются. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
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
/// вернуть тем же запросом, пока его строки не удалены (30 дней после замены); потом — 409 `state_conflict`. Повторить для
/// действующего — не ошибка.
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
    _: NoBody,
) -> Result<HttpResponse, Failure> {
    let author = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let registry = service.activate_registry(tx, &author, id.0).await?;
            reply(StatusCode::OK, &CourtDebtRegistry::from(registry))
        })
    });
    write(&request, &state.service, &caller, NO_BODY, use_case).await
}
