//! Every ready scenario, started from its file and lived through: all blocks of an export, then an answer that is in
//! force in the end. A patient client comes through each of them; the clock is stepped and all tries are bounded.

use std::path::PathBuf;

use gis_sim::scenario::Scenario;
use gis_sim::wire::model::ResponseStatus;
use gis_sim::{Config, Sim, SimHandle};
use serde_json::json;
use uuid::Uuid;

use super::client::*;

const REQUESTS: usize = 120;

/// A simulator with a ready scenario; only waits in real time are left out.
fn started(name: &str) -> SimHandle {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(format!("{name}.toml"));
    let config = Config {
        requests: u64::try_from(REQUESTS).unwrap(),
        scenario: Scenario::from_file(&file).unwrap(),
        start: Some(start()),
        frozen: true,
        ..Config::default()
    };
    let simulator = Sim::start(config).unwrap();
    simulator.control().patch_scenario(json!({"timing": {"slow": "0s"}})).unwrap();
    simulator
}

/// Sends until it is acknowledged and polls until a result is there; anew when the result is an error.
async fn result_of(
    simulator: &SimHandle,
    client: &Client,
    send: impl AsyncFn() -> reqwest::Result<Answer>,
) -> Answer {
    for _ in 0..10 {
        let Ok(acknowledgement) = send().await else { continue };
        if acknowledgement.status != 200 {
            continue;
        }
        if let Some(result) = polled(simulator, client, acknowledgement.acknowledged()).await {
            return result;
        }
    }
    panic!("ten tries in vain");
}

async fn polled(simulator: &SimHandle, client: &Client, message: Uuid) -> Option<Answer> {
    for _ in 0..8 {
        advance(simulator, 1800);
        let Ok(answer) = client.try_state(message).await else { continue };
        if answer.readable() && answer.all("RequestState") == ["3"] {
            return answer.all("ErrorMessage").is_empty().then_some(answer);
        }
    }
    None
}

/// All blocks of an export.
async fn listed(simulator: &SimHandle, client: &Client) -> Vec<Uuid> {
    let (mut listed, mut page) = (Vec::new(), String::new());
    for _ in 0..4 {
        let block =
            result_of(simulator, client, async || client.try_export("13.1.10.1", &filter(&page)).await).await;
        listed.extend(block.all("subrequestGUID").iter().map(|guid| guid.parse::<Uuid>().unwrap()));
        match block.all("nextSubrequestGUID").first() {
            Some(next) => page = format!("<d:exportSubrequestGUID>{next}</d:exportSubrequestGUID>"),
            None => return listed,
        }
    }
    panic!("more blocks than there can be");
}

async fn live_through(simulator: &SimHandle) {
    let client = Client::signing(simulator);
    let mut listed = listed(simulator, &client).await;
    listed.sort_unstable();
    listed.dedup();
    assert_eq!(listed.len(), REQUESTS);
    for subrequest in listed.into_iter().take(10) {
        let answer = [no_debt(subrequest, "нет долга")];
        let result = result_of(simulator, &client, async || client.try_import(&answer).await).await;
        if result.all("UpdateDate").len() == 1 {
            advance(simulator, 3600);
            let report = simulator.control().subrequest(subrequest).unwrap();
            assert_eq!(report.held.status, ResponseStatus::Sent);
            assert_eq!(report.held.answer.unwrap().description.as_deref(), Some("нет долга"));
            return;
        }
    }
    panic!("no answer was taken");
}

#[tokio::test]
async fn ready_scenarios_can_be_lived_through() {
    for name in ["calm", "flaky", "ghosts", "rude", "sandbox", "slow"] {
        println!("scenario {name}");
        live_through(&started(name)).await;
    }
}

#[tokio::test]
async fn maintenance_ends_when_its_rules_are_deleted() {
    let simulator = started("maintenance");
    let client = Client::signing(&simulator);
    assert_eq!(client.export("13.1.10.1", &filter("")).await.code(), "INT002029");
    assert_eq!(client.control("DELETE", "/faults", "").await.0, 204);
    live_through(&simulator).await;
}

#[test]
fn no_ready_scenario_is_left_out() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    let lived = ["calm", "flaky", "ghosts", "maintenance", "rude", "sandbox", "slow"];
    assert_eq!(names, lived.map(|name| format!("{name}.toml")));
}
