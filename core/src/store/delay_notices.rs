//! Submissions of which it was told that they are late: once for each reason. Answers would not do as a key: one whose
//! sending was late may hang once more when it is withdrawn.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, not};
use diesel::{ExpressionMethods, Insertable, JoinOnDsl, NullableExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;

use super::db::{both, insert_batch};
use super::schema::{answers, debt_requests, delay_notices, submissions};
use super::types::Ts;
use super::{Conn, StoreError};
use crate::domain::answer::State;
use crate::domain::delay::{Delay, DelayReason};
use crate::domain::submission::SubmissionState;
use crate::ids::{AnswerId, DebtRequestId, OrganizationId, SubmissionId};

/// States in which something may be on its way to GIS, of answers and of what is done for them. A repair is none of the
/// answer's: it was settled before and stays so.
const IN_FLIGHT: [State; 4] = [State::Sending, State::Accepted, State::Uncertain, State::Revoking];
const LIVE: [SubmissionState; 3] =
    [SubmissionState::Sending, SubmissionState::Accepted, SubmissionState::Uncertain];

#[derive(Insertable)]
#[diesel(table_name = delay_notices, treat_none_as_default_value = false)]
struct NoticeRow {
    submission_id: SubmissionId,
    reason: DelayReason,
    told_at: Ts,
}

/// An answer that is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Late {
    /// What is done for it.
    pub(crate) submission: SubmissionId,
    /// The answer.
    pub(crate) answer: AnswerId,
    /// What it answers.
    pub(crate) debt_request: DebtRequestId,
    /// When its sending, or its withdrawal, began.
    pub(crate) since: DateTime<Utc>,
}

/// Answers that are late and of whose sending or withdrawal it was not told for this reason, the longest on their way first.
pub(crate) async fn untold(
    conn: &mut Conn,
    organization: OrganizationId,
    delay: Delay,
    limit: i64,
) -> Result<Vec<Late>, StoreError> {
    let told = delay_notices::table
        .filter(delay_notices::submission_id.eq(submissions::id))
        .filter(delay_notices::reason.eq(delay.reason));
    let found: Vec<(SubmissionId, AnswerId, DebtRequestId, Ts)> = both!(conn, c => {
        let late = submissions::table
            .inner_join(answers::table.on(answers::id.eq(submissions::answer_id)))
            .inner_join(debt_requests::table.on(debt_requests::id.eq(submissions::debt_request_id)))
            .filter(submissions::organization_id.eq(organization))
            .filter(submissions::state.eq_any(LIVE))
            .filter(submissions::began_at.le(Ts(delay.began_by)))
            .filter(answers::state.eq_any(IN_FLIGHT))
            .filter(not(exists(told)))
            .order((submissions::began_at, submissions::id))
            .limit(limit)
            .select((
                submissions::id,
                submissions::answer_id,
                submissions::debt_request_id,
                submissions::began_at.assume_not_null(),
            ))
            .into_boxed();
        let late = match delay.due_on {
            Some(day) => late.filter(debt_requests::due_key.eq(day)),
            None => late,
        };
        late.load(c).await
    })?;
    let late =
        |(submission, answer, debt_request, Ts(since))| Late { submission, answer, debt_request, since };
    Ok(found.into_iter().map(late).collect())
}

/// It is told now.
pub(crate) async fn note(
    conn: &mut Conn,
    submissions: &[SubmissionId],
    reason: DelayReason,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = |id: &SubmissionId| NoticeRow { submission_id: *id, reason, told_at: Ts(now) };
    let rows = submissions.iter().map(row).collect();
    insert_batch!(conn, rows, |batch| diesel::insert_into(delay_notices::table).values(batch))?;
    Ok(())
}

/// Deletes notices that were given before a time.
pub(crate) async fn delete_before(conn: &mut Conn, time: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(both!(conn, c => {
        diesel::delete(delay_notices::table.filter(delay_notices::told_at.lt(Ts(time)))).execute(c).await
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::Answer;
    use crate::domain::submission::{Action, Submission};
    use crate::ids::TransportId;
    use crate::store::samples::{day, request, stored_organization};
    use crate::store::test_db::for_both;
    use crate::store::test_rows::{answer, at, submission};
    use crate::store::{answers, debt_requests, submissions};

    const NO_RESULT: DelayReason = DelayReason::NoResult;

    fn since(began_by: i64) -> Delay {
        Delay { reason: NO_RESULT, began_by: at(began_by), due_on: None }
    }

    /// A stored answer that is on its way since then, to a request whose last day is a day of November.
    async fn under_way(
        conn: &mut Conn,
        organization: OrganizationId,
        state: State,
        due: u32,
        began: i64,
    ) -> Late {
        let mut asked = request(organization);
        asked.gis.due_on = Some(day(due));
        let id = asked.id;
        debt_requests::save(conn, &[asked]).await.unwrap();
        let given = Answer { state, ..answer(organization, id) };
        answers::insert(conn, vec![(given.clone(), Vec::new())]).await.unwrap();
        let began_at = Some(at(began));
        let sent = Submission { state: SubmissionState::Accepted, began_at, ..submission(&given) };
        let late = Late { submission: sent.id, answer: given.id, debt_request: id, since: at(began) };
        submissions::save(conn, vec![sent]).await.unwrap();
        late
    }

    #[test]
    fn whatever_is_long_on_its_way_is_told_of_once_for_each_reason() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
            let second = under_way(&mut tx, ours, State::Revoking, 10, 2).await;
            let first = under_way(&mut tx, ours, State::Accepted, 12, 1).await;
            let later = under_way(&mut tx, ours, State::Uncertain, 10, 6).await;
            // A repair: the answer itself is not on its way.
            under_way(&mut tx, ours, State::Delivered, 10, 1).await;
            under_way(&mut tx, theirs, State::Accepted, 10, 1).await;
            assert_eq!(untold(&mut tx, ours, since(5), 9).await.unwrap(), [first, second]);
            assert_eq!(untold(&mut tx, ours, since(5), 1).await.unwrap(), [first]);
            note(&mut tx, &[first.submission], NO_RESULT, at(5)).await.unwrap();
            assert_eq!(untold(&mut tx, ours, since(5), 9).await.unwrap(), [second]);
            let due =
                |number| Delay { reason: DelayReason::DueSoon, began_by: at(6), due_on: Some(day(number)) };
            assert_eq!(untold(&mut tx, ours, due(12), 9).await.unwrap(), [first], "that is another reason");
            assert_eq!(untold(&mut tx, ours, due(10), 9).await.unwrap(), [second, later]);
            assert_eq!(delete_before(&mut tx, at(5)).await.unwrap(), 0);
            assert_eq!(delete_before(&mut tx, at(6)).await.unwrap(), 1);
        });
    }

    #[test]
    fn a_withdrawal_that_hangs_after_the_sending_did_is_told_of_too() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let ours = stored_organization(&mut tx).await;
            let sending = under_way(&mut tx, ours, State::Revoking, 10, 1).await;
            note(&mut tx, &[sending.submission], NO_RESULT, at(5)).await.unwrap();
            let [sent] = submissions::of_answer(&mut tx, sending.answer).await.unwrap().try_into().unwrap();
            submissions::save(&mut tx, vec![Submission { state: SubmissionState::Done, ..sent.clone() }])
                .await
                .unwrap();
            let withdrawal = Submission {
                id: SubmissionId::generate(),
                action: Action::Revoke,
                transport: TransportId::generate(),
                began_at: Some(at(6)),
                ..sent
            };
            let late = Late { submission: withdrawal.id, since: at(6), ..sending };
            submissions::save(&mut tx, vec![withdrawal]).await.unwrap();
            assert_eq!(untold(&mut tx, ours, since(7), 9).await.unwrap(), [late]);
            note(&mut tx, &[late.submission], NO_RESULT, at(7)).await.unwrap();
            assert_eq!(untold(&mut tx, ours, since(7), 9).await.unwrap(), []);
        });
    }
}
