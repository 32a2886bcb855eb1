//! Runs the jobs: each in a loop of its own, one activation of a job at a time, woken by a notice, by the time that its last
//! report names, or by its period.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::Shared;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{JobName, Report, Worker, restored};
use crate::store::jobs;
use crate::{Error, Result};

/// A job looks after its rows at least so often, whoever forgot to wake it.
const PERIOD: Duration = Duration::from_secs(60);
/// Sweeping is dear and never urgent.
const RETENTION_PERIOD: Duration = Duration::from_secs(3600);
/// The shortest time between an activation that failed and the next one.
const PAUSE: Duration = Duration::from_secs(5);
/// So long the looks at GIS are gathered, a question takes as long for one debt request as for a hundred, and so are events.
const GATHERING: Duration = Duration::from_secs(1);
/// More rounds than any test has work for; reaching it means that a job reports work that it does not do.
const MOST_ROUNDS: usize = 1000;

impl Worker {
    /// Runs every job, each as a task of its own, until `shutdown` comes and the activations under way have ended. Whoever
    /// cannot wait so long drops the future: what was under way is found again by its leases.
    pub async fn run(self: Arc<Self>, shutdown: impl Future<Output = ()> + Send + 'static) {
        let shutdown = shutdown.boxed().shared();
        while let Err(error) = restored::distrust(&self).await {
            tracing::error!(%error, "no job runs before the queue is looked at");
            tokio::select! {
                () = shutdown.clone() => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
        let mut jobs = JoinSet::new();
        for job in JobName::ALL {
            let (worker, shutdown) = (Arc::clone(&self), shutdown.clone());
            jobs.spawn(async move { worker.run_job(*job, shutdown).await });
        }
        jobs.join_all().await;
    }

    /// Steps every job in turn until a whole round has found nothing to do: what the jobs can do without time passing.
    ///
    /// # Errors
    /// The error of the first job that could not cope, or that the jobs do not come to rest.
    pub async fn step_all(&self) -> Result<BTreeMap<JobName, Report>> {
        let mut reports = BTreeMap::<JobName, Report>::new();
        for _ in 0..MOST_ROUNDS {
            let mut moved = 0;
            for job in JobName::ALL {
                let report = self.step(*job).await?;
                moved += report.done;
                let sum = reports.entry(*job).or_default();
                *sum = Report { done: sum.done + report.done, ..report };
            }
            if moved == 0 {
                return Ok(reports);
            }
        }
        Err(Error::internal("the jobs do not come to rest"))
    }

    async fn run_job<F: Future<Output = ()> + Send>(&self, job: JobName, mut shutdown: Shared<F>) {
        // Heard before the first look at the rows, so that no notice falls between.
        let mut wakes = self.service.db.wakes();
        loop {
            // Notices that came before this activation are answered by it.
            drain(&mut wakes);
            let wait = self.activate(job).await;
            let deadline = Instant::now() + wait;
            tokio::select! {
                biased;
                () = &mut shutdown => return,
                () = woken(&mut wakes, job) => {}
                () = tokio::time::sleep_until(deadline) => {}
            }
            if gathers(job, wait) {
                tokio::select! {
                    biased;
                    () = &mut shutdown => return,
                    () = tokio::time::sleep(GATHERING) => {}
                }
            }
        }
    }

    /// One activation, whatever happens in it; how long to wait for the next.
    async fn activate(&self, job: JobName) -> Duration {
        let began = Instant::now();
        let outcome = AssertUnwindSafe(self.step(job)).catch_unwind().await;
        let outcome = outcome.unwrap_or_else(|_panic| Err(Error::internal("the job panicked")));
        let label = [("job", job.as_str())];
        metrics::histogram!("debtgate_job_seconds", &label).record(began.elapsed());
        match outcome {
            Ok(report) => {
                self.note_report(job, &report).await;
                wait(job, &report, self.now())
            }
            Err(error) => {
                metrics::counter!("debtgate_job_failures_total", &label).increment(1);
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%job, %error, cause, "job failed");
                PAUSE
            }
        }
    }

    /// Tells the status page. That it cannot be told stops nothing.
    async fn note_report(&self, job: JobName, report: &Report) {
        let noted = async {
            let mut tx = self.service.db.begin().await?;
            let detail = json!({ "done": report.done, "detail": report.detail });
            jobs::note(&mut tx, job, self.now(), &detail, report.next).await?;
            tx.commit().await
        };
        if let Err(error) = noted.await {
            tracing::warn!(%job, %error, "the activation could not be noted");
        }
    }
}

/// Whether what wakes a job is gathered before it is looked at. Events come in crowds; while there are more to send, nothing
/// is waited for.
fn gathers(job: JobName, wait: Duration) -> bool {
    job == JobName::Settle || (job == JobName::Webhooks && !wait.is_zero())
}

fn wait(job: JobName, report: &Report, now: DateTime<Utc>) -> Duration {
    let period = match job {
        JobName::Retention => RETENTION_PERIOD,
        JobName::Sync
        | JobName::Assignment
        | JobName::Files
        | JobName::Outbox
        | JobName::Polling
        | JobName::Settle
        | JobName::Exports
        | JobName::Imports
        | JobName::Matching
        | JobName::AutoAnswer
        | JobName::Deadlines
        | JobName::Operations
        | JobName::Webhooks => PERIOD,
    };
    if report.done > 0 {
        return Duration::ZERO;
    }
    // A time that is past and for which nothing was done: somebody else has it, or the clocks differ. Do not spin.
    let past = Duration::from_secs(1);
    let next = report.next.map(|next| if next > now { (next - now).to_std().unwrap_or(past) } else { past });
    next.map_or(period, |next| next.min(period))
}

fn drain(wakes: &mut Receiver<JobName>) {
    loop {
        match wakes.try_recv() {
            Ok(_) | Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => return,
        }
    }
}

/// Until a notice for this job comes.
async fn woken(wakes: &mut Receiver<JobName>, job: JobName) {
    loop {
        match wakes.recv().await {
            Ok(name) if name != job => {}
            Ok(_) | Err(RecvError::Lagged(_)) => return,
            // Never so while the database is there; the period remains.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_runtime_of_several_threads_can_run_it() {
        fn send<T: Send>(_: impl FnOnce(&'static Worker) -> T) {}
        send(Worker::step_all);
    }

    #[test]
    fn waits() {
        let now = DateTime::UNIX_EPOCH;
        let report = |done, seconds: Option<i64>| Report {
            done,
            next: seconds.map(|seconds| now + TimeDelta::seconds(seconds)),
            detail: Value::Null,
        };
        let cases = [
            (JobName::Outbox, report(1, None), Duration::ZERO),
            (JobName::Outbox, report(0, None), PERIOD),
            (JobName::Outbox, report(0, Some(10)), Duration::from_secs(10)),
            (JobName::Outbox, report(0, Some(1000)), PERIOD),
            (JobName::Outbox, report(0, Some(0)), Duration::from_secs(1)),
            (JobName::Outbox, report(0, Some(-5)), Duration::from_secs(1)),
            (JobName::Retention, report(0, Some(3600)), RETENTION_PERIOD),
        ];
        for (job, report, expected) in cases {
            assert_eq!(wait(job, &report, now), expected, "{job} {report:?}");
        }
    }
}
