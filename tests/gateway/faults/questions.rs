//! Every fault of the calls that only ask: for a result, and for what GIS shows. A question changes nothing in GIS, so its
//! fault decides nothing about an answer.

use gis_sim::faults::{Kind, StuckState, Target, When};
use serde_json::{Value, json};

use super::kinds::{LATER, NOW, busy, cut_after, fault, http, http_with_fault, state_error, stuck};
use super::row::{Posted, Row, effects, tell};
use crate::harness::{Setup, Stand, for_both, for_both_with};

const CALM: &str = "queued sending accepted delivered confirmed";
const SEEN: &str = "queued sending uncertain delivered confirmed";
const SEEN_AFTERWARDS: &str = "queued sending accepted uncertain delivered confirmed";

/// Faults of `getState`.
pub(super) fn polls() -> Vec<Row> {
    vec![
        Row::new(fault("EXP001000"), "done", CALM, "sent"),
        Row::new(fault("INT002029"), "done", CALM, "sent"),
        // GIS says that it does not know the message: a look finds the answer.
        Row::new(fault("INT002013"), "unknown", SEEN_AFTERWARDS, "sent"),
        Row::new(fault("FMT001300"), "done", CALM, "sent"),
        Row::new(state_error("EXP001000"), "unknown", SEEN_AFTERWARDS, "sent"),
        Row::new(http(400), "done", CALM, "sent"),
        Row::new(http(404), "done", CALM, "sent"),
        Row::new(busy(503, 60), "done", CALM, "sent"),
        Row::new(http(500), "done", CALM, "sent"),
        Row::new(http_with_fault(500), "done", CALM, "sent"),
        Row::new(http(502), "done", CALM, "sent"),
        Row::new(Kind::ResetBefore, "done", CALM, "sent"),
        Row::new(cut_after(NOW), "done", CALM, "sent"),
        Row::new(Kind::Garbage { late: None }, "done", CALM, "sent"),
        // As the settings stand by default, it is logged.
        Row::new(Kind::BadSignature, "done", CALM, "sent"),
        Row::new(Kind::Unsigned, "done", CALM, "sent"),
    ]
}

/// Faults of the export that looks for an answer whose acknowledgement was lost.
pub(super) fn looks() -> Vec<Row> {
    let kinds = [
        fault("EXP001000"),
        fault("INT002029"),
        fault("FMT001300"),
        state_error("EXP001000"),
        state_error("INT002029"),
        http(400),
        http(404),
        busy(503, 60),
        http(500),
        http_with_fault(500),
        http(502),
        Kind::ResetBefore,
        cut_after(NOW),
        Kind::Garbage { late: None },
        stuck(false, StuckState::Processing),
        Kind::Late { by: LATER },
        Kind::LostState { after: NOW },
    ];
    kinds.into_iter().map(|kind| Row::new(kind, "unknown", SEEN, "sent")).collect()
}

#[test]
fn a_question_for_a_result_that_goes_wrong_is_asked_again() {
    for_both(20, async |stand| {
        tell(&stand, Target::GetState, polls(), |_| ()).await;
        let complaints = stand.gateway.log().matches("does not have a good signature").count();
        assert_eq!(complaints, 2, "one that does not hold, one that is absent");
    });
}

#[test]
fn a_result_without_a_good_signature_of_gis_does_not_count_where_one_is_required() {
    let setup = || Setup { requests: 2, signed_results: true, ..Setup::default() };
    for_both_with(setup, async |stand| {
        stand.read_gis().await;
        let rows = [Kind::BadSignature, Kind::Unsigned].map(|kind| Row::new(kind, "done", CALM, "sent"));
        tell(&stand, Target::GetState, rows.into(), |_| ()).await;
    });
}

#[test]
fn an_answer_that_gis_refuses_by_mistake_and_yet_holds_is_reported() {
    for_both(1, async |stand| {
        let request = stand.request_ids().await.remove(0);
        let posted = Posted::new(&stand, &request, "решение").await;
        let shown = posted.meet(&stand, Target::GetState, &state_error("FMT001300")).await;
        assert_eq!(shown["state"], "rejected");
        posted.is_held(&stand);
        stand.pass(3600).await;
        stand.client.post("/v1/sync-runs", &json!({})).await.ok(202);
        let path = format!("/v1/debt-requests/{request}");
        let told = |history: &Value| history.to_string().contains("answer.mismatch");
        stand.until(&format!("{path}/history"), told).await;
        let shown = stand.client.get(&path).await.ok(200);
        assert_eq!(
            (&shown["stage"], &shown["gis"]["response_status"]),
            (&json!("needs_attention"), &json!("sent"))
        );
        assert_eq!(posted.story(&stand).await, "queued sending accepted rejected mismatch");
        assert_eq!(effects(&stand, &request), "sent", "nothing is sent because of it");
        // A person says it once more, and all is as it should be.
        let again = Posted::new(&stand, &request, "решение").await;
        assert_eq!(again.until_final(&stand).await["state"], "delivered");
        assert_eq!(stand.client.get(&path).await.ok(200)["stage"], "answered");
    });
}

#[test]
fn a_look_that_goes_wrong_is_repeated_and_nothing_is_sent_again() {
    for_both(20, async |stand| {
        let lost = |request: &str| {
            stand.fault_once(Target::ImportResponses, request, cut_after(NOW));
        };
        tell(&stand, Target::ExportDebtSubrequests, looks(), lost).await;
    });
}

#[test]
fn a_reading_of_gis_that_goes_wrong_loses_and_doubles_no_request() {
    // No reading but those that are asked for.
    let settings = "[sync]\nleast_pause = \"1s\"\nschedule = \"0 0 1 1 *\"\n";
    let setup = || Setup { requests: 3, settings, ..Setup::default() };
    for_both_with(setup, async |stand| {
        stand.read_gis().await;
        let mut known = stand.request_ids().await.len();
        for kind in looks().into_iter().map(|row| row.kind) {
            stand.create(1);
            stand.fault(Target::ExportDebtSubrequests, When::Next(1), kind.clone());
            let run = read(&stand).await;
            assert!(stand.gis().faults().iter().all(|rule| rule.struck == 1), "{kind:?}");
            stand.gis().clear_faults();
            // What GIS refuses is not asked again in the same way; the next reading has it.
            let refused = [fault("FMT001300"), http(400)].contains(&kind);
            if refused {
                assert_eq!(
                    (&run["state"], &run["added"]),
                    (&json!("failed"), &json!(0)),
                    "{kind:?}: {run:#}"
                );
                assert!(run["error"]["code"].is_string(), "{kind:?}: {run:#}");
            }
            let run = if refused { read(&stand).await } else { run };
            assert_eq!((&run["state"], &run["added"]), (&json!("succeeded"), &json!(1)), "{kind:?}: {run:#}");
            known += 1;
            let mut ids = stand.request_ids().await;
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), known, "{kind:?}");
        }
    });
}

/// A reading from its start to its end, however long GIS takes for it.
async fn read(stand: &Stand) -> Value {
    stand.pass(12).await;
    let run = stand.client.post("/v1/sync-runs", &json!({})).await.ok(202);
    let path = format!("/v1/sync-runs/{}", run["id"].as_str().unwrap());
    for wait in [12, 12, 60, 600, 1800].into_iter().chain([1800; 20]) {
        stand.pass(wait).await;
        let run = stand.client.get(&path).await.ok(200);
        if run["finished_at"].is_string() {
            return run;
        }
    }
    panic!("it does not end: {:#}", stand.client.get(&path).await.body);
}
