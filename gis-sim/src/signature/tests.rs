use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, FixedOffset};
use gost::{Certificate, KeyPair, ParameterSet, PrivateKey};
use uuid::Uuid;
use xml_sec::Document;
use xml_sec::c14n::C14nAlgorithm;

use super::*;
use crate::wire::Style;
use crate::wire::model::{GisError, Outcome, State, Version};
use crate::wire::write::{self, ReplyHeader, StateReply};

fn keys(set: ParameterSet) -> KeyPair {
    let key = PrivateKey::generate(set).unwrap();
    let year = |year| DateTime::parse_from_rfc3339(&format!("{year}-01-01T00:00:00Z")).unwrap().to_utc();
    let certificate = Certificate::self_signed(&key, "ООО \"Пример\", тест", year(2026), year(2036)).unwrap();
    KeyPair::new(key, certificate).unwrap()
}

fn moment() -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339("2026-03-16T10:16:13.011+03:00").unwrap()
}

fn message(style: &Style) -> write::StateMessage {
    let error =
        GisError { code: "INT002012".to_owned(), description: "a\r\n <b>".to_owned(), stack_trace: None };
    let header = ReplyHeader { date: moment(), original: Uuid::nil(), own: Uuid::nil() };
    let state = State::Done(Outcome::Error(error));
    write::state(style, &header, &StateReply { message: Uuid::nil(), version: Version::V14, state })
}

#[test]
fn what_is_signed_verifies_in_every_dress() {
    for (style, set) in [
        (Style::plain(), ParameterSet::CryptoProXchA),
        (Style::seeded(1), ParameterSet::Tc26A),
        (Style::seeded(2), ParameterSet::CryptoProA),
    ] {
        let keys = keys(set);
        let signed = sign(&message(&style), &keys, moment()).unwrap();
        let verified = verify(&signed).unwrap();
        assert_eq!(verified.certificate.der(), keys.certificate().der());
        assert_eq!(verified.time, moment());
        let text = String::from_utf8(signed).unwrap();
        assert!(text.contains("Id=\"signed-data-container\""));
        let certificate = text.split("X509Certificate>").nth(1).unwrap();
        assert!(certificate.lines().all(|line| line.len() <= 76 || line.contains("</")), "{certificate}");
    }
}

#[test]
fn changes_are_told_apart() {
    let keys = keys(ParameterSet::Tc26A);
    let signed = String::from_utf8(sign(&message(&Style::plain()), &keys, moment()).unwrap()).unwrap();
    let problem = |old: &str, new: &str| {
        let changed = signed.replacen(old, new, 1);
        assert_ne!(changed, signed, "{old}");
        verify(changed.as_bytes()).unwrap_err()
    };
    assert_eq!(problem("INT002012", "INT002013"), Problem::Digest("the body element"));
    assert_eq!(problem("<ns4:RequestState>", "\n<ns4:RequestState>"), Problem::Digest("the body element"));
    assert_eq!(
        problem("SigningTime>2026-03-16T10:16:13.011", "SigningTime>2026-03-16T10:16:13.012"),
        Problem::Digest("SignedProperties")
    );
    assert_eq!(problem("ns3:Signature Id", "ns3:Signature id"), structure("QualifyingProperties"));
    assert_eq!(problem("</xades:Cert>", "<x/></xades:Cert>"), structure("Cert"));
    assert_eq!(problem("SignedProperties\"", "Other\""), structure("Reference"));
    assert_eq!(problem("gostr34102012-gostr34112012-256", "rsa"), Problem::Algorithm("SignatureMethod"));
    let unsigned = message(&Style::plain()).unsigned();
    assert_eq!(verify(&unsigned).unwrap_err(), Problem::Missing);
}

fn structure(element: &'static str) -> Problem {
    let problem = match element {
        "Reference" => "the second needs the Type of SignedProperties",
        "QualifyingProperties" => "does not refer to the Id it must refer to",
        _ => "is not built as XAdES-BES asks",
    };
    Problem::Structure { element, problem }
}

#[test]
fn another_key_does_not_fit() {
    let (ours, theirs) = (keys(ParameterSet::Tc26A), keys(ParameterSet::Tc26A));
    let style = Style::plain();
    let value = |signed: &[u8]| {
        let text = std::str::from_utf8(signed).unwrap();
        text.split("SignatureValue>").nth(1).unwrap().trim_end_matches("</ns3:").to_owned()
    };
    let signed = sign(&message(&style), &ours, moment()).unwrap();
    let other = value(&sign(&message(&style), &theirs, moment()).unwrap());
    let mixed = String::from_utf8(signed.clone()).unwrap().replacen(&value(&signed), &other, 1);
    assert_eq!(verify(mixed.as_bytes()).unwrap_err(), Problem::Value);
}

/// The signed element is moved out of the body and another one takes its place: the classic wrapping.
#[test]
fn wrapped_elements_are_refused() {
    let signed = sign(&message(&Style::plain()), &keys(ParameterSet::Tc26A), moment()).unwrap();
    let signed = String::from_utf8(signed).unwrap();
    let start = signed.find("<ns13:getStateResult").unwrap();
    let end = signed.find("</env:Body>").unwrap();
    let (element, before, after) = (&signed[start..end], &signed[..start], &signed[end..]);
    let forged = |id: &str| format!("<ns13:getStateResult Id=\"{id}\"/>");
    let into_header = |body: &str| {
        let before = before.replacen("<env:Header>", &format!("<env:Header>{element}"), 1);
        format!("{before}{body}{after}")
    };
    let signature_start = element.find("<ns3:Signature ").unwrap();
    let signature_end = element.find("</ns3:Signature>").unwrap() + "</ns3:Signature>".len();
    let signature = &element[signature_start..signature_end];
    let bare = element.replace(signature, "");
    let around = format!("<ns13:getStateResult Id=\"other\">{signature}{bare}</ns13:getStateResult>");
    let same_id =
        format!("<ns13:getStateResult Id=\"signed-data-container\">{signature}{bare}</ns13:getStateResult>");
    for (message, problem) in [
        (into_header(&forged("other")), Problem::Missing),
        (into_header(&forged("signed-data-container")), Problem::DuplicateId),
        (
            format!("{before}{around}{after}"),
            Problem::Structure { element: "Reference", problem: "does not refer to the Id it must refer to" },
        ),
        (format!("{before}{same_id}{after}"), Problem::DuplicateId),
        (
            format!("{before}{element}{}{after}", forged("other")),
            Problem::Structure { element: "Body", problem: "needs one element" },
        ),
    ] {
        assert_eq!(verify(message.as_bytes()).unwrap_err(), problem, "{message}");
    }
}

/// Form B as an older .NET client makes it: inclusive canonical forms, GOST R 34.11-94 over the signed
/// properties, the issuer in the order of the certificate.
#[test]
fn form_b_verifies() {
    let keys = keys(ParameterSet::CryptoProA);
    let inclusive = C14nAlgorithm::from_uri(INCLUSIVE).unwrap();
    let exclusive = C14nAlgorithm::from_uri(EXCLUSIVE).unwrap();
    let build = |body_digest: &str, properties_digest: &str, value: &str| {
        let streebog = Digest::Streebog.uri();
        let certificate = STANDARD.encode(keys.certificate().der());
        let certificate_digest = STANDARD.encode(hash::streebog256(keys.certificate().der()));
        let issuer = "CN=\"ООО \"\"Пример\"\", тест\"";
        let serial = keys.certificate().serial_decimal();
        let gost94 = Digest::Gost94.uri();
        format!(
            "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' xmlns:unused='urn:x'><s:Body>\
            <q xmlns='urn:q' Id='foo'><Signature xmlns='http://www.w3.org/2000/09/xmldsig#' Id='sig'>\
            <SignedInfo><CanonicalizationMethod Algorithm='{INCLUSIVE}'/>\
            <SignatureMethod Algorithm='{SIGNATURE_METHOD}'/>\
            <Reference URI='#foo' Id='r'><Transforms><Transform Algorithm='{ENVELOPED}'/>\
            <Transform Algorithm='{EXCLUSIVE}'/></Transforms><DigestMethod Algorithm='{streebog}'/>\
            <DigestValue>{body_digest}</DigestValue></Reference>\
            <Reference URI='#props' Type='{SIGNED_PROPERTIES}'><DigestMethod Algorithm='{gost94}'/>\
            <DigestValue>{properties_digest}</DigestValue></Reference></SignedInfo>\
            <SignatureValue>{value}</SignatureValue>\
            <KeyInfo><X509Data><X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo>\
            <Object><x:QualifyingProperties xmlns:x='http://uri.etsi.org/01903/v1.3.2#' Target='#sig'>\
            <x:SignedProperties Id='props'><x:SignedSignatureProperties>\
            <x:SigningTime>2026-03-16T10:16:13+03:00</x:SigningTime><x:SigningCertificate><x:Cert>\
            <x:CertDigest><DigestMethod Algorithm='{streebog}'/>\
            <DigestValue>{certificate_digest}</DigestValue></x:CertDigest>\
            <x:IssuerSerial><X509IssuerName>{issuer}</X509IssuerName>\
            <X509SerialNumber>{serial}</X509SerialNumber></x:IssuerSerial>\
            </x:Cert></x:SigningCertificate></x:SignedSignatureProperties></x:SignedProperties>\
            </x:QualifyingProperties></Object></Signature><a>текст</a></q></s:Body></s:Envelope>"
        )
    };
    let form = |text: &str, apex: &str, hole: Option<&str>, algorithm: &C14nAlgorithm| {
        let document = Document::parse(text).unwrap();
        let named = |name: &str| document.descendants().find(|node| node.tag_name().name() == name).unwrap();
        canonical::subtree(&document, named(apex), hole.map(named), algorithm).unwrap()
    };
    let template = build("", "", "");
    let body = STANDARD.encode(hash::streebog256(&form(&template, "q", Some("Signature"), &exclusive)));
    let properties = STANDARD.encode(hash::gost94(&form(&template, "SignedProperties", None, &inclusive)));
    let info = form(&build(&body, &properties, ""), "SignedInfo", None, &inclusive);
    assert!(
        String::from_utf8_lossy(&info).contains("xmlns:unused"),
        "inclusive forms carry what is in scope"
    );
    let value = STANDARD.encode(keys.key().sign(&hash::streebog256(&info)).unwrap().as_bytes());
    let signed = build(&body, &properties, &value);
    assert_eq!(verify(signed.as_bytes()).unwrap().certificate.der(), keys.certificate().der());
    let swapped = build(&properties, &body, &value);
    assert_eq!(verify(swapped.as_bytes()).unwrap_err(), Problem::Digest("the body element"));
}

/// Places in the text decide what belongs to a subtree, so every kind of node must know its place.
#[test]
fn a_subtree_is_canonicalised_as_if_it_stood_alone() {
    let part =
        "<b z='1' a=\"&#xD;&quot;\">я&#xD;<![CDATA[<x> & ]]>&amp;\r\n<!-- c --><?p q?><c/>ю<d></d> </b>";
    let whole = format!("<?xml version='1.0'?>\n<!-- я --><a>до{part}после<![CDATA[!]]></a>");
    let exclusive = C14nAlgorithm::from_uri(EXCLUSIVE).unwrap();
    let document = Document::parse(&whole).unwrap();
    let named = |name: &str| document.descendants().find(|node| node.tag_name().name() == name).unwrap();
    let alone = xml_sec::c14n::canonicalize_xml(part.as_bytes(), &exclusive).unwrap();
    assert_eq!(canonical::subtree(&document, named("b"), None, &exclusive).unwrap(), alone);
    let holed = canonical::subtree(&document, named("b"), Some(named("c")), &exclusive).unwrap();
    assert_eq!(String::from_utf8(holed).unwrap(), String::from_utf8(alone).unwrap().replace("<c></c>", ""));
    let around = canonical::subtree(&document, named("a"), Some(named("b")), &exclusive).unwrap();
    assert_eq!(String::from_utf8(around).unwrap(), "<a>допосле!</a>");
}
