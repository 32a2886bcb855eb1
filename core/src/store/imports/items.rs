//! What became of the answers of imports, each with where its answer stands.

use std::collections::{HashMap, HashSet};

use diesel::dsl::count_star;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl, QueryResult,
    SelectableHelper,
};
use diesel_async::RunQueryDsl;

use super::rows::RowRecord;
use crate::domain::answer::{LastError, State};
use crate::domain::import::{Import, ImportMode, ImportRow};
use crate::domain::operation::{Intake, Outcome, Tally};
use crate::ids::ImportId;
use crate::store::db::{both, insert_batch};
use crate::store::json::AsJson;
use crate::store::schema::{answers, import_rows};
use crate::store::{Conn, StoreError};

/// A row, what it has come to, and what GIS or we say of its answer.
pub(crate) type RowNow = (ImportRow, Outcome, Option<LastError>);

/// Rows with their answers, where they have one that still exists.
macro_rules! with_answers {
    () => {
        import_rows::table.left_join(answers::table.on(import_rows::answer_id.eq(answers::id.nullable())))
    };
}

/// Stores what became of some answers.
pub(crate) async fn insert_rows(
    conn: &mut Conn,
    import: ImportId,
    rows: Vec<ImportRow>,
) -> Result<(), StoreError> {
    let rows = rows.into_iter().map(|row| RowRecord::of(import, row)).collect();
    insert_batch!(conn, rows, |batch| diesel::insert_into(import_rows::table).values(batch))?;
    Ok(())
}

/// Forgets what a preview, or a try that was broken off, has found.
pub(crate) async fn delete_rows(conn: &mut Conn, import: ImportId) -> Result<(), StoreError> {
    both!(conn, c => {
        diesel::delete(import_rows::table.filter(import_rows::import_id.eq(import))).execute(c).await
    })?;
    Ok(())
}

/// Deletes the first rows, at most so many; how many these were, and whether there are no more.
pub(super) async fn delete_some_rows(
    conn: &mut Conn,
    import: ImportId,
    limit: i64,
) -> Result<(usize, bool), StoreError> {
    let some: Vec<i64> = both!(conn, c => {
        import_rows::table
            .filter(import_rows::import_id.eq(import))
            .order(import_rows::row_number)
            .limit(limit)
            .select(import_rows::row_number)
            .load(c)
            .await
    })?;
    let Some(last) = some.last().copied() else { return Ok((0, true)) };
    let deleted = both!(conn, c => {
        let first = import_rows::table
            .filter(import_rows::import_id.eq(import))
            .filter(import_rows::row_number.le(last));
        diesel::delete(first).execute(c).await
    })?;
    let is_last = i64::try_from(some.len()).is_ok_and(|count| count < limit);
    Ok((deleted, is_last))
}

/// Rows in their order after one, those that have come to something if that is given.
pub(crate) async fn rows(
    conn: &mut Conn,
    import: ImportId,
    outcome: Option<Outcome>,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<RowNow>, StoreError> {
    type Row = (RowRecord, Option<State>, Option<AsJson<LastError>>);
    let made = [Intake::Drafted, Intake::Queued];
    let rows: QueryResult<Vec<Row>> = both!(conn, c => {
        let mut query = with_answers!()
            .filter(import_rows::import_id.eq(import))
            .order(import_rows::row_number)
            .limit(limit)
            .select((RowRecord::as_select(), answers::state.nullable(), answers::last_error.nullable()))
            .into_boxed();
        if let Some(row) = after {
            query = query.filter(import_rows::row_number.gt(row));
        }
        query = match outcome {
            None => query,
            Some(Outcome::Refused) => query.filter(import_rows::intake.eq(Intake::Refused)),
            Some(Outcome::Unchanged) => query.filter(import_rows::intake.eq(Intake::Unchanged)),
            Some(Outcome::Skipped) => query.filter(import_rows::intake.eq(Intake::Skipped)),
            Some(Outcome::Answer(state)) => match foreseen(state) {
                None => query.filter(import_rows::intake.eq_any(made)).filter(answers::state.eq(state)),
                Some(intake) => query.filter(import_rows::intake.eq_any(made)).filter(
                    answers::state
                        .nullable()
                        .is_not_null()
                        .and(answers::state.nullable().assume_not_null().eq(state))
                        .or(import_rows::answer_id.is_null().and(import_rows::intake.eq(intake))),
                ),
            },
            Some(Outcome::Deleted) => query
                .filter(import_rows::intake.eq_any(made))
                .filter(import_rows::answer_id.is_not_null())
                .filter(answers::id.is_null()),
        };
        query.load(c).await
    });
    let now = |(row, state, error): Row| {
        let row = ImportRow::from(row);
        let outcome = now(&row, state);
        (row, outcome, error.map(|AsJson(error)| error))
    };
    Ok(rows?.into_iter().map(now).collect())
}

/// How many rows have come to what, or would.
pub(crate) async fn tally(conn: &mut Conn, import: &Import) -> Result<Tally, StoreError> {
    Ok(tallies(conn, &[import]).await?.remove(&import.id).unwrap_or_default())
}

/// The same of several imports, in one question; an import without rows is not among them.
pub(crate) async fn tallies(
    conn: &mut Conn,
    imports: &[&Import],
) -> Result<HashMap<ImportId, Tally>, StoreError> {
    let ids: Vec<ImportId> = imports.iter().map(|import| import.id).collect();
    // These have made no answers.
    let previews = imports.iter().filter(|import| import.mode == ImportMode::Preview);
    let previews: HashSet<ImportId> = previews.map(|import| import.id).collect();
    let rows: Vec<(ImportId, Intake, Option<State>, i64)> = both!(conn, c => {
        with_answers!()
            .filter(import_rows::import_id.eq_any(&ids))
            .group_by((import_rows::import_id, import_rows::intake, answers::state))
            .select((import_rows::import_id, import_rows::intake, answers::state.nullable(), count_star()))
            .load(c)
            .await
    })?;
    let mut tallies: HashMap<ImportId, Tally> = HashMap::new();
    for (import, intake, state, count) in rows {
        let state = if previews.contains(&import) { state.or(expected(intake)) } else { state };
        tallies.entry(import).or_default().add(Outcome::of(intake, state), count);
    }
    Ok(tallies)
}

fn now(row: &ImportRow, state: Option<State>) -> Outcome {
    let state = match row.answer {
        Some(_) => state,
        None => expected(row.intake),
    };
    Outcome::of(row.intake, state)
}

/// The state of the answer that a preview foresees.
const fn expected(intake: Intake) -> Option<State> {
    match intake {
        Intake::Drafted => Some(State::Draft),
        Intake::Queued => Some(State::Queued),
        Intake::Refused | Intake::Unchanged | Intake::Skipped => None,
    }
}

/// How a preview foresees a state.
const fn foreseen(state: State) -> Option<Intake> {
    match state {
        State::Draft => Some(Intake::Drafted),
        State::Queued => Some(Intake::Queued),
        State::Prepared
        | State::Sending
        | State::Accepted
        | State::Uncertain
        | State::Delivered
        | State::Rejected
        | State::Revoking
        | State::Revoked
        | State::Cancelled
        | State::Superseded => None,
    }
}
