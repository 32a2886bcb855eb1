//! Messages and attempts as rows.

use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};

use crate::domain::answer::LastError;
use crate::domain::message::{Kind, Message, MessageState, Purpose};
use crate::ids::{MessageId, OrganizationId, SubmissionId, WorkerId};
use crate::store::json::AsJson;
use crate::store::schema::{attempts, messages};
use crate::store::types::{Guid, Ts};

/// A row of `messages`, without its time of birth.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = messages, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct MessageRow {
    id: MessageId,
    organization_id: OrganizationId,
    kind: Kind,
    state: MessageState,
    purpose: AsJson<Purpose>,
    worker: Option<WorkerId>,
    lease_until: Option<Ts>,
    gis_guid: Option<Guid>,
    sent_at: Ts,
    acknowledged_at: Option<Ts>,
    polls: i64,
    next_poll_at: Option<Ts>,
    failures: i64,
    error: Option<AsJson<LastError>>,
    trace: Option<String>,
    finished_at: Option<Ts>,
}

/// A new row of `attempts`.
#[derive(Debug, Insertable)]
#[diesel(table_name = attempts, treat_none_as_default_value = false)]
pub(super) struct NewAttemptRow {
    pub(super) message_id: MessageId,
    pub(super) submission_id: SubmissionId,
    pub(super) number: i64,
}

impl From<Message> for MessageRow {
    fn from(message: Message) -> Self {
        Self {
            id: message.id,
            organization_id: message.organization,
            kind: message.purpose.kind(),
            state: message.state,
            purpose: AsJson(message.purpose),
            worker: message.worker,
            lease_until: message.lease_until.map(Ts),
            gis_guid: message.gis_guid.map(Guid),
            sent_at: Ts(message.sent_at),
            acknowledged_at: message.acknowledged_at.map(Ts),
            polls: message.polls,
            next_poll_at: message.next_poll_at.map(Ts),
            failures: message.failures,
            error: message.error.map(AsJson),
            trace: message.trace,
            finished_at: message.finished_at.map(Ts),
        }
    }
}

impl From<MessageRow> for Message {
    fn from(row: MessageRow) -> Self {
        Self {
            id: row.id,
            organization: row.organization_id,
            purpose: row.purpose.0,
            state: row.state,
            worker: row.worker,
            lease_until: row.lease_until.map(|Ts(at)| at),
            gis_guid: row.gis_guid.map(|Guid(guid)| guid),
            sent_at: row.sent_at.0,
            acknowledged_at: row.acknowledged_at.map(|Ts(at)| at),
            polls: row.polls,
            next_poll_at: row.next_poll_at.map(|Ts(at)| at),
            failures: row.failures,
            error: row.error.map(|AsJson(error)| error),
            trace: row.trace,
            finished_at: row.finished_at.map(|Ts(at)| at),
        }
    }
}
