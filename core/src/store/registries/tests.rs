//! Registries on both databases.

use gis_client::debt_requests::AtLeastOne;
use gis_client::text::{Comment, PersonName};
use uuid::Uuid;

use super::*;
use crate::domain::content::Debtor;
use crate::domain::court_debt::{CourtDebt, Entry, Origin};
use crate::domain::premises::Premises;
use crate::domain::registry::{KeptDebt, ProblemKind};
use crate::ids::CourtDebtId;
use crate::store::samples::{at, day, stored_organization};
use crate::store::test_db::for_both;
use crate::store::test_rows::{queued, stored_file};
use crate::store::{answers, attachments};

fn registry(organization: OrganizationId, created_at: i64) -> Registry {
    Registry {
        id: RegistryId::generate(),
        organization,
        department: None,
        file_name: Some("1026605606620.xlsx".to_owned()),
        origin: Origin::Workbook,
        status: RegistryStatus::Checked,
        rows: 1,
        refused_rows: 0,
        errors: 0,
        warnings: 1,
        created_by: "1С".to_owned(),
        created_at: at(created_at),
        activated_at: None,
    }
}

fn kept(registry: &Registry, house: Uuid, premises: &str) -> KeptDebt {
    let debtor = Debtor {
        last_name: PersonName::parse("Вымышленный").unwrap(),
        first_name: PersonName::parse("Пётр").unwrap(),
        middle_name: None,
        snils: None,
        identity_document: None,
        documents: Vec::new(),
    };
    let entry = Entry {
        id: CourtDebtId::generate(),
        fias_house_id: house,
        gis_house_id: Some(Uuid::now_v7()),
        address: Some("ул. Ткацкая, д. 1".into()),
        premises: Premises::read(premises),
        in_force_from: day(1),
        repaid_on: Some(day(2)),
        noted: true,
        origin: Origin::Workbook,
    };
    let debt = CourtDebt {
        entry,
        premises_text: premises.to_owned(),
        debtors: AtLeastOne::from(debtor),
        files: Vec::new(),
        note: Some(Comment::parse("второй должник").unwrap()),
    };
    KeptDebt {
        debt,
        registry: registry.id,
        organization: registry.organization,
        row: Some(2),
        version: 1,
        created_at: registry.created_at,
        updated_at: registry.created_at,
    }
}

#[test]
fn a_registry_comes_back_with_its_rows_and_problems() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
        let (first, second) = (registry(ours, 1), registry(ours, 2));
        let problem = RowProblem {
            kind: ProblemKind::Warning,
            row: Some(2),
            column: Some("СНИЛС".to_owned()),
            code: "snils_checksum".to_owned(),
            detail: "…".to_owned(),
        };
        insert(&mut tx, &first, vec![problem.clone()]).await.unwrap();
        insert(&mut tx, &second, Vec::new()).await.unwrap();
        assert_eq!(problems(&mut tx, first.id).await.unwrap(), [problem]);
        assert_eq!(get(&mut tx, ours, first.id).await.unwrap(), Some(first.clone()));
        assert_eq!(lock(&mut tx, theirs, first.id).await.unwrap(), None);
        let page_one = page(&mut tx, ours, None, 1).await.unwrap();
        assert_eq!(page_one, std::slice::from_ref(&second));
        let after = Some((second.created_at, second.id));
        assert_eq!(page(&mut tx, ours, after, 9).await.unwrap(), std::slice::from_ref(&first));

        let (house, other) = (Uuid::now_v7(), Uuid::now_v7());
        let rows = vec![kept(&first, house, "кв. 7"), kept(&first, other, "8"), kept(&second, house, "7")];
        insert_debts(&mut tx, rows.clone()).await.unwrap();
        assert_eq!(debts(&mut tx, first.id, None, None, 9).await.unwrap(), rows[..2]);
        let id = rows[0].debt.entry.id;
        assert_eq!(debts(&mut tx, first.id, None, Some(id), 9).await.unwrap(), rows[1..2]);
        assert_eq!(debts(&mut tx, first.id, Some(other), None, 9).await.unwrap(), rows[1..2]);
        assert_eq!(debt(&mut tx, ours, id).await.unwrap(), Some(rows[0].clone()));
        assert_eq!(debt(&mut tx, theirs, id).await.unwrap(), None);
        let changed = KeptDebt { version: 2, updated_at: at(9), ..rows[0].clone() };
        update_debt(&mut tx, changed.clone()).await.unwrap();
        assert_eq!(debt(&mut tx, ours, id).await.unwrap(), Some(changed));
        delete_debt(&mut tx, id, at(0)).await.unwrap();
        assert_eq!(debt(&mut tx, ours, id).await.unwrap(), None);
    });
}

#[test]
fn files_live_as_long_as_a_row_names_them() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let ours = stored_organization(&mut tx).await;
        let registry = registry(ours, 1);
        insert(&mut tx, &registry, Vec::new()).await.unwrap();
        let rows = vec![kept(&registry, Uuid::now_v7(), "1"), kept(&registry, Uuid::now_v7(), "2")];
        let (one, two) = (rows[0].debt.entry.id, rows[1].debt.entry.id);
        insert_debts(&mut tx, rows).await.unwrap();
        let (act, other) = (stored_file(&mut tx, ours).await.id, stored_file(&mut tx, ours).await.id);
        let expiry = async |conn: &mut Conn, id| {
            attachments::get(conn, ours, id).await.unwrap().map(|file| file.expires_at)
        };
        insert_files(&mut tx, [(one, act), (one, other), (two, act)].into()).await.unwrap();
        assert_eq!(expiry(&mut tx, act).await, Some(None));
        assert!(!attachments::delete(&mut tx, ours, act).await.unwrap());
        set_files(&mut tx, one, [other].into(), at(9)).await.unwrap();
        assert_eq!(expiry(&mut tx, act).await, Some(None), "the other row names it");
        delete_debt(&mut tx, two, at(9)).await.unwrap();
        assert_eq!(expiry(&mut tx, act).await, Some(Some(at(9))));

        let (answer, _) = queued(&mut tx, ours).await;
        answers::set_files(&mut tx, answer.id, &[other], at(9)).await.unwrap();
        set_files(&mut tx, one, [].into(), at(9)).await.unwrap();
        assert_eq!(expiry(&mut tx, other).await, Some(None), "an answer uses it");
        set_files(&mut tx, one, [other].into(), at(9)).await.unwrap();
        answers::set_files(&mut tx, answer.id, &[], at(9)).await.unwrap();
        let file = attachments::get(&mut tx, ours, other).await.unwrap().unwrap();
        assert_eq!((file.expires_at, file.used_by), (None, None), "the row names it still");
        set_files(&mut tx, one, [].into(), at(9)).await.unwrap();
        assert_eq!(attachments::delete_expired(&mut tx, at(10), 9).await.unwrap().len(), 2);
        tx.commit().await.unwrap();

        let mut tx = db.begin().await.unwrap();
        let gone = insert_files(&mut tx, [(one, act)].into()).await;
        assert!(matches!(gone, Err(StoreError::Stale)));
    });
}

#[test]
fn rows_of_registries_that_answer_no_more_are_deleted_in_batches() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let ours = stored_organization(&mut tx).await;
        let replaced = |began| Registry {
            status: RegistryStatus::Replaced,
            activated_at: Some(at(began)),
            ..registry(ours, began)
        };
        let active = Registry { status: RegistryStatus::Active, ..replaced(40) };
        let composed = Registry { origin: Origin::Single, ..registry(ours, 5) };
        let all = [replaced(10), replaced(20), registry(ours, 30), composed, active];
        for registry in &all {
            insert(&mut tx, registry, Vec::new()).await.unwrap();
            let rows = (1..=3).map(|flat| kept(registry, Uuid::now_v7(), &flat.to_string())).collect();
            insert_debts(&mut tx, rows).await.unwrap();
        }
        let act = stored_file(&mut tx, ours).await.id;
        let first = debts(&mut tx, all[0].id, None, None, 1).await.unwrap()[0].debt.entry.id;
        insert_files(&mut tx, [(first, act)].into()).await.unwrap();
        let sweep = async |conn: &mut Conn, time| {
            delete_rows_before(conn, at(time), at(99), at(100), 2).await.unwrap()
        };
        assert_eq!(sweep(&mut tx, 20).await, 0, "nothing took its place before that");
        assert!(!has_lost_rows(&mut tx, all[0].id).await.unwrap());
        assert_eq!((sweep(&mut tx, 21).await, sweep(&mut tx, 21).await, sweep(&mut tx, 21).await), (2, 1, 0));
        assert!(has_lost_rows(&mut tx, all[0].id).await.unwrap());
        let file = attachments::get(&mut tx, ours, act).await.unwrap().unwrap();
        assert_eq!(file.expires_at, Some(at(100)));
        assert_eq!(get(&mut tx, ours, all[0].id).await.unwrap(), Some(all[0].clone()), "its history stays");
        let mut deleted = 0;
        for _ in 0..9 {
            deleted += sweep(&mut tx, 99).await;
        }
        assert_eq!(deleted, 6, "the next replaced one, and the one that was never activated");
        for (registry, rows) in all.iter().zip([0, 0, 0, 3, 3]) {
            assert_eq!(debts(&mut tx, registry.id, None, None, 9).await.unwrap().len(), rows);
        }
    });
}

#[test]
fn one_registry_answers_for_an_organisation_and_one_for_each_department() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let ours = stored_organization(&mut tx).await;
        let department = DepartmentId::generate();
        let whole = Registry { status: RegistryStatus::Active, ..registry(ours, 1) };
        let branch = Registry { department: Some(department), ..registry(ours, 2) };
        insert(&mut tx, &whole, Vec::new()).await.unwrap();
        insert(&mut tx, &branch, Vec::new()).await.unwrap();
        assert_eq!(active(&mut tx, ours, None).await.unwrap(), Some(whole.clone()));
        assert_eq!(active(&mut tx, ours, Some(department)).await.unwrap(), None);
        let branch = Registry { status: RegistryStatus::Active, activated_at: Some(at(3)), ..branch };
        update(&mut tx, &branch).await.unwrap();
        assert_eq!(active(&mut tx, ours, Some(department)).await.unwrap(), Some(branch));
        tx.commit().await.unwrap();

        let mut tx = db.begin().await.unwrap();
        let second = Registry { status: RegistryStatus::Active, ..registry(ours, 4) };
        assert!(insert(&mut tx, &second, Vec::new()).await.unwrap_err().is_unique());
    });
}
