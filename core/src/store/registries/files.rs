//! Which files rows of registries name: scans of court acts and the like. A file that some row names has no expiry.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, Insertable, QueryDsl};
use diesel_async::RunQueryDsl;

use crate::ids::{AttachmentId, CourtDebtId};
use crate::store::db::{both, insert_batch};
use crate::store::schema::court_debt_files;
use crate::store::{Conn, StoreError, attachments};

#[derive(Insertable)]
#[diesel(table_name = court_debt_files, treat_none_as_default_value = false)]
struct LinkRow {
    court_debt_id: CourtDebtId,
    attachment_id: AttachmentId,
}

/// Says which files new rows name, and ends their expiry. [`StoreError::Stale`] when one of the files has been deleted
/// meanwhile.
pub(crate) async fn insert_files(
    conn: &mut Conn,
    links: BTreeSet<(CourtDebtId, AttachmentId)>,
) -> Result<(), StoreError> {
    attachments::keep(conn, &links.iter().map(|(_, file)| *file).collect()).await?;
    let rows =
        links.into_iter().map(|(court_debt_id, attachment_id)| LinkRow { court_debt_id, attachment_id });
    insert_batch!(conn, rows.collect(), |batch| {
        diesel::insert_into(court_debt_files::table).values(batch)
    })?;
    Ok(())
}

/// Says which files a row names now. Those that it named before, and that nothing else uses, may live until
/// `unused_until`.
pub(crate) async fn set_files(
    conn: &mut Conn,
    debt: CourtDebtId,
    files: BTreeSet<AttachmentId>,
    unused_until: DateTime<Utc>,
) -> Result<(), StoreError> {
    let before: Vec<AttachmentId> = both!(conn, c => {
        court_debt_files::table
            .filter(court_debt_files::court_debt_id.eq(debt))
            .select(court_debt_files::attachment_id)
            .load(c)
            .await
    })?;
    if !before.is_empty() {
        both!(conn, c => {
            diesel::delete(court_debt_files::table.filter(court_debt_files::court_debt_id.eq(debt)))
                .execute(c)
                .await
        })?;
    }
    let dropped: Vec<_> = before.into_iter().filter(|file| !files.contains(file)).collect();
    insert_files(conn, files.into_iter().map(|file| (debt, file)).collect()).await?;
    attachments::release(conn, &dropped, unused_until).await
}
