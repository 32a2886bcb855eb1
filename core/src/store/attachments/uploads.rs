//! The queue of files to GIS. A file is due as soon as an answer that uses it is queued, or is to be sent again (`api.md`
//! §6.10).

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, min};
use diesel::prelude::AsChangeset;
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::rows::AttachmentRow;
use crate::domain::answer::LastError;
use crate::domain::attachment::{Attachment, FileState};
use crate::domain::submission::Action;
use crate::ids::AttachmentId;
use crate::store::db::{both, taking};
use crate::store::json::AsJson;
use crate::store::schema::{answer_files, attachments, submissions};
use crate::store::submissions::NEED_FILES;
use crate::store::types::{Guid, Ts};
use crate::store::{Conn, StoreError};

/// What GIS has not got yet.
const WANTED: [FileState; 2] = [FileState::NotUploaded, FileState::Uploading];

/// What an attempt to upload changes.
#[derive(AsChangeset)]
#[diesel(table_name = attachments, treat_none_as_null = true)]
pub(super) struct Progress {
    gis_state: FileState,
    gis_guid: Option<Guid>,
    gis_error: Option<AsJson<LastError>>,
    not_before: Ts,
    failures: i64,
    lease_until: Option<Ts>,
}

impl Progress {
    pub(super) fn new(file: &Attachment, not_before: DateTime<Utc>, failures: i64) -> Self {
        Self {
            gis_state: file.gis_state,
            gis_guid: file.gis_id.map(Guid),
            gis_error: file.gis_error.clone().map(AsJson),
            not_before: Ts(not_before),
            failures,
            lease_until: None,
        }
    }
}

/// Files that GIS has not got and that an answer needs which is to be sent, for the first time or again.
macro_rules! wanted {
    () => {{
        let needed = answer_files::table
            .inner_join(submissions::table.on(submissions::answer_id.eq(answer_files::answer_id)))
            .filter(answer_files::attachment_id.eq(attachments::id))
            .filter(submissions::action.eq(Action::Send))
            .filter(submissions::state.eq_any(NEED_FILES));
        attachments::table.filter(attachments::gis_state.eq_any(WANTED)).filter(exists(needed))
    }};
}

/// Files of answers to be sent that GIS has not got and that are due, with their failures so far, leased until a time.
pub(crate) async fn claim_uploads(
    conn: &mut Conn,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Attachment, i64)>, StoreError> {
    let rows: Vec<(AttachmentId, i64, AttachmentRow)> = taking!(
        conn,
        wanted!()
            .filter(attachments::not_before.le(Ts(now)))
            .filter(attachments::lease_until.is_null().or(attachments::lease_until.le(Ts(now))))
            .order((attachments::not_before, attachments::id))
            .limit(limit)
            .select((attachments::id, attachments::failures, AttachmentRow::as_select()))
    )?;
    let ids: Vec<AttachmentId> = rows.iter().map(|(id, _, _)| *id).collect();
    both!(conn, c => {
        diesel::update(attachments::table.filter(attachments::id.eq_any(&ids)))
            .set(attachments::lease_until.eq(Ts(lease_until)))
            .execute(c)
            .await
    })?;
    rows.into_iter().map(|(_, failures, row)| Ok((row.try_into()?, failures))).collect()
}

/// When the next upload is due. A file under a lease is due at its end: by then its worker has told, or is gone.
pub(crate) async fn next_due(conn: &mut Conn) -> Result<Option<DateTime<Utc>>, StoreError> {
    let free: Option<DateTime<Utc>> = both!(conn, c => {
        wanted!()
            .filter(attachments::lease_until.is_null())
            .select(min(attachments::not_before))
            .get_result(c)
            .await
    })?;
    let held: Option<DateTime<Utc>> = both!(conn, c => {
        wanted!().select(min(attachments::lease_until)).get_result(c).await
    })?;
    Ok([free, held].into_iter().flatten().min())
}
