//! Houses of departments.

use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::rows::HouseRow;
use crate::domain::department::Department;
use crate::ids::{DepartmentId, OrganizationId};
use crate::store::db::{both, insert_batch, load_where};
use crate::store::schema::department_houses;
use crate::store::types::Guid;
use crate::store::{Conn, StoreError};

/// Gives a department these houses and takes all others from it; how many it has now. Those that belong to another department
/// stay there.
pub(crate) async fn replace_houses(
    conn: &mut Conn,
    department: &Department,
    houses: &[Uuid],
) -> Result<usize, StoreError> {
    let old = department_houses::table.filter(department_houses::department_id.eq(department.id));
    both!(conn, c => diesel::delete(old).execute(c).await)?;
    let row = |house: &Uuid| HouseRow {
        organization_id: department.organization,
        fias_house_id: Guid(*house),
        department_id: department.id,
    };
    Ok(insert_batch!(conn, houses.iter().map(row).collect(), |batch| {
        diesel::insert_into(department_houses::table).values(batch).on_conflict_do_nothing()
    })?)
}

/// The houses of a department in the order of their identifiers, after one of them.
pub(crate) async fn houses(
    conn: &mut Conn,
    id: DepartmentId,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Uuid>, StoreError> {
    let houses: Vec<Guid> = both!(conn, c => {
        let mut query = department_houses::table
            .filter(department_houses::department_id.eq(id))
            .order(department_houses::fias_house_id)
            .limit(limit)
            .select(department_houses::fias_house_id)
            .into_boxed();
        if let Some(last) = after {
            query = query.filter(department_houses::fias_house_id.gt(Guid(last)));
        }
        query.load(c).await
    })?;
    Ok(houses.into_iter().map(|house| house.0).collect())
}

/// Which of these houses belong to which department.
pub(crate) async fn of_houses(
    conn: &mut Conn,
    organization: OrganizationId,
    houses: &[Uuid],
) -> Result<Vec<(Uuid, DepartmentId)>, StoreError> {
    let houses: Vec<_> = houses.iter().copied().map(Guid).collect();
    let found: Vec<HouseRow> =
        load_where!(conn, department_houses::fias_house_id, &houses, |named| department_houses::table
            .filter(department_houses::organization_id.eq(organization))
            .filter(named)
            .select(HouseRow::as_select()))?;
    Ok(found.into_iter().map(|row| (row.fias_house_id.0, row.department_id)).collect())
}
