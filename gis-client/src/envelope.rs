//! Writes the SOAP messages: header, body and, for business requests, the signature.
//!
//! Called by [`crate::http`], which sends the bytes as they are: every byte inside of the signed element is signed.
//! The whole message is written in canonical form, one buffer, once; the signature is put in at the end.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, FixedOffset, SecondsFormat};

use crate::debt_requests::{ExportSubrequests, ImportResponses, write_export, write_import};
use crate::ids::{GisMessageId, MessageId, OrganizationId};
use crate::signature::{SIGNED_ID, Unsigned, sign};
use crate::signer::{Signer, SignerError};
use crate::text::CreatorName;
use crate::xml::Namespace::{Base, Drs, Soap};
use crate::xml::{Attribute, Writer};

/// SOAPAction of `exportDebtSubrequests`.
const EXPORT_SUBREQUESTS: &str = "urn:exportDebtSubrequests";
/// SOAPAction of `importResponses`.
const IMPORT_RESPONSES: &str = "urn:importResponses";
/// SOAPAction of `getState`.
const GET_STATE: &str = "urn:getState";

/// Size of everything but the content, with a usual certificate.
const FRAME_BYTES: usize = 6 * 1024;
/// Size of an answer that there is no debt.
const ACTION_BYTES: usize = 400;

/// Who sends: the same for all messages of an organisation.
#[derive(Clone)]
pub struct Sender {
    /// The data supplier on whose behalf we act.
    pub organization: OrganizationId,
    /// Signs the messages.
    pub signer: Arc<dyn Signer>,
    /// Whether the operator of the information system signs rather than the organisation.
    pub operator_signature: bool,
    /// Other information systems that the data comes from; sent with imports.
    pub creators: Vec<Creator>,
}

/// Another information system that data comes from (`ISCreator`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creator {
    /// Name of the system.
    pub system: CreatorName,
    /// Name of its operator.
    pub operator: CreatorName,
}

/// What differs from message to message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// New for every call, repeated calls included.
    pub message: MessageId,
    /// The time of sending and, in signed messages, of signing.
    pub sent_at: DateTime<FixedOffset>,
}

/// A message ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Value of the HTTP header `SOAPAction`.
    pub action: &'static str,
    /// The document in UTF-8, to be sent unchanged.
    pub body: Bytes,
}

impl std::fmt::Debug for Envelope {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Envelope").field("action", &self.action).finish_non_exhaustive()
    }
}

/// Writes and signs `exportDebtSubrequests`.
///
/// # Errors
/// [`SignerError`]; nothing was sent.
pub async fn export_subrequests(
    sender: &Sender,
    header: &Header,
    request: &ExportSubrequests,
) -> Result<Envelope, SignerError> {
    let version = request.version().as_str();
    let message =
        business_request(sender, header, &[], FRAME_BYTES, "exportDSRsRequest", version, |writer| {
            write_export(writer, request);
        });
    let body = signed(sender, header, message).await?;
    Ok(Envelope { action: EXPORT_SUBREQUESTS, body })
}

/// Writes and signs `importResponses`.
///
/// # Errors
/// [`SignerError`]; nothing was sent.
pub async fn import_responses(
    sender: &Sender,
    header: &Header,
    request: &ImportResponses,
) -> Result<Envelope, SignerError> {
    let bytes = FRAME_BYTES + request.actions().len() * ACTION_BYTES;
    let version = ImportResponses::VERSION;
    let name = "importDSRResponsesRequest";
    let message = business_request(sender, header, &sender.creators, bytes, name, version, |writer| {
        write_import(writer, request);
    });
    let body = signed(sender, header, message).await?;
    Ok(Envelope { action: IMPORT_RESPONSES, body })
}

/// Writes `getState`, which is not signed: the schema gives its element no place for a signature.
#[must_use]
pub fn get_state(sender: &Sender, header: &Header, message: GisMessageId) -> Envelope {
    let document = document(sender, header, &[], FRAME_BYTES, |writer| {
        writer.element(Base, "getStateRequest", |writer| writer.guid(Base, "MessageGUID", message));
    });
    Envelope { action: GET_STATE, body: document.into() }
}

/// A certificate out of its time is told here: GIS would refuse the message without saying why.
async fn signed(sender: &Sender, header: &Header, message: Unsigned) -> Result<Bytes, SignerError> {
    let signer = sender.signer.as_ref();
    signer.certificate().check_validity(header.sent_at.to_utc()).map_err(SignerError::Certificate)?;
    Ok(sign(message, header, signer).await?.into())
}

fn business_request(
    sender: &Sender,
    header: &Header,
    creators: &[Creator],
    bytes: usize,
    name: &str,
    version: &str,
    content: impl FnOnce(&mut Writer),
) -> Unsigned {
    let attributes = [
        Attribute::plain("Id", SIGNED_ID),
        Attribute { namespace: Some(Base), name: "version", value: version },
    ];
    let (mut start, mut content_start, mut end) = (0, 0, 0);
    let document = document(sender, header, creators, bytes, |writer| {
        start = writer.position();
        writer.element_with(Drs, name, &attributes, |writer| {
            content_start = writer.position();
            content(writer);
        });
        end = writer.position();
    });
    Unsigned { document, signed: start..end, signature_at: content_start }
}

fn document(
    sender: &Sender,
    header: &Header,
    creators: &[Creator],
    bytes: usize,
    body: impl FnOnce(&mut Writer),
) -> String {
    let mut writer = Writer::with_capacity(bytes);
    writer.element(Soap, "Envelope", |writer| {
        writer.element(Soap, "Header", |writer| write_header(writer, sender, header, creators));
        writer.element(Soap, "Body", body);
    });
    writer.finish()
}

// hcs-base.xsd RequestHeader: strictly in this order; IsOperatorSignature is true or absent.
fn write_header(writer: &mut Writer, sender: &Sender, header: &Header, creators: &[Creator]) {
    writer.element(Base, "RequestHeader", |writer| {
        writer.text(Base, "Date", &date_time(header.sent_at));
        writer.guid(Base, "MessageGUID", header.message);
        writer.guid(Base, "orgPPAGUID", sender.organization);
        if sender.operator_signature {
            writer.text(Base, "IsOperatorSignature", "true");
        }
        for creator in creators {
            writer.element(Base, "ISCreator", |writer| {
                writer.text(Base, "ISName", creator.system.as_str());
                writer.text(Base, "ISOperatorName", creator.operator.as_str());
            });
        }
    });
}

/// xs:dateTime with milliseconds and offset.
pub(crate) fn date_time(moment: DateTime<FixedOffset>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Millis, false)
}
