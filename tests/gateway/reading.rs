//! How debt requests come from GIS and are listed page by page.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::{Setup, Stand, for_both, for_both_with, ids, next_page};

#[test]
fn two_hundred_and_fifty_requests_come_over_three_pages_of_gis() {
    for_both(250, async |stand| {
        let runs = stand.client.get("/v1/sync-runs").await.ok(200);
        let [run] = runs["items"].as_array().unwrap().as_slice() else { panic!("one run: {runs}") };
        let figures = ["found", "added", "changed", "pages"].map(|name| run[name].as_i64().unwrap());
        assert_eq!((run["state"].as_str(), figures), (Some("succeeded"), [250, 250, 0, 3]));
        let items = stand.client.walk("/v1/debt-requests?limit=100").await;
        assert_eq!(ids(&items).into_iter().collect::<BTreeSet<_>>().len(), 250);
        for item in &items {
            mirrors(&stand, item);
        }
        for (limit, shown) in [("", 50), ("?limit=1", 1), ("?limit=200", 200), ("?limit=1000", 200)] {
            let page = stand.client.get(&format!("/v1/debt-requests{limit}")).await.ok(200);
            let items = page["items"].as_array().unwrap();
            assert_eq!((items.len(), page["next"].is_string()), (shown, true), "{limit}");
        }
        let count = stand.client.get("/v1/debt-requests/count").await.ok(200);
        assert_eq!(
            (&count["total"], &count["new"], &count["unanswered"]),
            (&json!(250), &json!(250), &json!(250))
        );
        let theirs = stand.foreigner.walk("/v1/debt-requests?limit=200").await;
        let ours: BTreeSet<_> = ids(&items).into_iter().collect();
        assert!(theirs.len() == 250 && ids(&theirs).iter().all(|id| !ours.contains(id)));
    });
}

/// What is listed is what GIS has.
fn mirrors(stand: &Stand, item: &Value) {
    let report = stand.held(item["id"].as_str().unwrap());
    assert_eq!(item["request_id"], json!(report.request));
    assert_eq!(item["request_number"], json!(report.summary.number));
    assert_eq!(item["requester"]["name"], json!(report.requester));
    assert_eq!(item["requester"]["employee"], json!(report.employee));
    assert_eq!(item["address"]["text"], json!(report.address));
    assert_eq!(item["address"]["premises"], json!(report.details));
    assert_eq!(item["address"]["fias_house_id"], json!(report.fias_house));
    assert_eq!(item["address"]["gis_house_id"], json!(report.house));
    assert_eq!(item["period"], json!({ "from": report.period_start, "to": report.period_end }));
    assert_eq!(item["sent_on"], json!(report.summary.sent));
    assert_eq!(item["due_on"], json!(report.summary.respond_by));
    assert_eq!(item["gis"]["response_status"], "not_sent");
    assert_eq!((&item["stage"], &item["answer"]), (&json!("new"), &Value::Null));
}

#[test]
fn one_request_and_a_lookup_show_what_the_list_shows() {
    for_both(5, async |stand| {
        let items = stand.client.walk("/v1/debt-requests").await;
        for item in &items {
            let path = format!("/v1/debt-requests/{}", item["id"].as_str().unwrap());
            assert_eq!(stand.client.get(&path).await.ok(200), *item);
        }
        let (first, second) = (&items[0], &items[1]);
        let unknown = "00000000-0000-4000-8000-000000000000";
        let sought =
            json!({ "ids": [first["id"], unknown], "request_numbers": [second["request_number"], "0"] });
        let found = stand.client.post("/v1/debt-requests/lookup", &sought).await.ok(200);
        let wanted: BTreeSet<_> = ids(&items[..2]).into_iter().collect();
        assert_eq!(ids(found["items"].as_array().unwrap()).into_iter().collect::<BTreeSet<_>>(), wanted);
        let missing = found["not_found"].to_string();
        assert!(missing.contains(unknown) && missing.contains("\"0\""), "{missing}");
    });
}

#[test]
fn pages_lose_and_double_nothing_while_requests_come_in() {
    let setup = || Setup { requests: 150, settings: "[sync]\nleast_pause = \"1s\"\n", ..Setup::default() };
    for_both_with(setup, async |stand| {
        stand.read_gis().await;
        for sort in ["due_on", "-due_on", "sent_on", "-sent_on"] {
            let before: BTreeSet<_> = stand.request_ids().await.into_iter().collect();
            let path = format!("/v1/debt-requests?limit=40&sort={sort}");
            let (mut seen, mut cursor) = (Vec::new(), None);
            loop {
                let page = stand.client.get(&next_page(&path, cursor.as_deref())).await.ok(200);
                seen.extend(ids(page["items"].as_array().unwrap()));
                let Some(next) = page["next"].as_str() else { break };
                cursor = Some(next.to_owned());
                more_come_in(&stand).await;
            }
            let distinct: BTreeSet<_> = seen.iter().cloned().collect();
            assert_eq!(distinct.len(), seen.len(), "{sort}: something came twice");
            assert!(distinct.is_superset(&before), "{sort}: something was lost");
        }
    });
}

/// Seven requests more, in GIS and here.
async fn more_come_in(stand: &Stand) {
    stand.create(7);
    let run = stand.client.post("/v1/sync-runs", &json!({})).await.ok(202);
    let path = format!("/v1/sync-runs/{}", run["id"].as_str().unwrap());
    let run = stand.until(&path, |run| run["finished_at"].is_string()).await;
    assert_eq!(run["added"], json!(7), "{run}");
}

#[test]
fn a_page_says_where_the_next_one_is_and_an_order_is_kept() {
    for_both(60, async |stand| {
        for (sort, field) in [("due_on", "due_on"), ("sent_on", "sent_on"), ("updated_at", "updated_at")] {
            for (sort, ascending) in [(sort.to_owned(), true), (format!("-{sort}"), false)] {
                let items = stand.client.walk(&format!("/v1/debt-requests?limit=13&sort={sort}")).await;
                let keys: Vec<_> = items.iter().map(|item| item[field].as_str().unwrap()).collect();
                assert_eq!(
                    (keys.len(), keys.is_sorted_by(|a, b| if ascending { a <= b } else { a >= b })),
                    (60, true)
                );
            }
        }
        let first = stand.client.get("/v1/debt-requests?limit=50").await;
        let next = first.body["next"].as_str().unwrap();
        let link = first.header("link").to_owned();
        assert!(link.starts_with("<https://debtgate.example.ru/v1/debt-requests?"), "{link}");
        assert!(link.contains(next) && link.ends_with("rel=\"next\""), "{link}");
        assert!(first.headers.contains_key("data-as-of"));
        let last = stand.client.get(&next_page("/v1/debt-requests?limit=50", Some(next))).await;
        assert_eq!((&last.body["next"], last.headers.get("link")), (&Value::Null, None));
        assert_eq!(last.body["items"].as_array().unwrap().len(), 10);
    });
}

#[test]
fn the_history_of_a_request_tells_its_story() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let answer = stand.answer(&request, &json!({ "submit": true, "has_debt": false })).await;
        stand.until_state(&answer, "delivered").await;
        let path = format!("/v1/debt-requests/{request}/history");
        let history = stand.client.walk(&path).await;
        let kinds: Vec<_> = history.iter().map(|event| event["type"].as_str().unwrap()).collect();
        for kind in ["debt_request.received", "answer.queued", "answer.delivered"] {
            assert!(kinds.contains(&kind), "{kind} of {kinds:?}");
        }
    });
}

/// F1, F2: the gateway reads GIS by itself at the time that it tells.
#[test]
fn gis_is_read_when_it_was_said() {
    for_both(1, async |stand| {
        let next = stand.client.get("/v1/gis/status").await.ok(200)["next_sync_at"].clone();
        let next: DateTime<Utc> = next.as_str().unwrap().parse().unwrap();
        let in_moscow = (next + TimeDelta::hours(3)).format("%H:%M").to_string();
        assert_eq!(in_moscow, "04:15", "nobody has chosen another time");
        let runs = stand.client.walk("/v1/sync-runs").await.len();
        stand.pass_until(next - TimeDelta::seconds(1)).await;
        assert_eq!(stand.client.walk("/v1/sync-runs").await.len(), runs);
        stand.pass(2).await;
        assert_eq!(stand.client.walk("/v1/sync-runs").await.len(), runs + 1);
    });
}
