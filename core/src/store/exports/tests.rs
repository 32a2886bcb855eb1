//! Exports on both databases.

use super::*;
use crate::domain::answer::LastError;
use crate::domain::debt_request::Stage;
use crate::domain::export::{ExportFile, ExportKind, ExportStatus};
use crate::ids::EmployeeId;
use crate::store::debt_requests::{ExecutorFilter, Filter};
use crate::store::samples::{at, day, stored_organization};
use crate::store::test_db::for_both;

fn export(organization: OrganizationId, created_at: i64) -> Export {
    Export {
        id: ExportId::generate(),
        organization,
        kind: ExportKind::DebtRequests,
        filter: Filter {
            executor: Some(ExecutorFilter::Is(EmployeeId::generate())),
            stages: vec![Stage::New, Stage::InWork],
            sent_from: Some(day(3)),
            updated_since: Some(at(7)),
            ..Filter::default()
        },
        account_found: Some(false),
        with_answers: true,
        status: ExportStatus::Pending,
        started_by: "1С".to_owned(),
        requests: 0,
        file: None,
        error: None,
        created_at: at(created_at),
        finished_at: None,
        expires_at: None,
        tries: 0,
    }
}

#[test]
fn an_export_comes_back_as_it_went() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
        let all = [export(ours, 1), export(ours, 2), export(theirs, 3)];
        for export in &all {
            insert(&mut tx, export).await.unwrap();
        }
        assert_eq!(get(&mut tx, ours, all[0].id).await.unwrap(), Some(all[0].clone()));
        assert_eq!(get(&mut tx, theirs, all[0].id).await.unwrap(), None);
        assert_eq!(unfinished(&mut tx, ours).await.unwrap(), 2);
        let first = page(&mut tx, ours, None, 1).await.unwrap();
        assert_eq!(first, [all[1].clone()]);
        let after = Some((first[0].created_at, first[0].id));
        assert_eq!(page(&mut tx, ours, after, 9).await.unwrap(), [all[0].clone()]);
    });
}

#[test]
fn organisations_take_turns() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let (many, few) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
        let mut all = [export(many, 1), export(many, 2), export(many, 3), export(few, 4)];
        for export in &all {
            insert(&mut tx, export).await.unwrap();
        }
        let worker = WorkerId::generate();
        assert_eq!(claim(&mut tx, worker, at(5), at(9)).await.unwrap(), Some(all[0].clone()));
        (all[0].finished_at, all[0].status) = (Some(at(6)), ExportStatus::Succeeded);
        assert!(update(&mut tx, &all[0], worker, None).await.unwrap());
        assert_eq!(claim(&mut tx, worker, at(7), at(9)).await.unwrap(), Some(all[3].clone()));
        postpone(&mut tx, all[3].id, worker, at(8), 1).await.unwrap();
        all[3].tries = 1;
        let next = claim(&mut tx, worker, at(8), at(9)).await.unwrap();
        assert_eq!(next, Some(all[1].clone()), "the other one was looked after later");
        assert_eq!(claim(&mut tx, worker, at(8), at(9)).await.unwrap(), Some(all[3].clone()));
    });
}

#[test]
fn one_worker_at_a_time_holds_an_export() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = stored_organization(&mut tx).await;
        let mut given = export(organization, 1);
        insert(&mut tx, &given).await.unwrap();
        let (one, other) = (WorkerId::generate(), WorkerId::generate());
        assert_eq!(next_due(&mut tx).await.unwrap(), None);
        assert_eq!(claim(&mut tx, one, at(5), at(9)).await.unwrap(), Some(given.clone()));
        assert_eq!(claim(&mut tx, other, at(6), at(10)).await.unwrap(), None);
        assert_eq!(next_due(&mut tx).await.unwrap(), Some(at(9)));
        given.status = ExportStatus::Running;
        given.requests = 5;
        assert!(!update(&mut tx, &given, other, Some(at(11))).await.unwrap());
        assert!(update(&mut tx, &given, one, Some(at(11))).await.unwrap());
        assert_eq!(claim(&mut tx, other, at(11), at(20)).await.unwrap(), Some(given.clone()));
        assert!(!update(&mut tx, &given, one, Some(at(30))).await.unwrap(), "its lease was over");
        withdraw(&mut tx, &given).await.unwrap();
        assert!(!update(&mut tx, &given, other, Some(at(30))).await.unwrap(), "it was taken away");
        assert_eq!(lock(&mut tx, OrganizationId::generate(), given.id).await.unwrap(), None);
        assert_eq!(lock(&mut tx, organization, given.id).await.unwrap(), Some(given.clone()));
        assert_eq!(claim(&mut tx, other, at(11), at(20)).await.unwrap(), Some(given.clone()));

        let file = ExportFile { content: ContentId::generate(), size: 7000 };
        given.file = Some(file);
        given.status = ExportStatus::Failed;
        given.error = Some(LastError {
            origin: "service".to_owned(),
            code: "too_many_rows".to_owned(),
            detail: "…".to_owned(),
            pointer: None,
            gis: None,
        });
        (given.finished_at, given.expires_at) = (Some(at(21)), Some(at(31)));
        assert!(update(&mut tx, &given, other, None).await.unwrap());
        assert_eq!(get(&mut tx, organization, given.id).await.unwrap(), Some(given.clone()));
        assert_eq!(claim(&mut tx, one, at(99), at(100)).await.unwrap(), None);
        assert_eq!(
            (next_due(&mut tx).await.unwrap(), unfinished(&mut tx, organization).await.unwrap()),
            (None, 0)
        );

        let known = existing(&mut tx, &[file.content, ContentId::generate()]).await.unwrap();
        assert_eq!(known, BTreeSet::from([file.content]));
        assert_eq!(delete_expired(&mut tx, at(30), 9).await.unwrap(), (0, Vec::new()));
        assert_eq!(delete_expired(&mut tx, at(31), 9).await.unwrap(), (1, vec![file.content]));
        assert_eq!(get(&mut tx, organization, given.id).await.unwrap(), None);
    });
}
