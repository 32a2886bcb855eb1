//! Operations that clients watch and stop (`api.md` §12.1); bulk answers and automatic ones
//! begin them, the job `operations` ends them.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::Service;
use crate::domain::answer::LastError;
use crate::domain::caller::{Caller, Scope};
use crate::domain::event::{EventKind, NewEvent};
use crate::domain::operation::{Operation, OperationItem, OperationKind, OperationStatus, Outcome, Tally};
use crate::error::{Code, Error, Result};
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
    /// Newest first, after (`created_at`, `id`): all that the caller may read.
    ///
    /// # Errors
    /// Neither of the scopes `answers:read` and `answers:write` is there.
    pub async fn list_operations(
        &self,
        caller: &Caller,
        after: Option<(DateTime<Utc>, OperationId)>,
        limit: i64,
    ) -> Result<Vec<OperationDetails>> {
        let author = only_of(caller)?;
        let mut conn = self.db.scan().await?;
        let page = operations::page(&mut conn, caller.organization, author.as_deref(), after, limit).await?;
        let ids: Vec<_> = page.iter().map(|operation| operation.id).collect();
        let mut tallies = operations::tallies(&mut conn, &ids).await?;
        let with_tally = |operation: Operation| {
            let tally = tallies.remove(&operation.id).unwrap_or_default();
            OperationDetails { operation, tally }
        };
        Ok(page.into_iter().map(with_tally).collect())
    }

    /// One operation.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get_operation(&self, caller: &Caller, id: OperationId) -> Result<OperationDetails> {
        let mut conn = self.db.scan().await?;
        let operation = readable(&mut conn, caller, id).await?;
        details(&mut conn, operation).await
    }

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
        readable(&mut conn, caller, id).await?;
        let found = operations::items(&mut conn, id, outcome, after, limit).await?;
        let items =
            found.into_iter().map(|(item, outcome, last_error)| ItemDetails { item, outcome, last_error });
        Ok(items.collect())
    }

    /// Takes back what of an operation still waits in the queue. What was sent goes its way.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Code::StateConflict`] when it has ended.
    pub async fn cancel_operation(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: OperationId,
    ) -> Result<OperationDetails> {
        caller.need(Scope::AnswersSubmit)?;
        operations::get(tx, caller.organization, id).await?.ok_or(Error::NotFound)?;
        let mut operation = operations::lock(tx, id).await?.ok_or(Error::NotFound)?;
        match operation.status {
            OperationStatus::Running => {}
            // Clients repeat requests by themselves: what is done already is no conflict.
            OperationStatus::Cancelled => return details(tx, operation).await,
            OperationStatus::Succeeded | OperationStatus::CompletedWithErrors => {
                let detail = format!("операция уже закончена: {}", operation.status.label());
                return Err(Error::conflict(Code::StateConflict, detail, None));
            }
        }
        let waiting = operations::queued_answers(tx, id).await?;
        self.cancel_answers(tx, caller, &waiting).await?;
        operation.status = OperationStatus::Cancelled;
        end(tx, &mut operation, self.clock.now()).await?;
        details(tx, operation).await
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
async fn readable(conn: &mut Conn, caller: &Caller, id: OperationId) -> Result<Operation> {
    let author = only_of(caller)?;
    let operation = operations::get(conn, caller.organization, id).await?;
    let his = |operation: &Operation| author.is_none_or(|author| author == operation.author);
    operation.filter(his).ok_or(Error::NotFound)
}

/// Begins an operation on some items; one on which nothing goes on by itself has ended at once.
pub(crate) async fn begin(
    conn: &mut Conn,
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
    operations::insert(conn, &operation).await?;
    operations::insert_items(conn, operation.id, items).await?;
    let found = details(conn, operation.clone()).await?;
    operation.status = found.tally.status();
    if operation.status == OperationStatus::Running {
        return Ok(found);
    }
    end(conn, &mut operation, now).await?;
    Ok(OperationDetails { operation, ..found })
}

/// The operation with what its items have come to.
pub(crate) async fn details(conn: &mut Conn, operation: Operation) -> Result<OperationDetails> {
    let tally = operations::tally(conn, operation.id).await?;
    Ok(OperationDetails { operation, tally })
}

/// Ends an operation whose status says how, and tells of it.
pub(crate) async fn end(conn: &mut Conn, operation: &mut Operation, now: DateTime<Utc>) -> Result<()> {
    operation.finished_at = Some(now);
    operations::update(conn, operation).await?;
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
    events::append(conn, &[event], now).await?;
    Ok(())
}
