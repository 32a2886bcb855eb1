//! What we write is in canonical form, and what we sign is what others canonicalize: checked with the independent
//! canonicalizer of `xml-sec` and, over a sample, with libxml2 and OpenSSL.

#![expect(clippy::unwrap_used, reason = "tests fail by panics")]

mod messages;
mod senders;

use std::path::Path;
use std::process::Command;

use gis_client::signature::verify_reply;
use gost::{ParameterSet, PrivateKey};
use messages::{Message, headers, messages, write};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use senders::sender;
use xml_sec::c14n::{C14nAlgorithm, C14nMode, canonicalize};
use xml_sec::{Document, Node};

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";

fn canonical(document: &Document<'_>, selected: &dyn Fn(Node<'_, '_>) -> bool) -> String {
    let algorithm = C14nAlgorithm::new(C14nMode::Exclusive1_0, false);
    let mut canonical = Vec::new();
    canonicalize(document, Some(selected), &algorithm, &mut canonical).unwrap();
    String::from_utf8(canonical).unwrap()
}

fn descends(node: Node<'_, '_>, ancestor: Node<'_, '_>) -> bool {
    node.ancestors().any(|candidate| candidate == ancestor)
}

/// The signed element as it stands in the text, without its signature.
fn signed_text(text: &str, content: Node<'_, '_>, signature: Node<'_, '_>) -> String {
    let (content, signature) = (content.range(), signature.range());
    format!("{}{}", &text[content.start..signature.start], &text[signature.end..content.end])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn messages_are_canonical_and_signed(message in messages(), header in headers()) {
        let text = write(&sender(PrivateKey::generate(ParameterSet::CryptoProXchA).unwrap()), &header, &message);
        let document = Document::parse(&text).unwrap();
        prop_assert_eq!(&canonical(&document, &|_| true), &text);
        if matches!(message, Message::GetState(_)) {
            prop_assert!(!text.contains(DS));
            return Ok(());
        }
        let signature = document.descendants().find(|node| node.has_tag_name((DS, "Signature"))).unwrap();
        let content = signature.parent_element().unwrap();
        prop_assert_eq!(content.first_element_child(), Some(signature));
        let expected = canonical(&document, &|node| descends(node, content) && !descends(node, signature));
        prop_assert_eq!(signed_text(&text, content, signature), expected);
        // Hashes SignedInfo and SignedProperties in the canonical form of xml-sec, so ours must be the same.
        verify_reply(&text).unwrap();
    }
}

#[test]
fn libxml2_and_openssl_agree() {
    const TEST: &str = "messages against libxml2 and OpenSSL";
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    if !test_support::tool("/usr/bin/python3", TEST) || !test_support::gost_engine(TEST) || !has_lxml() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut runner = TestRunner::deterministic();
    let mut files = Vec::new();
    for set in
        [ParameterSet::Tc26A, ParameterSet::CryptoProA, ParameterSet::CryptoProB, ParameterSet::CryptoProXchA]
    {
        let sender = sender(PrivateKey::generate(set).unwrap());
        for _ in 0..3 {
            let message = messages()
                .prop_filter("signed messages", |message| !matches!(message, Message::GetState(_)))
                .new_tree(&mut runner)
                .unwrap()
                .current();
            let header = headers().new_tree(&mut runner).unwrap().current();
            let file = folder.path().join(format!("{}.xml", files.len()));
            std::fs::write(&file, write(&sender, &header, &message)).unwrap();
            files.push(file);
        }
    }
    let check = |files: &[std::path::PathBuf]| {
        Command::new("/usr/bin/python3")
            .arg(root.join("tools/check_signed_message.py"))
            .arg(root.join("support/openssl-gost.cnf"))
            .args(files)
            .output()
            .unwrap()
    };
    let output = check(&files);
    let report =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{report}");
    assert_eq!(report.matches("ok").count(), files.len(), "{report}");

    // The check itself can fail: one changed character is noticed.
    let text = std::fs::read_to_string(&files[0]).unwrap();
    std::fs::write(&files[0], text.replacen("base:version=\"1", "base:version=\"2", 1)).unwrap();
    assert!(!check(&files[..1]).status.success());
}

fn has_lxml() -> bool {
    let lxml = Command::new("/usr/bin/python3").args(["-c", "import lxml"]).output().unwrap();
    lxml.status.success() || test_support::tool("python3-lxml", "messages against libxml2 and OpenSSL")
}
