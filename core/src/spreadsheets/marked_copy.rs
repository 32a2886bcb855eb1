//! The workbook that somebody sent, given back with its mistakes marked: cells coloured, and two columns added to the right,
//! what is wrong and where. Its rows keep their numbers, and it may be corrected and sent again as it is.
//!
//! It is written anew: the one sheet with the table, as texts, without formats, formulas and pictures. Cells to the right of
//! the last header are left out.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use super::cell::Cell;
use super::errors::{RowError, RowErrors, WorkbookError, WriteError};
use super::sheet_out::{Book, Sheet};
use super::table::{COLUMN, Columns, DETAIL, Header, Top};
use super::workbook::{Value, Workbook};
use super::{accounts_in, debt_requests_out, registry_in};

/// The last column of a sheet of Excel, from 0.
const LAST_COLUMN: u16 = 16_383;

/// What table the workbook holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Answers.
    Answers,
    /// A registry of court debts.
    Registry,
    /// A book of accounts.
    Accounts,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum MarkError {
    /// The workbook cannot be read.
    #[error("the workbook cannot be read: {}", .0.code())]
    Read(#[source] WorkbookError),
    /// The copy cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl From<WorkbookError> for MarkError {
    fn from(error: WorkbookError) -> Self {
        Self::Read(error)
    }
}

/// Writes the copy.
///
/// # Errors
/// The workbook cannot be read, or the copy not be written.
pub fn mark(
    workbook: &mut Workbook,
    kind: Kind,
    errors: &RowErrors,
    folder: &Path,
    into: impl Write + Send,
) -> Result<(), MarkError> {
    match kind {
        Kind::Answers => copy::<debt_requests_out::Column>(workbook, errors, folder, into),
        Kind::Registry => copy::<registry_in::Column>(workbook, errors, folder, into),
        Kind::Accounts => copy::<accounts_in::Column>(workbook, errors, folder, into),
    }
}

fn copy<C: Columns>(
    workbook: &mut Workbook,
    errors: &RowErrors,
    folder: &Path,
    into: impl Write + Send,
) -> Result<(), MarkError> {
    let tops = Top::of(workbook)?;
    let header = Header::<C>::find(workbook, &tops)?;
    // A copy that was sent again has the two columns already.
    let end = header.end_before([DETAIL, COLUMN]);
    let mut by_row: BTreeMap<u32, Vec<&RowError>> = BTreeMap::new();
    for error in errors.listed() {
        by_row.entry(error.row).or_default().push(error);
    }
    let mut book = Book::new(folder)?;
    let mut sheet = book.sheet("Ошибки", [])?;
    sheet.adjust(|sheet| {
        if let Some(place) = room(end) {
            sheet.set_column_width(place, 60)?.set_column_width(place + 1, 40)?;
        }
        sheet.set_freeze_panes(header.row, 0)?;
        Ok(())
    })?;
    let mut rows = workbook.rows(&header.sheet)?;
    let mut cells = Vec::new();
    while let Some(row) = rows.next(&mut cells)? {
        cells.retain(|(place, _)| *place < end);
        let of_row = by_row.get(&row).map(Vec::as_slice).unwrap_or_default();
        write(&mut sheet, row, &cells, of_row, &header)?;
        if row == header.row {
            add(&mut sheet, row, end, DETAIL, COLUMN)?;
        } else if !of_row.is_empty() {
            add(
                &mut sheet,
                row,
                end,
                &joined(of_row, |error| Some(&error.detail)),
                &joined(of_row, |error| error.column.as_ref()),
            )?;
        }
    }
    book.add(sheet)?;
    book.finish(into)?;
    Ok(())
}

/// Writes the cells of a row. Wrong cells are coloured, blank ones too.
fn write<C: Columns>(
    sheet: &mut Sheet,
    row: u32,
    cells: &[(u32, Value<'_>)],
    errors: &[&RowError],
    header: &Header<C>,
) -> Result<(), WriteError> {
    let wrong = errors.iter().filter_map(|error| header.place(error.column.as_deref()?));
    let mut texts: BTreeMap<u32, (_, bool)> = wrong.map(|place| (place, (Cell(None), true))).collect();
    for (place, value) in cells {
        texts.entry(*place).or_insert((Cell(None), false)).0 = Cell(Some(value));
    }
    for (place, (cell, is_wrong)) in texts {
        if let Ok(place) = u16::try_from(place) {
            sheet.write(row - 1, place, &cell.shown(), is_wrong)?;
        }
    }
    Ok(())
}

fn add(sheet: &mut Sheet, row: u32, end: u32, detail: &str, column: &str) -> Result<(), WriteError> {
    let Some(place) = room(end) else { return Ok(()) };
    sheet.write(row - 1, place, detail, false)?;
    sheet.write(row - 1, place + 1, column, false)
}

/// Where the two columns begin; in a sheet that reaches to the last column of Excel there is no room for them, and the
/// colours must do.
fn room(end: u32) -> Option<u16> {
    u16::try_from(end).ok().filter(|place| *place < LAST_COLUMN)
}

fn joined(errors: &[&RowError], text: impl Fn(&RowError) -> Option<&String>) -> String {
    let texts: Vec<&str> = errors.iter().filter_map(|error| text(error)).map(String::as_str).collect();
    texts.join("; ")
}
