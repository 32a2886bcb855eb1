//! Employees: kept by clients with the scope for settings; `org add --executor` makes the first ones.

use uuid::Uuid;

use crate::Service;
use crate::access::name_mistake;
use crate::audit::{NewAuditEntry, record};
use crate::domain::audit::Actor;
use crate::domain::caller::{Caller, Scope};
use crate::domain::employee::Employee;
use crate::error::{Code, Error, Mistake, Result};
use crate::ids::{DepartmentId, EmployeeId, OrganizationId};
use crate::jobs::JobName;
use crate::store::employees::EmployeeFilter;
use crate::store::{Conn, Tx, assignments, departments, employees, organizations, tokens};

/// Most employees of an organisation.
const MOST: i64 = 10_000;
/// Whoever stands in sends what nobody else does.
pub(crate) const CANNOT_STAND_IN: &str =
    "исполнитель по умолчанию — работающий сотрудник с идентификатором ГИС ЖКХ";

/// An employee to be added.
#[derive(Clone, PartialEq, Eq)]
pub struct NewEmployee {
    /// Full name (ФИО).
    pub full_name: String,
    /// executorGUID.
    pub gis_guid: Option<Uuid>,
    /// The department.
    pub department: Option<DepartmentId>,
}

/// A change of an employee: what is `None` stays as it is; of what may be absent, the inner `None` empties it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EditEmployee {
    /// Full name (ФИО).
    pub full_name: Option<String>,
    /// executorGUID.
    pub gis_guid: Option<Option<Uuid>>,
    /// The department.
    pub department: Option<Option<DepartmentId>>,
    /// Whether this person works here still.
    pub active: Option<bool>,
}

crate::domain::hidden::hide!(NewEmployee, EditEmployee);

impl Service {
    /// A page of the employees in the order in which they were added.
    ///
    /// # Errors
    /// The scope `settings:read` is missing.
    pub async fn list_employees(
        &self,
        caller: &Caller,
        filter: EmployeeFilter,
        after: Option<EmployeeId>,
        limit: i64,
    ) -> Result<Vec<Employee>> {
        caller.need(Scope::SettingsRead)?;
        let mut conn = self.db.scan().await?;
        Ok(employees::page(&mut conn, caller.organization, filter, after, limit).await?)
    }

    /// One employee.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get_employee(&self, caller: &Caller, id: EmployeeId) -> Result<Employee> {
        caller.need(Scope::SettingsRead)?;
        let mut conn = self.db.read().await?;
        employees::get(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)
    }

    /// Adds an employee.
    ///
    /// # Errors
    /// Every mistake by its place.
    pub async fn create_employee(&self, tx: &mut Tx, caller: &Caller, new: NewEmployee) -> Result<Employee> {
        caller.need(Scope::SettingsWrite)?;
        let organization = caller.organization;
        organizations::hold(tx, organization).await?;
        let NewEmployee { full_name, gis_guid, department } = new;
        let mut employee = Employee::new(organization, full_name, gis_guid, self.clock.now());
        employee.department = department;
        let mut mistakes = mistakes(tx, &employee).await?;
        if employees::count(tx, organization).await? >= MOST {
            mistakes
                .push(Mistake::at("", "too_many", format!("не более {MOST} сотрудников")).with_max(10_000));
        }
        if !mistakes.is_empty() {
            return Err(Error::Invalid(mistakes));
        }
        employees::insert(tx, &employee).await?;
        Ok(employee)
    }

    /// Changes an employee. Whoever does not work here any more has no tokens, and his department's debt requests go to
    /// whoever stands in.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::VersionMismatch`]; mistakes by their places; [`Code::EmployeeInUse`] when the
    /// organisation would be left without anybody who stands in, or a department with a head whom GIS does not know.
    pub async fn edit_employee(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: EmployeeId,
        edit: EditEmployee,
        if_match: Option<i64>,
    ) -> Result<Employee> {
        caller.need(Scope::SettingsWrite)?;
        let before = take(tx, caller.organization, id, if_match).await?;
        let mut employee = edit.over(before.clone());
        if employee == before {
            return Ok(employee);
        }
        let mistakes = mistakes(tx, &employee).await?;
        if !mistakes.is_empty() {
            return Err(Error::Invalid(mistakes));
        }
        if !employee.can_submit() {
            guard_fallback(tx, &employee).await?;
            guard_head(tx, &before, &employee).await?;
        }
        let now = self.clock.now();
        (employee.version, employee.updated_at) = (before.version + 1, now);
        employees::update(tx, &employee).await?;
        if before.active && !employee.active {
            tokens::revoke_of(tx, id, now).await?;
        }
        if before.active != employee.active {
            assignments::begin(tx, caller.organization).await?;
            tx.wake(JobName::Assignment);
        }
        Ok(employee)
    }

    /// Removes an employee who has nothing to do.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::VersionMismatch`]; [`Code::EmployeeInUse`].
    pub async fn delete_employee(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: EmployeeId,
        if_match: Option<i64>,
    ) -> Result<()> {
        caller.need(Scope::SettingsWrite)?;
        let employee = take(tx, caller.organization, id, if_match).await?;
        guard_fallback(tx, &employee).await?;
        let (heads, works) = employees::duties(tx, caller.organization, id).await?;
        if heads {
            return Err(in_use("сотрудник отвечает за подразделение; назначьте другого ответственного"));
        }
        if works {
            let detail =
                "за сотрудником есть запросы без ответа; передайте их другим или снимите признак active";
            return Err(in_use(detail));
        }
        tokens::revoke_of(tx, id, self.clock.now()).await?;
        Ok(employees::delete(tx, id).await?)
    }

    /// Names whoever stands in where nobody else is responsible, for the operator at the command line.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Code::ExecutorWithoutGisId`].
    pub async fn set_default_executor(&self, organization: OrganizationId, id: EmployeeId) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let employee = take(&mut tx, organization, id, None).await?;
        if !employee.can_submit() {
            return Err(Error::refused(Code::ExecutorWithoutGisId, CANNOT_STAND_IN));
        }
        organizations::set_default_executor(&mut tx, organization, id).await?;
        assignments::begin(&mut tx, organization).await?;
        let target = format!("organizations/{organization}");
        let entry = NewAuditEntry::new(organization, Actor::Cli, "set_default_executor", target);
        record(&mut tx, entry, self.clock.now()).await?;
        tx.wake(JobName::Assignment);
        tx.commit().await?;
        Ok(())
    }
}

impl EditEmployee {
    fn over(self, old: Employee) -> Employee {
        Employee {
            full_name: self.full_name.unwrap_or(old.full_name),
            gis_guid: self.gis_guid.unwrap_or(old.gis_guid),
            department: self.department.unwrap_or(old.department),
            active: self.active.unwrap_or(old.active),
            ..old
        }
    }
}

/// An employee that the transaction may change: it holds the organisation, so nobody else changes its people meanwhile.
async fn take(
    tx: &mut Tx,
    organization: OrganizationId,
    id: EmployeeId,
    if_match: Option<i64>,
) -> Result<Employee> {
    if organizations::get(tx, organization).await?.is_none() {
        return Err(Error::NotFound);
    }
    organizations::hold(tx, organization).await?;
    let employee = employees::get(tx, organization, id).await?.ok_or(Error::NotFound)?;
    match if_match {
        Some(expected) if expected != employee.version => {
            Err(Error::VersionMismatch { current: employee.version })
        }
        Some(_) | None => Ok(employee),
    }
}

async fn mistakes(conn: &mut Conn, employee: &Employee) -> Result<Vec<Mistake>> {
    let mut mistakes = Vec::from_iter(name_mistake(&employee.full_name, "/name"));
    if let Some(department) = employee.department
        && departments::get(conn, employee.organization, department).await?.is_none()
    {
        mistakes.push(Mistake::at("/department_id", "not_found", "такого подразделения нет"));
    }
    Ok(mistakes)
}

/// Refuses what would leave the organisation without anybody who stands in: GIS wants a name under every answer.
async fn guard_fallback(conn: &mut Conn, employee: &Employee) -> Result<()> {
    let organization = organizations::get(conn, employee.organization).await?.ok_or(Error::NotFound)?;
    if organization.default_executor != Some(employee.id) {
        return Ok(());
    }
    Err(in_use(
        "сотрудник — исполнитель организации по умолчанию; сначала назначьте другого: PATCH /v1/organizations/{id} \
         или debtgate org executor",
    ))
}

/// Refuses what would leave a department with a head in whose name GIS takes no answer: nobody but him could send it (F8). For
/// one who does not work here any more somebody stands in.
async fn guard_head(conn: &mut Conn, before: &Employee, after: &Employee) -> Result<()> {
    let anew = before.can_submit() || !before.active;
    if !after.active || !anew {
        return Ok(());
    }
    let (heads, _) = employees::duties(conn, after.organization, after.id).await?;
    if !heads {
        return Ok(());
    }
    Err(in_use(
        "сотрудник отвечает за подразделение, без идентификатора ГИС ЖКХ он не сможет отправлять ответы; назначьте \
         другого ответственного",
    ))
}

fn in_use(detail: &str) -> Error {
    Error::conflict(Code::EmployeeInUse, detail, None)
}
