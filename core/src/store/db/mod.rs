//! The two databases behind one handle. [`Db`] gives connections (`Db::read`) and write transactions
//! (`Db::begin`); the macro `both!` expands one query for both back ends and `insert_batch!` writes many rows.
//!
//! SQLite serves one process (a lock file beside the database says so) and one writer at a time, which a mutex
//! arranges in fair order. PostgreSQL serves any number of instances.

mod conn;
mod migrate;
mod postgres;
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
use tokio::sync::{OwnedMutexGuard, broadcast};

pub use self::conn::Conn;
use self::conn::Pooled;
pub(crate) use self::conn::{BATCH, Backend, both, holding, insert_batch};
use self::postgres::Server;
pub use self::settings::DatabaseSettings;
use self::settings::Place;
use self::sqlite::{LiteFile, LiteManager};
pub use self::tx::Tx;
use self::wake::Wakes;
use super::error::{OpenError, StoreError};
use crate::jobs::name::JobName;

/// How long a caller waits for a connection or for its turn to write.
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
    Pg { pool: Pool<AsyncPgConnection>, server: Arc<Server> },
    Lite { pool: managed::Pool<LiteManager>, file: LiteFile },
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
                let file = LiteFile::lock(path)?;
                Pools::Lite { pool: sqlite::pool(path, settings.pool_size, &runtime)?, file }
            }
            Place::Pg(place) => {
                let server = Arc::new(Server::new(place)?);
                Pools::Pg { pool: postgres::pool(&server, settings.pool_size, &runtime)?, server }
            }
        };
        let db = Self { inner: Arc::new(Inner { runtime, pools, wakes: Wakes::new() }) };
        db.read().await.map_err(|error| OpenError::Connect(Box::new(error)))?;
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

    /// A connection without a transaction, for reading.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is none within five seconds.
    pub(crate) async fn read(&self) -> Result<Conn, StoreError> {
        let conn = async {
            match &self.inner.pools {
                Pools::Pg { pool, .. } => {
                    pool.get().await.map(|conn| Conn(Pooled::Pg(conn))).map_err(StoreError::unavailable)
                }
                Pools::Lite { pool, .. } => {
                    pool.get().await.map(|conn| Conn(Pooled::Lite(conn))).map_err(StoreError::unavailable)
                }
            }
        };
        soon(conn).await?
    }

    /// A write transaction.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is no connection, or no turn to write, within five seconds.
    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        // The turn comes first: whoever waits for it must not keep a connection from the readers.
        let turn = self.turn().await?;
        let conn = self.read().await?;
        Tx::begin(self.clone(), conn, turn).await
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

    async fn turn(&self) -> Result<Option<OwnedMutexGuard<()>>, StoreError> {
        match &self.inner.pools {
            Pools::Pg { .. } => Ok(None),
            Pools::Lite { file, .. } => soon(file.turn()).await.map(Some),
        }
    }
}

impl std::fmt::Debug for Db {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if self.is_embedded() { "Db(SQLite)" } else { "Db(PostgreSQL)" })
    }
}

/// Waits, but not longer than [`WAIT`].
async fn soon<F: Future>(wait: F) -> Result<F::Output, StoreError> {
    tokio::time::timeout(WAIT, wait).await.map_err(StoreError::unavailable)
}
