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

/// A debt request of which GIS shows something else than the delivered answer: what we said and what GIS shows.
pub(crate) type Difference = (DebtRequestId, Option<bool>, Option<bool>);

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

/// Those of these days whose delivered answer is not what GIS shows, in order of their days to answer.
pub(crate) async fn differences(
    conn: &mut Conn,
    organization: OrganizationId,
    (from, to): (NaiveDate, NaiveDate),
    limit: i64,
) -> Result<Vec<Difference>, StoreError> {
    let differs = debt_requests::gis_content_hash
        .is_not_null()
        .and(debt_requests::gis_content_hash.ne(answers::content_hash.nullable()));
    Ok(both!(conn, c => {
        debt_requests::table
            .inner_join(answers::table.on(debt_requests::answer_id.eq(answers::id.nullable())))
            .filter(debt_requests::organization_id.eq(organization))
            .filter(debt_requests::sent_key.between(from, to))
            .filter(debt_requests::stage.eq(Stage::NeedsAttention))
            .filter(answers::state.eq(State::Delivered))
            .filter(differs)
            .order((debt_requests::due_key, debt_requests::id))
            .limit(limit)
            .select((debt_requests::id, debt_requests::answer_has_debt, debt_requests::gis_has_debt))
            .load(c)
            .await
    })?)
}
