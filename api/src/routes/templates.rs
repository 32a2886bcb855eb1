//! `/v1/templates`.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use debt_core::Error;
use debt_core::spreadsheets::Template;
use tokio::task::spawn_blocking;

use crate::caller::Authenticated;
use crate::problem::Failure;
use crate::query::Query;
use crate::routes::exports::{Spreadsheet, spreadsheet};

/// Шаблон книги Excel
///
/// Пустая книга с нужными столбцами: `court-debt-registry` — для `POST /v1/court-debt-registries`, `answers` — для
/// `POST /v1/imports`, `accounts` — для `PUT /v1/accounts`. На втором листе, «Пример», у каждого столбца вымышленный пример и
/// сказано, что в нём указать; при загрузке этот лист не читается. Шаблон, в котором не заполнено ни одной строки, не
/// принимается: `rows_missing`. Для ответов удобнее книга из `POST /v1/exports`: в ней запросы уже есть. ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/templates/{name}", tag = "system", operation_id = "get_template",
    params(("name" = String, Path, description = "Какая книга: `court-debt-registry`, `answers` или `accounts`.", pattern = "^[a-z-]+$", max_length = 64, example = "court-debt-registry")),
    security(("bearer" = [])),
    responses((
        status = 200, description = "Книга Excel.",
        content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body = Spreadsheet,
    )),
)]
pub(crate) async fn get_template(
    request: HttpRequest,
    Authenticated(_caller): Authenticated,
    name: Path<String>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let template: Template = name.parse().or(Err(Error::NotFound))?;
    let written = spawn_blocking(move || template.content()).await.map_err(Error::internal)?;
    let content = written.map_err(Error::internal)?;
    Ok(spreadsheet(format!("{template}.xlsx"), content.into()))
}
