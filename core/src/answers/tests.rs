//! The use cases against both databases.

use super::*;
use crate::case::Case;
use crate::domain::answer::{Answer, Change, Confirm, Source, State};
use crate::domain::caller::Caller;
use crate::domain::submission::{Action, Submission, SubmissionState};
use crate::error::{Code, Error, Result};
use crate::ids::{DebtRequestId, EmployeeId};
use crate::store::test_db::for_both;
use crate::store::{Conn, Db, debt_requests, samples, submissions};
use crate::test_service::{Bench, start};

/// A bench with a debt request and a default executor whom GIS knows.
async fn bench(db: Db) -> (Bench, DebtRequestId) {
    let bench = Bench::new(db).await;
    let request = bench.answerable_request().await;
    (bench, request)
}

fn no_debt(request: DebtRequestId, comment: &str) -> CreateAnswer {
    CreateAnswer {
        debt_request: request,
        external_id: None,
        submit: true,
        content: ContentDraft { comment: Some(comment.to_owned()), ..ContentDraft::default() },
        executor: None,
        confirm: Vec::new(),
        reason: None,
        source: Source::Api,
        trace: None,
    }
}

async fn post(bench: &Bench, command: CreateAnswer) -> Result<Created> {
    let mut tx = bench.service.db.begin().await?;
    let created = bench.service.create_answer(&mut tx, &bench.caller, command).await?;
    tx.commit().await?;
    Ok(created)
}

/// What is still to be done in GIS.
async fn open(conn: &mut Conn, request: DebtRequestId) -> Vec<Submission> {
    let all = submissions::of_requests(conn, &[request]).await.unwrap();
    all.into_iter().filter(|submission| !submission.state.is_final()).collect()
}

fn code(outcome: Result<Created>) -> Code {
    let error = outcome.unwrap_err();
    let Error::Conflict(conflict) = error else { panic!("{error:?}") };
    conflict.code
}

#[test]
fn what_is_queued_is_replaced_and_the_same_is_found_again() {
    for_both(async |db| {
        let (bench, request) = bench(db).await;
        let first = post(&bench, no_debt(request, "один")).await.unwrap();
        assert_eq!(first.outcome, CreatedOutcome::Queued);
        let again = post(&bench, no_debt(request, " один ")).await.unwrap();
        assert_eq!((again.outcome, again.answer.answer.id), (CreatedOutcome::Same, first.answer.answer.id));
        let second = post(&bench, no_debt(request, "два")).await.unwrap();
        assert_eq!(second.answer.answer.revision, 2);
        let old = bench.service.get_answer(&bench.caller, first.answer.answer.id).await.unwrap();
        assert_eq!(old.answer.state, State::Superseded);
        assert_eq!(old.answer.superseded_by, Some(second.answer.answer.id));
        let mut conn = bench.service.db.read().await.unwrap();
        let open = open(&mut conn, request).await;
        assert_eq!(open.iter().map(|it| it.answer).collect::<Vec<_>>(), [second.answer.answer.id]);
        assert_eq!((open[0].action, open[0].state), (Action::Send, SubmissionState::Queued));
    });
}

#[test]
fn what_replaces_something_that_waits_for_a_look_waits_for_it_too() {
    for_both(async |db| {
        let (bench, request) = bench(db).await;
        post(&bench, no_debt(request, "один")).await.unwrap();
        let mut tx = bench.service.db.begin().await.unwrap();
        submissions::look_first(&mut tx, start()).await.unwrap();
        tx.commit().await.unwrap();
        post(&bench, no_debt(request, "два")).await.unwrap();
        let mut conn = bench.service.db.read().await.unwrap();
        let [open] = open(&mut conn, request).await.try_into().unwrap();
        assert_eq!((open.state, open.look_first), (SubmissionState::Queued, true));
    });
}

/// What a worker does to an answer and to its submission.
async fn change(bench: &Bench, answer: &Answer, change: Change, state: SubmissionState) {
    let mut tx = bench.service.db.begin().await.unwrap();
    let case = Case::open(&mut tx, answer.organization, answer.debt_request, start()).await.unwrap();
    let mut case = case.unwrap();
    let mut answer = case.answer(answer.id).cloned().unwrap();
    let submission = case.submissions_of(answer.id).next().cloned().unwrap();
    case.keep(Submission { state, ..submission });
    case.apply(&mut answer, change).unwrap();
    case.close(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
}

#[test]
fn what_waits_behind_an_answer_goes_on_when_that_is_cancelled() {
    for_both(async |db| {
        let (bench, request) = bench(db).await;
        let first = post(&bench, no_debt(request, "один")).await.unwrap().answer.answer;
        change(&bench, &first, Change::Claim, SubmissionState::Sending).await;
        let second = post(&bench, no_debt(request, "два")).await.unwrap().answer.answer;
        assert_eq!(second.blocked_by, Some(first.id));
        // GIS has taken nothing of it after all.
        change(&bench, &first, Change::NotSent { maybe_sent: false }, SubmissionState::Queued).await;
        let mut tx = bench.service.db.begin().await.unwrap();
        bench.service.cancel_answer(&mut tx, &bench.caller, first.id, None).await.unwrap();
        tx.commit().await.unwrap();
        let second = bench.service.get_answer(&bench.caller, second.id).await.unwrap().answer;
        assert_eq!((second.state, second.blocked_by), (State::Queued, None));
        let mut conn = bench.service.db.read().await.unwrap();
        let [open] = open(&mut conn, request).await.try_into().unwrap();
        assert_eq!((open.answer, open.state), (second.id, SubmissionState::Queued));
    });
}

#[test]
fn a_name_is_an_alias_moves_with_the_request_and_belongs_to_no_other() {
    for_both(async |db| {
        let (bench, request) = bench(db).await;
        let named = |name: &str, text: &str| CreateAnswer {
            external_id: Some(name.to_owned()),
            ..no_debt(request, text)
        };
        let first = post(&bench, named("1С-1", "один")).await.unwrap().answer.answer.id;
        let alias = post(&bench, named("1С-2", "один")).await.unwrap();
        assert_eq!(alias.outcome, CreatedOutcome::Same);
        let names = ["1С-1", "1С-2", "1С-3"].map(str::to_owned);
        let found = bench.service.lookup_answers(&bench.caller, &[], &names).await.unwrap();
        assert!(found.found.iter().all(|(_, details)| details.answer.id == first));
        assert_eq!((found.found.len(), found.external_ids_not_found), (2, vec!["1С-3".to_owned()]));
        let second = post(&bench, named("1С-1", "два")).await.unwrap().answer.answer.id;
        let found = bench.service.lookup_answers(&bench.caller, &[], &names[..1]).await.unwrap();
        assert_eq!(found.found[0].1.answer.id, second);

        let other = samples::request(bench.caller.organization);
        let mut tx = bench.service.db.begin().await.unwrap();
        debt_requests::save(&mut tx, std::slice::from_ref(&other)).await.unwrap();
        tx.commit().await.unwrap();
        let taken = CreateAnswer { debt_request: other.id, ..named("1С-1", "один") };
        let Error::Invalid(mistakes) = post(&bench, taken).await.unwrap_err() else { panic!("taken") };
        assert_eq!(mistakes[0].code, "external_id_taken");
    });
}

#[test]
fn somebody_elses_draft_is_guarded() {
    for_both(async |db| {
        let (mut bench, request) = bench(db).await;
        let draft = CreateAnswer { submit: false, ..no_debt(request, "черновик") };
        let id = post(&bench, draft).await.unwrap().answer.answer.id;
        bench.caller.subject = "другой клиент".to_owned();
        assert_eq!(code(post(&bench, no_debt(request, "другое")).await), Code::DraftExists);
        let mut tx = bench.service.db.begin().await.unwrap();
        let (service, caller) = (&bench.service, &bench.caller);
        let edited = service.edit_answer(&mut tx, caller, id, EditAnswer::default(), None).await;
        assert!(matches!(edited, Err(Error::Conflict(conflict)) if conflict.code == Code::DraftExists));
        let stale = service.delete_answer(&mut tx, caller, id, Some(7)).await;
        assert!(matches!(stale, Err(Error::VersionMismatch { current: 1 })));
        drop(tx);
        let confirmed =
            CreateAnswer { confirm: vec![Confirm::DraftExists], ..no_debt(request, "другое") };
        assert_eq!(post(&bench, confirmed).await.unwrap().outcome, CreatedOutcome::Queued);
        let old = bench.service.get_answer(&bench.caller, id).await.unwrap();
        assert_eq!(old.answer.state, State::Superseded);
    });
}

#[test]
fn a_draft_is_completed_returned_changed_sent_and_taken_back() {
    for_both(async |db| {
        let (bench, request) = bench(db).await;
        let (service, caller) = (&bench.service, &bench.caller);
        let draft = CreateAnswer { submit: false, ..no_debt(request, "черновик") };
        let id = post(&bench, draft).await.unwrap().answer.answer.id;
        let mut tx = service.db.begin().await.unwrap();
        let complete = service.complete_answer(&mut tx, caller, id, Some(1)).await.unwrap();
        assert_eq!(complete.answer.state, State::Prepared);
        let returned =
            service.return_answer(&mut tx, caller, id, Some("уточните".to_owned()), None).await.unwrap();
        assert_eq!((returned.answer.state, returned.answer.version), (State::Draft, 3));
        let content = ContentPatch { comment: Patch::Clear, ..ContentPatch::default() };
        let edit = EditAnswer { content, ..EditAnswer::default() };
        let edited = service.edit_answer(&mut tx, caller, id, edit, None).await.unwrap();
        assert_eq!(edited.before.answer.content.comment().map(|text| text.as_str()), Some("черновик"));
        assert_eq!(edited.after.answer.content.comment(), None);
        let sent = service.submit_answer(&mut tx, caller, id, SubmitAnswer::default(), None).await.unwrap();
        assert_eq!(sent.answer.state, State::Queued);
        assert!(sent.answer.executor.is_some());
        let cancelled = service.cancel_answer(&mut tx, caller, id, None).await.unwrap();
        assert_eq!(cancelled.answer.state, State::Cancelled);
        assert!(open(&mut tx, request).await.is_empty());
        tx.commit().await.unwrap();
    });
}

#[test]
fn what_is_handed_in_is_left_alone_but_for_the_files_that_it_waits_for() {
    for_both(async |db| {
        let (bench, request) = bench(db).await;
        let service = &bench.service;
        let clerk = Caller { employee: Some(EmployeeId::generate()), ..bench.caller.clone() };
        let debtor = |last_name: &str| {
            let (last_name, first_name) = (last_name.to_owned(), "Пётр".to_owned());
            DebtorDraft { last_name, first_name, ..DebtorDraft::default() }
        };
        let says = |comment: &str| {
            let debtors = vec![debtor("Вымышленный")];
            let content = ContentDraft { has_debt: true, debtors, ..no_debt(request, comment).content };
            CreateAnswer { submit: false, content, ..no_debt(request, comment) }
        };
        let edit = || {
            let content = ContentPatch {
                comment: Patch::Set("уточнено".to_owned()),
                ..ContentPatch::default()
            };
            EditAnswer { content, ..EditAnswer::default() }
        };
        let mut tx = service.db.begin().await.unwrap();
        let first = service.create_answer(&mut tx, &clerk, says("один")).await.unwrap().answer.answer.id;
        let waiting = service.complete_before_files(&mut tx, &clerk, first).await.unwrap().answer;
        assert_eq!((waiting.state, waiting.waits_for_files), (State::Prepared, true));
        let edited = service.edit_answer(&mut tx, &clerk, first, edit(), None).await.unwrap().after.answer;
        assert!(edited.waits_for_files, "that is for whoever adds them to end");
        let is_refused =
            |error: Error| matches!(error, Error::Conflict(it) if it.code == Code::StateConflict);
        let none = ContentPatch { has_debt: Some(false), debtors: Some(Vec::new()), ..edit().content };
        let namesake =
            DebtorDraft { snils: Some("11223344595".to_owned()), ..debtor("Вымышленный") };
        let other = |debtor| ContentPatch { debtors: Some(vec![debtor]), ..edit().content };
        for content in [none, other(debtor("Другой")), other(namesake)] {
            let edit = EditAnswer { content, ..EditAnswer::default() };
            let edited = service.edit_answer(&mut tx, &clerk, first, edit, None).await;
            assert!(is_refused(edited.unwrap_err()), "what is said is handed in");
        }
        let named = EditAnswer { executor: Patch::Set(EmployeeId::generate()), ..edit() };
        assert!(is_refused(service.edit_answer(&mut tx, &clerk, first, named, None).await.unwrap_err()));
        let same = EditAnswer { content: other(debtor("Вымышленный")), ..EditAnswer::default() };
        service.edit_answer(&mut tx, &clerk, first, same, None).await.unwrap();
        assert!(is_refused(service.delete_answer(&mut tx, &clerk, first, None).await.unwrap_err()));
        for replaced in [says("два"), CreateAnswer { submit: false, ..no_debt(request, "два") }] {
            let replaced = service.create_answer(&mut tx, &clerk, replaced).await;
            assert_eq!(code(replaced), Code::StateConflict);
        }

        let complete = service.complete_answer(&mut tx, &clerk, first, None).await.unwrap().answer;
        assert_eq!((complete.state, complete.waits_for_files), (State::Prepared, false));
        assert!(is_refused(service.complete_answer(&mut tx, &clerk, first, None).await.unwrap_err()));
        assert!(is_refused(service.edit_answer(&mut tx, &clerk, first, edit(), None).await.unwrap_err()));
        let again = service.create_answer(&mut tx, &clerk, says("уточнено")).await.unwrap();
        assert_eq!((again.outcome, again.answer.answer.id), (CreatedOutcome::Same, first));
        // A client that is no employee acts for the organisation, and confirms what is another's.
        let foreign = service.create_answer(&mut tx, &bench.caller, says("три")).await;
        assert_eq!(code(foreign), Code::DraftExists);
        tx.commit().await.unwrap();
    });
}
