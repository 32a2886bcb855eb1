//! Signatures: XAdES-BES with GOST R 34.10-2012 (256 bits), enveloped in the element that is signed.
//!
//! [`crate::envelope`] signs with `sign`, [`crate::http`] checks replies with [`verify_reply`]. Both use the form that the
//! server itself uses: Streebog-256 digests, exclusive canonicalization, one reference to the signed element and one
//! to the signed properties, which bind the certificate and the time. What must stay true: the bytes that are hashed
//! are the bytes that are sent, and a reply counts as signed only if the signature covers the very element that is read.

mod signer;
mod verify;
mod write;

pub use signer::{CertificateDigest, InvalidCertificateDigest};
pub use verify::{SignatureProblem, verify_reply};

pub(crate) use write::{Unsigned, sign};

/// `Id` of the signed element, by convention of all clients and of the server.
pub(crate) const SIGNED_ID: &str = "signed-data-container";

const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const INCLUSIVE: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const GOST_2012_256: &str = "urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34102012-gostr34112012-256";
const STREEBOG_256: &str = "urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34112012-256";
const GOST_94: &str = "http://www.w3.org/2001/04/xmldsig-more#gostr3411";
const SIGNED_PROPERTIES: &str = "http://uri.etsi.org/01903#SignedProperties";
