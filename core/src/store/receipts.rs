//! Replies to requests with an Idempotency-Key, written in the transaction of their effect.

use std::fmt;

use chrono::{DateTime, Utc};
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::{
    ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

use super::db::{Backend, both};
use super::schema::receipts;
use super::types::{Json, Ts};
use super::{Conn, StoreError};

/// What was replied.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// Whose key for what: a hash.
    pub(crate) scope: [u8; 32],
    /// The hash of the request's body.
    pub(crate) fingerprint: [u8; 32],
    /// The status.
    pub(crate) status: u16,
    /// The headers worth repeating.
    pub(crate) headers: Vec<(String, String)>,
    /// The body; it may hold personal data.
    pub(crate) body: Vec<u8>,
}

impl fmt::Debug for Receipt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Receipt").field("status", &self.status).finish_non_exhaustive()
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = receipts, treat_none_as_default_value = false)]
struct ReceiptRow {
    scope: Vec<u8>,
    fingerprint: Vec<u8>,
    status: i64,
    headers: Json,
    body: Vec<u8>,
    created_at: Ts,
}

impl TryFrom<ReceiptRow> for Receipt {
    type Error = StoreError;

    fn try_from(row: ReceiptRow) -> Result<Self, StoreError> {
        Ok(Self {
            scope: row.scope.as_slice().try_into().map_err(StoreError::corrupt)?,
            fingerprint: row.fingerprint.as_slice().try_into().map_err(StoreError::corrupt)?,
            status: row.status.try_into().map_err(StoreError::corrupt)?,
            headers: row.headers.read()?,
            body: row.body,
        })
    }
}

/// The receipt of a scope. On PostgreSQL this first takes the scope's lock, which the transaction holds to its end, so that
/// a twin waits here until the first has committed: for at most 5 s, then it is [`StoreError::Busy`]. On SQLite a twin
/// waits for its turn to write.
pub(crate) async fn claim(conn: &mut Conn, scope: &[u8; 32]) -> Result<Option<Receipt>, StoreError> {
    match conn.backend() {
        Backend::Pg(c) => take_lock(c, scope).await?,
        Backend::Lite(_) => {}
    }
    get(conn, scope).await
}

/// The receipt of a scope, as it is stored by now.
pub(crate) async fn get(conn: &mut Conn, scope: &[u8; 32]) -> Result<Option<Receipt>, StoreError> {
    let row = both!(conn, c => {
        receipts::table.find(scope.as_slice()).select(ReceiptRow::as_select()).first(c).await.optional()
    })?;
    row.map(Receipt::try_from).transpose()
}

async fn take_lock(conn: &mut AsyncPgConnection, scope: &[u8; 32]) -> Result<(), StoreError> {
    // 64 of the hash's bits: two scopes with one number only wait for each other.
    let number = scope.first_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes));
    conn.batch_execute("SET LOCAL lock_timeout = '5s'").await?;
    let taken = conn.batch_execute(&format!("SELECT pg_advisory_xact_lock({number})")).await;
    taken.map_err(|error| if is_refusal(&error) { StoreError::Busy } else { error.into() })?;
    conn.batch_execute("SET LOCAL lock_timeout TO DEFAULT").await?;
    Ok(())
}

/// The server answered, and not with the lock. Diesel gives a timeout no kind of its own and its text depends on the
/// server's language.
const fn is_refusal(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(DatabaseErrorKind::Unknown, _))
}

/// Stores a receipt.
pub(crate) async fn insert(conn: &mut Conn, receipt: &Receipt, now: DateTime<Utc>) -> Result<(), StoreError> {
    let row = ReceiptRow {
        scope: receipt.scope.to_vec(),
        fingerprint: receipt.fingerprint.to_vec(),
        status: receipt.status.into(),
        headers: Json::of(&receipt.headers)?,
        body: receipt.body.clone(),
        created_at: Ts(now),
    };
    both!(conn, c => diesel::insert_into(receipts::table).values(row).execute(c).await)?;
    Ok(())
}

/// Deletes receipts from before a time, at most so many.
pub(crate) async fn delete_before(
    conn: &mut Conn,
    time: DateTime<Utc>,
    limit: i64,
) -> Result<usize, StoreError> {
    let old: Vec<Vec<u8>> = both!(conn, c => {
        receipts::table
            .filter(receipts::created_at.lt(Ts(time)))
            .order(receipts::created_at)
            .limit(limit)
            .select(receipts::scope)
            .load(c)
            .await
    })?;
    Ok(both!(conn, c => {
        diesel::delete(receipts::table.filter(receipts::scope.eq_any(old))).execute(c).await
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::store::samples::at;
    use crate::store::test_db::{for_both, for_postgres_url, open};

    fn receipt(scope: u8) -> Receipt {
        Receipt {
            scope: [scope; 32],
            fingerprint: [9; 32],
            status: 202,
            headers: vec![("ETag".to_owned(), "\"1\"".to_owned())],
            body: b"{}".to_vec(),
        }
    }

    #[test]
    fn a_receipt_comes_back_as_it_went_until_it_is_old() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            assert_eq!(claim(&mut tx, &[1; 32]).await.unwrap(), None);
            for (scope, time) in [(1, 5), (2, 6), (3, 7), (4, 8)] {
                insert(&mut tx, &receipt(scope), at(time)).await.unwrap();
            }
            assert_eq!(claim(&mut tx, &[1; 32]).await.unwrap(), Some(receipt(1)));
            assert_eq!(get(&mut tx, &[1; 32]).await.unwrap(), Some(receipt(1)));
            assert!(insert(&mut tx, &receipt(9), at(9)).await.is_ok());
            assert_eq!(delete_before(&mut tx, at(8), 2).await.unwrap(), 2);
            assert_eq!(delete_before(&mut tx, at(8), 2).await.unwrap(), 1);
            assert_eq!(delete_before(&mut tx, at(8), 2).await.unwrap(), 0);
            assert_eq!(claim(&mut tx, &[4; 32]).await.unwrap(), Some(receipt(4)));
        });
    }

    #[test]
    fn a_twin_waits_for_the_receipt_and_gives_up_in_time() {
        for_postgres_url(async |url| {
            let db = open(url).await;
            db.migrate(&Clock::System).await.unwrap();
            let mut first = db.begin().await.unwrap();
            assert_eq!(claim(&mut first, &[1; 32]).await.unwrap(), None);
            let mut twin = db.begin().await.unwrap();
            assert!(matches!(claim(&mut twin, &[1; 32]).await, Err(StoreError::Busy)));
            drop(twin);
            let waiting = {
                let db = db.clone();
                tokio::spawn(async move {
                    let mut twin = db.begin().await.unwrap();
                    claim(&mut twin, &[1; 32]).await.unwrap()
                })
            };
            insert(&mut first, &receipt(1), at(1)).await.unwrap();
            first.commit().await.unwrap();
            assert_eq!(waiting.await.unwrap(), Some(receipt(1)));
        });
    }
}
