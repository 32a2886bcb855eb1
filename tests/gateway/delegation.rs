//! Delegation: whoever is responsible answers, or lets somebody else prepare the answer.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::departments::houses;
use crate::harness::{Client, Stand, for_both, ids};
use crate::refusal::UNKNOWN;

fn no_debt(submit: bool) -> Value {
    json!({ "submit": submit, "has_debt": false })
}

/// A department of two with all houses that GIS asks about, its requests given out; head, member and department.
async fn staff(stand: &Stand) -> (String, String, String) {
    let head = stand.employ("Головин Г. Г.", Some(Uuid::now_v7()), None).await;
    let all = stand.client.walk("/v1/debt-requests?limit=200").await;
    let department = stand.department("Север", &head, &houses(&all)).await;
    let member = stand.employ("Исполнителев И. И.", None, Some(&department)).await;
    let inside = json!({ "department_id": department });
    stand.client.patch(&format!("/v1/employees/{head}"), &inside).await.ok(200);
    stand.pass(1).await;
    (head, member, department)
}

async fn step(client: &Client, answer: &str, step: &str, body: Value) -> crate::harness::Reply {
    client.post(&format!("/v1/answers/{answer}/{step}"), &body).await
}

/// F7, F33, F34, F35, W10: delegated, completed, returned with a comment, completed again, sent by whoever is responsible.
#[test]
fn f7_f33_f34_f35_an_answer_is_prepared_by_one_and_sent_by_another() {
    for_both(2, async |mut stand| {
        let [request, other] = stand.request_ids().await.try_into().unwrap();
        let (head, member, _) = staff(&stand).await;
        let [responsible, executor] = stand.act_as([&head, &member]);
        let path = format!("/v1/debt-requests/{request}");
        let given = json!({ "executor_id": member, "note": "подготовьте ответ" });
        let assigned = responsible.patch(&path, &given).await.ok(200);
        assert_eq!((&assigned["responsible_id"], &assigned["executor_id"]), (&json!(head), &json!(member)));
        let mine = ids(&executor.walk(&format!("/v1/debt-requests?executor_id={member}")).await);
        assert_eq!(mine, std::slice::from_ref(&request));

        let draft = executor.post(&format!("{path}/answers"), &no_debt(false)).await.ok(201);
        let answer = draft["id"].as_str().unwrap().to_owned();
        step(&executor, &answer, "complete", json!({})).await.ok(200);
        let prepared = async || ids(&responsible.walk("/v1/debt-requests?stage=prepared").await);
        assert_eq!(prepared().await, std::slice::from_ref(&request));

        let comment = json!({ "comment": "Приложите решение суда" });
        step(&executor, &answer, "return", comment.clone()).await.problem(403, "not_responsible");
        let returned = step(&responsible, &answer, "return", comment.clone()).await.ok(200);
        assert_eq!((&returned["state"], &returned["return_comment"]), (&json!("draft"), &comment["comment"]));
        assert!(prepared().await.is_empty());
        let edit = json!({ "comment": "Решения нет" });
        executor.patch(&format!("/v1/answers/{answer}"), &edit).await.ok(200);
        step(&executor, &answer, "complete", json!({})).await.ok(200);
        assert_eq!(prepared().await, std::slice::from_ref(&request));

        step(&executor, &answer, "submit", json!({})).await.problem(403, "employee_cannot_submit");
        step(&responsible, &answer, "submit", json!({})).await.ok(202);
        stand.until_state(&answer, "delivered").await;
        // The answer is given in the name of whoever is responsible (F8).
        let gis_id = stand.client.get(&format!("/v1/employees/{head}")).await.ok(200)["gis_id"].clone();
        let shown = stand.client.get(&format!("/v1/answers/{answer}")).await.ok(200);
        assert_eq!(shown["executor_id"], json!(head), "{gis_id}");
        assert_eq!(stand.held(&request).summary.effects, 1);
        assert_eq!(stand.held(&other).summary.effects, 0);
    });
}

/// F8: an employee sends, takes back and withdraws only answers to requests that he is responsible for; a client that is no
/// employee acts for the organisation.
#[test]
fn f8_only_whoever_is_responsible_sends_and_takes_back() {
    for_both(3, async |mut stand| {
        let [first, second, third] = stand.request_ids().await.try_into().unwrap();
        let (head, member, _) = staff(&stand).await;
        let [responsible, executor] = stand.act_as([&head, &member]);
        let answers = |request: &str| format!("/v1/debt-requests/{request}/answers");
        let refused = async |reply: crate::harness::Reply| drop(reply.problem(403, "employee_cannot_submit"));
        refused(executor.post(&answers(&first), &no_debt(true)).await).await;
        assert!(stand.client.walk("/v1/answers").await.is_empty(), "nothing is stored");
        let sent = responsible.post(&answers(&first), &no_debt(true)).await.ok(202);
        let answer = sent["id"].as_str().unwrap().to_owned();
        refused(step(&executor, &answer, "cancel", json!({})).await).await;
        stand.until_state(&answer, "delivered").await;
        refused(step(&executor, &answer, "revoke", json!({})).await).await;

        // Of many answers, each is taken or refused alone.
        let bulk = json!({ "submit": true, "items": [
            { "debt_request_id": second, "has_debt": false }, { "debt_request_id": third, "has_debt": false }
        ] });
        let operation = executor.post("/v1/answers/bulk", &bulk).await.ok(202);
        assert_eq!(operation["counts"]["refused"], 2);
        let items =
            executor.walk(&format!("/v1/operations/{}/items", operation["id"].as_str().unwrap())).await;
        assert!(items.iter().all(|item| item["errors"][0]["code"] == "employee_cannot_submit"), "{items:#?}");

        // Without an identifier in GIS he prepares, and no more.
        let nameless = json!({ "gis_id": null });
        stand.client.patch(&format!("/v1/employees/{head}"), &nameless).await.ok(200);
        refused(responsible.post(&answers(&second), &no_debt(true)).await).await;
        responsible.post(&answers(&second), &no_debt(false)).await.ok(201);
        // The system sends in the name of whoever stands in then.
        let sent = stand.client.post(&answers(&third), &no_debt(true)).await.ok(202);
        assert_eq!(sent["executor_id"], json!(stand.employee));
        stand.until_state(sent["id"].as_str().unwrap(), "delivered").await;
    });
}

/// F7: only whoever is responsible delegates, and only inside his department.
#[test]
fn f7_requests_are_delegated_inside_the_department_by_whoever_is_responsible() {
    for_both(1, async |mut stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let (head, member, north) = staff(&stand).await;
        let stranger = stand.employ("Посторонний П. П.", None, None).await;
        let gone = stand.employ("Ушедший У. У.", None, Some(&north)).await;
        stand.client.patch(&format!("/v1/employees/{gone}"), &json!({ "active": false })).await.ok(200);
        let south = stand.department("Юг", &stranger, &[]).await;
        let [responsible, executor] = stand.act_as([&head, &member]);
        let path = format!("/v1/debt-requests/{request}");
        let before = stand.client.get(&path).await.ok(200);
        for (field, id, code) in [
            ("executor_id", stranger.as_str(), "other_department"),
            ("executor_id", gone.as_str(), "inactive"),
            ("executor_id", UNKNOWN, "not_found"),
            ("department_id", UNKNOWN, "not_found"),
        ] {
            let problem =
                responsible.patch(&path, &json!({ field: id })).await.problem(422, "validation_failed");
            let mistake = &problem["errors"][0];
            assert_eq!((&mistake["pointer"], &mistake["code"]), (&json!(format!("/{field}")), &json!(code)));
        }
        for body in [json!({ "executor_id": member }), json!({ "department_id": south })] {
            executor.patch(&path, &body).await.problem(403, "not_responsible");
        }
        assert_eq!(stand.client.get(&path).await.ok(200), before);
        executor.patch(&path, &json!({ "note": "звонил" })).await.ok(200);

        let given = responsible.patch(&path, &json!({ "executor_id": member })).await.ok(200);
        assert_eq!(given["executor_id"], json!(member));
        // Naming the department that it has takes nothing from anybody.
        let same = responsible.patch(&path, &json!({ "department_id": north })).await.ok(200);
        assert_eq!(same["version"], given["version"]);
        let moved = responsible.patch(&path, &json!({ "department_id": south })).await.ok(200);
        let fields = ["department_id", "responsible_id", "executor_id"].map(|field| &moved[field]);
        assert_eq!(fields, [&json!(south), &json!(stranger), &json!(stranger)]);
        responsible.patch(&path, &json!({ "department_id": north })).await.problem(403, "not_responsible");
        let none =
            stand.client.patch(&path, &json!({ "department_id": null, "executor_id": null })).await.ok(200);
        let fields = ["department_id", "responsible_id", "executor_id"].map(|field| &none[field]);
        assert_eq!(fields, [&Value::Null, &json!(stand.employee), &Value::Null]);
    });
}
