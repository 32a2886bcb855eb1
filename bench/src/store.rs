//! The databases from behind the gateway's back, while no gateway runs: rows come in by SQL, because through the API a
//! million would take hours.

use std::fs::File;
use std::path::{Path, PathBuf};

use chrono::Utc;
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::SqliteConnection;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, sql_query};
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::Failure;
use crate::rows::{self, Dialect};

/// Where a gateway shall keep its rows.
pub enum Place {
    /// In a file of its own folder.
    Lite,
    /// In the empty database behind this address.
    Pg(String),
}

/// Where it keeps them.
pub enum Store {
    /// In this file.
    Lite(PathBuf),
    /// Behind this address.
    Pg(String),
}

/// What was sent, counted.
#[derive(Debug, Clone, Copy, QueryableByName)]
pub struct Attempts {
    /// Packages.
    #[diesel(sql_type = BigInt)]
    pub packages: i64,
    /// Attempts beyond the first of each answer.
    #[diesel(sql_type = BigInt)]
    pub repeats: i64,
}

/// Only these rows are read here: to be filled quickly, a table has no indexes meanwhile.
#[derive(QueryableByName)]
struct Index {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    definition: String,
}

const LITE_INDEXES: &str = "SELECT name, sql AS definition FROM sqlite_schema
    WHERE type = 'index' AND tbl_name = 'debt_requests' AND sql IS NOT NULL";
const PG_INDEXES: &str = "SELECT indexname::text, indexdef FROM pg_indexes
    WHERE schemaname = current_schema() AND tablename = 'debt_requests' AND indexname <> 'debt_requests_pkey'";

impl Store {
    /// What the table calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Lite(_) => "SQLite",
            Self::Pg(_) => "PostgreSQL",
        }
    }

    /// What was sent.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn attempts(&self) -> Result<Attempts, Failure> {
        const ASKED: &str = "SELECT count(DISTINCT message_id) AS packages,
            count(*) - count(DISTINCT submission_id) AS repeats FROM attempts";
        match self {
            Self::Lite(path) => Ok(sql_query(ASKED).get_result(&mut open(path)?)?),
            Self::Pg(url) => {
                let row = connect(url).await?.query_one(ASKED, &[]).await?;
                Ok(Attempts { packages: row.try_get(0)?, repeats: row.try_get(1)? })
            }
        }
    }

    fn dialect(&self) -> Dialect {
        match self {
            Self::Lite(_) => Dialect::Lite,
            Self::Pg(_) => Dialect::Pg,
        }
    }

    /// Notes that GIS was read an hour ago, so that the gateway does not begin to read by itself.
    pub async fn note_sync(&self, organization: Uuid) -> Result<(), Failure> {
        let statement = rows::sync_run(self.dialect(), organization, Utc::now());
        match self {
            Self::Lite(path) => open(path)?.batch_execute(&statement)?,
            Self::Pg(url) => connect(url).await?.batch_execute(&statement).await?,
        }
        Ok(())
    }

    /// Gives the organisation so many debt requests.
    pub async fn fill(&self, organization: Uuid, count: u32) -> Result<(), Failure> {
        let insert = rows::debt_requests(self.dialect(), organization, count, Utc::now());
        match self {
            Self::Lite(path) => fill_lite(path, &insert),
            Self::Pg(url) => fill_pg(url, &insert).await,
        }
    }
}

fn open(path: &Path) -> Result<SqliteConnection, Failure> {
    let path = path.to_str().ok_or("the temporary folder has a name that is no text")?;
    Ok(SqliteConnection::establish(path)?)
}

fn fill_lite(path: &Path, insert: &str) -> Result<(), Failure> {
    let mut conn = open(path)?;
    conn.batch_execute(
        "PRAGMA synchronous = OFF; PRAGMA cache_size = -262144; PRAGMA temp_store = MEMORY; BEGIN",
    )?;
    let indexes: Vec<Index> = sql_query(LITE_INDEXES).load(&mut conn)?;
    for index in &indexes {
        conn.batch_execute(&format!("DROP INDEX {}", index.name))?;
    }
    conn.batch_execute(insert)?;
    for index in &indexes {
        conn.batch_execute(&index.definition)?;
    }
    conn.batch_execute("COMMIT; ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)")?;
    drop(conn);
    // Otherwise the system writes it out during the measurements.
    File::open(path)?.sync_all()?;
    Ok(())
}

async fn fill_pg(url: &str, insert: &str) -> Result<(), Failure> {
    let client = connect(url).await?;
    let mut indexes = Vec::new();
    for row in client.query(PG_INDEXES, &[]).await? {
        indexes.push(Index { name: row.try_get(0)?, definition: row.try_get(1)? });
    }
    for index in &indexes {
        client.batch_execute(&format!("DROP INDEX {}", index.name)).await?;
    }
    client.batch_execute(insert).await?;
    for index in &indexes {
        client.batch_execute(&index.definition).await?;
    }
    client.batch_execute("VACUUM ANALYZE").await?;
    // Only a superuser may; without it the server writes out during the measurements.
    drop(client.batch_execute("CHECKPOINT").await);
    Ok(())
}

async fn connect(url: &str) -> Result<tokio_postgres::Client, Failure> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // What goes wrong with the connection goes wrong with the query on it as well.
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}
