//! Spreadsheets whose worker is gone: an export is begun anew, an import goes on from where it is.

use bytes::Bytes;
use chrono::TimeDelta;

use super::bench::Bench;
use crate::domain::answer::State;
use crate::domain::export::{ExportKind, ExportStatus};
use crate::domain::import::{AnswerColumnMode, ImportCounts, ImportMode, ImportStatus};
use crate::domain::operation::Outcome;
use crate::exports::CreateExport;
use crate::ids::{DebtRequestId, WorkerId};
use crate::imports::CreateImport;
use crate::jobs::JobName;
use crate::spreadsheets::{AnswerColumn, Limits, Workbook, read_answers};
use crate::spreadsheets::{DebtRequestRow, DebtRequestsWriter, Said};
use crate::store::debt_requests::{Filter, Sort, SortBy};
use crate::store::test_db::for_both;
use crate::store::{debt_requests, exports, imports};
use crate::test_service::caller;

#[test]
fn an_import_that_was_applied_is_never_told_to_have_failed() {
    for_both(async |db| {
        let bench = Bench::new(db, 2).await;
        bench.finish_run().await;
        let (service, caller) = (&bench.worker.service, caller(bench.organization));
        let gone = WorkerId::generate();
        for (taken, is_told) in [(2, false), (1, true)] {
            let command = CreateImport {
                file_name: "a.xlsx".to_owned(),
                content: workbook(&request_ids(&bench).await),
                mode: ImportMode::Apply,
                answer_column: AnswerColumnMode::Strict,
                submit: false,
            };
            let staged = service.stage_import(&caller, command, "/file").await.unwrap();
            let mut tx = service.db.begin().await.unwrap();
            let id = service.create_import(&mut tx, &caller, staged).await.unwrap().import.id;
            let mut import = imports::claim(&mut tx, gone, bench.now(), bench.now()).await.unwrap().unwrap();
            import.counts = Some(ImportCounts { answers: 2, ..ImportCounts::default() });
            (import.taken, import.tries) = (taken, 3);
            assert!(imports::update(&mut tx, &import, gone, Some(bench.now())).await.unwrap());
            tx.commit().await.unwrap();
            bench.worker.step(JobName::Imports).await.unwrap();
            let ended = service.get_import(&caller, id).await.unwrap().import;
            assert_eq!((ended.status, ended.marked), (ImportStatus::CompletedWithErrors, None));
            let origin = ended.error.map(|error| error.origin);
            assert_eq!(origin.as_deref(), is_told.then_some("service"));
        }
    });
}

#[test]
fn an_import_that_fails_is_tried_again_soon_and_given_up_after_some_tries() {
    for_both(async |db| {
        let bench = Bench::new(db, 1).await;
        bench.finish_run().await;
        let (service, caller) = (&bench.worker.service, caller(bench.organization));
        let command = CreateImport {
            file_name: "a.xlsx".to_owned(),
            content: workbook(&request_ids(&bench).await),
            mode: ImportMode::Preview,
            answer_column: AnswerColumnMode::Strict,
            submit: false,
        };
        let staged = service.stage_import(&caller, command, "/file").await.unwrap();
        let mut tx = service.db.begin().await.unwrap();
        let import = service.create_import(&mut tx, &caller, staged).await.unwrap().import;
        tx.commit().await.unwrap();
        // A row never lacks its content.
        service.files.delete(import.content).await.unwrap();
        for tries in 1..=3 {
            assert!(bench.worker.step(JobName::Imports).await.is_err());
            assert_eq!(bench.worker.step(JobName::Imports).await.unwrap().done, 0);
            assert_eq!(service.get_import(&caller, import.id).await.unwrap().import.tries, tries);
            bench.pass(TimeDelta::seconds(30));
        }
        bench.worker.step(JobName::Imports).await.unwrap();
        let ended = service.get_import(&caller, import.id).await.unwrap().import;
        assert_eq!(ended.status, ImportStatus::Failed);
        assert_eq!(ended.error.map(|error| error.origin).as_deref(), Some("service"));
    });
}

/// "No debt" to all of them.
fn workbook(requests: &[DebtRequestId]) -> Bytes {
    let mut writer = DebtRequestsWriter::new(&std::env::temp_dir()).unwrap();
    for request in requests {
        let row = DebtRequestRow {
            request_number: "",
            request: None,
            subrequest: *request,
            status: crate::domain::debt_request::ResponseStatus::NotSent,
            requester: None,
            employee: None,
            sent_on: None,
            period_from: None,
            period_to: None,
            due_on: None,
            fias_house: None,
            address: None,
            unified_account: None,
            account: None,
            directorate: None,
            said: Said::HasDebt(false),
        };
        writer.push(&row).unwrap();
    }
    let mut content = std::io::Cursor::new(Vec::new());
    writer.finish(&mut content).unwrap();
    content.into_inner().into()
}

async fn request_ids(bench: &Bench) -> Vec<DebtRequestId> {
    let sort = Sort { by: SortBy::SentOn, descending: false };
    let mut conn = bench.worker.service.db.read().await.unwrap();
    let filter = Filter::default();
    let found = debt_requests::page(&mut conn, bench.organization, &filter, sort, None, 999).await.unwrap();
    found.into_iter().map(|request| request.id).collect()
}

#[test]
fn an_export_whose_worker_is_gone_is_begun_anew_but_not_for_ever() {
    for_both(async |db| {
        let bench = Bench::new(db, 3).await;
        bench.finish_run().await;
        let (service, caller) = (&bench.worker.service, caller(bench.organization));
        let mut tx = service.db.begin().await.unwrap();
        let command =
            CreateExport { kind: ExportKind::DebtRequests, filter: Filter::default(), account_found: None };
        let first = service.create_export(&mut tx, &caller, command.clone()).await.unwrap();
        let (now, gone) = (bench.now(), WorkerId::generate());
        exports::claim(&mut tx, gone, now, now + TimeDelta::minutes(5)).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(bench.worker.step(JobName::Exports).await.unwrap().done, 0);
        bench.pass(TimeDelta::minutes(5));
        assert_eq!(bench.worker.step(JobName::Exports).await.unwrap().done, 1);
        let (written, content) = service.export_content(&caller, first.id).await.unwrap();
        assert_eq!((written.status, written.requests), (ExportStatus::Succeeded, 3));
        assert!(!content.is_empty());

        let mut tx = service.db.begin().await.unwrap();
        let second = service.create_export(&mut tx, &caller, command).await.unwrap();
        let mut export = exports::claim(&mut tx, gone, bench.now(), bench.now()).await.unwrap().unwrap();
        export.tries = 3;
        assert!(exports::update(&mut tx, &export, gone, Some(bench.now())).await.unwrap());
        tx.commit().await.unwrap();
        bench.worker.step(JobName::Exports).await.unwrap();
        let given_up = service.get_export(&caller, second.id).await.unwrap();
        assert_eq!((given_up.status, given_up.file), (ExportStatus::Failed, None));

        // What is over is deleted, and its file with it.
        bench.pass(TimeDelta::days(31));
        bench.worker.step(JobName::Retention).await.unwrap();
        assert!(service.list_exports(&caller, None, 9).await.unwrap().is_empty());
        assert!(service.files.get(written.file.unwrap().content).await.is_err());
    });
}

#[test]
fn an_import_whose_worker_is_gone_goes_on() {
    for_both(async |db| {
        let bench = Bench::new(db, 250).await;
        bench.finish_run().await;
        let content = workbook(&request_ids(&bench).await);
        let (service, caller) = (&bench.worker.service, caller(bench.organization));
        let command = CreateImport {
            file_name: "a.xlsx".to_owned(),
            content: content.clone(),
            mode: ImportMode::Apply,
            answer_column: AnswerColumnMode::Strict,
            submit: false,
        };
        let staged = service.stage_import(&caller, command, "/file").await.unwrap();
        let mut tx = service.db.begin().await.unwrap();
        let id = service.create_import(&mut tx, &caller, staged).await.unwrap().import.id;
        tx.commit().await.unwrap();

        let mut workbook = Workbook::open(content, Limits::default()).unwrap();
        let sheet = read_answers(&mut workbook, AnswerColumn::Strict).unwrap();
        let (until, gone) = (bench.now() + TimeDelta::minutes(10), WorkerId::generate());
        let mut tx = service.db.begin().await.unwrap();
        let mut import = imports::claim(&mut tx, gone, bench.now(), until).await.unwrap().unwrap();
        let rows = service.take_sheet(&mut tx, &caller, &sheet.answers[..100], false).await.unwrap();
        imports::insert_rows(&mut tx, id, rows).await.unwrap();
        import.taken = 100;
        assert!(imports::update(&mut tx, &import, gone, Some(until)).await.unwrap());
        tx.commit().await.unwrap();

        assert_eq!(bench.worker.step(JobName::Imports).await.unwrap().done, 0);
        bench.pass(TimeDelta::minutes(10));
        assert_eq!(bench.worker.step(JobName::Imports).await.unwrap().done, 1);
        let details = service.get_import(&caller, id).await.unwrap();
        assert_eq!((details.import.status, details.import.taken), (ImportStatus::Succeeded, 250));
        assert_eq!(details.tally.of(Outcome::Answer(State::Draft)), 250);

        let file = details.import.content;
        bench.pass(TimeDelta::days(31));
        bench.worker.step(JobName::Retention).await.unwrap();
        assert!(service.list_imports(&caller, None, 9).await.unwrap().is_empty());
        assert!(service.files.get(file).await.is_err());
    });
}
