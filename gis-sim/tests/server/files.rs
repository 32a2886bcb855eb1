//! The file store over HTTP: whole, in parts, and every error.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gis_sim::SimHandle;
use gis_sim::files::{FileError, PART_BYTES};
use gost::hash::gost94;
use md5::{Digest, Md5};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::client::*;

struct Reply {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn upload_id(&self) -> Uuid {
        assert_eq!(self.status, 200, "{}", self.header("X-Upload-Error"));
        let id = self.header("X-Upload-UploadID");
        assert!(self.header("Location").ends_with(&format!("/debtreq/{id}")));
        id.parse().unwrap()
    }

    fn error(&self) -> &str {
        assert_ne!(self.status, 200);
        self.header("X-Upload-Error")
    }
}

async fn call(client: &Client, method: Method, tail: &str, headers: &[(&str, String)], body: &[u8]) -> Reply {
    try_call(client, method, tail, headers, body).await.unwrap()
}

async fn try_call(
    client: &Client,
    method: Method,
    tail: &str,
    headers: &[(&str, String)],
    body: &[u8],
) -> reqwest::Result<Reply> {
    let mut request = client.http().request(method, format!("{}{FILES}{tail}", client.url));
    if !headers.iter().any(|(name, _)| *name == "X-Upload-OrgPPAGUID") {
        request = request.header("X-Upload-OrgPPAGUID", client.organization.to_string());
    }
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let response = request.body(body.to_vec()).send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Reply { status, headers, body: response.bytes().await?.to_vec() })
}

fn md5(content: &[u8]) -> (&'static str, String) {
    ("Content-MD5", STANDARD.encode(Md5::digest(content)))
}

fn name(text: &str) -> (&'static str, String) {
    ("X-Upload-Filename", text.to_owned())
}

fn length(bytes: usize) -> (&'static str, String) {
    ("X-Upload-Length", bytes.to_string())
}

async fn put(client: &Client, content: &[u8]) -> Reply {
    call(client, Method::PUT, "", &[md5(content), name("order.pdf")], content).await
}

fn store() -> (SimHandle, Client) {
    let simulator = lenient(2, json!({}));
    let client = Client::new(&simulator);
    (simulator, client)
}

/// XSD includeResponses: only 13.1.10.1 knows it.
fn with_responses(version: &str) -> &'static str {
    if version == "13.1.10.1" { WITH_RESPONSES } else { "" }
}

#[tokio::test]
async fn a_whole_file_serves_an_answer_and_can_be_downloaded_then() {
    let (simulator, client) = store();
    let content = b"%PDF-1.4 invented";
    let file = put(&client, content).await.upload_id();
    assert_eq!(simulator.control().file_content(file).unwrap(), content);
    assert_eq!(simulator.control().file(file).unwrap().hash, Some(hex::encode(gost94(content))));
    let download = async || call(&client, Method::GET, &format!("/{file}?getfile"), &[], b"").await;
    assert_eq!(download().await.error(), "FilePermissionException", "no answer names it yet");

    client.export("13.1.10.1", &filter("")).await;
    let guids = subrequests(&simulator, &client);
    let wrong = client.delivered(&simulator, &[debt(guids[0], file, &"0".repeat(64))]).await;
    assert_eq!(wrong.code(), "FIL001002");
    let unknown =
        client.delivered(&simulator, &[debt(guids[0], Uuid::new_v4(), &hex::encode(gost94(b"x")))]).await;
    assert_eq!(unknown.code(), "FIL001001");
    let done = client.delivered(&simulator, &[debt(guids[0], file, &hex::encode(gost94(content)))]).await;
    assert_eq!(done.all("UpdateDate").len(), 1, "{}", done.text());
    for (version, dates) in [("13.1.10.1", 0), ("14.0.0.0", 1), ("15.3.0.0", 2)] {
        let shown =
            client.exported(&simulator, version, &(by_guid(&guids[..1]) + with_responses(version))).await;
        assert_eq!(shown.all("attachment").len(), 1, "{}", shown.text());
        let told = ["date", "judicalActDatePronouncing"].map(|name| shown.all(name).len());
        assert_eq!(told.iter().sum::<usize>(), dates, "{version}: the court act, and when it was pronounced");
    }
    assert_eq!(download().await.body, content);
}

#[tokio::test]
async fn a_wrong_snils_spoils_its_package_or_its_item() {
    let (simulator, client) = store();
    let content = b"%PDF-1.4 invented";
    let file = put(&client, content).await.upload_id();
    client.export("13.1.10.1", &filter("")).await;
    let guids = subrequests(&simulator, &client);
    let wrong =
        debt(guids[0], file, &hex::encode(gost94(content))).replace(">00000000000<", ">000-000-000 00<");
    let package = [wrong, no_debt(guids[1], "нет")];
    let refused = client.delivered(&simulator, &package).await;
    assert_eq!((refused.all("ErrorMessage").len(), refused.code().as_str()), (1, "INT009007"));
    simulator.control().patch_scenario(json!({"import": {"bad_value": "item"}})).unwrap();
    let partial = client.delivered(&simulator, &package).await;
    assert_eq!((partial.all("UpdateDate").len(), partial.code().as_str()), (1, "INT009007"));
}

#[tokio::test]
async fn a_large_file_goes_in_parts() {
    let (simulator, client) = store();
    simulator.control().patch_scenario(json!({"files": {"download_unused": true}})).unwrap();
    let parts = [vec![1_u8; PART_BYTES], vec![2_u8; 1000]];
    let whole = parts.concat();
    let human = format!("=?utf-8?B?{}?=", STANDARD.encode("Приказ.pdf"));
    let headers = [name(&human), length(whole.len()), ("X-Upload-Part-Count", "2".to_owned())];
    let file = call(&client, Method::POST, "/?upload", &headers, b"").await.upload_id();
    let tail = format!("/{file}");
    for (number, part) in [(2, &parts[1]), (1, &parts[0])] {
        let headers = [md5(part), ("X-Upload-Partnumber", number.to_string())];
        assert_eq!(call(&client, Method::PUT, &tail, &headers, part).await.status, 200);
    }
    let open = call(&client, Method::HEAD, &tail, &[], b"").await;
    assert_eq!(
        (open.header("X-Upload-Completed-Parts"), open.header("X-Upload-Completed")),
        ("1,2", "false")
    );
    assert_eq!(call(&client, Method::POST, &format!("{tail}?completed"), &[], b"").await.status, 200);
    let closed = call(&client, Method::HEAD, &tail, &[], b"").await;
    assert_eq!(closed.header("X-Upload-Completed"), "true");
    assert_eq!(closed.header("X-Upload-Length"), whole.len().to_string());
    assert_eq!(closed.header("X-Upload-Filename"), human);
    assert_eq!(closed.header("X-Upload-OrgPPAGUID"), client.organization.to_string());
    assert_eq!(closed.upload_id(), file);

    let get = async |range: &str| {
        let range = [("Range", range.to_owned())];
        call(&client, Method::GET, &format!("{tail}?getfile"), &range, b"").await
    };
    let slice = get(&format!("bytes={}-{}", PART_BYTES - 1, PART_BYTES)).await;
    assert_eq!((slice.status, slice.body.as_slice()), (206, [1, 2].as_slice()));
    assert_eq!(slice.header("Content-Range"), format!("bytes 5242879-5242880/{}", whole.len()));
    assert_eq!(get("bytes=9999999-").await.status, 416);
    assert!(call(&client, Method::GET, &format!("{tail}?getfile"), &[], b"").await.body == whole);
}

#[tokio::test]
async fn every_refusal_has_its_cause() {
    let (simulator, client) = store();
    let abc = b"abc".as_slice();
    let put = async |headers: &[(&str, String)], body: &[u8]| {
        call(&client, Method::PUT, "", headers, body).await.error().to_owned()
    };
    assert_eq!(put(&[name("a.pdf")], abc).await, "FieldValidationException");
    assert_eq!(put(&[md5(abc)], abc).await, "FieldValidationException");
    assert_eq!(put(&[md5(abc), name("a|b.pdf")], abc).await, "FieldValidationException");
    assert_eq!(put(&[md5(abc), name("a.exe")], abc).await, "ExtensionException");
    assert_eq!(put(&[md5(b"x"), name("a.pdf")], abc).await, "HashConflictException");
    assert_eq!(put(&[md5(abc), name("a.pdf"), length(4)], abc).await, "InvalidSizeException");
    assert_eq!(put(&[md5(b""), name("a.pdf")], b"").await, "InvalidSizeException");
    let nobody = ("X-Upload-OrgPPAGUID", "nobody".to_owned());
    assert_eq!(put(&[md5(abc), name("a.pdf"), nobody], abc).await, "DataProviderValidationException");

    let open = async |count: &str, bytes: usize| {
        let headers = [name("a.pdf"), length(bytes), ("X-Upload-Part-Count", count.to_owned())];
        call(&client, Method::POST, "/?upload", &headers, b"").await
    };
    assert_eq!(open("0", 10).await.error(), "InvalidPartNumberException");
    assert_eq!(open("one", 10).await.error(), "FieldValidationException");
    let file = open("2", 6).await.upload_id();
    let part = async |number: &str| {
        let headers = [md5(abc), ("X-Upload-Partnumber", number.to_owned())];
        call(&client, Method::PUT, &format!("/{file}"), &headers, abc).await
    };
    assert_eq!(part("3").await.error(), "InvalidPartNumberException");
    assert_eq!(part("").await.error(), "FieldValidationException");
    assert_eq!(part("1").await.status, 200);
    let complete = async || call(&client, Method::POST, &format!("/{file}?completed"), &[], b"").await;
    assert_eq!(complete().await.error(), "InvalidStatusException");
    assert_eq!(part("2").await.status, 200);
    assert_eq!(complete().await.status, 200);
    assert_eq!(part("2").await.error(), "InvalidStatusException");

    let other = [("X-Upload-OrgPPAGUID", Uuid::from_u128(0xb).to_string())];
    let head =
        async |tail: &str, headers: &[(&str, String)]| call(&client, Method::HEAD, tail, headers, b"").await;
    assert_eq!(head(&format!("/{file}"), &other).await.error(), "FilePermissionException");
    assert_eq!(head(&format!("/{}", Uuid::new_v4()), &[]).await.error(), "FileNotFoundException");
    assert_eq!(head("/none", &[]).await.error(), "FileNotFoundException");
    assert_eq!(call(&client, Method::DELETE, "", &[], b"").await.status, 405);
    let url = format!("{}/ext-bus-file-store-service/rest/bills/{file}", client.url);
    let elsewhere = client.http().head(url).send().await.unwrap();
    assert_eq!(elsewhere.headers()["X-Upload-Error"], "ContextNotFoundException");

    simulator.control().patch_scenario(json!({"files": {"virus_check": "10m"}})).unwrap();
    assert_eq!(head(&format!("/{file}"), &[]).await.error(), "FileVirusNotCheckedException");
    advance(&simulator, 600);
    assert_eq!(head(&format!("/{file}"), &[]).await.status, 200);
}

#[tokio::test]
async fn a_part_too_large_is_refused_without_reading_it() {
    let (simulator, client) = store();
    let mut connection = TcpStream::connect(simulator.address()).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let head = format!(
        "PUT {FILES} HTTP/1.1\r\nHost: gis\r\nX-Upload-OrgPPAGUID: {}\r\nX-Upload-Filename: a.pdf\r\n\
         Content-Length: {}\r\n\r\n",
        client.organization,
        PART_BYTES + 1
    );
    connection.write_all(head.as_bytes()).unwrap();
    // Not a byte of the body is sent, so the answer cannot have waited for it.
    let mut lines =
        BufReader::new(connection).lines().map(Result::unwrap).take_while(|line| !line.is_empty());
    assert_eq!(lines.next().unwrap(), "HTTP/1.1 400 Bad Request");
    assert!(lines.any(|line| line.eq_ignore_ascii_case("X-Upload-Error: InvalidSizeException")));
    assert_eq!(simulator.control().state().files, 0);
}

#[tokio::test]
async fn every_error_can_be_asked_for() {
    let (simulator, client) = store();
    for error in FileError::ALL {
        let kind = json!({"file_error": {"error": error}});
        fault(&simulator, json!({"operation": "uploadFile", "kind": kind}));
        let reply = put(&client, b"abc").await;
        assert_eq!((reply.error(), reply.status), (error.name(), error.status()));
    }
    assert_eq!(simulator.control().state().files, 0);
}

#[tokio::test]
async fn uploads_are_cut_before_and_after_and_refused_by_the_front_end() {
    let (simulator, client) = store();
    let headers = [md5(b"abc"), name("a.pdf")];
    for (kind, files) in [
        (json!("reset_before"), 0),
        (json!({"http": {"status": 502}}), 0),
        (json!({"reset_after": {}}), 1),
        (json!({"http": {"status": 504, "late": "0s"}}), 2),
    ] {
        fault(&simulator, json!({"operation": "anyFile", "kind": kind}));
        let reply = try_call(&client, Method::PUT, "", &headers, b"abc").await;
        assert!(reply.is_err() || reply.is_ok_and(|reply| reply.status >= 500));
        assert_eq!(simulator.control().state().files, files);
    }
    let outcomes: Vec<_> = simulator.control().calls(0, 10).into_iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, ["reset", "http 502", "reset", "http 504"]);
}
