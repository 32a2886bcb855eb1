//! Statements that SQLite keeps prepared.

use std::marker::PhantomData;

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::Integer;
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl, SqliteConnection};

/// A statement that writes rows, whose text is the same each time: that of its place, a type of its own. Diesel keeps an
/// INSERT of a slice, an `ON CONFLICT DO UPDATE` and an UPDATE prepared in no case, because their text may differ each time;
/// to read one anew takes SQLite longer than to do it.
///
/// It gives a 1 for each row that it has written. A statement without rows is handed on by reference, and diesel asks the
/// reference whether to keep it, which does not know.
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
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.query.walk_ast(pass.reborrow())?;
        pass.push_sql(" RETURNING 1");
        Ok(())
    }

    fn is_safe_to_cache_prepared(&self, _: &Sqlite) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q, Place> RunQueryDsl<SqliteConnection> for Prepared<Q, Place> {}
