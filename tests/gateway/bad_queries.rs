//! Conditions, pages and identifiers in addresses, wrong in each way: a filter with a slip must never return everything.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Stand, for_both};
use crate::refusal::{Refusal, UNKNOWN, nothing_was_sent, nothing_was_stored, refused};

const INVALID: &str = "validation_failed";

#[test]
fn a_wrong_condition_is_refused_by_the_list_and_by_the_count() {
    for_both(1, async |stand| {
        let mut table = Vec::new();
        for path in ["/v1/debt-requests", "/v1/debt-requests/count"] {
            table.extend(wrong_values(path));
            table.extend(unknown_names(path));
        }
        table.extend(wrong_answer_conditions());
        assert!(table.len() >= 85, "only {}", table.len());
        refused(&stand, &table).await;
    });
}

fn wrong_values(path: &str) -> Vec<Refusal> {
    let conditions = [
        ("department_id", "1", "format"),
        ("department_id", "nowhere", "format"),
        ("responsible_id", "nobody", "format"),
        ("executor_id", "nobody", "format"),
        ("stage", "newish", "format"),
        ("stage", "NEW", "format"),
        ("gis_response_status", "Sent", "format"),
        ("gis_request_status", "done", "format"),
        ("answer_state", "lost", "format"),
        ("match_result", "perhaps", "format"),
        ("requester_id", "1", "format"),
        ("fias_house_id", "1", "format"),
        ("answered", "maybe", "format"),
        ("answered", "1", "format"),
        ("answered", "True", "format"),
        ("has_draft", "no", "format"),
        ("due", "tomorrow", "format"),
        ("due_from", "10.11.2026", "format"),
        ("due_from", "2026-13-01", "format"),
        ("due_to", "2026-02-30", "format"),
        ("sent_from", "today", "format"),
        ("sent_to", "2026-11-10T00:00:00Z", "format"),
        ("updated_since", "yesterday", "format"),
        ("updated_since", "2026-11-02", "format"),
        ("updated_since", "2026-11-02T06:15:00", "format"),
    ];
    let row = |(name, value, code): (&'static str, &'static str, &'static str)| {
        Refusal::get(format!("{path}?{name}={value}")).is(422, INVALID).at(name, code)
    };
    let mut rows: Vec<_> = conditions.into_iter().map(row).collect();
    let get = |query: &str| Refusal::get(format!("{path}?{query}"));
    rows.extend([
        get("stage=new&stage=newish").is(422, INVALID).at("stage", "format"),
        get("answered=true&answered=true").is(422, INVALID).at("answered", "repeated"),
        get("due_from=2026-11-10&due_from=2026-11-11").is(422, INVALID).at("due_from", "repeated"),
        get(&vec!["request_number=1"; 101].join("&")).is(422, INVALID).at("request_number", "too_many"),
        get("stage=newish&due=tomorrow").is(422, INVALID).at("due", "format"),
        get("due=tomorrow&stage=newish").is(422, INVALID).at("stage", "format"),
    ]);
    // PostgreSQL has no text with U+0000 in it; that is no reason for a 500.
    for name in ["request_number", "request_number_prefix", "requester_name", "q"] {
        rows.push(
            get(&format!("{name}=1%00")).is(422, "character_not_allowed").at(name, "character_not_allowed"),
        );
    }
    rows
}

fn unknown_names(path: &str) -> Vec<Refusal> {
    let names = [
        ("answred", "answered"),
        ("due_form", "due_from"),
        ("Stage", "stage"),
        ("executor", "executor_id"),
        ("nobody_knows", ""),
    ];
    let row = |(name, nearest): (&'static str, &'static str)| {
        Refusal::get(format!("{path}?{name}=1"))
            .is(400, "unknown_parameter")
            .at(name, "unknown_parameter")
            .advising(nearest)
    };
    names.into_iter().map(row).collect()
}

fn wrong_answer_conditions() -> Vec<Refusal> {
    let get = |query: &str| Refusal::get(format!("/v1/answers?{query}"));
    let bad =
        |name: &'static str, value: &str| get(&format!("{name}={value}")).is(422, INVALID).at(name, "format");
    vec![
        bad("debt_request_id", "1"),
        bad("state", "lost"),
        bad("is_final", "1"),
        bad("has_debt", "yes"),
        bad("confirmed_in_gis", "yes"),
        bad("updated_since", "1"),
        get("external_id=1C%00").is(422, "character_not_allowed").at("external_id", "character_not_allowed"),
        get("sort=updated_at").is(400, "unknown_parameter").at("sort", "unknown_parameter"),
        get("states=draft").is(400, "unknown_parameter").at("states", "unknown_parameter").advising("state"),
        Refusal::get("/v1/debt-requests?sort=number").is(422, INVALID).at("sort", "format"),
        Refusal::get("/v1/debt-requests?sort=--due_on").is(422, INVALID).at("sort", "format"),
        Refusal::get("/v1/debt-requests/count?limit=1")
            .is(400, "unknown_parameter")
            .at("limit", "unknown_parameter"),
        Refusal::get("/v1/sync-runs?state=done")
            .is(400, "unknown_parameter")
            .at("state", "unknown_parameter"),
    ]
}

#[test]
fn a_page_is_asked_for_properly() {
    for_both(2, async |stand| {
        let [request, other] = stand.request_ids().await.try_into().unwrap();
        let history = |request: &str| format!("/v1/debt-requests/{request}/history");
        let lists = ["/v1/debt-requests".to_owned(), "/v1/answers".to_owned(), "/v1/sync-runs".to_owned()];
        let mut table = Vec::new();
        for list in lists.iter().chain([&history(&request)]) {
            for limit in ["0", "-1", "many", "1.5", "%2B5", "1e2", "0x10"] {
                table.push(
                    Refusal::get(format!("{list}?limit={limit}")).is(422, INVALID).at("limit", "format"),
                );
            }
            for cursor in ["abc", "AAAA", "%D1%8F", &"A".repeat(400)] {
                table.push(Refusal::get(format!("{list}?cursor={cursor}")).is(400, "invalid_cursor"));
            }
        }
        table.extend(cursors_of_other_lists(&stand, &history(&other)).await);
        refused(&stand, &table).await;
    });
}

/// A good cursor belongs to its list, its conditions and its order.
async fn cursors_of_other_lists(stand: &Stand, history: &str) -> Vec<Refusal> {
    let page = stand.client.get("/v1/debt-requests?limit=1").await.ok(200);
    let cursor = page["next"].as_str().unwrap();
    let last = if cursor.ends_with('A') { 'B' } else { 'A' };
    let damaged = format!("{last}{}", cursor.get(1..).unwrap());
    let get = |path: &str| Refusal::get(format!("{path}cursor={cursor}")).is(400, "invalid_cursor");
    stand.client.get(&format!("/v1/debt-requests?limit=1&cursor={cursor}")).await.ok(200);
    vec![
        get("/v1/debt-requests?answered=false&"),
        get("/v1/debt-requests?sort=due_on&"),
        get("/v1/debt-requests?sort=-due_on&"),
        get("/v1/debt-requests?q=1&"),
        get("/v1/answers?"),
        get("/v1/sync-runs?"),
        get(&format!("{history}?")),
        Refusal::get(format!("/v1/debt-requests?cursor={damaged}")).is(400, "invalid_cursor"),
    ]
}

#[test]
fn every_operation_knows_its_parameters() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let run = stand.client.get("/v1/sync-runs").await.ok(200)["items"][0]["id"].clone();
        let table: Vec<_> = operations(&request, run.as_str().unwrap(), UNKNOWN, UNKNOWN)
            .into_iter()
            .map(|(method, path, body)| {
                let path = format!("{path}?dry_run=true");
                let refusal = call(method, path, body).is(400, "unknown_parameter");
                refusal.at("dry_run", "unknown_parameter")
            })
            .collect();
        refused(&stand, &table).await;
        for wait in ["-1", "26", "1.5", "soon", "256"] {
            let refusal = Refusal::get(format!("/v1/answers/{UNKNOWN}?wait={wait}"));
            refusal.is(422, INVALID).at("wait", "format").check(&stand.client).await;
        }
        nothing_was_stored(&stand).await;
        nothing_was_sent(&stand).await;
    });
}

#[test]
fn what_is_not_there_is_not_found_by_any_operation() {
    for_both(1, async |stand| {
        let mut table = Vec::new();
        for id in [UNKNOWN, "17", "null", "00000000-0000-4000-8000-00000000000g"] {
            let operations = operations(id, id, id, id).into_iter().filter(|(_, path, _)| path.contains(id));
            table
                .extend(operations.map(|(method, path, body)| call(method, path, body).is(404, "not_found")));
        }
        assert!(table.len() >= 64, "only {}", table.len());
        refused(&stand, &table).await;
        nothing_was_stored(&stand).await;
    });
}

fn call(method: Method, path: String, body: Option<Value>) -> Refusal {
    let refusal = Refusal::of(format!("{method} {path}"), method, path);
    match body {
        Some(body) => refusal.json(&body),
        None => refusal,
    }
}

/// Every operation with a token that takes no parameter in its address, with a body that it would take.
fn operations(request: &str, run: &str, answer: &str, file: &str) -> Vec<(Method, String, Option<Value>)> {
    let upload = json!({ "file_name": "a.txt", "content_base64": "0LTQsA==" });
    let mut all = vec![
        (Method::GET, "/v1/me".to_owned(), None),
        (Method::GET, "/v1/gis/status".to_owned(), None),
        (Method::GET, "/v1/dictionaries/states".to_owned(), None),
        (Method::POST, "/v1/sync-runs".to_owned(), None),
        (Method::POST, "/v1/debt-requests/lookup".to_owned(), Some(json!({ "ids": [] }))),
        (Method::POST, "/v1/answers/lookup".to_owned(), Some(json!({ "ids": [] }))),
        (Method::POST, "/v1/attachments".to_owned(), Some(upload)),
        (Method::GET, format!("/v1/debt-requests/{request}"), None),
        (Method::PATCH, format!("/v1/debt-requests/{request}"), Some(json!({ "note": "да" }))),
        (Method::POST, format!("/v1/debt-requests/{request}/answers"), Some(json!({ "has_debt": false }))),
        (Method::GET, format!("/v1/sync-runs/{run}"), None),
        (Method::PATCH, format!("/v1/answers/{answer}"), Some(json!({ "comment": "да" }))),
        (Method::DELETE, format!("/v1/answers/{answer}"), None),
        (Method::GET, format!("/v1/answers/{answer}/submissions"), None),
        (Method::GET, format!("/v1/attachments/{file}"), None),
        (Method::GET, format!("/v1/attachments/{file}/content"), None),
        (Method::DELETE, format!("/v1/attachments/{file}"), None),
    ];
    let steps = ["complete", "return", "submit", "cancel", "revoke", "refresh"];
    all.extend(steps.map(|step| (Method::POST, format!("/v1/answers/{answer}/{step}"), None)));
    all
}
