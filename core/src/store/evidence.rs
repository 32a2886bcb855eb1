//! The archive of what went over the wire: which parts of which message are kept, and where.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::NaiveDate;
use diesel::dsl::max;
use diesel::prelude::{Insertable, Queryable, Selectable};
use diesel::result::Error as DieselError;
use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::db::both;
use super::schema::{attempts, debt_requests, evidence, submissions};
use super::types::Ts;
use super::{Conn, StoreError};
use crate::domain::evidence::{Entry, Part};
use crate::ids::{AnswerId, ContentId, MessageId};

/// A row of `evidence`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = evidence, treat_none_as_default_value = false)]
struct EvidenceRow {
    message_id: MessageId,
    part: Part,
    content_id: ContentId,
    http_status: Option<i64>,
    size: i64,
    sha256: Vec<u8>,
    keep_from: NaiveDate,
    recorded_at: Ts,
}

impl TryFrom<Entry> for EvidenceRow {
    type Error = StoreError;

    fn try_from(entry: Entry) -> Result<Self, StoreError> {
        let too_large = |error| StoreError::Database(DieselError::SerializationError(Box::new(error)));
        Ok(Self {
            message_id: entry.message,
            part: entry.part,
            content_id: entry.content,
            http_status: entry.http_status.map(i64::from),
            size: i64::try_from(entry.size).map_err(too_large)?,
            sha256: entry.sha256.to_vec(),
            keep_from: entry.keep_from,
            recorded_at: Ts(entry.recorded_at),
        })
    }
}

impl TryFrom<EvidenceRow> for Entry {
    type Error = StoreError;

    fn try_from(row: EvidenceRow) -> Result<Self, StoreError> {
        Ok(Self {
            message: row.message_id,
            part: row.part,
            content: row.content_id,
            http_status: row.http_status.map(u16::try_from).transpose().map_err(StoreError::corrupt)?,
            size: u64::try_from(row.size).map_err(StoreError::corrupt)?,
            sha256: row.sha256.as_slice().try_into().map_err(StoreError::corrupt)?,
            keep_from: row.keep_from,
            recorded_at: row.recorded_at.0,
        })
    }
}

/// Writes an entry; `false` when the part is there already.
pub(crate) async fn insert(conn: &mut Conn, entry: &Entry) -> Result<bool, StoreError> {
    let row = EvidenceRow::try_from(entry.clone())?;
    let written = both!(conn, c => {
        diesel::insert_into(evidence::table)
            .values(row)
            .on_conflict((evidence::message_id, evidence::part))
            .do_nothing()
            .execute(c)
            .await
    })?;
    Ok(written > 0)
}

/// The last deadline of the answers that a message carries.
pub(crate) async fn last_deadline(
    conn: &mut Conn,
    message: MessageId,
) -> Result<Option<NaiveDate>, StoreError> {
    let last: Option<NaiveDate> = both!(conn, c => {
        attempts::table
            .inner_join(submissions::table.inner_join(debt_requests::table))
            .filter(attempts::message_id.eq(message))
            .select(max(debt_requests::due_on))
            .first(c)
            .await
    })?;
    Ok(last)
}

/// What is kept of the messages that an answer was in.
pub(crate) async fn of_answer(conn: &mut Conn, answer: AnswerId) -> Result<Vec<Entry>, StoreError> {
    let rows: Vec<EvidenceRow> = both!(conn, c => {
        let messages = attempts::table
            .inner_join(submissions::table)
            .filter(submissions::answer_id.eq(answer))
            .select(attempts::message_id);
        evidence::table
            .filter(evidence::message_id.eq_any(messages))
            .order((evidence::message_id, evidence::recorded_at))
            .select(EvidenceRow::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(Entry::try_from).collect()
}

/// Deletes entries whose time of keeping is counted from an earlier day, and names their content.
pub(crate) async fn delete_before(
    conn: &mut Conn,
    day: NaiveDate,
    limit: i64,
) -> Result<Vec<ContentId>, StoreError> {
    let over: Vec<ContentId> = both!(conn, c => {
        evidence::table
            .filter(evidence::keep_from.lt(day))
            .order(evidence::keep_from)
            .limit(limit)
            .select(evidence::content_id)
            .load(c)
            .await
    })?;
    both!(conn, c => {
        diesel::delete(evidence::table.filter(evidence::content_id.eq_any(&over))).execute(c).await
    })?;
    Ok(over)
}

/// Which of these are content of the archive.
pub(crate) async fn existing(conn: &mut Conn, ids: &[ContentId]) -> Result<BTreeSet<ContentId>, StoreError> {
    let found: Vec<ContentId> = both!(conn, c => {
        evidence::table
            .filter(evidence::content_id.eq_any(ids))
            .select(evidence::content_id)
            .load(c)
            .await
    })?;
    Ok(found.into_iter().collect())
}
