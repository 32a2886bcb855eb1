//! Every bad manner of a far end, and what the client makes of it.

#![expect(clippy::unwrap_used, reason = "tests fail by panics")]

#[path = "../common/mod.rs"]
mod common;
mod recorder;
mod replies;
mod requests;
mod transport;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use common::{Received, Server, http, reply};
use gis_client::debt_requests::{
    Acknowledgement, Action, ExportSubrequests, ExportVersion, ImportResponses, Response, Selection, State,
};
use gis_client::envelope::{Header, Sender};
use gis_client::error::{MaybeSent, NotSent, RESEND_AFTER_FAULT, Refusal, Unreadable};
use gis_client::http::{BasicAuth, ProbeReply, VerifyReplies};
use gis_client::ids::{GisMessageId, MessageId, TransportId};
use gis_client::signature::CertificateDigest;
use gis_client::signer::{CommandSettings, CommandSigner, KeyPairSigner};
use gis_client::{Call, Error, Fate, Gis, HttpGis, HttpSettings, Repeat, Signer, SignerError, Verdict};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use uuid::Uuid;

const SERVICE: &str = "/ext-bus-debtreq-service/services/DebtRequestsAsync";
const GIS_MESSAGE: &str = "3ce0fadb-3896-4c6b-8536-abe88086f9e8";
const LOOK: Repeat = Repeat::AfterLook { after: None };

/// What the server does with a request that it has read.
#[derive(Clone)]
enum Manner {
    /// Replies and keeps the connection.
    Reply(Vec<u8>),
    /// Writes something and closes the connection.
    Close(Vec<u8>),
    /// Resets the connection.
    Reset,
    /// Keeps the connection and says nothing.
    Silent,
    /// Writes something and then a body without an end.
    Endless(Vec<u8>),
}

impl Manner {
    async fn behave(self, mut stream: TcpStream) -> Option<TcpStream> {
        match self {
            Self::Reply(bytes) => reply(stream, bytes).await,
            Self::Close(bytes) => {
                stream.write_all(&bytes).await.unwrap();
                None
            }
            Self::Reset => {
                stream.set_zero_linger().unwrap();
                None
            }
            Self::Silent => std::future::pending().await,
            Self::Endless(head) => {
                stream.write_all(&head).await.unwrap();
                while stream.write_all(&[b' '; 4096]).await.is_ok() {}
                None
            }
        }
    }
}

/// A server that treats every request alike.
async fn server(manner: Manner) -> Server {
    Server::start(move |_, stream| manner.clone().behave(stream)).await
}

/// A server that treats the requests in turn, and repeats the last manner.
async fn server_in_turn(manners: Vec<Manner>) -> Server {
    let turn = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    Server::start(move |_, stream| {
        let number = turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst).min(manners.len() - 1);
        manners.get(number).unwrap().clone().behave(stream)
    })
    .await
}

fn sender() -> Sender {
    let key = gost::PrivateKey::generate(gost::ParameterSet::CryptoProA).unwrap();
    let (from, to) = (Utc::now(), Utc::now() + Duration::from_secs(3600));
    let certificate = gost::Certificate::self_signed(&key, "Test", from, to).unwrap();
    Sender {
        organization: Uuid::from_u128(1).into(),
        signer: Arc::new(KeyPairSigner::new(gost::KeyPair::new(key, certificate).unwrap())),
        operator_signature: true,
        creators: Vec::new(),
    }
}

fn call() -> Call {
    let header = Header { message: MessageId::generate(), sent_at: Utc::now().fixed_offset() };
    Call { sender: sender(), header, not_after: None, recorder: None }
}

fn settings(base_url: impl Into<String>) -> HttpSettings {
    HttpSettings { max_reply_bytes: 64 * 1024, ..HttpSettings::new(base_url) }
}

fn no_debt() -> ImportResponses {
    let response = Response::NoDebt { comment: None, executor: Uuid::from_u128(2).into() };
    let (transport, subrequest) = (TransportId::generate(), Uuid::from_u128(3).into());
    ImportResponses::new(vec![Action::Send { transport, subrequest, response }]).unwrap()
}

fn revoke() -> ImportResponses {
    let (transport, subrequest) = (TransportId::generate(), Uuid::from_u128(3).into());
    ImportResponses::new(vec![Action::Revoke { transport, subrequest }]).unwrap()
}

fn export() -> ExportSubrequests {
    let selection = Selection::Subrequests(vec![Uuid::from_u128(3).into()]);
    ExportSubrequests::new(ExportVersion::V14_0_0_0, selection, false).unwrap()
}

async fn import(settings: HttpSettings) -> Result<Acknowledgement, Error> {
    HttpGis::new(settings).unwrap().import_responses(&call(), &no_debt()).await
}

/// The error of an import with a server of this manner.
async fn error_of(manner: Manner) -> Error {
    let server = server(manner).await;
    import(settings(server.base_url())).await.unwrap_err()
}

async fn error_of_reply(status: u16, headers: &str, body: &str) -> Error {
    error_of(Manner::Reply(http(status, headers, body))).await
}

fn soap(body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:b=\"http://dom.gosuslugi.ru/schema/integration/base/\" \
         xmlns:d=\"http://dom.gosuslugi.ru/schema/integration/drs/\"><s:Body>{body}</s:Body></s:Envelope>"
    )
}

fn acknowledgement(requester: &str) -> String {
    soap(&format!(
        "<b:AckRequest><b:Ack><b:MessageGUID>{GIS_MESSAGE}</b:MessageGUID>\
         <b:RequesterMessageGUID>{requester}</b:RequesterMessageGUID></b:Ack></b:AckRequest>"
    ))
}

fn fault(code: &str) -> String {
    soap(&format!(
        "<s:Fault><faultcode>s:Server</faultcode><faultstring>{code}: text</faultstring><detail><b:Fault>\
         <b:ErrorCode>{code}</b:ErrorCode><b:ErrorMessage>text</b:ErrorMessage></b:Fault></detail></s:Fault>"
    ))
}

fn state(content: &str) -> String {
    soap(&format!("<d:getStateResult Id=\"signed-data-container\">{content}</d:getStateResult>"))
}

async fn state_of(body: String, verify_replies: VerifyReplies) -> Result<State, Error> {
    let server = server(Manner::Reply(http(200, "", body))).await;
    let settings = HttpSettings { verify_replies, ..settings(server.base_url()) };
    let message: GisMessageId = GIS_MESSAGE.parse().unwrap();
    HttpGis::new(settings).unwrap().get_state(&call(), message).await
}

fn header<'a>(request: &'a Received, name: &str) -> Option<&'a str> {
    request.headers.get(name).map(String::as_str)
}

/// Checks the three things that a caller asks of an error.
macro_rules! assert_error {
    ($error:expr, $pattern:pat, $fate:expr, $repeat:expr) => {{
        let error = $error;
        assert!(matches!(error, $pattern), "{error:?}");
        assert_eq!((error.fate(), error.repeat()), ($fate, $repeat), "{error:?}");
    }};
}
use assert_error;
