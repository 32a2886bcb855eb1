//! What a match of requests with the registry gave, as a workbook of three lists: «Найдено», «Не найдено», «Возможные
//! ошибки».

use std::fmt;
use std::io::Write;
use std::path::Path;

use chrono::NaiveDate;

use super::cell::written;
use super::errors::WriteError;
use super::sheet_out::{Book, Sheet};
use crate::ids::DebtRequestId;

/// One of the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchList {
    /// A debt was found.
    Found,
    /// None was found.
    NotFound,
    /// A person must look.
    Ambiguous,
}

impl MatchList {
    const fn name(self) -> &'static str {
        match self {
            Self::Found => "Найдено",
            Self::NotFound => "Не найдено",
            Self::Ambiguous => "Возможные ошибки",
        }
    }
}

/// A request in a list.
#[derive(Clone)]
pub struct ListItem<'a> {
    /// Number of the request.
    pub request_number: &'a str,
    /// GUID of the subrequest.
    pub subrequest: DebtRequestId,
    /// The address, with the flat.
    pub address: Option<&'a str>,
    /// First day asked about.
    pub period_from: Option<NaiveDate>,
    /// Last day asked about.
    pub period_to: Option<NaiveDate>,
    /// The last day to answer.
    pub due_on: Option<NaiveDate>,
    /// Rows of the registry that were found, or may be meant.
    pub registry_rows: &'a [u32],
    /// Why a person must look, or what else there is to say.
    pub note: &'a str,
}

impl fmt::Debug for ListItem<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ListItem").field("registry_rows", &self.registry_rows).finish_non_exhaustive()
    }
}

const COLUMNS: [(&str, u16); 8] = [
    ("Номер запроса", 18),
    ("ГИС-идентификатор подзапроса", 38),
    ("Адрес, по которому запрашивается задолженность", 60),
    ("Начало периода", 13),
    ("Конец периода", 13),
    ("Крайний срок ответа на запрос", 13),
    ("Строки реестра", 16),
    ("Пояснение", 50),
];

/// Writes the three lists, in constant memory. Items of different lists may come in any order.
pub struct MatchListsWriter {
    book: Book,
    found: Sheet,
    not_found: Sheet,
    ambiguous: Sheet,
}

impl fmt::Debug for MatchListsWriter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MatchListsWriter")
    }
}

impl MatchListsWriter {
    /// Begins the workbook; rows wait in temporary files in `folder`.
    ///
    /// # Errors
    /// A file cannot be made.
    pub fn new(folder: &Path) -> Result<Self, WriteError> {
        let mut book = Book::new(folder)?;
        let mut sheet = |list: MatchList| book.sheet(list.name(), COLUMNS);
        let (found, not_found) = (sheet(MatchList::Found)?, sheet(MatchList::NotFound)?);
        let ambiguous = sheet(MatchList::Ambiguous)?;
        Ok(Self { book, found, not_found, ambiguous })
    }

    /// Writes an item.
    ///
    /// # Errors
    /// No room on the disk, or more rows than a sheet of Excel has.
    pub fn push(&mut self, list: MatchList, item: &ListItem<'_>) -> Result<(), WriteError> {
        let subrequest = item.subrequest.to_string();
        let day = |day: Option<NaiveDate>| day.map(written).unwrap_or_default();
        let (from, to, due) = (day(item.period_from), day(item.period_to), day(item.due_on));
        let rows = item.registry_rows.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
        let sheet = match list {
            MatchList::Found => &mut self.found,
            MatchList::NotFound => &mut self.not_found,
            MatchList::Ambiguous => &mut self.ambiguous,
        };
        let address = item.address.unwrap_or_default();
        sheet.push([item.request_number, &subrequest, address, &from, &to, &due, &rows, item.note])
    }

    /// Packs the workbook.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(mut self, into: impl Write + Send) -> Result<(), WriteError> {
        for sheet in [self.found, self.not_found, self.ambiguous] {
            self.book.add(sheet)?;
        }
        self.book.finish(into)
    }
}
