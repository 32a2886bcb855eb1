//! Delegation: whoever is responsible answers, or lets somebody else prepare the answer.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::departments::houses;
use crate::harness::{Client, Stand, for_both, ids};
use crate::refusal::UNKNOWN;

fn no_debt(submit: bool) -> Value {
    json!({ "submit": submit, "has_debt": false })
}

/// A department of two with all houses that GIS asks about, its requests given out; head, member and department.
pub(crate) async fn staff(stand: &Stand) -> (String, String, String) {
    let head = stand.employ("Головин Г. Г.", Some(Uuid::now_v7()), None).await;
    let all = stand.client.walk("/v1/debt-requests?limit=200").await;
    let department = stand.department("Север", &head, &houses(&all)).await;
    let member = stand.employ("Исполнителев И. И.", None, Some(&department)).await;
    let inside = json!({ "department_id": department });
    stand.client.patch(&format!("/v1/employees/{head}"), &inside).await.ok(200);
    stand.pass(1).await;
    (head, member, department)
}

pub(crate) async fn step(client: &Client, answer: &str, step: &str, body: Value) -> crate::harness::Reply {
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

        // A head without an identifier in GIS could do no more than prepare: there is none.
        let nameless = json!({ "gis_id": null });
        let refused = stand.client.patch(&format!("/v1/employees/{head}"), &nameless).await;
        refused.problem(409, "employee_in_use");
        // The system sends in the name of whoever is responsible, or of whomever it names.
        let sent = stand.client.post(&answers(&second), &no_debt(true)).await.ok(202);
        assert_eq!(sent["executor_id"], json!(head));
        let mut named = no_debt(true);
        named["executor_id"] = json!(stand.employee);
        let sent = stand.client.post(&answers(&third), &named).await.ok(202);
        assert_eq!(sent["executor_id"], json!(stand.employee));
        stand.until_state(sent["id"].as_str().unwrap(), "delivered").await;
    });
}

/// F8: whoever submits is the one who answers, whatever name a command or a draft holds.
#[test]
fn f8_nobody_submits_in_the_name_of_another() {
    for_both(4, async |mut stand| {
        let [first, second, third, fourth] = stand.request_ids().await.try_into().unwrap();
        let (head, member, _) = staff(&stand).await;
        let [responsible, executor] = stand.act_as([&head, &member]);
        let other = stand.employ("Другов Д. Д.", Some(Uuid::now_v7()), None).await;
        let answers = |request: &str| format!("/v1/debt-requests/{request}/answers");
        let as_other = |submit: bool| json!({ "submit": submit, "has_debt": false, "executor_id": other });
        let posted = responsible.post(&answers(&first), &as_other(true)).await;
        posted.problem(403, "employee_cannot_submit");
        assert!(stand.client.walk("/v1/answers").await.is_empty(), "nothing is stored");

        // Of many answers, the one with a foreign name is refused.
        let item = |request: &str, name: &str| json!({ "debt_request_id": request, "has_debt": false, "executor_id": name });
        let bulk = json!({ "submit": true, "items": [item(&first, &other), item(&second, &head)] });
        let operation = responsible.post("/v1/answers/bulk", &bulk).await.ok(202);
        let path = format!("/v1/operations/{}/items", operation["id"].as_str().unwrap());
        let items = responsible.walk(&path).await;
        assert_eq!(items[0]["errors"][0]["code"], "employee_cannot_submit", "{items:#?}");
        let sent = format!("/v1/answers/{}", items[1]["answer_id"].as_str().unwrap());
        assert_eq!(stand.client.get(&sent).await.ok(200)["executor_id"], json!(head));

        // A draft may hold another name: whoever submits it puts his own there.
        let draft = executor.post(&answers(&third), &as_other(false)).await.ok(201);
        assert_eq!(draft["executor_id"], json!(other));
        let answer = draft["id"].as_str().unwrap().to_owned();
        step(&executor, &answer, "complete", json!({})).await.ok(200);
        let sent = step(&responsible, &answer, "submit", json!({})).await.ok(202);
        assert_eq!(sent["executor_id"], json!(head));
        stand.until_state(&answer, "delivered").await;
        // So it is when the same content is posted to be sent.
        responsible.post(&answers(&fourth), &as_other(false)).await.ok(201);
        let sent = responsible.post(&answers(&fourth), &no_debt(true)).await.ok(202);
        assert_eq!(sent["executor_id"], json!(head));
    });
}

/// W10: what whoever is responsible has read is what he sends: nobody else changes an answer that is handed in.
#[test]
fn w10_a_prepared_answer_is_changed_by_whoever_is_responsible_alone() {
    for_both(1, async |mut stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let (head, member, _) = staff(&stand).await;
        let [responsible, executor] = stand.act_as([&head, &member]);
        let answers = format!("/v1/debt-requests/{request}/answers");
        let draft = executor.post(&answers, &no_debt(false)).await.ok(201);
        let answer = draft["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/answers/{answer}");
        let prepared = step(&executor, &answer, "complete", json!({})).await.ok(200);
        let edit = json!({ "comment": "Долг списан" });
        let refused = executor.patch(&path, &edit).await.problem(409, "state_conflict");
        assert!(refused["detail"].as_str().unwrap().contains("после возврата"), "{refused:#}");
        let versioned = format!("\"{}\"", prepared["version"]);
        let call = executor.call(Method::PATCH, &path).header("if-match", &versioned).json(&edit);
        call.send().await.problem(409, "state_conflict");
        executor.call(Method::DELETE, &path).send().await.problem(409, "state_conflict");
        // Nor does another one take its place, alone or among many, whatever is confirmed.
        let mut other = json!({ "has_debt": false, "comment": "Долг списан", "confirm": ["draft_exists"] });
        executor.post(&answers, &other).await.problem(409, "state_conflict");
        other["debt_request_id"] = json!(request);
        let operation = executor.post("/v1/answers/bulk", &json!({ "items": [other] })).await.ok(202);
        let items = executor.walk(operation["items_url"].as_str().unwrap()).await;
        assert_eq!(items[0]["errors"][0]["code"], "state_conflict", "{items:#?}");
        // What is said already may be said again.
        assert_eq!(executor.post(&answers, &no_debt(false)).await.ok(200)["id"], json!(answer));
        let shown = stand.client.get(&path).await.ok(200);
        assert_eq!((&shown["comment"], &shown["version"]), (&Value::Null, &prepared["version"]));

        let call = responsible.call(Method::PATCH, &path).header("if-match", &versioned).json(&edit);
        let edited = call.send().await.ok(200);
        assert_eq!((&edited["state"], &edited["comment"]), (&json!("prepared"), &edit["comment"]));
        step(&responsible, &answer, "return", json!({})).await.ok(200);
        let again = json!({ "comment": "Долга нет" });
        executor.patch(&path, &again).await.ok(200);
    });
}

/// A delegated request is not stuck when whoever is responsible leaves: it follows the department, its worker goes on.
#[test]
fn a_delegated_request_follows_whoever_is_responsible_now() {
    for_both(2, async |mut stand| {
        let [request, own] = stand.request_ids().await.try_into().unwrap();
        let (head, member, north) = staff(&stand).await;
        let next = stand.employ("Сменин С. С.", Some(Uuid::now_v7()), Some(&north)).await;
        let [responsible, executor, successor] = stand.act_as([&head, &member, &next]);
        let path = format!("/v1/debt-requests/{request}");
        responsible.patch(&path, &json!({ "executor_id": member })).await.ok(200);
        // By hand as well, and the work is his own.
        let own_path = format!("/v1/debt-requests/{own}");
        responsible.patch(&own_path, &json!({ "executor_id": head })).await.ok(200);
        let place = async |path: &str| {
            let shown = stand.client.get(path).await.ok(200);
            ["department_id", "responsible_id", "executor_id"].map(|field| shown[field].clone())
        };

        let successor_is_head = json!({ "responsible_id": next });
        stand.client.patch(&format!("/v1/departments/{north}"), &successor_is_head).await.ok(200);
        stand.pass(1).await;
        assert_eq!(place(&path).await, [json!(north), json!(next), json!(member)]);
        assert_eq!(place(&own_path).await, [json!(north), json!(next), json!(next)]);
        let draft = executor.post(&format!("{path}/answers"), &no_debt(false)).await.ok(201);
        let answer = draft["id"].as_str().unwrap().to_owned();
        step(&executor, &answer, "complete", json!({})).await.ok(200);
        step(&responsible, &answer, "submit", json!({})).await.problem(403, "employee_cannot_submit");
        step(&successor, &answer, "submit", json!({})).await.ok(202);

        // The answer is on its way and may be refused still, so it is given to whoever stands in.
        let left = json!({ "active": false });
        stand.client.patch(&format!("/v1/employees/{next}"), &left).await.ok(200);
        stand.pass(1).await;
        assert_eq!(place(&path).await, [json!(north), json!(stand.employee), json!(member)]);
    });
}

/// F7: a head who was put into no department delegates inside the one that he is responsible for.
#[test]
fn f7_a_head_without_a_department_delegates_inside_his_own() {
    for_both(1, async |mut stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let (head, member, _) = staff(&stand).await;
        let outside = json!({ "department_id": null });
        stand.client.patch(&format!("/v1/employees/{head}"), &outside).await.ok(200);
        let stranger = stand.employ("Посторонний П. П.", None, None).await;
        let [responsible] = stand.act_as([&head]);
        let path = format!("/v1/debt-requests/{request}");
        let refused = responsible.patch(&path, &json!({ "executor_id": stranger })).await;
        let refused = refused.problem(422, "validation_failed");
        assert_eq!(refused["errors"][0]["code"], "other_department");
        let given = responsible.patch(&path, &json!({ "executor_id": member })).await.ok(200);
        assert_eq!(given["executor_id"], json!(member));
    });
}

/// F7: only whoever is responsible delegates, and only inside his department.
#[test]
fn f7_requests_are_delegated_inside_the_department_by_whoever_is_responsible() {
    for_both(1, async |mut stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let (head, member, north) = staff(&stand).await;
        let stranger = stand.employ("Посторонний П. П.", Some(Uuid::now_v7()), None).await;
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
