//! Answers that a person has placed in the cabinet of GIS: recorded, shown, compared with, and never touched unasked.

use chrono::TimeDelta;
use gis_sim::control::CabinetAnswer;
use serde_json::json;

use super::bench::Bench;
use super::client::{Client, command, employ};
use crate::Error;
use crate::answers::{ContentDraft, CreateAnswer, RevokeAnswer};
use crate::domain::answer::{Answer, Confirm, Source, State};
use crate::domain::debt_request::Stage;
use crate::error::Code;
use crate::ids::{AnswerId, DebtRequestId};
use crate::jobs::JobName;
use crate::store::answers;
use crate::store::test_db::for_both;

/// The jobs, in the order of an answer's way.
const JOBS: [JobName; 4] = [JobName::Sync, JobName::Outbox, JobName::Polling, JobName::Settle];

fn person(answer: serde_json::Value) -> CabinetAnswer {
    serde_json::from_value(answer).unwrap()
}

fn no_debt(comment: &str) -> ContentDraft {
    ContentDraft { comment: Some(comment.to_owned()), ..ContentDraft::default() }
}

/// A debt request that is known here and that a person has answered in the cabinet since.
async fn answered(bench: &Bench, answer: serde_json::Value) -> DebtRequestId {
    bench.finish_run().await;
    let request = bench.any_request().await;
    bench.gis().answer_in_cabinet(request.as_uuid(), &person(answer)).unwrap();
    read(bench).await;
    request
}

/// The next reading on schedule, and the looks behind it.
async fn read(bench: &Bench) {
    bench.pass_until_next_schedule();
    bench.finish_run().await;
    work(bench).await;
}

async fn work(bench: &Bench) {
    for _ in 0..10 {
        for job in JOBS {
            bench.worker.step(job).await.unwrap();
        }
        bench.pass(TimeDelta::seconds(15));
    }
}

/// Every revision, newest first.
async fn revisions(bench: &Bench, request: DebtRequestId) -> Vec<Answer> {
    let mut conn = bench.worker.service.db.read().await.unwrap();
    answers::of_requests(&mut conn, &[request]).await.unwrap()
}

async fn states(bench: &Bench, request: DebtRequestId) -> Vec<(Source, State)> {
    revisions(bench, request).await.iter().map(|answer| (answer.source, answer.state)).collect()
}

async fn post(bench: &Bench, command: CreateAnswer) -> crate::Result<AnswerId> {
    Client::of(bench.organization).create(&bench.worker.service, command).await
}

fn code(error: Error) -> Code {
    let Error::Conflict(conflict) = error else { panic!("{error:?}") };
    conflict.code
}

#[test]
fn an_answer_from_the_cabinet_is_recorded_with_its_debtors() {
    for_both(async |db| {
        let bench = Bench::new(db, 3).await;
        let debtor = json!({ "first": "Анна", "last": "Образцова", "snils": "11223344595" });
        let request = answered(&bench, json!({ "has_debt": true, "debtors": [debtor] })).await;
        let [answer] = revisions(&bench, request).await.try_into().unwrap();
        assert_eq!(
            (answer.source, answer.state, answer.confirmed_in_gis),
            (Source::Gis, State::Delivered, true)
        );
        let [debtor] = answer.content.debtors() else { panic!() };
        assert_eq!((debtor.last_name.as_str(), debtor.first_name.as_str()), ("Образцова", "Анна"));
        assert_eq!(answer.warnings.first().unwrap().code, "placed_elsewhere");
        let mirrored = bench.request(request).await;
        assert_eq!((mirrored.stage, mirrored.answer.unwrap().id), (Stage::Answered, answer.id));
        let today = bench.now().date_naive();
        let report = bench
            .worker
            .service
            .reconcile(Client::of(bench.organization).caller(), today - TimeDelta::days(90), today)
            .await
            .unwrap();
        assert_eq!((report.answered_elsewhere, report.answered_confirmed), (1, 0));
        read(&bench).await;
        assert_eq!(revisions(&bench, request).await.len(), 1, "once");
    });
}

#[test]
fn what_the_person_changes_and_withdraws_is_followed() {
    for_both(async |db| {
        let bench = Bench::new(db, 1).await;
        let request = answered(&bench, json!({ "has_debt": false, "description": "первый" })).await;
        bench.gis().revoke_in_cabinet(request.as_uuid()).unwrap();
        read(&bench).await;
        assert_eq!(states(&bench, request).await, [(Source::Gis, State::Revoked)]);
        assert_eq!(bench.request(request).await.stage, Stage::New);
        let second = json!({ "has_debt": false, "description": "второй" });
        bench.gis().answer_in_cabinet(request.as_uuid(), &person(second)).unwrap();
        read(&bench).await;
        let expected = [(Source::Gis, State::Delivered), (Source::Gis, State::Revoked)];
        assert_eq!(states(&bench, request).await, expected);
    });
}

#[test]
fn it_is_written_over_only_when_that_is_confirmed() {
    for_both(async |db| {
        let bench = Bench::new(db, 1).await;
        employ(&bench.worker.service, bench.organization).await;
        let request = answered(&bench, json!({ "has_debt": false, "description": "из кабинета" })).await;
        let [recorded] = revisions(&bench, request).await.try_into().unwrap();
        // The same again is there already.
        assert_eq!(post(&bench, command(request, no_debt("из кабинета"))).await.unwrap(), recorded.id);
        let refused = post(&bench, command(request, no_debt("свой"))).await.unwrap_err();
        assert_eq!(code(refused), Code::AlreadyAnswered);
        let client = Client::of(bench.organization);
        let revoked = client.revoke(&bench.worker.service, recorded.id, RevokeAnswer::default()).await;
        assert_eq!(code(revoked.unwrap_err()), Code::StateConflict);
        let confirm = vec![Confirm::AlreadyAnswered];
        let over = CreateAnswer { confirm, ..command(request, no_debt("свой")) };
        post(&bench, over).await.unwrap();
        work(&bench).await;
        let expected = [(Source::Api, State::Delivered), (Source::Gis, State::Superseded)];
        assert_eq!(states(&bench, request).await, expected);
        let held = bench.gis().subrequest(request.as_uuid()).unwrap().held.answer.unwrap();
        assert_eq!(held.description.as_deref(), Some("свой"));
    });
}

#[test]
fn nothing_is_written_over_an_answer_that_was_not_read_yet() {
    for_both(async |db| {
        let bench = Bench::new(db, 1).await;
        employ(&bench.worker.service, bench.organization).await;
        bench.finish_run().await;
        let request = bench.any_request().await;
        let foreign = json!({ "has_debt": false, "description": "из кабинета" });
        bench.gis().answer_in_cabinet(request.as_uuid(), &person(foreign)).unwrap();
        bench.pass_until_next_schedule();
        // The page says that there is an answer; no look has shown it so far.
        bench.turn().await;
        bench.pass(TimeDelta::seconds(10));
        bench.rest().await;
        assert_eq!(states(&bench, request).await, []);
        let refused = post(&bench, command(request, no_debt("свой"))).await.unwrap_err();
        assert_eq!(code(refused), Code::AlreadyAnswered);
    });
}
