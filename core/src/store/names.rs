//! What departments and employees are called. Whoever sees their identifiers beside a debt request reads their names there,
//! without the right to read the settings.

use std::collections::{BTreeSet, HashMap};

use diesel::{ExpressionMethods, QueryDsl};

use super::db::load_where;
use super::schema::{departments, employees};
use super::{Conn, StoreError};
use crate::domain::hidden::hide;
use crate::ids::{DepartmentId, EmployeeId, OrganizationId};

/// The names of some departments and employees of one organisation.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Names {
    departments: HashMap<DepartmentId, String>,
    employees: HashMap<EmployeeId, String>,
}

hide!(Names);

impl Names {
    /// Reads names: one question a table, and none about a table of which nothing is asked.
    pub(crate) async fn of(
        conn: &mut Conn,
        organization: OrganizationId,
        departments: BTreeSet<DepartmentId>,
        employees: BTreeSet<EmployeeId>,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            departments: of_departments(conn, organization, departments).await?,
            employees: of_employees(conn, organization, employees).await?,
        })
    }

    /// The name of a department; none where there is no department, or it was removed.
    pub(crate) fn department(&self, id: Option<DepartmentId>) -> Option<String> {
        self.departments.get(&id?).cloned()
    }

    /// The name of an employee; none where there is no employee, or it was removed.
    pub(crate) fn employee(&self, id: Option<EmployeeId>) -> Option<String> {
        self.employees.get(&id?).cloned()
    }
}

async fn of_departments(
    conn: &mut Conn,
    organization: OrganizationId,
    ids: BTreeSet<DepartmentId>,
) -> Result<HashMap<DepartmentId, String>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = Vec::from_iter(ids);
    let rows: Vec<(DepartmentId, String)> =
        load_where!(conn, departments::id, &ids, |named| departments::table
            .filter(named)
            .filter(departments::organization_id.eq(organization))
            .select((departments::id, departments::name)))?;
    Ok(rows.into_iter().collect())
}

async fn of_employees(
    conn: &mut Conn,
    organization: OrganizationId,
    ids: BTreeSet<EmployeeId>,
) -> Result<HashMap<EmployeeId, String>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = Vec::from_iter(ids);
    let rows: Vec<(EmployeeId, String)> = load_where!(conn, employees::id, &ids, |named| employees::table
        .filter(named)
        .filter(employees::organization_id.eq(organization))
        .select((employees::id, employees::full_name)))?;
    Ok(rows.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples::{department, employee, stored_organization};
    use crate::store::test_db::for_both;
    use crate::store::{departments as offices, employees as people};

    #[test]
    fn names_are_those_of_the_own_organisation() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
            let head = employee(ours);
            let north = department(ours, head.id);
            people::insert(&mut tx, &head).await.unwrap();
            offices::insert(&mut tx, &north).await.unwrap();
            let gone = EmployeeId::generate();
            let asked = || (BTreeSet::from([north.id]), BTreeSet::from([head.id, gone]));

            let (departments, employees) = asked();
            let names = Names::of(&mut tx, ours, departments, employees).await.unwrap();
            assert_eq!(names.department(Some(north.id)).as_deref(), Some("Северный участок"));
            assert_eq!(names.employee(Some(head.id)).as_deref(), Some("Тестова Т. Т."));
            assert_eq!((names.employee(Some(gone)), names.employee(None)), (None, None));
            assert_eq!(
                (names.department(Some(DepartmentId::generate())), names.department(None)),
                (None, None)
            );
            assert_eq!(format!("{names:?}"), "Names(***)");

            let (departments, employees) = asked();
            let foreign = Names::of(&mut tx, theirs, departments, employees).await.unwrap();
            assert_eq!(foreign, Names::default());
        });
    }
}
