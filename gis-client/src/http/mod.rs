//! The service `DebtRequestsAsync` over HTTP: the trait [`Gis`] and its one real implementation [`HttpGis`].
//!
//! Called by the jobs. A call writes and signs its message ([`crate::envelope`]), carries it through the local
//! GOST TLS tunnel and reads the reply ([`crate::reply`]). What must stay true: the caller has committed the
//! MessageGUID before the call; the message is written at most once and never after the lease's end; and a SOAP
//! message in the reply, even a broken one, outweighs the HTTP status, because GIS sends faults and even results
//! with any status.

mod body;
mod channel;
mod recorder;
mod settings;

pub(crate) use channel::{Channel, Reply, Request};
pub use recorder::Recorder;
pub use settings::{BasicAuth, HttpSettings, InvalidSettings, VerifyReplies};

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName};

use crate::debt_requests::{Acknowledgement, Action, ExportSubrequests, ImportResponses, Progress, State};
use crate::envelope::{self, Envelope, Header, Sender};
use crate::error::{Error, NotSent, Unreadable};
use crate::files::{Errand, FileState, FileStore, FileUpload, UploadError, UploadedFile};
use crate::ids::{AttachmentId, GisMessageId, OrganizationId};
use crate::reply::{self, ReplyError};
use crate::signature::{self, CertificateDigest, SignatureProblem};
use crate::signer::SignerError;

/// Where the service is, below the base address.
const SERVICE: &str = "/ext-bus-debtreq-service/services/DebtRequestsAsync";
/// The longest acknowledgement or fault in bytes.
const LONGEST_ACKNOWLEDGEMENT: u64 = 1024 * 1024;
const SOAP_ACTION: HeaderName = HeaderName::from_static("soapaction");

/// One call of the service, as the caller has committed it to its database.
#[derive(Clone)]
pub struct Call {
    /// On whose behalf, and who signs.
    pub sender: Sender,
    /// MessageGUID, new for each call, and the time of sending.
    pub header: Header,
    /// The end of the lease on the monotonic clock: the message is not begun after it, and the call ends by then.
    pub not_after: Option<Instant>,
    /// Who keeps what goes over the wire.
    pub recorder: Option<Arc<dyn Recorder>>,
}

/// What proved that the far end answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeReply {
    /// The HTTP status of the answer.
    pub status: u16,
    /// What time it was for the far end, when it says so.
    pub date: Option<DateTime<Utc>>,
}

/// What the gateway asks of GIS. Every method is one call without repeats; [`Error::fate`] and [`Error::repeat`]
/// say what a failure means.
#[async_trait]
pub trait Gis: Send + Sync {
    /// Asks for subrequests; the answer comes by [`get_state`](Self::get_state).
    ///
    /// # Errors
    /// [`Error`].
    async fn export_debt_subrequests(
        &self,
        call: &Call,
        request: &ExportSubrequests,
    ) -> Result<Acknowledgement, Error>;

    /// Sends or withdraws answers; the results come by [`get_state`](Self::get_state).
    ///
    /// # Errors
    /// [`Error`]. HTTP 429 and 503 never count as not sent when the package withdraws an answer.
    async fn import_responses(
        &self,
        call: &Call,
        request: &ImportResponses,
    ) -> Result<Acknowledgement, Error>;

    /// Asks what became of a message, by the identifier of its acknowledgement.
    ///
    /// # Errors
    /// [`Error`]. Its [`Error::fate`] concerns this question, never the message asked about. That GIS does not know
    /// that message is a fault of [`crate::error::CodeClass::UnknownMessage`], or a state whose verdict is unclear.
    async fn get_state(&self, call: &Call, message: GisMessageId) -> Result<State, Error>;

    /// Uploads a file, in parts when it is longer than [`crate::files::PART_LIMIT`]. `resume` names the upload of
    /// the same file that broke off before ([`UploadError::resume`]): it goes on with the parts that are missing, or
    /// begins anew when the file store does not know that upload any more. A file counts as uploaded when its virus
    /// check is over. No step begins after `not_after`, and each ends by then.
    ///
    /// # Errors
    /// [`UploadError`]: [`Error::File`] or an error of the connection, and where to go on.
    async fn upload_file(
        &self,
        file: &FileUpload,
        resume: Option<AttachmentId>,
        not_after: Option<Instant>,
    ) -> Result<UploadedFile, UploadError>;

    /// What the file store says about a file.
    ///
    /// # Errors
    /// [`Error::File`], with [`crate::files::FileError::FileNotFound`] for a file that it does not have, or an error
    /// of the connection.
    async fn file_state(&self, organization: OrganizationId, id: AttachmentId) -> Result<FileState, Error>;

    /// Downloads a file of at most `limit` bytes, in pieces when it is long; none begins after `not_after`, and each
    /// ends by then. GIS gives a file only when a document names it.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Unreadable`] for a longer file and for pieces of another length than announced; or
    /// an error of the connection.
    async fn download_file(
        &self,
        organization: OrganizationId,
        id: AttachmentId,
        limit: u64,
        not_after: Option<Instant>,
    ) -> Result<Vec<u8>, Error>;

    /// Asks for the service's description, to learn whether the far end answers at all: behind a tunnel an open
    /// connection proves nothing.
    ///
    /// # Errors
    /// [`Error`] when no server or only a gateway in front of it answers.
    async fn probe(&self) -> Result<ProbeReply, Error>;
}

/// GIS behind a local GOST TLS tunnel. Clones share their connections.
#[derive(Debug, Clone)]
pub struct HttpGis {
    channel: Channel,
    files: FileStore,
}

impl HttpGis {
    /// A client with these settings; nothing is connected yet.
    ///
    /// # Errors
    /// [`InvalidSettings`] names the setting and says what is allowed.
    pub fn new(settings: HttpSettings) -> Result<Self, InvalidSettings> {
        let channel = Channel::new(settings)?;
        let files = FileStore::new(channel.clone());
        Ok(Self { channel, files })
    }

    async fn post(&self, call: &Call, envelope: Envelope, limit: u64) -> Result<Reply, Error> {
        if let Some(recorder) = &call.recorder {
            in_time(call, recorder.sending(&envelope.body)).await?.map_err(Error::unrecorded)?;
        }
        let mut request = Request::new(Method::POST, SERVICE, limit)
            .header(CONTENT_TYPE, "text/xml; charset=utf-8")?
            .header(SOAP_ACTION, &format!("\"{}\"", envelope.action))?
            .body(envelope.body);
        request.not_after = call.not_after;
        let reply = self.channel.send(request).await?;
        if let Some(recorder) = &call.recorder {
            recorder.received(reply.status, &reply.body);
        }
        Ok(reply)
    }

    async fn acknowledged(
        &self,
        call: &Call,
        envelope: Envelope,
        busy_is_not_sent: bool,
    ) -> Result<Acknowledgement, Error> {
        let limit = self.channel.settings().max_reply_bytes.min(LONGEST_ACKNOWLEDGEMENT);
        let reply = self.post(call, envelope, limit).await?;
        let acknowledgement = understand(&reply, busy_is_not_sent, reply::acknowledgement)?;
        match acknowledgement.requester_message {
            Some(message) if message != call.header.message => {
                Err(Error::unreadable(Unreadable::ForeignMessage))
            }
            Some(_) | None => Ok(acknowledgement),
        }
    }
}

#[async_trait]
impl Gis for HttpGis {
    async fn export_debt_subrequests(
        &self,
        call: &Call,
        request: &ExportSubrequests,
    ) -> Result<Acknowledgement, Error> {
        let envelope = envelope::export_subrequests(&call.sender, &call.header, request);
        self.acknowledged(call, signed(call, envelope).await?, true).await
    }

    async fn import_responses(
        &self,
        call: &Call,
        request: &ImportResponses,
    ) -> Result<Acknowledgement, Error> {
        let revokes = request.actions().iter().any(|action| matches!(action, Action::Revoke { .. }));
        let busy_is_not_sent = self.channel.settings().busy_means_not_sent && !revokes;
        let envelope = envelope::import_responses(&call.sender, &call.header, request);
        self.acknowledged(call, signed(call, envelope).await?, busy_is_not_sent).await
    }

    async fn get_state(&self, call: &Call, message: GisMessageId) -> Result<State, Error> {
        let settings = self.channel.settings().clone();
        let envelope = envelope::get_state(&call.sender, &call.header, message);
        let reply = self.post(call, envelope, settings.max_reply_bytes).await?;
        // A page of an export is megabytes of XML to read and, for its signature, to canonicalise.
        let state = tokio::task::spawn_blocking(move || read_state(&reply, message, &settings)).await;
        state.unwrap_or_else(|panic| {
            Err(Error::Unreadable { reason: Unreadable::Message, source: Some(panic.into()) })
        })
    }

    async fn upload_file(
        &self,
        file: &FileUpload,
        resume: Option<AttachmentId>,
        not_after: Option<Instant>,
    ) -> Result<UploadedFile, UploadError> {
        self.files.upload(file, resume, not_after).await
    }

    async fn file_state(&self, organization: OrganizationId, id: AttachmentId) -> Result<FileState, Error> {
        self.files.state(Errand { organization, not_after: None }, id).await
    }

    async fn download_file(
        &self,
        organization: OrganizationId,
        id: AttachmentId,
        limit: u64,
        not_after: Option<Instant>,
    ) -> Result<Vec<u8>, Error> {
        self.files.download(Errand { organization, not_after }, id, limit).await
    }

    async fn probe(&self) -> Result<ProbeReply, Error> {
        let limit = self.channel.settings().max_reply_bytes;
        let reply = self.channel.send(Request::new(Method::GET, format!("{SERVICE}?wsdl"), limit)).await?;
        match reply.status {
            // Said by the front end on behalf of a GIS that does not answer; any other status is an answer.
            429 | 502..=504 => Err(Error::from_status(reply.status, reply.retry_after(), true)),
            status => Ok(ProbeReply { status, date: reply.date() }),
        }
    }
}

/// Waits for a signature, a matter of people and of other programs.
async fn signed(
    call: &Call,
    envelope: impl Future<Output = Result<Envelope, SignerError>>,
) -> Result<Envelope, Error> {
    in_time(call, envelope).await?.map_err(Error::unsigned)
}

/// Waits for what must be done before a call, but no longer than the lease.
async fn in_time<T>(call: &Call, work: impl Future<Output = T>) -> Result<T, Error> {
    let Some(not_after) = call.not_after else {
        return Ok(work.await);
    };
    tokio::time::timeout_at(not_after.into(), work)
        .await
        .map_err(|elapsed| Error::NotSent { reason: NotSent::LeaseOver, source: Some(elapsed.into()) })
}

/// Reads a reply as the message that is expected or as a fault, whatever its status; what is no SOAP message at all
/// is judged by the status.
fn understand<T>(
    reply: &Reply,
    busy_is_not_sent: bool,
    read: impl FnOnce(&str) -> Result<T, ReplyError>,
) -> Result<T, Error> {
    let unreadable = |reason, source| {
        if reply.is_success() {
            Error::Unreadable { reason, source: Some(source) }
        } else {
            Error::from_status(reply.status, reply.retry_after(), busy_is_not_sent)
        }
    };
    let text = reply.text().map_err(|source| unreadable(Unreadable::Encoding, source.into()))?;
    read(text).map_err(|error| match error {
        ReplyError::Fault(fault) => Error::Fault(fault),
        ReplyError::Empty => unreadable(Unreadable::Empty, error.into()),
        ReplyError::NotSoap { .. } => unreadable(Unreadable::NotSoap, error.into()),
        // Whatever the status: GIS itself has begun to answer, so it has the message.
        ReplyError::Malformed(_) => {
            Error::Unreadable { reason: Unreadable::Message, source: Some(error.into()) }
        }
    })
}

fn read_state(reply: &Reply, message: GisMessageId, settings: &HttpSettings) -> Result<State, Error> {
    let state = understand(reply, true, reply::state)?;
    if state.message.is_some_and(|answered| answered != message) {
        return Err(Error::unreadable(Unreadable::ForeignMessage));
    }
    // GIS signs finished results only.
    if state.progress == Progress::Done {
        check_signature(reply, message, settings)?;
    }
    Ok(state)
}

fn check_signature(reply: &Reply, message: GisMessageId, settings: &HttpSettings) -> Result<(), Error> {
    if settings.verify_replies == VerifyReplies::Off {
        return Ok(());
    }
    let Err(problem) = check_signer(reply.text().unwrap_or_default(), &settings.reply_signers) else {
        return Ok(());
    };
    if settings.verify_replies == VerifyReplies::Require {
        return Err(Error::Unreadable { reason: Unreadable::Signature, source: Some(problem.into()) });
    }
    tracing::warn!(gis.message = %message, %problem, "a result of GIS does not have a good signature");
    Ok(())
}

/// Checks the signature, and that it is by one of these signers if there are any.
fn check_signer(document: &str, signers: &[CertificateDigest]) -> Result<(), SignatureProblem> {
    let signer = CertificateDigest::of(&signature::verify_reply(document)?);
    if signers.is_empty() || signers.contains(&signer) {
        Ok(())
    } else {
        Err(SignatureProblem::Foreign { signer })
    }
}
