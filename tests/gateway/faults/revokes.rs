//! Every fault of the call that withdraws an answer, and of its result.

use gis_sim::faults::{Kind, StuckState, Target};
use gis_sim::wire::model::ResponseStatus;
use serde_json::json;

use super::kinds::{
    LATER, NOW, SOON, busy, cut_after, fault, fault_but_taken, http, http_but_taken, http_with_fault,
    item_error, state_error, stuck,
};
use super::row::{Posted, Row, Verdict, afterwards, effects};
use crate::harness::{Stand, for_both};

const DONE: &str = "queued sending accepted delivered revoking revoked";
/// GIS refuses to withdraw: the answer stays in force, and the next try succeeds.
const REFUSED: &str = "queued sending accepted delivered revoking revoke_failed revoking revoked";

pub(super) fn rows() -> Vec<Row> {
    let done = |kind, outcome| Row::new(kind, outcome, DONE, "sent revoked");
    let refused = |kind| Row::new(kind, "refused", REFUSED, "sent revoked");
    vec![
        done(fault("EXP001000"), "unknown"),
        done(fault_but_taken("EXP001000"), "unknown"),
        done(fault("INT002029"), "unknown"),
        refused(fault("FMT001300")),
        done(state_error("EXP001000"), "unknown"),
        refused(state_error("FMT001300")),
        refused(item_error("INT002034")),
        done(item_error("EXP001000"), "unknown"),
        done(http(400), "refused"),
        refused(http(413)),
        done(http(404), "not_sent"),
        // A front end that is busy may have let a withdrawal through.
        done(busy(503, 60), "unknown"),
        done(http(500), "unknown"),
        done(http_with_fault(500), "unknown"),
        done(http_but_taken(502), "unknown"),
        done(Kind::ResetBefore, "unknown"),
        done(cut_after(NOW), "unknown"),
        done(cut_after(SOON), "unknown"),
        done(cut_after(LATER), "unknown"),
        done(Kind::Garbage { late: None }, "unknown"),
        done(Kind::Garbage { late: Some(NOW) }, "unknown"),
        done(stuck(true, StuckState::Processing), "unknown"),
        done(stuck(false, StuckState::Processing), "unknown"),
        done(Kind::Late { by: LATER }, "done"),
        done(Kind::Ghost { after: LATER }, "done"),
        done(Kind::WrongCount { missing: 1 }, "unknown"),
        done(Kind::Shuffle, "done"),
        done(Kind::Duplicate, "unknown"),
        done(Kind::LostState { after: NOW }, "unknown"),
    ]
}

#[test]
fn an_answer_is_withdrawn_once_whatever_becomes_of_the_call() {
    for_both(40, async |stand| {
        let mut requests = stand.request_ids().await.into_iter();
        let mut told = Vec::new();
        for (number, row) in rows().into_iter().enumerate() {
            let posted = Posted::new(&stand, &requests.next().unwrap(), &format!("решение {number}")).await;
            assert_eq!(posted.until_final(&stand).await["state"], "delivered");
            revoke(&stand, &posted).await;
            let shown = posted.meet(&stand, Target::ImportResponses, &row.kind).await;
            if shown["state"] == "delivered" {
                assert_eq!(shown["last_error"]["code"], "gis_rejected", "{:?}: {shown:#}", row.kind);
                assert_eq!(
                    effects(&stand, &posted.request),
                    "sent",
                    "the answer is in force: {:?}",
                    row.kind
                );
                revoke(&stand, &posted).await;
                posted.until_final(&stand).await;
            }
            told.push((row, posted));
        }
        afterwards(&stand).await;
        let mut verdict = Verdict::default();
        for (row, posted) in &told {
            let kind = &row.kind;
            verdict.compare(&stand, row, posted, "revoke").await;
            assert_eq!(stand.held(&posted.request).held.status, ResponseStatus::NotSent, "{kind:?}");
            assert_eq!(posted.shown(&stand).await["state"], "revoked", "{kind:?}");
        }
        verdict.deliver();
    });
}

pub(super) async fn revoke(stand: &Stand, posted: &Posted) {
    let path = format!("/v1/answers/{}/revoke", posted.answer);
    stand
        .client
        .post(&path, &json!({ "reason": "ошибка", "confirm": ["correction_too_late"] }))
        .await
        .ok(202);
}
