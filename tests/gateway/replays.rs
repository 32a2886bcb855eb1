//! Requests that come again, and requests with more in them than they are asked for.

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{Client, Reply, for_both};
use crate::imports;
use crate::registry::{NAME, REGISTRIES, workbook};

/// A registry of a department, with a key of idempotency.
async fn upload(client: &Client, department: &str, workbook: &[u8]) -> Reply {
    let boundary = "a-boundary-of-the-test";
    let mut form = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"department_id\"\r\n\r\n{department}\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"registry\"; filename=\"{NAME}\"\r\n\r\n"
    )
    .into_bytes();
    form.extend_from_slice(workbook);
    form.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let call = client.call(Method::POST, REGISTRIES).header("idempotency-key", "r-1");
    call.body(&format!("multipart/form-data; boundary={boundary}"), form).send().await
}

#[test]
fn a_repeat_gets_its_reply_although_the_work_could_not_be_done_again() {
    for_both(1, async |stand| {
        let head = stand.employ("Новикова Н. Н.", Some(Uuid::now_v7()), None).await;
        let department = stand.department("Север", &head, &[]).await;
        // A workbook says when it was made, so another one would be another request.
        let content = workbook(&[]);
        let first = upload(&stand.client, &department, &content).await;
        assert!(!first.headers.contains_key("idempotency-replayed"));
        let first = first.ok(202);
        let path = format!("/v1/departments/{department}");
        stand.client.call(Method::DELETE, &path).send().await.ok(204);
        let again = upload(&stand.client, &department, &content).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.ok(202), first);
        assert_eq!(stand.client.walk(REGISTRIES).await.len(), 1);
    });
}

#[test]
fn what_a_step_is_not_asked_for_is_refused() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let answer = stand.answer(&request, &json!({ "submit": true, "has_debt": false })).await;
        let import = stand.client.post("/v1/imports", &imports::unanswered(&[request])).await.ok(202);
        let import = import["id"].as_str().unwrap();
        let registry = crate::registry::upload(&stand.client, &[]).await.ok(202);
        let registry = registry["id"].as_str().unwrap();
        for path in [
            format!("/v1/answers/{answer}/complete"),
            format!("/v1/answers/{answer}/cancel"),
            format!("/v1/answers/{answer}/refresh"),
            format!("/v1/imports/{import}/apply"),
            format!("{REGISTRIES}/{registry}/activate"),
            format!("/v1/operations/{import}/cancel"),
            "/v1/sync-runs".to_owned(),
            "/v1/settings/auto-answer/preview".to_owned(),
        ] {
            let reply = stand.client.post(&path, &json!({ "confirm": ["already_answered"] })).await;
            let problem = reply.problem(422, "unknown_field");
            assert_eq!(problem["errors"][0]["pointer"], "/confirm", "{path}: {problem:#}");
            let call = stand.client.call(Method::POST, &path).body("text/plain", b"tea".to_vec());
            call.send().await.problem(415, "media_type_unsupported");
        }
        let seen = stand.client.get(&format!("/v1/answers/{answer}")).await.ok(200);
        assert_eq!((&seen["state"], &seen["version"]), (&json!("queued"), &json!(1)), "nothing was done");
        stand.client.post("/v1/settings/auto-answer/preview", &json!({})).await.ok(200);
        let nothing = stand.client.call(Method::POST, "/v1/settings/auto-answer/preview");
        nothing.send().await.ok(200);
        let refresh = format!("/v1/answers/{answer}/refresh");
        let stale = stand.client.call(Method::POST, &refresh).header("if-match", "\"7\"");
        stale.send().await.problem(412, "version_mismatch");
        let current = stand.client.call(Method::POST, &refresh).header("if-match", "\"1\"");
        current.send().await.ok(202);
    });
}

#[test]
fn what_only_reads_knows_a_bad_key_too() {
    for_both(1, async |stand| {
        let long = "x".repeat(256);
        for (path, body) in [
            ("/v1/answers/lookup", json!({ "ids": [], "external_ids": ["1C-1"] })),
            ("/v1/debt-requests/lookup", json!({ "ids": [], "request_numbers": ["1"] })),
            ("/v1/settings/auto-answer/preview", json!({})),
        ] {
            let call =
                |key: &str| stand.client.call(Method::POST, path).header("idempotency-key", key).json(&body);
            call(&long).send().await.problem(400, "idempotency_key_invalid");
            call("good").send().await.ok(200);
        }
    });
}
