//! What became of looks at single debt requests.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::rows::MessageRow;
use crate::domain::message::{Kind, Message, MessageState};
use crate::ids::OrganizationId;
use crate::store::db::both;
use crate::store::schema::messages;
use crate::store::types::Ts;
use crate::store::{Conn, StoreError};

/// The looks of an organisation that have failed since a time, oldest first.
pub(crate) async fn failed_looks(
    conn: &mut Conn,
    organization: OrganizationId,
    since: DateTime<Utc>,
) -> Result<Vec<Message>, StoreError> {
    let rows: Vec<MessageRow> = both!(conn, c => {
        messages::table
            .filter(messages::organization_id.eq(organization))
            .filter(messages::kind.eq(Kind::Look))
            .filter(messages::state.eq(MessageState::Failed))
            .filter(messages::finished_at.ge(Ts(since)))
            .order((messages::finished_at, messages::id))
            .select(MessageRow::as_select())
            .load(c)
            .await
    })?;
    Ok(rows.into_iter().map(Message::from).collect())
}
