//! Branches first, each by its registry, then the head office (F77, F78).

use super::*;
use crate::domain::debt_request::MatchResult;
use crate::domain::match_run::MatchRun;
use crate::registries::opinions;
use crate::store::samples::{department, employee};
use crate::store::{departments, employees};

/// Departments in the order in which they are made.
async fn branches(bench: &Bench) -> [DepartmentId; 2] {
    let head = employee(bench.caller.organization);
    let both = [(); 2].map(|()| department(bench.caller.organization, head.id));
    let mut tx = bench.service.db.begin().await.unwrap();
    employees::insert(&mut tx, &head).await.unwrap();
    for branch in &both {
        departments::insert(&mut tx, branch).await.unwrap();
    }
    tx.commit().await.unwrap();
    both.map(|branch| branch.id)
}

/// The run that begins, with its requests.
async fn next(bench: &Bench) -> Option<(MatchRun, Vec<DebtRequestId>)> {
    let before = all_runs(bench).await;
    let (id, requests) = begun(bench).await?;
    let run = bench.service.get_match_run(&bench.caller, id).await.unwrap().run;
    (all_runs(bench).await > before).then_some((run, requests))
}

async fn all_runs(bench: &Bench) -> usize {
    bench.service.list_match_runs(&bench.caller, None, 99).await.unwrap().len()
}

async fn deeds(bench: &Bench, run: MatchRunId) -> Vec<Deed> {
    let items = bench.service.list_match_items(&bench.caller, run, None, None, 99).await.unwrap();
    items.into_iter().map(|it| it.item.deed).collect()
}

#[test]
fn f78_branches_come_first_and_the_head_office_answers_what_is_left() {
    for_both(async |db| {
        let mut bench = Bench::new(db).await;
        let [north, south] = branches(&bench).await;
        let in_north = stored(&bench, "кв. 1", 10).await;
        let in_south = stored(&bench, "кв. 2", 11).await;
        let free = stored(&bench, "кв. 9", 12).await;
        // The order of departments counts, not that of their registries.
        owes(&bench, "кв. 5").await;
        owes_in(&bench, Some(south), "кв. 2").await;
        owes_in(&bench, Some(north), "кв. 1").await;
        set(&bench, enabled()).await;
        sync(&bench).await;

        let (first, requests) = next(&bench).await.unwrap();
        assert_eq!((first.department, first.only_debts), (Some(north), true));
        assert_eq!(requests, [in_north, in_south, free], "a debt is one, whoever was asked");
        assert_eq!(next(&bench).await, None, "one run at a time (F86)");
        run_out(&bench, first.id).await;
        assert_eq!(deeds(&bench, first.id).await, [Deed::Drafted, Deed::Matched, Deed::Matched]);

        // What comes now was not compared by the north, so it waits for the next round.
        let late = stored(&bench, "кв. 8", 9).await;
        sync(&bench).await;
        bench = bench.restarted();
        let (second, requests) = next(&bench).await.unwrap();
        assert_eq!((second.department, second.only_debts), (Some(south), true));
        assert_eq!(requests, [in_south, free]);
        run_out(&bench, second.id).await;
        assert_eq!(deeds(&bench, second.id).await, [Deed::Drafted, Deed::Matched]);

        bench = bench.restarted();
        let (last, requests) = next(&bench).await.unwrap();
        assert_eq!((last.department, last.only_debts), (None, false));
        assert_eq!(requests, [free]);
        run_out(&bench, last.id).await;
        assert_eq!(deeds(&bench, last.id).await, [Deed::Drafted]);
        assert!([&first, &second, &last].iter().all(|run| run.automatic && run.mode == MatchMode::Prepare));

        let (anew, requests) = next(&bench).await.unwrap();
        assert_eq!((anew.department, requests), (Some(north), vec![late]));
    });
}

#[test]
fn f78_what_a_branch_owes_and_cannot_answer_is_not_denied_by_the_head_office() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let [north, south] = branches(&bench).await;
        let mut asked: DebtRequest = request(bench.caller.organization);
        asked.gis.address.fias_house_id = Some(HOUSE);
        asked.gis.address.premises = Some("кв. 1".to_owned());
        asked.gis.period_to = Some(day(1));
        // Nobody asks the south about it, and yet the south knows it.
        asked.department = Some(north);
        let mut tx = bench.service.db.begin().await.unwrap();
        debt_requests::save(&mut tx, &[asked.clone()]).await.unwrap();
        tx.commit().await.unwrap();
        owes(&bench, "кв. 5").await;
        owes_in(&bench, Some(south), "кв. 1").await;
        set(&bench, MatchingSettings { submit: true, ..enabled() }).await;
        sync(&bench).await;
        let (run, _) = next(&bench).await.unwrap();
        run_out(&bench, run.id).await;
        assert_eq!(deeds(&bench, run.id).await, [Deed::Refused], "nobody has an identifier in GIS");
        assert_eq!(next(&bench).await, None);
        assert!(!bench.service.begin_due_match(bench.caller.organization).await.unwrap(), "it is over");
        assert_eq!(all_runs(&bench).await, 1);
        // Nor by whoever answers by himself before the deadline.
        let mut conn = bench.service.db.read().await.unwrap();
        let said = opinions(&mut conn, bench.caller.organization, &[&asked], day(1)).await.unwrap();
        assert_eq!(said[&asked.id].result, Some(MatchResult::Found));
    });
}

#[test]
fn f83_what_a_branch_doubts_is_not_denied_by_the_others() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let [north, south] = branches(&bench).await;
        let mut asked: DebtRequest = request(bench.caller.organization);
        asked.gis.address.fias_house_id = Some(HOUSE);
        asked.gis.address.premises = Some("кв. 1 комн. 2".to_owned());
        asked.gis.period_to = Some(day(1));
        asked.department = Some(south);
        let mut tx = bench.service.db.begin().await.unwrap();
        debt_requests::save(&mut tx, &[asked.clone()]).await.unwrap();
        tx.commit().await.unwrap();
        owes(&bench, "кв. 5").await;
        owes_in(&bench, Some(south), "кв. 7").await;
        owes_in(&bench, Some(north), "кв. 1").await;
        set(&bench, MatchingSettings { submit: true, ..enabled() }).await;
        sync(&bench).await;
        let mut departments = Vec::new();
        while let Some((run, _)) = next(&bench).await {
            run_out(&bench, run.id).await;
            assert_eq!(deeds(&bench, run.id).await, [Deed::Matched], "{:?}", run.department);
            departments.push(run.department);
        }
        assert_eq!(departments, [Some(north), Some(south), None]);
        let mut conn = bench.service.db.read().await.unwrap();
        let said = opinions(&mut conn, bench.caller.organization, &[&asked], day(1)).await.unwrap();
        assert_eq!(said[&asked.id].result, Some(MatchResult::Ambiguous));
    });
}

#[test]
fn a_round_ends_with_the_run_that_a_person_stops() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let [north, _] = branches(&bench).await;
        stored(&bench, "кв. 9", 12).await;
        owes(&bench, "кв. 5").await;
        owes_in(&bench, Some(north), "кв. 1").await;
        set(&bench, enabled()).await;
        sync(&bench).await;
        let (run, _) = next(&bench).await.unwrap();
        let mut tx = bench.service.db.begin().await.unwrap();
        bench.service.cancel_operation(&mut tx, &bench.caller, run.id.as_uuid()).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!bench.service.begin_due_match(bench.caller.organization).await.unwrap());
        sync(&bench).await;
        let (anew, _) = next(&bench).await.unwrap();
        assert_eq!(anew.department, Some(north));
    });
}

#[test]
fn a_round_begins_anew_when_the_registry_of_a_branch_is_replaced() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let [north, south] = branches(&bench).await;
        let free = stored(&bench, "кв. 9", 12).await;
        for branch in [None, Some(south), Some(north)] {
            owes_in(&bench, branch, "кв. 1").await;
        }
        set(&bench, enabled()).await;
        sync(&bench).await;
        let (first, _) = next(&bench).await.unwrap();
        run_out(&bench, first.id).await;
        let (second, _) = next(&bench).await.unwrap();
        assert_eq!(second.department, Some(south));
        let mut tx = bench.service.db.begin().await.unwrap();
        let held = registries::lock(&mut tx, second.organization, second.registry).await.unwrap().unwrap();
        registries::update(&mut tx, &Registry { status: RegistryStatus::Replaced, ..held }).await.unwrap();
        tx.commit().await.unwrap();
        run_out(&bench, second.id).await;
        let (anew, requests) = next(&bench).await.unwrap();
        assert_eq!((anew.department, requests), (Some(north), vec![free]));
        run_out(&bench, anew.id).await;
        let (last, _) = next(&bench).await.unwrap();
        assert_eq!(last.department, None, "the south has no registry any more");
    });
}

#[test]
fn a_round_ends_when_something_else_is_wished() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let [north, south] = branches(&bench).await;
        for (premises, due) in [("кв. 8", 11), ("кв. 9", 12)] {
            stored(&bench, premises, due).await;
        }
        for branch in [None, Some(south), Some(north)] {
            owes_in(&bench, branch, "кв. 1").await;
        }
        let named = MatchingSettings { department: Some(north), only_debts: true, ..enabled() };
        for wished in [named, MatchingSettings::default()] {
            set(&bench, enabled()).await;
            sync(&bench).await;
            let (run, _) = next(&bench).await.unwrap();
            run_out(&bench, run.id).await;
            set(&bench, wished).await;
            assert_eq!(next(&bench).await, None);
            assert!(!bench.service.begin_due_match(bench.caller.organization).await.unwrap());
        }
        // The registry of one department is matched in one run.
        set(&bench, MatchingSettings { department: Some(south), ..enabled() }).await;
        for due in [11, 12] {
            stored(&bench, "кв. 7", due).await;
        }
        sync(&bench).await;
        assert_eq!(next(&bench).await, None, "no request is the south's");
        set(&bench, MatchingSettings { department: Some(south), only_debts: true, ..enabled() }).await;
        sync(&bench).await;
        let (run, requests) = next(&bench).await.unwrap();
        assert_eq!((run.department, requests.len()), (Some(south), 4));
        run_out(&bench, run.id).await;
        assert!(!bench.service.begin_due_match(bench.caller.organization).await.unwrap());
    });
}

#[test]
fn what_does_not_fit_into_a_round_comes_with_the_next() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let [north, _] = branches(&bench).await;
        let late = stored(&bench, "кв. 1 комн. 3", 20).await;
        let soon = stored(&bench, "кв. 1 комн. 1", 10).await;
        let later = stored(&bench, "кв. 1 комн. 2", 12).await;
        owes(&bench, "кв. 1").await;
        owes_in(&bench, Some(north), "кв. 1").await;
        set(&bench, MatchingSettings { max_per_run: 2, ..enabled() }).await;
        let mut taken = Vec::new();
        for _ in 0..2 {
            sync(&bench).await;
            for _ in 0..2 {
                let (run, requests) = next(&bench).await.unwrap();
                run_out(&bench, run.id).await;
                taken.push(requests);
            }
            bench.service.clock.advance(TimeDelta::seconds(60));
        }
        let head_office = [taken[1].as_slice(), taken[3].as_slice()];
        assert_eq!([taken[0].as_slice(), taken[2].as_slice()], [&[soon, later][..], &[late, soon][..]]);
        assert_eq!(head_office[0], [soon, later], "it is asked what the branch was asked");
        assert_eq!(head_office[1].len(), 2);
        assert!(head_office[1].contains(&late));
    });
}

#[test]
fn a_house_that_one_registry_has_by_both_identifiers_is_known_to_all() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let [north, south] = branches(&bench).await;
        let in_gis = Uuid::from_u128(0x6);
        let mut asked: DebtRequest = request(bench.caller.organization);
        asked.gis.address.fias_house_id = None;
        asked.gis.address.gis_house_id = Some(in_gis);
        asked.gis.address.premises = Some("кв. 1".to_owned());
        asked.gis.period_to = Some(day(1));
        asked.department = Some(north);
        owes_at(&bench, None, Some(in_gis), "кв. 5").await;
        owes_in(&bench, Some(south), "кв. 1").await;
        let mut conn = bench.service.db.read().await.unwrap();
        let said = opinions(&mut conn, bench.caller.organization, &[&asked], day(1)).await.unwrap();
        assert_eq!(said[&asked.id].result, Some(MatchResult::Found));
    });
}
