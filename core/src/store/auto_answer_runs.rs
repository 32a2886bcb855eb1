//! Runs of automatic answers: at most one a day for an organisation.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::db::{both, holding};
use super::json::AsJson;
use super::schema::auto_answer_runs as table;
use super::types::Ts;
use super::{Conn, StoreError};
use crate::domain::auto_answer::AutoAnswerRun;
use crate::ids::{MessageId, OrganizationId};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = table, treat_none_as_default_value = false, treat_none_as_null = true)]
#[diesel(primary_key(organization_id, run_on))]
struct RunRow {
    organization_id: OrganizationId,
    run_on: NaiveDate,
    began_at: Ts,
    asked_at: Option<Ts>,
    looks: AsJson<Vec<MessageId>>,
    finished_at: Option<Ts>,
}

impl From<AutoAnswerRun> for RunRow {
    fn from(run: AutoAnswerRun) -> Self {
        Self {
            organization_id: run.organization,
            run_on: run.run_on,
            began_at: Ts(run.began_at),
            asked_at: run.asked_at.map(Ts),
            looks: AsJson(run.looks),
            finished_at: run.finished_at.map(Ts),
        }
    }
}

impl From<RunRow> for AutoAnswerRun {
    fn from(row: RunRow) -> Self {
        Self {
            organization: row.organization_id,
            run_on: row.run_on,
            began_at: row.began_at.0,
            asked_at: row.asked_at.map(|Ts(at)| at),
            looks: row.looks.0,
            finished_at: row.finished_at.map(|Ts(at)| at),
        }
    }
}

/// Begins a run; `false` when the day has one.
pub(crate) async fn insert(conn: &mut Conn, run: &AutoAnswerRun) -> Result<bool, StoreError> {
    let row = RunRow::from(run.clone());
    let hit = both!(conn, c => {
        diesel::insert_into(table::table).values(row).on_conflict_do_nothing().execute(c).await
    })?;
    Ok(hit > 0)
}

/// Stores where a run stands.
pub(crate) async fn update(conn: &mut Conn, run: &AutoAnswerRun) -> Result<(), StoreError> {
    let row = RunRow::from(run.clone());
    let key = (run.organization, run.run_on);
    let hit = both!(conn, c => diesel::update(table::table.find(key)).set(row).execute(c).await)?;
    StoreError::unless_hit(hit)
}

/// Whether a day has a run, ended or not.
pub(crate) async fn exists(
    conn: &mut Conn,
    organization: OrganizationId,
    run_on: NaiveDate,
) -> Result<bool, StoreError> {
    let found: Option<NaiveDate> = both!(conn, c => {
        table::table.find((organization, run_on)).select(table::run_on).first(c).await.optional()
    })?;
    Ok(found.is_some())
}

/// A run, held until the transaction ends.
pub(crate) async fn lock(
    conn: &mut Conn,
    organization: OrganizationId,
    run_on: NaiveDate,
) -> Result<Option<AutoAnswerRun>, StoreError> {
    let row: Option<RunRow> =
        holding!(conn, table::table.find((organization, run_on)).select(RunRow::as_select()), |query, c| {
            query.first(c).await.optional()
        })?;
    Ok(row.map(AutoAnswerRun::from))
}

/// Those that have not ended, the oldest first.
pub(crate) async fn unfinished(conn: &mut Conn) -> Result<Vec<AutoAnswerRun>, StoreError> {
    let rows: Vec<RunRow> = both!(conn, c => {
        table::table
            .filter(table::finished_at.is_null())
            .order((table::began_at, table::organization_id))
            .select(RunRow::as_select())
            .load(c)
            .await
    })?;
    Ok(rows.into_iter().map(AutoAnswerRun::from).collect())
}

/// Deletes runs that ended before a time.
pub(crate) async fn delete_before(conn: &mut Conn, time: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(both!(conn, c => {
        diesel::delete(table::table.filter(table::finished_at.lt(Ts(time)))).execute(c).await
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples::{at, day, stored_organization};
    use crate::store::test_db::for_both;

    #[test]
    fn a_day_has_one_run() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let ours = stored_organization(&mut tx).await;
            let mut run = AutoAnswerRun::new(ours, day(9), at(1));
            assert!(!exists(&mut tx, ours, day(9)).await.unwrap());
            assert!(insert(&mut tx, &run).await.unwrap());
            assert!(!insert(&mut tx, &run).await.unwrap());
            assert!(exists(&mut tx, ours, day(9)).await.unwrap());
            run.asked_at = Some(at(2));
            run.looks = vec![MessageId::generate()];
            update(&mut tx, &run).await.unwrap();
            assert_eq!(lock(&mut tx, ours, day(9)).await.unwrap(), Some(run.clone()));
            assert_eq!(lock(&mut tx, ours, day(10)).await.unwrap(), None);
            let next = AutoAnswerRun::new(ours, day(10), at(3));
            assert!(insert(&mut tx, &next).await.unwrap());
            assert_eq!(unfinished(&mut tx).await.unwrap(), [run.clone(), next.clone()]);
            run.finished_at = Some(at(4));
            update(&mut tx, &run).await.unwrap();
            assert_eq!(unfinished(&mut tx).await.unwrap(), [next]);
            assert_eq!(delete_before(&mut tx, at(4)).await.unwrap(), 0);
            assert_eq!(delete_before(&mut tx, at(5)).await.unwrap(), 1);
            assert_eq!(lock(&mut tx, ours, day(9)).await.unwrap(), None);
        });
    }
}
