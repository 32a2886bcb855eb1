//! The middleware around every request: an identifier, a span, figures, and the last touch on problems, which learn
//! here the address of their page, the path and the identifier.

use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _, HttpResponse};
use debt_core::trace;
use tracing::{Instrument as _, Span, field, info_span};
use uuid::Uuid;

use super::metrics;
use crate::problem::{Failure, Problem};

/// The header of every response.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
/// The longest identifier that is taken from a client.
const LONGEST: usize = 64;
/// What stands for a path that no route has: the path itself may hold anything.
const NO_ROUTE: &str = "unmatched";

/// How clients call us; in the application data of actix.
#[derive(Debug, Clone)]
pub struct PublicUrl(pub String);

/// The identifier of a request; in the extensions of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The client's own identifier when it can be trusted in a log, else a new one.
    fn read(headers: &HeaderMap) -> Self {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
        match given.filter(|text| (1..=LONGEST).contains(&text.len()) && text.bytes().all(plain)) {
            Some(text) => Self(text.to_owned()),
            None => Self(Uuid::now_v7().to_string()),
        }
    }

    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The middleware, for [`actix_web::middleware::from_fn`].
///
/// # Errors
/// What the layers below could not turn into a response.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let began = Instant::now();
    let id = RequestId::read(request.headers());
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    let route = request.match_pattern().unwrap_or_else(|| NO_ROUTE.to_owned());
    let operation = format!("{method} {route}");
    let about = About { id, public_url: public_url(&request), path: request.path().to_owned() };
    let span = span(&request, &about.id, &operation);
    let outcome = next.call(request).instrument(span.clone()).await;
    let outcome = match outcome {
        Ok(response) => Ok(about.finish(response.map_into_boxed_body())),
        Err(error) => Err(about.finish_error(error)),
    };
    let status = match &outcome {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    let took = began.elapsed();
    span.record("http.response.status_code", status.as_u16());
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::info!(status = status.as_u16(), milliseconds, "{operation}"));
    metrics::count(operation, status, took);
    outcome
}

fn public_url(request: &ServiceRequest) -> String {
    request.app_data::<Data<PublicUrl>>().map(|url| url.0.clone()).unwrap_or_default()
}

fn span(request: &ServiceRequest, id: &RequestId, operation: &str) -> Span {
    let span = info_span!(
        "request",
        otel.name = operation,
        otel.kind = "server",
        request.id = id.as_str(),
        http.response.status_code = field::Empty,
    );
    let parent = request.headers().get(trace::TRACEPARENT).and_then(|value| value.to_str().ok());
    if let Some(parent) = parent {
        trace::continue_in(&span, parent);
    }
    span
}

/// What problems and responses learn of their request.
struct About {
    id: RequestId,
    public_url: String,
    path: String,
}

impl About {
    fn finish(&self, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
        let problem = response.response().extensions().get::<Problem>().cloned();
        let mut response = match problem {
            None => response,
            Some(problem) => {
                let (request, old) = response.into_parts();
                ServiceResponse::new(request, self.problem_response(problem, old.headers()))
            }
        };
        if let Ok(id) = HeaderValue::from_str(self.id.as_str()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }

    /// The completed problem with the headers that other layers have added, such as `RateLimit`.
    fn problem_response(&self, problem: Problem, added: &HeaderMap) -> HttpResponse {
        let mut response = self.complete(problem).response();
        for (name, value) in added {
            if !response.headers().contains_key(name) {
                response.headers_mut().append(name.clone(), value.clone());
            }
        }
        response
    }

    /// An error of a layer between here and the handlers.
    fn finish_error(&self, error: Error) -> Error {
        match error.as_error::<Failure>() {
            Some(failure) => Failure::from(self.complete(failure.problem().clone())).into(),
            None => error,
        }
    }

    fn complete(&self, problem: Problem) -> Problem {
        problem.complete(&self.public_url, &self.path, self.id.as_str())
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::CONTENT_TYPE;
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_service, init_service, read_body_json, try_call_service};
    use actix_web::{App, web};
    use debt_core::Code;
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use serde_json::Value;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    async fn fine() -> String {
        trace::current().unwrap_or_default()
    }

    async fn missing() -> Result<String, Failure> {
        Err(Failure::new(Code::NotFound, "нет"))
    }

    async fn refuse(_: ServiceRequest, _: Next<impl MessageBody>) -> Result<ServiceResponse, Error> {
        Err(Failure::new(Code::TokenMissing, "нет токена").into())
    }

    macro_rules! app {
        () => {
            init_service(
                App::new()
                    .app_data(Data::new(PublicUrl("https://d.ru".to_owned())))
                    .service(web::scope("/closed").wrap(from_fn(refuse)).route("", web::get().to(fine)))
                    .route("/fine/{id}", web::get().to(fine))
                    .route("/missing/{id}", web::get().to(missing))
                    .wrap(from_fn(observe)),
            )
            .await
        };
    }

    #[actix_web::test]
    async fn every_response_has_an_identifier() {
        let app = app!();
        for (given, kept) in [("abc-1.2_3", true), ("a b", false), ("", false), (&"x".repeat(65), false)] {
            let request = TestRequest::get().uri("/fine/1").insert_header((REQUEST_ID, given)).to_request();
            let response = call_service(&app, request).await;
            let id = response.headers().get(REQUEST_ID).unwrap().to_str().unwrap();
            assert_eq!(id == given, kept, "{given}");
            assert!(kept || Uuid::try_parse(id).is_ok(), "{id}");
        }
        let response = call_service(&app, TestRequest::get().uri("/nowhere").to_request()).await;
        assert!(response.headers().contains_key(REQUEST_ID));
    }

    #[actix_web::test]
    async fn a_problem_learns_of_its_request_but_not_of_the_query() {
        let app = app!();
        let request = TestRequest::get().uri("/missing/7?secret=x").insert_header((REQUEST_ID, "my-id"));
        let response = call_service(&app, request.to_request()).await;
        assert_eq!(response.headers().get(CONTENT_TYPE).unwrap(), crate::problem::MEDIA_TYPE);
        assert_eq!(response.headers().get(REQUEST_ID).unwrap(), "my-id");
        let problem: Value = read_body_json(response).await;
        assert_eq!(problem["type"], "https://d.ru/problems/not_found");
        assert_eq!((&problem["instance"], &problem["request_id"]), (&"/missing/7".into(), &"my-id".into()));
    }

    #[actix_web::test]
    async fn an_error_of_a_layer_is_completed_too() {
        let app = app!();
        let request = TestRequest::get().uri("/closed").insert_header((REQUEST_ID, "my-id")).to_request();
        let (status, id, body) = match try_call_service(&app, request).await {
            Ok(response) => {
                let (status, id) = (response.status(), response.headers().get(REQUEST_ID).cloned());
                (status, id, read_body_json::<Value, _>(response).await)
            }
            Err(error) => {
                let response = error.error_response();
                let (status, id) = (response.status(), response.headers().get(REQUEST_ID).cloned());
                let body = actix_web::body::to_bytes(response.into_body()).await.unwrap();
                (status, id, serde_json::from_slice(&body).unwrap())
            }
        };
        assert_eq!((status.as_u16(), id.unwrap().to_str().unwrap()), (401, "my-id"));
        assert_eq!(body["type"], "https://d.ru/problems/token_missing");
    }

    #[actix_web::test]
    async fn the_trace_of_the_client_is_continued() {
        // While there is only one subscriber, tracing asks the thread that reaches a span first, perhaps another test's.
        let _second = tracing::Dispatch::new(tracing_subscriber::registry());
        let tracer = SdkTracerProvider::builder().build().tracer("test");
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        let app = app!();
        let request =
            TestRequest::get().uri("/fine/1").insert_header((trace::TRACEPARENT, PARENT)).to_request();
        let body = actix_web::test::call_and_read_body(&app, request).await;
        assert_eq!(&body[..36], &PARENT.as_bytes()[..36]);
    }
}
