//! Imports on both databases.

use super::*;
use crate::domain::answer::{LastError, State};
use crate::domain::import::{
    AnswerColumnMode, ImportClient, ImportCounts, ImportError, ImportMode, ImportRow, ImportStatus,
};
use crate::domain::operation::{Intake, Outcome, Tally};
use crate::ids::{AnswerId, DebtRequestId, EmployeeId, TokenId};
use crate::store::answers;
use crate::store::samples::{at, stored_organization};
use crate::store::test_db::for_both;
use crate::store::test_rows;

fn import(organization: OrganizationId, created_at: i64) -> Import {
    Import {
        id: ImportId::generate(),
        organization,
        mode: ImportMode::Preview,
        answer_column: AnswerColumnMode::Legacy,
        submit: true,
        status: ImportStatus::Pending,
        client: ImportClient { name: "1С".to_owned(), token: TokenId::generate(), employee: None },
        uploaded_by: "Бухгалтерия".to_owned(),
        uploader: Some(EmployeeId::generate()),
        file_name: "Запросы.xlsx".to_owned(),
        file_size: 7000,
        content: ContentId::generate(),
        counts: None,
        taken: 0,
        marked: None,
        error: None,
        created_at: at(created_at),
        finished_at: None,
        expires_at: None,
        tries: 0,
    }
}

fn row(row: i64, intake: Intake, answer: Option<AnswerId>) -> ImportRow {
    ImportRow {
        row,
        debt_request: Some(DebtRequestId::generate()),
        has_debt: Some(false),
        waits_for_files: false,
        intake,
        answer,
        errors: Vec::new(),
    }
}

#[test]
fn an_import_goes_its_way() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
        let mut all = [import(ours, 1), import(ours, 2), import(theirs, 3)];
        for import in &all {
            insert(&mut tx, import).await.unwrap();
        }
        assert_eq!(get(&mut tx, ours, all[0].id).await.unwrap(), Some(all[0].clone()));
        assert_eq!(get(&mut tx, theirs, all[0].id).await.unwrap(), None);
        assert_eq!(lock(&mut tx, theirs, all[0].id).await.unwrap(), None);
        assert_eq!(unfinished(&mut tx, ours).await.unwrap(), 2);
        let first = page(&mut tx, ours, None, 1).await.unwrap();
        let after = Some((first[0].created_at, first[0].id));
        assert_eq!(
            (&first[..], page(&mut tx, ours, after, 9).await.unwrap()),
            (&all[1..2], vec![all[0].clone()])
        );

        let (one, other) = (WorkerId::generate(), WorkerId::generate());
        assert_eq!(claim(&mut tx, one, at(5), at(9)).await.unwrap(), Some(all[0].clone()));
        let next = claim(&mut tx, other, at(5), at(9)).await.unwrap();
        assert_eq!(next, Some(all[2].clone()), "an organisation that is being served waits");
        assert_eq!(claim(&mut tx, other, at(5), at(9)).await.unwrap(), Some(all[1].clone()));
        assert_eq!(claim(&mut tx, other, at(5), at(9)).await.unwrap(), None);
        assert_eq!(next_due(&mut tx).await.unwrap(), Some(at(9)));
        all[0].counts = Some(ImportCounts { rows: 7, errors: 2, ..ImportCounts::default() });
        (all[0].taken, all[0].marked, all[0].status) = (5, Some(ContentId::generate()), ImportStatus::Failed);
        all[0].error = Some(LastError {
            origin: "request".to_owned(),
            code: "column_missing".to_owned(),
            detail: "…".to_owned(),
            pointer: None,
            gis: None,
        });
        (all[0].finished_at, all[0].expires_at) = (Some(at(6)), Some(at(7)));
        assert!(!update(&mut tx, &all[0], other, None).await.unwrap());
        assert!(update(&mut tx, &all[0], one, None).await.unwrap());
        assert_eq!(lock(&mut tx, ours, all[0].id).await.unwrap(), Some(all[0].clone()));
        let refused = |number| row(number, Intake::Refused, None);
        insert_rows(&mut tx, all[0].id, vec![refused(2), refused(3), refused(5)]).await.unwrap();
        let files = vec![all[0].content, all[0].marked.unwrap()];
        let asked = [files[0], files[1], ContentId::generate()];
        assert_eq!(existing(&mut tx, &asked).await.unwrap(), files.iter().copied().collect());
        assert_eq!(delete_expired(&mut tx, at(6), 2).await.unwrap(), (0, Vec::new()));
        assert_eq!(delete_expired(&mut tx, at(7), 2).await.unwrap(), (2, Vec::new()), "its rows go first");
        assert!(get(&mut tx, ours, all[0].id).await.unwrap().is_some());
        assert_eq!(delete_expired(&mut tx, at(7), 2).await.unwrap(), (2, files));
        assert_eq!(delete_expired(&mut tx, at(7), 2).await.unwrap(), (0, Vec::new()));
        assert_eq!(get(&mut tx, ours, all[0].id).await.unwrap(), None);

        all[1].finished_at = Some(at(8));
        assert!(hold(&mut tx, all[1].id, other).await.unwrap());
        withdraw(&mut tx, &all[1]).await.unwrap();
        assert_eq!(get(&mut tx, ours, all[1].id).await.unwrap(), Some(all[1].clone()));
        assert!(!hold(&mut tx, all[1].id, other).await.unwrap());
        assert!(!update(&mut tx, &all[1], other, None).await.unwrap(), "it was taken away");
    });
}

#[test]
fn an_import_that_failed_is_tried_again_soon() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = stored_organization(&mut tx).await;
        let given = import(organization, 1);
        insert(&mut tx, &given).await.unwrap();
        let (one, other) = (WorkerId::generate(), WorkerId::generate());
        claim(&mut tx, one, at(5), at(99)).await.unwrap().unwrap();
        postpone(&mut tx, given.id, other, at(6), 7).await.unwrap();
        assert_eq!(next_due(&mut tx).await.unwrap(), Some(at(99)), "only whoever holds it");
        postpone(&mut tx, given.id, one, at(30), 2).await.unwrap();
        assert_eq!(claim(&mut tx, other, at(29), at(99)).await.unwrap(), None);
        let again = claim(&mut tx, other, at(30), at(99)).await.unwrap();
        assert_eq!(again, Some(Import { tries: 2, ..given }));
    });
}

#[test]
fn a_row_is_where_its_answer_stands_or_would_stand() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = test_rows::organization(&mut tx).await;
        let request = test_rows::request(&mut tx, organization).await;
        let mut answer = test_rows::answer(organization, request);
        answer.state = State::Delivered;
        answers::insert(&mut tx, vec![(answer.clone(), Vec::new())]).await.unwrap();
        let given = import(organization, 1);
        insert(&mut tx, &given).await.unwrap();
        let error =
            ImportError { row: 2, column: None, code: "required".to_owned(), detail: "…".to_owned() };
        let given_rows = vec![
            ImportRow {
                debt_request: None,
                has_debt: None,
                errors: vec![error],
                ..row(2, Intake::Refused, None)
            },
            row(3, Intake::Queued, Some(answer.id)),
            row(4, Intake::Drafted, Some(AnswerId::generate())),
            row(5, Intake::Unchanged, Some(answer.id)),
        ];
        insert_rows(&mut tx, given.id, given_rows.clone()).await.unwrap();
        let outcomes =
            [Outcome::Refused, Outcome::Answer(State::Delivered), Outcome::Deleted, Outcome::Unchanged];
        let all: Vec<_> =
            given_rows.into_iter().zip(outcomes).map(|(row, outcome)| (row, outcome, None)).collect();
        assert_eq!(rows(&mut tx, given.id, None, None, 9).await.unwrap(), all);
        assert_eq!(rows(&mut tx, given.id, None, Some(2), 2).await.unwrap(), all[1..3]);
        let mut expected = Tally::default();
        for (place, outcome) in outcomes.into_iter().enumerate() {
            assert_eq!(rows(&mut tx, given.id, Some(outcome), None, 9).await.unwrap(), all[place..=place]);
            expected.add(outcome, 1);
        }
        let applied = Import { mode: ImportMode::Apply, ..given.clone() };
        assert_eq!(tally(&mut tx, &applied).await.unwrap(), expected);

        delete_rows(&mut tx, given.id).await.unwrap();
        let foreseen = vec![row(2, Intake::Queued, None), row(3, Intake::Drafted, None)];
        insert_rows(&mut tx, given.id, foreseen.clone()).await.unwrap();
        let foreseen_rows = foreseen.clone();
        let mut expected = Tally::default();
        for (row, state) in foreseen.into_iter().zip([State::Queued, State::Draft]) {
            let outcome = Outcome::Answer(state);
            let found = rows(&mut tx, given.id, Some(outcome), None, 9).await.unwrap();
            assert_eq!(found, [(row, outcome, None)]);
            expected.add(outcome, 1);
        }
        assert_eq!(tally(&mut tx, &given).await.unwrap(), expected);

        let other = Import { mode: ImportMode::Apply, ..import(organization, 2) };
        let empty = import(organization, 3);
        for import in [&other, &empty] {
            insert(&mut tx, import).await.unwrap();
        }
        insert_rows(&mut tx, other.id, foreseen_rows).await.unwrap();
        let mut gone = Tally::default();
        gone.add(Outcome::Deleted, 2);
        let all = tallies(&mut tx, &[&given, &other, &empty]).await.unwrap();
        assert_eq!(all, [(given.id, expected), (other.id, gone)].into());
    });
}
