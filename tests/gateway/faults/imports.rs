//! Every fault of the call that sends an answer, and of its result.

use gis_sim::faults::{Kind, StuckState, Target, When};
use serde_json::json;

use super::kinds::{
    LATER, NOW, SOON, busy, cut_after, fault, fault_but_taken, http, http_but_taken, http_with_fault,
    item_error, state_error, stuck,
};
use super::row::{Posted, Row, effects, tell};
use crate::harness::for_both;

/// Nothing was taken and the call said so.
const AGAIN: &str = "queued sending queued sending accepted delivered confirmed";
/// Nobody knows: a look shows it in force, and it is sent once.
const SEEN: &str = "queued sending uncertain delivered confirmed";
/// Nobody knows: a look shows nothing, and it is sent once more.
const RESENT: &str = "queued sending uncertain sending accepted delivered confirmed";
/// It was acknowledged and then lost from sight: a look shows it.
const SEEN_AFTERWARDS: &str = "queued sending accepted uncertain delivered confirmed";
/// It was acknowledged and then failed: sent once more.
const RESENT_AFTERWARDS: &str = "queued sending accepted uncertain sending accepted delivered confirmed";
/// As without a fault.
const CALM: &str = "queued sending accepted delivered confirmed";
const REFUSED: &str = "queued sending rejected";
const REFUSED_AFTERWARDS: &str = "queued sending accepted rejected";

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new(fault("EXP001000"), "unknown", RESENT, "sent"),
        Row::new(fault_but_taken("EXP001000"), "unknown", SEEN, "sent"),
        Row::new(fault("EXP002001"), "unknown", RESENT, "sent"),
        Row::new(fault("INT002029"), "unknown", RESENT, "sent"),
        Row::new(fault("EXP009999"), "unknown", RESENT, "sent"),
        Row::new(fault("FMT001300"), "refused", REFUSED, "sent"),
        Row::new(fault("INT002034"), "refused", REFUSED, "sent"),
        Row::new(state_error("EXP001000"), "unknown", RESENT_AFTERWARDS, "sent"),
        Row::new(state_error("INT002029"), "unknown", RESENT_AFTERWARDS, "sent"),
        Row::new(state_error("FMT001300"), "refused", REFUSED_AFTERWARDS, "sent"),
        Row::new(item_error("INT002034"), "refused", REFUSED_AFTERWARDS, "sent"),
        Row::new(item_error("EXP001000"), "unknown", RESENT_AFTERWARDS, "sent"),
        Row::new(http(400), "refused", AGAIN, "sent"),
        Row::new(http(413), "refused", REFUSED, "sent"),
        Row::new(http(404), "not_sent", AGAIN, "sent"),
        Row::new(busy(429, 60), "not_sent", AGAIN, "sent"),
        Row::new(busy(503, 600), "not_sent", AGAIN, "sent"),
        Row::new(http(500), "unknown", RESENT, "sent"),
        Row::new(http_with_fault(500), "unknown", RESENT, "sent"),
        Row::new(http(502), "unknown", RESENT, "sent"),
        Row::new(http_but_taken(504), "unknown", SEEN, "sent"),
        Row::new(Kind::ResetBefore, "unknown", RESENT, "sent"),
        Row::new(cut_after(NOW), "unknown", SEEN, "sent"),
        Row::new(cut_after(SOON), "unknown", SEEN, "sent"),
        // The same content twice: that copy was out already when the look found nothing.
        Row::new(cut_after(LATER), "unknown", RESENT, "sent sent"),
        Row::new(Kind::Garbage { late: None }, "unknown", RESENT, "sent"),
        Row::new(Kind::Garbage { late: Some(NOW) }, "unknown", SEEN, "sent"),
        // A look shows it long before the result is given up.
        Row::new(stuck(true, StuckState::Processing), "unknown", CALM, "sent"),
        Row::new(stuck(true, StuckState::Received), "unknown", CALM, "sent"),
        Row::new(stuck(false, StuckState::Processing), "unknown", RESENT_AFTERWARDS, "sent"),
        Row::new(Kind::Late { by: LATER }, "done", CALM, "sent"),
        Row::new(Kind::Ghost { after: LATER }, "done", CALM, "sent copy"),
        Row::new(Kind::WrongCount { missing: 1 }, "unknown", SEEN_AFTERWARDS, "sent"),
        Row::new(Kind::Shuffle, "done", CALM, "sent"),
        Row::new(Kind::Duplicate, "unknown", SEEN_AFTERWARDS, "sent"),
        Row::new(Kind::LostState { after: NOW }, "unknown", SEEN_AFTERWARDS, "sent"),
    ]
}

#[test]
fn an_answer_is_placed_once_whatever_becomes_of_its_call() {
    for_both(40, async |stand| tell(&stand, Target::ImportResponses, rows(), |_| ()).await);
}

#[test]
fn an_answer_outlives_maintenance_and_the_status_says_what_it_is() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        stand.fault(Target::Any, When::Always, fault("INT002029"));
        let posted = Posted::new(&stand, &request, "решение").await;
        let status = stand.until("/v1/gis/status", |status| status["state"] != "ok").await;
        assert_eq!((&status["state"], &status["queue"]["uncertain"]), (&json!("maintenance"), &json!(1)));
        stand.gis().clear_faults();
        assert_eq!(posted.until_final(&stand).await["state"], "delivered");
        posted.is_held(&stand);
        assert_eq!(effects(&stand, &request), "sent");
        assert_eq!(stand.client.get("/v1/gis/status").await.ok(200)["state"], "ok");
    });
}

#[test]
fn an_answer_waits_in_the_queue_while_the_harmless_call_fails() {
    for_both(5, async |stand| {
        for (number, request) in stand.request_ids().await.iter().enumerate() {
            let kind = match number {
                0 => Kind::ResetBefore,
                1 => busy(429, 60),
                2 => busy(503, 60),
                3 => http(502),
                _ => http(504),
            };
            // After an idle spell the harmless call goes first.
            stand.pass_without_jobs(3600).await;
            stand.fault(Target::Probe, When::Always, kind.clone());
            let posted = Posted::new(&stand, request, &format!("решение {number}")).await;
            stand.pass(3).await;
            assert_eq!(posted.shown(&stand).await["state"], "queued", "{kind:?}");
            stand.gis().clear_faults();
            posted.until_final(&stand).await;
            assert_eq!(posted.story(&stand).await, "queued sending accepted delivered", "{kind:?}");
            posted.is_held(&stand);
            assert_eq!(effects(&stand, request), "sent", "{kind:?}");
        }
    });
}

#[test]
fn an_answer_that_waits_for_gis_says_when_it_is_worth_asking_again() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        stand.fault_once(Target::ImportResponses, &request, Kind::Late { by: LATER });
        let posted = Posted::new(&stand, &request, "решение").await;
        let path = format!("/v1/answers/{}", posted.answer);
        stand.pass(3).await;
        let mut version = None;
        // The schedule on which GIS wants to be asked; each wait begins when the one before is over.
        for wait in [10, 60, 300, 900, 1800, 1800] {
            let shown = stand.client.get(&path).await;
            assert_eq!(shown.body["state"], "accepted");
            let asked: u64 = shown.header("retry-after").parse().unwrap();
            assert!((wait..=wait + 1).contains(&asked), "{asked} instead of {wait}");
            let etag = shown.header("etag").to_owned();
            assert_eq!(version.get_or_insert(etag.clone()), &etag, "nothing has changed meanwhile");
            stand.pass(wait).await;
        }
        posted.until_final(&stand).await;
        posted.is_held(&stand);
    });
}
