mod rounds;

use chrono::TimeDelta;
use uuid::Uuid;

use super::*;
use crate::answers::DebtorDraft;
use crate::domain::audit::{Actor, AuditFilter};
use crate::domain::debt_request::DebtRequest;
use crate::domain::match_run::{Deed, MatchMode};
use crate::domain::registry::{Registry, RegistryStatus};
use crate::ids::{DebtRequestId, DepartmentId, MatchRunId};
use crate::match_runs::{MatchScope, StartMatchRun};
use crate::registries::CourtDebtDraft;
use crate::store::samples::{day, request};
use crate::store::test_db::for_both;
use crate::store::{debt_requests, registries};
use crate::test_service::{Bench, only};

const HOUSE: Uuid = Uuid::from_u128(0xA);

async fn stored(bench: &Bench, premises: &str, due: u32) -> DebtRequestId {
    let mut asked: DebtRequest = request(bench.caller.organization);
    asked.gis.address.fias_house_id = Some(HOUSE);
    asked.gis.address.premises = Some(premises.to_owned());
    asked.gis.period_to = Some(day(1));
    asked.gis.due_on = Some(day(due));
    let mut tx = bench.service.db.begin().await.unwrap();
    debt_requests::save(&mut tx, &[asked.clone()]).await.unwrap();
    tx.commit().await.unwrap();
    asked.id
}

/// A registry that knows a debt of a flat.
async fn owes(bench: &Bench, premises: &str) {
    owes_in(bench, None, premises).await;
}

/// The same of a department.
async fn owes_in(bench: &Bench, department: Option<DepartmentId>, premises: &str) {
    owes_at(bench, department, None, premises).await;
}

/// The same of a house that has an identifier of GIS too.
async fn owes_at(
    bench: &Bench,
    department: Option<DepartmentId>,
    gis_house_id: Option<Uuid>,
    premises: &str,
) {
    let debtor = DebtorDraft {
        last_name: "Вымышленный".to_owned(),
        first_name: "Пётр".to_owned(),
        ..DebtorDraft::default()
    };
    let draft = CourtDebtDraft {
        department,
        fias_house_id: HOUSE,
        gis_house_id,
        address: None,
        premises: premises.to_owned(),
        in_force_from: chrono::NaiveDate::from_ymd_opt(2025, 3, 12).unwrap(),
        repaid_on: None,
        debtors: vec![debtor],
        attachments: Vec::new(),
        comment: None,
    };
    let mut tx = bench.service.db.begin().await.unwrap();
    let kept = bench.service.add_court_debt(&mut tx, &bench.caller, draft).await.unwrap();
    bench.service.activate_registry(&mut tx, &bench.caller, kept.registry).await.unwrap();
    tx.commit().await.unwrap();
}

fn enabled() -> MatchingSettings {
    MatchingSettings { enabled: true, ..MatchingSettings::default() }
}

async fn set(bench: &Bench, settings: MatchingSettings) {
    let mut tx = bench.service.db.begin().await.unwrap();
    bench.service.set_matching(&mut tx, &bench.caller, settings, None).await.unwrap();
    tx.commit().await.unwrap();
}

/// A reading has ended.
async fn sync(bench: &Bench) {
    let mut tx = bench.service.db.begin().await.unwrap();
    note_sync(&mut tx, bench.caller.organization, bench.service.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn is_due(bench: &Bench) -> bool {
    let mut conn = bench.service.db.read().await.unwrap();
    !matches_due::all(&mut conn, 9).await.unwrap().is_empty()
}

/// What begins; its requests in their order, with what became of them.
async fn begun(bench: &Bench) -> Option<(MatchRunId, Vec<DebtRequestId>)> {
    if !bench.service.begin_due_match(bench.caller.organization).await.unwrap() {
        return None;
    }
    let run = bench.service.list_match_runs(&bench.caller, None, 1).await.unwrap().pop()?.run;
    let items = bench.service.list_match_items(&bench.caller, run.id, None, None, 99).await.unwrap();
    Some((run.id, items.into_iter().map(|it| it.item.debt_request).collect()))
}

async fn run_out(bench: &Bench, id: MatchRunId) {
    while bench.service.step_match_run(id).await.unwrap() > 0 {}
}

#[test]
fn a_reading_makes_a_match_due_only_where_that_is_wished() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        sync(&bench).await;
        set(&bench, MatchingSettings { run_after_sync: false, ..enabled() }).await;
        sync(&bench).await;
        assert!(!is_due(&bench).await);
        set(&bench, enabled()).await;
        sync(&bench).await;
        assert!(is_due(&bench).await);
        assert_eq!(begun(&bench).await, None, "there is no registry, so there is no match, nor one to come");
        assert!(!is_due(&bench).await);
    });
}

#[test]
fn one_match_follows_however_many_readings_and_waits_for_the_one_before() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let (first, second) = (stored(&bench, "кв. 1", 12).await, stored(&bench, "кв. 2", 10).await);
        owes(&bench, "кв. 1").await;
        set(&bench, enabled()).await;
        let scope = MatchScope::Ids(vec![first]);
        let requests = bench.service.match_scope(&bench.caller, scope).await.unwrap();
        let command =
            StartMatchRun { requests, mode: MatchMode::Preview, only_debts: false, department: None };
        let mut tx = bench.service.db.begin().await.unwrap();
        let clients = bench.service.start_match_run(&mut tx, &bench.caller, command).await.unwrap();
        tx.commit().await.unwrap();
        sync(&bench).await;
        sync(&bench).await;
        assert_eq!(begun(&bench).await, None, "the client's match is under way");
        assert!(is_due(&bench).await);
        run_out(&bench, clients.run.id).await;
        let (run, requests) = begun(&bench).await.unwrap();
        assert_eq!(requests, [second, first], "the first was compared already, so it comes last");
        assert!(!bench.service.begin_due_match(bench.caller.organization).await.unwrap());
        run_out(&bench, run).await;
        assert!(!bench.service.begin_due_match(bench.caller.organization).await.unwrap());
        let ended = bench.service.get_match_run(&bench.caller, run).await.unwrap();
        assert_eq!((ended.run.mode, ended.run.started_by.as_str()), (MatchMode::Prepare, "sync"));
        assert_eq!(ended.tally.of_deed(Deed::Drafted), 2);
        sync(&bench).await;
        assert_eq!(begun(&bench).await, Some((run, vec![second, first])), "nothing is left to be matched");
        let all = bench.service.list_match_runs(&bench.caller, None, 9).await.unwrap();
        assert_eq!(all.len(), 2);
    });
}

#[test]
fn a_match_that_begins_by_itself_is_told_of_and_goes_on_with_the_next_registry() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let request = stored(&bench, "кв. 1", 12).await;
        owes(&bench, "кв. 1").await;
        set(&bench, enabled()).await;
        sync(&bench).await;
        let (run, _) = begun(&bench).await.unwrap();
        let log =
            bench.service.list_audit_log(&bench.caller, &AuditFilter::default(), None, 9).await.unwrap();
        let told: Vec<_> = log.iter().map(|it| (&it.actor, it.action.as_str(), it.target.clone())).collect();
        assert_eq!(told, [(&Actor::Auto, "start_match_run", format!("match-runs/{run}"))]);
        let shown = bench.service.get_match_run(&bench.caller, run).await.unwrap().run;
        assert!(shown.automatic);

        let mut tx = bench.service.db.begin().await.unwrap();
        let held = registries::lock(&mut tx, shown.organization, shown.registry).await.unwrap().unwrap();
        registries::update(&mut tx, &Registry { status: RegistryStatus::Replaced, ..held }).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!is_due(&bench).await);
        run_out(&bench, run).await;
        assert!(is_due(&bench).await, "what is left is matched with the registry that answers now");
        owes(&bench, "кв. 1").await;
        let (next, requests) = begun(&bench).await.unwrap();
        assert_eq!((next == run, requests), (false, vec![request]));
    });
}

#[test]
fn a_department_that_does_not_exist_is_refused() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let settings = MatchingSettings { department: Some(DepartmentId::generate()), ..enabled() };
        let mut tx = bench.service.db.begin().await.unwrap();
        let refused = bench.service.set_matching(&mut tx, &bench.caller, settings, None).await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
    });
}

#[test]
fn what_does_not_fit_comes_next_time() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let late = stored(&bench, "кв. 3", 20).await;
        let soon = stored(&bench, "кв. 1 комн. 1", 10).await;
        let later = stored(&bench, "кв. 1 комн. 2", 12).await;
        owes(&bench, "кв. 1").await;
        set(&bench, MatchingSettings { max_per_run: 2, ..enabled() }).await;
        let mut taken = Vec::new();
        for _ in 0..3 {
            sync(&bench).await;
            let (run, requests) = begun(&bench).await.unwrap();
            run_out(&bench, run).await;
            taken.push(requests);
            bench.service.clock.advance(TimeDelta::seconds(60));
        }
        assert_eq!(taken[0], [soon, later]);
        assert_eq!(taken[1][0], late, "doubtful ones do not keep it out");
        assert_eq!(taken[1][1], soon);
        assert_eq!(taken[2], [later, soon], "the first one of them was compared longer ago");
    });
}

#[test]
fn settings_have_a_version() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let put = async |settings, if_match| {
            let mut tx = bench.service.db.begin().await.unwrap();
            let standing = bench.service.set_matching(&mut tx, &bench.caller, settings, if_match).await?;
            tx.commit().await.unwrap();
            Ok::<_, Error>(standing)
        };
        assert_eq!(bench.service.matching_settings(&bench.caller).await.unwrap(), Standing::default());
        let standing = put(enabled(), Some(1)).await.unwrap();
        assert_eq!((standing.version, standing.updated_at), (2, Some(bench.service.clock.now())));
        let stale = put(MatchingSettings::default(), Some(1)).await;
        assert!(matches!(stale, Err(Error::VersionMismatch { current: 2 })));
        assert_eq!(put(enabled(), Some(2)).await.unwrap(), standing, "nothing has changed");
        assert_eq!(bench.service.matching_settings(&bench.caller).await.unwrap(), standing);
        let reader = only(&bench.caller, Scope::SettingsRead);
        let mut tx = bench.service.db.begin().await.unwrap();
        assert!(bench.service.set_matching(&mut tx, &reader, enabled(), None).await.is_err());
        let writer = only(&bench.caller, Scope::SettingsWrite);
        assert!(bench.service.matching_settings(&writer).await.is_err());
    });
}
