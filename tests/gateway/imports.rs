//! Answers from spreadsheets: exported, filled in, sent back and delivered.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gis_sim::faults::Target;
use reqwest::Method;
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::exports::{HAS_DEBT, LAST_NAME, SUBREQUEST, Sheet, sheet};
use crate::faults::item_error;
use crate::harness::{Client, Reply, Stand, for_both};
use crate::registry::send_form;

const IMPORTS: &str = "/v1/imports";
const NUMBER: &str = "Номер запроса";
pub(crate) const FIRST_NAME: &str = "Имя должника";
pub(crate) const DOCUMENTS: &str = "Есть документы о задолженности";

pub(crate) fn book(sheet: &Sheet) -> Vec<u8> {
    let mut book = Workbook::new();
    let page = book.add_worksheet();
    for (row, texts) in (0..).zip(std::iter::once(&sheet.headers).chain(&sheet.rows)) {
        for (column, text) in (0..).zip(texts) {
            page.write_string(row, column, text).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

/// A body with a workbook that names these requests and answers none of them.
pub(crate) fn unanswered(requests: &[String]) -> Value {
    let headers = [SUBREQUEST, HAS_DEBT].map(ToOwned::to_owned).to_vec();
    let rows = requests.iter().map(|request| vec![request.clone(), String::new()]).collect();
    json!({ "file_name": "a.xlsx", "content_base64": STANDARD.encode(book(&Sheet { headers, rows })) })
}

/// A body with a workbook that names these requests and has no column for answers.
pub(crate) fn list_of(requests: &[String]) -> Value {
    let rows = requests.iter().map(|request| vec![request.clone()]).collect();
    let list = book(&Sheet { headers: vec![SUBREQUEST.to_owned()], rows });
    json!({ "file_name": "a.xlsx", "content_base64": STANDARD.encode(list) })
}

/// Sets a cell of the row of a debt request.
pub(crate) fn set(sheet: &mut Sheet, request: &str, header: &str, text: &str) {
    let (key, place) = (sheet.place(SUBREQUEST), sheet.place(header));
    let row = sheet.rows.iter_mut().find(|row| row[key] == request).unwrap();
    text.clone_into(&mut row[place]);
}

/// The number of the row in Excel.
fn row_of(sheet: &Sheet, request: &str) -> usize {
    sheet.column(SUBREQUEST).iter().position(|id| *id == request).unwrap() + 2
}

/// Sends a file as a form does, with further parts.
pub(crate) async fn send(client: &Client, content: &[u8], words: &[(&str, &str)]) -> Reply {
    let words = words.iter().map(|(name, word)| (*name, None, word.as_bytes()));
    let parts: Vec<_> = words.chain([("file", Some("answers.xlsx"), content)]).collect();
    send_form(client, Method::POST, IMPORTS, &parts).await
}

/// Sends a file and waits until it is worked off.
pub(crate) async fn imported(stand: &Stand, content: &[u8], words: &[(&str, &str)]) -> Value {
    let sent = send(&stand.client, content, words).await;
    let path = sent.header("location").to_owned();
    sent.ok(202);
    stand.until(&path, |import| import["is_final"] == true).await
}

pub(crate) async fn rows(stand: &Stand, import: &Value) -> Vec<Value> {
    stand.client.walk(&format!("{}?limit=2", import["rows_url"].as_str().unwrap())).await
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The counts that are not zero.
fn counts(import: &Value) -> Value {
    let counts = import["counts"].as_object().unwrap().iter().filter(|(_, count)| **count != 0);
    counts.map(|(name, count)| (name.clone(), count.clone())).collect()
}

/// What comes of the row of a request in a workbook that says of it that there is no debt.
pub(crate) async fn imported_no_debt(stand: &Stand, workbook: &[u8], request: &str) -> Value {
    let mut sheet = Sheet::read(workbook);
    set(&mut sheet, request, HAS_DEBT, "НЕТ");
    let import = imported(stand, &book(&sheet), &[("mode", "apply"), ("submit", "true")]).await;
    let mut all = rows(stand, &import).await.into_iter();
    all.find(|row| row["debt_request_id"] == request).unwrap()
}

#[test]
fn what_was_exported_and_filled_in_is_delivered() {
    for_both(4, async |mut stand| {
        let ids = stand.request_ids().await;
        let mut sheet = Sheet::read(&sheet(&stand).await);
        set(&mut sheet, &ids[0], HAS_DEBT, "НЕТ");
        for (header, text) in [(HAS_DEBT, "да"), (LAST_NAME, "Вымышленный"), (FIRST_NAME, "Пётр")]
        {
            set(&mut sheet, &ids[1], header, text);
            set(&mut sheet, &ids[2], header, text);
        }
        set(&mut sheet, &ids[2], DOCUMENTS, "ДА");
        let mut second = sheet.rows[row_of(&sheet, &ids[1]) - 2].clone();
        "Придуманный".clone_into(&mut second[sheet.place(LAST_NAME)]);
        sheet.rows.push(second);
        let content = book(&sheet);

        let checked = imported(&stand, &content, &[("mode", "preview"), ("submit", "true")]).await;
        assert_eq!(
            (&checked["status"], counts(&checked)),
            (&json!("checked"), json!({ "draft": 1, "queued": 2 }))
        );
        assert_eq!((&checked["file"]["rows"], &checked["file"]["skipped_rows"]), (&json!(5), &json!(1)));
        assert_eq!(
            (&checked["file"]["ignored_columns"], &checked["employee_id"]),
            (&json!([]), &Value::Null)
        );
        assert!(stand.client.walk("/v1/answers").await.is_empty(), "a preview changes nothing");
        let path = format!("{IMPORTS}/{}", text(&checked["id"]));
        let apply = format!("{path}/apply");
        let writer = stand.client_with("answers:write");
        writer.post(&apply, &json!({})).await.problem(403, "scope_missing");
        stand.client.post(&apply, &json!({})).await.ok(202);
        stand.client.post(&apply, &json!({})).await.problem(409, "state_conflict");
        let ended = stand.until(&path, |import| import["counts"]["delivered"] == 2).await;
        assert_eq!((&ended["status"], &ended["mode"]), (&json!("succeeded"), &json!("apply")));
        assert_eq!(counts(&ended), json!({ "draft": 1, "delivered": 2 }));
        assert!(!stand.held(&ids[0]).held.answer.unwrap().has_debt);
        assert!(stand.held(&ids[1]).held.answer.unwrap().has_debt);
        assert!(stand.held(&ids[2]).held.answer.is_none());
        let waiting = stand.client.walk(&format!("{path}/rows?outcome=prepared")).await;
        assert_eq!((waiting.len(), &waiting[0]["waits_for_files"]), (1, &json!(true)));
        let answer =
            stand.client.get(&format!("/v1/answers/{}", text(&waiting[0]["answer_id"]))).await.ok(200);
        assert_eq!((&answer["state"], &answer["source"]), (&json!("prepared"), &json!("xlsx")));

        // The same file again, and what is exported now, make nothing new.
        let words = [("mode", "apply"), ("submit", "true")];
        let again = imported(&stand, &content, &words).await;
        assert_eq!((&again["status"], counts(&again)), (&json!("succeeded"), json!({ "unchanged": 3 })));
        let exported = crate::exports::sheet(&stand).await;
        let again = imported(&stand, &exported, &words).await;
        assert_eq!(counts(&again)["unchanged"], json!(3), "{:#?}", rows(&stand, &again).await);
        assert_eq!(stand.client.walk("/v1/answers").await.len(), 3);
        assert_eq!(stand.client.walk("/v1/imports?limit=2").await.len(), 3);
    });
}

#[test]
fn mistakes_are_named_by_row_and_column_and_marked() {
    for_both(4, async |stand| {
        let ids = stand.request_ids().await;
        let answered = stand.answer(&ids[3], &json!({ "submit": true, "has_debt": false })).await;
        stand.until_state(&answered, "delivered").await;
        let mut sheet = Sheet::read(&sheet(&stand).await);
        set(&mut sheet, &ids[0], HAS_DEBT, "НЕТ");
        set(&mut sheet, &ids[1], HAS_DEBT, "наверное");
        set(&mut sheet, &ids[2], HAS_DEBT, "НЕТ");
        set(&mut sheet, &ids[2], NUMBER, "1");
        for (header, text) in [(HAS_DEBT, "ДА"), (LAST_NAME, "Вымышленный"), (FIRST_NAME, "Пётр")]
        {
            set(&mut sheet, &ids[3], header, text);
        }
        let mut unknown = sheet.rows[row_of(&sheet, &ids[0]) - 2].clone();
        "0f0f0f0f-0000-4000-8000-000000000001".clone_into(&mut unknown[sheet.place(SUBREQUEST)]);
        sheet.rows.push(unknown);
        let import = imported(&stand, &book(&sheet), &[("mode", "apply")]).await;
        assert_eq!(
            (&import["status"], counts(&import)),
            (&json!("completed_with_errors"), json!({ "refused": 4, "draft": 1 }))
        );
        let found = rows(&stand, &import).await;
        let mut wrong: Vec<_> = found
            .iter()
            .filter(|row| row["outcome"] == "refused")
            .map(|row| {
                (&row["errors"][0]["row"], text(&row["errors"][0]["column"]), text(&row["errors"][0]["code"]))
            })
            .collect();
        let at = |id: &str| json!(row_of(&sheet, id));
        let places = [at(&ids[1]), at(&ids[2]), at(&ids[3]), json!(6)];
        let mut expected = vec![
            (&places[0], HAS_DEBT, "yes_or_no"),
            (&places[1], NUMBER, "request_number_differs"),
            (&places[2], "", "already_answered"),
            (&places[3], SUBREQUEST, "not_found"),
        ];
        wrong.sort_by_key(|(row, ..)| row.as_u64());
        expected.sort_by_key(|(row, ..)| row.as_u64());
        assert_eq!(wrong, expected);

        let marked = stand.client.get(text(&import["marked_url"])).await;
        assert!(marked.header("content-disposition").contains("errors.xlsx"));
        let marked = Sheet::read(&marked.bytes);
        assert_eq!(marked.headers.len(), sheet.headers.len() + 2);
        let told = marked.column("Ошибка").into_iter().filter(|text| !text.is_empty()).count();
        assert_eq!((marked.rows.len(), told), (5, 4));
        stand.pass(31 * 24 * 3600).await;
        stand.client.get(text(&import["rows_url"])).await.problem(404, "not_found");
    });
}

#[test]
fn whoever_uploads_and_what_is_not_read_is_told() {
    for_both(1, async |mut stand| {
        let ids = stand.request_ids().await;
        let employee = stand.employee.to_string();
        let [clerk] = stand.act_as([employee.as_str()]);
        let header = [SUBREQUEST, HAS_DEBT, "Коментарий"].map(ToOwned::to_owned).to_vec();
        let row = [ids[0].as_str(), "НЕТ", "с опечаткой в заголовке"].map(ToOwned::to_owned).to_vec();
        let sent = send(&clerk, &book(&Sheet { headers: header, rows: vec![row] }), &[]).await;
        let path = sent.header("location").to_owned();
        assert_eq!(sent.ok(202)["employee_id"], json!(employee));
        let checked = stand.until(&path, |import| import["is_final"] == true).await;
        assert_eq!(
            (&checked["employee_id"], &checked["file"]["ignored_columns"]),
            (&json!(employee), &json!(["Коментарий"]))
        );
        // Who applies it answers; who has uploaded it stays known (F50).
        let (organization, mut token) = (stand.organization.to_string(), String::new());
        stand.restart_after(|workshop| {
            let who = ["--name", "1С Биллинг", "--org", &organization, "--days", "30"];
            token = workshop.run(&[&["token", "issue", "--scopes", "answers:write"][..], &who].concat());
        });
        let biller = stand.client.with_token(&token);
        let applied = biller.post(&format!("{path}/apply"), &json!({})).await.ok(202);
        assert_eq!((&applied["started_by"], &applied["employee_id"]), (&json!("1С Биллинг"), &Value::Null));
        let uploader =
            |import: &Value| [&import["uploaded_by"], &import["uploaded_by_employee_id"]].map(Clone::clone);
        assert_eq!(uploader(&applied), [json!("test"), json!(employee)]);
        let ended = stand.until(&path, |import| import["is_final"] == true).await;
        assert_eq!((counts(&ended), uploader(&ended)), (json!({ "draft": 1 }), uploader(&checked)));
    });
}

#[test]
fn a_row_that_gis_has_refused_is_not_sent_again() {
    for_both(1, async |stand| {
        let ids = stand.request_ids().await;
        stand.fault_once(Target::ImportResponses, &ids[0], item_error("INT016001"));
        let answer = stand.answer(&ids[0], &json!({ "submit": true, "has_debt": false })).await;
        stand.until_state(&answer, "rejected").await;
        let exported = sheet(&stand).await;
        let row = imported_no_debt(&stand, &exported, &ids[0]).await;
        assert_eq!(
            (&row["outcome"], &row["errors"][0]["code"]),
            (&json!("refused"), &json!("rejected_before"))
        );
        assert_eq!(stand.client.walk("/v1/answers").await.len(), 1);
    });
}

#[test]
fn a_blank_is_no_debt_only_if_the_client_wishes() {
    for_both(3, async |stand| {
        let content = sheet(&stand).await;
        let strict = imported(&stand, &content, &[]).await;
        assert_eq!((&strict["status"], counts(&strict)), (&json!("checked"), json!({})));
        let legacy = imported(&stand, &content, &[("answer_column", "legacy")]).await;
        assert_eq!(
            (counts(&legacy), &legacy["file"]["no_debt_from_blank"]),
            (json!({ "draft": 3 }), &json!(3))
        );
    });
}

/// F42: a workbook of more than 5 MB, as large exports are, comes back.
#[test]
fn a_workbook_of_six_megabytes_is_read() {
    for_both(1, async |stand| {
        let ids = stand.request_ids().await;
        let mut sheet = Sheet::read(&sheet(&stand).await);
        set(&mut sheet, &ids[0], HAS_DEBT, "НЕТ");
        // Rows without an answer are passed over. A text that repeats nothing does not become smaller when it is packed.
        let (address, mut blank) =
            (sheet.place("Адрес, по которому запрашивается задолженность"), sheet.rows[0].clone());
        blank[sheet.place(HAS_DEBT)].clear();
        let mut digest = [0_u8; 32];
        for _ in 0..240 {
            let mut noise = String::new();
            for _ in 0..800 {
                digest = Sha256::digest(digest).into();
                noise.push_str(&STANDARD.encode(digest));
            }
            noise.truncate(32_000);
            blank[address] = noise;
            sheet.rows.push(blank.clone());
        }
        let content = book(&sheet);
        assert!((5_300_000..9_000_000).contains(&content.len()), "{}", content.len());
        let import = imported(&stand, &content, &[("mode", "apply"), ("submit", "true")]).await;
        assert_eq!((&import["status"], &import["file"]["rows"]), (&json!("succeeded"), &json!(241)));
        assert_eq!(import["file"]["skipped_rows"], json!(240));
        let [answer] = stand.client.walk("/v1/answers").await.try_into().unwrap();
        assert_eq!(answer["debt_request_id"], ids[0].as_str());
    });
}

#[test]
fn bad_workbooks_are_refused() {
    for_both(1, async |mut stand| {
        let other = Sheet { headers: vec!["Столбец".to_owned()], rows: vec![vec!["1".to_owned()]] };
        let mut cut = sheet(&stand).await;
        cut.truncate(cut.len() / 2);
        for (content, code) in [
            (b"no workbook".to_vec(), "not_a_workbook"),
            (Vec::new(), "not_a_workbook"),
            (cut, "not_a_workbook"),
            (book(&other), "column_missing"),
        ] {
            let problem = send(&stand.client, &content, &[("mode", "apply")]).await;
            let problem = problem.problem(422, "validation_failed");
            let mistake = &problem["errors"][0];
            assert_eq!((text(&mistake["pointer"]), text(&mistake["code"])), ("/file", code), "{problem:#}");
        }
        let body = json!({ "file_name": "a.xlsx", "content_base64": STANDARD.encode(book(&other)) });
        let problem = stand.client.post(IMPORTS, &body).await.problem(422, "validation_failed");
        let missing: Vec<_> =
            problem["errors"].as_array().unwrap().iter().map(|it| text(&it["column"])).collect();
        assert_eq!(missing, [SUBREQUEST, HAS_DEBT]);
        assert_eq!(problem["errors"][0]["pointer"], "/content_base64");
        assert!(stand.client.walk(IMPORTS).await.is_empty(), "nothing of them was taken");
        for (words, pointer, code) in [
            ([("mode", "try")], "/mode", "enum"),
            ([("answer_column", "x")], "/answer_column", "enum"),
            ([("submit", "да")], "/submit", "enum"),
            ([("other", "1")], "", "unknown_field"),
        ] {
            let problem = send(&stand.client, b"x", &words).await.ok(422);
            assert_eq!(
                (text(&problem["errors"][0]["pointer"]), text(&problem["errors"][0]["code"])),
                (pointer, code)
            );
        }
        send(&stand.client, &vec![0; 21 * 1024 * 1024], &[]).await.problem(413, "file_too_large");
        let reader = stand.client_with("requests:read");
        send(&reader, b"x", &[]).await.problem(403, "scope_missing");
        let writer = stand.client_with("answers:write");
        send(&writer, b"x", &[("submit", "true")]).await.problem(403, "scope_missing");
        let mut body = unanswered(&stand.request_ids().await);
        body["mode"] = json!("apply");
        let import = stand.client.post(IMPORTS, &body).await.ok(202);
        let marked = format!("{IMPORTS}/{}/marked", text(&import["id"]));
        stand.client.get(&marked).await.problem(409, "state_conflict");
    });
}
