//! The control door over HTTP, and simulators side by side.

use gis_sim::{Config, Sim};
use serde_json::{Value, json};
use uuid::Uuid;

use super::client::*;

#[tokio::test]
async fn the_state_is_counted() {
    let simulator = lenient(3, json!({}));
    let client = Client::new(&simulator);
    let (_, before) = client.control("GET", "/state", "").await;
    assert_eq!(before["traffic"], json!({"received": 0, "sent": 0}), "this address does not count");
    client.export("13.1.10.1", &filter("")).await;
    let (status, state) = client.control("GET", "/state", "").await;
    assert_eq!(status, 200);
    let bytes = |direction: &str| state["traffic"][direction].as_u64().unwrap();
    assert!(bytes("received") > 500 && bytes("sent") > 500, "{}", state["traffic"]);
    assert_eq!(
        state["subrequests"],
        json!({"total": 3, "not_sent": 3, "sent": 0, "auto_generated": 0, "withdrawn": 0})
    );
    assert_eq!(state["organizations"], json!([{"organization": client.organization, "subrequests": 3}]));
    assert_eq!(
        (&state["messages"], &state["unfinished_messages"], &state["calls"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!(state["due_later"], json!(4), "three deadlines and a result");
    assert_eq!(state["deadlines_later"], json!(3));
}

#[tokio::test]
async fn subrequests_are_made_listed_and_shown() {
    let simulator = lenient(0, json!({}));
    let client = Client::new(&simulator);
    let guid = Uuid::new_v4();
    let new = json!({
        "organization": client.organization,
        "fields": {"guid": guid, "number": "A-1", "address": "г. Вымышленск, ул. Тестовая, д. 1", "details": "кв. 5",
            "sent": "2026-03-10", "respond_by": "2026-03-17"},
    });
    let (status, made) = client.control("POST", "/subrequests", &new.to_string()).await;
    assert_eq!((status, &made["items"][0]["guid"]), (201, &json!(guid)));
    let more = json!({"organization": client.organization, "count": 30});
    assert_eq!(client.control("POST", "/subrequests", &more.to_string()).await.0, 201);

    let (_, shown) = client.control("GET", &format!("/subrequests/{guid}"), "").await;
    assert_eq!(shown["number"], "A-1");
    assert_eq!((&shown["details"], &shown["respond_by"]), (&json!("кв. 5"), &json!("2026-03-17")));
    assert_eq!(shown["held"], json!({"status": "NotSent", "answer": null}));
    assert_eq!(shown["history"], json!([]));
    let (_, page) = client.control("GET", "/subrequests?status=NotSent&offset=30&limit=5", "").await;
    assert_eq!((&page["total"], page["items"].as_array().unwrap().len()), (&json!(31), 1));
    let (_, found) = client.control("GET", "/subrequests?number=A-1", "").await;
    assert_eq!(found["items"][0]["guid"], json!(guid));

    let exported = client.exported(&simulator, "13.1.10.1", &by_guid(&[guid])).await;
    assert_eq!(exported.one("address"), "г. Вымышленск, ул. Тестовая, д. 1");
    assert_eq!(exported.one("responseDate").get(..10), Some("2026-03-17"));
    let by_number = "<d:requestNumber>A-1</d:requestNumber><d:requestNumber>A-2</d:requestNumber>";
    let exported = client.exported(&simulator, "13.1.10.1", by_number).await;
    assert_eq!(exported.all("requestNumber"), ["A-1", "A-2"]);
}

#[tokio::test]
async fn a_person_in_the_cabinet_answers_and_takes_back() {
    let simulator = lenient(1, json!({}));
    let client = Client::new(&simulator);
    client.export("13.1.10.1", &filter("")).await;
    let guid = subrequests(&simulator, &client)[0];
    let path = format!("/subrequests/{guid}");
    let answer = json!({"has_debt": true, "debtors": [{"first": "Иван", "last": "Вымышленный", "snils": "00000000001"}]});
    assert_eq!(client.control("PUT", &format!("{path}/answer"), &answer.to_string()).await.0, 204);
    let (_, shown) = client.control("GET", &path, "").await;
    assert_eq!(shown["held"]["answer"]["debtors"][0]["last"], "Вымышленный");
    assert_eq!(shown["history"][0]["cause"], "cabinet");
    let seen = client.exported(&simulator, "13.1.10.1", &(by_guid(&[guid]) + WITH_RESPONSES)).await;
    assert_eq!((seen.one("responseStatus").as_str(), seen.one("lastName").as_str()), ("Sent", "Вымышленный"));
    assert_eq!(client.control("DELETE", &format!("{path}/answer"), "").await.0, 204);
    let (conflict, error) = client.control("DELETE", &format!("{path}/answer"), "").await;
    assert_eq!((conflict, &error["error"]), (409, &json!("the subrequest has no answer of the supplier")));
    assert_eq!(client.control("DELETE", &path, "").await.0, 204);
    assert_eq!(client.control("DELETE", &path, "").await.0, 409);
    assert_eq!(client.control("PUT", &format!("{path}/answer"), &answer.to_string()).await.0, 409);
}

#[tokio::test]
async fn answers_are_shown_byte_for_byte() {
    let simulator = lenient(1, json!({}));
    let client = Client::new(&simulator);
    client.export("13.1.10.1", &filter("")).await;
    let guid = subrequests(&simulator, &client)[0];
    client.delivered(&simulator, &[no_debt(guid, "  «нет»\tдолга &lt;&amp;&gt; ")]).await;
    let (_, shown) = client.control("GET", &format!("/subrequests/{guid}"), "").await;
    assert_eq!(shown["held"]["answer"]["description"], "  «нет»\tдолга <&> ");
}

#[tokio::test]
async fn the_scenario_is_read_patched_and_replaced() {
    let simulator = lenient(0, json!({}));
    let client = Client::new(&simulator);
    let (_, patched) = client.control("PATCH", "/scenario", r#"{"timing": {"view_lag": "72h"}}"#).await;
    assert_eq!(
        (&patched["timing"]["view_lag"], &patched["signature"]["check"]),
        (&json!("3days"), &json!("off"))
    );
    let with_rule = json!({"faults": [{"operation": "any", "when": "always", "kind": "reset_before"}]});
    assert_eq!(client.control("PUT", "/scenario", &with_rule.to_string()).await.0, 200);
    let (_, faults) = client.control("GET", "/faults", "").await;
    assert_eq!(faults["items"][0]["kind"], "reset_before");
    assert!(client.try_state(Uuid::new_v4()).await.is_err());
    let (_, whole) = client.control("PUT", "/scenario", "{}").await;
    assert_eq!(
        (&whole["timing"]["view_lag"], &whole["signature"]["check"]),
        (&json!("0s"), &json!("strict"))
    );
    let (_, faults) = client.control("GET", "/faults", "").await;
    assert_eq!(faults["items"], json!([]));
}

#[tokio::test]
async fn the_scenario_shows_the_rules_that_are_in_force() {
    let simulator = lenient(0, json!({}));
    let client = Client::new(&simulator);
    let with_rule =
        json!({"faults": [{"operation": "probe", "when": "always", "kind": "reset_before"}]}).to_string();
    let rules = async |path: &str| {
        let (_, shown) = client.control("GET", path, "").await;
        let list = if path == "/faults" { &shown["items"] } else { &shown["faults"] };
        list.as_array().unwrap().len()
    };
    for clear in [true, false] {
        assert_eq!(client.control("PUT", "/scenario", &with_rule).await.0, 200);
        assert_eq!((rules("/faults").await, rules("/scenario").await), (1, 1), "PUT makes the rules anew");
        let path = match clear {
            true => "/faults".to_owned(),
            false => format!("/faults/{}", simulator.control().faults()[0].id),
        };
        assert_eq!(client.control("DELETE", &path, "").await.0, 204);
        assert_eq!((rules("/faults").await, rules("/scenario").await), (0, 0));
    }
    let rule = json!({"operation": "probe", "kind": "reset_before"});
    let many = json!({"faults": vec![rule; 1001], "timing": {"slow": "1s"}}).to_string();
    let (status, error) = client.control("PUT", "/scenario", &many).await;
    assert_eq!(status, 400, "{error}");
    assert_eq!(client.control("GET", "/scenario", "").await.1["timing"]["slow"], "0s");
}

#[tokio::test]
async fn faults_are_made_counted_and_deleted() {
    let simulator = lenient(0, json!({}));
    let client = Client::new(&simulator);
    let rule = json!({"operation": "getState", "when": {"every": 2}, "kind": {"http": {"status": 503}}});
    let (status, made) = client.control("POST", "/faults", &rule.to_string()).await;
    assert_eq!(status, 201);
    let statuses = [client.state(Uuid::nil()).await.status, client.state(Uuid::nil()).await.status];
    assert_eq!(statuses, [500, 503]);
    let (_, listed) = client.control("GET", "/faults", "").await;
    assert_eq!((&listed["items"][0]["seen"], &listed["items"][0]["struck"]), (&json!(2), &json!(1)));
    let path = format!("/faults/{}", made["id"]);
    assert_eq!(client.control("DELETE", &path, "").await.0, 204);
    assert_eq!(client.control("DELETE", &path, "").await.0, 404);
    assert_eq!(client.control("DELETE", "/faults", "").await.0, 204);
}

#[tokio::test]
async fn the_clock_moves_forward_over_http() {
    let simulator = lenient(0, json!({}));
    let client = Client::new(&simulator);
    let (_, before) = client.control("GET", "/clock", "").await;
    assert_eq!(before["now"], "2026-03-16T09:00:00Z");
    let (_, after) = client.control("POST", "/clock", r#"{"advance": "72h"}"#).await;
    assert_eq!(after["now"], "2026-03-19T09:00:00Z");
    let (_, set) = client.control("POST", "/clock", r#"{"to": "2026-04-01T00:00:00Z"}"#).await;
    assert_eq!(set["now"], "2026-04-01T00:00:00Z");
    for wrong in
        ["{}", r#"{"advance": "1h", "to": "2026-04-02T00:00:00Z"}"#, r#"{"to": "2026-03-01T00:00:00Z"}"#]
    {
        assert_eq!(client.control("POST", "/clock", wrong).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn errors_are_json_and_say_what_is_wrong() {
    let simulator = lenient(1, json!({}));
    let client = Client::new(&simulator);
    let unknown = Uuid::new_v4();
    for (method, path, body, status, expected) in [
        ("GET", "/nothing".to_owned(), "", 404, "no such path or method"),
        ("DELETE", "/state".to_owned(), "", 404, "no such path or method"),
        ("GET", format!("/subrequests/{unknown}"), "", 404, "there is no subrequest with this id"),
        ("GET", format!("/files/{unknown}"), "", 404, "there is no file with this id"),
        ("GET", "/subrequests/x".to_owned(), "", 400, "x is no GUID"),
        ("GET", "/subrequests?colour=red".to_owned(), "", 400, "colour"),
        ("GET", "/subrequests?status=Lost".to_owned(), "", 400, "NotSent, Sent or AutoGenerated"),
        ("POST", "/subrequests".to_owned(), r#"{"count": 0}"#, 400, "count is 1 to 10000"),
        ("POST", "/subrequests".to_owned(), r#"{"ending": "04"}"#, 400, "import.sandbox_endings"),
        (
            "POST",
            "/subrequests".to_owned(),
            r#"{"count": 2, "fields": {"number": "1"}}"#,
            400,
            "need count 1",
        ),
        ("POST", "/subrequests".to_owned(), "{", 400, "body is wrong: EOF"),
        ("PATCH", "/scenario".to_owned(), r#"{"timing": {"lag": 1}}"#, 400, "unknown field `lag`"),
        (
            "POST",
            "/faults".to_owned(),
            r#"{"operation": "getState", "kind": {"stuck": {}}}"#,
            400,
            "kind does not fit",
        ),
        (
            "POST",
            "/faults".to_owned(),
            r#"{"operation": "getState", "kind": "odd"}"#,
            400,
            "unknown variant `odd`",
        ),
    ] {
        let (got, error) = client.control(method, &path, body).await;
        let text = error["error"].as_str().unwrap_or_default();
        assert_eq!(got, status, "{method} {path}: {text}");
        assert!(text.contains(expected), "{method} {path}: {text}");
    }
    let guid = {
        client.export("13.1.10.1", &filter("")).await;
        subrequests(&simulator, &client)[0]
    };
    for wrong in [
        json!({"has_debt": true}),
        json!({"has_debt": false, "debtors": [{"first": "А", "last": "Б"}]}),
        json!({"has_debt": true, "debtors": [{"first": "А", "last": "Б", "snils": "1"}]}),
        json!({"has_debt": false, "description": "x".repeat(1001)}),
        json!({"has_debt": false, "mood": "good"}),
    ] {
        let path = format!("/subrequests/{guid}/answer");
        assert_eq!(client.control("PUT", &path, &wrong.to_string()).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn the_log_shows_calls_in_order() {
    let simulator = lenient(1, json!({}));
    let client = Client::new(&simulator);
    let message = client.export("13.1.10.1", &filter("")).await.acknowledged();
    client.state(message).await;
    let (_, log) = client.control("GET", "/calls", "").await;
    let log = log["items"].as_array().unwrap().clone();
    let words: Vec<_> = log.iter().map(|call| (call["operation"].clone(), call["outcome"].clone())).collect();
    assert_eq!(
        words,
        [(json!("exportDebtSubrequests"), json!("ack")), (json!("getState"), json!("state 1"))]
    );
    assert_eq!((&log[0]["gis_message"], &log[1]["gis_message"]), (&json!(message), &json!(message)));
    let (_, later) = client.control("GET", "/calls?after=1&limit=10", "").await;
    assert_eq!(later["items"], Value::Array(log[1..].to_vec()));
}

#[tokio::test]
async fn a_reset_begins_anew() {
    let simulator = lenient(2, json!({}));
    let client = Client::new(&simulator);
    client.export("13.1.10.1", &filter("")).await;
    let before = subrequests(&simulator, &client);
    client.delivered(&simulator, &[no_debt(before[0], "нет")]).await;
    assert_eq!(client.control("POST", "/reset", "").await.0, 204);
    let state = simulator.control().state();
    assert_eq!((state.subrequests.total, state.calls, state.messages, state.due_later), (0, 0, 0, 0));
    client.export("13.1.10.1", &filter("")).await;
    assert_eq!(subrequests(&simulator, &client), before, "the same seed on the same day");
    assert_eq!(simulator.control().state().subrequests.not_sent, 2);
}

#[tokio::test]
async fn simulators_live_side_by_side_and_the_seed_decides() {
    let start_with = |seed| {
        let scenario = scenario(json!({"signature": {"check": "off"}}));
        Sim::start(Config {
            seed,
            requests: 40,
            scenario,
            start: Some(start()),
            frozen: true,
            ..Config::default()
        })
        .unwrap()
    };
    let simulators = [start_with(1), start_with(1), start_with(2)];
    let mut lists = Vec::new();
    for simulator in &simulators {
        let client = Client::new(simulator);
        let list = client.exported(simulator, "13.1.10.1", &filter("")).await;
        lists.push((list.all("subrequestGUID"), list.all("address"), list.all("responseDate")));
    }
    assert_eq!(lists[0].0.len(), 40);
    assert_eq!(lists[0], lists[1]);
    assert_ne!(lists[0], lists[2]);
    let urls: std::collections::HashSet<_> = simulators.iter().map(gis_sim::SimHandle::base_url).collect();
    assert_eq!(urls.len(), 3);
}

#[tokio::test]
async fn a_stopped_simulator_frees_its_port() {
    let simulator = lenient(0, json!({}));
    let (client, address) = (Client::new(&simulator), simulator.address());
    simulator.stop().await;
    assert!(client.try_state(Uuid::nil()).await.is_err());
    let again = Sim::start(Config { listen: address, ..Config::default() }).unwrap();
    assert_eq!(again.address(), address);
    let taken = Sim::start(Config { listen: address, ..Config::default() });
    assert!(taken.is_err());
}

#[test]
fn a_simulator_needs_no_runtime() {
    let simulator = lenient(0, json!({}));
    assert!(std::net::TcpStream::connect(simulator.address()).is_ok());
}

#[tokio::test]
async fn debug_prints_hide_people_and_papers() {
    let simulator = lenient(1, json!({}));
    let client = Client::new(&simulator);
    client.export("13.1.10.1", &filter("")).await;
    let guid = subrequests(&simulator, &client)[0];
    client.delivered(&simulator, &[no_debt(guid, "тайна")]).await;
    let report = simulator.control().subrequest(guid).unwrap();
    let debtor = json!({"first": "Иван", "last": "Тайна"});
    let answer: gis_sim::control::CabinetAnswer =
        serde_json::from_value(json!({"has_debt": true, "description": "тайна", "debtors": [debtor]}))
            .unwrap();
    let printed = format!("{simulator:?} {report:?} {answer:?} {:?}", report.history).to_lowercase();
    assert!(!printed.contains("тайна") && !printed.contains("ул. "), "{printed}");
}
