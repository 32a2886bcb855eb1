//! Who is named to GIS: the employee whom the client names, else the one who submits, else whoever is responsible for the
//! request or works on it, else the organisation's default (`api.md` §4.4, §17).

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

/// The employee to name; whoever is named on purpose is not passed over.
pub(super) async fn choose(
    conn: &mut Conn,
    office: &mut Office,
    request: &DebtRequest,
    caller: &Caller,
    named: Option<EmployeeId>,
) -> Result<EmployeeId> {
    let candidates = match named {
        Some(_) => vec![named],
        None => {
            vec![caller.employee, request.responsible, request.executor, office.organization.default_executor]
        }
    };
    for id in candidates.into_iter().flatten() {
        let employee = office.employee(conn, id).await?;
        if employee.is_some_and(|employee| employee.gis_guid.is_some()) {
            return Ok(id);
        }
    }
    let detail = "у исполнителя нет идентификатора сотрудника в ГИС ЖКХ; укажите его в настройках или назовите \
                  другого исполнителя";
    Err(Error::refused(Code::ExecutorWithoutGisId, detail))
}
