//! Departments: houses lead debt requests to whoever is responsible.

use gis_sim::control::Fields;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Setup, Stand, for_both, for_both_with, ids};
use crate::refusal::{Refusal, UNKNOWN, letters, post, refused};

const DEPARTMENTS: &str = "/v1/departments";
const INVALID: &str = "validation_failed";
const NAMELESS: &str = "executor_without_gis_id";

fn path(id: &str) -> String {
    format!("{DEPARTMENTS}/{id}")
}

/// A stand that may read GIS as often as a story wants.
fn eager() -> Setup {
    Setup { settings: "[sync]\nleast_pause = \"1s\"\n", ..Setup::default() }
}

/// Department, responsible employee and executor of a debt request.
async fn place(stand: &Stand, request: &str) -> [Value; 3] {
    let request = stand.client.get(&format!("/v1/debt-requests/{request}")).await.ok(200);
    ["department_id", "responsible_id", "executor_id"].map(|field| request[field].clone())
}

/// The houses of debt requests, by all their names.
pub(crate) fn houses(requests: &[Value]) -> Vec<Uuid> {
    let names =
        requests.iter().flat_map(|it| ["fias_house_id", "gis_house_id"].map(|name| &it["address"][name]));
    let mut houses: Vec<Uuid> = names.filter_map(|house| house.as_str()?.parse().ok()).collect();
    houses.sort_unstable();
    houses.dedup();
    houses
}

fn at(department: &str, employee: &str) -> [Value; 3] {
    [json!(department), json!(employee), json!(employee)]
}

fn fallback(stand: &Stand) -> [Value; 3] {
    [Value::Null, json!(stand.employee), json!(stand.employee)]
}

#[test]
fn departments_are_made_changed_and_removed() {
    for_both(0, async |stand| {
        let head = stand.employ("Головин Г. Г.", Some(Uuid::now_v7()), None).await;
        let houses: Vec<_> = (1..=3).map(Uuid::from_u128).collect();
        let body = json!({ "name": "Север", "responsible_id": head, "houses": houses });
        let made = stand.client.post(DEPARTMENTS, &body).await;
        let id = made.body["id"].as_str().unwrap().to_owned();
        assert_eq!((made.header("location"), made.header("etag")), (path(&id).as_str(), "\"1\""));
        let made = made.ok(201);
        let houses_url = made["houses_url"].as_str().unwrap();
        assert_eq!((&made["house_count"], &made["responsible_id"]), (&json!(3), &json!(head)));
        assert_eq!(stand.client.get(&path(&id)).await.ok(200), made);
        let listed = stand.client.walk(&format!("{houses_url}?limit=2")).await;
        let expected: Vec<_> = houses.iter().map(|house| json!({ "fias_house_id": house })).collect();
        assert_eq!(listed, expected);

        let named = stand.client.patch(&path(&id), &json!({ "name": "Северный участок" })).await.ok(200);
        assert_eq!(
            (&named["name"], &named["house_count"], &named["version"]),
            (&json!("Северный участок"), &json!(3), &json!(2))
        );
        let fewer = stand.client.patch(&path(&id), &json!({ "houses": houses[1..] })).await.ok(200);
        assert_eq!((&fewer["house_count"], &fewer["version"]), (&json!(2), &json!(3)));
        assert_eq!(stand.client.walk(houses_url).await, expected[1..]);
        let call = stand.client.call(Method::DELETE, &path(&id)).header("if-match", "\"2\"");
        call.send().await.problem(412, "version_mismatch");
        let member = stand.employ("Членов Ч. Ч.", None, Some(&id)).await;
        stand.client.call(Method::DELETE, &path(&id)).send().await.ok(204);
        stand.client.get(&path(&id)).await.problem(404, "not_found");
        stand.client.get(houses_url).await.problem(404, "not_found");
        let member = stand.client.get(&format!("/v1/employees/{member}")).await.ok(200);
        assert_eq!(member["department_id"], Value::Null);
        assert!(stand.client.walk(DEPARTMENTS).await.is_empty());
    });
}

/// F4, F5: a new debt request goes to whoever is responsible for its house, known by FIAS or by the same GUID in GIS; one
/// about a house of nobody goes to whoever stands in.
#[test]
fn f4_f5_a_new_request_goes_to_the_department_of_its_house_or_to_the_fallback() {
    for_both_with(eager, async |stand: Stand| {
        stand.read_gis().await;
        let head = stand.employ("Головин Г. Г.", Some(Uuid::now_v7()), None).await;
        let (fias, gis) = (Uuid::now_v7(), Uuid::now_v7());
        let north = stand.department("Север", &head, &[fias, gis]).await;
        let by_fias = stand.asked_about(Fields { fias_house: Some(fias), ..Fields::default() }).await;
        let by_gis = stand.asked_about(Fields { house: Some(gis), ..Fields::default() }).await;
        let unknown =
            stand.asked_about(Fields { fias_house: Some(Uuid::now_v7()), ..Fields::default() }).await;
        assert_eq!(place(&stand, &by_fias).await, at(&north, &head));
        assert_eq!(place(&stand, &by_gis).await, at(&north, &head));
        assert_eq!(place(&stand, &unknown).await, fallback(&stand));

        // Nobody else is given anything to do.
        stand.client.patch(&format!("/v1/employees/{head}"), &json!({ "active": false })).await.ok(200);
        let later = stand.asked_about(Fields { fias_house: Some(fias), ..Fields::default() }).await;
        let stands_in = [json!(north), json!(stand.employee), json!(stand.employee)];
        for request in [&later, &by_fias] {
            assert_eq!(place(&stand, request).await, stands_in);
        }
    });
}

/// F5: exports of the new form name no house of GIS, and some houses are not in FIAS.
#[test]
fn f5_requests_without_a_house_go_to_the_fallback() {
    let setup = || Setup {
        gis: "export_version = \"14.0.0.0\"\n",
        scenario: Some(json!({ "requests": { "without_fias_one_in": 1 } })),
        ..eager()
    };
    for_both_with(setup, async |stand: Stand| {
        stand.read_gis().await;
        let head = stand.employ("Головин Г. Г.", Some(Uuid::now_v7()), None).await;
        stand.department("Север", &head, &[Uuid::now_v7()]).await;
        let id = stand.asked_about(Fields::default()).await;
        let request = stand.client.get(&format!("/v1/debt-requests/{id}")).await.ok(200);
        assert_eq!(houses(&[request]), Vec::<Uuid>::new());
        assert_eq!(place(&stand, &id).await, fallback(&stand));
    });
}

/// F6, F10, F11: list and counter by department and executor.
#[test]
fn f6_f10_f11_the_list_and_the_counter_go_by_department_and_executor() {
    for_both(40, async |stand| {
        let all = stand.client.walk("/v1/debt-requests?limit=200").await;
        let house = all.iter().find_map(|it| it["address"]["fias_house_id"].as_str()).unwrap();
        let head = stand.employ("Головин Г. Г.", Some(Uuid::now_v7()), None).await;
        let north = stand.department("Север", &head, &[house.parse().unwrap()]).await;
        stand.pass(1).await;
        let wanted =
            all.iter().filter(|it| it["address"]["fias_house_id"] == house).cloned().collect::<Vec<_>>();
        for query in [
            format!("department_id={north}"),
            format!("executor_id={head}"),
            format!("responsible_id={head}"),
        ] {
            let listed = ids(&stand.client.walk(&format!("/v1/debt-requests?{query}")).await);
            assert_eq!(listed, ids(&wanted), "{query}");
            let count = stand.client.get(&format!("/v1/debt-requests/count?{query}")).await.ok(200);
            assert_eq!(
                (&count["total"], &count["new"]),
                (&json!(wanted.len()), &json!(wanted.len())),
                "{query}"
            );
        }
        // Whoever stands in has no department, and finds his own all the same.
        let rest: Vec<_> = all.iter().filter(|it| it["address"]["fias_house_id"] != house).cloned().collect();
        for query in ["department_id=none".to_owned(), format!("responsible_id={}", stand.employee)] {
            let listed = ids(&stand.client.walk(&format!("/v1/debt-requests?{query}")).await);
            assert_eq!(listed, ids(&rest), "{query}");
            let count = stand.client.get(&format!("/v1/debt-requests/count?{query}")).await.ok(200);
            assert_eq!(count["new"], json!(rest.len()), "{query}");
        }
    });
}

/// A change of departments gives out anew what is not answered and nobody gave by hand.
#[test]
fn a_change_of_departments_leaves_alone_what_is_answered_or_was_given_by_hand() {
    for_both(4, async |stand| {
        let all = stand.client.walk("/v1/debt-requests").await;
        let [auto, drafted, answered, by_hand] = ids(&all).try_into().unwrap();
        let houses = houses(&all);
        stand.answer(&drafted, &json!({ "has_debt": false })).await;
        let sent = stand.answer(&answered, &json!({ "has_debt": false, "submit": true })).await;
        stand.until_state(&sent, "delivered").await;
        let keeper = stand.employ("Хранителев Х. Х.", None, None).await;
        let by_hand_path = format!("/v1/debt-requests/{by_hand}");
        stand.client.patch(&by_hand_path, &json!({ "executor_id": keeper })).await.ok(200);
        let kept = [Value::Null, json!(stand.employee), json!(keeper)];

        let (head, next) = (
            stand.employ("Головин Г. Г.", Some(Uuid::now_v7()), None).await,
            stand.employ("Сменин С. С.", Some(Uuid::now_v7()), None).await,
        );
        let north = stand.department("Север", &head, &houses).await;
        stand.pass(1).await;
        for request in [&auto, &drafted] {
            assert_eq!(place(&stand, request).await, at(&north, &head));
        }
        assert_eq!(place(&stand, &answered).await, fallback(&stand));
        assert_eq!(place(&stand, &by_hand).await, kept);
        let history = stand.client.walk(&format!("/v1/debt-requests/{auto}/history")).await;
        let told = history.last().unwrap();
        assert_eq!(
            (&told["type"], &told["data"]["department_id"]),
            (&json!("debt_request.assigned"), &json!(north))
        );

        stand.client.patch(&path(&north), &json!({ "responsible_id": next })).await.ok(200);
        stand.pass(1).await;
        assert_eq!(place(&stand, &auto).await, at(&north, &next));
        // Given to the department by hand, and back to where it belongs when there is no such department any more.
        stand.client.patch(&by_hand_path, &json!({ "department_id": north })).await.ok(200);
        assert_eq!(place(&stand, &by_hand).await, at(&north, &next));
        stand.client.call(Method::DELETE, &path(&north)).send().await.ok(204);
        stand.pass(1).await;
        for request in [&auto, &drafted, &by_hand] {
            assert_eq!(place(&stand, request).await, fallback(&stand));
        }
        let version = stand.client.get(&format!("/v1/debt-requests/{auto}")).await.ok(200)["version"].clone();
        stand.pass(600).await;
        let later = stand.client.get(&format!("/v1/debt-requests/{auto}")).await.ok(200);
        assert_eq!(later["version"], version, "it comes to rest");
    });
}

#[test]
fn ten_thousand_houses_are_taken_and_one_more_is_not() {
    for_both(0, async |stand| {
        let houses: Vec<_> = (1..=10_001_u128).map(Uuid::from_u128).collect();
        let employee = stand.employee.to_string();
        let body = json!({ "name": "Всё", "responsible_id": employee, "houses": houses });
        let problem = stand.client.post(DEPARTMENTS, &body).await.problem(422, INVALID);
        assert_eq!(problem["errors"][0]["pointer"], "/houses");
        let id = stand.department("Всё", &employee, &houses[..10_000]).await;
        assert_eq!(stand.client.walk(&format!("{}/houses?limit=200", path(&id))).await.len(), 10_000);
    });
}

#[test]
fn wrong_departments_are_refused_with_their_mistakes() {
    for_both(0, async |stand| {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let head = stand.employee.to_string();
        let north = path(&stand.department("Север", &head, &[one]).await);
        stand.department("Юг", &head, &[two]).await;
        let gone = stand.employ("Ушедший У. У.", None, None).await;
        stand.client.patch(&format!("/v1/employees/{gone}"), &json!({ "active": false })).await.ok(200);
        let nameless = stand.employ("Безымянный Б. Б.", None, None).await;
        let new = |houses: Value| json!({ "name": "А", "responsible_id": head, "houses": houses });
        let create = |body: Value| post(format!("new {body:.80}"), DEPARTMENTS, &body);
        let edit = |body: Value| Refusal::of(format!("edit {body:.80}"), Method::PATCH, &north).json(&body);
        let table = [
            create(json!({ "name": "А" })).is(422, INVALID).at("/responsible_id", "required"),
            create(json!({ "name": " ", "responsible_id": head })).is(422, INVALID).at("/name", "required"),
            create(json!({ "name": letters(256), "responsible_id": head }))
                .is(422, INVALID)
                .at("/name", "too_long"),
            create(json!({ "name": "А", "responsible_id": UNKNOWN }))
                .is(422, INVALID)
                .at("/responsible_id", "not_found"),
            create(json!({ "name": "А", "responsible_id": gone }))
                .is(422, INVALID)
                .at("/responsible_id", "inactive"),
            create(json!({ "name": "А", "responsible_id": nameless }))
                .is(422, NAMELESS)
                .at("/responsible_id", NAMELESS),
            edit(json!({ "responsible_id": nameless })).is(422, NAMELESS).at("/responsible_id", NAMELESS),
            create(new(json!(["17"]))).is(422, INVALID).at("/houses/0", "format"),
            create(new(json!(null))).is(422, INVALID).at("/houses", "type"),
            create(new(json!([UNKNOWN, UNKNOWN]))).is(422, INVALID).at("/houses/1", "repeated"),
            create(new(json!([UNKNOWN, one]))).is(422, INVALID).at("/houses/1", "house_taken"),
            edit(json!({ "houses": [one, two] })).is(422, INVALID).at("/houses/1", "house_taken"),
            edit(json!({ "responsible_id": null })).is(422, INVALID).at("/responsible_id", "type"),
            edit(json!({ "responsible": head }))
                .is(422, "unknown_field")
                .at("/responsible", "unknown_field")
                .advising("responsible_id"),
            edit(json!({ "name": "Б" })).header("if-match", "\"7\"").is(412, "version_mismatch"),
            Refusal::of("unknown", Method::DELETE, path(UNKNOWN)).is(404, "not_found"),
        ];
        refused(&stand, &table).await;
        assert_eq!(stand.client.walk(DEPARTMENTS).await.len(), 2);
        let kept = stand.client.walk(&format!("{north}/houses")).await;
        assert_eq!(kept, [json!({ "fias_house_id": one })], "nothing is half done");
    });
}
