//! The zip that proves what was sent of an answer and what GIS said: byte for byte, so that its signatures hold.

use std::io::{Cursor, Read as _};
use std::time::Duration;

use gis_client::signature::verify_reply;
use gis_sim::faults::{HttpBody, Kind, Rule, Target, When};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use crate::harness::{Reply, Setup, Stand, for_both, for_both_with};

/// An invented person, and a letter about it.
const LAST_NAME: &str = "Вымышленный";
const LETTER: &str = "вымышленное письмо, которое нигде не лежит открыто";

/// The files of a zip in their order.
struct Zip(Vec<(String, String)>);

impl Zip {
    fn open(reply: &Reply) -> Self {
        assert_eq!(reply.status.as_u16(), 200, "{:#}", reply.body);
        let mut zip = ZipArchive::new(Cursor::new(&reply.bytes)).unwrap();
        let read = |place| {
            let mut file = zip.by_index(place).unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            (file.name().unwrap().to_string(), text)
        };
        Self((0..ZipArchive::new(Cursor::new(&reply.bytes)).unwrap().len()).map(read).collect())
    }

    async fn of(stand: &Stand, answer: &str) -> Self {
        Self::open(&stand.client.get(&path(answer)).await)
    }

    fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[track_caller]
    fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("no {name} among {:?}", self.names())).1
    }

    /// Every file but the summary stands in the summary with its digest.
    fn is_summed_up(&self) {
        let summary = self.text("summary.txt");
        for (name, text) in self.0.iter().filter(|(name, _)| name != "summary.txt") {
            let digest = hex::encode(Sha256::digest(text.as_bytes()));
            assert!(summary.contains(name) && summary.contains(&digest), "{name} {digest}\n{summary}");
        }
    }

    #[track_caller]
    fn says(&self, words: &str) {
        let summary = self.text("summary.txt");
        assert!(summary.contains(words), "{words}\n{summary}");
    }
}

fn path(answer: &str) -> String {
    format!("/v1/answers/{answer}/evidence")
}

fn debt() -> Value {
    json!({
        "submit": true, "has_debt": true, "external_id": "1C-77",
        "debtors": [{
            "last_name": LAST_NAME, "first_name": "Пётр", "snils": "11223344595",
            "documents": [{ "type_code": "1", "file_name": "решение.txt", "content_base64": base64(LETTER) }],
        }],
    })
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn a_delivered_answer_is_proved_with_signatures_that_hold() {
    for_both(1, async |mut stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let answer = stand.answer(&request, &debt()).await;
        let refused = stand.client.get(&path(&answer)).await.problem(409, "state_conflict");
        assert_eq!(refused["state"], "queued");
        stand.until_state(&answer, "delivered").await;

        let reply = stand.client.get(&path(&answer)).await;
        assert_eq!(
            [
                reply.header("content-type"),
                reply.header("cache-control"),
                reply.header("content-disposition")
            ],
            ["application/zip", "no-store", &format!("attachment; filename=\"evidence-{answer}.zip\"")]
        );
        let zip = Zip::open(&reply);
        assert_eq!(
            zip.names(),
            [
                "01-request.xml",
                "01-acknowledgement.xml",
                "01-result.xml",
                "certificate.pem",
                "gis-certificate.pem",
                "summary.txt"
            ]
        );
        let own = std::fs::read_to_string(stand.workshop.path("gost.cert.pem")).unwrap();
        assert_eq!(verify_reply(zip.text("01-request.xml")).unwrap().to_pem(), own);
        assert_eq!(zip.text("certificate.pem"), own);
        let signer = verify_reply(zip.text("01-result.xml")).unwrap().to_pem();
        assert!(signer != own && zip.text("gis-certificate.pem") == signer);
        for person in [LAST_NAME, "11223344595"] {
            assert!(zip.text("01-request.xml").contains(person));
            assert!(!zip.text("summary.txt").contains(person) && !stand.gateway.log().contains(person));
        }

        let submissions = stand.client.get(&format!("/v1/answers/{answer}/submissions")).await.ok(200);
        let sent = &submissions["items"][0];
        let guid = |name: &str| sent[name].as_str().unwrap_or_else(|| panic!("{name}: {sent:#}"));
        let (transport, ours, theirs) =
            (guid("transport_guid"), guid("our_message_guid"), guid("gis_message_guid"));
        assert!(zip.text("01-request.xml").contains(transport) && zip.text("01-request.xml").contains(ours));
        assert!(zip.text("01-acknowledgement.xml").contains(theirs));
        assert!(zip.text("01-result.xml").contains(transport));
        for words in [
            transport,
            ours,
            theirs,
            &answer,
            &request,
            "УК «Пример», ОГРН 1027700132195",
            "1C-77",
            "Состояние ответа: Размещён в ГИС ЖКХ",
            "Итог попытки: Выполнена",
            "Задолженность: есть",
            "подпись проверена, сертификат — certificate.pem",
            "подпись проверена, сертификат — gis-certificate.pem",
            "HTTP 200",
            "в файлах есть персональные данные и других ответов",
        ] {
            zip.says(words);
        }
        zip.is_summed_up();

        stand.foreigner.get(&path(&answer)).await.problem(404, "not_found");
        stand.restart();
        let again = Zip::of(&stand, &answer).await;
        assert_eq!(again.0[..4], zip.0[..4], "the messages outlive the program");
    });
}

#[test]
fn every_attempt_is_proved_apart() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        stand.fault_once(Target::ImportResponses, &request, Kind::ResetBefore);
        let answer = stand.answer(&request, &json!({ "submit": true, "has_debt": false })).await;
        stand.until_state(&answer, "delivered").await;
        stand.client.post(&format!("/v1/answers/{answer}/revoke"), &json!({})).await.ok(202);
        stand.until_state(&answer, "revoked").await;

        let zip = Zip::of(&stand, &answer).await;
        assert_eq!(
            zip.names(),
            [
                "01-request.xml",
                "02-request.xml",
                "02-acknowledgement.xml",
                "02-result.xml",
                "03-request.xml",
                "03-acknowledgement.xml",
                "03-result.xml",
                "certificate.pem",
                "gis-certificate.pem",
                "summary.txt",
            ]
        );
        for name in ["01-request.xml", "02-request.xml", "03-request.xml", "02-result.xml", "03-result.xml"] {
            verify_reply(zip.text(name)).unwrap();
        }
        let transport = |name: &str| between(zip.text(name), "TransportGUID");
        assert_eq!(transport("01-request.xml"), transport("02-request.xml"), "the same action again");
        assert_ne!(transport("02-request.xml"), transport("03-request.xml"));
        let message = |name: &str| between(zip.text(name), "MessageGUID");
        assert_ne!(message("01-request.xml"), message("02-request.xml"), "in a message of its own");
        for words in [
            "ПОПЫТКА 1. Размещение ответа",
            "Ответ на отправку: в архиве нет",
            "ПОПЫТКА 3. Отзыв ответа",
            "Состояние ответа: Отозван",
        ] {
            zip.says(words);
        }
        zip.is_summed_up();
    });
}

/// The text of the first element of a name.
fn between(document: &str, name: &str) -> String {
    let (_, rest) = document.split_once(&format!("{name}>")).unwrap();
    rest.split_once('<').unwrap().0.to_owned()
}

#[test]
fn a_refusal_is_proved_in_the_words_of_gis() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let words = "Адрес «улица Мира» неактуален";
        let kind = Kind::ItemError { code: "INT002034".to_owned(), text: Some(words.to_owned()), items: 1 };
        let subrequest = Some(request.parse().unwrap());
        let operation = Target::ImportResponses;
        stand
            .gis()
            .add_fault(Rule { operation, organization: None, subrequest, when: When::Always, kind })
            .unwrap();
        let answer = stand.answer(&request, &json!({ "submit": true, "has_debt": false })).await;
        stand.until_state(&answer, "rejected").await;
        let zip = Zip::of(&stand, &answer).await;
        assert!(zip.text("01-result.xml").contains(words));
        zip.says(&format!("Слова ГИС ЖКХ: INT002034 {words}"));
        zip.says("Итог попытки: Отклонена");
    });
}

#[test]
fn the_page_of_a_front_end_is_kept_as_what_it_is() {
    for_both(1, async |stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let kind = Kind::Http { status: 502, body: HttpBody::Html, retry_after: None, late: None };
        stand.fault_once(Target::ImportResponses, &request, kind);
        let answer = stand.answer(&request, &json!({ "submit": true, "has_debt": false })).await;
        stand.until_state(&answer, "delivered").await;
        let zip = Zip::of(&stand, &answer).await;
        assert_eq!(zip.names()[..3], ["01-request.xml", "01-acknowledgement.txt", "02-request.xml"]);
        assert!(zip.text("01-acknowledgement.txt").contains("502"));
        zip.says("HTTP 502");
    });
}

#[test]
fn with_a_key_nothing_readable_lies_in_the_file_store() {
    let setup =
        || Setup { requests: 1, settings: "[encryption]\nkey_file = \"files.key\"\n", ..Setup::default() };
    for_both_with(setup, async |mut stand| {
        stand.read_gis().await;
        let [request] = stand.request_ids().await.try_into().unwrap();
        let answer = stand.answer(&request, &debt()).await;
        stand.until_state(&answer, "delivered").await;
        let held = stand.held(&request).held.answer.unwrap();
        let file = held.debtors[0].documents[0].file.guid;
        assert_eq!(stand.gis().file_content(file).unwrap(), LETTER.as_bytes(), "GIS has it open");

        let stored: Vec<_> = std::fs::read_dir(stand.workshop.path("files")).unwrap().collect();
        assert_eq!(stored.len(), 4, "a file and three messages");
        for stored in stored {
            let stored = stored.unwrap();
            assert!(
                uuid::Uuid::try_parse(stored.file_name().to_str().unwrap()).is_ok(),
                "a name says nothing"
            );
            let bytes = std::fs::read(stored.path()).unwrap();
            assert!(bytes.starts_with(b"\0debtgate sealed"));
            for word in [LETTER, LAST_NAME, "Envelope"] {
                assert!(!bytes.windows(word.len()).any(|part| part == word.as_bytes()), "{word}");
            }
        }
        let zip = Zip::of(&stand, &answer).await;
        assert!(zip.text("01-request.xml").contains(LAST_NAME));
        stand.restart();
        assert_eq!(Zip::of(&stand, &answer).await.0[..4], zip.0[..4]);
    });
}

#[test]
fn a_message_is_archived_before_the_call_that_the_program_does_not_outlive() {
    for_both(1, async |mut stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        let slow = Kind::Slow { duration: Duration::from_secs(3600) };
        stand.fault_once(Target::ImportResponses, &request, slow);
        let answer = stand.answer(&request, &json!({ "submit": true, "has_debt": false })).await;
        stand.pass_without_jobs(10).await;
        let jobs = stand.start_jobs();
        while stand.client.get(&path(&answer)).await.status.as_u16() != 200 {
            assert!(!jobs.is_finished(), "the call has ended");
            tokio::task::yield_now().await;
        }
        stand.restart();
        jobs.await.unwrap_err();
        let zip = Zip::of(&stand, &answer).await;
        assert_eq!(zip.names(), ["01-request.xml", "certificate.pem", "summary.txt"]);
        verify_reply(zip.text("01-request.xml")).unwrap();
        stand.until_state(&answer, "delivered").await;
        assert_eq!(stand.held(&request).history.len(), 1, "it took effect once");
    });
}
