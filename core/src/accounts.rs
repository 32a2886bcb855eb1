//! The book of accounts (F38, F43): replaced as a whole, from a workbook or from a list, and looked into by exports.

use std::collections::{HashMap, HashSet};
use std::fmt;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::Service;
use crate::domain::account::{Account, FoundAccounts, PlaceKey};
use crate::domain::caller::{Caller, Scope};
use crate::domain::premises::Premises;
use crate::error::{Error, Mistake, Result};
use crate::ids::OrganizationId;
use crate::spreadsheets::{Limits, SheetAccounts, Workbook, WorkbookError, read_accounts};
use crate::store::{Conn, Tx, accounts, organizations};

/// Rows of a book: they are stored in one transaction, for which others wait.
const MOST_ROWS: u32 = 100_000;
/// Mistakes of a workbook that are listed.
const MOST_MISTAKES: usize = 1_000;

/// A workbook may become large when it is unpacked: one at a time.
static READING: Semaphore = Semaphore::const_new(1);

/// A book as a client brings it.
#[derive(Clone, PartialEq, Eq)]
pub enum NewBook {
    /// An Excel workbook.
    Workbook {
        /// Its bytes.
        content: Bytes,
        /// The place of the request where it stands, for its mistakes.
        pointer: &'static str,
    },
    /// Its rows.
    Rows(Vec<NewAccount>),
}

/// A row of a book.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// The house in FIAS.
    pub fias_house_id: Uuid,
    /// The flat, room or block; absent for a house without.
    pub premises: Option<String>,
    /// Unified account (ЕЛС).
    pub unified_account: Option<String>,
    /// Account of the supplier (ЛС).
    pub account: Option<String>,
}

/// A book without mistakes, before it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct CheckedBook {
    accounts: Vec<Account>,
    ignored_columns: Vec<String>,
}

/// What a book has become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplacedBook {
    /// How many rows it has.
    pub accounts: usize,
    /// Headers of columns of the workbook that were ignored.
    pub ignored_columns: Vec<String>,
}

impl fmt::Debug for NewBook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("NewBook(***)")
    }
}

impl fmt::Debug for NewAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("NewAccount(***)")
    }
}

impl fmt::Debug for CheckedBook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CheckedBook").field("accounts", &self.accounts.len()).finish_non_exhaustive()
    }
}

impl Service {
    /// Reads a book and checks every row; no transaction waits for it.
    ///
    /// # Errors
    /// [`Code::FileTooLarge`](crate::error::Code::FileTooLarge); every mistake, in a workbook by row and column.
    pub async fn check_accounts(&self, caller: &Caller, book: NewBook) -> Result<CheckedBook> {
        caller.need(Scope::RegistryWrite)?;
        let organization = caller.organization;
        match book {
            NewBook::Rows(rows) => of_rows(organization, rows),
            NewBook::Workbook { content, pointer } => {
                let turn = READING.acquire().await.map_err(Error::internal)?;
                let most = self.settings.limits.import_bytes;
                let read = move || {
                    // The thread goes on when the client hangs up, and so does its turn.
                    let _turn = turn;
                    read(content, most)
                };
                let read = spawn_blocking(read).await.map_err(Error::internal)?;
                let sheet = read.map_err(|error| error.refusal(pointer))?;
                of_sheet(organization, sheet, pointer)
            }
        }
    }

    /// Puts a book in the place of the one before.
    ///
    /// # Errors
    /// The scope `registry:write` is missing.
    pub async fn replace_accounts(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        book: CheckedBook,
    ) -> Result<ReplacedBook> {
        caller.need(Scope::RegistryWrite)?;
        let CheckedBook { accounts: rows, ignored_columns } = book;
        let replaced = ReplacedBook { accounts: rows.len(), ignored_columns };
        // Two that come at once come one after the other.
        organizations::hold(tx, caller.organization).await?;
        accounts::replace(tx, caller.organization, rows).await?;
        Ok(replaced)
    }

    /// The book in its order after a place; the accounts of one house if that is given.
    ///
    /// # Errors
    /// The scope `registry:read` is missing.
    pub async fn list_accounts(
        &self,
        caller: &Caller,
        fias_house: Option<Uuid>,
        after: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Account>> {
        caller.need(Scope::RegistryRead)?;
        let mut conn = self.db.scan().await?;
        Ok(accounts::page(&mut conn, caller.organization, fias_house, after, limit).await?)
    }
}

/// What the book of an organisation has for some places, in one question for all of them.
pub(crate) async fn of_places(
    conn: &mut Conn,
    organization: OrganizationId,
    places: impl IntoIterator<Item = PlaceKey>,
) -> Result<HashMap<PlaceKey, FoundAccounts>> {
    let places: HashSet<PlaceKey> = places.into_iter().collect();
    let places: Vec<PlaceKey> = places.into_iter().collect();
    let mut by_place: HashMap<PlaceKey, Vec<Account>> = HashMap::new();
    for account in accounts::of_places(conn, organization, &places).await? {
        by_place.entry(account.key()).or_default().push(account);
    }
    Ok(by_place.into_iter().map(|(place, rows)| (place, FoundAccounts::of(rows.iter()))).collect())
}

fn read(content: Bytes, most: u64) -> std::result::Result<SheetAccounts, WorkbookError> {
    let limits = Limits { file_bytes: most, errors: MOST_MISTAKES, rows: MOST_ROWS, ..Limits::default() };
    read_accounts(&mut Workbook::open(content, limits)?, &premises_key)
}

fn premises_key(text: &str) -> Option<String> {
    let premises = Premises::read(text);
    premises.is_understood().then(|| premises.key().as_str().to_owned())
}

fn of_sheet(organization: OrganizationId, sheet: SheetAccounts, pointer: &str) -> Result<CheckedBook> {
    if !sheet.errors.is_empty() {
        return Err(Error::Invalid(sheet.errors.mistakes(pointer)));
    }
    let account = |(place, row): (i64, crate::spreadsheets::AccountRow)| Account {
        organization,
        place,
        fias_house_id: row.house,
        premises: row.premises,
        unified_account: row.unified_account,
        account: row.account,
    };
    let accounts = (0..).zip(sheet.rows).map(account).collect();
    Ok(CheckedBook { accounts, ignored_columns: sheet.ignored_columns })
}

fn of_rows(organization: OrganizationId, rows: Vec<NewAccount>) -> Result<CheckedBook> {
    let mut mistakes = Vec::new();
    let mut seen = HashMap::new();
    let mut accounts = Vec::with_capacity(rows.len());
    for (place, row) in (0..).zip(rows) {
        let at = format!("/accounts/{place}");
        let account = Account {
            organization,
            place,
            fias_house_id: row.fias_house_id,
            premises: filled(row.premises),
            unified_account: filled(row.unified_account),
            account: filled(row.account),
        };
        if account.premises.as_deref().is_some_and(|text| premises_key(text).is_none()) {
            let detail = "номер вида «1», «кв. 1» или «кв. 1 комн. 2»";
            mistakes.push(Mistake::at(format!("{at}/premises"), "premises_format", detail));
        }
        if account.unified_account.is_none() && account.account.is_none() {
            let detail = "укажите единый лицевой счет или лицевой счет";
            mistakes.push(Mistake::at(at.clone(), "required", detail));
        }
        let same = (account.key(), account.unified_account.clone(), account.account.clone());
        let first = *seen.entry(same).or_insert(place);
        if first != place {
            let detail = format!("этот счёт помещения уже есть в записи {first}");
            mistakes.push(Mistake::at(at, "duplicate", detail));
        }
        accounts.push(account);
    }
    if mistakes.is_empty() {
        Ok(CheckedBook { accounts, ignored_columns: Vec::new() })
    } else {
        Err(Error::Invalid(mistakes))
    }
}

/// A text without white space at its ends; a blank one is none.
fn filled(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
