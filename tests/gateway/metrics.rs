//! What `/metrics` tells the operator: the queue and its age, what is due, and what will need a person. It names nobody.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use gis_sim::faults::{Kind, Target, When};
use serde_json::json;

use crate::harness::{Stand, for_both};

/// The text of the internal port.
async fn look(stand: &Stand) -> String {
    let reply = stand.client.at(&stand.gateway.internal).without_token().get("/metrics").await;
    assert_eq!(reply.status.as_u16(), 200);
    String::from_utf8(reply.bytes).unwrap()
}

/// The value of one series.
#[track_caller]
fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series}:\n{text}")).parse().unwrap()
}

#[track_caller]
fn shows(text: &str, table: &[(&str, f64)]) {
    for (series, expected) in table {
        let found = value(text, series);
        assert!((found - expected).abs() < 0.001, "{series} is {found}, not {expected}");
    }
}

fn queued() -> serde_json::Value {
    json!({ "submit": true, "has_debt": false, "comment": "нет" })
}

#[test]
fn the_queue_has_a_depth_and_an_age_in_every_state() {
    for_both(2, async |stand| {
        let [first, second] = stand.request_ids().await.try_into().unwrap();
        shows(
            &look(&stand).await,
            &[
                ("debtgate_database_up", 1.0),
                ("debtgate_answers_waiting{state=\"queued\"}", 0.0),
                ("debtgate_answers_waiting{state=\"sending\"}", 0.0),
                ("debtgate_answers_waiting{state=\"accepted\"}", 0.0),
                ("debtgate_answers_waiting{state=\"uncertain\"}", 0.0),
                ("debtgate_answers_waiting_oldest_seconds{state=\"queued\"}", 0.0),
                ("debtgate_answers_due_today", 0.0),
                ("debtgate_organizations_halted", 0.0),
            ],
        );
        stand.answer(&first, &queued()).await;
        stand.pass_without_jobs(90).await;
        stand.answer(&second, &queued()).await;
        shows(
            &look(&stand).await,
            &[
                ("debtgate_answers_waiting{state=\"queued\"}", 2.0),
                ("debtgate_answers_waiting_oldest_seconds{state=\"queued\"}", 90.0),
            ],
        );
    });
}

#[test]
fn what_is_due_today_is_counted_until_it_is_final() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let answer = stand.answer(&request, &queued()).await;
        let posted = stand.client.get(&format!("/v1/answers/{answer}")).await.ok(200);
        let due: NaiveDate = posted["due_on"].as_str().unwrap().parse().unwrap();
        // In the afternoon of Moscow, where the day is counted.
        let afternoon: DateTime<Utc> = format!("{due}T12:00:00Z").parse().unwrap();
        let left = u64::try_from((afternoon - stand.gis().now()).num_seconds()).unwrap();
        stand.pass_without_jobs(left).await;
        shows(&look(&stand).await, &[("debtgate_answers_due_today", 1.0)]);
        stand.until_state(&answer, "delivered").await;
        shows(
            &look(&stand).await,
            &[
                ("debtgate_answers_due_today", 0.0),
                ("debtgate_answers_waiting{state=\"queued\"}", 0.0),
                ("debtgate_answers_waiting_oldest_seconds{state=\"queued\"}", 0.0),
            ],
        );
    });
}

#[test]
fn what_is_uncertain_grows_old() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let lost = Kind::ResetAfter { late: Duration::from_secs(3600) };
        stand.fault_once(Target::ImportResponses, &request, lost);
        let answer = stand.answer(&request, &queued()).await;
        stand.until_state(&answer, "uncertain").await;
        let (count, oldest) = (
            "debtgate_answers_waiting{state=\"uncertain\"}",
            "debtgate_answers_waiting_oldest_seconds{state=\"uncertain\"}",
        );
        let before = look(&stand).await;
        shows(&before, &[(count, 1.0)]);
        stand.pass_without_jobs(120).await;
        shows(&look(&stand).await, &[(count, 1.0), (oldest, value(&before, oldest) + 120.0)]);
    });
}

#[test]
fn an_old_reading_an_ending_certificate_and_a_halt_are_seen() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let (sync, days) =
            ("debtgate_sync_age_seconds", "debtgate_signer_certificate_days_left{signer=\"main\"}");
        let before = look(&stand).await;
        // The certificate of a story is made for a year from its beginning; time has passed since for the reading.
        assert!((364.0..=365.0).contains(&value(&before, days)), "{before}");
        stand.pass_without_jobs(48 * 3600).await;
        let after = look(&stand).await;
        shows(&after, &[(sync, value(&before, sync) + 48.0 * 3600.0), (days, value(&before, days) - 2.0)]);
        // The reading of the day, of both organisations.
        for _ in 0..10 {
            stand.pass(60).await;
        }
        assert!(value(&look(&stand).await, sync) < 3600.0, "a new reading makes it young again");

        let denied = Kind::SoapFault { code: "AUT011009".to_owned(), text: None, late: None };
        stand.fault(Target::ImportResponses, When::Always, denied);
        stand.answer(&request, &queued()).await;
        stand.until("/v1/gis/status", |status| status["halted"]["code"] == "AUT011009").await;
        shows(&look(&stand).await, &[("debtgate_organizations_halted", 1.0)]);
    });
}

#[test]
fn every_metric_is_described_and_none_names_anybody() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let answer = stand.answer(&request, &queued()).await;
        stand.until_state(&answer, "delivered").await;
        // The look itself is a request that the next one counts.
        look(&stand).await;
        let text = look(&stand).await;
        let types: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        assert!(types.len() >= 11, "{types:?}");
        for kind in types {
            let name = kind.split(' ').next().unwrap();
            assert!(text.contains(&format!("# HELP {name} ")), "{name} has no description");
        }
        for operation in ["import_responses", "get_state"] {
            let longest = format!(
                "debtgate_gis_call_seconds_bucket{{operation=\"{operation}\",outcome=\"answered\",le=\"180\"}}"
            );
            assert!(value(&text, &longest) >= 1.0);
        }
        let ids = [request, answer, stand.organization.to_string(), stand.employee.to_string()];
        for name in ["Пример", "Другая", "Образцова", "1027700132195"] {
            assert!(!text.contains(name), "{name}");
        }
        assert!(ids.iter().all(|id| !text.contains(id)), "{text}");
    });
}
