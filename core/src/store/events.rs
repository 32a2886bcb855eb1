//! The log of what happened. Numbers follow the order of commits: PostgreSQL gives them out under an advisory lock that the
//! transaction holds to its end, SQLite has one writer anyway. Whoever holds that lock must not wait for a row any more:
//! a transaction takes all its rows before it notes its first event.

use chrono::{DateTime, Utc};
use diesel::dsl::max;
use diesel::{
    ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
};
use diesel_async::RunQueryDsl;

use super::db::{Backend, both, insert_batch, load_where};
use super::schema::events;
use super::types::{Json, Ts};
use super::{Conn, StoreError, Tx};
use crate::domain::event::{Event, EventKind, NewEvent};
use crate::ids::{AnswerId, DebtRequestId, EventId, OrganizationId};
use crate::jobs::name::JobName;

/// Any number that nobody else in the database locks: "dgevents" in ASCII.
const ADVISORY_LOCK: i64 = 0x6467_6576_656e_7473;

#[derive(Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
struct NewEventRow {
    id: EventId,
    organization_id: OrganizationId,
    kind: EventKind,
    debt_request_id: Option<DebtRequestId>,
    answer_id: Option<AnswerId>,
    data: Json,
    occurred_at: Ts,
}

impl NewEventRow {
    fn of(event: &NewEvent, now: DateTime<Utc>) -> Self {
        Self {
            id: EventId::generate(),
            organization_id: event.organization,
            kind: event.kind,
            debt_request_id: event.debt_request,
            answer_id: event.answer,
            data: Json(event.data.clone()),
            occurred_at: Ts(now),
        }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = events)]
struct EventRow {
    sequence: i64,
    id: EventId,
    organization_id: OrganizationId,
    kind: EventKind,
    debt_request_id: Option<DebtRequestId>,
    answer_id: Option<AnswerId>,
    data: Json,
    occurred_at: Ts,
}

impl From<EventRow> for Event {
    fn from(row: EventRow) -> Self {
        Self {
            sequence: row.sequence,
            id: row.id,
            event: NewEvent {
                organization: row.organization_id,
                kind: row.kind,
                debt_request: row.debt_request_id,
                answer: row.answer_id,
                data: row.data.0,
            },
            occurred_at: row.occurred_at.0,
        }
    }
}

/// Notes events in their order. The last thing that a transaction does: see above.
pub(crate) async fn append(tx: &mut Tx, events: &[NewEvent], now: DateTime<Utc>) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    tx.wake(JobName::Webhooks);
    match tx.backend() {
        Backend::Pg(c) => {
            let lock = format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})");
            diesel::sql_query(lock).execute(c).await?;
        }
        Backend::Lite(_) => {}
    }
    let rows: Vec<_> = events.iter().map(|event| NewEventRow::of(event, now)).collect();
    insert_batch!(tx, rows, |batch| diesel::insert_into(events::table).values(batch))?;
    Ok(())
}

/// Of one debt request, oldest first, after a sequence number.
pub(crate) async fn of_request(
    conn: &mut Conn,
    organization: OrganizationId,
    request: DebtRequestId,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<Event>, StoreError> {
    let rows = both!(conn, c => {
        events::table
            .filter(events::organization_id.eq(organization))
            .filter(events::debt_request_id.eq(request))
            .filter(events::sequence.gt(after.unwrap_or(0)))
            .order(events::sequence)
            .limit(limit)
            .select(EventRow::as_select())
            .load(c)
            .await
    })?;
    Ok(rows.into_iter().map(Event::from).collect())
}

/// The highest number of the log, of any organisation; 0 while there is none.
pub(crate) async fn head(conn: &mut Conn) -> Result<i64, StoreError> {
    let head: Option<i64> = both!(conn, c => {
        events::table.select(max(events::sequence)).get_result(c).await
    })?;
    Ok(head.unwrap_or(0))
}

/// Of an organisation, oldest first, with numbers above `after` and up to `head`; of all kinds when none is named.
pub(crate) async fn page(
    conn: &mut Conn,
    organization: OrganizationId,
    (after, head): (i64, i64),
    kinds: &[EventKind],
    limit: i64,
) -> Result<Vec<Event>, StoreError> {
    let rows = both!(conn, c => {
        let query = events::table
            .filter(events::organization_id.eq(organization))
            .filter(events::sequence.gt(after))
            .filter(events::sequence.le(head))
            .order(events::sequence)
            .limit(limit)
            .select(EventRow::as_select())
            .into_boxed();
        let query = if kinds.is_empty() { query } else { query.filter(events::kind.eq_any(kinds.to_vec())) };
        query.load(c).await
    })?;
    Ok(rows.into_iter().map(Event::from).collect())
}

/// Those with these numbers.
pub(crate) async fn numbered(conn: &mut Conn, numbers: &[i64]) -> Result<Vec<Event>, StoreError> {
    let rows: Vec<EventRow> = load_where!(conn, events::sequence, numbers, |named| {
        events::table.filter(named).select(EventRow::as_select())
    })?;
    Ok(rows.into_iter().map(Event::from).collect())
}

/// The number of the last of an organisation from before a time; 0 when there is none. It walks from the newest: people ask
/// about what was a moment ago.
pub(crate) async fn last_before(
    conn: &mut Conn,
    organization: OrganizationId,
    time: DateTime<Utc>,
) -> Result<i64, StoreError> {
    let last: Option<i64> = both!(conn, c => {
        events::table
            .filter(events::organization_id.eq(organization))
            .filter(events::occurred_at.lt(Ts(time)))
            .order(events::sequence.desc())
            .limit(1)
            .select(events::sequence)
            .first(c)
            .await
            .optional()
    })?;
    Ok(last.unwrap_or(0))
}

/// Deletes entries from before a time, out of the `limit` oldest.
pub(crate) async fn delete_before(
    conn: &mut Conn,
    time: DateTime<Utc>,
    limit: i64,
) -> Result<usize, StoreError> {
    // The oldest by number are the oldest by time, but for those that were written at the same moment: no index of times.
    let oldest: Vec<i64> = both!(conn, c => {
        events::table.order(events::sequence).limit(limit).select(events::sequence).load(c).await
    })?;
    let Some(last) = oldest.last() else { return Ok(0) };
    let old = events::table.filter(events::sequence.le(*last)).filter(events::occurred_at.lt(Ts(time)));
    Ok(both!(conn, c => diesel::delete(old).execute(c).await)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::samples::{at, stored_organization};
    use crate::store::test_db::{for_both, for_postgres_url, open};

    fn event(organization: OrganizationId, request: DebtRequestId, number: usize) -> NewEvent {
        NewEvent {
            organization,
            kind: EventKind::AnswerQueued,
            debt_request: Some(request),
            answer: None,
            data: json!({ "number": number }),
        }
    }

    #[test]
    fn events_come_in_their_order_and_to_their_owner_only() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
            let id = DebtRequestId::generate();
            // More than one batch.
            let given: Vec<_> = (0..1203).map(|number| event(ours, id, number)).collect();
            append(&mut tx, &given, at(5)).await.unwrap();
            append(&mut tx, &[], at(5)).await.unwrap();
            let all = of_request(&mut tx, ours, id, None, 2000).await.unwrap();
            assert!(all.is_sorted_by_key(|event| event.sequence));
            assert!(all.iter().all(|event| event.occurred_at == at(5)));
            let events: Vec<_> = all.iter().map(|event| event.event.clone()).collect();
            assert_eq!(events, given);
            let rest = of_request(&mut tx, ours, id, Some(all[1000].sequence), 2).await.unwrap();
            assert_eq!(rest, all[1001..1003]);
            assert_eq!(of_request(&mut tx, theirs, id, None, 1).await.unwrap(), []);
        });
    }

    #[test]
    fn the_log_is_read_up_to_its_head() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
            assert_eq!(head(&mut tx).await.unwrap(), 0);
            let id = DebtRequestId::generate();
            let delivered = NewEvent { kind: EventKind::AnswerDelivered, ..event(ours, id, 1) };
            append(&mut tx, &[event(ours, id, 0), delivered, event(theirs, id, 2)], at(1)).await.unwrap();
            let top = head(&mut tx).await.unwrap();
            append(&mut tx, &[event(ours, id, 3)], at(1)).await.unwrap();
            let all = page(&mut tx, ours, (0, top), &[], 9).await.unwrap();
            assert_eq!(all.iter().map(|event| &event.event.data["number"]).collect::<Vec<_>>(), [0, 1]);
            assert_eq!(page(&mut tx, ours, (all[0].sequence, top), &[], 9).await.unwrap(), all[1..]);
            let kinds = [EventKind::AnswerDelivered, EventKind::AnswerRejected];
            assert_eq!(page(&mut tx, ours, (0, top), &kinds, 9).await.unwrap(), all[1..]);
        });
    }

    #[test]
    fn only_old_events_are_deleted() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let organization = stored_organization(&mut tx).await;
            let id = DebtRequestId::generate();
            assert_eq!(delete_before(&mut tx, at(9), 10).await.unwrap(), 0);
            for time in 1..=4 {
                append(&mut tx, &[event(organization, id, 0)], at(time)).await.unwrap();
            }
            assert_eq!(delete_before(&mut tx, at(4), 2).await.unwrap(), 2);
            assert_eq!(delete_before(&mut tx, at(4), 9).await.unwrap(), 1);
            assert_eq!(delete_before(&mut tx, at(4), 9).await.unwrap(), 0);
            assert_eq!(of_request(&mut tx, organization, id, None, 9).await.unwrap().len(), 1);
        });
    }

    #[test]
    fn a_puller_beside_eight_writers_sees_everything_once() {
        const WRITERS: usize = 8;
        const EACH: usize = 100;
        for_postgres_url(async |url| {
            let db = open(url).await;
            db.migrate(&crate::clock::Clock::System).await.unwrap();
            let mut tx = db.begin().await.unwrap();
            let organization = stored_organization(&mut tx).await;
            tx.commit().await.unwrap();
            let mut writers = tokio::task::JoinSet::new();
            for writer in 0..WRITERS {
                let db = db.clone();
                writers.spawn(async move {
                    for number in 0..EACH {
                        let mut tx = db.begin().await.unwrap();
                        let event = event(organization, DebtRequestId::generate(), writer * EACH + number);
                        append(&mut tx, &[event], at(1)).await.unwrap();
                        // Now and then one is given up; its number is never seen.
                        if number % 7 == 3 { drop(tx) } else { tx.commit().await.unwrap() }
                    }
                });
            }
            let (mut seen, mut after) = (Vec::new(), 0);
            loop {
                let written = writers.is_empty();
                if let Some(end) = writers.try_join_next() {
                    end.unwrap();
                }
                let mut conn = db.read().await.unwrap();
                let head = head(&mut conn).await.unwrap();
                let found = page(&mut conn, organization, (after, head), &[], 1000).await.unwrap();
                assert!(found.iter().map(|event| event.sequence).is_sorted());
                seen.extend(found.iter().map(|event| event.event.data["number"].as_u64().unwrap()));
                after = head;
                if written {
                    break;
                }
            }
            let kept = |number: &u64| number % u64::try_from(EACH).unwrap() % 7 != 3;
            let all: Vec<_> = (0..u64::try_from(WRITERS * EACH).unwrap()).filter(kept).collect();
            seen.sort_unstable();
            assert_eq!(seen, all);
        });
    }

    #[test]
    fn whoever_commits_later_has_the_higher_number() {
        for_postgres_url(async |url| {
            let db = open(url).await;
            db.migrate(&crate::clock::Clock::System).await.unwrap();
            let mut tx = db.begin().await.unwrap();
            let organization = stored_organization(&mut tx).await;
            tx.commit().await.unwrap();
            let id = DebtRequestId::generate();
            let mut first = db.begin().await.unwrap();
            append(&mut first, &[event(organization, id, 1)], at(1)).await.unwrap();
            let later = {
                let db = db.clone();
                tokio::spawn(async move {
                    let mut second = db.begin().await.unwrap();
                    append(&mut second, &[event(organization, id, 2)], at(1)).await.unwrap();
                    second.commit().await.unwrap();
                })
            };
            append(&mut first, &[event(organization, id, 1)], at(1)).await.unwrap();
            assert!(!later.is_finished());
            first.commit().await.unwrap();
            later.await.unwrap();
            let mut conn = db.read().await.unwrap();
            let all = of_request(&mut conn, organization, id, None, 9).await.unwrap();
            let numbers: Vec<_> = all.iter().map(|event| event.event.data["number"].clone()).collect();
            assert_eq!(numbers, [1, 1, 2]);
        });
    }
}
