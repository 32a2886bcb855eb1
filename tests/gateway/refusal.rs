//! A request that must be refused, as one line of a table, and what every refusal has in common (`api.md` §8).

use gis_sim::control::SubrequestFilter;
use gis_sim::faults::Target;
use reqwest::Method;
use serde_json::Value;

use crate::harness::{Client, Reply, Stand};

/// An identifier that nothing has.
pub(crate) const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

/// What is sent, and what must come back.
pub(crate) struct Refusal {
    what: String,
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
    status: u16,
    code: &'static str,
    mistake: Option<(String, &'static str)>,
    advice: Option<&'static str>,
    allow: Option<&'static str>,
}

impl Refusal {
    pub(crate) fn of(what: impl Into<String>, method: Method, path: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            method,
            path: path.into(),
            headers: Vec::new(),
            body: None,
            status: 0,
            code: "",
            mistake: None,
            advice: None,
            allow: None,
        }
    }

    /// A question whose address says it all.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        let path = path.into();
        Self::of(path.clone(), Method::GET, path)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn body(self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: Some(body.into()), ..self }.header("content-type", media_type)
    }

    /// Adds a header; one that is there stays.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The answer to it.
    pub(crate) fn is(self, status: u16, code: &'static str) -> Self {
        Self { status, code, ..self }
    }

    /// A mistake that must be among those named: its pointer or parameter, and its own code.
    pub(crate) fn at(self, place: impl Into<String>, code: &'static str) -> Self {
        Self { mistake: Some((place.into(), code)), ..self }
    }

    /// What the words about that mistake must say.
    pub(crate) fn advising(self, advice: &'static str) -> Self {
        Self { advice: Some(advice), ..self }
    }

    /// The methods that the path has.
    pub(crate) fn allowing(self, methods: &'static str) -> Self {
        Self { allow: Some(methods), ..self.is(405, "method_not_allowed") }
    }

    pub(crate) async fn check(&self, client: &Client) {
        let mut call = client.call(self.method.clone(), &self.path);
        for (name, value) in &self.headers {
            call = call.header(name, value);
        }
        if let Some(body) = &self.body {
            call = call.bytes(body.clone());
        }
        let reply = call.send().await;
        let what = &self.what;
        let got = (reply.status.as_u16(), reply.body["code"].as_str());
        assert_eq!(got, (self.status, Some(self.code)), "{what}: {:#}", reply.body);
        self.check_form(&reply);
        self.check_mistake(&reply.body["errors"]);
        if let Some(methods) = self.allow {
            assert_eq!(reply.header("allow"), methods, "{what}");
        }
    }

    /// What all refusals have.
    fn check_form(&self, reply: &Reply) {
        let (what, body) = (&self.what, &reply.body);
        assert_eq!(reply.header("content-type"), "application/problem+json", "{what}");
        assert_eq!(body["request_id"], reply.header("request-id"), "{what}");
        assert_eq!(body["status"], self.status, "{what}");
        assert_eq!(body["instance"], *self.path.split('?').next().unwrap(), "{what}");
        let page = format!("https://debtgate.example.ru/problems/{}", self.code);
        assert_eq!(body["type"], *page, "{what}");
        assert_eq!((&body["origin"], &body["retryable"]), (&"request".into(), &false.into()), "{what}");
        for text in ["title", "detail"] {
            assert!(body[text].as_str().is_some_and(|text| !text.is_empty()), "{what}: {text}");
        }
        for mistake in body["errors"].as_array().unwrap() {
            assert_eq!(
                mistake["pointer"].is_string(),
                mistake["parameter"].is_null(),
                "{what}: one place: {mistake}"
            );
            assert!(mistake["code"].is_string() && mistake["detail"].is_string(), "{what}: {mistake}");
            for nullable in ["max", "row", "column"] {
                assert!(mistake.get(nullable).is_some(), "{what}: {nullable} is always there: {mistake}");
            }
        }
    }

    fn check_mistake(&self, errors: &Value) {
        let Some((place, code)) = &self.mistake else { return };
        let mistakes = errors.as_array().unwrap().iter();
        let found = mistakes.filter(|mistake| {
            let at = mistake["pointer"].as_str().or(mistake["parameter"].as_str());
            at == Some(place.as_str()) && mistake["code"] == *code
        });
        let details: Vec<_> = found.map(|mistake| mistake["detail"].as_str().unwrap()).collect();
        assert!(!details.is_empty(), "{}: {code} at {place:?} is not named: {errors:#}", self.what);
        let advice = self.advice.unwrap_or_default();
        assert!(
            details.iter().any(|detail| detail.contains(advice)),
            "{}: no word of {advice}: {details:?}",
            self.what
        );
    }
}

/// A text of so many characters, two bytes each.
pub(crate) fn letters(count: usize) -> Value {
    "я".repeat(count).into()
}

/// A body that is posted.
pub(crate) fn post(what: impl Into<String>, path: &str, body: &Value) -> Refusal {
    Refusal::of(what, Method::POST, path).json(body)
}

/// Every line of a table, against one gateway.
pub(crate) async fn refused(stand: &Stand, table: &[Refusal]) {
    for refusal in table {
        refusal.check(&stand.client).await;
    }
}

/// GIS has not heard of any of it, neither at once nor when the jobs have run.
pub(crate) async fn nothing_was_sent(stand: &Stand) {
    stand.pass(60).await;
    let gis = stand.gis();
    let held = gis.subrequests(&SubrequestFilter::default());
    assert!(held.items.iter().all(|item| item.effects == 0), "something took effect in GIS");
    assert_eq!(gis.state().files, 0, "a file was uploaded");
    let sent =
        gis.calls(0, 1000).iter().filter(|call| call.operation == Some(Target::ImportResponses)).count();
    assert_eq!(sent, 0, "an answer was sent");
}

/// Nothing was stored: no answer, and our debt requests as they were read.
pub(crate) async fn nothing_was_stored(stand: &Stand) {
    assert!(stand.client.walk("/v1/answers").await.is_empty(), "an answer was stored");
    for request in stand.client.walk("/v1/debt-requests").await {
        assert_eq!((&request["stage"], &request["version"]), (&"new".into(), &1.into()), "{request:#}");
    }
}
