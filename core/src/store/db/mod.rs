//! The two databases behind one handle. [`Db`] gives connections (`Db::read`) and write transactions
//! (`Db::begin`); the macro `both!` expands one query for both back ends and `insert_batch!` writes many rows.
//!
//! SQLite serves one process (a lock file beside the database says so) and one writer at a time, which a mutex
//! arranges in fair order. PostgreSQL serves any number of instances.

mod conn;
mod group;
mod migrate;
mod postgres;
mod prepared;
#[cfg(test)]
mod schema_tests;
mod settings;
mod sqlite;
mod statistics;
#[cfg(test)]
mod tests;
mod tx;
mod wake;

use std::sync::Arc;
use std::time::Duration;

use deadpool::managed;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::Pool;
use tokio::runtime::Handle;
use tokio::sync::broadcast;

pub use self::conn::Conn;
use self::conn::Pooled;
pub(crate) use self::conn::{BATCH, Backend, both, excluded, holding, insert_batch, load_where, taking};
use self::postgres::Server;
pub(crate) use self::prepared::{Prepared, written};
pub use self::settings::DatabaseSettings;
use self::settings::Place;
use self::sqlite::{FileLock, LiteManager};
pub use self::tx::Tx;
use self::wake::Wakes;
use super::error::{OpenError, StoreError};
use crate::jobs::name::JobName;

/// How long a caller waits for a connection.
const WAIT: Duration = Duration::from_secs(5);

/// The database; clones share it.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    /// Connections and clean-ups live here, not in the runtime of whoever asks: a web worker's ends before ours.
    runtime: Handle,
    pools: Pools,
    wakes: Wakes,
}

enum Pools {
    Pg {
        pool: Pool<AsyncPgConnection>,
        server: Arc<Server>,
    },
    Lite {
        readers: managed::Pool<LiteManager>,
        /// One connection: whoever has it may write. Its cache stays good, for nobody else changes anything.
        writer: managed::Pool<LiteManager>,
        _lock: FileLock,
    },
}

impl Db {
    /// Opens the database; the SQLite file is created when there is none.
    ///
    /// # Errors
    /// The database does not answer, or another process holds the SQLite file.
    pub async fn open(settings: &DatabaseSettings) -> Result<Self, OpenError> {
        let runtime = Handle::current();
        let pools = match &settings.place {
            Place::Lite(path) => {
                let lock = FileLock::take(path)?;
                Pools::Lite {
                    readers: sqlite::readers(path, settings.pool_size, &runtime)?,
                    writer: sqlite::writer(path, &runtime)?,
                    _lock: lock,
                }
            }
            Place::Pg(place) => {
                let server = Arc::new(Server::new(place)?);
                Pools::Pg { pool: postgres::pool(&server, settings.pool_size, &runtime)?, server }
            }
        };
        let db = Self { inner: Arc::new(Inner { runtime, pools, wakes: Wakes::new() }) };
        db.scan().await.map_err(|error| OpenError::Connect(Box::new(error)))?;
        Ok(db)
    }

    /// Whether this is SQLite: one process, all roles.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        match &self.inner.pools {
            Pools::Lite { .. } => true,
            Pools::Pg { .. } => false,
        }
    }

    /// A connection without a transaction, for reading a few rows by a key or in the order of an index: SQLite reads them
    /// on the thread that asks, which takes less than handing the question to another one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is none within five seconds.
    pub(crate) async fn read(&self) -> Result<Conn, StoreError> {
        let conn = self.reader().await?;
        conn.run_here(true);
        Ok(conn)
    }

    /// The same for questions that may look at many rows, and must not keep a thread from everything else meanwhile.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) async fn scan(&self) -> Result<Conn, StoreError> {
        let conn = self.reader().await?;
        conn.run_here(false);
        Ok(conn)
    }

    async fn reader(&self) -> Result<Conn, StoreError> {
        match &self.inner.pools {
            Pools::Pg { pool, .. } => {
                soon(pool.get()).await?.map(|conn| Conn(Pooled::Pg(conn))).map_err(StoreError::unavailable)
            }
            Pools::Lite { readers, .. } => lite(readers).await,
        }
    }

    /// A connection to write by. On SQLite it is the only one, given to one after the other in the order of asking.
    async fn writer(&self) -> Result<Conn, StoreError> {
        match &self.inner.pools {
            Pools::Pg { .. } => self.reader().await,
            Pools::Lite { writer, .. } => lite(writer).await,
        }
    }

    /// A write transaction.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is no connection to write by within five seconds.
    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        Tx::begin(self.clone(), self.writer().await?).await
    }

    /// The jobs that transactions wake, here and, on PostgreSQL, in the other instances too. A receiver that lags has
    /// missed some: it takes that as a wake of every job. Every job is also woken when the connection to the other
    /// instances is made anew.
    pub fn wakes(&self) -> broadcast::Receiver<JobName> {
        let receiver = self.inner.wakes.subscribe();
        if let Pools::Pg { server, .. } = &self.inner.pools {
            self.inner.wakes.listen(server, &self.inner.runtime);
        }
        receiver
    }
}

impl std::fmt::Debug for Db {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if self.is_embedded() { "Db(SQLite)" } else { "Db(PostgreSQL)" })
    }
}

async fn lite(pool: &managed::Pool<LiteManager>) -> Result<Conn, StoreError> {
    soon(pool.get()).await?.map(|conn| Conn(Pooled::Lite(conn))).map_err(StoreError::unavailable)
}

/// Waits, but not longer than [`WAIT`].
async fn soon<F: Future>(wait: F) -> Result<F::Output, StoreError> {
    tokio::time::timeout(WAIT, wait).await.map_err(StoreError::unavailable)
}
