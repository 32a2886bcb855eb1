//! What SQLite knows of its tables. Without counts it takes an index that fits the order of a list before one that fits
//! its filter, and reads a million rows for a single one. PostgreSQL counts by itself.

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{QueryResult, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};

use super::{Backend, Db};
use crate::store::StoreError;

/// Rows that do not matter yet.
const FEW: i64 = 1_000;

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Db {
    /// Counts anew when the largest table has grown by a quarter since the last time: about a second for a million rows,
    /// during which nobody else writes. Says whether it did.
    ///
    /// # Errors
    /// The database does not answer.
    pub(crate) async fn learn(&self) -> Result<bool, StoreError> {
        if !self.is_embedded() {
            return Ok(false);
        }
        let mut conn = self.writer().await?;
        match conn.backend() {
            Backend::Pg(_) => Ok(false),
            Backend::Lite(conn) => Ok(conn.spawn_blocking(learn).await?),
        }
    }
}

fn learn(conn: &mut SqliteConnection) -> QueryResult<bool> {
    let present = number(conn, "SELECT count(*) AS number FROM debt_requests")?;
    let tables = "SELECT count(*) AS number FROM sqlite_schema WHERE name = 'sqlite_stat1'";
    let known = if number(conn, tables)? == 0 {
        0
    } else {
        // The first word of each line is the number of rows; a text becomes a number up to its first blank.
        let stat = "SELECT coalesce(max(CAST(stat AS INTEGER)), 0) AS number FROM sqlite_stat1 \
                    WHERE tbl = 'debt_requests'";
        number(conn, stat)?
    };
    let grown = present > known + known / 4 + FEW;
    if grown {
        conn.batch_execute("ANALYZE")?;
    }
    Ok(grown)
}

fn number(conn: &mut SqliteConnection, query: &str) -> QueryResult<i64> {
    let rows: Vec<Number> = sql_query(query).load(conn)?;
    Ok(rows.first().map_or(0, |row| row.number))
}

#[cfg(test)]
mod tests {
    use crate::store::debt_requests;
    use crate::store::samples::{request, stored_organization};
    use crate::store::test_db::for_both;

    #[test]
    fn sqlite_counts_again_when_there_is_much_more() {
        for_both(async |db| {
            let embedded = db.is_embedded();
            assert!(!db.learn().await.unwrap(), "a few rows do not matter");
            let mut tx = db.begin().await.unwrap();
            let organization = stored_organization(&mut tx).await;
            let requests: Vec<_> = (0..1_100).map(|_| request(organization)).collect();
            debt_requests::save(&mut tx, &requests).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(db.learn().await.unwrap(), embedded);
            assert!(!db.learn().await.unwrap(), "it knows them by now");
        });
    }
}
