use serde_json::json;

use super::*;
use crate::faults::{Instead, Rule};
use crate::state::tests::{SUPPLIER, moment, no_debt};
use crate::wire::model::{Action, ActionKind, Body, Header, Request, State};

fn engine(patch: serde_json::Value) -> Engine {
    let scenario =
        Scenario::default().patched(json!({"signature": {"check": "off"}})).unwrap().patched(patch).unwrap();
    let seeds = Seeds { seed: 1, requests: 10, organizations: BTreeSet::new() };
    Engine::new(seeds, scenario, moment(0))
}

fn incoming(body: Body, size: usize) -> Incoming {
    let header = Header {
        date: "2026-03-16T12:00:00+03:00".to_owned(),
        message: Uuid::new_v4(),
        organization: SUPPLIER,
        operator_signature: false,
    };
    let request = Request { header, body, signed: false };
    Incoming {
        request,
        signature: SignatureFound::Absent,
        size,
        fingerprint: 1 << 40 | u64::try_from(size).unwrap(),
    }
}

fn send(subrequests: &[Uuid], text: &str) -> Body {
    let action = |subrequest: &Uuid| Action {
        transport: Uuid::from_u128(subrequest.as_u128() ^ 1),
        subrequest: *subrequest,
        kind: ActionKind::Send,
        response: Some((*no_debt(text)).clone()),
    };
    Body::ImportResponses(subrequests.iter().map(action).collect())
}

fn known(engine: &mut Engine) -> Vec<Uuid> {
    assert!(engine.serves(SUPPLIER, moment(0)));
    engine.world.of_supplier(SUPPLIER).map(|record| record.info.guid).collect()
}

#[test]
fn late_effects_overtake_each_other_the_same_way_every_time() {
    let order = || {
        let mut engine = engine(json!({"timing": {"effect_spread": "10h"}}));
        let guids = known(&mut engine);
        let (reply, _) = engine.call(incoming(send(&guids, "late"), 100), moment(1));
        assert!(matches!(reply, Reply::Ack(_)));
        engine.settle(moment(12));
        let mut landed: Vec<_> =
            engine.world.records().map(|record| (record.history()[0].at, record.info.guid)).collect();
        landed.sort_unstable();
        (
            landed.iter().map(|(at, _)| *at).collect::<Vec<_>>(),
            landed.into_iter().map(|(_, guid)| guid).collect::<Vec<_>>(),
            guids,
        )
    };
    let (times, landed, sent) = order();
    assert_eq!(landed.len(), 10);
    assert_ne!(landed, sent);
    assert!(times[0] > moment(1) && times[9] < moment(12));
    assert_eq!(order().1, landed);
}

#[test]
fn requests_that_wait_are_bounded() {
    let mut engine = engine(json!({"timing": {"poll_ready": "1h"}}));
    let guids = known(&mut engine);
    let mut post = |hour| engine.call(incoming(send(&guids, "x"), MOST_WAITING_BYTES / 2), moment(hour)).0;
    assert!(matches!(post(1), Reply::Ack(_)) && matches!(post(1), Reply::Ack(_)));
    assert!(matches!(post(1), Reply::Instead(Instead::Http { status: 503, .. })));
    assert!(matches!(post(3), Reply::Ack(_)), "finished requests wait no more");
}

#[test]
fn results_are_ready_at_once_when_there_is_no_wait() {
    let mut engine = engine(json!({"timing": {"poll_ready": "0s"}}));
    let guids = known(&mut engine);
    let (Reply::Ack(message), _) = engine.call(incoming(send(&guids[..1], "x"), 1), moment(1)) else {
        panic!("an acknowledgement");
    };
    let (reply, _) = engine.call(incoming(Body::GetState(message), 1), moment(1));
    assert!(matches!(reply, Reply::State { state: State::Done(_), .. }));
}

#[test]
fn rules_of_a_scenario_give_way_to_those_of_the_next() {
    let mut engine = engine(json!({"faults": [{"operation": "any", "kind": "reset_before"}]}));
    let own: Rule = serde_json::from_value(json!({"operation": "getState", "kind": "unsigned"})).unwrap();
    engine.faults.add(own, moment(0)).unwrap();
    engine.patch_scenario(json!({"timing": {"slow": "1s"}}), moment(0)).unwrap();
    assert_eq!(engine.faults.list().len(), 2, "other switches leave the rules alone");
    engine.patch_scenario(json!({"faults": []}), moment(0)).unwrap();
    let left: Vec<_> = engine.faults.list().iter().map(|active| active.rule.kind.clone()).collect();
    assert_eq!(left, [crate::faults::Kind::Unsigned]);
    assert!(
        engine
            .patch_scenario(json!({"faults": [{"operation": "getState", "kind": "stuck"}]}), moment(0))
            .is_err()
    );
}

#[test]
fn an_organisation_finds_its_requests_once() {
    let mut engine = engine(json!({}));
    let first = known(&mut engine);
    let (index, next) = engine.next_invented(SUPPLIER, moment(0));
    assert_eq!((first.len(), index), (10, 10));
    assert!(!first.contains(&next.guid));
    assert_eq!(known(&mut engine), first);
    assert_eq!(engine.due_later(), 10, "a deadline each");
}
