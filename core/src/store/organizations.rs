//! Suppliers.

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::{
    ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
    select,
};
use diesel_async::RunQueryDsl;

use super::db::{Backend, both, holding};
use super::schema::{
    accounts, assignments, attachments, auto_answer_runs, court_debt_registries, court_debts, debt_requests,
    department_houses, departments, employees, events, exports, imports, match_items, match_rounds,
    match_runs, matches_due, messages, operation_items, operations, organization_settings, organizations,
    sync_runs, webhook_endpoints,
};
use super::types::{Guid, Json, Ts};
use super::{Conn, StoreError};
use crate::domain::organization::{Halt, Organization};
use crate::ids::{EmployeeId, OrganizationId};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = organizations, treat_none_as_default_value = false)]
struct OrganizationRow {
    id: OrganizationId,
    name: String,
    ogrn: String,
    ppa_guid: Guid,
    signer: String,
    time_zone: String,
    default_executor_id: Option<EmployeeId>,
    content_key: Vec<u8>,
    halted: Option<Json>,
    version: i64,
    created_at: Ts,
    updated_at: Ts,
}

impl OrganizationRow {
    fn of(organization: &Organization) -> Result<Self, StoreError> {
        Ok(Self {
            id: organization.id,
            name: organization.name.clone(),
            ogrn: organization.ogrn.as_str().to_owned(),
            ppa_guid: Guid(organization.ppa_guid),
            signer: organization.signer.clone(),
            time_zone: organization.time_zone.name().to_owned(),
            default_executor_id: organization.default_executor,
            content_key: organization.content_key.to_vec(),
            halted: organization.halted.as_ref().map(Json::of).transpose()?,
            version: organization.version,
            created_at: Ts(organization.created_at),
            updated_at: Ts(organization.created_at),
        })
    }
}

impl TryFrom<OrganizationRow> for Organization {
    type Error = StoreError;

    fn try_from(row: OrganizationRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            name: row.name,
            ogrn: row.ogrn.parse().map_err(StoreError::corrupt)?,
            ppa_guid: row.ppa_guid.0,
            signer: row.signer,
            time_zone: row.time_zone.parse().map_err(StoreError::corrupt)?,
            default_executor: row.default_executor_id,
            content_key: row.content_key.as_slice().try_into().map_err(StoreError::corrupt)?,
            halted: row.halted.map(Json::read).transpose()?,
            version: row.version,
            created_at: row.created_at.0,
        })
    }
}

/// Adds an organisation. A second one with the same orgPPAGUID is a [`StoreError::Unique`].
pub(crate) async fn insert(conn: &mut Conn, organization: &Organization) -> Result<(), StoreError> {
    let row = OrganizationRow::of(organization)?;
    both!(conn, c => diesel::insert_into(organizations::table).values(row).execute(c).await)?;
    Ok(())
}

/// One organisation.
pub(crate) async fn get(conn: &mut Conn, id: OrganizationId) -> Result<Option<Organization>, StoreError> {
    let row = both!(conn, c => {
        organizations::table.find(id).select(OrganizationRow::as_select()).first(c).await.optional()
    })?;
    row.map(Organization::try_from).transpose()
}

/// All, by name.
pub(crate) async fn list(conn: &mut Conn) -> Result<Vec<Organization>, StoreError> {
    let rows = both!(conn, c => {
        organizations::table
            .order((organizations::name, organizations::id))
            .select(OrganizationRow::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(Organization::try_from).collect()
}

/// Removes an organisation with its employees and its log; `false` when it does not exist, or still has debt requests or
/// files (whose content in the file store would have no owner; unused ones expire by themselves).
pub(crate) async fn remove(conn: &mut Conn, id: OrganizationId) -> Result<bool, StoreError> {
    if has_something(conn, id).await? {
        return Ok(false);
    }
    let removed = both!(conn, c => async {
        diesel::delete(assignments::table.find(id)).execute(c).await?;
        let endpoints = webhook_endpoints::table.filter(webhook_endpoints::organization_id.eq(id));
        diesel::delete(endpoints).execute(c).await?;
        let houses = department_houses::table.filter(department_houses::organization_id.eq(id));
        diesel::delete(houses).execute(c).await?;
        diesel::delete(departments::table.filter(departments::organization_id.eq(id))).execute(c).await?;
        diesel::delete(employees::table.filter(employees::organization_id.eq(id))).execute(c).await?;
        diesel::delete(events::table.filter(events::organization_id.eq(id))).execute(c).await?;
        diesel::delete(messages::table.filter(messages::organization_id.eq(id))).execute(c).await?;
        diesel::delete(sync_runs::table.filter(sync_runs::organization_id.eq(id))).execute(c).await?;
        let set = organization_settings::table.filter(organization_settings::organization_id.eq(id));
        diesel::delete(set).execute(c).await?;
        diesel::delete(matches_due::table.find(id)).execute(c).await?;
        diesel::delete(match_rounds::table.find(id)).execute(c).await?;
        let automatic = auto_answer_runs::table.filter(auto_answer_runs::organization_id.eq(id));
        diesel::delete(automatic).execute(c).await?;
        let runs = match_runs::table.filter(match_runs::organization_id.eq(id));
        let matched = match_items::table.filter(match_items::run_id.eq_any(runs.select(match_runs::id)));
        diesel::delete(matched).execute(c).await?;
        diesel::delete(runs).execute(c).await?;
        diesel::delete(accounts::table.filter(accounts::organization_id.eq(id))).execute(c).await?;
        diesel::delete(court_debts::table.filter(court_debts::organization_id.eq(id))).execute(c).await?;
        let registries = court_debt_registries::table.filter(court_debt_registries::organization_id.eq(id));
        diesel::delete(registries).execute(c).await?;
        let ended = operations::table.filter(operations::organization_id.eq(id));
        let items = operation_items::table
            .filter(operation_items::operation_id.eq_any(ended.select(operations::id)));
        diesel::delete(items).execute(c).await?;
        diesel::delete(ended).execute(c).await?;
        diesel::delete(organizations::table.find(id)).execute(c).await
    }
    .await)?;
    Ok(removed > 0)
}

async fn has_something(conn: &mut Conn, id: OrganizationId) -> Result<bool, StoreError> {
    let asked = debt_requests::table.filter(debt_requests::organization_id.eq(id));
    let stored = attachments::table.filter(attachments::organization_id.eq(id));
    let written = exports::table.filter(exports::organization_id.eq(id));
    let read = imports::table.filter(imports::organization_id.eq(id));
    let (asked, stored, written, read): (bool, bool, bool, bool) = both!(conn, c => {
        select((exists(asked), exists(stored), exists(written), exists(read))).get_result(c).await
    })?;
    Ok(asked || stored || written || read)
}

/// Names the employee that stands in when nobody else does.
pub(crate) async fn set_default_executor(
    conn: &mut Conn,
    id: OrganizationId,
    employee: EmployeeId,
) -> Result<(), StoreError> {
    let change = (
        organizations::default_executor_id.eq(Some(employee)),
        organizations::version.eq(organizations::version + 1),
    );
    let hit = both!(conn, c => diesel::update(organizations::table.find(id)).set(change).execute(c).await)?;
    StoreError::unless_hit(hit)
}

/// Stores what is changed of an organisation: its name, signer, time zone and whoever stands in.
pub(crate) async fn update(
    conn: &mut Conn,
    organization: &Organization,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let change = (
        organizations::name.eq(organization.name.clone()),
        organizations::signer.eq(organization.signer.clone()),
        organizations::time_zone.eq(organization.time_zone.name().to_owned()),
        organizations::default_executor_id.eq(organization.default_executor),
        organizations::version.eq(organization.version),
        organizations::updated_at.eq(Ts(now)),
    );
    let row = organizations::table.find(organization.id);
    let hit = both!(conn, c => diesel::update(row).set(change).execute(c).await)?;
    StoreError::unless_hit(hit)
}

/// Holds an organisation and lets nobody refer to it any more until the transaction ends; `false` when there is none.
pub(crate) async fn hold_to_remove(conn: &mut Conn, id: OrganizationId) -> Result<bool, StoreError> {
    let row: Option<OrganizationId> =
        holding!(conn, organizations::table.find(id).select(organizations::id), |query, c| query
            .first(c)
            .await
            .optional())?;
    Ok(row.is_some())
}

/// Holds an organisation until the transaction ends: whoever comes later sees what this one has written. Rows that refer to
/// it can still be written.
pub(crate) async fn hold(conn: &mut Conn, id: OrganizationId) -> Result<(), StoreError> {
    match conn.backend() {
        Backend::Pg(c) => {
            let row = organizations::table.find(id).select(organizations::id).for_no_key_update();
            row.first::<OrganizationId>(c).await?;
        }
        // There is one writer.
        Backend::Lite(_) => {}
    }
    Ok(())
}

/// Stops or frees its queue.
pub(crate) async fn set_halted(
    conn: &mut Conn,
    id: OrganizationId,
    halt: Option<&Halt>,
) -> Result<(), StoreError> {
    let halt = halt.map(Json::of).transpose()?;
    let change = (organizations::halted.eq(halt), organizations::version.eq(organizations::version + 1));
    let hit = both!(conn, c => diesel::update(organizations::table.find(id)).set(change).execute(c).await)?;
    StoreError::unless_hit(hit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples::{at, department, employee, organization, request, stored_organization};
    use crate::store::test_db::for_both;
    use crate::store::{assignments, departments, employees};

    #[test]
    fn an_organization_comes_back_as_it_went_and_its_guid_is_its_own() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let mut given = organization();
            insert(&mut tx, &given).await.unwrap();
            assert_eq!(get(&mut tx, given.id).await.unwrap(), Some(given.clone()));
            let halt =
                Halt { code: "AUT011003".to_owned(), detail: "нет прав".to_owned(), since: at(7) };
            let employee = EmployeeId::generate();
            set_halted(&mut tx, given.id, Some(&halt)).await.unwrap();
            set_default_executor(&mut tx, given.id, employee).await.unwrap();
            given.halted = Some(halt);
            (given.default_executor, given.version) = (Some(employee), 3);
            assert_eq!(list(&mut tx).await.unwrap(), [given.clone()]);
            (given.name, given.signer) = ("АО «Тепло»".to_owned(), "reserve".to_owned());
            (given.time_zone, given.version) = (chrono_tz::Tz::Asia__Omsk, 4);
            update(&mut tx, &given, at(8)).await.unwrap();
            assert_eq!(get(&mut tx, given.id).await.unwrap(), Some(given.clone()));
            let nobody = Organization { id: OrganizationId::generate(), ..given.clone() };
            assert!(update(&mut tx, &nobody, at(8)).await.is_err());
            set_halted(&mut tx, given.id, None).await.unwrap();
            assert_eq!(get(&mut tx, given.id).await.unwrap().unwrap().halted, None);
            let twin = Organization { id: OrganizationId::generate(), ..given };
            assert!(insert(&mut tx, &twin).await.unwrap_err().is_unique());
        });
    }

    #[test]
    fn only_an_organization_without_debt_requests_is_removed() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (idle, busy) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
            let head = employee(idle);
            employees::insert(&mut tx, &head).await.unwrap();
            let department = department(idle, head.id);
            departments::insert(&mut tx, &department).await.unwrap();
            departments::replace_houses(&mut tx, &department, &[uuid::Uuid::now_v7()]).await.unwrap();
            assignments::begin(&mut tx, idle).await.unwrap();
            crate::store::debt_requests::save(&mut tx, &[request(busy)]).await.unwrap();
            assert!(!remove(&mut tx, busy).await.unwrap());
            assert!(remove(&mut tx, idle).await.unwrap());
            assert!(!remove(&mut tx, idle).await.unwrap());
            assert_eq!(get(&mut tx, idle).await.unwrap(), None);
        });
    }
}
