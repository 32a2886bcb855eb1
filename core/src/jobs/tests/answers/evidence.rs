//! The archive and the exchange with GIS: what is sent is archived before, and trouble with the archive loses and doubles
//! nothing.

use std::time::Duration;

use chrono::TimeDelta;
use gis_sim::faults::{Kind, Target};

use super::bench::{Bench, for_both, no_debt};
use crate::domain::answer::State;
use crate::domain::evidence::Part;
use crate::domain::submission::Outcome;
use crate::error::{Code, Error};
use crate::ids::AnswerId;
use crate::jobs::JobName;

/// The parts that are kept of each attempt.
async fn kept(bench: &Bench, answer: AnswerId) -> Vec<Vec<Part>> {
    let evidence = bench.evidence(answer).await.unwrap();
    let parts = |sent: &crate::evidence::Sent| sent.entries.iter().map(|entry| entry.part).collect();
    evidence.sent.iter().map(parts).collect()
}

#[test]
fn an_answer_leaves_request_acknowledgement_and_result() {
    for_both(async |bench| {
        let [request] = bench.requests(1).await.try_into().unwrap();
        let answer = bench.post(request, no_debt("нет")).await;
        let nothing = bench.evidence(answer).await.err().unwrap();
        assert!(matches!(&nothing, Error::Conflict(conflict) if conflict.code == Code::StateConflict));
        bench.step().await;
        assert_eq!(kept(&bench, answer).await, [[Part::Request, Part::Acknowledgement]]);
        bench.pass(Duration::from_secs(10)).await;
        assert_eq!(bench.state(answer).await, State::Delivered);
        assert_eq!(kept(&bench, answer).await, [[Part::Request, Part::Acknowledgement, Part::Result]]);
    });
}

#[test]
fn polls_that_bring_no_result_leave_nothing() {
    for_both(async |bench| {
        let [request] = bench.requests(1).await.try_into().unwrap();
        bench.fault(Target::ImportResponses, Kind::Late { by: Duration::from_secs(1000) });
        let answer = bench.post(request, no_debt("нет")).await;
        bench.step().await;
        bench.pass(Duration::from_secs(10)).await;
        assert_eq!(bench.state(answer).await, State::Accepted);
        assert_eq!(kept(&bench, answer).await, [[Part::Request, Part::Acknowledgement]]);
    });
}

#[test]
fn a_call_that_was_cut_leaves_its_request() {
    for_both(async |bench| {
        let [request] = bench.requests(1).await.try_into().unwrap();
        bench.fault(Target::ImportResponses, Kind::ResetBefore);
        let answer = bench.post(request, no_debt("нет")).await;
        bench.step().await;
        assert_eq!(bench.state(answer).await, State::Uncertain);
        assert_eq!(kept(&bench, answer).await, [[Part::Request]]);
    });
}

#[test]
fn what_cannot_be_archived_is_not_sent_and_goes_once_it_can() {
    for_both(async |bench| {
        let [request] = bench.requests(1).await.try_into().unwrap();
        let answer = bench.post(request, no_debt("нет")).await;
        bench.break_files();
        bench.step().await;
        assert_eq!((bench.state(answer).await, bench.effects(request).len()), (State::Queued, 0));
        let error = bench.answer(answer).await.last_error.unwrap();
        assert_eq!((error.origin.as_str(), error.code.as_str()), ("service", "archive_unavailable"));
        bench.mend_files();
        bench.pass(Duration::from_secs(3600)).await;
        bench.work().await;
        assert_eq!((bench.state(answer).await, bench.effects(request).len()), (State::Delivered, 1));
        let all = bench.evidence(answer).await.unwrap().sent;
        let outcomes: Vec<_> = all.iter().map(|sent| (sent.attempt.outcome, sent.entries.len())).collect();
        assert_eq!(outcomes, [(Some(Outcome::NotSent), 0), (Some(Outcome::Done), 3)]);
    });
}

#[test]
fn a_result_that_cannot_be_archived_counts_all_the_same() {
    for_both(async |bench| {
        let [request] = bench.requests(1).await.try_into().unwrap();
        let answer = bench.post(request, no_debt("нет")).await;
        bench.step().await;
        assert_eq!(bench.state(answer).await, State::Accepted);
        bench.break_files();
        bench.pass(Duration::from_secs(10)).await;
        assert_eq!((bench.state(answer).await, bench.effects(request).len()), (State::Delivered, 1));
        assert_eq!(kept(&bench, answer).await, [[Part::Request, Part::Acknowledgement]]);
        bench.mend_files();
    });
}

#[test]
fn the_sweep_leaves_the_archive_until_its_time_is_over() {
    for_both(async |bench| {
        let [request] = bench.requests(1).await.try_into().unwrap();
        let answer = bench.post(request, no_debt("нет")).await;
        bench.work().await;
        assert_eq!(bench.state(answer).await, State::Delivered);
        let clock = &bench.worker.service.clock;
        clock.advance(TimeDelta::days(360));
        bench.worker.step(JobName::Retention).await.unwrap();
        assert_eq!((kept(&bench, answer).await[0].len(), bench.stored_files()), (3, 3));
        // The deadline lies behind the day of sending.
        clock.advance(TimeDelta::days(20));
        let report = bench.worker.step(JobName::Retention).await.unwrap();
        assert_eq!((&report.detail["evidence"], bench.stored_files()), (&3.into(), 0));
        let gone = bench.evidence(answer).await.err().unwrap();
        assert!(matches!(gone, Error::Refused { code: Code::EvidenceExpired, .. }), "{gone:?}");
    });
}
