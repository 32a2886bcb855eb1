//! JSON bodies. The limits of a body are the limits of its OpenAPI schema and of nothing else: the extractor [`Body`]
//! validates against the very schema that the document shows, names every mistake at once with its JSON pointer, and
//! only then makes the typed value.
//!
//! A body is read as 1C and simple scripts send it (`api.md` §16): with or without BOM and charset, with upper-case
//! GUIDs, with line breaks inside base64. Keys that stand twice are refused, because the parsers of the world disagree
//! about which of them counts.

mod items;
mod json;
mod mistakes;
mod schema;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::{Decompress, Payload};
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::web::{BytesMut, Data};
use actix_web::{FromRequest, HttpRequest};
use debt_core::Code;
use debt_core::error::{Error, Mistake};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;

use crate::patience::patient;
use crate::problem::Failure;

pub use items::{ItemsBody, Parts};
pub use json::digest;
pub use schema::decode_base64;

/// The longest body in bytes, compressed or not; in the application data of actix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimit(pub usize);

impl Default for BodyLimit {
    fn default() -> Self {
        Self(40 * 1024 * 1024)
    }
}

/// A JSON body that obeys its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body<T> {
    /// What the body says.
    pub content: T,
    /// SHA-256 of the body in one form, whatever the order of its keys: repeats are known by it.
    pub digest: [u8; 32],
}

impl<T: ToSchema + DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        extract(request, payload, parse)
    }
}

/// Reads a body that must be there.
fn extract<T: 'static>(
    request: &HttpRequest,
    payload: &mut Payload,
    parse: fn(&[u8]) -> Result<T, Error>,
) -> Pin<Box<dyn Future<Output = Result<T, Failure>>>> {
    let (request, payload) = (request.clone(), payload.take());
    Box::pin(async move {
        check_headers(&request)?;
        let octets = read(&request, payload).await?;
        Ok(parse(&octets)?)
    })
}

/// A JSON body that may be left out altogether; then every field has its default.
pub struct OptionalBody<T>(pub Body<T>);

impl<T: ToSchema + DeserializeOwned + Default + 'static> FromRequest for OptionalBody<T> {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let octets = read(&request, payload).await?;
            if octets.is_empty() {
                return Ok(Self(Body { content: T::default(), digest: NO_BODY }));
            }
            check_headers(&request)?;
            Ok(Self(parse(&octets)?))
        })
    }
}

/// The digest of a request without a body.
pub const NO_BODY: [u8; 32] = [0; 32];

/// The body of a request that has nothing to say: none, or an object without fields. A field that it does have would be
/// passed over in silence.
pub struct NoBody;

impl FromRequest for NoBody {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let octets = read(&request, payload).await?;
            if !octets.is_empty() {
                check_headers(&request)?;
                nothing(&json::parse(&octets)?)?;
            }
            Ok(Self)
        })
    }
}

/// Refuses everything but an object without fields.
fn nothing(body: &Value) -> Result<(), Error> {
    let Some(fields) = body.as_object() else {
        return Err(Error::Invalid(vec![Mistake::at("", "type", "нужен объект JSON")]));
    };
    let mistakes: Vec<_> = fields.keys().map(|name| mistakes::unknown_field("", name, None)).collect();
    if mistakes.is_empty() { Ok(()) } else { Err(Error::Invalid(mistakes)) }
}

/// Reads the octets of a body.
///
/// # Errors
/// It is no JSON, or it does not obey the schema; then every mistake is named.
pub fn parse<T: ToSchema + DeserializeOwned + 'static>(octets: &[u8]) -> Result<Body<T>, Error> {
    let value = json::parse(octets)?;
    let mut mistakes = schema::mistakes_of::<T>(&value)?;
    json::forbidden_characters(&value, &mut mistakes);
    if !mistakes.is_empty() {
        return Err(Error::Invalid(mistakes));
    }
    let digest = json::digest(&value);
    let content = typed(value)?;
    Ok(Body { content, digest })
}

/// What the schema allows and the type does not is a gap of the schema; the client gets the place all the same.
fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let pointer = mistakes::pointer_of(error.path());
        tracing::warn!(pointer, "a body obeys its schema and not its type");
        Error::Invalid(vec![Mistake::at(pointer, "invalid", "значение не подходит")])
    })
}

fn check_headers(request: &HttpRequest) -> Result<(), Failure> {
    let text =
        |name| request.headers().get(name).map(|value| value.to_str().unwrap_or_default().to_lowercase());
    let unsupported = |detail: &str| Failure::new(Code::MediaTypeUnsupported, detail);
    let content_type = text(CONTENT_TYPE).unwrap_or_default();
    let mut parts = content_type.split(';').map(str::trim);
    if parts.next() != Some("application/json") {
        return Err(unsupported("нужен заголовок Content-Type: application/json"));
    }
    let charset =
        parts.find_map(|part| part.strip_prefix("charset=")).map(|charset| charset.trim_matches('"'));
    if charset.is_some_and(|charset| !matches!(charset, "utf-8" | "utf8")) {
        return Err(unsupported("кодировка тела запроса должна быть UTF-8"));
    }
    match text(CONTENT_ENCODING).as_deref() {
        None | Some("identity" | "gzip") => Ok(()),
        Some(_) => Err(unsupported("сжатие тела запроса: только gzip")),
    }
}

/// The limit counts after decompression, so a small bomb is stopped too.
async fn read(request: &HttpRequest, payload: Payload) -> Result<BytesMut, Failure> {
    let limit = request.app_data::<Data<BodyLimit>>().map_or_else(BodyLimit::default, |limit| ***limit).0;
    let mut payload = Decompress::from_headers(patient(payload), request.headers());
    let mut octets = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            tracing::debug!(%error, "a body broke off");
            Failure::new(Code::MalformedJson, "тело запроса оборвалось или повреждено")
        })?;
        if octets.len() + chunk.len() > limit {
            return Err(Failure::new(Code::BodyTooLarge, format!("тело запроса больше {limit} байт")));
        }
        octets.extend_from_slice(&chunk);
    }
    Ok(octets)
}
