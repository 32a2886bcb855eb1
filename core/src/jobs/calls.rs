//! What every call of GIS needs: a lease, a sender, a header; and what its end means for us.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Europe::Moscow;
use gis_client::debt_requests::GisError;
use gis_client::envelope::{Header, Sender};
use gis_client::error::NotSent;
use gis_client::{Call, Fate, Repeat};
use uuid::Uuid;

use super::{NamedSigner, Worker};
use crate::Result;
use crate::domain::answer::{GisWords, LastError};
use crate::domain::last_error_code::LastErrorCode;
use crate::domain::message::{Message, MessageState, Purpose};
use crate::domain::organization::Organization;
use crate::ids::{MessageId, OrganizationId};
use crate::store::{Conn, messages};

/// A lease is longer than a call by this, so that the outcome can be written (`api.md` §6.4).
const MARGIN: Duration = Duration::from_secs(1);

/// How long a worker may hold what it has taken: by the clock of the rows and, for the call, by the monotonic one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lease {
    /// For the row.
    pub(crate) until: DateTime<Utc>,
    /// For the call.
    pub(crate) not_after: Instant,
}

impl Worker {
    /// A lease that begins now: the timeout of a call and a second. Take it before the row is committed.
    pub(crate) fn lease(&self) -> Lease {
        let length = self.service.settings.gis.timeout.saturating_add(MARGIN);
        let begun = Instant::now();
        // An instant that cannot be told is past: the call is then not made.
        Lease { until: after(self.now(), length), not_after: begun.checked_add(length).unwrap_or(begun) }
    }

    /// How many messages are worked at side by side; the gate lets through as many calls as GIS takes at once.
    pub(crate) fn lanes(&self) -> usize {
        self.service.settings.gis.parallel.max(1).saturating_mul(2)
    }

    /// Who sends for an organisation. An error names the signer that the configuration lacks.
    #[expect(clippy::result_large_err, reason = "once a package, and the error is stored as it is")]
    pub(crate) fn sender(&self, organization: &Organization) -> std::result::Result<Sender, LastError> {
        let Some(NamedSigner { signer, operator_signature }) = self.signers.get(&organization.signer) else {
            let detail = format!("в настройках шлюза нет подписи «{}»", organization.signer);
            return Err(service_error(LastErrorCode::SignerMissing, detail));
        };
        Ok(Sender {
            organization: organization.ppa_guid.into(),
            signer: std::sync::Arc::clone(signer),
            operator_signature: *operator_signature,
            creators: Vec::new(),
        })
    }

    /// A call with a committed MessageGUID.
    pub(crate) fn call(&self, sender: &Sender, message: MessageId, lease: &Lease) -> Call {
        let header = Header {
            message: message.as_uuid().into(),
            // GIS counts its days in Moscow and its clients write Moscow time.
            sent_at: self.now().with_timezone(&Moscow).fixed_offset(),
        };
        Call { sender: sender.clone(), header, not_after: Some(lease.not_after), recorder: None }
    }

    /// When to try again after so many failures in a row, not before what GIS asked for; after none, what GIS asked for alone.
    pub(crate) fn again(&self, failures: i64, repeat: Repeat) -> DateTime<Utc> {
        let settings = &self.service.settings.gis;
        let failures = u32::try_from(failures).unwrap_or(u32::MAX);
        let wait =
            if failures == 0 { Duration::ZERO } else { settings.backoff.wait(failures, rand::random()) };
        let asked = match repeat {
            Repeat::Later { after } | Repeat::AfterLook { after } => after,
            Repeat::NewMessage { .. } => Some(settings.resend_after_fault),
            Repeat::AfterRepair => Some(settings.backoff.longest),
            Repeat::Never | Repeat::InParts => None,
        };
        after(self.now(), wait.max(asked.unwrap_or_default()))
    }
}

/// A new message in `sending`, held by this worker; [`messages::insert`] writes it.
pub(crate) fn new_message(
    worker: &Worker,
    organization: OrganizationId,
    purpose: Purpose,
    trace: Option<String>,
    lease: &Lease,
) -> Message {
    Message {
        id: MessageId::generate(),
        organization,
        purpose,
        state: MessageState::Sending,
        worker: Some(worker.id),
        lease_until: Some(lease.until),
        gis_guid: None,
        sent_at: worker.now(),
        acknowledged_at: None,
        polls: 0,
        next_poll_at: None,
        failures: 0,
        error: None,
        trace,
        finished_at: None,
    }
}

/// Notes the acknowledgement of GIS in a message: accepted, polled by the schedule. It is always noted, even when the lease
/// was over meanwhile (`api.md` §6.4).
pub(crate) fn acknowledge(worker: &Worker, message: &mut Message, gis: gis_client::ids::GisMessageId) {
    let now = worker.now();
    message.state = MessageState::Accepted;
    message.gis_guid = Some(gis.as_uuid());
    message.acknowledged_at = Some(now);
    message.polls = 0;
    message.failures = 0;
    message.next_poll_at = Some(worker.service.settings.gis.poll_after.next_poll(now, 0));
    message.worker = None;
    message.lease_until = None;
}

/// Ends a message that this worker holds, with its result or without. `false`: somebody else has it by now, record nothing.
pub(crate) async fn finish(
    conn: &mut Conn,
    worker: &Worker,
    message: &Message,
    state: MessageState,
    error: Option<LastError>,
) -> Result<bool> {
    let ended = Message {
        state,
        worker: None,
        lease_until: None,
        next_poll_at: None,
        error,
        finished_at: Some(worker.now()),
        ..message.clone()
    };
    Ok(messages::update(conn, &ended, Some(worker.id)).await?)
}

/// The error of a call, for rows and for the client.
pub(crate) fn error_of_call(error: &gis_client::Error, now: DateTime<Utc>) -> LastError {
    if let gis_client::Error::Fault(fault) = error {
        return error_of_gis(fault, None, now);
    }
    if let gis_client::Error::NotSent { reason: NotSent::Unrecorded, .. } = error {
        let detail = format!("сообщение не отправлено: {error}");
        return service_error(LastErrorCode::ArchiveUnavailable, detail);
    }
    let (code, detail) = match error.fate() {
        Fate::NotSent => (LastErrorCode::GisUnreachable, "сообщение не отправлено: нет связи с ГИС ЖКХ"),
        Fate::Unknown => {
            (LastErrorCode::GisNoAnswer, "ГИС ЖКХ не ответила; неизвестно, приняла ли она сообщение")
        }
        Fate::Refused => (LastErrorCode::GisRejected, "ГИС ЖКХ отклонила сообщение"),
    };
    LastError {
        origin: if error.fate() == Fate::NotSent { "service" } else { "gis" }.to_owned(),
        code: code.to_string(),
        // The text of the error holds neither documents nor people.
        detail: format!("{detail} ({error})"),
        pointer: None,
        gis: None,
    }
}

/// The error of a state or of an item, for rows and for the client.
pub(crate) fn error_of_gis(error: &GisError, message: Option<Uuid>, now: DateTime<Utc>) -> LastError {
    let (code, detail) = match error.fate() {
        Fate::Refused => (LastErrorCode::GisRejected, "ГИС ЖКХ отклонила сообщение"),
        Fate::NotSent | Fate::Unknown => (LastErrorCode::GisFault, "ГИС ЖКХ сообщила об ошибке обработки"),
    };
    LastError {
        origin: "gis".to_owned(),
        code: code.to_string(),
        detail: format!("{detail}: {}", error.gis_code()),
        pointer: None,
        gis: Some(GisWords {
            code: error.gis_code().as_str().to_owned(),
            description: error.description.clone(),
            message_guid: message,
            at: now,
        }),
    }
}

/// An error of ours, for rows and for the client.
pub(crate) fn service_error(code: LastErrorCode, detail: String) -> LastError {
    LastError { origin: "service".to_owned(), code: code.to_string(), detail, pointer: None, gis: None }
}

/// A time so much later; the end of time when it lies beyond.
pub(crate) fn after(time: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    let wait = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
    time.checked_add_signed(wait).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_gis_go_to_the_client_and_into_no_log() {
        let error = GisError {
            code: "INT016001".to_owned(),
            description: "СНИЛС 11223344595".to_owned(),
            stack_trace: None,
        };
        let error = error_of_gis(&error, None, DateTime::UNIX_EPOCH);
        assert_eq!((error.origin.as_str(), error.code.as_str()), ("gis", "gis_rejected"));
        assert!(!format!("{error:?}").contains("11223344595"));
        assert!(error.gis.is_some_and(|words| words.description.contains("11223344595")));
    }

    #[test]
    fn time_does_not_overflow() {
        assert_eq!(after(DateTime::UNIX_EPOCH, Duration::MAX), DateTime::<Utc>::MAX_UTC);
        assert_eq!(after(DateTime::UNIX_EPOCH, Duration::from_secs(7)).timestamp(), 7);
    }
}
