//! The rows of registries.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, OptionalExtension, QueryDsl,
    SelectableHelper,
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::files::set_files;
use super::rows::DebtRow;
use crate::domain::court_debt::{Entry, Origin};
use crate::domain::premises::Premises;
use crate::domain::registry::KeptDebt;
use crate::ids::{CourtDebtId, OrganizationId, RegistryId};
use crate::store::db::{BATCH, both, insert_batch, load_where};
use crate::store::schema::court_debts;
use crate::store::types::Guid;
use crate::store::{Conn, StoreError};

/// Stores new rows.
pub(crate) async fn insert_debts(conn: &mut Conn, debts: Vec<KeptDebt>) -> Result<(), StoreError> {
    let rows = debts.into_iter().map(DebtRow::from).collect();
    insert_batch!(conn, rows, |batch| diesel::insert_into(court_debts::table).values(batch))?;
    Ok(())
}

/// The rows of a registry in their order after one of them; those of one house if that is given.
pub(crate) async fn debts(
    conn: &mut Conn,
    registry: RegistryId,
    fias_house: Option<Uuid>,
    after: Option<CourtDebtId>,
    limit: i64,
) -> Result<Vec<KeptDebt>, StoreError> {
    let rows: Vec<DebtRow> = both!(conn, c => {
        let mut query = court_debts::table
            .filter(court_debts::registry_id.eq(registry))
            .order(court_debts::id)
            .limit(limit)
            .select(DebtRow::as_select())
            .into_boxed();
        if let Some(house) = fias_house {
            query = query.filter(court_debts::fias_house_id.eq(Guid(house)));
        }
        if let Some(id) = after {
            query = query.filter(court_debts::id.gt(id));
        }
        query.load(c).await
    })?;
    Ok(rows.into_iter().map(KeptDebt::from).collect())
}

/// One row of an organisation.
pub(crate) async fn debt(
    conn: &mut Conn,
    organization: OrganizationId,
    id: CourtDebtId,
) -> Result<Option<KeptDebt>, StoreError> {
    let row: Option<DebtRow> = both!(conn, c => {
        court_debts::table
            .find(id)
            .filter(court_debts::organization_id.eq(organization))
            .select(DebtRow::as_select())
            .first(c)
            .await
            .optional()
    })?;
    Ok(row.map(KeptDebt::from))
}

/// Stores what a row says now.
pub(crate) async fn update_debt(conn: &mut Conn, kept: KeptDebt) -> Result<(), StoreError> {
    let id = kept.debt.entry.id;
    let row = DebtRow::from(kept);
    let hit = both!(conn, c => diesel::update(court_debts::table.find(id)).set(row).execute(c).await)?;
    StoreError::unless_hit(hit)
}

/// Deletes a row. Files that nothing else uses may live until `unused_until`.
pub(crate) async fn delete_debt(
    conn: &mut Conn,
    id: CourtDebtId,
    unused_until: DateTime<Utc>,
) -> Result<(), StoreError> {
    set_files(conn, id, BTreeSet::new(), unused_until).await?;
    let hit = both!(conn, c => diesel::delete(court_debts::table.find(id)).execute(c).await)?;
    StoreError::unless_hit(hit)
}

/// What matching reads of the rows of some houses, by either identifier; a row may come twice.
pub(crate) async fn entries(
    conn: &mut Conn,
    registry: RegistryId,
    houses: &[Uuid],
) -> Result<Vec<Entry>, StoreError> {
    type Row =
        (CourtDebtId, Guid, Option<Guid>, Option<String>, String, NaiveDate, Option<NaiveDate>, bool, Origin);
    let mut found: Vec<Row> = Vec::new();
    for some in houses.chunks(BATCH) {
        let keys: Vec<Guid> = some.iter().copied().map(Guid).collect();
        let of_house = court_debts::fias_house_id
            .eq_any(keys.clone())
            .or(court_debts::gis_house_id.eq_any(keys).assume_not_null());
        let rows: Vec<Row> = both!(conn, c => {
            court_debts::table
                .filter(court_debts::registry_id.eq(registry))
                .filter(of_house)
                .select((
                    court_debts::id,
                    court_debts::fias_house_id,
                    court_debts::gis_house_id,
                    court_debts::address,
                    court_debts::premises,
                    court_debts::in_force_from,
                    court_debts::repaid_on,
                    court_debts::noted,
                    court_debts::origin,
                ))
                .load(c)
                .await
        })?;
        found.extend(rows);
    }
    let entry = |(id, fias, gis, address, premises, in_force_from, repaid_on, noted, origin): Row| Entry {
        id,
        fias_house_id: fias.0,
        gis_house_id: gis.map(|Guid(id)| id),
        address: address.map(String::into_boxed_str),
        premises: Premises::read(&premises),
        in_force_from,
        repaid_on,
        noted,
        origin,
    };
    Ok(found.into_iter().map(entry).collect())
}

/// Some rows of a registry.
pub(crate) async fn debts_by_id(
    conn: &mut Conn,
    registry: RegistryId,
    ids: &[CourtDebtId],
) -> Result<Vec<KeptDebt>, StoreError> {
    let rows: Vec<DebtRow> = load_where!(conn, court_debts::id, ids, |named| court_debts::table
        .filter(named)
        .filter(court_debts::registry_id.eq(registry))
        .select(DebtRow::as_select()))?;
    Ok(rows.into_iter().map(KeptDebt::from).collect())
}

/// Where some rows of an organisation's registries are: the texts of the house's address and of the premises.
pub(crate) async fn places(
    conn: &mut Conn,
    organization: OrganizationId,
    ids: &[CourtDebtId],
) -> Result<Vec<(CourtDebtId, Option<String>, String)>, StoreError> {
    Ok(load_where!(conn, court_debts::id, ids, |named| court_debts::table
        .filter(named)
        .filter(court_debts::organization_id.eq(organization))
        .select((court_debts::id, court_debts::address, court_debts::premises)))?)
}
