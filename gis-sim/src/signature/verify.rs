//! Verifies the signature of a request.
//!
//! Nothing is looked up by `Id` alone: the signed element is the one element of the SOAP body, the signed
//! properties are those of its own signature, and their references must name them. So a message cannot show
//! one element to the reader and another to the verifier.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, FixedOffset};
use gost::{Certificate, Signature};
use thiserror::Error;
use xml_sec::c14n::C14nAlgorithm;
use xml_sec::{Document, Node};

use super::{
    Digest, ENVELOPED, EXCLUSIVE, INCLUSIVE, SIGNATURE_METHOD, SIGNED_PROPERTIES, canonical, issuer,
};
use crate::wire::names::{DS, Name, SOAP, XADES};
use crate::wire::scan;

/// A signature that holds.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The signer's certificate, as enclosed; nothing says yet that it is trusted or in force.
    pub certificate: Certificate,
    /// `SigningTime`, as the signer claims.
    pub time: DateTime<FixedOffset>,
}

/// Why a signature does not hold. GIS ZhKH answers AUT011005 «Ошибка формата подписи запроса» to all of them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// The bytes cannot be parsed.
    #[error("the message is not XML that can be read: {0}")]
    NotXml(&'static str),
    /// The body element has no signature as its first child.
    #[error("the body element is not signed: put ds:Signature before its other children")]
    Missing,
    /// Two elements claim one id.
    #[error("an Id occurs twice, make ids unique")]
    DuplicateId,
    /// The signature is not built as XAdES-BES of this service.
    #[error("{element}: {problem}")]
    Structure {
        /// The element.
        element: &'static str,
        /// What is wanted.
        problem: &'static str,
    },
    /// An algorithm that the service does not take.
    #[error("{0} names an algorithm that is not taken")]
    Algorithm(&'static str),
    /// The certificate cannot be read.
    #[error("the certificate cannot be read: {0}")]
    Certificate(#[from] gost::CertificateError),
    /// The signed properties speak of another certificate.
    #[error("{0} does not fit the enclosed certificate")]
    OtherCertificate(&'static str),
    /// Content and digest differ.
    #[error("the digest of {0} does not fit its content: it was changed after signing, white space counts")]
    Digest(&'static str),
    /// The signature value does not fit.
    #[error("the signature value does not fit the certificate's key")]
    Value,
    /// A part has no canonical form.
    #[error("{0} cannot be canonicalised")]
    Canonical(&'static str),
}

type Verified<T> = Result<T, Problem>;

/// Verifies the signature of the element in the SOAP body.
///
/// # Errors
/// The first [`Problem`] found.
pub fn verify(message: &[u8]) -> Result<Signed, Problem> {
    let text = scan::readable(message).map_err(Problem::NotXml)?;
    // The parser's own words may quote the message.
    let document =
        Document::parse(text).or(Err(Problem::NotXml("not well-formed, or more than 100 000 nodes")))?;
    unique_ids(&document)?;
    let body = body_element(&document)?;
    let signature =
        elements(body).next().filter(|node| is(*node, (DS, "Signature"))).ok_or(Problem::Missing)?;
    Verification { document: &document, body, signature }.run()
}

struct Verification<'tree, 'text> {
    document: &'tree Document<'text>,
    body: Node<'tree, 'text>,
    signature: Node<'tree, 'text>,
}

impl<'tree, 'text> Verification<'tree, 'text> {
    fn run(&self) -> Verified<Signed> {
        let [info, value, key, object] = parts(
            self.signature,
            [(DS, "SignedInfo"), (DS, "SignatureValue"), (DS, "KeyInfo"), (DS, "Object")],
            "Signature",
        )?;
        let certificate = certificate(key)?;
        let [qualifying] = parts(object, [(XADES, "QualifyingProperties")], "Object")?;
        names(qualifying, "Target", self.signature, "QualifyingProperties")?;
        let [properties] = parts(qualifying, [(XADES, "SignedProperties")], "QualifyingProperties")?;
        let time = check_properties(properties, &certificate)?;
        let canonical_info = self.check_info(info, properties)?;
        check_value(value, &canonical_info, &certificate)?;
        Ok(Signed { certificate, time })
    }

    /// Checks both references and returns the canonical `SignedInfo`.
    fn check_info(&self, info: Node<'tree, 'text>, properties: Node<'tree, 'text>) -> Verified<Vec<u8>> {
        let [method, signature_method, body, signed_properties] = parts(
            info,
            [(DS, "CanonicalizationMethod"), (DS, "SignatureMethod"), (DS, "Reference"), (DS, "Reference")],
            "SignedInfo",
        )?;
        if signature_method.attribute("Algorithm") != Some(SIGNATURE_METHOD) {
            return Err(Problem::Algorithm("SignatureMethod"));
        }
        self.check_body(body)?;
        self.check_signed_properties(signed_properties, properties)?;
        self.canonical(info, None, &canonicalization(method)?, "SignedInfo")
    }

    /// The first reference: the body element without its signature.
    fn check_body(&self, reference: Node<'tree, 'text>) -> Verified<()> {
        names(reference, "URI", self.body, "Reference")?;
        let [transforms, method, value] =
            parts(reference, [(DS, "Transforms"), (DS, "DigestMethod"), (DS, "DigestValue")], "Reference")?;
        let mut transforms = elements(transforms);
        let enveloped = transforms.next().filter(|node| node.attribute("Algorithm") == Some(ENVELOPED));
        if enveloped.is_none() {
            return Err(Problem::Algorithm("the first Transform of the body's Reference"));
        }
        let algorithm = at_most_one_transform(transforms)?;
        let octets = self.canonical(self.body, Some(self.signature), &algorithm, "the body element")?;
        check_digest(method, value, &octets, "the body element")
    }

    /// The second reference: the signed properties.
    fn check_signed_properties(
        &self,
        reference: Node<'tree, 'text>,
        properties: Node<'tree, 'text>,
    ) -> Verified<()> {
        names(reference, "URI", properties, "Reference")?;
        if reference.attribute("Type") != Some(SIGNED_PROPERTIES) {
            return Err(wrong("Reference", "the second needs the Type of SignedProperties"));
        }
        let mut children = elements(reference).peekable();
        let transforms = children.next_if(|node| is(*node, (DS, "Transforms")));
        let algorithm = at_most_one_transform(transforms.into_iter().flat_map(elements))?;
        let (Some(method), Some(value), None) = (children.next(), children.next(), children.next()) else {
            return Err(wrong("Reference", "needs DigestMethod and DigestValue"));
        };
        let octets = self.canonical(properties, None, &algorithm, "SignedProperties")?;
        check_digest(method, value, &octets, "SignedProperties")
    }

    fn canonical(
        &self,
        apex: Node<'tree, 'text>,
        hole: Option<Node<'tree, 'text>>,
        algorithm: &C14nAlgorithm,
        what: &'static str,
    ) -> Verified<Vec<u8>> {
        canonical::subtree(self.document, apex, hole, algorithm).or(Err(Problem::Canonical(what)))
    }
}

/// No id may occur twice, whatever the spelling of the attribute.
fn unique_ids(document: &Document<'_>) -> Verified<()> {
    let mut seen = HashSet::new();
    let ids = document
        .descendants()
        .filter(Node::is_element)
        .flat_map(|node| node.attributes().filter(|attribute| attribute.name().eq_ignore_ascii_case("id")));
    for id in ids {
        if !seen.insert(id.value()) {
            return Err(Problem::DuplicateId);
        }
    }
    Ok(())
}

/// The one element of the SOAP body.
fn body_element<'tree, 'text>(document: &'tree Document<'text>) -> Verified<Node<'tree, 'text>> {
    let envelope = document.root_element();
    if !is(envelope, (SOAP, "Envelope")) {
        return Err(wrong("Envelope", "SOAP 1.1 is expected"));
    }
    let mut bodies = elements(envelope).filter(|node| is(*node, (SOAP, "Body")));
    let (Some(body), None) = (bodies.next(), bodies.next()) else {
        return Err(wrong("Envelope", "needs one Body"));
    };
    let [element] = exactly(body).ok_or_else(|| wrong("Body", "needs one element"))?;
    Ok(element)
}

fn certificate(key: Node<'_, '_>) -> Verified<Certificate> {
    let [data] = parts(key, [(DS, "X509Data")], "KeyInfo")?;
    let [certificate] = parts(data, [(DS, "X509Certificate")], "X509Data")?;
    Ok(Certificate::from_der(&base64(certificate, "X509Certificate")?)?)
}

/// Checks that the signed properties mean this certificate; returns `SigningTime`.
fn check_properties(properties: Node<'_, '_>, certificate: &Certificate) -> Verified<DateTime<FixedOffset>> {
    let [signature_properties] =
        parts(properties, [(XADES, "SignedSignatureProperties")], "SignedProperties")?;
    let [time, signing_certificate] = parts(
        signature_properties,
        [(XADES, "SigningTime"), (XADES, "SigningCertificate")],
        "SignedSignatureProperties",
    )?;
    let [certificates] = parts(signing_certificate, [(XADES, "Cert")], "SigningCertificate")?;
    let [digest, serial] = parts(certificates, [(XADES, "CertDigest"), (XADES, "IssuerSerial")], "Cert")?;
    let [method, value] = parts(digest, [(DS, "DigestMethod"), (DS, "DigestValue")], "CertDigest")?;
    check_digest(method, value, certificate.der(), "the certificate")?;
    let [issuer_name, serial_number] =
        parts(serial, [(DS, "X509IssuerName"), (DS, "X509SerialNumber")], "IssuerSerial")?;
    if !issuer::same(&text(issuer_name), certificate.issuer_name()) {
        return Err(Problem::OtherCertificate("X509IssuerName"));
    }
    if text(serial_number).trim() != certificate.serial_decimal() {
        return Err(Problem::OtherCertificate("X509SerialNumber"));
    }
    DateTime::parse_from_rfc3339(text(time).trim())
        .or(Err(wrong("SigningTime", "needs a date and a time with an offset")))
}

fn check_value(value: Node<'_, '_>, info: &[u8], certificate: &Certificate) -> Verified<()> {
    let octets = base64(value, "SignatureValue")?;
    let signature = Signature::try_from(octets.as_slice()).or(Err(Problem::Value))?;
    certificate.public_key().verify(&Digest::Streebog.of(info), &signature).or(Err(Problem::Value))
}

fn check_digest(
    method: Node<'_, '_>,
    value: Node<'_, '_>,
    octets: &[u8],
    what: &'static str,
) -> Verified<()> {
    if !is(method, (DS, "DigestMethod")) || !is(value, (DS, "DigestValue")) {
        return Err(wrong("Reference", "needs DigestMethod and DigestValue"));
    }
    let digest = method.attribute("Algorithm").and_then(Digest::from_uri);
    let digest = digest.ok_or(Problem::Algorithm("DigestMethod"))?;
    if base64(value, "DigestValue")? == digest.of(octets) { Ok(()) } else { Err(Problem::Digest(what)) }
}

/// The canonicalisation that a reference asks for; none means the inclusive one (XML signatures, 4.4.3.2).
fn at_most_one_transform<'tree, 'text: 'tree>(
    mut transforms: impl Iterator<Item = Node<'tree, 'text>>,
) -> Verified<C14nAlgorithm> {
    let algorithm = transforms.next().map(canonicalization).transpose()?;
    if transforms.next().is_some() {
        return Err(Problem::Algorithm("a further Transform"));
    }
    algorithm.or_else(|| C14nAlgorithm::from_uri(INCLUSIVE)).ok_or(Problem::Algorithm("Transform"))
}

fn canonicalization(node: Node<'_, '_>) -> Verified<C14nAlgorithm> {
    let uri = node.attribute("Algorithm").filter(|uri| [EXCLUSIVE, INCLUSIVE].contains(uri));
    let algorithm = uri.and_then(C14nAlgorithm::from_uri);
    let algorithm = algorithm.ok_or(Problem::Algorithm("a canonicalisation"))?;
    let prefixes = elements(node).find(|child| is(*child, (EXCLUSIVE, "InclusiveNamespaces")));
    Ok(match prefixes.and_then(|child| child.attribute("PrefixList")) {
        Some(list) => algorithm.with_prefix_list(list),
        None => algorithm,
    })
}

/// Whether `attribute` of `node` is a reference to `target`.
fn names(node: Node<'_, '_>, attribute: &str, target: Node<'_, '_>, element: &'static str) -> Verified<()> {
    let wanted = target.attribute("Id").filter(|id| !id.is_empty());
    let named = node.attribute(attribute).and_then(|uri| uri.strip_prefix('#'));
    if wanted.is_some() && wanted == named {
        return Ok(());
    }
    Err(wrong(element, "does not refer to the Id it must refer to"))
}

fn wrong(element: &'static str, problem: &'static str) -> Problem {
    Problem::Structure { element, problem }
}

fn is(node: Node<'_, '_>, name: Name) -> bool {
    node.has_tag_name(name)
}

fn elements<'tree, 'text: 'tree>(parent: Node<'tree, 'text>) -> impl Iterator<Item = Node<'tree, 'text>> {
    parent.children().filter(Node::is_element)
}

/// The child elements when there are exactly `N`.
fn exactly<'tree, 'text: 'tree, const N: usize>(
    parent: Node<'tree, 'text>,
) -> Option<[Node<'tree, 'text>; N]> {
    elements(parent).take(N + 1).collect::<Vec<_>>().try_into().ok()
}

/// The child elements when they are exactly these.
fn parts<'tree, 'text: 'tree, const N: usize>(
    parent: Node<'tree, 'text>,
    names: [Name; N],
    element: &'static str,
) -> Verified<[Node<'tree, 'text>; N]> {
    exactly(parent)
        .filter(|nodes: &[_; N]| nodes.iter().zip(names).all(|(node, name)| is(*node, name)))
        .ok_or(wrong(element, "is not built as XAdES-BES asks"))
}

fn text(node: Node<'_, '_>) -> String {
    node.children().filter(Node::is_text).filter_map(Node::text).collect()
}

fn base64(node: Node<'_, '_>, element: &'static str) -> Verified<Vec<u8>> {
    let text: String = text(node).chars().filter(|character| !character.is_ascii_whitespace()).collect();
    STANDARD.decode(text).or(Err(wrong(element, "is not base64")))
}
