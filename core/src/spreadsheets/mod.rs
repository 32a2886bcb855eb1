//! Spreadsheets: what people fill in and read in Excel. Pure: bytes or rows in, rows or bytes out; no database, no clock.
//!
//! Coming in, a file passes four rooms. `package` finds out what it is and how large it becomes, before anybody unpacks it;
//! [`workbook`] opens it; `table` finds the header and gives the rows below it; and one module for each kind of table makes
//! typed rows of them, with every mistake by row and column: [`answers_in`], [`registry_in`],
//! [`accounts_in`], [`requests_in`]. `scans_in`
//! opens the archive of scans that comes beside a registry. Nothing is half taken: either a whole result comes out, in which
//! the mistakes are listed beside what is sound, or one [`WorkbookError`].
//!
//! Going out, `sheet_out` writes rows as they come, in constant memory: [`debt_requests_out`], [`lists_out`],
//! [`templates`] to be filled in, and [`marked_copy`], which gives a workbook back with its mistakes marked.
//!
//! Reading and writing are slow for large files; they belong on a thread that may block.

pub mod accounts_in;
pub mod answers_in;
mod cell;
pub mod debt_requests_out;
mod errors;
mod file_name;
mod limits;
pub mod lists_out;
pub mod marked_copy;
mod package;
pub mod registry_in;
pub mod requests_in;
pub mod scans_in;
mod sheet_out;
mod table;
pub mod templates;
#[cfg(test)]
mod tests;
mod text;
pub mod workbook;

pub use accounts_in::{AccountRow, SheetAccounts, read_accounts};
pub use answers_in::{AnswerColumn, AnswerCounts, SheetAnswer, SheetAnswers, find_answers, read_answers};
pub use debt_requests_out::{DebtRequestRow, DebtRequestsWriter, Said};
pub use errors::{RowError, RowErrors, WorkbookError, WriteError};
pub(crate) use file_name::check_file_name;
pub use file_name::file_name_has_ogrn;
pub use limits::Limits;
pub use lists_out::{ListItem, MatchList, MatchListsWriter};
pub use marked_copy::{Kind, MarkError, mark};
pub use registry_in::{RegistryRow, RegistryRules, SheetRegistry, read_registry};
pub use requests_in::{SheetRequests, read_requests};
pub use scans_in::{Scans, ScansError};
pub use templates::Template;
pub(crate) use text::same_in_cell;
pub use workbook::Workbook;
