//! The reader against the schema of each request body: by lists of what is taken and what is refused, and by asking
//! the XSD about the same lists.

mod messages;

use std::fs;
use std::path::Path;
use std::process::Command;

use chrono::NaiveDate;
use gis_sim::wire::Refusal;
use gis_sim::wire::model::{Body, Objects, RequestStatus, ResponseStatus, Selection, Version};
use test_support::{test_data, tool};
use uuid::Uuid;

use messages::{GUID, NAMES, TRIED, debt, import, is_structure, person, send, with_body};

fn export(content: &str) -> Result<Body, Refusal> {
    with_body(&format!("<d:exportDSRsRequest Id='x' b:version='13.1.10.1'>{content}</d:exportDSRsRequest>"))
}

/// Asks the XSD about every body that this test has tried. It must judge as the reader did, but for bodies that hold
/// one of `exceptions`, where it must judge otherwise: empty elements, which GIS alone refuses (Q32).
#[expect(clippy::unwrap_used, reason = "a helper of tests may panic")]
fn the_schema_agrees(test: &str, exceptions: &[&str]) {
    let Some(folder) = test_data("gis-zhkh-schemas", test) else { return };
    if !tool("xmllint", test) {
        return;
    }
    let schema = folder.join("16.3.0.0/debt-requests/hcs-debt-requests-types.xsd");
    let tried = TRIED.take();
    let place = std::env::temp_dir().join(format!("gis-sim-{}", Uuid::new_v4()));
    fs::create_dir(&place).unwrap();
    let files: Vec<_> = (0..tried.len()).map(|number| place.join(format!("{number}.xml"))).collect();
    for (file, (document, _)) in files.iter().zip(&tried) {
        fs::write(file, document).unwrap();
    }
    let asked =
        Command::new("xmllint").args(["--noout", "--nonet", "--schema"]).arg(schema).args(&files).output();
    fs::remove_dir_all(&place).unwrap();
    let verdicts = String::from_utf8(asked.unwrap().stderr).unwrap();
    let of = |file: &Path| {
        verdicts.lines().filter(|line| line.starts_with(file.to_str().unwrap())).collect::<Vec<_>>()
    };
    for (file, (document, taken)) in files.iter().zip(&tried) {
        let verdict = of(file);
        let valid = verdict == [format!("{} validates", file.display())];
        assert!(valid || verdict.iter().any(|line| line.ends_with("fails to validate")), "{verdicts}");
        let excepted = exceptions.iter().any(|exception| document.contains(exception));
        assert_eq!(valid, *taken != excepted, "{document}: {verdict:#?}");
    }
}

fn attachment(parts: &str) -> Result<Body, Refusal> {
    send(&format!(
        "<d:hasDebt>true</d:hasDebt><d:additionalFile>{parts}</d:additionalFile>\
         <d:executorGUID>{GUID}</d:executorGUID>"
    ))
}

#[test]
fn export_takes_one_of_three_selections() {
    let guids = |count| format!("<d:subrequestGUID>{GUID}</d:subrequestGUID>").repeat(count);
    let period = "<d:periodOfSendingRequest><b:startDate>2026-03-01+03:00</b:startDate>\
                  <b:endDate>2026-03-16</b:endDate></d:periodOfSendingRequest>";
    let houses = format!("<d:houseGUID>{GUID}</d:houseGUID>");
    let object = format!(
        "<d:exportHMObjectGUID><d:HMobjectGUID>{GUID}</d:HMobjectGUID><d:adressType>Room</d:adressType>\
         </d:exportHMObjectGUID>"
    );
    let status = "<d:responseStatus>NotSent</d:responseStatus>";
    let rest = format!(
        "<d:requestStatus>Sent</d:requestStatus>{status}{status}\
         <d:exportSubrequestGUID>{GUID}</d:exportSubrequestGUID><d:includeResponses>1</d:includeResponses>"
    );
    let Body::ExportSubrequests(whole) = export(&format!("{period}{object}{object}{rest}")).unwrap() else {
        panic!("an export")
    };
    assert_eq!((whole.version, whole.include_responses), (Version::V13, Some(true)));
    let Selection::Filter(filter) = whole.selection else { panic!("a filter") };
    assert_eq!(filter.period.start, NaiveDate::from_ymd_opt(2026, 3, 1).unwrap());
    assert!(matches!(&filter.objects, Objects::Registry(objects) if objects.len() == 2));
    assert_eq!(filter.response_statuses, [ResponseStatus::NotSent; 2]);
    assert_eq!((filter.request_status, filter.page), (Some(RequestStatus::Sent), Uuid::parse_str(GUID).ok()));
    for content in [
        guids(1),
        guids(100),
        format!("{}<d:includeResponses>false</d:includeResponses>", guids(2)),
        "<d:requestNumber>123456789012345678901234567890</d:requestNumber>".to_owned(),
        period.to_owned(),
        format!("{period}{}", houses.repeat(100)),
    ] {
        assert!(export(&content).is_ok(), "{content}");
    }
    for content in [
        String::new(),
        guids(101),
        format!("{}{period}", guids(1)),
        format!("{}<d:requestNumber>1</d:requestNumber>", guids(1)),
        "<d:requestNumber>1234567890123456789012345678901</d:requestNumber>".to_owned(),
        format!("{period}{period}"),
        format!("{period}{houses}{object}"),
        format!("{period}{}", houses.repeat(101)),
        format!("{period}{}", status.repeat(3)),
        format!("{period}{status}<d:requestStatus>Sent</d:requestStatus>"),
        format!("{period}<d:requestStatus>Revoked</d:requestStatus>"),
        format!("{period}<d:includeResponses>yes</d:includeResponses>"),
        format!("{period}<d:includeResponses>true</d:includeResponses>{status}"),
        period.replace("2026-03-16", "2026-02-30"),
        period.replace("d:period", "b:period"),
        format!("{period}text"),
        format!("{period}<d:unknown/>"),
    ] {
        assert!(is_structure(&export(&content)), "{content}");
    }
    the_schema_agrees("exports against the XSD", &[]);
}

#[test]
fn import_takes_one_to_a_hundred_actions() {
    let action = format!(
        "<d:action><b:TransportGUID>{GUID}</b:TransportGUID><d:subrequestGUID>{GUID}</d:subrequestGUID>\
         <d:actionType>Revoke</d:actionType></d:action>"
    );
    // Ids differ, as the schema's keys want it; the reader leaves that to the rules.
    let actions = |count: u128| -> String {
        (0..count).map(|number| action.replace(GUID, &Uuid::from_u128(number).to_string())).collect()
    };
    assert!(import(&actions(100)).is_ok());
    for actions in [
        String::new(),
        actions(101),
        action.replace("Revoke", "revoke"),
        action.replace("<d:actionType>Revoke</d:actionType>", ""),
        action.replace("b:TransportGUID", "d:TransportGUID"),
        action.replace("<d:action>", "<d:action Id='x'>"),
        action.replace(GUID, &format!(" {GUID}")),
    ] {
        assert!(is_structure(&import(&actions)), "{actions}");
    }
    the_schema_agrees("imports against the XSD", &[]);
}

#[test]
fn answers_follow_the_schema() {
    let executor = format!("<d:executorGUID>{GUID}</d:executorGUID>");
    let record = format!("<d:debtGUID>{GUID}</d:debtGUID>");
    let debtor = format!("<d:debtInfo><d:person>{NAMES}</d:person></d:debtInfo>");
    let long = |count| format!("<d:description>{}</d:description>", "я".repeat(count));
    assert!(send(&format!("<d:hasDebt>0</d:hasDebt>{}{executor}", long(1000))).is_ok());
    assert!(debt(&record.repeat(3)).is_ok());
    assert!(debt(&debtor.repeat(3)).is_ok());
    for result in [
        send(&executor),
        send("<d:hasDebt>false</d:hasDebt>"),
        send(&format!("<d:hasDebt>false</d:hasDebt>{}{executor}", long(1001))),
        // Q32: the schema would take it, the server does not.
        send(&format!("<d:hasDebt>false</d:hasDebt><d:description/>{executor}")),
        send(&format!("<d:hasDebt>false</d:hasDebt>{executor}{}", long(1))),
        debt(&format!("{debtor}{record}")),
        debt(&format!("{record}{debtor}")),
    ] {
        assert!(is_structure(&result), "{result:?}");
    }
    the_schema_agrees("answers against the XSD", &["<d:description/>"]);
}

#[test]
fn debtors_follow_the_schema() {
    let identity = format!(
        "<d:document><d:type><n:Code>1.2</n:Code><n:GUID>{GUID}</n:GUID><n:Name>x</n:Name></d:type>\
         <d:series>00 00</d:series><d:number>000000</d:number></d:document>"
    );
    let full = format!("{NAMES}<d:middleName>П</d:middleName><d:snils>00000000000</d:snils>{identity}");
    assert!(person(&full).is_ok());
    for (old, new) in [
        ("<d:lastName>Тестов</d:lastName>", String::new()),
        (">Пётр<", "><".to_owned()),
        (">Пётр<", format!(">{}<", "я".repeat(256))),
        (">П<", "><".to_owned()),
        ("<n:Code>1.2<", "<n:Code>x<".to_owned()),
        ("<n:Code>1.2</n:Code>", String::new()),
        ("<n:Name>x</n:Name>", "<d:Name>x</d:Name>".to_owned()),
        (">00 00<", "><".to_owned()),
        ("<d:number>000000</d:number>", String::new()),
        ("<d:firstName>", "<d:firstName xml:lang='ru'>".to_owned()),
        ("<d:firstName>", "<d:firstName><b/>".to_owned()),
    ] {
        let changed = full.replacen(old, &new, 1);
        assert_ne!(changed, full);
        assert!(is_structure(&person(&changed)), "{changed}");
    }
    the_schema_agrees("debtors against the XSD", &["<d:series></d:series>"]);
}

#[test]
fn attachments_follow_the_schema() {
    let full = format!(
        "<b:Name>a.pdf</b:Name><b:Description> </b:Description>\
         <b:Attachment><b:AttachmentGUID>{GUID}</b:AttachmentGUID></b:Attachment>\
         <b:AttachmentHASH>ab</b:AttachmentHASH>"
    );
    assert!(attachment(&full).is_ok());
    // Absent is a matter of the rules; the schema lets it be.
    assert!(attachment(&full.replace("<b:AttachmentHASH>ab</b:AttachmentHASH>", "")).is_ok());
    for (old, new) in [
        ("<b:Description> </b:Description>", String::new()),
        ("<b:Description> <", "<b:Description><".to_owned()),
        ("<b:Description> <", format!("<b:Description>{}<", "я".repeat(501))),
        (">a.pdf<", format!(">{}<", "я".repeat(1025))),
        (">ab<", "><".to_owned()),
        ("<b:Attachment>", "<b:Attachment><b:x/>".to_owned()),
    ] {
        let changed = full.replacen(old, &new, 1);
        assert_ne!(changed, full);
        assert!(is_structure(&attachment(&changed)), "{changed}");
    }
    the_schema_agrees("attachments against the XSD", &[]);
}

#[test]
fn requests_of_the_asking_side_are_checked_too() {
    let body = |element: &str, content: &str| {
        with_body(&format!("<d:{element} b:version='14.0.0.0'>{content}</d:{element}>"))
    };
    let period = "<d:requestCreationPeriod><b:startDate>2026-03-01</b:startDate>\
                  <b:endDate>2026-03-16</b:endDate></d:requestCreationPeriod>";
    let open = "<d:periodOfResponseDate><b:endDate>2026-03-16</b:endDate></d:periodOfResponseDate>";
    let applicant = "<d:applicantInfo><d:lastName>Тестов</d:lastName></d:applicantInfo>";
    let filter = format!("{period}{open}{applicant}<d:requestStatus>Draft</d:requestStatus>");
    assert_eq!(body("exportDRsRequest", &filter), Ok(Body::ExportDebtRequests));
    assert!(is_structure(&body("exportDRsRequest", &filter.replace("Draft", "Other"))));
    assert!(is_structure(&body("exportDRsRequest", open)));
    let identity = format!(
        "<d:document><d:type><n:Code>1</n:Code><n:GUID>{GUID}</n:GUID></d:type>\
         <d:number>0</d:number></d:document>"
    );
    let request = format!(
        "<d:action><b:TransportGUID>{GUID}</b:TransportGUID><d:actionType>Send</d:actionType><d:requestData>\
         <d:applicantInfo>{NAMES}<d:snils>00000000000</d:snils>{identity}</d:applicantInfo>\
         <d:housingFundObject><d:HMObjectGUID>{GUID}</d:HMObjectGUID><d:AddressType>House</d:AddressType>\
         </d:housingFundObject><d:executorGUID>{GUID}</d:executorGUID></d:requestData></d:action>"
    );
    assert_eq!(body("importDRsRequest", &request), Ok(Body::ImportDebtRequests));
    assert!(is_structure(&body("importDRsRequest", &request.replace(&identity, ""))));
    assert!(is_structure(&body("importDRsRequest", &request.replace("HMObject", "HMobject"))));
    the_schema_agrees("requests of the asking side against the XSD", &[]);
}
