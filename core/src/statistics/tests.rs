//! Statistics on both databases.

use chrono::{DateTime, Utc};

use super::*;
use crate::domain::answer::{Answer, Source, State};
use crate::domain::content::Content;
use crate::domain::debt_request::DebtRequest;
use crate::error::Code;
use crate::gis_status::Percentiles;
use crate::ids::AttachmentId;
use crate::store::test_db::for_both;
use crate::store::{answers, debt_requests, departments, employees, samples, test_rows};
use crate::test_service::{Bench, only};

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A debt request sent on a day of November, which has come at midnight of UTC and is due eight days later.
fn sent(bench: &Bench, day: u32, requester: Option<u128>) -> DebtRequest {
    let mut request = samples::request(bench.caller.organization);
    request.gis.sent_on = Some(samples::day(day));
    request.gis.due_on = Some(samples::day(day + 8));
    request.gis.requester.organization_id = requester.map(Uuid::from_u128);
    request.created_at = time(&format!("2026-11-{day:02}T00:00:00Z"));
    request
}

/// Stores debt requests, some with an answer that was submitted and delivered.
async fn store(bench: &Bench, requests: Vec<(DebtRequest, Option<Answer>)>) {
    let mut tx = bench.service.db.begin().await.unwrap();
    for (request, answer) in requests {
        debt_requests::save(&mut tx, std::slice::from_ref(&request)).await.unwrap();
        answers::insert(&mut tx, answer.map(|answer| (answer, Vec::new())).into_iter().collect())
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}

fn answer(request: &DebtRequest, source: Source, submitted: &str, delivered: &str) -> Answer {
    Answer {
        state: State::Delivered,
        source,
        submitted_at: Some(time(submitted)),
        settled_at: Some(time(delivered)),
        delivered_at: Some(time(delivered)),
        ..test_rows::answer(request.organization, request.id)
    }
}

#[test]
fn groups_add_up_to_the_total() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        // Today is the 5th: what was sent on the 25th of October was due on the 2nd of November.
        let mut overdue = sent(&bench, 2, Some(2));
        overdue.gis.due_on = Some(samples::day(4));
        let with_debt = sent(&bench, 2, Some(1));
        let debt = answer(&with_debt, Source::Xlsx, "2026-11-02T10:00:00Z", "2026-11-02T10:00:40Z");
        let debt =
            Answer { content: test_rows::debt(AttachmentId::generate(), AttachmentId::generate()), ..debt };
        let without = sent(&bench, 3, Some(1));
        let none = answer(&without, Source::Api, "2026-11-04T00:00:00Z", "2026-11-04T02:00:00Z");
        assert_eq!(none.content, Content::NoDebt { comment: None });
        let outside = sent(&bench, 5, Some(1));
        store(&bench, vec![(overdue, None), (with_debt, Some(debt)), (without, Some(none)), (outside, None)])
            .await;

        let days = (samples::day(1), samples::day(4));
        let ask = async |group_by| bench.service.statistics(&bench.caller, days, group_by).await.unwrap();
        let by_day = ask(GroupBy::Day).await;
        let total = &by_day.total;
        assert_eq!((total.received, total.with_debt, total.without_debt, total.overdue), (3, 1, 1, 1));
        assert_eq!(total.answered, [(Source::Api, 1), (Source::Xlsx, 1)].into());
        // 10 hours and 40 seconds, 26 hours: to three digits.
        assert_eq!(total.to_answer.percentiles(), Some(Percentiles { p50: 36_000, p95: 93_600 }));
        assert_eq!(total.delivery.percentiles(), Some(Percentiles { p50: 40, p95: 7_200 }));
        let keys: Vec<_> = by_day.groups.iter().map(|group| (group.key, group.figures.received)).collect();
        assert_eq!(keys, [(Key::Day(samples::day(2)), 2), (Key::Day(samples::day(3)), 1)]);

        let by_requester = ask(GroupBy::Requester).await;
        assert_eq!(by_requester.total, by_day.total);
        let keys: Vec<_> =
            by_requester.groups.iter().map(|group| (group.key, group.figures.received)).collect();
        let id = |number| Key::Object(Some(Uuid::from_u128(number)));
        assert_eq!(keys, [(id(1), 2), (id(2), 1)]);
        assert_eq!(by_requester.rest, None);

        let by_executor = ask(GroupBy::Executor).await;
        assert_eq!(by_executor.groups.len(), 1);
        assert_eq!((by_executor.groups[0].key, &by_executor.groups[0].figures), (Key::Object(None), total));
    });
}

#[test]
fn departments_and_executors_have_names() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let organization = bench.caller.organization;
        let executor = samples::employee(organization);
        let department = samples::department(organization, executor.id);
        let mut tx = bench.service.db.begin().await.unwrap();
        employees::insert(&mut tx, &executor).await.unwrap();
        departments::insert(&mut tx, &department).await.unwrap();
        tx.commit().await.unwrap();
        let mut given = sent(&bench, 2, Some(1));
        (given.department, given.executor) = (Some(department.id), Some(executor.id));
        store(&bench, vec![(given, None), (sent(&bench, 2, None), None)]).await;

        let reader = only(&bench.caller, Scope::StatsRead);
        let days = (samples::day(1), samples::day(4));
        for (group_by, id, name) in [
            (GroupBy::Department, department.id.as_uuid(), "Северный участок"),
            (GroupBy::Executor, executor.id.as_uuid(), "Тестова Т. Т."),
        ] {
            let report = bench.service.statistics(&reader, days, group_by).await.unwrap();
            let named: Vec<_> =
                report.groups.iter().map(|group| (group.key, group.name.as_deref())).collect();
            assert_eq!(named, [(Key::Object(None), None), (Key::Object(Some(id)), Some(name))]);
            assert!(!format!("{report:?}").contains(name));
        }
    });
}

#[test]
fn too_many_groups_are_told_in_one() {
    let figures = |received| Figures { received, ..Figures::default() };
    let groups = u128::try_from(MOST_GROUPS).unwrap() + 2;
    let counted = (0..groups).map(|number| {
        let received = if number == groups - 1 { 9 } else { 1 };
        (Key::Object(Some(Uuid::from_u128(number))), (None, figures(received)))
    });
    let report = report(counted.collect(), GroupBy::Requester);
    assert_eq!(report.total.received, i64::try_from(groups).unwrap() + 8);
    assert_eq!(report.groups.len(), MOST_GROUPS);
    assert_eq!(report.groups[0].figures.received, 9, "the largest come first");
    assert_eq!(report.rest, Some(figures(2)));
}

#[test]
fn statistics_are_read_by_those_who_may_and_not_for_ever() {
    for_both(async |db| {
        let Bench { service, caller, .. } = &Bench::new(db).await;
        let days = (samples::day(1), samples::day(4));
        let reader = only(caller, Scope::AnswersRead);
        let refused = service.statistics(&reader, days, GroupBy::Day).await.unwrap_err();
        assert!(matches!(refused, Error::Refused { code: Code::ScopeMissing, .. }));
        let backwards = (samples::day(4), samples::day(1));
        let refused = service.statistics(caller, backwards, GroupBy::Day).await.unwrap_err();
        assert!(matches!(refused, Error::Invalid(_)));
        let nothing = service.statistics(caller, days, GroupBy::Day).await.unwrap();
        assert_eq!((nothing.total, nothing.groups.len()), (Figures::default(), 0));
    });
}
