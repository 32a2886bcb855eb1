//! Departments of a supplier. Houses lead debt requests to departments, and these to whoever is responsible.

use std::collections::HashSet;

use uuid::Uuid;

use crate::Service;
use crate::access::name_mistake;
use crate::domain::caller::{Caller, Scope};
use crate::domain::department::{Department, Roster};
use crate::domain::employee::Employee;
use crate::error::{Code, Error, Mistake, Result};
use crate::ids::{DepartmentId, EmployeeId, OrganizationId};
use crate::jobs::JobName;
use crate::store::{Conn, Tx, assignments, departments, employees, organizations, registries};

/// Most departments of an organisation.
const MOST: i64 = 1000;
/// Most houses of a department; also in the document.
const MOST_HOUSES: usize = 10_000;

/// A department to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDepartment {
    /// Its name.
    pub name: String,
    /// Who is responsible.
    pub responsible: EmployeeId,
    /// Its houses, by their identifiers in FIAS.
    pub houses: Vec<Uuid>,
}

/// A change of a department; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditDepartment {
    /// Its name.
    pub name: Option<String>,
    /// Who is responsible.
    pub responsible: Option<EmployeeId>,
    /// Its houses, all of them.
    pub houses: Option<Vec<Uuid>>,
}

impl Service {
    /// A page of the departments in the order in which they were made.
    ///
    /// # Errors
    /// The scope `settings:read` is missing.
    pub async fn list_departments(
        &self,
        caller: &Caller,
        after: Option<DepartmentId>,
        limit: i64,
    ) -> Result<Vec<Department>> {
        caller.need(Scope::SettingsRead)?;
        let mut conn = self.db.read().await?;
        Ok(departments::page(&mut conn, caller.organization, after, limit).await?)
    }

    /// One department.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get_department(&self, caller: &Caller, id: DepartmentId) -> Result<Department> {
        caller.need(Scope::SettingsRead)?;
        let mut conn = self.db.read().await?;
        departments::get(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)
    }

    /// A page of the houses of a department.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn list_department_houses(
        &self,
        caller: &Caller,
        id: DepartmentId,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Uuid>> {
        caller.need(Scope::SettingsRead)?;
        let mut conn = self.db.read().await?;
        departments::get(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)?;
        Ok(departments::houses(&mut conn, id, after, limit).await?)
    }

    /// Makes a department. Unanswered debt requests of its houses go to it, unless somebody gave them by hand.
    ///
    /// # Errors
    /// Every mistake by its place.
    pub async fn create_department(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        new: NewDepartment,
    ) -> Result<Department> {
        caller.need(Scope::SettingsWrite)?;
        let (organization, now) = (caller.organization, self.clock.now());
        organizations::hold(tx, organization).await?;
        let NewDepartment { name, responsible, houses } = new;
        let department = Department {
            id: DepartmentId::generate(),
            organization,
            name,
            responsible,
            house_count: count(&houses),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let mut mistakes = mistakes(tx, &department, true, &houses).await?;
        if departments::count(tx, organization).await? >= MOST {
            mistakes
                .push(Mistake::at("", "too_many", format!("не более {MOST} подразделений")).with_max(1000));
        }
        if !mistakes.is_empty() {
            return Err(Error::Invalid(mistakes));
        }
        departments::insert(tx, &department).await?;
        give_houses(tx, &department, &houses).await?;
        assign_anew(tx, organization).await?;
        Ok(department)
    }

    /// Changes a department. Unanswered debt requests are given out anew, unless somebody gave them by hand.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::VersionMismatch`]; every mistake by its place.
    pub async fn edit_department(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: DepartmentId,
        edit: EditDepartment,
        if_match: Option<i64>,
    ) -> Result<Department> {
        caller.need(Scope::SettingsWrite)?;
        let before = take(tx, caller.organization, id, if_match).await?;
        let EditDepartment { name, responsible, houses } = edit;
        let mut department = Department {
            name: name.unwrap_or_else(|| before.name.clone()),
            responsible: responsible.unwrap_or(before.responsible),
            house_count: houses.as_deref().map_or(before.house_count, count),
            ..before.clone()
        };
        if department == before && houses.is_none() {
            return Ok(department);
        }
        let another = department.responsible != before.responsible;
        let mistakes = mistakes(tx, &department, another, houses.as_deref().unwrap_or_default()).await?;
        if !mistakes.is_empty() {
            return Err(Error::Invalid(mistakes));
        }
        (department.version, department.updated_at) = (before.version + 1, self.clock.now());
        departments::update(tx, &department).await?;
        if let Some(houses) = &houses {
            give_houses(tx, &department, houses).await?;
        }
        if another || houses.is_some() {
            assign_anew(tx, caller.organization).await?;
        }
        Ok(department)
    }

    /// Removes a department. Its unanswered debt requests are given out anew, its employees belong to none.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::VersionMismatch`]; [`Code::StateConflict`] when a registry of its own answers.
    pub async fn delete_department(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: DepartmentId,
        if_match: Option<i64>,
    ) -> Result<()> {
        caller.need(Scope::SettingsWrite)?;
        take(tx, caller.organization, id, if_match).await?;
        if registries::active(tx, caller.organization, Some(id)).await?.is_some() {
            let detail = "у подразделения есть действующий реестр задолженностей, удалить его нельзя";
            return Err(Error::conflict(Code::StateConflict, detail, None));
        }
        employees::leave(tx, id).await?;
        departments::delete(tx, id).await?;
        assign_anew(tx, caller.organization).await
    }
}

/// Who gets debt requests about these houses.
pub(crate) async fn roster(conn: &mut Conn, organization: OrganizationId, houses: &[Uuid]) -> Result<Roster> {
    let heads = departments::heads(conn, organization).await?;
    let houses = if heads.is_empty() {
        Vec::new()
    } else {
        departments::of_houses(conn, organization, houses).await?
    };
    let usual = organizations::get(conn, organization).await?.and_then(|it| it.default_executor);
    let usual = match usual {
        Some(id) => employees::get(conn, organization, id).await?,
        None => None,
    };
    Ok(Roster {
        houses: houses.into_iter().collect(),
        departments: heads.into_iter().map(|(id, head, active)| (id, active.then_some(head))).collect(),
        fallback: usual.filter(|employee| employee.active).map(|employee| employee.id),
    })
}

/// A department that the transaction may change: it holds the organisation, so nobody else changes its people meanwhile.
async fn take(
    tx: &mut Tx,
    organization: OrganizationId,
    id: DepartmentId,
    if_match: Option<i64>,
) -> Result<Department> {
    organizations::hold(tx, organization).await?;
    let department = departments::get(tx, organization, id).await?.ok_or(Error::NotFound)?;
    match if_match {
        Some(expected) if expected != department.version => {
            Err(Error::VersionMismatch { current: department.version })
        }
        Some(_) | None => Ok(department),
    }
}

/// What is wrong with a department and its houses; `appointed` when somebody was named responsible just now.
async fn mistakes(
    conn: &mut Conn,
    department: &Department,
    appointed: bool,
    houses: &[Uuid],
) -> Result<Vec<Mistake>> {
    let mut mistakes = Vec::from_iter(name_mistake(&department.name, "/name"));
    if appointed {
        let head = employees::get(conn, department.organization, department.responsible).await?;
        mistakes.extend(head_mistake("/responsible_id", head.as_ref()));
    }
    if houses.len() > MOST_HOUSES {
        mistakes.push(
            Mistake::at("/houses", "too_many", format!("не более {MOST_HOUSES} домов")).with_max(10_000),
        );
    }
    let mut seen = HashSet::new();
    let repeated = houses.iter().enumerate().filter(|(_, house)| !seen.insert(**house));
    mistakes.extend(
        repeated.map(|(at, _)| Mistake::at(format!("/houses/{at}"), "repeated", "дом в списке уже есть")),
    );
    Ok(mistakes)
}

/// Why an employee cannot be given anything to do; `active` is `None` for one who does not exist.
pub(crate) fn employee_mistake(at: &str, active: Option<bool>) -> Option<Mistake> {
    match active {
        Some(true) => None,
        Some(false) => Some(Mistake::at(at, "inactive", "сотрудник больше не работает")),
        None => Some(Mistake::at(at, "not_found", "такого сотрудника нет")),
    }
}

/// A department that a client names and that its organisation does not have, as a mistake at that place.
pub(crate) async fn unknown_department(
    conn: &mut Conn,
    organization: OrganizationId,
    named: Option<DepartmentId>,
    at: &str,
) -> Result<Option<Mistake>> {
    let Some(id) = named else { return Ok(None) };
    let known = departments::get(conn, organization, id).await?.is_some();
    Ok((!known).then(|| Mistake::at(at, "not_found", "такого подразделения нет")))
}

/// Why an employee cannot be responsible for a department: only he sends its answers, so GIS has to know him (F8).
fn head_mistake(at: &str, head: Option<&Employee>) -> Option<Mistake> {
    let nameless = head.is_some_and(|head| head.gis_guid.is_none());
    let detail = "у ответственного нет идентификатора ГИС ЖКХ, без него он не сможет отправлять ответы";
    let mistake = || Mistake::at(at, Code::ExecutorWithoutGisId.as_str(), detail);
    employee_mistake(at, head.map(|head| head.active)).or_else(|| nameless.then(mistake))
}

/// Gives a department its houses; those of another one are mistakes.
async fn give_houses(tx: &mut Tx, department: &Department, houses: &[Uuid]) -> Result<()> {
    let given = departments::replace_houses(tx, department, houses).await?;
    if given == houses.len() {
        return Ok(());
    }
    let owners = departments::of_houses(tx, department.organization, houses).await?;
    let taken: HashSet<_> =
        owners.into_iter().filter(|(_, owner)| *owner != department.id).map(|(house, _)| house).collect();
    let mistake = |(at, house): (usize, &Uuid)| {
        let detail = format!("дом {house} относится к другому подразделению");
        taken.contains(house).then(|| Mistake::at(format!("/houses/{at}"), "house_taken", detail))
    };
    Err(Error::Invalid(houses.iter().enumerate().filter_map(mistake).collect()))
}

async fn assign_anew(tx: &mut Tx, organization: OrganizationId) -> Result<()> {
    assignments::begin(tx, organization).await?;
    tx.wake(JobName::Assignment);
    Ok(())
}

fn count(houses: &[Uuid]) -> i64 {
    i64::try_from(houses.len()).unwrap_or(i64::MAX)
}
