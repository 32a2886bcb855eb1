//! The writer as bytes: content, dress and the schema.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use std::fs;
use std::path::Path;
use std::process::Command;

use chrono::{DateTime, FixedOffset, NaiveDate};
use gis_sim::signature;
use gis_sim::wire::Style;
use gis_sim::wire::model::*;
use gis_sim::wire::style::HeaderMessage;
use gis_sim::wire::write::{self, Fault, FaultDress, ReplyHeader, STACK_TRACE, StateReply};
use gost::{Certificate, KeyPair, ParameterSet, PrivateKey};
use proptest::prelude::*;
use test_support::{test_data, tool};
use uuid::Uuid;

fn moment() -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339("2026-03-16T10:15:02.120+03:00").unwrap()
}

fn reply_header() -> ReplyHeader {
    ReplyHeader { date: moment(), original: Uuid::from_u128(1), own: Uuid::from_u128(2) }
}

fn done(outcome: Outcome) -> StateReply {
    StateReply { message: Uuid::from_u128(3), version: Version::V15, state: State::Done(outcome) }
}

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, day).unwrap()
}

fn some_file(name: &str) -> FileRef {
    FileRef {
        name: name.to_owned(),
        description: " ".to_owned(),
        guid: Uuid::from_u128(4),
        hash: Some("ab".to_owned()),
    }
}

fn answer() -> Answer {
    let kind = |code: &str, name: Option<&str>| NsiRef {
        code: code.to_owned(),
        guid: Uuid::from_u128(5),
        name: name.map(str::to_owned),
    };
    let identity = IdentityDocument {
        kind: kind("1", Some("Паспорт")),
        series: Some("00 00".to_owned()),
        number: "000000".to_owned(),
    };
    let person = Person {
        first: "<Пётр> & \"сын\"".to_owned(),
        last: "Тестов\r\n\tмл. ]]>".to_owned(),
        middle: Some("Примерович".to_owned()),
        snils: Some("00000000000".to_owned()),
        document: Some(identity),
    };
    Answer {
        has_debt: true,
        additional_files: vec![some_file("план 'A'.pdf")],
        description: Some(" с пробелами ".to_owned()),
        executor: Uuid::from_u128(6),
        debtors: vec![Debtor {
            person,
            documents: vec![Document { kind: kind("2", None), file: some_file("b.pdf") }],
        }],
        debts: vec![],
    }
}

fn subrequest(place: Place, response: Option<Response>) -> Subrequest {
    Subrequest {
        guid: Uuid::from_u128(7),
        request: Uuid::from_u128(8),
        number: "01202600000001".to_owned(),
        organization: Organization {
            root: Uuid::from_u128(9),
            name: "Управление (пример)".to_owned(),
            telephone: Some("+7 000 000-00-00".to_owned()),
        },
        housing: HousingObject {
            place,
            fias_house: Some(Uuid::from_u128(10)),
            address: "г. Примерск, ул. Тестовая, д. 1".to_owned(),
        },
        period: Period { start: day(1), end: day(2) },
        status: RequestStatus::Sent,
        sent: day(3),
        respond_by: day(4),
        executor: Executor { guid: Uuid::from_u128(11), name: "Примерова Анна".to_owned() },
        response_status: ResponseStatus::Sent,
        response,
    }
}

fn page() -> SubrequestPage {
    let mut response = Response::of_answer(&answer(), "Примеров Иван", |_| None);
    let document = &mut response.debtors[0].documents[0];
    document.act = Some(CourtAct { number: "2-1/2026".to_owned(), date: day(5), pronounced: Some(day(6)) });
    let house = Place::House { guid: Uuid::from_u128(16), details: Some("кв. 25".to_owned()) };
    let object = Place::Object(RegistryObject { guid: Uuid::from_u128(17), kind: "Apartment".to_owned() });
    SubrequestPage {
        subrequests: vec![subrequest(house, Some(response)), subrequest(object, None)],
        not_found: NotFound::Numbers(vec!["7".to_owned()]),
        paging: Paging::Next(Uuid::from_u128(18)),
    }
}

fn outcomes() -> Vec<Outcome> {
    let error = |trace: Option<&str>| GisError {
        code: "INT002012".to_owned(),
        description: "Нет объектов для экспорта".to_owned(),
        stack_trace: trace.map(str::to_owned),
    };
    let item =
        |result| ItemResult { guid: Some(Uuid::from_u128(19)), transport: Uuid::from_u128(20), result };
    let success = Done { updated: moment() };
    vec![
        Outcome::Subrequests(page()),
        Outcome::Subrequests(SubrequestPage {
            paging: Paging::Last,
            not_found: NotFound::Subrequests(vec![Uuid::nil()]),
            ..page()
        }),
        Outcome::Import(vec![item(Ok(success)), item(Err(vec![error(None), error(Some(STACK_TRACE))]))]),
        Outcome::Error(error(None)),
    ]
}

/// Every element without child elements, as `parent/name=text`.
fn leaves(bytes: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(bytes).unwrap();
    let xml = roxmltree::Document::parse(text).unwrap();
    let leaf = |node: roxmltree::Node<'_, '_>| {
        let parent = node.parent_element().map_or("", |parent| parent.tag_name().name());
        format!("{parent}/{}={}", node.tag_name().name(), node.text().unwrap_or(""))
    };
    xml.descendants()
        .filter(|node| node.is_element() && node.first_element_child().is_none())
        .map(leaf)
        .collect()
}

#[test]
fn what_is_written_reads_back_the_same() {
    let written =
        write::state(&Style::plain(), &reply_header(), &done(Outcome::Subrequests(page()))).unsigned();
    let leaves = leaves(&written);
    for expected in [
        "ResultHeader/Date=2026-03-16T10:15:02.120+03:00",
        "ResultHeader/MessageGUID=00000000-0000-0000-0000-000000000001",
        "getStateResult/RequestState=3",
        "person/firstName=<Пётр> & \"сын\"",
        "person/lastName=Тестов\r\n\tмл. ]]>",
        "responseData/description= с пробелами ",
        "additionalFile/Name=план 'A'.pdf",
        "housingFundObject/addressDetails=кв. 25",
        "housingFundObject/adressType=Apartment",
        "actType/judicalActDatePronouncing=2026-03-06+03:00",
        "requestInfo/responseDate=2026-03-04+03:00",
        "notFound/requestNumber=7",
        "pagedOutput/nextSubrequestGUID=00000000-0000-0000-0000-000000000012",
    ] {
        assert!(leaves.iter().any(|leaf| leaf == expected), "{expected} is not in {leaves:#?}");
    }
    let seeded =
        write::state(&Style::seeded(7), &reply_header(), &done(Outcome::Subrequests(page()))).unsigned();
    assert_ne!(seeded, written);
    assert_eq!(self::leaves(&seeded), leaves, "the dress must not change the content");
}

#[test]
fn switches_change_what_they_say() {
    let leaves_of = |style: &Style, outcome: usize| {
        leaves(&write::state(style, &reply_header(), &done(outcomes().swap_remove(outcome))).unsigned())
    };
    let has = |leaves: &[String], wanted: &str| leaves.iter().any(|leaf| leaf.starts_with(wanted));
    let plain = Style::plain();
    assert!(has(
        &leaves_of(&Style { zoned_dates: false, ..plain.clone() }, 0),
        "requestInfo/sentDate=2026-03-03"
    ));
    let short = Style { short_update_dates: true, ..plain.clone() };
    assert!(leaves_of(&short, 2).contains(&"importResult/UpdateDate=2026-03-16".to_owned()));
    let own = Style { header_message: HeaderMessage::Own, ..plain };
    assert!(has(&leaves_of(&own, 0), "ResultHeader/MessageGUID=00000000-0000-0000-0000-000000000002"));
    let empty = SubrequestPage {
        subrequests: vec![],
        not_found: NotFound::Subrequests(vec![]),
        paging: Paging::Empty,
    };
    let written = write::state(&Style::plain(), &reply_header(), &done(Outcome::Subrequests(empty)));
    assert_eq!(leaves(&written.unsigned()).last().unwrap(), "exportDSRsResult/pagedOutput=");
}

#[test]
fn faults_come_in_every_dress() {
    let coded = |stack_trace: Option<&str>| Fault::Coded {
        fault_code: "Server",
        code: "EXP001000".to_owned(),
        message: "Ошибка".to_owned(),
        stack_trace: stack_trace.map(str::to_owned),
    };
    let normal = write::fault(&Style::plain(), FaultDress::EmptyHeader, &coded(None));
    assert_eq!(
        leaves(&normal),
        [
            "Envelope/Header=",
            "Fault/faultcode=env:Server",
            "Fault/faultstring=EXP001000: Ошибка",
            "Fault/ErrorCode=EXP001000",
            "Fault/ErrorMessage=Ошибка",
        ]
    );
    let headless = write::fault(&Style::plain(), FaultDress::NoHeader, &Fault::Unknown);
    assert_eq!(leaves(&headless), ["Fault/faultcode=env:Server", "Fault/faultstring=Unknown fault occured"]);
    let odd = write::fault(&Style::plain(), FaultDress::OddPrefix, &coded(Some(STACK_TRACE)));
    assert!(String::from_utf8(odd.clone()).unwrap().contains("<s:Header></s:Header>"));
    assert!(leaves(&odd).contains(&"Fault/faultcode=s:Server".to_owned()));
    assert!(leaves(&odd).iter().any(|leaf| leaf.starts_with("Fault/StackTrace=ru.lanit.")));
}

#[test]
fn what_is_written_follows_the_schema() {
    let Some(folder) = test_data("gis-zhkh-schemas", "written messages against the XSD") else {
        return;
    };
    if !tool("xmllint", "written messages against the XSD") {
        return;
    }
    let schema = folder.join("16.3.0.0/debt-requests/hcs-debt-requests-types.xsd");
    let styles = [Style::plain(), Style::seeded(1), Style { zoned_dates: false, ..Style::seeded(2) }];
    let keys = keys();
    for style in styles {
        let header = reply_header();
        let mut messages = vec![write::ack(&style, &header, Uuid::from_u128(3))];
        for state in [State::Received, State::Processing] {
            let reply = StateReply { message: Uuid::from_u128(3), version: Version::V14, state };
            messages.push(write::state(&style, &header, &reply).unsigned());
        }
        for outcome in outcomes() {
            let message = write::state(&style, &header, &done(outcome));
            messages.push(signature::sign(&message, &keys, moment()).unwrap());
        }
        for message in messages {
            validate(&schema, &payloads(&message));
        }
    }
    let fault = Fault::Coded {
        fault_code: "Server",
        code: "EXP001000".to_owned(),
        message: "Ошибка".to_owned(),
        stack_trace: Some(STACK_TRACE.to_owned()),
    };
    let text = String::from_utf8(write::fault(&Style::plain(), FaultDress::EmptyHeader, &fault)).unwrap();
    let xml = roxmltree::Document::parse(&text).unwrap();
    let detail = xml.descendants().find(|node| node.has_tag_name("detail")).unwrap();
    validate(&schema, &[alone(detail.first_element_child().unwrap(), &text)]);
}

/// The header entry and the body element, each as a document.
fn payloads(message: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(message).unwrap();
    let xml = roxmltree::Document::parse(text).unwrap();
    let parts = xml.root_element().children().filter_map(|part| part.first_element_child());
    parts.map(|node| alone(node, text)).collect()
}

/// An element as a document of its own, with the namespaces that it sees.
fn alone(node: roxmltree::Node<'_, '_>, text: &str) -> String {
    let (start, rest) = text[node.range()].split_once(['>', ' ']).unwrap();
    let separator = &text[node.range()][start.len()..=start.len()];
    let declarations: String = node
        .namespaces()
        .filter_map(|namespace| namespace.name().map(|name| format!(" xmlns:{name}=\"{}\"", namespace.uri())))
        .filter(|declaration| !declaration.starts_with(" xmlns:xml="))
        .collect();
    format!("{start}{declarations}{separator}{rest}")
}

fn validate(schema: &Path, documents: &[String]) {
    for document in documents {
        let file = std::env::temp_dir().join(format!("gis-sim-{}.xml", Uuid::new_v4()));
        fs::write(&file, document).unwrap();
        let output = Command::new("xmllint")
            .args(["--noout", "--nonet", "--schema"])
            .arg(schema)
            .arg(&file)
            .output()
            .unwrap();
        fs::remove_file(&file).unwrap();
        assert!(output.status.success(), "{document}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn keys() -> KeyPair {
    let key = PrivateKey::generate(ParameterSet::Tc26A).unwrap();
    let year = |year| DateTime::parse_from_rfc3339(&format!("{year}-01-01T00:00:00Z")).unwrap().to_utc();
    let certificate =
        Certificate::self_signed(&key, "Сервер \"Пример\", тест", year(2026), year(2036)).unwrap();
    KeyPair::new(key, certificate).unwrap()
}

proptest! {
    #[test]
    fn any_text_survives_the_writer(text in "\\PC{1,40}|[ \\t\\r\\n<>&\"']{1,40}") {
        let error = GisError { code: "X".to_owned(), description: text.clone(), stack_trace: None };
        let written = write::state(&Style::plain(), &reply_header(), &done(Outcome::Error(error))).unsigned();
        let expected = format!("ErrorMessage/Description={text}");
        prop_assert_eq!(leaves(&written).pop(), Some(expected));
    }
}
