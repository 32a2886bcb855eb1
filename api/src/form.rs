//! Parts of `multipart/form-data`, as every form of ours reads them.

use actix_multipart::Field;
use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_TYPE, ContentDisposition, ExtendedValue};
use bytes::{Bytes, BytesMut};
use debt_core::Code;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use crate::problem::Failure;

/// Whether the body is a form.
pub(crate) fn is_form(request: &HttpRequest) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|text| text.to_ascii_lowercase().starts_with("multipart/form-data"))
}

pub(crate) fn broken() -> Failure {
    Failure::new(Code::MalformedJson, "форма multipart повреждена или оборвалась")
}

/// The content of a part, of at most so many bytes.
pub(crate) async fn read_part(mut part: Field, limit: u64) -> Result<Bytes, Failure> {
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

pub(crate) fn file_name(disposition: &ContentDisposition) -> Option<String> {
    if let Some(ExtendedValue { value, .. }) = disposition.get_filename_ext() {
        return String::from_utf8(value.clone()).ok();
    }
    disposition.get_filename().map(ToOwned::to_owned).filter(|name| !name.is_empty())
}

/// What a repeat is known by: the content of the parts, not the boundary between them.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}
