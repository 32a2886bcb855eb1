//! Matches of requests with the registry of court debts, and the answers made of them.

use serde_json::{Value, json};

use crate::harness::{Reply, Stand, for_both};
use crate::registry;

const RUNS: &str = "/v1/match-runs";

/// A registry that knows a debt of the first request alone.
async fn registry_of_first(stand: &Stand, id: &str) {
    let asked = stand.client.get(&format!("/v1/debt-requests/{id}")).await.ok(200);
    let address = &asked["address"];
    let mut debt = registry::debt(address["premises"].as_str().unwrap_or("дом"));
    debt["fias_house_id"] = address["fias_house_id"].clone();
    stand.client.post("/v1/court-debts", &debt).await.ok(201);
}

async fn start(stand: &Stand, mode: &str, ids: &[String]) -> Reply {
    stand.client.post(RUNS, &json!({ "scope": { "ids": ids }, "mode": mode })).await
}

async fn ended(stand: &Stand, started: Reply) -> Value {
    let path = started.header("location").to_owned();
    started.ok(202);
    stand.until(&path, |run| run["is_final"] == true).await
}

#[test]
fn answers_are_made_of_a_match() {
    for_both(3, async |stand| {
        let ids = stand.request_ids().await;
        start(&stand, "preview", &ids).await.problem(409, "state_conflict");
        registry_of_first(&stand, &ids[0]).await;
        let run = ended(&stand, start(&stand, "preview", &ids).await).await;
        let counts = &run["counts"];
        assert_eq!(
            (&counts["total"], &counts["pending"], &counts["queued"]),
            (&json!(3), &json!(0), &json!(0))
        );
        let results = ["found", "not_found", "ambiguous"].map(|it| counts[it].as_i64().unwrap());
        assert_eq!(results.iter().sum::<i64>(), 3);
        let items = stand.client.walk(&format!("{}?limit=1", run["items_url"].as_str().unwrap())).await;
        assert_eq!(items.len(), 3);
        for item in &items {
            assert!(item["basis_label"].is_string(), "{item:#}");
            let id = item["debt_request_id"].as_str().unwrap();
            let shown = stand.client.get(&format!("/v1/debt-requests/{id}")).await.ok(200);
            assert_eq!(shown["match"]["result"], item["result"]);
        }
        let run = ended(&stand, start(&stand, "submit", &ids).await).await;
        let queued = run["counts"]["queued"].as_i64().unwrap();
        assert_eq!(queued, results[0] + results[1], "what is in doubt waits for a person");
        let again = ended(&stand, start(&stand, "submit", &ids).await).await;
        assert_eq!((&again["counts"]["queued"], &again["counts"]["skipped"]), (&json!(0), &json!(queued)));
        let events = stand.client.get("/v1/events?type=operation.completed").await.ok(200);
        assert_eq!(events["items"].as_array().unwrap().len(), 3);
        for (body, pointer) in [
            (json!({ "scope": {}, "mode": "preview" }), "/scope"),
            (json!({ "scope": { "ids": ids, "filter": {} }, "mode": "preview" }), "/scope"),
            (json!({ "scope": { "ids": [uuid::Uuid::now_v7()] }, "mode": "preview" }), "/scope/ids"),
            (
                json!({ "scope": { "filter": { "due_form": "2026-11-01" } }, "mode": "preview" }),
                "/scope/filter/due_form",
            ),
            (json!({ "scope": { "filter": {} }, "mode": "guess" }), "/mode"),
        ] {
            let problem = stand.client.post(RUNS, &body).await;
            assert_eq!(problem.status.as_u16(), 422);
            assert_eq!(problem.body["errors"][0]["pointer"], pointer);
        }
    });
}

#[test]
fn a_run_is_stopped() {
    for_both(2, async |stand| {
        let ids = stand.request_ids().await;
        registry_of_first(&stand, &ids[0]).await;
        let started = start(&stand, "preview", &ids).await;
        let path = started.header("location").to_owned();
        started.ok(202);
        let ended = stand.until(&path, |run| run["is_final"] == true).await;
        assert_eq!(ended["status"], "succeeded");
        stand.client.post(&format!("{path}/cancel"), &json!({})).await.problem(409, "state_conflict");
        stand.foreigner.get(&path).await.problem(404, "not_found");
    });
}
