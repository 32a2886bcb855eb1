use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service, read_body_json};
use actix_web::{App, HttpResponse, web};
use debt_core::error::Place;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::*;

#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Own,
    Foreign,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Debtor {
    #[schema(min_length = 1, max_length = 5)]
    last_name: String,
    #[schema(
        pattern = "^[0-9]{11}$",
        extensions(("x-code" = json!("snils_format")), ("x-detail" = json!("СНИЛС: ровно 11 цифр")))
    )]
    snils: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Sample {
    has_debt: bool,
    #[schema(max_length = 10)]
    comment: Option<String>,
    #[serde(default)]
    #[schema(max_items = 2)]
    debtors: Vec<Debtor>,
    main: Option<Debtor>,
    kind: Option<Kind>,
    id: Option<Uuid>,
    due_on: Option<chrono::NaiveDate>,
    #[schema(format = "byte")]
    content_base64: Option<String>,
    #[schema(minimum = 1, maximum = 9)]
    number: Option<u32>,
}

fn found(body: &str) -> Vec<(String, &'static str, String, Option<u64>)> {
    match parse::<Sample>(body.as_bytes()) {
        Ok(body) => panic!("{body:?}"),
        Err(Error::Invalid(mistakes)) => mistakes
            .into_iter()
            .map(|Mistake { place, code, detail, max, .. }| {
                let Place::Pointer(pointer) = place else { panic!("{place:?}") };
                (pointer, code, detail, max)
            })
            .collect(),
        Err(error) => panic!("{error:?}"),
    }
}

#[test]
fn every_kind_of_mistake_has_its_pointer_and_code() {
    for (body, pointer, code, detail, max) in [
        ("{}", "/has_debt", "required", "обязательное поле", None),
        (r#"{"has_debt":1}"#, "/has_debt", "type", "true или false", None),
        (r#"{"has_debt":null}"#, "/has_debt", "type", "true или false", None),
        ("[]", "", "type", "объект", None),
        (r#"{"has_debt":true,"debtrs":[]}"#, "/debtrs", "unknown_field", "имелось в виду debtors", None),
        (r#"{"has_debt":true,"a/b":1}"#, "/a~1b", "unknown_field", "такого поля нет", None),
        (
            r#"{"has_debt":true,"comment":"12345678901"}"#,
            "/comment",
            "too_long",
            "не более 10 знаков",
            Some(10),
        ),
        (r#"{"has_debt":true,"comment":5}"#, "/comment", "type", "строка", None),
        (
            r#"{"has_debt":true,"debtors":[{"last_name":""}]}"#,
            "/debtors/0/last_name",
            "too_short",
            "пустым",
            None,
        ),
        (
            r#"{"has_debt":true,"debtors":[{"last_name":"a","snils":"1"}]}"#,
            "/debtors/0/snils",
            "snils_format",
            "СНИЛС: ровно 11 цифр",
            None,
        ),
        (
            r#"{"has_debt":true,"main":{"last_name":"123456"}}"#,
            "/main/last_name",
            "too_long",
            "не более 5",
            Some(5),
        ),
        (r#"{"has_debt":true,"main":{}}"#, "/main/last_name", "required", "", None),
        (r#"{"has_debt":true,"main":5}"#, "/main", "type", "", None),
        (r#"{"has_debt":true,"kind":"others"}"#, "/kind", "enum", "own, foreign", None),
        (r#"{"has_debt":true,"id":"5603dc9c"}"#, "/id", "format", "GUID", None),
        (r#"{"has_debt":true,"due_on":"10.11.2026"}"#, "/due_on", "format", "ГГГГ-ММ-ДД", None),
        (r#"{"has_debt":true,"content_base64":"JVB$"}"#, "/content_base64", "format", "base64", None),
        (r#"{"has_debt":true,"number":10}"#, "/number", "too_large", "не больше 9", Some(9)),
        (r#"{"has_debt":true,"number":0}"#, "/number", "too_small", "не меньше 1", None),
        (
            r#"{"has_debt":true,"comment":"a\u0000"}"#,
            "/comment",
            "character_not_allowed",
            "управляющий",
            None,
        ),
    ] {
        let found = found(body);
        assert_eq!(found.len(), 1, "{body}: {found:?}");
        let (at, found_code, found_detail, found_max) = &found[0];
        assert_eq!((at.as_str(), *found_code, *found_max), (pointer, code, max), "{body}");
        assert!(found_detail.contains(detail), "{body}: {found_detail}");
    }
    let three = r#"{"has_debt":true,"debtors":[{"last_name":"a"},{"last_name":"a"},{"last_name":"a"}]}"#;
    assert_eq!(found(three)[0].1, "too_many");
}

#[test]
fn all_mistakes_come_at_once_in_the_order_of_their_places() {
    let found = found(r#"{"comment":"12345678901","debtors":[{"last_name":"","snils":"1","x":1}],"zzz":1}"#);
    let codes: Vec<_> = found.iter().map(|(pointer, code, ..)| (pointer.as_str(), *code)).collect();
    assert_eq!(
        codes,
        [
            ("/comment", "too_long"),
            ("/debtors/0/last_name", "too_short"),
            ("/debtors/0/snils", "snils_format"),
            ("/debtors/0/x", "unknown_field"),
            ("/has_debt", "required"),
            ("/zzz", "unknown_field"),
        ]
    );
}

#[test]
fn bodies_of_1c_are_read() {
    let body = "\u{feff}{\"has_debt\": false, \"id\": \"5603DC9C-E161-414C-9787-E40836561101\",
        \"content_base64\": \"JVBE\\r\\nRi0=\", \"comment\": \"a\\r\\n\\tb\", \"main\": null}";
    let body = parse::<Sample>(body.as_bytes()).unwrap();
    assert_eq!(body.content.id.unwrap().to_string(), "5603dc9c-e161-414c-9787-e40836561101");
    assert_eq!(decode_base64(&body.content.content_base64.unwrap()).unwrap(), b"%PDF-");
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
    for (body, expected) in [
        ("", "оборван"),
        ("{", "оборван"),
        ("{\"has_debt\": yes}", "синтаксис JSON: строка 1, знак"),
        ("{}{}", "синтаксис JSON"),
        (
            "{\n\"has_debt\": true, \"has_debt\": false}",
            "повторяется или вложенность слишком велика: строка 2",
        ),
        ("{\"debtors\": [{\"x\": 1, \"x\": 1}]}", "повторяется"),
        (deep.as_str(), "вложенность"),
        ("{\"has_debt\": NaN}", "синтаксис"),
        ("{\"has_debt\": 1e999}", ""),
        ("{\"comment\": \"\\ud800\"}", ""),
    ] {
        let error = parse::<Sample>(body.as_bytes()).unwrap_err();
        let Error::Refused { code: Code::MalformedJson, detail } = error else { panic!("{body}: {error:?}") };
        assert!(detail.contains(expected), "{body}: {detail}");
    }
    assert!(parse::<Sample>(b"{\"comment\": \"\xff\"}").is_err());
}

#[test]
fn the_digest_knows_content_and_not_form() {
    let of = |text: &str| digest(&serde_json::from_str(text).unwrap());
    assert_eq!(of(r#"{"a":1,"b":[true]}"#), of("{ \"b\": [true], \"a\": 1 }"));
    for (left, right) in [
        (r#"{"a":1}"#, r#"{"a":"1"}"#),
        (r#"["a","b"]"#, r#"["b","a"]"#),
        (r#"[["a"],"b"]"#, r#"["a",["b"]]"#),
        (r#"{"a":null}"#, "{}"),
        (r#"["1:a"]"#, r#"["1","a"]"#),
    ] {
        assert_ne!(of(left), of(right), "{left} {right}");
    }
}

async fn take(body: Body<Sample>) -> HttpResponse {
    HttpResponse::Ok().json(body.content)
}

#[actix_web::test]
async fn the_extractor_checks_type_charset_and_size() {
    let app = App::new().app_data(Data::new(BodyLimit(100))).route("/", web::post().to(take));
    let app = init_service(app).await;
    let long = format!("{{\"has_debt\":true,\"comment\":\"{}\"}}", "x".repeat(100));
    let good = "{\"has_debt\":true}";
    for (content_type, body, status, code) in [
        ("application/json", good, 200, ""),
        ("Application/JSON; charset=UTF-8", good, 200, ""),
        ("application/json;charset=windows-1251", good, 415, "media_type_unsupported"),
        ("text/plain", good, 415, "media_type_unsupported"),
        ("", good, 415, "media_type_unsupported"),
        ("application/json", long.as_str(), 413, "body_too_large"),
        ("application/json", "{", 400, "malformed_json"),
        ("application/json", "{\"has_debt\":true,\"x\":1}", 422, "unknown_field"),
        ("application/json", "{\"x\":1}", 422, "validation_failed"),
    ] {
        let request =
            TestRequest::post().insert_header(("content-type", content_type)).set_payload(body.to_owned());
        let response = call_service(&app, request.to_request()).await;
        assert_eq!(response.status(), StatusCode::from_u16(status).unwrap(), "{content_type} {body}");
        if status != 200 {
            assert_eq!(response.headers().get("content-type").unwrap(), crate::problem::MEDIA_TYPE);
            let problem: Value = read_body_json(response).await;
            assert_eq!(problem["code"], code, "{content_type} {body}");
        }
    }
}
