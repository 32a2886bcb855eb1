//! What the gateway tells by itself, once each: of deadlines, of answers that are late, and of what will soon be good no
//! more (`api.md` §7, §9).

use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use gis_sim::control::Fields;
use gis_sim::faults::{Kind, Target};
use serde_json::{Value, json};

use crate::harness::{Setup, Stand, for_both, for_both_with};
use crate::tokens::claims_of;

const HOUR: u64 = 3600;
/// Moscow, where our organisation is.
const ZONE: TimeDelta = TimeDelta::hours(3);

/// Half past midnight in Moscow.
fn night_of(day: NaiveDate) -> DateTime<Utc> {
    day.and_hms_opt(0, 30, 0).unwrap().and_utc() - ZONE
}

/// Settings under which every day is worked: a story can count its days whatever the season.
fn every_day_is_worked() -> &'static str {
    let days = test_support::story::beginning().date_naive().iter_days().take(14);
    let days: Vec<_> = days.map(|day| format!("\"{day}\"")).collect();
    Box::leak(format!("[calendar]\nworking_days = [{}]\n", days.join(", ")).into_boxed_str())
}

fn told_of(event: &Value, key: &str) -> Value {
    event["data"][key].clone()
}

async fn days_left(stand: &Stand, kind: &str) -> Vec<i64> {
    let told = stand.client.walk_events(kind).await;
    told.iter().map(|event| event["data"]["days_left"].as_i64().unwrap()).collect()
}

#[test]
fn an_answer_that_is_not_in_gis_in_time_is_told_of() {
    let setup = || Setup { settings: every_day_is_worked(), ..Setup::default() };
    for_both_with(setup, async |stand: Stand| {
        stand.read_gis().await;
        stand.pass(HOUR).await;
        let today = (stand.gis().now() + ZONE).date_naive();
        let due_on = today + Days::new(2);
        let request = stand.asked_about(Fields { respond_by: Some(due_on), ..Fields::default() }).await;
        let late = Kind::Late { by: Duration::from_secs(60 * HOUR) };
        stand.fault_once(Target::ImportResponses, &request, late);
        let body = json!({ "submit": true, "has_debt": false, "external_id": "1C-7" });
        let answer = stand.answer(&request, &body).await;
        stand.until_state(&answer, "accepted").await;
        let sent_at = stand.gis().now();
        stand.pass(5 * HOUR).await;
        assert!(stand.client.walk_events("answer.delayed").await.is_empty(), "GIS may take hours");

        stand.pass(2 * HOUR).await;
        stand.pass(60).await;
        let told = stand.client.walk_events("answer.delayed").await;
        let [event] = told.as_slice() else { panic!("once: {told:#?}") };
        assert_eq!((&event["answer_id"], &event["debt_request_id"]), (&json!(answer), &json!(request)));
        let since: DateTime<Utc> = event["data"]["since"].as_str().unwrap().parse().unwrap();
        assert!(since <= sent_at, "{event:#}");
        let mut data = event["data"].clone();
        data.as_object_mut().unwrap().remove("since");
        let expected = json!({
            "answer_id": answer, "debt_request_id": request, "external_id": "1C-7", "state": "accepted",
            "is_final": false, "reason": "no_result",
        });
        assert_eq!(data, expected);
        assert!(stand.client.walk_events("debt_request.due_soon").await.is_empty(), "the deadline is far");

        stand.pass_until(night_of(today + Days::new(1))).await;
        let near = stand.client.walk_events("debt_request.due_soon").await;
        let [event] = near.as_slice() else { panic!("once: {near:#?}") };
        assert_eq!(event["debt_request_id"], request);
        assert_eq!((told_of(event, "due_on"), told_of(event, "answer_id")), (json!(due_on), json!(answer)));
        let state = event["data"]["answer_state"].as_str().unwrap();
        assert!(["accepted", "uncertain"].contains(&state), "{state}");

        stand.pass_until(night_of(due_on)).await;
        stand.pass(60).await;
        let told = stand.client.walk_events("answer.delayed").await;
        let reasons: Vec<_> = told.iter().map(|event| told_of(event, "reason")).collect();
        assert_eq!(reasons, [json!("no_result"), json!("due_soon")]);
        assert_eq!(stand.client.walk_events("debt_request.due_soon").await.len(), 1);
        assert!(stand.foreigner.walk_events("answer.*").await.is_empty(), "everybody sees his own only");
    });
}

#[test]
fn the_end_of_a_token_is_told_of_thirty_and_seven_days_and_one_day_before() {
    for_both(0, async |stand| {
        let begin = stand.gis().now();
        // Issued for 90 days; the token of 30 days ends before anybody looks.
        let after = |days| begin + TimeDelta::days(days) - TimeDelta::hours(1);
        assert!(stand.client.walk_events("token.expiring").await.is_empty());
        stand.pass_until(after(59)).await;
        assert_eq!(days_left(&stand, "token.expiring").await, Vec::<i64>::new());
        stand.pass_until(after(61)).await;
        stand.pass(60).await;
        let told = stand.client.walk_events("token.expiring").await;
        let [event] = told.as_slice() else { panic!("once: {told:#?}") };
        let me = stand.client.get("/v1/me").await.ok(200);
        let expected = json!({
            "token_id": claims_of(stand.token())["jti"], "expires_at": me["expires_at"], "days_left": 30,
        });
        assert_eq!(event["data"], expected);
        let theirs = stand.foreigner.walk_events("token.expiring").await;
        assert!(theirs.len() == 1 && theirs[0]["data"]["token_id"] != expected["token_id"]);
        stand.pass_until(after(84)).await;
        stand.pass_until(after(89) + TimeDelta::hours(2)).await;
        assert_eq!(days_left(&stand, "token.expiring").await, [30, 7, 1]);
    });
}

#[test]
fn the_end_of_a_certificate_is_told_of_to_those_for_whom_it_signs() {
    for_both(0, async |mut stand| {
        let (organization, begin) = (stand.organization, stand.gis().now());
        let mut token = String::new();
        stand.restart_after(|workshop| token = workshop.token(&[organization], "events:read", "366"));
        let client = stand.client.with_token(&token);
        // The certificate of a stand is good for a year.
        stand.pass_until(begin + TimeDelta::days(334)).await;
        assert!(client.walk_events("certificate.expiring").await.is_empty());
        stand.pass_until(begin + TimeDelta::days(336)).await;
        stand.pass(60).await;
        let told = client.walk_events("certificate.expiring").await;
        let [event] = told.as_slice() else { panic!("once: {told:#?}") };
        assert_eq!((told_of(event, "signer"), told_of(event, "days_left")), (json!("main"), json!(29)));
        let ends: DateTime<Utc> = event["data"]["expires_at"].as_str().unwrap().parse().unwrap();
        assert_eq!((ends - begin).num_days(), 364, "a little has passed before the first look");
        assert_eq!(event["data"].as_object().unwrap().len(), 3, "nothing else: {event:#}");
    });
}
