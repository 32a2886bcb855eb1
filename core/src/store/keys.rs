//! Random secrets that all instances share, made with the tables.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;

use super::db::{Conn, both};
use super::error::StoreError;
use super::schema::keys;
use super::types::Ts;

/// Signs the cursors of lists.
pub(crate) const CURSOR: &str = "cursor";

const LENGTH: usize = 32;

/// The secret of a name, 32 bytes.
pub(crate) async fn secret(conn: &mut Conn, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let secret = both!(conn, c => {
        keys::table.find(name).select(keys::secret).first::<Vec<u8>>(c).await.optional()
    })?;
    Ok(secret)
}

/// Makes a secret where there is none; an old one stays.
pub(crate) async fn ensure(conn: &mut Conn, name: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
    let fresh = rand::random::<[u8; LENGTH]>().to_vec();
    let row = (keys::name.eq(name), keys::secret.eq(fresh), keys::created_at.eq(Ts(now)));
    both!(conn, c => {
        diesel::insert_into(keys::table).values(row).on_conflict(keys::name).do_nothing().execute(c).await
    })?;
    Ok(())
}
