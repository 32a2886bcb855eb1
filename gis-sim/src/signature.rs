//! XAdES-BES signatures of GOST R 34.10-2012: [`verify()`] those of requests, [`sign()`] results as the server
//! does.
//!
//! Canonical forms come from an independent canonicaliser (`xml-sec`), digests and the signature itself
//! from `gost`. [`crate::server`] verifies what [`crate::wire::read()`] has read, and signs finished results.
//!
//! Two forms of request signatures are accepted. Form A is the server's own: exclusive canonicalisation and
//! Streebog all through. Form B is that of older .NET clients: inclusive canonicalisation of `SignedInfo`
//! and of `SignedProperties`, whose digest is GOST R 34.11-94. Mixtures of the two are accepted as well.
//!
//! A good signature means that the one element in the SOAP body is signed by the key of the enclosed
//! certificate. Whether that certificate is known, trusted or in force is for the caller to say.

mod canonical;
mod issuer;
mod sign;
mod verify;

pub use sign::{SignError, sign};
pub use verify::{Problem, Signed, verify};

use gost::hash;

/// `SignatureMethod` of GOST R 34.10-2012 with a 256-bit key.
const SIGNATURE_METHOD: &str = "urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34102012-gostr34112012-256";
/// Transform: the signed element without its signature.
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
/// Exclusive canonicalisation.
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// Inclusive canonicalisation, also the default where a reference names none.
const INCLUSIVE: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
/// `Type` of the reference to `SignedProperties`.
const SIGNED_PROPERTIES: &str = "http://uri.etsi.org/01903#SignedProperties";

/// Digest algorithms of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Digest {
    /// GOST R 34.11-2012, 256 bits.
    Streebog,
    /// GOST R 34.11-94 with CryptoPro's parameters, in form B.
    Gost94,
}

impl Digest {
    const fn uri(self) -> &'static str {
        match self {
            Self::Streebog => "urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34112012-256",
            Self::Gost94 => "http://www.w3.org/2001/04/xmldsig-more#gostr3411",
        }
    }

    fn from_uri(uri: &str) -> Option<Self> {
        [Self::Streebog, Self::Gost94].into_iter().find(|digest| digest.uri() == uri)
    }

    fn of(self, octets: &[u8]) -> [u8; 32] {
        match self {
            Self::Streebog => hash::streebog256(octets),
            Self::Gost94 => hash::gost94(octets),
        }
    }
}

#[cfg(test)]
mod tests;
