//! How the server turns away a request that it cannot read.
//!
//! The reader says what is wrong; the HTTP half asks [`Refusal::answer`] how the real server would put it.
//! Texts name the place and the kind of the mistake, never a value: values are people.

use thiserror::Error;

use crate::scenario::SchemaViolation;

/// Why a request was not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The bytes are no XML, or larger and deeper than the server takes.
    #[error("the message is not XML that can be read: {0}")]
    NotXml(String),
    /// `base:version` is absent or not one of the operation's (Q31).
    #[error("{element} does not take this base:version, send one of: {allowed}")]
    Version {
        /// The body element.
        element: &'static str,
        /// The versions it takes.
        allowed: String,
    },
    /// The envelope is not SOAP 1.1.
    #[error("the envelope is not SOAP 1.1")]
    SoapVersion,
    /// `SOAPAction` names no operation, or another one than the body.
    #[error("SOAPAction does not fit the body {body}")]
    SoapAction {
        /// The operation of the body, or what was found there.
        body: String,
    },
    /// The XML does not follow the schema.
    #[error("{path}: {problem}")]
    Structure {
        /// Local names from the root down, e.g. `Envelope/Body/importDSRResponsesRequest/action`.
        path: String,
        /// What the schema wants there.
        problem: String,
    },
    /// `Citizen` in the header: no citizen may call this service.
    #[error("a citizen may not call this service, name the organisation in orgPPAGUID")]
    Citizen,
}

/// How a [`Refusal`] goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusalAnswer {
    /// HTTP 400 «Bad Request» without details: a wrong version, or a breach of the schema (Q10, Q31).
    BadRequest,
    /// HTTP 500 with a SOAP Fault.
    Fault {
        /// `faultcode` without its prefix: `Server`, `Client`, `VersionMismatch`.
        fault_code: &'static str,
        /// `ErrorCode`.
        code: &'static str,
        /// `ErrorMessage`.
        message: String,
    },
}

impl Refusal {
    /// How the server says it; both ways of putting a breach of the schema were met.
    #[must_use]
    pub fn answer(&self, violation: SchemaViolation) -> RefusalAnswer {
        let fault = |fault_code, code, message| RefusalAnswer::Fault { fault_code, code, message };
        match self {
            Self::Version { .. } => RefusalAnswer::BadRequest,
            Self::NotXml(_) => fault("Server", "FMT001300", "Некорректный XML".to_owned()),
            Self::SoapVersion => {
                fault("VersionMismatch", "FMT001300", "Ожидается конверт SOAP 1.1".to_owned())
            }
            Self::SoapAction { body } => {
                fault("Client", "FMT001300", format!("SOAPAction не соответствует телу сообщения {body}"))
            }
            Self::Structure { path, problem } => match violation {
                SchemaViolation::Http400 => RefusalAnswer::BadRequest,
                SchemaViolation::Fault => {
                    fault("Server", "FMT001300", format!("Некорректный XML: {path}: {problem}"))
                }
            },
            Self::Citizen => fault("Server", "AUT011003", "Доступ запрещен для поставщика данных".to_owned()),
        }
    }
}
