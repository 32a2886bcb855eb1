//! Departments of a supplier (подразделения), and who gets which debt request: each house belongs to one department at most.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::debt_request::{Address, DebtRequest};
use crate::ids::{DepartmentId, EmployeeId, OrganizationId};

/// A department of a supplier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Department {
    /// Its identifier.
    pub id: DepartmentId,
    /// The supplier.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// Who is responsible for its debt requests.
    pub responsible: EmployeeId,
    /// How many houses it has.
    pub house_count: i64,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Who gets which debt request of a supplier: as much of it as some debt requests need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    /// The departments of these houses, by their identifiers in FIAS.
    pub houses: HashMap<Uuid, DepartmentId>,
    /// Every department, with whoever is responsible for it, if he works here still.
    pub departments: HashMap<DepartmentId, Option<EmployeeId>>,
    /// Who stands in where there is no department, or nobody is responsible for it.
    pub fallback: Option<EmployeeId>,
}

/// Where a debt request belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Post {
    /// The department.
    pub department: Option<DepartmentId>,
    /// Who is responsible.
    pub responsible: Option<EmployeeId>,
}

impl Roster {
    /// Where a debt request about an address belongs. GIS names a house by its identifier in FIAS, or gives that for its own.
    #[must_use]
    pub fn of(&self, address: &Address) -> Post {
        self.post(address.houses().find_map(|house| self.houses.get(&house).copied()))
    }

    /// Where debt requests of a department belong.
    #[must_use]
    pub fn post(&self, department: Option<DepartmentId>) -> Post {
        let responsible = department.and_then(|id| self.departments.get(&id).copied().flatten());
        Post { department, responsible: responsible.or(self.fallback) }
    }

    /// Gives a debt request to whom it belongs; `false` when he has it already. What somebody gave by hand stays in its
    /// department as long as that exists.
    pub fn assign(&self, request: &mut DebtRequest) -> bool {
        let exists = request.department.is_none_or(|id| self.departments.contains_key(&id));
        if request.assigned_by_hand && exists {
            return self.hand_over(request);
        }
        let post = self.of(&request.gis.address);
        if !request.assigned_by_hand && post == Post::of(request) {
            return false;
        }
        request.assigned_by_hand = false;
        post.give(request);
        true
    }

    /// Who is responsible follows the department also where the work was given by hand: nobody else could send the answer,
    /// or give the work to another. Whoever works on it goes on, unless it was the one who was responsible.
    fn hand_over(&self, request: &mut DebtRequest) -> bool {
        let Post { responsible, .. } = self.post(request.department);
        if responsible == request.responsible {
            return false;
        }
        if request.executor == request.responsible {
            request.executor = responsible;
        }
        request.responsible = responsible;
        true
    }
}

impl Post {
    /// Where a debt request is.
    #[must_use]
    pub const fn of(request: &DebtRequest) -> Self {
        Self { department: request.department, responsible: request.responsible }
    }

    /// Gives a debt request here: whoever is responsible works on it until he delegates it.
    pub const fn give(self, request: &mut DebtRequest) {
        request.department = self.department;
        request.responsible = self.responsible;
        request.executor = self.responsible;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples;

    const ONE: Uuid = Uuid::from_u128(1);
    const TWO: Uuid = Uuid::from_u128(2);

    struct Story {
        roster: Roster,
        north: DepartmentId,
        head: EmployeeId,
        fallback: EmployeeId,
    }

    fn story() -> Story {
        let (north, south) = (DepartmentId::generate(), DepartmentId::generate());
        let (head, fallback) = (EmployeeId::generate(), EmployeeId::generate());
        let roster = Roster {
            houses: [(ONE, north), (TWO, south)].into(),
            // Nobody is responsible for the south any more.
            departments: [(north, Some(head)), (south, None)].into(),
            fallback: Some(fallback),
        };
        Story { roster, north, head, fallback }
    }

    fn address(fias: Option<Uuid>, gis: Option<Uuid>) -> Address {
        Address { fias_house_id: fias, gis_house_id: gis, ..Address::default() }
    }

    #[test]
    fn a_house_leads_to_its_department_and_everything_else_to_the_fallback() {
        let Story { roster, north, head, fallback } = story();
        let unknown = Uuid::from_u128(9);
        for (fias, gis, department, responsible) in [
            (Some(ONE), None, Some(north), head),
            (Some(unknown), Some(ONE), Some(north), head),
            (Some(ONE), Some(TWO), Some(north), head),
            (None, Some(ONE), Some(north), head),
            (Some(TWO), None, roster.houses.get(&TWO).copied(), fallback),
            (Some(unknown), None, None, fallback),
            (None, None, None, fallback),
        ] {
            let post = roster.of(&address(fias, gis));
            assert_eq!(post, Post { department, responsible: Some(responsible) }, "{fias:?} {gis:?}");
        }
        assert_eq!(
            Roster::default().of(&address(Some(ONE), None)),
            Post { department: None, responsible: None }
        );
    }

    #[test]
    fn what_was_given_by_hand_stays_as_long_as_its_department() {
        let Story { roster, north, head, fallback } = story();
        let mut request = samples::request(OrganizationId::generate());
        request.gis.address = address(Some(ONE), None);
        assert!(roster.assign(&mut request));
        assert_eq!(
            (request.department, request.responsible, request.executor),
            (Some(north), Some(head), Some(head))
        );
        assert!(!roster.assign(&mut request), "he has it already");

        let by_hand = |department, responsible| DebtRequest {
            department,
            responsible: Some(responsible),
            executor: Some(EmployeeId::generate()),
            assigned_by_hand: true,
            ..request.clone()
        };
        for given in [by_hand(None, fallback), by_hand(Some(north), head)] {
            let mut after = given.clone();
            assert!(!roster.assign(&mut after));
            assert_eq!(after, given);
        }
        let mut orphan = by_hand(Some(DepartmentId::generate()), fallback);
        assert!(roster.assign(&mut orphan));
        assert_eq!((orphan.responsible, orphan.assigned_by_hand), (Some(head), false));
    }

    #[test]
    fn what_was_given_by_hand_follows_whoever_is_responsible_now() {
        let Story { roster, north, head, fallback } = story();
        let (former, worker) = (EmployeeId::generate(), EmployeeId::generate());
        let given = DebtRequest {
            responsible: Some(former),
            assigned_by_hand: true,
            ..samples::request(OrganizationId::generate())
        };
        for (department, executor, expected) in [
            (Some(north), Some(worker), (Some(head), Some(worker))),
            (Some(north), Some(former), (Some(head), Some(head))),
            (Some(north), None, (Some(head), None)),
            (roster.houses.get(&TWO).copied(), Some(former), (Some(fallback), Some(fallback))),
            (None, Some(worker), (Some(fallback), Some(worker))),
        ] {
            let mut request = DebtRequest { department, executor, ..given.clone() };
            assert!(roster.assign(&mut request));
            assert_eq!((request.responsible, request.executor), expected);
            assert_eq!((request.department, request.assigned_by_hand), (department, true));
            assert!(!roster.assign(&mut request), "it comes to rest");
        }
    }
}
