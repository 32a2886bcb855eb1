//! Fresh databases for tests: the same test body runs against SQLite and against PostgreSQL.

use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::FutureExt;
use tempfile::TempDir;
use test_support::postgres::Database;
use tokio::runtime::{Builder, Runtime};

use super::db::{DatabaseSettings, Db};
use crate::clock::Clock;

/// Runs a test against both databases with their tables made. Without PostgreSQL that half is left out loudly.
///
/// ```text
/// #[test]
/// fn rows_come_back() {
///     for_both(async |db| { let mut conn = db.read().await.unwrap(); … });
/// }
/// ```
pub(crate) fn for_both(body: impl AsyncFn(Db)) {
    for_both_urls(async |url| {
        let db = open(url).await;
        db.migrate(&Clock::System).await.unwrap();
        body(db).await;
    });
}

/// The same with the URLs of empty databases.
pub(crate) fn for_both_urls(body: impl AsyncFn(&str)) {
    runtime().block_on(async {
        let folder = TempDir::new().unwrap();
        body(&format!("sqlite://{}", folder.path().join("test.db").display())).await;
    });
    for_postgres_url(body);
}

/// The PostgreSQL half alone.
pub(crate) fn for_postgres_url(body: impl AsyncFn(&str)) {
    runtime().block_on(async {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        let Some(database) = Database::create(&test).await else { return };
        let outcome = AssertUnwindSafe(body(&database.url())).catch_unwind().await;
        database.remove().await;
        if let Err(panic) = outcome {
            resume_unwind(panic);
        }
    });
}

/// Opens a database by its URL.
pub(crate) async fn open(url: &str) -> Db {
    Db::open(&DatabaseSettings::parse(url, None).unwrap()).await.unwrap()
}

/// Of two threads: what blocks one must not block the test.
fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
