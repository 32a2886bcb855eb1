//! The clock in the hands of tests: `POST /testing/step` moves it and runs the jobs until nothing is left to do at that
//! moment. It is there only on the internal port, only on loopback, and only when `[testing] clock` sets a time; such a
//! process does nothing by itself.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Json, ServiceConfig};
use chrono::{TimeDelta, Utc};
use debt_core::jobs::Worker;
use serde::{Deserialize, Serialize};

use crate::problem::Failure;

/// By how much to move the clock.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// Seconds; 0 runs the jobs alone.
    #[serde(default)]
    advance_seconds: u32,
    /// Whether the jobs run.
    #[serde(default = "yes")]
    jobs: bool,
}

const fn yes() -> bool {
    true
}

/// What the step did.
#[derive(Debug, Serialize)]
struct Stepped {
    now: chrono::DateTime<Utc>,
    jobs: std::collections::BTreeMap<&'static str, u64>,
}

/// Adds the door.
pub(crate) fn configure(config: &mut ServiceConfig, worker: Data<Worker>) {
    config.app_data(worker).route("/testing/step", web::post().to(step));
}

async fn step(worker: Data<Worker>, step: Json<Step>) -> Result<HttpResponse, Failure> {
    worker.service.clock.advance(TimeDelta::seconds(i64::from(step.advance_seconds)));
    let reports = if step.jobs { worker.step_all().await? } else { Default::default() };
    Ok(HttpResponse::Ok().json(Stepped {
        now: worker.service.clock.now(),
        jobs: reports.iter().map(|(job, report)| (job.as_str(), report.done)).collect(),
    }))
}
