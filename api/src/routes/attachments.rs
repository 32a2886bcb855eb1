//! `/v1/attachments`.

use actix_multipart::{Field, Multipart};
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CONTENT_DISPOSITION, CONTENT_TYPE, ContentDisposition, DispositionParam, DispositionType, ExtendedValue,
};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use bytes::{Bytes, BytesMut};
use debt_core::attachments::NewFile;
use debt_core::domain::attachment as domain;
use debt_core::error::Mistake;
use debt_core::ids::AttachmentId;
use debt_core::{Code, Error};
use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use crate::caller::Authenticated;
use crate::examples;
use crate::input::Body;
use crate::path::Id;
use crate::problem::Failure;
use crate::query::Query;
use crate::state::AppState;
use crate::views::attachments::{Attachment, AttachmentForm, UploadAttachment};
use crate::writing::{IdempotencyHeader, UseCase, WithHeaders, no_content, reply, write};

/// Загрузить файл
///
/// Одним запросом один файл: `multipart/form-data` или JSON с base64. Тип проверяется по содержимому. Тот же файл ещё
/// раз вернёт прежний идентификатор. В ГИС ЖКХ файл уходит позже, вместе с ответом, поэтому её недоступность не мешает.
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
    upload: Upload,
) -> Result<HttpResponse, Failure> {
    let Upload { file, digest } = upload;
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

/// A file that came in either form.
pub(crate) struct Upload {
    file: NewFile,
    digest: [u8; 32],
}

impl FromRequest for Upload {
    type Error = Failure;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if content_type.is_some_and(|text| text.to_ascii_lowercase().starts_with("multipart/form-data")) {
            let limit = request
                .app_data::<Data<AppState>>()
                .map_or(0, |state| state.service.settings.limits.file_bytes);
            let multipart = Multipart::from_request(request, payload);
            return Box::pin(async move {
                let multipart = multipart.await.or(Err(broken()))?;
                read_form(multipart, limit).await
            });
        }
        let body = Body::<UploadAttachment>::from_request(request, payload);
        Box::pin(async move {
            let Body { content, digest } = body.await?;
            Ok(Self { file: content.command().map_err(Error::Invalid)?, digest })
        })
    }
}

pub(super) fn broken() -> Failure {
    Failure::new(Code::MalformedJson, "форма multipart повреждена или оборвалась")
}

/// Reads the parts `file` and `description`, each at most once, nothing else.
async fn read_form(mut form: Multipart, limit: u64) -> Result<Upload, Failure> {
    let mut file: Option<(String, Bytes)> = None;
    let mut description = None;
    let mut mistakes = Vec::new();
    while let Some(part) = form.next().await {
        let part = part.or(Err(broken()))?;
        match part.name().unwrap_or_default().to_owned().as_str() {
            "file" if file.is_none() => {
                let name = part.content_disposition().and_then(file_name);
                let content = read_part(part, limit).await?;
                match name {
                    Some(name) => file = Some((name, content)),
                    None => mistakes.push(Mistake::at("/file", "file_name", "у части file нет имени файла")),
                }
            }
            "description" if description.is_none() => {
                let content = read_part(part, MOST_DESCRIPTION).await?;
                match String::from_utf8(content.to_vec()) {
                    Ok(text) => description = Some(text).filter(|text| !text.is_empty()),
                    Err(_) => {
                        mistakes.push(Mistake::at("/description", "encoding", "описание должно быть в UTF-8"))
                    }
                }
            }
            "file" | "description" => {
                return Err(
                    Error::Invalid(vec![Mistake::at("", "repeated", "часть формы повторяется")]).into()
                );
            }
            _ => mistakes.push(Mistake::at(
                "",
                "unknown_field",
                "форма состоит из частей file и description; другие не допускаются",
            )),
        }
    }
    let Some((file_name, content)) = file else {
        mistakes.push(Mistake::at("/file", "required", "нет части file"));
        return Err(Error::Invalid(mistakes).into());
    };
    if !mistakes.is_empty() {
        return Err(Error::Invalid(mistakes).into());
    }
    let described = description.as_deref().unwrap_or_default();
    let digest = digest(&[file_name.as_bytes(), described.as_bytes(), &content]);
    Ok(Upload { file: NewFile { file_name, description, content, sha256: None }, digest })
}

/// Most bytes of a description that are read at all; its 500 characters are counted later, with its place.
const MOST_DESCRIPTION: u64 = 64 * 1024;

pub(super) async fn read_part(mut part: Field, limit: u64) -> Result<Bytes, Failure> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut content = BytesMut::new();
    while let Some(chunk) = part.next().await {
        let chunk = chunk.or(Err(broken()))?;
        if content.len() + chunk.len() > limit {
            return Err(Failure::new(Code::FileTooLarge, format!("часть формы больше {limit} байт")));
        }
        content.extend_from_slice(&chunk);
    }
    Ok(content.freeze())
}

pub(super) fn file_name(disposition: &ContentDisposition) -> Option<String> {
    if let Some(ExtendedValue { value, .. }) = disposition.get_filename_ext() {
        return String::from_utf8(value.clone()).ok();
    }
    disposition.get_filename().map(ToOwned::to_owned).filter(|name| !name.is_empty())
}

/// What a repeat is known by: the content of the parts, not the boundary between them.
pub(super) fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
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
