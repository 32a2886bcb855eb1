//! Matches that begin by themselves after a reading of GIS, and «no debt» against what the registry says.

use chrono::{DateTime, TimeDelta, Utc};
use gis_sim::control::Fields;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Reply, Setup, Stand, for_both, for_both_with};
use crate::match_runs::registry_of_first;
use crate::{exports, imports, registry};

const SETTINGS: &str = "/v1/settings/matching";
/// Readings may follow each other at once.
const EAGER: &str = "[sync]\nleast_pause = \"1s\"\n";

async fn set(stand: &Stand, settings: Value) -> Reply {
    stand.client.call(Method::PUT, SETTINGS).json(&settings).send().await
}

/// A reading to its end, and whatever follows it.
async fn sync(stand: &Stand) {
    let started = stand.client.post("/v1/sync-runs", &json!({})).await;
    let path = started.header("location").to_owned();
    started.ok(202);
    stand.until(&path, |run| run["state"] == "succeeded").await;
    stand.pass(10).await;
}

async fn runs(stand: &Stand) -> Vec<Value> {
    stand.client.walk("/v1/match-runs").await
}

#[test]
fn each_reading_is_followed_by_one_match_that_answers() {
    for_both_with(
        || Setup { requests: 6, settings: EAGER, ..Setup::default() },
        async |stand: Stand| {
            stand.read_gis().await;
            let ids = stand.request_ids().await;
            registry_of_first(&stand, &ids[0]).await;
            assert_eq!(runs(&stand).await, Vec::<Value>::new());
            let stored = set(&stand, json!({ "enabled": true, "mode": "submit" })).await;
            assert_eq!(stored.header("etag"), "\"2\"");
            let stored = stored.ok(200);
            assert_eq!(
                (&stored["mode"], &stored["run_after_sync"], &stored["only_debts"], &stored["max_per_run"]),
                (&json!("submit"), &json!(true), &json!(false), &json!(10000))
            );
            stand.pass(60).await;
            assert_eq!(runs(&stand).await, Vec::<Value>::new(), "no reading has come");
            sync(&stand).await;
            let [run] = runs(&stand).await.try_into().unwrap();
            assert_eq!(
                (&run["started_by"], &run["mode"], &run["counts"]["total"], &run["is_final"]),
                (&json!("sync"), &json!("submit"), &json!(6), &json!(true))
            );
            let counts = &run["counts"];
            let count = |name: &str| counts[name].as_u64().unwrap();
            assert_eq!(count("queued"), count("found") + count("not_found"));
            assert!(count("queued") > 0);
            sync(&stand).await;
            sync(&stand).await;
            let all = runs(&stand).await;
            let doubtful = count("ambiguous");
            assert_eq!(all.len(), if doubtful == 0 { 1 } else { 3 }, "what is in doubt is matched each time");
            assert!(all.iter().take(all.len() - 1).all(|run| run["counts"]["total"] == doubtful));
            let events = stand.client.walk_events("answer.queued").await;
            assert_eq!(events.len(), usize::try_from(count("queued")).unwrap());
            let log = stand.client.walk("/v1/audit-log?actor=auto&limit=200").await;
            let told = |action: &str| log.iter().filter(|it| it["action"] == action).count();
            assert_eq!((told("start_match_run"), told("create_answer")), (all.len(), events.len()));
            assert!(all.iter().all(|run| run["automatic"] == true));
            set(&stand, json!({ "enabled": false, "mode": "submit" })).await.ok(200);
            sync(&stand).await;
            assert_eq!(runs(&stand).await.len(), all.len());
        },
    );
}

/// F85: the reading comes at its hour, and the match follows it.
#[test]
fn f85_at_the_chosen_hour_gis_is_read_and_matched() {
    let setup = || Setup { requests: 3, settings: "[sync]\nschedule = \"30 6 * * *\"\n", ..Setup::default() };
    for_both_with(setup, async |stand: Stand| {
        stand.read_gis().await;
        let ids = stand.request_ids().await;
        registry_of_first(&stand, &ids[0]).await;
        set(&stand, json!({ "enabled": true })).await.ok(200);
        let status = stand.client.get("/v1/gis/status").await.ok(200);
        let hour: DateTime<Utc> = status["next_sync_at"].as_str().unwrap().parse().unwrap();
        assert_eq!((hour + TimeDelta::hours(3)).format("%H:%M").to_string(), "06:30", "in Moscow");
        stand.pass_until(hour - TimeDelta::minutes(1)).await;
        assert_eq!(runs(&stand).await, Vec::<Value>::new());
        stand.pass(60).await;
        stand.until("/v1/match-runs", |all| all["items"][0]["is_final"] == true).await;
        let [run] = runs(&stand).await.try_into().unwrap();
        assert_eq!((&run["automatic"], &run["counts"]["total"]), (&json!(true), &json!(3)));
        let began: DateTime<Utc> = run["created_at"].as_str().unwrap().parse().unwrap();
        assert!(began >= hour && began < hour + TimeDelta::minutes(10), "{began} {hour}");
    });
}

/// F77, F78, F79, F85: at the chosen hour GIS is read, every branch answers the debts that its own registry knows, and then
/// the head office answers the rest by its own, one run at a time.
#[test]
fn f78_at_the_chosen_hour_branches_answer_before_the_head_office() {
    const STREET: &str = "г. Примерск, ул. Ткацкая, д. 1";
    let setup = || Setup {
        settings: "[sync]\nschedule = \"30 6 * * *\"\nleast_pause = \"1s\"\n",
        ..Setup::default()
    };
    for_both_with(setup, async |mut stand: Stand| {
        stand.read_gis().await;
        let head = stand.employee.to_string();
        let houses = [0xA1, 0xB1].map(Uuid::from_u128);
        let mut branches = Vec::new();
        for (name, house) in ["Север", "Юг"].into_iter().zip(houses) {
            branches.push(stand.department(name, &head, &[house]).await);
        }
        let mut asked = Vec::new();
        for (house, flat) in [(houses[0], "кв. 1"), (houses[1], "кв. 1"), (houses[0], "кв. 2")] {
            let fields = Fields {
                house: Some(Uuid::from_u128(house.as_u128() + 1)),
                fias_house: Some(house),
                address: Some(STREET.to_owned()),
                details: Some(flat.to_owned()),
                ..Fields::default()
            };
            asked.push(stand.asked_about(fields).await);
        }
        // The head office has its registry first: the order of registries does not count.
        let owners = [Value::Null, json!(branches[1]), json!(branches[0])];
        for (owner, house) in owners.into_iter().zip([Uuid::now_v7(), houses[1], houses[0]]) {
            let mut debt = registry::debt("кв. 1");
            debt["fias_house_id"] = json!(house);
            debt["address"] = json!(STREET);
            debt["department_id"] = owner;
            registry::add(&stand, &debt).await;
        }
        set(&stand, json!({ "enabled": true, "mode": "submit" })).await.ok(200);
        let status = stand.client.get("/v1/gis/status").await.ok(200);
        let hour: DateTime<Utc> = status["next_sync_at"].as_str().unwrap().parse().unwrap();
        stand.pass_until(hour - TimeDelta::minutes(1)).await;
        assert_eq!(runs(&stand).await, Vec::<Value>::new());
        // It was started anew in between: what comes next is in the database.
        stand.restart();
        let ended = |all: &Value| {
            let all = all["items"].as_array().unwrap();
            all.len() == 3 && all.iter().all(|run| run["is_final"] == true)
        };
        stand.until("/v1/match-runs", ended).await;
        let mut all = runs(&stand).await;
        all.reverse();
        let told: Vec<_> = all
            .iter()
            .map(|run| {
                let counts = ["total", "found", "queued"].map(|name| run["counts"][name].as_u64().unwrap());
                (run["department_id"].as_str(), run["only_debts"] == true, counts)
            })
            .collect();
        let [north, south] = [0, 1].map(|place| Some(branches[place].as_str()));
        assert_eq!(told, [(north, true, [3, 1, 1]), (south, true, [2, 1, 1]), (None, false, [1, 0, 1])]);
        assert!(all.iter().all(|run| run["automatic"] == true && run["status"] == "succeeded"));
        for pair in all.windows(2) {
            assert!(pair[0]["finished_at"].as_str() <= pair[1]["created_at"].as_str(), "{pair:#?}");
        }
        for (id, has_debt) in asked.iter().zip([true, true, false]) {
            let request = stand.client.get(&format!("/v1/debt-requests/{id}")).await.ok(200);
            assert_eq!(request["answer"]["has_debt"], has_debt, "{request:#}");
        }
    });
}

#[test]
fn drafts_are_made_unless_answers_are_wished() {
    for_both_with(
        || Setup { requests: 4, settings: EAGER, ..Setup::default() },
        async |stand: Stand| {
            stand.read_gis().await;
            let ids = stand.request_ids().await;
            registry_of_first(&stand, &ids[0]).await;
            set(&stand, json!({ "enabled": true, "only_debts": true, "max_per_run": 1 })).await.ok(200);
            sync(&stand).await;
            let [run] = runs(&stand).await.try_into().unwrap();
            assert_eq!((&run["mode"], &run["counts"]["total"]), (&json!("prepare"), &json!(1)));
            assert_eq!(run["counts"]["queued"], 0);
        },
    );
}

#[test]
fn settings_are_checked() {
    for_both_with(Setup::default, async |stand: Stand| {
        let settings = stand.client.get(SETTINGS).await.ok(200);
        assert_eq!((&settings["enabled"], &settings["version"]), (&json!(false), &json!(1)));
        for (settings, pointer) in [
            (json!({}), "/enabled"),
            (json!({ "enabled": true, "mode": "preview" }), "/mode"),
            (json!({ "enabled": true, "max_per_run": 0 }), "/max_per_run"),
            (json!({ "enabled": true, "department_id": "x" }), "/department_id"),
            (json!({ "enabled": true, "department_id": Uuid::now_v7() }), "/department_id"),
            (json!({ "enabled": true, "only_debt": true }), "/only_debt"),
        ] {
            let problem = set(&stand, settings).await;
            assert_eq!(
                (problem.status.as_u16(), &problem.body["errors"][0]["pointer"]),
                (422, &json!(pointer))
            );
        }
    });
}

#[test]
fn no_debt_against_the_registry_must_be_confirmed() {
    for_both(3, async |stand| {
        let (found, other) = asked(&stand).await;
        let path = format!("/v1/debt-requests/{found}/answers");
        let no_debt = json!({ "submit": true, "has_debt": false });
        let problem = stand.client.post(&path, &no_debt).await.problem(409, "registry_disagrees");
        assert_eq!(problem["confirmable"], json!(["registry_disagrees"]));
        let bulk = json!({ "submit": true, "items": [
            { "debt_request_id": found, "has_debt": false },
            { "debt_request_id": other, "has_debt": false },
        ]});
        let operation = stand.client.post("/v1/answers/bulk", &bulk).await.ok(202);
        let items = stand.client.walk(operation["items_url"].as_str().unwrap()).await;
        assert_eq!(
            (&items[0]["outcome"], &items[0]["errors"][0]["code"], &items[0]["errors"][0]["pointer"]),
            (&json!("refused"), &json!("registry_disagrees"), &json!("/confirm"))
        );
        assert!(items[1]["answer_id"].is_string());

        let workbook = exports::sheet(&stand).await;
        let row = imports::imported_no_debt(&stand, &workbook, &found).await;
        assert_eq!(
            (&row["outcome"], &row["errors"][0]["code"]),
            (&json!("refused"), &json!("registry_disagrees"))
        );

        let draft = stand.answer(&found, &json!({ "has_debt": false })).await;
        let submit = format!("/v1/answers/{draft}/submit");
        stand.client.post(&submit, &json!({})).await.problem(409, "registry_disagrees");
        let confirmed = json!({ "confirm": ["registry_disagrees"] });
        let sent = stand.client.post(&submit, &confirmed).await.ok(202);
        assert_eq!(sent["state"], "queued");
        stand.until_state(&draft, "delivered").await;
    });
}

/// A request whose debt the registry knows, and another one.
async fn asked(stand: &Stand) -> (String, String) {
    let ids = stand.request_ids().await;
    for (at, id) in ids.iter().enumerate() {
        if !registry::add_debt_of(stand, id).await {
            continue;
        }
        let body = json!({ "scope": { "ids": [id] }, "mode": "preview" });
        let started = stand.client.post("/v1/match-runs", &body).await;
        let path = started.header("location").to_owned();
        started.ok(202);
        let run = stand.until(&path, |run| run["is_final"] == true).await;
        if run["counts"]["found"] == 1 {
            return (id.clone(), ids[(at + 1) % ids.len()].clone());
        }
    }
    panic!("the registry finds none of the debts that it has");
}
