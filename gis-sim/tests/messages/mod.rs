//! Builds requests by hand, as text, for the tests of the reader.

use std::cell::RefCell;

use gis_sim::wire::model::Body;
use gis_sim::wire::{Refusal, read};

/// An id for every place that needs one.
pub(crate) const GUID: &str = "0e1f2a3b-4c5d-4e6f-8a9b-0c1d2e3f4a5b";

/// First and last name of an invented person.
pub(crate) const NAMES: &str = "<d:firstName>Пётр</d:firstName><d:lastName>Тестов</d:lastName>";

/// The namespaces of all messages here.
const NAMESPACES: &str = "xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' \
                          xmlns:b='http://dom.gosuslugi.ru/schema/integration/base/' \
                          xmlns:d='http://dom.gosuslugi.ru/schema/integration/drs/' \
                          xmlns:n='http://dom.gosuslugi.ru/schema/integration/nsi-base/'";

thread_local! {
    /// Every body that this test has read, as a document, and whether the reader took it.
    pub(crate) static TRIED: RefCell<Vec<(String, bool)>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn envelope(header: &str, body: &str) -> String {
    format!("<s:Envelope {NAMESPACES}><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>")
}

pub(crate) fn header(rest: &str) -> String {
    format!(
        "<b:RequestHeader><b:Date>2026-03-16T10:15:00.1234567+03:00</b:Date>\
         <b:MessageGUID>{GUID}</b:MessageGUID>{rest}</b:RequestHeader>"
    )
}

pub(crate) fn organization() -> String {
    format!("<b:orgPPAGUID>{GUID}</b:orgPPAGUID>")
}

pub(crate) fn with_body(body: &str) -> Result<Body, Refusal> {
    let read = read(envelope(&header(&organization()), body).as_bytes(), None).map(|request| request.body);
    let (name, rest) = body.split_at(body.find([' ', '>']).unwrap_or(0));
    let document = format!("{name} {NAMESPACES}{rest}");
    TRIED.with_borrow_mut(|tried| tried.push((document, read.is_ok())));
    read
}

pub(crate) fn import(actions: &str) -> Result<Body, Refusal> {
    with_body(&format!(
        "<d:importDSRResponsesRequest Id='x' b:version='14.0.0.0'>{actions}</d:importDSRResponsesRequest>"
    ))
}

pub(crate) fn send(response: &str) -> Result<Body, Refusal> {
    import(&format!(
        "<d:action><b:TransportGUID>{GUID}</b:TransportGUID><d:subrequestGUID>{GUID}</d:subrequestGUID>\
         <d:actionType>Send</d:actionType><d:responseData>{response}</d:responseData></d:action>"
    ))
}

/// An answer with debt around `content`, which comes after `executorGUID`.
pub(crate) fn debt(content: &str) -> Result<Body, Refusal> {
    send(&format!("<d:hasDebt>true</d:hasDebt><d:executorGUID>{GUID}</d:executorGUID>{content}"))
}

pub(crate) fn person(content: &str) -> Result<Body, Refusal> {
    debt(&format!("<d:debtInfo><d:person>{content}</d:person></d:debtInfo>"))
}

pub(crate) fn is_structure(result: &Result<Body, Refusal>) -> bool {
    matches!(result, Err(Refusal::Structure { .. }))
}
