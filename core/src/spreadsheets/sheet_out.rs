//! Writes tables of texts: every cell is a string and never a formula (see [`super::text`]), every column has the format
//! «Текстовый», so that what people type into it stays as they typed it: leading zeros, «1/2», sixteen digits.
//!
//! Rows go to a temporary file as they come; memory does not grow with them.

use std::io::Write;
use std::path::Path;

use rust_xlsxwriter::{Color, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::errors::WriteError;
use super::text::for_cell;

/// Level 4 makes files larger by a fiftieth than the usual 6 and saves a seventh of the time.
const COMPRESSION: u8 = 4;

/// A workbook that is being written.
pub(super) struct Book(Workbook);

impl Book {
    /// A workbook without sheets; its rows wait in files in `folder`.
    pub(super) fn new(folder: &Path) -> Result<Self, WriteError> {
        let mut workbook = Workbook::new();
        workbook.set_tempdir(folder)?;
        workbook.set_zip_compression_level(COMPRESSION);
        Ok(Self(workbook))
    }

    /// A sheet with a header; `columns` are headers with widths in characters.
    pub(super) fn sheet<'c>(
        &mut self,
        name: &str,
        columns: impl IntoIterator<Item = (&'c str, u16)>,
    ) -> Result<Sheet, WriteError> {
        let mut worksheet = self.0.new_worksheet_with_constant_memory()?;
        worksheet.set_name(name)?;
        let text = Format::new().set_num_format("@");
        let head = Format::new().set_num_format("@").set_bold().set_text_wrap().set_align(FormatAlign::Top);
        let mut place = 0;
        for (header, width) in columns {
            worksheet.set_column_width(place, width)?.set_column_format(place, &text)?;
            worksheet.write_string_with_format(0, place, for_cell(header), &head)?;
            place += 1;
        }
        worksheet.set_freeze_panes(1, 0)?;
        Ok(Sheet {
            worksheet,
            text,
            wrong: Format::new().set_num_format("@").set_background_color(Color::RGB(0xFF_C7_CE)),
            next: 1,
            columns: place,
        })
    }

    /// Puts a finished sheet behind the others.
    pub(super) fn add(&mut self, sheet: Sheet) -> Result<(), WriteError> {
        let Sheet { mut worksheet, next, columns, .. } = sheet;
        if let (Some(last_row), Some(last_column)) = (next.checked_sub(1), columns.checked_sub(1)) {
            worksheet.autofilter(0, 0, last_row, last_column)?;
        }
        self.0.push_worksheet(worksheet);
        Ok(())
    }

    /// Packs the workbook.
    pub(super) fn finish(mut self, into: impl Write + Send) -> Result<(), WriteError> {
        Ok(self.0.save_to_writer(into)?)
    }
}

/// A sheet that is being written from above.
pub(super) struct Sheet {
    worksheet: Worksheet,
    text: Format,
    wrong: Format,
    next: u32,
    columns: u16,
}

impl Sheet {
    /// Writes the next row; blank texts leave blank cells.
    pub(super) fn push<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) -> Result<(), WriteError> {
        let row = self.next;
        for (column, text) in (0..).zip(texts) {
            self.write(row, column, text, false)?;
        }
        self.next += 1;
        Ok(())
    }

    /// Writes one cell of a row from 0, coloured when it is wrong. Rows and columns must come in their order.
    pub(super) fn write(&mut self, row: u32, column: u16, text: &str, wrong: bool) -> Result<(), WriteError> {
        let format = if wrong { &self.wrong } else { &self.text };
        if text.is_empty() {
            if wrong {
                self.worksheet.write_blank(row, column, format)?;
            }
        } else {
            self.worksheet.write_string_with_format(row, column, for_cell(text), format)?;
        }
        Ok(())
    }

    /// Changes what the columns and cells of the sheet are like.
    pub(super) fn adjust(
        &mut self,
        change: impl FnOnce(&mut Worksheet) -> Result<(), XlsxError>,
    ) -> Result<(), WriteError> {
        Ok(change(&mut self.worksheet)?)
    }
}
