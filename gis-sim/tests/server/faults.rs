//! Every kind of fault, asked for by a rule and seen by the client.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use gis_sim::SimHandle;
use gis_sim::signature;
use gis_sim::wire::model::ResponseStatus;
use serde_json::{Value, json};
use uuid::Uuid;

use super::client::*;

const HOUR: u64 = 3600;

/// A simulator with `count` subrequests that are known to the client.
async fn ready(count: u64) -> (SimHandle, Client, Vec<Uuid>) {
    let simulator = lenient(count, json!({}));
    let client = Client::new(&simulator);
    client.export("13.1.10.1", &filter("")).await;
    let guids = subrequests(&simulator, &client);
    (simulator, client, guids)
}

fn on_import(simulator: &SimHandle, kind: Value) {
    fault(simulator, json!({"operation": "importResponses", "kind": kind}));
}

fn status(simulator: &SimHandle, subrequest: Uuid) -> ResponseStatus {
    simulator.control().subrequest(subrequest).unwrap().held.status
}

fn outcome(simulator: &SimHandle) -> String {
    simulator.control().calls(0, 1000).last().unwrap().outcome.clone()
}

#[tokio::test]
async fn a_cut_connection_sends_not_one_byte() {
    let (simulator, client, guids) = ready(1).await;
    let exchange = |body: String| {
        let mut stream = TcpStream::connect(simulator.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let head = format!(
            "POST {SOAP_PATH} HTTP/1.1\r\nHost: gis\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        }
        answer
    };
    let message = || client.import_message(Uuid::new_v4(), &[no_debt(guids[0], "нет")]);

    on_import(&simulator, json!("reset_before"));
    assert_eq!(exchange(message()), b"");
    advance(&simulator, HOUR);
    assert_eq!(
        (status(&simulator, guids[0]), outcome(&simulator).as_str()),
        (ResponseStatus::NotSent, "reset")
    );

    on_import(&simulator, json!({"reset_after": {}}));
    assert_eq!(exchange(message()), b"");
    advance(&simulator, HOUR);
    assert_eq!((status(&simulator, guids[0]), outcome(&simulator).as_str()), (ResponseStatus::Sent, "reset"));
}

#[tokio::test]
async fn a_lost_acknowledgement_lands_late_and_over_newer_content() {
    let (simulator, client, guids) = ready(1).await;
    on_import(&simulator, json!({"reset_after": {"late": "2h"}}));
    assert!(client.try_import(&[no_debt(guids[0], "старый")]).await.is_err());
    client.delivered(&simulator, &[no_debt(guids[0], "новый")]).await;
    advance(&simulator, 2 * HOUR);
    let report = simulator.control().subrequest(guids[0]).unwrap();
    let texts: Vec<_> = serde_json::to_value(&report.history)
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .map(|effect| effect["answer"]["description"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(texts, ["новый", "старый"]);
}

#[tokio::test]
async fn ghosts_land_a_second_time() {
    let (simulator, client, guids) = ready(1).await;
    on_import(&simulator, json!({"ghost": {"after": "1h"}}));
    client.delivered(&simulator, &[no_debt(guids[0], "первый")]).await;
    client.delivered(&simulator, &[revoke(guids[0])]).await;
    assert_eq!(status(&simulator, guids[0]), ResponseStatus::NotSent);
    advance(&simulator, HOUR);
    assert_eq!(status(&simulator, guids[0]), ResponseStatus::Sent);
    let history = serde_json::to_value(simulator.control().subrequest(guids[0]).unwrap().history).unwrap();
    let ghosts: Vec<_> = history.as_array().unwrap().iter().map(|effect| effect["ghost"] == true).collect();
    assert_eq!(ghosts, [false, false, true]);
}

#[tokio::test]
async fn faults_carry_code_and_text_and_may_hide_an_acceptance() {
    let (simulator, client, guids) = ready(1).await;
    on_import(&simulator, json!({"soap_fault": {"code": "EXP002001", "text": "ещё раз"}}));
    let refused = client.import(&[no_debt(guids[0], "нет")]).await;
    assert_eq!((refused.status, refused.code().as_str()), (500, "EXP002001"));
    assert_eq!(refused.one("ErrorMessage"), "ещё раз");
    advance(&simulator, HOUR);
    assert_eq!(status(&simulator, guids[0]), ResponseStatus::NotSent);

    on_import(&simulator, json!({"soap_fault": {"code": "INT002029", "late": "1m"}}));
    let maintenance = client.import(&[no_debt(guids[0], "нет")]).await;
    assert!(maintenance.one("ErrorMessage").contains("регламентные работы"));
    advance(&simulator, 70);
    assert_eq!(status(&simulator, guids[0]), ResponseStatus::Sent, "accepted all the same");
}

#[tokio::test]
async fn http_errors_have_their_bodies() {
    let (simulator, client, guids) = ready(1).await;
    let actions = [no_debt(guids[0], "нет")];
    on_import(&simulator, json!({"http": {"status": 502}}));
    let html = client.import(&actions).await;
    assert_eq!(html.status, 502);
    assert!(html.text().contains("<title>502 Bad Gateway</title>"));
    on_import(&simulator, json!({"http": {"status": 500, "body": "soap"}}));
    assert_eq!(client.import(&actions).await.code(), "EXP001000");
    on_import(&simulator, json!({"http": {"status": 503, "body": "empty", "retry_after": "90s"}}));
    let request = client.http().post(format!("{}{SOAP_PATH}", client.url)).header("Content-Type", "text/xml");
    let response = request.body(client.import_message(Uuid::new_v4(), &actions)).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (503, &"90".parse().unwrap())
    );
    assert!(response.bytes().await.unwrap().is_empty());
    advance(&simulator, HOUR);
    assert_eq!(status(&simulator, guids[0]), ResponseStatus::NotSent);
    on_import(&simulator, json!({"http": {"status": 504, "late": "0s"}}));
    assert_eq!(client.import(&actions).await.status, 504);
    advance(&simulator, HOUR);
    assert_eq!(status(&simulator, guids[0]), ResponseStatus::Sent);
}

#[tokio::test]
async fn garbage_is_no_soap() {
    let (simulator, client, guids) = ready(1).await;
    for (kind, expected) in [
        (json!({"garbage": {}}), ResponseStatus::NotSent),
        (json!({"garbage": {"late": "0s"}}), ResponseStatus::Sent),
    ] {
        on_import(&simulator, kind);
        let answer = client.import(&[no_debt(guids[0], "нет")]).await;
        assert_eq!(answer.status, 200);
        let text = String::from_utf8_lossy(&answer.body);
        assert!(roxmltree::Document::parse(&text).is_err());
        advance(&simulator, HOUR);
        assert_eq!(status(&simulator, guids[0]), expected);
    }
}

#[tokio::test]
async fn slow_calls_take_real_time() {
    let (simulator, client, _) = ready(1).await;
    fault(&simulator, json!({"operation": "getState", "kind": {"slow": {"for": "300ms"}}}));
    let begun = Instant::now();
    client.state(Uuid::new_v4()).await;
    assert!(begun.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn stuck_and_late_results() {
    let (simulator, client, guids) = ready(2).await;
    on_import(&simulator, json!({"stuck": {}}));
    let stuck = client.import(&[no_debt(guids[0], "нет")]).await.acknowledged();
    on_import(&simulator, json!({"late": {"by": "3h"}}));
    let late = client.import(&[no_debt(guids[1], "нет")]).await.acknowledged();
    advance(&simulator, 2 * HOUR);
    assert_eq!((client.progress(stuck).await, client.progress(late).await), ("2".to_owned(), "2".to_owned()));
    advance(&simulator, 2 * HOUR);
    assert_eq!((client.progress(stuck).await, client.progress(late).await), ("2".to_owned(), "3".to_owned()));
    assert_eq!(status(&simulator, guids[0]), ResponseStatus::NotSent);
    assert_eq!(status(&simulator, guids[1]), ResponseStatus::Sent);
}

#[tokio::test]
async fn a_stuck_call_may_be_in_force() {
    let (simulator, client, guids) = ready(1).await;
    on_import(&simulator, json!({"stuck": {"effect": true, "state": 1}}));
    let message = client.import(&[no_debt(guids[0], "нет")]).await.acknowledged();
    advance(&simulator, HOUR);
    assert_eq!(client.progress(message).await, "1");
    assert_eq!(status(&simulator, guids[0]), ResponseStatus::Sent);
}

#[tokio::test]
async fn state_errors_fail_the_request_or_one_poll() {
    let (simulator, client, guids) = ready(1).await;
    on_import(&simulator, json!({"state_error": {"code": "EXP001000"}}));
    let failed = client.delivered(&simulator, &[no_debt(guids[0], "нет")]).await;
    assert_eq!((failed.one("RequestState").as_str(), failed.code().as_str()), ("3", "EXP001000"));
    assert_eq!(status(&simulator, guids[0]), ResponseStatus::NotSent);

    let message = client.import(&[no_debt(guids[0], "нет")]).await.acknowledged();
    advance(&simulator, 10);
    fault(
        &simulator,
        json!({"operation": "getState", "subrequest": guids[0], "kind": {"state_error": {"code": "X1"}}}),
    );
    assert_eq!(client.state(message).await.code(), "X1");
    assert_eq!(client.state(message).await.all("UpdateDate").len(), 1, "the result is there all the same");
}

#[tokio::test]
async fn item_errors_hit_the_first_items_or_one_subrequest() {
    let (simulator, client, guids) = ready(3).await;
    let package: Vec<_> = guids.iter().map(|guid| no_debt(*guid, "нет")).collect();
    on_import(&simulator, json!({"item_error": {"code": "AUT011003", "items": 2}}));
    let result = client.delivered(&simulator, &package).await;
    assert_eq!(result.all("ErrorCode"), ["AUT011003", "AUT011003"]);
    assert_eq!(result.all("Description")[0], "Доступ запрещен для поставщика данных");
    fault(
        &simulator,
        json!({"operation": "importResponses", "subrequest": guids[2], "when": "always",
            "kind": {"item_error": {"code": "INT1", "text": "именно этот"}}}),
    );
    let result = client.delivered(&simulator, &package).await;
    assert_eq!((result.all("ErrorCode").len(), result.one("Description").as_str()), (1, "именно этот"));
    let others = client.delivered(&simulator, &package[..2]).await;
    assert!(others.all("ErrorCode").is_empty());
}

#[tokio::test]
async fn results_may_be_short_shuffled_and_doubled() {
    let (simulator, client, guids) = ready(20).await;
    let package: Vec<_> = guids.iter().map(|guid| no_debt(*guid, "нет")).collect();
    let sent: Vec<_> = guids.iter().map(|guid| transport(*guid).to_string()).collect();
    let got = async |kind: Value| {
        on_import(&simulator, kind);
        client.delivered(&simulator, &package).await.all("TransportGUID")
    };
    assert_eq!(got(json!({"wrong_count": {"missing": 3}})).await, sent[..17]);
    let mut shuffled = got(json!("shuffle")).await;
    assert_ne!(shuffled, sent);
    shuffled.sort_unstable();
    let mut sorted = sent.clone();
    sorted.sort_unstable();
    assert_eq!(shuffled, sorted);
    assert_eq!(got(json!("duplicate")).await, [sent.clone(), sent].concat());
    let counts = simulator.control().state().subrequests;
    assert_eq!(counts.sent, 20, "whatever the result says, everything took effect");
}

#[tokio::test]
async fn a_call_may_be_forgotten() {
    let (simulator, client, guids) = ready(1).await;
    on_import(&simulator, json!({"lost_state": {"after": "1h"}}));
    let message = client.import(&[no_debt(guids[0], "нет")]).await.acknowledged();
    advance(&simulator, 10);
    assert_eq!(client.progress(message).await, "3");
    advance(&simulator, HOUR);
    assert_eq!(client.state(message).await.code(), "INT002013");
    assert_eq!(status(&simulator, guids[0]), ResponseStatus::Sent);
}

#[tokio::test]
async fn replies_may_be_unsigned_or_badly_signed() {
    let (simulator, client, _) = ready(1).await;
    let message = client.export("13.1.10.1", &filter("")).await.acknowledged();
    advance(&simulator, 10);
    let spoil = |kind: &str| fault(&simulator, json!({"operation": "getState", "kind": kind}));
    spoil("bad_signature");
    let bad = client.state(message).await;
    assert!(signature::verify(&bad.body).is_err());
    spoil("unsigned");
    assert!(client.state(message).await.all("Signature").is_empty());
    assert!(signature::verify(&client.state(message).await.body).is_ok());
}

#[tokio::test]
async fn probes_fail_when_told_to() {
    let (simulator, client, _) = ready(1).await;
    let get = async || client.http().get(format!("{}{SOAP_PATH}", client.url)).send().await;
    fault(&simulator, json!({"operation": "probe", "kind": "reset_before"}));
    assert!(get().await.is_err());
    fault(&simulator, json!({"operation": "probe", "kind": {"http": {"status": 503}}}));
    assert_eq!(get().await.unwrap().status().as_u16(), 503);
    assert_eq!(get().await.unwrap().status().as_u16(), 200);
}
