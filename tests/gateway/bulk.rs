//! Many answers in one request, and the operation that tells what becomes of each.

use gis_sim::faults::Target;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::faults::item_error;
use crate::harness::{Stand, for_both};

const BULK: &str = "/v1/answers/bulk";

fn no_debt(request: &str) -> Value {
    json!({ "debt_request_id": request, "has_debt": false })
}

/// An item with a debt of an invented person.
fn debt(request: &str, name: &str) -> Value {
    let debtor = json!({ "last_name": "Вымышленный", "first_name": "Пётр" });
    json!({ "debt_request_id": request, "has_debt": true, "external_id": name, "debtors": [debtor] })
}

/// The counts that are not zero.
fn counts(operation: &Value) -> Value {
    let counts = operation["counts"].as_object().unwrap();
    counts
        .iter()
        .filter(|(_, count)| **count != 0)
        .map(|(name, count)| (name.clone(), count.clone()))
        .collect()
}

async fn items(stand: &Stand, operation: &Value) -> Vec<Value> {
    stand.client.walk(&format!("{}?limit=2", operation["items_url"].as_str().unwrap())).await
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Outcome and the first error of each item.
fn outcomes(items: &[Value]) -> Vec<(&str, &str, &str)> {
    items.iter().map(outcome).collect()
}

fn outcome(item: &Value) -> (&str, &str, &str) {
    let error = &item["errors"][0];
    (text(&item["outcome"]), text(&error["pointer"]), text(&error["code"]))
}

#[test]
fn each_of_many_answers_goes_its_own_way() {
    for_both(7, async |stand| {
        let ids = stand.request_ids().await;
        let earlier = stand.answer(&ids[5], &json!({ "submit": true, "has_debt": false })).await;
        stand.fault_once(Target::ImportResponses, &ids[4], item_error("INT016001"));
        let mut long = no_debt(&ids[2]);
        long["comment"] = json!("д".repeat(1001));
        let nobody = json!({ "debt_request_id": ids[3], "has_debt": true, "external_id": "1C-3" });
        let unknown = Uuid::now_v7().to_string();
        let body = json!({ "submit": true, "items": [
            no_debt(&ids[0]), debt(&ids[1], "1C-1"), long, nobody, no_debt(&ids[4]), no_debt(&ids[5]),
            no_debt(&ids[0]), debt(&ids[6], "1C-1"), no_debt(&unknown), 7,
        ] });
        let posted = stand.client.post(BULK, &body).await;
        let path = posted.header("location").to_owned();
        assert_eq!(posted.header("retry-after"), "10");
        let operation = posted.ok(202);
        assert_eq!(path, format!("/v1/operations/{}", operation["id"].as_str().unwrap()));
        assert_eq!((&operation["kind"], &operation["status"]), (&json!("answers_bulk"), &json!("running")));
        assert_eq!(counts(&operation), json!({ "total": 10, "refused": 6, "unchanged": 1, "queued": 3 }));
        let came = items(&stand, &operation).await;
        let expected = [
            ("queued", "", ""),
            ("queued", "", ""),
            ("refused", "/comment", "too_long"),
            ("refused", "/debtors", "required"),
            ("queued", "", ""),
            ("unchanged", "", ""),
            ("refused", "/debt_request_id", "repeated"),
            ("refused", "/external_id", "external_id_taken"),
            ("refused", "/debt_request_id", "not_found"),
            ("refused", "", "type"),
        ];
        assert_eq!(outcomes(&came), expected);
        assert_eq!((&came[5]["answer_id"], &came[3]["external_id"]), (&json!(earlier), &json!("1C-3")));
        assert_eq!(
            (&came[2]["debt_request_id"], &came[9]["debt_request_id"]),
            (&json!(ids[2]), &Value::Null)
        );

        let ended = stand.until(&path, |operation| operation["is_final"] == true).await;
        assert_eq!(ended["status"], "completed_with_errors");
        let expected = json!({ "total": 10, "refused": 6, "unchanged": 1, "delivered": 2, "rejected": 1 });
        assert_eq!(counts(&ended), expected);
        let rejected = stand.client.walk(&format!("{path}/items?outcome=rejected")).await;
        assert_eq!(rejected.len(), 1);
        assert_eq!(
            (&rejected[0]["index"], &rejected[0]["last_error"]["gis"]["code"]),
            (&json!(4), &json!("INT016001"))
        );
        assert!(stand.held(&ids[1]).held.answer.unwrap().has_debt);
        assert!(stand.held(&ids[6]).held.answer.is_none());
        let events = stand.client.get("/v1/events?type=operation.*").await.ok(200);
        let [event] = events["items"].as_array().unwrap().as_slice() else { panic!("{events:#}") };
        assert_eq!(
            (&event["type"], &event["data"]["operation_id"]),
            (&json!("operation.completed"), &operation["id"])
        );
    });
}

#[test]
fn all_are_refused_for_the_mistakes_of_some_if_the_client_wishes() {
    for_both(2, async |stand| {
        let ids = stand.request_ids().await;
        let mut long = no_debt(&ids[1]);
        long["comment"] = json!("д".repeat(1001));
        let mut inline = debt(&ids[1], "1C-1");
        inline["attachments"] = json!([{ "file_name": "a.txt", "content_base64": "0LTQsA==" }]);
        let body = json!({ "on_invalid": "reject_all", "items": [no_debt(&ids[0]), long, no_debt(&ids[0]), inline] });
        let problem = stand.client.post(BULK, &body).await.problem(422, "validation_failed");
        let errors = problem["errors"].as_array().unwrap();
        let places: Vec<_> = errors
            .iter()
            .map(|error| (error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap()))
            .collect();
        let expected = [
            ("/items/1/comment", "too_long"),
            ("/items/2/debt_request_id", "repeated"),
            ("/items/3/attachments/0/content_base64", "inline_not_allowed"),
        ];
        assert_eq!(places, expected);
        assert!(stand.client.walk("/v1/answers").await.is_empty());
        assert!(stand.client.walk("/v1/operations?kind=answers_bulk").await.is_empty());

        for (body, pointer, code) in [
            (json!({ "items": [] }), "/items", "too_few"),
            (json!({ "submit": true }), "/items", "required"),
            (json!({ "items": [no_debt(&ids[0])], "on_invalid": "stop" }), "/on_invalid", "enum"),
            (json!({ "items": vec![no_debt(&ids[0]); 1001] }), "/items", "too_many"),
        ] {
            let problem = stand.client.post(BULK, &body).await.problem(422, "validation_failed");
            assert_eq!(
                (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
                (&json!(pointer), &json!(code))
            );
        }
    });
}

#[test]
fn a_list_that_comes_again_makes_nothing_new() {
    for_both(3, async |stand| {
        let ids = stand.request_ids().await;
        let items: Vec<_> =
            ids.iter().zip(0..).map(|(id, number)| debt(id, &format!("1C-{number}"))).collect();
        let body = json!({ "submit": true, "items": items });
        let with_key = async || {
            let call = stand.client.call(reqwest::Method::POST, BULK).header("idempotency-key", "once");
            call.json(&body).send().await
        };
        let first = with_key().await.ok(202);
        let replayed = with_key().await;
        assert_eq!((replayed.header("idempotency-replayed"), &replayed.body), ("true", &first));
        let second = stand.client.post(BULK, &body).await.ok(202);
        assert_eq!(
            (&second["status"], counts(&second)),
            (&json!("succeeded"), json!({ "total": 3, "unchanged": 3 }))
        );
        assert_eq!(stand.client.walk("/v1/answers").await.len(), 3);
        let listed = stand.client.walk("/v1/operations?kind=answers_bulk").await;
        let listed: Vec<_> = listed.iter().map(|it| it["id"].clone()).collect();
        assert_eq!(listed, [second["id"].clone(), first["id"].clone()]);
    });
}

#[test]
fn what_was_not_sent_can_be_stopped_and_drafts_wait_for_nobody() {
    for_both(4, async |stand| {
        let ids = stand.request_ids().await;
        let post = async |submit: bool, ids: &[String]| {
            let items: Vec<_> = ids.iter().map(|id| no_debt(id)).collect();
            stand.client.post(BULK, &json!({ "submit": submit, "items": items })).await.ok(202)
        };
        let drafts = post(false, &ids[..1]).await;
        assert_eq!(
            (&drafts["status"], counts(&drafts)),
            (&json!("succeeded"), json!({ "total": 1, "draft": 1 }))
        );
        let cancel =
            |operation: &Value| format!("/v1/operations/{}/cancel", operation["id"].as_str().unwrap());
        stand.client.post(&cancel(&drafts), &json!({})).await.problem(409, "state_conflict");

        let queued = post(true, &ids[1..]).await;
        for _ in 0..2 {
            let stopped = stand.client.post(&cancel(&queued), &json!({})).await.ok(200);
            assert_eq!(
                (&stopped["status"], counts(&stopped)),
                (&json!("cancelled"), json!({ "total": 3, "cancelled": 3 }))
            );
        }
        stand.pass(60).await;
        assert!(stand.held(&ids[1]).held.answer.is_none());
    });
}

/// Whoever only writes answers knows what became of his own, and nothing of what others do.
#[test]
fn whoever_began_an_operation_may_watch_it() {
    for_both(2, async |mut stand| {
        let [first, second] = stand.request_ids().await.try_into().unwrap();
        let preparer = stand.employ("Исполнителев И. И.", None, None).await;
        let (organization, mut tokens) = (stand.organization, Vec::new());
        stand.restart_after(|workshop| {
            tokens.push(workshop.employee_token(organization, &preparer, "answers:write"));
            tokens.push(workshop.token(&[organization], "answers:submit", "30"));
            tokens.push(workshop.token(&[organization], "events:read", "30"));
        });
        let [writer, sender, stranger] =
            <[String; 3]>::try_from(tokens).unwrap().map(|token| stand.client.with_token(&token));
        let drafts = json!({ "items": [no_debt(&first)] });
        let drafts = writer.post(BULK, &drafts).await.ok(202);
        let sent = json!({ "submit": true, "items": [no_debt(&second)] });
        let sent = sender.post(BULK, &sent).await.ok(202);
        let path = |operation: &Value| format!("/v1/operations/{}", text(&operation["id"]));
        for (client, own, foreign) in [(&writer, &drafts, &sent), (&sender, &sent, &drafts)] {
            let listed = client.walk("/v1/operations").await;
            assert_eq!(listed.iter().map(|it| &it["id"]).collect::<Vec<_>>(), [&own["id"]]);
            assert_eq!(client.get(&path(own)).await.ok(200)["counts"]["total"], 1);
            assert_eq!(client.walk(&format!("{}/items", path(own))).await.len(), 1);
            client.get(&path(foreign)).await.problem(404, "not_found");
            client.get(&format!("{}/items", path(foreign))).await.problem(404, "not_found");
        }
        // One client has the name of the other: `stand.client` reads answers, and so every operation.
        assert_eq!(stand.client.walk("/v1/operations?kind=answers_bulk").await.len(), 2);
        stranger.get("/v1/operations").await.problem(403, "scope_missing");
        stranger.get(&path(&sent)).await.problem(403, "scope_missing");
    });
}
