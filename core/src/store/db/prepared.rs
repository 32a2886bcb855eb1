//! Statements that SQLite keeps prepared.

use std::marker::PhantomData;

use diesel::dsl::sql;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Integer};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl, SqliteConnection};

/// A statement that writes rows, whose text is the same each time: that of its place, a type of its own. Diesel keeps an
/// INSERT of a slice, an `ON CONFLICT DO UPDATE` and an UPDATE prepared in no case, because their text may differ each time;
/// to read one anew takes SQLite longer than to do it.
///
/// It is loaded, though it gives no rows: what is executed is handed on by reference, and diesel asks the reference whether to
/// keep it, which does not know. A RETURNING that tells how many were written would have SQLite copy each page before it is
/// changed; see [`written`].
#[derive(Debug)]
pub(crate) struct Prepared<Q, Place> {
    query: Q,
    place: PhantomData<Place>,
}

impl<Q, Place> Prepared<Q, Place> {
    pub(crate) const fn at(_: Place, query: Q) -> Self
    where
        Place: Copy,
    {
        Self { query, place: PhantomData }
    }
}

impl<Q, Place: 'static> QueryId for Prepared<Q, Place> {
    type QueryId = Place;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Q, Place> Query for Prepared<Q, Place> {
    type SqlType = Integer;
}

impl<Q: QueryFragment<Sqlite>, Place> QueryFragment<Sqlite> for Prepared<Q, Place> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.query.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &Sqlite) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q, Place> RunQueryDsl<SqliteConnection> for Prepared<Q, Place> {}

/// How many rows a connection has written since it was opened.
pub(crate) fn written(conn: &mut SqliteConnection) -> QueryResult<usize> {
    let rows: i64 = diesel::select(sql::<BigInt>("total_changes()")).get_result(conn)?;
    Ok(usize::try_from(rows).unwrap_or(0))
}
