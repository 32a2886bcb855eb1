use uuid::Uuid;

use super::*;
use crate::answers::DebtorDraft;
use crate::domain::debt_request::DebtRequest;
use crate::domain::match_run::Deed;
use crate::domain::matching::rules::Basis;
use crate::registries::CourtDebtDraft;
use crate::store::debt_requests;
use crate::store::samples::{day, request};
use crate::store::test_db::for_both;
use crate::test_service::{Bench, only};

const HOUSE: Uuid = Uuid::from_u128(0xA);
const OTHER: Uuid = Uuid::from_u128(0xB);

async fn stored(bench: &Bench, house: Uuid, premises: &str) -> DebtRequestId {
    let mut asked: DebtRequest = request(bench.caller.organization);
    asked.gis.address.fias_house_id = Some(house);
    asked.gis.address.premises = Some(premises.to_owned());
    asked.gis.period_to = Some(day(1));
    let mut tx = bench.service.db.begin().await.unwrap();
    debt_requests::save(&mut tx, &[asked.clone()]).await.unwrap();
    tx.commit().await.unwrap();
    asked.id
}

async fn owes(bench: &Bench, premises: &str) {
    let debtor = DebtorDraft {
        last_name: "Вымышленный".to_owned(),
        first_name: "Пётр".to_owned(),
        ..DebtorDraft::default()
    };
    let draft = CourtDebtDraft {
        department: None,
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
    bench.service.add_court_debt(&mut tx, &bench.caller, draft).await.unwrap();
    tx.commit().await.unwrap();
}

async fn start(bench: &Bench, mode: MatchMode, only_debts: bool) -> Result<MatchRunDetails> {
    let scope = MatchScope::Filter(Box::default());
    let requests = bench.service.match_scope(&bench.caller, scope).await?;
    let command = StartMatchRun { requests, mode, only_debts, department: None };
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
    let mut items: Vec<_> = items.into_iter().map(|it| (it.debt_request, it.result, it.deed)).collect();
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
        let explanation = only_found[0].explanation.clone().unwrap();
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
            let stopped = bench.service.cancel_match_run(&mut tx, &bench.caller, run).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(stopped.run.status, MatchRunStatus::Cancelled);
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
