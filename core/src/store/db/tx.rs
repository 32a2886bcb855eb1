//! A write transaction. It ends by [`Tx::commit`]; whatever else happens to it, a dropped future and a panic included,
//! rolls it back. What it reads may be of a transaction that is not stored yet, on SQLite ([`group`]): whoever tells his
//! client of it commits, even when he has written nothing.
//!
//! BEGIN, COMMIT and ROLLBACK are plain statements: the guard alone knows whether a transaction is open, and ROLLBACK
//! queues behind whatever the connection was doing when the guard was dropped.

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};

use diesel_async::SimpleAsyncConnection;

use super::conn::Pooled;
use super::{Conn, Db, group, soon};
use crate::jobs::name::JobName;
use crate::store::error::StoreError;

/// An open write transaction.
pub struct Tx {
    db: Db,
    /// Taken at the end and only there.
    conn: Option<Conn>,
    wakes: BTreeSet<JobName>,
}

impl Tx {
    pub(super) async fn begin(db: Db, conn: Conn) -> Result<Self, StoreError> {
        // The guard is there before the transaction: the caller may be dropped while BEGIN is under way.
        conn.run_here(true);
        let mut tx = Self { db, conn: Some(conn), wakes: BTreeSet::new() };
        let db = tx.db.clone();
        match &mut tx.0 {
            Pooled::Pg(conn) => conn.batch_execute("BEGIN").await?,
            Pooled::Lite(lite) => group::enter(&db, lite).await?,
        }
        Ok(tx)
    }

    /// Wakes a job once the transaction is committed, and only then.
    pub(crate) fn wake(&mut self, job: JobName) {
        self.wakes.insert(job);
    }

    /// Commits. Nothing is stored when this fails, unless the connection broke in the very moment; dropped, it may be.
    ///
    /// # Errors
    /// The database refused.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        let wakes = std::mem::take(&mut self.wakes);
        let notices = self.db.inner.wakes.notices(&wakes);
        let membership = match &mut self.0 {
            // PostgreSQL "commits" a transaction with a failed statement by rolling it back without a word; the SELECT
            // in front makes it say so.
            Pooled::Pg(conn) => {
                conn.batch_execute(&format!("{notices}; COMMIT")).await?;
                None
            }
            Pooled::Lite(lite) => Some(group::leave(lite, &wakes).await?),
        };
        self.conn = None;
        match membership {
            None => wakes.iter().for_each(|job| self.db.inner.wakes.send(*job)),
            Some(membership) => membership.stored().await?,
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
            let db = self.db.clone();
            self.db.inner.runtime.spawn(roll_back(db, conn));
        }
    }
}

/// The database stays open (its file locked) and the connection taken until the transaction is gone.
async fn roll_back(db: Db, mut conn: Conn) {
    let undo = async {
        match &mut conn.0 {
            Pooled::Pg(conn) => conn.batch_execute("ROLLBACK").await,
            Pooled::Lite(lite) => group::undo(lite).await,
        }
    };
    let done = soon(undo).await;
    match done {
        Ok(Ok(())) => drop(conn),
        Ok(Err(_)) | Err(_) => conn.discard(),
    }
    drop(db);
}
