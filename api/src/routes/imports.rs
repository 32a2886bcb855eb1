//! `/v1/imports`.

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::web::{Data, Payload};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use debt_core::Error;
use debt_core::domain::caller::Scope;
use debt_core::domain::import::{AnswerColumnMode, ImportMode};
use debt_core::domain::operation::Outcome;
use debt_core::ids::ImportId;
use debt_core::imports as core;
use uuid::Uuid;

use crate::caller::Authenticated;
use crate::examples;
use crate::form::{self, FormFile, Shape, is_form};
use crate::input::{Body, NO_BODY, NoBody};
use crate::page::Position;
use crate::paging::Ask;
use crate::path::Id;
use crate::problem::Failure;
use crate::query::Query;
use crate::routes::exports::{Spreadsheet, spreadsheet};
use crate::routes::filters::PageParameters;
use crate::state::AppState;
use crate::views::imports::{CreateImport, Import, ImportForm};
use crate::views::lists::{ImportPage, ImportRowPage};
use crate::writing::{IdempotencyHeader, UseCase, WithHeaders, replay, reply, write};

/// Seconds after which it is worth asking for an import again.
const AGAIN: i64 = 5;

/// Загрузить ответы из файла Excel
///
/// Книга xlsx, которую дала выгрузка в Excel (или файл обмена РИАС ЖКХ с теми же заголовками; пустой — `GET
/// /v1/templates/answers`), с заполненными ответами: `multipart/form-data` или JSON с base64. Если файл не книга Excel или в нём
/// нет обязательного столбца, он не принимается сразу (422). Книга с одним списком подзапросов принимается — для сопоставления
/// (`import_id`), — но ответов в ней нет, и обработка закончится ошибкой `column_missing`. Обработка идёт в фоне, её ход показывает `GET /v1/imports/{id}`.
///
/// `mode=preview` (по умолчанию) только проверяет: показывает, что стало бы с каждой строкой; затем `apply` применяет.
/// `mode=apply` применяет сразу: строки с ошибками не приняты, остальные приняты. Ответы, которые уже есть, — `unchanged`,
/// поэтому загрузить файл ещё раз безопасно. Ответ, который ждёт отправки, файл с другим содержанием не заменяет
/// (`answer_queued`), отклонённый ГИС ЖКХ не повторяет (`rejected_before`); пустой комментарий прежнему не противоречит.
/// Если таблица есть на двух листах, файл не принимается (`two_tables`). Несколько должников — несколько строк с одним
/// подзапросом. «Есть документы» — ДА: ответ остаётся подготовленным и ждёт файлов; пока работа над ним не завершена
/// (`complete`), их добавляют и исполнитель запроса, и тот, кто применил книгу. `submit=true` требует права `answers:submit`.
#[utoipa::path(
    post, path = "/v1/imports", tag = "imports", operation_id = "create_import",
    params(IdempotencyHeader),
    request_body(content(
        (CreateImport = "application/json", example = json!({
            "file_name": "Запросы.xlsx",
            "content_base64": examples::WORKBOOK,
            "mode": "preview"
        })),
        (ImportForm = "multipart/form-data"),
    )),
    security(("bearer" = ["answers:write"])),
    responses((status = 202, description = "Файл принят в обработку.", body = Import)),
)]
pub(crate) async fn create_import(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    payload: Payload,
) -> Result<HttpResponse, Failure> {
    // Nobody uploads megabytes to be told that he may not.
    caller.need(Scope::AnswersWrite)?;
    let _upload = state.uploads.begin(caller.organization)?;
    let mut payload = payload.into_inner();
    let (command, digest, pointer) = if is_form(&request) {
        let most = state.service.settings.limits.import_bytes;
        let (command, digest) = read_form(&request, &mut payload, most).await?;
        (command, digest, "/file")
    } else {
        let Body { content, digest } = Body::<CreateImport>::from_request(&request, &mut payload).await?;
        (content.command().map_err(Error::Invalid)?, digest, "/content_base64")
    };
    if let Some(earlier) = replay(&request, &state.service, &caller, digest).await? {
        return Ok(earlier);
    }
    // Not within the transaction, for which others would wait.
    let staged = state.service.stage_import(&caller, command, pointer).await?;
    let owner = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let import = Import::from(service.create_import(tx, &owner, staged).await?);
            accepted(&import)
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

fn accepted(import: &Import) -> Result<debt_core::idempotency::Reply, Error> {
    let location = format!("/v1/imports/{}", import.id);
    Ok(reply(StatusCode::ACCEPTED, import)?.with_location(location).with_retry_after(Some(AGAIN)))
}

/// Reads the parts `file`, `mode`, `answer_column` and `submit`.
async fn read_form(
    request: &HttpRequest,
    payload: &mut actix_web::dev::Payload,
    limit: u64,
) -> Result<(core::CreateImport, [u8; 32]), Failure> {
    let texts = &["mode", "answer_column", "submit"];
    let shape = Shape { files: &[("file", limit)], texts, ..Shape::default() };
    let mut form = form::read(request, payload, shape).await?;
    let (digest, file) = (form.digest, form.need("file"));
    let mode = form.parse("mode", "enum", "preview или apply").unwrap_or(ImportMode::Preview);
    let answer_column =
        form.parse("answer_column", "enum", "strict или legacy").unwrap_or(AnswerColumnMode::Strict);
    let submit = form.parse("submit", "enum", "true или false").unwrap_or(false);
    form.finish()?;
    let FormFile { name, content } = file;
    Ok((core::CreateImport { file_name: name, content, mode, answer_column, submit }, digest))
}

/// Применить проверенный файл
///
/// Строки с ошибками не принимаются, остальные становятся ответами. Только для файла в состоянии `checked`; ответы создаются от
/// имени того, кто применяет. Если файл загружен с `submit=true`, нужно право `answers:submit`.
#[utoipa::path(
    post, path = "/v1/imports/{id}/apply", tag = "imports", operation_id = "apply_import",
    params(
        ("id" = Uuid, Path, description = "Идентификатор загрузки.", example = json!(examples::IMPORT_TO_APPLY)),
        IdempotencyHeader,
    ),
    security(("bearer" = ["answers:write"])),
    responses((status = 202, description = "Файл применяется.", body = Import)),
)]
pub(crate) async fn apply_import(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<ImportId>,
    _: NoBody,
) -> Result<HttpResponse, Failure> {
    let owner = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let import = Import::from(service.apply_import(tx, &owner, id.0).await?);
            accepted(&import)
        })
    });
    write(&request, &state.service, &caller, NO_BODY, use_case).await
}

/// История загрузок файлов
///
/// От новых к старым. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/imports", tag = "imports", operation_id = "list_imports",
    params(PageParameters),
    security(("bearer" = ["answers:write"])),
    responses((status = 200, description = "Страница загрузок.", body = ImportPage)),
)]
pub(crate) async fn list_imports(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["limit", "cursor"])?;
    let ask = Ask::read(&mut query, "imports", &state)?;
    query.finish()?;
    let after = match &ask.after {
        None => None,
        Some(position) => Some((position.moment()?, position.id.into())),
    };
    let rows = state.service.list_imports(&caller, after, ask.rows()).await?;
    ask.respond::<ImportPage, _>(&request, &state, rows, |row| Position {
        key: row.import.created_at.timestamp_micros().to_string(),
        id: row.import.id.as_uuid(),
    })
}

/// Одна загрузка
///
/// Пока файл не обработан, `Retry-After` говорит, когда спросить снова. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/imports/{id}", tag = "imports", operation_id = "get_import",
    params(("id" = Uuid, Path, description = "Идентификатор загрузки.", example = json!(examples::IMPORT))),
    security(("bearer" = ["answers:write"])),
    responses((status = 200, description = "Загрузка.", body = Import)),
)]
pub(crate) async fn get_import(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<ImportId>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let import = Import::from(state.service.get_import(&caller, id.0).await?);
    let mut response = HttpResponse::Ok();
    if !import.is_final {
        response.insert_header((RETRY_AFTER, AGAIN.to_string()));
    }
    Ok(response.json(import))
}

/// Строки файла и их итог
///
/// В порядке строк: каждый ответ один раз (по первой его строке) и каждая строка с ошибкой. Пропущенных строк здесь нет.
/// Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/imports/{id}/rows", tag = "imports", operation_id = "list_import_rows",
    params(
        ("id" = Uuid, Path, description = "Идентификатор загрузки.", example = json!(examples::IMPORT)),
        ("outcome" = Option<String>, Query, description = "Только строки с этим итогом: `refused`, `unchanged`, `deleted` или состояние ответа.", max_length = 64, example = "refused"),
        PageParameters,
    ),
    security(("bearer" = ["answers:write"])),
    responses((status = 200, description = "Страница строк.", body = ImportRowPage)),
)]
pub(crate) async fn list_import_rows(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<ImportId>,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["outcome", "limit", "cursor"])?;
    let outcome = query.one_with("outcome", |text| {
        Outcome::named(text)
            .ok_or_else(|| "нужно refused, unchanged, deleted или состояние ответа".to_owned())
    });
    let ask = Ask::read(&mut query, &format!("rows of {}", id.0), &state)?;
    query.finish()?;
    let after = ask.after.as_ref().map(Position::key::<i64>).transpose()?;
    let rows = state.service.list_import_rows(&caller, id.0, outcome, after, ask.rows()).await?;
    ask.respond::<ImportRowPage, _>(&request, &state, rows, |row| Position {
        key: row.row.row.to_string(),
        id: Uuid::nil(),
    })
}

/// Книга с отмеченными ошибками
///
/// Тот же лист с теми же строками: ошибочные ячейки закрашены, справа добавлены столбцы «Ошибка» и «Столбец с ошибкой».
/// Исправленную книгу можно загрузить снова. Если отмечать нечего — 409 `state_conflict`.
#[utoipa::path(
    get, path = "/v1/imports/{id}/marked", tag = "imports", operation_id = "get_marked_import",
    params(("id" = Uuid, Path, description = "Идентификатор загрузки.", example = json!(examples::IMPORT))),
    security(("bearer" = ["answers:write"])),
    responses((
        status = 200, description = "Книга Excel.",
        content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body = Spreadsheet,
    )),
)]
pub(crate) async fn get_marked_import(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<ImportId>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let content = state.service.marked_import(&caller, id.0).await?;
    Ok(spreadsheet(format!("import-{}-errors.xlsx", id.0), content))
}
