//! What of the queue may go now, in which order, and who gets it.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::{exists, min, not};
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::rows::{SubmissionRow, submissions_of};
use crate::domain::attachment::FileState;
use crate::domain::submission::{Action, Submission, SubmissionState};
use crate::ids::{AttachmentId, OrganizationId};
use crate::store::db::{both, taking};
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
pub(super) const SENDABLE: [SubmissionState; 2] = [SubmissionState::Queued, SubmissionState::Uncertain];
/// States in which a Send needs the files of its answer in GIS, now or later.
pub(crate) const NEED_FILES: [SubmissionState; 3] =
    [SubmissionState::Waiting, SubmissionState::Queued, SubmissionState::Uncertain];
/// States of files that get to GIS yet. Of one that GIS has refused nobody waits: whoever names it is refused when his turn comes.
const COMING: [FileState; 2] = [FileState::NotUploaded, FileState::Uploading];
/// States in which GIS may be read before anything else.
const LOOKABLE: [SubmissionState; 3] =
    [SubmissionState::Queued, SubmissionState::Accepted, SubmissionState::Uncertain];

/// Those of a source of submissions that nothing but state and time hold back: not to be looked at first, not blocked, the
/// organisation not halted, no file on its way to GIS (a withdrawal names none), nothing else live of the same debt request.
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
            .filter(attachments::gis_state.eq_any(COMING));
        let rival = live
            .filter(live.field(submissions::debt_request_id).eq(submissions::debt_request_id))
            .filter(live.field(submissions::id).ne(submissions::id))
            .filter(live.field(submissions::state).eq_any(LIVE));
        $source
            .filter(submissions::look_first.eq(false))
            .filter(not(exists(blocked)))
            .filter(not(exists(halted)))
            .filter(submissions::action.eq(Action::Revoke).or(not(exists(missing))))
            .filter(not(exists(rival)))
    }};
}

/// Organisations that perhaps have something to send now; [`claim`] knows.
pub(crate) async fn organizations_due(
    conn: &mut Conn,
    now: DateTime<Utc>,
) -> Result<Vec<OrganizationId>, StoreError> {
    let due = submissions::table
        .filter(submissions::organization_id.eq(organizations::id))
        .filter(submissions::state.eq_any(SENDABLE))
        .filter(submissions::look_first.eq(false))
        .filter(submissions::not_before.le(Ts(now)));
    Ok(both!(conn, c => {
        organizations::table
            .filter(organizations::halted.is_null())
            .filter(exists(due))
            .order(organizations::id)
            .select(organizations::id)
            .load(c)
            .await
    })?)
}

/// Whether an organisation has something to send now.
pub(crate) async fn is_due(
    conn: &mut Conn,
    organization: OrganizationId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    Ok(both!(conn, c => {
        diesel::select(exists(
            ready!(submissions::table)
                .filter(submissions::state.eq_any(SENDABLE))
                .filter(submissions::organization_id.eq(organization))
                .filter(submissions::not_before.le(Ts(now))),
        ))
        .get_result(c)
        .await
    })?)
}

/// Due in the order of `api.md` §6.13: due today (or over) first, then oldest. Only those with no file on its way to GIS and
/// whose organisation is not halted; PostgreSQL skips what others hold.
pub(crate) async fn claim(
    conn: &mut Conn,
    organization: OrganizationId,
    has_debt: bool,
    now: DateTime<Utc>,
    today: NaiveDate,
    limit: usize,
) -> Result<Vec<Submission>, StoreError> {
    let mut claimed = Vec::new();
    for urgent in [true, false] {
        let mut found = Vec::new();
        // State by state, so that an index gives them in their order and no more than are wanted are looked at.
        for state in SENDABLE {
            let rows: Vec<SubmissionRow> = taking!(
                conn,
                ready!(with_requests!())
                    .filter(submissions::organization_id.eq(organization))
                    .filter(submissions::has_debt.eq(has_debt))
                    .filter(submissions::state.eq(state))
                    .filter(submissions::due_key.le(today).eq(urgent))
                    .filter(submissions::not_before.le(Ts(now)))
                    .order((submissions::created_at, submissions::id))
                    .limit(i64::try_from(limit).unwrap_or(i64::MAX))
                    .select(SubmissionRow::as_select())
            )?;
            found.extend(submissions_of(rows));
        }
        found.sort_unstable_by_key(|submission| (submission.created_at, submission.id));
        claimed.extend(found);
        if claimed.len() >= limit {
            break;
        }
    }
    claimed.truncate(limit);
    Ok(claimed)
}

/// To be looked at in GIS by now before anything else happens to them; held likewise.
pub(crate) async fn claim_looks(
    conn: &mut Conn,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Submission>, StoreError> {
    let rows: Vec<SubmissionRow> = taking!(
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

/// Those of any organisation whose answer names a file that GIS must have before they can go.
pub(crate) async fn in_need_of(conn: &mut Conn, file: AttachmentId) -> Result<Vec<Submission>, StoreError> {
    let rows: Vec<SubmissionRow> = both!(conn, c => {
        submissions::table
            .inner_join(answer_files::table.on(answer_files::answer_id.eq(submissions::answer_id)))
            .filter(answer_files::attachment_id.eq(file))
            .filter(submissions::action.eq(Action::Send))
            .filter(submissions::state.eq_any(NEED_FILES))
            .order((submissions::created_at, submissions::id))
            .select(SubmissionRow::as_select())
            .load(c)
            .await
    })?;
    Ok(submissions_of(rows))
}

/// When the next one after `now` is due, to be sent or to be looked at. Something else than the time may hold it back.
pub(crate) async fn next_due(
    conn: &mut Conn,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    Ok(both!(conn, c => {
        submissions::table
            .filter(submissions::state.eq_any(LOOKABLE))
            .filter(submissions::not_before.gt(Ts(now)))
            .filter(submissions::look_first.or(submissions::state.eq_any(SENDABLE)))
            .select(min(submissions::not_before))
            .get_result(c)
            .await
    })?)
}
