//! The trouble of one answer, of one file, of one organisation is nobody else's.

use std::collections::BTreeMap;

use gis_sim::faults::{Kind, Rule, Target, When};
use gis_sim::files::FileError;
use serde_json::{Value, json};

use super::files;
use super::kinds::{fault, file_error, http, item_error, state_error};
use super::row::{Posted, afterwards, effects};
use crate::harness::{FOREIGN_PPA, Stand, for_both};

/// Posts an answer to each of these debt requests; they go in one package.
async fn post_all(stand: &Stand, requests: &[String], comment: &str) -> Vec<Posted> {
    let mut posted = Vec::new();
    for (number, request) in requests.iter().enumerate() {
        posted.push(Posted::new(stand, request, &format!("{comment} {number}")).await);
    }
    posted
}

#[test]
fn one_bad_answer_of_a_package_is_rejected_alone() {
    let kinds = [
        item_error("INT002034"),
        fault("FMT001300"),
        fault("INT002034"),
        state_error("INT002034"),
        http(400),
    ];
    for_both(40, async |stand| {
        let requests = stand.request_ids().await;
        for (number, (kind, requests)) in kinds.iter().zip(requests.chunks(7)).enumerate() {
            let poison = number;
            let rule = Rule {
                operation: Target::ImportResponses,
                organization: None,
                subrequest: Some(requests[poison].parse().unwrap()),
                when: When::Always,
                kind: kind.clone(),
            };
            let rule = stand.gis().add_fault(rule).unwrap();
            let posted = post_all(&stand, requests, &format!("пакет {number}, решение")).await;
            for (place, posted) in posted.iter().enumerate() {
                let shown = posted.until_final(&stand).await;
                let expected = if place == poison { "rejected" } else { "delivered" };
                assert_eq!(shown["state"], expected, "{place} with {kind:?}: {shown:#}");
            }
            stand.gis().remove_fault(rule).unwrap();
            let again = Posted::new(&stand, &requests[poison], &format!("исправлено {number}")).await;
            again.until_final(&stand).await;
            afterwards(&stand).await;
            let others = posted.iter().enumerate().filter(|(place, _)| *place != poison);
            for posted in others.map(|(_, posted)| posted).chain([&again]) {
                posted.is_held(&stand);
                assert_eq!(effects(&stand, &posted.request), "sent", "{kind:?}");
            }
        }
    });
}

#[test]
fn results_that_come_short_in_disorder_or_twice_leave_no_answer_behind() {
    // Of how many of the five the result says nothing certain.
    let kinds = [(Kind::WrongCount { missing: 2 }, 2), (Kind::Shuffle, 0), (Kind::Duplicate, 5)];
    for_both(15, async |stand| {
        let requests = stand.request_ids().await;
        for ((kind, expected), requests) in kinds.iter().zip(requests.chunks(5)) {
            stand.fault(Target::ImportResponses, When::Next(1), kind.clone());
            let all = post_all(&stand, requests, kind.name()).await;
            let mut first_outcomes = BTreeMap::<String, usize>::new();
            for posted in &all {
                assert_eq!(posted.until_final(&stand).await["state"], "delivered", "{kind:?}");
                let outcomes = posted.outcomes(&stand, "send").await;
                assert_eq!(outcomes.len(), 1, "nothing is sent again: {kind:?}");
                *first_outcomes.entry(outcomes[0].clone()).or_default() += 1;
                posted.is_held(&stand);
                assert_eq!(effects(&stand, &posted.request), "sent", "{kind:?}");
            }
            let unknown = first_outcomes.get("unknown").copied().unwrap_or_default();
            assert_eq!(unknown, *expected, "{kind:?}: {first_outcomes:?}");
        }
    });
}

#[test]
fn a_bad_file_rejects_its_answer_alone() {
    for_both(4, async |stand| {
        let requests = stand.request_ids().await;
        let infected = file_error(FileError::FileVirusInfectionException);
        stand.fault(Target::UploadFile, When::Nth(2), infected);
        let mut all = Vec::new();
        for (number, request) in requests[..3].iter().enumerate() {
            all.push(files::post(&stand, request, &format!("решение {number}")).await);
        }
        let without = Posted::new(&stand, &requests[3], "без файла").await;
        let (mut delivered, mut rejected) = (0, 0);
        for posted in &all {
            let shown = posted.until_final(&stand).await;
            match shown["state"].as_str().unwrap() {
                "delivered" => {
                    delivered += 1;
                    posted.is_held(&stand);
                    files::has_act(&stand, posted);
                    assert_eq!(effects(&stand, &posted.request), "sent");
                }
                "rejected" => {
                    rejected += 1;
                    assert_eq!(shown["last_error"]["code"], "file_infected", "{shown:#}");
                    assert_eq!(effects(&stand, &posted.request), "");
                }
                other => panic!("{other}"),
            }
        }
        assert_eq!((delivered, rejected), (2, 1));
        assert_eq!(without.until_final(&stand).await["state"], "delivered");
        without.is_held(&stand);
    });
}

#[test]
fn one_organisation_that_gis_denies_does_not_stop_the_other() {
    for_both(3, async |stand| {
        let denied = Rule {
            operation: Target::ImportResponses,
            organization: Some(FOREIGN_PPA),
            subrequest: None,
            when: When::Always,
            kind: fault("AUT011009"),
        };
        stand.gis().add_fault(denied).unwrap();
        let theirs = theirs(&stand).await;
        let ours = stand.request_ids().await;
        for request in &ours {
            let posted = Posted::new(&stand, request, "наше решение").await;
            assert_eq!(posted.until_final(&stand).await["state"], "delivered");
            posted.is_held(&stand);
            assert_eq!(effects(&stand, request), "sent");
        }
        for (request, answer) in &theirs {
            let shown = stand.foreigner.get(&format!("/v1/answers/{answer}")).await.ok(200);
            assert_eq!((&shown["state"], &shown["is_final"]), (&json!("queued"), &json!(false)), "{shown:#}");
            assert_eq!(effects(&stand, request), "");
        }
        let status = stand.foreigner.get("/v1/gis/status").await.ok(200);
        assert_eq!(status["halted"]["code"], "AUT011009", "{status:#}");
        assert_eq!(status["queue"]["queued"], theirs.len());
        let status = stand.client.get("/v1/gis/status").await.ok(200);
        assert_eq!(
            (&status["state"], &status["halted"], &status["queue"]["queued"]),
            (&json!("ok"), &Value::Null, &json!(0)),
            "{status:#}"
        );
    });
}

/// Answers of the other organisation: debt request and answer.
async fn theirs(stand: &Stand) -> Vec<(String, String)> {
    let mut theirs = Vec::new();
    for request in crate::harness::ids(&stand.foreigner.walk("/v1/debt-requests").await) {
        let path = format!("/v1/debt-requests/{request}/answers");
        let body = json!({ "submit": true, "has_debt": false, "comment": "их ответ" });
        let posted = stand.foreigner.post(&path, &body).await.ok(202);
        theirs.push((request, posted["id"].as_str().unwrap().to_owned()));
    }
    theirs
}

#[test]
fn one_answer_that_gis_denies_does_not_stop_its_organisation() {
    for_both(7, async |stand| {
        let requests = stand.request_ids().await;
        let rule = Rule {
            operation: Target::ImportResponses,
            organization: None,
            subrequest: Some(requests[3].parse().unwrap()),
            when: When::Always,
            // The organisation does not serve this house any more.
            kind: fault("AUT011003"),
        };
        stand.gis().add_fault(rule).unwrap();
        let all = post_all(&stand, &requests, "решение").await;
        for (place, posted) in all.iter().enumerate() {
            let shown = posted.until_final(&stand).await;
            let expected = if place == 3 { "rejected" } else { "delivered" };
            assert_eq!(shown["state"], expected, "{place}: {shown:#}");
        }
        let me = stand.client.get("/v1/me").await.ok(200);
        assert_eq!(me["organizations"][0]["halted"], Value::Null, "{me:#}");
    });
}

#[test]
fn a_halted_organisation_sends_again_once_a_person_has_put_it_right() {
    for_both(1, async |mut stand| {
        let [request] = stand.request_ids().await.try_into().unwrap();
        stand.fault(Target::ImportResponses, When::Always, fault("AUT011009"));
        let posted = Posted::new(&stand, &request, "ответ").await;
        stand.until("/v1/gis/status", |status| status["halted"]["code"] == "AUT011009").await;
        stand.gis().clear_faults();
        let organization = stand.organization.to_string();
        stand.restart_after(|workshop| {
            workshop.run(&["org", "resume", "--id", &organization]);
        });
        assert_eq!(posted.until_final(&stand).await["state"], "delivered");
        posted.is_held(&stand);
        assert_eq!(stand.client.get("/v1/gis/status").await.ok(200)["halted"], Value::Null);
    });
}

#[test]
fn one_answer_that_gis_stumbles_over_does_not_hold_up_its_package() {
    for kind in [fault("EXP001000"), state_error("EXP001000"), http(500)] {
        for_both(20, async |stand| {
            let requests = stand.request_ids().await;
            let rule = Rule {
                operation: Target::ImportResponses,
                organization: None,
                subrequest: Some(requests[7].parse().unwrap()),
                when: When::Always,
                kind: kind.clone(),
            };
            stand.gis().add_fault(rule).unwrap();
            let all = post_all(&stand, &requests, "решение").await;
            for (place, posted) in all.iter().enumerate().filter(|(place, _)| *place != 7) {
                let shown = posted.until_final(&stand).await;
                assert_eq!(shown["state"], "delivered", "{place} with {kind:?}: {shown:#}");
                posted.is_held(&stand);
                assert_eq!(effects(&stand, &posted.request), "sent");
            }
            assert_eq!(effects(&stand, &requests[7]), "");
        });
    }
}

/// GIS has given up a version of the format, or the certificate of the tunnel has ended: nothing is wrong with any answer.
#[test]
fn when_nothing_at_all_is_acceptable_the_queue_stands_still_and_nothing_is_rejected() {
    for_both(3, async |mut stand| {
        let requests = stand.request_ids().await;
        stand.fault(Target::ImportResponses, When::Always, http(400));
        let all = post_all(&stand, &requests, "ответ").await;
        stand.until("/v1/gis/status", |status| !status["halted"].is_null()).await;
        for posted in &all {
            let shown = stand.client.get(&format!("/v1/answers/{}", posted.answer)).await.ok(200);
            assert_eq!(shown["state"], "queued", "{shown:#}");
        }
        stand.gis().clear_faults();
        let organization = stand.organization.to_string();
        stand.restart_after(|workshop| {
            workshop.run(&["org", "resume", "--id", &organization]);
        });
        for posted in &all {
            assert_eq!(posted.until_final(&stand).await["state"], "delivered");
            posted.is_held(&stand);
            assert_eq!(effects(&stand, &posted.request), "sent");
        }
    });
}
