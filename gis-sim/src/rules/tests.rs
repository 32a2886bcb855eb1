use chrono::NaiveDate;
use uuid::uuid;

use super::*;
use crate::wire::model::{Document, Filter, Header, IdentityDocument, Person, RegistryObject};

const ORGANIZATION: Uuid = uuid!("7c8ce67b-d55b-4f1e-96bb-b6502b8eba1f");
const FILE: Uuid = uuid!("9fc22ef6-1569-4a68-829a-a656b2447a33");

fn stored(organization: Uuid, file: Uuid) -> Option<String> {
    (organization == ORGANIZATION && file == FILE).then(|| "ab12".to_owned())
}

fn request(body: Body) -> Request {
    let header = Header {
        date: "2026-03-16T10:15:00Z".to_owned(),
        message: Uuid::new_v4(),
        organization: ORGANIZATION,
        operator_signature: true,
    };
    Request { header, body, signed: true }
}

fn problems(body: Body) -> Vec<(&'static str, Scope)> {
    check(&request(body), &stored).into_iter().map(|error| (error.code, error.scope)).collect()
}

fn import(actions: Vec<Action>) -> Vec<(&'static str, Scope)> {
    problems(Body::ImportResponses(actions))
}

fn send(answer: Answer) -> Action {
    Action {
        transport: Uuid::new_v4(),
        subrequest: Uuid::new_v4(),
        kind: ActionKind::Send,
        response: Some(answer),
    }
}

fn no_debt() -> Answer {
    Answer {
        has_debt: false,
        additional_files: vec![],
        description: None,
        executor: Uuid::new_v4(),
        debtors: vec![],
        debts: vec![],
    }
}

fn file() -> FileRef {
    FileRef {
        name: "act.pdf".to_owned(),
        description: " ".to_owned(),
        guid: FILE,
        hash: Some("AB12".to_owned()),
    }
}

fn first_of(dictionary: Dictionary) -> NsiRef {
    let entry = dictionary.entries().first().unwrap();
    NsiRef { code: entry.code.to_owned(), guid: entry.guid, name: None }
}

fn debt() -> Answer {
    let identity = IdentityDocument {
        kind: first_of(Dictionary::IdentityDocuments),
        series: None,
        number: "000000".to_owned(),
    };
    let person = Person {
        first: "Пётр".to_owned(),
        last: "Тестов".to_owned(),
        middle: None,
        snils: None,
        document: Some(identity),
    };
    let documents = vec![Document { kind: first_of(Dictionary::DebtDocuments), file: file() }];
    Answer {
        has_debt: true,
        additional_files: vec![file()],
        debtors: vec![Debtor { person, documents }],
        ..no_debt()
    }
}

#[test]
fn sensible_answers_pass() {
    let revoke = Action { kind: ActionKind::Revoke, response: None, ..send(no_debt()) };
    let by_registry = Answer { has_debt: true, debts: vec![Uuid::new_v4()], ..no_debt() };
    assert_eq!(import(vec![send(no_debt()), send(debt()), revoke, send(by_registry)]), []);
}

#[test]
fn ids_are_unique_in_a_package() {
    let first = send(no_debt());
    let same_transport = Action { transport: first.transport, ..send(no_debt()) };
    let same_subrequest = Action { subrequest: first.subrequest, ..send(no_debt()) };
    assert_eq!(
        import(vec![first, same_transport, same_subrequest]),
        [(NOT_UNIQUE, Scope::Whole), (NOT_UNIQUE, Scope::Whole)]
    );
}

#[test]
fn response_data_belongs_to_send() {
    let empty_send = Action { response: None, ..send(no_debt()) };
    let full_revoke = Action { kind: ActionKind::Revoke, ..send(no_debt()) };
    assert_eq!(
        import(vec![empty_send, full_revoke]),
        [(WRONG_RESPONSE, Scope::Item(0)), (WRONG_RESPONSE, Scope::Item(1))]
    );
}

#[test]
fn the_parts_of_an_answer_fit_has_debt() {
    let nothing_named = Answer { has_debt: true, ..no_debt() };
    let debtors_without_debt = Answer { has_debt: false, additional_files: vec![], ..debt() };
    let record_without_debt = Answer { debts: vec![Uuid::new_v4()], ..no_debt() };
    let file_without_debt = Answer { additional_files: vec![file()], ..no_debt() };
    for answer in [nothing_named, debtors_without_debt, record_without_debt, file_without_debt] {
        assert_eq!(import(vec![send(answer)]), [(WRONG_DEBT, Scope::Item(0))]);
    }
}

#[test]
fn files_are_ours_and_unchanged() {
    let with = |file: FileRef| Answer { additional_files: vec![file], ..debt() };
    let cases = [
        (FileRef { hash: None, ..file() }, NO_HASH),
        (FileRef { guid: Uuid::new_v4(), ..file() }, NO_SUCH_FILE),
        (FileRef { hash: Some("ab13".to_owned()), ..file() }, HASH_DIFFERS),
    ];
    for (file, code) in cases {
        assert_eq!(import(vec![send(no_debt()), send(with(file))]), [(code, Scope::Item(1))]);
    }
    let mut foreign = request(Body::ImportResponses(vec![send(with(file()))]));
    foreign.header.organization = Uuid::new_v4();
    assert!(check(&foreign, &stored).iter().all(|error| error.code == NO_SUCH_FILE));
}

#[test]
fn dictionary_entries_are_of_this_stand() {
    let mut answer = debt();
    answer.debtors[0].documents[0].kind.guid = Uuid::new_v4();
    answer.debtors[0].person.document.as_mut().unwrap().kind.code = "9".to_owned();
    assert_eq!(
        import(vec![send(answer)]),
        [(UNKNOWN_ENTRY, Scope::Item(0)), (UNKNOWN_ENTRY, Scope::Item(0))]
    );
}

#[test]
fn a_snils_is_eleven_digits() {
    for (snils, problems) in [
        ("00000000000", vec![]),
        ("000-000-000 00", vec![(BAD_SNILS, Scope::Item(1))]),
        ("0000000000", vec![(BAD_SNILS, Scope::Item(1))]),
        ("٠٠٠٠٠٠٠٠٠٠٠", vec![(BAD_SNILS, Scope::Item(1))]),
    ] {
        let mut answer = debt();
        answer.debtors[0].person.snils = Some(snils.to_owned());
        assert_eq!(import(vec![send(no_debt()), send(answer)]), problems, "{snils}");
    }
}

fn export(version: Version, from: &str, to: &str, objects: Objects) -> Export {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let filter = Filter {
        period: Period { start: day(from), end: day(to) },
        objects,
        request_status: None,
        response_statuses: vec![],
        page: None,
    };
    Export { version, selection: Selection::Filter(filter), include_responses: None }
}

#[test]
fn a_period_is_six_months_at_most() {
    for (from, to, code) in [
        ("2026-01-01", "2026-07-01", None),
        ("2026-08-31", "2027-02-28", None),
        ("2026-03-16", "2026-03-16", None),
        ("2026-01-01", "2026-07-02", Some((BAD_PERIOD, Scope::Whole))),
        ("2026-03-17", "2026-03-16", Some((BAD_PERIOD, Scope::Whole))),
    ] {
        let export = export(Version::V13, from, to, Objects::Any);
        assert_eq!(problems(Body::ExportSubrequests(export)), Vec::from_iter(code), "{from} {to}");
    }
}

#[test]
fn each_version_has_its_elements() {
    let houses = || Objects::Houses(vec![Uuid::new_v4()]);
    let registry =
        || Objects::Registry(vec![RegistryObject { guid: Uuid::new_v4(), kind: "House".to_owned() }]);
    for (version, objects, include_responses, count) in [
        (Version::V13, houses(), Some(true), 0),
        (Version::V14, houses(), None, 1),
        (Version::V15, houses(), Some(false), 2),
        (Version::V13, registry(), None, 1),
        (Version::V14, registry(), None, 0),
        (Version::V15, registry(), Some(true), 1),
    ] {
        let export = Export { include_responses, ..export(version, "2026-03-01", "2026-03-16", objects) };
        let problems = problems(Body::ExportSubrequests(export));
        assert_eq!(problems, vec![(WRONG_VERSION, Scope::Whole); count]);
    }
    let by_id = Export {
        version: Version::V15,
        selection: Selection::Subrequests(vec![Uuid::new_v4()]),
        include_responses: Some(true),
    };
    assert_eq!(problems(Body::ExportSubrequests(by_id)), [(WRONG_VERSION, Scope::Whole)]);
}
