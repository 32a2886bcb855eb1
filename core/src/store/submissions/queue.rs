//! What of the queue may go now, in which order, and who gets it.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::{count_star, exists, min, not};
use diesel::{ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::rows::{SubmissionRow, submissions_of};
use crate::domain::attachment::FileState;
use crate::domain::submission::{Submission, SubmissionState};
use crate::ids::OrganizationId;
use crate::store::db::{Backend, both};
use crate::store::schema::{answer_files, answers, attachments, debt_requests, organizations, submissions};
use crate::store::types::Ts;
use crate::store::{Conn, StoreError};

/// The states of the unique index `submissions_one_live`.
const LIVE: [SubmissionState; 3] =
    [SubmissionState::Sending, SubmissionState::Accepted, SubmissionState::Uncertain];

/// Submissions with their debt requests: FOR UPDATE holds the rows of both.
macro_rules! with_requests {
    () => {
        submissions::table
            .inner_join(debt_requests::table.on(debt_requests::id.eq(submissions::debt_request_id)))
    };
}

/// States in which an attempt may begin.
const SENDABLE: [SubmissionState; 2] = [SubmissionState::Queued, SubmissionState::Uncertain];
/// States in which GIS may be read before anything else.
const LOOKABLE: [SubmissionState; 3] =
    [SubmissionState::Queued, SubmissionState::Accepted, SubmissionState::Uncertain];

/// Those of a source of submissions that nothing but the time holds back: queued or to be repeated, not to be looked at
/// first, not blocked, the organisation not halted, every file in GIS, nothing else live of the same debt request.
macro_rules! ready {
    ($source:expr) => {{
        let live = diesel::alias!(submissions as live);
        let blocked = answers::table
            .filter(answers::id.eq(submissions::answer_id))
            .filter(answers::blocked_by_id.is_not_null());
        let halted = organizations::table
            .filter(organizations::id.eq(submissions::organization_id))
            .filter(organizations::halted.is_not_null());
        let missing = answer_files::table
            .inner_join(attachments::table)
            .filter(answer_files::answer_id.eq(submissions::answer_id))
            .filter(attachments::gis_state.ne(FileState::Uploaded));
        let rival = live
            .filter(live.field(submissions::debt_request_id).eq(submissions::debt_request_id))
            .filter(live.field(submissions::id).ne(submissions::id))
            .filter(live.field(submissions::state).eq_any(LIVE));
        $source
            .filter(submissions::state.eq_any(SENDABLE))
            .filter(submissions::look_first.eq(false))
            .filter(not(exists(blocked)))
            .filter(not(exists(halted)))
            .filter(not(exists(missing)))
            .filter(not(exists(rival)))
    }};
}

/// Loads rows that are held until the transaction ends. PostgreSQL passes over what others hold; in SQLite the turn to write
/// holds everything.
macro_rules! hold {
    ($conn:expr, $query:expr) => {
        match $conn.backend() {
            Backend::Pg(c) => $query.for_update().skip_locked().load(c).await,
            Backend::Lite(c) => $query.load(c).await,
        }
    };
}

/// Organisations that have something due, since when the oldest waits, and how many there are; oldest first.
pub(crate) async fn organizations_due(
    conn: &mut Conn,
    now: DateTime<Utc>,
) -> Result<Vec<(OrganizationId, DateTime<Utc>, i64)>, StoreError> {
    let mut due: Vec<(OrganizationId, DateTime<Utc>, i64)> = both!(conn, c => {
        ready!(submissions::table)
            .filter(submissions::not_before.le(Ts(now)))
            .group_by(submissions::organization_id)
            .select((
                submissions::organization_id,
                min(submissions::created_at).assume_not_null(),
                count_star(),
            ))
            .load(c)
            .await
    })?;
    due.sort_unstable_by_key(|(organization, since, _)| (*since, *organization));
    Ok(due)
}

/// Due in the order of `api.md` §6.13: due today (or over) first, then debt, then oldest. Only those whose files are all
/// uploaded and whose organisation is not halted. Held until the transaction ends, their debt requests too; PostgreSQL
/// skips what others hold.
pub(crate) async fn claim(
    conn: &mut Conn,
    organization: OrganizationId,
    has_debt: bool,
    now: DateTime<Utc>,
    today: NaiveDate,
    limit: i64,
) -> Result<Vec<Submission>, StoreError> {
    let rows: Vec<SubmissionRow> = hold!(
        conn,
        ready!(with_requests!())
            .filter(submissions::organization_id.eq(organization))
            .filter(submissions::has_debt.eq(has_debt))
            .filter(submissions::not_before.le(Ts(now)))
            .order((submissions::due_key.le(today).desc(), submissions::created_at, submissions::id))
            .limit(limit)
            .select(SubmissionRow::as_select())
    )?;
    Ok(submissions_of(rows))
}

/// To be looked at in GIS by now before anything else happens to them; held likewise.
pub(crate) async fn claim_looks(
    conn: &mut Conn,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Submission>, StoreError> {
    let rows: Vec<SubmissionRow> = hold!(
        conn,
        with_requests!()
            .filter(submissions::state.eq_any(LOOKABLE))
            .filter(submissions::look_first.eq(true))
            .filter(submissions::not_before.le(Ts(now)))
            .order((submissions::not_before, submissions::id))
            .limit(limit)
            .select(SubmissionRow::as_select())
    )?;
    Ok(submissions_of(rows))
}

/// When the next one is due, to be sent or to be looked at. What something else than the time holds back is not counted:
/// whoever removes the obstacle wakes the job.
pub(crate) async fn next_due(conn: &mut Conn) -> Result<Option<DateTime<Utc>>, StoreError> {
    let sendable: Option<DateTime<Utc>> = both!(conn, c => {
        ready!(submissions::table).select(min(submissions::not_before)).get_result(c).await
    })?;
    let lookable: Option<DateTime<Utc>> = both!(conn, c => {
        submissions::table
            .filter(submissions::state.eq_any(LOOKABLE))
            .filter(submissions::look_first.eq(true))
            .select(min(submissions::not_before))
            .get_result(c)
            .await
    })?;
    Ok([sendable, lookable].into_iter().flatten().min())
}
