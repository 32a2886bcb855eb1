//! What the end of an import call means for the answers in it: the table of call ends of `api.md` §6.5, as one pure function
//! over what gis-client proves of an error. A fault at sending and an error of the whole message in its result say the same.

use std::time::Duration;

use gis_client::debt_requests::GisError;
use gis_client::error::{CodeClass, Refusal};
use gis_client::{Error, Fate, Repeat};

/// What the end of a call means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// GIS took nothing and judged nothing: the same again later.
    NotSent {
        /// Whether a person must mend the settings or the tunnel.
        alarm: bool,
        /// What the far end asked for.
        after: Option<Duration>,
    },
    /// GIS took nothing, because of something in the package.
    RefusedContent,
    /// GIS took nothing, because of who sends; that can be the fault of one item too.
    RefusedSender,
    /// GIS took nothing and did not say why: something in the package, or a version that it takes no more, or the tunnel, and
    /// those hit every package alike.
    RefusedUnexplained,
    /// GIS may have taken it: look at what it shows.
    MaybeSent(Doubt),
}

/// How a fate that is not known is found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// GIS spoke of trouble of its own: a look soon.
    Fault,
    /// GIS said nothing: a look after some time, at least after what the far end asked for.
    Silence {
        /// What the far end asked for.
        after: Option<Duration>,
    },
}

/// The table for calls that ended without an acknowledgement.
pub(crate) fn end_of_call(error: &Error) -> End {
    match error {
        Error::Fault(fault) => end_of_message(fault),
        Error::Refused { reason: Refusal::Content, .. } => End::RefusedContent,
        Error::Refused { reason: Refusal::Authority, .. } => End::RefusedSender,
        Error::Refused { reason: Refusal::Unexplained, .. } => End::RefusedUnexplained,
        Error::NotSent { .. } | Error::MaybeSent { .. } | Error::Unreadable { .. } | Error::File { .. } => {
            by_fate(error.fate(), error.repeat())
        }
    }
}

/// The table for an error of the whole message, told by a fault or by its result.
pub(crate) fn end_of_message(error: &GisError) -> End {
    match (error.fate(), error.gis_code().class()) {
        (Fate::Refused, CodeClass::Authority) => End::RefusedSender,
        (fate, _) => by_fate(fate, error.repeat()),
    }
}

fn by_fate(fate: Fate, repeat: Repeat) -> End {
    match fate {
        Fate::Refused => End::RefusedContent,
        Fate::NotSent => match repeat {
            Repeat::Later { after } | Repeat::AfterLook { after } => End::NotSent { alarm: false, after },
            Repeat::NewMessage { after } => End::NotSent { alarm: false, after: Some(after) },
            // The message could not be made or signed, or another server is at the address.
            Repeat::Never | Repeat::InParts | Repeat::AfterRepair => {
                End::NotSent { alarm: true, after: None }
            }
        },
        Fate::Unknown => match repeat {
            Repeat::NewMessage { .. } => End::MaybeSent(Doubt::Fault),
            Repeat::AfterLook { after } | Repeat::Later { after } => End::MaybeSent(Doubt::Silence { after }),
            Repeat::Never | Repeat::InParts | Repeat::AfterRepair => {
                End::MaybeSent(Doubt::Silence { after: None })
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use gis_client::error::{MaybeSent, NotSent, Unreadable};

    use super::*;

    const SOON: Option<Duration> = Some(Duration::from_secs(7));
    const SILENCE: End = End::MaybeSent(Doubt::Silence { after: None });
    const FAULT: End = End::MaybeSent(Doubt::Fault);
    const LATER: End = End::NotSent { alarm: false, after: None };
    const ALARM: End = End::NotSent { alarm: true, after: None };

    fn not_sent(reason: NotSent) -> Error {
        Error::NotSent { reason, source: None }
    }

    fn maybe_sent(reason: MaybeSent) -> Error {
        Error::MaybeSent { reason, source: None }
    }

    fn unreadable(reason: Unreadable) -> Error {
        Error::Unreadable { reason, source: None }
    }

    fn gis(code: &str) -> GisError {
        GisError { code: code.to_owned(), description: String::new(), stack_trace: None }
    }

    #[test]
    fn the_table_of_call_ends() {
        let table = [
            (not_sent(NotSent::NameUnknown), LATER),
            (not_sent(NotSent::ConnectionRefused), LATER),
            (not_sent(NotSent::ConnectTimeout), LATER),
            (not_sent(NotSent::NoConnection), LATER),
            (not_sent(NotSent::LeaseOver), LATER),
            (not_sent(NotSent::Unrecorded), LATER),
            (
                not_sent(NotSent::Busy { status: 503, retry_after: SOON }),
                End::NotSent { alarm: false, after: SOON },
            ),
            (not_sent(NotSent::Message), ALARM),
            (not_sent(NotSent::Signature { repeat: Repeat::AfterRepair }), ALARM),
            (not_sent(NotSent::Signature { repeat: Repeat::Later { after: None } }), LATER),
            (not_sent(NotSent::WrongAddress { status: 404 }), ALARM),
            (Error::Refused { status: 413, reason: Refusal::Content }, End::RefusedContent),
            (Error::Refused { status: 400, reason: Refusal::Unexplained }, End::RefusedUnexplained),
            (Error::Refused { status: 403, reason: Refusal::Authority }, End::RefusedSender),
            (maybe_sent(MaybeSent::Timeout { after: Duration::from_secs(1) }), SILENCE),
            (maybe_sent(MaybeSent::Reset), SILENCE),
            (maybe_sent(MaybeSent::Closed), SILENCE),
            (maybe_sent(MaybeSent::Gateway { status: 502 }), SILENCE),
            (maybe_sent(MaybeSent::Status { status: 500 }), SILENCE),
            (
                maybe_sent(MaybeSent::Busy { status: 429, retry_after: SOON }),
                End::MaybeSent(Doubt::Silence { after: SOON }),
            ),
            (unreadable(Unreadable::NotSoap), SILENCE),
            (unreadable(Unreadable::Empty), SILENCE),
            (unreadable(Unreadable::Message), SILENCE),
            (unreadable(Unreadable::ForeignMessage), SILENCE),
        ];
        for (error, end) in table {
            assert_eq!(end_of_call(&error), end, "{error:?}");
        }
    }

    #[test]
    fn a_fault_and_a_failed_result_mean_the_same() {
        let table = [
            ("FMT001300", End::RefusedContent),
            ("INT002000", End::RefusedContent),
            ("INT002012", End::RefusedContent),
            ("FIL001001", End::RefusedContent),
            ("SRV007079", End::RefusedContent),
            ("AUT011003", End::RefusedSender),
            ("AUT011005", End::RefusedSender),
            ("EXP001000", FAULT),
            ("EXP002001", FAULT),
            ("INT002018", FAULT),
            ("INT002029", FAULT),
            ("INT002013", SILENCE),
            ("EXP009999", SILENCE),
            ("", SILENCE),
            ("env:Server", SILENCE),
        ];
        for (code, end) in table {
            assert_eq!(end_of_message(&gis(code)), end, "{code}");
            assert_eq!(end_of_call(&Error::Fault(gis(code))), end, "{code}");
        }
    }
}
