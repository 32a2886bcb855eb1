//! Answers from spreadsheets whose files are still to come: «Есть документы» is ДА (F47).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::delegation::{staff, step};
use crate::exports::{HAS_DEBT, LAST_NAME, Sheet, sheet};
use crate::harness::{Client, Stand, for_both, ids};
use crate::imports::{DOCUMENTS, FIRST_NAME, book, imported, rows, send, set};

/// An invented document.
fn content(name: &str) -> Vec<u8> {
    format!("%PDF-1.7 {name}").into_bytes()
}

/// Imports a workbook that tells of a debt and of documents; the answer that waits for them.
async fn awaited(stand: &Stand, client: &Client, workbook: &[u8], request: &str) -> String {
    let mut sheet = Sheet::read(workbook);
    let debtor = [(HAS_DEBT, "ДА"), (LAST_NAME, "Вымышленный"), (FIRST_NAME, "Пётр"), (DOCUMENTS, "ДА")];
    for (header, text) in debtor {
        set(&mut sheet, request, header, text);
    }
    let sent = send(client, &book(&sheet), &[("mode", "apply")]).await;
    let path = sent.header("location").to_owned();
    sent.ok(202);
    let import = stand.until(&path, |import| import["is_final"] == true).await;
    let all = rows(stand, &import).await;
    let row = all.iter().find(|row| row["debt_request_id"] == request).unwrap();
    assert_eq!((&row["outcome"], &row["waits_for_files"]), (&json!("prepared"), &json!(true)), "{row:#}");
    row["answer_id"].as_str().unwrap().to_owned()
}

/// Uploads a document; its place in an answer.
async fn document(client: &Client, name: &str) -> Value {
    let file = json!({ "file_name": name, "content_base64": STANDARD.encode(content(name)) });
    let uploaded = client.post("/v1/attachments", &file).await.ok(201);
    json!({ "attachment_id": uploaded["id"] })
}

#[test]
fn f47_whoever_uploads_a_file_adds_the_documents_that_it_waits_for() {
    for_both(1, async |mut stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let (head, member, north) = staff(&stand).await;
        let colleague = stand.employ("Соседов С. С.", None, Some(&north)).await;
        let workbook = sheet(&stand).await;
        let [responsible, executor, other] = stand.act_as([&head, &member, &colleague]);
        let answer = awaited(&stand, &executor, &workbook, &request).await;
        let path = format!("/v1/answers/{answer}");
        let prepared = ids(&responsible.walk("/v1/debt-requests?stage=prepared").await);
        assert_eq!(prepared, std::slice::from_ref(&request));

        // Until they are there it is his to change, and nobody else's but of whoever is responsible.
        let comment = json!({ "comment": "Решение № 5" });
        let changed = executor.patch(&path, &comment).await.ok(200);
        assert_eq!((&changed["state"], &changed["comment"]), (&json!("prepared"), &comment["comment"]));
        let call =
            other.call(Method::PATCH, &path).header("if-match", &format!("\"{}\"", changed["version"]));
        call.json(&json!({ "comment": "Решение № 6" })).send().await.problem(409, "state_conflict");
        other.call(Method::DELETE, &path).send().await.problem(409, "state_conflict");

        // What it says is handed in already.
        let none = json!({ "has_debt": false, "debtors": [] });
        executor.patch(&path, &none).await.problem(409, "state_conflict");
        let another = json!({ "debtors": [{ "last_name": "Вымышленная", "first_name": "Анна" }] });
        executor.patch(&path, &another).await.problem(409, "state_conflict");
        executor.call(Method::DELETE, &path).send().await.problem(409, "state_conflict");
        let none = json!({ "submit": false, "has_debt": false });
        let answers = format!("/v1/debt-requests/{request}/answers");
        executor.post(&answers, &none).await.problem(409, "state_conflict");

        // The documents come one by one; a spreadsheet does not send it before all are there.
        let first = document(&executor, "решение.pdf").await;
        executor.patch(&path, &json!({ "attachments": [first] })).await.ok(200);
        let submit = [("mode", "apply"), ("submit", "true")];
        let again = imported(&stand, &sheet(&stand).await, &submit).await;
        assert_eq!(again["counts"]["unchanged"], json!(1), "{again:#}");
        let second = document(&executor, "опись.pdf").await;
        let added = executor.patch(&path, &json!({ "attachments": [first, second] })).await.ok(200);
        assert_eq!((&added["state"], &added["comment"]), (&json!("prepared"), &comment["comment"]));
        assert_eq!(added["waits_for_files"], true);
        other.call(Method::POST, &format!("{path}/complete")).send().await.problem(409, "state_conflict");
        let complete = step(&executor, &answer, "complete", json!({})).await.ok(200);
        assert_eq!((&complete["state"], &complete["waits_for_files"]), (&json!("prepared"), &json!(false)));
        // Now they are handed in, too.
        step(&executor, &answer, "complete", json!({})).await.problem(409, "state_conflict");
        executor.patch(&path, &json!({ "comment": null })).await.problem(409, "state_conflict");
        executor.call(Method::DELETE, &path).send().await.problem(409, "state_conflict");
        step(&executor, &answer, "submit", json!({})).await.problem(403, "employee_cannot_submit");
        step(&responsible, &answer, "submit", json!({})).await.ok(202);
        stand.until_state(&answer, "delivered").await;
        let held = stand.held(&request).held.answer.unwrap();
        assert_eq!((held.has_debt, held.description.as_deref()), (true, comment["comment"].as_str()));
        let names: Vec<_> = held.additional_files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["решение.pdf", "опись.pdf"]);
        for file in &held.additional_files {
            assert_eq!(stand.gis().file_content(file.guid).unwrap(), content(&file.name));
        }
    });
}

/// The documents are added by whoever the request was given to as well, and no longer once whoever is responsible has sent
/// the answer back: then it is a draft like any other.
#[test]
fn f47_documents_are_added_by_the_executor_until_the_answer_is_returned() {
    for_both(1, async |mut stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let (head, member, _) = staff(&stand).await;
        let workbook = sheet(&stand).await;
        let [responsible, executor] = stand.act_as([&head, &member]);
        let answer = awaited(&stand, &stand.client, &workbook, &request).await;
        let path = format!("/v1/answers/{answer}");
        let edit = json!({ "comment": "Решение № 5" });
        executor.patch(&path, &edit).await.problem(409, "state_conflict");
        let given = json!({ "executor_id": member });
        responsible.patch(&format!("/v1/debt-requests/{request}"), &given).await.ok(200);
        executor.patch(&path, &edit).await.problem(409, "draft_exists");
        let version = executor.get(&path).await.ok(200)["version"].clone();
        let call = executor.call(Method::PATCH, &path).header("if-match", &format!("\"{version}\""));
        let changed = call.json(&edit).send().await.ok(200);
        assert_eq!((&changed["state"], &changed["comment"]), (&json!("prepared"), &edit["comment"]));

        let returned = step(&responsible, &answer, "return", json!({})).await.ok(200);
        assert_eq!((&returned["state"], &returned["waits_for_files"]), (&json!("draft"), &json!(false)));
        let version = executor.get(&path).await.ok(200)["version"].clone();
        let call = executor.call(Method::POST, &format!("{path}/complete"));
        let complete = call.header("if-match", &format!("\"{version}\"")).send().await.ok(200);
        let call = executor.call(Method::PATCH, &path);
        let call = call.header("if-match", &format!("\"{}\"", complete["version"]));
        let files = json!({ "attachments": [document(&executor, "решение.pdf").await] });
        call.json(&files).send().await.problem(409, "state_conflict");
    });
}
