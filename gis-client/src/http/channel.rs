//! One HTTP exchange: the request out, the reply in, and an honest error when it fails.
//!
//! Used by the SOAP calls and by the file store. What must stay true: a request is written at most once, a
//! failure counts as not sent only when no byte of the body was handed to the connection, and a reply is never
//! read beyond its limit.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HOST, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Body, Client, Method, RequestBuilder, Response, redirect, retry};

use super::body::{LeaseOver, LeasedBody, Started};
use super::settings::{HttpSettings, InvalidSettings};
use crate::error::{Error, MaybeSent, NotSent, Unreadable};

/// How long an idle connection is kept: shorter than the tunnels and front ends keep theirs, because a message on
/// a connection that the other side has just closed is in doubt.
const KEEP_IDLE: Duration = Duration::from_secs(20);
/// The longest `Retry-After` that is believed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The connection to GIS. Clones share the open connections.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    client: Client,
    address: String,
    host: Option<HeaderValue>,
    settings: HttpSettings,
}

/// A request, not yet sent.
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Path and query below the base address.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    /// Empty for a request without a body.
    pub(crate) body: Bytes,
    /// The body is not begun after this time.
    pub(crate) not_after: Option<Instant>,
    /// The longest reply in bytes.
    pub(crate) limit: u64,
}

/// A complete reply.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: Method, path: impl Into<String>, limit: u64) -> Self {
        let (headers, body) = (HeaderMap::new(), Bytes::new());
        Self { method, path: path.into(), headers, body, not_after: None, limit }
    }

    /// Adds a header. A value that no header can carry is a message that cannot be made.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Result<Self, Error> {
        let value = HeaderValue::from_str(value).map_err(Error::unmade)?;
        self.headers.insert(name, value);
        Ok(self)
    }

    pub(crate) fn body(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }
}

impl Reply {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body, when it is UTF-8.
    pub(crate) fn text(&self) -> Result<&str, std::str::Utf8Error> {
        std::str::from_utf8(&self.body)
    }

    /// The value of a header, when it is there and plain text.
    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// When the far end wrote the reply by its own clock, when it shows it.
    pub(crate) fn date(&self) -> Option<DateTime<Utc>> {
        self.header(DATE).and_then(http_date)
    }

    /// How long the far end asks to wait, measured by its own clock when it shows it.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let now = self.date().unwrap_or_else(Utc::now);
        retry_after(self.header(RETRY_AFTER)?, now)
    }
}

impl Channel {
    pub(super) fn new(settings: HttpSettings) -> Result<Self, InvalidSettings> {
        let address = settings.checked_address()?;
        let host = settings.checked_host()?;
        let client = Client::builder()
            .user_agent(concat!("debtgate/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .http1_only()
            .connect_timeout(settings.connect_timeout)
            .pool_idle_timeout(KEEP_IDLE)
            .build()
            .map_err(|source| InvalidSettings::Client { source })?;
        Ok(Self { client, address, host, settings })
    }

    pub(crate) fn settings(&self) -> &HttpSettings {
        &self.settings
    }

    /// Sends a request and reads the whole reply.
    pub(crate) async fn send(&self, request: Request) -> Result<Reply, Error> {
        let timeout = self.time_left(request.not_after)?;
        let has_body = !request.body.is_empty();
        let limit = request.limit;
        let (builder, started) = self.prepare(request, timeout);
        let was_sent = |error: &reqwest::Error| match has_body {
            true => started.is_true(),
            false => !error.is_connect() && !error.is_builder(),
        };
        let failed = |error: reqwest::Error| transport_error(was_sent(&error), timeout, error);
        let response = builder.send().await.map_err(failed)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = read(response, limit, failed).await?;
        Ok(Reply { status, headers, body })
    }

    /// A call never outlives its lease.
    fn time_left(&self, not_after: Option<Instant>) -> Result<Duration, Error> {
        let Some(not_after) = not_after else {
            return Ok(self.settings.timeout);
        };
        let left = not_after.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::NotSent { reason: NotSent::LeaseOver, source: None });
        }
        Ok(left.min(self.settings.timeout))
    }

    fn prepare(&self, request: Request, timeout: Duration) -> (RequestBuilder, Started) {
        let url = format!("{}{}", self.address, request.path);
        let mut builder = self.client.request(request.method, url).headers(request.headers).timeout(timeout);
        if let Some(host) = &self.host {
            builder = builder.header(HOST, host.clone());
        }
        if let Some(basic) = &self.settings.basic {
            builder = builder.basic_auth(&basic.user, Some(&basic.password));
        }
        if request.body.is_empty() {
            return (builder, Started::default());
        }
        let (body, started) = LeasedBody::new(request.body, request.not_after);
        (builder.body(Body::wrap(body)), started)
    }
}

/// Reads a body piece by piece, up to its limit.
async fn read(
    mut response: Response,
    limit: u64,
    failed: impl Fn(reqwest::Error) -> Error,
) -> Result<Vec<u8>, Error> {
    let too_large = || Error::unreadable(Unreadable::TooLarge { limit });
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let limit_in_memory = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(&failed)? {
        if piece.len() > limit_in_memory - body.len() {
            return Err(too_large());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn transport_error(sent: bool, timeout: Duration, error: reqwest::Error) -> Error {
    // The address can name a file or hold the path of the tunnel; the reasons below say what is needed.
    let error = error.without_url();
    if sent {
        let reason = match io_kind(&error) {
            _ if error.is_timeout() => MaybeSent::Timeout { after: timeout },
            Some(ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe) => {
                MaybeSent::Reset
            }
            Some(_) | None => MaybeSent::Closed,
        };
        return Error::MaybeSent { reason, source: Some(error.into()) };
    }
    let reason = match io_kind(&error) {
        _ if find::<LeaseOver>(&error).is_some() => NotSent::LeaseOver,
        _ if error.is_builder() => NotSent::Message,
        _ if error.is_dns() => NotSent::NameUnknown,
        _ if error.is_timeout() => NotSent::ConnectTimeout,
        Some(ErrorKind::ConnectionRefused) => NotSent::ConnectionRefused,
        Some(_) | None => NotSent::NoConnection,
    };
    Error::NotSent { reason, source: Some(error.into()) }
}

fn io_kind(error: &reqwest::Error) -> Option<ErrorKind> {
    find::<std::io::Error>(error).map(std::io::Error::kind)
}

/// The first link of a kind in the chain of an error.
fn find<'a, E: std::error::Error + 'static>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref())
}

fn http_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text.trim()).ok().map(|date| date.to_utc())
}

/// Reads `Retry-After`: a number of seconds or an HTTP date.
fn retry_after(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let text = text.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_not_a_number) => http_date(text)?.signed_duration_since(now).to_std().unwrap_or_default(),
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_lease_that_ends_before_the_first_byte_leaves_nothing_on_the_wire() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let far_end = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await.unwrap();
            bytes
        });
        let channel = Channel::new(HttpSettings::new(format!("http://{address}"))).unwrap();
        let mut request = Request::new(Method::POST, "/", 1000).body(Bytes::from_static(b"message"));
        request.not_after = Some(Instant::now());
        // The connection itself succeeds: only the body knows that it is too late.
        let (builder, started) = channel.prepare(request, Duration::from_secs(60));
        let error = builder.send().await.unwrap_err();
        assert!(!started.is_true());
        let error = transport_error(started.is_true(), Duration::from_secs(60), error);
        assert!(matches!(error, Error::NotSent { reason: NotSent::LeaseOver, .. }), "{error:?}");
        assert_eq!(far_end.await.unwrap(), b"", "not even the head was written");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = http_date("Sun, 15 Nov 2026 08:00:00 GMT").unwrap();
        let seconds = |text: &str| retry_after(text, now).map(|wait| wait.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds(" 0 "), Some(0));
        assert_eq!(seconds("Sun, 15 Nov 2026 08:01:30 GMT"), Some(90));
        assert_eq!(seconds("Sun, 15 Nov 2026 07:00:00 GMT"), Some(0), "a date in the past");
        assert_eq!(seconds("999999999999"), Some(24 * 3600), "not for ever");
        for text in ["", "soon", "-5", "1.5", "Sun, 15 Nov 2026"] {
            assert_eq!(seconds(text), None, "{text:?}");
        }
    }
}
