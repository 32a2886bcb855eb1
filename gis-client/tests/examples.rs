//! The example replies are read with every field.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panics")]

use std::sync::LazyLock;

use chrono::NaiveDate;
use gis_client::debt_requests::{
    AddressType, ItemResult, Outcome, Progress, RequestStatus, ResponseStatus, State, SubrequestPage,
};
use gis_client::reply::{self, ReplyError};
use gis_client::signature::verify_reply;
use gost::hash::gost94;
use proptest::prelude::*;
use proptest::sample::{Index, select};

const SIGNED: &str = "05-getState-response-two-subrequests.signed.xml";

fn example(name: &str) -> Option<String> {
    let schemas = test_support::test_data("gis-zhkh-schemas", "reading of the examples")?;
    Some(std::fs::read_to_string(schemas.join("examples").join(name)).unwrap())
}

fn state(name: &str) -> Option<State> {
    example(name).map(|document| reply::state(&document).unwrap())
}

fn page(state: State) -> SubrequestPage {
    match state.outcome {
        Some(Outcome::Subrequests(page)) => page,
        other => panic!("{other:?}"),
    }
}

#[test]
fn acknowledgements_are_read() {
    let Some(document) = example("02-ack-response.xml") else {
        return;
    };
    let read = reply::acknowledgement(&document).unwrap();
    assert_eq!(read.message.to_string(), "3ce0fadb-3896-4c6b-8536-abe88086f9e8");
    assert_eq!(read.requester_message.unwrap().to_string(), "512aac65-196c-4ba7-a20c-8a9e9c4749cf");
    assert_eq!(read.header.message, read.requester_message);
    assert_eq!(read.header.sent_at.unwrap().to_rfc3339(), "2026-03-16T10:15:02.120+03:00");
}

#[test]
fn states_in_progress_are_read() {
    let Some(read) = state("04-getState-response-in-progress.xml") else {
        return;
    };
    assert_eq!(read.progress, Progress::Processing);
    assert_eq!(read.message.unwrap().to_string(), "3ce0fadb-3896-4c6b-8536-abe88086f9e8");
    assert_eq!(read.outcome, None);
}

#[test]
fn subrequests_are_read_with_every_field() {
    let Some(read) = state(SIGNED) else {
        return;
    };
    assert_eq!(read.progress, Progress::Done);
    let page = page(read);
    assert_eq!(page.next.unwrap().to_string(), "14e10efd-3028-41c8-8645-fe6b952a3098");
    assert!(page.unreadable.is_empty());
    let [new, old] = page.subrequests.as_slice() else { panic!("{page:?}") };
    let day = |text: &str| text.parse::<NaiveDate>().ok();

    assert_eq!(new.id.to_string(), "38e02aae-e83f-43c6-b2af-b7dacd0cc0b0");
    assert_eq!(new.response_status, Some(ResponseStatus::NotSent));
    assert_eq!(new.response, None);
    assert!(new.broken_fields.is_empty());
    let request = &new.request;
    assert_eq!(request.id.unwrap().to_string(), "3e640214-c492-49b6-93ae-948582023561");
    assert_eq!(request.number.as_deref(), Some("01202600000001"));
    assert_eq!(request.organization.root.unwrap().to_string(), "3ac3aeb8-9c0b-4709-af94-fe1701b77d3e");
    assert_eq!(request.organization.name.as_deref(), Some("Управление социальной защиты (пример)"));
    assert_eq!(request.organization.telephone.as_deref(), Some("+7 000 000-00-00"));
    assert_eq!((request.period.start, request.period.end), (day("2026-01-01"), day("2026-03-01")));
    assert_eq!(request.status, Some(RequestStatus::Sent));
    assert_eq!((request.sent_on, request.answer_by), (day("2026-03-12"), day("2026-03-19")));
    let executor = request.executor.as_ref().unwrap();
    assert_eq!(executor.id.unwrap().to_string(), "8d8b6ae5-f62e-49c5-8c1b-51c66380f542");
    assert_eq!(executor.name.as_ref().unwrap().as_str(), "Примерова Анна Тестовна");
    let housing = &request.housing;
    assert_eq!(housing.object.unwrap().to_string(), "a482527b-28d0-4f93-8d89-380112c4f029");
    assert_eq!(housing.kind, Some(AddressType::Apartment));
    assert_eq!(housing.fias_house.unwrap().to_string(), "f38b8e2d-1851-48b3-90ca-d255cd88e796");
    assert!(housing.address.as_ref().unwrap().as_str().ends_with("ул. Тестовая, д. 1, кв. 10"));
    assert_eq!((housing.house, &housing.details), (None, &None));

    let housing = &old.request.housing;
    assert_eq!(housing.house.unwrap().to_string(), "b843967e-0608-4c52-868d-ecdd44b8b380");
    assert_eq!(housing.details.as_ref().unwrap().as_str(), "кв. 25");
    assert_eq!((housing.object, &housing.kind, housing.fias_house), (None, &None, None));
    assert_eq!(old.response_status, Some(ResponseStatus::Sent));
    let response = old.response.as_ref().unwrap();
    assert_eq!(response.has_debt, Some(true));
    assert_eq!(response.comment.as_ref().unwrap().as_str(), "Пример ответа");
    assert_eq!(
        response.executor.as_ref().unwrap().id.unwrap().to_string(),
        "23028cb3-2ee5-42b2-977c-b56b81695e65"
    );
    let [debtor] = response.debtors.as_slice() else { panic!("{response:?}") };
    let person = &debtor.person;
    let names = [&person.first_name, &person.last_name, &person.middle_name, &person.snils];
    assert_eq!(
        names.map(|name| name.as_ref().unwrap().as_str()),
        ["Пётр", "Тестов", "Примерович", "00000000000"]
    );
    let [document] = debtor.documents.as_slice() else { panic!("{debtor:?}") };
    assert_eq!(document.kind.code.as_deref(), Some("1"));
    assert_eq!(document.kind.name.as_deref(), Some("Судебный акт"));
    assert_eq!(document.attachment.name.as_ref().unwrap().as_str(), "act.pdf");
    assert_eq!(document.attachment.hash, Some(gost94(b"abc")));
    let act = document.court_act.as_ref().unwrap();
    assert_eq!(act.number.as_ref().unwrap().as_str(), "2-000/2026");
    assert_eq!((act.in_force_on, act.pronounced_on), (day("2026-02-01"), day("2026-01-15")));

    // Nothing personal gets into logs.
    let debug = format!("{page:?}");
    for personal in [
        "Пётр",
        "Тестов",
        "Примерова",
        "00000000000",
        "кв. 25",
        "Тестовая",
        "act.pdf",
        "2-000",
        "Пример ответа",
    ] {
        assert!(!debug.contains(personal), "{personal}");
    }
}

#[test]
fn the_last_page_and_what_was_not_found_are_read() {
    let Some(read) = state("11-getState-response-last-page-notFound.xml") else {
        return;
    };
    let page = page(read);
    assert_eq!(page.next, None);
    assert_eq!(page.not_found.subrequests.len(), 1);
    assert_eq!(page.subrequests[0].response_status, Some(ResponseStatus::AutoGenerated));
    assert_eq!(page.subrequests[0].request.answer_by, NaiveDate::from_ymd_opt(2026, 3, 10));
}

#[test]
fn results_of_actions_are_read() {
    let Some(read) = state("08-getState-response-import-per-item-errors.xml") else {
        return;
    };
    let Some(Outcome::Import(results)) = read.outcome else { panic!("{read:?}") };
    let transports: Vec<_> = results.iter().map(|result| result.transport.unwrap().to_string()).collect();
    assert_eq!(transports[0], "c003c4c4-faa2-4277-af8f-bf3285b4e98b");
    assert!(matches!(results[0].result, ItemResult::Ok { unique_number: None, updated_at: Some(_) }));
    assert_eq!(results[0].entity.unwrap().to_string(), "38e02aae-e83f-43c6-b2af-b7dacd0cc0b0");
    let codes = |index: usize| {
        let ItemResult::Errors(errors) = &results[index].result else { panic!("{:?}", results[index]) };
        errors.iter().map(|error| error.code.clone()).collect::<Vec<_>>()
    };
    assert_eq!(codes(1), ["INT002000"]);
    assert_eq!(codes(2), ["INT000000", "AUT011003"]);
}

#[test]
fn errors_of_whole_messages_are_read() {
    let Some(read) = state("09-getState-response-error-INT002012.xml") else {
        return;
    };
    let Some(Outcome::Error(error)) = read.outcome else { panic!("{read:?}") };
    assert_eq!((error.code.as_str(), error.description.as_str()), ("INT002012", "Нет объектов для экспорта"));

    let Some(fault) = example("10-soap-fault-EXP001000.xml") else {
        return;
    };
    for refused in [reply::state(&fault).unwrap_err(), reply::acknowledgement(&fault).unwrap_err()] {
        let ReplyError::Fault(error) = refused else { panic!("{refused:?}") };
        assert_eq!(error.code, "EXP001000");
        assert!(error.description.starts_with("Произошла ошибка при передаче данных."));
    }
}

/// Read once: a skipped test says so once.
static SIGNED_EXAMPLE: LazyLock<Option<String>> = LazyLock::new(|| example(SIGNED));

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Damaged replies are read or refused, never with a panic, and a reply that still counts as signed still says
    /// the same.
    #[test]
    fn damaged_replies_do_no_harm(
        place in any::<Index>(),
        length in 0_usize..40,
        put in select(vec![
            "", " ", "x", "\u{0}", "<", "</", ">", "<!--", "-->", "&", "&amp;", "&#x20;", "<x/>", "<![CDATA[", "]]>",
            "<?p?>", "\"", "=", "\r\n", "3", "<ns3:Signature/>", " Id=\"a\"", " xmlns:ns13=\"u\"",
        ]),
    ) {
        let Some(document) = SIGNED_EXAMPLE.as_ref() else { return Ok(()) };
        let characters: Vec<char> = document.chars().collect();
        let start = place.index(characters.len());
        let end = (start + length).min(characters.len());
        let damaged: String = characters[..start].iter().copied().chain(put.chars()).chain(characters[end..].iter().copied()).collect();
        let read = reply::state(&damaged);
        drop(reply::acknowledgement(&damaged));
        if verify_reply(&damaged).is_ok() {
            let original = reply::state(document).unwrap();
            let read = read.unwrap();
            prop_assert_eq!((read.progress, read.message, read.outcome), (original.progress, original.message, original.outcome));
        }
    }
}
