//! Every state of an answer, what may be done in it, and what a new post does beside it (`api.md` §4.4, §5).

use std::time::Duration;

use gis_sim::faults::{Kind, Target, When};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Stand, for_both};

/// What can be done with an answer, and where it is allowed with which status; everywhere else it is a conflict.
struct Action {
    name: &'static str,
    method: Method,
    body: Option<Value>,
    allowed: &'static [(&'static str, u16)],
}

fn actions() -> Vec<Action> {
    let post = |name, allowed| Action { name, method: Method::POST, body: Some(json!({})), allowed };
    vec![
        post("complete", &[("draft", 200)]),
        post("return", &[("prepared", 200)]),
        post("submit", &[("draft", 202), ("prepared", 202)]),
        // A repeated cancellation is no mistake: clients repeat by themselves.
        post("cancel", &[("queued", 200), ("cancelled", 200)]),
        post("revoke", &[("delivered", 202)]),
        // Asked at once it is too early where GIS has just been asked.
        post(
            "refresh",
            &[
                ("queued", 202),
                ("sending", 202),
                ("accepted", 429),
                ("uncertain", 429),
                ("revoking", 202),
                ("delivered", 202),
            ],
        ),
        Action {
            name: "",
            method: Method::PATCH,
            body: Some(json!({ "comment": "изменено" })),
            allowed: &[("draft", 200), ("prepared", 200)],
        },
        Action {
            name: "",
            method: Method::DELETE,
            body: None,
            allowed: &[("draft", 204), ("prepared", 204)],
        },
    ]
}

/// All states but `sending`, which lasts only as long as a call.
const STATES: [&str; 11] = [
    "draft",
    "prepared",
    "queued",
    "accepted",
    "uncertain",
    "delivered",
    "rejected",
    "revoking",
    "revoked",
    "cancelled",
    "superseded",
];

#[test]
fn every_state_allows_its_actions_and_no_others() {
    for_both(60, async |stand| {
        let mut requests = stand.request_ids().await.into_iter();
        for state in STATES {
            let answer = reach(&stand, &requests.next().unwrap(), state).await;
            refuses_the_others(&stand, &answer, state).await;
            for action in actions() {
                let Some(status) = status(&action, state) else { continue };
                let answer = reach(&stand, &requests.next().unwrap(), state).await;
                assert_eq!(
                    act(&stand, &answer, &action).await.0,
                    status,
                    "{} {} in {state}",
                    action.method,
                    action.name
                );
            }
        }
        let label = stand.client.get("/v1/dictionaries/states").await.ok(200);
        let known: Vec<_> =
            label["items"].as_array().unwrap().iter().map(|item| item["code"].as_str().unwrap()).collect();
        assert!(STATES.iter().chain(&["sending"]).all(|state| known.contains(state)) && known.len() == 12);
    });
}

#[test]
fn an_answer_on_its_way_can_only_be_waited_for() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        // GIS is slow to take the package; the story ends before it has.
        stand.fault(Target::ImportResponses, When::Always, Kind::Slow { duration: Duration::from_secs(600) });
        let answer = stand.answer(&request, &no_debt("нет")).await;
        stand.pass_without_jobs(10).await;
        let jobs = stand.start_jobs();
        let path = format!("/v1/answers/{answer}?wait=20");
        while stand.client.get(&path).await.ok(200)["state"] != "sending" {}
        refuses_the_others(&stand, &answer, "sending").await;
        jobs.abort();
    });
}

async fn refuses_the_others(stand: &Stand, answer: &str, state: &str) {
    let path = format!("/v1/answers/{answer}");
    let before = stand.client.get(&path).await.ok(200);
    assert_eq!(before["state"], state);
    for action in actions().iter().filter(|action| status(action, state).is_none()) {
        let (status, body) = act(stand, answer, action).await;
        assert_eq!(
            (status, &body["code"], &body["state"]),
            (409, &json!("state_conflict"), &json!(state)),
            "{} {}",
            action.method,
            action.name
        );
    }
    assert_eq!(stand.client.get(&path).await.ok(200), before);
}

fn status(action: &Action, state: &str) -> Option<u16> {
    action.allowed.iter().find(|(allowed, _)| *allowed == state).map(|(_, status)| *status)
}

async fn act(stand: &Stand, answer: &str, action: &Action) -> (u16, Value) {
    let slash = if action.name.is_empty() { "" } else { "/" };
    let call =
        stand.client.call(action.method.clone(), &format!("/v1/answers/{answer}{slash}{}", action.name));
    let call = match &action.body {
        Some(body) => call.json(body),
        None => call,
    };
    let reply = call.send().await;
    (reply.status.as_u16(), reply.body)
}

fn no_debt(comment: &str) -> Value {
    json!({ "submit": true, "has_debt": false, "comment": comment })
}

fn draft(comment: &str) -> Value {
    json!({ "submit": false, "has_debt": false, "comment": comment })
}

/// An answer in a state, by the way that leads there.
async fn reach(stand: &Stand, request: &str, state: &str) -> String {
    let post = async |action: &str, id: &str| {
        let reply = stand.client.post(&format!("/v1/answers/{id}/{action}"), &json!({})).await;
        assert!(reply.status.is_success(), "{:#}", reply.body);
    };
    let answer = match state {
        "draft" | "prepared" | "superseded" => stand.answer(request, &draft("нет")).await,
        _ => stand.answer(request, &no_debt("нет")).await,
    };
    match state {
        "draft" | "queued" => {}
        "prepared" => post("complete", &answer).await,
        "superseded" => drop(stand.answer(request, &draft("иначе")).await),
        "cancelled" => post("cancel", &answer).await,
        "accepted" => stand.pass(10).await,
        "uncertain" => {
            let lost = Kind::ResetAfter { late: Duration::from_secs(3600) };
            stand.fault_once(Target::ImportResponses, request, lost);
            stand.until_state(&answer, "uncertain").await;
        }
        "rejected" => {
            let refused = Kind::ItemError { code: "INT002034".to_owned(), text: None, items: 1 };
            stand.fault_once(Target::ImportResponses, request, refused);
            stand.until_state(&answer, "rejected").await;
        }
        "delivered" => drop(stand.until_state(&answer, "delivered").await),
        "revoking" | "revoked" => {
            stand.until_state(&answer, "delivered").await;
            post("revoke", &answer).await;
            if state == "revoked" {
                stand.until_state(&answer, "revoked").await;
            }
        }
        other => panic!("no way to {other}"),
    }
    answer
}

/// Which answer a post brings, and whether it waits for the earlier one.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Same(u16),
    New,
    NewThatWaits,
    Conflict,
}

#[test]
fn a_post_beside_an_earlier_answer_does_what_the_contract_says() {
    use Outcome::{Conflict, New, NewThatWaits, Same};
    // state of the earlier answer, what the same content does, what different content does
    let rows = [
        ("rejected", New, New),
        ("revoked", New, New),
        ("cancelled", New, New),
        ("draft", Same(202), New),
        ("prepared", Same(202), New),
        ("queued", Same(200), New),
        ("accepted", Same(200), NewThatWaits),
        ("uncertain", Same(200), NewThatWaits),
        ("revoking", NewThatWaits, NewThatWaits),
        ("delivered", Same(200), Conflict),
    ];
    for_both(20, async |stand| {
        let mut requests = stand.request_ids().await.into_iter();
        for (state, same, different) in &rows {
            for (comment, expected) in [("нет", same), ("другое", different)] {
                let request = requests.next().unwrap();
                let earlier = reach(&stand, &request, state).await;
                let reply = stand
                    .client
                    .post(&format!("/v1/debt-requests/{request}/answers"), &no_debt(comment))
                    .await;
                let waits = reply.body["blocked_by_answer_id"].is_string();
                let outcome = match (reply.status.as_u16(), reply.body["id"] == *earlier) {
                    (409, _) => Conflict,
                    (status, true) => Same(status),
                    (202, false) if waits => NewThatWaits,
                    (202, false) => New,
                    (status, false) => panic!("{status} {:#}", reply.body),
                };
                assert_eq!(&outcome, expected, "{comment} beside {state}: {:#}", reply.body);
            }
        }
    });
}

#[test]
fn a_reader_may_wait_for_the_next_state() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let answer = stand.answer(&request, &no_debt("нет")).await;
        let path = format!("/v1/answers/{answer}?wait=20");
        let (client, waiting) = (stand.client.clone(), path.clone());
        let waiting = tokio::spawn(async move { client.get(&waiting).await });
        stand.pass(10).await;
        let seen = waiting.await.unwrap();
        assert_ne!(seen.body["state"], "queued", "{:#}", seen.body);
        assert!((5..=1800).contains(&seen.header("retry-after").parse::<u32>().unwrap()));
        stand.until_state(&answer, "delivered").await;
        let last = stand.client.get(&path).await;
        assert!(!last.headers.contains_key("retry-after"), "a final answer needs no second look");
    });
}
