//! Why a call of GIS failed, and what that proves.
//!
//! Made by [`crate::http`] and [`crate::files`], read by the jobs, which ask two questions: what became of the
//! message ([`Error::fate`]) and whether a repeat can help ([`Error::repeat`]). Both are plain tables over the
//! HTTP status and the code of GIS. What must stay true: `NotSent` and `Refused` are said only when nothing can
//! have been taken over; everything else is `Unknown`. No text here holds a document or personal data.

mod code;

pub(crate) use code::split_code;
pub use code::{CodeClass, GisCode, RESEND_AFTER_FAULT};

use std::time::Duration;

use crate::debt_requests::GisError;
use crate::files::FileError;
use crate::signer::SignerError;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// GIS did not get it: the same content may be sent again.
    NotSent,
    /// GIS may have got it: read what GIS shows before anything else.
    Unknown,
    /// GIS got it and took nothing of it.
    Refused,
}

/// Whether and how a repeat of a failed call can help. Each repeat is a message with a MessageGUID of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// No repeat helps.
    Never,
    /// A package helps only in smaller parts; what was alone in it is refused for good.
    InParts,
    /// Nothing helps before a person has mended the settings or the tunnel; the content itself is not at fault.
    AfterRepair,
    /// The same content, after this time or, without one, by the usual back-off.
    Later {
        /// What the far end asked for.
        after: Option<Duration>,
    },
    /// After this time: read what GIS shows, then send what is missing with new MessageGUID, date and signature.
    NewMessage {
        /// The shortest wait; [`RESEND_AFTER_FAULT`].
        after: Duration,
    },
    /// Read what GIS shows and decide by that; a call that changes nothing in GIS may be repeated by the back-off.
    AfterLook {
        /// The shortest wait that the far end asked for.
        after: Option<Duration>,
    },
}

/// What lies behind an error; the last links of its chain come from the operating system or the parsers.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a call of GIS failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// GIS did not get the message.
    #[error("not sent: {reason}")]
    NotSent {
        /// What was in the way.
        reason: NotSent,
        /// What lies behind it.
        #[source]
        source: Option<Cause>,
    },
    /// GIS may have got the message, but no reply came.
    #[error("maybe sent, no reply: {reason}")]
    MaybeSent {
        /// How the call ended.
        reason: MaybeSent,
        /// What lies behind it.
        #[source]
        source: Option<Cause>,
    },
    /// A reply came that says nothing certain.
    #[error("maybe sent, unreadable reply: {reason}")]
    Unreadable {
        /// What is wrong with the reply.
        reason: Unreadable,
        /// What lies behind it.
        #[source]
        source: Option<Cause>,
    },
    /// GIS answered with a SOAP fault.
    #[error("GIS answered with the fault {}", .0.gis_code())]
    Fault(GisError),
    /// The front end of GIS refused the message by its HTTP status alone.
    #[error("refused with HTTP {status}: {reason}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it was refused for.
        reason: Refusal,
    },
    /// The file store refused or could not do what was asked.
    #[error("the file store answered: {error}")]
    File {
        /// The error of the file store.
        error: FileError,
        /// The HTTP status beside it.
        status: u16,
    },
}

/// Why a message surely did not reach GIS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// There is nothing to send, or something in it that HTTP cannot carry.
    #[error("the message could not be made")]
    Message,
    /// The message could not be signed.
    #[error("the message could not be signed")]
    Signature {
        /// Whether the signer may do better another time, [`SignerError::repeat`].
        repeat: Repeat,
    },
    /// The [`crate::http::Recorder`] of the call could not take the message down.
    #[error("the message could not be archived, so it was not sent")]
    Unrecorded,
    /// The lease of the call ended before the first byte of the message was written.
    #[error("the lease of the call was over before the first byte was written")]
    LeaseOver,
    /// The name in the address is not known.
    #[error("the host in gis.base_url was not found; check the name")]
    NameUnknown,
    /// Nothing listens at the address.
    #[error("the connection was refused; is the GOST tunnel of gis.base_url running?")]
    ConnectionRefused,
    /// No connection came about in time.
    #[error("no connection in time; is the GOST tunnel of gis.base_url reachable?")]
    ConnectTimeout,
    /// No connection came about for another reason.
    #[error("no connection to gis.base_url")]
    NoConnection,
    /// Another server is at the address, or GIS under another name.
    #[error("HTTP {status}: the service is not at this address; check gis.base_url, gis.host and the tunnel")]
    WrongAddress {
        /// The HTTP status.
        status: u16,
    },
    /// The front end turned the message away for now.
    #[error("HTTP {status}: GIS is busy")]
    Busy {
        /// The HTTP status, 429 or 503.
        status: u16,
        /// `Retry-After` of the reply.
        retry_after: Option<Duration>,
    },
}

/// How a call ended without a reply of GIS after bytes may have left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MaybeSent {
    /// No complete reply in time.
    #[error("no complete reply within {} s", after.as_secs_f32())]
    Timeout {
        /// How long the call was allowed to take.
        after: Duration,
    },
    /// The connection was reset. A GOST tunnel does this too when it cannot reach GIS.
    #[error("the connection was reset; the tunnel may have lost GIS, see its log")]
    Reset,
    /// The connection ended before a complete reply.
    #[error("the connection ended before a complete reply; the tunnel may have lost GIS, see its log")]
    Closed,
    /// A gateway in front of GIS got no answer.
    #[error("HTTP {status}: a gateway before GIS got no answer")]
    Gateway {
        /// The HTTP status, 502 or 504.
        status: u16,
    },
    /// The front end asked to come later, but the message may have been taken.
    #[error("HTTP {status}: GIS is busy")]
    Busy {
        /// The HTTP status, 429 or 503.
        status: u16,
        /// `Retry-After` of the reply.
        retry_after: Option<Duration>,
    },
    /// Another HTTP status without a SOAP message.
    #[error("HTTP {status} without a SOAP message")]
    Status {
        /// The HTTP status.
        status: u16,
    },
}

/// What is wrong with a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The reply has no body.
    #[error("it is empty")]
    Empty,
    /// The reply is longer than allowed.
    #[error("it is longer than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The reply is not UTF-8.
    #[error("it is not in UTF-8")]
    Encoding,
    /// The reply is a web page or another text that is no SOAP message.
    #[error("it is a page, not a message of GIS; check the address and the tunnel")]
    NotSoap,
    /// The reply is not the message that was expected.
    #[error("it is not the message that was expected")]
    Message,
    /// The reply answers another message.
    #[error("it answers another message")]
    ForeignMessage,
    /// The signature of the reply is absent, does not verify or is not by an expected signer; the source says which.
    #[error("it has no good signature of an expected signer")]
    Signature,
    /// A file or a part of it has another length than the file store announced.
    #[error("it has another length than announced")]
    Length,
    /// The file store's reply lacks a header, or the header is not of the right form.
    #[error("the header {name} is absent or wrong")]
    Header {
        /// The header.
        name: &'static str,
    },
}

/// What the front end refused a message for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// HTTP 413: the message itself.
    #[error("the message is not acceptable")]
    Content,
    /// HTTP 400, 415, without a word of GIS: the message itself, or a version of the format that GIS takes no more, or the
    /// tunnel, and then every message.
    #[error("the message is not acceptable, or no message of this version or through this tunnel is")]
    Unexplained,
    /// HTTP 401, 403: the sender.
    #[error("no access; check the certificate, the rights in the personal cabinet and gis.basic")]
    Authority,
}

impl Error {
    /// What became of the message.
    #[must_use]
    pub fn fate(&self) -> Fate {
        match self {
            Self::NotSent { .. } => Fate::NotSent,
            Self::MaybeSent { .. } | Self::Unreadable { .. } => Fate::Unknown,
            Self::Fault(fault) => fault.fate(),
            Self::Refused { .. } => Fate::Refused,
            Self::File { error, .. } => error.fate(),
        }
    }

    /// Whether a repeat can help.
    #[must_use]
    pub fn repeat(&self) -> Repeat {
        match self {
            Self::NotSent { reason, .. } => reason.repeat(),
            Self::MaybeSent { reason, .. } => Repeat::AfterLook { after: reason.retry_after() },
            Self::Unreadable { .. } => Repeat::AfterLook { after: None },
            Self::Fault(fault) => fault.repeat(),
            // A denied sender can be the fault of one item too, so it is looked for in parts as well.
            Self::Refused {
                reason: Refusal::Content | Refusal::Unexplained | Refusal::Authority, ..
            } => Repeat::InParts,
            Self::File { error, .. } => error.repeat(),
        }
    }

    /// Whether this is no error at all but an export without anything in it (INT002012), told by a fault instead
    /// of a state.
    #[must_use]
    pub fn is_empty_export(&self) -> bool {
        matches!(self, Self::Fault(fault) if fault.gis_code().class() == CodeClass::EmptyResult)
    }

    /// Whether the call found no working GIS: a failure in the sense of the circuit breaker
    /// ([`crate::cadence::CircuitEvent::Failed`]). A refusal is an answer, and a message that could not be made
    /// says nothing about GIS.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        match self {
            Self::NotSent { reason, .. } => !reason.is_our_own(),
            Self::MaybeSent { .. } => true,
            Self::Unreadable { reason, .. } => matches!(reason, Unreadable::Empty | Unreadable::NotSoap),
            Self::Fault(fault) => fault.gis_code().class() == CodeClass::Maintenance,
            Self::Refused { .. } => false,
            Self::File { error, .. } => *error == FileError::Maintenance,
        }
    }

    /// The error of a reply that is known by its HTTP status alone: no SOAP message could be read from it.
    /// `busy_is_not_sent` says how 429 and 503 are understood.
    pub(crate) fn from_status(status: u16, retry_after: Option<Duration>, busy_is_not_sent: bool) -> Self {
        let not_sent = |reason| Self::NotSent { reason, source: None };
        let maybe_sent = |reason| Self::MaybeSent { reason, source: None };
        match status {
            300..=399 | 404 => not_sent(NotSent::WrongAddress { status }),
            413 => Self::Refused { status, reason: Refusal::Content },
            400 | 415 => Self::Refused { status, reason: Refusal::Unexplained },
            401 | 403 => Self::Refused { status, reason: Refusal::Authority },
            429 | 503 if busy_is_not_sent => not_sent(NotSent::Busy { status, retry_after }),
            429 | 503 => maybe_sent(MaybeSent::Busy { status, retry_after }),
            502 | 504 => maybe_sent(MaybeSent::Gateway { status }),
            _ => maybe_sent(MaybeSent::Status { status }),
        }
    }

    /// A reply that says nothing certain.
    pub(crate) fn unreadable(reason: Unreadable) -> Self {
        Self::Unreadable { reason, source: None }
    }

    /// A message that could not be made.
    pub(crate) fn unmade(source: impl Into<Cause>) -> Self {
        Self::NotSent { reason: NotSent::Message, source: Some(source.into()) }
    }

    /// A message that could not be signed.
    pub(crate) fn unsigned(source: SignerError) -> Self {
        let reason = NotSent::Signature { repeat: source.repeat() };
        Self::NotSent { reason, source: Some(source.into()) }
    }

    /// A message that could not be taken down.
    pub(crate) fn unrecorded(source: Cause) -> Self {
        Self::NotSent { reason: NotSent::Unrecorded, source: Some(source) }
    }
}

impl NotSent {
    /// Whether the call ended before anything could be learnt about GIS.
    fn is_our_own(self) -> bool {
        matches!(self, Self::Message | Self::Signature { .. } | Self::Unrecorded | Self::LeaseOver)
    }

    fn repeat(self) -> Repeat {
        match self {
            Self::Message => Repeat::Never,
            Self::WrongAddress { .. } => Repeat::AfterRepair,
            Self::Busy { retry_after, .. } => Repeat::Later { after: retry_after },
            Self::Signature { repeat } => repeat,
            Self::Unrecorded
            | Self::LeaseOver
            | Self::NameUnknown
            | Self::ConnectionRefused
            | Self::ConnectTimeout
            | Self::NoConnection => Repeat::Later { after: None },
        }
    }
}

impl MaybeSent {
    fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => retry_after,
            Self::Timeout { .. }
            | Self::Reset
            | Self::Closed
            | Self::Gateway { .. }
            | Self::Status { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_statuses() {
        let soon = Some(Duration::from_secs(7));
        let look = Repeat::AfterLook { after: None };
        let table = [
            (&[301, 302, 307, 404][..], Fate::NotSent, Repeat::AfterRepair),
            (&[400, 413, 415], Fate::Refused, Repeat::InParts),
            (&[401, 403], Fate::Refused, Repeat::InParts),
            (&[429, 503], Fate::NotSent, Repeat::Later { after: soon }),
            (&[500, 502, 504, 405, 408, 409, 418, 501, 505], Fate::Unknown, look),
        ];
        for (statuses, fate, repeat) in table {
            for &status in statuses {
                let error = Error::from_status(status, soon, true);
                assert_eq!((error.fate(), error.repeat()), (fate, repeat), "{status}");
            }
        }
    }

    #[test]
    fn busy_may_mean_that_the_message_was_taken() {
        for status in [429, 503] {
            let error = Error::from_status(status, Some(Duration::from_secs(7)), false);
            assert_eq!(error.fate(), Fate::Unknown);
            assert_eq!(error.repeat(), Repeat::AfterLook { after: Some(Duration::from_secs(7)) });
        }
    }

    fn fault(code: &str, description: &str) -> Error {
        let (code, description) = (code.to_owned(), description.to_owned());
        Error::Fault(GisError { code, description, stack_trace: None })
    }

    #[test]
    fn a_fault_is_judged_by_its_code() {
        assert_eq!(fault("FMT001300", "").fate(), Fate::Refused);
        assert_eq!(fault("EXP001000", "").fate(), Fate::Unknown);
        assert_eq!(fault("EXP001000", "").repeat(), Repeat::NewMessage { after: RESEND_AFTER_FAULT });
        assert_eq!(fault("XYZ000001", "").fate(), Fate::Unknown, "pending is the default");
    }

    #[test]
    fn an_outage_is_no_answer_at_all() {
        assert!(Error::from_status(502, None, true).is_outage());
        assert!(Error::from_status(503, None, true).is_outage());
        assert!(fault("INT002029", "").is_outage());
        assert!(!fault("AUT011003", "").is_outage());
        assert!(!Error::from_status(403, None, true).is_outage());
        assert!(!Error::NotSent { reason: NotSent::LeaseOver, source: None }.is_outage());
    }

    #[test]
    fn words_of_gis_are_shown_nowhere_by_themselves() {
        let error = fault("FMT001300", "wrong SNILS 00000000000");
        assert_eq!(error.to_string(), "GIS answered with the fault FMT001300");
        assert!(!format!("{error:?}").contains("000000000"));
    }
}
