//! Bringing the tables up to date. Several instances may start at once on PostgreSQL: an advisory lock lets one work.

use diesel::backend::Backend as DieselBackend;
use diesel::migration::Migration;
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Backend, Db, Pools};
use crate::clock::Clock;
use crate::error::Cause;
use crate::store::error::OpenError;
use crate::store::keys;

const LITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const PG: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// Any number that nobody else in the database locks: "debtgate" in ASCII.
const ADVISORY_LOCK: i64 = 0x6465_6274_6761_7465;

impl Db {
    /// Makes the tables and the first rows, or brings them up to date; does nothing where nothing is to be done.
    ///
    /// # Errors
    /// The database does not answer or refuses a step; steps before it stay.
    pub async fn migrate(&self, clock: &Clock) -> Result<(), OpenError> {
        self.with_harness(Work::Run).await?;
        let mut tx = self.begin().await?;
        keys::ensure(&mut tx, keys::CURSOR, clock.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The names of the steps that [`migrate`](Self::migrate) would take.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, OpenError> {
        self.with_harness(Work::Look).await
    }

    async fn with_harness(&self, work: Work) -> Result<Vec<String>, OpenError> {
        match &self.inner.pools {
            Pools::Lite { .. } => self.lite(work).await,
            Pools::Pg { server, .. } => {
                let conn = server.connect().await.map_err(|error| OpenError::Connect(Box::new(error)))?;
                pg(conn, work).await
            }
        }
        .map_err(OpenError::Migrate)
    }

    async fn lite(&self, work: Work) -> Result<Vec<String>, Cause> {
        let mut conn = self.writer().await?;
        match conn.backend() {
            Backend::Lite(conn) => conn.spawn_blocking(move |conn| Ok(work.on(conn, LITE))).await?,
            Backend::Pg(_) => Ok(Vec::new()),
        }
    }
}

/// The lock ends with the connection, which is our own and not the pool's.
async fn pg(mut conn: AsyncPgConnection, work: Work) -> Result<Vec<String>, Cause> {
    conn.batch_execute(&format!("SELECT pg_advisory_lock({ADVISORY_LOCK})")).await?;
    let mut harness = AsyncMigrationHarness::new(conn);
    tokio::task::spawn_blocking(move || work.on(&mut harness, PG)).await?
}

#[derive(Clone, Copy)]
enum Work {
    Run,
    Look,
}

impl Work {
    fn on<DB, H>(self, harness: &mut H, steps: EmbeddedMigrations) -> Result<Vec<String>, Cause>
    where
        DB: DieselBackend,
        H: MigrationHarness<DB>,
        EmbeddedMigrations: diesel::migration::MigrationSource<DB>,
    {
        match self {
            Self::Run => Ok(harness.run_pending_migrations(steps)?.iter().map(ToString::to_string).collect()),
            Self::Look => {
                Ok(harness.pending_migrations(steps)?.iter().map(|step| step.name().to_string()).collect())
            }
        }
    }
}
