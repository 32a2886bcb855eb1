//! Errors as clients see them: RFC 9457 with the fields of `api.md` §8. Use cases answer with [`debt_core::Error`];
//! here alone an error gets its HTTP status and headers. What a code means and what to do about it is in [`catalogue`].
//!
//! A problem leaves its handler without the address of its page, `instance` and `request_id`: the request's middleware
//! fills them by [`Problem::complete`]. What lies behind an error of ours is logged here and never sent.

pub mod catalogue;

use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use debt_core::Code;
use debt_core::error::{Cause, Conflict, Error, Mistake, Place};
use serde::Serialize;
use utoipa::ToSchema;

use catalogue::{Origin, entry};

use crate::views::answer_input::ConfirmCode;

/// The media type of RFC 9457.
pub const MEDIA_TYPE: &str = "application/problem+json";
/// How long a client waits before it repeats what failed through our fault.
const AFTER_OUR_FAULT: Duration = Duration::from_secs(5);

/// Описание ошибки по RFC 9457. Разбирайте поле `code`: тексты могут измениться.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(title = "Problem")]
pub struct Problem {
    /// Адрес страницы с объяснением причины и способа исправления.
    #[serde(rename = "type")]
    #[schema(format = "uri", example = "https://docs.example.ru/problems/validation_failed")]
    pub kind: String,
    /// Что произошло, кратко.
    #[schema(max_length = 255, example = "Запрос содержит ошибки")]
    pub title: &'static str,
    /// Код ответа HTTP.
    #[schema(example = 422, minimum = 400, maximum = 599)]
    pub status: u16,
    /// Что именно не так в этом запросе.
    #[schema(example = "2 поля заполнены неверно", max_length = 4000)]
    pub detail: String,
    /// Путь запроса.
    #[schema(
        format = "uri-reference",
        example = "/v1/debt-requests/5603dc9c-e161-414c-9787-e40836561101/answers"
    )]
    pub instance: String,
    /// Код ошибки; список может пополняться.
    #[schema(example = "validation_failed", pattern = "^[a-z_]+$")]
    pub code: &'static str,
    /// Идентификатор запроса, тот же, что в заголовке `Request-Id`.
    #[schema(example = "019a4d3e-7c1b-7d52-9f3a-3f1d2b4c5d6e", max_length = 255)]
    pub request_id: String,
    /// Есть ли смысл повторить тот же запрос позже.
    #[schema(example = false)]
    pub retryable: bool,
    /// Чья это ошибка.
    pub origin: Origin,
    /// Ошибки по полям и параметрам; пусто, если ошибка относится к запросу в целом.
    #[schema(max_items = 1000)]
    pub errors: Vec<FieldProblem>,
    /// Что можно подтвердить в поле `confirm`, чтобы действие всё же было выполнено.
    #[schema(max_items = 10, value_type = Vec<ConfirmCode>, example = json!([]))]
    pub confirmable: Vec<&'static str>,
    /// Состояние ответа на запрос, которое мешает действию.
    #[schema(example = json!(null), max_length = 64)]
    pub state: Option<&'static str>,
    /// Текущая версия объекта, если в `If-Match` указана другая.
    #[schema(example = json!(null))]
    pub current_version: Option<i64>,
    #[serde(skip)]
    #[schema(ignore)]
    retry_after: Option<Duration>,
}

/// Ошибка в одном поле или параметре.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Место в теле запроса, JSON Pointer по RFC 6901; `null` для параметров.
    #[schema(example = "/debtors/0/snils", max_length = 1000)]
    pub pointer: Option<String>,
    /// Параметр пути, строки запроса или заголовок; `null` для полей тела.
    #[schema(example = json!(null), max_length = 255)]
    pub parameter: Option<String>,
    /// Код ошибки поля.
    #[schema(example = "snils_format", pattern = "^[a-z0-9_]+$", max_length = 64)]
    pub code: &'static str,
    /// Что не так.
    #[schema(example = "СНИЛС: ровно 11 цифр", max_length = 4000)]
    pub detail: String,
    /// Нарушенное ограничение.
    #[schema(example = json!(null))]
    pub max: Option<u64>,
    /// Строка книги Excel, как её нумерует Excel; `null`, если ошибка не в книге.
    #[schema(example = 17, minimum = 1)]
    pub row: Option<u32>,
    /// Заголовок столбца книги Excel; `null`, если дело не в одном столбце.
    #[schema(example = "Наличие задолженности", max_length = 255)]
    pub column: Option<String>,
}

/// Mistakes told at once.
const MOST_MISTAKES: usize = 1000;

impl Problem {
    /// A problem of a code with words about this very case.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let entry = entry(code);
        Self {
            kind: format!("/problems/{}", code.as_str()),
            title: entry.title,
            status: entry.status.as_u16(),
            detail: detail.into(),
            instance: String::new(),
            code: code.as_str(),
            request_id: String::new(),
            retryable: entry.retryable,
            origin: entry.origin,
            errors: Vec::new(),
            confirmable: Vec::new(),
            state: None,
            current_version: None,
            retry_after: None,
        }
    }

    /// The same with a wait before the next try.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// Fills in what only the request knows. `public_url` has no slash at its end.
    #[must_use]
    pub fn complete(self, public_url: &str, instance: &str, request_id: &str) -> Self {
        Self {
            kind: format!("{}{}", public_url.trim_end_matches('/'), self.kind),
            instance: instance.to_owned(),
            request_id: request_id.to_owned(),
            ..self
        }
    }

    fn invalid(mistakes: Vec<Mistake>) -> Self {
        let code = code_of_all(&mistakes);
        let detail = match mistakes.as_slice() {
            [only] => only.detail.clone(),
            several => format!("ошибок в запросе: {}", several.len()),
        };
        // More than anybody reads; how many there are stands in `detail`.
        let errors = mistakes.into_iter().take(MOST_MISTAKES).map(FieldProblem::from).collect();
        Self { errors, ..Self::new(code, detail) }
    }

    fn conflict(conflict: Conflict) -> Self {
        Self {
            confirmable: conflict.confirmable.iter().map(|confirm| confirm.as_str()).collect(),
            state: conflict.state.map(|state| state.as_str()),
            ..Self::new(conflict.code, conflict.detail)
        }
    }

    fn ours(code: Code, cause: &Cause) -> Self {
        tracing::error!(error = %chain(cause.as_ref()), code = code.as_str(), "a request failed through our fault");
        let detail = if code == Code::Unavailable {
            "сервис временно недоступен, ничего не сохранено; повторите запрос"
        } else {
            "внутренняя ошибка сервиса, ничего не сохранено; сообщите request_id в поддержку"
        };
        Self::new(code, detail)
    }

    /// The response; complete the problem first.
    #[must_use]
    pub fn response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)));
        if self.status == StatusCode::UNAUTHORIZED.as_u16() {
            response.insert_header((WWW_AUTHENTICATE, self.challenge()));
        }
        if let Some(seconds) = self.retry_after_seconds() {
            response.insert_header((RETRY_AFTER, seconds));
        }
        if !self.request_id.is_empty() {
            response.insert_header(("request-id", self.request_id.as_str()));
        }
        let body = serde_json::to_vec(self).unwrap_or_default();
        let mut response = response.body(body);
        response.extensions_mut().insert(self.clone());
        response
    }

    /// The status as actix has it.
    #[must_use]
    pub fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// RFC 6750 §3: without a token nothing but the scheme.
    fn challenge(&self) -> HeaderValue {
        HeaderValue::from_static(if self.code == Code::TokenMissing.as_str() {
            "Bearer"
        } else {
            "Bearer error=\"invalid_token\""
        })
    }

    /// Whole seconds, rounded up: a client that comes a moment too early is refused again.
    fn retry_after_seconds(&self) -> Option<u64> {
        let unavailable = self.status == StatusCode::SERVICE_UNAVAILABLE.as_u16();
        let wait = self.retry_after.or_else(|| unavailable.then_some(AFTER_OUR_FAULT))?;
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Some(seconds.max(1))
    }
}

/// One kind of mistake alone names the whole problem after itself when it has a code of its own.
fn code_of_all(mistakes: &[Mistake]) -> Code {
    let own = [
        Code::UnknownParameter,
        Code::InvalidCursor,
        Code::UnknownField,
        Code::CharacterNotAllowed,
        Code::DictionaryUnknown,
        Code::ExecutorWithoutGisId,
        Code::AttachmentExpired,
        Code::FileTooLarge,
        Code::FileTypeNotAllowed,
    ];
    let all =
        |code: Code| !mistakes.is_empty() && mistakes.iter().all(|mistake| mistake.code == code.as_str());
    own.into_iter().find(|code| all(*code)).unwrap_or(Code::ValidationFailed)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl From<Mistake> for FieldProblem {
    fn from(mistake: Mistake) -> Self {
        let Mistake { place, code, detail, max, row, column } = mistake;
        let (pointer, parameter) = match place {
            Place::Pointer(pointer) => (Some(pointer), None),
            Place::Parameter(parameter) => (None, Some(parameter)),
        };
        Self { pointer, parameter, code, detail, max, row, column }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::new(Code::NotFound, "объекта нет или он принадлежит другой организации"),
            Error::Conflict(conflict) => Self::conflict(*conflict),
            Error::Invalid(mistakes) => Self::invalid(mistakes),
            Error::Refused { code, detail } => Self::new(code, detail),
            Error::VersionMismatch { current } => Self {
                current_version: Some(current),
                ..Self::new(
                    Code::VersionMismatch,
                    "объект изменился; прочитайте его снова и повторите действие",
                )
            },
            Error::TooEarly { code, retry_after } => {
                Self::new(code, "слишком рано; повторите запрос позже").retry_after(retry_after)
            }
            Error::Unavailable(cause) => Self::ours(Code::Unavailable, &cause),
            Error::Internal(cause) => Self::ours(Code::Internal, &cause),
        }
    }
}

/// A problem as the error of handlers, extractors and layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(Box<Problem>);

impl Failure {
    /// A failure of a code with words about this very case.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Problem::new(code, detail).into()
    }

    /// What the client sees.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.0
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Problem::from(error).into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.code)
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        self.0.status_code()
    }

    fn error_response(&self) -> HttpResponse {
        self.0.response()
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use actix_web::rt::System;
    use serde_json::Value;

    use super::*;

    fn body(problem: &Problem) -> Value {
        let body = System::new().block_on(to_bytes(problem.response().into_body())).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    fn header(problem: &Problem, name: &str) -> Option<String> {
        problem.response().headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn every_mistake_is_shown_with_its_place() {
        let problem = Problem::from(Error::Invalid(vec![
            Mistake::at("/debtors/0/snils", "snils_format", "СНИЛС: ровно 11 цифр"),
            Mistake::in_parameter("due_from", "format", "дата").with_max(10),
            Mistake::at("/file", "guid_format", "строка 17: …").in_sheet(17, Some("Код".to_owned())),
        ]))
        .complete("https://docs.example.ru/", "/v1/x", "id");
        assert_eq!(header(&problem, "content-type").unwrap(), MEDIA_TYPE);
        let body = body(&problem);
        assert_eq!(body["type"], "https://docs.example.ru/problems/validation_failed");
        assert_eq!((&body["status"], &body["code"]), (&Value::from(422), &Value::from("validation_failed")));
        assert_eq!((&body["instance"], &body["request_id"]), (&Value::from("/v1/x"), &Value::from("id")));
        assert_eq!(body["errors"][0]["pointer"], "/debtors/0/snils");
        assert_eq!(
            (&body["errors"][1]["parameter"], &body["errors"][1]["max"]),
            (&"due_from".into(), &10.into())
        );
        assert_eq!(
            (&body["errors"][2]["row"], &body["errors"][2]["column"]),
            (&Value::from(17), &Value::from("Код"))
        );
        let of_field = body["errors"][0].as_object().unwrap();
        for (nullable, there) in
            [("row", of_field), ("column", of_field), ("current_version", body.as_object().unwrap())]
        {
            assert_eq!(there.get(nullable), Some(&Value::Null), "nullable fields are always there");
        }
    }

    #[test]
    fn one_kind_of_mistake_names_the_problem() {
        let unknown = || Mistake::at("/debtrs", "unknown_field", "нет такого поля");
        let code = |mistakes| Problem::from(Error::Invalid(mistakes)).code;
        assert_eq!(code(vec![unknown(), unknown()]), "unknown_field");
        assert_eq!(code(vec![unknown(), Mistake::at("/x", "type", "")]), "validation_failed");
        assert_eq!(code(vec![]), "validation_failed");
        assert_eq!(
            Problem::from(Error::Invalid(vec![Mistake::in_parameter("x", "unknown_parameter", "")])).status,
            400
        );
    }

    #[test]
    fn headers_tell_what_to_do() {
        let wait = |milliseconds| Error::TooEarly {
            code: Code::IdempotencyInProgress,
            retry_after: Duration::from_millis(milliseconds),
        };
        for (error, name, expected) in [
            (wait(1200), "retry-after", Some("2")),
            (wait(0), "retry-after", Some("1")),
            (Error::Unavailable("down".into()), "retry-after", Some("5")),
            (Error::NotFound, "retry-after", None),
            (Error::refused(Code::TokenMissing, ""), "www-authenticate", Some("Bearer")),
            (
                Error::refused(Code::TokenExpired, ""),
                "www-authenticate",
                Some("Bearer error=\"invalid_token\""),
            ),
            (Error::refused(Code::ScopeMissing, ""), "www-authenticate", None),
        ] {
            let problem = Problem::from(error);
            assert_eq!(header(&problem, name).as_deref(), expected, "{}", problem.code);
        }
    }

    #[test]
    fn our_own_mistakes_say_nothing_of_their_cause() {
        let problem = Problem::from(Error::internal("password=invented"));
        assert_eq!((problem.status, problem.retryable), (500, true));
        assert!(!body(&problem).to_string().contains("invented"));
        assert_eq!(Problem::from(Error::VersionMismatch { current: 7 }).current_version, Some(7));
    }
}
