//! The book of accounts of each organisation.

mod rows;
#[cfg(test)]
mod tests;

use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use self::rows::AccountRow;
use super::db::{both, insert_batch, load_where};
use super::schema::accounts;
use super::types::Guid;
use super::{Conn, StoreError};
use crate::domain::account::{Account, PlaceKey};
use crate::ids::OrganizationId;

/// Puts a book in the place of the one before; whoever calls holds the organisation.
pub(crate) async fn replace(
    conn: &mut Conn,
    organization: OrganizationId,
    book: Vec<Account>,
) -> Result<(), StoreError> {
    both!(conn, c => {
        diesel::delete(accounts::table.filter(accounts::organization_id.eq(organization))).execute(c).await
    })?;
    let rows = book.into_iter().map(AccountRow::from).collect();
    insert_batch!(conn, rows, |batch| diesel::insert_into(accounts::table).values(batch))?;
    Ok(())
}

/// The book in its order after a place; the accounts of one house if that is given.
pub(crate) async fn page(
    conn: &mut Conn,
    organization: OrganizationId,
    fias_house: Option<Uuid>,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<Account>, StoreError> {
    let rows: Vec<AccountRow> = both!(conn, c => {
        let mut query = accounts::table
            .filter(accounts::organization_id.eq(organization))
            .order(accounts::place)
            .limit(limit)
            .select(AccountRow::as_select())
            .into_boxed();
        if let Some(house) = fias_house {
            query = query.filter(accounts::fias_house_id.eq(Guid(house)));
        }
        if let Some(place) = after {
            query = query.filter(accounts::place.gt(place));
        }
        query.load(c).await
    })?;
    Ok(rows.into_iter().map(Account::from).collect())
}

/// The accounts of some places, each of which is named once.
pub(crate) async fn of_places(
    conn: &mut Conn,
    organization: OrganizationId,
    places: &[PlaceKey],
) -> Result<Vec<Account>, StoreError> {
    let keys: Vec<String> = places.iter().map(|place| place.as_str().to_owned()).collect();
    let rows: Vec<AccountRow> = load_where!(conn, accounts::place_key, &keys, |named| accounts::table
        .filter(accounts::organization_id.eq(organization))
        .filter(named)
        .select(AccountRow::as_select()))?;
    Ok(rows.into_iter().map(Account::from).collect())
}
