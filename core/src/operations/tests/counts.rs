//! What the things of each work in a page have come to.

use super::*;
use crate::domain::debt_request::MatchResult;
use crate::domain::import::ImportRow;

/// An import with rows of which no answer was made, or would be.
async fn sheet(bench: &Bench, mode: ImportMode, rows: &[Intake]) -> Uuid {
    let id = import_in(bench, mode).await;
    let row = |(row, intake): (i64, &Intake)| ImportRow {
        row,
        debt_request: Some(DebtRequestId::generate()),
        has_debt: Some(false),
        waits_for_files: false,
        intake: *intake,
        answer: None,
        errors: Vec::new(),
    };
    let mut tx = bench.service.db.begin().await.unwrap();
    imports::insert_rows(&mut tx, id.into(), (2..).zip(rows).map(row).collect()).await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// A match that has ended.
async fn ended_match(bench: &Bench, deeds: &[Deed]) -> Uuid {
    let id = matched(bench).await;
    let item = |(place, deed): (i64, &Deed)| MatchItem {
        place,
        debt_request: DebtRequestId::generate(),
        deed: *deed,
        result: (*deed == Deed::Matched).then_some(MatchResult::NotFound),
        explanation: None,
        answer: None,
        error: None,
    };
    let mut tx = bench.service.db.begin().await.unwrap();
    match_runs::save_items(&mut tx, id, (0..).zip(deeds).map(item).collect()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(bench.service.step_match_run(id).await.unwrap(), 1);
    id.as_uuid()
}

fn tally_of(page: &[LongWork], id: Uuid) -> &Tally {
    let Some(LongWork::Import(details)) = page.iter().find(|work| work.id() == id) else {
        panic!("an import")
    };
    &details.tally
}

/// How many were no longer there, how many were matched, and how many were not found.
fn counts_of(page: &[LongWork], id: Uuid) -> (i64, i64, i64) {
    let Some(LongWork::MatchRun(details)) = page.iter().find(|work| work.id() == id) else {
        panic!("a match")
    };
    let tally = &details.tally;
    (tally.of_deed(Deed::Gone), tally.of_deed(Deed::Matched), tally.of_result(MatchResult::NotFound))
}

#[test]
fn each_work_of_a_page_is_counted_by_itself() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        registry(&bench).await;
        let applied = [Intake::Refused, Intake::Refused, Intake::Drafted];
        let sheets = [
            sheet(&bench, ImportMode::Apply, &applied).await,
            sheet(&bench, ImportMode::Preview, &[Intake::Drafted, Intake::Skipped]).await,
            sheet(&bench, ImportMode::Apply, &[]).await,
        ];
        let matches = [
            ended_match(&bench, &[Deed::Gone, Deed::Gone, Deed::Matched]).await,
            ended_match(&bench, &[Deed::Matched, Deed::Matched]).await,
            ended_match(&bench, &[]).await,
        ];
        let page = list(&bench, &bench.caller, None, None, 99).await;
        assert_eq!(page.len(), sheets.len() + matches.len());

        let expected = [
            vec![(Outcome::Refused, 2), (Outcome::Deleted, 1)],
            // A preview makes no answers and foresees them.
            vec![(Outcome::Answer(State::Draft), 1), (Outcome::Skipped, 1)],
            Vec::new(),
        ];
        for (id, counts) in sheets.into_iter().zip(expected) {
            let mut tally = Tally::default();
            counts.into_iter().for_each(|(outcome, count)| tally.add(outcome, count));
            assert_eq!(*tally_of(&page, id), tally);
            let alone = bench.service.get_operation(&bench.caller, id).await.unwrap();
            assert_eq!(*tally_of(&[alone], id), tally);
        }
        for details in bench.service.list_imports(&bench.caller, None, 99).await.unwrap() {
            assert_eq!(details.tally, *tally_of(&page, details.import.id.as_uuid()));
        }
        for (id, counts) in matches.into_iter().zip([(2, 1, 1), (0, 2, 2), (0, 0, 0)]) {
            assert_eq!(counts_of(&page, id), counts);
            let alone = bench.service.get_operation(&bench.caller, id).await.unwrap();
            assert_eq!(counts_of(&[alone], id), counts);
        }
    });
}
