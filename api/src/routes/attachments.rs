//! `/v1/attachments`.

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CONTENT_DISPOSITION, ContentDisposition, DispositionParam, DispositionType, ExtendedValue,
};
use actix_web::web::{self, Data};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use debt_core::Error;
use debt_core::attachments::NewFile;
use debt_core::domain::attachment as domain;
use debt_core::domain::caller::Scope;
use debt_core::ids::AttachmentId;

use crate::caller::Authenticated;
use crate::examples;
use crate::form::{self, FormFile, Shape, is_form};
use crate::input::Body;
use crate::path::Id;
use crate::problem::Failure;
use crate::query::Query;
use crate::state::AppState;
use crate::views::attachments::{Attachment, AttachmentForm, UploadAttachment};
use crate::writing::{IdempotencyHeader, UseCase, WithHeaders, no_content, reply, write};

/// Загрузить файл
///
/// Одним запросом один файл: `multipart/form-data` или JSON с base64. Тип проверяется по содержимому; принимаются типы,
/// которые принимает ГИС ЖКХ, или те из них, которые разрешил администратор шлюза. Тот же файл ещё раз вернёт прежний
/// идентификатор. В ГИС ЖКХ файл уходит позже, вместе с ответом, поэтому её недоступность не мешает.
#[utoipa::path(
    post, path = "/v1/attachments", tag = "attachments", operation_id = "upload_attachment",
    params(IdempotencyHeader),
    request_body(content(
        (UploadAttachment = "application/json", example = json!({
            "file_name": "Решение суда.txt",
            "description": "Решение суда",
            "content_base64": "0KDQtdGI0LXQvdC40LUg0YHRg9C00LA="
        })),
        (AttachmentForm = "multipart/form-data"),
    )),
    security(("bearer" = ["attachments:write"])),
    responses((status = 201, description = "Файл принят.", body = Attachment)),
)]
pub(crate) async fn upload_attachment(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    // Nobody uploads megabytes to be told that he may not.
    caller.need(Scope::AttachmentsWrite)?;
    let _upload = state.uploads.begin(caller.organization)?;
    let mut payload = payload.into_inner();
    let (file, digest) = if is_form(&request) {
        read_form(&request, &mut payload, state.service.settings.limits.file_bytes).await?
    } else {
        let Body { content, digest } = Body::<UploadAttachment>::from_request(&request, &mut payload).await?;
        (content.command().map_err(Error::Invalid)?, digest)
    };
    let owner = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            let file = service.upload_attachment(tx, &owner, file).await?;
            let location = format!("/v1/attachments/{}", file.id);
            Ok(reply(StatusCode::CREATED, &Attachment::from(file))?.with_location(location))
        })
    });
    write(&request, &state.service, &caller, digest, use_case).await
}

/// Reads the parts `file` and `description`.
async fn read_form(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: u64,
) -> Result<(NewFile, [u8; 32]), Failure> {
    let shape = Shape { files: &[("file", limit)], texts: &["description"], ..Shape::default() };
    let mut form = form::read(request, payload, shape).await?;
    let (digest, file, description) = (form.digest, form.need("file"), form.text("description"));
    form.finish()?;
    let FormFile { name, content } = file;
    Ok((NewFile { file_name: name, description, content, sha256: None }, digest))
}

/// Сведения о файле
///
/// Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/attachments/{id}", tag = "attachments", operation_id = "get_attachment",
    params(("id" = Uuid, Path, description = "Идентификатор файла.", example = json!(examples::ATTACHMENT))),
    security(("bearer" = ["answers:read"])),
    responses((status = 200, description = "Сведения о файле.", body = Attachment)),
)]
pub(crate) async fn get_attachment(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<AttachmentId>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let file = state.service.get_attachment(&caller, id.0).await?;
    Ok(HttpResponse::Ok().json(Attachment::from(file)))
}

/// Содержимое файла
///
/// Тот самый файл, байт в байт. ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/attachments/{id}/content", tag = "attachments", operation_id = "get_attachment_content",
    params(("id" = Uuid, Path, description = "Идентификатор файла.", example = json!(examples::ATTACHMENT))),
    security(("bearer" = ["answers:read"])),
    responses((status = 200, description = "Содержимое файла.", content_type = "application/octet-stream", body = AttachmentContent)),
)]
pub(crate) async fn get_attachment_content(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<AttachmentId>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let (file, content) = state.service.attachment_content(&caller, id.0).await?;
    // Never shown by a browser as a page of ours: always a download, of a type that nothing renders.
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header((CONTENT_DISPOSITION, disposition(&file)))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .body(content))
}

/// Содержимое файла.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
pub(crate) struct AttachmentContent(#[expect(dead_code, reason = "describes the body")] Vec<u8>);

fn disposition(file: &domain::Attachment) -> ContentDisposition {
    use actix_web::http::header::Charset;
    let name = ExtendedValue {
        charset: Charset::Ext("UTF-8".to_owned()),
        language_tag: None,
        value: file.file_name.clone().into_bytes(),
    };
    ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: vec![DispositionParam::FilenameExt(name)],
    }
}

/// Удалить файл
///
/// Только файл, который не использует ни один ответ.
#[utoipa::path(
    delete, path = "/v1/attachments/{id}", tag = "attachments", operation_id = "delete_attachment",
    params(("id" = Uuid, Path, description = "Идентификатор файла.", example = json!(examples::ATTACHMENT_TO_DELETE)), IdempotencyHeader),
    security(("bearer" = ["attachments:write"])),
    responses((status = 204, description = "Файла больше нет.")),
)]
pub(crate) async fn delete_attachment(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<AttachmentId>,
) -> Result<HttpResponse, Failure> {
    let owner = caller.clone();
    let use_case: UseCase = Box::new(move |service, tx| {
        Box::pin(async move {
            service.delete_attachment(tx, &owner, id.0).await?;
            Ok(no_content())
        })
    });
    write(&request, &state.service, &caller, [0; 32], use_case).await
}
