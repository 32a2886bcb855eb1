//! How debt requests come into the mirror.

use std::time::Duration;

use chrono::{Days, TimeDelta};
use futures_util::future::{join, join_all};
use gis_client::cadence::Circuit;
use gis_sim::control::{Fields, NewSubrequests, SubrequestFilter};
use gis_sim::faults::{Kind, StuckState, Target, When};
use serde_json::json;

use super::bench::Bench;
use crate::domain::debt_request::Stage;
use crate::domain::long_work::WorkStatus;
use crate::domain::sync_run::{RunState, SyncRun};
use crate::jobs::exports::{self, Asked};
use crate::jobs::gate::Entry;
use crate::jobs::pages;
use crate::jobs::windows::Window;
use crate::operations::LongWork;
use crate::store::gis_operations::{self, Operation};
use crate::store::test_db::for_both;
use crate::test_service::caller;

#[test]
fn three_pages_come_into_the_mirror() {
    for_both(async |db| {
        let bench = Bench::new(db, 250).await;
        let run = bench.finish_run().await;
        assert_eq!((run.state, run.started_by.as_str()), (RunState::Succeeded, "start"));
        assert_eq!((run.found, run.added, run.changed, run.pages), (250, 250, 0, 3));
        let counts = bench.counts().await;
        assert_eq!((counts.total, counts.new), (250, 250));
    });
}

#[test]
fn many_pages_are_read_side_by_side() {
    for_both(async |db| {
        let bench = Bench::new(db, 0).await;
        let sent = |day| bench.now().date_naive().checked_sub_days(Days::new(day));
        for day in 0..40 {
            let fields = Fields { sent: sent(day), ..Fields::default() };
            bench.gis().create(&NewSubrequests { count: 30, fields, ..NewSubrequests::default() }).unwrap();
        }
        let mut most = 0;
        while bench.last_open_pages().await.is_none_or(|open| open > 0) {
            bench.turn().await;
            most = most.max(bench.last_open_pages().await.unwrap());
        }
        let run = bench.last_run().await;
        assert_eq!((run.state, run.found, run.added), (RunState::Succeeded, 1200, 1200));
        assert_eq!(bench.counts().await.total, 1200);
        assert!(most >= 6, "at most {most} pages were on their way at once");
    });
}

#[test]
fn the_second_reading_finds_nothing_new() {
    for_both(async |db| {
        let bench = Bench::new(db, 120).await;
        let first = bench.finish_run().await;
        bench.pass_until_next_schedule();
        let second = bench.finish_run().await;
        assert_ne!(first.id, second.id);
        assert_eq!(second.started_by, "schedule");
        assert_eq!((second.found, second.added, second.changed, second.pages), (120, 0, 0, 2));
    });
}

#[test]
fn what_comes_while_pages_are_read_is_not_lost() {
    for_both(async |db| {
        let bench = Bench::new(db, 150).await;
        bench.rest().await;
        bench.pass(TimeDelta::seconds(10));
        bench.rest().await;
        assert_eq!(bench.last_run().await.pages, 1);
        bench.gis().create(&NewSubrequests { count: 70, ..NewSubrequests::default() }).unwrap();
        bench.finish_run().await;
        bench.pass_until_next_schedule();
        let second = bench.finish_run().await;
        assert_eq!((second.found, bench.counts().await.total), (220, 220));
    });
}

#[test]
fn what_the_asker_took_back_is_gone() {
    for_both(async |db| {
        let bench = Bench::new(db, 20).await;
        bench.finish_run().await;
        let withdrawn = bench.gis().subrequests(&SubrequestFilter::default()).items.first().unwrap().guid;
        bench.gis().withdraw(withdrawn).unwrap();
        bench.pass_until_next_schedule();
        let second = bench.finish_run().await;
        assert_eq!((second.found, second.added, second.changed), (19, 0, 0));
        assert_eq!(bench.request(withdrawn.into()).await.stage, Stage::Gone);
    });
}

#[test]
fn a_run_waits_for_gis_and_goes_on() {
    for_both(async |db| {
        let bench = Bench::new(db, 150).await;
        bench.rest().await;
        bench.pass(TimeDelta::seconds(10));
        bench.break_gis();
        for _ in 0..12 {
            bench.turn().await;
        }
        let waiting = bench.last_run().await;
        assert_eq!(waiting.state, RunState::Running);
        assert!(!is_closed(&bench).await, "after five failures GIS is left alone");
        bench.gis().clear_faults();
        let run = bench.finish_run().await;
        assert_eq!((run.id, run.state, run.found), (waiting.id, RunState::Succeeded, 150));
        assert!(is_closed(&bench).await);
    });
}

async fn is_closed(bench: &Bench) -> bool {
    let mut conn = bench.worker.service.db.read().await.unwrap();
    let known = gis_operations::all(&mut conn).await.unwrap();
    known.iter().all(|health| matches!(health.circuit, Circuit::Closed { .. }))
}

#[test]
fn an_outage_before_the_first_page_costs_no_message() {
    for_both(async |db| {
        let bench = Bench::new(db, 10).await;
        bench.break_gis();
        for _ in 0..3 {
            bench.turn().await;
        }
        bench.gis().clear_faults();
        let run = bench.finish_run().await;
        assert_eq!((run.state, run.found, run.pages), (RunState::Succeeded, 10, 1));
        let calls = bench.gis().calls(0, 1000);
        assert_eq!(
            calls.iter().filter(|call| call.operation == Some(Target::ExportDebtSubrequests)).count(),
            1
        );
    });
}

#[test]
fn pages_that_fail_are_asked_for_anew() {
    let export = Target::ExportDebtSubrequests;
    let code = "EXP001000".to_owned();
    let faults = [
        (export, Kind::SoapFault { code: code.clone(), text: None, late: None }),
        (export, Kind::StateError { code, text: None }),
        (export, Kind::ResetAfter { late: Duration::ZERO }),
        (export, Kind::Stuck { effect: false, state: StuckState::default() }),
        (export, Kind::LostState { after: Duration::ZERO }),
        (Target::GetState, Kind::ResetBefore),
    ];
    for_both(async |db| {
        let bench = Bench::new(db, 150).await;
        for (target, kind) in faults.clone() {
            bench.fault(target, When::Nth(2), kind);
            let run = bench.finish_run().await;
            assert_eq!((run.state, run.found, run.pages), (RunState::Succeeded, 150, 2));
            bench.gis().clear_faults();
            bench.pass_until_next_schedule();
        }
    });
}

#[test]
fn a_page_that_gis_refuses_ends_the_run() {
    for_both(async |db| {
        let bench = Bench::new(db, 10).await;
        let refusal = Kind::SoapFault { code: "AUT011003".to_owned(), text: None, late: None };
        bench.fault(Target::ExportDebtSubrequests, When::Next(1), refusal);
        let run = bench.finish_run().await;
        assert_eq!((run.state, run.error.unwrap().code.as_str()), (RunState::Failed, "gis_rejected"));
        bench.pass_until_next_schedule();
        assert_eq!(bench.finish_run().await.found, 10);
    });
}

async fn stop(bench: &Bench, run: &SyncRun) -> LongWork {
    let (service, caller) = (&bench.worker.service, caller(bench.organization));
    let mut tx = service.db.begin().await.unwrap();
    let stopped = service.cancel_operation(&mut tx, &caller, run.id.as_uuid()).await.unwrap();
    tx.commit().await.unwrap();
    stopped
}

#[test]
fn pages_that_wait_at_the_gate_are_not_asked_for_when_their_run_is_stopped() {
    for_both(async |db| {
        let bench = Bench::new(db, 150).await;
        bench.rest().await;
        let (worker, run) = (&bench.worker, bench.last_run().await);
        let parts = Window::of(&run).parts();
        let questions = parts.into_iter().map(|part| part.first_page(&run)).collect();
        let mut tx = worker.service.db.begin().await.unwrap();
        let questions = pages::prepare(&mut tx, worker, &run, questions).await.unwrap();
        tx.commit().await.unwrap();
        let mut places = Vec::new();
        for _ in 0..worker.service.settings.gis.parallel {
            places.push(worker.enter(Operation::Export).await.unwrap());
        }
        assert!(places.iter().all(|place| matches!(place, Entry::Open(_))));
        let calls = || bench.gis().calls(0, 1000).len();
        let before = calls();

        // All of them come to the gate, and find no place, before the run is stopped.
        let pages = join_all(questions.into_iter().map(|question| exports::send(worker, question)));
        let (asked, ()) = join(pages, async {
            stop(&bench, &run).await;
            drop(places);
        })
        .await;
        assert!(asked.len() > 1);
        assert!(asked.into_iter().all(|asked| asked.unwrap() == Asked::Withdrawn));
        assert_eq!(calls(), before);
        assert_eq!(bench.last_open_pages().await, Some(1), "GIS has this one already");
    });
}

#[test]
fn what_comes_late_for_a_run_that_was_stopped_does_no_harm() {
    for_both(async |db| {
        let bench = Bench::new(db, 150).await;
        bench.rest().await;
        let run = bench.last_run().await;
        let stopped = stop(&bench, &run).await;
        assert_eq!(stopped.status(), WorkStatus::Cancelled);
        bench.pass(TimeDelta::seconds(10));
        bench.rest().await;
        let ended = bench.last_run().await;
        assert_eq!((ended.id, ended.state, ended.pages), (run.id, RunState::Cancelled, 0));
        assert_eq!((ended.error, ended.finished_at), (None, stopped.finished_at()));
        assert_eq!(bench.counts().await.total, 100, "what GIS has shown is not thrown away");
        assert_eq!(bench.last_open_pages().await, Some(0), "and nothing more is asked for");

        bench.pass_until_next_schedule();
        let next = bench.finish_run().await;
        assert_ne!(next.id, run.id);
        assert_eq!((next.state, next.found, next.added), (RunState::Succeeded, 150, 50));
    });
}

#[test]
fn another_worker_goes_on_with_a_run() {
    for_both(async |db| {
        let mut bench = Bench::new(db, 250).await;
        bench.rest().await;
        bench.pass(TimeDelta::seconds(10));
        bench.rest().await;
        bench.restart();
        let run = bench.finish_run().await;
        assert_eq!((run.state, run.found, run.added, run.pages), (RunState::Succeeded, 250, 250, 3));
    });
}

#[test]
fn a_question_whose_worker_died_is_asked_anew() {
    for_both(async |db| {
        let mut bench = Bench::new(db, 10).await;
        bench.break_gis();
        bench.rest().await;
        let run = bench.last_run().await;
        let mut tx = bench.worker.service.db.begin().await.unwrap();
        pages::prepare(&mut tx, &bench.worker, &run, pages::first(&run)).await.unwrap();
        tx.commit().await.unwrap();
        bench.gis().clear_faults();
        bench.restart();
        let finished = bench.finish_run().await;
        assert_eq!((finished.id, finished.state, finished.found), (run.id, RunState::Succeeded, 10));
    });
}

#[test]
fn pages_that_gis_never_finds_keep_nothing_from_being_read() {
    for_both(async |db| {
        let bench = Bench::new(db, 0).await;
        let lost = json!({ "export": { "page_lost_times": u32::MAX } });
        bench.gis().patch_scenario(lost).unwrap();
        let sent = |day| bench.now().date_naive().checked_sub_days(Days::new(day));
        for day in 0..5 {
            let fields = Fields { sent: sent(day), ..Fields::default() };
            bench.gis().create(&NewSubrequests { count: 50, fields, ..NewSubrequests::default() }).unwrap();
        }
        let run = bench.finish_run().await;
        assert_eq!((run.state, run.found, run.added), (RunState::Succeeded, 250, 250));
        assert_eq!(bench.counts().await.total, 250);
    });
}

#[test]
fn a_page_that_gis_does_not_find_at_once_is_asked_for_again() {
    for_both(async |db| {
        let bench = Bench::new(db, 250).await;
        bench.gis().patch_scenario(json!({ "export": { "page_lost_times": 2 } })).unwrap();
        let run = bench.finish_run().await;
        assert_eq!((run.state, run.found, run.pages), (RunState::Succeeded, 250, 3));
    });
}
