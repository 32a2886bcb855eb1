//! Scans beside a registry: named in its rows, kept with it, sent with the answers made of it.

use std::io::{Cursor, Write as _};

use reqwest::Method;
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::harness::{Reply, Stand, for_both};
use crate::registry::{HOUSE, NAME, REGISTRIES, activate, send_form};

const HEADER: [&str; 11] = [
    "Дата начала периода задолженности *",
    "Идентификатор адреса *",
    "Номер квартиры, комнаты, блока жилого дома *",
    "Фамилия *",
    "Имя *",
    "Копия судебного акта",
    "Акт сверки",
    "Дополнительные файлы",
    "Отчество",
    "СНИЛС",
    "Дополнительная информация",
];
const MIDDLE_NAME: &str = "Петрович";
const SNILS: &str = "112-233-445 95";
const INFORMATION: &str = "второй должник: Вымышленная Анна, решение № 2-18";
const ACT: &[u8] = b"%PDF-1.7 an invented court act";

/// A row: house, premises, and the three columns with names of scans.
pub(crate) type Row<'a> = [&'a str; 5];

fn workbook(rows: &[Row<'_>]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, text) in (0..).zip(HEADER) {
        sheet.write_string(0, column, text).unwrap();
    }
    for (row, [house, premises, act, reconciliation, others]) in (1..).zip(rows) {
        let cells = ["12.03.2025", house, premises, "Вымышленный", "Пётр", act, reconciliation, others];
        for (column, text) in (0..).zip(cells.into_iter().chain([MIDDLE_NAME, SNILS, INFORMATION])) {
            sheet.write_string(row, column, text).unwrap();
        }
    }
    workbook.save_to_buffer().unwrap()
}

pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

pub(crate) async fn upload(stand: &Stand, rows: &[Row<'_>], scans: &[u8]) -> Reply {
    let registry = workbook(rows);
    let parts: [(&str, Option<&str>, &[u8]); 2] =
        [("registry", Some(NAME), &registry), ("files", Some("scans.zip"), scans)];
    send_form(&stand.client, Method::POST, REGISTRIES, &parts).await
}

/// Row and code of each problem.
async fn problems(stand: &Stand, registry: &Value) -> Vec<(Option<u64>, String)> {
    let problems = stand.client.walk(registry["problems_url"].as_str().unwrap()).await;
    let told = |it: &Value| (it["row"].as_u64(), it["code"].as_str().unwrap().to_owned());
    problems.iter().map(told).collect()
}

/// F57, F64, F66, F67: so does all else that a row says, the further debtors in words too.
#[test]
fn a_scan_reaches_gis_as_it_came() {
    for_both(5, async |stand| {
        let requests = stand.client.walk("/v1/debt-requests").await;
        let whole = |request: &&Value| {
            let address = &request["address"];
            address["fias_house_id"].is_string() && address["premises"].is_string()
        };
        let request = requests.iter().find(whole).unwrap();
        let id = request["id"].as_str().unwrap();
        let (house, premises) = (&request["address"]["fias_house_id"], &request["address"]["premises"]);
        let row = [
            house.as_str().unwrap(),
            premises.as_str().unwrap(),
            "Решение № 2-17.pdf",
            "сверка.txt",
            "письмо.txt; Конверт.txt",
        ];
        let scans = archive(&[
            ("сканы/решение № 2-17.PDF", ACT),
            ("сканы/Сверка.txt", b"reconciliation"),
            ("../../письмо.txt", b"letter"),
            ("конверт.txt", b"envelope"),
            ("__MACOSX/._x.txt", b"rubbish"),
            ("лишний.txt", b"nobody names it"),
        ]);
        let registry = upload(&stand, &[row], &scans).await.ok(202);
        assert_eq!((&registry["status"], &registry["warnings"]), (&json!("checked"), &json!(1)));
        assert_eq!(problems(&stand, &registry).await, [(None, "file_unused".to_owned())]);
        activate(&stand, &registry).await.ok(200);
        let rows = stand.client.walk("/v1/court-debts").await;
        let document = &rows[0]["debtors"][0]["documents"][0];
        assert_eq!(
            (&document["type_code"], rows[0]["attachments"].as_array().unwrap().len()),
            (&json!("1"), 3)
        );
        let file = format!("/v1/attachments/{}", document["attachment_id"].as_str().unwrap());
        let shown = stand.client.get(&file).await.ok(200);
        assert_eq!((&shown["file_name"], &shown["expires_at"]), (&json!("Решение № 2-17.pdf"), &Value::Null));
        let deleted = stand.client.call(Method::DELETE, &file).send().await;
        deleted.problem(409, "state_conflict");
        stand.foreigner.get(&file).await.problem(404, "not_found");
        assert_eq!(stand.client.get(&format!("{file}/content")).await.bytes, ACT);

        let body = json!({ "scope": { "ids": [id] }, "mode": "submit" });
        let run = stand.client.post("/v1/match-runs", &body).await;
        let run = stand.until(run.header("location"), |run| run["is_final"] == true).await;
        assert_eq!((&run["counts"]["found"], &run["counts"]["queued"]), (&json!(1), &json!(1)), "{run:#}");
        let items = stand.client.walk(run["items_url"].as_str().unwrap()).await;
        stand.until_state(items[0]["answer_id"].as_str().unwrap(), "delivered").await;
        let held = stand.held(id).held.answer.unwrap();
        let [debtor] = held.debtors.as_slice() else { panic!("one debtor") };
        let person = &debtor.person;
        assert_eq!((person.last.as_str(), person.first.as_str()), ("Вымышленный", "Пётр"));
        assert_eq!(
            (person.middle.as_deref(), person.snils.as_deref()),
            (Some(MIDDLE_NAME), Some("11223344595"))
        );
        assert_eq!(held.description.as_deref(), Some(INFORMATION));
        let [document] = debtor.documents.as_slice() else { panic!("one document") };
        assert_eq!((document.kind.code.as_str(), document.file.name.as_str()), ("1", "Решение № 2-17.pdf"));
        assert_eq!(stand.gis().file_content(document.file.guid).unwrap(), ACT);
        let files = held.additional_files.iter();
        let files: Vec<_> =
            files.map(|file| (file.name.as_str(), stand.gis().file_content(file.guid).unwrap())).collect();
        let expected: [(&str, &[u8]); 3] =
            [("сверка.txt", b"reconciliation"), ("письмо.txt", b"letter"), ("Конверт.txt", b"envelope")];
        assert_eq!(files, expected.map(|(name, content)| (name, content.to_vec())));
    });
}

#[test]
fn a_scan_that_cannot_be_taken_refuses_the_registry() {
    for_both(1, async |stand| {
        let row = |premises: &'static str, act: &'static str| [HOUSE, premises, act, "", ""];
        let rows = [
            row("кв. 1", "нет.pdf"),
            row("кв. 2", "вирус.exe"),
            row("кв. 3", "подделка.pdf"),
            row("кв. 4", "большой.txt"),
            row("кв. 5", "../акт.pdf"),
            row("кв. 6", "акт.pdf"),
        ];
        let bomb = vec![b' '; 50 * 1024 * 1024];
        let scans = archive(&[
            ("вирус.exe", b"MZ"),
            ("подделка.pdf", b"tea"),
            ("большой.txt", &bomb),
            ("акт.pdf", ACT),
        ]);
        assert!(scans.len() < 1024 * 1024);
        let refused = upload(&stand, &rows, &scans).await.ok(202);
        assert_eq!(
            (&refused["status"], &refused["rows"], &refused["refused_rows"]),
            (&json!("refused"), &json!(0), &json!(5))
        );
        let expected = [
            (2, "file_missing"),
            (3, "file_type_not_allowed"),
            (4, "file_type_not_allowed"),
            (5, "file_too_large"),
            (6, "character_not_allowed"),
        ];
        let expected = expected.map(|(row, code)| (Some(row), code.to_owned()));
        assert_eq!(problems(&stand, &refused).await, expected);
        activate(&stand, &refused).await.problem(409, "state_conflict");

        let mut locked = archive(&[("акт.pdf", ACT)]);
        let entry = locked.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        // Bit 0 of the flags, in the header of the file and in the directory: a password is needed.
        locked[6] |= 1;
        locked[entry + 8] |= 1;
        let mut cut = archive(&[("акт.pdf", ACT)]);
        cut.truncate(cut.len() - 10);
        for (scans, code) in [
            (b"tea".to_vec(), "not_an_archive"),
            (Vec::new(), "not_an_archive"),
            (cut, "not_an_archive"),
            (locked, "archive_password"),
            (archive(&[("a/акт.pdf", ACT), ("b/АКТ.pdf", ACT)]), "file_name_twice"),
        ] {
            let problem = upload(&stand, &rows[5..], &scans).await.problem(422, "validation_failed");
            assert_eq!(
                (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
                (&json!("/files"), &json!(code))
            );
        }
        let large = upload(&stand, &rows[5..], &vec![0; 101 * 1024 * 1024]).await;
        large.problem(413, "file_too_large");
        assert_eq!(stand.client.walk(REGISTRIES).await.len(), 1);
        assert_eq!(upload(&stand, &rows[5..], &scans).await.ok(202)["status"], "checked");
    });
}

#[test]
fn a_row_names_files_that_were_uploaded() {
    for_both(1, async |stand| {
        let act = stand.upload("act.pdf", "Решение суда", ACT).await;
        let mut debt = crate::registry::debt("кв. 1");
        debt["debtors"][0]["documents"] = json!([{ "type_code": "1", "attachment_id": act["id"] }]);
        let added = stand.client.post("/v1/court-debts", &debt).await;
        let path = added.header("location").to_owned();
        assert_eq!(added.ok(201)["debtors"][0]["documents"], debt["debtors"][0]["documents"]);
        stand.pass(8 * 24 * 3600).await;
        let file = format!("/v1/attachments/{}", act["id"].as_str().unwrap());
        assert_eq!(stand.client.get(&file).await.ok(200)["expires_at"], Value::Null);
        debt["attachments"] = json!([{ "attachment_id": uuid::Uuid::now_v7() }]);
        let put = stand.client.call(Method::PUT, &path).json(&debt).send().await;
        let problem = put.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], "/attachments/0/attachment_id");
        let gone = stand.client.call(Method::DELETE, &path).send().await;
        assert_eq!(gone.status.as_u16(), 204);
        assert!(stand.client.get(&file).await.ok(200)["expires_at"].is_string());
    });
}
