//! Runs on both databases.

use super::*;
use crate::domain::match_run::{Explanation, MatchMode, MatchRunStatus};
use crate::domain::matching::rules::Basis;
use crate::domain::registry::{Registry, RegistryStatus};
use crate::ids::RegistryId;
use crate::store::registries;
use crate::store::samples::{at, stored_organization};
use crate::store::test_db::for_both;

async fn stored_registry(conn: &mut Conn, organization: OrganizationId) -> RegistryId {
    let registry = Registry {
        id: RegistryId::generate(),
        organization,
        department: None,
        file_name: None,
        origin: crate::domain::court_debt::Origin::Single,
        status: RegistryStatus::Active,
        rows: 0,
        refused_rows: 0,
        errors: 0,
        warnings: 0,
        created_by: "1С".to_owned(),
        created_at: at(0),
        activated_at: Some(at(0)),
    };
    registries::insert(conn, &registry, Vec::new()).await.unwrap();
    registry.id
}

fn run(organization: OrganizationId, registry: RegistryId, created_at: i64) -> MatchRun {
    MatchRun {
        id: MatchRunId::generate(),
        organization,
        department: None,
        registry,
        mode: MatchMode::Preview,
        only_debts: false,
        status: MatchRunStatus::Running,
        total: 2,
        started_by: "1С".to_owned(),
        automatic: true,
        employee: None,
        created_at: at(created_at),
        finished_at: None,
    }
}

#[test]
fn a_run_goes_its_way_and_no_other_with_it() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let ours = stored_organization(&mut tx).await;
        let registry = stored_registry(&mut tx, ours).await;
        let mut first = run(ours, registry, 1);
        let requests = [DebtRequestId::generate(), DebtRequestId::generate()];
        insert(&mut tx, &first, &requests).await.unwrap();
        assert_eq!(unfinished(&mut tx, 9).await.unwrap(), [first.id]);
        let waiting = pending(&mut tx, first.id, 9).await.unwrap();
        assert_eq!(waiting, [(0, requests[0]), (1, requests[1])]);
        let explanation = Explanation {
            basis: Basis::NoRowsOfHouse,
            reasons: Vec::new(),
            candidates: Vec::new(),
            more_candidates: 0,
        };
        let done = MatchItem {
            place: 0,
            debt_request: requests[0],
            deed: Deed::Matched,
            result: Some(MatchResult::NotFound),
            explanation: Some(explanation),
            answer: None,
            error: None,
        };
        save_items(&mut tx, first.id, vec![done.clone()]).await.unwrap();
        assert_eq!(pending(&mut tx, first.id, 9).await.unwrap(), waiting[1..]);
        assert_eq!(items(&mut tx, first.id, Some(MatchResult::NotFound), None, 9).await.unwrap(), [done]);
        assert_eq!(items(&mut tx, first.id, None, Some(0), 9).await.unwrap().len(), 1);
        let tally = tally(&mut tx, first.id).await.unwrap();
        assert_eq!((tally.of_deed(Deed::Pending), tally.of_result(MatchResult::NotFound)), (1, 1));
        tx.commit().await.unwrap();

        let mut tx = db.begin().await.unwrap();
        let second = run(ours, registry, 2);
        assert!(insert(&mut tx, &second, &[]).await.unwrap_err().is_unique());
        drop(tx);
        let mut tx = db.begin().await.unwrap();
        first.status = MatchRunStatus::Succeeded;
        first.finished_at = Some(at(3));
        update(&mut tx, &first).await.unwrap();
        insert(&mut tx, &second, &[]).await.unwrap();
        let newest = page(&mut tx, ours, None, 1).await.unwrap().pop();
        assert_eq!(newest.as_ref(), Some(&second));
        assert_eq!(get(&mut tx, ours, first.id).await.unwrap(), Some(first.clone()));
        assert_eq!(lock(&mut tx, first.id).await.unwrap(), Some(first));
        assert_eq!(delete_before(&mut tx, at(4), 9).await.unwrap(), 1);
        assert_eq!(page(&mut tx, ours, None, 9).await.unwrap(), [second]);
    });
}
