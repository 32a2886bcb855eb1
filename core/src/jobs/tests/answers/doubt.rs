//! What becomes of answers whose fate is unknown.

use std::time::Duration;

use chrono::DateTime;
use gis_sim::faults::{HttpBody, Kind, Rule, StuckState, Target, When};

use super::bench::{Bench, for_both, no_debt};
use crate::domain::answer::State;
use crate::domain::message::{Message, Purpose};
use crate::ids::DebtRequestId;
use crate::store::messages;

const SETTLE: Duration = Duration::from_secs(1800);
const DAY: Duration = Duration::from_secs(24 * 3600);
const SOON: Duration = Duration::from_secs(15);

#[test]
fn a_lost_acknowledgement_delivers_exactly_once() {
    for_both(async |bench| {
        let [request] = bench.requests(1).await.try_into().unwrap();
        bench.fault(Target::ImportResponses, Kind::ResetAfter { late: Duration::ZERO });
        let answer = bench.post(request, no_debt("нет")).await;
        bench.work().await;
        assert_eq!(bench.state(answer).await, State::Uncertain);
        bench.pass(SETTLE).await;
        bench.work().await;
        let delivered = bench.answer(answer).await;
        assert_eq!(delivered.state, State::Delivered);
        assert!(delivered.confirmed_in_gis, "a look has shown it");
        assert_eq!(bench.effects(request).len(), 1);
        let [submission] = bench.submissions(answer).await.try_into().unwrap();
        assert_eq!(submission.attempts, 1, "nothing was sent again");
    });
}

#[test]
fn what_gis_did_not_take_is_sent_again_with_the_same_key() {
    for_both(async |bench| {
        let [request] = bench.requests(1).await.try_into().unwrap();
        bench.fault(Target::ImportResponses, Kind::ResetBefore);
        let answer = bench.post(request, no_debt("нет")).await;
        bench.work().await;
        assert_eq!(bench.state(answer).await, State::Uncertain);
        let [before] = bench.submissions(answer).await.try_into().unwrap();
        bench.pass(SETTLE).await;
        bench.work().await;
        assert_eq!(bench.state(answer).await, State::Delivered);
        let [after] = bench.submissions(answer).await.try_into().unwrap();
        assert_eq!((after.attempts, after.transport), (2, before.transport));
        assert_eq!(bench.effects(request).len(), 1);
    });
}

#[test]
fn a_fault_of_gis_is_looked_at_and_repeated_soon() {
    for_both(async |bench| {
        let [request] = bench.requests(1).await.try_into().unwrap();
        let fault = Kind::SoapFault { code: "EXP001000".to_owned(), text: None, late: None };
        bench.fault(Target::ImportResponses, fault);
        let answer = bench.post(request, no_debt("нет")).await;
        bench.step().await;
        assert_eq!(bench.state(answer).await, State::Uncertain);
        bench.pass(Duration::from_secs(120)).await;
        bench.work().await;
        assert_eq!(bench.state(answer).await, State::Delivered);
        assert_eq!(bench.effects(request).len(), 1);
    });
}

#[test]
fn a_result_without_the_item_leaves_it_uncertain_until_a_look() {
    for_both(async |bench| {
        let ids = bench.requests(2).await;
        bench.fault(Target::ImportResponses, Kind::WrongCount { missing: 1 });
        let first = bench.post(ids[0], no_debt("нет")).await;
        let second = bench.post(ids[1], no_debt("нет")).await;
        bench.work().await;
        let mut states = [bench.state(first).await, bench.state(second).await];
        states.sort_by_key(|state| state.as_str());
        assert_eq!(states, [State::Delivered, State::Uncertain]);
        bench.pass(SETTLE).await;
        bench.work().await;
        for (answer, request) in [(first, ids[0]), (second, ids[1])] {
            assert_eq!(bench.state(answer).await, State::Delivered);
            assert_eq!(bench.effects(request).len(), 1);
        }
    });
}

#[test]
fn while_gis_is_down_answers_wait_in_the_queue() {
    for_both(async |bench| {
        let [request] = bench.requests(1).await.try_into().unwrap();
        let down = || Kind::Http { status: 503, body: HttpBody::Html, retry_after: None, late: None };
        bench.faults(Target::Probe, down(), When::Always);
        bench.faults(Target::Any, down(), When::Always);
        let answer = bench.post(request, no_debt("нет")).await;
        bench.work().await;
        assert_eq!(bench.state(answer).await, State::Queued);
        bench.simulator.control().clear_faults();
        for _ in 0..3 {
            bench.pass(SETTLE).await;
            bench.pass(SOON).await;
        }
        assert_eq!(bench.state(answer).await, State::Delivered);
        assert_eq!(bench.effects(request).len(), 1);
    });
}

#[test]
fn a_sender_whom_gis_denies_is_halted_and_loses_nothing() {
    for_both(async |bench| {
        let [request] = bench.requests(1).await.try_into().unwrap();
        let denied = Kind::SoapFault { code: "AUT011009".to_owned(), text: None, late: None };
        bench.fault(Target::ImportResponses, denied);
        let answer = bench.post(request, no_debt("нет")).await;
        bench.work().await;
        assert_eq!(bench.state(answer).await, State::Queued);
        let mut conn = bench.worker.service.db.read().await.unwrap();
        let organization = crate::store::organizations::get(&mut conn, bench.organization).await.unwrap();
        assert_eq!(organization.unwrap().halted.unwrap().code, "AUT011009");
    });
}

#[test]
fn a_refused_package_says_nothing_of_an_answer_in_doubt() {
    for_both(async |bench| {
        let [good, poisoned] = bench.requests(2).await.try_into().unwrap();
        let fault = |code: &str| Kind::SoapFault { code: code.to_owned(), text: None, late: None };
        bench.fault(Target::ImportResponses, fault("EXP001000"));
        let answers = [bench.post(good, no_debt("нет")).await, bench.post(poisoned, no_debt("нет")).await];
        bench.step().await;
        bench
            .simulator
            .control()
            .add_fault(Rule {
                operation: Target::ImportResponses,
                organization: None,
                subrequest: Some(poisoned.as_uuid()),
                when: When::Always,
                kind: fault("FMT001300"),
            })
            .unwrap();
        bench.pass(Duration::from_secs(120)).await;
        bench.work().await;
        // Alone it is taken. What may have reached GIS in the first package is judged by a late view only.
        bench.pass(SETTLE).await;
        bench.work().await;
        assert_eq!(bench.state(answers[0]).await, State::Delivered);
        assert_eq!(bench.state(answers[1]).await, State::Uncertain);
        bench.pass(4 * DAY).await;
        bench.work().await;
        assert_eq!(bench.state(answers[1]).await, State::Rejected);
        assert_eq!((bench.effects(good).len(), bench.effects(poisoned).len()), (1, 0));
    });
}

#[test]
fn an_answer_about_which_gis_never_answers_is_settled_all_the_same() {
    for_both(async |bench| {
        let [request] = bench.requests(1).await.try_into().unwrap();
        let stuck = Kind::Stuck { effect: false, state: StuckState::default() };
        bench.fault(Target::ImportResponses, stuck);
        let fault = Kind::SoapFault { code: "INT002000".to_owned(), text: None, late: None };
        bench.faults(Target::GetState, fault, When::Always);
        let answer = bench.post(request, no_debt("нет")).await;
        bench.step().await;
        for _ in 0..46 {
            bench.pass(SETTLE).await;
        }
        assert_eq!(bench.state(answer).await, State::Accepted, "for a day its result may come");
        for _ in 0..4 {
            bench.pass(SETTLE).await;
        }
        assert_eq!(bench.state(answer).await, State::Uncertain);
        bench.simulator.control().clear_faults();
        for _ in 0..2 {
            bench.pass(SETTLE).await;
            bench.work().await;
        }
        assert_eq!(bench.state(answer).await, State::Delivered);
        let [submission] = bench.submissions(answer).await.try_into().unwrap();
        assert_eq!((submission.attempts, bench.effects(request).len()), (2, 1));
    });
}

/// The debt requests of the looks that GIS has refused.
async fn refused_looks(bench: &Bench) -> Vec<Vec<DebtRequestId>> {
    let mut conn = bench.worker.service.db.read().await.unwrap();
    let failed = messages::failed_looks(&mut conn, bench.organization, DateTime::UNIX_EPOCH).await.unwrap();
    let ids = |message: Message| match message.purpose {
        Purpose::Look { ids } => ids,
        other @ (Purpose::Import | Purpose::Page { .. }) => panic!("{:?} is no look", other.kind()),
    };
    failed.into_iter().map(ids).collect()
}

#[test]
fn one_request_that_gis_cannot_show_keeps_no_other_answer_uncertain() {
    for_both(async |bench| {
        let [shown, hidden] = bench.requests(2).await.try_into().unwrap();
        bench.fault(Target::ImportResponses, Kind::ResetAfter { late: Duration::ZERO });
        let answers = [bench.post(shown, no_debt("нет")).await, bench.post(hidden, no_debt("нет")).await];
        bench.work().await;
        let rule = Rule {
            operation: Target::ExportDebtSubrequests,
            organization: None,
            subrequest: Some(hidden.as_uuid()),
            when: When::Always,
            kind: Kind::StateError { code: "INT002000".to_owned(), text: None },
        };
        bench.simulator.control().add_fault(rule).unwrap();
        bench.pass(SETTLE).await;
        bench.work().await;
        let refused = refused_looks(&bench).await;
        assert_eq!(refused.iter().map(Vec::len).collect::<Vec<_>>(), [2], "both were asked for at once");
        for answer in answers {
            assert_eq!(bench.state(answer).await, State::Uncertain);
        }

        bench.pass(Duration::from_secs(120)).await;
        bench.work().await;
        assert_eq!(bench.state(answers[0]).await, State::Delivered);
        assert_eq!(bench.state(answers[1]).await, State::Uncertain);
        assert_eq!(refused_looks(&bench).await[1..], [vec![hidden]]);
        // It waits as long as after any look, and is asked for alone again.
        bench.pass(SETTLE).await;
        bench.work().await;
        assert_eq!(refused_looks(&bench).await[1..], [vec![hidden], vec![hidden]]);

        bench.simulator.control().clear_faults();
        bench.pass(SETTLE).await;
        bench.work().await;
        assert_eq!(bench.state(answers[1]).await, State::Delivered);
        assert_eq!((bench.effects(shown).len(), bench.effects(hidden).len()), (1, 1));
    });
}

#[test]
fn words_that_prove_a_withdrawal_count_as_the_error_of_the_whole_message_too() {
    let code = || "INT002034".to_owned();
    let text = || Some("Ответ (не имеет статус \"Ответ отправлен\")".to_owned());
    for_both(async |bench| {
        for kind in [
            Kind::StateError { code: code(), text: text() },
            Kind::SoapFault { code: code(), text: text(), late: None },
            Kind::StateError { code: "EXP001000".to_owned(), text: text() },
        ] {
            let [request] = bench.requests(1).await.try_into().unwrap();
            let answer = bench.post(request, no_debt("нет")).await;
            bench.work().await;
            assert_eq!(bench.state(answer).await, State::Delivered);
            bench.simulator.control().revoke_in_cabinet(request.as_uuid()).unwrap();
            bench.revoke(answer).await;
            bench.fault(Target::ImportResponses, kind.clone());
            bench.work().await;
            let withdrawn = bench.answer(answer).await;
            assert_eq!((withdrawn.state, withdrawn.last_error), (State::Revoked, None), "{kind:?}");
        }
    });
}
