//! Organisations whose debt requests were read from GIS and wait to be matched. However many readings come, one match
//! follows them.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;

use super::db::both;
use super::schema::matches_due;
use super::types::Ts;
use super::{Conn, StoreError};
use crate::ids::OrganizationId;

/// A match is due; if one is already, whoever has begun to look for its requests looks anew.
pub(crate) async fn note(
    conn: &mut Conn,
    organization: OrganizationId,
    since: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = (matches_due::organization_id.eq(organization), matches_due::since.eq(Ts(since)));
    both!(conn, c => {
        diesel::insert_into(matches_due::table)
            .values(row)
            .on_conflict(matches_due::organization_id)
            .do_update()
            .set(matches_due::since.eq(Ts(since)))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Since when a match is due; `None` when none is.
pub(crate) async fn since(
    conn: &mut Conn,
    organization: OrganizationId,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let since: Option<Ts> = both!(conn, c => {
        matches_due::table.find(organization).select(matches_due::since).first(c).await.optional()
    })?;
    Ok(since.map(|Ts(since)| since))
}

/// Those that wait, the longest first.
pub(crate) async fn all(conn: &mut Conn, limit: i64) -> Result<Vec<OrganizationId>, StoreError> {
    Ok(both!(conn, c => {
        matches_due::table
            .order((matches_due::since, matches_due::organization_id))
            .limit(limit)
            .select(matches_due::organization_id)
            .load(c)
            .await
    })?)
}

/// It waits no more; `false` when it did not, or was noted anew since. Of two who take it one succeeds.
pub(crate) async fn take(
    conn: &mut Conn,
    organization: OrganizationId,
    since: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let hit = both!(conn, c => {
        diesel::delete(matches_due::table.find(organization).filter(matches_due::since.eq(Ts(since))))
            .execute(c)
            .await
    })?;
    Ok(hit > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples::{at, stored_organization};
    use crate::store::test_db::for_both;

    #[test]
    fn one_match_is_due_however_often_it_is_noted() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (first, second) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
            for (organization, since) in [(second, 2), (first, 1), (first, 3)] {
                note(&mut tx, organization, at(since)).await.unwrap();
            }
            assert_eq!(all(&mut tx, 9).await.unwrap(), [second, first]);
            assert_eq!(all(&mut tx, 1).await.unwrap(), [second]);
            assert_eq!(since(&mut tx, first).await.unwrap(), Some(at(3)));
            assert!(!take(&mut tx, first, at(1)).await.unwrap(), "it was noted anew meanwhile");
            assert!(take(&mut tx, first, at(3)).await.unwrap());
            assert!(!take(&mut tx, first, at(3)).await.unwrap());
            assert_eq!(since(&mut tx, first).await.unwrap(), None);
            assert_eq!(all(&mut tx, 9).await.unwrap(), [second]);
        });
    }
}
