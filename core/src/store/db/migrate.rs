//! Bringing the tables up to date. Several instances may start at once on PostgreSQL: an advisory lock lets one work.

use diesel::backend::Backend as DieselBackend;
use diesel::migration::{Migration, MigrationSource};
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
    /// A newer program has taken steps that are unknown here; the database does not answer or refuses a step: steps before
    /// it stay.
    pub async fn migrate(&self, clock: &Clock) -> Result<(), OpenError> {
        let unknown = self.unknown_migrations().await?;
        if !unknown.is_empty() {
            return Err(OpenError::Newer(unknown));
        }
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

    /// The versions of steps that were taken and are unknown here: a newer program has changed the tables, and this one had
    /// better leave them alone.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn unknown_migrations(&self) -> Result<Vec<String>, OpenError> {
        self.with_harness(Work::Compare).await
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
    Compare,
}

impl Work {
    fn on<DB, H>(self, harness: &mut H, steps: EmbeddedMigrations) -> Result<Vec<String>, Cause>
    where
        DB: DieselBackend,
        H: MigrationHarness<DB>,
        EmbeddedMigrations: MigrationSource<DB>,
    {
        match self {
            Self::Run => Ok(harness.run_pending_migrations(steps)?.iter().map(ToString::to_string).collect()),
            Self::Look => {
                Ok(harness.pending_migrations(steps)?.iter().map(|step| step.name().to_string()).collect())
            }
            Self::Compare => {
                let known: Vec<_> =
                    steps.migrations()?.iter().map(|step| step.name().version().as_owned()).collect();
                let mut taken = harness.applied_migrations()?;
                taken.retain(|version| !known.contains(version));
                taken.sort_unstable();
                Ok(taken.iter().map(ToString::to_string).collect())
            }
        }
    }
}
