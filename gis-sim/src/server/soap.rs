//! The SOAP address: bytes in, the engine's decision, bytes out.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};

use super::reply::{cut, garbage, http_error, xml};
use super::{MOST_SOAP_BYTES, SOAP_PATH, Shared};
use crate::calls::Call;
use crate::clock::moscow;
use crate::codes;
use crate::engine::{Incoming, Reply, SignatureFound};
use crate::faults::{Dress, HttpBody, Instead, Plan, Subject, Target};
use crate::scenario::{FaultHeader, OverParallel, Prefixes, Replies};
use crate::signature;
use crate::wire::model::{Header, State};
use crate::wire::style::HeaderMessage;
use crate::wire::write::{self, Fault, FaultDress, ReplyHeader, StateReply};
use crate::wire::{self, RefusalAnswer, Style};

/// Puts the SOAP address into an application.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::resource(SOAP_PATH)
            .app_data(web::PayloadConfig::new(MOST_SOAP_BYTES))
            .route(web::post().to(call))
            .route(web::get().to(probe)),
    );
}

/// A reply before it becomes HTTP: nothing in it borrows from the engine.
enum Outgoing {
    Xml(StatusCode, Vec<u8>),
    Http { status: u16, body: HttpBody, retry_after: Option<Duration>, soap: Vec<u8> },
    Reset,
    Garbage,
}

impl Outgoing {
    fn into_response(self) -> HttpResponse {
        match self {
            Self::Xml(status, body) => xml(status, body),
            Self::Http { status, body, retry_after, soap } => http_error(status, body, retry_after, || soap),
            Self::Reset => cut(),
            Self::Garbage => garbage(),
        }
    }
}

/// POST: one operation.
async fn call(shared: web::Data<Shared>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let shared = shared.into_inner();
    let (_in_flight, parallel) = shared.enter();
    if let Some(response) = crowded(&shared, parallel).await {
        return response;
    }
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if !header(CONTENT_TYPE.as_str()).is_none_or(|kind| kind.trim_start().starts_with("text/xml")) {
        return HttpResponse::UnsupportedMediaType().body("Content-Type of SOAP 1.1 is text/xml");
    }
    let action = header("SOAPAction").map(str::to_owned);
    let answered = web::block(move || answer(&shared, &body, action.as_deref())).await;
    match answered {
        Ok((outgoing, slow)) => {
            wait(slow).await;
            outgoing.into_response()
        }
        Err(_cancelled) => HttpResponse::InternalServerError().finish(),
    }
}

/// GET: `?wsdl` gets a description, anything else a page, so that probes find someone at home.
async fn probe(shared: web::Data<Shared>, request: HttpRequest) -> HttpResponse {
    let shared = shared.into_inner();
    let planned = web::block(move || {
        let (mut engine, now) = shared.engine();
        let subject = Subject { operation: Target::Probe, organization: None, subrequests: &[] };
        let plan = Plan::of(engine.faults.strike(subject));
        let outcome = if plan.instead.is_some() { "spoiled" } else { "http 200" };
        engine.calls.record(Call::new(now, Some(Target::Probe), outcome));
        plan
    });
    let Ok(plan) = planned.await else {
        return HttpResponse::InternalServerError().finish();
    };
    wait(plan.slow).await;
    match plan.instead {
        Some(Instead::Http { status, body, retry_after }) => http_error(status, body, retry_after, Vec::new),
        Some(Instead::Reset) => cut(),
        Some(Instead::Fault { .. } | Instead::Garbage) | None => described(request.query_string()),
    }
}

fn described(query: &str) -> HttpResponse {
    if query.eq_ignore_ascii_case("wsdl") {
        return xml(StatusCode::OK, include_str!("service.wsdl").as_bytes().to_vec());
    }
    HttpResponse::Ok().content_type("text/html;charset=UTF-8").body(
        "<html><head><title>DebtRequestsAsync</title></head><body>gis-sim: POST SOAP 1.1 here</body></html>",
    )
}

/// Q41: turns away calls above the bound.
pub(super) async fn crowded(shared: &Arc<Shared>, parallel: usize) -> Option<HttpResponse> {
    let shared = Arc::clone(shared);
    match web::block(move || turned_away(&shared, parallel)).await {
        Ok(None) => None,
        Ok(Some(OverParallel::Reset)) => Some(cut()),
        Ok(Some(OverParallel::Http503)) => Some(http_error(503, HttpBody::Html, None, Vec::new)),
        Err(_cancelled) => Some(HttpResponse::InternalServerError().finish()),
    }
}

fn turned_away(shared: &Shared, parallel: usize) -> Option<OverParallel> {
    let (mut engine, now) = shared.engine();
    let transport = &engine.scenario().transport;
    if transport.max_parallel == 0 || parallel <= transport.max_parallel {
        return None;
    }
    let way = transport.over_parallel;
    let outcome = match way {
        OverParallel::Reset => "reset",
        OverParallel::Http503 => "http 503",
    };
    engine.calls.record(Call::new(now, None, format!("{outcome}: {parallel} calls at once")));
    Some(way)
}

/// Waits in real time.
pub(super) async fn wait(duration: Duration) {
    if !duration.is_zero() {
        actix_web::rt::time::sleep(duration).await;
    }
}

/// Reads, decides and writes; blocks for as long as signatures take.
fn answer(shared: &Arc<Shared>, body: &[u8], action: Option<&str>) -> (Outgoing, Duration) {
    let request = match wire::read(body, action) {
        Ok(request) => request,
        Err(refusal) => return (refuse(shared, &refusal), Duration::ZERO),
    };
    let signature = if request.signed { verified(body) } else { SignatureFound::Absent };
    let header = request.header.clone();
    let incoming = Incoming { request, signature, size: body.len(), fingerprint: fingerprint(body) };
    let (reply, slow, writer) = {
        let (mut engine, now) = shared.engine();
        let (reply, slow) = engine.call(incoming, now);
        let number = engine.next_number();
        (reply, slow, Writer::new(&engine.scenario().replies, engine.seeds().seed, number, now))
    };
    (writer.write(shared, reply, &header), slow)
}

fn verified(body: &[u8]) -> SignatureFound {
    match signature::verify(body) {
        Ok(_signed) => SignatureFound::Good,
        Err(problem) => {
            tracing::info!(%problem, "a request's signature does not hold");
            SignatureFound::Bad
        }
    }
}

fn fingerprint(body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    hasher.finish()
}

fn refuse(shared: &Shared, refusal: &wire::Refusal) -> Outgoing {
    tracing::info!(%refusal, "a request was not readable");
    let (mut engine, now) = shared.engine();
    let number = engine.next_number();
    let writer = Writer::new(&engine.scenario().replies, engine.seeds().seed, number, now);
    let (outcome, outgoing) = match refusal.answer(engine.scenario().replies.schema_violation) {
        RefusalAnswer::BadRequest => (
            "http 400".to_owned(),
            Outgoing::Http { status: 400, body: HttpBody::Html, retry_after: None, soap: Vec::new() },
        ),
        RefusalAnswer::Fault { fault_code, code, message } => {
            (format!("fault {code}"), writer.fault(fault_code, code, message))
        }
    };
    engine.calls.record(Call::new(now, None, outcome));
    outgoing
}

/// Puts a decision into bytes, in the dress that the scenario wants.
struct Writer {
    replies: Replies,
    style: Style,
    now: DateTime<Utc>,
}

impl Writer {
    fn new(replies: &Replies, seed: u64, number: u64, now: DateTime<Utc>) -> Self {
        let mut style = match replies.prefixes {
            Prefixes::Stable => Style::plain(),
            Prefixes::Random => Style::seeded(seed ^ number.rotate_left(32)),
        };
        style.zoned_dates = replies.zoned_dates;
        style.short_update_dates = replies.short_update_dates;
        style.header_message =
            if replies.original_message { HeaderMessage::Original } else { HeaderMessage::Own };
        Self { replies: replies.clone(), style, now }
    }

    fn write(&self, shared: &Shared, reply: Reply, header: &Header) -> Outgoing {
        let date = self.now.with_timezone(&moscow());
        match reply {
            Reply::Ack(given) => {
                let header = ReplyHeader { date, original: header.message, own: header.message };
                Outgoing::Xml(StatusCode::OK, write::ack(&self.style, &header, given))
            }
            Reply::State { message, original, version, state, dress } => {
                let header = ReplyHeader { date, original, own: header.message };
                self.state(shared, &header, &StateReply { message, version, state }, dress)
            }
            Reply::Instead(instead) => self.instead(instead),
        }
    }

    fn state(&self, shared: &Shared, header: &ReplyHeader, reply: &StateReply, dress: Dress) -> Outgoing {
        let done = matches!(reply.state, State::Done(_));
        let message = write::state(&self.style, header, reply);
        if !done || !self.replies.signed || dress == Dress::Unsigned {
            return Outgoing::Xml(StatusCode::OK, message.unsigned());
        }
        match signature::sign(&message, shared.keys(), header.date) {
            Ok(signed) if dress == Dress::BadSignature => {
                Outgoing::Xml(StatusCode::OK, with_bad_signature(signed))
            }
            Ok(signed) => Outgoing::Xml(StatusCode::OK, signed),
            Err(problem) => {
                tracing::error!(%problem, "a result cannot be signed and goes out unsigned");
                Outgoing::Xml(StatusCode::OK, message.unsigned())
            }
        }
    }

    fn instead(&self, instead: Instead) -> Outgoing {
        match instead {
            Instead::Reset => Outgoing::Reset,
            Instead::Garbage => Outgoing::Garbage,
            Instead::Fault { code, text } => {
                let text = text.unwrap_or_else(|| codes::text_of(&code).to_owned());
                self.fault("Server", &code, text)
            }
            Instead::Http { status, body, retry_after } => {
                let code = codes::TRANSFER_ERROR;
                let soap = self.fault_bytes("Server", code, codes::text_of(code).to_owned());
                Outgoing::Http { status, body, retry_after, soap }
            }
        }
    }

    fn fault(&self, fault_code: &'static str, code: &str, message: String) -> Outgoing {
        Outgoing::Xml(StatusCode::INTERNAL_SERVER_ERROR, self.fault_bytes(fault_code, code, message))
    }

    fn fault_bytes(&self, fault_code: &'static str, code: &str, message: String) -> Vec<u8> {
        let dress = match self.replies.fault_header {
            FaultHeader::None => FaultDress::NoHeader,
            FaultHeader::Empty => FaultDress::EmptyHeader,
            FaultHeader::Odd => FaultDress::OddPrefix,
        };
        let stack_trace = self.replies.stack_traces.then(|| write::STACK_TRACE.to_owned());
        let fault = if self.replies.unknown_fault {
            Fault::Unknown
        } else {
            Fault::Coded { fault_code, code: code.to_owned(), message, stack_trace }
        };
        write::fault(&self.style, dress, &fault)
    }
}

/// Turns one character of the signature's value into another.
fn with_bad_signature(mut message: Vec<u8>) -> Vec<u8> {
    const ELEMENT: &[u8] = b"SignatureValue>";
    let start = message.windows(ELEMENT.len()).position(|window| window == ELEMENT);
    if let Some(first) = start.and_then(|start| message.get_mut(start + ELEMENT.len())) {
        *first = if *first == b'A' { b'B' } else { b'A' };
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_signature_differs_in_one_character() {
        let message =
            |letter: &str| format!("<ds:SignatureValue>{letter}bc=</ds:SignatureValue>").into_bytes();
        assert_eq!(with_bad_signature(message("Z")), message("A"));
        assert_eq!(with_bad_signature(message("A")), message("B"));
        assert_eq!(with_bad_signature(b"nothing".to_vec()), b"nothing");
    }
}
