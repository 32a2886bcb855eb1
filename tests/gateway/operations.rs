//! All long work as one list: watched, narrowed and stopped, whatever it is.

use serde_json::{Value, json};

use crate::harness::{Client, Reply, Stand, for_both, ids};
use crate::imports;
use crate::match_runs::registry_of_first;

const OPERATIONS: &str = "/v1/operations";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

async fn begun(stand: &Stand, path: &str, body: &Value) -> String {
    text(&stand.client.post(path, body).await.ok(202)["id"]).to_owned()
}

/// One of each kind that clients begin, before any job has looked at it; the drafts are made at once.
async fn one_of_each(stand: &Stand) -> [String; 4] {
    let ids = stand.request_ids().await;
    registry_of_first(stand, &ids[0]).await;
    let drafts = json!({ "items": [{ "debt_request_id": ids[1], "has_debt": false }] });
    [
        begun(stand, "/v1/answers/bulk", &drafts).await,
        begun(stand, "/v1/exports", &json!({ "kind": "debt_requests" })).await,
        begun(stand, "/v1/imports", &imports::unanswered(&ids[..1])).await,
        begun(stand, "/v1/match-runs", &json!({ "scope": { "ids": ids }, "mode": "preview" })).await,
    ]
}

fn path(id: &str) -> String {
    format!("{OPERATIONS}/{id}")
}

async fn cancel(client: &Client, id: &str) -> Reply {
    client.post(&format!("{OPERATIONS}/{id}/cancel"), &json!({})).await
}

/// The kinds of operations, in the order of the words.
fn kinds(operations: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<_> = operations.iter().map(|operation| text(&operation["kind"])).collect();
    kinds.sort_unstable();
    kinds
}

fn progress(done: i64, total: Option<i64>) -> Value {
    json!({ "done": done, "total": total })
}

#[test]
fn all_long_work_is_one_list_in_one_shape() {
    for_both(2, async |stand| {
        let [bulk, export, import, matched] = one_of_each(&stand).await;
        let listed = stand.client.walk("/v1/operations?limit=200").await;
        assert_eq!(kinds(&listed), ["answers_bulk", "export", "import", "match_run", "sync"]);
        assert_eq!(listed[4]["kind"], "sync", "the oldest is the last");
        for limit in 1..=3 {
            let page_by_page = stand.client.walk(&format!("{OPERATIONS}?limit={limit}")).await;
            assert_eq!(ids(&page_by_page), ids(&listed));
        }
        for operation in &listed {
            let kind = format!("{OPERATIONS}?limit=1&kind={}", text(&operation["kind"]));
            assert_eq!(stand.client.walk(&kind).await, std::slice::from_ref(operation));
            assert_eq!(stand.client.get(&path(text(&operation["id"]))).await.ok(200), *operation);
            assert_eq!(stand.client.get(text(&operation["url"])).await.ok(200)["id"], operation["id"]);
        }
        let of = |id: &str| listed.iter().find(|operation| operation["id"] == id).unwrap();
        let drafts = of(&bulk);
        assert_eq!((&drafts["status"], &drafts["progress"]), (&json!("succeeded"), &progress(1, Some(1))));
        assert_eq!((&drafts["counts"]["draft"], &drafts["next_check_at"]), (&json!(1), &Value::Null));
        assert_eq!(drafts["items_url"], format!("{}/items", path(&bulk)));
        assert!(text(&drafts["expires_at"]) > text(&drafts["finished_at"]));
        let file = of(&export);
        assert_eq!((&file["status"], &file["status_label"]), (&json!("pending"), &json!("Ждёт очереди")));
        assert_eq!((&file["is_final"], &file["progress"]), (&json!(false), &progress(0, None)));
        for absent in ["counts", "items_url", "result_url", "error", "finished_at", "expires_at"] {
            assert_eq!(file[absent], Value::Null, "{absent}");
        }
        assert!(text(&file["next_check_at"]) > text(&file["created_at"]));
        assert_eq!(stand.client.get(&path(&export)).await.header("retry-after"), "10");
        stand.client.get(&format!("{}/items", path(&export))).await.problem(404, "not_found");
        let workbook = of(&import);
        assert_eq!(workbook["items_url"], format!("/v1/imports/{import}/rows"));
        assert_eq!((&workbook["progress"], &workbook["counts"]["total"]), (&progress(0, None), &json!(0)));
        assert_eq!(of(&matched)["progress"], progress(0, Some(2)));
        let read = &listed[4];
        assert_eq!((&read["progress"], &read["expires_at"]), (&progress(2, None), &Value::Null));

        let ended = stand.until(&path(&export), |operation| operation["is_final"] == true).await;
        assert_eq!((&ended["status"], &ended["progress"]), (&json!("succeeded"), &progress(2, None)));
        assert_eq!(ended["result_url"], format!("/v1/exports/{export}/content"));
        assert_eq!(stand.client.get(text(&ended["result_url"])).await.status, 200);
        let ended = stand.until(&path(&import), |operation| operation["is_final"] == true).await;
        assert_eq!((&ended["status"], &ended["error"]), (&json!("succeeded"), &Value::Null));
        let ended = stand.until(&path(&matched), |operation| operation["is_final"] == true).await;
        assert_eq!(ended["progress"], progress(2, Some(2)));
        assert_eq!(ended["result_url"], format!("/v1/match-runs/{matched}/content"));

        let wrong = stand.client.get("/v1/operations?kind=answers").await.problem(422, "validation_failed");
        let mistake = &wrong["errors"][0];
        assert_eq!((&mistake["parameter"], &mistake["code"]), (&json!("kind"), &json!("format")));
        let page = stand.client.get("/v1/operations?limit=1").await.ok(200);
        let other = format!("{OPERATIONS}?kind=export&cursor={}", text(&page["next"]));
        stand.client.get(&other).await.problem(400, "invalid_cursor");
    });
}

#[test]
fn what_is_stopped_goes_no_further() {
    for_both(2, async |mut stand| {
        let [bulk, export, import, matched] = one_of_each(&stand).await;
        cancel(&stand.client, &bulk).await.problem(409, "state_conflict");
        for id in [&export, &import, &matched] {
            cancel(&stand.foreigner, id).await.problem(404, "not_found");
            for _ in 0..2 {
                let stopped = cancel(&stand.client, id).await.ok(200);
                assert_eq!((&stopped["status"], &stopped["is_final"]), (&json!("cancelled"), &json!(true)));
                assert!(text(&stopped["expires_at"]) > text(&stopped["finished_at"]));
            }
        }
        let content = format!("/v1/exports/{export}/content");
        stand.client.get(&content).await.problem(409, "state_conflict");
        stand.pass(60).await;
        stand.client.get(&content).await.problem(409, "state_conflict");
        let own = [("exports", &export), ("imports", &import), ("match-runs", &matched)];
        for (resource, id) in own {
            let shown = stand.client.get(&format!("/v1/{resource}/{id}")).await.ok(200);
            assert_eq!((&shown["status"], &shown["is_final"]), (&json!("cancelled"), &json!(true)));
        }
        let apply = format!("/v1/imports/{import}/apply");
        stand.client.post(&apply, &json!({})).await.problem(409, "state_conflict");
        let told = stand.client.walk_events("operation.completed").await;
        let told: Vec<_> = told.into_iter().map(|event| event["data"].clone()).collect();
        assert_eq!(kinds(&told), ["answers_bulk", "export", "import", "match_run"]);

        // Ten minutes after the last one.
        stand.pass(600).await;
        let run = begun(&stand, "/v1/sync-runs", &json!({})).await;
        let stopped = cancel(&stand.client, &run).await.ok(200);
        assert_eq!(
            (&stopped["status"], &stopped["status_label"]),
            (&json!("cancelled"), &json!("Остановлено"))
        );
        stand.pass(60).await;
        let ended = stand.client.get(&format!("/v1/sync-runs/{run}")).await.ok(200);
        assert_eq!((&ended["state"], &ended["error"]), (&json!("cancelled"), &Value::Null));
        let told = stand.client.walk_events("sync.failed").await;
        assert_eq!(told.iter().map(|event| text(&event["data"]["code"])).collect::<Vec<_>>(), ["cancelled"]);

        let reader = stand.client_with("requests:read");
        assert_eq!(kinds(&reader.walk(OPERATIONS).await), ["export", "sync", "sync"]);
        reader.get(&path(&import)).await.problem(404, "not_found");
        reader.get("/v1/operations?kind=import").await.problem(403, "scope_missing");
        cancel(&reader, &import).await.problem(404, "not_found");
        // It sees the one that began by itself, and may not stop it.
        let began = text(&stand.client.walk("/v1/sync-runs").await[1]["id"]).to_owned();
        reader.get(&path(&began)).await.ok(200);
        cancel(&reader, &began).await.problem(403, "scope_missing");
        cancel(&reader, &export).await.ok(200);
    });
}
