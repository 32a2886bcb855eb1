//! The registry of court debts: files, their problems, activation, rows one by one.

use reqwest::Method;
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};

use crate::harness::{Client, Reply, Stand, for_both};

pub(crate) const REGISTRIES: &str = "/v1/court-debt-registries";
const DEBTS: &str = "/v1/court-debts";
/// A name with the ОГРН of our organisation, and of that of the demo.
pub(crate) const NAME: &str = "1027700132195.xlsx";
/// A house of nobody.
pub(crate) const HOUSE: &str = "5603dc9c-e161-414c-9787-e40836561201";
const HEADER: [&str; 7] = [
    "Дата начала периода задолженности *",
    "Идентификатор адреса *",
    "Номер квартиры, комнаты, блока жилого дома *",
    "Фамилия *",
    "Имя *",
    "СНИЛС",
    "Дата погашения задолженности",
];

/// A registry with these rows: house and premises. An empty one has a row all the same.
pub(crate) fn workbook(rows: &[(&str, &str)]) -> Vec<u8> {
    let rows = if rows.is_empty() { &[(HOUSE, "кв. 12")] } else { rows };
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, text) in (0..).zip(HEADER) {
        sheet.write_string(0, column, text).unwrap();
    }
    for (row, (house, premises)) in (1..).zip(rows) {
        let cells = ["12.03.2025", house, premises, "Вымышленный", "Пётр"];
        for (column, text) in (0..).zip(cells) {
            sheet.write_string(row, column, text).unwrap();
        }
    }
    workbook.save_to_buffer().unwrap()
}

/// A part of a form: its name, the name of its file if it is one, its content.
pub(crate) type Part<'a> = (&'a str, Option<&'a str>, &'a [u8]);

/// Sends parts as a form does.
pub(crate) async fn send_form(client: &Client, method: Method, path: &str, parts: &[Part<'_>]) -> Reply {
    let boundary = "a-boundary-of-the-test";
    let mut form = Vec::new();
    for (name, file_name, content) in parts {
        let file_name = file_name.map(|file_name| format!("; filename=\"{file_name}\"")).unwrap_or_default();
        let head =
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"{file_name}\r\n\r\n");
        form.extend_from_slice(head.as_bytes());
        form.extend_from_slice(content);
        form.extend_from_slice(b"\r\n");
    }
    form.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let call = client.call(method, path);
    call.body(&format!("multipart/form-data; boundary={boundary}"), form).send().await
}

async fn form(client: &Client, parts: &[Part<'_>]) -> Reply {
    send_form(client, Method::POST, REGISTRIES, parts).await
}

/// Uploads a registry with these rows.
pub(crate) async fn upload(client: &Client, rows: &[(&str, &str)]) -> Reply {
    form(client, &[("registry", Some(NAME), &workbook(rows))]).await
}

/// A row with two debtors.
pub(crate) fn debt(premises: &str) -> Value {
    json!({
        "fias_house_id": HOUSE,
        "premises": premises,
        "in_force_from": "2025-03-12",
        "debtors": [
            { "last_name": "Вымышленный", "first_name": "Пётр" },
            { "last_name": "Вымышленная", "first_name": "Анна" },
        ],
    })
}

/// Adds a debt of the place that a request asks about; `false` when the request does not tell it well enough.
pub(crate) async fn add_debt_of(stand: &Stand, request: &str) -> bool {
    let asked = stand.client.get(&format!("/v1/debt-requests/{request}")).await.ok(200);
    let (house, premises) = (&asked["address"]["fias_house_id"], asked["address"]["premises"].as_str());
    let (true, Some(premises)) = (house.is_string(), premises) else { return false };
    let mut debt = debt(premises);
    debt["fias_house_id"] = house.clone();
    let added = stand.client.post(DEBTS, &debt).await;
    let is_added = added.status.as_u16() == 201;
    if is_added {
        let_answer(stand, &added.body).await;
    }
    is_added
}

/// Adds a row, and lets its registry answer.
pub(crate) async fn add(stand: &Stand, debt: &Value) -> Value {
    let added = stand.client.post(DEBTS, debt).await.ok(201);
    let_answer(stand, &added).await;
    added
}

/// A registry that is put together row by row answers once somebody says that it is complete.
async fn let_answer(stand: &Stand, row: &Value) {
    activate(stand, &json!({ "id": row["registry_id"] })).await.ok(200);
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

async fn premises(stand: &Stand) -> Vec<String> {
    let rows = stand.client.walk(&format!("{DEBTS}?limit=1")).await;
    rows.iter().map(|row| row["premises"].as_str().unwrap().to_owned()).collect()
}

pub(crate) async fn activate(stand: &Stand, registry: &Value) -> Reply {
    stand.client.post(&format!("{REGISTRIES}/{}/activate", id(registry)), &json!({})).await
}

#[test]
fn a_file_is_checked_activated_and_replaced() {
    for_both(1, async |stand| {
        let posted = upload(&stand.client, &[(HOUSE, "кв. 1"), (HOUSE, "2")]).await;
        let path = posted.header("location").to_owned();
        let first = posted.ok(202);
        assert_eq!(path, format!("{REGISTRIES}/{}", id(&first)));
        assert_eq!(
            (&first["status"], &first["rows"], &first["errors"], &first["origin"]),
            (&json!("checked"), &json!(2), &json!(0), &json!("workbook"))
        );
        assert!(premises(&stand).await.is_empty());
        assert_eq!(activate(&stand, &first).await.ok(200)["status"], "active");
        assert_eq!(premises(&stand).await, ["кв. 1", "2"]);
        let second = upload(&stand.client, &[(HOUSE, "кв. 3")]).await.ok(202);
        activate(&stand, &second).await.ok(200);
        assert_eq!(premises(&stand).await, ["кв. 3"]);
        assert_eq!(stand.client.get(&path).await.ok(200)["status"], "replaced");
        let rows = stand.client.walk(&format!("{path}/rows?fias_house_id={HOUSE}&limit=1")).await;
        assert_eq!((rows.len(), &rows[1]["row"], &rows[1]["version"]), (2, &json!(3), &json!(1)));
        let listed = stand.client.walk(&format!("{REGISTRIES}?limit=1")).await;
        assert_eq!(listed.iter().map(id).collect::<Vec<_>>(), [id(&second), id(&first)]);
        let events = stand.client.get("/v1/events?type=registry.*").await.ok(200);
        let told: Vec<_> = events["items"].as_array().unwrap().iter().map(|it| it["data"].clone()).collect();
        assert_eq!(told[1]["replaced_registry_id"], first["id"]);
        assert_eq!(told.len(), 2);
    });
}

#[test]
fn rows_of_a_registry_that_answers_no_more_are_kept_for_a_month() {
    for_both(1, async |stand| {
        let mut registries = Vec::new();
        for premises in ["кв. 1", "кв. 2"] {
            let registry = upload(&stand.client, &[(HOUSE, premises)]).await.ok(202);
            activate(&stand, &registry).await.ok(200);
            registries.push(registry);
            stand.pass(60).await;
        }
        let path = format!("{REGISTRIES}/{}", id(&registries[0]));
        let rows = async || stand.client.walk(&format!("{path}/rows")).await.len();
        stand.pass(29 * 24 * 3600).await;
        assert_eq!(rows().await, 1);
        stand.pass(2 * 24 * 3600).await;
        assert_eq!(rows().await, 0);
        let shown = stand.client.get(&path).await.ok(200);
        assert_eq!((&shown["status"], &shown["rows"]), (&json!("replaced"), &json!(1)), "its history stays");
        activate(&stand, &registries[0]).await.problem(409, "state_conflict");
        assert_eq!(premises(&stand).await, ["кв. 2"]);
    });
}

#[test]
fn a_bad_file_is_told_row_by_row_or_refused() {
    for_both(1, async |stand| {
        let refused =
            upload(&stand.client, &[(HOUSE, "кв. 1"), ("не ФИАС", "пристройка"), (HOUSE, "1")]).await;
        let refused = refused.ok(202);
        assert_eq!(
            (&refused["status"], &refused["rows"], &refused["refused_rows"], &refused["errors"]),
            (&json!("refused"), &json!(0), &json!(2), &json!(3))
        );
        let problems =
            stand.client.walk(&format!("{}?limit=1", refused["problems_url"].as_str().unwrap())).await;
        let codes: Vec<_> =
            problems.iter().map(|it| (it["row"].as_u64().unwrap(), it["code"].as_str().unwrap())).collect();
        assert_eq!(codes.len(), 3);
        assert_eq!((codes[2], codes[0].0), ((4, "duplicate"), 3));
        activate(&stand, &refused).await.problem(409, "state_conflict");

        let good = workbook(&[]);
        let wrong = form(&stand.client, &[("registry", Some("реестр.xlsx"), &good)]).await;
        wrong.problem(422, "registry_wrong_organization");
        let ours: &[u8] = b"1027700132195";
        form(&stand.client, &[("registry", Some("реестр.xlsx"), &good), ("ogrn", None, ours)]).await.ok(202);
        // What a browser sends of a file that was not chosen.
        form(&stand.client, &[("registry", Some(NAME), &good), ("files", Some(""), b"")]).await.ok(202);
        let department: &[u8] = b"tea";
        for (parts, pointer, code) in [
            (vec![("registry", Some(NAME), b"tea".as_slice())], "/registry", "not_a_workbook"),
            (vec![("ogrn", None, ours)], "/registry", "required"),
            (vec![("registry", Some(NAME), &good), ("registry", Some(NAME), &good)], "/registry", "repeated"),
            (
                vec![("registry", Some(NAME), &good), ("department_id", None, department)],
                "/department_id",
                "format",
            ),
            (
                vec![("registry", Some(NAME), &good), ("department_id", None, HOUSE.as_bytes())],
                "/department_id",
                "not_found",
            ),
        ] {
            let problem = form(&stand.client, &parts).await.problem(422, "validation_failed");
            assert_eq!(
                (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
                (&json!(pointer), &json!(code))
            );
        }
        let more = form(&stand.client, &[("registry", Some(NAME), &good), ("tea", None, b"")]).await;
        more.problem(422, "unknown_field");
        stand.client.post(REGISTRIES, &json!({})).await.problem(415, "media_type_unsupported");
        let export = exported();
        let problem = form(&stand.client, &[("registry", Some(NAME), &export)]).await;
        assert_eq!(problem.problem(422, "validation_failed")["errors"][0]["code"], "gis_export");
        assert_eq!(stand.client.walk(REGISTRIES).await.len(), 3);
    });
}

/// A list of requests, put in by mistake.
fn exported() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let header = ["Статус запроса", "Дата направления запроса", "Номер подзапроса", "Фамилия"];
    for (column, text) in (0..).zip(header) {
        sheet.write_string(0, column, text).unwrap();
        sheet.write_string(1, column, "1").unwrap();
    }
    workbook.save_to_buffer().unwrap()
}

#[test]
fn rows_are_changed_one_by_one() {
    for_both(1, async |stand| {
        let posted = stand.client.post(DEBTS, &debt("кв. 1")).await;
        let path = posted.header("location").to_owned();
        assert_eq!(posted.header("etag"), "\"1\"");
        let added = posted.ok(201);
        assert_eq!((&added["origin"], &added["row"]), (&json!("single"), &Value::Null));
        assert_eq!(added["debtors"][1]["first_name"], "Анна");
        let registries = stand.client.walk(REGISTRIES).await;
        assert_eq!(
            (registries.len(), &registries[0]["status"], &registries[0]["file_name"]),
            (1, &json!("checked"), &Value::Null)
        );
        assert!(
            premises(&stand).await.is_empty(),
            "it answers nothing before somebody says that it is complete"
        );
        let rows = stand.client.walk(&format!("{REGISTRIES}/{}/rows", id(&registries[0]))).await;
        assert_eq!((rows.len(), &rows[0]["id"]), (1, &added["id"]));
        let mut unknown = debt("кв. 1");
        unknown["department_id"] = json!(uuid::Uuid::now_v7());
        let problem = stand.client.post(DEBTS, &unknown).await.problem(422, "validation_failed");
        assert_eq!(
            (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
            (&json!("/department_id"), &json!("not_found"))
        );
        assert_eq!(activate(&stand, &registries[0]).await.ok(200)["status"], "active");
        let put = async |version: &str, premises: &str| {
            let call = stand.client.call(Method::PUT, &path).header("if-match", version);
            call.json(&debt(premises)).send().await
        };
        assert_eq!(put("\"1\"", "кв. 5").await.ok(200)["version"], 2);
        put("\"1\"", "кв. 6").await.problem(412, "version_mismatch");
        assert_eq!(stand.client.get(&path).await.header("etag"), "\"2\"");
        assert_eq!(premises(&stand).await, ["кв. 5"]);
        let mut wrong = debt("пристройка");
        wrong["debtors"][0]["last_name"] = json!(" ");
        let problem = stand.client.post(DEBTS, &wrong).await.problem(422, "validation_failed");
        let pointers: Vec<_> =
            problem["errors"].as_array().unwrap().iter().map(|it| it["pointer"].as_str().unwrap()).collect();
        assert_eq!(pointers, ["/premises", "/debtors/0/last_name"]);
        stand.foreigner.get(&path).await.problem(404, "not_found");
        assert!(stand.foreigner.walk(DEBTS).await.is_empty());
        let gone = stand.client.call(Method::DELETE, &path).send().await;
        assert_eq!(gone.status.as_u16(), 204);
        stand.client.get(&path).await.problem(404, "not_found");
        assert!(premises(&stand).await.is_empty());
    });
}
