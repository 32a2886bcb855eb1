//! Checks the signature of a reply.
//!
//! A signature proves nothing if it covers another element than the one that is read ("signature wrapping"). So the
//! signed element must be the only element of the only body, which is what [`crate::reply`] reads; the signature must
//! be its child; Ids must be unique; and there must be exactly the two references of XAdES-BES. The older form of
//! .NET clients (inclusive canonicalization, GOST R 34.11-94) is accepted as well.
//!
//! Not checked here: validity in time, trust in the issuer, and whose certificate it is. The caller gets the
//! certificate and compares it with what the operator has configured. `xml_sec` does not parse beyond 16 MiB or
//! 100 000 nodes; such a document is [`SignatureProblem::TooLarge`].

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gost::hash::{gost94, streebog256};
use gost::{Certificate, Signature};
use xml_sec::c14n::{C14nAlgorithm, canonicalize};
use xml_sec::{Document, Node, NodeId, ParseError};

use super::{
    CertificateDigest, ENVELOPED, EXCLUSIVE, GOST_94, GOST_2012_256, INCLUSIVE, SIGNED_PROPERTIES,
    STREEBOG_256,
};
use crate::xml::Namespace::{self, Ds, Soap, Xades};

/// Why a reply does not count as signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureProblem {
    /// There is no signature. GIS signs finished results only.
    #[error("the reply is not signed")]
    Unsigned,
    /// The document is too large to be checked.
    #[error(
        "the reply is beyond 16 MiB or 100000 nodes of XML, or nested too deeply, so its signature cannot be checked; \
         ask for less at once"
    )]
    TooLarge,
    /// The signature holds, but it is not by one of the expected signers.
    #[error(
        "the reply is signed with a certificate whose Streebog-256 digest {signer} is not among the expected signers; \
         compare it with the certificate that GIS announces before it is added to them"
    )]
    Foreign {
        /// The certificate that it is signed with.
        signer: CertificateDigest,
    },
    /// There is a signature and it does not hold.
    #[error("the signature of the reply does not hold: {what}")]
    Broken {
        /// What is wrong with it.
        what: &'static str,
    },
}

const fn broken(what: &'static str) -> SignatureProblem {
    SignatureProblem::Broken { what }
}

/// Checks the signature of a reply of GIS and returns the signer's certificate.
///
/// The digests are of the document as it was received. The certificate itself (time, issuer, owner) is not judged.
///
/// # Errors
/// [`SignatureProblem`].
pub fn verify_reply(document: &str) -> Result<Certificate, SignatureProblem> {
    let text = document.strip_prefix('\u{feff}').unwrap_or(document);
    let document = Document::parse(text).map_err(|error| unparsed(&error))?;
    let content = signed_element(&document)?;
    let signature = match children(content, Ds, "Signature").count() {
        0 => return Err(SignatureProblem::Unsigned),
        _ => only(content, Ds, "Signature")?,
    };
    check_ids(&document)?;
    let signed_info = only(signature, Ds, "SignedInfo")?;
    let properties = signed_properties(signature)?;
    let [first, second] = references(signed_info)?;
    let (of_properties, of_content) =
        if first.kind == Some(SIGNED_PROPERTIES) { (first, second) } else { (second, first) };
    check_reference(&of_content, content, Some(signature), "the digest of the content differs")?;
    check_reference(&of_properties, properties, None, "the digest of the signed properties differs")?;
    if of_properties.kind != Some(SIGNED_PROPERTIES) {
        return Err(broken("no reference to the signed properties"));
    }
    let certificate = certificate(signature, properties)?;
    check_value(signature, signed_info, &certificate)?;
    Ok(certificate)
}

/// What a document is that the library does not parse.
fn unparsed(error: &ParseError) -> SignatureProblem {
    let too_large = matches!(
        error,
        ParseError::ByteLimitReached { .. }
            | ParseError::NodesLimitReached
            | ParseError::SourcePositionLimitReached { .. }
            | ParseError::DepthLimitReached { .. }
    );
    if too_large { SignatureProblem::TooLarge } else { broken("the document is not well-formed") }
}

fn signed_element<'a, 'i>(document: &'a Document<'i>) -> Result<Node<'a, 'i>, SignatureProblem> {
    let root = document.root_element();
    if !root.has_tag_name((Soap.uri(), "Envelope")) {
        return Err(broken("the document is not a SOAP message"));
    }
    let body = only(root, Soap, "Body")?;
    let mut elements = body.children().filter(Node::is_element);
    match (elements.next(), elements.next()) {
        (Some(element), None) => Ok(element),
        _ => Err(broken("the body does not have exactly one element")),
    }
}

// Any spelling of the name: what one processor takes for an Id, another may not.
fn check_ids(document: &Document<'_>) -> Result<(), SignatureProblem> {
    let mut seen = HashSet::new();
    let ids = document.descendants().flat_map(|node| {
        node.attributes().filter(|attribute| attribute.name().eq_ignore_ascii_case("id")).map(|id| id.value())
    });
    for id in ids {
        if !seen.insert(id) {
            return Err(broken("an Id is used twice"));
        }
    }
    Ok(())
}

fn signed_properties<'a, 'i>(signature: Node<'a, 'i>) -> Result<Node<'a, 'i>, SignatureProblem> {
    let mut found = children(signature, Ds, "Object")
        .flat_map(|object| children(object, Xades, "QualifyingProperties"))
        .flat_map(|qualifying| children(qualifying, Xades, "SignedProperties"));
    match (found.next(), found.next()) {
        (Some(properties), None) => Ok(properties),
        _ => Err(broken("there are not exactly one signed properties")),
    }
}

/// A digest algorithm.
#[derive(Clone, Copy)]
enum Digest {
    Streebog256,
    Gost94,
}

impl Digest {
    /// Of an element that holds a DigestMethod.
    fn of(node: Node<'_, '_>) -> Result<Self, SignatureProblem> {
        match only(node, Ds, "DigestMethod")?.attribute("Algorithm") {
            Some(STREEBOG_256) => Ok(Self::Streebog256),
            Some(GOST_94) => Ok(Self::Gost94),
            _ => Err(broken("an unknown digest algorithm")),
        }
    }

    fn digest(self, bytes: &[u8]) -> [u8; 32] {
        match self {
            Self::Streebog256 => streebog256(bytes),
            Self::Gost94 => gost94(bytes),
        }
    }
}

struct Reference<'a> {
    uri: &'a str,
    kind: Option<&'a str>,
    enveloped: bool,
    algorithm: C14nAlgorithm,
    digest: Digest,
    value: Vec<u8>,
}

fn references<'a>(signed_info: Node<'a, '_>) -> Result<[Reference<'a>; 2], SignatureProblem> {
    let mut references = children(signed_info, Ds, "Reference");
    match (references.next(), references.next(), references.next()) {
        (Some(first), Some(second), None) => Ok([reference(first)?, reference(second)?]),
        _ => Err(broken("there are not exactly two references")),
    }
}

fn reference<'a>(node: Node<'a, '_>) -> Result<Reference<'a>, SignatureProblem> {
    let mut enveloped = false;
    let mut algorithm = None;
    let transforms = children(node, Ds, "Transforms").flat_map(|list| children(list, Ds, "Transform"));
    for transform in transforms {
        let is_enveloped = transform.attribute("Algorithm") == Some(ENVELOPED);
        if algorithm.is_some() || (is_enveloped && enveloped) {
            return Err(broken("the transforms of a reference are not the expected ones"));
        }
        if is_enveloped { enveloped = true } else { algorithm = Some(canonicalization(transform)?) }
    }
    Ok(Reference {
        uri: node.attribute("URI").unwrap_or_default(),
        kind: node.attribute("Type"),
        enveloped,
        // https://www.w3.org/TR/xmldsig-core1/#sec-ReferenceProcessingModel: without a transform the inclusive form.
        algorithm: match algorithm.or_else(|| C14nAlgorithm::from_uri(INCLUSIVE)) {
            Some(algorithm) => algorithm,
            None => return Err(broken("an unknown canonicalization")),
        },
        digest: Digest::of(node)?,
        value: octets(only(node, Ds, "DigestValue")?)?,
    })
}

/// The canonicalization that an element names.
fn canonicalization(node: Node<'_, '_>) -> Result<C14nAlgorithm, SignatureProblem> {
    let uri = node.attribute("Algorithm").filter(|uri| [EXCLUSIVE, INCLUSIVE].contains(uri));
    let algorithm = uri.and_then(C14nAlgorithm::from_uri).ok_or(broken("an unknown canonicalization"))?;
    let prefixes = node.children().find(|child| child.has_tag_name((EXCLUSIVE, "InclusiveNamespaces")));
    Ok(match prefixes.and_then(|list| list.attribute("PrefixList")) {
        Some(list) => algorithm.with_prefix_list(list),
        None => algorithm,
    })
}

/// Checks that a reference is to this element and that its digest is right; an enveloped signature is left out.
fn check_reference(
    reference: &Reference<'_>,
    element: Node<'_, '_>,
    signature: Option<Node<'_, '_>>,
    what: &'static str,
) -> Result<(), SignatureProblem> {
    let id = element.attribute("Id").filter(|id| !id.is_empty());
    if id.is_none() || reference.uri.strip_prefix('#') != id || reference.enveloped != signature.is_some() {
        return Err(broken("a reference is not to the element that it should be to"));
    }
    let canonical = canonical(element, signature, &reference.algorithm)?;
    if reference.digest.digest(&canonical).as_slice() == reference.value { Ok(()) } else { Err(broken(what)) }
}

fn canonical(
    element: Node<'_, '_>,
    without: Option<Node<'_, '_>>,
    algorithm: &C14nAlgorithm,
) -> Result<Vec<u8>, SignatureProblem> {
    let inside = Subtree::of(element);
    let without = without.map(Subtree::of);
    let selected = |node: Node<'_, '_>| {
        inside.contains(node) && !without.as_ref().is_some_and(|without| without.contains(node))
    };
    let mut canonical = Vec::with_capacity(element.range().len());
    match canonicalize(element.document(), Some(&selected), algorithm, &mut canonical) {
        Ok(()) => Ok(canonical),
        Err(_) => Err(broken("the document cannot be canonicalized")),
    }
}

/// An element with all that is in it. Ids of nodes are given in document order.
struct Subtree {
    first: NodeId,
    last: NodeId,
}

impl Subtree {
    fn of(element: Node<'_, '_>) -> Self {
        let first = element.id();
        Self { first, last: element.descendants().next_back().map_or(first, Node::id) }
    }

    fn contains(&self, node: Node<'_, '_>) -> bool {
        (self.first..=self.last).contains(&node.id())
    }
}

/// The certificate that the signed properties name by its digest.
fn certificate(signature: Node<'_, '_>, properties: Node<'_, '_>) -> Result<Certificate, SignatureProblem> {
    let signed = only(properties, Xades, "SignedSignatureProperties")?;
    let named = only(only(only(signed, Xades, "SigningCertificate")?, Xades, "Cert")?, Xades, "CertDigest")?;
    let digest = Digest::of(named)?;
    let expected = octets(only(named, Ds, "DigestValue")?)?;
    let certificates = children(only(signature, Ds, "KeyInfo")?, Ds, "X509Data")
        .flat_map(|data| children(data, Ds, "X509Certificate"));
    for certificate in certificates {
        let der = octets(certificate)?;
        if digest.digest(&der).as_slice() == expected {
            return Certificate::from_der(&der).or(Err(broken("the certificate cannot be read")));
        }
    }
    Err(broken("the certificate that the signed properties name is not there"))
}

fn check_value(
    signature: Node<'_, '_>,
    signed_info: Node<'_, '_>,
    certificate: &Certificate,
) -> Result<(), SignatureProblem> {
    if only(signed_info, Ds, "SignatureMethod")?.attribute("Algorithm") != Some(GOST_2012_256) {
        return Err(broken("an unknown signature algorithm"));
    }
    let algorithm = canonicalization(only(signed_info, Ds, "CanonicalizationMethod")?)?;
    let digest = streebog256(&canonical(signed_info, None, &algorithm)?);
    let value = octets(only(signature, Ds, "SignatureValue")?)?;
    let holds = match Signature::try_from(value.as_slice()) {
        Ok(value) => certificate.public_key().verify(&digest, &value).is_ok(),
        Err(_) => false,
    };
    if holds { Ok(()) } else { Err(broken("the signature value does not fit the certificate")) }
}

fn octets(node: Node<'_, '_>) -> Result<Vec<u8>, SignatureProblem> {
    let text: String = node.text().unwrap_or_default().split_ascii_whitespace().collect();
    STANDARD.decode(text).or(Err(broken("a value is not base64")))
}

fn children<'a, 'i>(
    node: Node<'a, 'i>,
    namespace: Namespace,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.has_tag_name((namespace.uri(), name)))
}

fn only<'a, 'i>(
    node: Node<'a, 'i>,
    namespace: Namespace,
    name: &'static str,
) -> Result<Node<'a, 'i>, SignatureProblem> {
    let mut found = children(node, namespace, name);
    match (found.next(), found.next()) {
        (Some(child), None) => Ok(child),
        (None, _) => Err(broken("an element is missing")),
        (Some(_), Some(_)) => Err(broken("an element is there twice")),
    }
}
