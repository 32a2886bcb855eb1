//! Personal data of answers go after their time, and what GIS holds stays as it is.

use serde_json::{Value, json};

use crate::harness::{Setup, for_both_with};

/// An invented person.
const LAST_NAME: &str = "Вымышленный";
const DAY: u64 = 24 * 3600;

fn setup() -> Setup {
    let settings = "[retention]\npersonal_data = \"1 month\"\n";
    Setup { requests: 1, settings, ..Setup::default() }
}

fn debt() -> Value {
    json!({
        "submit": true, "has_debt": true, "external_id": "1C-77", "comment": "решение вступило в силу",
        "debtors": [{
            "last_name": LAST_NAME, "first_name": "Пётр", "snils": "11223344595",
            "documents": [{ "type_code": "1", "file_name": "решение.txt", "content_base64": "0L/QuNGB0YzQvNC+" }],
        }],
    })
}

fn correction() -> Value {
    json!({
        "submit": true, "has_debt": false, "comment": "долг погашен", "reason": "ошибка",
        "confirm": ["already_answered", "correction_too_late"],
    })
}

#[test]
fn they_are_erased_after_their_time_and_gis_is_left_alone() {
    for_both_with(setup, async |stand| {
        stand.read_gis().await;
        let [request] = stand.request_ids().await.try_into().unwrap();
        let id = stand.answer(&request, &debt()).await;
        let answer = format!("/v1/answers/{id}");
        stand.until(&answer, |answer| answer["confirmed_in_gis"] == true).await;
        // The last day to answer is a week away at most, and a month has not passed since.
        stand.pass(14 * DAY).await;
        let before = stand.client.get(&answer).await.ok(200);
        assert_eq!(
            (&before["personal_data_erased_at"], &before["state"]),
            (&Value::Null, &json!("delivered"))
        );
        let file = before["debtors"][0]["documents"][0]["attachment_id"].as_str().unwrap();
        let file = format!("/v1/attachments/{file}");
        stand.client.get(&file).await.ok(200);

        stand.pass(42 * DAY).await;
        let erased = stand.client.get(&answer).await.ok(200);
        assert!(erased["personal_data_erased_at"].is_string(), "{erased:#}");
        assert_eq!(
            (&erased["debtors"], &erased["attachments"], &erased["comment"]),
            (&json!([]), &json!([]), &Value::Null)
        );
        for kept in ["id", "external_id", "revision", "state", "has_debt", "content_hash", "confirmed_in_gis"]
        {
            assert_eq!(erased[kept], before[kept], "{kept}");
        }
        // Files go as any that nothing uses.
        stand.pass(8 * DAY).await;
        stand.client.get(&file).await.problem(404, "not_found");
        stand.client.get(&format!("{file}/content")).await.problem(404, "not_found");

        let held = stand.held(&request);
        assert_eq!(
            (held.history.len(), held.held.answer.unwrap().debtors[0].person.last.as_str()),
            (1, LAST_NAME)
        );
        assert!(stand.client.walk_events("answer.mismatch").await.is_empty());

        let path = format!("/v1/debt-requests/{request}/answers");
        let again = stand.client.post(&path, &debt()).await.ok(200);
        assert_eq!(again["id"], erased["id"], "the same is there already");
        let corrected = stand.answer(&request, &correction()).await;
        stand.until_state(&corrected, "delivered").await;
        let held = stand.held(&request).held.answer.unwrap();
        assert_eq!((held.has_debt, held.description.as_deref()), (false, Some("долг погашен")));
        let withdrawn = stand.client.get(&answer).await.ok(200);
        assert_eq!((&withdrawn["state"], &withdrawn["debtors"]), (&json!("revoked"), &json!([])));
    });
}
