//! Workbooks to be filled in (F49, F55): what stands in them is what is read.

use std::io::Cursor;

use calamine::{Reader as _, Xlsx};
use reqwest::Method;
use rust_xlsxwriter::Workbook;
use serde_json::json;

use crate::exports::{SUBREQUEST, Sheet};
use crate::harness::{Stand, for_both};
use crate::imports::{imported, rows, send};
use crate::registry::{NAME, REGISTRIES, activate, send_form};
use crate::scans::archive;

/// A template as it is downloaded.
async fn template(stand: &Stand, name: &str) -> Vec<u8> {
    let reply = stand.client.get(&format!("/v1/templates/{name}")).await;
    assert_eq!(reply.status.as_u16(), 200);
    assert_eq!(
        (reply.header("content-type"), reply.header("content-disposition")),
        (
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            format!("attachment; filename=\"{name}.xlsx\"").as_str()
        )
    );
    reply.bytes
}

/// The same, with the example of its second sheet in its first row.
fn filled(template: &[u8]) -> Vec<u8> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(template.to_vec())).unwrap();
    let explained = book.worksheet_range("Пример").unwrap();
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, row) in (0..).zip(explained.rows().skip(1)) {
        for (line, text) in (0..).zip([&row[0], &row[2]]) {
            sheet.write_string(line, column, text.to_string()).unwrap();
        }
    }
    let content = workbook.save_to_buffer().unwrap();
    assert_eq!(Sheet::read(&content).headers, Sheet::read(template).headers);
    content
}

#[test]
fn a_registry_is_filled_in_from_its_template() {
    for_both(1, async |stand| {
        let form = template(&stand, "court-debt-registry").await;
        let parts: [(&str, Option<&str>, &[u8]); 1] = [("registry", Some(NAME), &form)];
        let untouched = send_form(&stand.client, Method::POST, REGISTRIES, &parts).await;
        let problem = untouched.problem(422, "validation_failed");
        assert_eq!(
            (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
            (&json!("/registry"), &json!("rows_missing"))
        );
        let act: &[u8] = b"%PDF-1.7 an invented act";
        let scans =
            archive(&["решение 2-17.pdf", "сверка.pdf", "письмо.pdf", "опись.pdf"].map(|it| (it, act)));
        let content = filled(&form);
        let parts: [(&str, Option<&str>, &[u8]); 2] =
            [("registry", Some(NAME), &content), ("files", Some("scans.zip"), &scans)];
        let registry = send_form(&stand.client, Method::POST, REGISTRIES, &parts).await.ok(202);
        assert_eq!(
            (&registry["status"], &registry["rows"], &registry["warnings"]),
            (&json!("checked"), &json!(1), &json!(0)),
            "{registry:#}"
        );
        activate(&stand, &registry).await.ok(200);
        let [row] = stand.client.walk("/v1/court-debts").await.try_into().unwrap();
        let debtor = &row["debtors"][0];
        assert_eq!(
            (&row["comment"], &debtor["middle_name"], &debtor["snils"]),
            (&json!("второй должник: Вымышленная Анна"), &json!("Петрович"), &json!("11223344595"))
        );
    });
}

#[test]
fn answers_and_accounts_are_filled_in_from_their_templates() {
    for_both(1, async |stand| {
        let form = template(&stand, "answers").await;
        assert_eq!(Sheet::read(&form).headers, crate::exports::COLUMNS, "those of an export");
        let words = [("mode", "apply")];
        let untouched = send(&stand.client, &form, &words).await.problem(422, "validation_failed");
        assert_eq!(untouched["errors"][0]["code"], "rows_missing");
        let import = imported(&stand, &filled(&form), &words).await;
        let [row] = rows(&stand, &import).await.try_into().unwrap();
        assert_eq!(
            (&row["errors"][0]["column"], &row["errors"][0]["code"]),
            (&json!(SUBREQUEST), &json!("not_found")),
            "the example is about a request of nobody"
        );
        assert_eq!(import["file"]["ignored_columns"], json!([]));

        let form = template(&stand, "accounts").await;
        let put = async |content: &[u8]| {
            send_form(&stand.client, Method::PUT, "/v1/accounts", &[("file", Some("a.xlsx"), content)]).await
        };
        let problem = put(&form).await.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["code"], "rows_missing");
        assert_eq!(put(&filled(&form)).await.ok(200), json!({ "accounts": 1, "ignored_columns": [] }));
        stand.client.get("/v1/templates/exports").await.problem(404, "not_found");
    });
}
