//! SQLite: one file, one process, one writer at a time. Queries run on blocking threads.

use std::error::Error;
use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::{Connection, ConnectionError, ConnectionResult, SqliteConnection};
use diesel_async::pooled_connection::deadpool::{Hook, HookError, Pool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, PoolError, RecyclingMethod,
};
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

pub(super) fn pool(
    path: &LitePath,
    size: usize,
    runtime: &Handle,
) -> Result<Pool<LiteConnection>, OpenError> {
    let runtime = runtime.clone();
    let mut config = ManagerConfig::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |path| connect(path.to_owned(), runtime.clone()).boxed());
    let manager = AsyncDieselConnectionManager::new_with_config(path.as_str(), config);
    Pool::builder(manager)
        .max_size(size)
        .pre_recycle(Hook::async_fn(|conn, _| until_idle(conn).boxed()))
        .build()
        .map_err(|error| OpenError::Connect(Box::new(error)))
}

async fn connect(path: String, runtime: Handle) -> ConnectionResult<LiteConnection> {
    let opened = runtime.spawn_blocking(move || open(&path)).await;
    let conn = opened.map_err(|error| ConnectionError::BadConnection(error.to_string()))??;
    Ok(LiteConnection::with_runtime(conn, Blocking::on(runtime)))
}

fn open(path: &str) -> ConnectionResult<SqliteConnection> {
    let mut conn = SqliteConnection::establish(path)?;
    conn.batch_execute(PRAGMAS).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// A caller may have gone away in the middle of a query, which goes on by itself; the wrapper panics when it is asked
/// for its state meanwhile.
async fn until_idle(conn: &mut LiteConnection) -> Result<(), HookError> {
    conn.spawn_blocking(|_| Ok(())).await.map_err(|error| HookError::Backend(PoolError::QueryError(error)))
}

/// Runs the queries of one connection on the blocking threads of one runtime, one after another. The wrapper's own way
/// blocks the thread of a dropped future until its query ends, and panics in the single-threaded runtimes of the web
/// workers; here the query ends by itself and the next one waits for it.
pub(crate) struct Blocking {
    runtime: Handle,
    /// Free when the last query has let go of the connection, not only of the lock inside it.
    busy: Arc<Mutex<()>>,
}

impl Blocking {
    fn on(runtime: Handle) -> Self {
        Self { runtime, busy: Arc::default() }
    }
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
        Self::on(Handle::current())
    }
}
