//! What people read beside identifiers and words: names and Russian labels, shown to whoever may see the object itself.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, Stand, for_both};

/// The names of whose a debt request is.
fn names(request: &Value) -> [&Value; 3] {
    ["department_name", "responsible_name", "executor_name"]
        .map(|field| request.get(field).unwrap_or_else(|| panic!("no {field}: {request:#}")))
}

/// Employees of ours: the head of a department and somebody who works there.
struct Staff {
    head: String,
    worker: String,
    department: String,
}

impl Staff {
    async fn of(stand: &Stand) -> Self {
        let head = stand.employ("Головин Г. Г.", Some(Uuid::now_v7()), None).await;
        let department = stand.department("Северный участок", &head, &[]).await;
        let worker = stand.employ("Работников Р. Р.", None, Some(&department)).await;
        Self { head, worker, department }
    }

    /// Gives a debt request to the department and, in it, to the worker.
    async fn take(&self, stand: &Stand, request: &str) -> Value {
        let path = format!("/v1/debt-requests/{request}");
        let given = stand.client.patch(&path, &json!({ "department_id": self.department })).await.ok(200);
        assert_eq!((&given["responsible_id"], &given["executor_id"]), (&json!(self.head), &json!(self.head)));
        stand.client.patch(&path, &json!({ "executor_id": self.worker })).await.ok(200)
    }
}

/// F20, F23: names come with `requests:read` alone, in the list, in a look-up and on the card.
#[test]
fn f20_f23_a_debt_request_names_whose_it_is() {
    for_both(2, async |mut stand| {
        let [taken, other] = stand.request_ids().await.try_into().unwrap();
        let staff = Staff::of(&stand).await;
        let given = staff.take(&stand, &taken).await;
        let expected = ["Северный участок", "Головин Г. Г.", "Работников Р. Р."].map(|name| json!(name));
        assert_eq!(names(&given), expected.each_ref(), "the reply to the change");

        let reader = stand.client_with("requests:read");
        reader.get("/v1/employees").await.problem(403, "scope_missing");
        let path = format!("/v1/debt-requests/{taken}");
        let card = reader.get(&path).await.ok(200);
        assert_eq!(names(&card), expected.each_ref(), "the card");
        let sought = json!({ "ids": [taken], "request_numbers": [] });
        let found = reader.post("/v1/debt-requests/lookup", &sought).await.ok(200);
        let listed = reader.walk("/v1/debt-requests").await;
        for items in [found["items"].as_array().unwrap(), &listed] {
            assert_eq!(items.iter().find(|item| item["id"] == json!(taken)), Some(&card));
        }
        // One of nobody's department, whom the default executor has.
        let rest = listed.iter().find(|item| item["id"] == json!(other)).unwrap();
        let usual = json!("Образцова Анна Сергеевна");
        assert_eq!(names(rest), [&Value::Null, &usual, &usual]);

        let employee = format!("/v1/employees/{}", staff.worker);
        stand.client.patch(&employee, &json!({ "name": "Работникова Р. Р." })).await.ok(200);
        assert_eq!(reader.get(&path).await.ok(200)["executor_name"], "Работникова Р. Р.");
        let nobody = stand.client.patch(&path, &json!({ "executor_id": null })).await.ok(200);
        assert_eq!((&nobody["executor_id"], &nobody["executor_name"]), (&Value::Null, &Value::Null));
        for name in ["Работник", "Головин", "Образцова"] {
            assert!(!stand.gateway.log().contains(name), "{name} stays out of the log");
        }
    });
}

/// Somebody who was removed has no name any more, and nothing goes wrong over it.
#[test]
fn whoever_was_removed_has_no_name() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let staff = Staff::of(&stand).await;
        staff.take(&stand, &request).await;
        let answer = stand.answer(&request, &json!({ "submit": true, "has_debt": false })).await;
        stand.until_state(&answer, "delivered").await;
        let employee = format!("/v1/employees/{}", staff.worker);
        stand.client.call(Method::DELETE, &employee).send().await.ok(204);
        let card = stand.client.get(&format!("/v1/debt-requests/{request}")).await.ok(200);
        assert_eq!((&card["executor_id"], &card["executor_name"]), (&json!(staff.worker), &Value::Null));
        assert_eq!(card["responsible_name"], "Головин Г. Г.");
        let groups = stand.client.get("/v1/statistics?group_by=executor").await.ok(200)["groups"].clone();
        let [group] = groups.as_array().unwrap().as_slice() else { panic!("one executor: {groups:#}") };
        assert_eq!((&group["key"], &group["name"]), (&json!(staff.worker), &Value::Null));
    });
}

/// Key and name of the groups of a report.
async fn groups(client: &Client, group_by: &str) -> Vec<(Value, Value)> {
    let report = client.get(&format!("/v1/statistics?group_by={group_by}")).await.ok(200);
    let groups = report["groups"].as_array().unwrap().iter();
    groups.map(|group| (group["key"].clone(), group["name"].clone())).collect()
}

#[test]
fn statistics_name_departments_and_executors() {
    for_both(3, async |mut stand| {
        let [taken, ..]: [String; 3] = stand.request_ids().await.try_into().unwrap();
        let staff = Staff::of(&stand).await;
        staff.take(&stand, &taken).await;
        let reader = stand.client_with("stats:read");
        // The largest group comes first.
        let departments = [(Value::Null, Value::Null), (json!(staff.department), json!("Северный участок"))];
        assert_eq!(groups(&reader, "department").await, departments);
        let executors = [
            (json!(stand.employee), json!("Образцова Анна Сергеевна")),
            (json!(staff.worker), json!("Работников Р. Р.")),
        ];
        assert_eq!(groups(&reader, "executor").await, executors);
        assert!(groups(&reader, "day").await.iter().all(|(day, name)| day.is_string() && name.is_null()));
    });
}

/// The label that a dictionary has for a word.
async fn label(stand: &Stand, dictionary: &str, word: &Value) -> Value {
    let dictionary = stand.client.get(&format!("/v1/dictionaries/{dictionary}")).await.ok(200);
    let items = dictionary["items"].as_array().unwrap();
    items.iter().find(|item| item["code"] == *word).unwrap_or_else(|| panic!("{word} in {dictionary:#}"))["name"]
        .clone()
}

/// Every word of a debt request that people read has its label, that of the dictionary.
async fn is_labelled(stand: &Stand, request: &Value) {
    let (gis, answer) = (&request["gis"], &request["answer"]);
    for (dictionary, word, shown) in [
        ("stages", &request["stage"], &request["stage_label"]),
        ("request_statuses", &gis["request_status"], &gis["request_status_label"]),
        ("response_statuses", &gis["response_status"], &gis["response_status_label"]),
    ] {
        assert_eq!(*shown, label(stand, dictionary, word).await, "{dictionary}");
    }
    if !answer.is_null() {
        assert_eq!(answer["state_label"], label(stand, "states", &answer["state"]).await);
    }
}

/// F22: statuses are words for programs and labels for people.
#[test]
fn f22_every_status_has_its_russian_label() {
    for_both(1, async |stand| {
        let [id] = stand.request_ids().await.try_into().unwrap();
        let path = format!("/v1/debt-requests/{id}");
        let new = stand.client.get(&path).await.ok(200);
        is_labelled(&stand, &new).await;
        let labels =
            [&new["stage_label"], &new["gis"]["request_status_label"], &new["gis"]["response_status_label"]];
        assert_eq!(labels, ["Новый", "Направлен", "Не отправлен"].map(|text| json!(text)).each_ref());

        let answer = stand.answer(&id, &json!({ "submit": true, "has_debt": false })).await;
        let queued = stand.client.get(&path).await.ok(200);
        is_labelled(&stand, &queued).await;
        let labels = [&queued["stage_label"], &queued["answer"]["state_label"]];
        assert_eq!(labels, ["Отправляется в ГИС ЖКХ", "Ожидает отправки"].map(|text| json!(text)).each_ref());
        stand.until_state(&answer, "delivered").await;
        let [delivered] = stand.client.walk("/v1/debt-requests").await.try_into().unwrap();
        is_labelled(&stand, &delivered).await;
        assert_eq!(delivered["stage_label"], "Ответ размещён");
    });
}

/// F5: whoever reads requests or settings sees who stands in, and sees a change; others see nobody's name.
#[test]
fn f5_the_default_executor_is_shown() {
    for_both(0, async |mut stand| {
        let readers = ["requests:read", "settings:read"].map(|scope| stand.client_with(scope));
        let shown = async |client: &Client| {
            let me = client.get("/v1/me").await.ok(200);
            let [organization] = me["organizations"].as_array().unwrap().as_slice() else { panic!("{me:#}") };
            ["default_executor_id", "default_executor_name"].map(|field| organization[field].clone())
        };
        for reader in &readers {
            let reader = reader.at(&stand.gateway.public);
            assert_eq!(shown(&reader).await, [json!(stand.employee), json!("Образцова Анна Сергеевна")]);
        }
        assert_eq!(shown(&stand.powerless).await, [json!(stand.employee), Value::Null]);
        let head = stand.employ("Головин Г. Г.", Some(Uuid::now_v7()), None).await;
        let organization = stand.organization.to_string();
        stand.restart_after(|workshop| {
            workshop.run(&["org", "executor", "--id", &organization, "--employee", &head]);
        });
        assert_eq!(shown(&stand.client).await, [json!(head), json!("Головин Г. Г.")]);
        assert_eq!(shown(&stand.powerless).await, [json!(head), Value::Null]);
    });
}
