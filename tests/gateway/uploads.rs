//! What `[limits]` says of files: how many come at once, and of which types.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::harness::{Client, Reply, Stand, for_both};
use crate::registry::HOUSE;
use crate::{accounts, registry, scans};

const ATTACHMENTS: &str = "/v1/attachments";
const PDF: &[u8] = b"%PDF-1.7 an invented court act";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n an invented picture";
/// What a server says that is about to read a body.
const GO_ON: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
/// Far more than a server needs to see that a client has hung up.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(10);

fn file(name: &str, content: &[u8]) -> Value {
    json!({ "file_name": name, "content_base64": STANDARD.encode(content) })
}

async fn small(client: &Client) -> Reply {
    client.post(ATTACHMENTS, &file("a.txt", b"a")).await
}

/// Begins to upload a file and sends nothing of it, until the connection is dropped.
async fn begun(stand: &Stand, path: &str) -> TcpStream {
    let address = stand.gateway.public.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000\r\n\
         Expect: 100-continue\r\n\r\n",
        stand.token()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut heard = vec![0_u8; GO_ON.len()];
    connection.read_exact(&mut heard).await.unwrap();
    assert_eq!(heard, GO_ON);
    connection
}

/// Uploads a small file again and again until the reply has this status.
async fn until(stand: &Stand, status: u16) -> Reply {
    let end = Instant::now() + PATIENCE;
    loop {
        let reply = small(&stand.client).await;
        if reply.status.as_u16() == status {
            return reply;
        }
        assert!(Instant::now() < end, "{:#}", reply.body);
        sleep(PAUSE).await;
    }
}

#[test]
fn an_organisation_uploads_no_more_at_once_than_it_may() {
    for_both(1, async |mut stand| {
        stand.restart_after(|workshop| workshop.limit("parallel_uploads = 2"));
        small(&stand.client).await.ok(201);
        // Of whatever kind they are.
        let first = begun(&stand, ATTACHMENTS).await;
        let second = begun(&stand, "/v1/imports").await;
        until(&stand, 429).await;
        for refused in [
            small(&stand.client).await,
            stand.client.post("/v1/imports", &file("a.xlsx", b"PK")).await,
            registry::upload(&stand.client, &[]).await,
            accounts::put(&stand.client, &json!({ "accounts": [] })).await,
        ] {
            assert_eq!(refused.header("retry-after"), "1");
            let problem = refused.problem(429, "too_many_uploads");
            assert_eq!(
                (&problem["retryable"], &problem["detail"]),
                (&json!(true), &json!("предел одновременных загрузок вашей организации: 2"))
            );
        }
        // The others do not suffer by it, and an answer is always taken, even with a file inside.
        small(&stand.foreigner).await.ok(201);
        let [request] = stand.request_ids().await.try_into().unwrap();
        let debtors = json!([{ "last_name": "Вымышленный", "first_name": "Пётр" }]);
        let body = json!({ "has_debt": true, "debtors": debtors, "attachments": [file("акт.pdf", PDF)] });
        stand.answer(&request, &body).await;
        let page = stand.client.without_token().get("/problems/too_many_uploads").await;
        assert_eq!(page.status.as_u16(), 200);

        drop(first);
        until(&stand, 201).await;
        let third = begun(&stand, ATTACHMENTS).await;
        until(&stand, 429).await;
        drop((second, third));
        until(&stand, 201).await;
        assert_eq!(registry::upload(&stand.client, &[]).await.ok(202)["status"], "checked");
    });
}

#[test]
fn a_gateway_takes_the_types_that_it_was_told_and_says_which() {
    const ALLOWED: &str = "можно прикладывать pdf, txt";
    for_both(1, async |mut stand| {
        let early = stand.client.post(ATTACHMENTS, &file("акт.png", PNG)).await.ok(201);
        stand.restart_after(|workshop| workshop.limit("file_types = [\"txt\", \"PDF\"]"));
        stand.client.post(ATTACHMENTS, &file("акт.pdf", PDF)).await.ok(201);
        let refused = stand.client.post(ATTACHMENTS, &file("Акт.PNG", PNG)).await;
        assert_eq!(refused.problem(415, "file_type_not_allowed")["detail"], ALLOWED);
        let parts: [registry::Part<'_>; 1] = [("file", Some("акт.png"), PNG)];
        let refused = registry::send_form(&stand.client, Method::POST, ATTACHMENTS, &parts).await;
        assert_eq!(refused.problem(415, "file_type_not_allowed")["detail"], ALLOWED);

        let [request] = stand.request_ids().await.try_into().unwrap();
        let answers = format!("/v1/debt-requests/{request}/answers");
        let debtors = json!([{ "last_name": "Вымышленный", "first_name": "Пётр" }]);
        let with = |file: Value| json!({ "has_debt": true, "debtors": debtors, "attachments": [file] });
        let refused = stand.client.post(&answers, &with(file("акт.png", PNG))).await;
        let problem = refused.problem(415, "file_type_not_allowed");
        let mistake = &problem["errors"][0];
        assert_eq!(
            (&mistake["pointer"], &mistake["detail"]),
            (&json!("/attachments/0/file_name"), &json!(ALLOWED))
        );

        let row: scans::Row<'_> = [HOUSE, "кв. 1", "акт.png", "", ""];
        let registry = scans::upload(&stand, &[row], &scans::archive(&[("акт.png", PNG)])).await.ok(202);
        assert_eq!(registry["status"], "refused");
        let problems = stand.client.walk(registry["problems_url"].as_str().unwrap()).await;
        assert_eq!(
            (&problems[0]["row"], &problems[0]["code"], &problems[0]["detail"]),
            (&json!(2), &json!("file_type_not_allowed"), &json!(ALLOWED))
        );

        // What was taken before stays good.
        stand.client.post(&answers, &with(json!({ "attachment_id": early["id"] }))).await.ok(201);
    });
}

#[test]
fn a_workbook_of_any_kind_may_be_as_large_as_the_gateway_was_told() {
    const SMALL: &str = "import_bytes = 1024";
    const LARGE: &str = "import_bytes = 23068672";
    for_both(0, async |mut stand| {
        stand.restart_after(|workshop| workshop.limit(SMALL));
        let content = registry::workbook(&[]);
        let parts = |content| {
            let registry: registry::Part<'_> = ("registry", Some(registry::NAME), content);
            let accounts: registry::Part<'_> = ("file", Some("счета.xlsx"), content);
            [(Method::POST, registry::REGISTRIES, registry), (Method::PUT, "/v1/accounts", accounts)]
        };
        for (method, path, part) in parts(&content) {
            let reply = registry::send_form(&stand.client, method, path, &[part]).await;
            reply.problem(413, "file_too_large");
        }
        let body = json!({ "content_base64": STANDARD.encode(&content) });
        accounts::put(&stand.client, &body).await.problem(413, "file_too_large");

        stand.restart_after(|workshop| {
            let file = workshop.path("debtgate.toml");
            let settings = std::fs::read_to_string(&file).unwrap();
            std::fs::write(file, settings.replacen(SMALL, LARGE, 1)).unwrap();
        });
        // More than anybody may send who was told nothing: it is looked at, and found to be no workbook.
        let content = vec![0; 21 * 1024 * 1024];
        for (method, path, part) in parts(&content) {
            let reply = registry::send_form(&stand.client, method, path, &[part]).await;
            reply.problem(422, "validation_failed");
        }
    });
}
