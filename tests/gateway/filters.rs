//! Every filter of the list shows those requests, and only those, of which its condition is true.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Stand, for_both, ids};

/// A query and what must be true of what it shows.
struct Case {
    query: String,
    holds: Box<dyn Fn(&Value) -> bool>,
}

fn case(query: impl Into<String>, holds: impl Fn(&Value) -> bool + 'static) -> Case {
    Case { query: query.into(), holds: Box::new(holds) }
}

#[test]
fn every_filter_shows_what_it_says() {
    for_both(80, async |stand| {
        let drafts = furnish(&stand).await;
        let all = stand.client.walk("/v1/debt-requests?limit=200").await;
        for Case { query, holds } in cases(&all, drafts) {
            let wanted: BTreeSet<_> =
                ids(&all.iter().filter(|item| holds(item)).cloned().collect::<Vec<_>>())
                    .into_iter()
                    .collect();
            assert!(
                !wanted.is_empty() && wanted.len() < all.len(),
                "{query} proves nothing: {}",
                wanted.len()
            );
            let shown = ids(&stand.client.walk(&format!("/v1/debt-requests?limit=50&{query}")).await);
            assert_eq!(shown.iter().cloned().collect::<BTreeSet<_>>(), wanted, "{query}");
            let count = stand.client.get(&format!("/v1/debt-requests/count?{query}")).await.ok(200);
            assert_eq!(count["total"], json!(wanted.len()), "{query}");
        }
    });
}

#[test]
fn filters_together_must_all_hold_and_may_find_nothing() {
    for_both(40, async |stand| {
        let all = stand.client.walk("/v1/debt-requests?limit=200").await;
        let number = all[7]["request_number"].as_str().unwrap();
        let one = format!("/v1/debt-requests?request_number={number}");
        assert_eq!(stand.client.walk(&format!("{one}&answered=false&stage=new")).await.len(), 1);
        for none in ["answered=true", "stage=gone", "has_draft=true", "sent_to=2000-01-01"] {
            assert!(stand.client.walk(&format!("{one}&{none}")).await.is_empty(), "{none}");
        }
    });
}

/// Answers in several states, and other executors than the usual one. Returns the requests with a draft.
async fn furnish(stand: &Stand) -> BTreeSet<String> {
    let requests = stand.request_ids().await;
    let no_debt = |submit: bool| json!({ "submit": submit, "has_debt": false });
    let delivered = stand.answer(&requests[0], &no_debt(true)).await;
    stand.answer(&requests[1], &no_debt(false)).await;
    let prepared = stand.answer(&requests[2], &no_debt(false)).await;
    stand.client.post(&format!("/v1/answers/{prepared}/complete"), &json!({})).await.ok(200);
    stand.until_state(&delivered, "delivered").await;
    let path = format!("/v1/debt-requests/{}", requests[0]);
    // GIS shows it in the reading that confirms it.
    stand.until(&path, |request| request["gis"]["response_status"] == "sent").await;
    stand.answer(&requests[3], &no_debt(true)).await;
    let helper = json!(stand.employ("Помощников П. П.", None, None).await);
    for (request, executor) in
        [(&requests[4], &helper), (&requests[5], &helper), (&requests[6], &Value::Null)]
    {
        let executor = json!({ "executor_id": executor });
        stand.client.patch(&format!("/v1/debt-requests/{request}"), &executor).await.ok(200);
    }
    let head = stand.employ("Головин Г. Г.", Some(Uuid::now_v7()), None).await;
    let north = json!({ "department_id": stand.department("Север", &head, &[]).await });
    for request in &requests[7..10] {
        stand.client.patch(&format!("/v1/debt-requests/{request}"), &north).await.ok(200);
    }
    [requests[1].clone(), requests[2].clone()].into()
}

#[test]
fn due_today_goes_by_the_day_of_the_organisation() {
    for_both(30, async |stand| {
        let all = stand.client.walk("/v1/debt-requests?limit=200").await;
        let day = all[0]["due_on"].as_str().unwrap();
        let today = || async { ids(&stand.client.walk("/v1/debt-requests?due=today").await) };
        assert!(today().await.is_empty());
        assert_eq!(stand.client.get("/v1/debt-requests/count").await.ok(200)["due_today"], 0);
        // 21:30 UTC is half past midnight in Moscow: the day has begun there.
        let midnight = day.parse::<NaiveDate>().unwrap().pred_opt().unwrap().and_hms_opt(21, 30, 0).unwrap();
        stand.pass_until(midnight.and_utc()).await;
        let wanted: Vec<_> = all.iter().filter(|item| item["due_on"] == *day).cloned().collect();
        assert_eq!(today().await, ids(&wanted));
        let count = stand.client.get("/v1/debt-requests/count").await.ok(200);
        assert_eq!((&count["due_today"], &count["total"]), (&json!(wanted.len()), &json!(30)));
        let first = stand.client.get(&format!("/v1/debt-requests/{}", ids(&wanted)[0])).await.ok(200);
        assert_eq!(first["days_left"], json!(0));
    });
}

#[test]
fn what_nobody_has_is_found_by_no_filter() {
    for_both(3, async |stand| {
        let nobody = "00000000-0000-4000-8000-000000000000";
        let filters = ["requester_id", "department_id", "responsible_id", "executor_id", "fias_house_id"];
        for query in filters.map(|name| format!("{name}={nobody}")).into_iter().chain([
            "match_result=found".to_owned(),
            "responsible_id=none".to_owned(),
            "stage=gone".to_owned(),
            "requester_name=%25".to_owned(),
            "q=_".to_owned(),
        ]) {
            assert!(stand.client.walk(&format!("/v1/debt-requests?{query}")).await.is_empty(), "{query}");
        }
    });
}

fn cases(all: &[Value], drafts: BTreeSet<String>) -> Vec<Case> {
    let text = |item: &Value, path: &str| item.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let some = |path: &'static str| all.iter().find_map(|item| text(item, path)).unwrap();
    let is = |path: &'static str, value: &str| {
        let value = value.to_owned();
        move |item: &Value| item.pointer(path).and_then(Value::as_str) == Some(&value)
    };
    let day = move |item: &Value, path: &str| text(item, path).unwrap().parse::<NaiveDate>().unwrap();
    let mut days: Vec<_> = all.iter().map(|item| (day(item, "/due_on"), day(item, "/sent_on"))).collect();
    days.sort_unstable();
    let (due, sent) = days[days.len() / 2];
    let numbers: Vec<_> = all.iter().map(|item| text(item, "/request_number").unwrap()).collect();
    let (two, prefix) =
        ([numbers[3].clone(), numbers[9].clone()], numbers[0][..numbers[0].len() - 1].to_owned());
    let executor = some("/executor_id");
    let north = some("/department_id");
    let in_north = all.iter().find(|item| item["department_id"] == *north).unwrap();
    let head = text(in_north, "/responsible_id").unwrap();
    let requester = some("/requester/organization_id");
    let requester_name = some("/requester/name");
    let house = some("/address/fias_house_id");
    let street = some("/address/text").split(", ").nth(3).unwrap_or("1").to_owned();
    let since = all.iter().map(|item| text(item, "/updated_at").unwrap()).max().unwrap();
    let time = |text: &str| DateTime::parse_from_rfc3339(text).unwrap();
    let (not_drafts, words) = (drafts.clone(), fold(&street));
    vec![
        case("answered=true", |item| {
            item["answer"]["state"] == "delivered" || item["answer"]["state"] == "queued"
        }),
        case("answered=false", |item| {
            item["answer"].is_null()
                || item["answer"]["state"] == "draft"
                || item["answer"]["state"] == "prepared"
        }),
        case("stage=new", is("/stage", "new")),
        case("stage=answered&stage=prepared", |item| {
            item["stage"] == "answered" || item["stage"] == "prepared"
        }),
        case("gis_response_status=sent", is("/gis/response_status", "sent")),
        case("gis_request_status=processed", is("/gis/request_status", "processed")),
        case("answer_state=delivered", is("/answer/state", "delivered")),
        case("answer_state=draft&answer_state=queued", |item| {
            item["answer"]["state"] == "draft" || item["answer"]["state"] == "queued"
        }),
        case(format!("request_number={}&request_number={}", two[0], two[1]), move |item| {
            two.iter().any(|number| item["request_number"] == **number)
        }),
        case(format!("request_number_prefix={prefix}"), move |item| {
            item["request_number"].as_str().unwrap().starts_with(&prefix)
        }),
        case(format!("requester_id={requester}"), is("/requester/organization_id", &requester)),
        case(
            format!("requester_name={}", requester_name.to_uppercase()),
            is("/requester/name", &requester_name),
        ),
        case(format!("due_from={due}"), move |item| day(item, "/due_on") >= due),
        case(format!("due_to={due}"), move |item| day(item, "/due_on") <= due),
        case(format!("sent_from={sent}"), move |item| day(item, "/sent_on") >= sent),
        case(format!("sent_to={sent}"), move |item| day(item, "/sent_on") <= sent),
        case(format!("updated_since={since}"), move |item| {
            time(item["updated_at"].as_str().unwrap()) >= time(&since)
        }),
        case(format!("fias_house_id={house}"), is("/address/fias_house_id", &house)),
        case(format!("q={}", street.to_uppercase()), move |item| {
            let address = fold(&format!(
                "{} {}",
                item["address"]["text"].as_str().unwrap_or(""),
                item["address"]["premises"].as_str().unwrap_or("")
            ));
            words.split_whitespace().all(|word| address.contains(word))
        }),
        case("has_draft=true", move |item| drafts.contains(item["id"].as_str().unwrap())),
        case("has_draft=false", move |item| !not_drafts.contains(item["id"].as_str().unwrap())),
        case(format!("executor_id={executor}"), is("/executor_id", &executor)),
        case("executor_id=none", |item| item["executor_id"].is_null()),
        case(format!("responsible_id={head}"), is("/responsible_id", &head)),
        case(format!("department_id={north}"), is("/department_id", &north)),
        case("department_id=none", |item| item["department_id"].is_null()),
    ]
}

/// Case and ё do not count.
fn fold(text: &str) -> String {
    text.to_lowercase().replace('ё', "е")
}
