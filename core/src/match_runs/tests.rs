use uuid::Uuid;

use super::*;
use crate::answers::DebtorDraft;
use crate::case::Case;
use crate::domain::answer::{Answer, State};
use crate::domain::audit::{ActorKind, AuditFilter, Whom};
use crate::domain::debt_request::DebtRequest;
use crate::domain::long_work::WorkStatus;
use crate::domain::match_run::Deed;
use crate::domain::matching::rules::{Basis, Reason};
use crate::domain::registry::{Registry, RegistryStatus};
use crate::registries::CourtDebtDraft;
use crate::store::samples::{day, department, employee, request};
use crate::store::test_db::for_both;
use crate::store::{debt_requests, departments, employees, matches_due};
use crate::test_service::{Bench, only};

const HOUSE: Uuid = Uuid::from_u128(0xA);
const OTHER: Uuid = Uuid::from_u128(0xB);

async fn stored(bench: &Bench, house: Uuid, premises: &str) -> DebtRequestId {
    stored_in(bench, None, house, premises).await
}

async fn stored_in(
    bench: &Bench,
    department: Option<DepartmentId>,
    house: Uuid,
    premises: &str,
) -> DebtRequestId {
    let mut asked: DebtRequest = request(bench.caller.organization);
    asked.department = department;
    asked.gis.address.fias_house_id = Some(house);
    asked.gis.address.premises = Some(premises.to_owned());
    asked.gis.period_to = Some(day(1));
    let mut tx = bench.service.db.begin().await.unwrap();
    debt_requests::save(&mut tx, &[asked.clone()]).await.unwrap();
    tx.commit().await.unwrap();
    asked.id
}

async fn departments<const N: usize>(bench: &Bench) -> [Option<DepartmentId>; N] {
    let head = employee(bench.caller.organization);
    let all: [_; N] = std::array::from_fn(|_| department(bench.caller.organization, head.id));
    let mut tx = bench.service.db.begin().await.unwrap();
    employees::insert(&mut tx, &head).await.unwrap();
    for department in &all {
        departments::insert(&mut tx, department).await.unwrap();
    }
    tx.commit().await.unwrap();
    all.map(|department| Some(department.id))
}

async fn owes(bench: &Bench, premises: &str) {
    owes_in(bench, None, premises).await;
}

/// A row of the registry that answers for a department.
async fn owes_in(bench: &Bench, department: Option<DepartmentId>, premises: &str) {
    let debtor = DebtorDraft {
        last_name: "Вымышленный".to_owned(),
        first_name: "Пётр".to_owned(),
        ..DebtorDraft::default()
    };
    let draft = CourtDebtDraft {
        department,
        fias_house_id: HOUSE,
        gis_house_id: None,
        address: None,
        premises: premises.to_owned(),
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

async fn start(bench: &Bench, mode: MatchMode, only_debts: bool) -> Result<MatchRunDetails> {
    start_in(bench, None, mode, only_debts).await
}

async fn start_in(
    bench: &Bench,
    department: Option<DepartmentId>,
    mode: MatchMode,
    only_debts: bool,
) -> Result<MatchRunDetails> {
    let scope = MatchScope::Filter(Box::default());
    let requests = bench.service.match_scope(&bench.caller, scope).await?;
    let command = StartMatchRun { requests, mode, only_debts, department };
    let mut tx = bench.service.db.begin().await.unwrap();
    let details = bench.service.start_match_run(&mut tx, &bench.caller, command).await?;
    tx.commit().await.unwrap();
    Ok(details)
}

async fn run_out(bench: &Bench, id: MatchRunId) {
    while bench.service.step_match_run(id).await.unwrap() > 0 {}
}

/// Request, result and deed of each item.
async fn items(bench: &Bench, id: MatchRunId) -> Vec<(DebtRequestId, Option<MatchResult>, Deed)> {
    let items = bench.service.list_match_items(&bench.caller, id, None, None, 99).await.unwrap();
    let mut items: Vec<_> =
        items.into_iter().map(|it| (it.item.debt_request, it.item.result, it.item.deed)).collect();
    items.sort_by_key(|(id, _, _)| *id);
    items
}

#[test]
fn each_request_is_matched_and_answered_where_nothing_is_in_doubt() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let found = stored(&bench, HOUSE, "кв. 1").await;
        let absent = stored(&bench, OTHER, "кв. 1").await;
        let doubtful = stored(&bench, HOUSE, "кв. 2 комн. 1").await;
        let Error::Conflict(conflict) = start(&bench, MatchMode::Preview, false).await.unwrap_err() else {
            panic!("there is no registry")
        };
        assert_eq!(conflict.code, Code::StateConflict);
        owes(&bench, "кв. 1").await;
        owes(&bench, "кв. 2").await;
        let preview = start(&bench, MatchMode::Preview, false).await.unwrap();
        let Error::Conflict(conflict) = start(&bench, MatchMode::Preview, false).await.unwrap_err() else {
            panic!("two at once")
        };
        assert_eq!(conflict.code, Code::RunInProgress);
        run_out(&bench, preview.run.id).await;
        let (yes, no, maybe) = (MatchResult::Found, MatchResult::NotFound, MatchResult::Ambiguous);
        let expected = [(found, yes), (absent, no), (doubtful, maybe)];
        let matched = expected.map(|(id, result)| (id, Some(result), Deed::Matched));
        assert_eq!(items(&bench, preview.run.id).await, matched);
        let only_found =
            bench.service.list_match_items(&bench.caller, preview.run.id, Some(yes), None, 9).await.unwrap();
        let explanation = only_found[0].item.explanation.clone().unwrap();
        let place = RowPlace { address: None, premises: "кв. 1".to_owned() };
        assert_eq!(only_found[0].places, [Some(place)]);
        assert_eq!((explanation.basis, explanation.candidates.len()), (Basis::RowsCount, 1));
        let mut conn = bench.service.db.read().await.unwrap();
        for (id, result) in expected {
            let seen = debt_requests::get(&mut conn, bench.caller.organization, id).await.unwrap().unwrap();
            let last = seen.matched.unwrap();
            assert_eq!((last.result, last.registry_id), (result, Some(preview.run.registry.as_uuid())));
        }
        drop(conn);

        let debts = start(&bench, MatchMode::Prepare, true).await.unwrap();
        run_out(&bench, debts.run.id).await;
        let deeds: Vec<_> = items(&bench, debts.run.id).await.into_iter().map(|(_, _, deed)| deed).collect();
        assert_eq!(deeds, [Deed::Drafted, Deed::Matched, Deed::Matched]);
        let all = start(&bench, MatchMode::Prepare, false).await.unwrap();
        run_out(&bench, all.run.id).await;
        let deeds: Vec<_> = items(&bench, all.run.id).await.into_iter().map(|(_, _, deed)| deed).collect();
        assert_eq!(deeds, [Deed::Skipped, Deed::Drafted, Deed::Matched], "what is begun is left alone");
        let ended = bench.service.get_match_run(&bench.caller, all.run.id).await.unwrap();
        assert_eq!((ended.run.status, ended.run.total), (MatchRunStatus::Succeeded, 3));
    });
}

#[test]
fn a_run_can_be_stopped_and_asks_for_what_it_does() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        stored(&bench, HOUSE, "кв. 1").await;
        owes(&bench, "кв. 1").await;
        let run = start(&bench, MatchMode::Preview, false).await.unwrap().run.id;
        for _ in 0..2 {
            let mut tx = bench.service.db.begin().await.unwrap();
            let stopped =
                bench.service.cancel_operation(&mut tx, &bench.caller, run.as_uuid()).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(stopped.status(), WorkStatus::Cancelled);
        }
        assert_eq!(bench.service.step_match_run(run).await.unwrap(), 0);
        let reader = only(&bench.caller, Scope::RegistryRead);
        let command = StartMatchRun {
            requests: Vec::new(),
            mode: MatchMode::Submit,
            only_debts: false,
            department: None,
        };
        let mut tx = bench.service.db.begin().await.unwrap();
        assert!(bench.service.start_match_run(&mut tx, &reader, command).await.is_err());
        let unknown = MatchScope::Ids(vec![DebtRequestId::generate()]);
        assert!(matches!(bench.service.match_scope(&bench.caller, unknown).await, Err(Error::Invalid(_))));
    });
}

async fn run(
    bench: &Bench,
    department: Option<DepartmentId>,
    mode: MatchMode,
    only_debts: bool,
) -> Vec<(DebtRequestId, Option<MatchResult>, Deed)> {
    let id = start_in(bench, department, mode, only_debts).await.unwrap().run.id;
    run_out(bench, id).await;
    items(bench, id).await
}

/// Why no answer follows, of the last run.
async fn reasons(bench: &Bench, request: DebtRequestId) -> Vec<Reason> {
    let run = bench.service.list_match_runs(&bench.caller, None, 1).await.unwrap().remove(0).run.id;
    let items = bench.service.list_match_items(&bench.caller, run, None, None, 99).await.unwrap();
    let item = items.into_iter().find(|it| it.item.debt_request == request).unwrap();
    item.item.explanation.unwrap().reasons
}

async fn matched(bench: &Bench, id: DebtRequestId) -> MatchResult {
    let mut conn = bench.service.db.read().await.unwrap();
    let seen = debt_requests::get(&mut conn, bench.caller.organization, id).await.unwrap().unwrap();
    seen.matched.unwrap().result
}

/// F77, F78: branches first, each by its own registry, then the head office by its own.
#[test]
fn f78_no_registry_alone_says_no_debt_where_another_one_answers_too() {
    use MatchResult::{Ambiguous, Found, NotFound};
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let [north, south] = departments(&bench).await;
        let owed = stored_in(&bench, north, HOUSE, "кв. 1").await;
        let doubtful = stored_in(&bench, north, HOUSE, "кв. 2 комн. 1").await;
        let free = stored_in(&bench, north, HOUSE, "кв. 9").await;
        let elsewhere = stored_in(&bench, south, HOUSE, "кв. 1").await;
        let nowhere = stored_in(&bench, None, HOUSE, "кв. 1").await;
        owes_in(&bench, north, "кв. 1").await;
        owes_in(&bench, north, "кв. 2").await;
        owes_in(&bench, None, "кв. 5").await;

        // The head office is first by mistake: what the branch knows or doubts is not answered, wherever the request belongs.
        let preview = run(&bench, None, MatchMode::Preview, false).await;
        let results: Vec<_> = preview.iter().map(|(id, result, _)| (*id, result.unwrap())).collect();
        let expected = [
            (owed, Ambiguous),
            (doubtful, Ambiguous),
            (free, NotFound),
            (elsewhere, Ambiguous),
            (nowhere, Ambiguous),
        ];
        assert_eq!(results, expected);
        assert_eq!(reasons(&bench, owed).await, [Reason::OtherRegistry]);
        assert_eq!(reasons(&bench, doubtful).await, [Reason::PremisesPartial, Reason::OtherRegistry]);
        for (request, joint) in
            [(owed, Found), (doubtful, Ambiguous), (free, NotFound), (elsewhere, Found), (nowhere, Found)]
        {
            assert_eq!(matched(&bench, request).await, joint);
        }

        // The branch answers its debts, and of the requests of others nothing but debts.
        let branch = run(&bench, north, MatchMode::Prepare, true).await;
        let deeds: Vec<_> = branch.iter().map(|(id, _, deed)| (*id, *deed)).collect();
        let expected = [
            (owed, Deed::Drafted),
            (doubtful, Deed::Matched),
            (free, Deed::Matched),
            (elsewhere, Deed::Drafted),
            (nowhere, Deed::Drafted),
        ];
        assert_eq!(deeds, expected);

        let head = run(&bench, None, MatchMode::Prepare, false).await;
        let deeds: Vec<_> = head.iter().map(|(id, result, deed)| (*id, result.unwrap(), *deed)).collect();
        let expected = [
            (owed, Ambiguous, Deed::Matched),
            (doubtful, Ambiguous, Deed::Matched),
            (free, NotFound, Deed::Drafted),
            (elsewhere, Ambiguous, Deed::Matched),
            (nowhere, Ambiguous, Deed::Matched),
        ];
        assert_eq!(deeds, expected);
        assert_eq!(matched(&bench, owed).await, Found, "what the branch found stays");
    });
}

#[test]
fn a_department_says_no_debt_of_its_own_requests_alone() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let [north, south] = departments(&bench).await;
        let ours = stored_in(&bench, north, HOUSE, "кв. 1").await;
        let theirs = stored_in(&bench, south, HOUSE, "кв. 2").await;
        let nowhere = stored_in(&bench, None, HOUSE, "кв. 3").await;
        owes_in(&bench, north, "кв. 9").await;
        let made = run(&bench, north, MatchMode::Prepare, false).await;
        let no = Some(MatchResult::NotFound);
        assert_eq!(
            made,
            [(ours, no, Deed::Drafted), (theirs, no, Deed::Matched), (nowhere, no, Deed::Matched)]
        );
        assert_eq!(reasons(&bench, ours).await, []);
        assert_eq!(reasons(&bench, theirs).await, [Reason::OtherDepartment]);
        assert_eq!(reasons(&bench, nowhere).await, [Reason::OtherDepartment]);
        let unknown = start_in(&bench, Some(DepartmentId::generate()), MatchMode::Preview, false).await;
        assert!(matches!(unknown, Err(Error::Invalid(_))));
    });
}

#[test]
fn a_run_whose_registry_was_replaced_answers_no_more() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let owed = stored(&bench, HOUSE, "кв. 1").await;
        let free = stored(&bench, OTHER, "кв. 1").await;
        owes(&bench, "кв. 1").await;
        let started = start(&bench, MatchMode::Submit, false).await.unwrap().run;
        // Another registry of the same supplier takes its place: it knows other debts.
        let mut tx = bench.service.db.begin().await.unwrap();
        let held = registries::lock(&mut tx, started.organization, started.registry).await.unwrap().unwrap();
        let replaced = Registry { status: RegistryStatus::Replaced, ..held };
        registries::update(&mut tx, &replaced).await.unwrap();
        tx.commit().await.unwrap();
        run_out(&bench, started.id).await;
        let pending = [owed, free].map(|id| (id, None, Deed::Pending));
        assert_eq!(items(&bench, started.id).await, pending);
        let ended = bench.service.get_match_run(&bench.caller, started.id).await.unwrap().run;
        assert_eq!(ended.status, MatchRunStatus::Replaced);
        assert!(ended.finished_at.is_some());
        let mut conn = bench.service.db.read().await.unwrap();
        assert_eq!(matches_due::since(&mut conn, started.organization).await.unwrap(), None);
    });
}

#[test]
fn what_a_person_has_cancelled_is_not_answered_by_a_run() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let stopped = stored(&bench, HOUSE, "кв. 1").await;
        owes(&bench, "кв. 1").await;
        run(&bench, None, MatchMode::Prepare, false).await;
        let mut tx = bench.service.db.begin().await.unwrap();
        let mut case = Case::open(&mut tx, bench.caller.organization, stopped, bench.service.clock.now())
            .await
            .unwrap()
            .unwrap();
        let answer = case.answers()[0].clone();
        case.update(&mut Answer { state: State::Cancelled, ..answer });
        case.close(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let again = run(&bench, None, MatchMode::Submit, false).await;
        assert_eq!(again, [(stopped, Some(MatchResult::Found), Deed::Skipped)]);
    });
}

#[test]
fn a_run_of_nobody_is_told_of_in_the_audit_log_and_one_of_a_client_is_told_by_the_client() {
    for_both(async |db| {
        let mut bench = Bench::new(db).await;
        // A client may have the name under which matches begin by themselves.
        "sync".clone_into(&mut bench.caller.subject);
        stored(&bench, HOUSE, "кв. 1").await;
        owes(&bench, "кв. 1").await;
        let ours = AuditFilter { actor: Some(Whom::Kind(ActorKind::Auto)), ..AuditFilter::default() };
        for (automatic, expected) in [(false, 0), (true, 1)] {
            let request = stored(&bench, HOUSE, "кв. 1").await;
            let registry = {
                let mut conn = bench.service.db.read().await.unwrap();
                registries::active(&mut conn, bench.caller.organization, None).await.unwrap().unwrap()
            };
            let new = NewRun {
                organization: bench.caller.organization,
                department: None,
                registry: registry.id,
                mode: MatchMode::Prepare,
                only_debts: false,
                requests: vec![request],
                started_by: "sync".to_owned(),
                automatic,
                employee: None,
            };
            let mut tx = bench.service.db.begin().await.unwrap();
            let id = begin(&mut tx, new, bench.service.clock.now()).await.unwrap().id;
            tx.commit().await.unwrap();
            run_out(&bench, id).await;
            let told = bench.service.list_audit_log(&bench.caller, &ours, None, 9).await.unwrap();
            assert_eq!(told.len(), expected);
            let items = bench.service.list_match_items(&bench.caller, id, None, None, 9).await.unwrap();
            let answer = items[0].item.answer.unwrap();
            let named = told.iter().map(|it| (it.action.as_str(), it.target.clone()));
            let wanted = automatic.then(|| ("create_answer", format!("answers/{answer}")));
            assert_eq!(named.collect::<Vec<_>>(), Vec::from_iter(wanted));
        }
    });
}
