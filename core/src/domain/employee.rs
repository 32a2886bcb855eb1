//! People who answer for a supplier (сотрудники).

use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::ids::{DepartmentId, EmployeeId, OrganizationId};

/// An employee of a supplier.
#[derive(Clone, PartialEq, Eq)]
pub struct Employee {
    /// Its identifier.
    pub id: EmployeeId,
    /// The employer.
    pub organization: OrganizationId,
    /// Full name (ФИО).
    pub full_name: String,
    /// executorGUID in the personal cabinet of GIS; without it nothing can be submitted in this name.
    pub gis_guid: Option<Uuid>,
    /// The department.
    pub department: Option<DepartmentId>,
    /// Whether this person works here still: nobody else is given anything to do.
    pub active: bool,
    /// Grows with every change.
    pub version: i64,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Employee {
    /// A new employee.
    #[must_use]
    pub fn new(
        organization: OrganizationId,
        full_name: String,
        gis_guid: Option<Uuid>,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id: EmployeeId::generate(),
            organization,
            full_name,
            gis_guid,
            department: None,
            active: true,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether GIS accepts answers in this name.
    #[must_use]
    pub const fn can_submit(&self) -> bool {
        self.active && self.gis_guid.is_some()
    }
}

impl fmt::Debug for Employee {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Employee").field("id", &self.id).finish_non_exhaustive()
    }
}
