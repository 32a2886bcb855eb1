//! Which files an answer uses. A file that some answer uses has no expiry; whoever deletes files relies on that.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, Insertable, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

use crate::domain::attachment::Attachment;
use crate::ids::{AnswerId, AttachmentId};
use crate::store::attachments::{self as stored, AttachmentRow};
use crate::store::db::{both, insert_batch};
use crate::store::schema::{answer_files, attachments};
use crate::store::types::Ts;
use crate::store::{Conn, StoreError};

#[derive(Insertable)]
#[diesel(table_name = answer_files, treat_none_as_default_value = false)]
struct LinkRow {
    answer_id: AnswerId,
    attachment_id: AttachmentId,
}

/// Says which files an answer uses, and ends their expiry. Files that it used before, and that nothing uses now, may live
/// until `unused_until`. [`StoreError::Stale`] when one of the files has been deleted meanwhile.
pub(crate) async fn set_files(
    conn: &mut Conn,
    answer: AnswerId,
    files: &[AttachmentId],
    unused_until: DateTime<Utc>,
) -> Result<(), StoreError> {
    let files: BTreeSet<AttachmentId> = files.iter().copied().collect();
    let before: Vec<AttachmentId> = both!(conn, c => {
        answer_files::table
            .filter(answer_files::answer_id.eq(answer))
            .select(answer_files::attachment_id)
            .load(c)
            .await
    })?;
    if before.is_empty() && files.is_empty() {
        return Ok(());
    }
    both!(conn, c => {
        diesel::delete(answer_files::table.filter(answer_files::answer_id.eq(answer))).execute(c).await
    })?;
    take(conn, answer, &files).await?;
    let dropped: Vec<_> = before.into_iter().filter(|file| !files.contains(file)).collect();
    stored::release(conn, &dropped, unused_until).await
}

/// The row of the file comes before the link: who wants to delete the file waits for it, and finds no expiry.
pub(super) async fn take(
    conn: &mut Conn,
    answer: AnswerId,
    files: &BTreeSet<AttachmentId>,
) -> Result<(), StoreError> {
    let kept = both!(conn, c => {
        diesel::update(attachments::table.filter(attachments::id.eq_any(files)))
            .set((attachments::expires_at.eq(None::<Ts>), attachments::used_by_answer_id.eq(answer)))
            .execute(c)
            .await
    })?;
    if kept != files.len() {
        return Err(StoreError::Stale);
    }
    let links = files.iter().map(|file| LinkRow { answer_id: answer, attachment_id: *file }).collect();
    insert_batch!(conn, links, |batch| diesel::insert_into(answer_files::table).values(batch))?;
    Ok(())
}

/// The files of answers.
pub(crate) async fn files(
    conn: &mut Conn,
    answers: &[AnswerId],
) -> Result<Vec<(AnswerId, Attachment)>, StoreError> {
    let rows: Vec<(AnswerId, AttachmentRow)> = both!(conn, c => {
        answer_files::table
            .inner_join(attachments::table)
            .filter(answer_files::answer_id.eq_any(answers))
            .order((answer_files::answer_id, answer_files::attachment_id))
            .select((answer_files::answer_id, AttachmentRow::as_select()))
            .load(c)
            .await
    })?;
    rows.into_iter().map(|(answer, row)| Ok((answer, row.try_into()?))).collect()
}
