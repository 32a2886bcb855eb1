//! Answers whose personal data are erased, and GIS: nothing is sent, repaired or told because of that, and what a client
//! does afterwards goes its way.

use std::time::Duration;

use bytes::Bytes;
use chrono::{Days, Months, NaiveDate};
use gis_sim::faults::{Kind, Target};
use serde_json::json;

use super::bench::{Bench, for_both, no_debt};
use crate::answers::{ContentDraft, DebtorDraft, FileDraft, FileSource};
use crate::case::Case;
use crate::domain::answer::{Answer, Confirm, State};
use crate::domain::content::Content;
use crate::domain::debt_request::{Alarm, Stage};
use crate::domain::event::EventKind;
use crate::error::Error;
use crate::ids::{AnswerId, DebtRequestId};
use crate::jobs::JobName;
use crate::store::{attachments, events};

const SETTLE: Duration = Duration::from_secs(1800);

/// A debt with everything that is personal.
fn debt() -> ContentDraft {
    let file = |type_code: Option<&str>, file_name: &str| FileDraft {
        type_code: type_code.map(ToOwned::to_owned),
        description: None,
        source: FileSource::Inline {
            file_name: file_name.to_owned(),
            content: Bytes::from(format!("вымышленное: {file_name}")),
        },
    };
    let debtor = DebtorDraft {
        last_name: "Вымышленный".to_owned(),
        first_name: "Пётр".to_owned(),
        snils: Some("11223344595".to_owned()),
        documents: vec![file(Some("1"), "решение.txt")],
        ..DebtorDraft::default()
    };
    ContentDraft {
        has_debt: true,
        comment: Some("решение вступило в силу".to_owned()),
        debtors: vec![debtor],
        attachments: vec![file(None, "письмо.txt")],
    }
}

/// A delivered answer that no export has confirmed yet.
async fn delivered(bench: &Bench, content: ContentDraft) -> (DebtRequestId, AnswerId) {
    // What is withdrawn after the deadline is not answered by GIS itself.
    bench.simulator.control().patch_scenario(json!({ "import": { "auto_generate": false } })).unwrap();
    let [request] = bench.requests(1).await.try_into().unwrap();
    let answer = bench.post(request, content).await;
    bench.step().await;
    bench.pass(Duration::from_secs(15)).await;
    assert_eq!(bench.state(answer).await, State::Delivered);
    (request, answer)
}

/// The day from which on the time of keeping is counted.
async fn kept_from(bench: &Bench, answer: &Answer) -> NaiveDate {
    let due = bench.request(answer.debt_request).await.gis.due_on.unwrap();
    due.max(answer.updated_at.date_naive())
}

/// Lets time pass until noon of a day, so many months and days after another one.
fn pass_to(bench: &Bench, from: NaiveDate, months: u32, days: u64) {
    let day = from.checked_add_months(Months::new(months)).unwrap() + Days::new(days);
    let noon = day.and_hms_opt(12, 0, 0).unwrap().and_utc();
    bench.advance((noon - bench.worker.now()).to_std().unwrap());
}

/// How many answers are erased now.
async fn erase(bench: &Bench) -> u64 {
    let report = bench.worker.step(JobName::Retention).await.unwrap();
    report.detail["personal_data"].as_u64().unwrap()
}

/// The same as [`delivered`], and erased since.
async fn erased(bench: &Bench, content: ContentDraft) -> (DebtRequestId, AnswerId) {
    let (request, answer) = delivered(bench, content).await;
    let from = kept_from(bench, &bench.answer(answer).await).await;
    pass_to(bench, from, 12, 2);
    assert_eq!(erase(bench).await, 1);
    assert!(bench.answer(answer).await.is_erased());
    (request, answer)
}

async fn mismatches(bench: &Bench) -> usize {
    let mut conn = bench.worker.service.db.read().await.unwrap();
    let kinds = [EventKind::AnswerMismatch];
    events::page(&mut conn, bench.organization, (0, i64::MAX), &kinds, 9).await.unwrap().len()
}

#[test]
fn they_go_with_their_files_after_their_time_and_not_before() {
    for_both(async |bench| {
        let (request, id) = delivered(&bench, debt()).await;
        let before = bench.answer(id).await;
        let files: Vec<_> = before.content.attachments().map(|(_, file)| file).collect();
        assert_eq!((files.len(), before.reason.is_some()), (2, true));
        let from = kept_from(&bench, &before).await;
        pass_to(&bench, from, 12, 0);
        assert_eq!(erase(&bench).await, 0);
        assert_eq!(bench.answer(id).await, before);
        pass_to(&bench, from, 12, 2);
        assert_eq!(erase(&bench).await, 1);
        let now = bench.worker.now();
        let expected = Answer {
            content: Content::Erased { has_debt: true },
            reason: None,
            version: before.version + 1,
            updated_at: now,
            personal_data_erased_at: Some(now),
            ..before
        };
        assert_eq!(bench.answer(id).await, expected);
        // Files go as any that nothing uses.
        pass_to(&bench, from, 12, 10);
        assert_eq!(erase(&bench).await, 0);
        let service = &bench.worker.service;
        let mut conn = service.db.read().await.unwrap();
        for file in files {
            assert_eq!(attachments::get(&mut conn, bench.organization, file).await.unwrap(), None);
            assert!(service.files.get(file).await.is_err(), "its content is gone");
        }
        let summary = bench.request(request).await.answer.unwrap();
        assert_eq!((summary.id, summary.has_debt, summary.updated_at), (id, true, now));
        assert_eq!(bench.effects(request).len(), 1);
    });
}

#[test]
fn a_look_finds_it_in_force_by_its_hash() {
    for_both(async |bench| {
        let (request, id) = erased(&bench, debt()).await;
        assert!(!bench.answer(id).await.confirmed_in_gis);
        bench.work().await;
        let answer = bench.answer(id).await;
        assert_eq!((answer.state, answer.confirmed_in_gis), (State::Delivered, true));
        assert!(answer.is_erased());
        assert_eq!(bench.request(request).await.stage, Stage::Answered);
        assert_eq!((bench.effects(request).len(), mismatches(&bench).await), (1, 0));
        assert_eq!(erase(&bench).await, 0);
    });
}

#[test]
fn what_may_still_be_sent_is_left_alone() {
    for_both(async |bench| {
        let [request] = bench.requests(1).await.try_into().unwrap();
        bench.fault(Target::ImportResponses, Kind::ResetBefore);
        let id = bench.post(request, debt()).await;
        bench.step().await;
        let before = bench.answer(id).await;
        assert_eq!(before.state, State::Uncertain);
        let from = kept_from(&bench, &before).await;
        pass_to(&bench, from, 13, 0);
        assert_eq!(erase(&bench).await, 0);
        assert_eq!(bench.answer(id).await, before);
    });
}

#[test]
fn a_correction_afterwards_goes_its_way() {
    for_both(async |bench| {
        let (request, first) = erased(&bench, debt()).await;
        let confirm = vec![Confirm::AlreadyAnswered, Confirm::CorrectionTooLate];
        let second = bench.post_confirmed(request, no_debt("исправлено"), confirm).await;
        for _ in 0..3 {
            bench.work().await;
        }
        assert_eq!((bench.state(first).await, bench.state(second).await), (State::Revoked, State::Delivered));
        let held = bench.held(request).held.answer.unwrap();
        assert_eq!(held.description.as_deref(), Some("исправлено"));
        assert_eq!((erase(&bench).await, mismatches(&bench).await), (0, 0), "it is kept as long again");
        assert!(!bench.answer(second).await.is_erased());
    });
}

#[test]
fn the_same_content_posted_again_is_there_already() {
    for_both(async |bench| {
        let (request, id) = erased(&bench, debt()).await;
        assert_eq!(bench.post(request, debt()).await, id);
        bench.work().await;
        assert_eq!((bench.submissions(id).await.len(), bench.effects(request).len()), (1, 1));
        assert!(bench.answer(id).await.is_erased());
    });
}

#[test]
fn what_is_erased_is_never_sent_again() {
    for_both(async |bench| {
        bench.fault(Target::ImportResponses, Kind::ResetBefore);
        bench.simulator.control().patch_scenario(json!({ "import": { "auto_generate": false } })).unwrap();
        let [request] = bench.requests(1).await.try_into().unwrap();
        let id = bench.post(request, debt()).await;
        bench.work().await;
        bench.pass(SETTLE).await;
        bench.work().await;
        let answer = bench.answer(id).await;
        assert_eq!(answer.state, State::Delivered);
        // Called for twice, it is watched: it may have to be sent again, and is not erased.
        pass_to(&bench, kept_from(&bench, &answer).await, 13, 0);
        assert_eq!(erase(&bench).await, 0);
        erase_by_hand(&bench, request).await;
        bench.simulator.control().revoke_in_cabinet(request.as_uuid()).unwrap();
        let effects = bench.effects(request).len();
        bench.work().await;
        assert_eq!(bench.request(request).await.alarm, Some(Alarm::NotInForce), "a person must act");
        assert_eq!(bench.effects(request).len(), effects, "nothing was sent");
        let submissions = bench.submissions(id).await;
        assert!(submissions.iter().all(|submission| submission.state.is_final()));
    });
}

async fn erase_by_hand(bench: &Bench, request: DebtRequestId) {
    let mut tx = bench.worker.service.db.begin().await.unwrap();
    let case = Case::open(&mut tx, bench.organization, request, bench.worker.now()).await.unwrap();
    let mut case = case.unwrap();
    let mut answer = case.answers().first().unwrap().clone();
    answer.erase(case.now());
    case.update(&mut answer);
    case.close(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
}

#[test]
fn what_is_erased_can_be_withdrawn() {
    for_both(async |bench| {
        let (request, id) = erased(&bench, debt()).await;
        let Err(Error::Conflict(late)) = bench.try_revoke(id, Vec::new()).await else { panic!("it is late") };
        assert_eq!(late.confirmable, [Confirm::CorrectionTooLate]);
        bench.try_revoke(id, late.confirmable).await.unwrap();
        bench.work().await;
        bench.work().await;
        assert_eq!(bench.state(id).await, State::Revoked);
        assert!(bench.held(request).held.answer.is_none());
    });
}
