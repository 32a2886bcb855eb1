//! Late copies of calls (`api.md` §6.9): what they undo is found and repaired.

use std::time::Duration;

use gis_sim::faults::{Kind, Target};
use serde_json::json;

use super::bench::{Bench, for_both, no_debt};
use crate::answers::{ContentDraft, DebtorDraft};
use crate::domain::answer::{Confirm, State};
use crate::domain::debt_request::{Alarm, DebtRequest, Stage};
use crate::domain::submission::{Action, SubmissionState};
use crate::ids::{AnswerId, DebtRequestId};
use crate::jobs::JobName;
use crate::store::debt_requests;

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
fn a_view_from_before_the_effect_repairs_nothing() {
    for_both(async |bench| {
        bench.simulator.control().patch_scenario(json!({ "timing": { "view_lag": "72h" } })).unwrap();
        let [request] = bench.requests(1).await.try_into().unwrap();
        let first = bench.post(request, no_debt("первый")).await;
        bench.work().await;
        bench.revoke(first).await;
        bench.work().await;
        assert_eq!(bench.state(first).await, State::Revoked);
        bench.fault(Target::ImportResponses, Kind::Late { by: DAY / 4 });
        let second = bench.post(request, no_debt("второй")).await;
        days(&bench, 10).await;
        let second = bench.answer(second).await;
        assert_eq!((second.state, second.confirmed_in_gis), (State::Delivered, true));
        assert_eq!(bench.effects(request).len(), 3, "placed, withdrawn, placed");
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

/// A withdrawn answer whose late copy was seen: the second withdrawal waits in the queue.
async fn repair_in_the_queue(bench: &Bench) -> DebtRequestId {
    let (request, answer) = delivered_with_a_ghost(bench).await;
    bench.revoke(answer).await;
    bench.work().await;
    bench.advance(4 * DAY);
    bench.worker.step(JobName::Settle).await.unwrap();
    bench.advance(Duration::from_secs(15));
    bench.worker.step(JobName::Polling).await.unwrap();
    let submissions = bench.submissions(answer).await;
    let again: Vec<_> = submissions.iter().filter(|submission| submission.repairs > 0).collect();
    assert_eq!(again.iter().map(|again| (again.action, again.state)).collect::<Vec<_>>(), [REPAIR]);
    request
}

const REPAIR: (Action, SubmissionState) = (Action::Revoke, SubmissionState::Queued);

#[test]
fn a_repair_that_goes_first_does_not_touch_the_new_answer() {
    for_both(async |bench| {
        let request = repair_in_the_queue(&bench).await;
        let newer = bench.post(request, no_debt("новый")).await;
        days(&bench, 12).await;
        assert_eq!(bench.state(newer).await, State::Delivered);
        assert_eq!(held(&bench, request).as_deref(), Some("новый"));
    });
}

#[test]
fn a_new_answer_that_goes_first_makes_a_repair_obsolete() {
    for_both(async |bench| {
        let request = repair_in_the_queue(&bench).await;
        let debtor = DebtorDraft {
            last_name: "Вымышленный".to_owned(),
            first_name: "Пётр".to_owned(),
            middle_name: None,
            snils: None,
            identity_document: None,
            documents: Vec::new(),
        };
        // Debts go before the rest.
        let debt = ContentDraft { has_debt: true, debtors: vec![debtor], ..no_debt("новый") };
        let newer = bench.post(request, debt).await;
        let calls = bench.effects(request).len();
        days(&bench, 12).await;
        assert_eq!(bench.state(newer).await, State::Delivered);
        assert_eq!(held(&bench, request).as_deref(), Some("новый"));
        assert_eq!(bench.effects(request).len(), calls + 1, "nothing but the new answer was sent");
    });
}

#[test]
fn an_alarm_ends_when_somebody_acts() {
    for_both(async |bench| {
        let [request] = bench.requests(1).await.try_into().unwrap();
        let mut tx = bench.worker.service.db.begin().await.unwrap();
        let alarmed = DebtRequest { alarm: Some(Alarm::StillInForce), ..bench.request(request).await };
        debt_requests::save(&mut tx, &[alarmed]).await.unwrap();
        tx.commit().await.unwrap();
        let answer = bench.post(request, no_debt("ответ")).await;
        assert_eq!(bench.request(request).await.stage, Stage::NeedsAttention, "nothing was sent yet");
        bench.work().await;
        assert_eq!(bench.state(answer).await, State::Delivered);
        assert_eq!(bench.request(request).await.stage, Stage::Answered);
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

#[test]
fn the_answer_of_gis_itself_in_the_place_of_ours_calls_a_person_and_can_be_written_over() {
    for_both(async |bench| {
        let [request] = bench.requests(1).await.try_into().unwrap();
        let first = bench.post(request, no_debt("ответ")).await;
        bench.work().await;
        assert_eq!(bench.state(first).await, State::Delivered);
        bench.simulator.control().revoke_in_cabinet(request.as_uuid()).unwrap();
        let automatic = json!({ "auto_generate": true, "over_auto_generated": "allowed" });
        bench.simulator.control().patch_scenario(json!({ "import": automatic })).unwrap();
        // Past the deadline, and past all that a view may lag behind.
        days(&bench, 30).await;
        let shown = bench.request(request).await;
        assert_eq!((shown.stage, shown.alarm), (Stage::NeedsAttention, Some(Alarm::NotInForce)));
        let again = bench.post_confirmed(request, no_debt("ответ"), vec![Confirm::AutoGeneratedByGis]).await;
        assert_ne!(again, first);
        bench.work().await;
        bench.work().await;
        assert_eq!(
            (bench.state(first).await, bench.state(again).await),
            (State::Superseded, State::Delivered)
        );
        assert_eq!(held(&bench, request).as_deref(), Some("ответ"));
        assert_eq!(bench.request(request).await.stage, Stage::Answered);
    });
}
