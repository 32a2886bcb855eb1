//! Late copies of calls (`api.md` §6.9): what they undo is found and repaired.

use std::time::Duration;

use gis_sim::faults::{Kind, Target};

use super::bench::{Bench, for_both, no_debt};
use crate::domain::answer::{Confirm, State};
use crate::domain::debt_request::Stage;
use crate::ids::{AnswerId, DebtRequestId};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A delivered answer whose package takes effect once more after two days.
async fn delivered_with_a_ghost(bench: &Bench) -> (DebtRequestId, AnswerId) {
    let [request] = bench.requests(1).await.try_into().unwrap();
    bench.fault(Target::ImportResponses, Kind::Ghost { after: 2 * DAY });
    let answer = bench.post(request, no_debt("первый")).await;
    bench.work().await;
    assert_eq!(bench.state(answer).await, State::Delivered);
    (request, answer)
}

async fn days(bench: &Bench, count: u32) {
    for _ in 0..count {
        bench.pass(DAY).await;
        bench.work().await;
    }
}

fn held(bench: &Bench, request: DebtRequestId) -> Option<String> {
    bench.held(request).held.answer.map(|answer| answer.description.clone().unwrap_or_default())
}

#[test]
fn a_late_copy_of_the_first_answer_does_not_outlive_the_correction() {
    for_both(async |bench| {
        let (request, first) = delivered_with_a_ghost(&bench).await;
        let second = bench.post_confirmed(request, no_debt("второй"), vec![Confirm::AlreadyAnswered]).await;
        bench.work().await;
        bench.work().await;
        assert_eq!((bench.state(first).await, bench.state(second).await), (State::Revoked, State::Delivered));
        assert_eq!(held(&bench, request).as_deref(), Some("второй"));
        bench.pass(2 * DAY).await;
        assert_eq!(held(&bench, request).as_deref(), Some("первый"), "the copy has landed");
        days(&bench, 3).await;
        assert_eq!(held(&bench, request).as_deref(), Some("второй"), "repaired");
        let answer = bench.answer(second).await;
        assert_eq!(answer.state, State::Delivered, "which the client need not notice");
        days(&bench, 10).await;
        assert!(bench.answer(second).await.confirmed_in_gis);
        assert_eq!(bench.request(request).await.stage, Stage::Answered);
        let calls = bench.effects(request).len();
        days(&bench, 3).await;
        assert_eq!(bench.effects(request).len(), calls, "the watch has ended");
    });
}

#[test]
fn a_late_copy_behind_a_withdrawal_is_withdrawn_too() {
    for_both(async |bench| {
        let (request, answer) = delivered_with_a_ghost(&bench).await;
        bench.revoke(answer).await;
        bench.work().await;
        assert_eq!(bench.state(answer).await, State::Revoked);
        bench.pass(2 * DAY).await;
        assert!(held(&bench, request).is_some(), "the copy has landed");
        days(&bench, 3).await;
        assert_eq!(held(&bench, request), None, "withdrawn again");
        assert_eq!(bench.state(answer).await, State::Revoked);
    });
}

#[test]
fn a_new_answer_makes_a_repair_that_waits_obsolete() {
    for_both(async |bench| {
        let (request, answer) = delivered_with_a_ghost(&bench).await;
        bench.revoke(answer).await;
        bench.work().await;
        bench.pass(2 * DAY).await;
        bench.pass(DAY).await;
        let newer = bench.post(request, no_debt("новый")).await;
        days(&bench, 12).await;
        assert_eq!(bench.state(newer).await, State::Delivered);
        assert_eq!(held(&bench, request).as_deref(), Some("новый"));
    });
}

#[test]
fn after_a_long_sleep_gis_is_read_before_anything_is_sent() {
    for_both(async |bench| {
        let [request] = bench.requests(1).await.try_into().unwrap();
        let answer = bench.post(request, no_debt("первый")).await;
        bench.sleep_and_restart(DAY).await;
        let [waiting] = bench.submissions(answer).await.try_into().unwrap();
        assert!(waiting.look_first);
        bench.step().await;
        assert_eq!(bench.state(answer).await, State::Queued, "not before the look");
        bench.work().await;
        bench.work().await;
        assert_eq!(bench.state(answer).await, State::Delivered);
    });
}
