//! Requests that change something: one transaction for the effect, its receipt and its entry in the audit log, in a task of
//! its own.
//!
//! The server drops the handler of a client that hangs up; the task goes on, so that what began also ends (`architecture.md`
//! decision 2).

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{IF_MATCH, LOCATION, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use debt_core::audit;
use debt_core::domain::caller::Caller;
use debt_core::idempotency::{Begun, ReceiptKey, Reply};
use debt_core::store::Tx;
use debt_core::{Error, Service};
use futures_util::future::BoxFuture;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tracing::Instrument;

use crate::headers::{IdempotencyKey, etag};
use crate::problem::Failure;
use crate::query::Query;
pub(crate) use crate::trail::Stated;
use crate::trail::Trail;

/// The header of a change that must not overwrite another.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes the header; `IfMatch::read` reads it")]
pub(crate) struct IfMatchHeader {
    /// Версия, которую вы видели: `ETag` объекта. Другая текущая версия даёт 412.
    #[param(rename = "If-Match", value_type = String, required = false, max_length = 100, pattern = r#"^(\*|"[0-9]{1,19}")$"#)]
    if_match: Option<String>,
}

/// The header of a request that may be repeated.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes the header; `IdempotencyKey::read` reads it")]
pub(crate) struct IdempotencyHeader {
    /// Ваш ключ запроса, 1–255 печатных знаков ASCII. Повтор с тем же ключом в течение семи дней вернёт тот же ответ и
    /// ничего не сделает второй раз; с другим телом — 422.
    #[param(rename = "Idempotency-Key", value_type = String, required = false, min_length = 1, max_length = 255, pattern = "^[ -~]+$")]
    idempotency_key: Option<String>,
}

/// The use case of a writing request, with the reply that it makes.
pub(crate) type UseCase =
    Box<dyn for<'a> FnOnce(Arc<Service>, &'a mut Tx) -> BoxFuture<'a, Result<Reply, Error>> + Send>;

/// Runs a use case in a transaction, or gives the reply of an earlier run with the same Idempotency-Key. `fingerprint` is
/// SHA-256 of the canonical body.
pub(crate) async fn write(
    request: &HttpRequest,
    service: &Arc<Service>,
    caller: &Caller,
    fingerprint: [u8; 32],
    use_case: UseCase,
) -> Result<HttpResponse, Failure> {
    write_stated(request, service, caller, fingerprint, Stated::default(), use_case).await
}

/// The same for a request in which the client confirms something or gives a reason: the audit log keeps both.
pub(crate) async fn write_stated(
    request: &HttpRequest,
    service: &Arc<Service>,
    caller: &Caller,
    fingerprint: [u8; 32],
    stated: Stated,
    use_case: UseCase,
) -> Result<HttpResponse, Failure> {
    // None of them has parameters, and a mistyped one must not be passed over.
    Query::of(request.query_string(), &[])?.finish()?;
    let key =
        IdempotencyKey::read(request.headers())?.map(|key| receipt_key(request, caller, &key, fingerprint));
    let trail = Trail::of(request, caller, stated)?;
    let service = Arc::clone(service);
    let work = async move {
        match service.begin(key).await? {
            Begun::Replay(reply) => Ok::<_, Error>((reply, true)),
            Begun::Fresh(mut writing) => {
                let reply = use_case(Arc::clone(&service), &mut writing).await?;
                audit::record(&mut writing, trail.entry(&reply), service.clock.now()).await?;
                writing.finish(&reply).await?;
                Ok((reply, false))
            }
        }
    };
    let done = tokio::spawn(work.in_current_span()).await;
    let (reply, replayed): (Reply, bool) = done.map_err(Error::internal)??;
    respond(&reply, replayed)
}

/// The reply to an earlier request with the same Idempotency-Key. A handler that works before its transaction asks for it
/// first: a repeat neither does that work again nor fails where it cannot be done any more.
pub(crate) async fn replay(
    request: &HttpRequest,
    service: &Service,
    caller: &Caller,
    fingerprint: [u8; 32],
) -> Result<Option<HttpResponse>, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let Some(key) = IdempotencyKey::read(request.headers())? else { return Ok(None) };
    let earlier = service.replay(&receipt_key(request, caller, &key, fingerprint)).await?;
    earlier.map(|reply| respond(&reply, true)).transpose()
}

fn receipt_key(
    request: &HttpRequest,
    caller: &Caller,
    key: &IdempotencyKey,
    fingerprint: [u8; 32],
) -> ReceiptKey {
    let mut scope = Sha256::new();
    let organization = caller.organization.to_string();
    for part in [&organization, &caller.subject, request.method().as_str(), request.path(), key.as_str()] {
        scope.update(part.as_bytes());
        // No part holds this octet, so no two lists of parts give one input.
        scope.update([0]);
    }
    ReceiptKey { scope: scope.finalize().into(), fingerprint: with_condition(request, fingerprint) }
}

/// The condition belongs to what is asked: the same body for another version is another request.
fn with_condition(request: &HttpRequest, body: [u8; 32]) -> [u8; 32] {
    let mut whole = Sha256::new_with_prefix(body);
    for condition in request.headers().get_all(IF_MATCH) {
        whole.update(condition.as_bytes());
        whole.update([0]);
    }
    whole.finalize().into()
}

fn respond(reply: &Reply, replayed: bool) -> Result<HttpResponse, Failure> {
    let status = StatusCode::from_u16(reply.status).map_err(Error::internal)?;
    let mut response = HttpResponse::build(status);
    for (name, value) in &reply.headers {
        response.insert_header((name.as_str(), value.as_str()));
    }
    if replayed {
        response.insert_header(("Idempotency-Replayed", "true"));
    }
    if status == StatusCode::NO_CONTENT {
        return Ok(response.finish());
    }
    let body = reply.shown_once.as_ref().unwrap_or(&reply.body);
    Ok(response.content_type("application/json").body(body.clone()))
}

/// A reply with a body.
pub(crate) fn reply(status: StatusCode, body: &impl Serialize) -> Result<Reply, Error> {
    let body = serde_json::to_vec(body).map_err(Error::internal)?;
    Ok(Reply { body: Bytes::from(body), ..empty(status) })
}

/// A reply without a body.
pub(crate) fn no_content() -> Reply {
    empty(StatusCode::NO_CONTENT)
}

fn empty(status: StatusCode) -> Reply {
    Reply { status: status.as_u16(), headers: Vec::new(), body: Bytes::new(), before: None, shown_once: None }
}

/// Adds what only the first reply may say.
pub(crate) trait WithSecret: Sized {
    /// Adds the representation with its secret; a repeat gets the one without.
    fn showing_once(self, body: &impl Serialize) -> Result<Self, Error>;
}

impl WithSecret for Reply {
    fn showing_once(mut self, body: &impl Serialize) -> Result<Self, Error> {
        self.shown_once = Some(serde_json::to_vec(body).map_err(Error::internal)?.into());
        Ok(self)
    }
}

/// Adds what the reply stands in the place of.
pub(crate) trait WithBefore: Sized {
    /// Adds the representation of the object as it was; the audit log keeps its hash.
    fn instead_of(self, before: &impl Serialize) -> Result<Self, Error>;
}

impl WithBefore for Reply {
    fn instead_of(mut self, before: &impl Serialize) -> Result<Self, Error> {
        self.before = Some(serde_json::to_vec(before).map_err(Error::internal)?.into());
        Ok(self)
    }
}

/// Adds what a reply says in headers.
pub(crate) trait WithHeaders: Sized {
    /// Adds a header.
    fn with(self, name: &str, value: impl Into<String>) -> Self;

    /// Adds the version.
    fn with_version(self, version: i64) -> Self {
        let (name, value) = etag(version);
        self.with(name.as_str(), value)
    }

    /// Adds where the new object is.
    fn with_location(self, path: impl Into<String>) -> Self {
        self.with(LOCATION.as_str(), path)
    }

    /// Adds when to ask again, in seconds.
    fn with_retry_after(self, seconds: Option<i64>) -> Self {
        match seconds {
            Some(seconds) => self.with(RETRY_AFTER.as_str(), seconds.to_string()),
            None => self,
        }
    }
}

impl WithHeaders for Reply {
    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}
