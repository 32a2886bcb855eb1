//! When GIS is asked again what became of a message.

use std::time::Duration;

use chrono::TimeDelta;
use gis_client::cadence::PollSchedule;
use gis_sim::faults::{Kind, Target, When};

use super::bench::Bench;
use crate::domain::message::{Message, MessageState};
use crate::domain::sync_run::RunState;
use crate::jobs::{JobName, pages};
use crate::settings::GisSettings;
use crate::store::sync_runs;
use crate::store::test_db::for_both;

/// The page that the run under way waits for.
async fn open_page(bench: &Bench) -> Message {
    let run = bench.last_run().await;
    let mut conn = bench.worker.service.db.read().await.unwrap();
    let [page] = pages::open_pages(&mut conn, &run).await.unwrap().try_into().unwrap();
    page
}

#[test]
fn a_poll_that_failed_once_waits_no_longer_than_its_schedule() {
    let step = TimeDelta::seconds(1);
    let poll_after = PollSchedule::new(vec![Duration::from_secs(1)]).unwrap();
    let gis = GisSettings { poll_after, ..GisSettings::default() };
    for_both(async |db| {
        let bench = Bench::with(db, 10, gis.clone()).await;
        bench.rest().await;
        bench.fault(Target::GetState, When::Always, Kind::ResetBefore);
        bench.pass(step);
        let report = bench.worker.step(JobName::Polling).await.unwrap();
        assert_eq!(report.detail["polled"], 1);
        let page = open_page(&bench).await;
        assert_eq!((page.state, page.failures), (MessageState::Accepted, 1));
        assert_eq!(page.next_poll_at, Some(bench.now() + step));
        assert_eq!(report.next, page.next_poll_at);

        // Failures in a row are waited for: the shortest wait is half of the first step.
        bench.pass(step);
        bench.worker.step(JobName::Polling).await.unwrap();
        let page = open_page(&bench).await;
        let shortest = TimeDelta::from_std(gis.backoff.first / 2).unwrap();
        assert_eq!(page.failures, 2);
        assert!(page.next_poll_at.unwrap() >= bench.now() + shortest);

        bench.gis().clear_faults();
        let run = bench.finish_run().await;
        assert_eq!((run.state, run.found), (RunState::Succeeded, 10));
    });
}

#[test]
fn a_page_that_gis_never_answers_for_ends_its_run_and_the_next_one_begins() {
    for_both(async |db| {
        let bench = Bench::new(db, 10).await;
        bench.rest().await;
        let first = bench.last_run().await;
        let fault = Kind::SoapFault { code: "INT002000".to_owned(), text: None, late: None };
        bench.fault(Target::GetState, When::Always, fault);
        let end = bench.now() + TimeDelta::days(2);
        while bench.now() < end {
            bench.turn().await;
        }
        let second = bench.last_run().await;
        assert_ne!(second.id, first.id);
        let mut conn = bench.worker.service.db.read().await.unwrap();
        let first = sync_runs::get(&mut conn, bench.organization, first.id).await.unwrap().unwrap();
        drop(conn);
        let words = first.error.unwrap().gis.unwrap();
        assert_eq!((first.state, words.code.as_str()), (RunState::Failed, "INT002000"));

        bench.gis().clear_faults();
        let run = bench.finish_run().await;
        assert_ne!(run.id, first.id);
        assert_eq!((run.state, run.found), (RunState::Succeeded, 10));
    });
}
