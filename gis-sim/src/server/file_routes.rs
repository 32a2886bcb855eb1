//! The file store's addresses (protocol §11): headers in, the store's decision, headers out.

use actix_web::http::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderMap, LOCATION, RANGE};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use uuid::Uuid;

use super::reply::{cut, http_error};
use super::soap::{crowded, wait};
use super::{FILES_CONTEXT, FILES_PATH, Shared};
use crate::calls::Call;
use crate::faults::{Instead, Plan, Subject, Target};
use crate::files::{Announced, Content, FileError, FileState, PART_BYTES, StoreError};
use crate::seed::{dice, random_guid};

const ORGANIZATION: &str = "X-Upload-OrgPPAGUID";
const UPLOAD_ID: &str = "X-Upload-UploadID";
const FILE_NAME: &str = "X-Upload-Filename";
const LENGTH: &str = "X-Upload-Length";
const PART_COUNT: &str = "X-Upload-Part-Count";
const PART_NUMBER: &str = "X-Upload-Partnumber";
const ERROR: &str = "X-Upload-Error";

/// Puts the file store into an application.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route(&format!("{FILES_PATH}/{{tail:.*}}"), web::to(call));
}

/// What a call asks the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Whole,
    Open,
    Part(Uuid),
    Complete(Uuid),
    State(Uuid),
    Download(Uuid),
}

impl Operation {
    /// Reads method, path behind the context, and query.
    fn of(method: &Method, id: Option<&str>, query: &str) -> Result<Self, Wrong> {
        let has = |flag: &str| query.split('&').any(|part| part.split('=').next() == Some(flag));
        let guid = || {
            let id = id.and_then(|id| Uuid::try_parse(id).ok());
            id.ok_or(Wrong::Store(FileError::FileNotFoundException.into()))
        };
        match (method.as_str(), id.is_some()) {
            ("PUT", false) => Ok(Self::Whole),
            ("POST", false) if has("upload") => Ok(Self::Open),
            ("PUT", true) => guid().map(Self::Part),
            ("POST", true) if has("completed") => guid().map(Self::Complete),
            ("HEAD", true) => guid().map(Self::State),
            ("GET", true) if has("getfile") => guid().map(Self::Download),
            _ => Err(Wrong::Method),
        }
    }

    fn target(self) -> Target {
        match self {
            Self::Whole => Target::UploadFile,
            Self::Open => Target::OpenUpload,
            Self::Part(_) => Target::UploadPart,
            Self::Complete(_) => Target::CompleteUpload,
            Self::State(_) => Target::FileState,
            Self::Download(_) => Target::DownloadFile,
        }
    }

    fn file(self) -> Option<Uuid> {
        match self {
            Self::Whole | Self::Open => None,
            Self::Part(file) | Self::Complete(file) | Self::State(file) | Self::Download(file) => Some(file),
        }
    }
}

/// Why a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Store(StoreError),
    Method,
    Range,
}

impl From<StoreError> for Wrong {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<FileError> for Wrong {
    fn from(error: FileError) -> Self {
        Self::Store(error.into())
    }
}

impl Wrong {
    fn response(self) -> HttpResponse {
        match self {
            Self::Store(StoreError::Refused(error)) => {
                let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
                HttpResponse::build(status).insert_header((ERROR, error.name())).finish()
            }
            Self::Store(full @ StoreError::Full) => HttpResponse::ServiceUnavailable().body(full.to_string()),
            Self::Method => HttpResponse::MethodNotAllowed().finish(),
            Self::Range => HttpResponse::RangeNotSatisfiable().finish(),
        }
    }

    fn outcome(self) -> String {
        match self {
            Self::Store(StoreError::Refused(error)) => error.name().to_owned(),
            Self::Store(StoreError::Full) => "http 503".to_owned(),
            Self::Method => "http 405".to_owned(),
            Self::Range => "http 416".to_owned(),
        }
    }
}

/// What the store did.
#[derive(Debug)]
enum Done {
    Uploaded(Uuid),
    Stored,
    State(FileState),
    Content(Vec<u8>),
    Slice { content: Vec<u8>, first: usize, total: usize },
}

impl Done {
    fn response(self) -> HttpResponse {
        match self {
            Self::Uploaded(guid) => HttpResponse::Ok()
                .insert_header((UPLOAD_ID, guid.to_string()))
                .insert_header((LOCATION, location(guid)))
                .finish(),
            Self::Stored => HttpResponse::Ok().finish(),
            Self::State(state) => state_response(&state),
            Self::Content(content) => {
                HttpResponse::Ok().content_type("application/octet-stream").body(content)
            }
            Self::Slice { content, first, total } => HttpResponse::PartialContent()
                .content_type("application/octet-stream")
                .insert_header((
                    CONTENT_RANGE,
                    format!("bytes {first}-{}/{total}", first + content.len() - 1),
                ))
                .body(content),
        }
    }
}

fn location(guid: Uuid) -> String {
    format!("{FILES_PATH}/{FILES_CONTEXT}/{guid}")
}

fn state_response(state: &FileState) -> HttpResponse {
    let parts: Vec<String> = state.completed_parts.iter().map(u32::to_string).collect();
    // RFC 2047, as names came in; a header holds ASCII only.
    let name = format!("=?utf-8?B?{}?=", base64(state.name.as_bytes()));
    HttpResponse::Ok()
        .insert_header((UPLOAD_ID, state.guid.to_string()))
        .insert_header((FILE_NAME, name))
        .insert_header((LENGTH, state.length.to_string()))
        .insert_header(("X-Upload-Completed-Parts", parts.join(",")))
        .insert_header(("X-Upload-Completed", state.completed.to_string()))
        .insert_header((ORGANIZATION, state.organization.to_string()))
        .insert_header((LOCATION, location(state.guid)))
        .finish()
}

fn base64(bytes: &[u8]) -> String {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}

async fn call(shared: web::Data<Shared>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let shared = shared.into_inner();
    let (_in_flight, parallel) = shared.enter();
    if let Some(response) = crowded(&shared, parallel).await {
        return response;
    }
    if announced_length(&request).is_some_and(|length| length > PART_BYTES) {
        return Wrong::from(FileError::InvalidSizeException).response();
    }
    let body = match payload.to_bytes_limited(PART_BYTES).await {
        Ok(Ok(body)) => body,
        Ok(Err(_broken)) => return HttpResponse::BadRequest().finish(),
        Err(_too_large) => return Wrong::from(FileError::InvalidSizeException).response(),
    };
    let asked = Asked::of(&request, body);
    let answered = web::block(move || answer(&shared, &asked)).await;
    match answered {
        Ok((plan, done)) => {
            wait(plan.slow).await;
            match plan.instead {
                Some(Instead::Http { status, body, retry_after }) => {
                    http_error(status, body, retry_after, Vec::new)
                }
                Some(Instead::Reset) => cut(),
                Some(Instead::Fault { .. } | Instead::Garbage) | None => {
                    done.map_or_else(Wrong::response, Done::response)
                }
            }
        }
        Err(_cancelled) => HttpResponse::InternalServerError().finish(),
    }
}

/// `Content-Length`; a body in chunks has none.
fn announced_length(request: &HttpRequest) -> Option<usize> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A call freed of actix, which is bound to its thread.
struct Asked {
    operation: Result<Operation, Wrong>,
    headers: HeaderMap,
    body: Bytes,
}

impl Asked {
    fn of(request: &HttpRequest, body: Bytes) -> Self {
        let tail = request.match_info().query("tail").trim_end_matches('/');
        let (context, id) = tail.split_once('/').map_or((tail, None), |(context, id)| (context, Some(id)));
        let operation = if context == FILES_CONTEXT {
            Operation::of(request.method(), id, request.query_string())
        } else {
            Err(FileError::ContextNotFoundException.into())
        };
        Self { operation, headers: request.headers().clone(), body }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, FileError> {
        let value = self.header(name).and_then(|value| value.trim().parse().ok());
        value.ok_or(FileError::FieldValidationException)
    }

    fn organization(&self) -> Result<Uuid, FileError> {
        let value = self.header(ORGANIZATION).and_then(|value| Uuid::try_parse(value.trim()).ok());
        value.ok_or(FileError::DataProviderValidationException)
    }
}

/// Lets faults and the store decide. Hashing and cutting can take seconds, so they happen without the engine.
fn answer(shared: &Shared, asked: &Asked) -> (Plan, Result<Done, Wrong>) {
    let (plan, step, first_part_only) = decide(shared, asked);
    let done = step.and_then(|step| match step {
        Step::Done(done) => Ok(done),
        Step::Hash { owner, file, content, then } => {
            let hash = content.hash(first_part_only);
            let (mut engine, now) = shared.engine();
            engine.files.complete(owner, file, hash, now)?;
            Ok(then)
        }
        Step::Cut(content) => cut_out(&content, asked.header(RANGE.as_str())),
    });
    let (mut engine, now) = shared.engine();
    let mut entry = Call::new(now, asked.operation.ok().map(Operation::target), outcome(&plan, &done));
    entry.organization = asked.organization().ok();
    entry.message = match &done {
        Ok(Done::Uploaded(guid)) => Some(*guid),
        Ok(Done::Stored | Done::State(_) | Done::Content(_) | Done::Slice { .. }) | Err(_) => {
            asked.operation.ok().and_then(Operation::file)
        }
    };
    engine.calls.record(entry);
    (plan, done)
}

/// What is left to do once the engine is let go.
enum Step {
    Done(Done),
    Hash { owner: Uuid, file: Uuid, content: Content, then: Done },
    Cut(Content),
}

/// The part under the lock on the engine; also whether hashes stop after the first part.
fn decide(shared: &Shared, asked: &Asked) -> (Plan, Result<Step, Wrong>, bool) {
    let (mut engine, now) = shared.engine();
    let mut plan = Plan::default();
    if let Ok(operation) = asked.operation {
        let subject = Subject {
            operation: operation.target(),
            organization: asked.organization().ok(),
            subrequests: &[],
        };
        plan = Plan::of(engine.faults.strike(subject));
    }
    let step = match (&plan.file_error, plan.dropped) {
        (Some(error), _) => Err((*error).into()),
        (None, true) => Ok(Step::Done(Done::Stored)),
        (None, false) => perform(&mut engine, asked, now),
    };
    (plan, step, engine.scenario().files.hash_first_part_only)
}

fn outcome(plan: &Plan, done: &Result<Done, Wrong>) -> String {
    match (&plan.instead, done) {
        (Some(Instead::Reset), _) => "reset".to_owned(),
        (Some(Instead::Http { status, .. }), _) => format!("http {status}"),
        (Some(Instead::Fault { .. } | Instead::Garbage) | None, Err(wrong)) => wrong.outcome(),
        (Some(Instead::Fault { .. } | Instead::Garbage) | None, Ok(_)) => "ok".to_owned(),
    }
}

fn perform(
    engine: &mut crate::engine::Engine,
    asked: &Asked,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Step, Wrong> {
    let operation = asked.operation?;
    let owner = asked.organization()?;
    if !engine.serves(owner, now) {
        return Err(FileError::DataProviderValidationException.into());
    }
    let number = engine.next_number();
    let guid = random_guid(&mut dice(engine.seeds().seed, "file", number, 0));
    let md5 = asked.header("Content-MD5");
    let name = asked.header(FILE_NAME).unwrap_or_default();
    engine.with_files(now, |files, habits| match operation {
        Operation::Whole => {
            let length =
                if asked.header(LENGTH).is_some() { asked.number(LENGTH)? } else { asked.body.len() };
            let announced = Announced { owner, name, length };
            let content = files.put_whole(guid, announced, md5, &asked.body)?;
            Ok(Step::Hash { owner, file: guid, content, then: Done::Uploaded(guid) })
        }
        Operation::Open => {
            let announced = Announced { owner, name, length: asked.number(LENGTH)? };
            files.open(guid, announced, asked.number(PART_COUNT)?)?;
            Ok(Step::Done(Done::Uploaded(guid)))
        }
        Operation::Part(file) => {
            files.put_part(owner, file, asked.number(PART_NUMBER)?, md5, &asked.body)?;
            Ok(Step::Done(Done::Stored))
        }
        Operation::Complete(file) => {
            let content = files.close(owner, file)?;
            Ok(Step::Hash { owner, file, content, then: Done::Stored })
        }
        Operation::State(file) => Ok(Step::Done(Done::State(files.state(owner, file, habits)?))),
        Operation::Download(file) => Ok(Step::Cut(files.download(owner, file, habits)?)),
    })
}

/// The asked range of a content: `bytes=a-b`, both included, `b` may be absent.
fn cut_out(content: &Content, range: Option<&str>) -> Result<Done, Wrong> {
    let Some(range) = range else {
        return Ok(Done::Content(content.to_vec()));
    };
    let bounds = range.trim().strip_prefix("bytes=").and_then(|bounds| bounds.split_once('-'));
    let (first, last) = bounds.ok_or(Wrong::Range)?;
    let first: usize = first.parse().map_err(|_no_number| Wrong::Range)?;
    let last: usize =
        if last.is_empty() { usize::MAX } else { last.parse().map_err(|_no_number| Wrong::Range)? };
    let total = content.len();
    let end = last.saturating_add(1).min(total);
    if first >= end {
        return Err(Wrong::Range);
    }
    Ok(Done::Slice { content: content.slice(first..end), first, total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_inclusive() {
        let digits = Content::of(Bytes::from_static(b"0123456789"));
        let cut = |range: &str| match cut_out(&digits, Some(range)) {
            Ok(Done::Slice { content, first, total: 10 }) => {
                format!("{first} {}", String::from_utf8(content).unwrap())
            }
            Ok(other) => format!("{other:?}"),
            Err(wrong) => wrong.outcome(),
        };
        assert_eq!(cut("bytes=0-0"), "0 0");
        assert_eq!(cut("bytes=2-4"), "2 234");
        assert_eq!(cut("bytes=8-"), "8 89");
        assert_eq!(cut("bytes=8-99"), "8 89");
        for wrong in
            ["bytes=10-12", "bytes=4-2", "bytes=-3", "2-4", "bytes=a-b", "bytes=99999999999999999999-"]
        {
            assert_eq!(cut(wrong), "http 416", "{wrong}");
        }
    }

    #[test]
    fn methods_and_flags_choose_the_operation() {
        let id = Uuid::from_u128(5);
        let text = id.to_string();
        let of = |method: &Method, id: Option<&str>, query: &str| Operation::of(method, id, query);
        assert_eq!(of(&Method::PUT, None, ""), Ok(Operation::Whole));
        assert_eq!(of(&Method::PUT, None, "upload"), Ok(Operation::Whole));
        assert_eq!(of(&Method::POST, None, "upload"), Ok(Operation::Open));
        assert_eq!(of(&Method::PUT, Some(&text), ""), Ok(Operation::Part(id)));
        assert_eq!(of(&Method::POST, Some(&text), "completed"), Ok(Operation::Complete(id)));
        assert_eq!(of(&Method::HEAD, Some(&text), ""), Ok(Operation::State(id)));
        assert_eq!(of(&Method::GET, Some(&text), "getfile"), Ok(Operation::Download(id)));
        assert_eq!(of(&Method::GET, Some(&text), ""), Err(Wrong::Method));
        assert_eq!(of(&Method::DELETE, None, ""), Err(Wrong::Method));
        assert_eq!(of(&Method::PUT, Some("x"), ""), Err(FileError::FileNotFoundException.into()));
    }
}
