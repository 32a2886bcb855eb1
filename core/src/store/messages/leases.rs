//! Who holds a message and for how long. A lease that is over is a worker that is gone.

use chrono::{DateTime, Utc};
use diesel::dsl::min;
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::rows::MessageRow;
use crate::domain::message::{Message, MessageState};
use crate::ids::{MessageId, WorkerId};
use crate::store::db::{both, taking};
use crate::store::schema::messages;
use crate::store::types::Ts;
use crate::store::{Conn, StoreError};

/// Takes accepted messages whose poll is due, with a lease; longest due first.
pub(crate) async fn claim_polls(
    conn: &mut Conn,
    worker: WorkerId,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Message>, StoreError> {
    let rows: Vec<MessageRow> = taking!(
        conn,
        messages::table
            .filter(messages::state.eq(MessageState::Accepted))
            .filter(messages::next_poll_at.le(Ts(now)))
            .filter(messages::lease_until.is_null().or(messages::lease_until.le(Ts(now))))
            .order((messages::next_poll_at, messages::id))
            .limit(limit)
            .select(MessageRow::as_select())
    )?;
    lease(conn, rows, worker, lease_until).await
}

/// Takes messages in `sending` whose lease is over: their worker is gone.
pub(crate) async fn claim_abandoned(
    conn: &mut Conn,
    worker: WorkerId,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Message>, StoreError> {
    let rows: Vec<MessageRow> = taking!(
        conn,
        messages::table
            .filter(messages::state.eq(MessageState::Sending))
            .filter(messages::lease_until.le(Ts(now)))
            .order((messages::lease_until, messages::id))
            .limit(limit)
            .select(MessageRow::as_select())
    )?;
    lease(conn, rows, worker, lease_until).await
}

async fn lease(
    conn: &mut Conn,
    rows: Vec<MessageRow>,
    worker: WorkerId,
    until: DateTime<Utc>,
) -> Result<Vec<Message>, StoreError> {
    let leased = |row| Message { worker: Some(worker), lease_until: Some(until), ..Message::from(row) };
    let messages: Vec<Message> = rows.into_iter().map(leased).collect();
    let ids: Vec<MessageId> = messages.iter().map(|message| message.id).collect();
    both!(conn, c => {
        diesel::update(messages::table.filter(messages::id.eq_any(&ids)))
            .set((messages::worker.eq(worker), messages::lease_until.eq(Ts(until))))
            .execute(c)
            .await
    })?;
    Ok(messages)
}

/// When the next poll or lease end is due.
pub(crate) async fn next_due(conn: &mut Conn) -> Result<Option<DateTime<Utc>>, StoreError> {
    let poll: Option<DateTime<Utc>> = both!(conn, c => {
        messages::table
            .filter(messages::state.eq(MessageState::Accepted))
            .filter(messages::lease_until.is_null())
            .select(min(messages::next_poll_at))
            .get_result(c)
            .await
    })?;
    let lease: Option<DateTime<Utc>> = both!(conn, c => {
        messages::table
            .filter(messages::state.eq_any([MessageState::Sending, MessageState::Accepted]))
            .select(min(messages::lease_until))
            .get_result(c)
            .await
    })?;
    Ok([poll, lease].into_iter().flatten().min())
}
