//! Operations end, and stopped work takes back what it has queued, whatever trouble one of them makes.

use gis_sim::control::SubrequestFilter;
use serde_json::json;

use super::bench::Bench;
use super::client::{Client, command, employ};
use crate::answers::ContentDraft;
use crate::domain::answer::{Answer, State};
use crate::domain::import::{ImportMode, ImportRow};
use crate::domain::operation::{Intake, Operation, OperationKind, OperationStatus};
use crate::ids::{AnswerId, OperationId};
use crate::jobs::JobName;
use crate::store::test_db::for_both;
use crate::store::{answers, imports, operations, test_rows};
use crate::test_service::{caller, stored_import};

/// An answer to each debt request, on its way.
async fn queued(bench: &Bench) -> Vec<Answer> {
    let mut queued = Vec::new();
    for request in bench.gis().subrequests(&SubrequestFilter::default()).items {
        let command = command(request.guid.into(), ContentDraft::default());
        let id = Client::of(bench.organization).create(&bench.worker.service, command).await.unwrap();
        queued.push(answer(bench, id).await);
    }
    queued
}

async fn answer(bench: &Bench, id: AnswerId) -> Answer {
    let mut conn = bench.worker.service.db.read().await.unwrap();
    answers::get(&mut conn, bench.organization, id).await.unwrap().unwrap()
}

/// An import that is stopped when it has queued these answers.
async fn stopped_import(bench: &Bench, answers: &[&Answer]) {
    let (service, caller) = (&bench.worker.service, caller(bench.organization));
    let id = stored_import(service, &caller, ImportMode::Apply).await;
    let row = |(row, answer): (i64, &&Answer)| ImportRow {
        row,
        debt_request: Some(answer.debt_request),
        has_debt: Some(false),
        waits_for_files: false,
        intake: Intake::Queued,
        answer: Some(answer.id),
        errors: Vec::new(),
    };
    let mut tx = service.db.begin().await.unwrap();
    imports::insert_rows(&mut tx, id, (2..).zip(answers).map(row).collect()).await.unwrap();
    service.cancel_operation(&mut tx, &caller, id.as_uuid()).await.unwrap();
    tx.commit().await.unwrap();
}

/// An operation of which nothing goes on any more, and that has not ended.
async fn operation(bench: &Bench) -> OperationId {
    let operation = Operation {
        id: OperationId::generate(),
        organization: bench.organization,
        kind: OperationKind::AnswersBulk,
        status: OperationStatus::Running,
        started_by: "1C".to_owned(),
        author: "client:1C".to_owned(),
        total: 0,
        created_at: bench.now(),
        finished_at: None,
    };
    let mut tx = bench.worker.service.db.begin().await.unwrap();
    operations::insert(&mut tx, &operation).await.unwrap();
    tx.commit().await.unwrap();
    operation.id
}

async fn has_ended(bench: &Bench, id: OperationId) -> bool {
    let mut conn = bench.worker.service.db.read().await.unwrap();
    let operation = operations::get(&mut conn, bench.organization, id).await.unwrap().unwrap();
    operation.finished_at.is_some()
}

async fn set_content(bench: &Bench, answer: &Answer, content: serde_json::Value) {
    let mut tx = bench.worker.service.db.begin().await.unwrap();
    test_rows::set_content(&mut tx, answer.id, content).await;
    tx.commit().await.unwrap();
}

#[test]
fn an_answer_that_cannot_be_taken_back_holds_up_no_other() {
    for_both(async |db| {
        let bench = Bench::new(db, 3).await;
        employ(&bench.worker.service, bench.organization).await;
        bench.finish_run().await;
        let [broken, beside, other] = queued(&bench).await.try_into().unwrap();
        stopped_import(&bench, &[&broken, &beside]).await;
        stopped_import(&bench, &[&other]).await;
        // Nobody can read this any more.
        set_content(&bench, &broken, json!({ "kind": "a word of nobody" })).await;
        for taken_back in [2, 0] {
            let over = operation(&bench).await;
            let report = bench.worker.step(JobName::Operations).await.unwrap();
            assert_eq!(report.detail["taken_back"], taken_back);
            for sound in [&beside, &other] {
                assert_eq!(answer(&bench, sound.id).await.state, State::Cancelled);
            }
            assert!(has_ended(&bench, over).await);
            assert!(
                bench.worker.step(JobName::Operations).await.is_err(),
                "it is told when nothing else can be done"
            );
        }

        set_content(&bench, &broken, serde_json::to_value(&broken.content).unwrap()).await;
        let report = bench.worker.step(JobName::Operations).await.unwrap();
        assert_eq!(report.detail["taken_back"], 1);
        assert_eq!(answer(&bench, broken.id).await.state, State::Cancelled);
    });
}
