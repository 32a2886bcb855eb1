//! Debt requests as spreadsheets: asked for, watched and downloaded.

use std::io::Cursor;

use calamine::{Data, DataType as _, Reader, Xlsx};
use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::harness::{Client, Reply, Stand, for_both};

const EXPORTS: &str = "/v1/exports";
/// The columns that stories look at.
pub(crate) const SUBREQUEST: &str = "ГИС-идентификатор подзапроса";
pub(crate) const HAS_DEBT: &str = "Наличие задолженности";
pub(crate) const LAST_NAME: &str = "Фамилия должника";

/// All of them, in the order of the exchange file.
pub(crate) const COLUMNS: [&str; 21] = [
    "Номер запроса",
    "ГИС-идентификатор запроса",
    SUBREQUEST,
    "Статус ответа на запрос",
    "Название организации, направившей запрос",
    "ФИО сотрудника, направившего запрос",
    "Дата отправки запроса",
    "Начало периода",
    "Конец периода",
    "Крайний срок ответа на запрос",
    "Код ФИАС объекта",
    "Адрес, по которому запрашивается задолженность",
    "Единый лицевой счет",
    "Лицевой счет",
    HAS_DEBT,
    "Комментарий",
    "Дирекция",
    LAST_NAME,
    "Отчество должника",
    "Имя должника",
    "Есть документы о задолженности",
];

/// A sheet: headers, and rows of texts.
pub(crate) struct Sheet {
    pub(crate) headers: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Sheet {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes.to_vec())).unwrap();
        let range = book.worksheet_range_at(0).unwrap().unwrap();
        let text = |cell: &Data| {
            assert!(cell.is_empty() || cell.is_string(), "not a text: {cell:?}");
            cell.get_string().unwrap_or_default().to_owned()
        };
        let mut rows: Vec<Vec<String>> = range.rows().map(|row| row.iter().map(text).collect()).collect();
        Self { headers: rows.remove(0), rows }
    }

    pub(crate) fn place(&self, header: &str) -> usize {
        self.headers.iter().position(|name| name == header).unwrap_or_else(|| panic!("no {header}"))
    }

    pub(crate) fn column(&self, header: &str) -> Vec<&str> {
        let place = self.place(header);
        self.rows.iter().map(|row| row[place].as_str()).collect()
    }
}

/// Begins an export and waits for its end.
pub(crate) async fn exported(stand: &Stand, client: &Client, filter: Value) -> Value {
    let begun = client.post(EXPORTS, &json!({ "kind": "debt_requests", "filter": filter })).await;
    let path = begun.header("location").to_owned();
    let begun = begun.ok(202);
    assert_eq!((&begun["status"], &begun["is_final"]), (&json!("pending"), &json!(false)));
    stand.until(&path, |export| export["is_final"] == true).await
}

async fn file(client: &Client, export: &Value) -> Reply {
    client.get(export["content_url"].as_str().unwrap()).await
}

/// The sheet of a new export of everything.
pub(crate) async fn sheet(stand: &Stand) -> Vec<u8> {
    let export = exported(stand, &stand.client, json!({})).await;
    file(&stand.client, &export).await.bytes
}

#[test]
fn an_export_becomes_a_file() {
    for_both(5, async |stand| {
        let ids = stand.request_ids().await;
        let debtor = json!({ "last_name": "Вымышленный", "first_name": "Пётр" });
        let body = json!({ "has_debt": true, "comment": "=1+1", "debtors": [debtor, { "last_name": "Придуманная", "first_name": "Анна" }] });
        stand.answer(&ids[1], &body).await;
        let cancelled = stand.answer(&ids[2], &json!({ "submit": true, "has_debt": false })).await;
        stand.client.post(&format!("/v1/answers/{cancelled}/cancel"), &json!({})).await.ok(200);

        let export = exported(&stand, &stand.client, json!({})).await;
        assert_eq!((&export["status"], &export["requests"]), (&json!("succeeded"), &json!(5)));
        assert_eq!((&export["filter"], &export["with_answers"]), (&json!({}), &json!(true)));
        let reply = file(&stand.client, &export).await;
        assert_eq!(
            reply.header("content-type"),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        );
        assert!(reply.header("content-disposition").starts_with("attachment; filename=\"debt_requests-"));
        assert_eq!(reply.bytes.len(), usize::try_from(export["file_size"].as_u64().unwrap()).unwrap());
        let sheet = Sheet::read(&reply.bytes);
        assert_eq!(sheet.headers, COLUMNS);
        assert_eq!(sheet.rows.len(), 6, "an answer with two debtors takes two rows");
        let history = stand.client.get(EXPORTS).await.ok(200);
        assert_eq!(history["items"], json!([export]), "an export is told of in the history");
        let mut found = sheet.column(SUBREQUEST);
        found.dedup();
        found.sort_unstable();
        let mut expected: Vec<_> = ids.iter().map(String::as_str).collect();
        expected.sort_unstable();
        assert_eq!(found, expected);
        let said: Vec<_> = sheet
            .column(HAS_DEBT)
            .into_iter()
            .zip(sheet.column(LAST_NAME))
            .filter(|(said, _)| !said.is_empty())
            .collect();
        assert_eq!(said, [("ДА", "Вымышленный"), ("ДА", "Придуманная")]);

        let events = stand.client.get("/v1/events?type=operation.*").await.ok(200);
        let [event] = events["items"].as_array().unwrap().as_slice() else { panic!("{events:#}") };
        assert_eq!(
            (&event["data"]["export_id"], &event["data"]["status"]),
            (&export["id"], &json!("succeeded"))
        );
    });
}

/// F43, F45: what stands in a row is what the list shows of the request, days as дд.мм.гггг.
#[test]
fn a_row_says_what_the_request_says() {
    for_both(3, async |stand| {
        let listed = stand.client.walk("/v1/debt-requests").await;
        let sheet = Sheet::read(&sheet(&stand).await);
        let day = |day: &Value| {
            let day: NaiveDate = day.as_str().unwrap().parse().unwrap();
            day.format("%d.%m.%Y").to_string()
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for request in &listed {
            let place = sheet.column(SUBREQUEST).iter().position(|id| *id == request["id"]).unwrap();
            let cell = |header: &str| sheet.column(header)[place].to_owned();
            let days =
                ["Дата отправки запроса", "Начало периода", "Конец периода", "Крайний срок ответа на запрос"];
            let period = &request["period"];
            assert_eq!(
                days.map(cell),
                [&request["sent_on"], &period["from"], &period["to"], &request["due_on"]].map(day)
            );
            assert_eq!(
                [
                    "Номер запроса",
                    "ГИС-идентификатор запроса",
                    "Название организации, направившей запрос",
                    "Код ФИАС объекта"
                ]
                .map(cell),
                [
                    &request["request_number"],
                    &request["request_id"],
                    &request["requester"]["name"],
                    &request["address"]["fias_house_id"]
                ]
                .map(text)
            );
            assert_eq!(cell("Статус ответа на запрос"), "NotSent");
        }
    });
}

/// F38: by department, by executor, by the day of sending.
#[test]
fn an_export_goes_by_department_executor_and_day() {
    for_both(6, async |stand| {
        let head = stand.employ("Головин Г. Г.", Some(uuid::Uuid::now_v7()), None).await;
        let north = stand.department("Северный участок", &head, &[]).await;
        let ids = stand.request_ids().await;
        for id in &ids[..3] {
            let given = json!({ "department_id": north });
            stand.client.patch(&format!("/v1/debt-requests/{id}"), &given).await.ok(200);
        }
        let helper = stand.employ("Помощников П. П.", None, Some(&north)).await;
        let given = json!({ "executor_id": helper });
        stand.client.patch(&format!("/v1/debt-requests/{}", ids[2]), &given).await.ok(200);

        let listed = stand.client.walk("/v1/debt-requests").await;
        let mut days: Vec<_> = listed.iter().map(|request| request["sent_on"].as_str().unwrap()).collect();
        days.sort_unstable();
        let middle = days[days.len() / 2];
        let those = |holds: &dyn Fn(&Value) -> bool| -> Vec<&str> {
            let those = listed.iter().filter(|request| holds(request));
            let mut those: Vec<_> = those.map(|request| request["id"].as_str().unwrap()).collect();
            those.sort_unstable();
            those
        };
        let in_north = those(&|request| request["department_id"] == *north);
        let helped = those(&|request| request["executor_id"] == *helper);
        assert_eq!((in_north.len(), helped.len()), (3, 1));
        let later = those(&|request| request["sent_on"].as_str().unwrap() >= middle);
        for (filter, expected) in [
            (json!({ "department_id": north }), &in_north),
            (json!({ "executor_id": helper }), &helped),
            (json!({ "sent_from": middle }), &later),
            (
                json!({ "department_id": north, "executor_id": helper, "sent_from": days[0], "sent_to": days[5] }),
                &helped,
            ),
        ] {
            let export = exported(&stand, &stand.client, filter.clone()).await;
            let sheet = Sheet::read(&file(&stand.client, &export).await.bytes);
            let mut found = sheet.column(SUBREQUEST);
            found.sort_unstable();
            assert!(!found.is_empty(), "{filter} proves nothing");
            assert_eq!(&found, expected, "{filter}");
            assert_eq!(export["requests"], json!(expected.len()));
        }
    });
}

#[test]
fn conditions_are_those_of_the_list() {
    for_both(6, async |stand| {
        let listed = stand.client.walk("/v1/debt-requests").await;
        let answered = listed[0]["id"].as_str().unwrap();
        stand.answer(answered, &json!({ "submit": true, "has_debt": false })).await;
        let number = listed[1]["request_number"].as_str().unwrap();
        let filter = json!({ "answered": false, "request_number": [number], "stage": ["new"], "due_from": "2020-01-01" });
        let export = exported(&stand, &stand.client, filter.clone()).await;
        assert_eq!(export["filter"], filter);
        let sheet = Sheet::read(&file(&stand.client, &export).await.bytes);
        let mut expected: Vec<_> = listed
            .iter()
            .filter(|request| request["request_number"] == number && request["id"] != answered)
            .map(|request| request["id"].as_str().unwrap())
            .collect();
        let mut found = sheet.column(SUBREQUEST);
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
        let nothing =
            exported(&stand, &stand.client, json!({ "due": "today", "sent_to": "2000-01-01" })).await;
        assert_eq!((&nothing["status"], &nothing["requests"]), (&json!("succeeded"), &json!(0)));
        assert!(nothing["filter"]["due_from"].is_string() && nothing["filter"].get("due").is_none());
        let history = stand.client.walk("/v1/exports?limit=1").await;
        let history: Vec<_> = history.iter().map(|export| &export["id"]).collect();
        assert_eq!(history, [&nothing["id"], &export["id"]]);

        for (body, pointer, code) in [
            (json!({}), "/kind", "required"),
            (json!({ "kind": "answers" }), "/kind", "enum"),
            (json!({ "kind": "debt_requests", "filter": { "stage": ["old"] } }), "/filter/stage/0", "enum"),
            (
                json!({ "kind": "debt_requests", "filter": { "due_form": "x" } }),
                "/filter/due_form",
                "unknown_field",
            ),
            (json!({ "kind": "debt_requests", "filter": { "due_to": "x" } }), "/filter/due_to", "format"),
            (
                json!({ "kind": "debt_requests", "filter": { "executor_id": "x" } }),
                "/filter/executor_id",
                "pattern",
            ),
        ] {
            let problem = stand.client.post(EXPORTS, &body).await.ok(422);
            assert_eq!(
                (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
                (&json!(pointer), &json!(code))
            );
        }
    });
}

#[test]
fn names_of_debtors_are_for_those_who_may_read_answers() {
    for_both(1, async |mut stand| {
        let ids = stand.request_ids().await;
        let debtor = json!({ "last_name": "Вымышленный", "first_name": "Пётр" });
        stand.answer(&ids[0], &json!({ "has_debt": true, "debtors": [debtor] })).await;
        let reader = stand.client_with("requests:read");
        let export = exported(&stand, &reader, json!({})).await;
        assert_eq!(export["with_answers"], false);
        let sheet = Sheet::read(&file(&reader, &export).await.bytes);
        assert_eq!((sheet.column(HAS_DEBT), sheet.column(LAST_NAME)), (vec!["ДА"], vec![""]));

        let full = exported(&stand, &stand.client, json!({})).await;
        file(&reader, &full).await.problem(403, "scope_missing");
        file(&stand.foreigner, &full).await.problem(404, "not_found");
    });
}

#[test]
fn a_file_is_there_when_it_is_ready_and_until_it_expires() {
    for_both(1, async |stand| {
        let body = json!({ "kind": "debt_requests" });
        let created = stand.client.post(EXPORTS, &body).await;
        assert_eq!(created.header("retry-after"), "5");
        let path = created.header("location").to_owned();
        let content = format!("{path}/content");
        let first = stand.client.get(&content).await;
        // Jobs of a frozen clock run in their steps alone, so nothing is written yet.
        first.problem(409, "state_conflict");
        let ready = stand.until(&path, |export| export["is_final"] == true).await;
        assert_eq!(stand.client.get(&content).await.status, 200);
        assert!(ready["expires_at"].as_str() > ready["finished_at"].as_str());
        stand.pass(31 * 24 * 3600).await;
        stand.client.get(&content).await.problem(404, "not_found");
        stand.client.get(&path).await.problem(404, "not_found");

        for _ in 0..20 {
            stand.client.post(EXPORTS, &body).await.ok(202);
        }
        stand.client.post(EXPORTS, &body).await.problem(409, "run_in_progress");
    });
}

#[test]
fn a_department_is_the_directorate() {
    for_both(2, async |stand| {
        let ids = stand.request_ids().await;
        let head = stand.employ("Вымышленная Ольга Петровна", Some(uuid::Uuid::now_v7()), None).await;
        let department = stand.department("Северный участок", &head, &[]).await;
        let given = json!({ "department_id": department });
        stand.client.patch(&format!("/v1/debt-requests/{}", ids[0]), &given).await.ok(200);
        let sheet = Sheet::read(&sheet(&stand).await);
        let mut named = sheet.column("Дирекция");
        named.sort_unstable();
        assert_eq!(named, ["", "Северный участок"]);
    });
}

#[test]
fn accounts_come_from_the_book() {
    for_both(6, async |stand| {
        let listed = stand.client.walk("/v1/debt-requests").await;
        let known = listed.iter().filter(|request| request["address"]["fias_house_id"].is_string());
        let known: Vec<&Value> = known.filter(|request| request["address"]["premises"].is_string()).collect();
        let (first, second) = (known[0], known[1]);
        let row = |request: &Value, account: &str| {
            let address = &request["address"];
            json!({
                "fias_house_id": address["fias_house_id"],
                "premises": address["premises"],
                "unified_account": format!("70НН{account}"),
                "account": account,
            })
        };
        let book = json!({ "accounts": [row(first, "001"), row(first, "002"), row(second, "003")] });
        crate::accounts::put(&stand.client, &book).await.ok(200);

        let with = async |account_found: Value| {
            let body = json!({ "kind": "debt_requests", "account_found": account_found });
            let begun = stand.client.post(EXPORTS, &body).await;
            let export = stand.until(begun.header("location"), |export| export["is_final"] == true).await;
            assert_eq!(export["account_found"], account_found);
            let sheet = Sheet::read(&file(&stand.client, &export).await.bytes);
            assert_eq!(export["requests"], sheet.rows.len());
            sheet
        };
        let (all, found, others) =
            (with(Value::Null).await, with(json!(true)).await, with(json!(false)).await);
        assert_eq!((all.rows.len(), found.rows.len() + others.rows.len()), (6, 6));
        let texts = |sheet: &Sheet, request: &Value| {
            let place = sheet.column(SUBREQUEST).iter().position(|id| *id == request["id"]).unwrap();
            let [unified, own] = ["Единый лицевой счет", "Лицевой счет"].map(|it| sheet.column(it)[place]);
            (unified.to_owned(), own.to_owned())
        };
        for sheet in [&all, &found] {
            assert_eq!(texts(sheet, first), ("70НН001, 70НН002".to_owned(), "001, 002".to_owned()));
            assert_eq!(texts(sheet, second).1, "003");
        }
        assert!(found.column("Лицевой счет").iter().all(|text| !text.is_empty()));
        assert!(others.column("Лицевой счет").iter().all(|text| text.is_empty()));
    });
}
