//! Who works on a debt request (`api.md` §4.5), and the remark of the supplier's own people.

use std::fmt;

use gis_client::text::{Comment, TextError};
use serde_json::json;

use super::DebtRequestDetails;
use crate::Service;
use crate::case::Case;
use crate::domain::caller::{Caller, Scope};
use crate::domain::debt_request::DebtRequest;
use crate::domain::event::EventKind;
use crate::error::{Code, Error, Mistake, Result};
use crate::ids::{DebtRequestId, DepartmentId, EmployeeId, OrganizationId};
use crate::store::{Conn, Tx, organizations};

/// Who shall work on a debt request. The outer `None` leaves a field as it is, the inner one empties it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AssignDebtRequest {
    /// The department.
    pub department: Option<Option<DepartmentId>>,
    /// The employee.
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
    /// Gives a debt request to an employee, or changes its note. What changes nothing leaves version and history alone.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::VersionMismatch`], mistakes by name.
    pub async fn assign_debt_request(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: DebtRequestId,
        command: AssignDebtRequest,
        if_match: Option<i64>,
    ) -> Result<DebtRequestDetails> {
        caller.need(Scope::AnswersWrite)?;
        let now = self.clock.now();
        let mut case = Case::open(tx, caller.organization, id, now).await?.ok_or(Error::NotFound)?;
        let current = case.request.version;
        if if_match.is_some_and(|version| version != current) {
            return Err(Error::VersionMismatch { current });
        }
        let mistakes = mistakes(tx, caller.organization, &command).await?;
        if !mistakes.is_empty() {
            return Err(Error::Invalid(mistakes));
        }
        let today = self.today(tx, caller.organization).await?;
        let before = case.request.clone();
        command.write_to(&mut case.request);
        if case.request == before {
            return Ok(DebtRequestDetails::new(before, today));
        }
        let data = json!({
            "department_id": case.request.department,
            "executor_id": case.request.executor,
            "note_changed": case.request.note != before.note,
        });
        case.tell_with(EventKind::RequestAssigned, None, data);
        Ok(DebtRequestDetails::new(case.close(tx).await?, today))
    }
}

impl AssignDebtRequest {
    fn write_to(self, request: &mut DebtRequest) {
        if let Some(department) = self.department {
            request.department = department;
        }
        if let Some(executor) = self.executor {
            request.executor = executor;
        }
        if let Some(note) = self.note {
            request.note = note.filter(|text| !text.is_empty());
        }
    }
}

async fn mistakes(
    conn: &mut Conn,
    organization: OrganizationId,
    command: &AssignDebtRequest,
) -> Result<Vec<Mistake>> {
    let mut mistakes = Vec::new();
    // Nobody can make departments yet.
    if command.department.flatten().is_some() {
        mistakes.push(Mistake::at("/department_id", "not_found", "такого подразделения нет"));
    }
    if let Some(Some(executor)) = command.executor
        && organizations::employee(conn, organization, executor).await?.is_none()
    {
        mistakes.push(Mistake::at("/executor_id", "not_found", "такого сотрудника нет"));
    }
    mistakes.extend(command.note.as_ref().and_then(|note| note_mistake(note.as_deref()?)));
    Ok(mistakes)
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
