//! Tokens and certificates of which organisations were told that their end is near: once for each mark before it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, Insertable, QueryDsl};
use diesel_async::RunQueryDsl;

use super::db::{both, insert_batch};
use super::schema::expiry_notices;
use super::types::Ts;
use super::{Conn, StoreError};
use crate::ids::OrganizationId;

#[derive(Insertable)]
#[diesel(table_name = expiry_notices, treat_none_as_default_value = false)]
struct NoticeRow {
    organization_id: OrganizationId,
    subject: String,
    days: i64,
    told_at: Ts,
}

/// What ends, and how many days before its end it is told.
pub(crate) type Mark = (String, i64);

/// What an organisation was told of.
pub(crate) async fn told(
    conn: &mut Conn,
    organization: OrganizationId,
) -> Result<BTreeSet<Mark>, StoreError> {
    let told: Vec<Mark> = both!(conn, c => {
        expiry_notices::table
            .filter(expiry_notices::organization_id.eq(organization))
            .select((expiry_notices::subject, expiry_notices::days))
            .load(c)
            .await
    })?;
    Ok(told.into_iter().collect())
}

/// It is told now.
pub(crate) async fn note(
    conn: &mut Conn,
    organization: OrganizationId,
    marks: impl IntoIterator<Item = Mark>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = |(subject, days)| NoticeRow { organization_id: organization, subject, days, told_at: Ts(now) };
    let rows = marks.into_iter().map(row).collect();
    insert_batch!(conn, rows, |batch| diesel::insert_into(expiry_notices::table).values(batch))?;
    Ok(())
}

/// Deletes notices that were given before a time.
pub(crate) async fn delete_before(conn: &mut Conn, time: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(both!(conn, c => {
        diesel::delete(expiry_notices::table.filter(expiry_notices::told_at.lt(Ts(time)))).execute(c).await
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples::{at, stored_organization};
    use crate::store::test_db::for_both;

    #[test]
    fn each_mark_is_told_to_each_organization() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
            let mark = |days| ("certificates/7".to_owned(), days);
            note(&mut tx, ours, [mark(30)], at(1)).await.unwrap();
            note(&mut tx, ours, [mark(7)], at(2)).await.unwrap();
            assert_eq!(told(&mut tx, ours).await.unwrap(), [mark(7), mark(30)].into());
            assert_eq!(told(&mut tx, theirs).await.unwrap(), BTreeSet::new());
            note(&mut tx, theirs, [mark(30)], at(2)).await.unwrap();
            assert!(note(&mut tx, theirs, [mark(30)], at(3)).await.is_err(), "of two who tell it one fails");
        });
    }

    #[test]
    fn old_notices_are_deleted() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let ours = stored_organization(&mut tx).await;
            for days in [30, 7] {
                note(&mut tx, ours, [("tokens/7".to_owned(), days)], at(-days)).await.unwrap();
            }
            assert_eq!(delete_before(&mut tx, at(-7)).await.unwrap(), 1);
            assert_eq!(told(&mut tx, ours).await.unwrap(), [("tokens/7".to_owned(), 7)].into());
        });
    }
}
