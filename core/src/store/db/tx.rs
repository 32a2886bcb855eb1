//! A write transaction. It ends by [`Tx::commit`]; whatever else happens to it, a dropped future and a panic included,
//! rolls it back.
//!
//! BEGIN, COMMIT and ROLLBACK are plain statements: the guard alone knows whether a transaction is open, and ROLLBACK
//! queues behind whatever the connection was doing when the guard was dropped.

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};

use diesel_async::SimpleAsyncConnection;
use tokio::sync::OwnedMutexGuard;

use super::{Backend, Conn, Db, both, soon};
use crate::jobs::name::JobName;
use crate::store::error::StoreError;

/// An open write transaction.
pub struct Tx {
    db: Db,
    /// Taken at the end and only there.
    conn: Option<Conn>,
    /// The turn to write in SQLite; kept until the transaction has really ended.
    turn: Option<OwnedMutexGuard<()>>,
    wakes: BTreeSet<JobName>,
}

impl Tx {
    pub(super) async fn begin(
        db: Db,
        conn: Conn,
        turn: Option<OwnedMutexGuard<()>>,
    ) -> Result<Self, StoreError> {
        // The guard is there before the transaction: the caller may be dropped while BEGIN is under way.
        let mut tx = Self { db, conn: Some(conn), turn, wakes: BTreeSet::new() };
        match tx.backend() {
            Backend::Pg(conn) => conn.batch_execute("BEGIN").await,
            Backend::Lite(conn) => conn.batch_execute("BEGIN IMMEDIATE").await,
        }?;
        Ok(tx)
    }

    /// Wakes a job once the transaction is committed, and only then.
    pub(crate) fn wake(&mut self, job: JobName) {
        self.wakes.insert(job);
    }

    /// Commits. Nothing is stored when this fails or is dropped, unless the connection broke in the very moment.
    ///
    /// # Errors
    /// The database refused.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        let notices = self.db.inner.wakes.notices(&self.wakes);
        match self.backend() {
            // PostgreSQL "commits" a transaction with a failed statement by rolling it back without a word; the SELECT
            // in front makes it say so.
            Backend::Pg(conn) => conn.batch_execute(&format!("{notices}; COMMIT")).await,
            Backend::Lite(conn) => conn.batch_execute("COMMIT").await,
        }?;
        self.conn = None;
        self.turn = None;
        for job in &self.wakes {
            self.db.inner.wakes.send(*job);
        }
        Ok(())
    }
}

impl Deref for Tx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        self.conn.as_ref().unwrap_or_else(|| unreachable!("a transaction has its connection until it ends"))
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        self.conn.as_mut().unwrap_or_else(|| unreachable!("a transaction has its connection until it ends"))
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            let turn = self.turn.take();
            let db = self.db.clone();
            self.db.inner.runtime.spawn(roll_back(db, conn, turn));
        }
    }
}

/// The database stays open (its file locked) and the turn taken until the transaction is gone.
async fn roll_back(db: Db, mut conn: Conn, turn: Option<OwnedMutexGuard<()>>) {
    let done = soon(async { both!(conn, c => c.batch_execute("ROLLBACK").await) }).await;
    match done {
        Ok(Ok(())) => drop(conn),
        Ok(Err(_)) | Err(_) => conn.discard(),
    }
    drop(turn);
    drop(db);
}
