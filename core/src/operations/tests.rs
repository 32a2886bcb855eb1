//! The common list, and how work of each kind is stopped.

mod counts;

use std::collections::BTreeSet;

use gis_client::debt_requests::AtLeastOne;
use uuid::Uuid;

use super::*;
use crate::answers::{ContentDraft, CreateAnswer, DebtorDraft};
use crate::domain::answer::{Source, State};
use crate::domain::content::Content;
use crate::domain::export::{ExportKind, ExportStatus};
use crate::domain::import::{ImportMode, ImportStatus};
use crate::domain::long_work::{WorkKind, WorkStatus};
use crate::domain::match_run::{Deed, MatchItem, MatchMode};
use crate::domain::operation::Intake;
use crate::domain::sync_run::{RunState, SyncRun};
use crate::error::Code;
use crate::exports::CreateExport;
use crate::ids::{DebtRequestId, MatchRunId, WorkerId};
use crate::match_runs::StartMatchRun;
use crate::registries::CourtDebtDraft;
use crate::spreadsheets::SheetAnswer;
use crate::store::debt_requests::Filter;
use crate::store::test_db::for_both;
use crate::store::{exports, imports, match_runs, samples, sync_runs};
use crate::sync_runs::new_run;
use crate::test_service::{Bench, caller, only, stored_import};

async fn list(
    bench: &Bench,
    caller: &Caller,
    kind: Option<WorkKind>,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Vec<LongWork> {
    bench.service.list_operations(caller, kind, after, limit).await.unwrap()
}

async fn cancel(bench: &Bench, caller: &Caller, id: Uuid) -> Result<LongWork> {
    let mut tx = bench.service.db.begin().await?;
    let work = bench.service.cancel_operation(&mut tx, caller, id).await?;
    tx.commit().await?;
    Ok(work)
}

fn is_refused(outcome: &Result<LongWork>) -> bool {
    matches!(outcome, Err(Error::Refused { code: Code::ScopeMissing, .. }))
}

/// A registry that answers: no match begins without one.
async fn registry(bench: &Bench) {
    let debtor = DebtorDraft {
        last_name: "Вымышленный".to_owned(),
        first_name: "Пётр".to_owned(),
        ..DebtorDraft::default()
    };
    let draft = CourtDebtDraft {
        department: None,
        fias_house_id: Uuid::from_u128(0xA),
        gis_house_id: None,
        address: None,
        premises: "кв. 1".to_owned(),
        in_force_from: chrono::NaiveDate::from_ymd_opt(2025, 3, 12).unwrap(),
        repaid_on: None,
        debtors: vec![debtor],
        attachments: Vec::new(),
        comment: Some("решение".to_owned()),
    };
    let mut tx = bench.service.db.begin().await.unwrap();
    let kept = bench.service.add_court_debt(&mut tx, &bench.caller, draft).await.unwrap();
    bench.service.activate_registry(&mut tx, &bench.caller, kept.registry).await.unwrap();
    tx.commit().await.unwrap();
}

/// An answer that waits in the queue, as an item.
async fn queued(bench: &Bench, request: DebtRequestId) -> OperationItem {
    let command = CreateAnswer {
        debt_request: request,
        external_id: None,
        submit: true,
        content: ContentDraft::default(),
        executor: None,
        confirm: Vec::new(),
        reason: None,
        source: Source::Api,
        trace: None,
    };
    let mut tx = bench.service.db.begin().await.unwrap();
    let created = bench.service.create_answer(&mut tx, &bench.caller, command).await.unwrap();
    tx.commit().await.unwrap();
    OperationItem {
        place: 0,
        debt_request: Some(request),
        external_id: None,
        intake: Intake::Queued,
        answer: Some(created.answer.answer.id),
        errors: Vec::new(),
    }
}

async fn answers(bench: &Bench, kind: OperationKind, items: Vec<OperationItem>) -> Uuid {
    let mut tx = bench.service.db.begin().await.unwrap();
    let begun = begin(&mut tx, &bench.caller, kind, items, bench.service.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    begun.operation.id.as_uuid()
}

async fn export(bench: &Bench) -> Uuid {
    let command =
        CreateExport { kind: ExportKind::DebtRequests, filter: Filter::default(), account_found: None };
    let mut tx = bench.service.db.begin().await.unwrap();
    let export = bench.service.create_export(&mut tx, &bench.caller, command).await.unwrap();
    tx.commit().await.unwrap();
    export.id.as_uuid()
}

async fn import(bench: &Bench) -> Uuid {
    import_in(bench, ImportMode::Apply).await
}

async fn import_in(bench: &Bench, mode: ImportMode) -> Uuid {
    stored_import(&bench.service, &bench.caller, mode).await.as_uuid()
}

async fn matched(bench: &Bench) -> MatchRunId {
    let command =
        StartMatchRun { requests: Vec::new(), mode: MatchMode::Preview, only_debts: false, department: None };
    let mut tx = bench.service.db.begin().await.unwrap();
    let details = bench.service.start_match_run(&mut tx, &bench.caller, command).await.unwrap();
    tx.commit().await.unwrap();
    details.run.id
}

async fn sync(bench: &Bench, state: RunState) -> Uuid {
    let now = bench.service.clock.now();
    let settings = &bench.service.settings.sync;
    let begun = new_run(bench.caller.organization, "schedule".to_owned(), settings, now);
    let finished_at = (state != RunState::Running).then_some(now);
    let run = SyncRun { state, finished_at, ..begun };
    let mut tx = bench.service.db.begin().await.unwrap();
    sync_runs::insert(&mut tx, &run).await.unwrap();
    tx.commit().await.unwrap();
    run.id.as_uuid()
}

/// One of each kind at the same moment, in the order of the kinds; all but the spreadsheets have ended.
async fn one_of_each(bench: &Bench) -> Vec<Uuid> {
    let run = matched(bench).await;
    assert_eq!(bench.service.step_match_run(run).await.unwrap(), 1);
    vec![
        answers(bench, OperationKind::AnswersBulk, Vec::new()).await,
        answers(bench, OperationKind::AutoAnswer, Vec::new()).await,
        export(bench).await,
        import(bench).await,
        run.as_uuid(),
        sync(bench, RunState::Succeeded).await,
    ]
}

#[test]
fn all_kinds_are_one_list_however_long_its_pages_are() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        registry(&bench).await;
        let mut made = Vec::new();
        for _ in 0..3 {
            let at = bench.service.clock.now();
            made.extend(one_of_each(&bench).await.into_iter().map(|id| (at, id)));
            bench.service.clock.advance(TimeDelta::seconds(1));
        }
        made.sort_unstable();
        made.reverse();
        for limit in [1, 2, 4, 7, 99] {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = list(&bench, &bench.caller, None, after, limit).await;
                let places = page.iter().map(|work| (work.created_at(), work.id()));
                found.extend(places);
                let Some(last) = page.last() else { break };
                after = Some((last.created_at(), last.id()));
            }
            assert_eq!(found, made, "{limit}");
        }
        for kind in WorkKind::ALL {
            let page = list(&bench, &bench.caller, Some(*kind), None, 99).await;
            assert_eq!(page.iter().map(LongWork::kind).collect::<Vec<_>>(), [*kind; 3]);
        }
    });
}

#[test]
fn each_kind_is_seen_with_the_rights_of_its_own_resource() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        registry(&bench).await;
        one_of_each(&bench).await;
        let all = list(&bench, &bench.caller, None, None, 99).await;
        let of_answers = [WorkKind::AnswersBulk, WorkKind::AutoAnswer];
        let other = Caller { subject: "другой".to_owned(), ..only(&bench.caller, Scope::AnswersWrite) };
        for (reader, expected) in [
            (only(&bench.caller, Scope::AnswersRead), BTreeSet::from(of_answers)),
            (
                only(&bench.caller, Scope::AnswersWrite),
                [WorkKind::Import].into_iter().chain(of_answers).collect(),
            ),
            (other, BTreeSet::from([WorkKind::Import])),
            (only(&bench.caller, Scope::RequestsRead), BTreeSet::from([WorkKind::Export, WorkKind::Sync])),
            (only(&bench.caller, Scope::RegistryRead), BTreeSet::from([WorkKind::MatchRun])),
        ] {
            let seen = list(&bench, &reader, None, None, 99).await;
            assert_eq!(seen.iter().map(LongWork::kind).collect::<BTreeSet<_>>(), expected);
            for work in &all {
                let found = bench.service.get_operation(&reader, work.id()).await;
                if expected.contains(&work.kind()) {
                    assert_eq!(found.unwrap(), *work);
                } else {
                    assert!(matches!(found, Err(Error::NotFound)));
                }
            }
        }
        let powerless = only(&bench.caller, Scope::EventsRead);
        assert!(bench.service.list_operations(&powerless, None, None, 9).await.is_err());
        assert!(is_refused(&bench.service.get_operation(&powerless, all[0].id()).await));
        let matcher = only(&bench.caller, Scope::RegistryRead);
        let exports = bench.service.list_operations(&matcher, Some(WorkKind::Export), None, 9).await;
        assert!(matches!(exports, Err(Error::Refused { code: Code::ScopeMissing, .. })));

        let mut tx = bench.service.db.begin().await.unwrap();
        let stranger = caller(samples::stored_organization(&mut tx).await);
        tx.commit().await.unwrap();
        assert_eq!(list(&bench, &stranger, None, None, 99).await, []);
        for work in &all {
            let id = work.id();
            assert!(matches!(bench.service.get_operation(&stranger, id).await, Err(Error::NotFound)));
            assert!(matches!(cancel(&bench, &stranger, id).await, Err(Error::NotFound)));
        }
    });
}

#[test]
fn whatever_goes_on_can_be_stopped_by_whoever_might_have_started_it() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        registry(&bench).await;
        let request = bench.answerable_request().await;
        let item = queued(&bench, request).await;
        let answer = item.answer.unwrap();
        let run = matched(&bench).await;
        let all = [
            (
                answers(&bench, OperationKind::AnswersBulk, vec![item]).await,
                Scope::AnswersSubmit,
                Some(Scope::AnswersRead),
            ),
            (export(&bench).await, Scope::RequestsRead, None),
            (import(&bench).await, Scope::AnswersSubmit, Some(Scope::AnswersWrite)),
            (run.as_uuid(), Scope::RegistryRead, None),
            (sync(&bench, RunState::Running).await, Scope::AnswersWrite, Some(Scope::RequestsRead)),
        ];
        let powerless = only(&bench.caller, Scope::EventsRead);
        for (id, scope, reader) in all {
            // As when he asks for it: what he does not see is not there.
            let other = if scope == Scope::RegistryRead { Scope::RequestsRead } else { Scope::RegistryRead };
            let blind = only(&bench.caller, other);
            assert!(matches!(bench.service.get_operation(&blind, id).await, Err(Error::NotFound)));
            assert!(matches!(cancel(&bench, &blind, id).await, Err(Error::NotFound)));
            if let Some(reader) = reader.map(|scope| only(&bench.caller, scope)) {
                assert!(bench.service.get_operation(&reader, id).await.is_ok());
                assert!(is_refused(&cancel(&bench, &reader, id).await));
            }
            assert!(is_refused(&cancel(&bench, &powerless, id).await));
            // Clients repeat requests by themselves.
            for _ in 0..2 {
                let stopped = cancel(&bench, &only(&bench.caller, scope), id).await.unwrap();
                assert_eq!(stopped.status(), WorkStatus::Cancelled);
                assert!(stopped.finished_at().is_some());
            }
        }
        let unknown = Uuid::now_v7();
        assert!(matches!(cancel(&bench, &bench.caller, unknown).await, Err(Error::NotFound)));

        let taken_back = bench.service.get_answer(&bench.caller, answer).await.unwrap();
        assert_eq!(taken_back.answer.state, State::Cancelled);
        assert_eq!(bench.service.step_match_run(run).await.unwrap(), 0);
        let (now, worker) = (bench.service.clock.now(), WorkerId::generate());
        let mut tx = bench.service.db.begin().await.unwrap();
        assert_eq!(exports::claim(&mut tx, worker, now, now).await.unwrap(), None);
        assert_eq!(imports::claim(&mut tx, worker, now, now).await.unwrap(), None);
        assert_eq!(sync_runs::running(&mut tx).await.unwrap(), []);
    });
}

#[test]
fn a_reading_that_began_by_itself_is_nobodys_own() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let named = |subject: &str| Caller {
            subject: subject.to_owned(),
            ..only(&bench.caller, Scope::RequestsRead)
        };
        for (started_by, may_stop) in
            [("schedule", false), ("interval", false), ("start", false), ("1С Биллинг", true)]
        {
            let (now, settings) = (bench.service.clock.now(), &bench.service.settings.sync);
            let run = new_run(bench.caller.organization, started_by.to_owned(), settings, now);
            let mut tx = bench.service.db.begin().await.unwrap();
            sync_runs::insert(&mut tx, &run).await.unwrap();
            tx.commit().await.unwrap();
            let stopped = cancel(&bench, &named(started_by), run.id.as_uuid()).await;
            assert_eq!(is_refused(&stopped), !may_stop, "{started_by}");
            // One goes on at a time.
            cancel(&bench, &bench.caller, run.id.as_uuid()).await.unwrap();
            bench.service.clock.advance(TimeDelta::seconds(1));
        }
    });
}

#[test]
fn a_match_that_is_stopped_takes_back_what_it_has_queued() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        registry(&bench).await;
        let request = bench.answerable_request().await;
        let run = matched(&bench).await;
        let answer = queued(&bench, request).await.answer;
        let item = MatchItem {
            place: 0,
            debt_request: request,
            deed: Deed::Queued,
            result: None,
            explanation: None,
            answer,
            error: None,
        };
        let mut tx = bench.service.db.begin().await.unwrap();
        match_runs::save_items(&mut tx, run, vec![item]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(bench.take_back().await, 0, "it goes on");
        cancel(&bench, &bench.caller, run.as_uuid()).await.unwrap();
        assert_eq!(bench.take_back().await, 1);
        let taken_back = bench.service.get_answer(&bench.caller, answer.unwrap()).await.unwrap();
        assert_eq!(taken_back.answer.state, State::Cancelled);
    });
}

#[test]
fn what_has_ended_cannot_be_stopped() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        registry(&bench).await;
        let organization = bench.caller.organization;
        let all = one_of_each(&bench).await;
        let now = Some(bench.service.clock.now());
        let mut tx = bench.service.db.begin().await.unwrap();
        let mut written = exports::lock(&mut tx, organization, all[2].into()).await.unwrap().unwrap();
        (written.status, written.finished_at) = (ExportStatus::Succeeded, now);
        exports::withdraw(&mut tx, &written).await.unwrap();
        let mut checked = imports::lock(&mut tx, organization, all[3].into()).await.unwrap().unwrap();
        (checked.status, checked.finished_at) = (ImportStatus::Checked, now);
        imports::withdraw(&mut tx, &checked).await.unwrap();
        tx.commit().await.unwrap();
        for id in all.into_iter().chain([sync(&bench, RunState::Failed).await]) {
            let before = bench.service.get_operation(&bench.caller, id).await.unwrap();
            let Err(Error::Conflict(conflict)) = cancel(&bench, &bench.caller, id).await else {
                panic!("{before:?}")
            };
            assert_eq!(conflict.code, Code::StateConflict);
            assert_eq!(bench.service.get_operation(&bench.caller, id).await.unwrap(), before);
        }
    });
}

#[test]
fn the_worker_of_what_was_stopped_finds_that_it_is_not_his_any_more() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let said = SheetAnswer {
            debt_request: bench.answerable_request().await,
            request_number: None,
            content: Content::NoDebt { comment: None },
            waits_for_files: false,
            rows: AtLeastOne::from(2),
        };
        let (import, export) = (import(&bench).await, export(&bench).await);
        let (now, worker) = (bench.service.clock.now(), WorkerId::generate());
        let until = now + TimeDelta::minutes(10);
        let mut tx = bench.service.db.begin().await.unwrap();
        let written = exports::claim(&mut tx, worker, now, until).await.unwrap().unwrap();
        let mut half = imports::claim(&mut tx, worker, now, until).await.unwrap().unwrap();
        let rows = bench.service.take_sheet(&mut tx, &bench.caller, &[said], true).await.unwrap();
        imports::insert_rows(&mut tx, half.id, rows).await.unwrap();
        (half.taken, half.status) = (1, ImportStatus::Running);
        assert!(imports::update(&mut tx, &half, worker, Some(until)).await.unwrap());
        tx.commit().await.unwrap();

        let LongWork::Import(stopped) = cancel(&bench, &bench.caller, import).await.unwrap() else {
            panic!("an import")
        };
        assert_eq!(stopped.import.status, ImportStatus::Cancelled);
        assert_eq!(stopped.import.expires_at, Some(bench.service.kept_until(now)));
        assert_eq!(stopped.tally.of(Outcome::Answer(State::Queued)), 1);
        assert_eq!(bench.take_back().await, 1, "it waited to be sent");
        assert_eq!(bench.take_back().await, 0);
        let LongWork::Import(stopped) = bench.service.get_operation(&bench.caller, import).await.unwrap()
        else {
            panic!("an import")
        };
        assert_eq!(stopped.tally.of(Outcome::Answer(State::Cancelled)), 1);
        cancel(&bench, &bench.caller, export).await.unwrap();

        let mut tx = bench.service.db.begin().await.unwrap();
        assert!(!imports::hold(&mut tx, half.id, worker).await.unwrap());
        assert!(!imports::update(&mut tx, &half, worker, Some(until)).await.unwrap());
        assert!(!exports::update(&mut tx, &written, worker, None).await.unwrap());
        assert_eq!(imports::claim(&mut tx, worker, until, until).await.unwrap(), None);
        assert_eq!(exports::claim(&mut tx, worker, until, until).await.unwrap(), None);
        drop(tx);
        let refused = bench.service.export_content(&bench.caller, written.id).await;
        assert!(matches!(refused, Err(Error::Conflict(_))));
        let mut tx = bench.service.db.begin().await.unwrap();
        assert!(bench.service.apply_import(&mut tx, &bench.caller, half.id).await.is_err());
    });
}
