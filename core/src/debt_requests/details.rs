//! A debt request with what a client sees beside it: the days left and the names of those whose it is.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::domain::debt_request::DebtRequest;
use crate::domain::hidden::hide;
use crate::error::Result;
use crate::ids::OrganizationId;
use crate::store::Conn;
use crate::store::names::Names;

/// A debt request with what a client sees beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebtRequestDetails {
    /// The debt request.
    pub request: DebtRequest,
    /// Days until the last day to answer, in the organisation's time zone: 0 today, negative once it is over.
    pub days_left: Option<i64>,
    /// What those are called whose it is.
    pub names: AssignedNames,
}

/// What those are called whose a debt request is; `None` where it is nobody's, or where somebody was removed since.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AssignedNames {
    /// The department.
    pub department: Option<String>,
    /// The employee who answers for it.
    pub responsible: Option<String>,
    /// The employee who works on it.
    pub executor: Option<String>,
}

hide!(AssignedNames);

impl DebtRequestDetails {
    pub(super) fn new(request: DebtRequest, names: &Names, today: NaiveDate) -> Self {
        let days_left = request.gis.due_on.map(|due| (due - today).num_days());
        let names = AssignedNames {
            department: names.department(request.department),
            responsible: names.employee(request.responsible),
            executor: names.employee(request.executor),
        };
        Self { request, days_left, names }
    }
}

/// The names that some debt requests of an organisation need. Most of them are somebody's, but few people share them out
/// between them, so that each is asked for once.
pub(super) async fn names_of<'a>(
    conn: &mut Conn,
    organization: OrganizationId,
    requests: impl IntoIterator<Item = &'a DebtRequest>,
) -> Result<Names> {
    let (mut departments, mut employees) = (BTreeSet::new(), BTreeSet::new());
    for request in requests {
        departments.extend(request.department);
        employees.extend([request.responsible, request.executor].into_iter().flatten());
    }
    Ok(Names::of(conn, organization, departments, employees).await?)
}
