//! The daily report (`api.md` §7): what became of the debt requests of some days.

use std::time::Duration;

use gis_sim::control::CabinetAnswer;
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

/// What somebody writes over a delivered answer in the personal cabinet is a difference, in the report and in the list.
#[test]
fn the_differences_are_walked_page_by_page() {
    for_both(3, async |stand| {
        let requests = stand.request_ids().await;
        let person = json!({ "first": "Пётр", "last": "Вымышленный" });
        let debt = json!({ "has_debt": true, "debtors": [person] });
        let comment = json!({ "has_debt": false, "description": "из кабинета" });
        for (request, elsewhere) in requests.iter().zip([Some(debt), Some(comment), None]) {
            let answer = stand.answer(request, &json!({ "submit": true, "has_debt": false })).await;
            stand.until_state(&answer, "delivered").await;
            // Before GIS is asked whether it shows ours.
            if let Some(elsewhere) = elsewhere {
                let elsewhere: CabinetAnswer = serde_json::from_value(elsewhere).unwrap();
                stand.gis().answer_in_cabinet(request.parse().unwrap(), &elsewhere).unwrap();
            }
        }
        for request in &requests[..2] {
            let path = format!("/v1/debt-requests/{request}");
            stand.until(&path, |request| request["stage"] == "needs_attention").await;
        }
        let shown = report(&stand).await;
        let mismatches = shown["mismatches"].as_array().unwrap();
        let says = |request: &String| {
            let of = |it: &&Value| it["debt_request_id"] == request.as_str();
            mismatches.iter().find(of).map(|it| (it["ours"].clone(), it["gis"].clone()))
        };
        let (no_debt, has_debt) = (json!("no_debt"), json!("has_debt"));
        let expected = [Some((no_debt.clone(), has_debt)), Some((no_debt.clone(), no_debt)), None];
        assert_eq!(requests.iter().map(says).collect::<Vec<_>>(), expected, "{shown:#}");
        let walked = stand.client.walk("/v1/reconciliation/items?limit=1").await;
        assert_eq!((walked.len(), &walked), (2, mismatches));
    });
}

#[test]
fn the_differences_are_a_list_for_whoever_sees_statistics() {
    for_both(1, async |mut stand| {
        let clerk = stand.client_with("stats:read");
        let reader = stand.client_with("answers:read");
        let (clerk, list) = (clerk.at(&stand.gateway.public), "/v1/reconciliation/items");
        for client in [&clerk, &reader] {
            client.get("/v1/reconciliation").await.ok(200);
            let page = client.get(&format!("{list}?limit=1")).await.ok(200);
            assert_eq!(page, json!({ "items": [], "next": null }));
        }
        for path in ["/v1/reconciliation", list] {
            let problem = stand.powerless.get(path).await.problem(403, "scope_missing");
            assert!(problem["detail"].as_str().unwrap().contains("stats:read"), "{problem:#}");
        }
        let reply = stand.client.get(&format!("{list}?from=2026-11-02&to=2026-11-01")).await;
        assert_eq!(reply.problem(422, "validation_failed")["errors"][0]["parameter"], "to");
        stand.client.get(&format!("{list}?cursor=x")).await.problem(400, "invalid_cursor");
    });
}
