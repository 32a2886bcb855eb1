//! What can be wrong with a workbook: as a whole ([`WorkbookError`]) or in one of its rows ([`RowError`]).
//!
//! Codes are the contract, texts are Russian and may change. A text never repeats what stands in a cell: there may be a
//! name, an СНИЛС or an address. It may repeat the header of a column and the name of a sheet.

use std::fmt;

use super::limits::Limits;
use crate::error::{Code, Error, Mistake};

/// A mistake in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// The row as Excel counts it, from 1.
    pub row: u32,
    /// The header of the column; `None` when the row as a whole is meant.
    pub column: Option<String>,
    /// What, for machines: `required`, `date_format`, …
    pub code: &'static str,
    /// What, for people.
    pub detail: String,
}

impl RowError {
    fn mistake(&self, pointer: &str) -> Mistake {
        let detail = match &self.column {
            Some(column) => format!("строка {}, столбец «{column}»: {}", self.row, self.detail),
            None => format!("строка {}: {}", self.row, self.detail),
        };
        Mistake::at(pointer, self.code, detail).in_sheet(self.row, self.column.clone())
    }
}

/// What is wrong with a cell, before its place is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) detail: String,
}

impl Fault {
    pub(super) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    pub(super) fn required() -> Self {
        Self::new("required", "обязательное поле")
    }

    pub(super) fn at(self, row: u32, column: &str) -> RowError {
        RowError { row, column: Some(column.to_owned()), code: self.code, detail: self.detail }
    }
}

/// Mistakes as they are found. A workbook in which every cell is wrong must not fill the memory: beyond the limit they are
/// only counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowErrors {
    listed: Vec<RowError>,
    count: usize,
    most: usize,
}

impl RowErrors {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { listed: Vec::new(), count: 0, most: limits.errors }
    }

    /// None yet; for those that were noted before, with [`add`](Self::add).
    #[must_use]
    pub fn again(limits: &Limits) -> Self {
        Self::new(limits)
    }

    /// Adds one that was noted before, for a marked copy, which shows no codes.
    pub fn add(&mut self, row: u32, column: Option<String>, detail: String) {
        self.push(RowError { row, column, code: "noted", detail });
    }

    pub(crate) fn push(&mut self, error: RowError) {
        self.count += 1;
        if self.listed.len() < self.most {
            self.listed.push(error);
        }
    }

    pub(super) fn sort(&mut self) {
        self.listed.sort_by_key(|error| error.row);
    }

    /// The mistakes in the order of rows, as far as they were kept.
    #[must_use]
    pub fn listed(&self) -> &[RowError] {
        &self.listed
    }

    /// The mistakes for a client that sent the workbook in the field `pointer`, as far as they were kept.
    pub(crate) fn mistakes(&self, pointer: &str) -> Vec<Mistake> {
        self.listed.iter().map(|error| error.mistake(pointer)).collect()
    }

    /// How many there are altogether.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// Why a file could not be read at all. Nothing of it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkbookError {
    /// The file is larger than is taken.
    FileTooLarge {
        /// The most bytes taken.
        most: u64,
    },
    /// It is no Excel workbook.
    NotAWorkbook,
    /// A workbook of another format: `.xls`, `.xlsb`, `.ods`.
    OtherFormat,
    /// A password protects it.
    PasswordProtected,
    /// It contains macros.
    Macros,
    /// Unpacked it is larger than is taken, as a whole or in a part: a zip bomb, or very much of formatting.
    ExpandsTooFar,
    /// It cannot be read.
    Damaged {
        /// The last row that could be read.
        after_row: Option<u32>,
    },
    /// It has no visible sheet.
    NoSheet,
    /// Columns are missing.
    ColumnsMissing {
        /// The row that was taken for the header.
        row: Option<u32>,
        /// Headers that were not found.
        columns: Vec<&'static str>,
    },
    /// Two columns have one header.
    ColumnTwice {
        /// The row of the header.
        row: u32,
        /// The header.
        column: &'static str,
    },
    /// A cell of the header spans several columns or rows, so it is not clear which column it names.
    HeaderMerged {
        /// The row of the header.
        row: u32,
        /// The header.
        column: &'static str,
    },
    /// Two visible sheets have the table, and nobody knows which of them is meant.
    TwoTables {
        /// The sheets.
        sheets: [String; 2],
    },
    /// There are no rows below the header.
    NoRows,
    /// There are more rows than are taken.
    TooManyRows {
        /// The most rows taken.
        most: u32,
    },
    /// It is a list of requests that was exported from GIS or from here, not a registry of court debts.
    GisExport {
        /// The row of the header.
        row: u32,
    },
}

impl WorkbookError {
    /// The code for machines.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::FileTooLarge { .. } => "file_too_large",
            Self::NotAWorkbook => "not_a_workbook",
            Self::OtherFormat => "workbook_format",
            Self::PasswordProtected => "workbook_password",
            Self::Macros => "workbook_macros",
            Self::ExpandsTooFar => "workbook_expands",
            Self::Damaged { .. } => "workbook_damaged",
            Self::NoSheet => "sheet_missing",
            Self::ColumnsMissing { .. } => "column_missing",
            Self::ColumnTwice { .. } => "column_twice",
            Self::HeaderMerged { .. } => "header_merged",
            Self::TwoTables { .. } => "two_tables",
            Self::NoRows => "rows_missing",
            Self::TooManyRows { .. } => "too_many_rows",
            Self::GisExport { .. } => "gis_export",
        }
    }

    /// The mistakes in one line, each with its row where it has one.
    pub(crate) fn line(&self) -> String {
        let details: Vec<_> = self.mistakes("").into_iter().map(|mistake| mistake.detail).collect();
        details.join("; ")
    }

    /// The refusal for a client that sent the workbook in the field `pointer`.
    pub(crate) fn refusal(&self, pointer: &str) -> Error {
        if let Self::FileTooLarge { .. } = self {
            return Error::refused(Code::FileTooLarge, self.to_string());
        }
        Error::Invalid(self.mistakes(pointer))
    }

    fn mistakes(&self, pointer: &str) -> Vec<Mistake> {
        let places = self.places();
        if places.is_empty() {
            return vec![Mistake::at(pointer, self.code(), self.to_string())];
        }
        let mistake = |place: RowError| {
            let detail = format!("строка {}: {}", place.row, place.detail);
            Mistake::at(pointer, place.code, detail).in_sheet(place.row, place.column)
        };
        places.into_iter().map(mistake).collect()
    }

    /// The mistakes by row and column, where the error has a place; a missing column is one each.
    #[must_use]
    pub fn places(&self) -> Vec<RowError> {
        let at = |row: u32, column: Option<&str>| RowError {
            row,
            column: column.map(ToOwned::to_owned),
            code: self.code(),
            detail: self.to_string(),
        };
        match self {
            Self::ColumnsMissing { row, columns } => {
                let missing = |column: &&'static str| RowError {
                    detail: format!("нет столбца «{column}»"),
                    ..at(row.unwrap_or(1), Some(column))
                };
                columns.iter().map(missing).collect()
            }
            Self::ColumnTwice { row, column } | Self::HeaderMerged { row, column } => {
                vec![at(*row, Some(column))]
            }
            Self::GisExport { row } | Self::Damaged { after_row: Some(row) } => vec![at(*row, None)],
            Self::FileTooLarge { .. }
            | Self::NotAWorkbook
            | Self::OtherFormat
            | Self::PasswordProtected
            | Self::Macros
            | Self::ExpandsTooFar
            | Self::Damaged { after_row: None }
            | Self::NoSheet
            | Self::TwoTables { .. }
            | Self::NoRows
            | Self::TooManyRows { .. } => Vec::new(),
        }
    }
}

impl fmt::Display for WorkbookError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileTooLarge { most } => write!(formatter, "файл больше {most} байт"),
            Self::NotAWorkbook => formatter.write_str("файл не является книгой Excel (xlsx)"),
            Self::OtherFormat => {
                formatter.write_str("файл другого формата: сохраните его как «Книга Excel (*.xlsx)»")
            }
            Self::PasswordProtected => formatter
                .write_str("книга защищена паролем: снимите пароль на открытие файла и сохраните её заново"),
            Self::Macros => formatter.write_str(
                "книга с поддержкой макросов: сохраните её как «Книга Excel (*.xlsx)» без макросов",
            ),
            Self::ExpandsTooFar => formatter.write_str(
                "содержимое книги после распаковки слишком велико: \
                 скопируйте значения в новую книгу или разделите её на несколько",
            ),
            Self::Damaged { after_row: None } => {
                formatter.write_str("книга повреждена: откройте её в Excel и сохраните заново")
            }
            Self::Damaged { after_row: Some(row) } => write!(
                formatter,
                "книга не читается после строки {row}: откройте её в Excel и сохраните заново"
            ),
            Self::NoSheet => formatter.write_str("в книге нет ни одного видимого листа с ячейками"),
            Self::ColumnsMissing { columns, .. } => {
                write!(formatter, "в первых строках листа не найдены столбцы: «{}»", columns.join("», «"))
            }
            Self::ColumnTwice { column, .. } => {
                write!(formatter, "столбец «{column}» встречается дважды: оставьте один")
            }
            Self::HeaderMerged { column, .. } => write!(
                formatter,
                "заголовок «{column}» объединён с соседними ячейками: отмените объединение ячеек"
            ),
            Self::TwoTables { sheets: [first, second] } => {
                write!(formatter, "таблица есть на двух листах, «{first}» и «{second}»: оставьте одну")
            }
            Self::NoRows => formatter.write_str("под заголовком нет ни одной заполненной строки"),
            Self::TooManyRows { most } => {
                write!(formatter, "не более {most} строк: разделите файл на несколько")
            }
            Self::GisExport { .. } => formatter.write_str(
                "это выгрузка запросов из ГИС ЖКХ, а не реестр судебных задолженностей: \
                 список запросов в реестр вносить нельзя",
            ),
        }
    }
}

impl std::error::Error for WorkbookError {}

/// Our own failure to write a workbook: no room on the disk, or a mistake of ours. For the log alone.
#[derive(Debug, thiserror::Error)]
#[error("the workbook could not be written")]
pub struct WriteError(#[from] rust_xlsxwriter::XlsxError);
