//! The straight way: what is posted stands in GIS.

use std::time::Duration;

use gis_sim::faults::{Kind, Target, When};

use super::bench::{Bench, for_both, no_debt};
use crate::answers::{ContentDraft, DebtorDraft, FileDraft, FileSource, IdentityDocumentDraft};
use crate::domain::answer::State;
use crate::domain::attachment::FileState;
use crate::domain::debt_request::Stage;
use crate::jobs::JobName;
use crate::store::answers;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn file(type_code: Option<&str>, name: &str, content: &'static [u8]) -> FileDraft {
    FileDraft {
        type_code: type_code.map(str::to_owned),
        description: None,
        source: FileSource::Inline { file_name: name.to_owned(), content: content.into() },
    }
}

const ACT: &[u8] = b"%PDF-1.4 an invented court act";
const LETTER: &[u8] = b"an invented letter";

fn debt() -> ContentDraft {
    let debtor = |last_name: &str, number: &str| DebtorDraft {
        last_name: last_name.to_owned(),
        first_name: "Пётр".to_owned(),
        middle_name: None,
        snils: Some("11223344595".to_owned()),
        identity_document: Some(IdentityDocumentDraft {
            type_code: "1".to_owned(),
            series: Some("6500".to_owned()),
            number: number.to_owned(),
        }),
        documents: vec![file(Some("1"), "Судебный приказ.pdf", ACT)],
    };
    ContentDraft {
        has_debt: true,
        comment: Some("Решение вступило в силу".to_owned()),
        debtors: vec![debtor("Вымышленный", "123456"), debtor("Несуществующий", "654321")],
        attachments: vec![file(None, "письмо.txt", LETTER)],
    }
}

#[test]
fn no_debt_is_delivered_and_then_confirmed() {
    for_both(async |bench| {
        let [request] = bench.requests(1).await.try_into().unwrap();
        let answer = bench.post(request, no_debt("нет")).await;
        bench.step().await;
        assert_eq!(bench.state(answer).await, State::Accepted);
        bench.pass(Duration::from_secs(10)).await;
        let delivered = bench.answer(answer).await;
        assert_eq!(delivered.state, State::Delivered);
        assert!(delivered.gis_updated_at.is_some() && !delivered.confirmed_in_gis);
        // Whoever wakes this job for something else meanwhile, it looks at the answer in its time.
        assert_eq!(bench.worker.step(JobName::Settle).await.unwrap().next, delivered.next_check_at);
        bench.pass(Duration::from_secs(1800)).await;
        bench.pass(Duration::from_secs(10)).await;
        assert!(bench.answer(answer).await.confirmed_in_gis);
        let mirrored = bench.request(request).await;
        assert_eq!(mirrored.stage, Stage::Answered);
        assert_eq!(mirrored.shown.unwrap().has_debt, Some(false));
        assert_eq!(bench.effects(request).len(), 1);
    });
}

#[test]
fn a_look_that_got_lost_is_made_again_soon() {
    let lost = [
        Kind::ResetBefore,
        Kind::LostState { after: Duration::ZERO },
        Kind::StateError { code: "EXP001000".to_owned(), text: None },
    ];
    for_both(async |bench| {
        for kind in lost.clone() {
            let [request] = bench.requests(1).await.try_into().unwrap();
            let answer = bench.post(request, no_debt("нет")).await;
            bench.step().await;
            bench.pass(Duration::from_secs(10)).await;
            bench.fault(Target::ExportDebtSubrequests, kind.clone());
            // Half an hour after the delivery it is looked for; ten seconds later that is known to have got lost.
            bench.pass(Duration::from_secs(1800)).await;
            bench.pass(Duration::from_secs(10)).await;
            assert!(!bench.answer(answer).await.confirmed_in_gis, "{kind:?}");
            bench.pass(Duration::from_secs(150)).await;
            bench.pass(Duration::from_secs(10)).await;
            assert!(bench.answer(answer).await.confirmed_in_gis, "{kind:?}");
        }
    });
}

#[test]
fn debtors_documents_and_files_arrive_as_they_were_posted() {
    for_both(async |bench| {
        let [request] = bench.requests(1).await.try_into().unwrap();
        let answer = bench.post(request, debt()).await;
        bench.work().await;
        assert_eq!(bench.state(answer).await, State::Delivered);
        let held = bench.held(request).held.answer.unwrap();
        assert!(held.has_debt);
        assert_eq!(held.executor, bench.executor);
        assert_eq!(held.description.as_deref(), Some("Решение вступило в силу"));
        let names: Vec<_> = held.debtors.iter().map(|debtor| debtor.person.last.as_str()).collect();
        assert_eq!(names, ["Вымышленный", "Несуществующий"]);
        for debtor in &held.debtors {
            assert_eq!(debtor.person.first, "Пётр");
            assert_eq!(debtor.person.middle, None);
            assert_eq!(debtor.person.snils.as_deref(), Some("11223344595"));
            let document = debtor.person.document.as_ref().unwrap();
            assert_eq!((document.kind.code.as_str(), document.series.as_deref()), ("1", Some("6500")));
            let [act] = debtor.documents.as_slice() else { panic!("one document") };
            assert_eq!(act.kind.code, "1");
            assert_eq!(act.file.name, "Судебный приказ.pdf");
            assert_eq!(bench.simulator.control().file_content(act.file.guid).unwrap(), ACT);
        }
        let [letter] = held.additional_files.as_slice() else { panic!("one file") };
        assert_eq!(letter.name, "письмо.txt");
        assert_eq!(bench.simulator.control().file_content(letter.guid).unwrap(), LETTER);
        // What GIS shows is recognised as the same.
        bench.pass(DAY).await;
        bench.pass(Duration::from_secs(15)).await;
        assert!(bench.answer(answer).await.confirmed_in_gis);
    });
}

#[test]
fn an_item_that_gis_refuses_is_rejected_alone_with_its_words() {
    for_both(async |bench| {
        let ids = bench.requests(3).await;
        let text = Some("объект неактуален".to_owned());
        bench
            .fault(Target::ImportResponses, Kind::ItemError { code: "INT002034".to_owned(), text, items: 1 });
        let mut posted = Vec::new();
        for id in &ids {
            posted.push(bench.post(*id, no_debt("нет")).await);
        }
        bench.work().await;
        let mut states = Vec::new();
        for answer in &posted {
            states.push(bench.state(*answer).await);
        }
        states.sort_by_key(|state| state.as_str());
        assert_eq!(states, [State::Delivered, State::Delivered, State::Rejected]);
        for answer in posted {
            let answer = bench.answer(answer).await;
            if answer.state == State::Rejected {
                let words = answer.last_error.unwrap().gis.unwrap();
                assert_eq!(
                    (words.code.as_str(), words.description.as_str()),
                    ("INT002034", "объект неактуален")
                );
            }
        }
    });
}

#[test]
fn a_package_refused_as_a_whole_is_split_until_the_culprit_is_alone() {
    for_both(async |bench| {
        let ids = bench.requests(5).await;
        let rule = gis_sim::faults::Rule {
            operation: Target::ImportResponses,
            organization: None,
            subrequest: Some(ids[2].as_uuid()),
            when: When::Always,
            kind: Kind::StateError { code: "FMT001300".to_owned(), text: None },
        };
        bench.simulator.control().add_fault(rule).unwrap();
        let mut posted = Vec::new();
        for id in &ids {
            posted.push(bench.post(*id, no_debt("нет")).await);
        }
        for _ in 0..6 {
            bench.work().await;
        }
        for (place, answer) in posted.iter().enumerate() {
            let expected = if place == 2 { State::Rejected } else { State::Delivered };
            assert_eq!(bench.state(*answer).await, expected, "{place}");
        }
    });
}

#[test]
fn a_file_that_gis_refuses_rejects_its_answer_and_no_other() {
    for_both(async |bench| {
        let ids = bench.requests(2).await;
        let infected = gis_sim::files::FileError::FileVirusInfectionException;
        bench.faults(Target::UploadFile, Kind::FileError { error: infected }, When::Always);
        let bad = bench.post(ids[0], debt()).await;
        let good = bench.post(ids[1], no_debt("нет")).await;
        bench.work().await;
        let bad = bench.answer(bad).await;
        assert_eq!(bad.state, State::Rejected);
        let error = bad.last_error.unwrap();
        assert_eq!(error.code, "file_infected");
        assert!(error.pointer.unwrap().ends_with("/attachment_id"));
        assert_eq!(bench.state(good).await, State::Delivered);
        let mut conn = bench.worker.service.db.read().await.unwrap();
        let files = answers::files(&mut conn, &[bad.id]).await.unwrap();
        assert!(files.iter().any(|(_, file)| file.gis_state == FileState::Refused));
    });
}

#[test]
fn a_start_between_any_two_steps_loses_and_doubles_nothing() {
    for_both(async |mut bench: Bench| {
        let [request] = bench.requests(1).await.try_into().unwrap();
        let answer = bench.post(request, debt()).await;
        for _ in 0..4 {
            for job in crate::jobs::JobName::ALL {
                if *job != crate::jobs::JobName::Sync {
                    bench.worker.step(*job).await.unwrap();
                    bench.restart();
                }
            }
            bench.pass(Duration::from_secs(15)).await;
        }
        assert_eq!(bench.state(answer).await, State::Delivered);
        assert_eq!(bench.effects(request).len(), 1);
    });
}

#[test]
fn a_file_that_gis_has_forgotten_is_uploaded_anew_when_its_answer_is_posted_again() {
    let code = || "FIL001001".to_owned();
    for_both(async |bench| {
        let uploads = || {
            let calls = bench.simulator.control().calls(0, 1000);
            calls.iter().filter(|call| call.operation == Some(Target::UploadFile)).count()
        };
        let [withdrawn, as_message, as_item, at_sending, last] = bench.requests(5).await.try_into().unwrap();
        let first = bench.post(withdrawn, debt()).await;
        bench.work().await;
        assert_eq!((bench.state(first).await, uploads()), (State::Delivered, 2));
        for (number, (request, kind)) in [
            (as_message, Kind::StateError { code: code(), text: None }),
            (as_item, Kind::ItemError { code: code(), text: None, items: 1 }),
            (at_sending, Kind::SoapFault { code: code(), text: None, late: None }),
        ]
        .into_iter()
        .enumerate()
        {
            bench.fault(Target::ImportResponses, kind.clone());
            let refused = bench.post(request, debt()).await;
            bench.work().await;
            let refused = bench.answer(refused).await;
            assert_eq!(refused.state, State::Rejected, "{kind:?}");
            assert_eq!(refused.last_error.unwrap().gis.unwrap().code, code());
            let mut conn = bench.worker.service.db.read().await.unwrap();
            let files = answers::files(&mut conn, &[refused.id]).await.unwrap();
            drop(conn);
            assert!(files.iter().all(|(_, file)| file.gis_state == FileState::NotUploaded));
            assert_eq!(uploads(), 2 * (number + 1), "the same files are not uploaded for every answer");

            let again = bench.post(request, debt()).await;
            bench.work().await;
            assert_eq!(bench.state(again).await, State::Delivered, "{kind:?}");
            assert_eq!((uploads(), bench.effects(request).len()), (2 * (number + 2), 1));
        }
        // A withdrawal needs no files.
        bench.fault(Target::ImportResponses, Kind::StateError { code: code(), text: None });
        let refused = bench.post(last, debt()).await;
        bench.work().await;
        assert_eq!(bench.state(refused).await, State::Rejected);
        bench.revoke(first).await;
        bench.work().await;
        assert_eq!(bench.state(first).await, State::Revoked);
    });
}

#[test]
fn an_answer_in_doubt_is_sent_again_with_a_file_that_was_uploaded_anew() {
    for_both(async |bench| {
        let [doubtful, refused] = bench.requests(2).await.try_into().unwrap();
        bench.fault(Target::ImportResponses, Kind::ResetBefore);
        let doubtful = bench.post(doubtful, debt()).await;
        bench.work().await;
        assert_eq!(bench.state(doubtful).await, State::Uncertain);
        bench.fault(Target::ImportResponses, Kind::StateError { code: "FIL001001".to_owned(), text: None });
        let refused = bench.post(refused, debt()).await;
        bench.work().await;
        assert_eq!(bench.state(refused).await, State::Rejected);
        bench.pass(Duration::from_secs(1800)).await;
        bench.work().await;
        assert_eq!(bench.state(doubtful).await, State::Delivered);
        let mut conn = bench.worker.service.db.read().await.unwrap();
        let files = answers::files(&mut conn, &[doubtful]).await.unwrap();
        assert!(files.iter().all(|(_, file)| file.gis_state == FileState::Uploaded));
    });
}
