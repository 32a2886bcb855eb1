//! A table in a workbook: columns found by the names in their header, in any order, on whichever visible sheet has them.
//!
//! Names are compared without case, ё, white space and a trailing « *». Columns that nobody asks for are ignored, and named
//! so that a mistyped one can be noticed. Filters and hidden rows make no difference: what is in the sheet is read.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use super::cell::Cell;
use super::errors::{Fault, RowError, RowErrors, WorkbookError};
use super::workbook::{Rows, Value, Workbook};
use crate::domain::debt_request::fold;

/// Rows in which the header is looked for.
const HEADER_WITHIN: usize = 20;
/// Sheets that are looked at.
const SHEETS: usize = 20;
/// Headers of ignored columns that are told, and how much of each.
const IGNORED: usize = 50;
const IGNORED_LENGTH: usize = 60;
/// The two columns that [`super::marked_copy`] adds; a copy may come back with them.
pub(super) const DETAIL: &str = "Ошибка";
pub(super) const COLUMN: &str = "Столбец с ошибкой";

/// The columns of a kind of table.
pub(super) trait Columns: Copy + PartialEq + 'static {
    /// Every column in the order of our own templates.
    const ALL: &'static [Self];

    /// The header as we write it.
    fn name(self) -> &'static str;

    /// Other headers that mean the same.
    fn other_names(self) -> &'static [&'static str];

    /// Whether a table without it is refused.
    fn is_required(self) -> bool;
}

/// Makes the enum of the columns of a table: `Variant = "Header" / "other header" (required)`.
macro_rules! columns {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $header:literal $(/ $other:literal)* ($required:literal),)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum $name {
            $($variant,)+
        }

        impl $crate::spreadsheets::table::Columns for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];

            fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $header,)+
                }
            }

            fn other_names(self) -> &'static [&'static str] {
                match self {
                    $(Self::$variant => &[$($other),*],)+
                }
            }

            fn is_required(self) -> bool {
                match self {
                    $(Self::$variant => $required,)+
                }
            }
        }
    };
}
pub(super) use columns;

/// The first rows of a sheet, where the header is looked for.
pub(super) struct Top {
    sheet: String,
    rows: Vec<(u32, Vec<(u32, String)>)>,
}

impl Top {
    /// The first rows of every visible sheet.
    pub(super) fn of(workbook: &mut Workbook) -> Result<Vec<Self>, WorkbookError> {
        let mut tops = Vec::new();
        for sheet in workbook.sheets().into_iter().take(SHEETS) {
            let mut rows = Vec::new();
            let mut cells = Vec::new();
            let mut reader = workbook.rows(&sheet)?;
            while rows.len() < HEADER_WITHIN
                && let Some(row) = reader.next(&mut cells)?
            {
                let texts =
                    cells.iter().map(|(column, value)| (*column, Cell(Some(value)).shown().into_owned()));
                rows.push((row, texts.collect()));
            }
            tops.push(Self { sheet, rows });
        }
        if tops.iter().all(|top| top.rows.is_empty()) { Err(WorkbookError::NoSheet) } else { Ok(tops) }
    }

    /// Every row of these sheets as folded names, with its number.
    pub(super) fn names(tops: &[Self]) -> impl Iterator<Item = (u32, BTreeSet<String>)> + '_ {
        let rows = tops.iter().flat_map(|top| &top.rows);
        rows.map(|(row, cells)| (*row, cells.iter().map(|(_, text)| plain(text)).collect()))
    }
}

/// Where the columns of a table are.
pub(super) struct Header<C> {
    pub(super) sheet: String,
    pub(super) row: u32,
    /// Places of columns in the sheet, from 0.
    places: Vec<(u32, C)>,
    /// Columns that are ignored, with the beginning of their headers.
    ignored: Vec<(u32, String)>,
    end: u32,
}

impl<C: Columns> Header<C> {
    /// Finds the header: the first row that has every required column. Only one sheet may have one: what stands in another
    /// would be passed over in silence.
    pub(super) fn find(workbook: &mut Workbook, tops: &[Top]) -> Result<Self, WorkbookError> {
        let mut found = tops.iter().filter_map(Self::on);
        let Some(header) = found.next() else { return Err(Self::closest(tops)) };
        if let Some(other) = found.next() {
            let sheets = [&header.sheet, &other.sheet].map(|sheet| readable(sheet));
            return Err(WorkbookError::TwoTables { sheets });
        }
        header.check(workbook)?;
        Ok(header)
    }

    /// The header on a sheet.
    fn on(top: &Top) -> Option<Self> {
        let mut headers = top.rows.iter().map(|(row, cells)| Self::of(&top.sheet, *row, cells));
        headers.find(|header| header.missing().is_empty())
    }

    /// What the row lacks that looks most like a header.
    fn closest(tops: &[Top]) -> WorkbookError {
        let mut best: Option<Self> = None;
        for (top, (row, cells)) in tops.iter().flat_map(|top| top.rows.iter().map(move |row| (top, row))) {
            let header = Self::of(&top.sheet, *row, cells);
            if header.places.len() > best.as_ref().map_or(0, |best| best.places.len()) {
                best = Some(header);
            }
        }
        match best {
            Some(best) => WorkbookError::ColumnsMissing { row: Some(best.row), columns: best.missing() },
            None => WorkbookError::ColumnsMissing { row: None, columns: Self::required() },
        }
    }

    fn of(sheet: &str, row: u32, cells: &[(u32, String)]) -> Self {
        let (mut places, mut ignored) = (Vec::new(), Vec::new());
        for (place, text) in cells {
            match column::<C>(text) {
                Some(column) => places.push((*place, column)),
                None if ignored.len() < IGNORED => {
                    ignored.push((*place, readable(text)));
                }
                None => {}
            }
        }
        let end = cells.last().map_or(0, |(place, _)| place + 1);
        Self { sheet: sheet.to_owned(), row, places, ignored, end }
    }

    fn required() -> Vec<&'static str> {
        C::ALL.iter().filter(|column| column.is_required()).map(|column| column.name()).collect()
    }

    fn missing(&self) -> Vec<&'static str> {
        let is_here = |name: &&'static str| self.places.iter().any(|(_, column)| column.name() == *name);
        Self::required().into_iter().filter(|name| !is_here(name)).collect()
    }

    fn check(&self, workbook: &mut Workbook) -> Result<(), WorkbookError> {
        for (number, (_, column)) in self.places.iter().enumerate() {
            if self.places.iter().take(number).any(|(_, earlier)| earlier == column) {
                return Err(WorkbookError::ColumnTwice { row: self.row, column: column.name() });
            }
        }
        // Below a header that spans two columns it is not clear which of them it names; one that spans two rows would
        // hide a row.
        let header = self.row - 1;
        let merges = workbook.merges(&self.sheet)?;
        let over = |place: u32| {
            merges.iter().any(|merge| {
                (merge.start.0..=merge.end.0).contains(&header)
                    && (merge.start.1..=merge.end.1).contains(&place)
                    && (merge.start.1 < merge.end.1 || merge.end.0 > header)
            })
        };
        match self.places.iter().find(|(place, _)| over(*place)) {
            Some((_, column)) => Err(WorkbookError::HeaderMerged { row: self.row, column: column.name() }),
            None => Ok(()),
        }
    }

    /// The place of a column in the sheet, from 0.
    pub(super) fn place(&self, name: &str) -> Option<u32> {
        self.places.iter().find(|(_, column)| column.name() == name).map(|(place, _)| *place)
    }

    /// The first place to the right of all columns, but for two last ones with these headers.
    pub(super) fn end_before(&self, last: [&str; 2]) -> u32 {
        let before = self.end.saturating_sub(2);
        let is_there = |(place, name)| self.ignored.iter().any(|(at, header)| *at == place && header == name);
        if (before..).zip(last).all(is_there) { before } else { self.end }
    }

    /// Headers of the columns that are ignored, but for those that we added ourselves.
    pub(super) fn ignored_columns(self) -> Vec<String> {
        let headers = self.ignored.into_iter().map(|(_, header)| header);
        headers.filter(|header| header != DETAIL && header != COLUMN).collect()
    }
}

/// The beginning of a text that is told, without what a database does not take.
fn readable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(IGNORED_LENGTH).collect()
}

fn column<C: Columns>(text: &str) -> Option<C> {
    let text = plain(text);
    let named = |column: &&C| {
        plain(column.name()) == text || column.other_names().iter().any(|name| plain(name) == text)
    };
    if text.is_empty() { None } else { C::ALL.iter().find(named).copied() }
}

/// A header in the form in which headers are compared.
pub(super) fn plain(header: &str) -> String {
    let folded = fold(header).replace(['‐', '‑', '–', '—'], "-");
    folded.trim_end_matches([' ', '*', ':']).to_owned()
}

/// The rows below a header.
pub(super) struct Table<'a, C> {
    rows: Rows<'a>,
    header: &'a Header<C>,
    cells: Vec<(u32, Value<'a>)>,
    count: u32,
    most: u32,
}

impl<'a, C: Columns> Table<'a, C> {
    /// The table below a header.
    pub(super) fn below(workbook: &'a mut Workbook, header: &'a Header<C>) -> Result<Self, WorkbookError> {
        let most = workbook.limits().rows;
        let rows = workbook.rows(&header.sheet)?;
        Ok(Self { rows, header, cells: Vec::new(), count: 0, most })
    }

    /// The next row in which a column of the table is filled.
    pub(super) fn next(&mut self) -> Result<Option<Row<'_, C>>, WorkbookError> {
        loop {
            let Some(number) = self.rows.next(&mut self.cells)? else {
                return if self.count == 0 { Err(WorkbookError::NoRows) } else { Ok(None) };
            };
            let is_filled =
                self.cells.iter().any(|(at, _)| self.header.places.iter().any(|(place, _)| place == at));
            if number > self.header.row && is_filled {
                break self.take(number).map(Some);
            }
        }
    }

    fn take(&mut self, number: u32) -> Result<Row<'_, C>, WorkbookError> {
        self.count += 1;
        if self.count > self.most {
            return Err(WorkbookError::TooManyRows { most: self.most });
        }
        Ok(Row { number, header: self.header, cells: &self.cells, kind: PhantomData })
    }
}

/// A row of a table.
pub(super) struct Row<'r, C> {
    /// As Excel counts it, from 1.
    pub(super) number: u32,
    header: &'r Header<C>,
    cells: &'r [(u32, Value<'r>)],
    kind: PhantomData<C>,
}

impl<C: Columns> Row<'_, C> {
    /// A cell; blank when the table lacks the column.
    pub(super) fn cell(&self, column: C) -> Cell<'_> {
        let place = self.header.places.iter().find(|(_, known)| *known == column).map(|(place, _)| *place);
        let value = place.and_then(|place| self.cells.iter().find(|(at, _)| *at == place));
        Cell(value.map(|(_, value)| value))
    }

    /// A mistake in a cell.
    pub(super) fn error(&self, column: C, fault: Fault) -> RowError {
        fault.at(self.number, column.name())
    }
}

/// Reads the cells of a row and notes what is wrong with them, so that every mistake of a row is told at once.
pub(super) struct Reading<'r, C> {
    pub(super) row: Row<'r, C>,
    pub(super) errors: Vec<RowError>,
}

impl<'r, C: Columns> Reading<'r, C> {
    pub(super) const fn of(row: Row<'r, C>) -> Self {
        Self { row, errors: Vec::new() }
    }

    /// What a cell holds; `None` when that is wrong.
    pub(super) fn value<T>(
        &mut self,
        column: C,
        read: impl for<'c> FnOnce(Cell<'c>) -> Result<T, Fault>,
    ) -> Option<T> {
        let found = read(self.row.cell(column));
        found.map_err(|fault| self.wrong(column, fault)).ok()
    }

    /// What a cell holds that must not be blank; `None` when it is, or is wrong.
    pub(super) fn required<T>(
        &mut self,
        column: C,
        read: impl for<'c> FnOnce(Cell<'c>) -> Result<Option<T>, Fault>,
    ) -> Option<T> {
        self.value(column, |cell| read(cell)?.ok_or_else(Fault::required))
    }

    pub(super) fn wrong(&mut self, column: C, fault: Fault) {
        let error = self.row.error(column, fault);
        self.errors.push(error);
    }

    /// Hands the mistakes over, and tells whether there were none.
    pub(super) fn finish(self, into: &mut RowErrors) -> bool {
        let sound = self.errors.is_empty();
        self.errors.into_iter().for_each(|error| into.push(error));
        sound
    }
}
