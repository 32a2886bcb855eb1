//! What the README says of `/control`, tried on a simulator.

#![expect(clippy::unwrap_used, reason = "a helper of tests may panic")]

use chrono::{DateTime, Utc};
use gis_sim::faults::Rule;
use gis_sim::server::{DEFAULT_ORGANIZATION, MOST_CONTROL_BYTES};
use gis_sim::{Config, Sim, SimHandle};
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

const README: &str = include_str!("../README.md");

fn simulator() -> SimHandle {
    let start: DateTime<Utc> = "2026-03-16T09:00:00Z".parse().unwrap();
    Sim::start(Config { start: Some(start), frozen: true, ..Config::default() }).unwrap()
}

async fn send(
    simulator: &SimHandle,
    method: &str,
    path: &str,
    body: impl Into<reqwest::Body>,
) -> (u16, Value) {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let request = reqwest::Client::new().request(method, format!("{}{path}", simulator.base_url()));
    let response = request.body(body).send().await.unwrap();
    let (status, bytes) = (response.status().as_u16(), response.bytes().await.unwrap());
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

/// The pieces of a line between backticks.
fn code(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

#[tokio::test]
async fn every_example_of_a_request_is_accepted() {
    let simulator = simulator();
    let (_, made) = send(&simulator, "POST", "/control/subrequests", "").await;
    let guid = made["items"][0]["guid"].as_str().unwrap().to_owned();
    let mut tried = 0;
    for line in README.lines().filter(|line| line.starts_with('|')) {
        let pieces = code(line);
        let Some(path) = pieces.iter().find_map(|piece| piece.split_once("/control")).map(|(_, path)| path)
        else {
            continue;
        };
        // Of several methods the last that takes a body is meant; the first piece with a path may hold it as well.
        let named = |method: &&str| pieces.iter().any(|piece| piece.split(' ').next() == Some(method));
        let method = ["PATCH", "PUT", "POST"].into_iter().find(named);
        let path = format!("/control{}", path.replace("{guid}", &guid));
        for example in pieces.iter().filter(|piece| piece.starts_with('{')) {
            let body = example.replace("<orgPPAGUID>", &DEFAULT_ORGANIZATION.to_string());
            let (status, answer) = send(&simulator, method.unwrap(), &path, body).await;
            assert!((200..300).contains(&status), "{line}: {status} {answer}");
            tried += 1;
        }
    }
    assert_eq!(tried, 7, "examples in the tables");
}

#[test]
fn every_example_of_a_fault_rule_makes_sense() {
    let (_, rest) = README.split_once("```json\n").unwrap();
    let (examples, after) = rest.split_once("```").unwrap();
    assert!(!after.contains("```json"), "another block of JSON wants a test of its own");
    for example in examples.lines() {
        let text = example.replace("<guid>", &Uuid::nil().to_string());
        let rule: Rule = serde_json::from_str(&text).unwrap_or_else(|problem| panic!("{example}: {problem}"));
        assert_eq!(rule.check(), Ok(()), "{example}");
    }
}

#[tokio::test]
async fn every_error_is_an_object_with_a_text() {
    let simulator = simulator();
    let large = vec![b' '; MOST_CONTROL_BYTES + 1];
    let nobody = format!("/control/subrequests/{}", Uuid::nil());
    for (method, path, body, expected) in [
        ("GET", nobody.as_str(), vec![], 404),
        ("GET", "/control/nothing", vec![], 404),
        ("PATCH", "/control/state", vec![], 404),
        ("GET", "/control/subrequests?limit=many", vec![], 400),
        ("GET", "/control/subrequests/%ff", vec![], 400),
        ("POST", "/control/clock", b"{".to_vec(), 400),
        ("PATCH", "/control/scenario", large.clone(), 413),
        ("POST", "/control/subrequests", large, 413),
    ] {
        let (status, answer) = send(&simulator, method, path, body).await;
        assert_eq!(status, expected, "{method} {path}");
        assert!(answer["error"].as_str().is_some_and(|text| !text.is_empty()), "{method} {path}: {answer}");
    }
}
