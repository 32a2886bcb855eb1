//! What a match says of rows that come near and are no proof: repaid debts, and addresses that differ.

use gis_sim::control::Fields;
use reqwest::Method;
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Setup, Stand, for_both_with};
use crate::registry::{self, NAME, REGISTRIES, activate, send_form};

/// The house of these stories in FIAS, and its address in GIS.
const HOUSE: Uuid = Uuid::from_u128(0xA1);
const ADDRESS: &str = "г. Примерск, ул. Ткацкая, д. 1";
const HEADER: [&str; 6] = [
    "Дата начала периода задолженности *",
    "Идентификатор адреса *",
    "Адрес дома",
    "Номер квартиры, комнаты, блока жилого дома *",
    "Фамилия *",
    "Имя *",
];

/// Readings may follow each other at once.
fn eager() -> Setup {
    Setup { settings: "[sync]\nleast_pause = \"1s\"\n", ..Setup::default() }
}

/// A debt request about a flat of the house.
async fn asked(stand: &Stand, flat: &str) -> String {
    let fields = Fields {
        house: Some(Uuid::from_u128(HOUSE.as_u128() + 1)),
        fias_house: Some(HOUSE),
        address: Some(ADDRESS.to_owned()),
        details: Some(flat.to_owned()),
        ..Fields::default()
    };
    stand.asked_about(fields).await
}

/// What a match says of each of these requests.
async fn matched<const N: usize>(stand: &Stand, mode: &str, requests: [&str; N]) -> [Value; N] {
    let body = json!({ "scope": { "ids": requests.as_slice() }, "mode": mode });
    let started = stand.client.post("/v1/match-runs", &body).await;
    let path = started.header("location").to_owned();
    started.ok(202);
    let run = stand.until(&path, |run| run["is_final"] == true).await;
    let items = stand.client.walk(run["items_url"].as_str().unwrap()).await;
    requests.map(|id| items.iter().find(|item| item["debt_request_id"] == id).unwrap().clone())
}

/// Result and deed of an item.
fn told(item: &Value) -> [&str; 2] {
    ["result", "deed"].map(|name| item[name].as_str().unwrap())
}

/// Whether the only row that was weighed explains itself by these words, and is no debt.
fn is_explained(item: &Value, words: &str) -> bool {
    let candidate = &item["candidates"][0];
    let labels = candidate["labels"].as_array().unwrap();
    candidate["counts"] == false && labels.iter().any(|label| label == words)
}

/// F61: «Дата погашения» before the day on which the request was sent; repaid on that day, a debt is a matter of opinion.
#[test]
fn f61_a_debt_repaid_before_the_request_was_sent_is_none() {
    for_both_with(eager, async |stand: Stand| {
        stand.read_gis().await;
        let repaid = asked(&stand, "кв. 1").await;
        let late = asked(&stand, "кв. 2").await;
        let owed = asked(&stand, "кв. 3").await;
        let sent = stand.client.get(&format!("/v1/debt-requests/{late}")).await.ok(200)["sent_on"].clone();
        for (flat, repaid_on) in [("кв. 1", json!("2025-06-01")), ("кв. 2", sent), ("кв. 3", Value::Null)]
        {
            let mut debt = registry::debt(flat);
            debt["fias_house_id"] = json!(HOUSE);
            debt["repaid_on"] = repaid_on;
            registry::add(&stand, &debt).await;
        }

        let all = [repaid.as_str(), late.as_str(), owed.as_str()];
        let items = matched(&stand, "preview", all).await;
        let expected = [["not_found", "matched"], ["ambiguous", "matched"], ["found", "matched"]];
        assert_eq!(items.each_ref().map(told), expected);
        let [none, doubtful, _] = &items;
        assert_eq!(
            (&none["basis"], &none["basis_label"], &none["reasons"]),
            (&json!("all_repaid"), &json!("Долг по этому помещению погашен до отправки запроса"), &json!([]))
        );
        assert_eq!(none["candidates"][0]["dates"], "repaid_before");
        assert!(is_explained(none, "Долг погашен до отправки запроса"), "{none:#}");
        assert_eq!(doubtful["reasons"][0]["code"], "not_in_period");
        assert_eq!(doubtful["candidates"][0]["dates"], "repaid_later");
        assert!(is_explained(doubtful, "Долг погашен в день отправки запроса или позже"), "{doubtful:#}");

        matched(&stand, "submit", all).await;
        for (id, has_debt) in [(&repaid, json!(false)), (&late, Value::Null), (&owed, json!(true))] {
            let request = stand.client.get(&format!("/v1/debt-requests/{id}")).await.ok(200);
            assert_eq!(request["answer"]["has_debt"], has_debt, "{request:#}");
        }
    });
}

/// A registry in a file: flats of the house, each with the address as somebody wrote it.
fn workbook(rows: &[(&str, &str)]) -> Vec<u8> {
    let house = HOUSE.to_string();
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, text) in (0..).zip(HEADER) {
        sheet.write_string(0, column, text).unwrap();
    }
    for (row, (flat, address)) in (1..).zip(rows) {
        let cells = ["12.03.2025", &house, address, flat, "Вымышленный", "Пётр"];
        for (column, text) in (0..).zip(cells) {
            sheet.write_string(row, column, text).unwrap();
        }
    }
    workbook.save_to_buffer().unwrap()
}

/// F62: the identifier of the house is the same and its address is not, so one of the two is wrong.
#[test]
fn f62_a_row_with_another_address_than_the_request_is_left_to_a_person() {
    const ELSEWHERE: &str = "г. Примерск, ул. Садовая, д. 1";
    for_both_with(eager, async |stand: Stand| {
        stand.read_gis().await;
        let same = asked(&stand, "кв. 1").await;
        let other = asked(&stand, "кв. 2").await;
        let file = workbook(&[("кв. 1", "Примерск г, Ткацкая ул, 1"), ("кв. 2", ELSEWHERE)]);
        let parts: [registry::Part<'_>; 1] = [("registry", Some(NAME), &file)];
        let registry = send_form(&stand.client, Method::POST, REGISTRIES, &parts).await.ok(202);
        assert_eq!(registry["status"], "checked", "{registry:#}");
        activate(&stand, &registry).await.ok(200);

        let [found, doubtful] = matched(&stand, "submit", [&same, &other]).await;
        assert_eq!(told(&found), ["found", "queued"]);
        assert_eq!(found["candidates"][0]["address_rule"], "agrees");
        assert_eq!(told(&doubtful), ["ambiguous", "matched"]);
        let reason = json!([{
            "code": "address_text_differs", "label": "Адрес дома в реестре расходится с адресом в запросе"
        }]);
        assert_eq!((&doubtful["basis"], &doubtful["reasons"]), (&json!("doubt"), &reason));
        let candidate = &doubtful["candidates"][0];
        assert_eq!(
            (&candidate["address"], &candidate["address_rule"], &candidate["house"]),
            (&json!(ELSEWHERE), &json!("differs"), &json!("fias"))
        );
        assert!(is_explained(&doubtful, "Адрес дома расходится"), "{doubtful:#}");
        let request = stand.client.get(&format!("/v1/debt-requests/{other}")).await.ok(200);
        assert_eq!((&request["answer"], &request["match"]["result"]), (&Value::Null, &json!("ambiguous")));
    });
}
