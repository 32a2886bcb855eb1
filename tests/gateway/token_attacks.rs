//! More attacks on tokens: keys that are mistaken for others, headers that say two things, times that do not fit.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use gis_sim::{Config, Sim};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde_json::json;
use test_support::postgres::for_both_urls;
use uuid::Uuid;

use crate::harness::{ALL_SCOPES, Client, Reply, Stand, Workshop, for_both};
use crate::tokens::{claims_of, own_key};

const PATH: &str = "/v1/debt-requests";
/// SubjectPublicKeyInfo (RFC 8410 §4) before the 32 octets of an Ed25519 public key.
const SPKI_ED25519: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

fn header(algorithm: Algorithm, kid: &str) -> Header {
    Header { typ: Some("at+jwt".to_owned()), kid: Some(kid.to_owned()), ..Header::new(algorithm) }
}

/// The claims of the stand's own token under another header, signed by some key.
fn forged(stand: &Stand, header: &Header, key: &EncodingKey) -> String {
    jsonwebtoken::encode(header, &claims_of(stand.token()), key).unwrap()
}

/// The secret of the key `shared`.
fn shared_secret(stand: &Stand) -> EncodingKey {
    EncodingKey::from_secret(&std::fs::read(stand.workshop.path("secret.txt")).unwrap())
}

async fn get(client: &Client, token: &str) -> Reply {
    client.with_token(token).get(PATH).await
}

/// A refusal with the challenge of RFC 6750 §3; it repeats nothing of the token.
#[track_caller]
fn refused(reply: Reply, token: &str, code: &str) {
    assert!(reply.header("www-authenticate").starts_with("Bearer"), "{:#}", reply.body);
    let text = reply.problem(401, code).to_string();
    let parts = token.split('.').filter(|part| !part.is_empty());
    assert!(parts.into_iter().all(|part| !text.contains(part)), "the token is repeated: {text}");
}

/// The 32 octets of the gateway's public key.
fn public_octets(stand: &Stand) -> Vec<u8> {
    let jwk = Jwk::from_encoding_key(&own_key(stand), Algorithm::EdDSA).unwrap();
    let jwk = serde_json::to_value(jwk).unwrap();
    URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap()).unwrap()
}

fn spki(public: &[u8]) -> Vec<u8> {
    [SPKI_ED25519.as_slice(), public].concat()
}

/// The gateway's public key as a file.
pub(crate) fn public_pem(stand: &Stand) -> String {
    let der = spki(&public_octets(stand));
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
}

#[test]
fn the_public_key_is_no_secret_of_an_hmac() {
    for_both(0, async |stand| {
        let public = public_octets(&stand);
        let (der, pem, x) = (spki(&public), public_pem(&stand), URL_SAFE_NO_PAD.encode(&public));
        for secret in [public.as_slice(), &der, pem.as_bytes(), pem.trim_end().as_bytes(), x.as_bytes()] {
            let key = EncodingKey::from_secret(secret);
            let token = forged(&stand, &header(Algorithm::HS256, "main"), &key);
            refused(get(&stand.client, &token).await, &token, "token_invalid");
        }
    });
}

#[test]
fn a_good_signature_counts_under_the_name_of_its_own_key_alone() {
    for_both(0, async |stand| {
        let (own, shared) = (own_key(&stand), shared_secret(&stand));
        for (algorithm, kid, key) in [(Algorithm::EdDSA, "main", &own), (Algorithm::HS256, "shared", &shared)]
        {
            get(&stand.client, &forged(&stand, &header(algorithm, kid), key)).await.ok(200);
        }
        for (algorithm, kid, key) in [
            (Algorithm::HS256, "main", &shared),
            (Algorithm::EdDSA, "shared", &own),
            (Algorithm::HS384, "shared", &shared),
            (Algorithm::HS512, "shared", &shared),
        ] {
            let token = forged(&stand, &header(algorithm, kid), key);
            refused(get(&stand.client, &token).await, &token, "token_invalid");
        }
    });
}

#[test]
fn another_secret_under_the_name_of_the_shared_one() {
    for_both(0, async |stand| {
        for secret in ["another invented secret of more than 32 bytes", "", "secret"] {
            let key = EncodingKey::from_secret(secret.as_bytes());
            let token = forged(&stand, &header(Algorithm::HS256, "shared"), &key);
            refused(get(&stand.client, &token).await, &token, "token_invalid");
        }
    });
}

#[test]
fn a_header_brings_no_key_of_its_own() {
    for_both(0, async |stand| {
        let path = stand.workshop.path("thief.pem");
        stand.workshop.run(&["keys", "generate", "--alg", "eddsa", "--out", &path]);
        let thief = EncodingKey::from_ed_pem(&std::fs::read(path).unwrap()).unwrap();
        let jwk = Jwk::from_encoding_key(&thief, Algorithm::EdDSA).unwrap();
        let with_key = Header { jwk: Some(jwk), ..header(Algorithm::EdDSA, "main") };
        let elsewhere =
            Header { jku: Some("https://thief.example/keys".to_owned()), ..header(Algorithm::EdDSA, "main") };
        for header in [with_key, elsewhere, header(Algorithm::EdDSA, "../thief.pem")] {
            let token = forged(&stand, &header, &thief);
            refused(get(&stand.client, &token).await, &token, "token_invalid");
        }
    });
}

#[test]
fn an_extension_that_must_be_understood() {
    for_both(0, async |stand| {
        let header = Header { crit: Some(vec!["b64".to_owned()]), ..header(Algorithm::EdDSA, "main") };
        let token = forged(&stand, &header, &own_key(&stand));
        refused(get(&stand.client, &token).await, &token, "token_invalid");
    });
}

#[test]
fn no_signature_or_a_part_of_one() {
    for_both(0, async |stand| {
        let good = stand.token();
        let (signed, signature) = good.rsplit_once('.').unwrap();
        for token in [
            format!("{signed}."),
            signed.to_owned(),
            format!("{signed}.{}", signature.get(..40).unwrap()),
            format!("{good}.{signature}"),
            format!("{signed}.{}", "A".repeat(86)),
            "null".to_owned(),
            "..".to_owned(),
            "A".repeat(7000),
        ] {
            let reply = get(&stand.client, &token).await;
            assert!(reply.header("www-authenticate").starts_with("Bearer"), "{:#}", reply.body);
            reply.problem(401, "token_invalid");
        }
    });
}

#[test]
fn claims_that_are_missing() {
    for_both(0, async |stand| {
        let key = own_key(&stand);
        for name in ["iss", "aud", "sub", "jti", "iat", "exp", "orgs", "scope"] {
            let mut claims = claims_of(stand.token());
            claims.as_object_mut().unwrap().remove(name).unwrap();
            let token = jsonwebtoken::encode(&header(Algorithm::EdDSA, "main"), &claims, &key).unwrap();
            refused(get(&stand.client, &token).await, &token, "token_invalid");
        }
    });
}

#[test]
fn a_token_that_is_not_valid_yet() {
    for_both(0, async |stand| {
        let (key, now) = (own_key(&stand), stand.gis().now().timestamp());
        let beginning = |seconds: i64| {
            let mut claims = claims_of(stand.token());
            claims["nbf"] = json!(now + seconds);
            jsonwebtoken::encode(&header(Algorithm::EdDSA, "main"), &claims, &key).unwrap()
        };
        let (soon, later) = (beginning(10), beginning(3600));
        get(&stand.client, &soon).await.ok(200);
        refused(get(&stand.client, &later).await, &later, "token_invalid");
        stand.pass_without_jobs(3600).await;
        get(&stand.client, &later).await.ok(200);
    });
}

/// A gateway with two tokens for a day, the second of which is revoked.
async fn with_two_tokens(url: &str, story: impl AsyncFn(&str, Client, [String; 2])) {
    // The simulator is called by nobody here.
    let sim = Sim::start(Config { requests: 0, ..Config::default() }).unwrap();
    let start = DateTime::from_timestamp_millis(Utc::now().timestamp_millis()).unwrap();
    let workshop = Workshop::new(url, &sim.base_url(), start, "", "");
    let employee = format!("Образцова Анна Сергеевна={}", Uuid::now_v7());
    let (organization, _) = workshop.organization("УК", "1027700132195", Uuid::now_v7(), &employee);
    let tokens = [(); 2].map(|()| workshop.token(&[organization], ALL_SCOPES, "1"));
    let [_, revoked] = &tokens;
    workshop.run(&["token", "revoke", claims_of(revoked)["jti"].as_str().unwrap()]);
    let gateway = workshop.serve(start);
    let client = Client::new(&gateway.public, &tokens[0]);
    story(&gateway.internal, client, tokens).await;
}

#[test]
fn a_token_ends_when_it_says_and_a_revoked_one_at_once() {
    for_both_urls(async |url| {
        with_two_tokens(url, async |internal: &str, client: Client, [token, revoked]: [String; 2]| {
            let pass = async |seconds: u64| {
                let step = json!({ "advance_seconds": seconds, "jobs": false });
                Client::new(internal, "").post("/testing/step", &step).await.ok(200);
            };
            client.get(PATH).await.ok(200);
            refused(get(&client, &revoked).await, &revoked, "token_revoked");
            pass(23 * 3600).await;
            client.get(PATH).await.ok(200);
            refused(get(&client, &revoked).await, &revoked, "token_revoked");
            pass(3600 + 120).await;
            refused(get(&client, &token).await, &token, "token_expired");
            pass(24 * 3600).await;
            refused(get(&client, &token).await, &token, "token_expired");
        })
        .await;
    });
}

#[test]
fn the_name_of_the_scheme_has_any_case() {
    for_both(0, async |stand| {
        let client = stand.client.without_token();
        for scheme in ["bearer", "BEARER", "Bearer "] {
            let call = client
                .call(Method::GET, PATH)
                .header("authorization", &format!("{scheme} {}", stand.token()));
            call.send().await.ok(200);
        }
    });
}

#[test]
fn a_scheme_without_a_token_or_a_token_without_a_scheme() {
    for_both(0, async |stand| {
        let client = stand.client.without_token();
        for value in ["", "Bearer", stand.token(), &format!("Token {}", stand.token()), "Basic dXNlcjpwYXNz"]
        {
            let reply = client.call(Method::GET, PATH).header("authorization", value).send().await;
            refused(reply, stand.token(), "token_missing");
        }
    });
}

#[test]
fn two_tokens_at_once_are_none() {
    for_both(0, async |stand| {
        // Which of them counts, a proxy in front and the gateway could see differently.
        let good = format!("Bearer {}", stand.token());
        for (first, second) in
            [(good.as_str(), "Bearer x"), ("Bearer x", &good), (&good, "Basic dXNlcjpwYXNz"), (&good, &good)]
        {
            let call = stand.client.without_token().call(Method::GET, PATH);
            let reply = call.header("authorization", first).header("authorization", second).send().await;
            assert_eq!(reply.status.as_u16(), 401, "{first:.10} and {second:.10}: {:#}", reply.body);
            assert!(reply.header("www-authenticate").starts_with("Bearer"), "{:#}", reply.body);
        }
    });
}

#[test]
fn a_token_in_the_address_of_any_operation() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let answers = format!("/v1/debt-requests/{request}/answers");
        let body = json!({ "submit": true, "has_debt": false });
        for name in
            ["access_token", "ACCESS_TOKEN", "access%5Ftoken", "accessToken", "apikey", "authorization"]
        {
            for client in [&stand.client, &stand.client.without_token()] {
                let reply = client.post(&format!("{answers}?{name}={}", stand.token()), &body).await;
                refused(reply, stand.token(), "token_missing");
            }
        }
        assert!(stand.client.walk("/v1/answers").await.is_empty());
        assert!(!stand.gateway.log().contains(stand.token()), "tokens do not get into the log");
    });
}

#[test]
fn a_token_does_not_say_itself_what_it_may() {
    for_both(1, async |stand| {
        // Signed with our own key: what counts is what was issued, not what is claimed.
        let mut claims = claims_of(stand.token());
        claims["scope"] = json!("webhooks:manage admin");
        let key = own_key(&stand);
        let token = jsonwebtoken::encode(&header(Algorithm::EdDSA, "main"), &claims, &key).unwrap();
        let me = stand.client.with_token(&token).get("/v1/me").await.ok(200);
        let issued = stand.client.get("/v1/me").await.ok(200);
        assert!(issued["scopes"].as_array().is_some_and(|scopes| !scopes.is_empty()), "{issued:#}");
        assert_eq!((&me["scopes"], &me["organizations"]), (&issued["scopes"], &issued["organizations"]));
    });
}
