//! `/control`: JSON in, one method of [`Control`], JSON out. Every error is `{"error": text}`.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{MOST_CONTROL_BYTES, Shared};
use crate::control::{
    CabinetAnswer, Control, ControlError, MOST_CALLS_SHOWN, NewSubrequests, SubrequestFilter,
};
use crate::faults::Rule;

/// Puts the control door into a scope.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(MOST_CONTROL_BYTES))
        .route("/state", web::get().to(show_state))
        .route("/subrequests", web::get().to(list_subrequests))
        .route("/subrequests", web::post().to(create_subrequests))
        .route("/subrequests/{guid}", web::get().to(show_subrequest))
        .route("/subrequests/{guid}", web::delete().to(withdraw_subrequest))
        .route("/subrequests/{guid}/answer", web::put().to(answer_in_cabinet))
        .route("/subrequests/{guid}/answer", web::delete().to(revoke_in_cabinet))
        .route("/calls", web::get().to(list_calls))
        .route("/files/{guid}", web::get().to(show_file))
        .route("/files/{guid}/content", web::get().to(show_file_content))
        .route("/scenario", web::get().to(show_scenario))
        .route("/scenario", web::put().to(replace_scenario))
        .route("/scenario", web::patch().to(patch_scenario))
        .route("/faults", web::get().to(list_faults))
        .route("/faults", web::post().to(create_fault))
        .route("/faults", web::delete().to(delete_faults))
        .route("/faults/{id}", web::delete().to(delete_fault))
        .route("/clock", web::get().to(show_clock))
        .route("/clock", web::post().to(advance_clock))
        .route("/reset", web::post().to(reset))
        .default_service(web::to(not_found));
}

type Answer = Result<HttpResponse, ControlError>;

impl actix_web::ResponseError for ControlError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status_code()).json(json!({ "error": self.to_string() }))
    }
}

fn control(shared: web::Data<Shared>) -> Control {
    Control::new(shared.into_inner())
}

fn shown(value: impl Serialize) -> Answer {
    Ok(HttpResponse::Ok().json(value))
}

fn done() -> Answer {
    Ok(HttpResponse::NoContent().finish())
}

/// The body as JSON, or a text that says where it is wrong.
fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, ControlError> {
    serde_json::from_slice(body).map_err(|error| ControlError::Invalid(format!("body is wrong: {error}")))
}

fn queried<T: DeserializeOwned>(query: &str) -> Result<T, ControlError> {
    let query = web::Query::<T>::from_query(query);
    query
        .map(web::Query::into_inner)
        .map_err(|error| ControlError::Invalid(format!("query is wrong: {error}")))
}

fn guid(path: &str) -> Result<Uuid, ControlError> {
    Uuid::try_parse(path).map_err(|error| ControlError::Invalid(format!("{path} is no GUID: {error}")))
}

async fn not_found() -> HttpResponse {
    HttpResponse::NotFound().json(json!({
        "error": "no such path or method under /control: see the README of gis-sim",
    }))
}

async fn show_state(shared: web::Data<Shared>) -> Answer {
    shown(control(shared).state())
}

async fn list_subrequests(shared: web::Data<Shared>, request: actix_web::HttpRequest) -> Answer {
    let filter: SubrequestFilter = queried(request.query_string())?;
    filter.check()?;
    shown(control(shared).subrequests(&filter))
}

async fn create_subrequests(shared: web::Data<Shared>, body: web::Bytes) -> Answer {
    let new: NewSubrequests = if body.is_empty() { NewSubrequests::default() } else { parsed(&body)? };
    let made = control(shared).create(&new)?;
    Ok(HttpResponse::Created().json(json!({ "items": made })))
}

async fn show_subrequest(shared: web::Data<Shared>, path: web::Path<String>) -> Answer {
    shown(control(shared).subrequest(guid(&path)?)?)
}

async fn withdraw_subrequest(shared: web::Data<Shared>, path: web::Path<String>) -> Answer {
    control(shared).withdraw(guid(&path)?)?;
    done()
}

async fn answer_in_cabinet(shared: web::Data<Shared>, path: web::Path<String>, body: web::Bytes) -> Answer {
    let answer: CabinetAnswer = parsed(&body)?;
    control(shared).answer_in_cabinet(guid(&path)?, &answer)?;
    done()
}

async fn revoke_in_cabinet(shared: web::Data<Shared>, path: web::Path<String>) -> Answer {
    control(shared).revoke_in_cabinet(guid(&path)?)?;
    done()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallsQuery {
    #[serde(default)]
    after: u64,
    #[serde(default = "most_calls")]
    limit: usize,
}

fn most_calls() -> usize {
    MOST_CALLS_SHOWN
}

async fn list_calls(shared: web::Data<Shared>, request: actix_web::HttpRequest) -> Answer {
    let CallsQuery { after, limit } = queried(request.query_string())?;
    shown(json!({ "items": control(shared).calls(after, limit) }))
}

async fn show_file(shared: web::Data<Shared>, path: web::Path<String>) -> Answer {
    shown(control(shared).file(guid(&path)?)?)
}

async fn show_file_content(shared: web::Data<Shared>, path: web::Path<String>) -> Answer {
    let content = control(shared).file_content(guid(&path)?)?;
    Ok(HttpResponse::Ok().content_type("application/octet-stream").body(content))
}

async fn show_scenario(shared: web::Data<Shared>) -> Answer {
    shown(control(shared).scenario())
}

async fn replace_scenario(shared: web::Data<Shared>, body: web::Bytes) -> Answer {
    let scenario: Value = parsed(&body)?;
    shown(control(shared).set_scenario(scenario)?)
}

async fn patch_scenario(shared: web::Data<Shared>, body: web::Bytes) -> Answer {
    let patch: Value = parsed(&body)?;
    shown(control(shared).patch_scenario(patch)?)
}

async fn list_faults(shared: web::Data<Shared>) -> Answer {
    shown(json!({ "items": control(shared).faults() }))
}

async fn create_fault(shared: web::Data<Shared>, body: web::Bytes) -> Answer {
    let rule: Rule = parsed(&body)?;
    let id = control(shared).add_fault(rule)?;
    Ok(HttpResponse::Created().json(json!({ "id": id })))
}

async fn delete_faults(shared: web::Data<Shared>) -> Answer {
    control(shared).clear_faults();
    done()
}

async fn delete_fault(shared: web::Data<Shared>, path: web::Path<String>) -> Answer {
    let id = path.parse().map_err(|_no_number| ControlError::NotFound("fault"))?;
    control(shared).remove_fault(id)?;
    done()
}

/// One of the two.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockMove {
    #[serde(default, with = "humantime_serde")]
    advance: Option<Duration>,
    #[serde(default)]
    to: Option<DateTime<Utc>>,
}

async fn show_clock(shared: web::Data<Shared>) -> Answer {
    shown(json!({ "now": control(shared).now() }))
}

async fn advance_clock(shared: web::Data<Shared>, body: web::Bytes) -> Answer {
    let control = control(shared);
    let now = match parsed(&body)? {
        ClockMove { advance: Some(by), to: None } => control.advance(by)?,
        ClockMove { advance: None, to: Some(time) } => control.advance_to(time)?,
        ClockMove { advance: Some(_), to: Some(_) } | ClockMove { advance: None, to: None } => {
            let text = "give advance, e.g. \"72h\", or to, e.g. \"2026-03-16T09:00:00Z\"";
            return Err(ControlError::Invalid(text.to_owned()));
        }
    };
    shown(json!({ "now": now }))
}

async fn reset(shared: web::Data<Shared>) -> Answer {
    control(shared).reset();
    done()
}
