//! Replies that are no usual ones: HTTP errors of a front end, cut connections, garbage.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER};
use actix_web::web::Bytes;

use crate::faults::HttpBody;

/// The content type of SOAP 1.1.
pub(super) const XML: &str = "text/xml;charset=UTF-8";
const HTML: &str = "text/html;charset=UTF-8";

/// A body that fails before its first byte. The server has not yet sent the head then and drops the connection, so
/// the client sees it closed without an answer.
struct Cut;

#[derive(Debug, thiserror::Error)]
#[error("the connection is cut on purpose")]
struct CutOnPurpose;

impl MessageBody for Cut {
    type Error = CutOnPurpose;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(Some(Err(CutOnPurpose)))
    }
}

/// Closes the connection without a byte of an answer.
pub(super) fn cut() -> HttpResponse {
    HttpResponse::with_body(StatusCode::OK, Cut).map_into_boxed_body()
}

/// A reply in XML.
pub(super) fn xml(status: StatusCode, body: Vec<u8>) -> HttpResponse {
    HttpResponse::build(status).insert_header((CONTENT_TYPE, XML)).body(body)
}

/// 200 with something that is no XML.
pub(super) fn garbage() -> HttpResponse {
    xml(StatusCode::OK, b"\x00\xff<?xml <Envelope><Body>\xc3\x28 not a reply".to_vec())
}

/// An error of the front end; `soap` writes its SOAP body when that is asked for.
pub(super) fn http_error(
    status: u16,
    body: HttpBody,
    retry_after: Option<Duration>,
    soap: impl FnOnce() -> Vec<u8>,
) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    if let Some(wait) = retry_after {
        response.insert_header((RETRY_AFTER, wait.as_secs().to_string()));
    }
    match body {
        HttpBody::Empty => response.finish(),
        HttpBody::Html => response.insert_header((CONTENT_TYPE, HTML)).body(page(status)),
        HttpBody::Soap => response.insert_header((CONTENT_TYPE, XML)).body(soap()),
    }
}

/// A page like those of front ends (Q9).
fn page(status: StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or("Error");
    let code = status.as_u16();
    format!(
        "<html>\r\n<head><title>{code} {reason}</title></head>\r\n<body>\r\n<center><h1>{code} {reason}</h1></center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
}
