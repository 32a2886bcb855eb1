use chrono::{Days, Months, TimeDelta};

use super::*;
use crate::answers::{ContentDraft, CreateAnswer, Created, CreatedOutcome, EditAnswer, SubmitAnswer};
use crate::domain::answer::{Source, State};
use crate::domain::message::{Message, MessageState};
use crate::domain::submission::{Outcome, SubmissionState};
use crate::error::{Code, Error};
use crate::ids::{AnswerId, DebtRequestId, OrganizationId};
use crate::store::test_db::for_both;
use crate::store::{Conn, attachments, debt_requests, submissions, test_rows};
use crate::test_service::{Bench, start};

/// Longer than twelve months after everything that a test begins with.
const LONG: TimeDelta = TimeDelta::days(400);

fn time(bench: &Bench) -> DateTime<Utc> {
    bench.service.clock.now()
}

/// A stored answer in a state to a new debt request; nothing is to be done for it in GIS.
async fn stored(conn: &mut Conn, organization: OrganizationId, state: State) -> Answer {
    let request = test_rows::request(conn, organization).await;
    let answer = Answer { state, ..test_rows::answer(organization, request) };
    answers::insert(conn, vec![(answer.clone(), Vec::new())]).await.unwrap();
    answer
}

async fn read(bench: &Bench, id: AnswerId) -> Answer {
    let mut conn = bench.service.db.read().await.unwrap();
    answers::get(&mut conn, bench.caller.organization, id).await.unwrap().unwrap()
}

async fn post(bench: &Bench, request: DebtRequestId, submit: bool) -> Created {
    let command = CreateAnswer {
        debt_request: request,
        external_id: None,
        submit,
        content: ContentDraft { comment: Some("черновик".to_owned()), ..ContentDraft::default() },
        executor: None,
        confirm: Vec::new(),
        reason: None,
        source: Source::Api,
        trace: None,
    };
    let mut tx = bench.service.db.begin().await.unwrap();
    let created = bench.service.create_answer(&mut tx, &bench.caller, command).await.unwrap();
    tx.commit().await.unwrap();
    created
}

/// GIS shows another last day.
async fn set_due(bench: &Bench, id: DebtRequestId, due_on: NaiveDate) {
    let mut tx = bench.service.db.begin().await.unwrap();
    let known = debt_requests::get(&mut tx, bench.caller.organization, id).await.unwrap();
    let mut request = known.unwrap();
    request.gis.due_on = Some(due_on);
    debt_requests::save(&mut tx, &[request]).await.unwrap();
    tx.commit().await.unwrap();
}

#[test]
fn what_is_under_way_is_left_alone() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let organization = bench.caller.organization;
        let mut tx = bench.service.db.begin().await.unwrap();
        let mut all = Vec::new();
        for state in State::ALL {
            all.push(stored(&mut tx, organization, *state).await);
        }
        tx.commit().await.unwrap();
        assert_eq!(erase(&bench.service, time(&bench)).await.unwrap(), 0, "too young");
        bench.service.clock.advance(LONG);
        let now = time(&bench);
        let over = all.iter().filter(|answer| !answer.state.is_under_way()).count();
        assert_eq!(erase(&bench.service, now).await.unwrap(), over);
        for before in all {
            let after = read(&bench, before.id).await;
            assert_eq!(after.is_erased(), !before.state.is_under_way(), "{}", before.state);
            assert_eq!((after.state, &after.content_hash), (before.state, &before.content_hash));
        }
        assert_eq!(erase(&bench.service, now).await.unwrap(), 0, "once");
    });
}

#[test]
fn a_debt_request_goes_as_a_whole() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let organization = bench.caller.organization;
        let mut tx = bench.service.db.begin().await.unwrap();
        // What is still to be done, an open repair, a watch, a younger revision, a deadline that is not so long past.
        let (queued, _) = test_rows::queued(&mut tx, organization).await;
        let repaired = stored(&mut tx, organization, State::Delivered).await;
        submissions::save(&mut tx, vec![test_rows::submission(&repaired)]).await.unwrap();
        let watched = stored(&mut tx, organization, State::Delivered).await;
        let (called, look) = (test_rows::at(0), test_rows::at(9));
        watches::note(&mut tx, organization, &[watched.debt_request], called, look).await.unwrap();
        let old = stored(&mut tx, organization, State::Superseded).await;
        let younger = Answer {
            revision: 2,
            state: State::Delivered,
            updated_at: start() + LONG - TimeDelta::days(9),
            ..test_rows::answer(organization, old.debt_request)
        };
        answers::insert(&mut tx, vec![(younger.clone(), Vec::new())]).await.unwrap();
        tx.commit().await.unwrap();
        bench.service.clock.advance(LONG);
        assert_eq!(erase(&bench.service, time(&bench)).await.unwrap(), 0);
        for answer in [queued, repaired, watched, old.clone()] {
            assert!(!read(&bench, answer.id).await.is_erased(), "{}", answer.state);
        }
        bench.service.clock.advance(LONG);
        assert_eq!(erase(&bench.service, time(&bench)).await.unwrap(), 2, "both revisions");
        assert!(read(&bench, old.id).await.is_erased() && read(&bench, younger.id).await.is_erased());
    });
}

#[test]
fn a_deadline_that_was_moved_counts() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let request = bench.answerable_request().await;
        post(&bench, request, false).await;
        bench.service.clock.advance(LONG);
        let first_kept = time(&bench).date_naive().checked_sub_months(Months::new(12)).unwrap();
        for (due_on, expected) in [(first_kept, 0), (first_kept - Days::new(1), 1)] {
            set_due(&bench, request, due_on).await;
            assert_eq!(erase(&bench.service, time(&bench)).await.unwrap(), expected, "{due_on}");
        }
    });
}

#[test]
fn it_goes_on_piece_by_piece() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let mut tx = bench.service.db.begin().await.unwrap();
        for _ in 0..3 {
            stored(&mut tx, bench.caller.organization, State::Delivered).await;
        }
        tx.commit().await.unwrap();
        bench.service.clock.advance(LONG);
        for expected in [2, 1, 0] {
            assert_eq!(erase_some(&bench.service, time(&bench), 2).await.unwrap(), expected);
        }
    });
}

#[test]
fn what_is_written_afterwards_goes_in_its_time() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let mut tx = bench.service.db.begin().await.unwrap();
        let answer = stored(&mut tx, bench.caller.organization, State::Delivered).await;
        tx.commit().await.unwrap();
        bench.service.clock.advance(LONG);
        assert_eq!(erase(&bench.service, time(&bench)).await.unwrap(), 1);
        bench.service.clock.advance(LONG);
        assert_eq!(erase(&bench.service, time(&bench)).await.unwrap(), 0, "nothing was written");
        let mut withdrawn = read(&bench, answer.id).await;
        withdrawn.reason = Some("по просьбе Петрова".to_owned());
        withdrawn.touch(time(&bench));
        let mut tx = bench.service.db.begin().await.unwrap();
        answers::save(&mut tx, vec![withdrawn]).await.unwrap();
        tx.commit().await.unwrap();
        bench.service.clock.advance(LONG);
        assert_eq!(erase(&bench.service, time(&bench)).await.unwrap(), 1);
        let after = read(&bench, answer.id).await;
        assert_eq!((after.reason, after.personal_data_erased_at), (None, Some(time(&bench))));
    });
}

#[test]
fn a_file_lives_while_another_answer_uses_it() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let organization = bench.caller.organization;
        let mut tx = bench.service.db.begin().await.unwrap();
        let (shared, own) = (
            test_rows::stored_file(&mut tx, organization).await.id,
            test_rows::stored_file(&mut tx, organization).await.id,
        );
        let old = stored(&mut tx, organization, State::Delivered).await;
        let open = stored(&mut tx, organization, State::Uncertain).await;
        answers::set_files(&mut tx, old.id, &[shared, own], start()).await.unwrap();
        answers::set_files(&mut tx, open.id, &[shared], start()).await.unwrap();
        tx.commit().await.unwrap();
        bench.service.clock.advance(LONG);
        let now = time(&bench);
        assert_eq!(erase(&bench.service, now).await.unwrap(), 1);
        let mut tx = bench.service.db.begin().await.unwrap();
        // Whoever has uploaded it again just now has time to use it.
        assert_eq!(attachments::delete_expired(&mut tx, now, 9).await.unwrap(), []);
        let later = bench.service.unused_until() + TimeDelta::seconds(1);
        assert_eq!(attachments::delete_expired(&mut tx, later, 9).await.unwrap(), [own]);
        let left = attachments::get(&mut tx, organization, shared).await.unwrap().unwrap();
        assert_eq!(left.expires_at, None);
    });
}

#[test]
fn words_of_gis_that_may_quote_the_answer_go_with_it() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let organization = bench.caller.organization;
        let told = test_rows::last_error();
        let mut tx = bench.service.db.begin().await.unwrap();
        let request = test_rows::request(&mut tx, organization).await;
        let answer = Answer {
            state: State::Rejected,
            last_error: Some(told.clone()),
            ..test_rows::answer(organization, request)
        };
        answers::insert(&mut tx, vec![(answer.clone(), Vec::new())]).await.unwrap();
        let submission = Submission {
            state: SubmissionState::Refused,
            error: Some(told.clone()),
            ..test_rows::submission(&answer)
        };
        submissions::save(&mut tx, vec![submission.clone()]).await.unwrap();
        let message = Message {
            state: MessageState::Failed,
            error: Some(told.clone()),
            ..test_rows::message(organization)
        };
        messages::insert(&mut tx, &message, &[(submission.id, 1)]).await.unwrap();
        let refused = Outcome::Refused;
        messages::set_outcome(&mut tx, message.id, &[submission.id], refused, Some(&told)).await.unwrap();
        tx.commit().await.unwrap();
        bench.service.clock.advance(LONG);
        assert_eq!(erase(&bench.service, time(&bench)).await.unwrap(), 1);

        let silent = Some(told.without_words());
        assert_eq!(read(&bench, answer.id).await.last_error, silent);
        let mut conn = bench.service.db.read().await.unwrap();
        let [attempt] = submissions::attempts(&mut conn, answer.id).await.unwrap().try_into().unwrap();
        let carrier = attempt.message.unwrap();
        assert_eq!(attempt.error, silent);
        assert_eq!(attempt.submission.error, silent);
        assert_eq!(carrier.error, silent);
        assert_eq!((attempt.outcome, attempt.submission.transport), (Some(refused), submission.transport));
    });
}

fn code<T>(outcome: Result<T>) -> Code {
    let Err(Error::Conflict(conflict)) = outcome else { panic!("no conflict") };
    conflict.code
}

#[test]
fn an_emptied_draft_is_not_sent_and_makes_way() {
    for_both(async |db| {
        let mut bench = Bench::new(db).await;
        let request = bench.answerable_request().await;
        let draft = post(&bench, request, false).await.answer.answer.id;
        bench.service.clock.advance(LONG);
        assert_eq!(erase(&bench.service, time(&bench)).await.unwrap(), 1);
        assert_eq!(read(&bench, draft).await.state, State::Draft);
        let (service, caller) = (&bench.service, &bench.caller);
        let mut tx = service.db.begin().await.unwrap();
        let submitted = service.submit_answer(&mut tx, caller, draft, SubmitAnswer::default(), None).await;
        assert_eq!(code(submitted), Code::StateConflict);
        let edited = service.edit_answer(&mut tx, caller, draft, EditAnswer::default(), None).await;
        assert_eq!(code(edited), Code::StateConflict);
        assert_eq!(code(service.complete_answer(&mut tx, caller, draft, None).await), Code::StateConflict);
        drop(tx);
        // The same content, from somebody else: there is nothing of the draft that he could lose.
        bench.caller.subject = "другой клиент".to_owned();
        let sent = post(&bench, request, true).await;
        assert_eq!((sent.outcome, sent.answer.answer.revision), (CreatedOutcome::Queued, 2));
        assert!(!sent.answer.answer.is_erased());
        let old = read(&bench, draft).await;
        assert_eq!((old.state, old.superseded_by), (State::Superseded, Some(sent.answer.answer.id)));
    });
}

#[test]
fn an_answer_that_cannot_be_read_keeps_none_of_the_others() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let organization = bench.caller.organization;
        let mut tx = bench.service.db.begin().await.unwrap();
        let broken = stored(&mut tx, organization, State::Delivered).await;
        let sound = stored(&mut tx, organization, State::Delivered).await;
        // Nobody can read this any more.
        test_rows::set_content(&mut tx, broken.id, serde_json::json!({ "kind": "a word of nobody" })).await;
        tx.commit().await.unwrap();
        bench.service.clock.advance(LONG);
        assert_eq!(erase(&bench.service, time(&bench)).await.unwrap(), 1);
        assert!(read(&bench, sound.id).await.is_erased());
        assert_eq!(erase(&bench.service, time(&bench)).await.unwrap(), 0);
    });
}
