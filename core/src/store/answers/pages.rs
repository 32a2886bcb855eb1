//! Answers in lists and numbers.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, min};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, QueryDsl, SelectableHelper,
};
use diesel_async::RunQueryDsl;

use super::rows::{AnswerRow, answers_of};
use crate::domain::answer::{Answer, Source, State};
use crate::ids::{AnswerId, DebtRequestId, OrganizationId};
use crate::store::db::both;
use crate::store::schema::{answers, external_ids};
use crate::store::types::Ts;
use crate::store::{Conn, StoreError};

/// How many delivered answers tell how long delivery takes now.
const RECENT: i64 = 1000;

/// Conditions that must all hold; an empty list is no condition.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Filter {
    /// To this debt request.
    pub debt_request: Option<DebtRequestId>,
    /// With this external id, be it an alias.
    pub external_id: Option<String>,
    /// In one of these states.
    pub states: Vec<State>,
    /// In a final state, or in none.
    pub is_final: Option<bool>,
    /// That say that there is a debt, or that there is none.
    pub has_debt: Option<bool>,
    /// From one of these sources.
    pub sources: Vec<Source>,
    /// Shown by GIS, or not yet.
    pub confirmed_in_gis: Option<bool>,
    /// Changed then or later.
    pub updated_since: Option<DateTime<Utc>>,
}

impl Filter {
    /// The states that fit; `None` when all do.
    fn fitting_states(&self) -> Option<Vec<State>> {
        if self.states.is_empty() && self.is_final.is_none() {
            return None;
        }
        let fits = |state: &State| {
            (self.states.is_empty() || self.states.contains(state))
                && self.is_final.is_none_or(|wanted| state.is_final() == wanted)
        };
        Some(State::ALL.iter().copied().filter(fits).collect())
    }
}

/// By change, oldest first, after (`updated_at`, id).
pub(crate) async fn page(
    conn: &mut Conn,
    organization: OrganizationId,
    filter: &Filter,
    after: Option<(DateTime<Utc>, AnswerId)>,
    limit: i64,
) -> Result<Vec<Answer>, StoreError> {
    let rows = both!(conn, c => {
        let mut query = answers::table
            .select(AnswerRow::as_select())
            .filter(answers::organization_id.eq(organization))
            .into_boxed();
        if let Some(request) = filter.debt_request {
            query = query.filter(answers::debt_request_id.eq(request));
        }
        if let Some(name) = &filter.external_id {
            let named = external_ids::table
                .filter(external_ids::organization_id.eq(organization))
                .filter(external_ids::external_id.eq(name))
                .select(external_ids::answer_id);
            query = query.filter(answers::id.eq_any(named));
        }
        if let Some(states) = filter.fitting_states() {
            query = query.filter(answers::state.eq_any(states));
        }
        if let Some(has_debt) = filter.has_debt {
            query = query.filter(answers::has_debt.eq(has_debt));
        }
        if !filter.sources.is_empty() {
            query = query.filter(answers::source.eq_any(&filter.sources));
        }
        if let Some(confirmed) = filter.confirmed_in_gis {
            query = query.filter(answers::confirmed_in_gis.eq(confirmed));
        }
        if let Some(since) = filter.updated_since {
            query = query.filter(answers::updated_at.ge(Ts(since)));
        }
        if let Some((at, id)) = after {
            // Two conditions where one would do: the first is a range of the index.
            query = query
                .filter(answers::updated_at.ge(Ts(at)))
                .filter(answers::updated_at.gt(Ts(at)).or(answers::id.gt(id)));
        }
        query.order((answers::updated_at, answers::id)).limit(limit).load(c).await
    })?;
    Ok(answers_of(rows))
}

/// Numbers by state, for the status page: state, count, oldest `submitted_at`.
pub(crate) async fn by_state(
    conn: &mut Conn,
    organization: Option<OrganizationId>,
) -> Result<Vec<(State, i64, Option<DateTime<Utc>>)>, StoreError> {
    let rows: Vec<(State, i64, Option<DateTime<Utc>>)> = both!(conn, c => {
        let mut query = answers::table
            .group_by(answers::state)
            .select((answers::state, count_star(), min(answers::submitted_at)))
            .into_boxed();
        if let Some(organization) = organization {
            query = query.filter(answers::organization_id.eq(organization));
        }
        query.order(answers::state).load(c).await
    })?;
    Ok(rows)
}

/// The same of one organisation in some states alone: an index finds these answers, however many are done with.
pub(crate) async fn by_these_states(
    conn: &mut Conn,
    organization: OrganizationId,
    states: &[State],
) -> Result<Vec<(State, i64, Option<DateTime<Utc>>)>, StoreError> {
    let rows = both!(conn, c => {
        answers::table
            .filter(answers::organization_id.eq(organization))
            .filter(answers::state.eq_any(states))
            .group_by(answers::state)
            .select((answers::state, count_star(), min(answers::submitted_at)))
            .order(answers::state)
            .load(c)
            .await
    })?;
    Ok(rows)
}

/// Seconds from submission to delivery of the last (at most 1000) delivered answers.
pub(crate) async fn delivery_seconds(
    conn: &mut Conn,
    organization: OrganizationId,
) -> Result<Vec<i64>, StoreError> {
    let rows: Vec<(DateTime<Utc>, DateTime<Utc>)> = both!(conn, c => {
        answers::table
            .filter(answers::organization_id.eq(organization))
            .filter(answers::state.eq(State::Delivered))
            .filter(answers::submitted_at.is_not_null())
            .filter(answers::delivered_at.is_not_null())
            // Erasing changes an answer long after its delivery.
            .filter(answers::personal_data_erased_at.is_null())
            // Nearly the order of delivery, and the order of an index.
            .order((answers::updated_at.desc(), answers::id.desc()))
            .limit(RECENT)
            .select((answers::submitted_at.assume_not_null(), answers::delivered_at.assume_not_null()))
            .load(c)
            .await
    })?;
    Ok(rows.into_iter().map(|(submitted, delivered)| (delivered - submitted).num_seconds()).collect())
}
