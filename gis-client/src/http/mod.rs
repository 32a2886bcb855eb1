//! The service `DebtRequestsAsync` over HTTP: the trait [`Gis`] and its one real implementation [`HttpGis`].
//!
//! Called by the jobs. A call writes and signs its message ([`crate::envelope`]), carries it through the local
//! GOST TLS tunnel and reads the reply ([`crate::reply`]). What must stay true: the caller has committed the
//! MessageGUID before the call; the message is written at most once and never after the lease's end; and a reply
//! that can be read as a SOAP message outweighs the HTTP status, because GIS sends faults and even results with
//! any status.

mod body;
mod channel;
mod settings;

pub(crate) use channel::{Channel, Reply, Request};
pub use settings::{BasicAuth, HttpSettings, InvalidSettings, VerifyReplies};

use std::time::Instant;

use async_trait::async_trait;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName};

use crate::debt_requests::{Acknowledgement, Action, ExportSubrequests, ImportResponses, Progress, State};
use crate::envelope::{self, Envelope, Header, Sender};
use crate::error::{Error, Unreadable};
use crate::files::{FileState, FileStore, FileUpload, UploadedFile};
use crate::ids::{AttachmentId, GisMessageId, OrganizationId};
use crate::reply::{self, ReplyError};
use crate::signature;

/// Where the service is, below the base address.
const SERVICE: &str = "/ext-bus-debtreq-service/services/DebtRequestsAsync";
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
}

/// What proved that the far end answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeReply {
    /// The HTTP status of the answer.
    pub status: u16,
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
    /// [`Error`]. A message that GIS does not know is a fault or an error in the state with a code that
    /// [`crate::GisCode::is_unknown_message`] recognises.
    async fn get_state(&self, call: &Call, message: GisMessageId) -> Result<State, Error>;

    /// Uploads a file, in parts when it is long.
    ///
    /// # Errors
    /// [`Error::File`] or an error of the connection.
    async fn upload_file(&self, file: &FileUpload) -> Result<UploadedFile, Error>;

    /// What the file store says about a file.
    ///
    /// # Errors
    /// [`Error::File`] or an error of the connection.
    async fn file_state(&self, organization: OrganizationId, id: AttachmentId) -> Result<FileState, Error>;

    /// Downloads a file of at most `limit` bytes.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Unreadable`] for a longer file, or an error of the connection.
    async fn download_file(
        &self,
        organization: OrganizationId,
        id: AttachmentId,
        limit: u64,
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

    /// The file store, with the steps of an upload one by one.
    #[must_use]
    pub fn files(&self) -> &FileStore {
        &self.files
    }

    async fn post(&self, call: &Call, envelope: Envelope) -> Result<Reply, Error> {
        let limit = self.channel.settings().max_reply_bytes;
        let mut request = Request::new(Method::POST, SERVICE, limit)
            .header(CONTENT_TYPE, "text/xml; charset=utf-8")?
            .header(SOAP_ACTION, &format!("\"{}\"", envelope.action))?
            .body(envelope.body);
        request.not_after = call.not_after;
        self.channel.send(request).await
    }

    async fn acknowledged(
        &self,
        call: &Call,
        envelope: Envelope,
        busy_is_not_sent: bool,
    ) -> Result<Acknowledgement, Error> {
        let reply = self.post(call, envelope).await?;
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
        let envelope = envelope::export_subrequests(&call.sender, &call.header, request).await;
        self.acknowledged(call, envelope.map_err(Error::unsigned)?, true).await
    }

    async fn import_responses(
        &self,
        call: &Call,
        request: &ImportResponses,
    ) -> Result<Acknowledgement, Error> {
        let revokes = request.actions().iter().any(|action| matches!(action, Action::Revoke { .. }));
        let busy_is_not_sent = self.channel.settings().busy_means_not_sent && !revokes;
        let envelope = envelope::import_responses(&call.sender, &call.header, request).await;
        self.acknowledged(call, envelope.map_err(Error::unsigned)?, busy_is_not_sent).await
    }

    async fn get_state(&self, call: &Call, message: GisMessageId) -> Result<State, Error> {
        let reply = self.post(call, envelope::get_state(&call.sender, &call.header, message)).await?;
        let verify = self.channel.settings().verify_replies;
        // A page of an export is megabytes of XML to read and, for its signature, to canonicalise.
        let state = tokio::task::spawn_blocking(move || read_state(&reply, message, verify)).await;
        state.unwrap_or_else(|panic| {
            Err(Error::Unreadable { reason: Unreadable::Message, source: Some(panic.into()) })
        })
    }

    async fn upload_file(&self, file: &FileUpload) -> Result<UploadedFile, Error> {
        self.files.upload(file).await
    }

    async fn file_state(&self, organization: OrganizationId, id: AttachmentId) -> Result<FileState, Error> {
        self.files.state(organization, id).await
    }

    async fn download_file(
        &self,
        organization: OrganizationId,
        id: AttachmentId,
        limit: u64,
    ) -> Result<Vec<u8>, Error> {
        self.files.download(organization, id, limit).await
    }

    async fn probe(&self) -> Result<ProbeReply, Error> {
        let limit = self.channel.settings().max_reply_bytes;
        let reply = self.channel.send(Request::new(Method::GET, format!("{SERVICE}?wsdl"), limit)).await?;
        match reply.status {
            // Said by the front end on behalf of a GIS that does not answer; any other status is an answer.
            429 | 502..=504 => Err(Error::from_status(reply.status, reply.retry_after(), true)),
            status => Ok(ProbeReply { status }),
        }
    }
}

/// Reads a reply as the message that is expected or as a fault, whatever its status; what is neither is judged by
/// the status.
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
        ReplyError::Malformed(_) => unreadable(Unreadable::Message, error.into()),
    })
}

fn read_state(reply: &Reply, message: GisMessageId, verify: VerifyReplies) -> Result<State, Error> {
    let state = understand(reply, true, reply::state)?;
    if state.message.is_some_and(|answered| answered != message) {
        return Err(Error::unreadable(Unreadable::ForeignMessage));
    }
    // GIS signs finished results only.
    if state.progress == Progress::Done {
        check_signature(reply, message, verify)?;
    }
    Ok(state)
}

fn check_signature(reply: &Reply, message: GisMessageId, verify: VerifyReplies) -> Result<(), Error> {
    if verify == VerifyReplies::Off {
        return Ok(());
    }
    let Err(problem) = signature::verify_reply(reply.text().unwrap_or_default()) else {
        return Ok(());
    };
    if verify == VerifyReplies::Require {
        return Err(Error::Unreadable { reason: Unreadable::Signature, source: Some(problem.into()) });
    }
    tracing::warn!(gis.message = %message, %problem, "a result of GIS does not have a good signature");
    Ok(())
}
