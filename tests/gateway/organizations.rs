//! Organisations that clients add, change and remove: those of their own tokens.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, Reply, Stand, for_both, ids};
use crate::refusal::{Refusal, UNKNOWN, letters, post, refused};

const ORGANIZATIONS: &str = "/v1/organizations";
const INVALID: &str = "validation_failed";

fn path(id: &str) -> String {
    format!("{ORGANIZATIONS}/{id}")
}

fn second() -> Value {
    json!({
        "name": "УК «Вторая»", "ogrn": "1026605606620", "ppa_guid": Uuid::now_v7(), "signer": "main",
        "executors": [{ "name": "Вторых В. В.", "gis_id": Uuid::now_v7() }],
    })
}

/// Adds an organisation and returns its identifier.
async fn added(stand: &Stand) -> String {
    stand.client.post(ORGANIZATIONS, &second()).await.ok(201)["id"].as_str().unwrap().to_owned()
}

/// A call for one of several organisations.
async fn call_for(client: &Client, organization: &str, method: Method, path: &str) -> Reply {
    client.call(method, path).header("organization-id", organization).send().await
}

#[test]
fn an_organisation_is_added_reached_changed_and_removed() {
    for_both(0, async |stand| {
        let body = second();
        let reply = stand.client.post(ORGANIZATIONS, &body).await;
        let id = reply.body["id"].as_str().unwrap().to_owned();
        assert_eq!((reply.header("location"), reply.header("etag")), (path(&id).as_str(), "\"2\""));
        let shown = reply.ok(201);
        for field in ["name", "ogrn", "ppa_guid", "signer"] {
            assert_eq!(shown[field], body[field], "{field}");
        }
        assert_eq!((&shown["time_zone"], &shown["halted"]), (&json!("Europe/Moscow"), &Value::Null));
        assert_eq!(stand.client.get(&path(&id)).await.ok(200), shown);

        // Who names no organisation goes on with the one of before; the new one is named.
        let own = [stand.organization.to_string(), id.clone()];
        assert_eq!(ids(&stand.client.walk(&format!("{ORGANIZATIONS}?limit=1")).await), own);
        assert_eq!(ids(&stand.client.walk("/v1/employees").await), [stand.employee.to_string()]);
        let theirs = call_for(&stand.client, &id, Method::GET, "/v1/employees").await.ok(200);
        assert_eq!(theirs["items"][0]["id"], shown["default_executor_id"]);
        let new = json!({ "name": "Биллинг", "scopes": ["requests:read"], "organizations": [id] });
        let token = stand.client.post("/v1/tokens", &new).await.ok(201);
        let billing = stand.client.with_token(token["token"].as_str().unwrap());
        billing.get("/v1/debt-requests").await.ok(200);

        let head = json!({ "name": "Головин Г. Г.", "gis_id": Uuid::now_v7() });
        let head =
            stand.client.call(Method::POST, "/v1/employees").header("organization-id", &id).json(&head);
        let head = head.send().await.ok(201)["id"].clone();
        let edit = json!({ "name": "УК «Новая»", "time_zone": "Asia/Omsk", "default_executor_id": head });
        let stale = stand.client.call(Method::PATCH, &path(&id)).header("if-match", "\"1\"").json(&edit);
        stale.send().await.problem(412, "version_mismatch");
        let edited = stand.client.patch(&path(&id), &edit).await.ok(200);
        for field in ["name", "time_zone", "default_executor_id"] {
            assert_eq!(edited[field], edit[field], "{field}");
        }
        assert_eq!(edited["version"], 3);
        assert_eq!(stand.client.patch(&path(&id), &edit).await.ok(200), edited, "nothing changes");

        let acting = call_for(&stand.client, &id, Method::DELETE, &path(&id)).await;
        acting.problem(409, "state_conflict");
        stand.client.call(Method::DELETE, &path(&id)).send().await.ok(204);
        stand.client.get(&path(&id)).await.problem(404, "not_found");
        assert_eq!(ids(&stand.client.walk(ORGANIZATIONS).await), own[..1]);
        stand.pass_without_jobs(31).await;
        billing.get("/v1/me").await.problem(401, "token_revoked");
        stand.client.get("/v1/debt-requests").await.ok(200);
    });
}

#[test]
fn organisations_of_others_do_not_exist() {
    for_both(0, async |mut stand| {
        let id = added(&stand).await;
        // Another token of the same organisation has not got the new one.
        let colleague = stand.client_with("admin");
        for client in [&stand.foreigner, &colleague] {
            client.get(&path(&id)).await.problem(404, "not_found");
            client.patch(&path(&id), &json!({ "name": "А" })).await.problem(404, "not_found");
            client.call(Method::DELETE, &path(&id)).send().await.problem(404, "not_found");
            assert!(!ids(&client.walk(ORGANIZATIONS).await).contains(&id));
        }
        let ours = path(&stand.organization.to_string());
        stand.foreigner.get(&ours).await.problem(404, "not_found");
        colleague.get(&ours).await.ok(200);
        let employee = stand.employee.to_string();
        let [acting] = stand.act_as([employee.as_str()]);
        acting.post(ORGANIZATIONS, &second()).await.problem(403, "rights_exceeded");
        acting.patch(&ours, &json!({ "name": "А" })).await.problem(403, "rights_exceeded");
        acting.get(&ours).await.ok(200);
    });
}

#[test]
fn whatever_has_debt_requests_stays() {
    for_both(1, async |stand| {
        let id = added(&stand).await;
        let ours = path(&stand.organization.to_string());
        let refused = call_for(&stand.client, &id, Method::DELETE, &ours).await;
        let problem = refused.problem(409, "state_conflict");
        assert!(problem["detail"].as_str().unwrap().contains("запросы о задолженности"), "{problem:#}");
        stand.client.get(&ours).await.ok(200);
    });
}

#[test]
fn what_is_done_is_told_to_the_organisation() {
    for_both(0, async |stand| {
        let id = added(&stand).await;
        stand.client.patch(&path(&id), &json!({ "name": "УК «Новая»" })).await.ok(200);
        let log = format!("/v1/audit-log?target=organizations/{id}");
        let actions = async |reply: Reply| {
            let entries = reply.ok(200)["items"].as_array().unwrap().clone();
            entries.iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let expected = ["edit_organization", "add_organization"];
        assert_eq!(actions(stand.client.get(&log).await).await, expected);
        assert_eq!(actions(call_for(&stand.client, &id, Method::GET, &log).await).await, expected);
    });
}

#[test]
fn wrong_organisations_are_refused_with_their_mistakes() {
    for_both(0, async |stand| {
        let add = |change: Value| {
            let mut body = second();
            for (name, value) in change.as_object().unwrap() {
                body[name] = value.clone();
            }
            post(format!("new {change:.80}"), ORGANIZATIONS, &body)
        };
        let at = path(&stand.organization.to_string());
        let edit = |body: Value| Refusal::of(format!("edit {body:.80}"), Method::PATCH, &at).json(&body);
        let helper = stand.employ("Помощников П. П.", None, None).await;
        let known = stand.client.get(&at).await.ok(200);
        let table = [
            post("nothing", ORGANIZATIONS, &json!({})).is(422, INVALID).at("/ogrn", "required"),
            add(json!({ "name": " " })).is(422, INVALID).at("/name", "required"),
            add(json!({ "name": letters(256) })).is(422, INVALID).at("/name", "too_long"),
            add(json!({ "ogrn": "17" })).is(422, INVALID).at("/ogrn", "pattern"),
            add(json!({ "ogrn": "1027700132196" })).is(422, INVALID).at("/ogrn", "format"),
            add(json!({ "ppa_guid": "17" })).is(422, INVALID).at("/ppa_guid", "format"),
            add(json!({ "ppa_guid": known["ppa_guid"] })).is(409, "state_conflict"),
            add(json!({ "signer": "nobody" })).is(422, INVALID).at("/signer", "not_found").advising("main"),
            add(json!({ "time_zone": "Moscow" })).is(422, INVALID).at("/time_zone", "format"),
            add(json!({ "executors": [{ "name": " ", "gis_id": UNKNOWN }] }))
                .is(422, INVALID)
                .at("/executors/0/name", "required"),
            add(json!({ "id": UNKNOWN })).is(422, "unknown_field").at("/id", "unknown_field"),
            edit(json!({ "name": " " })).is(422, INVALID).at("/name", "required"),
            edit(json!({ "signer": "nobody" })).is(422, INVALID).at("/signer", "not_found"),
            edit(json!({ "time_zone": "Moscow" })).is(422, INVALID).at("/time_zone", "format"),
            edit(json!({ "default_executor_id": UNKNOWN }))
                .is(422, INVALID)
                .at("/default_executor_id", "not_found"),
            edit(json!({ "default_executor_id": helper }))
                .is(422, "executor_without_gis_id")
                .at("/default_executor_id", "executor_without_gis_id"),
            edit(json!({ "ogrn": "1026605606620" })).is(422, "unknown_field").at("/ogrn", "unknown_field"),
            edit(json!({ "name": "А" })).header("if-match", "\"7\"").is(412, "version_mismatch"),
            Refusal::of("its own", Method::DELETE, &at).is(409, "state_conflict"),
            Refusal::get(path(UNKNOWN)).is(404, "not_found"),
            Refusal::of("unknown", Method::DELETE, path(UNKNOWN)).is(404, "not_found"),
        ];
        refused(&stand, &table).await;
        assert_eq!(stand.client.get(&at).await.ok(200), known);
    });
}
