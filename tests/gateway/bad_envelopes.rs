//! Requests that are wrong before a field of theirs is read: encodings, sizes, headers, keys, methods, addresses.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::for_both;
use crate::refusal::{Refusal, UNKNOWN, nothing_was_sent, nothing_was_stored, refused};

const JSON: &str = "application/json";
/// Bytes of the longest body.
const LONGEST: usize = 40 * 1024 * 1024;
/// An answer without a mistake.
const GOOD: &str = r#"{"submit": true, "has_debt": false}"#;

#[test]
fn nothing_comes_of_a_wrong_envelope() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let answers = format!("/v1/debt-requests/{request}/answers");
        refused(&stand, &no_json(&answers)).await;
        refused(&stand, &wrong_headers(&answers)).await;
        refused(&stand, &wrong_keys(&answers)).await;
        refused(&stand, &wrong_forms()).await;
        refused(&stand, &wrong_uploads()).await;
        refused(&stand, &wrong_methods(&request)).await;
        refused(&stand, &wrong_addresses(&request)).await;
        nothing_was_stored(&stand).await;
        nothing_was_sent(&stand).await;
    });
}

fn no_json(path: &str) -> Vec<Refusal> {
    let texts = [
        ("two documents", "{}{}".to_owned()),
        ("a comma too many", r#"{"has_debt": false,}"#.to_owned()),
        ("a remark", "{\"has_debt\": false} // нет".to_owned()),
        ("apostrophes", "{'has_debt': false}".to_owned()),
        ("words of Python", r#"{"has_debt": False}"#.to_owned()),
        ("no number", r#"{"has_debt": NaN}"#.to_owned()),
        ("a number without end", r#"{"has_debt": 1e999}"#.to_owned()),
        ("half a character", r#"{"has_debt": false, "comment": "\ud800"}"#.to_owned()),
        ("a raw line break", "{\"has_debt\": false, \"comment\": \"a\nb\"}".to_owned()),
        ("two BOM", format!("\u{feff}\u{feff}{GOOD}")),
        ("a BOM alone", "\u{feff}".to_owned()),
        ("blanks", " \r\n".to_owned()),
        ("a key twice, once escaped", r#"{"has_debt": true, "has\u005fdebt": false}"#.to_owned()),
        (
            "a key twice, deep down",
            r#"{"has_debt": true, "debtors": [{"snils": "", "snils": ""}]}"#.to_owned(),
        ),
        ("brackets nested deeply", nested(40)),
        ("brackets nested without end", nested(100_000)),
    ];
    let row = |(what, text): (&str, String)| {
        Refusal::of(what, Method::POST, path).body(JSON, text).is(400, "malformed_json")
    };
    let mut rows: Vec<_> = texts.into_iter().map(row).collect();
    let no_text = b"{\"has_debt\": false, \"comment\": \"\xff\xfe\"}".as_slice();
    let utf_16: Vec<u8> = GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (what, octets) in [("no UTF-8", no_text.to_vec()), ("UTF-16", utf_16)] {
        rows.push(Refusal::of(what, Method::POST, path).body(JSON, octets).is(400, "malformed_json"));
    }
    for text in ["null", "true", "17", "\"да\"", "[{}]"] {
        let row = Refusal::of(format!("{text} alone"), Method::POST, path).body(JSON, text);
        rows.push(row.is(422, "validation_failed").at("", "type"));
    }
    rows
}

fn nested(depth: usize) -> String {
    format!("{{\"comment\": {}{}}}", "[".repeat(depth), "]".repeat(depth))
}

fn wrong_headers(path: &str) -> Vec<Refusal> {
    let post = |what: &str| Refusal::of(what, Method::POST, path);
    let typed = |media_type: &str| post(media_type).body(media_type, GOOD).is(415, "media_type_unsupported");
    let packed = |coding: &str| {
        post(coding).body(JSON, GOOD).header("content-encoding", coding).is(415, "media_type_unsupported")
    };
    let for_whom = |id: &str| post(id).body(JSON, GOOD).header("organization-id", id);
    vec![
        typed("text/plain"),
        typed("application/xml"),
        typed("application/problem+json"),
        typed("multipart/form-data; boundary=b"),
        typed("application/json; charset=utf-16"),
        typed(""),
        packed("deflate"),
        packed("zstd"),
        packed("gzip, gzip"),
        for_whom("первая").is(422, "validation_failed").at("Organization-Id", "format"),
        for_whom(UNKNOWN).is(404, "not_found"),
    ]
}

fn wrong_keys(path: &str) -> Vec<Refusal> {
    let key = |what: &str, path: &str, key: &str| {
        Refusal::of(what, Method::POST, path)
            .body(JSON, GOOD)
            .header("idempotency-key", key)
            .is(400, "idempotency_key_invalid")
    };
    let file = json!({ "file_name": "a.txt", "content_base64": "0LTQsA==" });
    vec![
        key("a tab in the key", path, "a\tb"),
        key("two keys", path, "a").header("idempotency-key", "a"),
        Refusal::of("a key too long for a run", Method::POST, "/v1/sync-runs")
            .header("idempotency-key", &"k".repeat(256))
            .is(400, "idempotency_key_invalid"),
        Refusal::of("an empty key of a file", Method::POST, "/v1/attachments")
            .json(&file)
            .header("idempotency-key", "")
            .is(400, "idempotency_key_invalid"),
    ]
}

/// A part of a form; `more` stands behind its name.
fn part(name: &str, more: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n");
    [head.as_bytes(), content, b"\r\n"].concat()
}

fn wrong_forms() -> Vec<Refusal> {
    const INVALID: &str = "validation_failed";
    let form = |what: &str, parts: &[Vec<u8>]| {
        let body = [&parts.concat(), b"--b--\r\n".as_slice()].concat();
        Refusal::of(what, Method::POST, "/v1/attachments").body("multipart/form-data; boundary=b", body)
    };
    let named = |name: &str, content: &[u8]| part("file", &format!("; filename=\"{name}\""), content);
    let text = named("a.txt", "да".as_bytes());
    let about = |content: &[u8]| part("description", "", content);
    let large = vec![b'a'; 5 * 1024 * 1024 + 1];
    vec![
        form("a description alone", &[about("Письмо".as_bytes())]).is(422, INVALID).at("/file", "required"),
        form("a file without a name", &[part("file", "", b"a")]).is(422, INVALID).at("/file", "file_name"),
        form("a description twice", &[text.clone(), about(b"a"), about(b"b")]).is(422, INVALID),
        form("a description of no text", &[text.clone(), about(b"\xff")])
            .is(422, INVALID)
            .at("/description", "encoding"),
        form("a description too long", &[text.clone(), about("я".repeat(501).as_bytes())])
            .is(422, INVALID)
            .at("/description", "too_long"),
        form("a description much too long", &[text.clone(), about("я".repeat(1001).as_bytes())])
            .is(422, INVALID)
            .at("/description", "too_long"),
        form("a program", &[named("a.exe", b"MZ")]).is(415, "file_type_not_allowed"),
        form("a text called PDF", &[named("a.pdf", b"a")]).is(415, "file_type_not_allowed"),
        form("an empty file", &[named("a.txt", b"")]).is(422, INVALID),
        form("a file too large", &[named("a.txt", &large)]).is(413, "file_too_large"),
        Refusal::of("a form without a boundary", Method::POST, "/v1/attachments")
            .body("multipart/form-data", text)
            .is(400, "malformed_json"),
    ]
}

fn wrong_uploads() -> Vec<Refusal> {
    const INVALID: &str = "validation_failed";
    let upload = |what: &str, body: Value| Refusal::of(what, Method::POST, "/v1/attachments").json(&body);
    let with = |name: &str, value: Value| {
        let mut body = json!({ "file_name": "a.txt", "content_base64": "0LTQsA==" });
        body[name] = value;
        upload(name, body)
    };
    vec![
        with("content_base64", json!("да")).is(422, INVALID).at("/content_base64", "base64"),
        with("content_base64", json!("")).is(422, INVALID).at("/content_base64", "too_short"),
        with("content_base64", json!(" \r\n")).is(422, INVALID).at("/content_base64", "required"),
        with("content_base64", json!(17)).is(422, INVALID).at("/content_base64", "type"),
        with("sha256", json!("0".repeat(63))).is(422, INVALID).at("/sha256", "pattern"),
        with("sha256", json!("0".repeat(64))).is(422, INVALID).at("/sha256", "sha256_mismatch"),
        with("file_name", json!("я".repeat(256))).is(422, INVALID).at("/file_name", "too_long"),
        with("file_name", json!("a\u{0}.txt"))
            .is(422, "character_not_allowed")
            .at("/file_name", "character_not_allowed"),
        with("file_name", json!("../a.txt"))
            .is(422, "character_not_allowed")
            .at("/file_name", "character_not_allowed"),
        with("file_name", json!("решение")).is(415, "file_type_not_allowed"),
        with("file_name", json!("a.docx")).is(415, "file_type_not_allowed"),
        with("description", json!("")).is(422, INVALID).at("/description", "too_short"),
        with("description", json!("я".repeat(501))).is(422, INVALID).at("/description", "too_long"),
        with("filename", json!("a.txt"))
            .is(422, "unknown_field")
            .at("/filename", "unknown_field")
            .advising("file_name"),
    ]
}

fn wrong_methods(request: &str) -> Vec<Refusal> {
    let paths = [
        (Method::POST, "/v1/debt-requests".to_owned(), "GET"),
        (Method::PUT, format!("/v1/debt-requests/{request}"), "GET, PATCH"),
        (Method::GET, format!("/v1/debt-requests/{request}/answers"), "POST"),
        (Method::POST, format!("/v1/answers/{UNKNOWN}"), "GET, PATCH, DELETE"),
        (Method::GET, format!("/v1/answers/{UNKNOWN}/revoke"), "POST"),
        (Method::DELETE, "/v1/sync-runs".to_owned(), "GET, POST"),
        (Method::POST, "/v1/me".to_owned(), "GET"),
        (Method::POST, "/openapi.json".to_owned(), "GET"),
        (Method::DELETE, "/health/live".to_owned(), "GET"),
        (Method::POST, "/problems/not_found".to_owned(), "GET"),
    ];
    paths
        .into_iter()
        .map(|(method, path, allowed)| {
            Refusal::of(format!("{method} {path}"), method, path).allowing(allowed)
        })
        .collect()
}

fn wrong_addresses(request: &str) -> Vec<Refusal> {
    let paths = [
        "/".to_owned(),
        "/v1".to_owned(),
        "/v1/".to_owned(),
        "/v2/debt-requests".to_owned(),
        "/v1/debt-requests/".to_owned(),
        "/v1/Debt-Requests".to_owned(),
        "/v1/debt-requests//answers".to_owned(),
        format!("/v1/debt-requests/{request}/answer"),
        "/v1/attachments/content".to_owned(),
        "/v1/dictionaries/nsi_95".to_owned(),
        "/v1/dictionaries/%00".to_owned(),
        "/problems/no_such_problem".to_owned(),
        // What the internal port has is not for everybody.
        "/metrics".to_owned(),
        "/testing/step".to_owned(),
    ];
    paths.into_iter().map(|path| Refusal::get(path).is(404, "not_found")).collect()
}

#[test]
fn a_key_belongs_to_one_body() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let file = |name: &str| json!({ "file_name": name, "content_base64": "0LTQsA==" });
        let upload = |body: &Value| {
            stand.client.call(Method::POST, "/v1/attachments").header("idempotency-key", "k-1").json(body)
        };
        let first = upload(&file("a.txt")).send().await.ok(201);
        Refusal::of("another file under the key", Method::POST, "/v1/attachments")
            .json(&file("b.txt"))
            .header("idempotency-key", "k-1")
            .is(422, "idempotency_key_reused")
            .check(&stand.client)
            .await;
        let repeated = upload(&file("a.txt")).send().await;
        assert_eq!(repeated.header("idempotency-replayed"), "true");
        assert_eq!(repeated.ok(201), first);
        // A key of another operation, and of another client, is another key.
        let call = stand.foreigner.call(Method::POST, "/v1/attachments").header("idempotency-key", "k-1");
        call.json(&file("b.txt")).send().await.ok(201);
        let answers = format!("/v1/debt-requests/{request}/answers");
        let call = stand.client.call(Method::POST, &answers).header("idempotency-key", "k-1");
        call.body(JSON, GOOD.into()).send().await.ok(202);
    });
}

#[test]
fn a_body_is_measured_after_it_was_unpacked() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let path = format!("/v1/debt-requests/{request}/answers");
        let post =
            |what: &str, body: Vec<u8>| Refusal::of(what, Method::POST, path.as_str()).body(JSON, body);
        let packed = |what: &str, body: Vec<u8>| post(what, body).header("content-encoding", "gzip");
        let bomb = gzip_of_blanks(LONGEST + 1);
        assert!(bomb.len() < LONGEST / 100, "a bomb is small");
        let good = gzip(GOOD.as_bytes());
        let mut damaged = good.clone();
        damaged[14] ^= 1;
        let table = [
            post("a body too large", vec![b' '; LONGEST + 1]).is(413, "body_too_large"),
            packed("a bomb", bomb).is(413, "body_too_large"),
            packed("a part of gzip", good[..good.len() - 9].to_vec()).is(400, "malformed_json"),
            packed("gzip with another checksum", damaged).is(400, "malformed_json"),
            packed("gzip twice", gzip(&good)).is(400, "malformed_json"),
        ];
        refused(&stand, &table).await;
        nothing_was_stored(&stand).await;
        let call = stand.client.call(Method::POST, &path).header("content-encoding", "gzip");
        call.body(JSON, good).send().await.ok(202);
    });
}

/// What stands in front of any gzip (RFC 1952 §2.3).
const GZIP: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// A short text as gzip, in one block that is stored as it is.
fn gzip(text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    let block = [&[1], length.to_le_bytes().as_slice(), &(!length).to_le_bytes(), text].concat();
    let size = u32::from(length).to_le_bytes();
    [GZIP.as_slice(), &block, &crc_32(text).to_le_bytes(), &size].concat()
}

/// At least so many blanks as gzip: one, and then again and again "the last 258 once more" (RFC 1951 §3.2.6). The
/// checksum is wrong, but nobody may get that far.
fn gzip_of_blanks(count: usize) -> Vec<u8> {
    let repeats = count / 258 + 1;
    // The last block, of fixed codes; a blank; then length 258 at distance 1; the end.
    let codes = [(0b011, 3), (reversed(0x30 + 0x20, 8), 8)]
        .into_iter()
        .chain((0..repeats).flat_map(|_| [(reversed(0xc5, 8), 8), (0, 5)]))
        .chain([(0, 7)]);
    let (mut octets, mut pending, mut bits) = (GZIP.to_vec(), 0_u32, 0_u32);
    for (code, length) in codes {
        pending |= code << bits;
        bits += length;
        while bits >= 8 {
            octets.push(u8::try_from(pending & 0xff).unwrap());
            pending >>= 8;
            bits -= 8;
        }
    }
    octets.push(u8::try_from(pending).unwrap());
    octets.extend([0; 8]);
    octets
}

/// Codes of Huffman begin with their highest bit.
fn reversed(code: u32, length: u32) -> u32 {
    code.reverse_bits() >> (32 - length)
}

fn crc_32(octets: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !octets.iter().fold(u32::MAX, |crc, octet| (0..8).fold(crc ^ u32::from(*octet), |crc, _| step(crc)))
}
