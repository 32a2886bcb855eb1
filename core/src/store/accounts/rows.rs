//! Accounts as rows.

use diesel::prelude::{Insertable, Queryable, Selectable};

use crate::domain::account::Account;
use crate::ids::OrganizationId;
use crate::store::schema::accounts;
use crate::store::types::Guid;

/// A row of `accounts`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = accounts, treat_none_as_default_value = false)]
pub(super) struct AccountRow {
    organization_id: OrganizationId,
    place: i64,
    fias_house_id: Guid,
    premises: Option<String>,
    place_key: String,
    unified_account: Option<String>,
    account: Option<String>,
}

impl From<Account> for AccountRow {
    fn from(account: Account) -> Self {
        Self {
            place_key: account.key().as_str().to_owned(),
            organization_id: account.organization,
            place: account.place,
            fias_house_id: Guid(account.fias_house_id),
            premises: account.premises,
            unified_account: account.unified_account,
            account: account.account,
        }
    }
}

impl From<AccountRow> for Account {
    fn from(row: AccountRow) -> Self {
        Self {
            organization: row.organization_id,
            place: row.place,
            fias_house_id: row.fias_house_id.0,
            premises: row.premises,
            unified_account: row.unified_account,
            account: row.account,
        }
    }
}
