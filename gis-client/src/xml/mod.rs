//! Just enough XML for SOAP: a writer in canonical form and a pull reader that matches by namespace.
//!
//! Called by [`crate::envelope`], [`crate::signature`], [`crate::reply`] and [`crate::debt_requests`]. The writer
//! makes every element in the form that exclusive canonicalization would give it, so that signing needs no
//! canonicalizer. The reader holds no tree, refuses DTDs, bounds the depth, and its errors hold no text of the
//! document.

mod reader;
mod writer;

pub use reader::{Problem, ProblemKind};

pub(crate) use reader::{Element, Reader};
pub(crate) use writer::{Attribute, Writer};

/// Namespaces of the messages, in the order of the prefixes that we write: canonical form sorts by prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Namespace {
    /// `base`: headers, acknowledgements, errors, attachments.
    Base,
    /// `drs`: debt requests.
    Drs,
    /// `ds`: XML signatures.
    Ds,
    /// `nsi`: dictionary references.
    Nsi,
    /// `soapenv`: SOAP 1.1.
    Soap,
    /// `xades`: properties of a signature.
    Xades,
}

impl Namespace {
    /// Every namespace, in the order of the prefixes.
    pub(crate) const ALL: [Self; 6] = [Self::Base, Self::Drs, Self::Ds, Self::Nsi, Self::Soap, Self::Xades];

    /// The prefix that we write. Prefixes of received documents mean nothing.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Drs => "drs",
            Self::Ds => "ds",
            Self::Nsi => "nsi",
            Self::Soap => "soapenv",
            Self::Xades => "xades",
        }
    }

    /// The name of the namespace.
    pub(crate) const fn uri(self) -> &'static str {
        match self {
            Self::Base => "http://dom.gosuslugi.ru/schema/integration/base/",
            Self::Drs => "http://dom.gosuslugi.ru/schema/integration/drs/",
            Self::Ds => "http://www.w3.org/2000/09/xmldsig#",
            Self::Nsi => "http://dom.gosuslugi.ru/schema/integration/nsi-base/",
            Self::Soap => "http://schemas.xmlsoap.org/soap/envelope/",
            Self::Xades => "http://uri.etsi.org/01903/v1.3.2#",
        }
    }

    /// The namespace with this name, if it is one of ours.
    pub(crate) fn of(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|namespace| namespace.uri() == uri)
    }
}
