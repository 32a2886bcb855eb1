//! Employees of suppliers.

use diesel::dsl::exists;
use diesel::{
    AsChangeset, BoolExpressionMethods, ExpressionMethods, Insertable, NullableExpressionMethods,
    OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper, select,
};
use diesel_async::RunQueryDsl;

use super::db::{both, load_where};
use super::schema::{debt_requests, departments, employees};
use super::types::{Guid, Ts};
use super::{Conn, StoreError};
use crate::domain::answer::State;
use crate::domain::debt_request::Stage;
use crate::domain::employee::Employee;
use crate::ids::{DepartmentId, EmployeeId, OrganizationId};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = employees, treat_none_as_default_value = false, treat_none_as_null = true)]
struct EmployeeRow {
    id: EmployeeId,
    organization_id: OrganizationId,
    full_name: String,
    gis_guid: Option<Guid>,
    department_id: Option<DepartmentId>,
    active: bool,
    version: i64,
    created_at: Ts,
    updated_at: Ts,
}

impl From<&Employee> for EmployeeRow {
    fn from(employee: &Employee) -> Self {
        Self {
            id: employee.id,
            organization_id: employee.organization,
            full_name: employee.full_name.clone(),
            gis_guid: employee.gis_guid.map(Guid),
            department_id: employee.department,
            active: employee.active,
            version: employee.version,
            created_at: Ts(employee.created_at),
            updated_at: Ts(employee.updated_at),
        }
    }
}

impl From<EmployeeRow> for Employee {
    fn from(row: EmployeeRow) -> Self {
        Self {
            id: row.id,
            organization: row.organization_id,
            full_name: row.full_name,
            gis_guid: row.gis_guid.map(|guid| guid.0),
            department: row.department_id,
            active: row.active,
            version: row.version,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        }
    }
}

/// Which employees a list shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EmployeeFilter {
    /// Those of this department.
    pub department: Option<DepartmentId>,
    /// Those who work here still, or those who do not.
    pub active: Option<bool>,
}

/// Adds an employee.
pub(crate) async fn insert(conn: &mut Conn, employee: &Employee) -> Result<(), StoreError> {
    let row = EmployeeRow::from(employee);
    both!(conn, c => diesel::insert_into(employees::table).values(row).execute(c).await)?;
    Ok(())
}

/// Stores what is known of an employee.
pub(crate) async fn update(conn: &mut Conn, employee: &Employee) -> Result<(), StoreError> {
    let row = EmployeeRow::from(employee);
    let hit = both!(conn, c => diesel::update(employees::table.find(employee.id)).set(row).execute(c).await)?;
    StoreError::unless_hit(hit)
}

/// One employee of an organisation.
pub(crate) async fn get(
    conn: &mut Conn,
    organization: OrganizationId,
    id: EmployeeId,
) -> Result<Option<Employee>, StoreError> {
    let row: Option<EmployeeRow> = both!(conn, c => {
        employees::table
            .find(id)
            .filter(employees::organization_id.eq(organization))
            .select(EmployeeRow::as_select())
            .first(c)
            .await
            .optional()
    })?;
    Ok(row.map(Employee::from))
}

/// Some employees of an organisation.
pub(crate) async fn find(
    conn: &mut Conn,
    organization: OrganizationId,
    ids: &[EmployeeId],
) -> Result<Vec<Employee>, StoreError> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let rows: Vec<EmployeeRow> = load_where!(conn, employees::id, &ids, |named| employees::table
        .filter(named)
        .filter(employees::organization_id.eq(organization))
        .select(EmployeeRow::as_select()))?;
    Ok(rows.into_iter().map(Employee::from).collect())
}

/// The employees of an organisation in the order in which they were added, after one of them.
pub(crate) async fn page(
    conn: &mut Conn,
    organization: OrganizationId,
    filter: EmployeeFilter,
    after: Option<EmployeeId>,
    limit: i64,
) -> Result<Vec<Employee>, StoreError> {
    let rows: Vec<EmployeeRow> = both!(conn, c => {
        let mut query = employees::table
            .filter(employees::organization_id.eq(organization))
            .order(employees::id)
            .limit(limit)
            .select(EmployeeRow::as_select())
            .into_boxed();
        if let Some(department) = filter.department {
            query = query.filter(employees::department_id.eq(department));
        }
        if let Some(active) = filter.active {
            query = query.filter(employees::active.eq(active));
        }
        if let Some(last) = after {
            query = query.filter(employees::id.gt(last));
        }
        query.load(c).await
    })?;
    Ok(rows.into_iter().map(Employee::from).collect())
}

/// The employees of an organisation, by name.
pub(crate) async fn list(conn: &mut Conn, organization: OrganizationId) -> Result<Vec<Employee>, StoreError> {
    let rows: Vec<EmployeeRow> = both!(conn, c => {
        employees::table
            .filter(employees::organization_id.eq(organization))
            .order((employees::full_name, employees::id))
            .select(EmployeeRow::as_select())
            .load(c)
            .await
    })?;
    Ok(rows.into_iter().map(Employee::from).collect())
}

/// How many an organisation has.
pub(crate) async fn count(conn: &mut Conn, organization: OrganizationId) -> Result<i64, StoreError> {
    Ok(both!(conn, c => {
        employees::table.filter(employees::organization_id.eq(organization)).count().get_result(c).await
    })?)
}

/// Whether an employee is responsible for a department; and whether for a debt request that is not answered for certain yet,
/// or works on one: an answer that is on its way may still be refused.
pub(crate) async fn duties(
    conn: &mut Conn,
    organization: OrganizationId,
    id: EmployeeId,
) -> Result<(bool, bool), StoreError> {
    let heads = departments::table
        .filter(departments::organization_id.eq(organization))
        .filter(departments::responsible_id.eq(id));
    let his = debt_requests::responsible_id.eq(Some(id)).or(debt_requests::executor_id.eq(Some(id)));
    let under_way = debt_requests::answer_state.eq_any(State::UNDER_WAY).assume_not_null();
    let works = debt_requests::table
        .filter(debt_requests::organization_id.eq(organization))
        .filter(debt_requests::answered.eq(false).or(under_way))
        .filter(debt_requests::stage.ne(Stage::Gone))
        .filter(his.assume_not_null());
    Ok(both!(conn, c => select((exists(heads), exists(works))).get_result(c).await)?)
}

/// Removes an employee.
pub(crate) async fn delete(conn: &mut Conn, id: EmployeeId) -> Result<(), StoreError> {
    let hit = both!(conn, c => diesel::delete(employees::table.find(id)).execute(c).await)?;
    StoreError::unless_hit(hit)
}

/// The employees of a department belong to none from now on.
pub(crate) async fn leave(conn: &mut Conn, department: DepartmentId) -> Result<(), StoreError> {
    let members = employees::table.filter(employees::department_id.eq(department));
    let change =
        (employees::department_id.eq(None::<DepartmentId>), employees::version.eq(employees::version + 1));
    both!(conn, c => diesel::update(members).set(change).execute(c).await)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::debt_request::AnswerSummary;
    use crate::ids::AnswerId;
    use crate::store::debt_requests as requests;
    use crate::store::samples::{at, employee, request, stored_organization};
    use crate::store::test_db::for_both;

    #[test]
    fn employees_belong_to_their_organization() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
            let mut second = Employee { full_name: "Яковлева Ю. Ю.".to_owned(), ..employee(ours) };
            let first = Employee { full_name: "Андреев А. А.".to_owned(), ..employee(ours) };
            for employee in [&second, &first] {
                insert(&mut tx, employee).await.unwrap();
            }
            assert_eq!(list(&mut tx, ours).await.unwrap(), [first.clone(), second.clone()]);
            assert_eq!(list(&mut tx, theirs).await.unwrap(), []);
            assert_eq!(get(&mut tx, theirs, first.id).await.unwrap(), None);
            assert_eq!(get(&mut tx, ours, first.id).await.unwrap(), Some(first.clone()));
            assert_eq!(find(&mut tx, theirs, &[first.id]).await.unwrap(), []);
            let twice = [second.id, first.id, second.id, EmployeeId::generate()];
            assert_eq!(find(&mut tx, ours, &twice).await.unwrap().len(), 2);
            assert_eq!(count(&mut tx, ours).await.unwrap(), 2);

            (second.active, second.gis_guid, second.department) = (false, None, None);
            (second.version, second.updated_at) = (2, at(5));
            update(&mut tx, &second).await.unwrap();
            assert_eq!(get(&mut tx, ours, second.id).await.unwrap(), Some(second.clone()));
            delete(&mut tx, second.id).await.unwrap();
            assert!(delete(&mut tx, second.id).await.is_err());
            assert_eq!(list(&mut tx, ours).await.unwrap(), [first]);
        });
    }

    #[test]
    fn pages_go_by_the_order_of_adding_and_filters_hold() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let ours = stored_organization(&mut tx).await;
            let department = DepartmentId::generate();
            let mut all = [(); 5].map(|()| employee(ours));
            all[1].active = false;
            all[2].department = Some(department);
            for employee in &all {
                insert(&mut tx, employee).await.unwrap();
            }
            let every = EmployeeFilter::default();
            let ids = |page: Vec<Employee>| page.into_iter().map(|employee| employee.id).collect::<Vec<_>>();
            let first = ids(page(&mut tx, ours, every, None, 2).await.unwrap());
            assert_eq!(first, [all[0].id, all[1].id]);
            let rest = page(&mut tx, ours, every, first.last().copied(), 9).await.unwrap();
            assert_eq!(ids(rest), [all[2].id, all[3].id, all[4].id]);
            let gone = EmployeeFilter { active: Some(false), ..every };
            assert_eq!(ids(page(&mut tx, ours, gone, None, 9).await.unwrap()), [all[1].id]);
            let members = EmployeeFilter { department: Some(department), ..every };
            assert_eq!(ids(page(&mut tx, ours, members, None, 9).await.unwrap()), [all[2].id]);
            leave(&mut tx, department).await.unwrap();
            assert_eq!(page(&mut tx, ours, members, None, 9).await.unwrap(), []);
            assert_eq!(get(&mut tx, ours, all[2].id).await.unwrap().unwrap().version, 2);
        });
    }

    #[test]
    fn whoever_has_something_to_do_is_known() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
            let id = EmployeeId::generate();
            let mut request = request(ours);
            for (responsible, executor, answered, works) in [
                (None, None, false, false),
                (Some(id), None, false, true),
                (None, Some(id), false, true),
                (Some(id), Some(id), true, false),
            ] {
                (request.responsible, request.executor, request.answered) = (responsible, executor, answered);
                requests::save(&mut tx, std::slice::from_ref(&request)).await.unwrap();
                assert_eq!(duties(&mut tx, ours, id).await.unwrap(), (false, works));
                assert_eq!(duties(&mut tx, theirs, id).await.unwrap(), (false, false));
            }
            // The last one is answered, by an answer that GIS may still refuse, or does not lose.
            for (state, works) in
                [(State::Uncertain, true), (State::Delivered, false), (State::Revoking, true)]
            {
                request.answer = Some(AnswerSummary {
                    id: AnswerId::generate(),
                    state,
                    has_debt: false,
                    updated_at: at(0),
                });
                requests::save(&mut tx, std::slice::from_ref(&request)).await.unwrap();
                assert_eq!(duties(&mut tx, ours, id).await.unwrap(), (false, works), "{state}");
            }
        });
    }
}
