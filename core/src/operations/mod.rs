//! Long work that clients watch and stop (`api.md` §12.1). Here are the operations that bulk answers and automatic ones
//! begin and that the job `operations` ends; `all` lists them with exports, imports, matches and readings of GIS, `cancel`
//! stops any of them.

mod all;
mod cancel;
#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

pub use self::all::LongWork;
use crate::Service;
use crate::domain::answer::LastError;
use crate::domain::caller::{Caller, Scope};
use crate::domain::event::{EventKind, NewEvent};
use crate::domain::operation::{Operation, OperationItem, OperationKind, OperationStatus, Outcome, Tally};
use crate::error::{Error, Result};
use crate::ids::OperationId;
use crate::store::{Conn, Tx, events, operations};

/// An operation with what its items have come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationDetails {
    /// The operation.
    pub operation: Operation,
    /// What its items have come to.
    pub tally: Tally,
}

/// An item with what it has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemDetails {
    /// The item.
    pub item: OperationItem,
    /// What it has come to.
    pub outcome: Outcome,
    /// Why its answer was refused, or waits.
    pub last_error: Option<LastError>,
}

impl Service {
    /// The items of an operation in their order, after a place; all, or those that have come to something.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn list_operation_items(
        &self,
        caller: &Caller,
        id: OperationId,
        outcome: Option<Outcome>,
        after: Option<i64>,
        limit: i64,
    ) -> Result<Vec<ItemDetails>> {
        let mut conn = self.db.scan().await?;
        readable(&mut conn, caller, id).await?.ok_or(Error::NotFound)?;
        let found = operations::items(&mut conn, id, outcome, after, limit).await?;
        let items =
            found.into_iter().map(|(item, outcome, last_error)| ItemDetails { item, outcome, last_error });
        Ok(items.collect())
    }

    /// When work that ended at a time is deleted with its files.
    #[must_use]
    pub fn kept_until(&self, ended: DateTime<Utc>) -> DateTime<Utc> {
        let kept = TimeDelta::from_std(self.settings.retention.operations).unwrap_or(TimeDelta::MAX);
        ended.checked_add_signed(kept).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

/// Whose operations a caller may read, `None` for everybody's: who reads answers reads all; who may only write them has to
/// know what became of his own (`api.md` §4.1).
fn only_of(caller: &Caller) -> Result<Option<String>> {
    let reads = caller.scopes.allow(Scope::AnswersRead);
    if !reads && caller.scopes.allow(Scope::AnswersWrite) {
        return Ok(Some(caller.author()));
    }
    caller.need(Scope::AnswersRead)?;
    Ok(None)
}

/// An operation that the caller may read; any other one does not exist for him.
async fn readable(conn: &mut Conn, caller: &Caller, id: OperationId) -> Result<Option<Operation>> {
    let author = only_of(caller)?;
    let operation = operations::get(conn, caller.organization, id).await?;
    Ok(operation.filter(|operation| is_by(operation, author.as_deref())))
}

/// Whether it is by an author; `None` is anybody.
fn is_by(operation: &Operation, author: Option<&str>) -> bool {
    author.is_none_or(|author| author == operation.author)
}

/// Begins an operation on some items; one on which nothing goes on by itself has ended at once.
pub(crate) async fn begin(
    tx: &mut Tx,
    caller: &Caller,
    kind: OperationKind,
    items: Vec<OperationItem>,
    now: DateTime<Utc>,
) -> Result<OperationDetails> {
    let mut operation = Operation {
        id: OperationId::generate(),
        organization: caller.organization,
        kind,
        status: OperationStatus::Running,
        started_by: caller.subject.clone(),
        author: caller.author(),
        total: i64::try_from(items.len()).unwrap_or(i64::MAX),
        created_at: now,
        finished_at: None,
    };
    operations::insert(tx, &operation).await?;
    operations::insert_items(tx, operation.id, items).await?;
    let found = details(tx, operation.clone()).await?;
    operation.status = found.tally.status();
    if operation.status == OperationStatus::Running {
        return Ok(found);
    }
    end(tx, &mut operation, now).await?;
    Ok(OperationDetails { operation, ..found })
}

/// The operation with what its items have come to.
async fn details(conn: &mut Conn, operation: Operation) -> Result<OperationDetails> {
    let tally = operations::tally(conn, operation.id).await?;
    Ok(OperationDetails { operation, tally })
}

/// Ends an operation whose status says how, and tells of it.
pub(crate) async fn end(tx: &mut Tx, operation: &mut Operation, now: DateTime<Utc>) -> Result<()> {
    operation.finished_at = Some(now);
    operations::update(tx, operation).await?;
    let event = NewEvent {
        organization: operation.organization,
        kind: EventKind::OperationCompleted,
        debt_request: None,
        answer: None,
        data: json!({
            "operation_id": operation.id,
            "kind": operation.kind.as_str(),
            "status": operation.status.as_str(),
        }),
    };
    events::append(tx, &[event], now).await?;
    Ok(())
}
