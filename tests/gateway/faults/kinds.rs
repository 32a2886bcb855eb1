//! Short names for the faults of the tables.

use std::time::Duration;

use gis_sim::faults::{HttpBody, Kind, StuckState};
use gis_sim::files::FileError;

/// At once.
pub(super) const NOW: Duration = Duration::ZERO;
/// Before the gateway looks at what became of a silent call.
pub(super) const SOON: Duration = Duration::from_secs(600);
/// After the gateway has looked.
pub(super) const LATER: Duration = Duration::from_secs(3 * 3600);

pub(super) fn fault(code: &str) -> Kind {
    Kind::SoapFault { code: code.to_owned(), text: None, late: None }
}

/// A fault, though the message was taken.
pub(super) fn fault_but_taken(code: &str) -> Kind {
    Kind::SoapFault { code: code.to_owned(), text: None, late: Some(NOW) }
}

pub(super) fn state_error(code: &str) -> Kind {
    Kind::StateError { code: code.to_owned(), text: None }
}

pub(crate) fn item_error(code: &str) -> Kind {
    Kind::ItemError { code: code.to_owned(), text: None, items: 1 }
}

pub(super) fn http(status: u16) -> Kind {
    Kind::Http { status, body: HttpBody::Html, retry_after: None, late: None }
}

/// An HTTP error, though the message was taken.
pub(super) fn http_but_taken(status: u16) -> Kind {
    Kind::Http { status, body: HttpBody::Empty, retry_after: None, late: Some(NOW) }
}

/// An HTTP error with a SOAP fault in it.
pub(super) fn http_with_fault(status: u16) -> Kind {
    Kind::Http { status, body: HttpBody::Soap, retry_after: None, late: None }
}

pub(super) fn busy(status: u16, retry_after: u64) -> Kind {
    let retry_after = Some(Duration::from_secs(retry_after));
    Kind::Http { status, body: HttpBody::Html, retry_after, late: None }
}

pub(super) fn cut_after(late: Duration) -> Kind {
    Kind::ResetAfter { late }
}

pub(super) fn stuck(effect: bool, state: StuckState) -> Kind {
    Kind::Stuck { effect, state }
}

pub(super) fn file_error(error: FileError) -> Kind {
    Kind::FileError { error }
}
