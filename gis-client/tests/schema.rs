//! Everything we write is valid by the official schemas, checked with libxml2's validator.

#![expect(clippy::unwrap_used, reason = "tests fail by panics")]

mod messages;
mod senders;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gost::{ParameterSet, PrivateKey};
use messages::{Message, headers, messages, write};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use senders::sender;

const TEST: &str = "messages against the official schemas";
const MESSAGES: usize = 150;

/// From `<name` up to the end tag. Our elements declare their own namespaces, so each is a document by itself.
fn element<'a>(document: &'a str, name: &str) -> &'a str {
    let end_tag = format!("</{name}>");
    let start = document.find(&format!("<{name} ")).unwrap();
    let end = document.rfind(&end_tag).unwrap() + end_tag.len();
    &document[start..end]
}

fn validate(schema: &Path, files: &[PathBuf]) -> Output {
    Command::new("xmllint").args(["--noout", "--nonet", "--schema"]).arg(schema).args(files).output().unwrap()
}

fn assert_valid(schema: &Path, files: &[PathBuf]) {
    let output = validate(schema, files);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn messages_are_valid() {
    let Some(schemas) = test_support::test_data("gis-zhkh-schemas", TEST) else {
        return;
    };
    if !test_support::tool("xmllint", TEST) {
        return;
    }
    let schemas = schemas.join("16.3.0.0");
    let (requests, base) =
        (schemas.join("debt-requests/hcs-debt-requests-types.xsd"), schemas.join("lib/hcs-base.xsd"));
    let folder = tempfile::tempdir().unwrap();
    let put = |name: String, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    };
    let mut runner = TestRunner::deterministic();
    let (mut payloads, mut of_base) = (Vec::new(), Vec::new());
    for number in 0..MESSAGES {
        let message = messages().new_tree(&mut runner).unwrap().current();
        let header = headers().new_tree(&mut runner).unwrap().current();
        let mut sender = sender(PrivateKey::generate(ParameterSet::CryptoProXchA).unwrap());
        sender.operator_signature = number % 2 == 0;
        let document = write(&sender, &header, &message);
        of_base.push(put(format!("{number}-header.xml"), element(&document, "base:RequestHeader")));
        let payload = format!("{number}-payload.xml");
        match message {
            Message::Export(_) => payloads.push(put(payload, element(&document, "drs:exportDSRsRequest"))),
            Message::Import(_) => {
                payloads.push(put(payload, element(&document, "drs:importDSRResponsesRequest")))
            }
            Message::GetState(_) => of_base.push(put(payload, element(&document, "base:getStateRequest"))),
        }
    }
    assert_valid(&requests, &payloads);
    assert_valid(&base, &of_base);

    // The check itself can fail: without its version an element is not valid.
    let text = std::fs::read_to_string(&payloads[0]).unwrap();
    let broken = put("broken.xml".to_owned(), &text.replacen("base:version=", "base:revision=", 1));
    assert!(!validate(&requests, &[broken]).status.success());
}
