//! Wrong changes, wrong steps and wrong look-ups: what is there stays as it is.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::for_both;
use crate::refusal::{Refusal, UNKNOWN, letters, nothing_was_sent, post, refused};

const INVALID: &str = "validation_failed";

#[test]
fn a_draft_survives_every_wrong_step() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let draft = stand.answer(&request, &json!({ "has_debt": false, "comment": "долга нет" })).await;
        let path = format!("/v1/answers/{draft}");
        let before = stand.client.get(&path).await.ok(200);
        let assigned = format!("/v1/debt-requests/{request}");
        refused(&stand, &wrong_edits(&path)).await;
        refused(&stand, &wrong_steps(&path)).await;
        refused(&stand, &wrong_assignments(&assigned)).await;
        assert_eq!(stand.client.get(&path).await.ok(200), before);
        assert_eq!(stand.client.get(&assigned).await.ok(200)["note"], Value::Null);
        nothing_was_sent(&stand).await;
    });
}

fn patch(path: &str, body: &Value) -> Refusal {
    Refusal::of(format!("PATCH {body:.80}"), Method::PATCH, path).json(body)
}

fn wrong_edits(path: &str) -> Vec<Refusal> {
    let one = json!({ "comment": "другой" });
    vec![
        patch(path, &json!({ "coment": "другой" }))
            .is(422, "unknown_field")
            .at("/coment", "unknown_field")
            .advising("comment"),
        patch(path, &json!({ "submit": true })).is(422, "unknown_field").at("/submit", "unknown_field"),
        patch(path, &json!({ "comment": 1 })).is(422, INVALID).at("/comment", "type"),
        patch(path, &json!({ "comment": letters(1001) })).is(422, INVALID).at("/comment", "too_long"),
        patch(path, &json!({ "has_debt": "нет" })).is(422, INVALID).at("/has_debt", "type"),
        patch(path, &json!({ "has_debt": true })).is(422, INVALID).at("/debtors", "required"),
        patch(path, &json!({ "debtors": [{ "last_name": "В", "first_name": "П" }] }))
            .is(422, INVALID)
            .at("/debtors", "not_allowed_without_debt"),
        patch(path, &json!({ "external_id": "" })).is(422, INVALID).at("/external_id", "too_short"),
        patch(path, &json!({ "executor_id": UNKNOWN })).is(422, INVALID).at("/executor_id", "not_found"),
        patch(path, &one).header("if-match", "\"7\"").is(412, "version_mismatch"),
        patch(path, &one).header("if-match", "W/\"1\"").is(412, "version_mismatch"),
        patch(path, &one).header("if-match", "1").is(412, "version_mismatch"),
        patch(path, &one).header("if-match", "\"1\"").header("if-match", "\"2\"").is(412, "version_mismatch"),
    ]
}

fn wrong_steps(path: &str) -> Vec<Refusal> {
    let step = |name: &str, body: Value| post(format!("{name} {body:.80}"), &format!("{path}/{name}"), &body);
    let bare = |name: &str| Refusal::of(name, Method::POST, format!("{path}/{name}"));
    let mut rows = vec![
        Refusal::of("deleted", Method::DELETE, path).header("if-match", "\"7\"").is(412, "version_mismatch"),
        bare("complete").header("if-match", "\"7\"").is(412, "version_mismatch"),
        bare("submit").header("if-match", "\"7\"").is(412, "version_mismatch"),
        bare("return").is(409, "state_conflict"),
        bare("cancel").is(409, "state_conflict"),
        bare("revoke").is(409, "state_conflict"),
        bare("refresh").is(409, "state_conflict"),
        step("submit", json!({ "confirm": ["everything"] })).is(422, INVALID).at("/confirm/0", "enum"),
        step("submit", json!({ "reason": letters(1001) })).is(422, INVALID).at("/reason", "too_long"),
        step("revoke", json!({ "reason": 1 })).is(422, INVALID).at("/reason", "type"),
        step("return", json!({ "comment": "" })).is(422, INVALID).at("/comment", "too_short"),
        step("return", json!({ "comment": letters(1001) })).is(422, INVALID).at("/comment", "too_long"),
    ];
    for (name, field, nearest) in
        [("submit", "confirmed", "confirm"), ("revoke", "reasons", "reason"), ("return", "coment", "comment")]
    {
        let row = step(name, json!({ field: [] })).is(422, "unknown_field");
        rows.push(row.at(format!("/{field}"), "unknown_field").advising(nearest));
        rows.push(step(name, json!([])).is(422, INVALID).at("", "type"));
        rows.push(bare(name).body("application/json", "{").is(400, "malformed_json"));
        rows.push(bare(name).body("text/plain", "{}").is(415, "media_type_unsupported"));
    }
    rows
}

fn wrong_assignments(path: &str) -> Vec<Refusal> {
    vec![
        patch(path, &json!({ "executor_id": UNKNOWN })).is(422, INVALID).at("/executor_id", "not_found"),
        patch(path, &json!({ "executor_id": "Анна" })).is(422, INVALID).at("/executor_id", "format"),
        patch(path, &json!({ "department_id": UNKNOWN })).is(422, INVALID).at("/department_id", "not_found"),
        patch(path, &json!({ "note": "" })).is(422, INVALID).at("/note", "too_short"),
        patch(path, &json!({ "note": letters(1001) })).is(422, INVALID).at("/note", "too_long"),
        patch(path, &json!({ "note": "а\u{1}" }))
            .is(422, "character_not_allowed")
            .at("/note", "character_not_allowed"),
        patch(path, &json!({ "executor": UNKNOWN }))
            .is(422, "unknown_field")
            .at("/executor", "unknown_field")
            .advising("executor_id"),
        patch(path, &json!({ "note": "да" })).header("if-match", "\"99\"").is(412, "version_mismatch"),
    ]
}

#[test]
fn a_look_up_names_what_it_cannot_take() {
    for_both(0, async |stand| {
        let ids = |count: usize| vec![UNKNOWN; count];
        let mut table = Vec::new();
        for (path, names) in
            [("/v1/debt-requests/lookup", "request_numbers"), ("/v1/answers/lookup", "external_ids")]
        {
            let row = |body: &Value| post(format!("{path} {body:.80}"), path, body);
            table.extend([
                row(&json!({ "ids": ["17"] })).is(422, INVALID).at("/ids/0", "format"),
                row(&json!({ "ids": UNKNOWN })).is(422, INVALID).at("/ids", "type"),
                row(&json!({ "ids": ids(1001) })).is(422, INVALID).at("/ids", "too_many"),
                row(&json!({ names: vec!["0"; 1001] })).is(422, INVALID).at(format!("/{names}"), "too_many"),
                row(&json!({ "ids": ids(600), names: vec!["0"; 600] })).is(422, INVALID).at("", "too_many"),
                row(&json!({ names: [1] })).is(422, INVALID).at(format!("/{names}/0"), "type"),
                row(&json!({ names: ["\u{0}"] }))
                    .is(422, "character_not_allowed")
                    .at(format!("/{names}/0"), "character_not_allowed"),
                row(&json!({ "id": [] })).is(422, "unknown_field").at("/id", "unknown_field").advising("ids"),
            ]);
        }
        refused(&stand, &table).await;
    });
}
