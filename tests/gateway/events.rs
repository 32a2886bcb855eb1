//! The log of events as a puller reads it, and posts that come at the same time (`api.md` §6.1, §13).

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Stand, for_both};

/// Pulls until nothing is left; the events, and from where to go on.
async fn pull(stand: &Stand, mut next: Option<String>, filter: &str) -> (Vec<Value>, String) {
    let mut pulled = Vec::new();
    loop {
        let after = next.map_or_else(String::new, |next| format!("&after={next}"));
        let feed = stand.client.get(&format!("/v1/events?limit=3{filter}{after}")).await.ok(200);
        pulled.extend(feed["items"].as_array().unwrap().iter().cloned());
        next = feed["next"].as_str().map(str::to_owned);
        if feed["has_more"] == false {
            return (pulled, next.unwrap());
        }
    }
}

/// Types in their order, but for deadlines: which of them is near depends on the season.
fn kinds(events: &[Value]) -> Vec<&str> {
    let kinds = events.iter().map(|event| event["type"].as_str().unwrap());
    kinds.filter(|kind| *kind != "debt_request.due_soon").collect()
}

#[test]
fn a_puller_gets_everything_once_and_in_order() {
    for_both(2, async |stand| {
        let (before, next) = pull(&stand, None, "").await;
        assert_eq!(kinds(&before), ["debt_request.received", "debt_request.received", "sync.completed"]);
        assert!(before.iter().all(|event| event["organization_id"] == stand.organization.to_string()));
        let (nothing, next) = pull(&stand, Some(next), "").await;
        assert_eq!(nothing, Vec::<Value>::new(), "an empty part has a cursor too");

        let [request, _] = stand.request_ids().await.try_into().unwrap();
        let body = json!({ "submit": true, "has_debt": false, "external_id": "1C-1" });
        let answer = stand.answer(&request, &body).await;
        stand.until_state(&answer, "delivered").await;
        let (news, _) = pull(&stand, Some(next.clone()), "").await;
        let story = ["answer.queued", "answer.sending", "answer.accepted", "answer.delivered"];
        assert_eq!(kinds(&news), story);
        assert!(news.iter().all(|event| event["answer_id"] == answer && event["debt_request_id"] == request));
        let end = &news.last().unwrap()["data"];
        let told = json!({
            "answer_id": answer, "debt_request_id": request, "external_id": "1C-1", "state": "delivered",
            "is_final": true,
        });
        assert_eq!(end, &told);

        let (chosen, _) = pull(&stand, Some(next.clone()), "&type=answer.delivered&type=sync.*").await;
        assert_eq!(kinds(&chosen), ["answer.delivered"]);
        let (again, _) = pull(&stand, Some(next), "").await;
        assert_eq!(again, news, "the same cursor gives the same events");
        let theirs = stand.foreigner.get("/v1/events?limit=200").await.ok(200);
        assert_eq!(kinds(theirs["items"].as_array().unwrap()).last(), Some(&"sync.completed"));
        assert!(!theirs.to_string().contains(&request), "everybody sees his own events only");
    });
}

#[test]
fn a_long_poll_ends_with_the_news() {
    for_both(1, async |stand| {
        let (_, next) = pull(&stand, None, "").await;
        let [request] = stand.request_ids().await.try_into().unwrap();
        let waiting = {
            let client = stand.client.clone();
            tokio::spawn(async move { client.get(&format!("/v1/events?wait=25&after={next}")).await.ok(200) })
        };
        stand.answer(&request, &json!({ "submit": false, "has_debt": false })).await;
        let feed = tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap().unwrap();
        assert_eq!(kinds(feed["items"].as_array().unwrap()), ["answer.drafted"]);
    });
}

#[test]
fn cursors_and_types_that_mean_nothing_are_refused() {
    for_both(1, async |stand| {
        let (_, next) = pull(&stand, None, "").await;
        for (query, status, code) in [
            ("after=tea", 400, "invalid_cursor"),
            ("type=tea", 422, "validation_failed"),
            ("type=*.delivered", 422, "validation_failed"),
            ("wait=26", 422, "validation_failed"),
            ("sort=type", 400, "unknown_parameter"),
        ] {
            let reply = stand.client.get(&format!("/v1/events?{query}")).await;
            assert_eq!((reply.status.as_u16(), &reply.body["code"]), (status, &code.into()), "{query}");
        }
        // Thirty days later what stood behind the cursor may be deleted, and the puller must know it.
        let expired = format!("/v1/events?after={next}");
        stand.pass_until(stand.gis().now() + TimeDelta::days(30)).await;
        stand.client.get(&expired).await.ok(200);
        stand.pass(1).await;
        let reply = stand.client.get(&expired).await;
        assert_eq!((reply.status.as_u16(), &reply.body["code"]), (410, &"cursor_expired".into()));
    });
}

#[test]
fn fifty_equal_posts_at_once_make_one_answer() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let mut posts = JoinSet::new();
        for _ in 0..50 {
            let (client, path) = (stand.client.clone(), format!("/v1/debt-requests/{request}/answers"));
            posts.spawn(async move {
                client.post(&path, &json!({ "submit": true, "has_debt": false, "comment": "нет" })).await
            });
        }
        let (mut statuses, mut ids) = (Vec::new(), BTreeSet::new());
        while let Some(reply) = posts.join_next().await {
            let reply = reply.unwrap();
            statuses.push(reply.status.as_u16());
            ids.insert(reply.body["id"].as_str().unwrap().to_owned());
        }
        statuses.sort_unstable();
        assert_eq!(ids.len(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 202).count(), 1, "one of them made it");
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 49);
        let answer = ids.first().unwrap();
        stand.until_state(answer, "delivered").await;
        assert_eq!(stand.client.get("/v1/answers").await.ok(200)["items"].as_array().unwrap().len(), 1);
    });
}
