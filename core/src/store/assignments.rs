//! Suppliers whose debt requests without a certain answer are to be given out anew, and how far that is: a change of
//! departments begins it, a job carries it on.

use chrono::NaiveDate;
use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::db::{both, holding};
use super::debt_requests::SENT_BEFORE_ALL;
use super::schema::{assignments, debt_requests};
use super::{Conn, StoreError};
use crate::domain::answer::State;
use crate::domain::debt_request::Stage;
use crate::ids::{DebtRequestId, OrganizationId};

/// A place in the order in which debt requests are given out: that of their deadlines.
pub(crate) type Place = (NaiveDate, DebtRequestId);

/// Every debt request of a supplier without a certain answer is to be given out anew, also those that were already.
pub(crate) async fn begin(conn: &mut Conn, organization: OrganizationId) -> Result<(), StoreError> {
    let start = (
        assignments::due_key.eq(SENT_BEFORE_ALL),
        assignments::debt_request_id.eq(DebtRequestId::from(Uuid::nil())),
    );
    let row = (assignments::organization_id.eq(organization), start);
    both!(conn, c => {
        diesel::insert_into(assignments::table)
            .values(row)
            .on_conflict(assignments::organization_id)
            .do_update()
            .set(start)
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Suppliers for which there is something to do.
pub(crate) async fn open(conn: &mut Conn, limit: i64) -> Result<Vec<OrganizationId>, StoreError> {
    Ok(both!(conn, c => {
        assignments::table
            .order(assignments::organization_id)
            .limit(limit)
            .select(assignments::organization_id)
            .load(c)
            .await
    })?)
}

/// How far it is for a supplier, held until the transaction ends; `None` when there is nothing to do.
pub(crate) async fn lock(conn: &mut Conn, organization: OrganizationId) -> Result<Option<Place>, StoreError> {
    let place = holding!(
        conn,
        assignments::table.find(organization).select((assignments::due_key, assignments::debt_request_id)),
        |query, c| query.first(c).await.optional()
    )?;
    Ok(place)
}

/// It is done up to a place, or altogether.
pub(crate) async fn move_on(
    conn: &mut Conn,
    organization: OrganizationId,
    place: Option<Place>,
) -> Result<(), StoreError> {
    let row = assignments::table.find(organization);
    let hit = match place {
        Some((day, id)) => {
            let change = (assignments::due_key.eq(day), assignments::debt_request_id.eq(id));
            both!(conn, c => diesel::update(row).set(change).execute(c).await)?
        }
        None => both!(conn, c => diesel::delete(row).execute(c).await)?,
    };
    StoreError::unless_hit(hit)
}

/// The places behind one, in their order, of the debt requests of a supplier that a condition holds of.
macro_rules! behind {
    ($conn:expr, $organization:expr, $place:expr, $limit:expr, $holds:expr) => {{
        let (day, id): Place = $place;
        let later =
            debt_requests::due_key.gt(day).or(debt_requests::due_key.eq(day).and(debt_requests::id.gt(id)));
        both!($conn, c => {
            debt_requests::table
                .filter(debt_requests::organization_id.eq($organization))
                .filter($holds)
                .filter(debt_requests::stage.ne(Stage::Gone))
                // This alone lets the databases begin in the middle of the index.
                .filter(debt_requests::due_key.ge(day))
                .filter(later)
                .order((debt_requests::due_key, debt_requests::id))
                .limit($limit)
                .select((debt_requests::due_key, debt_requests::id))
                .load::<Place>(c)
                .await
        })
    }};
}

/// The next debt requests of a supplier behind a place that are not answered, or not for certain: an answer on its way may
/// still be refused, and then somebody has to be there for it. Each kind has an index of its own.
pub(crate) async fn next(
    conn: &mut Conn,
    organization: OrganizationId,
    place: Place,
    limit: i64,
) -> Result<Vec<Place>, StoreError> {
    let mut places = behind!(conn, organization, place, limit, debt_requests::answered.eq(false))?;
    let under_way = debt_requests::answer_state.eq_any(State::UNDER_WAY);
    places.extend(behind!(conn, organization, place, limit, under_way)?);
    // What is among the first of both is among the first of each.
    places.sort_unstable();
    places.dedup();
    places.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::debt_request::{AnswerSummary, DebtRequest};
    use crate::ids::AnswerId;
    use crate::store::debt_requests as requests;
    use crate::store::samples::{at, day, request, stored_organization};
    use crate::store::test_db::for_both;

    #[test]
    fn unanswered_requests_come_in_the_order_of_their_deadlines_until_none_is_left() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
            let mut all = [(); 5].map(|()| request(ours));
            all[0].gis.due_on = None;
            all[1].answered = true;
            all[2].stage = Stage::Gone;
            all[3].gis.due_on = Some(day(30));
            let foreign = request(theirs);
            requests::save(&mut tx, &all).await.unwrap();
            requests::save(&mut tx, &[foreign]).await.unwrap();

            assert_eq!(lock(&mut tx, ours).await.unwrap(), None);
            begin(&mut tx, ours).await.unwrap();
            assert_eq!(open(&mut tx, 9).await.unwrap(), [ours]);
            let start = lock(&mut tx, ours).await.unwrap().unwrap();
            let first = next(&mut tx, ours, start, 2).await.unwrap();
            assert_eq!(first, [(day(10), all[4].id), (day(30), all[3].id)]);
            move_on(&mut tx, ours, first.last().copied()).await.unwrap();
            let place = lock(&mut tx, ours).await.unwrap().unwrap();
            let rest = next(&mut tx, ours, place, 2).await.unwrap();
            assert_eq!(rest.iter().map(|(_, id)| *id).collect::<Vec<_>>(), [all[0].id]);
            begin(&mut tx, ours).await.unwrap();
            assert_eq!(lock(&mut tx, ours).await.unwrap(), Some(start), "it begins anew");
            move_on(&mut tx, ours, None).await.unwrap();
            assert_eq!(open(&mut tx, 9).await.unwrap(), []);
        });
    }

    #[test]
    fn what_is_on_its_way_is_among_them_until_it_is_certain() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let organization = stored_organization(&mut tx).await;
            let of = |due, state, answered| {
                let id = AnswerId::generate();
                let answer = AnswerSummary { id, state, has_debt: false, updated_at: at(0) };
                let mut request = DebtRequest { answer: Some(answer), answered, ..request(organization) };
                request.gis.due_on = Some(day(due));
                request
            };
            let all = [
                of(11, State::Accepted, true),
                of(12, State::Draft, false),
                of(13, State::Delivered, true),
                of(14, State::Revoking, false),
                of(15, State::Queued, true),
            ];
            requests::save(&mut tx, &all).await.unwrap();
            let start = (SENT_BEFORE_ALL, DebtRequestId::from(Uuid::nil()));
            let ids = |places: &[Place]| places.iter().map(|(_, id)| *id).collect::<Vec<_>>();
            let found = next(&mut tx, organization, start, 9).await.unwrap();
            assert_eq!(ids(&found), [all[0].id, all[1].id, all[3].id, all[4].id]);
            assert_eq!(next(&mut tx, organization, start, 3).await.unwrap(), found[..3]);
            assert_eq!(next(&mut tx, organization, found[1], 9).await.unwrap(), found[2..]);
        });
    }
}
