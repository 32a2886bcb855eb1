//! Attacks on tokens: each is refused, and the refusal says no more than it must.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use gis_sim::{Config, Sim};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde_json::{Value, json};
use test_support::postgres::for_both_urls;
use uuid::Uuid;

use crate::harness::{ALL_SCOPES, Client, Reply, Stand, Workshop, for_both};

const PATH: &str = "/v1/debt-requests";

/// The claims of a token.
pub(crate) fn claims_of(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// A token signed by a key, with any header and claims.
fn forged(header: &Header, claims: &Value, key: &EncodingKey) -> String {
    jsonwebtoken::encode(header, claims, key).unwrap()
}

fn header(algorithm: Algorithm, kid: Option<&str>) -> Header {
    Header { typ: Some("at+jwt".to_owned()), kid: kid.map(str::to_owned), ..Header::new(algorithm) }
}

/// The gateway's own key, as a thief of something else would not have it.
pub(crate) fn own_key(stand: &Stand) -> EncodingKey {
    EncodingKey::from_ed_pem(&std::fs::read(stand.workshop.path("token.pem")).unwrap()).unwrap()
}

/// The refusal of a token, with the challenge that RFC 6750 wants.
async fn refused(client: &Client, token: &str, code: &str) {
    let reply = client.with_token(token).get(PATH).await;
    challenged(&reply);
    reply.problem(401, code);
}

fn challenged(reply: &Reply) {
    assert!(reply.header("www-authenticate").starts_with("Bearer"), "{:#}", reply.body);
}

/// A forgery whose header and claims start from those of a good token, signed with the gateway's own key.
async fn refused_as(stand: &Stand, change: impl Fn(&mut Header, &mut Value), code: &str) {
    let good = stand.token();
    let mut claims = claims_of(good);
    let mut header = header(Algorithm::EdDSA, Some("main"));
    let untouched = forged(&header, &claims, &own_key(stand));
    stand.client.with_token(&untouched).get(PATH).await.ok(200);
    change(&mut header, &mut claims);
    refused(&stand.client, &forged(&header, &claims, &own_key(stand)), code).await;
}

#[test]
fn no_token() {
    for_both(0, async |stand| {
        let reply = stand.client.without_token().get(PATH).await;
        challenged(&reply);
        reply.problem(401, "token_missing");
    });
}

#[test]
fn another_scheme() {
    for_both(0, async |stand| {
        let call = stand.client.without_token().call(Method::GET, PATH);
        let reply = call.header("authorization", "Basic dXNlcjpwYXNz").send().await;
        challenged(&reply);
        reply.problem(401, "token_missing");
    });
}

#[test]
fn no_signature_at_all() {
    for_both(0, async |stand| {
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = claims_of(stand.token());
        let head = json!({ "typ": "at+jwt", "alg": "none", "kid": "main" });
        refused(&stand.client, &format!("{}.{}.", encode(head), encode(claims)), "token_invalid").await;
    });
}

#[test]
fn another_key_under_the_same_name() {
    for_both(0, async |stand| {
        let path = stand.workshop.path("thief.pem");
        stand.workshop.run(&["keys", "generate", "--alg", "eddsa", "--out", &path]);
        let key = EncodingKey::from_ed_pem(&std::fs::read(path).unwrap()).unwrap();
        let claims = claims_of(stand.token());
        refused(
            &stand.client,
            &forged(&header(Algorithm::EdDSA, Some("main")), &claims, &key),
            "token_invalid",
        )
        .await;
    });
}

#[test]
fn a_key_that_nobody_knows() {
    for_both(0, async |stand| {
        refused_as(&stand, |header, _| header.kid = Some("other".to_owned()), "token_invalid").await;
    });
}

#[test]
fn no_name_of_a_key() {
    for_both(0, async |stand| refused_as(&stand, |header, _| header.kid = None, "token_invalid").await);
}

#[test]
fn another_type_of_token() {
    for_both(0, async |stand| {
        refused_as(&stand, |header, _| header.typ = Some("JWT".to_owned()), "token_invalid").await;
    });
}

#[test]
fn another_audience() {
    for_both(0, async |stand| {
        refused_as(&stand, |_, claims| claims["aud"] = json!("billing"), "token_invalid").await;
    });
}

#[test]
fn another_issuer() {
    for_both(0, async |stand| {
        refused_as(&stand, |_, claims| claims["iss"] = json!("billing"), "token_invalid").await;
    });
}

#[test]
fn a_token_that_was_never_issued() {
    for_both(0, async |stand| {
        refused_as(&stand, |_, claims| claims["jti"] = json!(Uuid::now_v7()), "token_invalid").await;
    });
}

#[test]
fn a_token_from_the_future() {
    for_both(0, async |stand| {
        let future = stand.gis().now().timestamp() + 3600;
        refused_as(&stand, |_, claims| claims["iat"] = json!(future), "token_invalid").await;
    });
}

#[test]
fn an_expired_token() {
    for_both(0, async |stand| {
        stand.client.get(PATH).await.ok(200);
        // The tokens of a stand are issued for 90 days.
        stand.pass_without_jobs(91 * 24 * 3600).await;
        refused(&stand.client, stand.token(), "token_expired").await;
    });
}

#[test]
fn changed_claims() {
    for_both(0, async |stand| {
        let mut claims = claims_of(stand.token());
        claims["scope"] = json!("admin");
        let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
        let parts: Vec<_> = stand.token().split('.').collect();
        refused(&stand.client, &[parts[0], &claims, parts[2]].join("."), "token_invalid").await;
    });
}

#[test]
fn a_revoked_token() {
    for_both_urls(async |url| {
        let sim = Sim::start(Config { requests: 0, ..Config::default() }).unwrap();
        let workshop = Workshop::new(url, &sim.base_url(), Utc::now(), "", "");
        let employee = format!("Образцова Анна Сергеевна={}", Uuid::now_v7());
        let (organization, _) = workshop.organization("УК", "1027700132195", Uuid::now_v7(), &employee);
        let [token, other] = [(); 2].map(|()| workshop.token(&[organization], ALL_SCOPES, "30"));
        workshop.run(&["token", "revoke", claims_of(&token)["jti"].as_str().unwrap()]);
        let gateway = workshop.serve(Utc::now());
        let client = Client::new(&gateway.public, &other);
        client.get(PATH).await.ok(200);
        refused(&client, &token, "token_revoked").await;
    });
}

#[test]
fn a_token_in_the_address() {
    for_both(0, async |stand| {
        for name in ["access-token", "access_token", "token", "api_key"] {
            let path = format!("{PATH}?{name}={}", stand.token());
            for client in [&stand.client, &stand.client.without_token()] {
                let reply = client.get(&path).await;
                challenged(&reply);
                let problem = reply.problem(401, "token_missing");
                assert!(problem["detail"].as_str().unwrap().contains("Authorization"), "{problem:#}");
            }
        }
        assert!(!stand.gateway.log().contains(stand.token()), "tokens do not get into the log");
    });
}

#[test]
fn what_belongs_to_others_does_not_exist() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let answer = stand.answer(&request, &json!({ "submit": true, "has_debt": false })).await;
        let file = json!({ "file_name": "a.txt", "content_base64": "0LTQsA==" });
        let file =
            stand.client.post("/v1/attachments", &file).await.ok(201)["id"].as_str().unwrap().to_owned();
        let run =
            stand.client.get("/v1/sync-runs").await.ok(200)["items"][0]["id"].as_str().unwrap().to_owned();
        let unknown = "00000000-0000-4000-8000-000000000000";
        for (kind, id) in
            [("debt-requests", request), ("answers", answer), ("attachments", file), ("sync-runs", run)]
        {
            let theirs = stand.foreigner.get(&format!("/v1/{kind}/{id}")).await.problem(404, "not_found");
            let nobodys =
                stand.foreigner.get(&format!("/v1/{kind}/{unknown}")).await.problem(404, "not_found");
            for field in ["type", "title", "detail", "errors"] {
                assert_eq!(theirs[field], nobodys[field], "{kind}");
            }
            stand.client.get(&format!("/v1/{kind}/{id}")).await.ok(200);
        }
        let call = stand
            .foreigner
            .call(Method::GET, PATH)
            .header("organization-id", &stand.organization.to_string());
        call.send().await.problem(404, "not_found");
    });
}

#[test]
fn a_token_of_two_organisations_names_one() {
    for_both_urls(async |url| {
        let sim = Sim::start(Config { requests: 0, ..Config::default() }).unwrap();
        let workshop = Workshop::new(url, &sim.base_url(), Utc::now(), "", "");
        let employee = format!("Образцова Анна Сергеевна={}", Uuid::now_v7());
        let make = |name: &str, ogrn: &str| workshop.organization(name, ogrn, Uuid::now_v7(), &employee).0;
        let both = [make("Первая", "1027700132195"), make("Вторая", "1026605606620")];
        let token = workshop.token(&both, ALL_SCOPES, "30");
        let gateway = workshop.serve(Utc::now());
        let client = Client::new(&gateway.public, &token);
        client.get(PATH).await.problem(400, "organization_required");
        for organization in both {
            let call = client.call(Method::GET, PATH).header("organization-id", &organization.to_string());
            call.send().await.ok(200);
        }
        client
            .call(Method::GET, PATH)
            .header("organization-id", "first")
            .send()
            .await
            .problem(422, "validation_failed");
        assert_eq!(client.get("/v1/me").await.ok(200)["organizations"].as_array().unwrap().len(), 2);
    });
}
