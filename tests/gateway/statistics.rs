//! Statistics (`api.md` §14): a story in which every kind of answer occurs, and every figure of it.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use gis_sim::control::CabinetAnswer;
use gis_sim::faults::Target;
use serde_json::{Value, json};

use crate::faults::item_error;
use crate::harness::{Stand, for_both};

const STATISTICS: &str = "/v1/statistics";

/// GIS is read once more.
async fn read(stand: &Stand) {
    // Not sooner after the last time.
    stand.pass(700).await;
    let run = stand.client.post("/v1/sync-runs", &json!({})).await.ok(202);
    let path = format!("/v1/sync-runs/{}", run["id"].as_str().unwrap());
    stand.until(&path, |run| run["finished_at"].is_string()).await;
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

/// When something happened to a debt request, by its history.
async fn moment(stand: &Stand, request: &str, kind: &str) -> DateTime<Utc> {
    let history = stand.client.walk(&format!("/v1/debt-requests/{request}/history")).await;
    time(&history.iter().find(|event| event["type"] == kind).unwrap()["occurred_at"])
}

/// When an answer to a debt request was first in force: as GIS says where that is earlier than what we know.
async fn answered(stand: &Stand, request: &str) -> DateTime<Utc> {
    let told = moment(stand, request, "answer.delivered").await;
    let answers = stand.client.walk(&format!("/v1/answers?debt_request_id={request}")).await;
    let by_gis = answers.iter().filter(|it| it["gis_updated_at"].is_string());
    by_gis.map(|it| time(&it["gis_updated_at"])).chain([told]).min().unwrap()
}

/// Seconds from one thing to the answer for each request, in order of length, to three digits.
async fn durations(stand: &Stand, requests: &[&str], from: &str) -> Vec<i64> {
    let mut found = Vec::new();
    for request in requests {
        let until = match from {
            "debt_request.received" => answered(stand, request).await,
            _ => moment(stand, request, "answer.delivered").await,
        };
        let seconds = until.timestamp() - moment(stand, request, from).await.timestamp();
        let unit = [1, 10, 100, 1000].into_iter().find(|unit| seconds / unit < 1000).unwrap();
        found.push(seconds / unit * unit);
    }
    found.sort_unstable();
    found
}

#[test]
fn every_figure_is_told() {
    for_both(0, async |stand| {
        stand.create(6);
        read(&stand).await;
        let [api, bulk, refused, cabinet, late, automatic] = stand.request_ids().await.try_into().unwrap();
        let no_debt = json!({ "submit": true, "has_debt": false });
        let by_api = stand.answer(&api, &no_debt).await;
        stand.fault_once(Target::ImportResponses, &refused, item_error("INT016001"));
        let rejected = stand.answer(&refused, &no_debt).await;
        let debtor = json!({ "last_name": "Вымышленный", "first_name": "Пётр" });
        let item = json!({ "debt_request_id": bulk, "has_debt": true, "debtors": [debtor] });
        let body = json!({ "submit": true, "items": [item] });
        let operation = stand.client.post("/v1/answers/bulk", &body).await.ok(202);
        stand.gis().answer_in_cabinet(cabinet.parse().unwrap(), &CabinetAnswer::default()).unwrap();
        stand.until_state(&by_api, "delivered").await;
        stand.until_state(&rejected, "rejected").await;
        let path = format!("/v1/operations/{}", operation["id"].as_str().unwrap());
        stand.until(&path, |operation| operation["status"] == "succeeded").await;

        let request = stand.client.get(&format!("/v1/debt-requests/{api}")).await.ok(200);
        let due: NaiveDate = request["due_on"].as_str().unwrap().parse().unwrap();
        let before = stand.client.get(STATISTICS).await.ok(200);
        assert_eq!(before["total"]["overdue"], 0, "nothing is due yet");
        // Three hours into the next day in Moscow.
        stand.pass_until(due.and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(24)).await;
        let by_late = stand.answer(&late, &no_debt).await;
        stand.until_state(&by_late, "delivered").await;
        stand.gis().patch_scenario(json!({ "import": { "auto_generate": true } })).unwrap();
        read(&stand).await;
        let shown = stand.client.get(&format!("/v1/debt-requests/{automatic}")).await.ok(200);
        assert_eq!(shown["stage"], "auto_generated");

        let report = stand.client.get(STATISTICS).await.ok(200);
        let ours = [api.as_str(), &bulk, &late];
        let to_answer = durations(&stand, &ours, "debt_request.received").await;
        let delivery = durations(&stand, &ours, "answer.queued").await;
        let hours = report["total"]["median_hours_to_answer"].as_f64().unwrap();
        let expected = f64::from(i32::try_from(to_answer[1]).unwrap()) / 3600.0;
        assert!((hours - expected).abs() <= 0.005, "{hours} {expected}");
        let mut total = report["total"].clone();
        total.as_object_mut().unwrap().remove("median_hours_to_answer");
        assert_eq!(
            total,
            json!({
                "received": 6,
                "answered": { "api": 3, "xlsx": 0, "registry": 0, "auto": 0, "cabinet": 1 },
                "with_debt": 1,
                "without_debt": 3,
                "auto_generated": 2,
                "rejected": 1,
                "overdue": 3,
                "delivery_seconds": { "p50": delivery[1], "p95": delivery[2] },
            })
        );

        let day = &request["sent_on"];
        let groups = report["groups"].as_array().unwrap();
        assert_eq!((groups.len(), &groups[0]["key"]), (1, day));
        assert_eq!((&groups[0]["figures"], &report["rest"]), (&report["total"], &Value::Null));
        let day = day.as_str().unwrap();
        for group_by in ["department", "executor", "requester"] {
            let path = format!("{STATISTICS}?from={day}&to={day}&group_by={group_by}");
            let grouped = stand.client.get(&path).await.ok(200);
            assert_eq!((&grouped["total"], &grouped["group_by"]), (&report["total"], &json!(group_by)));
            let groups = grouped["groups"].as_array().unwrap();
            let received = groups.iter().map(|group| group["figures"]["received"].as_i64().unwrap());
            assert_eq!(received.sum::<i64>(), 6, "{group_by}");
        }
        let requesters = stand.client.get(&format!("{STATISTICS}?group_by=requester")).await.ok(200);
        let named = requesters["groups"].as_array().unwrap();
        let first = named.iter().find(|group| group["key"] == request["requester"]["organization_id"]);
        assert_eq!(first.unwrap()["name"], request["requester"]["name"]);
        let theirs = stand.foreigner.get(STATISTICS).await.ok(200);
        assert_eq!((&theirs["total"]["received"], &theirs["groups"]), (&json!(0), &json!([])));
    });
}

/// An answer in time stays one, whatever is corrected after the last day.
#[test]
fn a_correction_after_the_last_day_is_not_late() {
    for_both(0, async |stand| {
        stand.create(1);
        read(&stand).await;
        let [request] = stand.request_ids().await.try_into().unwrap();
        let first = stand.answer(&request, &json!({ "submit": true, "has_debt": false })).await;
        stand.until_state(&first, "delivered").await;
        let before = stand.client.get(STATISTICS).await.ok(200);
        let shown = stand.client.get(&format!("/v1/debt-requests/{request}")).await.ok(200);
        let due: NaiveDate = shown["due_on"].as_str().unwrap().parse().unwrap();
        stand.pass_until(due.and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(24)).await;
        let corrected = json!({
            "submit": true, "has_debt": false, "comment": "Уточнено", "reason": "Опечатка",
            "confirm": ["already_answered", "correction_too_late"],
        });
        let second = stand.answer(&request, &corrected).await;
        stand.until_state(&second, "delivered").await;
        let after = stand.client.get(STATISTICS).await.ok(200);
        for report in [&before, &after] {
            let total = &report["total"];
            assert_eq!((&total["overdue"], &total["answered"]["api"]), (&json!(0), &json!(1)));
        }
        let hours = |report: &Value| report["total"]["median_hours_to_answer"].clone();
        assert_eq!(hours(&after), hours(&before));
    });
}

#[test]
fn wrong_questions_are_refused_by_name() {
    for_both(0, async |stand| {
        for (query, parameter) in [
            ("from=01.11.2026", "from"),
            ("from=2026-11-02&to=2026-11-01", "to"),
            ("from=2025-01-01&to=2026-01-02", "to"),
            ("group_by=week", "group_by"),
        ] {
            let reply = stand.client.get(&format!("{STATISTICS}?{query}")).await;
            let problem = reply.ok(422);
            assert_eq!(problem["errors"][0]["parameter"], parameter, "{query}");
        }
        let year = stand.client.get(&format!("{STATISTICS}?from=2025-01-01&to=2026-01-01")).await.ok(200);
        assert_eq!(year["total"]["received"], 0);
    });
}
