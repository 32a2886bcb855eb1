//! Personal data stay out of the log, however much the operator wants to read.

use serde_json::json;

use crate::harness::{Stand, for_both};

/// An invented person.
const LAST_NAME: &str = "Вымышленный";
const SNILS: &str = "11223344595";
/// Longer directives win over shorter ones, and one of a span over both.
const EVERYTHING: &str = "trace,tokio_postgres=trace,tokio_postgres::query=trace,hyper=trace,[request]=trace";

/// The program is started again with another filter of the log.
fn listen_to(stand: &mut Stand, filter: &str) {
    stand.gateway.kill();
    let now = stand.gis().now().to_rfc3339();
    let environment = [("DEBTGATE__TESTING__CLOCK", now.as_str()), ("DEBTGATE_LOG", filter)];
    stand.gateway = stand.workshop.serve_with(&environment);
    stand.client = stand.client.at(&stand.gateway.public);
}

/// Bytes as `Debug` prints them among others.
fn as_numbers(text: &str) -> String {
    format!("{:?}", text.as_bytes()).trim_matches(['[', ']']).to_owned()
}

#[test]
fn no_person_is_in_the_log_whatever_it_is_asked_for() {
    for_both(1, async |mut stand| {
        listen_to(&mut stand, EVERYTHING);
        let [request] = stand.request_ids().await.try_into().unwrap();
        let body = json!({
            "submit": true, "has_debt": true, "comment": "решение вступило в силу",
            "debtors": [{
                "last_name": LAST_NAME, "first_name": "Пётр", "snils": SNILS,
                "documents": [{ "type_code": "1", "file_name": "решение.txt", "content_base64": "0L/QuNGB0YzQvNC+" }],
            }],
        });
        let answer = stand.answer(&request, &body).await;
        stand.until_state(&answer, "delivered").await;
        assert_eq!(stand.held(&request).held.answer.unwrap().debtors[0].person.last, LAST_NAME);

        let log = stand.gateway.log();
        assert!(log.contains("\"level\":\"TRACE\""), "the filter is not heard");
        for secret in
            ["executing statement", "with parameters", LAST_NAME, SNILS, "вступило в силу", stand.token()]
        {
            assert!(!log.contains(secret), "{secret} is in the log");
        }
        for bytes in [LAST_NAME, SNILS].map(as_numbers) {
            assert!(!log.contains(&bytes), "{bytes} is in the log");
        }
    });
}
