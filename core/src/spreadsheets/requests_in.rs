//! Which debt requests a workbook lists, whatever else it says: one that was exported, filled in or not.

use std::collections::HashSet;

use super::errors::{RowErrors, WorkbookError};
use super::table::{Header, Reading, Table, Top, columns};
use super::workbook::Workbook;
use crate::ids::DebtRequestId;

columns! {
    /// The one column that is read.
    Column {
        Subrequest = "ГИС-идентификатор подзапроса" / "GUID подзапроса" (true),
    }
}

/// The debt requests of a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetRequests {
    /// Each once, with its first row, in the order of the workbook.
    pub requests: Vec<(u32, DebtRequestId)>,
    /// Rows that name none, but for those in which the column is blank.
    pub errors: RowErrors,
}

/// Looks whether there is a list of debt requests with a row in it, and reads no further.
pub(super) fn find_requests(workbook: &mut Workbook, tops: &[Top]) -> Result<(), WorkbookError> {
    let header = Header::<Column>::find(workbook, tops)?;
    Table::below(workbook, &header)?.next()?;
    Ok(())
}

/// Reads the debt requests of a workbook.
///
/// # Errors
/// The workbook lists none, or it cannot be read to its end.
pub fn read_requests(workbook: &mut Workbook) -> Result<SheetRequests, WorkbookError> {
    let tops = Top::of(workbook)?;
    let header = Header::<Column>::find(workbook, &tops)?;
    let mut errors = RowErrors::new(workbook.limits());
    let (mut requests, mut seen) = (Vec::new(), HashSet::new());
    let mut table = Table::below(workbook, &header)?;
    while let Some(row) = table.next()? {
        let number = row.number;
        let mut reading = Reading::of(row);
        let named = reading.value(Column::Subrequest, |cell| cell.guid()).flatten();
        reading.finish(&mut errors);
        requests.extend(named.filter(|id| seen.insert(*id)).map(|id| (number, id.into())));
    }
    drop(table);
    Ok(SheetRequests { requests, errors })
}
