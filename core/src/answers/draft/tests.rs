use super::super::input::FileSource;
use super::*;
use crate::error::Place;

const DICTIONARIES: &str = "[[nsi_95]]\ncode = \"21\"\nguid = \"6a5a2f3e-0000-4000-8000-000000000001\"\n";

fn file(type_code: Option<&str>) -> FileDraft {
    FileDraft {
        type_code: type_code.map(ToOwned::to_owned),
        description: None,
        source: FileSource::Stored(AttachmentId::generate()),
    }
}

fn person() -> DebtorDraft {
    DebtorDraft {
        last_name: "Тестов".to_owned(),
        first_name: "Тест".to_owned(),
        middle_name: Some("Тестович".to_owned()),
        snils: Some("11223344595".to_owned()),
        identity_document: Some(IdentityDocumentDraft {
            type_code: "21".to_owned(),
            series: Some("0000".to_owned()),
            number: "000001".to_owned(),
        }),
        documents: vec![file(Some("1"))],
    }
}

fn debt() -> ContentDraft {
    ContentDraft {
        has_debt: true,
        comment: Some("Решение вступило в силу".to_owned()),
        debtors: vec![person()],
        attachments: vec![file(None)],
    }
}

fn of_person(change: impl Fn(&mut DebtorDraft)) -> ContentDraft {
    let mut draft = debt();
    change(&mut draft.debtors[0]);
    draft
}

fn of_document(change: impl Fn(&mut IdentityDocumentDraft)) -> ContentDraft {
    of_person(|person| change(person.identity_document.as_mut().unwrap()))
}

fn checked(draft: &ContentDraft) -> Result<Option<Checked>, Vec<Mistake>> {
    let dictionaries = Dictionaries::from_toml(DICTIONARIES).unwrap();
    let limits = Limits::default();
    let taken = files(draft, &limits);
    let taken = taken.into_iter().map(|(place, _)| (place, AttachmentId::generate())).collect();
    check(draft, Rules { dictionaries: &dictionaries, limits: &limits }, &taken)
}

fn mistakes(draft: &ContentDraft) -> Vec<(String, &'static str)> {
    let place = |place| match place {
        Place::Pointer(pointer) => pointer,
        Place::Parameter(name) => panic!("{name} is no pointer"),
    };
    let mistakes = checked(draft).err().unwrap_or_default();
    mistakes.into_iter().map(|mistake| (place(mistake.place), mistake.code)).collect()
}

#[test]
fn what_is_right_passes() {
    let found = checked(&debt()).unwrap().unwrap();
    assert!(found.warnings.is_empty());
    assert_eq!(found.content.debtors().len(), 1);
    assert_eq!(found.content.attachments().count(), 2);
    let found = checked(&ContentDraft::default()).unwrap().unwrap();
    assert_eq!(found.content, Content::NoDebt { comment: None });
    let bare = DebtorDraft { last_name: "Т".to_owned(), first_name: "Т".to_owned(), ..Default::default() };
    let bare = ContentDraft { has_debt: true, debtors: vec![bare], ..Default::default() };
    assert!(checked(&bare).unwrap().is_some());
}

#[test]
fn each_mistake_is_named_at_its_place() {
    let long = "я".repeat(256);
    for (draft, pointer, code) in [
        (ContentDraft { debtors: Vec::new(), ..debt() }, "/debtors", "required"),
        (ContentDraft { debtors: vec![person(); 101], ..debt() }, "/debtors", "too_many"),
        (ContentDraft { attachments: vec![file(None); 6], ..debt() }, "/attachments", "too_many"),
        (
            ContentDraft { attachments: vec![file(Some("1"))], ..debt() },
            "/attachments/0/type_code",
            "not_allowed",
        ),
        (ContentDraft { comment: Some("я".repeat(1001)), ..debt() }, "/comment", "too_long"),
        (ContentDraft { comment: Some(" \n".to_owned()), ..debt() }, "/comment", "empty"),
        (ContentDraft { comment: Some("a\u{0}".to_owned()), ..debt() }, "/comment", "character_not_allowed"),
        (
            ContentDraft { has_debt: false, attachments: Vec::new(), ..debt() },
            "/debtors",
            "not_allowed_without_debt",
        ),
        (
            ContentDraft { has_debt: false, debtors: Vec::new(), ..debt() },
            "/attachments",
            "not_allowed_without_debt",
        ),
        (of_person(|it| it.last_name = "  ".to_owned()), "/debtors/0/last_name", "required"),
        (of_person(|it| it.first_name = long.clone()), "/debtors/0/first_name", "too_long"),
        (of_person(|it| it.middle_name = Some(String::new())), "/debtors/0/middle_name", "empty"),
        (of_person(|it| it.snils = Some("112-233-445 95".to_owned())), "/debtors/0/snils", "snils_format"),
        (of_person(|it| it.snils = Some("1122334459a".to_owned())), "/debtors/0/snils", "snils_format"),
        (of_person(|it| it.snils = Some(String::new())), "/debtors/0/snils", "empty"),
        (of_person(|it| it.documents = vec![file(Some("1")); 6]), "/debtors/0/documents", "too_many"),
        (of_person(|it| it.documents = vec![file(None)]), "/debtors/0/documents/0/type_code", "required"),
        (
            of_person(|it| it.documents = vec![file(Some("99"))]),
            "/debtors/0/documents/0/type_code",
            "dictionary_unknown",
        ),
        (
            of_document(|it| it.type_code = "22".to_owned()),
            "/debtors/0/identity_document/type_code",
            "dictionary_unknown",
        ),
        (
            of_document(|it| it.type_code = String::new()),
            "/debtors/0/identity_document/type_code",
            "required",
        ),
        (of_document(|it| it.series = Some(String::new())), "/debtors/0/identity_document/series", "empty"),
        (of_document(|it| it.series = Some(long.clone())), "/debtors/0/identity_document/series", "too_long"),
        (of_document(|it| it.number = String::new()), "/debtors/0/identity_document/number", "required"),
        (of_document(|it| it.number = "\u{b}".repeat(2)), "/debtors/0/identity_document/number", "required"),
        (
            of_document(|it| it.number = "1\u{b}".to_owned()),
            "/debtors/0/identity_document/number",
            "character_not_allowed",
        ),
    ] {
        assert!(
            mistakes(&draft).contains(&(pointer.to_owned(), code)),
            "{pointer} {code}: {:?}",
            mistakes(&draft)
        );
    }
}

#[test]
fn all_mistakes_come_at_once() {
    let mut draft = debt();
    draft.comment = Some("я".repeat(1001));
    draft.debtors.push(DebtorDraft { snils: Some("1".to_owned()), ..Default::default() });
    draft.debtors[0].documents.push(file(None));
    let expected = [
        ("/comment", "too_long"),
        ("/debtors/0/documents/1/type_code", "required"),
        ("/debtors/1/last_name", "required"),
        ("/debtors/1/first_name", "required"),
        ("/debtors/1/snils", "snils_format"),
    ];
    assert_eq!(mistakes(&draft), expected.map(|(pointer, code)| (pointer.to_owned(), code)));
}

#[test]
fn a_limit_that_is_broken_is_told() {
    let draft = ContentDraft { attachments: vec![file(None); 6], ..debt() };
    assert_eq!(checked(&draft).unwrap_err()[0].max, Some(5));
    let draft = ContentDraft { comment: Some("я".repeat(1001)), ..debt() };
    assert_eq!(checked(&draft).unwrap_err()[0].max, Some(1000));
}

#[test]
fn a_wrong_checksum_only_warns() {
    let draft = of_person(|person| person.snils = Some("11223344596".to_owned()));
    let found = checked(&draft).unwrap().unwrap();
    let warning = &found.warnings[0];
    assert_eq!(
        (warning.code.as_str(), warning.pointer.as_deref()),
        ("snils_checksum", Some("/debtors/0/snils"))
    );
}

#[test]
fn no_mistake_repeats_the_data() {
    let secret = "Секретный\u{1}";
    let draft = of_person(|person| {
        person.last_name = secret.to_owned();
        person.snils = Some(secret.to_owned());
        person.documents = vec![file(Some(secret))];
    });
    for mistake in checked(&draft).unwrap_err() {
        assert!(!mistake.detail.contains("Секрет"), "{}", mistake.detail);
    }
}

#[test]
fn files_are_looked_at_only_where_they_may_be() {
    let limits = Limits { files_per_answer: 1, files_per_debtor: 1, ..Limits::default() };
    let mut draft = debt();
    draft.attachments.push(file(None));
    draft.debtors[0].documents.push(file(Some("1")));
    let places: Vec<_> = files(&draft, &limits).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["/debtors/0/documents/0", "/attachments/0"]);
    draft.has_debt = false;
    assert!(files(&draft, &limits).is_empty());
}

#[test]
fn a_file_with_mistakes_of_its_own_is_no_second_mistake() {
    let dictionaries = Dictionaries::from_toml(DICTIONARIES).unwrap();
    let rules = Rules { dictionaries: &dictionaries, limits: &Limits::default() };
    assert_eq!(check(&debt(), rules, &Files::new()), Ok(None));
}
