//! A connection of either kind, and the macros that write a query once for both.

use deadpool::managed;
use diesel::SqliteConnection;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;

use super::sqlite::{Blocking, LiteManager};

/// An SQLite connection whose queries run on threads of their own.
pub(crate) type LiteConnection = SyncConnectionWrapper<SqliteConnection, Blocking>;

/// Rows in one INSERT of `insert_batch!`: SQLite takes 32766 values a statement, PostgreSQL 65535, and the widest table
/// has less than 64 columns.
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

/// Writes a `Vec` of rows in few statements, inserting or with any `on_conflict`, and gives the `QueryResult` of the
/// number of rows written. diesel-async has no batch inserts for SQLite, therefore the statement runs on diesel's own
/// connection there: what it mentions besides the rows must be owned (`'static`). Rows need
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
                        let mut written = 0;
                        for $batch in rows.chunks($crate::store::db::BATCH) {
                            written += diesel::RunQueryDsl::execute($query, connection)?;
                        }
                        Ok(written)
                    })
                    .await
            }
        }
    }};
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

pub(crate) use {both, holding, insert_batch};
