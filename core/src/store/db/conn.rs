//! A connection of either kind, and the macros that write a query once for both.

use deadpool::managed;
use diesel::SqliteConnection;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;

use super::sqlite::{Blocking, LiteManager};

/// An SQLite connection whose queries run on threads of their own.
pub(crate) type LiteConnection = SyncConnectionWrapper<SqliteConnection, Blocking>;

/// Rows in one INSERT of `insert_batch!`, and identifiers in one question: SQLite takes 32766 values a statement,
/// PostgreSQL 65535, and the widest table has less than 64 columns.
pub(crate) const BATCH: usize = 500;

/// A connection out of the pool; it goes back when dropped.
pub struct Conn(pub(super) Pooled);

/// A connection of either kind.
#[expect(clippy::large_enum_variant, reason = "there are a few at a time, and they only pass through")]
pub(super) enum Pooled {
    Pg(Object<AsyncPgConnection>),
    Lite(managed::Object<LiteManager>),
}

/// What `both!` looks into.
pub(crate) enum Backend<'a> {
    Pg(&'a mut AsyncPgConnection),
    Lite(&'a mut LiteConnection),
}

impl Conn {
    pub(crate) fn backend(&mut self) -> Backend<'_> {
        match &mut self.0 {
            Pooled::Pg(conn) => Backend::Pg(conn),
            Pooled::Lite(lite) => Backend::Lite(&mut lite.conn),
        }
    }

    /// On SQLite queries run on the thread that asks, or no more; see [`Lite::run_here`](super::sqlite::Lite::run_here).
    pub(super) fn run_here(&self, here: bool) {
        match &self.0 {
            Pooled::Pg(_) => {}
            Pooled::Lite(lite) => lite.run_here(here),
        }
    }

    /// Closes a connection that nobody can use any more, instead of giving it back.
    pub(super) fn discard(self) {
        match self.0 {
            Pooled::Pg(conn) => drop(Object::take(conn)),
            Pooled::Lite(lite) => drop(managed::Object::take(lite)),
        }
    }
}

/// Expands a query for both back ends; works on a [`Conn`] and on a [`Tx`](super::Tx). Import `RunQueryDsl` from
/// `diesel_async` only.
///
/// ```text
/// both!(conn, c => keys::table.find(name).select(keys::secret).first::<Vec<u8>>(c).await.optional())?
/// ```
macro_rules! both {
    ($conn:expr, $c:ident => $query:expr) => {
        match $conn.backend() {
            $crate::store::db::Backend::Pg($c) => $query,
            $crate::store::db::Backend::Lite($c) => $query,
        }
    };
}

/// Writes a `Vec` of rows, inserting or with any `on_conflict`, and gives the `QueryResult` of the number of rows written:
/// on PostgreSQL in few statements, on SQLite by a prepared one. diesel-async has no batch inserts for SQLite, therefore it
/// runs on diesel's own connection there: what it mentions besides the rows must be owned (`'static`), and its text must be
/// the same each time. Rows need
/// `#[diesel(treat_none_as_default_value = false)]`. To be all or nothing it needs a [`Tx`](super::Tx).
///
/// ```text
/// insert_batch!(tx, rows, |batch| diesel::insert_into(keys::table)
///     .values(batch)
///     .on_conflict(keys::name)
///     .do_update()
///     .set(keys::secret.eq(excluded(keys::secret))))?
/// ```
macro_rules! insert_batch {
    ($conn:expr, $rows:expr, |$batch:ident| $query:expr) => {{
        let rows: Vec<_> = $rows;
        match $conn.backend() {
            $crate::store::db::Backend::Pg(connection) => {
                async {
                    let mut written = 0;
                    for $batch in rows.chunks($crate::store::db::BATCH) {
                        written += diesel_async::RunQueryDsl::execute($query, connection).await?;
                    }
                    diesel::QueryResult::Ok(written)
                }
                .await
            }
            $crate::store::db::Backend::Lite(connection) => {
                connection
                    .spawn_blocking(move |connection| {
                        #[derive(Clone, Copy)]
                        struct Here;
                        let before = $crate::store::db::written(connection)?;
                        // One by one: a statement for so many rows would be read anew each time.
                        for $batch in &rows {
                            let query = $crate::store::db::Prepared::at(Here, $query);
                            diesel::RunQueryDsl::load::<i32>(query, connection)?;
                        }
                        Ok($crate::store::db::written(connection)?.saturating_sub(before))
                    })
                    .await
            }
        }
    }};
}

/// The assignments of an upsert that takes columns from the new row. Import `ExpressionMethods`.
///
/// ```text
/// insert_into(keys::table).values(batch).on_conflict(keys::name).do_update().set(excluded!(keys: secret, made_at))
/// ```
macro_rules! excluded {
    ($table:ident: $($column:ident),+ $(,)?) => {
        ($($table::$column.eq(diesel::upsert::excluded($table::$column)),)+)
    };
}

/// Like `both!` for a SELECT whose rows the transaction holds to its end: FOR UPDATE on PostgreSQL; on SQLite the
/// transaction is the only writer anyway.
///
/// ```text
/// holding!(tx, keys::table.find(name), |query, c| query.first::<Key>(c).await.optional())?
/// ```
macro_rules! holding {
    ($conn:expr, $select:expr, |$query:ident, $c:ident| $run:expr) => {
        match $conn.backend() {
            $crate::store::db::Backend::Pg($c) => {
                let $query = diesel::QueryDsl::for_update($select);
                $run
            }
            $crate::store::db::Backend::Lite($c) => {
                let $query = $select;
                $run
            }
        }
    };
}

/// Loads rows that the transaction holds to its end, as [`holding`]; on PostgreSQL it passes over what others hold.
///
/// ```text
/// taking!(tx, messages::table.limit(5).select(MessageRow::as_select()))?
/// ```
macro_rules! taking {
    ($conn:expr, $select:expr) => {
        match $conn.backend() {
            $crate::store::db::Backend::Pg(c) => {
                let select = diesel::QueryDsl::skip_locked(diesel::QueryDsl::for_update($select));
                diesel_async::RunQueryDsl::load(select, c).await
            }
            $crate::store::db::Backend::Lite(c) => diesel_async::RunQueryDsl::load($select, c).await,
        }
    };
}

/// Loads the rows of which a column has one of some values, in the order of the query for each: PostgreSQL is asked for many
/// values at once, SQLite for one after the other by a statement that it keeps prepared, on diesel's own connection: what is
/// mentioned besides must be owned (`'static`). `holding` takes the rows as [`holding`] does. Import `ExpressionMethods`.
///
/// ```text
/// load_where!(tx, keys::name, names, |named| keys::table.filter(named).select(KeyRow::as_select()))?
/// ```
macro_rules! load_where {
    ($conn:expr, $column:expr, $values:expr, |$named:ident| $select:expr) => {
        $crate::store::db::load_where!(@ $conn, $column, $values, $named, $select, std::convert::identity)
    };
    (holding $conn:expr, $column:expr, $values:expr, |$named:ident| $select:expr) => {
        $crate::store::db::load_where!(@ $conn, $column, $values, $named, $select, diesel::QueryDsl::for_update)
    };
    (@ $conn:expr, $column:expr, $values:expr, $named:ident, $select:expr, $hold:expr) => {{
        let values = $values.to_vec();
        match $conn.backend() {
            $crate::store::db::Backend::Pg(connection) => {
                async {
                    let mut found = Vec::with_capacity(values.len());
                    for some in values.chunks($crate::store::db::BATCH) {
                        let $named = $column.eq_any(some.to_vec());
                        found.extend(diesel_async::RunQueryDsl::load($hold($select), connection).await?);
                    }
                    diesel::QueryResult::Ok(found)
                }
                .await
            }
            $crate::store::db::Backend::Lite(connection) => {
                connection
                    .spawn_blocking(move |connection| {
                        let mut found = Vec::with_capacity(values.len());
                        for value in values {
                            let $named = $column.eq(value);
                            found.extend(diesel::RunQueryDsl::load($select, connection)?);
                        }
                        Ok(found)
                    })
                    .await
            }
        }
    }};
}

pub(crate) use {both, excluded, holding, insert_batch, load_where, taking};
