//! Who is named to GIS: an employee who submits, himself; a client that is no employee names whom it likes, else it is
//! whoever is responsible for the request, else the organisation's default (`api.md` §4.4, §17). And who may have anything
//! sent there at all.

use super::office::Office;
use crate::domain::caller::Caller;
use crate::domain::debt_request::DebtRequest;
use crate::error::{Code, Error, Mistake, Result};
use crate::ids::EmployeeId;
use crate::store::Conn;

/// The mistake of naming somebody who is not employed here.
pub(super) async fn check(
    conn: &mut Conn,
    office: &mut Office,
    named: Option<EmployeeId>,
) -> Result<Option<Mistake>> {
    let Some(id) = named else { return Ok(None) };
    let known = office.employee(conn, id).await?.is_some();
    Ok((!known).then(|| Mistake::at("/executor_id", "not_found", "такого сотрудника нет в организации")))
}

/// Refuses to submit in somebody else's name: whoever submits is the one who answers (F8). A command that says so is
/// refused and not silently changed; a draft may hold the name of whoever has prepared it, and is submitted in one's own.
pub(super) fn guard_name(caller: &Caller, named: Option<EmployeeId>) -> Result<()> {
    if caller.employee.is_none() || named.is_none() || named == caller.employee {
        return Ok(());
    }
    let detail = "сотрудник отправляет ответ только от своего имени; не указывайте другого исполнителя";
    Err(Error::refused(Code::EmployeeCannotSubmit, detail))
}

/// The employee to name; whoever is named on purpose is not passed over.
pub(super) async fn choose(
    conn: &mut Conn,
    office: &mut Office,
    request: &DebtRequest,
    named: Option<EmployeeId>,
) -> Result<EmployeeId> {
    let candidates = match named {
        Some(_) => vec![named],
        None => vec![request.responsible, office.organization.default_executor],
    };
    for id in candidates.into_iter().flatten() {
        let employee = office.employee(conn, id).await?;
        if employee.is_some_and(|employee| employee.can_submit()) {
            return Ok(id);
        }
    }
    let detail = "у исполнителя нет идентификатора сотрудника в ГИС ЖКХ, или он больше не работает; укажите \
                  идентификатор или назовите другого исполнителя";
    Err(Error::refused(Code::ExecutorWithoutGisId, detail))
}

/// An employee has something sent to GIS, or taken back, only when he is responsible for the request and GIS knows him (F8).
/// A client that is no employee acts for the organisation.
pub(super) async fn guard(
    conn: &mut Conn,
    office: &mut Office,
    request: &DebtRequest,
    caller: &Caller,
) -> Result<()> {
    let Some(id) = caller.employee else { return Ok(()) };
    let refuse = |detail: &str| Err(Error::refused(Code::EmployeeCannotSubmit, detail));
    if request.responsible != Some(id) {
        return refuse(
            "отправляет в ГИС ЖКХ и отменяет отправленное только ответственный за запрос сотрудник",
        );
    }
    if !office.employee(conn, id).await?.is_some_and(|employee| employee.can_submit()) {
        return refuse("у сотрудника нет идентификатора ГИС ЖКХ, без него отправка невозможна");
    }
    Ok(())
}
