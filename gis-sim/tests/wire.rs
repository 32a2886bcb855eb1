//! The reader against bytes: what it takes, what it refuses and how, and that no bytes can hurt it.
//! Signatures of the example messages are verified here too.

mod messages;

use std::fs;

use gis_sim::scenario::SchemaViolation;
use gis_sim::signature;
use gis_sim::wire::model::{ActionKind, Body, Operation};
use gis_sim::wire::{Refusal, RefusalAnswer, read};
use proptest::prelude::*;
use test_support::test_data;
use uuid::{Uuid, uuid};

use messages::{GUID, NAMES, envelope, header, is_structure, organization, person, with_body};

#[test]
fn reads_and_verifies_every_example_request() {
    let Some(folder) = test_data("gis-zhkh-schemas", "example requests") else {
        return;
    };
    let mut read_ones = 0;
    for entry in fs::read_dir(folder.join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if !path.to_string_lossy().contains("request") || path.to_string_lossy().contains("subrequests.") {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let request = read(&bytes, None).unwrap_or_else(|refusal| panic!("{}: {refusal}", path.display()));
        assert_eq!(request.header.organization, uuid!("7c8ce67b-d55b-4f1e-96bb-b6502b8eba1f"));
        assert_eq!(request.signed, request.body.operation() != Operation::GetState);
        if request.signed {
            signature::verify(&bytes).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
        }
        read_ones += 1;
    }
    assert_eq!(read_ones, 4, "01, 03, 06 and 07");
}

#[test]
fn reads_the_example_import_whole() {
    let Some(folder) = test_data("gis-zhkh-schemas", "example import") else {
        return;
    };
    let bytes = fs::read(folder.join("examples/07-importResponses-request.signed.xml")).unwrap();
    let request = read(&bytes, Some("\"urn:importResponses\"")).unwrap();
    assert!(request.header.operator_signature);
    let Body::ImportResponses(actions) = request.body else { panic!("an import") };
    let kinds: Vec<_> = actions.iter().map(|action| (action.kind, action.effect().is_some())).collect();
    assert_eq!(kinds, [(ActionKind::Send, true), (ActionKind::Send, true), (ActionKind::Revoke, true)]);
    let answer = actions[0].response.as_ref().unwrap();
    let debtor = &answer.debtors[0];
    assert_eq!(
        (debtor.person.first.as_str(), debtor.person.last.as_str(), debtor.person.middle.as_deref()),
        ("Пётр", "Тестов", Some("Примерович"))
    );
    assert_eq!(debtor.person.snils.as_deref(), Some("00000000000"));
    assert_eq!(debtor.documents[0].kind.guid, uuid!("237b587e-0b10-4702-b78c-8d641c3d4d45"));
    assert_eq!(debtor.documents[0].file.guid, uuid!("9fc22ef6-1569-4a68-829a-a656b2447a33"));
    assert!(debtor.documents[0].file.hash.as_ref().unwrap().starts_with("b285056d"));
}

#[test]
fn example_signatures_break_when_anything_changes() {
    let Some(folder) = test_data("gis-zhkh-schemas", "tampered examples") else {
        return;
    };
    let text = fs::read_to_string(folder.join("examples/07-importResponses-request.signed.xml")).unwrap();
    assert!(signature::verify(text.as_bytes()).is_ok());
    for (old, new) in [
        ("Тестов<", "Тестова<"),
        ("<drs:actionType>Revoke", " <drs:actionType>Revoke"),
        ("09:00:01", "09:00:02"),
        ("364117093357225157318670028411624097</", "364117093357225157318670028411624098</"),
        ("8UPvXW6ocsEONePFuT0", "8UPvXW6ocsEONePFuT1"),
        ("gostr34112012-256\"/><ds:DigestValue>s8q", "gostr34112012-512\"/><ds:DigestValue>s8q"),
        ("URI=\"#signed-data-container\"", "URI=\"\""),
    ] {
        let changed = text.replacen(old, new, 1);
        assert_ne!(changed, text, "{old}");
        assert!(signature::verify(changed.as_bytes()).is_err(), "{old} -> {new}");
    }
    // Headers are not signed.
    let other_header = text.replacen("552109b2-54f5", "552109b2-54f6", 1);
    assert!(signature::verify(other_header.as_bytes()).is_ok());
}

#[test]
fn a_response_of_the_example_server_verifies_too() {
    let Some(folder) = test_data("gis-zhkh-schemas", "example result") else {
        return;
    };
    let bytes = fs::read(folder.join("examples/05-getState-response-two-subrequests.signed.xml")).unwrap();
    let signed = signature::verify(&bytes).unwrap();
    assert_eq!(signed.time.to_rfc3339(), "2026-03-16T10:16:13.011+03:00");
}

#[test]
fn the_header_is_strict_about_itself_and_lenient_about_others() {
    let state = format!("<b:getStateRequest><b:MessageGUID>{GUID}</b:MessageGUID></b:getStateRequest>");
    let read_header =
        |header: &str| read(envelope(header, &state).as_bytes(), None).map(|request| request.header);
    let sender = format!("<b:SenderID>{GUID}</b:SenderID>");
    let creator = "<b:ISCreator><b:ISName>a</b:ISName><b:ISOperatorName>b</b:ISOperatorName></b:ISCreator>";
    let operator = "<b:IsOperatorSignature>true</b:IsOperatorSignature>";
    let organization = organization();
    for (rest, operator_signature) in [
        (organization.clone(), false),
        (sender, false),
        (format!("{organization}{operator}"), true),
        (format!("{organization}{operator}{creator}{creator}"), true),
    ] {
        let header = read_header(&header(&rest)).unwrap();
        assert_eq!(header.operator_signature, operator_signature);
        assert_eq!(header.organization.to_string(), GUID);
    }
    let extra = "<Action s:mustUnderstand='1' \
                 xmlns='http://schemas.microsoft.com/ws/2005/05/addressing/none'>urn:x</Action>";
    assert!(read_header(&format!("{extra}{}", header(&organization))).is_ok());
    for wrong in [
        String::new(),
        header(&organization).repeat(2),
        header(""),
        header(&organization.repeat(2)),
        header(&format!("{organization}<b:IsOperatorSignature>false</b:IsOperatorSignature>")),
        header(&format!("{organization}<b:IsOperatorSignature/>")),
        header(&format!("{organization}{creator}{operator}")),
        header(&format!("{organization}<b:Other/>")),
        header(&organization).replace("<b:Date>", "<b:Date>x"),
        header(&organization).replace("<b:RequestHeader>", "<b:RequestHeader Id='x'>"),
        header(&organization).replace("b:RequestHeader", "b:ISRequestHeader"),
    ] {
        assert!(matches!(read_header(&wrong), Err(Refusal::Structure { .. })), "{wrong}");
    }
    let citizen = format!("<b:Citizen><b:CitizenPPAGUID>{GUID}</b:CitizenPPAGUID></b:Citizen>");
    assert_eq!(read_header(&header(&citizen)), Err(Refusal::Citizen));
}

#[test]
fn each_operation_has_its_versions() {
    let version_of = |element: &str, version: &str, content: &str| {
        with_body(&format!("<d:{element} b:version='{version}'>{content}</d:{element}>"))
    };
    let numbers = "<d:requestNumber>1</d:requestNumber>";
    let action = format!(
        "<d:action><b:TransportGUID>{GUID}</b:TransportGUID><d:subrequestGUID>{GUID}</d:subrequestGUID>\
         <d:actionType>Revoke</d:actionType></d:action>"
    );
    let import = action.replace("subrequestGUID", "requestGUID");
    for (element, content, taken) in [
        ("exportDSRsRequest", numbers, ["13.1.10.1", "14.0.0.0", "15.3.0.0"].as_slice()),
        ("exportDRsRequest", numbers, &["13.1.10.1", "14.0.0.0", "15.3.0.0"]),
        ("importDRsRequest", &import, &["13.1.10.1", "14.0.0.0"]),
        ("importDSRResponsesRequest", &action, &["14.0.0.0"]),
    ] {
        for version in ["13.1.10.1", "14.0.0.0", "15.3.0.0", "16.3.0.0", "14.5.0.1", ""] {
            let result = version_of(element, version, content);
            assert_eq!(result.is_ok(), taken.contains(&version), "{element} {version}");
            if let Err(refusal) = result {
                assert_eq!(refusal.answer(SchemaViolation::Fault), RefusalAnswer::BadRequest);
            }
        }
        let unqualified = with_body(&format!("<d:{element} version='14.0.0.0'>{content}</d:{element}>"));
        assert!(matches!(unqualified, Err(Refusal::Version { .. })));
    }
}

#[test]
fn get_state_has_one_child_and_no_attribute() {
    let child = format!("<b:MessageGUID>{GUID}</b:MessageGUID>");
    let state = |attributes: &str, content: &str| {
        with_body(&format!("<b:getStateRequest{attributes}>{content}</b:getStateRequest>"))
    };
    assert_eq!(state("", &child), Ok(Body::GetState(Uuid::parse_str(GUID).unwrap())));
    assert!(is_structure(&state(" Id='signed-data-container'", &child)));
    assert!(is_structure(&state(" b:version='14.0.0.0'", &child)));
    assert!(is_structure(&state("", "")));
    assert!(is_structure(&state("", &child.repeat(2))));
    let signature = "<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'/>";
    assert!(is_structure(&state("", &format!("{signature}{child}"))));
}

#[test]
fn soap_action_must_fit_the_body() {
    let message = envelope(
        &header(&organization()),
        &format!("<b:getStateRequest><b:MessageGUID>{GUID}</b:MessageGUID></b:getStateRequest>"),
    );
    for action in [None, Some(""), Some("\"\""), Some("urn:getState"), Some("\"urn:getState\"")] {
        assert!(read(message.as_bytes(), action).is_ok(), "{action:?}");
    }
    for action in ["urn:importResponses", "getState", "\"urn:getState"] {
        assert!(
            matches!(read(message.as_bytes(), Some(action)), Err(Refusal::SoapAction { .. })),
            "{action}"
        );
    }
}

#[test]
fn bytes_that_are_no_soap_are_told_apart() {
    for bytes in [
        b"".as_slice(),
        b"\xff\xfe",
        b"<a",
        b"<a></b>",
        b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        b"<a>&x;</a>",
        b"{}",
    ] {
        let refusal = read(bytes, None).unwrap_err();
        assert!(matches!(refusal, Refusal::NotXml(_)), "{refusal}");
        for violation in [SchemaViolation::Http400, SchemaViolation::Fault] {
            let RefusalAnswer::Fault { code, .. } = refusal.answer(violation) else { panic!("a fault") };
            assert_eq!(code, "FMT001300");
        }
    }
    let soap_12 = b"<Envelope xmlns='http://www.w3.org/2003/05/soap-envelope'/>";
    assert_eq!(read(soap_12, None), Err(Refusal::SoapVersion));
    let refusal = read(b"<Envelope/>", None).unwrap_err();
    assert_eq!(refusal.answer(SchemaViolation::Http400), RefusalAnswer::BadRequest);
    let answer = refusal.answer(SchemaViolation::Fault);
    let RefusalAnswer::Fault { code, message, .. } = answer else { panic!("a fault") };
    assert_eq!(
        (code, message.as_str()),
        ("FMT001300", "Некорректный XML: Envelope: ожидается soap:Envelope")
    );
}

#[test]
fn refusals_and_debug_prints_hold_no_personal_data() {
    let refusal =
        person("<d:firstName>Пётр</d:firstName><d:lastName>Тестов</d:lastName><d:snils>x<b/></d:snils>");
    let refusal = refusal.unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "Envelope/Body/importDSRResponsesRequest/action/responseData/debtInfo/person/snils/b: \
         лишний элемент"
    );
    let body = person(&format!("{NAMES}<d:snils>12345678901</d:snils>")).unwrap();
    let printed = format!("{body:?}");
    assert!(!printed.contains("Тестов") && !printed.contains("12345678901"), "{printed}");
    let Body::ImportResponses(actions) = body else { panic!("an import") };
    let json = serde_json::to_value(&actions[0].response).unwrap();
    assert_eq!(json["debtors"][0]["last"], "Тестов");
}

fn sample() -> String {
    let body = format!(
        "<d:importDSRResponsesRequest Id='x' b:version='14.0.0.0'><d:action>\
         <b:TransportGUID>{GUID}</b:TransportGUID><d:subrequestGUID>{GUID}</d:subrequestGUID>\
         <d:actionType>Send</d:actionType><d:responseData>\
         <d:hasDebt>true</d:hasDebt><d:executorGUID>{GUID}</d:executorGUID><d:debtInfo><d:person>{NAMES}\
         </d:person></d:debtInfo></d:responseData></d:action></d:importDSRResponsesRequest>"
    );
    envelope(&header(&organization()), &body)
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        drop(read(&bytes, None));
        drop(signature::verify(&bytes));
    }

    #[test]
    fn no_markup_makes_the_reader_panic(text in "[<>/!?\\[\\]\"'&;:=a-c \\-xmlns]{0,200}") {
        drop(read(text.as_bytes(), Some(&text)));
        drop(signature::verify(text.as_bytes()));
    }

    #[test]
    fn no_damage_makes_the_reader_panic(
        cuts in proptest::collection::vec(
            (any::<prop::sample::Index>(), 0_usize..40, "[<>/&'а-я0-9 ]{0,6}"),
            1..4,
        )
    ) {
        let mut bytes = sample().into_bytes();
        for (place, length, insert) in cuts {
            let start = place.index(bytes.len());
            let end = (start + length).min(bytes.len());
            bytes.splice(start..end, insert.bytes());
        }
        drop(read(&bytes, None));
        drop(signature::verify(&bytes));
    }
}
