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

type Answer = Result<HttpResponse, Refused>;
/// A request's body, or why it was not read.
type Body = Result<web::Bytes, actix_web::Error>;

/// Why there is an `{"error": text}`.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error("the body cannot be read, it may have 1 MiB: {0}")]
    Body(actix_web::Error),
    #[error("the simulator is stopping")]
    Stopping,
}

impl actix_web::ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Control(ControlError::NotFound(_)) => StatusCode::NOT_FOUND,
            Self::Control(ControlError::Invalid(_)) => StatusCode::BAD_REQUEST,
            Self::Control(ControlError::Conflict(_)) => StatusCode::CONFLICT,
            Self::Control(ControlError::Full(_)) => StatusCode::INSUFFICIENT_STORAGE,
            Self::Body(error) => error.as_response_error().status_code(),
            Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status_code()).json(json!({ "error": self.to_string() }))
    }
}

/// Runs one operation where it may wait for the engine.
async fn run<T: Send + 'static>(
    shared: web::Data<Shared>,
    operation: impl FnOnce(&Control) -> Result<T, ControlError> + Send + 'static,
) -> Result<T, Refused> {
    let control = Control::new(shared.into_inner());
    let done = web::block(move || operation(&control)).await;
    Ok(done.map_err(|_cancelled| Refused::Stopping)??)
}

fn shown(value: impl Serialize) -> Answer {
    Ok(HttpResponse::Ok().json(value))
}

fn done() -> Answer {
    Ok(HttpResponse::NoContent().finish())
}

/// The body as JSON, or a text that says where it is wrong.
fn parsed<T: DeserializeOwned>(body: Body) -> Result<T, Refused> {
    let body = body.map_err(Refused::Body)?;
    let parsed = serde_json::from_slice(&body);
    Ok(parsed.map_err(|error| ControlError::Invalid(format!("body is wrong: {error}")))?)
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
    shown(run(shared, |control| Ok(control.state())).await?)
}

async fn list_subrequests(shared: web::Data<Shared>, request: actix_web::HttpRequest) -> Answer {
    let filter: SubrequestFilter = queried(request.query_string())?;
    filter.check()?;
    shown(run(shared, move |control| Ok(control.subrequests(&filter))).await?)
}

async fn create_subrequests(shared: web::Data<Shared>, body: Body) -> Answer {
    let empty = body.as_ref().is_ok_and(|body| body.is_empty());
    let new: NewSubrequests = if empty { NewSubrequests::default() } else { parsed(body)? };
    let made = run(shared, move |control| control.create(&new)).await?;
    Ok(HttpResponse::Created().json(json!({ "items": made })))
}

async fn show_subrequest(shared: web::Data<Shared>, path: web::Path<String>) -> Answer {
    let guid = guid(&path)?;
    shown(run(shared, move |control| control.subrequest(guid)).await?)
}

async fn withdraw_subrequest(shared: web::Data<Shared>, path: web::Path<String>) -> Answer {
    let guid = guid(&path)?;
    run(shared, move |control| control.withdraw(guid)).await?;
    done()
}

async fn answer_in_cabinet(shared: web::Data<Shared>, path: web::Path<String>, body: Body) -> Answer {
    let answer: CabinetAnswer = parsed(body)?;
    let guid = guid(&path)?;
    run(shared, move |control| control.answer_in_cabinet(guid, &answer)).await?;
    done()
}

async fn revoke_in_cabinet(shared: web::Data<Shared>, path: web::Path<String>) -> Answer {
    let guid = guid(&path)?;
    run(shared, move |control| control.revoke_in_cabinet(guid)).await?;
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
    let calls = run(shared, move |control| Ok(control.calls(after, limit))).await?;
    shown(json!({ "items": calls }))
}

async fn show_file(shared: web::Data<Shared>, path: web::Path<String>) -> Answer {
    let guid = guid(&path)?;
    shown(run(shared, move |control| control.file(guid)).await?)
}

async fn show_file_content(shared: web::Data<Shared>, path: web::Path<String>) -> Answer {
    let guid = guid(&path)?;
    let content = run(shared, move |control| control.file_content(guid)).await?;
    Ok(HttpResponse::Ok().content_type("application/octet-stream").body(content))
}

async fn show_scenario(shared: web::Data<Shared>) -> Answer {
    shown(run(shared, |control| Ok(control.scenario())).await?)
}

async fn replace_scenario(shared: web::Data<Shared>, body: Body) -> Answer {
    let scenario: Value = parsed(body)?;
    shown(run(shared, move |control| control.set_scenario(scenario)).await?)
}

async fn patch_scenario(shared: web::Data<Shared>, body: Body) -> Answer {
    let patch: Value = parsed(body)?;
    shown(run(shared, move |control| control.patch_scenario(patch)).await?)
}

async fn list_faults(shared: web::Data<Shared>) -> Answer {
    let rules = run(shared, |control| Ok(control.faults())).await?;
    shown(json!({ "items": rules }))
}

async fn create_fault(shared: web::Data<Shared>, body: Body) -> Answer {
    let rule: Rule = parsed(body)?;
    let id = run(shared, move |control| control.add_fault(rule)).await?;
    Ok(HttpResponse::Created().json(json!({ "id": id })))
}

async fn delete_faults(shared: web::Data<Shared>) -> Answer {
    run(shared, |control| {
        control.clear_faults();
        Ok(())
    })
    .await?;
    done()
}

async fn delete_fault(shared: web::Data<Shared>, path: web::Path<String>) -> Answer {
    let id = path.parse().map_err(|_no_number| ControlError::NotFound("fault"))?;
    run(shared, move |control| control.remove_fault(id)).await?;
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
    shown(json!({ "now": Control::new(shared.into_inner()).now() }))
}

async fn advance_clock(shared: web::Data<Shared>, body: Body) -> Answer {
    let now = match parsed(body)? {
        ClockMove { advance: Some(by), to: None } => run(shared, move |control| control.advance(by)).await?,
        ClockMove { advance: None, to: Some(time) } => {
            run(shared, move |control| control.advance_to(time)).await?
        }
        ClockMove { advance: Some(_), to: Some(_) } | ClockMove { advance: None, to: None } => {
            let text = "give advance, e.g. \"72h\", or to, e.g. \"2026-03-16T09:00:00Z\"";
            return Err(ControlError::Invalid(text.to_owned()).into());
        }
    };
    shown(json!({ "now": now }))
}

async fn reset(shared: web::Data<Shared>) -> Answer {
    run(shared, |control| {
        control.reset();
        Ok(())
    })
    .await?;
    done()
}
