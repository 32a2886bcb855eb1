//! Who works on a debt request (`api.md` §4.5), and the remark of the supplier's own people.

use std::fmt;

use gis_client::text::{Comment, TextError};

use super::DebtRequestDetails;
use super::details::names_of;
use crate::Service;
use crate::audit::Changed;
use crate::case::Case;
use crate::departments::{employee_mistake, roster};
use crate::domain::caller::{Caller, Scope};
use crate::domain::debt_request::DebtRequest;
use crate::domain::department::Roster;
use crate::domain::event::EventKind;
use crate::error::{Code, Error, Mistake, Result};
use crate::ids::{DebtRequestId, DepartmentId, EmployeeId};
use crate::store::{Conn, Tx, employees};

/// Who shall work on a debt request. The outer `None` leaves a field as it is, the inner one empties it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AssignDebtRequest {
    /// The department: whoever is responsible for it is now responsible for the debt request, and works on it.
    pub department: Option<Option<DepartmentId>>,
    /// The employee who works on it.
    pub executor: Option<Option<EmployeeId>>,
    /// A remark of the supplier's own people, up to 1000 characters; an empty one is none.
    pub note: Option<Option<String>>,
}

impl fmt::Debug for AssignDebtRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AssignDebtRequest")
            .field("department", &self.department)
            .field("executor", &self.executor)
            .finish_non_exhaustive()
    }
}

impl Service {
    /// Gives a debt request to a department or an employee, or changes its note. What changes nothing leaves version and
    /// history alone. What was given so is not given out anew when departments change.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::VersionMismatch`], mistakes by name; [`Code::NotResponsible`] for an employee who gives
    /// away what is not his.
    pub async fn assign_debt_request(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: DebtRequestId,
        command: AssignDebtRequest,
        if_match: Option<i64>,
    ) -> Result<Changed<DebtRequestDetails>> {
        caller.need(Scope::AnswersWrite)?;
        let now = self.clock.now();
        let mut case = Case::open(tx, caller.organization, id, now).await?.ok_or(Error::NotFound)?;
        let current = case.request.version;
        if if_match.is_some_and(|version| version != current) {
            return Err(Error::VersionMismatch { current });
        }
        if command.assigns() {
            guard_delegation(caller, &case.request)?;
        }
        let roster = roster(tx, caller.organization, &[]).await?;
        let before = case.request.clone();
        let (department, note) = (command.department_mistake(&roster), command.note_mistake());
        command.write_to(&mut case.request, &roster);
        let executor = executor_mistake(tx, &before, &case.request).await?;
        let mistakes = Vec::from_iter([department, executor, note].into_iter().flatten());
        if !mistakes.is_empty() {
            return Err(Error::Invalid(mistakes));
        }
        let today = self.today(tx, caller.organization).await?;
        if case.request == before {
            let names = names_of(tx, caller.organization, [&before]).await?;
            let same = DebtRequestDetails::new(before, &names, today);
            return Ok(Changed { before: same.clone(), after: same });
        }
        let mut data = case.request.assignment();
        if let Some(fields) = data.as_object_mut() {
            fields.insert("note_changed".to_owned(), (case.request.note != before.note).into());
        }
        case.tell_with(EventKind::RequestAssigned, None, data);
        let after = case.close(tx).await?;
        let names = names_of(tx, caller.organization, [&before, &after]).await?;
        let shown = |request| DebtRequestDetails::new(request, &names, today);
        Ok(Changed { before: shown(before), after: shown(after) })
    }
}

impl AssignDebtRequest {
    /// Whether it is about more than the note.
    const fn assigns(&self) -> bool {
        self.department.is_some() || self.executor.is_some()
    }

    fn write_to(self, request: &mut DebtRequest, roster: &Roster) {
        request.assigned_by_hand |= self.assigns();
        // Naming the department that it has changes nothing: somebody may work on it already.
        if let Some(department) = self.department.filter(|department| *department != request.department) {
            roster.post(department).give(request);
        }
        if let Some(executor) = self.executor {
            request.executor = executor;
        }
        if let Some(note) = self.note {
            request.note = note.filter(|text| !text.is_empty());
        }
    }

    fn department_mistake(&self, roster: &Roster) -> Option<Mistake> {
        let unknown = self.department.flatten().filter(|id| !roster.departments.contains_key(id));
        unknown.map(|_| Mistake::at("/department_id", "not_found", "такого подразделения нет"))
    }

    fn note_mistake(&self) -> Option<Mistake> {
        self.note.as_ref().and_then(|note| note_mistake(note.as_deref()?))
    }
}

/// An employee gives away only what he is responsible for; a client that is no employee, everything.
fn guard_delegation(caller: &Caller, request: &DebtRequest) -> Result<()> {
    if caller.employee.is_none() || caller.employee == request.responsible {
        return Ok(());
    }
    let detail = "передать запрос другому может только ответственный за него сотрудник";
    Err(Error::refused(Code::NotResponsible, detail))
}

/// A new executor works here still, and in the department of whoever is responsible, or in that of the debt request, if there
/// is one of them (F7).
async fn executor_mistake(
    conn: &mut Conn,
    before: &DebtRequest,
    after: &DebtRequest,
) -> Result<Option<Mistake>> {
    let Some(id) =
        after.executor.filter(|id| after.executor != before.executor && Some(*id) != after.responsible)
    else {
        return Ok(None);
    };
    let ids: Vec<_> = [Some(id), after.responsible].into_iter().flatten().collect();
    let people = employees::find(conn, after.organization, &ids).await?;
    let find = |wanted: Option<EmployeeId>| people.iter().find(|person| Some(person.id) == wanted);
    let executor = find(Some(id));
    if let Some(mistake) = employee_mistake("/executor_id", executor.map(|person| person.active)) {
        return Ok(Some(mistake));
    }
    // A head who was put into no department has people in the one that he is responsible for.
    let department = find(after.responsible).and_then(|person| person.department).or(after.department);
    let detail = "исполнитель — только сотрудник подразделения, в котором работает ответственный";
    let elsewhere = department.is_some() && executor.and_then(|person| person.department) != department;
    Ok(elsewhere.then(|| Mistake::at("/executor_id", "other_department", detail)))
}

/// A note has the form of a comment, so that it can be shown and stored wherever a comment can.
fn note_mistake(note: &str) -> Option<Mistake> {
    match Comment::parse(note) {
        Ok(_) | Err(TextError::Empty) => None,
        Err(TextError::TooLong { limit, .. }) => {
            let mistake = Mistake::at("/note", "too_long", format!("не более {limit} знаков"));
            Some(mistake.with_max(1000))
        }
        Err(TextError::Character { .. } | TextError::Form { .. }) => {
            let detail = "управляющие знаки не допускаются";
            Some(Mistake::at("/note", Code::CharacterNotAllowed.as_str(), detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_fits_wherever_a_comment_does() {
        for (note, expected) in [
            ("", None),
            ("строка\nвторая", None),
            (&"я".repeat(1000), None),
            (&"я".repeat(1001), Some("too_long")),
            ("a\0", Some("character_not_allowed")),
        ] {
            assert_eq!(note_mistake(note).map(|mistake| mistake.code), expected);
        }
    }
}
