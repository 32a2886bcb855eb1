//! The audit log (`api.md` §14): everything that was done leaves one entry, and nothing else does.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Client, Reply, Stand, for_both, ids};
use crate::tokens::claims_of;
use crate::walk;

const LOG: &str = "/v1/audit-log";
/// What may look like a change to its method, and changes nothing.
const READING: [&str; 3] = ["lookup_answers", "lookup_debt_requests", "preview_auto_answer"];

async fn log(client: &Client) -> Vec<Value> {
    client.walk(&format!("{LOG}?limit=200")).await
}

/// What a reply has left in the log.
async fn left_by(client: &Client, reply: &Reply) -> Vec<Value> {
    let id = reply.header("request-id");
    log(client).await.into_iter().filter(|entry| entry["request_id"] == id).collect()
}

fn actions(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["action"].as_str().unwrap()).collect()
}

fn debt() -> Value {
    let debtor = json!({ "last_name": "Вымышленный", "first_name": "Пётр", "snils": "11223344595" });
    json!({ "submit": false, "has_debt": true, "debtors": [debtor] })
}

#[test]
fn whatever_is_done_leaves_one_entry_and_what_is_refused_none() {
    for_both(1, async |stand| {
        let identifiers = walk::identifiers(&stand).await;
        let mut done = Vec::new();
        for operation in walk::operations(&stand.client).await {
            if operation.method == Method::GET || operation.scopes.is_none() {
                continue;
            }
            let reply = operation.call(&stand.client, &operation.address(&identifiers)).await;
            let left = left_by(&stand.client, &reply).await;
            if reply.status.is_success() && !READING.contains(&operation.id.as_str()) {
                let [entry] = left.as_slice() else { panic!("{}: {left:#?}", operation.id) };
                assert_eq!(entry["action"], operation.id.as_str());
                let target = entry["target"].as_str().unwrap();
                match reply.headers.get("location") {
                    Some(place) => assert_eq!(place.to_str().unwrap(), format!("/v1/{target}")),
                    None => assert!(operation.path.contains(target.split('/').next().unwrap()), "{target}"),
                }
                done.push(operation.id);
            } else {
                assert!(left.is_empty(), "{}: {} {left:#?}", operation.id, reply.status);
            }
        }
        assert!(done.len() >= 10, "{done:?}");
        let theirs = log(&stand.foreigner).await;
        assert_eq!(actions(&theirs), ["issue_token", "add_organization"], "what is ours is not theirs");
    });
}

#[test]
fn the_life_of_an_answer_is_told_without_what_it_says() {
    for_both(2, async |stand| {
        let [request, other] = stand.request_ids().await.try_into().unwrap();
        let answer = stand.answer(&request, &debt()).await;
        let path = format!("/v1/answers/{answer}");
        let step = async |name: &str, body: Value| stand.client.post(&format!("{path}/{name}"), &body).await;
        stand.client.patch(&path, &json!({ "comment": "Решение от 12.03.2025" })).await.ok(200);
        step("complete", json!({})).await.ok(200);
        step("return", json!({ "comment": "Приложите решение" })).await.ok(200);
        let submitted =
            step("submit", json!({ "confirm": ["registry_disagrees"], "reason": "Проверено" })).await;
        let request_id = submitted.header("request-id").to_owned();
        submitted.ok(202);
        step("cancel", json!({})).await.ok(200);
        step("submit", json!({})).await.problem(409, "state_conflict");

        let entries = stand.client.walk(&format!("{LOG}?target=answers/{answer}&limit=2")).await;
        let expected = [
            "cancel_answer",
            "submit_answer",
            "return_answer",
            "complete_answer",
            "edit_answer",
            "create_answer",
        ];
        assert_eq!(actions(&entries), expected);
        let [_, submit, .., edit, create] = entries.as_slice() else { panic!() };
        assert!(create["after_hash"].as_str().unwrap().starts_with("hmac:"));
        assert_eq!((&edit["before_hash"], &create["before_hash"]), (&create["after_hash"], &Value::Null));
        assert_ne!(edit["after_hash"], edit["before_hash"]);
        assert_eq!(
            (&submit["confirm"], &submit["reason"], &submit["request_id"]),
            (&json!(["registry_disagrees"]), &json!("Проверено"), &json!(request_id))
        );
        let token = claims_of(stand.token())["jti"].clone();
        let actor = json!({
            "kind": "client", "token_id": token, "token_name": "test", "employee_id": null, "ip": "127.0.0.1",
        });
        assert_eq!(submit["actor"], actor);

        // A draft that is deleted is known by what it was.
        let draft = stand.answer(&other, &debt()).await;
        let deleted = stand.client.call(Method::DELETE, &format!("/v1/answers/{draft}")).send().await;
        assert_eq!(deleted.status.as_u16(), 204);
        let entries = stand.client.walk(&format!("{LOG}?target=answers/{draft}")).await;
        let [delete, create] = entries.as_slice() else { panic!("{entries:#?}") };
        assert_eq!((&delete["before_hash"], &delete["after_hash"]), (&create["after_hash"], &Value::Null));
        let note =
            stand.client.patch(&format!("/v1/debt-requests/{other}"), &json!({ "note": "Пётр" })).await;
        let [assigned] = left_by(&stand.client, &note).await.try_into().unwrap();
        assert_eq!(assigned["target"], format!("debt-requests/{other}"));
        assert_ne!(assigned["before_hash"], assigned["after_hash"]);

        let everything = Value::from(log(&stand.client).await).to_string();
        for personal in ["Вымышленный", "Пётр", "11223344595", "Решение от", "Приложите"]
        {
            assert!(!everything.contains(personal), "{personal}");
        }
    });
}

#[test]
fn a_repeated_request_leaves_nothing_more() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let path = format!("/v1/debt-requests/{request}/answers");
        let post = async |body: &Value| {
            let call = stand.client.call(Method::POST, &path).header("idempotency-key", "once");
            call.json(body).send().await
        };
        let first = post(&debt()).await;
        assert_eq!(left_by(&stand.client, &first).await.len(), 1);
        let replayed = post(&debt()).await;
        assert_eq!(replayed.header("idempotency-replayed"), "true");
        assert!(left_by(&stand.client, &replayed).await.is_empty());
        let reused = post(&json!({ "has_debt": false })).await;
        assert!(left_by(&stand.client, &reused).await.is_empty());
        reused.problem(422, "idempotency_key_reused");
        let powerless = stand.powerless.post(&path, &debt()).await;
        assert!(left_by(&stand.client, &powerless).await.is_empty());
        powerless.problem(403, "scope_missing");
        let count = actions(&log(&stand.client).await).iter().filter(|it| **it == "create_answer").count();
        assert_eq!(count, 1);
    });
}

#[test]
fn the_log_is_read_page_by_page_and_filtered() {
    for_both(3, async |stand| {
        let beginning = stand.gis().now();
        for request in stand.request_ids().await {
            stand.answer(&request, &debt()).await;
        }
        let all = log(&stand.client).await;
        assert_eq!(ids(&stand.client.walk(&format!("{LOG}?limit=1")).await), ids(&all));
        let told: Vec<_> = all.iter().map(|entry| entry["at"].as_str().unwrap()).collect();
        assert!(told.iter().rev().is_sorted(), "{told:?}");

        let filtered = async |query: &str| {
            let found = stand.client.walk(&format!("{LOG}?{query}")).await;
            actions(&found).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let created = ["create_answer"; 3];
        assert_eq!(filtered("action=create_answer").await, created);
        assert_eq!(filtered("actor=client").await, created);
        let token = claims_of(stand.token())["jti"].as_str().unwrap().to_uppercase();
        assert_eq!(filtered(&format!("actor={token}")).await, created);
        assert_eq!(filtered("actor=cli").await, ["issue_token", "issue_token", "add_organization"]);
        assert!(filtered(&format!("actor={}", uuid::Uuid::now_v7())).await.is_empty());
        let moment = beginning.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        assert_eq!(filtered(&format!("from={moment}&action=create_answer")).await, created);
        assert!(filtered(&format!("to={moment}&action=create_answer")).await.is_empty());
        for (query, parameter) in [("actor=nobody", "actor"), ("from=yesterday", "from")] {
            let problem = stand.client.get(&format!("{LOG}?{query}")).await.ok(422);
            assert_eq!(problem["errors"][0]["parameter"], parameter);
        }
        let page = stand.client.get(&format!("{LOG}?limit=1")).await.ok(200);
        let cursor = page["next"].as_str().unwrap();
        let mixed = stand.client.get(&format!("{LOG}?actor=cli&cursor={cursor}")).await;
        mixed.problem(400, "invalid_cursor");
    });
}

#[test]
fn the_operator_is_told_of_too() {
    for_both(0, async |mut stand: Stand| {
        let doomed = claims_of(stand.token())["jti"].as_str().unwrap().to_owned();
        let mut auditor = String::new();
        let (organization, employee) = (stand.organization, stand.employee);
        stand.restart_after(|workshop| {
            workshop.run(&["token", "revoke", &doomed]);
            auditor = workshop.token(&[organization], "audit:read", "30");
            workshop.run(&["org", "resume", "--id", &organization.to_string()]);
            let (id, executor) = (organization.to_string(), employee.to_string());
            workshop.run(&["org", "executor", "--id", &id, "--employee", &executor]);
        });
        let found = log(&stand.client.with_token(&auditor)).await;
        let expected = [
            "set_default_executor",
            "resume_organization",
            "issue_token",
            "revoke_token",
            "issue_token",
            "issue_token",
            "add_organization",
        ];
        let mut told = actions(&found);
        told.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(told, expected);
        let named = found.iter().find(|entry| entry["action"] == "set_default_executor").unwrap();
        assert_eq!(named["target"], format!("organizations/{organization}"));
        let revoked = found.iter().find(|entry| entry["action"] == "revoke_token").unwrap();
        assert_eq!(revoked["target"], format!("tokens/{doomed}"));
        let actor = json!({
            "kind": "cli", "token_id": null, "token_name": null, "employee_id": null, "ip": null,
        });
        assert_eq!((&revoked["actor"], &revoked["request_id"]), (&actor, &Value::Null));
    });
}
