//! Databases for tests: a PostgreSQL database of one's own, made for a test and dropped after it, and the way to run
//! the same test on SQLite too.

use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::FutureExt;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls};
use url::Url;
use uuid::Uuid;

/// Where a PostgreSQL is in which tests may make databases.
pub const URL: &str = "TEST_POSTGRES_URL";
const DEFAULT_URL: &str = "postgres://postgres@127.0.0.1:5432/postgres";

/// Runs a test with the URL of an empty SQLite database, then with that of an empty PostgreSQL database. Without
/// PostgreSQL that half is left out loudly.
///
/// # Panics
/// When the test does.
pub fn for_both_urls(body: impl AsyncFn(&str)) {
    for_sqlite_url(&body);
    for_postgres_url(body);
}

/// The SQLite half alone.
///
/// # Panics
/// When the test does.
pub fn for_sqlite_url(body: impl AsyncFn(&str)) {
    runtime().block_on(async {
        let folder = TempDir::new().unwrap_or_else(|error| panic!("a temporary folder: {error}"));
        body(&format!("sqlite://{}", folder.path().join("test.db").display())).await;
    });
}

/// The PostgreSQL half alone.
///
/// # Panics
/// When the test does; the database is removed before that.
pub fn for_postgres_url(body: impl AsyncFn(&str)) {
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

/// Of two threads: what blocks one must not block the test.
fn runtime() -> Runtime {
    let built = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    built.unwrap_or_else(|error| panic!("a runtime: {error}"))
}

/// An empty database. Rust cannot wait in `Drop`: call [`Database::remove`] however the test ends.
#[derive(Debug)]
pub struct Database {
    server: Url,
    name: String,
}

impl Database {
    /// Makes a database, or gives `None` after saying loudly that the PostgreSQL side of `test` was left out.
    ///
    /// # Panics
    /// When there is no PostgreSQL and cross-checks are required, or when it makes no databases.
    pub async fn create(test: &str) -> Option<Self> {
        let server = std::env::var(URL).unwrap_or_else(|_| DEFAULT_URL.to_owned());
        let server = Url::parse(&server).unwrap_or_else(|error| panic!("{URL}: {error}"));
        match connect(&server).await {
            Ok(client) => {
                let name = format!("debtgate_test_{}", Uuid::now_v7().simple());
                run(&client, &format!("CREATE DATABASE {name}")).await;
                Some(Self { server, name })
            }
            Err(error) => {
                crate::skip(&format!("PostgreSQL: {test}"), &format!("{}: {error}", shown(&server)))
            }
        }
    }

    /// Where the database is.
    #[must_use]
    pub fn url(&self) -> String {
        let mut url = self.server.clone();
        url.set_path(&self.name);
        url.into()
    }

    /// Drops the database, whoever may be connected to it.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn remove(self) {
        let client = connect(&self.server).await.unwrap_or_else(|error| panic!("{URL}: {error}"));
        run(&client, &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

/// Cuts every connection to a database, as a restart of its server would; how many there were.
///
/// # Panics
/// When the server cannot be reached or refuses.
pub async fn cut_connections(url: &str) -> usize {
    let url = Url::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
    let client = connect(&url).await.unwrap_or_else(|error| panic!("{}: {error}", shown(&url)));
    let statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let cut = client.query(statement, &[]).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    cut.len()
}

/// Runs statements in a database, such as those that no program of ours runs.
///
/// # Panics
/// When the server cannot be reached or refuses.
pub async fn execute(url: &str, statements: &str) {
    let url = Url::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
    let client = connect(&url).await.unwrap_or_else(|error| panic!("{}: {error}", shown(&url)));
    run(&client, statements).await;
}

async fn connect(server: &Url) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(server.as_str(), NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn run(client: &Client, statement: &str) {
    client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// The URL without a password.
fn shown(server: &Url) -> String {
    format!("{}:{}", server.host_str().unwrap_or_default(), server.port().unwrap_or(5432))
}
