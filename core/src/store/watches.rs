//! Debt requests for which GIS was called more than once: they are looked at until no late copy of a call can be out any
//! more (`api.md` §6.9).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::min;
use diesel::upsert::excluded;
use diesel::{ExpressionMethods, Insertable, QueryDsl};
use diesel_async::RunQueryDsl;

use super::db::{both, insert_batch};
use super::schema::watches;
use super::types::Ts;
use super::{Conn, StoreError};
use crate::ids::{DebtRequestId, OrganizationId};

#[derive(Insertable)]
#[diesel(table_name = watches, treat_none_as_default_value = false)]
struct WatchRow {
    debt_request_id: DebtRequestId,
    organization_id: OrganizationId,
    last_call_at: Ts,
    next_look_at: Ts,
}

/// Begins to watch debt requests, or begins anew: GIS is called for them now.
pub(crate) async fn note(
    conn: &mut Conn,
    organization: OrganizationId,
    requests: &[DebtRequestId],
    called_at: DateTime<Utc>,
    look_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = |request: &DebtRequestId| WatchRow {
        debt_request_id: *request,
        organization_id: organization,
        last_call_at: Ts(called_at),
        next_look_at: Ts(look_at),
    };
    insert_batch!(conn, requests.iter().map(row).collect(), |batch| {
        diesel::insert_into(watches::table)
            .values(batch)
            .on_conflict(watches::debt_request_id)
            .do_update()
            .set((
                watches::last_call_at.eq(excluded(watches::last_call_at)),
                watches::next_look_at.eq(excluded(watches::next_look_at)),
            ))
    })?;
    Ok(())
}

/// GIS has done what it was called for, at the latest now: watches over these, where there are any, count from here.
pub(crate) async fn begin_anew(
    conn: &mut Conn,
    requests: &[DebtRequestId],
    now: DateTime<Utc>,
    look_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let those = watches::table.filter(watches::debt_request_id.eq_any(requests.to_vec()));
    let changes = (watches::last_call_at.eq(Ts(now)), watches::next_look_at.eq(Ts(look_at)));
    both!(conn, c => diesel::update(those).set(changes).execute(c).await)?;
    Ok(())
}

/// When GIS was last at work on debt requests that are watched: called, or known to be done.
pub(crate) async fn last_calls(
    conn: &mut Conn,
    requests: &[DebtRequestId],
) -> Result<HashMap<DebtRequestId, DateTime<Utc>>, StoreError> {
    let found: Vec<(DebtRequestId, Ts)> = both!(conn, c => {
        watches::table
            .filter(watches::debt_request_id.eq_any(requests.to_vec()))
            .select((watches::debt_request_id, watches::last_call_at))
            .load(c)
            .await
    })?;
    Ok(found.into_iter().map(|(id, Ts(at))| (id, at)).collect())
}

/// To be looked at by now.
pub(crate) async fn due(
    conn: &mut Conn,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(OrganizationId, DebtRequestId)>, StoreError> {
    Ok(both!(conn, c => {
        watches::table
            .filter(watches::next_look_at.le(Ts(now)))
            .order((watches::next_look_at, watches::debt_request_id))
            .limit(limit)
            .select((watches::organization_id, watches::debt_request_id))
            .load(c)
            .await
    })?)
}

/// When the next one is to be looked at.
pub(crate) async fn next_due(conn: &mut Conn) -> Result<Option<DateTime<Utc>>, StoreError> {
    let next: Option<Ts> = both!(conn, c => {
        watches::table.select(min(watches::next_look_at)).get_result(c).await
    })?;
    Ok(next.map(|at| at.0))
}

/// Those that are looked at now are looked at again then.
pub(crate) async fn put_off(
    conn: &mut Conn,
    requests: &[DebtRequestId],
    until: DateTime<Utc>,
) -> Result<(), StoreError> {
    let requests = requests.to_vec();
    let those = watches::table.filter(watches::debt_request_id.eq_any(requests));
    both!(conn, c => diesel::update(those).set(watches::next_look_at.eq(Ts(until))).execute(c).await)?;
    Ok(())
}

/// Those that are to be looked at later are looked at then.
pub(crate) async fn look_earlier(
    conn: &mut Conn,
    requests: &[DebtRequestId],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let later = watches::table
        .filter(watches::debt_request_id.eq_any(requests.to_vec()))
        .filter(watches::next_look_at.gt(Ts(at)));
    both!(conn, c => diesel::update(later).set(watches::next_look_at.eq(Ts(at))).execute(c).await)?;
    Ok(())
}

/// Ends watches.
pub(crate) async fn end(conn: &mut Conn, requests: &[DebtRequestId]) -> Result<(), StoreError> {
    if requests.is_empty() {
        return Ok(());
    }
    let those = watches::table.filter(watches::debt_request_id.eq_any(requests.to_vec()));
    both!(conn, c => diesel::delete(those).execute(c).await)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::debt_requests;
    use crate::store::samples::{at, request, stored_organization};
    use crate::store::test_db::for_both;

    #[test]
    fn a_watch_begins_anew_with_each_call_and_ends() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let organization = stored_organization(&mut tx).await;
            let (first, second) = (request(organization), request(organization));
            debt_requests::save(&mut tx, &[first.clone(), second.clone()]).await.unwrap();
            note(&mut tx, first.organization, &[first.id], at(1), at(10)).await.unwrap();
            note(&mut tx, second.organization, &[second.id], at(2), at(20)).await.unwrap();
            assert_eq!(next_due(&mut tx).await.unwrap(), Some(at(10)));
            assert_eq!(due(&mut tx, at(10), 9).await.unwrap(), [(first.organization, first.id)]);
            note(&mut tx, first.organization, &[first.id], at(3), at(30)).await.unwrap();
            assert_eq!(last_calls(&mut tx, &[first.id, second.id]).await.unwrap()[&first.id], at(3));
            put_off(&mut tx, &[second.id], at(40)).await.unwrap();
            assert_eq!(due(&mut tx, at(39), 9).await.unwrap(), [(first.organization, first.id)]);
            look_earlier(&mut tx, &[first.id, second.id], at(35)).await.unwrap();
            assert_eq!(due(&mut tx, at(34), 9).await.unwrap(), [(first.organization, first.id)]);
            assert_eq!(due(&mut tx, at(35), 9).await.unwrap().len(), 2);
            begin_anew(&mut tx, &[first.id], at(5), at(50)).await.unwrap();
            assert_eq!(last_calls(&mut tx, &[first.id]).await.unwrap()[&first.id], at(5));
            put_off(&mut tx, &[second.id], at(40)).await.unwrap();
            assert_eq!(due(&mut tx, at(49), 9).await.unwrap(), [(second.organization, second.id)]);
            end(&mut tx, &[first.id]).await.unwrap();
            assert!(last_calls(&mut tx, &[first.id]).await.unwrap().is_empty());
            begin_anew(&mut tx, &[first.id], at(6), at(60)).await.unwrap();
            assert_eq!(next_due(&mut tx).await.unwrap(), Some(at(40)), "what nobody watches stays so");
        });
    }
}
