//! Rounds of matches that have begun by themselves and in which a run is still to come.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;

use super::db::both;
use super::schema::match_rounds;
use super::{Conn, StoreError};
use crate::domain::match_run::MatchRound;
use crate::ids::{DepartmentId, MatchRunId, OrganizationId};

/// A round goes on after the run that has just begun; [`StoreError::Unique`] when another one does.
pub(crate) async fn insert(
    conn: &mut Conn,
    organization: OrganizationId,
    round: MatchRound,
) -> Result<(), StoreError> {
    let row = (
        match_rounds::organization_id.eq(organization),
        match_rounds::last_run_id.eq(round.last_run),
        match_rounds::department_id.eq(round.department),
    );
    both!(conn, c => diesel::insert_into(match_rounds::table).values(row).execute(c).await)?;
    Ok(())
}

/// The round of an organisation.
pub(crate) async fn get(
    conn: &mut Conn,
    organization: OrganizationId,
) -> Result<Option<MatchRound>, StoreError> {
    let row: Option<(MatchRunId, DepartmentId)> = both!(conn, c => {
        match_rounds::table
            .find(organization)
            .select((match_rounds::last_run_id, match_rounds::department_id))
            .first(c)
            .await
            .optional()
    })?;
    Ok(row.map(|(last_run, department)| MatchRound { last_run, department }))
}

/// Organisations that have one.
pub(crate) async fn all(conn: &mut Conn, limit: i64) -> Result<Vec<OrganizationId>, StoreError> {
    Ok(both!(conn, c => {
        match_rounds::table
            .order(match_rounds::organization_id)
            .limit(limit)
            .select(match_rounds::organization_id)
            .load(c)
            .await
    })?)
}

/// It waits no more; `false` when it has gone on or ended meanwhile. Of two who take it one succeeds.
pub(crate) async fn take(
    conn: &mut Conn,
    organization: OrganizationId,
    round: MatchRound,
) -> Result<bool, StoreError> {
    let hit = both!(conn, c => {
        let same = match_rounds::table
            .find(organization)
            .filter(match_rounds::last_run_id.eq(round.last_run))
            .filter(match_rounds::department_id.eq(round.department));
        diesel::delete(same).execute(c).await
    })?;
    Ok(hit > 0)
}

/// No further run of it begins, if there is one at all.
pub(crate) async fn end(conn: &mut Conn, organization: OrganizationId) -> Result<(), StoreError> {
    both!(conn, c => diesel::delete(match_rounds::table.find(organization)).execute(c).await)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples::stored_organization;
    use crate::store::test_db::for_both;

    #[test]
    fn a_round_is_taken_once_and_only_as_it_stands() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
            let round = MatchRound { last_run: MatchRunId::generate(), department: DepartmentId::generate() };
            for organization in [ours, theirs] {
                insert(&mut tx, organization, round).await.unwrap();
            }
            assert_eq!(all(&mut tx, 9).await.unwrap(), [ours, theirs]);
            assert_eq!(all(&mut tx, 1).await.unwrap(), [ours]);
            assert_eq!(get(&mut tx, ours).await.unwrap(), Some(round));
            for other in [
                MatchRound { last_run: MatchRunId::generate(), ..round },
                MatchRound { department: DepartmentId::generate(), ..round },
            ] {
                assert!(!take(&mut tx, ours, other).await.unwrap(), "it has gone on meanwhile");
            }
            assert!(take(&mut tx, ours, round).await.unwrap());
            assert!(!take(&mut tx, ours, round).await.unwrap());
            assert_eq!(get(&mut tx, ours).await.unwrap(), None);
            assert_eq!(all(&mut tx, 9).await.unwrap(), [theirs]);
            end(&mut tx, theirs).await.unwrap();
            end(&mut tx, theirs).await.unwrap();
            assert_eq!(get(&mut tx, theirs).await.unwrap(), None);
        });
    }
}
