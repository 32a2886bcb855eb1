//! Answers → bytes: acknowledgements, states and faults.
//!
//! The engine decides what to say, [`Style`] how it looks, and the server calls this to make it SOAP. Element order
//! follows XSD 16.3.0.0. What is given is written, valid or not: an empty page or an empty list of results
//! is a manner of the real server. Only the text of a message is made safe: characters that XML cannot hold
//! become U+FFFD.

use chrono::{DateTime, FixedOffset};
use uuid::Uuid;

use super::model::{GisError, ItemResult, Outcome, State, Version};
use super::names::{BASE, Name, SOAP, base, drs};
use super::style::{HeaderMessage, Style};
use super::write_subrequest;

/// `Id` of the signed element (protocol: the literal that every client and the server use).
pub(crate) const SIGNED_ID: &str = "signed-data-container";

/// Java stack trace of the kind that the real server lets out (Q9).
pub const STACK_TRACE: &str = "ru.lanit.hcs.integration.exception.IntegrationException: EXP001000\n\
    \tat ru.lanit.hcs.debtreq.service.DebtRequestsAsyncService.call(DebtRequestsAsyncService.java:118)\n\
    \tat sun.reflect.NativeMethodAccessorImpl.invoke0(Native Method)\n\
    \tat org.springframework.aop.support.AopUtils.invokeJoinpointUsingReflection(AopUtils.java:302)\n\
    Caused by: java.util.concurrent.TimeoutException\n\
    \t... 42 more";

/// What `ResultHeader` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyHeader {
    /// `Date`.
    pub date: DateTime<FixedOffset>,
    /// `MessageGUID` of the business request.
    pub original: Uuid,
    /// `MessageGUID` of the call that is being answered; the same as `original` in an acknowledgement.
    pub own: Uuid,
}

/// What `getStateResult` holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateReply {
    /// The id that the acknowledgement gave.
    pub message: Uuid,
    /// `base:version`.
    pub version: Version,
    /// State and content.
    pub state: State,
}

/// A `getStateResult` before its signature; [`crate::signature::sign`] signs it, [`Self::unsigned`] does
/// without.
#[derive(Clone, PartialEq, Eq)]
pub struct StateMessage {
    before: String,
    after: String,
    signature_prefix: String,
}

impl StateMessage {
    /// The message without a signature, as states 1 and 2 go out.
    #[must_use]
    pub fn unsigned(&self) -> Vec<u8> {
        self.with_signature("").into_bytes()
    }

    /// The message with `signature`, an element that uses [`Self::signature_prefix`].
    pub(crate) fn with_signature(&self, signature: &str) -> String {
        format!("{}{signature}{}", self.before, self.after)
    }

    /// The prefix that the root declares for XML signatures.
    pub(crate) fn signature_prefix(&self) -> &str {
        &self.signature_prefix
    }
}

/// What a SOAP Fault says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A GIS error: `faultstring` is `CODE: text`, the detail repeats both.
    Coded {
        /// `faultcode` without its prefix: `Server`, `Client`, `VersionMismatch`.
        fault_code: &'static str,
        /// `ErrorCode`.
        code: String,
        /// `ErrorMessage`.
        message: String,
        /// `StackTrace`, e.g. [`STACK_TRACE`].
        stack_trace: Option<String>,
    },
    /// «Unknown fault occured» (sic), without a detail (Q9).
    Unknown,
}

/// How the envelope of a fault looks (Q9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultDress {
    /// An empty header, the style's prefixes.
    EmptyHeader,
    /// No header at all.
    NoHeader,
    /// Prefix `s`, an empty `s:Header`, whatever the style.
    OddPrefix,
}

/// `AckRequest`: the request is taken under the id `given`.
#[must_use]
pub fn ack(style: &Style, header: &ReplyHeader, given: Uuid) -> Vec<u8> {
    let mut xml = Xml::new(style);
    xml.envelope(
        |xml| result_header(xml, header.date, header.original),
        |xml| {
            xml.element(base("AckRequest"), |xml| {
                xml.element(base("Ack"), |xml| {
                    xml.guid(base("MessageGUID"), given);
                    xml.guid(base("RequesterMessageGUID"), header.original);
                });
            });
        },
    );
    xml.out.into_bytes()
}

/// `getStateResult`.
#[must_use]
pub fn state(style: &Style, header: &ReplyHeader, reply: &StateReply) -> StateMessage {
    let header_message = match style.header_message {
        HeaderMessage::Original => header.original,
        HeaderMessage::Own => header.own,
    };
    let mut split = 0;
    let mut xml = Xml::new(style);
    xml.envelope(
        |xml| result_header(xml, header.date, header_message),
        |xml| {
            let name = style.qualified(drs("getStateResult"));
            let version = style.qualified((BASE, "version"));
            xml.out += &format!("<{name} Id=\"{SIGNED_ID}\" {version}=\"{}\">", reply.version.text());
            split = xml.out.len();
            state_content(xml, reply);
            xml.out += &format!("</{name}>");
        },
    );
    let after = xml.out.split_off(split);
    StateMessage { before: xml.out, after, signature_prefix: style.signature_prefix().to_owned() }
}

/// A SOAP Fault; send it with HTTP 500.
#[must_use]
pub fn fault(style: &Style, dress: FaultDress, fault: &Fault) -> Vec<u8> {
    let style = match dress {
        FaultDress::EmptyHeader | FaultDress::NoHeader => style.clone(),
        FaultDress::OddPrefix => style.clone().with_envelope_prefix("s"),
    };
    let mut xml = Xml::new(&style);
    let content = |xml: &mut Xml<'_>| xml.element((SOAP, "Fault"), |xml| fault_content(xml, fault));
    match dress {
        FaultDress::EmptyHeader | FaultDress::OddPrefix => xml.envelope(|_| {}, content),
        FaultDress::NoHeader => xml.headless_envelope(content),
    }
    xml.out.into_bytes()
}

fn fault_content(xml: &mut Xml<'_>, fault: &Fault) {
    const UNQUALIFIED: &str = "";
    let fault_code = |code: &str, xml: &Xml<'_>| format!("{}:{code}", xml.style.envelope_prefix());
    match fault {
        Fault::Unknown => {
            xml.text((UNQUALIFIED, "faultcode"), &fault_code("Server", xml));
            xml.text((UNQUALIFIED, "faultstring"), "Unknown fault occured");
        }
        Fault::Coded { fault_code: kind, code, message, stack_trace } => {
            xml.text((UNQUALIFIED, "faultcode"), &fault_code(kind, xml));
            xml.text((UNQUALIFIED, "faultstring"), &format!("{code}: {message}"));
            xml.element((UNQUALIFIED, "detail"), |xml| {
                xml.element(base("Fault"), |xml| {
                    xml.text(base("ErrorCode"), code);
                    xml.text(base("ErrorMessage"), message);
                    xml.optional_text(base("StackTrace"), stack_trace.as_deref());
                });
            });
        }
    }
}

fn result_header(xml: &mut Xml<'_>, date: DateTime<FixedOffset>, message: Uuid) {
    xml.element(base("ResultHeader"), |xml| {
        xml.text(base("Date"), &date_time(date));
        xml.guid(base("MessageGUID"), message);
    });
}

fn state_content(xml: &mut Xml<'_>, reply: &StateReply) {
    let number = match &reply.state {
        State::Received => "1",
        State::Processing => "2",
        State::Done(_) => "3",
    };
    xml.text(base("RequestState"), number);
    xml.guid(base("MessageGUID"), reply.message);
    match &reply.state {
        State::Received | State::Processing => {}
        State::Done(Outcome::Import(results)) => results.iter().for_each(|result| item_result(xml, result)),
        State::Done(Outcome::Subrequests(page)) => write_subrequest::page(xml, page),
        State::Done(Outcome::Error(error)) => {
            xml.element(base("ErrorMessage"), |xml| error_content(xml, error))
        }
    }
}

/// `CommonResultType`.
fn item_result(xml: &mut Xml<'_>, item: &ItemResult) {
    xml.element(drs("importResult"), |xml| {
        if let Some(guid) = item.guid {
            xml.guid(base("GUID"), guid);
        }
        xml.guid(base("TransportGUID"), item.transport);
        match &item.result {
            Ok(done) => {
                let updated = if xml.style.short_update_dates {
                    done.updated.format("%Y-%m-%d").to_string()
                } else {
                    date_time(done.updated)
                };
                xml.text(base("UpdateDate"), &updated);
            }
            Err(errors) => {
                for error in errors {
                    xml.element(base("Error"), |xml| error_content(xml, error));
                }
            }
        }
    });
}

/// `ErrorMessageType`.
fn error_content(xml: &mut Xml<'_>, error: &GisError) {
    xml.text(base("ErrorCode"), &error.code);
    xml.text(base("Description"), &error.description);
    xml.optional_text(base("StackTrace"), error.stack_trace.as_deref());
}

/// `xs:dateTime` with milliseconds and an offset.
pub(crate) fn date_time(moment: DateTime<FixedOffset>) -> String {
    moment.format("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// XML under construction.
pub(super) struct Xml<'style> {
    pub(super) style: &'style Style,
    out: String,
}

impl<'style> Xml<'style> {
    fn new(style: &'style Style) -> Self {
        Self { style, out: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned() }
    }

    fn envelope(&mut self, header: impl FnOnce(&mut Self), body: impl FnOnce(&mut Self)) {
        self.root(|xml| {
            xml.element((SOAP, "Header"), header);
            xml.element((SOAP, "Body"), body);
        });
    }

    fn headless_envelope(&mut self, body: impl FnOnce(&mut Self)) {
        self.root(|xml| xml.element((SOAP, "Body"), body));
    }

    fn root(&mut self, content: impl FnOnce(&mut Self)) {
        let name = self.style.qualified((SOAP, "Envelope"));
        self.out += &format!("<{name}{}>", self.style.declarations());
        content(self);
        self.out += &format!("</{name}>");
    }

    /// An element with child elements.
    pub(super) fn element(&mut self, name: Name, content: impl FnOnce(&mut Self)) {
        let name = self.style.qualified(name);
        self.out += &format!("<{name}>");
        content(self);
        self.out += &format!("</{name}>");
    }

    /// An element with text.
    pub(super) fn text(&mut self, name: Name, text: &str) {
        self.element(name, |xml| escape_into(&mut xml.out, text));
    }

    /// An element with text, or nothing.
    pub(super) fn optional_text(&mut self, name: Name, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// An element with a GUID.
    pub(super) fn guid(&mut self, name: Name, guid: Uuid) {
        self.text(name, &guid.to_string());
    }

    /// An element with a GUID, or nothing.
    pub(super) fn optional_guid(&mut self, name: Name, guid: Option<Uuid>) {
        if let Some(guid) = guid {
            self.guid(name, guid);
        }
    }
}

/// Appends character data; a carriage return would be read as a line feed if it were written as it is.
pub(crate) fn escape_into(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            '\t' | '\n' => out.push(character),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
}
