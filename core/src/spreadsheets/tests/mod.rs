//! Workbooks of every kind that people send, made here by the writer or by hand. All people are invented.

mod answers;
mod bad_workbooks;
mod lists;
mod registry;
mod templates;
mod wild;

use std::io::{Cursor, Write};

use bytes::Bytes;
use chrono::NaiveDate;
use rust_xlsxwriter::{Format, Worksheet};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

pub(super) const GUID: [&str; 3] = [
    "5603dc9c-e161-414c-9787-e40836561101",
    "5603dc9c-e161-414c-9787-e40836561102",
    "5603dc9c-e161-414c-9787-e40836561103",
];

pub(super) fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

pub(super) fn open(content: Bytes) -> Result<Workbook, WorkbookError> {
    Workbook::open(content, Limits::default())
}

/// A workbook of one sheet.
pub(super) fn drawn(draw: impl FnOnce(&mut Worksheet)) -> Bytes {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    draw(workbook.add_worksheet());
    workbook.save_to_buffer().unwrap().into()
}

/// A workbook of texts.
pub(super) fn table(rows: &[&[&str]]) -> Bytes {
    drawn(|sheet| {
        for (row, texts) in (0..).zip(rows) {
            for (column, text) in (0..).zip(*texts) {
                sheet.write_string(row, column, *text).unwrap();
            }
        }
    })
}

/// What makes a number a date for Excel.
pub(super) fn as_date() -> Format {
    Format::new().set_num_format("dd.mm.yyyy")
}

/// A zip file of these parts.
pub(super) fn zipped(parts: &[(&str, &[u8])]) -> Bytes {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner().into()
}

/// A package around a sheet, with further parts.
pub(super) fn package(sheet: &str, more: &[(&str, &[u8])]) -> Bytes {
    const TYPES: &str = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#;
    const ROOT: &str = r#"<Relationships><Relationship Id="r1" Type="http://x/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    const BOOK: &str = r#"<workbook><sheets><sheet name="Лист1" sheetId="1" r:id="r1"/></sheets></workbook>"#;
    const RELATIONS: &str = r#"<Relationships><Relationship Id="r1" Type="http://x/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
    let mut parts: Vec<(&str, &[u8])> = vec![
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("_rels/.rels", ROOT.as_bytes()),
        ("xl/workbook.xml", BOOK.as_bytes()),
        ("xl/_rels/workbook.xml.rels", RELATIONS.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ];
    parts.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    parts.extend(more);
    zipped(&parts)
}

/// A sheet of rows as XML, with the header of answers above.
pub(super) fn sheet_of_answers(rows: &str) -> String {
    let header =
        |column: &str, text: &str| format!(r#"<c r="{column}1" t="inlineStr"><is><t>{text}</t></is></c>"#);
    format!(
        r#"<worksheet><sheetData><row r="1">{}{}</row>{rows}</sheetData></worksheet>"#,
        header("A", "ГИС-идентификатор подзапроса"),
        header("B", "Наличие задолженности"),
    )
}

/// The mistakes as row, column and code.
pub(super) fn places(errors: &RowErrors) -> Vec<(u32, &str, &'static str)> {
    let errors = errors.listed().iter();
    errors.map(|error| (error.row, error.column.as_deref().unwrap_or(""), error.code)).collect()
}

/// The form in which premises are compared, for tests.
pub(super) fn premises_key(text: &str) -> Option<String> {
    let key = text.to_lowercase().replace("кв.", "").trim().to_owned();
    key.chars().next()?.is_ascii_digit().then_some(key)
}
