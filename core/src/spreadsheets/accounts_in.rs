//! The book of accounts from a workbook: which accounts (ЕЛС, ЛС) belong to which premises.
//!
//! Columns: «Код ФИАС дома», «Номер помещения» (blank for a house without premises), «Единый лицевой счет»,
//! «Лицевой счет»; of the last two one is enough. Premises may have several accounts, a row each.

use std::collections::HashMap;
use std::fmt;

use uuid::Uuid;

use super::cell::Cell;
use super::errors::{Fault, RowErrors, WorkbookError};
use super::registry_in::{bounded, premises_format};
use super::table::{Columns, Header, Reading, Table, Top, columns};
use super::workbook::Workbook;

columns! {
    /// The columns of the book.
    Column {
        House = "Код ФИАС дома" / "Код ФИАС объекта" / "Идентификатор адреса" / "Код ФИАС" (true),
        Premises = "Номер помещения" / "Номер квартиры, комнаты, блока жилого дома" / "Помещение" / "Квартира" (true),
        UnifiedAccount = "Единый лицевой счет" / "ЕЛС" (false),
        Account = "Лицевой счет" / "Номер лицевого счета" / "ЛС" (false),
    }
}

const LONGEST_ACCOUNT: usize = 30;
const LONGEST_PREMISES: usize = 255;

/// An account.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Its row, from 1.
    pub row: u32,
    /// The house in FIAS.
    pub house: Uuid,
    /// The flat, room or block as it was written; absent for a house without.
    pub premises: Option<String>,
    /// The same in the form in which premises are compared; empty for a house without.
    pub premises_key: String,
    /// Unified account (ЕЛС).
    pub unified_account: Option<String>,
    /// Account of the supplier (ЛС).
    pub account: Option<String>,
}

impl fmt::Debug for AccountRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AccountRow").field("row", &self.row).finish_non_exhaustive()
    }
}

/// A book of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetAccounts {
    /// Rows without mistakes.
    pub rows: Vec<AccountRow>,
    /// Rows that are not blank, with mistakes or without.
    pub count: u32,
    /// Mistakes; the rows that they are in are not among the others.
    pub errors: RowErrors,
    /// Headers of columns that were ignored.
    pub ignored_columns: Vec<String>,
}

/// Reads a book of accounts. `premises_key` gives the form in which premises are compared, and `None` for what is none.
///
/// # Errors
/// The workbook holds no book of accounts, or it cannot be read to its end.
pub fn read_accounts(
    workbook: &mut Workbook,
    premises_key: &dyn Fn(&str) -> Option<String>,
) -> Result<SheetAccounts, WorkbookError> {
    let tops = Top::of(workbook)?;
    let header = Header::<Column>::find(workbook, &tops)?;
    if [Column::UnifiedAccount, Column::Account].iter().all(|column| header.place(column.name()).is_none()) {
        let columns = vec![Column::Account.name()];
        return Err(WorkbookError::ColumnsMissing { row: Some(header.row), columns });
    }
    let mut errors = RowErrors::new(workbook.limits());
    let (mut rows, mut count, mut seen) = (Vec::new(), 0, HashMap::new());
    let mut table = Table::below(workbook, &header)?;
    while let Some(row) = table.next()? {
        count += 1;
        let number = row.number;
        let mut reading = Reading::of(row);
        let read = account_row(&mut reading, number, premises_key);
        if let Some(read) = &read {
            let accounts = (read.unified_account.clone(), read.account.clone());
            let first = *seen.entry((read.house, read.premises_key.clone(), accounts)).or_insert(number);
            if first != number {
                let detail = format!("этот счёт помещения уже есть в строке {first}");
                reading.wrong(Column::Account, Fault::new("duplicate", detail));
            }
        }
        if reading.finish(&mut errors) {
            rows.extend(read);
        }
    }
    drop(table);
    Ok(SheetAccounts { rows, count, errors, ignored_columns: header.ignored_columns() })
}

fn account_row(
    reading: &mut Reading<'_, Column>,
    row: u32,
    premises_key: &dyn Fn(&str) -> Option<String>,
) -> Option<AccountRow> {
    let account = |cell: Cell<'_>| bounded(cell, LONGEST_ACCOUNT);
    let house = reading.required(Column::House, |cell| cell.guid());
    let premises = reading.value(Column::Premises, |cell| {
        let text = bounded(cell, LONGEST_PREMISES)?;
        let key = text.as_deref().map(|text| premises_key(text).ok_or_else(premises_format)).transpose()?;
        Ok((text, key.unwrap_or_default()))
    });
    let unified_account = reading.value(Column::UnifiedAccount, account);
    let account = reading.value(Column::Account, account);
    if unified_account == Some(None) && account == Some(None) {
        let detail = "укажите единый лицевой счет или лицевой счет";
        reading.wrong(Column::Account, Fault::new("required", detail));
        return None;
    }
    let (premises, premises_key) = premises?;
    Some(AccountRow {
        row,
        house: house?,
        premises,
        premises_key,
        unified_account: unified_account?,
        account: account?,
    })
}
