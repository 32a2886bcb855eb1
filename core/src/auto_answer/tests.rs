use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::answers::{ContentDraft, CreateAnswer, CreatedOutcome, DebtorDraft};
use crate::domain::answer::{Confirm, Source, State};
use crate::domain::audit::{ActorKind, AuditFilter, Whom};
use crate::domain::auto_answer::{AutoAnswerRun, SkipReason};
use crate::domain::debt_request::ResponseStatus;
use crate::domain::event::EventKind;
use crate::domain::long_work::WorkKind;
use crate::domain::operation::Outcome;
use crate::domain::organization::Organization;
use crate::error::{Code, Conflict};
use crate::ids::{DebtRequestId, OperationId};
use crate::registries::CourtDebtDraft;
use crate::store::samples::{day, employee, request};
use crate::store::test_db::for_both;
use crate::store::{Db, auto_answer_runs, debt_requests, employees};
use crate::test_service::{Bench, only, start};

const HOUSE: Uuid = Uuid::from_u128(0xA);
const OTHER: Uuid = Uuid::from_u128(0xB);

/// A bench with an executor whom GIS knows.
async fn bench(db: Db) -> Bench {
    let bench = Bench::new(db).await;
    let executor = employee(bench.caller.organization);
    let mut tx = bench.service.db.begin().await.unwrap();
    employees::insert(&mut tx, &executor).await.unwrap();
    organizations::set_default_executor(&mut tx, executor.organization, executor.id).await.unwrap();
    tx.commit().await.unwrap();
    bench
}

/// A request that is due on the day after the bench's, a Friday.
async fn stored(bench: &Bench, house: Uuid, premises: &str, response: ResponseStatus) -> DebtRequestId {
    let mut asked = request(bench.caller.organization);
    asked.gis.address.fias_house_id = Some(house);
    asked.gis.address.premises = Some(premises.to_owned());
    asked.gis.period_to = Some(day(1));
    asked.gis.due_on = Some(day(6));
    asked.gis.response_status = response;
    asked.answered = response == ResponseStatus::Sent;
    asked.synced_at = start();
    let mut tx = bench.service.db.begin().await.unwrap();
    debt_requests::save(&mut tx, &[asked.clone()]).await.unwrap();
    tx.commit().await.unwrap();
    asked.id
}

async fn owes(bench: &Bench, premises: &str) {
    let draft = CourtDebtDraft {
        department: None,
        fias_house_id: HOUSE,
        gis_house_id: None,
        address: None,
        premises: premises.to_owned(),
        in_force_from: NaiveDate::from_ymd_opt(2025, 3, 12).unwrap(),
        repaid_on: None,
        debtors: vec![debtor()],
        attachments: Vec::new(),
        comment: None,
    };
    let mut tx = bench.service.db.begin().await.unwrap();
    let kept = bench.service.add_court_debt(&mut tx, &bench.caller, draft).await.unwrap();
    bench.service.activate_registry(&mut tx, &bench.caller, kept.registry).await.unwrap();
    tx.commit().await.unwrap();
}

fn debtor() -> DebtorDraft {
    DebtorDraft {
        last_name: "Вымышленный".to_owned(),
        first_name: "Пётр".to_owned(),
        ..DebtorDraft::default()
    }
}

fn command(debt_request: DebtRequestId, has_debt: bool, submit: bool) -> CreateAnswer {
    let debtors = if has_debt { vec![debtor()] } else { Vec::new() };
    CreateAnswer {
        debt_request,
        external_id: None,
        submit,
        content: ContentDraft { has_debt, debtors, ..ContentDraft::default() },
        executor: None,
        confirm: Vec::new(),
        reason: None,
        source: Source::Api,
        trace: None,
    }
}

async fn post(bench: &Bench, command: CreateAnswer) -> Result<CreatedOutcome> {
    let mut tx = bench.service.db.begin().await?;
    let created = bench.service.create_answer(&mut tx, &bench.caller, command).await?;
    tx.commit().await?;
    Ok(created.outcome)
}

async fn set(bench: &Bench, settings: AutoAnswerSettings) {
    let mut tx = bench.service.db.begin().await.unwrap();
    bench.service.set_auto_answer(&mut tx, &bench.caller, settings, None).await.unwrap();
    tx.commit().await.unwrap();
}

async fn organization(bench: &Bench) -> Organization {
    let mut conn = bench.service.db.read().await.unwrap();
    organizations::get(&mut conn, bench.caller.organization).await.unwrap().unwrap()
}

/// Everything that a run does once GIS is read.
async fn answer(bench: &Bench, settings: &AutoAnswerSettings) {
    let service = &bench.service;
    let organization = organization(bench).await;
    let now = service.clock.now();
    let run = AutoAnswerRun::new(organization.id, day(5), now);
    let mut tx = service.db.begin().await.unwrap();
    assert!(auto_answer_runs::insert(&mut tx, &run).await.unwrap());
    let considered =
        consider(&mut tx, &service.settings.calendar, &organization, settings, now).await.unwrap();
    service.answer_automatically(&mut tx, run, &organization, settings, considered).await.unwrap();
    tx.commit().await.unwrap();
}

async fn last_operation(bench: &Bench) -> OperationId {
    let kind = Some(WorkKind::AutoAnswer);
    let page = bench.service.list_operations(&bench.caller, kind, None, 1).await.unwrap();
    page[0].id().into()
}

#[test]
fn a_preview_says_what_a_run_then_does() {
    for_both(async |db| {
        let bench = bench(db).await;
        let waiting = ResponseStatus::NotSent;
        let free = stored(&bench, OTHER, "кв. 1", waiting).await;
        let drafted = stored(&bench, OTHER, "кв. 2", waiting).await;
        let found = stored(&bench, HOUSE, "кв. 1", waiting).await;
        let doubtful = stored(&bench, HOUSE, "кв. 1 комн. 2", waiting).await;
        let written = stored(&bench, OTHER, "кв. 3", waiting).await;
        let unknown = stored(&bench, OTHER, "кв. 4", ResponseStatus::Unknown).await;
        let sent = stored(&bench, OTHER, "кв. 5", waiting).await;
        stored(&bench, OTHER, "кв. 6", ResponseStatus::Sent).await;
        owes(&bench, "кв. 1").await;
        for (request, has_debt, submit) in
            [(drafted, false, false), (written, true, false), (sent, false, true)]
        {
            post(&bench, command(request, has_debt, submit)).await.unwrap();
        }
        let settings = AutoAnswerSettings {
            enabled: true,
            comment: Some("автоответ".to_owned()),
            ..AutoAnswerSettings::default()
        };
        set(&bench, settings.clone()).await;
        let preview = bench.service.preview_auto_answer(&bench.caller, 99).await.unwrap();
        assert_eq!((preview.run_on, preview.due_from, preview.due_to), (day(5), day(5), day(8)));
        assert_eq!((preview.answers, preview.skips, preview.stops, preview.more), (2, 4, false, 0));
        let expected = [
            (free, Verdict::Answer),
            (drafted, Verdict::Answer),
            (found, Verdict::Skip(SkipReason::DebtFound)),
            (doubtful, Verdict::Skip(SkipReason::Ambiguous)),
            (written, Verdict::Skip(SkipReason::DebtWritten)),
            (unknown, Verdict::Skip(SkipReason::NotWaiting)),
        ];
        let mut shown: Vec<_> = preview.items.iter().map(|it| (it.request.id, it.verdict)).collect();
        shown.sort_by_key(|(id, _)| *id);
        assert_eq!(shown, expected);
        let few = bench.service.preview_auto_answer(&bench.caller, 1).await.unwrap();
        assert_eq!((few.answers, few.skips, few.items.len(), few.more), (2, 4, 1, 5));

        answer(&bench, &settings).await;
        let operation = last_operation(&bench).await;
        let items = bench.service.list_operation_items(&bench.caller, operation, None, None, 99).await;
        let items = items.unwrap();
        assert_eq!(items.len(), preview.items.len());
        for (item, foreseen) in items.iter().zip(&preview.items) {
            assert_eq!(item.item.debt_request, Some(foreseen.request.id));
            match foreseen.verdict {
                Verdict::Answer => {
                    assert_eq!(item.outcome, Outcome::Answer(State::Queued));
                    let id = item.item.answer.unwrap();
                    let given = bench.service.get_answer(&bench.caller, id).await.unwrap().answer;
                    assert_eq!((given.source, given.state), (Source::Auto, State::Queued));
                    assert_eq!(given.content.comment().unwrap().as_str(), "автоответ");
                }
                Verdict::Skip(reason) => {
                    assert_eq!(item.outcome, Outcome::Skipped);
                    assert_eq!(item.item.errors[0].code, reason.as_str());
                }
            }
        }
        let ours = AuditFilter { actor: Some(Whom::Kind(ActorKind::Auto)), ..AuditFilter::default() };
        let log = bench.service.list_audit_log(&bench.caller, &ours, None, 99).await.unwrap();
        let mut told: Vec<_> = log.into_iter().map(|it| (it.action, it.target)).collect();
        told.sort();
        let named = items.iter().filter_map(|it| it.item.answer);
        let mut expected: Vec<_> =
            named.map(|id| ("create_answer".to_owned(), format!("answers/{id}"))).collect();
        expected.push(("auto_answer".to_owned(), format!("operations/{operation}")));
        expected.sort();
        assert_eq!(told, expected);
        let after = bench.service.preview_auto_answer(&bench.caller, 99).await.unwrap();
        assert_eq!((after.answers, after.skips), (0, 4), "what is answered is not asked about again");
    });
}

#[test]
fn what_comes_between_looking_and_answering_counts() {
    for_both(async |db| {
        let bench = bench(db).await;
        let (free, begun) = (
            stored(&bench, OTHER, "кв. 1", ResponseStatus::NotSent).await,
            stored(&bench, OTHER, "кв. 2", ResponseStatus::NotSent).await,
        );
        let settings =
            AutoAnswerSettings { enabled: true, require_registry: false, ..AutoAnswerSettings::default() };
        let organization = organization(&bench).await;
        let now = bench.service.clock.now();
        let mut conn = bench.service.db.scan().await.unwrap();
        let considered = consider(&mut conn, &bench.service.settings.calendar, &organization, &settings, now)
            .await
            .unwrap();
        drop(conn);
        post(&bench, command(begun, true, false)).await.unwrap();
        let run = AutoAnswerRun::new(organization.id, day(5), now);
        let mut tx = bench.service.db.begin().await.unwrap();
        auto_answer_runs::insert(&mut tx, &run).await.unwrap();
        bench.service.answer_automatically(&mut tx, run, &organization, &settings, considered).await.unwrap();
        tx.commit().await.unwrap();
        let operation = last_operation(&bench).await;
        let items = bench.service.list_operation_items(&bench.caller, operation, None, None, 9).await;
        let mut items: Vec<_> =
            items.unwrap().into_iter().map(|it| (it.item.debt_request.unwrap(), it.outcome)).collect();
        items.sort_by_key(|(id, _)| *id);
        assert_eq!(items, [(free, Outcome::Answer(State::Queued)), (begun, Outcome::Skipped)]);
    });
}

#[test]
fn what_was_not_read_is_asked_for_once_and_then_left_alone() {
    for_both(async |db| {
        let bench = bench(db).await;
        let stale = stored(&bench, OTHER, "кв. 1", ResponseStatus::NotSent).await;
        let settings = AutoAnswerSettings { require_registry: false, ..AutoAnswerSettings::default() };
        let organization = organization(&bench).await;
        let mut conn = bench.service.db.scan().await.unwrap();
        let calendar = &bench.service.settings.calendar;
        let mut considered = consider(&mut conn, calendar, &organization, &settings, start()).await.unwrap();
        let (before, after) = (start(), start() + TimeDelta::seconds(1));
        assert_eq!(unread(&considered, before, &[].into()), []);
        assert_eq!(unread(&considered, after, &[].into()), [stale]);
        assert_eq!(unread(&considered, after, &[stale].into()), []);
        leave_unread(&mut considered, before);
        assert_eq!(considered[0].verdict, Verdict::Answer);
        leave_unread(&mut considered, after);
        assert_eq!(considered[0].verdict, Verdict::Skip(SkipReason::NotRead));
    });
}

#[test]
fn departments_that_do_not_exist_are_refused_by_their_places() {
    for_both(async |db| {
        let bench = bench(db).await;
        let departments = Some(vec![crate::ids::DepartmentId::generate()]);
        let settings = AutoAnswerSettings { departments, ..AutoAnswerSettings::default() };
        let mut tx = bench.service.db.begin().await.unwrap();
        let refused = bench.service.set_auto_answer(&mut tx, &bench.caller, settings, None).await;
        let Error::Invalid(mistakes) = refused.unwrap_err() else { panic!("no mistake") };
        let crate::error::Place::Pointer(place) = &mistakes[0].place else { panic!("no pointer") };
        assert_eq!((place.as_str(), mistakes[0].code), ("/departments/0", "not_found"));
    });
}

#[test]
fn a_run_that_is_stopped_answers_none_and_tells_why() {
    for_both(async |db| {
        let bench = bench(db).await;
        let settings = AutoAnswerSettings::default();
        let run = AutoAnswerRun::new(bench.caller.organization, day(5), start());
        let mut tx = bench.service.db.begin().await.unwrap();
        auto_answer_runs::insert(&mut tx, &run).await.unwrap();
        let stop = Stop::TooMany { answers: 501 };
        bench.service.stop_auto_answer(&mut tx, run, &settings, stop).await.unwrap();
        assert_eq!(auto_answer_runs::unfinished(&mut tx).await.unwrap(), []);
        tx.commit().await.unwrap();
        let kinds = [EventKind::AutoAnswerStopped];
        let feed = bench.service.list_events(&bench.caller, None, &kinds, 9).await.unwrap();
        let told = &feed.events[0].event.data;
        assert_eq!(
            (&told["reason"], &told["answers"], &told["max_per_run"]),
            (&json!("too_many"), &json!(501), &json!(500))
        );
        let log =
            bench.service.list_audit_log(&bench.caller, &AuditFilter::default(), None, 9).await.unwrap();
        let told: Vec<_> = log.iter().map(|it| (it.action.as_str(), it.target.as_str())).collect();
        assert_eq!(told, [("stop_auto_answer", "settings/auto-answer")]);
        let reader = only(&bench.caller, Scope::RegistryRead);
        assert!(bench.service.preview_auto_answer(&reader, 9).await.is_err());
    });
}

#[test]
fn no_debt_against_the_registry_must_be_confirmed() {
    for_both(async |db| {
        let bench = bench(db).await;
        let found = stored(&bench, HOUSE, "кв. 1", ResponseStatus::NotSent).await;
        let absent = stored(&bench, OTHER, "кв. 1", ResponseStatus::NotSent).await;
        owes(&bench, "кв. 1").await;
        assert_eq!(post(&bench, command(found, false, false)).await.unwrap(), CreatedOutcome::Draft);
        assert_eq!(post(&bench, command(absent, false, true)).await.unwrap(), CreatedOutcome::Queued);
        let Error::Conflict(conflict) = post(&bench, command(found, false, true)).await.unwrap_err() else {
            panic!("no conflict")
        };
        let Conflict { code, confirmable, .. } = *conflict;
        assert_eq!((code, confirmable), (Code::RegistryDisagrees, vec![Confirm::RegistryDisagrees]));
        let confirmed =
            CreateAnswer { confirm: vec![Confirm::RegistryDisagrees], ..command(found, false, true) };
        assert_eq!(post(&bench, confirmed).await.unwrap(), CreatedOutcome::Queued);
        let again = stored(&bench, HOUSE, "кв. 1", ResponseStatus::NotSent).await;
        assert_eq!(post(&bench, command(again, true, true)).await.unwrap(), CreatedOutcome::Queued);
    });
}
