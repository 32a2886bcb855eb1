//! What the database and the certificates say at the moment of asking: gauges, filled for each look at `/metrics`. They are
//! about the whole database, so every process that shares it shows the same; no label names an organisation or a person.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use debt_core::figures::Figures;
use debt_core::jobs::Worker;
use debt_core::{Result, Service};
use metrics::{Unit, describe_gauge, gauge};
use tokio::time::timeout;

const DATABASE_UP: &str = "debtgate_database_up";
const WAITING: &str = "debtgate_answers_waiting";
const OLDEST: &str = "debtgate_answers_waiting_oldest_seconds";
const DUE_TODAY: &str = "debtgate_answers_due_today";
const SYNC_AGE: &str = "debtgate_sync_age_seconds";
const HALTED: &str = "debtgate_organizations_halted";
const WEBHOOK_LAG: &str = "debtgate_webhook_lag_seconds";
const CERTIFICATE: &str = "debtgate_signer_certificate_days_left";

const HOURS_A_DAY: f64 = 24.0;
/// How long the database may take. Prometheus gives up after ten seconds as a rule, and then has nothing of the process either.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the gauges are filled from.
pub struct Gauges {
    service: Arc<Service>,
    /// Signers by the name of their section, and when their certificates end.
    certificates: Vec<(String, DateTime<Utc>)>,
}

impl Gauges {
    /// Gauges of a process; one without a worker has no signers.
    #[must_use]
    pub fn new(service: Arc<Service>, worker: Option<&Worker>) -> Self {
        let signers = worker.into_iter().flat_map(|worker| &worker.signers);
        let certificates =
            signers.map(|(name, named)| (name.clone(), named.signer.certificate().not_after())).collect();
        Self { service, certificates }
    }

    /// Fills the gauges. Without a database, or when it is slow to answer, those that come from it stay as they were, and one
    /// says so.
    pub async fn fill(&self) {
        let now = self.service.clock.now();
        for (signer, until) in &self.certificates {
            gauge!(CERTIFICATE, "signer" => signer.clone()).set(days(*until, now));
        }
        match in_time(self.service.figures()).await {
            Some(figures) => {
                gauge!(DATABASE_UP).set(1);
                show(&figures);
            }
            None => gauge!(DATABASE_UP).set(0),
        }
    }
}

/// What the database says, unless it takes too long.
async fn in_time(figures: impl Future<Output = Result<Figures>>) -> Option<Figures> {
    const KEPT: &str = "the gauges keep their values";
    match timeout(PATIENCE, figures).await {
        Ok(Ok(figures)) => Some(figures),
        Ok(Err(error)) => {
            tracing::warn!(%error, "{KEPT}");
            None
        }
        Err(error) => {
            tracing::warn!(%error, "{KEPT}");
            None
        }
    }
}

fn show(figures: &Figures) {
    for (state, waiting) in &figures.waiting {
        gauge!(WAITING, "state" => state.as_str()).set(number(waiting.count));
        gauge!(OLDEST, "state" => state.as_str()).set(waiting.oldest);
    }
    gauge!(DUE_TODAY).set(number(figures.due_today));
    gauge!(SYNC_AGE).set(figures.sync_age);
    gauge!(HALTED).set(number(figures.halted));
    gauge!(WEBHOOK_LAG).set(figures.webhook_lag);
}

fn number(count: i64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Days with their fraction, below zero after the end.
fn days(until: DateTime<Utc>, now: DateTime<Utc>) -> f64 {
    f64::from(i32::try_from((until - now).num_hours()).unwrap_or(i32::MAX)) / HOURS_A_DAY
}

pub(super) fn describe() {
    describe_gauge!(
        DATABASE_UP,
        "1 when the database answered in time for this look, else 0 and its gauges are old"
    );
    describe_gauge!(WAITING, "Answers that wait for GIS, by state");
    describe_gauge!(
        OLDEST,
        Unit::Seconds,
        "How long ago the oldest answer that waits in a state was submitted, by state; 0 while there is none"
    );
    describe_gauge!(DUE_TODAY, "Answers whose last day is today and which are not final");
    describe_gauge!(
        WEBHOOK_LAG,
        Unit::Seconds,
        "How long ago the oldest event happened that waits for an address of a client; 0 while there is none"
    );
    describe_gauge!(
        SYNC_AGE,
        Unit::Seconds,
        "Since the last reading of GIS that succeeded, of the organisation where it is longest ago"
    );
    describe_gauge!(HALTED, "Organisations that send nothing until a person has acted");
    describe_gauge!(CERTIFICATE, "Days until the certificate of a signer ends; below 0 it has ended");
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use debt_core::Error;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_database_that_does_not_answer_in_time_counts_as_none() {
        assert_eq!(in_time(async { Ok(Figures::default()) }).await, Some(Figures::default()));
        assert_eq!(in_time(async { Err(Error::NotFound) }).await, None);
        assert_eq!(in_time(std::future::pending()).await, None);
    }

    #[test]
    fn days_are_counted_with_their_fraction_and_beyond_the_end() {
        let now = Utc::now();
        for (left, expected) in [
            (TimeDelta::hours(36), 1.5),
            (TimeDelta::zero(), 0.0),
            (TimeDelta::days(-2), -2.0),
            (TimeDelta::days(365 * 50), 18250.0),
        ] {
            assert!((days(now + left, now) - expected).abs() < 0.001, "{left}");
        }
    }
}
