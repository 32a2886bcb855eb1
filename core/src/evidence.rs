//! The archive of what went over the wire, for disputes with GIS and before a court: every signed message that carries
//! answers, what came back at once, and the reply that brought its result. Each is packed and put into the file store; a
//! row says where it lies.
//!
//! What must stay true: a signed message is in the archive before its first byte leaves, or it does not leave; and what
//! cannot be kept of a reply stops nothing, because GIS has decided by then (`jobs::journal`).

use std::collections::BTreeMap;
use std::io::{Read, Write};

use bytes::Bytes;
use chrono::NaiveDate;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use crate::Service;
use crate::domain::answer::Answer;
use crate::domain::caller::{Caller, Scope};
use crate::domain::debt_request::DebtRequest;
use crate::domain::evidence::{Entry, Part};
use crate::domain::message::Message;
use crate::domain::organization::Organization;
use crate::domain::submission::Attempt;
use crate::error::{Code, Error, Result};
use crate::ids::{AnswerId, ContentId, MessageId};
use crate::store::{answers, debt_requests, evidence, organizations, submissions};

/// Everything that proves what became of an answer.
pub struct Evidence {
    /// Whose answer it is.
    pub organization: Organization,
    /// What was answered.
    pub request: Option<DebtRequest>,
    /// The answer.
    pub answer: Answer,
    /// Every attempt that was made, in the order of sending.
    pub sent: Vec<Sent>,
}

/// One attempt with what the archive keeps of its message.
pub struct Sent {
    /// The attempt.
    pub attempt: Attempt,
    /// Its message.
    pub message: Message,
    /// What is kept, in the order of the exchange.
    pub entries: Vec<Entry>,
}

/// What is kept is not what was put there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a content of the archive is not what was recorded")]
struct Altered;

impl Service {
    /// Messages whose time of keeping is counted from an earlier day are deleted.
    pub(crate) fn evidence_kept_since(&self) -> NaiveDate {
        let today = self.clock.now().date_naive();
        today.checked_sub_months(self.settings.retention.evidence).unwrap_or(NaiveDate::MIN)
    }

    /// Puts a part of a message into the archive. A part that is there already stays as it is.
    pub(crate) async fn keep_evidence(
        &self,
        message: MessageId,
        part: Part,
        http_status: Option<u16>,
        bytes: Bytes,
    ) -> Result<()> {
        let now = self.clock.now();
        let deadline = {
            let mut conn = self.db.read().await?;
            evidence::last_deadline(&mut conn, message).await?
        };
        let size = u64::try_from(bytes.len()).map_err(Error::internal)?;
        let (sha256, packed) = spawn_blocking(move || pack(&bytes)).await.map_err(Error::internal)?;
        let entry = Entry {
            message,
            part,
            content: ContentId::generate(),
            http_status,
            size,
            sha256,
            keep_from: deadline.unwrap_or(NaiveDate::MIN).max(now.date_naive()),
            recorded_at: now,
        };
        self.files.put(entry.content, packed.map_err(Error::internal)?).await?;
        let mut tx = self.db.begin().await?;
        let is_new = evidence::insert(&mut tx, &entry).await?;
        tx.commit().await?;
        if is_new { Ok(()) } else { self.files.delete(entry.content).await }
    }

    /// What proves the sending of an answer.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Code::StateConflict`] while nothing was signed; [`Code::EvidenceExpired`].
    pub async fn get_evidence(&self, caller: &Caller, id: AnswerId) -> Result<Evidence> {
        caller.need(Scope::AnswersRead)?;
        let mut conn = self.db.read().await?;
        let answer = answers::get(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)?;
        let organization =
            organizations::get(&mut conn, caller.organization).await?.ok_or(Error::NotFound)?;
        let request = debt_requests::get(&mut conn, caller.organization, answer.debt_request).await?;
        let attempts = submissions::attempts(&mut conn, id).await?;
        let entries = evidence::of_answer(&mut conn, id).await?;
        let nothing_kept = entries.is_empty();
        let sent = in_order(attempts, entries);
        if nothing_kept {
            let since = self.evidence_kept_since();
            let expired = sent.iter().any(|sent| sent.message.sent_at.date_naive() < since);
            return Err(if expired { expired_evidence() } else { nothing_sent(&answer) });
        }
        Ok(Evidence { organization, request, answer, sent })
    }

    /// The bytes of an entry as they were on the wire.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::Internal`] when they are not what was recorded.
    pub async fn evidence_content(&self, entry: &Entry) -> Result<Bytes> {
        let packed = self.files.get(entry.content).await?;
        let size = entry.size;
        let content = spawn_blocking(move || unpack(&packed, size)).await.map_err(Error::internal)?;
        let (sha256, content) = content.map_err(Error::internal)?;
        if sha256 == entry.sha256 { Ok(content) } else { Err(Error::internal(Altered)) }
    }
}

fn nothing_sent(answer: &Answer) -> Error {
    let detail = "по этому ответу ещё ничего не отправлено в ГИС ЖКХ";
    Error::conflict(Code::StateConflict, detail, Some(answer.state))
}

fn expired_evidence() -> Error {
    Error::refused(Code::EvidenceExpired, "сообщения по этому ответу удалены: срок их хранения истёк")
}

fn in_order(attempts: Vec<Attempt>, entries: Vec<Entry>) -> Vec<Sent> {
    let mut kept: BTreeMap<MessageId, Vec<Entry>> = BTreeMap::new();
    for entry in entries {
        kept.entry(entry.message).or_default().push(entry);
    }
    let sent = attempts.into_iter().filter_map(|attempt| {
        let message = attempt.message.clone()?;
        let mut entries = kept.remove(&message.id).unwrap_or_default();
        entries.sort_by_key(|entry| entry.part);
        Some(Sent { attempt, message, entries })
    });
    let mut sent: Vec<_> = sent.collect();
    sent.sort_by_key(|sent| (sent.message.sent_at, sent.message.id));
    sent
}

fn pack(bytes: &[u8]) -> ([u8; 32], std::io::Result<Bytes>) {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::default());
    let packed = packer.write_all(bytes).and_then(|()| packer.finish());
    (Sha256::digest(bytes).into(), packed.map(Bytes::from))
}

/// Never unpacks more than was recorded.
fn unpack(packed: &[u8], size: u64) -> std::io::Result<([u8; 32], Bytes)> {
    let mut content = Vec::new();
    ZlibDecoder::new(packed).take(size.saturating_add(1)).read_to_end(&mut content)?;
    Ok((Sha256::digest(&content).into(), content.into()))
}

#[cfg(test)]
mod tests;
