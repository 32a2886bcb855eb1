//! Debt requests of which it was told that their deadline is near: it is told once.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::exists;
use diesel::{BoolExpressionMethods, ExpressionMethods, Insertable, QueryDsl};
use diesel_async::RunQueryDsl;

use super::db::{both, insert_batch};
use super::schema::{answers, deadline_notices, debt_requests};
use super::types::Ts;
use super::{Conn, StoreError};
use crate::domain::answer::State;
use crate::domain::debt_request::{ResponseStatus, Stage};
use crate::ids::{AnswerId, DebtRequestId, OrganizationId};

#[derive(Insertable)]
#[diesel(table_name = deadline_notices, treat_none_as_default_value = false)]
struct NoticeRow {
    debt_request_id: DebtRequestId,
    told_at: Ts,
}

/// A request whose deadline is near, with the state of its answer, where it has one.
pub(crate) type Near = (DebtRequestId, NaiveDate, Option<AnswerId>, Option<State>);

/// Statuses under which GIS shows no answer.
const UNANSWERED: [ResponseStatus; 2] = [ResponseStatus::NotSent, ResponseStatus::Unknown];

/// Requests without an answer in GIS, of which it was not told, and whose last day is one of these; the nearest first. An
/// answer that is only on its way there may come too late.
pub(crate) async fn untold(
    conn: &mut Conn,
    organization: OrganizationId,
    (from, to): (NaiveDate, NaiveDate),
    limit: i64,
) -> Result<Vec<Near>, StoreError> {
    let told = deadline_notices::table.filter(deadline_notices::debt_request_id.eq(debt_requests::id));
    // It may be behind a draft.
    let under_way = answers::table
        .filter(answers::debt_request_id.eq(debt_requests::id))
        .filter(answers::state.eq_any(State::UNDER_WAY));
    let under_way = exists(under_way).and(debt_requests::response_status.eq_any(UNANSWERED));
    Ok(both!(conn, c => {
        debt_requests::table
            .filter(debt_requests::organization_id.eq(organization))
            .filter(debt_requests::answered.eq(false).or(under_way))
            .filter(debt_requests::stage.ne(Stage::Gone))
            .filter(debt_requests::due_key.between(from, to))
            .filter(diesel::dsl::not(exists(told)))
            .order((debt_requests::due_key, debt_requests::id))
            .limit(limit)
            .select((
                debt_requests::id,
                debt_requests::due_key,
                debt_requests::answer_id,
                debt_requests::answer_state,
            ))
            .load(c)
            .await
    })?)
}

/// It is told now.
pub(crate) async fn note(
    conn: &mut Conn,
    ids: &[DebtRequestId],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let rows = ids.iter().map(|id| NoticeRow { debt_request_id: *id, told_at: Ts(now) }).collect();
    insert_batch!(conn, rows, |batch| diesel::insert_into(deadline_notices::table).values(batch))?;
    Ok(())
}

/// Deletes notices that were given before a time.
pub(crate) async fn delete_before(conn: &mut Conn, time: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(both!(conn, c => {
        diesel::delete(deadline_notices::table.filter(deadline_notices::told_at.lt(Ts(time))))
            .execute(c)
            .await
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::Answer;
    use crate::domain::debt_request::{AnswerSummary, DebtRequest, answered};
    use crate::store::samples::{at, day, request, stored_organization};
    use crate::store::test_db::for_both;
    use crate::store::test_rows;

    #[test]
    fn an_answer_that_is_not_in_gis_yet_is_none() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let ours = stored_organization(&mut tx).await;
            let asked = |state, response_status| {
                let mut asked = request(ours);
                asked.gis.response_status = response_status;
                asked.answer = Some(AnswerSummary {
                    id: AnswerId::generate(),
                    state,
                    has_debt: false,
                    updated_at: at(0),
                });
                DebtRequest { answered: answered(response_status, &[state]), ..asked }
            };
            let mut near = Vec::new();
            for state in State::ALL.iter().copied() {
                let unanswered = asked(state, ResponseStatus::NotSent);
                let elsewhere = asked(state, ResponseStatus::Sent);
                let wanted =
                    [(&unanswered, state != State::Delivered), (&elsewhere, state == State::Revoked)];
                near.extend(wanted.iter().filter(|(_, near)| *near).map(|(asked, _)| (asked.id, state)));
                let asked = [unanswered, elsewhere];
                crate::store::debt_requests::save(&mut tx, &asked).await.unwrap();
                let of = |asked: &DebtRequest| {
                    let id = asked.answer.unwrap().id;
                    (Answer { id, state, ..test_rows::answer(ours, asked.id) }, Vec::new())
                };
                crate::store::answers::insert(&mut tx, asked.iter().map(of).collect()).await.unwrap();
            }
            let told = untold(&mut tx, ours, (day(9), day(11)), 99).await.unwrap();
            let mut told: Vec<_> = told.into_iter().map(|(id, _, _, state)| (id, state.unwrap())).collect();
            told.sort_unstable();
            near.sort_unstable();
            assert_eq!(told, near);
        });
    }

    #[test]
    fn each_request_is_told_of_once() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let ours = stored_organization(&mut tx).await;
            let theirs = stored_organization(&mut tx).await;
            let due = |organization, number| {
                let mut request = request(organization);
                request.gis.due_on = Some(day(number));
                request
            };
            let near = due(ours, 10);
            let answered = DebtRequest { answered: true, ..due(ours, 10) };
            let gone = DebtRequest { stage: Stage::Gone, ..due(ours, 10) };
            let all = [near.clone(), answered, gone, due(ours, 8), due(ours, 12), due(theirs, 10)];
            crate::store::debt_requests::save(&mut tx, &all).await.unwrap();
            let days = (day(9), day(11));
            assert_eq!(untold(&mut tx, ours, days, 9).await.unwrap(), [(near.id, day(10), None, None)]);
            note(&mut tx, &[near.id], at(1)).await.unwrap();
            assert_eq!(untold(&mut tx, ours, days, 9).await.unwrap(), []);
            assert_eq!(delete_before(&mut tx, at(1)).await.unwrap(), 0);
            assert_eq!(delete_before(&mut tx, at(2)).await.unwrap(), 1);
        });
    }
}
