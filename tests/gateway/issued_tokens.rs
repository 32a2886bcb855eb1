//! Tokens that clients issue and revoke: shown once, kept nowhere, and never more than the issuer has.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{ALL_SCOPES, Client, Reply, Stand, for_both, ids};
use crate::refusal::{Refusal, UNKNOWN, letters, post, refused};
use crate::token_attacks::public_pem;
use crate::tokens::claims_of;

const TOKENS: &str = "/v1/tokens";
const INVALID: &str = "validation_failed";

fn path(id: &str) -> String {
    format!("{TOKENS}/{id}")
}

fn billing() -> Value {
    json!({ "name": "Биллинг", "scopes": ["requests:read", "answers:write"], "days": 10 })
}

async fn revoke(client: &Client, id: &str) -> Reply {
    client.call(Method::DELETE, &path(id)).send().await
}

/// The identifier of a token that a client issues.
async fn issued(client: &Client) -> String {
    client.post(TOKENS, &billing()).await.ok(201)["id"].as_str().unwrap().to_owned()
}

/// The organisation of the other clients.
async fn foreign_organization(stand: &Stand) -> Uuid {
    let me = stand.foreigner.get("/v1/me").await.ok(200);
    me["organizations"][0]["id"].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_token_is_shown_once_works_and_is_revoked() {
    for_both(0, async |stand| {
        let first = stand.client.post(TOKENS, &billing()).await;
        let id = first.body["id"].as_str().unwrap().to_owned();
        assert_eq!(first.header("location"), path(&id));
        let mut first = first.ok(201);
        let text = first["token"].take().as_str().unwrap().to_owned();
        assert_eq!(claims_of(&text)["jti"], *id);
        let own = json!([stand.organization]);
        assert_eq!(
            (&first["scopes"], &first["organizations"]),
            (&json!(["requests:read", "answers:write"]), &own)
        );
        assert_eq!(
            (&first["created_by"], &first["has_other_organizations"]),
            (&json!("test"), &json!(false))
        );

        let client = stand.client.with_token(&text);
        client.get("/v1/debt-requests").await.ok(200);
        client.get("/v1/answers").await.problem(403, "scope_missing");
        client.get(TOKENS).await.problem(403, "scope_missing");
        let shown = stand.client.get(&path(&id)).await.ok(200);
        assert_eq!((shown.get("token"), &shown["revoked_at"]), (None, &Value::Null));
        let listed = stand.client.walk(&format!("{TOKENS}?limit=1")).await;
        // Those of the operator and this one; the newest comes first.
        assert_eq!((listed.len(), &listed[0]["id"]), (3, &json!(id)));
        assert!(!Value::from(listed).to_string().contains(&text));

        revoke(&stand.client, &id).await.ok(204);
        client.get("/v1/me").await.problem(401, "token_revoked");
        revoke(&stand.client, &id).await.ok(204);
        assert!(stand.client.get(&path(&id)).await.ok(200)["revoked_at"].is_string());
        let log = stand.client.walk(&format!("/v1/audit-log?target=tokens/{id}")).await;
        let actions: Vec<_> = log.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["revoke_token", "revoke_token", "issue_token"]);
        assert!(!stand.gateway.log().contains(&text), "tokens do not get into the log");
    });
}

#[test]
fn a_repeat_issues_no_second_token_and_does_not_show_the_first() {
    for_both(0, async |stand| {
        let issue = async || {
            let call = stand.client.call(Method::POST, TOKENS).header("idempotency-key", "t-1");
            call.json(&billing()).send().await
        };
        let mut first = issue().await.ok(201);
        assert!(first["token"].take().is_string());
        let again = issue().await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.ok(201), first, "the same without the text");
        assert_eq!(stand.client.walk(TOKENS).await.len(), 3);
    });
}

#[test]
fn nobody_gives_what_he_does_not_have() {
    for_both(0, async |mut stand| {
        let theirs = foreign_organization(&stand).await;
        let employee = stand.employee.to_string();
        let [acting] = stand.act_as([employee.as_str()]);
        let beyond = async |client: &Client, body: Value| {
            let problem = client.post(TOKENS, &body).await.problem(403, "rights_exceeded");
            problem["detail"].clone()
        };
        let of = |organization: &str| json!({ "name": "А", "scopes": ["requests:read"], "organizations": [organization] });
        let foreign = beyond(&stand.client, of(&theirs.to_string())).await;
        assert_eq!(foreign, beyond(&stand.client, of(UNKNOWN)).await, "nothing is told of what others have");
        beyond(&acting, billing()).await;
        revoke(&acting, UNKNOWN).await.problem(403, "rights_exceeded");
        acting.get(TOKENS).await.ok(200);
        let as_employee = json!({ "name": "А", "scopes": ["answers:write"], "employee_id": employee });
        let issued = stand.client.post(TOKENS, &as_employee).await.ok(201);
        let me = stand.client.with_token(issued["token"].as_str().unwrap()).get("/v1/me").await.ok(200);
        assert_eq!(me["employee"]["id"], *employee);

        let limited = stand.client_with("admin,requests:read");
        beyond(&limited, json!({ "name": "А", "scopes": ["requests:read", "answers:write"] })).await;
        // The name of a token that may do more than he.
        beyond(&limited, json!({ "name": "А", "scopes": ["requests:read"] })).await;
        limited.post(TOKENS, &json!({ "name": "Б", "scopes": ["requests:read"] })).await.ok(201);
    });
}

#[test]
fn tokens_of_others_do_not_exist() {
    for_both(0, async |mut stand| {
        let theirs = issued(&stand.foreigner).await;
        stand.client.get(&path(&theirs)).await.problem(404, "not_found");
        revoke(&stand.client, &theirs).await.problem(404, "not_found");
        assert!(!ids(&stand.client.walk(TOKENS).await).contains(&theirs));

        // One that has organisations of both is seen, and loses those of whoever revokes it.
        let (ours, other) = (stand.organization, foreign_organization(&stand).await);
        let (mut shared, mut wide) = (String::new(), String::new());
        stand.restart_after(|workshop| {
            shared = workshop.token(&[ours, other], "requests:read", "30");
            wide = workshop.token(&[ours, other], ALL_SCOPES, "30");
        });
        let id = claims_of(&shared)["jti"].as_str().unwrap().to_owned();
        let seen = stand.client.get(&path(&id)).await.ok(200);
        assert_eq!(
            (&seen["organizations"], &seen["has_other_organizations"]),
            (&json!([ours]), &json!(true))
        );
        let shared = stand.client.with_token(&shared);
        let me = async |organization: Uuid| {
            shared
                .call(Method::GET, "/v1/debt-requests")
                .header("organization-id", &organization.to_string())
                .send()
                .await
        };
        revoke(&stand.client, &id).await.ok(204);
        me(ours).await.problem(404, "not_found");
        me(other).await.ok(200);
        stand.client.get(&path(&id)).await.problem(404, "not_found");
        let call = stand.client.with_token(&wide).call(Method::DELETE, &path(&id));
        call.header("organization-id", &other.to_string()).send().await.ok(204);
        me(other).await.problem(401, "token_revoked");
        // Both are told.
        for client in [&stand.client, &stand.foreigner] {
            let told = client.walk(&format!("/v1/audit-log?target=tokens/{id}&action=revoke_token")).await;
            assert_eq!(told.len(), 1);
        }
    });
}

#[test]
fn no_token_revokes_itself() {
    for_both(0, async |stand| {
        let own = claims_of(stand.token())["jti"].as_str().unwrap().to_owned();
        revoke(&stand.client, &own).await.problem(409, "state_conflict");
        stand.client.get("/v1/me").await.ok(200);
    });
}

#[test]
fn a_gateway_without_a_key_that_signs_says_so() {
    for_both(0, async |mut stand| {
        let pem = public_pem(&stand);
        stand.restart_after(|workshop| {
            std::fs::write(workshop.path("token.pub.pem"), pem).unwrap();
            let settings = workshop.path("debtgate.toml");
            let text = std::fs::read_to_string(&settings).unwrap();
            let text = text.replace("private_key = \"token.pem\"", "public_key = \"token.pub.pem\"");
            // The other key signs as well.
            let shared = "    { kid = \"shared\", alg = \"HS256\", secret = \"secret.txt\" },\n";
            assert!(text.contains(shared));
            std::fs::write(settings, text.replace(shared, "")).unwrap();
        });
        let before = stand.client.walk(TOKENS).await.len();
        stand.client.post(TOKENS, &billing()).await.problem(409, "signing_key_missing");
        assert_eq!(stand.client.walk(TOKENS).await.len(), before, "nothing was stored");
    });
}

#[test]
fn wrong_tokens_are_refused_with_their_mistakes() {
    for_both(0, async |stand| {
        let issue = |change: Value| {
            let mut body = billing();
            for (name, value) in change.as_object().unwrap() {
                body[name] = value.clone();
            }
            post(format!("new {change:.80}"), TOKENS, &body)
        };
        let table = [
            post("nothing", TOKENS, &json!({})).is(422, INVALID).at("/name", "required"),
            issue(json!({ "name": "" })).is(422, INVALID).at("/name", "too_short"),
            issue(json!({ "name": " " })).is(422, INVALID).at("/name", "required"),
            issue(json!({ "name": letters(256) })).is(422, INVALID).at("/name", "too_long"),
            issue(json!({ "scopes": [] })).is(422, INVALID).at("/scopes", "too_few"),
            issue(json!({ "scopes": ["requests:read", "requests:all"] }))
                .is(422, INVALID)
                .at("/scopes/1", "enum")
                .advising("answers:read"),
            issue(json!({ "scopes": "requests:read" })).is(422, INVALID).at("/scopes", "type"),
            issue(json!({ "days": 0 })).is(422, INVALID).at("/days", "too_small"),
            issue(json!({ "days": 367 })).is(422, INVALID).at("/days", "too_large"),
            issue(json!({ "organizations": ["17"] })).is(422, INVALID).at("/organizations/0", "format"),
            issue(json!({ "employee_id": UNKNOWN })).is(422, INVALID).at("/employee_id", "not_found"),
            issue(json!({ "token": "x" })).is(422, "unknown_field").at("/token", "unknown_field"),
            Refusal::get(path(UNKNOWN)).is(404, "not_found"),
            Refusal::of("unknown", Method::DELETE, path(UNKNOWN)).is(404, "not_found"),
        ];
        refused(&stand, &table).await;
    });
}
