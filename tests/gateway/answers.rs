//! What is posted stands in GIS as it was posted, and GIS's own words come back.

use gis_sim::faults::{Kind, Rule, Target, When};
use gis_sim::state::Change;
use gis_sim::wire::model::ResponseStatus;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Stand, for_both};

/// An invented court act: a PDF by its first bytes, with every byte value in it.
fn act() -> Vec<u8> {
    let every = (0..=u8::MAX).cycle().take(200_000);
    b"%PDF-1.7\n".iter().copied().chain(every).collect()
}

/// An invented additional file.
const LETTER: &[u8] = "вымышленное письмо".as_bytes();

#[test]
fn no_debt_is_delivered_and_then_confirmed() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let path = format!("/v1/debt-requests/{request}/answers");
        let body =
            json!({ "submit": true, "has_debt": false, "comment": " долга нет ", "external_id": "1C-1" });
        let posted = stand.client.post(&path, &body).await;
        let id = posted.body["id"].as_str().unwrap().to_owned();
        let answer = format!("/v1/answers/{id}");
        assert_eq!((posted.header("location"), posted.header("etag")), (answer.as_str(), "\"1\""));
        assert!((5..=1800).contains(&posted.header("retry-after").parse::<u32>().unwrap()));
        let posted = posted.ok(202);
        assert_eq!(
            (&posted["state"], &posted["is_final"], &posted["due_on"].is_string()),
            (&json!("queued"), &json!(false), &true)
        );
        assert_eq!(stand.client.get(&answer).await.ok(200), posted);

        let delivered = stand.until_state(&id, "delivered").await;
        assert_eq!(
            (&delivered["severity"], &delivered["is_final"], &delivered["confirmed_in_gis"]),
            (&json!("success"), &json!(true), &json!(false))
        );
        let confirmed = stand.until(&answer, |answer| answer["confirmed_in_gis"] == true).await;
        assert_eq!((&confirmed["state"], &confirmed["last_error"]), (&json!("delivered"), &Value::Null));

        let held = stand.held(&request);
        let answer = held.held.answer.unwrap();
        assert_eq!((answer.has_debt, answer.description.as_deref()), (false, Some(" долга нет ")));
        assert_eq!(
            (answer.executor, answer.debtors.len(), answer.additional_files.len()),
            (stand.executor, 0, 0)
        );
        assert_eq!(held.history.len(), 1, "it took effect once");
        let listed = stand.client.get(&format!("/v1/debt-requests/{request}")).await.ok(200);
        assert_eq!(
            (&listed["stage"], &listed["gis"]["response_status"]),
            (&json!("answered"), &json!("sent"))
        );
    });
}

#[test]
fn debtors_documents_and_files_arrive_byte_for_byte() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let uploaded = stand.upload("Судебный приказ № 2-17.pdf", "Судебный приказ", &act()).await;
        assert_eq!(
            (&uploaded["media_type"], &uploaded["size"]),
            (&json!("application/pdf"), &json!(act().len()))
        );
        let (passport, court_act) = ("1", "1");
        let debtor = |last: &str, middle: Value, snils: &str, number: &str| {
            json!({
                "last_name": last, "first_name": "Ёлка-Мария", "middle_name": middle, "snils": snils,
                "identity_document": { "type_code": passport, "series": "65 00", "number": number },
                "documents": [{ "type_code": court_act, "attachment_id": uploaded["id"] }],
            })
        };
        let body = json!({
            "submit": true, "has_debt": true, "comment": "Решение <вступило> в силу & \"окончательно\"",
            "debtors": [
                debtor("Вымышленный", json!("Иванович"), "11223344595", "123456"),
                debtor("О'Несуществующий", Value::Null, "08765430300", "654321"),
            ],
            "attachments": [{ "file_name": "письмо.txt", "description": "Письмо", "content_base64": base64(LETTER) }],
        });
        let id = stand.answer(&request, &body).await;
        stand.until_state(&id, "delivered").await;

        let held = stand.held(&request).held.answer.unwrap();
        assert!(held.has_debt);
        assert_eq!(held.description.as_deref(), body["comment"].as_str());
        let persons: Vec<_> = held
            .debtors
            .iter()
            .map(|debtor| {
                let person = &debtor.person;
                let document = person.document.as_ref().unwrap();
                assert_eq!(
                    (document.kind.code.as_str(), document.series.as_deref()),
                    (passport, Some("65 00"))
                );
                (
                    person.last.as_str(),
                    person.first.as_str(),
                    person.middle.as_deref(),
                    person.snils.as_deref(),
                    document.number.as_str(),
                )
            })
            .collect();
        assert_eq!(
            persons,
            [
                ("Вымышленный", "Ёлка-Мария", Some("Иванович"), Some("11223344595"), "123456"),
                ("О'Несуществующий", "Ёлка-Мария", None, Some("08765430300"), "654321"),
            ]
        );
        for debtor in &held.debtors {
            let [document] = debtor.documents.as_slice() else { panic!("one document") };
            assert_eq!(
                (document.kind.code.as_str(), document.file.name.as_str()),
                (court_act, "Судебный приказ № 2-17.pdf")
            );
            assert_eq!(stand.gis().file_content(document.file.guid).unwrap(), act());
        }
        let [letter] = held.additional_files.as_slice() else { panic!("one additional file") };
        assert_eq!((letter.name.as_str(), letter.description.as_str()), ("письмо.txt", "Письмо"));
        assert_eq!(stand.gis().file_content(letter.guid).unwrap(), LETTER);

        // What GIS shows is recognised as the same, and what we kept comes back as it was.
        stand.until(&format!("/v1/answers/{id}"), |answer| answer["confirmed_in_gis"] == true).await;
        let content = format!("/v1/attachments/{}/content", uploaded["id"].as_str().unwrap());
        assert_eq!(stand.client.get(&content).await.bytes, act());
        no_person_is_in_the_log(
            &stand,
            &["Вымышленный", "Несуществующий", "11223344595", "654321", "Ёлка", "приказ", "окончательно"],
        );
    });
}

/// Personal data must not reach the log.
fn no_person_is_in_the_log(stand: &Stand, secrets: &[&str]) {
    let log = stand.gateway.log();
    assert!(!log.is_empty());
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn a_refused_answer_tells_in_the_words_of_gis() {
    for_both(3, async |stand| {
        let requests = stand.request_ids().await;
        let words = "Адрес «улица Мира» неактуален";
        let rule = Rule {
            operation: Target::ImportResponses,
            organization: None,
            subrequest: Some(requests[1].parse().unwrap()),
            when: When::Always,
            kind: Kind::ItemError { code: "INT002034".to_owned(), text: Some(words.to_owned()), items: 1 },
        };
        let rule = stand.gis().add_fault(rule).unwrap();
        let mut answers = Vec::new();
        for request in &requests {
            answers.push(stand.answer(request, &json!({ "submit": true, "has_debt": false })).await);
        }
        let rejected = stand.until_state(&answers[1], "rejected").await;
        let error = &rejected["last_error"];
        assert_eq!(
            (&error["origin"], &error["code"], &error["retryable"]),
            (&json!("gis"), &json!("gis_rejected"), &json!(false))
        );
        assert_eq!(
            (&error["gis"]["code"], &error["gis"]["description"]),
            (&json!("INT002034"), &json!(words))
        );
        assert_eq!((&rejected["severity"], &rejected["is_final"]), (&json!("error"), &json!(true)));
        for other in [&answers[0], &answers[2]] {
            stand.until_state(other, "delivered").await;
        }
        assert_eq!(stand.held(&requests[1]).held.status, ResponseStatus::NotSent);

        // Corrected and posted again, it goes through.
        stand.gis().remove_fault(rule).unwrap();
        let again = json!({ "submit": true, "has_debt": false, "comment": "исправлено" });
        let again = stand.answer(&requests[1], &again).await;
        stand.until_state(&again, "delivered").await;
        assert_eq!(stand.held(&requests[1]).history.len(), 1);
    });
}

#[test]
fn a_correction_withdraws_and_sends_again_and_a_withdrawal_leaves_nothing() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let path = format!("/v1/debt-requests/{request}/answers");
        let first =
            stand.answer(&request, &json!({ "submit": true, "has_debt": false, "comment": "первый" })).await;
        stand.until_state(&first, "delivered").await;
        let second = json!({ "submit": true, "has_debt": false, "comment": "второй" });
        let refused = stand.client.post(&path, &second).await.problem(409, "already_answered");
        assert_eq!(refused["confirmable"], json!(["already_answered"]));
        let confirmed = json!({
            "submit": true, "has_debt": false, "comment": "второй", "confirm": ["already_answered"], "reason": "опечатка",
        });
        let second = stand.answer(&request, &confirmed).await;
        let waiting = stand.client.get(&format!("/v1/answers/{second}")).await.ok(200);
        assert_eq!((&waiting["state"], &waiting["blocked_by_answer_id"]), (&json!("queued"), &json!(first)));
        stand.until_state(&second, "delivered").await;
        let old = stand.client.get(&format!("/v1/answers/{first}")).await.ok(200);
        assert_eq!(old["state"], "revoked");
        stand
            .client
            .post(&format!("/v1/answers/{second}/revoke"), &json!({ "reason": "ошибка" }))
            .await
            .ok(202);
        stand.until_state(&second, "revoked").await;
        let held = stand.held(&request);
        assert_eq!(held.held.status, ResponseStatus::NotSent);
        let comments: Vec<_> = held
            .history
            .iter()
            .map(|effect| match &effect.change {
                Change::Sent(answer) => answer.description.clone().unwrap(),
                Change::Revoked => "revoked".to_owned(),
                Change::AutoGenerated => "automatic".to_owned(),
            })
            .collect();
        assert_eq!(comments, ["первый", "revoked", "второй", "revoked"]);
    });
}

#[test]
fn what_is_posted_twice_is_there_once() {
    for_both(2, async |stand| {
        let requests = stand.request_ids().await;
        let path = format!("/v1/debt-requests/{}/answers", requests[0]);
        let body = json!({ "submit": true, "has_debt": false });
        let call = || stand.client.call(Method::POST, &path).header("idempotency-key", "1c-1").json(&body);
        let first = call().send().await;
        let again = call().send().await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(
            (first.status, &first.body, first.header("etag")),
            (again.status, &again.body, again.header("etag"))
        );
        // Without a key the content decides; with another name of the client's it is the same answer under both.
        let same = stand
            .client
            .post(&path, &json!({ "submit": true, "has_debt": false, "external_id": "1C-7" }))
            .await
            .ok(200);
        assert_eq!(same["id"], first.body["id"]);
        let sought = json!({ "external_ids": ["1C-7", "1C-8"] });
        let found = stand.client.post("/v1/answers/lookup", &sought).await.ok(200);
        assert_eq!(found["items"][0]["answer"]["id"], first.body["id"]);
        assert!(found["not_found"].to_string().contains("1C-8"));
        // One key for another request of the client's is a mistake.
        let other = format!("/v1/debt-requests/{}/answers", requests[0]);
        let reused = stand.client.call(Method::POST, &other).header("idempotency-key", "1c-1");
        reused
            .json(&json!({ "submit": true, "has_debt": false, "comment": "иное" }))
            .send()
            .await
            .problem(422, "idempotency_key_reused");
        stand.until_state(first.body["id"].as_str().unwrap(), "delivered").await;
        assert_eq!(stand.held(&requests[0]).history.len(), 1);
    });
}

#[test]
fn a_key_holds_for_the_same_condition_alone() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let draft = stand.answer(&request, &json!({ "submit": false, "has_debt": false })).await;
        let path = format!("/v1/answers/{draft}");
        let edit = |version: &str| {
            let call = stand.client.call(Method::PATCH, &path).header("idempotency-key", "1c-2");
            call.header("if-match", version).json(&json!({ "comment": "нет" })).send()
        };
        let first = edit("\"1\"").await;
        let again = edit("\"1\"").await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(first.ok(200), again.ok(200));
        edit("\"2\"").await.problem(422, "idempotency_key_reused");
    });
}

#[test]
fn an_answer_outlives_the_program_and_a_silent_gis() {
    for_both(1, async |mut stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        // After an idle spell a harmless call goes first, so that an outage meets that one and not the answer.
        stand.pass(3600).await;
        for operation in [Target::Any, Target::Probe] {
            stand.fault(operation, When::Always, Kind::ResetBefore);
        }
        let id = stand.answer(&request, &json!({ "submit": true, "has_debt": false })).await;
        let status = stand.until("/v1/gis/status", |status| status["state"] != "ok").await;
        assert_eq!(status["queue"]["queued"], json!(1), "{status:#}");
        let waiting = stand.client.get(&format!("/v1/answers/{id}")).await.ok(200);
        assert_eq!((&waiting["state"], &waiting["severity"]), (&json!("queued"), &json!("normal")));
        stand.restart();
        stand.gis().clear_faults();
        stand.until_state(&id, "delivered").await;
        assert_eq!(stand.held(&request).history.len(), 1);
    });
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
