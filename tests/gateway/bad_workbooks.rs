//! Files that are no workbook, or a bad one: every door that takes workbooks says what is wrong and where, and takes
//! nothing of them.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use reqwest::Method;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook, Worksheet};
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::exports::{HAS_DEBT, SUBREQUEST};
use crate::harness::{Stand, for_both};
use crate::imports::{imported, rows};
use crate::registry::{HOUSE, NAME, REGISTRIES, send_form};

const DEBT_FROM: &str = "Дата начала периода задолженности";
const PREMISES: &str = "Номер квартиры, комнаты, блока жилого дома";
const ACCOUNT: &str = "Лицевой счет";
const REGISTRY: [&str; 5] = [DEBT_FROM, "Идентификатор адреса", PREMISES, "Фамилия", "Имя"];
/// The last row of a sheet.
const LAST_ROW: u32 = 1_048_576;

/// What takes workbooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Answers,
    Registry,
    Accounts,
}

const DOORS: [Door; 3] = [Door::Answers, Door::Registry, Door::Accounts];

impl Door {
    fn header(self) -> Vec<&'static str> {
        match self {
            Self::Answers => vec![SUBREQUEST, HAS_DEBT],
            Self::Registry => REGISTRY.to_vec(),
            Self::Accounts => vec!["Код ФИАС дома", "Номер помещения", ACCOUNT],
        }
    }

    fn row(self) -> Vec<&'static str> {
        match self {
            Self::Answers => vec![HOUSE, "НЕТ"],
            Self::Registry => vec!["12.03.2025", HOUSE, "кв. 1", "Вымышленный", "Пётр"],
            Self::Accounts => vec![HOUSE, "кв. 1", "001"],
        }
    }

    /// A code and words for the file as a whole.
    async fn refusal(self, stand: &Stand, content: &[u8]) -> (String, String) {
        let error = self.mistakes(stand, content).await[0].clone();
        let word = |name: &str| error[name].as_str().unwrap().to_owned();
        (word("code"), word("detail"))
    }

    async fn mistakes(self, stand: &Stand, content: &[u8]) -> Vec<Value> {
        let (method, path, field) = match self {
            Self::Answers => (Method::POST, "/v1/imports", "file"),
            Self::Registry => (Method::POST, REGISTRIES, "registry"),
            Self::Accounts => (Method::PUT, "/v1/accounts", "file"),
        };
        let reply = send_form(&stand.client, method, path, &[(field, Some(NAME), content)]).await;
        let problem = reply.problem(422, "validation_failed");
        problem["errors"].as_array().unwrap().clone()
    }
}

/// A workbook of one sheet.
fn drawn(draw: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    draw(workbook.add_worksheet());
    workbook.save_to_buffer().unwrap()
}

/// A good workbook with further parts in its package.
fn with_part(door: Door, name: &str, content: &[u8]) -> Vec<u8> {
    let book = drawn(|sheet| {
        sheet.write_row(0, 0, door.header()).unwrap();
        sheet.write_row(1, 0, door.row()).unwrap();
    });
    let mut zip = ZipWriter::new_append(Cursor::new(book)).unwrap();
    zip.start_file(name, SimpleFileOptions::default()).unwrap();
    zip.write_all(content).unwrap();
    zip.finish().unwrap().into_inner()
}

/// A package whose sheet has a header and a million blank rows.
fn blank_rows(door: Door) -> Vec<u8> {
    let mut sheet = String::from("<worksheet><sheetData><row r=\"1\">");
    for (column, text) in ('A'..).zip(door.header()) {
        write!(sheet, "<c r=\"{column}1\" t=\"inlineStr\"><is><t>{text}</t></is></c>").unwrap();
    }
    sheet.push_str("</row>");
    for row in 2..=LAST_ROW {
        write!(sheet, "<row r=\"{row}\"/>").unwrap();
    }
    sheet.push_str("</sheetData></worksheet>");
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let relations = |kind: &str, target: &str| {
        format!(
            "<Relationships><Relationship Id=\"r1\" Type=\"http://x/relationships/{kind}\" Target=\"{target}\"/></Relationships>"
        )
    };
    let book = "<workbook><sheets><sheet name=\"Лист1\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>";
    for (name, content) in [
        ("[Content_Types].xml", "<Types/>"),
        ("_rels/.rels", &relations("officeDocument", "xl/workbook.xml")),
        ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", &relations("worksheet", "worksheets/sheet1.xml")),
        ("xl/worksheets/sheet1.xml", &sheet),
    ] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A workbook whose table stands on two sheets.
fn two_tables(door: Door) -> Vec<u8> {
    let mut workbook = Workbook::new();
    for name in ["Март", "Апрель"] {
        let sheet = workbook.add_worksheet();
        sheet.set_name(name).unwrap();
        sheet.write_row(0, 0, door.header()).unwrap();
        sheet.write_row(1, 0, door.row()).unwrap();
    }
    workbook.save_to_buffer().unwrap()
}

/// The container of old Excel files, and of those with a password.
fn old_container(inner: &str) -> Vec<u8> {
    let name = inner.encode_utf16().flat_map(u16::to_le_bytes);
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".iter().copied().chain([0; 600]).chain(name).collect()
}

/// What is wrong with the file as a whole: its content, the code, and what the words must hold.
fn bad_files(door: Door) -> Vec<(Vec<u8>, &'static str, &'static str)> {
    let header = door.header();
    let last = *header.last().unwrap();
    let other_sheet = drawn(|sheet| {
        sheet.write_row(0, 0, ["Отчёт за месяц"]).unwrap();
        sheet.write_row(1, 0, ["Столбец", "Другой", "Третий"]).unwrap();
    });
    let column_left_out = drawn(|sheet| {
        // The first: a workbook with the column of requests alone is a list of them, which is taken for a match.
        sheet.write_row(1, 0, header[1..].to_vec()).unwrap();
        sheet.write_row(2, 0, door.row()).unwrap();
    });
    let merged = drawn(|sheet| {
        sheet.write_row(1, 0, header.clone()).unwrap();
        let column = u16::try_from(header.len() - 1).unwrap();
        sheet.merge_range(1, column, 1, column + 1, last, &Format::new()).unwrap();
        sheet.write_row(2, 0, door.row()).unwrap();
    });
    let twice = drawn(|sheet| {
        sheet.write_row(0, 0, [header.clone(), vec![last]].concat()).unwrap();
        sheet.write_row(1, 0, door.row()).unwrap();
    });
    let no_rows = drawn(|sheet| {
        sheet.write_row(0, 0, header.clone()).unwrap();
    });
    let mut cut = with_part(door, "docProps/more.xml", b"");
    cut.truncate(cut.len() / 2);
    let mut files = vec![
        (b"%PDF-1.7 no workbook".to_vec(), "not_a_workbook", "xlsx"),
        (cut, "not_a_workbook", "xlsx"),
        (old_container("Workbook"), "workbook_format", "xlsx"),
        (old_container("EncryptedPackage"), "workbook_password", "паролем"),
        (with_part(door, "xl/vbaProject.bin", b"x"), "workbook_macros", "макрос"),
        (with_part(door, "xl/media/a.png", &vec![0; 40 << 20]), "workbook_expands", "велико"),
        (other_sheet, "column_missing", header[0]),
        (merged, "header_merged", "строка 2: заголовок"),
        (twice, "column_twice", "строка 1: столбец"),
        (two_tables(door), "two_tables", "«Март» и «Апрель»"),
        (no_rows, "rows_missing", "строки"),
        (blank_rows(door), "rows_missing", "строки"),
    ];
    // An account may be told by the other number.
    if door != Door::Accounts {
        files.push((column_left_out, "column_missing", "строка 2: "));
    }
    files
}

#[test]
fn bad_files_are_refused_at_every_door() {
    let doors = DOORS.map(|door| (door, bad_files(door)));
    for_both(1, async |stand| {
        for (door, files) in &doors {
            for (content, code, words) in files {
                let (told, detail) = door.refusal(&stand, content).await;
                assert_eq!(told, *code, "{door:?}: {detail}");
                assert!(detail.contains(words), "{door:?}: {detail}");
            }
        }
        nothing_was_taken(&stand).await;
    });
}

async fn nothing_was_taken(stand: &Stand) {
    for path in ["/v1/answers", "/v1/imports", REGISTRIES, "/v1/court-debts", "/v1/accounts"] {
        assert!(stand.client.walk(path).await.is_empty(), "{path}");
    }
}

fn word<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

/// Row, column and code of each.
fn places(errors: &[Value]) -> Vec<(u64, &str, &str)> {
    errors.iter().map(|it| (it["row"].as_u64().unwrap(), word(it, "column"), word(it, "code"))).collect()
}

async fn uploaded(stand: &Stand, content: &[u8]) -> Value {
    let parts = [("registry", Some(NAME), content)];
    send_form(&stand.client, Method::POST, REGISTRIES, &parts).await.ok(202)
}

/// A date as Excel keeps it.
fn write_date(sheet: &mut Worksheet, row: u32, column: u16) {
    let format = Format::new().set_num_format("dd.mm.yyyy");
    let date = ExcelDateTime::from_ymd(2025, 3, 12).unwrap();
    sheet.write_datetime_with_format(row, column, date, &format).unwrap();
}

#[test]
fn what_people_do_to_a_registry_is_taken() {
    let content = drawn(|sheet| {
        sheet.write_row(0, 0, REGISTRY).unwrap();
        for row in 1..=4 {
            sheet.write_row(row, 1, [&format!(" {HOUSE} "), "", "Вымышленный\u{a0}", " Пётр  "]).unwrap();
        }
        write_date(sheet, 1, 0);
        sheet.write_number(2, 0, 45_728).unwrap();
        sheet.write_string(3, 0, "'12.03.2025").unwrap();
        sheet.write_string(4, 0, " 12.03.2025 ").unwrap();
        sheet.write_number(1, 2, 12).unwrap();
        for (row, premises) in (2..).zip(["'13", " кв. 14 ", "15\u{a0}"]) {
            sheet.write_string(row, 2, premises).unwrap();
        }
        // Formatted far below, as whole columns are.
        sheet.write_blank(LAST_ROW - 1, 4, &Format::new().set_bold()).unwrap();
    });
    for_both(1, async |stand| {
        let registry = uploaded(&stand, &content).await;
        assert_eq!(
            (&registry["status"], &registry["rows"], &registry["errors"]),
            (&json!("checked"), &json!(4), &json!(0))
        );
        let path = format!("{REGISTRIES}/{}/rows", registry["id"].as_str().unwrap());
        let kept = stand.client.walk(&path).await;
        let premises: Vec<_> = kept.iter().map(|row| row["premises"].as_str().unwrap()).collect();
        assert_eq!(premises, ["12", "13", "кв. 14", "15"]);
        for row in kept {
            assert_eq!((&row["in_force_from"], &row["fias_house_id"]), (&json!("2025-03-12"), &json!(HOUSE)));
            assert_eq!(row["debtors"][0]["last_name"], "Вымышленный");
        }
    });
}

#[test]
fn what_excel_did_to_a_registry_is_told_by_row_and_column() {
    let content = drawn(|sheet| {
        sheet.write_row(0, 0, REGISTRY).unwrap();
        for row in 1..=6 {
            sheet.write_row(row, 0, ["12.03.2025", HOUSE, &row.to_string(), "Вымышленный", "Пётр"]).unwrap();
        }
        sheet.write_string(1, 0, "31.02.2025").unwrap();
        sheet.write_number(2, 0, 2_025).unwrap();
        sheet.write_formula(3, 2, Formula::new("NA()").set_result("#N/A")).unwrap();
        write_date(sheet, 4, 2);
        sheet.write_string(5, 3, "#ССЫЛКА!").unwrap();
    });
    for_both(1, async |stand| {
        let registry = uploaded(&stand, &content).await;
        assert_eq!(registry["status"], "refused");
        let told = stand.client.walk(registry["problems_url"].as_str().unwrap()).await;
        assert_eq!(
            places(&told),
            [
                (2, DEBT_FROM, "date_format"),
                (3, DEBT_FROM, "date_range"),
                (4, PREMISES, "cell_error"),
                (5, PREMISES, "text_became_date"),
                (6, "Фамилия", "cell_error"),
            ]
        );
        assert!(stand.client.walk("/v1/court-debts").await.is_empty());
    });
}

#[test]
fn what_excel_did_to_answers_is_told_by_row_and_column() {
    for_both(4, async |stand| {
        let ids = stand.request_ids().await;
        let content = drawn(|sheet| {
            sheet.write_row(0, 0, [SUBREQUEST, HAS_DEBT]).unwrap();
            for (row, (id, says)) in (1..).zip(ids.iter().zip([" нет ", "'НЕТ", "#Н/Д", ""])) {
                sheet.write_row(row, 0, [&format!("{id} "), says]).unwrap();
            }
            sheet.write_formula(4, 1, Formula::new("1/0").set_result("#DIV/0!")).unwrap();
        });
        let import = imported(&stand, &content, &[("mode", "apply")]).await;
        assert_eq!(import["status"], "completed_with_errors");
        let all = rows(&stand, &import).await;
        let errors: Vec<Value> =
            all.iter().flat_map(|row| row["errors"].as_array().unwrap().clone()).collect();
        assert_eq!(places(&errors), [(4, HAS_DEBT, "cell_error"), (5, HAS_DEBT, "cell_error")]);
        let taken = stand.client.walk("/v1/answers").await;
        let mut answered: Vec<_> = taken.iter().map(|it| it["debt_request_id"].as_str().unwrap()).collect();
        answered.sort_unstable();
        let mut expected = [ids[0].as_str(), ids[1].as_str()];
        expected.sort_unstable();
        assert_eq!(answered, expected);
    });
}
