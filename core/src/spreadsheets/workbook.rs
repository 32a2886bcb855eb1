//! An opened workbook: its visible sheets, and their rows one after the other as values.
//!
//! Behind it is calamine, which reads a sheet as a stream; only the table of strings is held in memory. Everything it is
//! given went through `package` first. It does not promise never to panic on a damaged file, so a panic of it is
//! caught here and becomes [`WorkbookError::Damaged`].

use std::borrow::Cow;
use std::fmt;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use calamine::{
    DataRef, Dimensions, ExcelDateTime, ExcelDateTimeType, Reader, SheetType, SheetVisible, Xlsx,
    XlsxCellFormulaMetadataRecord, XlsxCellReader, XlsxError,
};

use super::errors::WorkbookError;
use super::limits::Limits;
use super::package::inspect;
use super::text::from_cell;

/// Columns of a sheet of Excel.
const COLUMNS: u32 = 16_384;
/// Rows of a sheet of Excel.
const ROWS: u32 = 1_048_576;

/// A workbook that was let in.
pub struct Workbook {
    xlsx: Xlsx<Cursor<Bytes>>,
    limits: Limits,
    may_have_merges: bool,
}

impl fmt::Debug for Workbook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Workbook(***)")
    }
}

impl Workbook {
    /// Opens a file. Slow for a large one, so it belongs on a thread that may block.
    ///
    /// # Errors
    /// The file is no workbook, or one that is not taken.
    pub fn open(content: Bytes, limits: Limits) -> Result<Self, WorkbookError> {
        let inspected = inspect(&content, &limits)?;
        let xlsx = guarded(None, || Xlsx::new(Cursor::new(content)))?;
        Ok(Self { xlsx, limits, may_have_merges: inspected.merges })
    }

    /// The limits that it was opened with.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Names of the sheets that a person sees, from the left.
    pub(super) fn sheets(&self) -> Vec<String> {
        let sheets = self.xlsx.sheets_metadata().iter();
        let seen = sheets
            .filter(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible);
        seen.map(|sheet| sheet.name.clone()).collect()
    }

    /// The rows of a sheet from its beginning.
    pub(super) fn rows(&mut self, sheet: &str) -> Result<Rows<'_>, WorkbookError> {
        let is_1904 = self.xlsx.has_1904_epoch();
        let cells = guarded(None, || self.xlsx.worksheet_cells_reader(sheet))?;
        Ok(Rows { cells, is_1904, ahead: None, row: None, is_over: false })
    }

    /// The merged cells of a sheet. Costs a pass over the sheet when there may be any.
    pub(super) fn merges(&mut self, sheet: &str) -> Result<Vec<Dimensions>, WorkbookError> {
        if !self.may_have_merges {
            return Ok(Vec::new());
        }
        guarded(None, || self.xlsx.merge_cells_by_sheet_name(sheet))
    }
}

/// What a cell holds. Personal data.
#[derive(Clone)]
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    Number(ExcelDateTime),
    Date(ExcelDateTime),
    Flag(bool),
    /// `#N/A` and the like.
    Error,
    /// A formula whose result is not in the file, because no Excel has calculated it.
    Uncalculated,
}

/// A value with its row and column, from 0.
type Placed<'a> = ((u32, u32), Value<'a>);

/// The rows of a sheet.
pub(super) struct Rows<'a> {
    cells: XlsxCellReader<'a, Cursor<Bytes>>,
    is_1904: bool,
    ahead: Option<Placed<'a>>,
    row: Option<u32>,
    is_over: bool,
}

impl<'a> Rows<'a> {
    /// Puts the cells of the next row that has any into `cells`, with their columns from 0, and gives the row, from 1.
    pub(super) fn next(&mut self, cells: &mut Vec<(u32, Value<'a>)>) -> Result<Option<u32>, WorkbookError> {
        cells.clear();
        let first = match self.ahead.take() {
            Some(first) => Some(first),
            None => self.cell()?,
        };
        let Some(((row, column), value)) = first else { return Ok(None) };
        if self.row.is_some_and(|last| row <= last) {
            return Err(self.damaged());
        }
        self.row = Some(row);
        cells.push((column, value));
        while let Some(((next_row, column), value)) = self.cell()? {
            if next_row != row {
                self.ahead = Some(((next_row, column), value));
                break;
            }
            if cells.last().is_some_and(|(last, _)| column <= *last) {
                return Err(self.damaged());
            }
            cells.push((column, value));
        }
        Ok(Some(row + 1))
    }

    /// The next cell that is not blank.
    fn cell(&mut self) -> Result<Option<Placed<'a>>, WorkbookError> {
        let after = self.row.map(|row| row + 1);
        while !self.is_over {
            let next = guarded(after, || self.cells.next_cell_with_formula_metadata())?;
            // Asked again after the end, calamine would read on behind the rows.
            let Some(cell) = next else {
                self.is_over = true;
                break;
            };
            if cell.pos.0 >= ROWS || cell.pos.1 >= COLUMNS {
                return Err(self.damaged());
            }
            if let Some(value) = value(cell.pos, cell, self.is_1904) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn damaged(&self) -> WorkbookError {
        WorkbookError::Damaged { after_row: self.row.map(|row| row + 1) }
    }
}

fn value<'a>(at: (u32, u32), cell: XlsxCellFormulaMetadataRecord<'a>, is_1904: bool) -> Option<Placed<'a>> {
    let text = |text: Cow<'a, str>| {
        let text = match text {
            Cow::Borrowed(text) => from_cell(text),
            Cow::Owned(text) => Cow::Owned(from_cell(&text).into_owned()),
        };
        (!text.is_empty()).then_some(Value::Text(text))
    };
    let number = |number| Value::Number(ExcelDateTime::new(number, ExcelDateTimeType::DateTime, is_1904));
    let value = match cell.value {
        DataRef::String(owned) => text(Cow::Owned(owned)),
        DataRef::SharedString(shared) => text(Cow::Borrowed(shared)),
        DataRef::DateTimeIso(owned) | DataRef::DurationIso(owned) => text(Cow::Owned(owned)),
        // Calamine gives no whole numbers for xlsx.
        DataRef::Int(int) => text(Cow::Owned(int.to_string())),
        DataRef::Float(float) => Some(number(float)),
        DataRef::DateTime(date) if date.is_duration() => Some(number(date.as_f64())),
        DataRef::DateTime(date) => Some(Value::Date(date)),
        DataRef::Bool(flag) => Some(Value::Flag(flag)),
        DataRef::Error(_) => Some(Value::Error),
        DataRef::Empty if cell.formula.is_some() => Some(Value::Uncalculated),
        DataRef::Empty => None,
    };
    value.map(|value| (at, value))
}

/// Calls calamine. What exactly it did not like is of no use to whoever made the file, and may quote a cell.
fn guarded<T>(
    after_row: Option<u32>,
    call: impl FnOnce() -> Result<T, XlsxError>,
) -> Result<T, WorkbookError> {
    // After a panic nothing of the workbook is used again.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(XlsxError::Password)) => Err(WorkbookError::PasswordProtected),
        Ok(Err(_)) | Err(_) => Err(WorkbookError::Damaged { after_row }),
    }
}
