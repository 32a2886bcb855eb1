//! Who works with the debt requests of the demo.

use anyhow::Result;
use debt_core::departments::NewDepartment;
use debt_core::employees::NewEmployee;
use debt_core::ids::{DebtRequestId, DepartmentId, EmployeeId};
use uuid::Uuid;

use super::{Furnisher, finish};
use crate::examples;

impl Furnisher<'_> {
    /// Three employees and two departments, the first with houses that GIS asks about.
    pub(super) async fn people(&self, requests: &[DebtRequestId]) -> Result<[(&'static str, String); 4]> {
        let north = self.employee("Вымышленная Ольга Петровна", true).await?;
        let south = self.employee("Придуманный Игорь Львович", true).await?;
        let newcomer = self.employee("Небылицына Вера Павловна", false).await?;
        let mut houses = Vec::new();
        // Data that were kept have departments already, which have their houses.
        if self.service.list_departments(self.caller, None, 1).await?.is_empty() {
            for request in requests.iter().take(5) {
                let details = self.service.get_debt_request(self.caller, *request).await?;
                houses.extend(details.request.gis.address.fias_house_id);
            }
            houses.sort_unstable();
            houses.dedup();
        }
        Ok([
            (examples::EMPLOYEE, north.to_string()),
            (examples::EMPLOYEE_TO_DELETE, newcomer.to_string()),
            (examples::DEPARTMENT, self.department("Северный участок", north, houses).await?.to_string()),
            (
                examples::DEPARTMENT_TO_DELETE,
                self.department("Южный участок", south, Vec::new()).await?.to_string(),
            ),
        ])
    }

    async fn employee(&self, name: &str, known_in_gis: bool) -> Result<EmployeeId> {
        let gis_guid = known_in_gis.then(Uuid::new_v4);
        let new = NewEmployee { full_name: name.to_owned(), gis_guid, department: None };
        let mut tx = self.begin().await?;
        let employee = self.service.create_employee(&mut tx, self.caller, new).await?;
        finish(tx).await?;
        Ok(employee.id)
    }

    async fn department(
        &self,
        name: &str,
        responsible: EmployeeId,
        houses: Vec<Uuid>,
    ) -> Result<DepartmentId> {
        let new = NewDepartment { name: name.to_owned(), responsible, houses };
        let mut tx = self.begin().await?;
        let department = self.service.create_department(&mut tx, self.caller, new).await?;
        finish(tx).await?;
        Ok(department.id)
    }
}
