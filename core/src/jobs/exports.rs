//! Asks GIS to export: pages of a sync and looks at single debt requests. An export changes nothing in GIS, so one that got
//! lost is asked for anew, with a new MessageGUID.

use chrono::{DateTime, NaiveDate, Utc};
use gis_client::debt_requests::{
    Acknowledgement, ExportSubrequests, ExportVersion, Filter, InvalidExport, Period, Selection,
    SubrequestPage,
};
use gis_client::{Fate, Repeat};
use tracing::Instrument;

use super::calls::{Lease, acknowledge, after, error_of_call, finish, new_message, service_error};
use super::gate::{Entry, Pass};
use super::{JobName, Worker, halves, looks, pages};
use crate::domain::answer::LastError;
use crate::domain::last_error_code::LastErrorCode;
use crate::domain::message::{Message, MessageState, Purpose};
use crate::ids::{DebtRequestId, MessageId, OrganizationId};
use crate::store::gis_operations::Operation;
use crate::store::{Conn, messages, organizations};
use crate::{Error, Result};

/// What became of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// GIS has acknowledged it; the result comes to `pages` or `looks` by polling.
    Accepted(MessageId),
    /// It did not get through, or nobody knows; ask anew (an export changes nothing in GIS), but not before this time.
    Later {
        /// When.
        again_at: DateTime<Utc>,
    },
    /// GIS refuses it, or there is no signer: a repeat does not help.
    Refused(LastError),
    /// Nobody has asked it: its run ended while it waited for a place at the gate.
    Withdrawn,
}

/// A question whose row is written and held, but not yet asked.
pub(crate) struct Prepared {
    message: Message,
    lease: Lease,
}

impl Prepared {
    /// The message that it will be.
    pub(crate) const fn id(&self) -> MessageId {
        self.message.id
    }
}

/// Asks GIS: gate, row with a lease, call, acknowledgement. No transaction may be open.
pub(crate) async fn ask(worker: &Worker, organization: OrganizationId, purpose: Purpose) -> Result<Asked> {
    let pass = match worker.enter(Operation::Export).await? {
        Entry::Open(pass) => pass,
        Entry::Closed { until } => {
            if let Purpose::Look { ids } = &purpose {
                let mut tx = worker.service.db.begin().await?;
                looks::put_off(&mut tx, worker, ids, until).await?;
                tx.commit().await?;
            }
            return Ok(Asked::Later { again_at: until });
        }
    };
    let mut tx = worker.service.db.begin().await?;
    let prepared = prepare(&mut tx, worker, organization, purpose, 0).await?;
    tx.commit().await?;
    call(worker, pass, prepared).await
}

/// Writes the row of a question in the caller's transaction; [`send`] or [`call`] asks it after the commit. `failures`:
/// how often it was asked in vain before.
pub(crate) async fn prepare(
    conn: &mut Conn,
    worker: &Worker,
    organization: OrganizationId,
    purpose: Purpose,
    failures: i64,
) -> Result<Prepared> {
    let lease = worker.lease();
    let message = Message { failures, ..new_message(worker, organization, purpose, None, &lease) };
    messages::insert(conn, &message, &[]).await?;
    Ok(Prepared { message, lease })
}

/// Asks a prepared question as soon as the gate lets it through; if it does not, the question is put off. One may wait there
/// for long: a page whose run has ended meanwhile, because it was stopped or given up, is asked for no more.
pub(crate) async fn send(worker: &Worker, prepared: Prepared) -> Result<Asked> {
    let entry = worker.enter(Operation::Export).await?;
    let wanted = {
        let mut conn = worker.service.db.read().await?;
        pages::is_wanted(&mut conn, &prepared.message).await?
    };
    if !wanted {
        return withdraw(worker, &prepared.message).await;
    }
    match entry {
        Entry::Open(pass) => call(worker, pass, prepared).await,
        Entry::Closed { until } => {
            put_off(worker, &prepared.message, MessageState::Failed, None, until).await
        }
    }
}

/// Asks a prepared question.
pub(crate) async fn call(worker: &Worker, pass: Pass<'_>, prepared: Prepared) -> Result<Asked> {
    let Prepared { message, lease } = prepared;
    let organization = {
        let mut conn = worker.service.db.read().await?;
        organizations::get(&mut conn, message.organization).await?
    };
    let organization = organization.ok_or_else(|| Error::internal("a message without its organisation"))?;
    let sender = match worker.sender(&organization) {
        Ok(sender) => sender,
        Err(error) => return refuse(worker, &message, error).await,
    };
    let question = match question(&message.purpose, worker.service.settings.gis.export_version) {
        Ok(question) => question,
        Err(error) => return refuse(worker, &message, error).await,
    };
    let call = worker.call(&sender, message.id, &lease);
    let span = tracing::info_span!("export", message = %message.id, kind = %message.purpose.kind());
    let outcome = worker.gis.export_debt_subrequests(&call, &question).instrument(span).await;
    pass.leave(outcome.as_ref()).await?;
    match outcome {
        Ok(acknowledgement) => accept(worker, message, &acknowledgement).await,
        Err(error) if error.is_empty_export() => {
            let id = message.id;
            let page = SubrequestPage::default();
            // An empty page ends a period, and the next one is asked for in turn.
            Box::pin(hand_over(worker, &message, page)).await?;
            Ok(Asked::Accepted(id))
        }
        Err(error) => failed(worker, &message, &error).await,
    }
}

/// Gives a page to whoever asked for it.
pub(crate) async fn hand_over(worker: &Worker, message: &Message, page: SubrequestPage) -> Result<()> {
    match message.purpose {
        Purpose::Page { .. } => pages::record(worker, message, page).await,
        Purpose::Look { .. } => looks::record(worker, message, page).await,
        Purpose::Import => Err(Error::internal("a package of answers is no export")),
    }
}

async fn accept(worker: &Worker, mut message: Message, acknowledgement: &Acknowledgement) -> Result<Asked> {
    acknowledge(worker, &mut message, acknowledgement.message);
    let mut tx = worker.service.db.begin().await?;
    // Where somebody has taken the message over, the question was asked anew: this copy is not needed.
    messages::update(&mut tx, &message, Some(worker.id)).await?;
    tx.wake(JobName::Polling);
    tx.commit().await?;
    Ok(Asked::Accepted(message.id))
}

/// A call of an export has failed: what it means for the question.
async fn failed(worker: &Worker, message: &Message, error: &gis_client::Error) -> Result<Asked> {
    let words = error_of_call(error, worker.now());
    let is_lost_page = matches!(error, gis_client::Error::Fault(fault) if fault.is_lost_page());
    match error.fate() {
        Fate::Refused if !is_lost_page => refuse(worker, message, words).await,
        Fate::NotSent if error.repeat() == Repeat::Never => refuse(worker, message, words).await,
        fate @ (Fate::Refused | Fate::NotSent | Fate::Unknown) => {
            let state = if fate == Fate::Unknown { MessageState::Lost } else { MessageState::Failed };
            let message = in_vain(message.clone(), is_lost_page);
            let again_at = worker.again(message.failures, error.repeat());
            put_off(worker, &message, state, Some(words), again_at).await
        }
    }
}

/// A question that was asked once more in vain.
pub(crate) fn in_vain(message: Message, is_lost_page: bool) -> Message {
    let purpose = if is_lost_page { message.purpose.lost_again() } else { message.purpose };
    Message { failures: message.failures + 1, purpose, ..message }
}

/// Ends a question that did not get through. That of a page stays open in its run and says when it is asked anew; those of a
/// look are looked at again.
pub(crate) async fn put_off(
    worker: &Worker,
    message: &Message,
    state: MessageState,
    error: Option<LastError>,
    again_at: DateTime<Utc>,
) -> Result<Asked> {
    let again = match message.purpose {
        Purpose::Page { .. } => Some(again_at),
        Purpose::Look { .. } | Purpose::Import => None,
    };
    let ended = Message {
        state,
        worker: None,
        lease_until: None,
        next_poll_at: again,
        error,
        finished_at: Some(worker.now()),
        ..message.clone()
    };
    let mut tx = worker.service.db.begin().await?;
    if messages::update(&mut tx, &ended, Some(worker.id)).await? {
        match &ended.purpose {
            Purpose::Look { ids } => {
                // Nobody counts how often a look failed, so it is never repeated at once.
                let soonest = after(worker.now(), worker.service.settings.gis.resend_after_fault);
                looks::put_off(&mut tx, worker, ids, again_at.max(soonest)).await?;
            }
            Purpose::Page { .. } => tx.wake(JobName::Sync),
            Purpose::Import => {}
        }
    }
    tx.commit().await?;
    Ok(Asked::Later { again_at })
}

/// Ends a question that nobody has asked and nobody wants to know any more.
async fn withdraw(worker: &Worker, message: &Message) -> Result<Asked> {
    let mut tx = worker.service.db.begin().await?;
    finish(&mut tx, worker, message, MessageState::Failed, None).await?;
    tx.commit().await?;
    Ok(Asked::Withdrawn)
}

/// Ends a question that GIS will never answer; with a page ends its run, and what was to be looked at is asked for otherwise.
pub(crate) async fn refuse(worker: &Worker, message: &Message, error: LastError) -> Result<Asked> {
    let mut tx = worker.service.db.begin().await?;
    if finish(&mut tx, worker, message, MessageState::Failed, Some(error.clone())).await? {
        match &message.purpose {
            Purpose::Page { run, .. } => {
                pages::give_up(&mut tx, *run, error.clone(), worker.now()).await?;
            }
            Purpose::Look { ids } if halves::is_refusal(&error) => {
                looks::refused(&mut tx, worker, message, ids).await?;
            }
            Purpose::Look { .. } | Purpose::Import => {}
        }
    }
    tx.commit().await?;
    Ok(Asked::Refused(error))
}

/// The question in the words of GIS. A look needs the answers, and only 13.1.10.1 has them (`api.md` §6.6).
#[expect(clippy::result_large_err, reason = "once a call, and the error is stored as it is")]
fn question(purpose: &Purpose, version: ExportVersion) -> std::result::Result<ExportSubrequests, LastError> {
    let question = match purpose {
        Purpose::Page { from, to, after, .. } => page(*from, *to, *after, version),
        Purpose::Look { ids } => {
            let ids = ids.iter().map(|id| (*id).into()).collect();
            ExportSubrequests::new(ExportVersion::V13_1_10_1, Selection::Subrequests(ids), true)
        }
        Purpose::Import => return Err(impossible("пакет ответов не является выгрузкой")),
    };
    question.map_err(|error| impossible(&error.to_string()))
}

fn page(
    from: NaiveDate,
    to: NaiveDate,
    after: Option<DebtRequestId>,
    version: ExportVersion,
) -> std::result::Result<ExportSubrequests, InvalidExport> {
    let mut filter = Filter::new(Period::new(from, to)?);
    filter.page = after.map(Into::into);
    ExportSubrequests::new(version, Selection::Filter(filter), false)
}

fn impossible(detail: &str) -> LastError {
    service_error(LastErrorCode::ExportImpossible, detail.to_owned())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn day(month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, month, day).unwrap()
    }

    #[test]
    fn a_look_asks_for_answers_in_the_form_that_has_them() {
        let ids = vec![Uuid::from_u128(7).into()];
        let question = question(&Purpose::Look { ids }, ExportVersion::V15_3_0_0).unwrap();
        assert_eq!(question.version(), ExportVersion::V13_1_10_1);
    }

    #[test]
    fn a_page_is_asked_in_the_form_of_the_settings() {
        let run = Uuid::from_u128(1).into();
        let purpose = Purpose::Page { run, from: day(1, 1), to: day(7, 1), after: None, found: 0, lost: 0 };
        let asked = question(&purpose, ExportVersion::V14_0_0_0).unwrap();
        assert_eq!(asked.version(), ExportVersion::V14_0_0_0);
        let backwards = Purpose::Page { run, from: day(7, 1), to: day(1, 1), after: None, found: 0, lost: 0 };
        assert_eq!(question(&backwards, ExportVersion::V14_0_0_0).unwrap_err().code, "export_impossible");
        assert!(question(&Purpose::Import, ExportVersion::V14_0_0_0).is_err());
    }
}
