//! The items of operations, each with where its answer stands.

use std::collections::HashMap;

use diesel::dsl::count_star;
use diesel::{
    ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl, QueryResult, SelectableHelper,
};
use diesel_async::RunQueryDsl;

use super::rows::ItemRow;
use crate::domain::answer::{LastError, State};
use crate::domain::operation::{Intake, OperationItem, Outcome, Tally};
use crate::ids::{AnswerId, DebtRequestId, OperationId};
use crate::store::db::{both, insert_batch};
use crate::store::json::AsJson;
use crate::store::schema::{answers, operation_items};
use crate::store::{Conn, StoreError};

/// An item, what it has come to, and what GIS or we say of its answer.
pub(crate) type ItemNow = (OperationItem, Outcome, Option<LastError>);

/// What becomes an answer.
pub(super) const MADE: [Intake; 2] = [Intake::Drafted, Intake::Queued];

/// Items with their answers, where they have one that still exists.
macro_rules! with_answers {
    () => {
        operation_items::table
            .left_join(answers::table.on(operation_items::answer_id.eq(answers::id.nullable())))
    };
}

/// The items of an operation in a query around whose answers go on by themselves.
macro_rules! pending_items {
    () => {
        operation_items::table
            .inner_join(answers::table.on(operation_items::answer_id.eq(answers::id.nullable())))
            .filter(operation_items::operation_id.eq(operations::id))
            .filter(operation_items::intake.eq_any($crate::store::operations::items::MADE))
            .filter(answers::state.eq_any($crate::store::operations::items::pending_states()))
    };
}

/// The states of [`Outcome::is_pending`].
pub(super) fn pending_states() -> Vec<State> {
    State::ALL.iter().copied().filter(|state| Outcome::Answer(*state).is_pending()).collect()
}

/// Stores the items of a new operation.
pub(crate) async fn insert_items(
    conn: &mut Conn,
    operation: OperationId,
    items: Vec<OperationItem>,
) -> Result<(), StoreError> {
    let rows = items.into_iter().map(|item| ItemRow::of(operation, item)).collect();
    insert_batch!(conn, rows, |batch| diesel::insert_into(operation_items::table).values(batch))?;
    Ok(())
}

/// Items in their order after a place, those that have come to something if that is given.
pub(crate) async fn items(
    conn: &mut Conn,
    operation: OperationId,
    outcome: Option<Outcome>,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<ItemNow>, StoreError> {
    type Row = (ItemRow, Option<State>, Option<AsJson<LastError>>);
    let rows: QueryResult<Vec<Row>> = both!(conn, c => {
        let mut query = with_answers!()
            .filter(operation_items::operation_id.eq(operation))
            .order(operation_items::place)
            .limit(limit)
            .select((ItemRow::as_select(), answers::state.nullable(), answers::last_error.nullable()))
            .into_boxed();
        if let Some(place) = after {
            query = query.filter(operation_items::place.gt(place));
        }
        query = match outcome {
            None => query,
            Some(Outcome::Refused) => query.filter(operation_items::intake.eq(Intake::Refused)),
            Some(Outcome::Unchanged) => query.filter(operation_items::intake.eq(Intake::Unchanged)),
            Some(Outcome::Skipped) => query.filter(operation_items::intake.eq(Intake::Skipped)),
            Some(Outcome::Answer(state)) => {
                query.filter(operation_items::intake.eq_any(MADE)).filter(answers::state.eq(state))
            }
            Some(Outcome::Deleted) => {
                query.filter(operation_items::intake.eq_any(MADE)).filter(answers::id.is_null())
            }
        };
        query.load(c).await
    });
    let now = |(item, state, error): Row| {
        let item = OperationItem::from(item);
        let outcome = Outcome::of(item.intake, state);
        (item, outcome, error.map(|AsJson(error)| error))
    };
    Ok(rows?.into_iter().map(now).collect())
}

/// How many items have come to what.
pub(crate) async fn tally(conn: &mut Conn, operation: OperationId) -> Result<Tally, StoreError> {
    Ok(tallies(conn, &[operation]).await?.remove(&operation).unwrap_or_default())
}

/// The same of several operations, in one question; an operation without items is not among them.
pub(crate) async fn tallies(
    conn: &mut Conn,
    operations: &[OperationId],
) -> Result<HashMap<OperationId, Tally>, StoreError> {
    let rows: Vec<(OperationId, Intake, Option<State>, i64)> = both!(conn, c => {
        with_answers!()
            .filter(operation_items::operation_id.eq_any(operations))
            .group_by((operation_items::operation_id, operation_items::intake, answers::state))
            .select((
                operation_items::operation_id,
                operation_items::intake,
                answers::state.nullable(),
                count_star(),
            ))
            .load(c)
            .await
    })?;
    let mut tallies: HashMap<OperationId, Tally> = HashMap::new();
    for (operation, intake, state, count) in rows {
        tallies.entry(operation).or_default().add(Outcome::of(intake, state), count);
    }
    Ok(tallies)
}

/// The answers that the operation made and that wait in the queue, with their debt requests.
pub(crate) async fn queued_answers(
    conn: &mut Conn,
    operation: OperationId,
) -> Result<Vec<(DebtRequestId, AnswerId)>, StoreError> {
    Ok(both!(conn, c => {
        operation_items::table
            .inner_join(answers::table.on(operation_items::answer_id.eq(answers::id.nullable())))
            .filter(operation_items::operation_id.eq(operation))
            .filter(operation_items::intake.eq(Intake::Queued))
            .filter(answers::state.eq(State::Queued))
            .order(operation_items::place)
            .select((answers::debt_request_id, answers::id))
            .load(c)
            .await
    })?)
}

pub(super) use pending_items;
