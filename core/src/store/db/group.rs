//! SQLite: write transactions that wait for each other are committed together. What a commit costs is the disk, nearly
//! whatever is written, and pages that several of them change are then written once.
//!
//! The first of a group asks for the connection once more, behind everybody who waits for it already. Those work in the
//! same transaction of SQLite, each in a savepoint of its own, and when the connection comes round it is committed for all.
//! Where nobody waits, that is at once. Nobody is told that something is stored before that; when it cannot be, all of the
//! group are told so, for each may have built on what the ones before it did.

use std::collections::BTreeSet;

use deadpool::managed;
use diesel_async::SimpleAsyncConnection;
use tokio::sync::watch;

use super::sqlite::{Lite, LiteManager};
use super::{Db, Pools};
use crate::jobs::name::JobName;
use crate::store::error::StoreError;

/// What is committed together; it lives with the connection.
#[derive(Debug)]
pub(super) struct Group {
    /// Becomes true with the commit; gone without it, nothing was stored.
    stored: watch::Sender<bool>,
    /// The jobs to wake then.
    wakes: BTreeSet<JobName>,
}

/// The wait of a transaction for its group.
pub(super) struct Membership(watch::Receiver<bool>);

// A member works in a savepoint; the first of a group begins the transaction too.
const BEGIN_FIRST: &str = "BEGIN IMMEDIATE; SAVEPOINT member";
const BEGIN: &str = "SAVEPOINT member";
const END: &str = "RELEASE member";
const UNDO: &str = "ROLLBACK TO member; RELEASE member";

/// Begins a transaction in the group of the connection, or a new group.
pub(super) async fn enter(db: &Db, lite: &mut Lite) -> Result<(), StoreError> {
    if lite.group.is_some() {
        lite.conn.batch_execute(BEGIN).await?;
        return Ok(());
    }
    lite.conn.batch_execute(BEGIN_FIRST).await?;
    lite.group = Some(Group { stored: watch::Sender::new(false), wakes: BTreeSet::new() });
    db.inner.runtime.spawn(close(db.clone()));
    Ok(())
}

/// Ends a transaction; it is stored when its [`Membership`] says so.
pub(super) async fn leave(lite: &mut Lite, wakes: &BTreeSet<JobName>) -> Result<Membership, StoreError> {
    lite.conn.batch_execute(END).await?;
    let group = lite.group.as_mut().ok_or_else(not_stored)?;
    group.wakes.extend(wakes);
    Ok(Membership(group.stored.subscribe()))
}

/// Undoes a transaction; the others of its group stay.
pub(super) async fn undo(lite: &mut Lite) -> diesel::QueryResult<()> {
    lite.conn.batch_execute(UNDO).await
}

impl Membership {
    pub(super) async fn stored(mut self) -> Result<(), StoreError> {
        self.0.wait_for(|stored| *stored).await.map(drop).map_err(StoreError::unavailable)
    }
}

/// Commits the group that is there when the connection comes round. It waits for as long as it takes: those before it are
/// the group.
async fn close(db: Db) {
    let Pools::Lite { writer, .. } = &db.inner.pools else { return };
    // A connection that cannot be had was closed, and its group with it.
    let Ok(mut lite) = writer.get().await else { return };
    let Some(group) = lite.group.take() else { return };
    // It waits for the disk.
    lite.run_here(false);
    if let Err(error) = lite.conn.batch_execute("COMMIT").await {
        tracing::error!(%error, "a group of transactions cannot be committed");
        drop(managed::Object::<LiteManager>::take(lite));
        return;
    }
    drop(lite);
    group.wakes.iter().for_each(|job| db.inner.wakes.send(*job));
    // Whoever hears it may close the database and open it again.
    drop(db);
    group.stored.send_replace(true);
}

fn not_stored() -> StoreError {
    StoreError::unavailable("the transaction was undone by the database")
}
