//! Files of answers; their content lies in the file store.
//!
//! A file that an answer or a row of a registry uses has no expiry (`answers::set_files` and `registries::set_files` see to
//! that), so what has an expiry can be deleted without looking at them.

mod rows;
#[cfg(test)]
mod tests;
mod uploads;
mod uses;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

pub(crate) use self::rows::AttachmentRow;
use self::rows::attachments_of;
pub(crate) use self::uploads::{claim_uploads, next_due};
pub(crate) use self::uses::{keep, release};
use super::db::both;
use super::schema::attachments;
use super::types::Ts;
use super::{Conn, StoreError};
use crate::domain::attachment::{Attachment, FileState};
use crate::ids::{AttachmentId, ContentId, OrganizationId};

/// Writes a new file; its upload is due at once.
pub(crate) async fn insert(conn: &mut Conn, attachment: &Attachment) -> Result<(), StoreError> {
    let row = AttachmentRow::try_from(attachment.clone())?;
    let upload =
        (row, attachments::not_before.eq(Ts(attachment.created_at)), attachments::failures.eq(0_i64));
    both!(conn, c => diesel::insert_into(attachments::table).values(upload).execute(c).await)?;
    Ok(())
}

/// A file of an organisation.
pub(crate) async fn get(
    conn: &mut Conn,
    organization: OrganizationId,
    id: AttachmentId,
) -> Result<Option<Attachment>, StoreError> {
    Ok(find(conn, organization, &[id]).await?.pop())
}

/// Files of an organisation.
pub(crate) async fn find(
    conn: &mut Conn,
    organization: OrganizationId,
    ids: &[AttachmentId],
) -> Result<Vec<Attachment>, StoreError> {
    let rows = both!(conn, c => {
        attachments::table
            .filter(attachments::organization_id.eq(organization))
            .filter(attachments::id.eq_any(ids))
            .order(attachments::id)
            .select(AttachmentRow::as_select())
            .load(c)
            .await
    })?;
    attachments_of(rows)
}

/// The same content of the same client, still alive. What GIS refused is not offered again: a second upload is a second
/// try.
pub(crate) async fn same(
    conn: &mut Conn,
    organization: OrganizationId,
    owner: &str,
    sha256: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<Attachment>, StoreError> {
    let row: Option<AttachmentRow> = both!(conn, c => {
        attachments::table
            .filter(attachments::organization_id.eq(organization))
            .filter(attachments::owner.eq(owner))
            .filter(attachments::sha256.eq(sha256.as_slice()))
            .filter(attachments::expires_at.is_null().or(attachments::expires_at.gt(Ts(now))))
            .filter(attachments::gis_state.ne(FileState::Refused))
            .order(attachments::id.desc())
            .select(AttachmentRow::as_select())
            .first(c)
            .await
            .optional()
    })?;
    row.map(Attachment::try_from).transpose()
}

/// Lets an unused file live until a time.
pub(crate) async fn prolong(
    conn: &mut Conn,
    id: AttachmentId,
    expires_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    both!(conn, c => {
        diesel::update(attachments::table.find(id).filter(attachments::expires_at.is_not_null()))
            .set(attachments::expires_at.eq(Ts(expires_at)))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Writes what GIS says of it and when to try again, and ends the lease.
pub(crate) async fn update(
    conn: &mut Conn,
    attachment: &Attachment,
    not_before: DateTime<Utc>,
    failures: i64,
) -> Result<(), StoreError> {
    both!(conn, c => {
        diesel::update(attachments::table.find(attachment.id))
            .set(uploads::Progress::new(attachment, not_before, failures))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// `false` when something uses it or it does not exist.
pub(crate) async fn delete(
    conn: &mut Conn,
    organization: OrganizationId,
    id: AttachmentId,
) -> Result<bool, StoreError> {
    let deleted = both!(conn, c => {
        let unused = attachments::table
            .find(id)
            .filter(attachments::organization_id.eq(organization))
            .filter(attachments::expires_at.is_not_null());
        diesel::delete(unused).execute(c).await
    })?;
    Ok(deleted > 0)
}

/// Deletes the rows of unused files whose time is over and names them.
pub(crate) async fn delete_expired(
    conn: &mut Conn,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<AttachmentId>, StoreError> {
    let over: Vec<AttachmentId> = both!(conn, c => {
        attachments::table
            .filter(attachments::expires_at.le(Ts(now)))
            .order(attachments::expires_at)
            .limit(limit)
            .select(attachments::id)
            .load(c)
            .await
    })?;
    let deleted = both!(conn, c => {
        // Asked again: an answer may have taken the file meanwhile.
        diesel::delete(
            attachments::table
                .filter(attachments::id.eq_any(&over))
                .filter(attachments::expires_at.le(Ts(now))),
        )
        .returning(attachments::id)
        .get_results(c)
        .await
    })?;
    Ok(deleted)
}

/// Which of these are the content of a file, of any organisation.
pub(crate) async fn existing(conn: &mut Conn, ids: &[ContentId]) -> Result<BTreeSet<ContentId>, StoreError> {
    let found: Vec<ContentId> = both!(conn, c => {
        attachments::table.filter(attachments::id.eq_any(ids)).select(attachments::id).load(c).await
    })?;
    Ok(found.into_iter().collect())
}
