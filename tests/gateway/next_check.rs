//! When it is worth asking for an answer again (`api.md` §7): also where the wait is long.

use std::time::Duration;

use chrono::{DateTime, Utc};
use gis_sim::faults::{Kind, Target, When};
use serde_json::{Value, json};

use crate::harness::{Reply, Stand, for_both};

/// Steps after which the circuit is certainly open.
const MOST_STEPS: usize = 60;

fn no_debt(comment: &str) -> Value {
    json!({ "submit": true, "has_debt": false, "comment": comment })
}

fn moment(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap_or_else(|| panic!("no time: {value}")).parse().unwrap()
}

/// What a reply says of the next time in two places, which must agree.
fn next_check(stand: &Stand, reply: &Reply) -> DateTime<Utc> {
    let next = moment(&reply.body["next_check_at"]);
    let seconds = (next - stand.gis().now()).num_seconds() + 1;
    assert_eq!(reply.header("retry-after"), seconds.clamp(5, 1800).to_string(), "{:#}", reply.body);
    next
}

#[test]
fn while_gis_is_down_the_next_probe_is_what_is_waited_for() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        // After an idle spell the harmless call goes first.
        stand.pass_without_jobs(3600).await;
        stand.fault(Target::Probe, When::Always, Kind::ResetBefore);
        let answer = stand.answer(&request, &no_debt("нет")).await;
        let mut status = Value::Null;
        for _ in 0..MOST_STEPS {
            stand.pass(60).await;
            status = stand.client.get("/v1/gis/status").await.ok(200);
            if status["operations"]["import_responses"] == "paused" {
                break;
            }
        }
        assert_eq!(status["operations"]["import_responses"], "paused", "{status:#}");
        let shown = stand.client.get(&format!("/v1/answers/{answer}")).await;
        assert_eq!(shown.body["state"], "queued");
        let next = next_check(&stand, &shown);
        assert!(next > stand.gis().now() && next >= moment(&status["next_probe_at"]), "{next} {status:#}");
    });
}

#[test]
fn what_waits_behind_another_answer_waits_for_the_same_moment() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let late = Kind::ResetAfter { late: Duration::from_secs(1) };
        stand.fault(Target::ImportResponses, When::Next(1), late);
        let first = stand.answer(&request, &no_debt("один")).await;
        stand.until_state(&first, "uncertain").await;
        let posted =
            stand.client.post(&format!("/v1/debt-requests/{request}/answers"), &no_debt("два")).await;
        assert_eq!(posted.body["blocked_by_answer_id"], json!(first), "{:#}", posted.body);
        // Nothing is stored of that; reading the answer tells.
        assert_eq!((&posted.body["next_check_at"], posted.header("retry-after")), (&Value::Null, "5"));
        let behind = next_check(&stand, &stand.client.get(posted.header("location")).await);
        let before = stand.client.get(&format!("/v1/answers/{first}")).await;
        assert_eq!(behind, next_check(&stand, &before));
        assert!(behind > stand.gis().now(), "{behind}");
    });
}

#[test]
fn a_reading_of_gis_says_when_it_is_over_and_its_starter_may_stop_it() {
    for_both(1, async |mut stand| {
        let first = stand.client.get("/v1/sync-runs").await.ok(200)["items"][0].clone();
        assert_eq!((&first["is_final"], &first["next_check_at"]), (&json!(true), &Value::Null));
        let reader = stand.client_with("requests:read");
        stand.pass(700).await;
        let started = reader.post("/v1/sync-runs", &json!({})).await;
        let (next, now) = (moment(&started.body["next_check_at"]), stand.gis().now());
        assert_eq!((next - now).num_seconds(), 15);
        assert_eq!((started.header("retry-after"), &started.body["is_final"]), ("15", &json!(false)));
        let path = started.header("location").to_owned();
        let running = stand.client.get(&path).await;
        assert_eq!((running.header("retry-after"), &running.body["state"]), ("15", &json!("running")));
        let cancel = |id: &Value| format!("/v1/operations/{}/cancel", id.as_str().unwrap());
        reader.post(&cancel(&started.body["id"]), &json!({})).await.ok(200);
        let stopped = stand.client.get(&path).await;
        assert_eq!((&stopped.body["state"], &stopped.body["is_final"]), (&json!("cancelled"), &json!(true)));
        assert!(!stopped.headers.contains_key("retry-after"));
        // What began by itself is not for whoever only reads.
        reader.post(&cancel(&first["id"]), &json!({})).await.problem(403, "scope_missing");
    });
}
