use uuid::Uuid;

use super::*;
use crate::domain::employee::Employee;
use crate::store::samples::{at, department, employee, stored_organization};
use crate::store::test_db::for_both;
use crate::store::{Tx, employees};

async fn head(tx: &mut Tx, organization: OrganizationId) -> EmployeeId {
    let head = employee(organization);
    employees::insert(tx, &head).await.unwrap();
    head.id
}

#[test]
fn a_department_comes_back_as_it_went_and_to_its_owner_only() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
        let (first, second) = (head(&mut tx, ours).await, head(&mut tx, ours).await);
        let mut north = department(ours, first);
        let south = department(ours, first);
        for department in [&north, &south] {
            insert(&mut tx, department).await.unwrap();
        }
        assert_eq!(get(&mut tx, ours, north.id).await.unwrap(), Some(north.clone()));
        assert_eq!(get(&mut tx, theirs, north.id).await.unwrap(), None);
        assert_eq!(page(&mut tx, ours, None, 1).await.unwrap(), std::slice::from_ref(&north));
        assert_eq!(page(&mut tx, ours, Some(north.id), 9).await.unwrap(), std::slice::from_ref(&south));
        assert_eq!((count(&mut tx, ours).await.unwrap(), count(&mut tx, theirs).await.unwrap()), (2, 0));
        assert_eq!(employees::duties(&mut tx, ours, first).await.unwrap(), (true, false));

        north = Department {
            name: "Север".to_owned(),
            responsible: second,
            version: 2,
            updated_at: at(5),
            ..north
        };
        update(&mut tx, &north).await.unwrap();
        assert_eq!(get(&mut tx, ours, north.id).await.unwrap(), Some(north.clone()));
        let gone = employees::get(&mut tx, ours, first).await.unwrap().unwrap();
        employees::update(&mut tx, &Employee { active: false, ..gone }).await.unwrap();
        let mut known = heads(&mut tx, ours).await.unwrap();
        known.sort_unstable();
        assert_eq!(known, [(north.id, second, true), (south.id, first, false)]);
        delete(&mut tx, north.id).await.unwrap();
        assert!(delete(&mut tx, north.id).await.is_err());
        assert_eq!(page(&mut tx, ours, None, 9).await.unwrap(), [south]);
    });
}

#[test]
fn a_house_belongs_to_one_department_of_an_organization() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
        let (our_head, their_head) = (head(&mut tx, ours).await, head(&mut tx, theirs).await);
        let (north, south) = (department(ours, our_head), department(ours, our_head));
        let foreign = department(theirs, their_head);
        for department in [&north, &south, &foreign] {
            insert(&mut tx, department).await.unwrap();
        }
        let all: Vec<_> = (1..=1200).map(Uuid::from_u128).collect();
        assert_eq!(replace_houses(&mut tx, &north, &all).await.unwrap(), 1200);
        assert_eq!(replace_houses(&mut tx, &foreign, &all[..3]).await.unwrap(), 3);
        // One of them is taken.
        let wanted = [all[0], Uuid::from_u128(5000)];
        assert_eq!(replace_houses(&mut tx, &south, &wanted).await.unwrap(), 1);
        assert_eq!(
            of_houses(&mut tx, ours, &wanted).await.unwrap(),
            [(wanted[0], north.id), (wanted[1], south.id)]
        );
        assert_eq!(of_houses(&mut tx, theirs, &wanted).await.unwrap(), [(wanted[0], foreign.id)]);
        assert_eq!(houses(&mut tx, north.id, None, 2).await.unwrap(), all[..2]);
        assert_eq!(houses(&mut tx, north.id, Some(all[1197]), 9).await.unwrap(), all[1198..]);

        assert_eq!(replace_houses(&mut tx, &north, &[]).await.unwrap(), 0);
        assert_eq!(houses(&mut tx, north.id, None, 2).await.unwrap(), Vec::<Uuid>::new());
        assert_eq!(replace_houses(&mut tx, &south, &wanted).await.unwrap(), 2, "it is free now");
        delete(&mut tx, south.id).await.unwrap();
        assert_eq!(of_houses(&mut tx, ours, &wanted).await.unwrap(), []);
    });
}
