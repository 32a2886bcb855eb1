use rust_xlsxwriter::Format;

use super::*;

const HEADER: [&str; 2] = ["ГИС-идентификатор подзапроса", "Наличие задолженности"];

fn refused(content: impl Into<Bytes>) -> WorkbookError {
    let read = |mut workbook| read_answers(&mut workbook, AnswerColumn::Strict);
    open(content.into()).and_then(read).unwrap_err()
}

fn damaged(after_row: Option<u32>) -> WorkbookError {
    WorkbookError::Damaged { after_row }
}

#[test]
fn other_files_are_told_apart() {
    assert_eq!(refused(Bytes::new()), WorkbookError::NotAWorkbook);
    assert_eq!(refused(Bytes::from_static(b"%PDF-1.7")), WorkbookError::NotAWorkbook);
    assert_eq!(refused(Bytes::from_static("Номер;Ответ\n".as_bytes())), WorkbookError::NotAWorkbook);
    assert_eq!(refused(Bytes::from_static(b"PK\x03\x04 and nothing else")), WorkbookError::NotAWorkbook);
    assert_eq!(refused(zipped(&[("a.txt", b"x")])), WorkbookError::NotAWorkbook);
    let document: &[(&str, &[u8])] =
        &[("[Content_Types].xml", b""), ("_rels/.rels", b""), ("word/document.xml", b"")];
    assert_eq!(refused(zipped(document)), WorkbookError::NotAWorkbook);
    assert_eq!(refused(zipped(&[("mimetype", b"x"), ("content.xml", b"x")])), WorkbookError::OtherFormat);
    assert_eq!(refused(package("", &[("xl/workbook.bin", b"x")])), WorkbookError::OtherFormat);
    let old = [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), &[0; 600]].concat();
    assert_eq!(refused(old.clone()), WorkbookError::OtherFormat);
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(refused([old, name].concat()), WorkbookError::PasswordProtected);
    assert_eq!(refused(package("", &[("xl/vbaProject.bin", b"x")])), WorkbookError::Macros);
    assert_eq!(refused(package("", &[("xl/macrosheets/sheet1.xml", b"x")])), WorkbookError::Macros);
    let types = b"<Types><Override PartName=\"/xl/a.bin\" ContentType=\"application/vnd.ms-office.vbaProject\"/></Types>";
    assert_eq!(refused(package("", &[("[Content_Types].xml", types)])), WorkbookError::Macros);
}

#[test]
fn a_large_file_is_refused_before_it_is_looked_at() {
    let limits = Limits { file_bytes: 10, ..Limits::default() };
    let refused = Workbook::open(Bytes::from_static(b"12345678901"), limits).unwrap_err();
    assert_eq!(refused, WorkbookError::FileTooLarge { most: 10 });
}

#[test]
fn bombs_are_measured_while_they_are_unpacked() {
    let zeros = " ".repeat(40 << 20);
    let by_ratio = format!("<worksheet><sheetData><row r=\"1\">{zeros}</row></sheetData></worksheet>");
    assert_eq!(refused(package(&by_ratio, &[])), WorkbookError::ExpandsTooFar);
    assert_eq!(
        refused(package("", &[("xl/media/image1.png", zeros.as_bytes())])),
        WorkbookError::ExpandsTooFar
    );

    let rows: String =
        (2..40_000).map(|row| format!("<row r=\"{row}\"><c r=\"A{row}\" s=\"{row}\"/></row>")).collect();
    let large = package(&sheet_of_answers(&rows), &[]);
    let limits = Limits { expanded_bytes: 1 << 20, ..Limits::default() };
    assert_eq!(Workbook::open(large, limits).unwrap_err(), WorkbookError::ExpandsTooFar);

    let names: Vec<String> = (0..50).map(|number| format!("xl/media/{number}.png")).collect();
    let parts: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"".as_slice())).collect();
    let limits = Limits { parts: 54, ..Limits::default() };
    assert_eq!(Workbook::open(package("", &parts), limits).unwrap_err(), WorkbookError::ExpandsTooFar);
}

#[test]
fn a_package_that_lies_about_its_size_does_not_get_through() {
    let rows: String = (2..40_000).map(|row| format!("<row r=\"{row}\"/>")).collect();
    let sheet = sheet_of_answers(&rows);
    let size = u32::try_from(sheet.len()).unwrap().to_le_bytes();
    let mut content = package(&sheet, &[]).to_vec();
    for start in 0..content.len() - 4 {
        if content[start..].starts_with(&size) {
            content[start..start + 4].copy_from_slice(&100_u32.to_le_bytes());
        }
    }
    let limits = Limits { expanded_bytes: 300_000, ..Limits::default() };
    assert!(Workbook::open(content.into(), limits).is_err());
}

#[test]
fn claims_reserve_no_memory() {
    let strings = |claim: &str| format!("<sst uniqueCount=\"{claim}\"><si><t>x</t></si></sst>");
    let open = |strings: &str| {
        refused(package(
            "<worksheet><sheetData/></worksheet>",
            &[("xl/sharedStrings.xml", strings.as_bytes())],
        ))
    };
    assert_eq!(open(&strings("99999999999999")), WorkbookError::ExpandsTooFar);
    assert_eq!(
        open(&format!("<!-- {} -->{}", "x".repeat(100_000), strings("18446744073709551615"))),
        WorkbookError::ExpandsTooFar
    );
    assert_eq!(open(&strings("1000000")), WorkbookError::NoSheet);
    // Half a million styles would take a hundred times their size.
    let styles = format!("<styleSheet><cellXfs>{}</cellXfs></styleSheet>", "<xf/>".repeat(500_001));
    assert_eq!(refused(package("", &[("xl/styles.xml", styles.as_bytes())])), WorkbookError::ExpandsTooFar);
    // The workbook itself must not pass for a sheet, which may be large.
    let root = r#"<Relationships><Relationship Type="/relationships/officeDocument" Target="xl/worksheets/a.xml"/></Relationships>"#;
    assert_eq!(refused(package("", &[("_rels/.rels", root.as_bytes())])), damaged(None));
}

#[test]
fn damaged_packages_are_refused() {
    assert_eq!(refused(package("<worksheet><sheetData><row", &[])), damaged(None));
    assert_eq!(refused(package("", &[("xl/workbook.xml", b"<workbook>")])), damaged(None));
    let whole = table(&[&HEADER, &[GUID[0], "НЕТ"]]);
    assert_eq!(refused(whole.slice(..whole.len() / 2)), WorkbookError::NotAWorkbook);
    let no_end = sheet_of_answers("<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>x</t></is></c>")
        .replace("</sheetData>", "");
    assert_eq!(refused(package(&no_end, &[])), damaged(Some(2)));
}

#[test]
fn where_a_sheet_breaks_is_told() {
    let cell = |place: &str| format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>x</t></is></c>");
    // Below the rows in which the header is looked for.
    let filled: String =
        (2..=30).map(|row| format!("<row r=\"{row}\">{}</row>", cell(&format!("A{row}")))).collect();
    for (broken, after) in [
        ("<row r=\"31\"><c r=\"A31\" t=\"e\"><v>#UNKNOWN!</v></c></row>".to_owned(), 30),
        ("<row r=\"31\"><c r=\"A31\" t=\"s\"><v>7</v></c></row>".to_owned(), 30),
        ("<row r=\"31\"><c r=\"A31\"><v>1</v></c".to_owned(), 30),
        (format!("<row r=\"5\">{}</row>", cell("A5")), 30),
        (format!("<row r=\"31\">{}{}</row>", cell("B31"), cell("A31")), 31),
        (format!("<row r=\"2000000\">{}</row>", cell("A2000000")), 30),
        (format!("<row r=\"31\">{}</row>", cell("ZZZZ31")), 30),
    ] {
        let content = package(&sheet_of_answers(&format!("{filled}{broken}")), &[]);
        assert_eq!(refused(content), damaged(Some(after)), "{broken}");
    }
    assert_eq!(damaged(Some(30)).places()[0].row, 30);
}

#[test]
fn a_list_of_requests_is_found_though_it_answers_nothing() {
    let found = |content| open(content).and_then(|mut workbook| find_answers(&mut workbook));
    let list = table(&[&["Список"], &["GUID подзапроса", "Комментарий"], &[GUID[0], "x"]]);
    assert_eq!(found(list.clone()), Ok(()));
    assert_eq!(refused(list), WorkbookError::ColumnsMissing { row: Some(2), columns: vec![HEADER[1]] });
    assert_eq!(found(table(&[&HEADER[..1]])), Err(WorkbookError::NoRows));
    let neither = table(&[&["Комментарий", HEADER[1]], &["x", "ДА"]]);
    let missing = WorkbookError::ColumnsMissing { row: Some(1), columns: vec![HEADER[0]] };
    assert_eq!(found(neither), Err(missing));
}

#[test]
fn the_wrong_sheet_is_told_by_what_is_missing() {
    let refused = refused(table(&[&["Отчёт"], &["Комментарий", "Наличие задолженности"], &["x", "ДА"]]));
    assert_eq!(refused, WorkbookError::ColumnsMissing { row: Some(2), columns: vec![HEADER[0]] });
    let places = refused.places();
    assert_eq!(
        (places[0].row, places[0].column.as_deref(), places[0].code),
        (2, Some(HEADER[0]), "column_missing")
    );
    assert_eq!(places[0].detail, "нет столбца «ГИС-идентификатор подзапроса»");

    let nothing = self::refused(table(&[&["a", "b"]]));
    assert_eq!(nothing, WorkbookError::ColumnsMissing { row: None, columns: HEADER.to_vec() });
    assert_eq!(self::refused(table(&[])), WorkbookError::NoSheet);
    let low: Vec<&[&str]> = [vec![["x"].as_slice(); 20], vec![HEADER.as_slice()]].concat();
    assert!(matches!(self::refused(table(&low)), WorkbookError::ColumnsMissing { row: None, .. }));
}

#[test]
fn one_sheet_alone_may_have_the_table() {
    let book = |is_hidden: bool, header: &[&str]| {
        let mut workbook = rust_xlsxwriter::Workbook::new();
        for (name, header) in [("Ответы", HEADER.as_slice()), ("Копия", header)] {
            let sheet = workbook.add_worksheet();
            sheet.set_name(name).unwrap().write_row(0, 0, header.iter().copied()).unwrap();
            sheet.write_row(1, 0, [GUID[0], "НЕТ"]).unwrap();
            sheet.set_hidden(is_hidden && name == "Копия");
        }
        workbook.save_to_buffer().unwrap()
    };
    let sheets = ["Ответы", "Копия"].map(ToOwned::to_owned);
    assert_eq!(refused(book(false, &HEADER)), WorkbookError::TwoTables { sheets });
    for content in [book(true, &HEADER), book(false, &[HEADER[0], "Заметка"])] {
        let read = read_answers(&mut open(content.into()).unwrap(), AnswerColumn::Strict).unwrap();
        assert_eq!(read.answers.len(), 1, "a sheet that nobody sees, and one with other columns, do no harm");
    }
}

#[test]
fn headers_must_be_clear() {
    let twice = refused(table(&[&[HEADER[0], HEADER[1], "НАЛИЧИЕ задолженности*"], &[GUID[0], "ДА", "НЕТ"]]));
    assert_eq!(twice, WorkbookError::ColumnTwice { row: 1, column: HEADER[1] });

    let merged = |first_row, first_column, last_row, last_column, text: &str| {
        drawn(|sheet| {
            sheet.write_row(1, 0, HEADER).unwrap();
            sheet.merge_range(first_row, first_column, last_row, last_column, text, &Format::new()).unwrap();
            sheet.write_row(3, 0, [GUID[0], "НЕТ"]).unwrap();
        })
    };
    for content in [merged(1, 1, 1, 2, HEADER[1]), merged(1, 1, 2, 1, HEADER[1])] {
        assert_eq!(refused(content), WorkbookError::HeaderMerged { row: 2, column: HEADER[1] });
    }
    for content in [merged(0, 0, 0, 4, "Ответы"), merged(3, 3, 3, 5, "заметка"), merged(1, 5, 1, 6, "прочее")]
    {
        let read = read_answers(&mut open(content).unwrap(), AnswerColumn::Strict).unwrap();
        assert_eq!(read.answers.len(), 1, "other merged cells do no harm");
    }
}

#[test]
fn blank_rows_are_no_rows() {
    let rows: String = (2..=1_048_576).map(|row| format!("<row r=\"{row}\"/>")).collect();
    assert_eq!(refused(package(&sheet_of_answers(&rows), &[])), WorkbookError::NoRows);
    let styled: String =
        (2..200_000).map(|row| format!("<row r=\"{row}\"><c r=\"A{row}\" s=\"1\"/></row>")).collect();
    let last = format!(
        "<row r=\"1048576\"><c r=\"A1048576\" t=\"inlineStr\"><is><t>{}</t></is></c><c r=\"B1048576\" t=\"inlineStr\"><is><t>нет</t></is></c></row>",
        GUID[0]
    );
    let mut workbook = open(package(&sheet_of_answers(&(styled + &last)), &[])).unwrap();
    let read = read_answers(&mut workbook, AnswerColumn::Strict).unwrap();
    assert_eq!((read.counts.rows, read.answers[0].rows.as_slice()), (1, [1_048_576].as_slice()));
}

#[test]
fn rows_and_mistakes_are_bounded() {
    let rows: Vec<&[&str]> = [vec![HEADER.as_slice()], vec![["x", "?"].as_slice(); 4]].concat();
    let read =
        |limits| read_answers(&mut Workbook::open(table(&rows), limits).unwrap(), AnswerColumn::Strict);
    let few_rows = read(Limits { rows: 3, ..Limits::default() });
    assert_eq!(few_rows.unwrap_err(), WorkbookError::TooManyRows { most: 3 });
    let errors = read(Limits { errors: 3, ..Limits::default() }).unwrap().errors;
    assert_eq!((errors.listed().len(), errors.count(), errors.is_empty()), (3, 8, false));
}

#[test]
fn formulas_without_a_value_are_no_blanks() {
    // As libraries write them that do not calculate.
    let row = format!(
        "<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>{}</t></is></c><c r=\"B2\"><f>A1</f></c></row>",
        GUID[0]
    );
    let mut workbook = open(package(&sheet_of_answers(&row), &[])).unwrap();
    let read = read_answers(&mut workbook, AnswerColumn::Legacy).unwrap();
    assert_eq!(places(&read.errors), [(2, HEADER[1], "formula_without_value")]);
}

#[test]
fn every_error_has_a_code_and_words() {
    let errors = [
        WorkbookError::FileTooLarge { most: 1 },
        WorkbookError::NotAWorkbook,
        WorkbookError::OtherFormat,
        WorkbookError::PasswordProtected,
        WorkbookError::Macros,
        WorkbookError::ExpandsTooFar,
        damaged(None),
        damaged(Some(1)),
        WorkbookError::NoSheet,
        WorkbookError::ColumnsMissing { row: None, columns: vec![HEADER[0], HEADER[1]] },
        WorkbookError::ColumnTwice { row: 1, column: HEADER[0] },
        WorkbookError::HeaderMerged { row: 1, column: HEADER[0] },
        WorkbookError::TwoTables { sheets: ["Лист1", "Лист2"].map(ToOwned::to_owned) },
        WorkbookError::NoRows,
        WorkbookError::TooManyRows { most: 1 },
        WorkbookError::GisExport { row: 1 },
    ];
    for error in errors {
        assert!(error.code().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        assert!(error.to_string().starts_with(|letter: char| ('а'..='я').contains(&letter)), "{error}");
    }
}
