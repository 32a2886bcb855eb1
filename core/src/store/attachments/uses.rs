//! What uses a file keeps it: answers and rows of registries. A file that nothing uses any more may live for a while.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, not};
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;

use crate::ids::{AnswerId, AttachmentId};
use crate::store::db::{BATCH, both};
use crate::store::schema::{answer_files, attachments, court_debt_files};
use crate::store::types::Ts;
use crate::store::{Conn, StoreError};

/// Ends the expiry of files that something uses from now on; [`StoreError::Stale`] when one has been deleted meanwhile.
pub(crate) async fn keep(conn: &mut Conn, files: &BTreeSet<AttachmentId>) -> Result<(), StoreError> {
    let files: Vec<AttachmentId> = files.iter().copied().collect();
    for some in files.chunks(BATCH) {
        let kept = both!(conn, c => {
            diesel::update(attachments::table.filter(attachments::id.eq_any(some)))
                .set(attachments::expires_at.eq(None::<Ts>))
                .execute(c)
                .await
        })?;
        if kept != some.len() {
            return Err(StoreError::Stale);
        }
    }
    Ok(())
}

/// Something uses these files no more. Those that nothing else uses may live until a time.
pub(crate) async fn release(
    conn: &mut Conn,
    files: &[AttachmentId],
    unused_until: DateTime<Utc>,
) -> Result<(), StoreError> {
    if files.is_empty() {
        return Ok(());
    }
    both!(conn, c => async {
        let unanswered = || {
            let answers = answer_files::table.filter(answer_files::attachment_id.eq(attachments::id));
            attachments::table.filter(attachments::id.eq_any(files)).filter(not(exists(answers)))
        };
        diesel::update(unanswered())
            .set(attachments::used_by_answer_id.eq(None::<AnswerId>))
            .execute(c)
            .await?;
        let debts = court_debt_files::table.filter(court_debt_files::attachment_id.eq(attachments::id));
        diesel::update(unanswered().filter(not(exists(debts))))
            .set(attachments::expires_at.eq(Ts(unused_until)))
            .execute(c)
            .await
    }
    .await)?;
    Ok(())
}
