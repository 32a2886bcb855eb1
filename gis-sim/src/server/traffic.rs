//! How many bytes went over the wire: bodies alone, for headers depend on the client and not on what is asked.

use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::middleware::Next;
use actix_web::{Error, web};
use serde::Serialize;

use super::{CONTROL_PATH, Shared};

/// Bytes of bodies since the start.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    received: AtomicU64,
    sent: AtomicU64,
}

/// The same at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TrafficReport {
    /// In calls of GIS and of its file store.
    pub received: u64,
    /// In the replies.
    pub sent: u64,
}

impl Traffic {
    pub(crate) fn report(&self) -> TrafficReport {
        TrafficReport {
            received: self.received.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
        }
    }
}

/// Counts a call and its reply.
pub(super) async fn count<B: MessageBody>(
    shared: web::Data<Shared>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if request.path().starts_with(CONTROL_PATH) {
        return next.call(request).await;
    }
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    shared.traffic.received.fetch_add(length.unwrap_or(0), Ordering::Relaxed);
    let response = next.call(request).await?;
    if let BodySize::Sized(length) = response.response().body().size() {
        shared.traffic.sent.fetch_add(length, Ordering::Relaxed);
    }
    Ok(response)
}
