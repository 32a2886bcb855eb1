//! Dictionaries that explain what the gateway itself says: types of events, codes of errors.

use std::collections::{BTreeMap, BTreeSet};

use gis_sim::faults::{Kind, Target};
use serde_json::{Value, json};

use crate::harness::{Client, for_both};
use crate::imports::list_of;

/// The entries of a dictionary by their codes.
async fn dictionary(client: &Client, name: &str) -> BTreeMap<String, Value> {
    let all = client.get(&format!("/v1/dictionaries/{name}")).await.ok(200);
    let items = all["items"].as_array().unwrap().iter();
    items.map(|item| (item["code"].as_str().unwrap().to_owned(), item.clone())).collect()
}

#[test]
fn every_event_says_no_more_than_its_type_promises() {
    for_both(3, async |stand| {
        let [first, second, third] = stand.request_ids().await.try_into().unwrap();
        let refused = Kind::ItemError { code: "INT002034".to_owned(), text: None, items: 1 };
        stand.fault_once(Target::ImportResponses, &second, refused);
        let body = json!({ "submit": true, "has_debt": false });
        let delivered = stand.answer(&first, &body).await;
        let rejected = stand.answer(&second, &body).await;
        stand.answer(&third, &json!({ "submit": false, "has_debt": false })).await;
        let note = json!({ "note": "позвонить" });
        stand.client.patch(&format!("/v1/debt-requests/{third}"), &note).await.ok(200);
        stand.client.post("/v1/exports", &json!({ "kind": "debt_requests" })).await.ok(202);
        stand.until_state(&delivered, "delivered").await;
        stand.until_state(&rejected, "rejected").await;

        let types = dictionary(&stand.client, "event_types").await;
        let events = stand.client.walk_events("*").await;
        let mut told = BTreeSet::new();
        for event in &events {
            let kind = event["type"].as_str().unwrap();
            let meaning = &types[kind];
            assert!(meaning["description"].is_string() && meaning["name"] == event["label"], "{kind}");
            let promised: Vec<_> =
                meaning["data"].as_array().unwrap().iter().map(|key| &key["name"]).collect();
            let data = event["data"].as_object().unwrap();
            assert!(data.keys().all(|key| promised.contains(&&json!(key))), "{kind}: {event:#} {promised:?}");
            if kind.starts_with("answer.") {
                let ids = [&event["answer_id"], &event["debt_request_id"]];
                assert_eq!([&data["answer_id"], &data["debt_request_id"]], ids, "{kind}");
                assert!(
                    ["external_id", "state", "is_final"].iter().all(|key| data.contains_key(*key)),
                    "{kind}"
                );
            }
            told.insert(kind);
        }
        let wanted = [
            "debt_request.received",
            "debt_request.assigned",
            "answer.drafted",
            "answer.delivered",
            "answer.rejected",
            "operation.completed",
            "sync.completed",
        ];
        assert!(wanted.iter().all(|kind| told.contains(kind)), "{told:?}");
        for kind in ["answer.delayed", "token.expiring", "certificate.expiring"] {
            assert!(types.contains_key(kind), "{kind}");
        }
    });
}

#[test]
fn every_error_of_an_answer_has_a_cause_and_a_cure() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let refused = Kind::ItemError { code: "INT002034".to_owned(), text: None, items: 1 };
        stand.fault_once(Target::ImportResponses, &request, refused);
        let answer = stand.answer(&request, &json!({ "submit": true, "has_debt": false })).await;
        let rejected = stand.until_state(&answer, "rejected").await;
        let errors = dictionary(&stand.client, "answer_errors").await;
        let code = rejected["last_error"]["code"].as_str().unwrap();
        for code in [code, "signer_missing", "archive_unavailable", "worker_gone", "result_missing"] {
            let error = &errors[code];
            assert!(error["cause"].is_string() && error["cure"].is_string(), "{code}: {error:#}");
            assert_eq!((&error["data"], &error["description"]), (&Value::Null, &Value::Null), "{code}");
        }
    });
}

/// A list of requests is taken for a match, and no answers can be read from it. That is the client's mistake: a repeat with
/// the same file does not help.
#[test]
fn a_file_without_answers_is_the_fault_of_the_request() {
    for_both(1, async |stand| {
        let file = list_of(&stand.request_ids().await);
        let import = stand.client.post("/v1/imports", &file).await.ok(202);
        let path = format!("/v1/imports/{}", import["id"].as_str().unwrap());
        let import = stand.until(&path, |import| import["is_final"] == true).await;
        assert_eq!(
            (&import["status"], &import["error"]["code"]),
            (&json!("failed"), &json!("column_missing")),
            "{import:#}"
        );
        assert_eq!(
            (&import["error"]["origin"], &import["error"]["retryable"]),
            (&json!("request"), &json!(false)),
            "{import:#}"
        );
    });
}
