use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Formula};

use super::*;
use crate::domain::content::{Content, Debtor};
use crate::domain::debt_request::ResponseStatus;
use crate::ids::DebtRequestId;
use gis_client::debt_requests::AtLeastOne;
use gis_client::text::{Comment, PersonName};
use uuid::Uuid;

const SUBREQUEST: &str = "ГИС-идентификатор подзапроса";
const HAS_DEBT: &str = "Наличие задолженности";
const HEADER: [&str; 8] = [
    SUBREQUEST,
    HAS_DEBT,
    "Фамилия должника",
    "Имя должника",
    "Отчество должника",
    "Комментарий",
    "Есть документы о задолженности",
    "Номер запроса",
];

fn read(content: Bytes, mode: AnswerColumn) -> SheetAnswers {
    read_answers(&mut open(content).unwrap(), mode).unwrap()
}

fn strict(rows: &[&[&str]]) -> SheetAnswers {
    read(table(&[&[HEADER.as_slice()], rows].concat()), AnswerColumn::Strict)
}

fn legacy(rows: &[&[&str]]) -> SheetAnswers {
    read(table(&[&[HEADER.as_slice()], rows].concat()), AnswerColumn::Legacy)
}

fn person(last_name: &str, first_name: &str, middle_name: Option<&str>) -> Debtor {
    Debtor {
        last_name: PersonName::parse(last_name).unwrap(),
        first_name: PersonName::parse(first_name).unwrap(),
        middle_name: middle_name.map(|name| PersonName::parse(name).unwrap()),
        snils: None,
        identity_document: None,
        documents: Vec::new(),
    }
}

fn subrequest(number: usize) -> DebtRequestId {
    Uuid::try_parse(GUID[number]).unwrap().into()
}

#[test]
fn answers_are_read() {
    let read = strict(&[
        &[GUID[0], "ДА", "Тестов", "Иван", "", " Решение от 12.03.2025 ", "да", "62026110433"],
        &[GUID[1], "нет", "", "", "", "", "", ""],
        &[GUID[2], "", "", "", "", "памятка", "", "62026110435"],
        &[GUID[0], "ДА", "Тестова", "Анна", "Петровна", "", "", ""],
    ]);
    assert_eq!(places(&read.errors), []);
    assert_eq!(
        read.counts,
        AnswerCounts { rows: 4, skipped_rows: 1, refused: 0, no_debt_from_blank: 0, no_debt_from_other: 0 }
    );
    let [debt, no_debt] = read.answers.as_slice() else { panic!("{:?}", read.answers) };
    assert_eq!(debt.debt_request, subrequest(0));
    assert_eq!(debt.request_number.as_deref(), Some("62026110433"));
    assert!(debt.waits_for_files && !no_debt.waits_for_files);
    assert_eq!(debt.rows.as_slice(), [2, 5]);
    let comment = Some(Comment::parse("Решение от 12.03.2025").unwrap());
    let debtors = [person("Тестов", "Иван", None), person("Тестова", "Анна", Some("Петровна"))];
    let debtors = AtLeastOne::new(debtors.to_vec()).unwrap();
    assert!(debt.content == Content::Debt { comment, debtors, files: Vec::new() });
    assert!(no_debt.content == Content::NoDebt { comment: None });
    assert_eq!(format!("{debt:?}"), "SheetAnswer { rows: AtLeastOne([2, 5]), .. }");
}

#[test]
fn strict_takes_no_other_word_for_an_answer() {
    let read = strict(&[
        &[GUID[0], "наверное"],
        &[GUID[1], "", "Тестов", "Иван"],
        &[GUID[2], "", "", "", "", "", "ДА"],
        &["Итого", ""],
    ]);
    assert_eq!(
        places(&read.errors),
        [(2, HAS_DEBT, "yes_or_no"), (3, HAS_DEBT, "debtor_without_debt"), (4, HAS_DEBT, "yes_or_no")]
    );
    assert_eq!((read.answers.len(), read.counts.refused, read.counts.skipped_rows), (0, 3, 1));
}

#[test]
fn legacy_takes_everything_but_yes_for_no_debt_and_counts_it() {
    let read = legacy(&[
        &[GUID[0], ""],
        &[GUID[1], "уточняется", "", "", "", "квартира продана"],
        &[GUID[2], "ДA", "Тестов", "Иван"],
    ]);
    assert_eq!(places(&read.errors), []);
    assert_eq!((read.counts.no_debt_from_blank, read.counts.no_debt_from_other), (1, 1));
    let debts: Vec<bool> = read.answers.iter().map(|answer| answer.content.has_debt()).collect();
    assert_eq!(debts, [false, false, true]);
}

#[test]
fn legacy_does_not_turn_mistakes_into_no_debt() {
    let content = drawn(|sheet| {
        sheet.write_row(0, 0, HEADER).unwrap();
        sheet.write_string(1, 0, GUID[0]).unwrap();
        sheet.write_formula(1, 1, Formula::new("NA()").set_result("#N/A")).unwrap();
        sheet.write_row(2, 0, [GUID[1], "", "Тестов", "Иван"]).unwrap();
        sheet.write_row(3, 0, ["", ""]).unwrap();
        sheet.write_string(4, 5, "без идентификатора").unwrap();
    });
    let read = read(content, AnswerColumn::Legacy);
    assert_eq!(
        places(&read.errors),
        [(2, HAS_DEBT, "cell_error"), (3, HAS_DEBT, "debtor_without_debt"), (5, SUBREQUEST, "required")]
    );
    assert!(read.answers.is_empty());
}

#[test]
fn every_mistake_of_a_row_is_told_by_its_column() {
    let long = "я".repeat(1001);
    let read = strict(&[
        &["не GUID", "ДА", "", "Иван", "", &long, "может быть", ""],
        &[GUID[0], "НЕТ", "", "", "", "", "ДА", ""],
        &[GUID[1], "ДА", "Тестов", "Иван", "", "ab\u{1}c", "", ""],
    ]);
    assert_eq!(
        places(&read.errors),
        [
            (2, SUBREQUEST, "guid_format"),
            (2, "Комментарий", "too_long"),
            (2, "Есть документы о задолженности", "yes_or_no"),
            (2, "Фамилия должника", "required"),
            (3, "Есть документы о задолженности", "not_allowed_without_debt"),
            (4, "Комментарий", "character_not_allowed"),
        ]
    );
    let said: String = read.errors.listed().iter().map(|error| error.detail.as_str()).collect();
    assert!(!said.contains("Иван") && !said.contains("не GUID"), "{said}");
}

#[test]
fn rows_of_one_answer_must_agree() {
    let read = strict(&[
        &[GUID[0], "ДА", "Тестов", "Иван", "", "одно", "", "1"],
        &[GUID[1], "НЕТ"],
        &[GUID[0], "НЕТ", "", "", "", "другое", "", "2"],
        &[GUID[0], "ДА", "Тестов", "Иван", "", "одно", "", ""],
        &[GUID[1], "нет"],
        &[GUID[2], "ДА", "Тестов", "", "", "", "", ""],
        &[GUID[2], "ДА", "Тестова", "Анна", "", "", "", ""],
    ]);
    assert_eq!(
        places(&read.errors),
        [
            (4, HAS_DEBT, "rows_disagree"),
            (4, "Номер запроса", "rows_disagree"),
            (4, "Комментарий", "rows_disagree"),
            (5, "Фамилия должника", "duplicate"),
            (7, "Имя должника", "required"),
        ]
    );
    let rows: Vec<&[u32]> = read.answers.iter().map(|answer| answer.rows.as_slice()).collect();
    assert_eq!(rows, [&[3, 6]], "a mistake refuses its own answer and no other");
    assert_eq!(read.counts.refused, 2);
}

#[test]
fn a_row_with_a_damaged_guid_holds_up_the_answer_of_its_number() {
    let read = strict(&[
        &[GUID[0], "ДА", "Тестов", "Иван", "", "", "", "7"],
        &["5603dc9c", "ДА", "Тестова", "Анна", "", "", "", "7"],
        &[GUID[1], "НЕТ", "", "", "", "", "", "8"],
        &["5603dc9d", "", "", "", "", "", "", "8"],
    ]);
    assert_eq!(places(&read.errors), [(2, "Номер запроса", "row_lost"), (3, SUBREQUEST, "guid_format")]);
    let answered: Vec<_> = read.answers.iter().map(|answer| answer.debt_request).collect();
    assert_eq!(answered, [subrequest(1)], "a row that says nothing hides nobody");
    assert_eq!(read.counts.refused, 1);
}

#[test]
fn numbers_and_dates_of_excel_are_understood() {
    let content = drawn(|sheet| {
        sheet.write_row(0, 0, HEADER).unwrap();
        sheet.write_row(1, 0, [GUID[0], "НЕТ"]).unwrap();
        sheet
            .write_datetime_with_format(1, 5, ExcelDateTime::from_ymd(2025, 3, 12).unwrap(), &as_date())
            .unwrap();
        sheet.write_number(1, 7, 62_026_110_433.0).unwrap();
        sheet.write_row(2, 0, [GUID[1], "НЕТ"]).unwrap();
        sheet.write_number(2, 7, 1e17).unwrap();
        sheet.write_string(3, 0, format!(" '{}\u{a0}", GUID[2].to_uppercase())).unwrap();
        sheet.write_formula(3, 1, Formula::new("IF(1=1,\"ДА\",\"НЕТ\")").set_result("НЕТ")).unwrap();
    });
    let read = read(content, AnswerColumn::Strict);
    assert_eq!(places(&read.errors), [(3, "Номер запроса", "digits_lost")]);
    assert_eq!(read.answers[0].request_number.as_deref(), Some("62026110433"));
    assert_eq!(read.answers[0].content.comment().map(Comment::as_str), Some("12.03.2025"));
    assert_eq!(read.answers[1].debt_request, subrequest(2));
}

#[test]
fn headers_are_found_by_name_wherever_they_are() {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    workbook.add_worksheet().set_name("Титул").unwrap().write_string(0, 0, "Отчёт").unwrap();
    let hidden = workbook.add_worksheet();
    hidden.write_row(0, 0, [SUBREQUEST, HAS_DEBT]).unwrap().set_hidden(true);
    hidden.write_row(1, 0, [GUID[0], "НЕТ"]).unwrap();
    let sheet = workbook.add_worksheet();
    sheet.write_string(0, 0, "Ответы за март").unwrap();
    sheet.write_row(2, 1, ["наличие\u{a0}ЗАДОЛЖЕННОСТИ *", "Примечание", "GUID  подзапроса:"]).unwrap();
    sheet.write_row(3, 1, ["нет", "x", GUID[1]]).unwrap();
    sheet.write_row(9, 1, ["да", "x", GUID[2]]).unwrap();
    let read = read(workbook.save_to_buffer().unwrap().into(), AnswerColumn::Strict);
    assert_eq!(read.answers.len(), 1);
    assert_eq!(read.answers[0].debt_request, subrequest(1));
    assert_eq!(read.ignored_columns, ["Примечание"]);
    assert_eq!(
        places(&read.errors),
        [(10, "Фамилия должника", "required"), (10, "Имя должника", "required")],
        "a column that is missing is a mistake only where it is needed"
    );
}

#[test]
fn later_mistakes_find_their_cells() {
    let read = strict(&[
        &[GUID[0], "ДА", "Тестов", "Иван", "", "", "", ""],
        &[GUID[0], "ДА", "Тестова", "Анна", "", "", "", ""],
    ]);
    let answer = &read.answers[0];
    for (pointer, row, column) in [
        ("/debtors/1/last_name", 3, Some("Фамилия должника")),
        ("/debtors/1/middle_name", 3, Some("Отчество должника")),
        ("/debtors/0/documents/0/attachment_id", 2, Some("Есть документы о задолженности")),
        ("/debtors/7", 2, Some("Фамилия должника")),
        ("/comment", 2, Some("Комментарий")),
        ("/request_number", 2, Some("Номер запроса")),
        ("", 2, None),
    ] {
        let error = answer.error(pointer, "code", "текст");
        assert_eq!((error.row, error.column.as_deref()), (row, column), "{pointer}");
    }
}

fn request<'a>(number: usize, said: Said<'a>) -> DebtRequestRow<'a> {
    DebtRequestRow {
        request_number: "62026110433",
        request: Some(Uuid::try_parse(GUID[0]).unwrap()),
        subrequest: subrequest(number),
        status: ResponseStatus::NotSent,
        requester: Some("=cmd|' /C calc'!A0"),
        employee: Some("Тестова А. С."),
        sent_on: Some(day(2026, 11, 2)),
        period_from: Some(day(2023, 11, 2)),
        period_to: Some(day(2026, 11, 2)),
        due_on: Some(day(2026, 11, 10)),
        fias_house: None,
        address: Some("620000, г Екатеринбург, ул Мира, д. 1, кв. 12"),
        unified_account: Some("70НН906761"),
        account: Some("0033036150"),
        directorate: None,
        said,
    }
}

fn exported(requests: &[DebtRequestRow<'_>]) -> Bytes {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = DebtRequestsWriter::new(folder.path()).unwrap();
    requests.iter().for_each(|request| writer.push(request).unwrap());
    let mut content = Vec::new();
    writer.finish(&mut content).unwrap();
    content.into()
}

#[test]
fn the_export_has_the_columns_of_the_manual() {
    use super::super::workbook::Value;

    let content = exported(&[request(0, Said::HasDebt(false))]);
    let mut workbook = open(content).unwrap();
    let mut rows = workbook.rows("Запросы").unwrap();
    let mut cells = Vec::new();
    let mut texts = || {
        rows.next(&mut cells).unwrap();
        let text = |value: &Value<'_>| match value {
            Value::Text(text) => text.to_string(),
            Value::Number(_) | Value::Date(_) | Value::Flag(_) | Value::Error | Value::Uncalculated => {
                panic!()
            }
        };
        cells.iter().map(|(place, value)| (*place, text(value))).collect::<Vec<_>>()
    };
    let header: Vec<String> = texts().into_iter().map(|(_, text)| text).collect();
    assert_eq!(header.len(), 21);
    assert_eq!(header[2], SUBREQUEST);
    assert_eq!(header[17..], ["Фамилия должника", "Отчество должника", "Имя должника", HEADER[6]]);
    let row = texts();
    let at = |place| row.iter().find(|(known, _)| *known == place).map(|(_, text)| text.as_str());
    assert_eq!(at(3), Some("NotSent"));
    assert_eq!(at(4), Some("=cmd|' /C calc'!A0"), "what was neutralised comes back");
    assert_eq!((at(6), at(9)), (Some("02.11.2026"), Some("10.11.2026")));
    assert_eq!((at(10), at(12), at(13)), (None, Some("70НН906761"), Some("0033036150")));
    assert_eq!((at(14), at(17)), (Some("НЕТ"), None));
}

#[test]
fn odd_texts_come_back() {
    for text in [
        "_x0041_",
        "=1+1",
        "''",
        "-",
        "+7 (900) 000-00-00",
        "а\r\nб",
        "а\tб",
        "<b>&amp;</b>",
        "👍",
        "＝1",
        "_x005F_",
    ] {
        let comment = Comment::parse(text).unwrap();
        let content = Content::NoDebt { comment: Some(comment) };
        let read = read(exported(&[request(0, Said::Content(&content))]), AnswerColumn::Strict);
        let back = read.answers[0].content.comment().map(Comment::as_str);
        assert_eq!(back.map(|text| text.replace("\r\n", "\n")), Some(text.replace("\r\n", "\n")), "{text}");
    }
    let long = "я".repeat(40_000);
    let mut row = request(0, Said::Nothing);
    row.address = Some(&long);
    assert_eq!(
        read(exported(&[row]), AnswerColumn::Strict).counts.rows,
        1,
        "a text that is too long for Excel is cut"
    );
}

#[test]
fn no_cell_of_the_export_is_a_formula() {
    let content = exported(&[request(0, Said::Nothing)]);
    let mut zip = zip::ZipArchive::new(Cursor::new(content)).unwrap();
    let sheet = std::io::read_to_string(zip.by_name("xl/worksheets/sheet1.xml").unwrap()).unwrap();
    assert!(!sheet.contains("<f>") && sheet.contains("<t>'=cmd"), "{sheet}");
}

#[test]
fn an_export_that_nobody_filled_in_says_nothing() {
    let content = exported(&[request(0, Said::Nothing), request(1, Said::Nothing)]);
    let read = read(content, AnswerColumn::Strict);
    assert_eq!((read.answers.len(), read.counts.skipped_rows, read.errors.count()), (0, 2, 0));
    assert_eq!(read.ignored_columns, Vec::<String>::new());
}

prop_compose! {
    fn name()(text in "[=+@'А-Яа-яё_x0-9-]{1,12}") -> String { text }
}

prop_compose! {
    fn persons()(names in prop::collection::btree_set((name(), name(), prop::option::of(name())), 1..4)) -> Vec<Debtor> {
        names.iter().map(|(last, first, middle)| person(last, first, middle.as_deref())).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is exported comes back as it was.
    #[test]
    fn an_export_comes_back(
        comment in prop::option::of("[=+@'_x0-9A-Fа-я\\n-][а-я \\n<>&\"]{0,40}[а-я]"),
        debtors in prop::option::of(persons()),
    ) {
        let comment = comment.map(|text| Comment::parse(text.trim()).unwrap());
        let content = match debtors.and_then(AtLeastOne::new) {
            Some(debtors) => Content::Debt { comment, debtors, files: Vec::new() },
            None => Content::NoDebt { comment },
        };
        let file = exported(&[request(0, Said::Content(&content)), request(1, Said::Nothing)]);
        let read = read(file, AnswerColumn::Strict);
        prop_assert_eq!(places(&read.errors), []);
        prop_assert_eq!(read.answers.len(), 1);
        prop_assert!(read.answers[0].content == content);
        prop_assert_eq!(read.answers[0].request_number.as_deref(), Some("62026110433"));
    }
}
