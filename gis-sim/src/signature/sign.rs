//! Signs a finished result in form A, as the server of the recorded exchange did.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, FixedOffset};
use gost::{Certificate, KeyError, KeyPair};
use thiserror::Error;
use uuid::Uuid;
use xml_sec::c14n::{C14nAlgorithm, C14nError, C14nMode};
use xml_sec::{Document, Node, ParseError};

use super::{Digest, ENVELOPED, EXCLUSIVE, SIGNATURE_METHOD, SIGNED_PROPERTIES, canonical};
use crate::wire::names::{DS, XADES};
use crate::wire::write::{SIGNED_ID, StateMessage, date_time, escape_into};

/// The server breaks the certificate's base64 after this many characters.
const LINE: usize = 76;

/// Why a result could not be signed.
#[derive(Debug, Error)]
pub enum SignError {
    /// The message is larger or deeper than the canonicaliser takes.
    #[error("the result cannot be parsed for signing, make pages smaller: {0}")]
    Parse(#[from] ParseError),
    /// The message has no canonical form.
    #[error("the result cannot be canonicalised")]
    Canonical(#[from] C14nError),
    /// The signed element or a part of the signature is not where it was put.
    #[error("the result has lost its {0}")]
    Lost(&'static str),
    /// The key cannot sign.
    #[error("the key cannot sign")]
    Key(#[from] KeyError),
}

/// The message with the server's signature. `time` becomes `SigningTime`.
///
/// # Errors
/// When the message is too large to canonicalise, or the random generator fails.
pub fn sign(
    message: &StateMessage,
    keys: &KeyPair,
    time: DateTime<FixedOffset>,
) -> Result<Vec<u8>, SignError> {
    let id = format!("xmldsig-{}", Uuid::new_v4());
    let mut template = Template::new(
        message.signature_prefix(),
        id,
        properties(keys.certificate(), message.signature_prefix(), time),
    );
    template.certificate = lines(&STANDARD.encode(keys.certificate().der()));
    with_document(&message.with_signature(&template.element()), |document, signature| {
        let signed = signature.parent_element().ok_or(SignError::Lost("signed element"))?;
        let properties = find(signature, (XADES, "SignedProperties"))?;
        template.body_digest = digest(&canonical_form(document, signed, Some(signature))?);
        template.properties_digest = digest(&canonical_form(document, properties, None)?);
        Ok(())
    })?;
    with_document(&message.with_signature(&template.element()), |document, signature| {
        let info = canonical_form(document, find(signature, (DS, "SignedInfo"))?, None)?;
        template.value = STANDARD.encode(keys.key().sign(&Digest::Streebog.of(&info))?.as_bytes());
        Ok(())
    })?;
    Ok(message.with_signature(&template.element()).into_bytes())
}

fn with_document(
    text: &str,
    mut work: impl FnMut(&Document<'_>, Node<'_, '_>) -> Result<(), SignError>,
) -> Result<(), SignError> {
    let document = Document::parse(text)?;
    let signature = find(document.root_element(), (DS, "Signature"))?;
    work(&document, signature)
}

fn find<'tree, 'text: 'tree>(
    within: Node<'tree, 'text>,
    (namespace, local): (&'static str, &'static str),
) -> Result<Node<'tree, 'text>, SignError> {
    within.descendants().find(|node| node.has_tag_name((namespace, local))).ok_or(SignError::Lost(local))
}

fn canonical_form(
    document: &Document<'_>,
    apex: Node<'_, '_>,
    hole: Option<Node<'_, '_>>,
) -> Result<Vec<u8>, SignError> {
    let exclusive = C14nAlgorithm::new(C14nMode::Exclusive1_0, false);
    Ok(canonical::subtree(document, apex, hole, &exclusive)?)
}

fn digest(octets: &[u8]) -> String {
    STANDARD.encode(Digest::Streebog.of(octets))
}

/// Base64 in lines.
fn lines(base64: &str) -> String {
    let mut out = String::with_capacity(base64.len() + base64.len() / LINE + 1);
    let mut rest = base64;
    while let Some((line, further)) = rest.split_at_checked(LINE).filter(|(_, further)| !further.is_empty()) {
        out.push_str(line);
        out.push('\n');
        rest = further;
    }
    out.push_str(rest);
    out
}

/// The signature element; digests and value are filled in one after the other.
struct Template<'message> {
    prefix: &'message str,
    id: String,
    properties: String,
    certificate: String,
    body_digest: String,
    properties_digest: String,
    value: String,
}

impl<'message> Template<'message> {
    fn new(prefix: &'message str, id: String, properties: String) -> Self {
        let empty = String::new;
        Self {
            prefix,
            id,
            properties,
            certificate: empty(),
            body_digest: empty(),
            properties_digest: empty(),
            value: empty(),
        }
    }

    fn element(&self) -> String {
        let Self { prefix: ds, id, properties, certificate, value, .. } = self;
        let info = self.info();
        format!(
            "<{ds}:Signature Id=\"{id}\">{info}<{ds}:SignatureValue>{value}</{ds}:SignatureValue>\
            <{ds}:KeyInfo><{ds}:X509Data><{ds}:X509Certificate>{certificate}</{ds}:X509Certificate>\
            </{ds}:X509Data></{ds}:KeyInfo>\
            <{ds}:Object><xades:QualifyingProperties xmlns:xades=\"{XADES}\" Target=\"#{id}\">\
            <xades:SignedProperties Id=\"{id}-signedprops\">{properties}</xades:SignedProperties>\
            </xades:QualifyingProperties></{ds}:Object></{ds}:Signature>"
        )
    }

    fn info(&self) -> String {
        let Self { prefix: ds, id, body_digest, properties_digest, .. } = self;
        let exclusive = format!("<{ds}:Transform Algorithm=\"{EXCLUSIVE}\"/>");
        let method = digest_method(ds);
        format!(
            "<{ds}:SignedInfo><{ds}:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/>\
            <{ds}:SignatureMethod Algorithm=\"{SIGNATURE_METHOD}\"/>\
            <{ds}:Reference URI=\"#{SIGNED_ID}\">\
            <{ds}:Transforms><{ds}:Transform Algorithm=\"{ENVELOPED}\"/>{exclusive}</{ds}:Transforms>\
            {method}<{ds}:DigestValue>{body_digest}</{ds}:DigestValue></{ds}:Reference>\
            <{ds}:Reference URI=\"#{id}-signedprops\" Type=\"{SIGNED_PROPERTIES}\">\
            <{ds}:Transforms>{exclusive}</{ds}:Transforms>\
            {method}<{ds}:DigestValue>{properties_digest}</{ds}:DigestValue></{ds}:Reference>\
            </{ds}:SignedInfo>"
        )
    }
}

/// `SignedSignatureProperties`.
fn properties(certificate: &Certificate, ds: &str, time: DateTime<FixedOffset>) -> String {
    let mut issuer = String::new();
    escape_into(&mut issuer, certificate.issuer_name());
    let (time, method, digest) = (date_time(time), digest_method(ds), digest(certificate.der()));
    let serial = certificate.serial_decimal();
    format!(
        "<xades:SignedSignatureProperties><xades:SigningTime>{time}</xades:SigningTime>\
        <xades:SigningCertificate><xades:Cert>\
        <xades:CertDigest>{method}<{ds}:DigestValue>{digest}</{ds}:DigestValue></xades:CertDigest>\
        <xades:IssuerSerial><{ds}:X509IssuerName>{issuer}</{ds}:X509IssuerName>\
        <{ds}:X509SerialNumber>{serial}</{ds}:X509SerialNumber></xades:IssuerSerial>\
        </xades:Cert></xades:SigningCertificate></xades:SignedSignatureProperties>"
    )
}

fn digest_method(ds: &str) -> String {
    format!("<{ds}:DigestMethod Algorithm=\"{}\"/>", Digest::Streebog.uri())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_broken_into_lines() {
        assert_eq!(lines(""), "");
        assert_eq!(lines(&"a".repeat(76)), "a".repeat(76));
        assert_eq!(lines(&"a".repeat(153)), format!("{0}\n{0}\na", "a".repeat(76)));
    }
}
