//! SQLite: one file, one process, one writer at a time. Short queries run on the thread that asks, others on blocking threads.

use std::error::Error;
use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use deadpool::managed::{Manager, Metrics, Pool, QueueMode, RecycleResult};
use diesel::connection::SimpleConnection;
use diesel::{Connection, ConnectionError, ConnectionResult, SqliteConnection};
use diesel_async::sync_connection_wrapper::SpawnBlocking;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use super::conn::LiteConnection;
use super::group::Group;
use super::settings::LitePath;
use crate::store::error::OpenError;

/// A commit is on the disk when it returns (`FULL`): with less, a power failure could take back an answer that was
/// accepted, or the attempt that was written down before its call. The same pages are written again and again, so the log
/// is copied into the file only every 16 MB. What is deleted is overwritten: it may be personal data.
const PRAGMAS: &str = "
    PRAGMA busy_timeout = 5000;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA journal_size_limit = 16777216;
    PRAGMA temp_store = MEMORY;
    PRAGMA secure_delete = ON;
";

/// The right to work with a file, held by a lock on a second file beside it. The system releases it when that file is
/// closed, however the process ends.
pub(super) struct FileLock {
    _file: File,
}

impl FileLock {
    pub(super) fn take(path: &LitePath) -> Result<Self, OpenError> {
        let path = PathBuf::from(format!("{}.lock", path.as_str()));
        let in_file = |source| OpenError::File { path: path.clone(), source };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(in_file)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path)),
            Err(TryLockError::Error(source)) => Err(in_file(source)),
        }
    }
}

/// Readers cache 2 MB, for the whole program is to be content with 40 MB and each write of somebody else makes what is cached
/// worthless; the beginning of the file they read where the system caches it.
const READERS: &str = "PRAGMA cache_size = -2000; PRAGMA mmap_size = 8388608;";
/// What the connection that writes has cached stays good.
const WRITERS: &str = "PRAGMA cache_size = -8000;";

/// Connections to read by.
pub(super) fn readers(
    path: &LitePath,
    size: usize,
    runtime: &Handle,
) -> Result<Pool<LiteManager>, OpenError> {
    pool(path, READERS, size, runtime)
}

/// The connection to write by.
pub(super) fn writer(path: &LitePath, runtime: &Handle) -> Result<Pool<LiteManager>, OpenError> {
    pool(path, WRITERS, 1, runtime)
}

fn pool(
    path: &LitePath,
    memory: &'static str,
    size: usize,
    runtime: &Handle,
) -> Result<Pool<LiteManager>, OpenError> {
    let manager = LiteManager { path: path.as_str().to_owned(), memory, runtime: runtime.clone() };
    // Whoever reads page after page alone does so by one connection, and what it cached is good for the next page.
    let pool = Pool::builder(manager).max_size(size).queue_mode(QueueMode::Lifo);
    pool.build().map_err(|error| OpenError::Connect(Box::new(error)))
}

/// Opens the connections of the pool.
pub(crate) struct LiteManager {
    path: String,
    /// Pragmas that say how much of it a connection may use.
    memory: &'static str,
    runtime: Handle,
}

/// A connection of the pool.
pub(crate) struct Lite {
    pub(super) conn: LiteConnection,
    busy: Arc<Mutex<()>>,
    here: Arc<AtomicBool>,
    /// The transactions in it that are committed together.
    pub(super) group: Option<Group>,
}

impl Lite {
    /// Lets queries run on the thread that asks for them, or no more. So the statements of a write transaction do, and short
    /// reads: each takes some ten microseconds, less than handing it to another thread and back, and while one writes nobody
    /// else can.
    pub(super) fn run_here(&self, here: bool) {
        self.here.store(here, Ordering::Relaxed);
    }
}

impl Manager for LiteManager {
    type Type = Lite;
    type Error = ConnectionError;

    async fn create(&self) -> ConnectionResult<Lite> {
        let (path, memory) = (self.path.clone(), self.memory);
        let opened = self.runtime.spawn_blocking(move || open(&path, memory)).await;
        let conn = opened.map_err(|error| ConnectionError::BadConnection(error.to_string()))??;
        let busy = Arc::<Mutex<()>>::default();
        let here = Arc::<AtomicBool>::default();
        let blocking =
            Blocking { runtime: self.runtime.clone(), busy: Arc::clone(&busy), here: Arc::clone(&here) };
        Ok(Lite { conn: LiteConnection::with_runtime(conn, blocking), busy, here, group: None })
    }

    /// A caller may have gone away in the middle of a query, which goes on by itself; the wrapper panics when it is
    /// asked for its state meanwhile.
    async fn recycle(&self, lite: &mut Lite, _: &Metrics) -> RecycleResult<ConnectionError> {
        drop(lite.busy.lock().await);
        Ok(())
    }
}

fn open(path: &str, memory: &str) -> ConnectionResult<SqliteConnection> {
    let mut conn = SqliteConnection::establish(path)?;
    conn.batch_execute(&format!("{PRAGMAS}{memory}")).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// Runs the queries of one connection on the blocking threads of one runtime, one after another, or on the thread that asks
/// ([`Lite::run_here`]). The wrapper's own way blocks the thread of a dropped future until its query ends, and panics in the single-threaded runtimes of the web
/// workers; here the query ends by itself and the next one waits for it.
pub(crate) struct Blocking {
    runtime: Handle,
    /// Free when the last query has let go of the connection, not only of the lock inside it.
    busy: Arc<Mutex<()>>,
    /// See [`Lite::run_here`].
    here: Arc<AtomicBool>,
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
        let here = self.here.load(Ordering::Relaxed);
        async move {
            let turn = busy.lock_owned().await;
            if here {
                return Ok(task());
            }
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
        Self { runtime: Handle::current(), busy: Arc::default(), here: Arc::default() }
    }
}
