//! Answers «no debt» that the gateway gives by itself: when, to whom, and when to nobody.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use gis_sim::faults::{Kind, Rule, Target, When};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Reply, Setup, Stand, for_both, for_both_with, ids};
use crate::registry;

const SETTINGS: &str = "/v1/settings/auto-answer";
const OPERATIONS: &str = "/v1/operations?kind=auto_answer";
/// Moscow, where our organisation is.
const ZONE: TimeDelta = TimeDelta::hours(3);
/// Time for a look at GIS and for the answers.
const WHILE: u64 = 120;

async fn set(stand: &Stand, settings: Value) -> Reply {
    stand.client.call(Method::PUT, SETTINGS).json(&settings).send().await
}

async fn preview(stand: &Stand) -> Value {
    stand.client.post(&format!("{SETTINGS}/preview"), &json!({})).await.ok(200)
}

fn today(stand: &Stand) -> NaiveDate {
    (stand.gis().now() + ZONE).date_naive()
}

fn hour(day: NaiveDate, hour: u32) -> DateTime<Utc> {
    day.and_time(NaiveTime::from_hms_opt(hour, 0, 0).unwrap()).and_utc() - ZONE
}

/// Time passes until an hour of tomorrow.
async fn tomorrow(stand: &Stand, at: u32) {
    stand.pass_until(hour(today(stand) + Days::new(1), at)).await;
}

/// Time passes in small steps, so that GIS can be asked and answer.
async fn a_while(stand: &Stand) {
    for _ in 0..WHILE / 10 {
        stand.pass(10).await;
    }
}

async fn operations(stand: &Stand) -> Vec<Value> {
    stand.client.walk(OPERATIONS).await
}

async fn items(stand: &Stand, operation: &Value) -> Vec<Value> {
    stand.client.walk(operation["items_url"].as_str().unwrap()).await
}

async fn stops(stand: &Stand) -> Vec<Value> {
    let events = stand.client.walk_events("auto_answer.stopped").await;
    events.into_iter().map(|event| event["data"].clone()).collect()
}

/// New requests, already read.
async fn created(stand: &Stand, count: u32) -> Vec<String> {
    stand.create(count);
    stand.read_gis().await;
    let all = stand.client.walk("/v1/debt-requests?limit=200").await;
    assert_eq!(all.len(), usize::try_from(count).unwrap());
    ids(&all)
}

/// Settings under which every day is worked, so that the days of a story can be counted whatever the season.
fn every_day_is_worked() -> &'static str {
    let days = test_support::story::beginning().date_naive().iter_days().take(30);
    let days: Vec<_> = days.map(|day| format!("\"{day}\"")).collect();
    Box::leak(format!("[calendar]\nworking_days = [{}]\n", days.join(", ")).into_boxed_str())
}

/// A registry that knows a debt of one of some requests alone; which.
async fn registry_of_one(stand: &Stand, requests: &[String]) -> String {
    for request in requests {
        if registry::add_debt_of(stand, request).await {
            return request.clone();
        }
    }
    panic!("no request tells its place")
}

#[test]
fn nobody_is_answered_unless_somebody_switches_it_on() {
    for_both(6, async |stand| {
        let settings = stand.client.get(SETTINGS).await;
        assert_eq!(settings.header("etag"), "\"1\"");
        let settings = settings.ok(200);
        assert_eq!(
            settings,
            json!({
                "enabled": false, "days_before_due": 1, "run_at": "10:00", "require_registry": true,
                "registry_max_age_days": 30, "departments": null, "max_per_run": 500, "comment": null,
                "version": 1, "updated_at": null
            })
        );
        registry::add(&stand, &registry::debt("кв. 1")).await;
        for _ in 0..10 {
            tomorrow(&stand, 11).await;
        }
        assert_eq!(stand.client.walk("/v1/answers").await, Vec::<Value>::new());
        assert_eq!(operations(&stand).await, Vec::<Value>::new());
    });
}

#[test]
fn a_request_is_answered_on_its_day_as_the_preview_says() {
    let setup = || Setup { requests: 30, settings: every_day_is_worked(), ..Setup::default() };
    for_both_with(setup, async |stand: Stand| {
        stand.read_gis().await;
        let latest_first: Vec<_> = stand.request_ids().await.into_iter().rev().collect();
        registry_of_one(&stand, &latest_first).await;
        let last = stand.client.get(&format!("/v1/debt-requests/{}", latest_first[0])).await.ok(200);
        let last: NaiveDate = last["due_on"].as_str().unwrap().parse().unwrap();
        set(&stand, json!({ "enabled": true, "comment": "автоответ" })).await.ok(200);
        a_while(&stand).await;
        assert_eq!(operations(&stand).await.len(), 0, "what is set after its hour holds from tomorrow on");
        let (mut answered, mut skipped) = (0, 0);
        while today(&stand) < last {
            tomorrow(&stand, 9).await;
            let before = operations(&stand).await.len();
            let foreseen = preview(&stand).await;
            assert_eq!(foreseen["stops"], false);
            stand.pass_until(hour(today(&stand), 10)).await;
            a_while(&stand).await;
            let made = operations(&stand).await;
            let foreseen = foreseen["items"].as_array().unwrap();
            assert_eq!(made.len() - before, usize::from(!foreseen.is_empty()));
            if foreseen.is_empty() {
                continue;
            }
            let items = items(&stand, &made[0]).await;
            assert_eq!(items.len(), foreseen.len());
            for (item, foreseen) in items.iter().zip(foreseen) {
                assert_eq!(item["debt_request_id"], foreseen["debt_request_id"]);
                let due: NaiveDate = foreseen["due_on"].as_str().unwrap().parse().unwrap();
                assert!(due == today(&stand) || due == today(&stand) + Days::new(1), "{due}");
                if foreseen["answer"] == true {
                    let id = item["answer_id"].as_str().unwrap();
                    let answer = stand.client.get(&format!("/v1/answers/{id}")).await.ok(200);
                    assert_eq!(
                        (&answer["source"], &answer["has_debt"], &answer["comment"]),
                        (&json!("auto"), &json!(false), &json!("автоответ"))
                    );
                    answered += 1;
                } else {
                    assert_eq!(
                        (&item["outcome"], &item["errors"][0]["code"]),
                        (&json!("skipped"), &foreseen["skip_reason"])
                    );
                    skipped += 1;
                }
            }
        }
        assert!(answered > 0 && skipped > 0, "{answered} {skipped}");
        a_while(&stand).await;
        let answers = stand.client.walk("/v1/answers?limit=200").await;
        assert_eq!(answers.len(), answered);
        assert!(answers.iter().all(|answer| answer["state"] == "delivered"), "{answers:#?}");
        assert_eq!(stops(&stand).await, Vec::<Value>::new());
        let told = stand.client.walk_events("debt_request.due_soon").await;
        let mut count = BTreeMap::new();
        told.iter().for_each(|event| *count.entry(event["debt_request_id"].to_string()).or_insert(0) += 1);
        assert!(!count.is_empty() && count.values().all(|count| *count == 1), "each is told of once");
    });
}

#[test]
fn more_than_allowed_stops_it() {
    for_both_with(Setup::default, async |stand: Stand| {
        let requests = created(&stand, 3).await;
        let settings = json!({
            "enabled": true, "days_before_due": 30, "require_registry": false, "max_per_run": 2
        });
        set(&stand, settings.clone()).await.ok(200);
        let foreseen = preview(&stand).await;
        assert_eq!((&foreseen["stops"], &foreseen["counts"]["answer"]), (&json!(true), &json!(3)));
        tomorrow(&stand, 10).await;
        a_while(&stand).await;
        let [stop] = stops(&stand).await.try_into().unwrap();
        assert_eq!(
            (&stop["reason"], &stop["answers"], &stop["max_per_run"]),
            (&json!("too_many"), &json!(3), &json!(2))
        );
        assert_eq!(stand.client.walk("/v1/answers").await, Vec::<Value>::new());
        let mut enough = settings;
        enough["max_per_run"] = json!(3);
        set(&stand, enough).await.ok(200);
        tomorrow(&stand, 10).await;
        stand.until(OPERATIONS, |all| all["items"][0]["is_final"] == true).await;
        let [operation] = operations(&stand).await.try_into().unwrap();
        assert_eq!(
            (&operation["counts"]["total"], &operation["counts"]["delivered"], &operation["status"]),
            (&json!(3), &json!(3), &json!("succeeded"))
        );
        for request in &requests {
            assert!(!stand.held(request).held.answer.unwrap().has_debt);
        }
        assert_eq!(stops(&stand).await.len(), 1);
        let log = stand.client.walk("/v1/audit-log?actor=auto").await;
        let mut told: Vec<_> = log.iter().map(|it| it["action"].as_str().unwrap()).collect();
        told.sort_unstable();
        let expected = ["auto_answer", "create_answer", "create_answer", "create_answer", "stop_auto_answer"];
        assert_eq!(told, expected);
        let begun = log.iter().find(|it| it["action"] == "auto_answer").unwrap();
        assert_eq!(begun["target"], format!("operations/{}", operation["id"].as_str().unwrap()));
        assert_eq!((&begun["actor"]["token_id"], &begun["request_id"]), (&Value::Null, &Value::Null));
    });
}

/// Q14: GIS fails a whole list for an identifier that it has named itself.
#[test]
fn one_request_that_gis_cannot_show_keeps_nobody_else_waiting() {
    for_both_with(Setup::default, async |stand: Stand| {
        let requests = created(&stand, 3).await;
        let settings = json!({ "enabled": true, "days_before_due": 30, "require_registry": false });
        set(&stand, settings).await.ok(200);
        let bad = requests[1].as_str();
        let rule = Rule {
            operation: Target::ExportDebtSubrequests,
            organization: None,
            subrequest: Some(bad.parse().unwrap()),
            when: When::Always,
            kind: Kind::StateError {
                code: "INT002000".to_owned(),
                text: Some("Ошибка обработки".to_owned()),
            },
        };
        stand.gis().add_fault(rule).unwrap();
        // The reading of the day comes before the hour of the answers, so that these ask for themselves.
        tomorrow(&stand, 9).await;
        a_while(&stand).await;
        stand.pass_until(hour(today(&stand), 10)).await;
        for _ in 0..3 {
            a_while(&stand).await;
            stand.pass(300).await;
        }
        a_while(&stand).await;
        let [operation] = operations(&stand).await.try_into().unwrap();
        let items = items(&stand, &operation).await;
        assert_eq!(items.len(), 3);
        for item in &items {
            let code = item["errors"][0]["code"].as_str();
            assert_eq!(code, (item["debt_request_id"] == bad).then_some("not_read"), "{item:#}");
        }
        assert_eq!(stand.client.walk("/v1/answers").await.len(), 2);
        assert_eq!(stops(&stand).await, Vec::<Value>::new());
    });
}

#[test]
fn while_gis_cannot_be_read_nobody_is_answered() {
    for_both_with(Setup::default, async |stand: Stand| {
        let requests = created(&stand, 2).await;
        set(&stand, json!({ "enabled": true, "days_before_due": 30, "require_registry": false }))
            .await
            .ok(200);
        stand.fault(Target::ExportDebtSubrequests, When::Always, Kind::ResetBefore);
        tomorrow(&stand, 10).await;
        for _ in 0..6 {
            stand.pass(600).await;
        }
        assert_eq!(operations(&stand).await, Vec::<Value>::new());
        tomorrow(&stand, 10).await;
        let [stop] = stops(&stand).await.try_into().unwrap();
        assert_eq!(stop["reason"], "gis_not_read");
        // Meanwhile somebody has answered one of them in the personal cabinet.
        let elsewhere = serde_json::from_value(json!({ "has_debt": false })).unwrap();
        stand.gis().answer_in_cabinet(requests[0].parse().unwrap(), &elsewhere).unwrap();
        stand.gis().clear_faults();
        stand.until(OPERATIONS, |all| all["items"][0].is_object()).await;
        let [operation] = operations(&stand).await.try_into().unwrap();
        let items = items(&stand, &operation).await;
        assert_eq!(items.len(), 1, "{items:#?}");
        assert_eq!(items[0]["debt_request_id"], requests[1].as_str());
        assert!(items[0]["answer_id"].is_string());
    });
}

#[test]
fn what_speaks_against_an_answer_is_told() {
    for_both_with(Setup::default, async |stand: Stand| {
        let requests = created(&stand, 4).await;
        let reasons = async || {
            let foreseen = preview(&stand).await;
            let items = foreseen["items"].as_array().unwrap().clone();
            let reason = |item: &Value| {
                let id = item["debt_request_id"].as_str().unwrap().to_owned();
                (id, item["skip_reason"].as_str().unwrap_or("answer").to_owned())
            };
            items.iter().map(reason).collect::<BTreeMap<_, _>>()
        };
        let enabled = json!({ "enabled": true, "days_before_due": 30 });
        set(&stand, enabled.clone()).await.ok(200);
        assert!(reasons().await.values().all(|reason| reason == "no_registry"));
        let owed = registry_of_one(&stand, &requests).await;
        let others: Vec<_> = requests.iter().filter(|request| **request != owed).collect();
        let debtor = json!({ "last_name": "Вымышленный", "first_name": "Пётр" });
        stand.answer(others[0], &json!({ "has_debt": true, "debtors": [debtor] })).await;
        let no_debt = json!({ "submit": true, "has_debt": false, "confirm": ["registry_disagrees"] });
        stand.answer(others[1], &no_debt).await;
        let told = reasons().await;
        assert_eq!(told.get(others[0]).unwrap(), "debt_written");
        assert_eq!(told.get(others[1]), None, "it is answered");
        assert!(matches!(told.get(&owed).unwrap().as_str(), "debt_found" | "ambiguous"), "{told:?}");
        let mut somewhere = enabled;
        let department = stand.department("Юг", &stand.employee.to_string(), &[]).await;
        somewhere["departments"] = json!([department]);
        set(&stand, somewhere).await.ok(200);
        assert!(reasons().await.is_empty(), "no request belongs to that department");
    });
}

#[test]
fn settings_are_checked_and_have_a_version() {
    for_both_with(Setup::default, async |stand: Stand| {
        for (settings, pointer) in [
            (json!({}), "/enabled"),
            (json!({ "enabled": true, "days_before_due": 31 }), "/days_before_due"),
            (json!({ "enabled": true, "days_before_due": -1 }), "/days_before_due"),
            (json!({ "enabled": true, "run_at": "24:00" }), "/run_at"),
            (json!({ "enabled": true, "run_at": "7:00" }), "/run_at"),
            (json!({ "enabled": true, "registry_max_age_days": 0 }), "/registry_max_age_days"),
            (json!({ "enabled": true, "max_per_run": 1001 }), "/max_per_run"),
            (json!({ "enabled": true, "departments": [] }), "/departments"),
            (json!({ "enabled": true, "departments": [uuid::Uuid::now_v7()] }), "/departments/0"),
            (json!({ "enabled": true, "comment": "я".repeat(1001) }), "/comment"),
            (json!({ "enabled": true, "require_registri": false }), "/require_registri"),
        ] {
            let problem = set(&stand, settings).await;
            assert_eq!(
                (problem.status.as_u16(), &problem.body["errors"][0]["pointer"]),
                (422, &json!(pointer))
            );
        }
        let put = async |version: &str| {
            let call = stand.client.call(Method::PUT, SETTINGS).header("if-match", version);
            call.json(&json!({ "enabled": true, "comment": " " })).send().await
        };
        let stored = put("\"1\"").await;
        assert_eq!(stored.header("etag"), "\"2\"");
        let stored = stored.ok(200);
        assert_eq!((&stored["version"], &stored["comment"]), (&json!(2), &Value::Null));
        put("\"1\"").await.problem(412, "version_mismatch");
        assert_eq!(put("\"2\"").await.ok(200), stored, "nothing has changed");
        assert_eq!(stand.client.get(SETTINGS).await.ok(200), stored);
        assert_eq!(stand.foreigner.get(SETTINGS).await.ok(200)["version"], 1);
    });
}
