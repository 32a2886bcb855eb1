//! Signed messages of others: the examples verify, changed and wrapped ones do not.

#![expect(clippy::unwrap_used, reason = "tests fail by panics")]

mod senders;

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{TimeDelta, Utc};
use gis_client::debt_requests::{ExportSubrequests, ExportVersion, Selection};
use gis_client::envelope::{Header, export_subrequests};
use gis_client::signature::{SignatureProblem, verify_reply};
use gis_client::{Repeat, SignerError};
use gost::hash::{gost94, streebog256};
use gost::{Certificate, ParameterSet, PrivateKey, Signature};
use senders::{sender, wait};
use uuid::Uuid;
use xml_sec::c14n::{C14nAlgorithm, C14nMode, canonicalize};
use xml_sec::{Document, Node};

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const REPLY: &str = "05-getState-response-two-subrequests.signed.xml";

fn examples(test: &str) -> Option<PathBuf> {
    test_support::test_data("gis-zhkh-schemas", test).map(|schemas| schemas.join("examples"))
}

fn example(name: &str, test: &str) -> Option<String> {
    examples(test).map(|folder| std::fs::read_to_string(folder.join(name)).unwrap())
}

#[test]
fn signed_examples_verify() {
    let Some(folder) = examples("signatures of the examples") else {
        return;
    };
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.to_string_lossy().ends_with(".signed.xml") {
            let document = std::fs::read_to_string(&path).unwrap();
            let certificate = verify_reply(&document).unwrap_or_else(|problem| panic!("{path:?}: {problem}"));
            assert!(document.contains(certificate.serial_decimal()), "{path:?}");
            assert!(document.contains(certificate.issuer_name()), "{path:?}");
            count += 1;
        }
    }
    assert_eq!(count, 4);
}

#[test]
fn a_certificate_out_of_its_time_signs_nothing() {
    let sender = sender(PrivateKey::generate(ParameterSet::CryptoProXchA).unwrap());
    let certificate = sender.signer.certificate();
    let moments =
        [certificate.not_before() - TimeDelta::seconds(1), certificate.not_after() + TimeDelta::seconds(1)];
    let selection = || Selection::Subrequests(vec![Uuid::from_u128(1).into()]);
    let request = ExportSubrequests::new(ExportVersion::V14_0_0_0, selection(), false).unwrap();
    for moment in moments {
        let header = Header { message: Uuid::from_u128(2).into(), sent_at: moment.fixed_offset() };
        let refused = wait(export_subrequests(&sender, &header, &request)).unwrap_err();
        assert!(matches!(refused, SignerError::Certificate(_)), "{refused}");
        assert_eq!(refused.repeat(), Repeat::AfterRepair);
    }
}

#[test]
fn replies_without_signature_say_so() {
    for name in ["02-ack-response.xml", "04-getState-response-in-progress.xml", "10-soap-fault-EXP001000.xml"]
    {
        let Some(document) = example(name, "unsigned examples") else {
            return;
        };
        assert_eq!(verify_reply(&document).unwrap_err(), SignatureProblem::Unsigned, "{name}");
    }
}

#[test]
fn what_is_outside_of_the_signed_element_may_change() {
    let Some(document) = example(REPLY, "changes outside of the signed element") else {
        return;
    };
    let changed =
        document.replacen("10:16:13.010", "11:00:00.000", 1).replacen("<env:Body>", "<env:Body>\r\n ", 1);
    assert_ne!(changed, document);
    verify_reply(&changed).unwrap();
    verify_reply(&format!("\u{feff}{document}")).unwrap();
}

#[test]
fn any_change_inside_breaks_the_signature() {
    let Some(document) = example(REPLY, "changed replies") else {
        return;
    };
    for (from, to) in [
        ("<ns13:responseStatus>NotSent", "<ns13:responseStatus>Sent"),
        ("<ns4:RequestState>3", "<ns4:RequestState> 3"),
        ("</ns4:RequestState>\n", "</ns4:RequestState>"),
        ("ns4:version=\"15.3.0.0\"", "ns4:version=\"14.0.0.0\""),
        ("<xades:SigningTime>2026-03-16T10:16:13", "<xades:SigningTime>2026-03-16T10:16:14"),
        ("<ns3:DigestValue>0Iu7", "<ns3:DigestValue>1Iu7"),
        ("<ns3:DigestValue>fa5T", "<ns3:DigestValue>ga5T"),
        ("<ns3:DigestValue>pDGh", "<ns3:DigestValue>qDGh"),
        ("<ns3:SignatureValue>AZBl", "<ns3:SignatureValue>BZBl"),
        ("<ns3:SignatureValue>AZBl", "<ns3:SignatureValue>"),
        ("<ns3:X509Certificate>MIID", "<ns3:X509Certificate>"),
        ("xml-exc-c14n#\"/><ns3:SignatureMethod", "xml-exc-c14n#WithComments\"/><ns3:SignatureMethod"),
        ("gostr34102012-gostr34112012-256", "gostr34102001-gostr3411"),
        ("Type=\"http://uri.etsi.org/01903#SignedProperties\"", "Type=\"none\""),
        (
            "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
            "http://www.w3.org/TR/1999/REC-xslt-19991116",
        ),
        ("</env:Envelope>", ""),
        ("?>\n<env:Envelope", "?>\n<!DOCTYPE x><env:Envelope"),
    ] {
        let changed = document.replacen(from, to, 1);
        assert_ne!(changed, document, "{from}");
        assert!(matches!(verify_reply(&changed), Err(SignatureProblem::Broken { .. })), "{from} -> {to}");
    }
}

#[test]
fn what_is_too_large_to_be_checked_says_so() {
    let nodes = format!("<a>{}</a>", "<b/>".repeat(100_001));
    let octets = format!("<a>{}</a>", " ".repeat(16 * 1024 * 1024));
    for document in [nodes, octets] {
        assert_eq!(verify_reply(&document).unwrap_err(), SignatureProblem::TooLarge);
    }
}

/// The signed element is kept intact somewhere, and another one stands where results are read.
#[test]
fn wrapped_signatures_do_not_count() {
    let Some(document) = example(REPLY, "wrapped signatures") else {
        return;
    };
    let start = document.find("<ns13:getStateResult").unwrap();
    let end = document.find("</env:Body>").unwrap();
    let signed = document[start..end].trim_end().to_owned();
    let forged = signed.replacen("NotSent", "Sent", 1);
    let signature_start = signed.find("<ns3:Signature ").unwrap();
    let signature_end = signed.find("</ns3:Signature>").unwrap() + "</ns3:Signature>".len();
    let signature = &signed[signature_start..signature_end];
    let unsigned_forged = forged.replacen(signature, "", 1);
    let other_id = |text: &str| text.replacen("Id=\"signed-data-container\"", "Id=\"other\"", 1);

    let in_body = |body: &str| document.replacen(&document[start..end], body, 1);
    let wrapped = |wrapper: &str| format!("<{wrapper}>{signed}</{wrapper}>");
    for (what, changed) in [
        ("beside in the body", in_body(&format!("{unsigned_forged}{signed}"))),
        (
            "in the header",
            in_body(&unsigned_forged).replacen("<env:Header>", &format!("<env:Header>{signed}"), 1),
        ),
        (
            "in a second body",
            document.replacen("<env:Body>", &format!("<env:Body>{unsigned_forged}</env:Body><env:Body>"), 1),
        ),
        ("deeper", in_body(&wrapped("ns13:getStateResult"))),
        (
            "in an object of the signature",
            in_body(&other_id(&forged).replacen(
                "<ns3:Object>",
                &format!("<ns3:Object>{}</ns3:Object><ns3:Object>", signed.replacen(signature, "", 1)),
                1,
            )),
        ),
        (
            "with the same Id",
            in_body(&forged.replacen(
                "</ns13:getStateResult>",
                &format!("{}</ns13:getStateResult>", signed.replacen(signature, "", 1)),
                1,
            )),
        ),
        (
            "with the Id spelled otherwise",
            document.replacen("<env:Body>", "<env:Body ID=\"signed-data-container\">", 1),
        ),
    ] {
        assert_ne!(changed, document, "{what}");
        assert!(verify_reply(&changed).is_err(), "{what}");
    }
}

fn canonical(document: &Document<'_>, mode: C14nMode, selected: &dyn Fn(Node<'_, '_>) -> bool) -> Vec<u8> {
    let mut canonical = Vec::new();
    canonicalize(document, Some(selected), &C14nAlgorithm::new(mode, false), &mut canonical).unwrap();
    canonical
}

fn find<'a, 'i>(document: &'a Document<'i>, name: &str) -> Node<'a, 'i> {
    document.descendants().find(|node| node.tag_name().name() == name).unwrap()
}

fn inclusive(text: &str, name: &str) -> Vec<u8> {
    let document = Document::parse(text).unwrap();
    let element = find(&document, name);
    canonical(&document, C14nMode::Inclusive1_0, &|node| node.ancestors().any(|ancestor| ancestor == element))
}

/// The older form: inclusive canonicalization, and a reference without transforms with GOST R 34.11-94.
#[test]
fn the_form_of_older_clients_is_accepted() {
    let key = PrivateKey::generate(ParameterSet::CryptoProA).unwrap();
    let header = Header { message: Uuid::from_u128(1).into(), sent_at: Utc::now().fixed_offset() };
    let selection = Selection::Subrequests(vec![Uuid::from_u128(2).into()]);
    let request = ExportSubrequests::new(ExportVersion::V14_0_0_0, selection, false).unwrap();
    let message = wait(export_subrequests(&sender(key.clone()), &header, &request)).unwrap();
    let text = String::from_utf8(message.body.to_vec()).unwrap();

    let exclusive = "<ds:Transforms><ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform></ds:Transforms>\
        <ds:DigestMethod Algorithm=\"urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34112012-256\">";
    let older = text
        .replacen(
            "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">",
            "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\">",
            1,
        )
        .replacen(
            exclusive,
            "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#gostr3411\">",
            1,
        );
    let digests: Vec<_> = older.match_indices("<ds:DigestValue>").map(|(at, tag)| at + tag.len()).collect();
    let put = |text: &str, at: usize, value: &[u8]| {
        let value = STANDARD.encode(value);
        format!("{}{value}{}", &text[..at], &text[at + value.len()..])
    };
    let older = put(&older, digests[1], &gost94(&inclusive(&older, "SignedProperties")));
    assert!(matches!(verify_reply(&older), Err(SignatureProblem::Broken { .. })));
    let value_at = older.find("<ds:SignatureValue>").unwrap() + "<ds:SignatureValue>".len();
    let value = key.sign(&streebog256(&inclusive(&older, "SignedInfo"))).unwrap();
    verify_reply(&put(&older, value_at, value.as_bytes())).unwrap();
}

/// A public vector of another implementation: our digest and our signature check agree with it.
#[test]
fn the_vector_of_xmlsec_verifies() {
    let Some(folder) = test_support::test_data("gost-vectors", "signature of another implementation") else {
        return;
    };
    let text = std::fs::read_to_string(folder.join("xmldsig/enveloped-gost2012-256.xml")).unwrap();
    let document = Document::parse(&text).unwrap();
    let value = |name: &str| {
        let text: String = find(&document, name).text().unwrap().split_whitespace().collect();
        STANDARD.decode(text).unwrap()
    };
    let signature = find(&document, "Signature");
    let content =
        canonical(&document, C14nMode::Inclusive1_0, &|node| !node.ancestors().any(|a| a == signature));
    assert_eq!(streebog256(&content).as_slice(), value("DigestValue"));
    let certificate = document
        .descendants()
        .filter(|node| node.has_tag_name((DS, "X509Certificate")))
        .find_map(|node| {
            let text: String = node.text()?.split_whitespace().collect();
            Certificate::from_der(&STANDARD.decode(text).ok()?).ok()
        })
        .unwrap();
    let digest = streebog256(&inclusive(&text, "SignedInfo"));
    let signature = Signature::try_from(value("SignatureValue").as_slice()).unwrap();
    certificate.public_key().verify(&digest, &signature).unwrap();
}
