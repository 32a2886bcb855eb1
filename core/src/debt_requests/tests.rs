use super::*;
use crate::Code;
use crate::domain::debt_request::Stage;
use crate::domain::employee::Employee;
use crate::domain::event::EventKind;
use crate::ids::{DepartmentId, EmployeeId, OrganizationId};
use crate::store::debt_requests::SortBy;
use crate::store::test_db::for_both;
use crate::store::{departments, employees, samples};
use crate::test_service::{Bench, caller, only, start};

async fn with_requests(bench: &Bench, requests: &[DebtRequest]) {
    let mut tx = bench.service.db.begin().await.unwrap();
    debt_requests::save(&mut tx, requests).await.unwrap();
    tx.commit().await.unwrap();
}

async fn employee(bench: &Bench, organization: OrganizationId) -> EmployeeId {
    let employee = Employee::new(organization, "Иванова Мария".to_owned(), None, start());
    let mut tx = bench.service.db.begin().await.unwrap();
    employees::insert(&mut tx, &employee).await.unwrap();
    tx.commit().await.unwrap();
    employee.id
}

async fn assign(
    bench: &Bench,
    id: DebtRequestId,
    command: AssignDebtRequest,
    if_match: Option<i64>,
) -> Result<DebtRequestDetails> {
    let mut tx = bench.service.db.begin().await.unwrap();
    let changed = bench.service.assign_debt_request(&mut tx, &bench.caller, id, command, if_match).await?;
    tx.commit().await.unwrap();
    Ok(changed.after)
}

#[test]
fn days_are_those_of_the_organisation() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let mut request = samples::request(bench.caller.organization);
        // In Yekaterinburg it is the 5th already.
        for (due, left) in [(5, 0), (10, 5), (4, -1)] {
            request.id = DebtRequestId::generate();
            request.gis.due_on = Some(samples::day(due));
            with_requests(&bench, std::slice::from_ref(&request)).await;
            let details = bench.service.get_debt_request(&bench.caller, request.id).await.unwrap();
            assert_eq!(details.days_left, Some(left));
            assert_eq!(details.request, request);
        }
        let counts = bench.service.count_debt_requests(&bench.caller, &Filter::default()).await.unwrap();
        assert_eq!((counts.total, counts.due_today, counts.overdue), (3, 1, 1));
        let sort = Sort { by: SortBy::DueOn, descending: false };
        let listed = bench.service.list_debt_requests(&bench.caller, &Filter::default(), sort, None, 2).await;
        let left: Vec<_> = listed.unwrap().iter().map(|details| details.days_left).collect();
        assert_eq!(left, [Some(-1), Some(0)]);
    });
}

#[test]
fn a_lookup_says_what_is_not_there() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let mut requests = [(); 3].map(|()| samples::request(bench.caller.organization));
        for (request, number) in requests.iter_mut().zip(["1", "2", "2"]) {
            request.gis.request_number = number.to_owned();
        }
        with_requests(&bench, &requests).await;
        let [first, ..] = &requests;
        let unknown = DebtRequestId::generate();
        let numbers = ["2".to_owned(), "3".to_owned()];
        let lookup = bench.service.lookup_debt_requests(&bench.caller, &[first.id, unknown], &numbers).await;
        let lookup = lookup.unwrap();
        assert_eq!(lookup.found.len(), 3);
        assert_eq!(lookup.ids_not_found, [unknown]);
        assert_eq!(lookup.numbers_not_found, ["3"]);
        let many = vec![unknown; 1001];
        let refused = bench.service.lookup_debt_requests(&bench.caller, &many, &[]).await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
    });
}

#[test]
fn an_assignment_is_told_once() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let request = samples::request(bench.caller.organization);
        with_requests(&bench, std::slice::from_ref(&request)).await;
        let executor = employee(&bench, request.organization).await;
        let command = AssignDebtRequest {
            executor: Some(Some(executor)),
            note: Some(Some("позвонить".to_owned())),
            ..AssignDebtRequest::default()
        };
        let assigned = assign(&bench, request.id, command.clone(), Some(1)).await.unwrap().request;
        assert_eq!((assigned.executor, assigned.version), (Some(executor), 2));
        assert_eq!((assigned.note.as_deref(), assigned.stage), (Some("позвонить"), Stage::New));
        let again = assign(&bench, request.id, command, None).await.unwrap();
        assert_eq!(again.request, assigned, "nothing changes");

        let stale = assign(&bench, request.id, AssignDebtRequest::default(), Some(1)).await;
        assert!(matches!(stale, Err(Error::VersionMismatch { current: 2 })));
        let emptied =
            AssignDebtRequest { executor: Some(None), note: Some(None), ..AssignDebtRequest::default() };
        let emptied = assign(&bench, request.id, emptied, Some(2)).await.unwrap().request;
        assert_eq!((emptied.executor, emptied.note), (None, None));

        let history =
            bench.service.list_debt_request_history(&bench.caller, request.id, None, 10).await.unwrap();
        assert_eq!(history.len(), 2);
        assert!(history.iter().all(|entry| entry.event.kind == EventKind::RequestAssigned));
        assert!(history.iter().all(|entry| !entry.event.data.to_string().contains("позвонить")));
    });
}

/// Whoever may read debt requests reads the names, and a name gets into no log by way of `Debug`.
#[test]
fn names_come_with_debt_requests() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let organization = bench.caller.organization;
        let head = employee(&bench, organization).await;
        let department = samples::department(organization, head);
        let mut tx = bench.service.db.begin().await.unwrap();
        departments::insert(&mut tx, &department).await.unwrap();
        tx.commit().await.unwrap();
        let (nobodys, mut given) = (samples::request(organization), samples::request(organization));
        (given.department, given.responsible) = (Some(department.id), Some(head));
        // Somebody who is not there any more.
        given.executor = Some(EmployeeId::generate());
        with_requests(&bench, &[nobodys.clone(), given.clone()]).await;

        let expected = AssignedNames {
            department: Some("Северный участок".to_owned()),
            responsible: Some("Иванова Мария".to_owned()),
            executor: None,
        };
        let reader = only(&bench.caller, Scope::RequestsRead);
        let card = bench.service.get_debt_request(&reader, given.id).await.unwrap();
        assert_eq!(card.names, expected);
        assert!(!format!("{card:?}").contains("Иванова"));
        let sort = Sort { by: SortBy::DueOn, descending: false };
        let listed =
            bench.service.list_debt_requests(&reader, &Filter::default(), sort, None, 9).await.unwrap();
        let lookup = bench.service.lookup_debt_requests(&reader, &[given.id, nobodys.id], &[]).await.unwrap();
        for found in [&listed, &lookup.found] {
            let names = |id| found.iter().find(|it| it.request.id == id).map(|it| it.names.clone());
            assert_eq!(names(given.id), Some(expected.clone()));
            assert_eq!(names(nobodys.id), Some(AssignedNames::default()));
        }
    });
}

#[test]
fn nobody_of_another_organisation_is_assigned_and_nothing_of_it_seen() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let request = samples::request(bench.caller.organization);
        with_requests(&bench, std::slice::from_ref(&request)).await;
        let mut tx = bench.service.db.begin().await.unwrap();
        let other = samples::stored_organization(&mut tx).await;
        tx.commit().await.unwrap();
        let command = AssignDebtRequest {
            department: Some(Some(DepartmentId::generate())),
            executor: Some(Some(employee(&bench, other).await)),
            note: Some(Some("a\0".to_owned())),
        };
        let Err(Error::Invalid(mistakes)) = assign(&bench, request.id, command, None).await else { panic!() };
        let codes: Vec<_> = mistakes.iter().map(|mistake| mistake.code).collect();
        assert_eq!(codes, ["not_found", "not_found", "character_not_allowed"]);

        let stranger = caller(other);
        assert!(matches!(bench.service.get_debt_request(&stranger, request.id).await, Err(Error::NotFound)));
        let history = bench.service.list_debt_request_history(&stranger, request.id, None, 10).await;
        assert!(matches!(history, Err(Error::NotFound)));
        let powerless = only(&bench.caller, Scope::AnswersRead);
        let refused = bench.service.get_debt_request(&powerless, request.id).await;
        assert!(matches!(refused, Err(Error::Refused { code: Code::ScopeMissing, .. })));
    });
}

#[test]
fn a_look_up_that_finds_too_much_is_refused() {
    bear(MOST_FOUND).unwrap();
    let Err(Error::Invalid(mistakes)) = bear(MOST_FOUND + 1) else { panic!() };
    assert_eq!(mistakes.first().unwrap().code, "too_many_found");
}
