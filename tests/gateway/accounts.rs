//! The book of accounts: replaced as a whole, read page by page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};

use crate::harness::{Client, Reply, Stand, for_both};
use crate::registry::{HOUSE, send_form};

const ACCOUNTS: &str = "/v1/accounts";
const OTHER: &str = "5603dc9c-e161-414c-9787-e40836561202";

pub(crate) async fn put(client: &Client, book: &Value) -> Reply {
    client.call(Method::PUT, ACCOUNTS).json(book).send().await
}

fn workbook(rows: &[[&str; 4]]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let header = ["Код ФИАС дома", "Номер помещения", "Единый лицевой счет", "Лицевой счет"];
    for (row, cells) in (0..).zip(std::iter::once(&header).chain(rows)) {
        for (column, text) in (0..).zip(cells) {
            sheet.write_string(row, column, *text).unwrap();
        }
    }
    workbook.save_to_buffer().unwrap()
}

async fn upload(client: &Client, content: &[u8]) -> Reply {
    send_form(client, Method::PUT, ACCOUNTS, &[("file", Some("счета.xlsx"), content)]).await
}

async fn accounts(stand: &Stand, filter: &str) -> Vec<String> {
    let rows = stand.client.walk(&format!("{ACCOUNTS}?limit=1{filter}")).await;
    rows.iter().map(|row| row["account"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_book_is_replaced_as_a_whole_and_read_page_by_page() {
    for_both(1, async |stand| {
        let book = json!({ "accounts": [
            { "fias_house_id": HOUSE, "premises": "кв. 1", "account": "001", "unified_account": "70НН1" },
            { "fias_house_id": OTHER, "account": "002" },
            { "fias_house_id": HOUSE.to_uppercase(), "premises": "2", "account": " 003 " },
        ] });
        let replaced = put(&stand.client, &book).await.ok(200);
        assert_eq!(replaced, json!({ "accounts": 3, "ignored_columns": [] }));
        assert_eq!(accounts(&stand, "").await, ["001", "002", "003"]);
        assert_eq!(accounts(&stand, &format!("&fias_house_id={HOUSE}")).await, ["001", "003"]);
        let first = &stand.client.walk(ACCOUNTS).await[0];
        assert_eq!(
            *first,
            json!({ "fias_house_id": HOUSE, "premises": "кв. 1", "unified_account": "70НН1", "account": "001" })
        );
        assert!(stand.foreigner.walk(ACCOUNTS).await.is_empty());

        let content = workbook(&[[HOUSE, "кв. 1", "", "004"], [HOUSE, "", "70НН2", ""]]);
        assert_eq!(upload(&stand.client, &content).await.ok(200)["accounts"], 2);
        assert_eq!(accounts(&stand, "").await, ["004", ""]);
        let body = json!({ "content_base64": STANDARD.encode(workbook(&[[OTHER, "5", "", "005"]])) });
        assert_eq!(put(&stand.client, &body).await.ok(200)["accounts"], 1);
        assert_eq!(accounts(&stand, "").await, ["005"]);
        put(&stand.foreigner, &json!({ "accounts": [] })).await.ok(200);
        assert_eq!(accounts(&stand, "").await, ["005"], "the book of another organisation");
        put(&stand.client, &json!({ "accounts": [] })).await.ok(200);
        assert!(accounts(&stand, "").await.is_empty());
    });
}

#[test]
fn a_book_with_a_mistake_changes_nothing() {
    for_both(1, async |mut stand| {
        let row = |premises: &str, account: &str| json!({ "fias_house_id": HOUSE, "premises": premises, "account": account });
        put(&stand.client, &json!({ "accounts": [row("1", "001")] })).await.ok(200);
        for (book, pointer, code) in [
            (
                json!({ "accounts": [row("1", "1"), row("пристройка", "2")] }),
                "/accounts/1/premises",
                "premises_format",
            ),
            (json!({ "accounts": [row("1", "1"), row("кв. 1", "1")] }), "/accounts/1", "duplicate"),
            (json!({ "accounts": [row("1", " ")] }), "/accounts/0", "required"),
            (json!({ "accounts": [row("1", &"1".repeat(31))] }), "/accounts/0/account", "too_long"),
            (
                json!({ "accounts": [{ "fias_house_id": "дом", "account": "1" }] }),
                "/accounts/0/fias_house_id",
                "format",
            ),
            (json!({ "accounts": [{ "account": "1" }] }), "/accounts/0/fias_house_id", "required"),
            (json!({ "accounts": vec![row("1", "1"); 10_001] }), "/accounts", "too_many"),
            (json!({}), "", "book_source"),
            (json!({ "accounts": [], "content_base64": "UEs=" }), "", "book_source"),
            (json!({ "content_base64": "UEs=" }), "/content_base64", "not_a_workbook"),
        ] {
            let problem = put(&stand.client, &book).await.problem(422, "validation_failed");
            assert_eq!(
                (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
                (&json!(pointer), &json!(code))
            );
        }
        let bad = workbook(&[[HOUSE, "1", "", "1"], ["дом", "?", "", "2"], [HOUSE, "кв. 1", "", "1"]]);
        let problem = upload(&stand.client, &bad).await.problem(422, "validation_failed");
        let told: Vec<_> = problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (it["code"].as_str().unwrap(), it["detail"].as_str().unwrap()))
            .collect();
        assert_eq!(told.len(), 3);
        let place = |at: usize| (&problem["errors"][at]["row"], &problem["errors"][at]["column"]);
        assert_eq!(place(0), (&json!(3), &json!("Код ФИАС дома")));
        assert_eq!(place(2), (&json!(4), &json!("Лицевой счет")));
        assert!(told[0].1.starts_with("строка 3, столбец «Код ФИАС дома»"), "{told:?}");
        assert!(told[2].0 == "duplicate" && told[2].1.starts_with("строка 4"), "{told:?}");
        upload(&stand.client, b"tea").await.problem(422, "validation_failed");
        upload(&stand.client, &vec![0; 21 * 1024 * 1024]).await.problem(413, "file_too_large");
        let reader = stand.client_with("registry:read");
        put(&reader, &json!({ "accounts": [] })).await.problem(403, "scope_missing");
        assert_eq!(accounts(&stand, "").await, ["001"]);
    });
}
