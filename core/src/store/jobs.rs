//! The last activation of each job.

use chrono::{DateTime, Utc};
use diesel::dsl::max;
use diesel::upsert::excluded;
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use serde_json::Value;

use super::db::both;
use super::schema::jobs;
use super::types::{Json, Ts};
use super::{Conn, StoreError};
use crate::jobs::JobName;

/// A job, when it was last active, what it reported, and when it wants to be active again.
#[cfg(test)]
pub(crate) type Activation = (JobName, DateTime<Utc>, Value, Option<DateTime<Utc>>);

/// Notes an activation.
pub(crate) async fn note(
    conn: &mut Conn,
    job: JobName,
    now: DateTime<Utc>,
    report: &Value,
    next: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    let row = (
        jobs::name.eq(job),
        jobs::activated_at.eq(Ts(now)),
        jobs::report.eq(Json(report.clone())),
        jobs::next_at.eq(next.map(Ts)),
    );
    both!(conn, c => {
        diesel::insert_into(jobs::table)
            .values(row)
            .on_conflict(jobs::name)
            .do_update()
            .set((
                jobs::activated_at.eq(excluded(jobs::activated_at)),
                jobs::report.eq(excluded(jobs::report)),
                jobs::next_at.eq(excluded(jobs::next_at)),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// When a job was last active; `None` in a database that is new.
pub(crate) async fn last_active(conn: &mut Conn) -> Result<Option<DateTime<Utc>>, StoreError> {
    let last: Option<Ts> = both!(conn, c => jobs::table.select(max(jobs::activated_at)).get_result(c).await)?;
    Ok(last.map(|at| at.0))
}

/// The last activation of each job that was ever active.
#[cfg(test)]
pub(crate) async fn all(conn: &mut Conn) -> Result<Vec<Activation>, StoreError> {
    Ok(both!(conn, c => {
        jobs::table
            .order(jobs::name)
            .select((jobs::name, jobs::activated_at, jobs::report, jobs::next_at))
            .load(c)
            .await
    })?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::samples::at;
    use crate::store::test_db::for_both;

    #[test]
    fn only_the_last_activation_is_kept() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            assert_eq!(last_active(&mut tx).await.unwrap(), None);
            note(&mut tx, JobName::Sync, at(1), &json!({"done": 1}), Some(at(9))).await.unwrap();
            note(&mut tx, JobName::Files, at(2), &json!({}), Some(at(8))).await.unwrap();
            note(&mut tx, JobName::Sync, at(3), &json!({"done": 0}), None).await.unwrap();
            let expected = [
                (JobName::Files, at(2), json!({}), Some(at(8))),
                (JobName::Sync, at(3), json!({"done": 0}), None),
            ];
            assert_eq!(all(&mut tx).await.unwrap(), expected);
            assert_eq!(last_active(&mut tx).await.unwrap(), Some(at(3)));
        });
    }
}
