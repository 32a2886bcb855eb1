//! The daily report (`api.md` §7): what became of the debt requests of some days.

use std::time::Duration;

use gis_sim::faults::{Kind, Target, When};
use serde_json::{Value, json};

use crate::harness::{Stand, for_both};

const DAYS: &str = "/v1/reconciliation?from=2020-01-01&to=2020-12-31";

/// The report on all debt requests of the stand.
async fn report(stand: &Stand) -> Value {
    let requests = stand.client.walk("/v1/debt-requests?limit=200").await;
    let mut days: Vec<_> = requests.iter().map(|request| request["sent_on"].as_str().unwrap()).collect();
    days.sort_unstable();
    let (from, to) = (days.first().unwrap(), days.last().unwrap());
    stand.client.get(&format!("/v1/reconciliation?from={from}&to={to}")).await.ok(200)
}

/// The counts that are not zero.
fn counts(report: &Value) -> Vec<(&str, i64)> {
    let numbers = report.as_object().unwrap().iter();
    let counts = numbers.filter_map(|(name, value)| value.as_i64().map(|count| (name.as_str(), count)));
    counts.filter(|(_, count)| *count > 0).collect()
}

#[test]
fn every_debt_request_has_its_place() {
    for_both(5, async |stand| {
        assert_eq!(counts(&report(&stand).await), [("requests", 5), ("unanswered", 5)]);
        let [delivered, lost, drafted, _, _] = stand.request_ids().await.try_into().unwrap();
        let no_debt = json!({ "submit": true, "has_debt": false });
        let answer = stand.answer(&delivered, &no_debt).await;
        stand.answer(&drafted, &json!({ "submit": false, "has_debt": false })).await;
        assert_eq!(counts(&report(&stand).await), [("in_flight", 1), ("requests", 5), ("unanswered", 4)]);

        stand.until_state(&answer, "delivered").await;
        stand.fault(
            Target::ImportResponses,
            When::Next(1),
            Kind::ResetAfter { late: Duration::from_secs(1) },
        );
        let lost = stand.answer(&lost, &no_debt).await;
        stand.until_state(&lost, "uncertain").await;
        let shown = report(&stand).await;
        let expected = [("delivered_unconfirmed", 1), ("requests", 5), ("unanswered", 3), ("uncertain", 1)];
        assert_eq!(counts(&shown), expected);
        assert_eq!(shown["mismatches"], json!([]));
        stand.until(&format!("/v1/answers/{answer}"), |answer| answer["confirmed_in_gis"] == true).await;
        stand.until_state(&lost, "delivered").await;
        let shown = report(&stand).await;
        assert_eq!(
            shown["answered_confirmed"].as_i64().unwrap() + shown["delivered_unconfirmed"].as_i64().unwrap(),
            2
        );
        let usual = stand.client.get("/v1/reconciliation").await.ok(200);
        assert_eq!(usual, shown, "the last thirty days, when nobody says");
        let theirs = stand.foreigner.get(DAYS).await.ok(200);
        assert_eq!(counts(&theirs), []);
    });
}

#[test]
fn the_days_are_checked() {
    for_both(1, async |stand| {
        for (query, parameters) in [
            ("from=01.11.2026&to=2026-11-02", vec!["from"]),
            ("from=2026-11-02&to=2026-11-01", vec!["to"]),
            ("from=2025-01-01&to=2026-01-02", vec!["to"]),
        ] {
            let reply = stand.client.get(&format!("/v1/reconciliation?{query}")).await;
            assert_eq!(reply.status.as_u16(), 422, "{query}");
            let named: Vec<_> = reply.body["errors"]
                .as_array()
                .unwrap()
                .iter()
                .map(|error| error["parameter"].clone())
                .collect();
            assert_eq!(named, parameters, "{query}");
        }
    });
}
