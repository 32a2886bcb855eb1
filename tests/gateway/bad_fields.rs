//! Every field of every body, wrong in each way it can be: the refusal names its place and its kind of mistake.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Stand, for_both};
use crate::refusal::{Refusal, UNKNOWN, letters, nothing_was_sent, nothing_was_stored, post, refused};

/// "да" in base64.
const YES: &str = "0LTQsA==";
const INVALID: &str = "validation_failed";

/// A good answer with everything that an answer can have; the tables spoil it.
fn debt() -> Value {
    json!({
        "external_id": "1C-1", "submit": true, "has_debt": true, "comment": "решение",
        "debtors": [{
            "last_name": "Вымышленный", "first_name": "Пётр", "middle_name": "Иванович", "snils": "11223344595",
            "identity_document": { "type_code": "1", "series": "6500", "number": "123456" },
            "documents": [{
                "type_code": "1", "file_name": "решение.txt", "description": "Решение", "content_base64": YES,
            }],
        }],
        "attachments": [{ "file_name": "письмо.txt", "description": "Письмо", "content_base64": YES }],
        "confirm": [], "reason": "ошибка",
    })
}

/// The good answer with another value at a place.
fn with(pointer: &str, value: Value) -> Value {
    let mut body = debt();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap();
    if let Some(items) = parent.as_array_mut() {
        items[name.parse::<usize>().unwrap()] = value;
    } else {
        parent[name] = value;
    }
    body
}

/// The good answer with one more member.
fn with_member(name: &str) -> Value {
    let mut body = debt();
    body[name] = json!(1);
    body
}

/// The good answer without a member.
fn without(pointer: &str) -> Value {
    let mut body = debt();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    body
}

#[test]
fn every_field_of_an_answer_says_what_is_wrong_with_it() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let path = format!("/v1/debt-requests/{request}/answers");
        let mut table = wrong_types(&path);
        table.extend(missing_fields(&path));
        table.extend(wrong_values(&path));
        table.extend(unknown_fields(&path));
        table.extend(wrong_contents(&path));
        table.extend(wrong_files(&path, &foreign_file(&stand).await));
        assert!(table.len() >= 90, "only {}", table.len());
        refused(&stand, &table).await;
        nothing_was_stored(&stand).await;
        nothing_was_sent(&stand).await;
    });
}

/// A file of the other organisation.
async fn foreign_file(stand: &Stand) -> String {
    let file = json!({ "file_name": "a.txt", "content_base64": YES });
    let file = stand.foreigner.post("/v1/attachments", &file).await.ok(201);
    file["id"].as_str().unwrap().to_owned()
}

fn wrong_types(path: &str) -> Vec<Refusal> {
    let document = "/debtors/0/documents/0";
    let fields = [
        ("/external_id".to_owned(), json!(1)),
        ("/submit".to_owned(), json!("true")),
        ("/has_debt".to_owned(), json!("да")),
        ("/has_debt".to_owned(), json!(1)),
        ("/has_debt".to_owned(), Value::Null),
        ("/comment".to_owned(), json!(["решение"])),
        ("/debtors".to_owned(), json!({})),
        ("/debtors".to_owned(), Value::Null),
        ("/debtors/0".to_owned(), json!("Вымышленный")),
        ("/debtors/0/last_name".to_owned(), json!(1)),
        ("/debtors/0/first_name".to_owned(), Value::Null),
        ("/debtors/0/middle_name".to_owned(), json!([])),
        ("/debtors/0/snils".to_owned(), json!(11_223_344_595_i64)),
        ("/debtors/0/identity_document".to_owned(), json!("6500 123456")),
        ("/debtors/0/identity_document/type_code".to_owned(), json!(1)),
        ("/debtors/0/identity_document/series".to_owned(), json!(6500)),
        ("/debtors/0/identity_document/number".to_owned(), json!(123_456)),
        ("/debtors/0/documents".to_owned(), json!({})),
        (document.to_owned(), json!(YES)),
        (format!("{document}/type_code"), json!(1)),
        (format!("{document}/attachment_id"), json!(1)),
        (format!("{document}/file_name"), json!(1)),
        (format!("{document}/description"), json!(false)),
        (format!("{document}/content_base64"), json!([208, 180])),
        ("/attachments".to_owned(), json!("письмо.txt")),
        ("/attachments/0".to_owned(), json!("письмо.txt")),
        ("/attachments/0/attachment_id".to_owned(), json!({})),
        ("/attachments/0/file_name".to_owned(), json!(1)),
        ("/attachments/0/content_base64".to_owned(), json!(1)),
        ("/executor_id".to_owned(), json!(1)),
        ("/confirm".to_owned(), json!("already_answered")),
        ("/confirm/0".to_owned(), json!(1)),
        ("/reason".to_owned(), json!({})),
    ];
    let row = |(pointer, value): (String, Value)| {
        let body = match pointer.as_str() {
            "/confirm/0" => with("/confirm", json!([value])),
            pointer => with(pointer, value.clone()),
        };
        post(format!("{pointer} = {value}"), path, &body).is(422, INVALID).at(pointer, "type")
    };
    fields.into_iter().map(row).collect()
}

fn missing_fields(path: &str) -> Vec<Refusal> {
    let fields = [
        "/has_debt",
        "/debtors/0/last_name",
        "/debtors/0/first_name",
        "/debtors/0/identity_document/type_code",
        "/debtors/0/identity_document/number",
        "/debtors/0/documents/0/type_code",
    ];
    let row = |pointer: &str| {
        post(format!("no {pointer}"), path, &without(pointer)).is(422, INVALID).at(pointer, "required")
    };
    fields.into_iter().map(row).collect()
}

/// Right types, wrong values.
fn wrong_values(path: &str) -> Vec<Refusal> {
    let (names, document) = (["last_name", "first_name", "middle_name"], "/debtors/0/identity_document");
    let mut fields = vec![
        ("/external_id".to_owned(), json!(""), "too_short"),
        ("/external_id".to_owned(), letters(256), "too_long"),
        ("/external_id".to_owned(), json!("1C\n1"), "external_id_format"),
        ("/comment".to_owned(), letters(1001), "too_long"),
        ("/reason".to_owned(), letters(1001), "too_long"),
        ("/executor_id".to_owned(), json!("Анна"), "format"),
        ("/executor_id".to_owned(), json!(format!("{{{UNKNOWN}}}")), "format"),
        ("/executor_id".to_owned(), json!(UNKNOWN), "not_found"),
        ("/confirm".to_owned(), json!(vec!["already_answered"; 11]), "too_many"),
        ("/debtors".to_owned(), json!(vec![debt()["debtors"][0].clone(); 101]), "too_many"),
        ("/debtors/0/middle_name".to_owned(), json!(" "), "empty"),
        (format!("{document}/type_code"), json!(""), "too_short"),
        (format!("{document}/type_code"), json!(" "), "required"),
        (format!("{document}/type_code"), json!("1".repeat(21)), "too_long"),
        (format!("{document}/series"), json!(""), "too_short"),
        (format!("{document}/series"), json!(" "), "empty"),
        (format!("{document}/series"), letters(256), "too_long"),
        (format!("{document}/number"), json!(""), "too_short"),
        (format!("{document}/number"), json!(" "), "required"),
        (format!("{document}/number"), letters(256), "too_long"),
        ("/debtors/0/documents/0/type_code".to_owned(), json!(" "), "required"),
        ("/debtors/0/documents/0/attachment_id".to_owned(), json!("17"), "format"),
        ("/attachments/0/attachment_id".to_owned(), json!("17"), "format"),
        ("/attachments/0/file_name".to_owned(), json!(""), "too_short"),
        ("/attachments/0/file_name".to_owned(), letters(256), "too_long"),
        ("/attachments/0/description".to_owned(), json!(""), "too_short"),
        ("/attachments/0/description".to_owned(), letters(501), "too_long"),
    ];
    for name in names {
        fields.push((format!("/debtors/0/{name}"), json!(""), "too_short"));
        fields.push((format!("/debtors/0/{name}"), letters(256), "too_long"));
    }
    for name in ["last_name", "first_name"] {
        fields.push((format!("/debtors/0/{name}"), json!(" \t "), "required"));
    }
    let row = |(pointer, value, code): (String, Value, &'static str)| {
        post(format!("{pointer}: {code}"), path, &with(&pointer, value)).is(422, INVALID).at(pointer, code)
    };
    let mut rows: Vec<_> = fields.into_iter().map(row).collect();
    for snils in ["", "112-233-445 95", "1122334459", "112233445950", "1122334459х", "１１２２３３４４５９５"]
    {
        let body = with("/debtors/0/snils", json!(snils));
        let row = post(format!("СНИЛС {snils:?}"), path, &body);
        rows.push(row.is(422, INVALID).at("/debtors/0/snils", "snils_format"));
    }
    let confirm = with("/confirm", json!(["draft_exists", "everything"]));
    rows.push(post("an unknown confirmation", path, &confirm).is(422, INVALID).at("/confirm/1", "enum"));
    for (pointer, text) in [
        ("/comment", "а\u{0}"),
        ("/comment", "а\u{1f}б"),
        ("/comment", "а\u{fffe}"),
        ("/external_id", "1C\u{1b}"),
        ("/debtors/0/last_name", "В\u{7}"),
        ("/debtors/0/identity_document/number", "1\u{8}"),
        ("/attachments/0/description", "П\u{2}"),
    ] {
        let row = post(format!("{pointer} = {text:?}"), path, &with(pointer, json!(text)));
        rows.push(row.is(422, "character_not_allowed").at(pointer, "character_not_allowed"));
    }
    for pointer in ["/debtors/0/identity_document/type_code", "/debtors/0/documents/0/type_code"] {
        let row = post(format!("{pointer} that nobody knows"), path, &with(pointer, json!("999")));
        rows.push(row.is(422, "dictionary_unknown").at(pointer, "dictionary_unknown"));
    }
    rows
}

/// A slip of the finger must not lose what it names; the nearest name is told, also deep down.
fn unknown_fields(path: &str) -> Vec<Refusal> {
    let fields = [
        ("/debtrs", "debtors"),
        ("/hasDebt", "has_debt"),
        ("/externalid", "external_id"),
        ("/debtors/0/lastname", "last_name"),
        ("/debtors/0/identity_document/seria", "series"),
        ("/debtors/0/documents/0/typecode", "type_code"),
        ("/attachments/0/filename", "file_name"),
    ];
    let row = |(pointer, nearest): (&'static str, &'static str)| {
        post(format!("{pointer} for {nearest}"), path, &with(pointer, Value::Null))
            .is(422, "unknown_field")
            .at(pointer, "unknown_field")
            .advising(nearest)
    };
    let mut rows: Vec<_> = fields.into_iter().map(row).collect();
    let odd = post("a name that JSON Pointer has to escape", path, &with_member("a/b~c"));
    rows.push(odd.is(422, "unknown_field").at("/a~1b~0c", "unknown_field"));
    rows
}

/// Fields that are right each by itself and wrong together.
fn wrong_contents(path: &str) -> Vec<Refusal> {
    let (debtors, files) = (&debt()["debtors"], &debt()["attachments"]);
    let said_nothing = json!({ "has_debt": true });
    let nobody = json!({ "has_debt": true, "debtors": [] });
    let no_debt = json!({ "has_debt": false, "debtors": debtors });
    let no_debt_with_files = json!({ "has_debt": false, "attachments": files });
    vec![
        post("a debt and no word of debtors", path, &said_nothing)
            .is(422, INVALID)
            .at("/debtors", "required"),
        post("a debt of nobody", path, &nobody).is(422, INVALID).at("/debtors", "required"),
        post("debtors without a debt", path, &no_debt)
            .is(422, INVALID)
            .at("/debtors", "not_allowed_without_debt"),
        post("files without a debt", path, &no_debt_with_files)
            .is(422, INVALID)
            .at("/attachments", "not_allowed_without_debt"),
    ]
}

fn wrong_files(path: &str, foreign: &str) -> Vec<Refusal> {
    let file = |name: &str, content: &str| json!([{ "file_name": name, "content_base64": content }]);
    let attached = |what: &str, files: Value| post(what, path, &with("/attachments", files));
    let document = |what: &str, mut file: Value| {
        file["type_code"] = json!("1");
        post(what, path, &with("/debtors/0/documents", json!([file])))
    };
    let (name, content) = ("/attachments/0/file_name", "/attachments/0/content_base64");
    let of_debtor = "/debtors/0/documents/0";
    let too_large = "QUFB".repeat(5 * 1024 * 1024 / 3 + 1);
    let both = json!({ "attachment_id": UNKNOWN, "file_name": "a.txt", "content_base64": YES });
    let stored = |id: &str| json!({ "attachment_id": id });
    vec![
        attached("no base64", file("a.txt", "да")).is(422, INVALID).at(content, "base64"),
        attached("base64 cut off", file("a.txt", "0LTQs")).is(422, INVALID).at(content, "base64"),
        attached("an empty file", file("a.txt", "")).is(422, INVALID).at(content, "required"),
        attached("a file of blanks in base64", file("a.txt", " \r\n"))
            .is(422, INVALID)
            .at(content, "required"),
        attached("a program", file("a.exe", "TVo="))
            .is(415, "file_type_not_allowed")
            .at(name, "file_type_not_allowed"),
        attached("no extension", file("решение", YES))
            .is(415, "file_type_not_allowed")
            .at(name, "file_type_not_allowed"),
        attached("an extension alone", file(".pdf", "JVBERi0xLjc="))
            .is(415, "file_type_not_allowed")
            .at(name, "file_type_not_allowed"),
        attached("a text that calls itself a PDF", file("a.pdf", YES))
            .is(415, "file_type_not_allowed")
            .at(content, "file_type_not_allowed"),
        attached("a PDF that calls itself a picture", file("a.png", "JVBERi0xLjc="))
            .is(415, "file_type_not_allowed")
            .at(content, "file_type_not_allowed"),
        attached("a text that calls itself DOCX", file("a.docx", YES))
            .is(415, "file_type_not_allowed")
            .at(content, "file_type_not_allowed"),
        attached("a file too large", file("a.txt", &too_large))
            .is(413, "file_too_large")
            .at(content, "file_too_large"),
        attached("a path up", file("../a.txt", YES))
            .is(422, "character_not_allowed")
            .at(name, "character_not_allowed"),
        attached("a path of Windows", file("C:\\a.txt", YES))
            .is(422, "character_not_allowed")
            .at(name, "character_not_allowed"),
        attached("nothing of a file", json!([{}])).is(422, INVALID).at("/attachments/0", "file_source"),
        attached("a name alone", json!([{ "file_name": "a.txt" }]))
            .is(422, INVALID)
            .at("/attachments/0", "file_source"),
        attached("two files in one", json!([both.clone()]))
            .is(422, INVALID)
            .at("/attachments/0", "file_source"),
        attached("six files", json!(vec![file("a.txt", YES)[0].clone(); 6]))
            .is(422, INVALID)
            .at("/attachments", "too_many"),
        attached("an unknown file", json!([stored(UNKNOWN)]))
            .is(422, INVALID)
            .at("/attachments/0/attachment_id", "not_found"),
        attached("a foreign file", json!([stored(foreign)]))
            .is(422, INVALID)
            .at("/attachments/0/attachment_id", "not_found"),
        document("two files in a document", both).is(422, INVALID).at(of_debtor, "file_source"),
        document("a document without a file", json!({})).is(422, INVALID).at(of_debtor, "file_source"),
        document("a foreign document", stored(foreign))
            .is(422, INVALID)
            .at(format!("{of_debtor}/attachment_id"), "not_found"),
        document("a document that is a program", file("a.exe", "TVo=")[0].clone())
            .is(415, "file_type_not_allowed")
            .at(format!("{of_debtor}/file_name"), "file_type_not_allowed"),
    ]
}

#[test]
fn all_mistakes_come_back_at_once_with_advice() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let mut body = debt();
        body["comment"] = json!("я".repeat(1001));
        body["debtrs"] = json!([]);
        body["debtors"][0]["snils"] = json!("1");
        body["debtors"][0]["identity_document"]["number"] = json!("");
        let reply = stand.client.post(&format!("/v1/debt-requests/{request}/answers"), &body).await;
        let errors = reply.ok(422)["errors"].clone();
        let mut pointers: Vec<_> =
            errors.as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        pointers.sort_unstable();
        assert_eq!(
            pointers,
            ["/comment", "/debtors/0/identity_document/number", "/debtors/0/snils", "/debtrs"]
        );
        let find = |pointer: &str| {
            errors.as_array().unwrap().iter().find(|error| error["pointer"] == pointer).unwrap().clone()
        };
        assert!(find("/debtrs")["detail"].as_str().unwrap().contains("debtors"), "the nearest name is told");
        assert_eq!(find("/comment")["max"], json!(1000));
        assert_eq!(find("/debtors/0/snils")["code"], "snils_format");
    });
}

#[test]
fn what_simple_clients_send_is_understood() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let path = format!("/v1/debt-requests/{}/answers", request.to_uppercase());
        let mut body = debt();
        body["attachments"] = json!([{ "file_name": "письмо.txt", "content_base64": "0LTQ\r\nsA==" }]);
        let bytes = [b"\xef\xbb\xbf", body.to_string().as_bytes()].concat();
        let reply =
            stand.client.call(Method::POST, &path).header("content-type", "application/json").bytes(bytes);
        reply.send().await.ok(202);
    });
}
