//! The mirror on both databases.

use uuid::Uuid;

use super::*;
use crate::domain::answer::State;
use crate::domain::content::ContentHash;
use crate::domain::debt_request::{
    Address, AnswerSummary, GisView, Match, MatchResult, RequestStatus, Requester, ShownAnswer,
};
use crate::ids::{AnswerId, DepartmentId, EmployeeId};
use crate::store::db::Db;
use crate::store::samples::{at, day, request, stored_organization};
use crate::store::test_db::for_both;

fn full(organization: OrganizationId) -> DebtRequest {
    DebtRequest {
        gis: GisView {
            request_id: Some(Uuid::now_v7()),
            request_number: "6202%611_433".to_owned(),
            requester: Requester {
                organization_id: Some(Uuid::now_v7()),
                name: Some("Управление социальной  ПОЛИТИКИ Орлёво".to_owned()),
                phone: Some("+7 343 000-00-00".to_owned()),
                employee: Some("Петрова А. С.".to_owned()),
            },
            address: Address {
                text: Some("г Екатеринбург, ул Зелёная, д. 1_2".to_owned()),
                premises: Some("кв. 12".to_owned()),
                object_type: Some("apartment".to_owned()),
                fias_house_id: Some(Uuid::now_v7()),
                gis_house_id: Some(Uuid::now_v7()),
                gis_object_id: Some(Uuid::now_v7()),
            },
            period_from: Some(day(1)),
            period_to: Some(day(2)),
            sent_on: Some(day(3)),
            due_on: Some(day(4)),
            request_status: RequestStatus::Processed,
            response_status: ResponseStatus::Sent,
        },
        shown: Some(ShownAnswer {
            has_debt: Some(true),
            content_hash: Some(ContentHash::stored("hmac:00".to_owned())),
            viewed_at: at(1),
        }),
        stage: Stage::Answered,
        answered: true,
        department: Some(DepartmentId::generate()),
        responsible: Some(EmployeeId::generate()),
        executor: Some(EmployeeId::generate()),
        assigned_by_hand: true,
        note: Some("срочно".to_owned()),
        matched: Some(Match {
            result: MatchResult::Found,
            registry_id: Some(Uuid::now_v7()),
            checked_at: at(2),
        }),
        answer: Some(AnswerSummary {
            id: AnswerId::generate(),
            state: State::Delivered,
            has_debt: false,
            updated_at: at(3),
        }),
        draft: Some(AnswerId::generate()),
        updated_at: at(9),
        ..request(organization)
    }
}

const BY_DUE: Sort = Sort { by: SortBy::DueOn, descending: false };

async fn listed(conn: &mut Conn, organization: OrganizationId, filter: &Filter) -> Vec<DebtRequestId> {
    let rows = page(conn, organization, filter, BY_DUE, None, 100).await.unwrap();
    rows.into_iter().map(|request| request.id).collect()
}

#[test]
fn requests_come_back_as_they_went_and_to_their_owner_only() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
        let (mut full, bare) = (full(ours), request(ours));
        save(&mut tx, &[full.clone(), bare.clone()]).await.unwrap();
        assert_eq!(get(&mut tx, ours, full.id).await.unwrap(), Some(full.clone()));
        assert_eq!(get(&mut tx, theirs, full.id).await.unwrap(), None);
        assert_eq!(lock(&mut tx, ours, bare.id).await.unwrap(), Some(bare.clone()));
        assert_eq!(lock(&mut tx, theirs, bare.id).await.unwrap(), None);
        assert_eq!(listed(&mut tx, theirs, &Filter::default()).await, []);
        assert_eq!(count(&mut tx, theirs, &Filter::default(), day(1)).await.unwrap(), Counts::default());
        assert_eq!(
            find(&mut tx, theirs, &[full.id], std::slice::from_ref(&bare.gis.request_number)).await.unwrap(),
            []
        );
        // A second writing empties what became empty.
        full = DebtRequest { id: full.id, ..bare.clone() };
        save(&mut tx, std::slice::from_ref(&full)).await.unwrap();
        let mut both = [full, bare.clone()];
        both.sort_by_key(|request| request.id);
        let twice = [both[1].id, both[0].id, both[1].id];
        assert_eq!(lock_many(&mut tx, &twice).await.unwrap(), both);
        assert_eq!(find(&mut tx, ours, &[], &[bare.gis.request_number]).await.unwrap(), both);
        assert_eq!(find(&mut tx, ours, &[both[0].id], &[]).await.unwrap(), both[..1]);
        let number = [both[0].gis.request_number.clone()];
        assert_eq!(find_some(&mut tx, ours, &[], &number, 1).await.unwrap(), both[..1]);
        assert_eq!(find(&mut tx, ours, &[], &[]).await.unwrap(), []);
    });
}

#[test]
fn a_row_is_written_as_a_whole_and_keeps_its_owner() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = stored_organization(&mut tx).await;
        let mut given = full(organization);
        save(&mut tx, &[given.clone()]).await.unwrap();
        given.version = 2;
        given.note = None;
        given.shown = None;
        let elsewhere = DebtRequest { organization: OrganizationId::generate(), ..given.clone() };
        save(&mut tx, &[elsewhere]).await.unwrap();
        assert_eq!(get(&mut tx, organization, given.id).await.unwrap(), Some(given));
    });
}

/// Each condition finds the full request and not the bare one, or the other way round.
#[test]
fn every_condition_of_the_filter_tells_rows_apart() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = stored_organization(&mut tx).await;
        let (full, mut bare) = (full(organization), request(organization));
        (bare.gis.due_on, bare.gis.sent_on) = (None, None);
        save(&mut tx, &[full.clone(), bare.clone()]).await.unwrap();
        let text = |text: &str| Some(text.to_owned());
        let none = Filter::default;
        let finds_full = [
            Filter { department: full.department.map(DepartmentFilter::Is), ..none() },
            Filter { responsible: full.responsible.map(ExecutorFilter::Is), ..none() },
            Filter { executor: full.executor.map(ExecutorFilter::Is), ..none() },
            Filter { stages: vec![Stage::Answered, Stage::Gone], ..none() },
            Filter { response_statuses: vec![ResponseStatus::Sent], ..none() },
            Filter { request_statuses: vec![RequestStatus::Processed], ..none() },
            Filter { answer_states: vec![State::Delivered], ..none() },
            Filter { numbers: vec!["6202%611_433".to_owned()], ..none() },
            Filter { number_prefix: text("6202%"), ..none() },
            Filter { requester: full.gis.requester.organization_id, ..none() },
            Filter { requester_name: text("Социальной политики ОРЛЕ"), ..none() },
            Filter { answered: Some(true), ..none() },
            Filter { due_from: Some(day(4)), ..none() },
            Filter { due_to: Some(day(4)), ..none() },
            Filter { sent_from: Some(day(3)), ..none() },
            Filter { sent_to: Some(day(3)), ..none() },
            Filter { updated_since: Some(at(9)), ..none() },
            Filter { match_results: vec![MatchResult::Found], ..none() },
            Filter { fias_house: full.gis.address.fias_house_id, ..none() },
            Filter { address_words: text(" 12 зеленая 1_2 "), ..none() },
            Filter { has_draft: Some(true), ..none() },
        ];
        for filter in finds_full {
            let shown = serde_json::to_string(&filter).unwrap();
            assert_eq!(listed(&mut tx, organization, &filter).await, [full.id], "{shown}");
        }
        let finds_bare = [
            Filter { department: Some(DepartmentFilter::Nowhere), ..none() },
            Filter { responsible: Some(ExecutorFilter::Nobody), ..none() },
            Filter { executor: Some(ExecutorFilter::Nobody), ..none() },
            Filter { answered: Some(false), ..none() },
            Filter { number_prefix: text("62026"), ..none() },
            Filter { has_draft: Some(false), stages: vec![Stage::New], ..none() },
        ];
        for filter in finds_bare {
            let shown = serde_json::to_string(&filter).unwrap();
            assert_eq!(listed(&mut tx, organization, &filter).await, [bare.id], "{shown}");
        }
        let finds_nothing = [
            Filter { due_from: Some(day(5)), ..none() },
            Filter { sent_to: Some(day(2)), ..none() },
            Filter { requester_name: text("%"), ..none() },
            Filter { address_words: text("зеленая 1%2"), ..none() },
            Filter { address_words: text("1__2"), ..none() },
        ];
        for filter in finds_nothing {
            let shown = serde_json::to_string(&filter).unwrap();
            assert_eq!(listed(&mut tx, organization, &filter).await, [], "{shown}");
        }
    });
}

#[test]
fn pages_of_every_order_join_without_gap_or_repetition() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = stored_organization(&mut tx).await;
        let mut all = Vec::new();
        for (number, due) in
            [Some(day(7)), Some(day(5)), None, Some(day(7)), Some(day(7)), None].into_iter().enumerate()
        {
            let mut request = request(organization);
            (request.gis.due_on, request.gis.sent_on) = (due, due);
            request.updated_at = at(i64::try_from(number / 2).unwrap());
            all.push(request);
        }
        save(&mut tx, &all).await.unwrap();
        for by in [SortBy::DueOn, SortBy::SentOn, SortBy::UpdatedAt] {
            all.sort_by_key(|request| match After::of(request, by) {
                After::Day(day, id) => (Some(day), None, id),
                After::Moment(time, id) => (None, Some(time), id),
            });
            for descending in [false, true] {
                let mut found = Vec::new();
                let mut after = None;
                loop {
                    let sort = Sort { by, descending };
                    let rows = page(&mut tx, organization, &Filter::default(), sort, after.as_ref(), 2)
                        .await
                        .unwrap();
                    let Some(last) = rows.last() else { break };
                    after = Some(After::of(last, by));
                    found.extend(rows);
                }
                if descending {
                    found.reverse();
                }
                assert_eq!(found, all, "{by:?} {descending}");
            }
        }
        let wrong = After::Moment(at(0), all[0].id);
        assert!(page(&mut tx, organization, &Filter::default(), BY_DUE, Some(&wrong), 2).await.is_err());
    });
}

#[test]
fn counts_and_the_unseen() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = stored_organization(&mut tx).await;
        let of = |due: Option<NaiveDate>, stage: Stage, answered: bool| {
            let mut request = DebtRequest { stage, answered, ..request(organization) };
            request.gis.due_on = due;
            request
        };
        let mut seen = of(Some(day(12)), Stage::New, false);
        seen.synced_at = at(7);
        let all = [
            of(Some(day(9)), Stage::New, false),
            of(Some(day(10)), Stage::InWork, false),
            of(Some(day(9)), Stage::Answered, true),
            of(None, Stage::Gone, false),
            of(Some(day(9)), Stage::Gone, false),
            seen,
        ];
        save(&mut tx, &all).await.unwrap();
        let counted = count(&mut tx, organization, &Filter::default(), day(10)).await.unwrap();
        assert_eq!(counted, Counts { total: 6, new: 2, unanswered: 3, due_today: 1, overdue: 1 });
        let new = Filter { stages: vec![Stage::New], ..Filter::default() };
        let counted = count(&mut tx, organization, &new, day(10)).await.unwrap();
        assert_eq!(counted, Counts { total: 2, new: 2, unanswered: 2, due_today: 0, overdue: 1 });
        let mut expected = [all[0].id, all[1].id, all[2].id];
        expected.sort_unstable();
        assert_eq!(unseen(&mut tx, organization, (day(1), day(2)), at(7), 9).await.unwrap(), expected);
        assert_eq!(unseen(&mut tx, organization, (day(1), day(2)), at(7), 1).await.unwrap(), expected[..1]);
        assert_eq!(unseen(&mut tx, organization, (day(3), day(4)), at(7), 9).await.unwrap(), []);
    });
}

#[test]
fn whoever_locks_second_waits_and_sees_the_change() {
    for_both(async |db: Db| {
        let mut tx = db.begin().await.unwrap();
        let organization = stored_organization(&mut tx).await;
        let mut given = request(organization);
        save(&mut tx, &[given.clone()]).await.unwrap();
        tx.commit().await.unwrap();
        let mut first = db.begin().await.unwrap();
        lock(&mut first, organization, given.id).await.unwrap();
        let second = tokio::spawn(async move {
            let mut tx = db.begin().await.unwrap();
            lock_many(&mut tx, &[given.id]).await.unwrap()
        });
        given.version = 2;
        save(&mut first, std::slice::from_ref(&given)).await.unwrap();
        first.commit().await.unwrap();
        assert_eq!(second.await.unwrap(), [given]);
    });
}
