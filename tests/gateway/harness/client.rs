//! A client with a token, as an integrator would write one.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// Less than the gateway waits for the next call on a connection, as with any careful client.
const IDLE: Duration = Duration::from_secs(60);

/// Calls one gateway with one token.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
    /// The body when it is JSON, else null.
    pub(crate) body: Value,
}

/// A call before it is sent.
pub(crate) struct Call {
    request: reqwest::RequestBuilder,
}

impl Client {
    pub(crate) fn new(base: &str, token: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().pool_idle_timeout(IDLE).build().unwrap();
        Self { http, base: base.to_owned(), token: Some(token.to_owned()) }
    }

    /// The same gateway with another token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same token at another address.
    pub(crate) fn at(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    /// The same gateway without a token.
    pub(crate) fn without_token(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        let request = self.http.request(method, format!("{}{path}", self.base));
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        Call { request }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call(Method::GET, path).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.call(Method::POST, path).json(body).send().await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.call(Method::PATCH, path).json(body).send().await
    }

    /// Every event of a type, oldest first.
    pub(crate) async fn walk_events(&self, kind: &str) -> Vec<Value> {
        let mut events = Vec::new();
        let mut path = format!("/v1/events?type={kind}&limit=200");
        loop {
            let feed = self.get(&path).await.ok(200);
            events.extend(feed["items"].as_array().unwrap().iter().cloned());
            if feed["has_more"] == false {
                return events;
            }
            path = format!("/v1/events?type={kind}&limit=200&after={}", feed["next"].as_str().unwrap());
        }
    }

    /// Every item of a list, page by page.
    pub(crate) async fn walk(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.get(&next_page(path, cursor.as_deref())).await.ok(200);
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return items,
            }
        }
    }
}

/// The address of a page.
pub(crate) fn next_page(path: &str, cursor: Option<&str>) -> String {
    let mark = if path.contains('?') { '&' } else { '?' };
    cursor.map_or_else(|| path.to_owned(), |cursor| format!("{path}{mark}cursor={cursor}"))
}

impl Call {
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().unwrap();
        Self { request: self.request.header(name, HeaderValue::from_str(value).unwrap()) }
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string().into_bytes())
    }

    pub(crate) fn body(self, media_type: &str, bytes: Vec<u8>) -> Self {
        self.header("content-type", media_type).bytes(bytes)
    }

    pub(crate) fn bytes(self, bytes: Vec<u8>) -> Self {
        Self { request: self.request.body(bytes) }
    }

    pub(crate) async fn send(self) -> Reply {
        self.attempt().await.unwrap()
    }

    /// The reply, when a whole one comes.
    pub(crate) async fn attempt(self) -> reqwest::Result<Reply> {
        let response = self.request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await?.to_vec();
        let is_json = headers
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.contains("json"));
        let body = if is_json { serde_json::from_slice(&bytes).unwrap() } else { Value::Null };
        Ok(Reply { status, headers, bytes, body })
    }
}

impl Reply {
    /// The body, when the status is the one expected.
    #[track_caller]
    pub(crate) fn ok(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self.body
    }

    /// The problem, when status and code are those expected.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!(
            (self.status.as_u16(), self.body["code"].as_str()),
            (status, Some(code)),
            "{:#}",
            self.body
        );
        self.body
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name}")).to_str().unwrap()
    }
}
