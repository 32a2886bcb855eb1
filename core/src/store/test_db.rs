//! Fresh databases for tests: the same test body runs against SQLite and against PostgreSQL.

pub(crate) use test_support::postgres::{for_both_urls, for_postgres_url};

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

/// Opens a database by its URL.
pub(crate) async fn open(url: &str) -> Db {
    Db::open(&DatabaseSettings::parse(url, None).unwrap()).await.unwrap()
}

/// Copies an SQLite database as it is now, as `sqlite3 .backup` does; `false` for PostgreSQL.
pub(crate) async fn copy_into(db: &Db, path: &std::path::Path) -> bool {
    use diesel_async::RunQueryDsl as _;

    let mut conn = db.read().await.unwrap();
    match conn.backend() {
        super::db::Backend::Pg(_) => false,
        super::db::Backend::Lite(conn) => {
            let copy = diesel::sql_query(format!("VACUUM INTO '{}'", path.display()));
            copy.execute(conn).await.unwrap();
            true
        }
    }
}
