//! Matches of requests with the registry of court debts, and the answers made of them.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use calamine::{Reader as _, Xlsx};
use serde_json::{Value, json};

use crate::exports::sheet;
use crate::harness::{Reply, Stand, for_both};
use crate::registry;

const RUNS: &str = "/v1/match-runs";

/// A registry that knows a debt of the first request alone.
pub(crate) async fn registry_of_first(stand: &Stand, id: &str) {
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

#[test]
fn a_ready_workbook_says_which_requests_are_matched() {
    for_both(3, async |stand| {
        let ids = stand.request_ids().await;
        registry_of_first(&stand, &ids[0]).await;
        let file = sheet(&stand).await;
        let body = json!({ "file_name": "a.xlsx", "content_base64": STANDARD.encode(&file) });
        let import = stand.client.post("/v1/imports", &body).await.ok(202);
        stand.create(2);
        stand.pass(700).await;
        let sync = stand.client.post("/v1/sync-runs", &json!({})).await.ok(202);
        let sync = format!("/v1/sync-runs/{}", sync["id"].as_str().unwrap());
        stand.until(&sync, |run| run["finished_at"].is_string()).await;
        assert_eq!(stand.request_ids().await.len(), 5);

        let scope = |import: &Value| json!({ "scope": { "import_id": import }, "mode": "preview" });
        let run = ended(&stand, stand.client.post(RUNS, &scope(&import["id"])).await).await;
        assert_eq!(run["counts"]["total"], 3, "what came later is not matched");
        let items = stand.client.walk(run["items_url"].as_str().unwrap()).await;
        let mut matched: Vec<_> = items.iter().map(|it| it["debt_request_id"].as_str().unwrap()).collect();
        matched.sort_unstable();
        let mut expected = ids.clone();
        expected.sort_unstable();
        assert_eq!(matched, expected);

        let other = json!({ "file_name": "a.xlsx", "content_base64": STANDARD.encode(b"tea") });
        let other = stand.client.post("/v1/imports", &other).await.ok(202);
        for (import, code) in [(&other["id"], "not_a_workbook"), (&json!(uuid::Uuid::now_v7()), "not_found")]
        {
            let problem = stand.client.post(RUNS, &scope(import)).await.problem(422, "validation_failed");
            assert_eq!(
                (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
                (&json!("/scope/import_id"), &json!(code))
            );
        }
        // The workbook of another organisation, and one that lists what we do not have.
        let problem =
            stand.foreigner.post(RUNS, &scope(&import["id"])).await.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["code"], "not_found");
        let theirs = stand.foreigner.post("/v1/imports", &body).await.ok(202);
        let problem =
            stand.foreigner.post(RUNS, &scope(&theirs["id"])).await.problem(422, "validation_failed");
        assert_eq!(problem["errors"].as_array().unwrap().len(), 3);
        assert!(problem["errors"][0]["detail"].as_str().unwrap().starts_with("строка "));
    });
}

/// The rows of each list, without its header.
fn lists(file: &[u8]) -> Vec<(String, Vec<Vec<String>>)> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(file.to_vec())).unwrap();
    let names = book.sheet_names();
    let rows = |name: String| {
        let range = book.worksheet_range(&name).unwrap();
        let rows = range.rows().skip(1).map(|row| row.iter().map(ToString::to_string).collect());
        (name, rows.collect())
    };
    names.into_iter().map(rows).collect()
}

#[test]
fn the_three_lists_are_a_workbook() {
    for_both(3, async |mut stand| {
        let ids = stand.request_ids().await;
        registry_of_first(&stand, &ids[0]).await;
        let started = start(&stand, "preview", &ids).await;
        let content = format!("{}/content", started.header("location"));
        stand.client.get(&content).await.problem(409, "state_conflict");
        let run = ended(&stand, started).await;
        assert_eq!(run["content_url"], json!(content));
        let reply = stand.client.get(&content).await;
        assert!(reply.header("content-disposition").starts_with("attachment; filename=\"match-run-"));
        let full = lists(&reply.bytes);
        let counts = ["found", "not_found", "ambiguous"].map(|it| run["counts"][it].as_u64().unwrap());
        for ((name, rows), (expected, count)) in
            full.iter().zip(["Найдено", "Не найдено", "Возможные ошибки"].into_iter().zip(counts))
        {
            assert_eq!((name.as_str(), u64::try_from(rows.len()).unwrap()), (expected, count));
        }
        let rows: Vec<_> = full.iter().flat_map(|(_, rows)| rows).collect();
        assert!(rows.iter().all(|row| !row[0].is_empty() && !row[2].is_empty() && !row[7].is_empty()));
        let mut listed: Vec<_> = rows.iter().map(|row| row[1].clone()).collect();
        listed.sort_unstable();
        let mut expected = ids.clone();
        expected.sort_unstable();
        assert_eq!(listed, expected);

        let reader = stand.client_with("registry:read");
        let bare = lists(&reader.get(&content).await.bytes);
        let rows: Vec<_> = bare.iter().flat_map(|(_, rows)| rows).collect();
        assert!(rows.len() == 3 && rows.iter().all(|row| row[0].is_empty() && row[2].is_empty()));
        stand.foreigner.get(&content).await.problem(404, "not_found");
        let stranger = stand.client_with("requests:read");
        stranger.get(&content).await.problem(403, "scope_missing");
    });
}
