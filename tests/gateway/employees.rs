//! Employees: who they are, and why some have to stay.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{for_both, ids};
use crate::refusal::{Refusal, UNKNOWN, letters, post, refused};

const EMPLOYEES: &str = "/v1/employees";
const INVALID: &str = "validation_failed";

fn path(id: &str) -> String {
    format!("{EMPLOYEES}/{id}")
}

#[test]
fn employees_are_added_changed_and_removed() {
    for_both(0, async |stand| {
        // Whoever was named when the organisation was added is an employee like all others.
        let first = stand.client.get(&path(&stand.employee.to_string())).await;
        assert_eq!(first.header("etag"), "\"1\"");
        let first = first.ok(200);
        assert_eq!(
            (&first["name"], &first["gis_id"]),
            (&json!("Образцова Анна Сергеевна"), &json!(stand.executor))
        );

        let body = json!({ "name": "Новикова Н. Н.", "gis_id": null });
        let added = stand.client.post(EMPLOYEES, &body).await;
        let id = added.body["id"].as_str().unwrap().to_owned();
        assert_eq!((added.header("location"), added.header("etag")), (path(&id).as_str(), "\"1\""));
        let expected = json!({
            "id": id, "name": "Новикова Н. Н.", "gis_id": null, "department_id": null, "active": true, "version": 1
        });
        assert_eq!(added.ok(201), expected);

        let department = stand.department("Север", &stand.employee.to_string(), &[]).await;
        let gis_id = Uuid::now_v7();
        let edit = json!({ "name": "Новикова Нина", "gis_id": gis_id, "department_id": department });
        let edited = stand.client.patch(&path(&id), &edit).await.ok(200);
        let expected = json!({
            "id": id, "name": "Новикова Нина", "gis_id": gis_id, "department_id": department, "active": true,
            "version": 2
        });
        assert_eq!(edited, expected);
        assert_eq!(stand.client.patch(&path(&id), &edit).await.ok(200), expected, "nothing changes");
        let left = json!({ "gis_id": null, "department_id": null });
        let left = stand.client.patch(&path(&id), &left).await.ok(200);
        assert_eq!((&left["gis_id"], &left["department_id"]), (&Value::Null, &Value::Null));

        stand.client.call(Method::DELETE, &format!("/v1/departments/{department}")).send().await.ok(204);
        let stale = stand.client.call(Method::DELETE, &path(&id)).header("if-match", "\"1\"").send().await;
        stale.problem(412, "version_mismatch");
        stand.client.call(Method::DELETE, &path(&id)).send().await.ok(204);
        stand.client.get(&path(&id)).await.problem(404, "not_found");
        assert_eq!(ids(&stand.client.walk(EMPLOYEES).await), [stand.employee.to_string()]);
        // People's names stay out of the log.
        assert!(!stand.gateway.log().contains("Новикова"));
    });
}

#[test]
fn the_list_has_pages_and_filters() {
    for_both(0, async |stand| {
        let head = stand.employee.to_string();
        let department = stand.department("Север", &head, &[]).await;
        let mut all = vec![head];
        for number in 0..5 {
            let department = (number == 2).then_some(department.as_str());
            all.push(stand.employ(&format!("Сотрудник {number}"), None, department).await);
        }
        assert_eq!(ids(&stand.client.walk(&format!("{EMPLOYEES}?limit=2")).await), all);
        stand.client.patch(&path(&all[5]), &json!({ "active": false })).await.ok(200);
        let listed = async |query: &str| ids(&stand.client.walk(&format!("{EMPLOYEES}?{query}")).await);
        assert_eq!(listed("active=false").await, [all[5].clone()]);
        assert_eq!(listed("active=true").await, all[..5]);
        assert_eq!(listed(&format!("department_id={department}")).await, [all[3].clone()]);
    });
}

#[test]
fn whoever_has_something_to_do_cannot_be_removed() {
    for_both(1, async |stand| {
        let head = stand.employ("Головин Г. Г.", Some(Uuid::now_v7()), None).await;
        let worker = stand.employ("Рабочих Р. Р.", None, None).await;
        let department = stand.department("Север", &head, &[]).await;
        let [request] = stand.request_ids().await.try_into().unwrap();
        let request = format!("/v1/debt-requests/{request}");
        stand.client.patch(&request, &json!({ "executor_id": worker })).await.ok(200);
        let remove = async |id: &str| stand.client.call(Method::DELETE, &path(id)).send().await;
        for id in [&stand.employee.to_string(), &head, &worker] {
            remove(id).await.problem(409, "employee_in_use");
        }
        // GIS knows every head that works here.
        let nameless = stand.client.patch(&path(&head), &json!({ "gis_id": null })).await;
        nameless.problem(409, "employee_in_use");
        // Whoever stands in stays, with his name in GIS; the others may leave at any time.
        for edit in [json!({ "active": false }), json!({ "gis_id": null })] {
            let refused = stand.client.patch(&path(&stand.employee.to_string()), &edit).await;
            refused.problem(409, "employee_in_use");
            stand.client.patch(&path(&head), &edit).await.ok(200);
        }
        stand.client.patch(&path(&head), &json!({ "active": true })).await.problem(409, "employee_in_use");
        stand.client.patch(&request, &json!({ "executor_id": null })).await.ok(200);
        remove(&worker).await.ok(204);
        let responsible = json!({ "responsible_id": stand.employee });
        stand.client.patch(&format!("/v1/departments/{department}"), &responsible).await.ok(200);
        remove(&head).await.ok(204);
    });
}

#[test]
fn whoever_has_left_has_no_tokens() {
    for_both(0, async |mut stand| {
        let (leaver, removed) =
            (stand.employ("Ушедший У. У.", None, None).await, stand.employ("Бывший Б. Б.", None, None).await);
        let clients = stand.act_as([&leaver, &removed]);
        for client in &clients {
            let me = client.get("/v1/me").await.ok(200);
            assert_eq!((&me["employee"]["active"], &me["employee"]["gis_id"]), (&json!(true), &Value::Null));
        }
        stand.client.patch(&path(&leaver), &json!({ "active": false })).await.ok(200);
        stand.client.call(Method::DELETE, &path(&removed)).send().await.ok(204);
        stand.pass_without_jobs(31).await;
        for client in &clients {
            client.get("/v1/me").await.problem(401, "token_revoked");
        }
        stand.client.get("/v1/me").await.ok(200);
    });
}

#[test]
fn wrong_employees_are_refused_with_their_mistakes() {
    for_both(0, async |stand| {
        let create = |body: Value| post(format!("new {body:.80}"), EMPLOYEES, &body);
        let at = path(&stand.employee.to_string());
        let edit = |body: Value| Refusal::of(format!("edit {body:.80}"), Method::PATCH, &at).json(&body);
        let table = [
            create(json!({})).is(422, INVALID).at("/name", "required"),
            create(json!({ "name": "" })).is(422, INVALID).at("/name", "too_short"),
            create(json!({ "name": "  " })).is(422, INVALID).at("/name", "required"),
            create(json!({ "name": letters(256) })).is(422, INVALID).at("/name", "too_long"),
            create(json!({ "name": "а\u{1}" }))
                .is(422, "character_not_allowed")
                .at("/name", "character_not_allowed"),
            create(json!({ "name": "А", "gis_id": "17" })).is(422, INVALID).at("/gis_id", "format"),
            create(json!({ "name": "А", "department_id": UNKNOWN }))
                .is(422, INVALID)
                .at("/department_id", "not_found"),
            create(json!({ "name": "А", "active": true }))
                .is(422, "unknown_field")
                .at("/active", "unknown_field"),
            create(json!([])).is(422, INVALID).at("", "type"),
            edit(json!({ "name": null })).is(422, INVALID).at("/name", "type"),
            edit(json!({ "active": null })).is(422, INVALID).at("/active", "type"),
            edit(json!({ "active": "нет" })).is(422, INVALID).at("/active", "type"),
            edit(json!({ "department_id": UNKNOWN })).is(422, INVALID).at("/department_id", "not_found"),
            edit(json!({ "full_name": "А" })).is(422, "unknown_field").at("/full_name", "unknown_field"),
            edit(json!({ "name": "А" })).header("if-match", "\"7\"").is(412, "version_mismatch"),
            Refusal::of("unknown", Method::PATCH, path(UNKNOWN))
                .json(&json!({ "name": "А" }))
                .is(404, "not_found"),
            Refusal::get(format!("{EMPLOYEES}?active=1")).is(422, INVALID).at("active", "format"),
        ];
        refused(&stand, &table).await;
        assert_eq!(stand.client.walk(EMPLOYEES).await.len(), 1);
    });
}
