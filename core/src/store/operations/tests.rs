//! Operations on both databases.

use super::*;
use crate::domain::answer::State;
use crate::domain::operation::{Intake, ItemError, OperationItem, OperationStatus, Outcome, Tally};
use crate::ids::AnswerId;
use crate::store::answers;
use crate::store::samples::{at, stored_organization};
use crate::store::test_db::for_both;
use crate::store::test_rows;

fn operation(organization: OrganizationId, created_at: i64) -> Operation {
    Operation {
        id: OperationId::generate(),
        organization,
        kind: OperationKind::AnswersBulk,
        status: OperationStatus::Running,
        started_by: "1С".to_owned(),
        author: "client:1С".to_owned(),
        total: 3,
        created_at: at(created_at),
        finished_at: None,
    }
}

fn item(place: i64, intake: Intake, answer: Option<AnswerId>) -> OperationItem {
    OperationItem { place, debt_request: None, external_id: None, intake, answer, errors: Vec::new() }
}

#[test]
fn an_operation_goes_its_way() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
        let mut all = [operation(ours, 1), operation(ours, 2), operation(theirs, 3)];
        for operation in &all {
            insert(&mut tx, operation).await.unwrap();
        }
        assert_eq!(get(&mut tx, ours, all[0].id).await.unwrap(), Some(all[0].clone()));
        assert_eq!(get(&mut tx, theirs, all[0].id).await.unwrap(), None);
        assert_eq!(over(&mut tx, 2).await.unwrap(), all[..2]);
        let kinds = OperationKind::ALL;
        let first = page(&mut tx, ours, kinds, None, None, 1).await.unwrap();
        assert_eq!(first, [all[1].clone()]);
        let after = Some((first[0].created_at, first[0].id));
        assert_eq!(page(&mut tx, ours, kinds, None, after, 9).await.unwrap(), [all[0].clone()]);
        assert_eq!(page(&mut tx, ours, kinds, Some("client:1С"), None, 9).await.unwrap().len(), 2);
        assert_eq!(page(&mut tx, ours, kinds, Some("client:1"), None, 9).await.unwrap(), []);
        assert_eq!(page(&mut tx, ours, &[OperationKind::AutoAnswer], None, None, 9).await.unwrap(), []);
        all[0].status = OperationStatus::Succeeded;
        all[0].finished_at = Some(at(5));
        update(&mut tx, &all[0]).await.unwrap();
        assert_eq!(lock(&mut tx, all[0].id).await.unwrap(), Some(all[0].clone()));
        insert_items(&mut tx, all[0].id, vec![item(0, Intake::Refused, None)]).await.unwrap();
        assert_eq!(delete_before(&mut tx, at(5), 9).await.unwrap(), 0);
        assert_eq!(delete_before(&mut tx, at(6), 9).await.unwrap(), 1);
        assert_eq!(over(&mut tx, 9).await.unwrap(), all[1..]);
        assert_eq!(count_unfinished(&mut tx).await.unwrap(), 2);
    });
}

#[test]
fn an_item_is_where_its_answer_stands() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = test_rows::organization(&mut tx).await;
        let request = test_rows::request(&mut tx, organization).await;
        let mut answer = test_rows::answer(organization, request);
        answer.state = State::Queued;
        answers::insert(&mut tx, vec![(answer.clone(), Vec::new())]).await.unwrap();
        let given = operation(organization, 1);
        insert(&mut tx, &given).await.unwrap();
        let error =
            ItemError {
                pointer: "/comment".to_owned(), code: "too_long".to_owned(), detail: "…".to_owned()
            };
        let refused = OperationItem { errors: vec![error], ..item(0, Intake::Refused, None) };
        let queued = OperationItem {
            debt_request: Some(request),
            external_id: Some("имя".to_owned()),
            ..item(1, Intake::Queued, Some(answer.id))
        };
        let gone = item(2, Intake::Drafted, Some(AnswerId::generate()));
        let same = item(3, Intake::Unchanged, Some(answer.id));
        let given_items = vec![refused.clone(), queued.clone(), gone.clone(), same.clone()];
        insert_items(&mut tx, given.id, given_items).await.unwrap();

        let now = |state| {
            vec![
                (refused.clone(), Outcome::Refused, None),
                (queued.clone(), Outcome::Answer(state), None),
                (gone.clone(), Outcome::Deleted, None),
                (same.clone(), Outcome::Unchanged, None),
            ]
        };
        assert_eq!(items(&mut tx, given.id, None, None, 9).await.unwrap(), now(State::Queued));
        assert_eq!(queued_answers(&mut tx, given.id).await.unwrap(), [(request, answer.id)]);
        assert_eq!(over(&mut tx, 9).await.unwrap(), [], "something of it is on its way");
        assert_eq!(count_unfinished(&mut tx).await.unwrap(), 1);
        answer.state = State::Delivered;
        answers::save(&mut tx, vec![answer.clone()]).await.unwrap();
        let all = now(State::Delivered);
        assert_eq!(items(&mut tx, given.id, None, Some(0), 2).await.unwrap(), all[1..3]);
        for (place, (_, outcome, _)) in all.iter().enumerate() {
            let found = items(&mut tx, given.id, Some(*outcome), None, 9).await.unwrap();
            assert_eq!(found, all[place..=place]);
        }
        let mut expected = Tally::default();
        all.iter().for_each(|(_, outcome, _)| expected.add(*outcome, 1));
        assert_eq!(tally(&mut tx, given.id).await.unwrap(), expected);
        let empty = operation(organization, 2);
        insert(&mut tx, &empty).await.unwrap();
        assert_eq!(tally(&mut tx, empty.id).await.unwrap(), Tally::default());
        let both = tallies(&mut tx, &[given.id, empty.id]).await.unwrap();
        assert_eq!(both, [(given.id, expected)].into());
        assert_eq!(over(&mut tx, 1).await.unwrap(), std::slice::from_ref(&given));
        assert_eq!(queued_answers(&mut tx, given.id).await.unwrap(), []);
    });
}
