//! Counts and contradictions for the report of an organisation (`api.md` §7).

use chrono::NaiveDate;
use diesel::dsl::count_star;
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;

use super::db::both;
use super::schema::{answers, debt_requests};
use super::{Conn, StoreError};
use crate::domain::answer::{Source, State};
use crate::domain::debt_request::Stage;
use crate::ids::{DebtRequestId, OrganizationId};

diesel::allow_columns_to_appear_in_same_group_by_clause!(
    debt_requests::stage,
    debt_requests::answer_state,
    answers::confirmed_in_gis,
    answers::source,
);

/// Debt requests that stand alike: stage, state of the current answer, whether an export has confirmed it and where it came
/// from, how many.
pub(crate) type Group = (Stage, Option<State>, Option<(bool, Source)>, i64);

/// A debt request of which GIS shows something else than the delivered answer: its place in the list, what we said and what
/// GIS shows.
pub(crate) type Difference = (NaiveDate, DebtRequestId, Option<bool>, Option<bool>);

/// Debt requests that were sent in these days, in groups.
pub(crate) async fn groups(
    conn: &mut Conn,
    organization: OrganizationId,
    (from, to): (NaiveDate, NaiveDate),
) -> Result<Vec<Group>, StoreError> {
    Ok(both!(conn, c => {
        debt_requests::table
            .left_join(answers::table.on(debt_requests::answer_id.eq(answers::id.nullable())))
            .filter(debt_requests::organization_id.eq(organization))
            .filter(debt_requests::sent_key.between(from, to))
            .group_by((
                debt_requests::stage,
                debt_requests::answer_state,
                answers::confirmed_in_gis,
                answers::source,
            ))
            .select((
                debt_requests::stage,
                debt_requests::answer_state,
                (answers::confirmed_in_gis, answers::source).nullable(),
                count_star(),
            ))
            .load(c)
            .await
    })?)
}

/// Those of these days whose delivered answer is not what GIS shows, in order of their days to answer, after a place.
pub(crate) async fn differences(
    conn: &mut Conn,
    organization: OrganizationId,
    (from, to): (NaiveDate, NaiveDate),
    after: Option<(NaiveDate, DebtRequestId)>,
    limit: i64,
) -> Result<Vec<Difference>, StoreError> {
    let differs = debt_requests::gis_content_hash
        .is_not_null()
        .and(debt_requests::gis_content_hash.ne(answers::content_hash.nullable()));
    Ok(both!(conn, c => {
        let mut query = debt_requests::table
            .inner_join(answers::table.on(debt_requests::answer_id.eq(answers::id.nullable())))
            .filter(debt_requests::organization_id.eq(organization))
            .filter(debt_requests::sent_key.between(from, to))
            .filter(debt_requests::stage.eq(Stage::NeedsAttention))
            .filter(answers::state.eq(State::Delivered))
            .filter(differs)
            .order((debt_requests::due_key, debt_requests::id))
            .limit(limit)
            .select((
                debt_requests::due_key,
                debt_requests::id,
                debt_requests::answer_has_debt,
                debt_requests::gis_has_debt,
            ))
            .into_boxed();
        if let Some((day, id)) = after {
            let same_day = debt_requests::due_key.eq(day).and(debt_requests::id.gt(id));
            query = query
                .filter(debt_requests::due_key.ge(day))
                .filter(debt_requests::due_key.gt(day).or(same_day));
        }
        query.load(c).await
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::Answer;
    use crate::domain::content::ContentHash;
    use crate::domain::debt_request::{AnswerSummary, DebtRequest, ShownAnswer};
    use crate::store::samples::{day, request, stored_organization};
    use crate::store::test_db::for_both;
    use crate::store::{answers as stored_answers, debt_requests as stored_requests, test_rows};

    /// A debt request whose delivered answer «no debt» GIS does not show: it shows a debt, or the same.
    async fn delivered(
        conn: &mut Conn,
        organization: OrganizationId,
        due: u32,
        differs: bool,
    ) -> DebtRequestId {
        let mut request = request(organization);
        request.gis.due_on = Some(day(due));
        stored_requests::save(conn, std::slice::from_ref(&request)).await.unwrap();
        let answer = Answer { state: State::Delivered, ..test_rows::answer(organization, request.id) };
        stored_answers::insert(conn, vec![(answer.clone(), Vec::new())]).await.unwrap();
        let hash =
            if differs { ContentHash::stored("hmac:01".to_owned()) } else { answer.content_hash.clone() };
        let shown =
            ShownAnswer { has_debt: Some(differs), content_hash: Some(hash), viewed_at: answer.updated_at };
        let summary = AnswerSummary {
            id: answer.id,
            state: answer.state,
            has_debt: false,
            updated_at: answer.updated_at,
        };
        let stage = Stage::NeedsAttention;
        let request = DebtRequest { shown: Some(shown), answer: Some(summary), stage, ..request };
        stored_requests::save(conn, std::slice::from_ref(&request)).await.unwrap();
        request.id
    }

    #[test]
    fn differences_come_page_by_page_by_their_deadlines() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
            let mut expected = Vec::new();
            for due in [12, 10, 12, 11] {
                expected.push((day(due), delivered(&mut tx, ours, due, true).await));
            }
            expected.sort_unstable();
            delivered(&mut tx, ours, 10, false).await;
            delivered(&mut tx, theirs, 10, true).await;
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = differences(&mut tx, ours, (day(1), day(3)), after, 3).await.unwrap();
                let Some((place, id, ..)) = page.last() else { break };
                after = Some((*place, *id));
                assert!(page.iter().all(|(.., ours, gis)| (*ours, *gis) == (Some(false), Some(true))));
                found.extend(page.into_iter().map(|(place, id, ..)| (place, id)));
            }
            assert_eq!(found, expected);
            let others = differences(&mut tx, ours, (day(3), day(9)), None, 9).await.unwrap();
            assert_eq!(others, [], "they were sent on other days");
        });
    }
}
