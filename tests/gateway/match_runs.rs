//! Matches of requests with the registry of court debts, and the answers made of them.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use calamine::{Reader as _, Xlsx};
use gis_sim::control::Fields;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::exports::sheet;
use crate::harness::{Reply, Setup, Stand, for_both, for_both_with};
use crate::imports::list_of;
use crate::registry;

const RUNS: &str = "/v1/match-runs";

/// A registry that knows a debt of the first request alone.
pub(crate) async fn registry_of_first(stand: &Stand, id: &str) {
    let asked = stand.client.get(&format!("/v1/debt-requests/{id}")).await.ok(200);
    let address = &asked["address"];
    let mut debt = registry::debt(address["premises"].as_str().unwrap_or("дом"));
    debt["fias_house_id"] = address["fias_house_id"].clone();
    registry::add(stand, &debt).await;
}

async fn start(stand: &Stand, mode: &str, ids: &[String]) -> Reply {
    stand.client.post(RUNS, &json!({ "scope": { "ids": ids }, "mode": mode })).await
}

/// Stops a run, as any other long work is stopped.
async fn stop(stand: &Stand, path: &str) -> Reply {
    let id = path.rsplit('/').next().unwrap();
    stand.client.post(&format!("/v1/operations/{id}/cancel"), &json!({})).await
}

async fn ended(stand: &Stand, started: Reply) -> Value {
    let path = started.header("location").to_owned();
    started.ok(202);
    stand.until(&path, |run| run["is_final"] == true).await
}

#[test]
fn answers_are_made_of_a_match() {
    for_both(3, async |stand| {
        let ids = stand.request_ids().await;
        start(&stand, "preview", &ids).await.problem(409, "state_conflict");
        registry_of_first(&stand, &ids[0]).await;
        let run = ended(&stand, start(&stand, "preview", &ids).await).await;
        let counts = &run["counts"];
        assert_eq!(
            (&counts["total"], &counts["pending"], &counts["queued"]),
            (&json!(3), &json!(0), &json!(0))
        );
        let results = ["found", "not_found", "ambiguous"].map(|it| counts[it].as_i64().unwrap());
        assert_eq!(results.iter().sum::<i64>(), 3);
        let items = stand.client.walk(&format!("{}?limit=1", run["items_url"].as_str().unwrap())).await;
        assert_eq!(items.len(), 3);
        for item in &items {
            assert!(item["basis_label"].is_string(), "{item:#}");
            let id = item["debt_request_id"].as_str().unwrap();
            let shown = stand.client.get(&format!("/v1/debt-requests/{id}")).await.ok(200);
            assert_eq!(shown["match"]["result"], item["result"]);
        }
        let run = ended(&stand, start(&stand, "submit", &ids).await).await;
        let queued = run["counts"]["queued"].as_i64().unwrap();
        assert_eq!(queued, results[0] + results[1], "what is in doubt waits for a person");
        let again = ended(&stand, start(&stand, "submit", &ids).await).await;
        assert_eq!((&again["counts"]["queued"], &again["counts"]["skipped"]), (&json!(0), &json!(queued)));
        let events = stand.client.get("/v1/events?type=operation.completed").await.ok(200);
        assert_eq!(events["items"].as_array().unwrap().len(), 3);
        for (body, pointer) in [
            (json!({ "scope": {}, "mode": "preview" }), "/scope"),
            (json!({ "scope": { "ids": ids, "filter": {} }, "mode": "preview" }), "/scope"),
            (json!({ "scope": { "ids": [uuid::Uuid::now_v7()] }, "mode": "preview" }), "/scope/ids"),
            (
                json!({ "scope": { "filter": { "due_form": "2026-11-01" } }, "mode": "preview" }),
                "/scope/filter/due_form",
            ),
            (json!({ "scope": { "filter": {} }, "mode": "guess" }), "/mode"),
            (
                json!({ "scope": { "ids": ids }, "mode": "preview", "department_id": uuid::Uuid::now_v7() }),
                "/department_id",
            ),
        ] {
            let problem = stand.client.post(RUNS, &body).await;
            assert_eq!(problem.status.as_u16(), 422);
            assert_eq!(problem.body["errors"][0]["pointer"], pointer);
        }
    });
}

#[test]
fn a_run_is_stopped() {
    for_both(2, async |stand| {
        let ids = stand.request_ids().await;
        registry_of_first(&stand, &ids[0]).await;
        let started = start(&stand, "preview", &ids).await;
        let path = started.header("location").to_owned();
        started.ok(202);
        let ended = stand.until(&path, |run| run["is_final"] == true).await;
        assert_eq!(ended["status"], "succeeded");
        stop(&stand, &path).await.problem(409, "state_conflict");
        stand.foreigner.get(&path).await.problem(404, "not_found");
    });
}

/// F77, F78: branches, each with its registry, answer the debts that they know; the head office answers what is left, and
/// never «no debt» where a branch that is responsible knows better.
#[test]
fn f77_f78_branches_answer_their_debts_first_and_the_head_office_the_rest() {
    const STREET: &str = "г. Примерск, ул. Ткацкая, д. 1";
    let setup = || Setup { settings: "[sync]\nleast_pause = \"1s\"\n", ..Setup::default() };
    for_both_with(setup, async |stand: Stand| {
        stand.read_gis().await;
        let head = stand.employee.to_string();
        let (here, there) = (Uuid::from_u128(0xA1), Uuid::from_u128(0xB1));
        let north = stand.department("Север", &head, &[here]).await;
        let south = stand.department("Юг", &head, &[there]).await;
        let asked = async |house: Uuid, flat: &str| {
            let fields = Fields {
                house: Some(Uuid::from_u128(house.as_u128() + 1)),
                fias_house: Some(house),
                address: Some(STREET.to_owned()),
                details: Some(flat.to_owned()),
                ..Fields::default()
            };
            stand.asked_about(fields).await
        };
        let owed = asked(here, "кв. 1").await;
        let doubted = asked(here, "кв. 2").await;
        let other = asked(there, "кв. 1").await;
        let row = |house: Uuid, flat: &str, department: Value| {
            let mut debt = registry::debt(flat);
            debt["fias_house_id"] = json!(house);
            debt["address"] = json!(STREET);
            debt["department_id"] = department;
            debt
        };
        registry::add(&stand, &row(here, "кв. 1", json!(north))).await;
        // Whoever knows a debt counts, even for what is in the north.
        registry::add(&stand, &row(here, "кв. 2", json!(south))).await;
        registry::add(&stand, &row(Uuid::now_v7(), "кв. 7", Value::Null)).await;

        let all = [&owed, &doubted, &other];
        let run = async |mode: &str, department: Option<&str>, only_debts: bool| {
            let body = json!({
                "scope": { "ids": all }, "mode": mode, "department_id": department, "only_debts": only_debts
            });
            let run = ended(&stand, stand.client.post(RUNS, &body).await).await;
            assert_eq!((&run["automatic"], &run["status"]), (&json!(false), &json!("succeeded")));
            let items = stand.client.walk(run["items_url"].as_str().unwrap()).await;
            all.map(|id| items.iter().find(|it| it["debt_request_id"] == id.as_str()).unwrap().clone())
        };
        let told = |items: &[Value; 3]| {
            let told = |it: &Value| format!("{} {}", it["result"], it["deed"]).replace('"', "");
            items.each_ref().map(told)
        };

        let early = run("preview", None, false).await;
        assert_eq!(told(&early), ["ambiguous matched", "ambiguous matched", "not_found matched"]);
        assert_eq!(early[0]["reasons"][0]["code"], "other_registry");
        let candidate = &early[0]["candidates"][0];
        assert_eq!(
            (&candidate["address"], &candidate["premises"], &candidate["premises_rule"]),
            (&json!(STREET), &json!("кв. 1"), &json!("same"))
        );
        let branch = run("submit", Some(&north), true).await;
        assert_eq!(told(&branch), ["found queued", "ambiguous matched", "not_found matched"]);
        let head_office = run("submit", None, false).await;
        assert_eq!(told(&head_office), ["ambiguous matched", "ambiguous matched", "not_found queued"]);
        let expected = [
            (&owed, json!(true), "found"),
            (&doubted, Value::Null, "found"),
            (&other, json!(false), "not_found"),
        ];
        for (id, has_debt, result) in expected {
            let request = stand.client.get(&format!("/v1/debt-requests/{id}")).await.ok(200);
            assert_eq!(request["answer"]["has_debt"], has_debt, "{request:#}");
            assert_eq!(request["match"]["result"], result);
        }
    });
}

/// F83: what is in doubt is in its list with the reasons, and a run that sends answers it as little as any other.
#[test]
fn f83_what_is_in_doubt_is_listed_and_never_answered() {
    const STREET: &str = "г. Примерск, ул. Ткацкая, д. 1";
    let setup = || Setup { settings: "[sync]\nleast_pause = \"1s\"\n", ..Setup::default() };
    for_both_with(setup, async |stand: Stand| {
        stand.read_gis().await;
        let house = Uuid::from_u128(0xA1);
        let asked = async |flat: &str| {
            let fields = Fields {
                fias_house: Some(house),
                address: Some(STREET.to_owned()),
                details: Some(flat.to_owned()),
                ..Fields::default()
            };
            stand.asked_about(fields).await
        };
        let (doubtful, free) = (asked("кв. 1 комн. 2").await, asked("кв. 9").await);
        let mut debt = registry::debt("кв. 1");
        (debt["fias_house_id"], debt["address"]) = (json!(house), json!(STREET));
        registry::add(&stand, &debt).await;
        let run = ended(&stand, start(&stand, "submit", &[doubtful.clone(), free.clone()]).await).await;
        let counts = ["ambiguous", "not_found", "queued", "draft"].map(|name| &run["counts"][name]);
        assert_eq!(counts, [1, 1, 1, 0]);
        let listed =
            stand.client.walk(&format!("{}?result=ambiguous", run["items_url"].as_str().unwrap())).await;
        let [item] = listed.as_slice() else { panic!("{listed:#?}") };
        assert_eq!(
            (&item["debt_request_id"], &item["deed"], &item["answer_id"]),
            (&json!(doubtful), &json!("matched"), &Value::Null)
        );
        assert_eq!(item["reasons"][0]["code"], "premises_partial", "{item:#}");
        let book = lists(&stand.client.get(run["content_url"].as_str().unwrap()).await.bytes);
        let (name, rows) = &book[2];
        assert_eq!((name.as_str(), rows.len(), &rows[0][1]), ("Возможные ошибки", 1, &doubtful));
        stand.pass(60).await;
        let answers = stand.client.walk("/v1/answers").await;
        let answered: Vec<_> = answers.iter().map(|answer| &answer["debt_request_id"]).collect();
        assert_eq!(answered, [&json!(free)], "nobody has answered what is in doubt");
        assert!(stand.held(&doubtful).held.answer.is_none());
        let shown = stand.client.get(&format!("/v1/debt-requests/{doubtful}")).await.ok(200);
        assert_eq!((&shown["answer"], &shown["match"]["result"]), (&Value::Null, &json!("ambiguous")));
    });
}

/// A department says «no debt» of its own requests alone.
#[test]
fn f78_a_branch_leaves_the_requests_of_others_alone() {
    for_both(2, async |stand| {
        let ids = stand.request_ids().await;
        let head = stand.employee.to_string();
        let north = stand.department("Север", &head, &[]).await;
        let mut debt = registry::debt("кв. 1");
        debt["department_id"] = json!(north);
        registry::add(&stand, &debt).await;
        let body = json!({ "scope": { "ids": ids }, "mode": "submit", "department_id": north });
        let run = ended(&stand, stand.client.post(RUNS, &body).await).await;
        assert_eq!((&run["counts"]["queued"], &run["counts"]["total"]), (&json!(0), &json!(2)));
        for item in stand.client.walk(run["items_url"].as_str().unwrap()).await {
            assert!(!item["reasons"].as_array().unwrap().is_empty(), "{item:#}");
        }
        assert!(stand.client.walk("/v1/answers").await.is_empty());
    });
}

/// F86
#[test]
fn f86_one_run_goes_on_at_a_time() {
    for_both(2, async |stand| {
        let ids = stand.request_ids().await;
        registry_of_first(&stand, &ids[0]).await;
        let first = start(&stand, "preview", &ids).await;
        let path = first.header("location").to_owned();
        first.ok(202);
        start(&stand, "preview", &ids[..1]).await.problem(409, "run_in_progress");
        let stopped = stop(&stand, &path).await.ok(200);
        assert_eq!((&stopped["status"], &stopped["is_final"]), (&json!("cancelled"), &json!(true)));
        let next = ended(&stand, start(&stand, "preview", &ids[..1]).await).await;
        assert_eq!((&next["status"], &next["counts"]["total"]), (&json!("succeeded"), &json!(1)));
    });
}

/// What only the registry knew that was replaced must not be sent, nor what it did not know.
#[test]
fn a_run_ends_with_the_registry_that_it_goes_by() {
    for_both(2, async |stand| {
        let ids = stand.request_ids().await;
        registry_of_first(&stand, &ids[0]).await;
        let started = start(&stand, "submit", &ids).await;
        let file = registry::upload(&stand.client, &[]).await.ok(202);
        registry::activate(&stand, &file).await.ok(200);
        let run = ended(&stand, started).await;
        assert_eq!((&run["status"], &run["counts"]["pending"]), (&json!("registry_replaced"), &json!(2)));
        assert!(stand.client.walk("/v1/answers").await.is_empty());
    });
}

/// What a person has stopped is not sent by a machine.
#[test]
fn what_was_cancelled_waits_for_a_person() {
    for_both(1, async |stand| {
        let [id] = stand.request_ids().await.try_into().unwrap();
        let answer = stand.answer(&id, &json!({ "submit": true, "has_debt": false })).await;
        stand.client.post(&format!("/v1/answers/{answer}/cancel"), &json!({})).await.ok(200);
        registry_of_first(&stand, &id).await;
        let run = ended(&stand, start(&stand, "submit", std::slice::from_ref(&id)).await).await;
        assert_eq!(run["counts"]["queued"], 0);
        assert_eq!(stand.client.get(&format!("/v1/answers/{answer}")).await.ok(200)["state"], "cancelled");
        let settings = json!({ "enabled": true, "days_before_due": 30, "require_registry": false });
        stand.client.call(Method::PUT, "/v1/settings/auto-answer").json(&settings).send().await.ok(200);
        let preview = stand.client.post("/v1/settings/auto-answer/preview", &json!({})).await.ok(200);
        assert_eq!(
            (&preview["items"][0]["answer"], &preview["items"][0]["skip_reason"]),
            (&json!(false), &json!("needs_person"))
        );
    });
}

#[test]
fn a_ready_workbook_says_which_requests_are_matched() {
    for_both(3, async |stand| {
        let ids = stand.request_ids().await;
        registry_of_first(&stand, &ids[0]).await;
        let file = sheet(&stand).await;
        let body = json!({ "file_name": "a.xlsx", "content_base64": STANDARD.encode(&file) });
        let import = stand.client.post("/v1/imports", &body).await.ok(202);
        stand.create(2);
        stand.pass(700).await;
        let sync = stand.client.post("/v1/sync-runs", &json!({})).await.ok(202);
        let sync = format!("/v1/sync-runs/{}", sync["id"].as_str().unwrap());
        stand.until(&sync, |run| run["finished_at"].is_string()).await;
        assert_eq!(stand.request_ids().await.len(), 5);

        let scope = |import: &Value| json!({ "scope": { "import_id": import }, "mode": "preview" });
        let run = ended(&stand, stand.client.post(RUNS, &scope(&import["id"])).await).await;
        assert_eq!(run["counts"]["total"], 3, "what came later is not matched");
        let items = stand.client.walk(run["items_url"].as_str().unwrap()).await;
        let mut matched: Vec<_> = items.iter().map(|it| it["debt_request_id"].as_str().unwrap()).collect();
        matched.sort_unstable();
        let mut expected = ids.clone();
        expected.sort_unstable();
        assert_eq!(matched, expected);
        // A mere list of them will do.
        let list = stand.client.post("/v1/imports", &list_of(&ids)).await.ok(202);
        let run = ended(&stand, stand.client.post(RUNS, &scope(&list["id"])).await).await;
        assert_eq!(run["counts"]["total"], 3);

        let unknown = scope(&json!(uuid::Uuid::now_v7()));
        let problem = stand.client.post(RUNS, &unknown).await.problem(422, "validation_failed");
        assert_eq!(
            (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
            (&json!("/scope/import_id"), &json!("not_found"))
        );
        // The workbook of another organisation, and one that lists what we do not have.
        let problem =
            stand.foreigner.post(RUNS, &scope(&import["id"])).await.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["code"], "not_found");
        let theirs = stand.foreigner.post("/v1/imports", &body).await.ok(202);
        let problem =
            stand.foreigner.post(RUNS, &scope(&theirs["id"])).await.problem(422, "validation_failed");
        assert_eq!(problem["errors"].as_array().unwrap().len(), 3);
        assert!(problem["errors"][0]["detail"].as_str().unwrap().starts_with("строка "));
    });
}

/// The rows of each list, without its header.
fn lists(file: &[u8]) -> Vec<(String, Vec<Vec<String>>)> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(file.to_vec())).unwrap();
    let names = book.sheet_names();
    let rows = |name: String| {
        let range = book.worksheet_range(&name).unwrap();
        let rows = range.rows().skip(1).map(|row| row.iter().map(ToString::to_string).collect());
        (name, rows.collect())
    };
    names.into_iter().map(rows).collect()
}

#[test]
fn the_three_lists_are_a_workbook() {
    for_both(3, async |mut stand| {
        let ids = stand.request_ids().await;
        registry_of_first(&stand, &ids[0]).await;
        let started = start(&stand, "preview", &ids).await;
        let content = format!("{}/content", started.header("location"));
        stand.client.get(&content).await.problem(409, "state_conflict");
        let run = ended(&stand, started).await;
        assert_eq!(run["content_url"], json!(content));
        let reply = stand.client.get(&content).await;
        assert!(reply.header("content-disposition").starts_with("attachment; filename=\"match-run-"));
        let full = lists(&reply.bytes);
        let counts = ["found", "not_found", "ambiguous"].map(|it| run["counts"][it].as_u64().unwrap());
        for ((name, rows), (expected, count)) in
            full.iter().zip(["Найдено", "Не найдено", "Возможные ошибки"].into_iter().zip(counts))
        {
            assert_eq!((name.as_str(), u64::try_from(rows.len()).unwrap()), (expected, count));
        }
        let rows: Vec<_> = full.iter().flat_map(|(_, rows)| rows).collect();
        assert!(rows.iter().all(|row| !row[0].is_empty() && !row[2].is_empty() && !row[7].is_empty()));
        let mut listed: Vec<_> = rows.iter().map(|row| row[1].clone()).collect();
        listed.sort_unstable();
        let mut expected = ids.clone();
        expected.sort_unstable();
        assert_eq!(listed, expected);

        let reader = stand.client_with("registry:read");
        let bare = lists(&reader.get(&content).await.bytes);
        let rows: Vec<_> = bare.iter().flat_map(|(_, rows)| rows).collect();
        assert!(rows.len() == 3 && rows.iter().all(|row| row[0].is_empty() && row[2].is_empty()));
        stand.foreigner.get(&content).await.problem(404, "not_found");
        let stranger = stand.client_with("requests:read");
        stranger.get(&content).await.problem(403, "scope_missing");
    });
}
