//! SQLite: one file, one process, one writer at a time. Queries run on blocking threads.

use std::error::Error;
use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::sync::Arc;

use deadpool::managed::{Manager, Metrics, Pool, RecycleResult};
use diesel::connection::SimpleConnection;
use diesel::{Connection, ConnectionError, ConnectionResult, SqliteConnection};
use diesel_async::sync_connection_wrapper::SpawnBlocking;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::conn::LiteConnection;
use super::settings::LitePath;
use crate::store::error::OpenError;

/// A commit is on the disk when it returns (`FULL`): with less, a power failure could take back an answer that was
/// accepted, or the attempt that was written down before its call. Small caches: the whole program is to be content with
/// 40 MB, and the system caches the file as well.
const PRAGMAS: &str = "
    PRAGMA busy_timeout = 5000;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA cache_size = -2000;
    PRAGMA mmap_size = 8388608;
    PRAGMA journal_size_limit = 16777216;
    PRAGMA temp_store = MEMORY;
";

/// The right to work with a file, held by a lock on a second file beside it, and the turn to write.
pub(super) struct LiteFile {
    /// The system releases the lock when the file is closed, however the process ends.
    _lock: File,
    writer: Arc<Mutex<()>>,
}

impl LiteFile {
    pub(super) fn lock(path: &LitePath) -> Result<Self, OpenError> {
        let path = PathBuf::from(format!("{}.lock", path.as_str()));
        let in_file = |source| OpenError::File { path: path.clone(), source };
        let lock = File::options().create(true).truncate(false).write(true).open(&path).map_err(in_file)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock, writer: Arc::default() }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path)),
            Err(TryLockError::Error(source)) => Err(in_file(source)),
        }
    }

    pub(super) async fn turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.writer).lock_owned().await
    }
}

pub(super) fn pool(path: &LitePath, size: usize, runtime: &Handle) -> Result<Pool<LiteManager>, OpenError> {
    let manager = LiteManager { path: path.as_str().to_owned(), runtime: runtime.clone() };
    Pool::builder(manager).max_size(size).build().map_err(|error| OpenError::Connect(Box::new(error)))
}

/// Opens the connections of the pool.
pub(crate) struct LiteManager {
    path: String,
    runtime: Handle,
}

/// A connection of the pool.
pub(crate) struct Lite {
    pub(super) conn: LiteConnection,
    busy: Arc<Mutex<()>>,
}

impl Manager for LiteManager {
    type Type = Lite;
    type Error = ConnectionError;

    async fn create(&self) -> ConnectionResult<Lite> {
        let path = self.path.clone();
        let opened = self.runtime.spawn_blocking(move || open(&path)).await;
        let conn = opened.map_err(|error| ConnectionError::BadConnection(error.to_string()))??;
        let busy = Arc::<Mutex<()>>::default();
        let blocking = Blocking { runtime: self.runtime.clone(), busy: Arc::clone(&busy) };
        Ok(Lite { conn: LiteConnection::with_runtime(conn, blocking), busy })
    }

    /// A caller may have gone away in the middle of a query, which goes on by itself; the wrapper panics when it is
    /// asked for its state meanwhile.
    async fn recycle(&self, lite: &mut Lite, _: &Metrics) -> RecycleResult<ConnectionError> {
        drop(lite.busy.lock().await);
        Ok(())
    }
}

fn open(path: &str) -> ConnectionResult<SqliteConnection> {
    let mut conn = SqliteConnection::establish(path)?;
    conn.batch_execute(PRAGMAS).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// Runs the queries of one connection on the blocking threads of one runtime, one after another. The wrapper's own way
/// blocks the thread of a dropped future until its query ends, and panics in the single-threaded runtimes of the web
/// workers; here the query ends by itself and the next one waits for it.
pub(crate) struct Blocking {
    runtime: Handle,
    /// Free when the last query has let go of the connection, not only of the lock inside it.
    busy: Arc<Mutex<()>>,
}

impl SpawnBlocking for Blocking {
    fn spawn_blocking<'a, R>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn Error + Send + Sync>>>
    where
        R: Send + 'static,
    {
        let (runtime, busy) = (self.runtime.clone(), Arc::clone(&self.busy));
        async move {
            let turn = busy.lock_owned().await;
            let running = runtime.spawn_blocking(move || {
                let result = task();
                drop(turn);
                result
            });
            Ok(running.await?)
        }
        .boxed()
    }

    fn get_runtime() -> Self {
        Self { runtime: Handle::current(), busy: Arc::default() }
    }
}
