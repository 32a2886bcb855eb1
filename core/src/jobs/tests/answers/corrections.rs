//! Withdrawals and corrections.

use std::time::Duration;

use gis_sim::control::CabinetAnswer;
use gis_sim::faults::{Kind, Target};

use super::bench::{Bench, for_both, no_debt};
use crate::domain::answer::{Confirm, State};
use crate::ids::{AnswerId, DebtRequestId};

async fn delivered(bench: &Bench) -> (DebtRequestId, AnswerId) {
    let [request] = bench.requests(1).await.try_into().unwrap();
    let answer = bench.post(request, no_debt("первый")).await;
    bench.work().await;
    assert_eq!(bench.state(answer).await, State::Delivered);
    (request, answer)
}

#[test]
fn an_answer_is_withdrawn() {
    for_both(async |bench| {
        let (request, answer) = delivered(&bench).await;
        bench.revoke(answer).await;
        assert_eq!(bench.state(answer).await, State::Revoking);
        bench.work().await;
        assert_eq!(bench.state(answer).await, State::Revoked);
        assert!(bench.held(request).held.answer.is_none());
    });
}

#[test]
fn a_withdrawal_whose_acknowledgement_is_lost_is_done_once_the_error_proves_it() {
    for_both(async |bench| {
        let (request, answer) = delivered(&bench).await;
        bench.fault(Target::ImportResponses, Kind::ResetAfter { late: Duration::ZERO });
        bench.revoke(answer).await;
        bench.work().await;
        assert_eq!(bench.state(answer).await, State::Revoking);
        bench.pass(Duration::from_secs(1800)).await;
        bench.work().await;
        assert_eq!(bench.state(answer).await, State::Revoked);
        assert!(bench.held(request).held.answer.is_none());
    });
}

#[test]
fn a_correction_withdraws_and_then_sends() {
    for_both(async |bench| {
        let (request, first) = delivered(&bench).await;
        let confirm = vec![Confirm::AlreadyAnswered];
        let second = bench.post_confirmed(request, no_debt("второй"), confirm).await;
        assert_eq!(bench.state(first).await, State::Revoking);
        bench.work().await;
        bench.work().await;
        assert_eq!(bench.state(first).await, State::Revoked);
        assert_eq!(bench.state(second).await, State::Delivered);
        let held = bench.held(request).held.answer.unwrap();
        assert_eq!(held.description.as_deref(), Some("второй"));
        assert_eq!(bench.effects(request).len(), 3);
    });
}

#[test]
fn when_the_withdrawal_is_refused_the_correction_is_rejected() {
    for_both(async |bench| {
        let (request, first) = delivered(&bench).await;
        let refused = Kind::ItemError { code: "INT002034".to_owned(), text: None, items: 1 };
        bench.fault(Target::ImportResponses, refused);
        let confirm = vec![Confirm::AlreadyAnswered];
        let second = bench.post_confirmed(request, no_debt("второй"), confirm).await;
        bench.work().await;
        bench.work().await;
        let first = bench.answer(first).await;
        assert_eq!(first.state, State::Delivered);
        assert_eq!(first.last_error.unwrap().gis.unwrap().code, "INT002034");
        let second = bench.answer(second).await;
        assert_eq!(second.state, State::Rejected);
        assert_eq!(second.last_error.unwrap().code, "correction_refused");
    });
}

#[test]
fn nothing_is_sent_over_what_somebody_placed_in_the_cabinet() {
    for_both(async |bench| {
        let (request, first) = delivered(&bench).await;
        let foreign: CabinetAnswer = serde_json::from_value(serde_json::json!({
            "has_debt": false, "description": "из кабинета"
        }))
        .unwrap();
        bench.simulator.control().answer_in_cabinet(request.as_uuid(), &foreign).unwrap();
        let confirm = vec![Confirm::AlreadyAnswered];
        let second = bench.post_confirmed(request, no_debt("второй"), confirm).await;
        bench.work().await;
        bench.pass(Duration::from_secs(1800)).await;
        bench.work().await;
        assert_eq!(bench.state(first).await, State::Delivered);
        assert_eq!(bench.answer(first).await.last_error.unwrap().code, "answered_elsewhere");
        assert_eq!(bench.state(second).await, State::Rejected);
        let held = bench.held(request).held.answer.unwrap();
        assert_eq!(held.description.as_deref(), Some("из кабинета"));
    });
}
