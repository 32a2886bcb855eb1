//! Events that are sent to the addresses of clients (`api.md` §13).

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::harness::{Receiver, Setup, Stand, for_both, for_both_with, ids};

const INSIDE: &str = "[webhooks]\nallow_private_addresses = true\n";
const ENDPOINTS: &str = "/v1/webhook-endpoints";

/// Tells a story of a gateway that may send to its own machine, with one debt request and a receiver.
fn story(story: impl AsyncFn(Stand, Receiver)) {
    for_both_with(
        || Setup { requests: 1, settings: INSIDE, ..Setup::default() },
        async |stand: Stand| {
            stand.read_gis().await;
            story(stand, Receiver::start()).await;
        },
    );
}

/// An endpoint with its secret.
async fn endpoint(stand: &Stand, receiver: &Receiver, kinds: &[&str]) -> Value {
    let body = json!({ "url": receiver.url(), "event_types": kinds });
    stand.client.post(ENDPOINTS, &body).await.ok(201)
}

fn path(endpoint: &Value) -> String {
    format!("{ENDPOINTS}/{}", endpoint["id"].as_str().unwrap())
}

async fn deliveries(stand: &Stand, endpoint: &Value) -> Vec<Value> {
    stand.client.walk(&format!("{}/deliveries?limit=2", path(endpoint))).await
}

async fn test(stand: &Stand, endpoint: &Value) {
    stand.client.post(&format!("{}/test", path(endpoint)), &json!({})).await.ok(202);
}

fn moment(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn events_come_signed_and_as_the_log_has_them() {
    story(async |stand, receiver| {
        let made = endpoint(&stand, &receiver, &["answer.*"]).await;
        let secret = made["secret"].as_str().unwrap();
        let [request] = stand.request_ids().await.try_into().unwrap();
        let answer = stand.answer(&request, &json!({ "submit": true, "has_debt": false })).await;
        stand.until_state(&answer, "delivered").await;
        let told = stand.client.walk_events("answer.*").await;
        let messages = receiver.taken();
        let events: Vec<_> = messages.iter().map(|message| message.event()).collect();
        let mut sorted = events.clone();
        sorted.sort_by_key(|event| event["sequence"].as_i64());
        assert_eq!(sorted, told);
        assert!(told.len() > 3);
        for (message, event) in messages.iter().zip(&events) {
            assert_eq!(message.path, "/gis-events?key=7");
            assert_eq!(message.headers["content-type"], "application/json");
            assert_eq!(message.headers["webhook-id"], event["id"].as_str().unwrap());
            assert!(message.is_signed_with(secret) && message.signatures().len() == 1);
            let sent: i64 = message.headers["webhook-timestamp"].parse().unwrap();
            assert!((0..700).contains(&(sent - moment(&event["occurred_at"]).timestamp())));
        }
        let done = deliveries(&stand, &made).await;
        assert_eq!(done.len(), told.len());
        assert!(done.iter().all(|it| it["status"] == "succeeded" && it["response_status"] == 204));
        let newest = told.last().unwrap();
        assert_eq!(done[0]["event_id"], newest["id"]);
        assert_eq!(done[0]["event_type"], newest["type"]);
        assert!(deliveries_in(&stand, &made, "pending").await.is_empty());
        assert!(receiver.taken().is_empty(), "nothing comes twice");
    });
}

async fn deliveries_in(stand: &Stand, endpoint: &Value, status: &str) -> Vec<Value> {
    stand.client.walk(&format!("{}/deliveries?status={status}", path(endpoint))).await
}

#[test]
fn a_secret_is_shown_once_and_the_one_before_signs_for_a_day_more() {
    story(async |stand, receiver| {
        let made = endpoint(&stand, &receiver, &["webhook.test"]).await;
        let (first, path) = (made["secret"].as_str().unwrap(), path(&made));
        let shown = stand.client.get(&path).await.ok(200);
        let listed = stand.client.get(ENDPOINTS).await.ok(200);
        assert!(!shown.to_string().contains("whsec_") && !listed.to_string().contains("whsec_"));
        let rotated = stand.client.post(&format!("{path}/rotate-secret"), &json!({})).await.ok(200);
        let second = rotated["secret"].as_str().unwrap();
        assert_ne!(first, second);
        let call =
            || stand.client.call(reqwest::Method::POST, ENDPOINTS).header("Idempotency-Key", "endpoint-1");
        let body = json!({ "url": receiver.url(), "event_types": ["answer.*"] });
        assert!(call().json(&body).send().await.ok(201)["secret"].is_string());
        assert_eq!(call().json(&body).send().await.ok(201)["secret"], Value::Null, "it is kept nowhere else");
        assert_eq!(rotated["version"], 2);
        test(&stand, &made).await;
        stand.pass(1).await;
        let [message] = receiver.taken().try_into().unwrap();
        assert!(message.is_signed_with(first) && message.is_signed_with(second));
        stand.pass(24 * 3600).await;
        receiver.taken();
        test(&stand, &made).await;
        stand.pass(1).await;
        let [message] = receiver.taken().try_into().unwrap();
        assert!(!message.is_signed_with(first) && message.is_signed_with(second));
        assert_eq!(message.event()["type"], "webhook.test");
    });
}

#[test]
fn what_was_not_taken_comes_again_and_whoever_fails_is_asked_with_one_at_a_time() {
    story(async |stand, receiver| {
        let made = endpoint(&stand, &receiver, &["webhook.test"]).await;
        receiver.answer(500);
        for _ in 0..3 {
            test(&stand, &made).await;
        }
        stand.pass(1).await;
        assert_eq!(receiver.taken().len(), 3);
        let failing = stand.client.get(&path(&made)).await.ok(200);
        assert_eq!(moment(&failing["failing_since"]), stand.gis().now());
        let waiting = deliveries(&stand, &made).await;
        assert_eq!(waiting.len(), 3);
        let newest = &waiting[0];
        assert_eq!((&newest["status"], &newest["failure"]), (&json!("pending"), &json!("http_status")));
        stand.pass(3).await;
        assert!(receiver.taken().is_empty(), "whoever fails rests");
        stand.pass(3).await;
        assert_eq!(receiver.taken().len(), 1);
        receiver.answer(200);
        stand.pass(10).await;
        assert_eq!(receiver.taken().len(), 2, "as soon as one is taken, the next follows");
        stand.pass(300).await;
        assert_eq!(receiver.taken().len(), 1, "five minutes after the second attempt");
        let done = deliveries(&stand, &made).await;
        assert!(done.iter().all(|it| it["status"] == "succeeded" && it["failure"].is_null()));
        assert_eq!(stand.client.get(&path(&made)).await.ok(200)["failing_since"], Value::Null);
    });
}

#[test]
fn an_event_that_is_given_up_holds_up_no_other() {
    story(async |stand, receiver| {
        let made = endpoint(&stand, &receiver, &["webhook.test"]).await;
        receiver.answer(422);
        test(&stand, &made).await;
        stand.pass(1).await;
        // Beyond each pause, and the rest of the endpoint.
        for pause in [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400] {
            assert_eq!(receiver.taken().len(), 1);
            stand.pass(pause + 61).await;
        }
        assert_eq!(receiver.taken().len(), 1);
        let [given_up] = deliveries(&stand, &made).await.try_into().unwrap();
        assert_eq!((&given_up["status"], &given_up["attempts"]), (&json!("failed"), &json!(10)));
        receiver.answer(200);
        stand.pass(61).await;
        test(&stand, &made).await;
        stand.pass(1).await;
        assert_eq!(receiver.taken().len(), 1);
    });
}

#[test]
fn a_receiver_that_takes_nothing_for_five_days_is_switched_off() {
    story(async |stand, receiver| {
        let made = endpoint(&stand, &receiver, &["webhook.*"]).await;
        receiver.answer(302);
        test(&stand, &made).await;
        stand.pass(1).await;
        assert_eq!(receiver.taken().len(), 1, "a redirection is not followed");
        let [delivery] = deliveries(&stand, &made).await.try_into().unwrap();
        assert_eq!((&delivery["failure"], &delivery["response_status"]), (&json!("redirected"), &json!(302)));
        for _ in 0..4 {
            stand.pass(24 * 3600).await;
            test(&stand, &made).await;
        }
        assert_eq!(stand.client.get(&path(&made)).await.ok(200)["enabled"], true);
        stand.pass(24 * 3600).await;
        let off = stand.client.get(&path(&made)).await.ok(200);
        assert_eq!((&off["enabled"], &off["disabled_reason"]), (&json!(false), &json!("failing")));
        let [told] = stand.client.walk_events("webhook.disabled").await.try_into().unwrap();
        assert_eq!(told["data"], json!({ "webhook_endpoint_id": made["id"], "reason": "failing" }));
        let given_up = deliveries(&stand, &made).await;
        assert!(given_up.iter().all(|it| it["status"] == "failed"));
        receiver.taken();
        for way in ["test", "replay"] {
            let body = json!({ "since": "2026-11-01T00:00:00Z" });
            let body = if way == "test" { json!({}) } else { body };
            let reply = stand.client.post(&format!("{}/{way}", path(&made)), &body).await;
            reply.problem(409, "state_conflict");
        }

        receiver.answer(200);
        let on = stand.client.patch(&path(&made), &json!({ "enabled": true })).await.ok(200);
        assert_eq!((&on["enabled"], &on["disabled_reason"]), (&json!(true), &Value::Null));
        stand.pass(120).await;
        assert!(receiver.taken().is_empty(), "what was missed does not come by itself");
        let since = json!({ "since": delivery["occurred_at"] });
        stand.client.post(&format!("{}/replay", path(&made)), &since).await.ok(202);
        stand.pass(1).await;
        let mut kinds: Vec<_> = receiver.taken().iter().map(|it| it.event()["type"].to_string()).collect();
        kinds.sort_unstable();
        assert_eq!(kinds.len(), 6);
        assert_eq!(kinds[0], json!("webhook.disabled").to_string());
    });
}

#[test]
fn a_receiver_that_is_gone_is_asked_no_more() {
    story(async |stand, receiver| {
        let made = endpoint(&stand, &receiver, &["webhook.test"]).await;
        receiver.answer(410);
        test(&stand, &made).await;
        stand.pass(1).await;
        assert_eq!(receiver.taken().len(), 1);
        let gone = stand.client.get(&path(&made)).await.ok(200);
        assert_eq!((&gone["enabled"], &gone["disabled_reason"]), (&json!(false), &json!("gone")));
        stand.pass(24 * 3600).await;
        assert!(receiver.taken().is_empty());
    });
}

#[test]
fn everybody_gets_what_is_his_and_what_he_wants() {
    story(async |stand, receiver| {
        let (all, other) = (endpoint(&stand, &receiver, &["answer.*"]).await, Receiver::start());
        let chosen = endpoint(&stand, &other, &["answer.drafted"]).await;
        let theirs = Receiver::start();
        let body = json!({ "url": theirs.url() });
        stand.foreigner.post(ENDPOINTS, &body).await.ok(201);
        let [request] = stand.request_ids().await.try_into().unwrap();
        stand.answer(&request, &json!({ "submit": false, "has_debt": false })).await;
        test(&stand, &all).await;
        stand.pass(1).await;
        let kinds = |receiver: &Receiver| {
            let mut kinds: Vec<_> =
                receiver.taken().iter().map(|it| it.event()["type"].as_str().unwrap().to_owned()).collect();
            kinds.sort_unstable();
            kinds
        };
        assert_eq!(kinds(&receiver), ["answer.drafted", "webhook.test"]);
        assert_eq!(kinds(&other), ["answer.drafted"]);
        assert_eq!(kinds(&theirs), Vec::<String>::new());
        let edit = json!({ "event_types": ["answer.edited"], "description": "1С" });
        let edited = stand.client.patch(&path(&chosen), &edit).await.ok(200);
        assert_eq!(edited["event_types"], json!(["answer.edited"]));
        assert_eq!(edited["description"], "1С");
        stand.client.patch(&path(&all), &json!({ "enabled": false })).await.ok(200);
        stand.client.call(reqwest::Method::DELETE, &path(&chosen)).send().await.ok(204);
        assert_eq!(ids(&stand.client.walk(ENDPOINTS).await), [all["id"].as_str().unwrap()]);
        stand.pass(120).await;
        assert_eq!((kinds(&receiver), kinds(&other)), (Vec::new(), Vec::new()));
        for (method, path) in [
            (reqwest::Method::GET, path(&all)),
            (reqwest::Method::DELETE, path(&all)),
            (reqwest::Method::GET, format!("{}/deliveries", path(&all))),
            (reqwest::Method::POST, format!("{}/test", path(&all))),
            (reqwest::Method::POST, format!("{}/rotate-secret", path(&all))),
        ] {
            stand.foreigner.call(method, &path).send().await.problem(404, "not_found");
        }
    });
}

#[test]
fn an_address_inside_or_without_tls_is_refused() {
    for_both(0, async |stand| {
        for (url, code) in [
            ("https://127.0.0.1/", "address_not_allowed"),
            ("https://[::1]/", "address_not_allowed"),
            ("https://localhost/", "address_not_allowed"),
            ("https://192.168.0.1/", "address_not_allowed"),
            ("http://erp.example/", "format"),
            ("erp.example", "format"),
            ("https://user:word@erp.example/", "format"),
        ] {
            let problem =
                stand.client.post(ENDPOINTS, &json!({ "url": url })).await.problem(422, "validation_failed");
            assert_eq!(problem["errors"][0]["code"], code, "{url}");
            assert_eq!(problem["errors"][0]["pointer"], "/url", "{url}");
        }
        let body = json!({ "url": "https://erp.example/", "event_types": ["answer.*", "tea.*"] });
        let problem = stand.client.post(ENDPOINTS, &body).await.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], "/event_types/1");
        let body = json!({ "url": "https://erp.example/" });
        let mut made = Value::Null;
        for _ in 0..20 {
            made = stand.client.post(ENDPOINTS, &body).await.ok(201);
        }
        let problem = stand.client.post(ENDPOINTS, &body).await.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["code"], "too_many");
        let later = json!({ "since": "2999-01-01T00:00:00Z" });
        let reply = stand.client.post(&format!("{}/replay", path(&made)), &later).await;
        assert_eq!(reply.problem(422, "validation_failed")["errors"][0]["pointer"], "/since");
        let stale = stand.client.call(reqwest::Method::PATCH, &path(&made)).header("If-Match", "\"7\"");
        stale.json(&json!({ "enabled": false })).send().await.problem(412, "version_mismatch");
    });
}
