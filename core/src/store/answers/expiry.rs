//! Answers whose personal data are kept no longer.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::{exists, not};
use diesel::{BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;

use crate::domain::answer::State;
use crate::domain::submission::SubmissionState;
use crate::ids::DebtRequestId;
use crate::store::db::both;
use crate::store::schema::{answers, debt_requests, submissions, watches};
use crate::store::types::Ts;
use crate::store::{Conn, StoreError};

/// Submissions that are not over.
const OPEN: [SubmissionState; 5] = [
    SubmissionState::Waiting,
    SubmissionState::Queued,
    SubmissionState::Sending,
    SubmissionState::Accepted,
    SubmissionState::Uncertain,
];

/// Debt requests whose last day lies before a day, whose answers were all changed last before a time, and about which
/// nothing is under way or watched: those of at most so many answers that may hold personal data, the longest unchanged
/// first. Who erases them looks again once they are held.
pub(crate) async fn past_keeping(
    conn: &mut Conn,
    due_before: NaiveDate,
    changed_before: DateTime<Utc>,
    limit: i64,
) -> Result<BTreeSet<DebtRequestId>, StoreError> {
    let kin = diesel::alias!(answers as kin);
    let unsettled = kin.filter(kin.field(answers::debt_request_id).eq(answers::debt_request_id)).filter(
        kin.field(answers::state)
            .eq_any(State::UNDER_WAY)
            .or(kin.field(answers::updated_at).ge(Ts(changed_before))),
    );
    let open = submissions::table
        .filter(submissions::debt_request_id.eq(answers::debt_request_id))
        .filter(submissions::state.eq_any(OPEN));
    let watched = watches::table.filter(watches::debt_request_id.eq(answers::debt_request_id));
    // The condition of the index `answers_with_personal_data`, which holds few answers that are so old.
    let may_hold_personal_data = answers::personal_data_erased_at
        .is_null()
        .or(answers::personal_data_erased_at.lt(answers::updated_at.nullable()).assume_not_null());
    let due = debt_requests::due_on.is_null().or(debt_requests::due_on.lt(due_before).assume_not_null());
    let found: Vec<DebtRequestId> = both!(conn, c => {
        answers::table
            .inner_join(debt_requests::table)
            .filter(may_hold_personal_data)
            .filter(answers::updated_at.lt(Ts(changed_before)))
            .filter(due)
            .filter(not(exists(unsettled)))
            .filter(not(exists(open)))
            .filter(not(exists(watched)))
            .order(answers::updated_at)
            .limit(limit)
            .select(answers::debt_request_id)
            .load(c)
            .await
    })?;
    Ok(found.into_iter().collect())
}
