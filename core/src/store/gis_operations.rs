//! How each operation of GIS behaves, shared by all instances.

use chrono::{DateTime, Utc};
use diesel::upsert::excluded;
use diesel::{ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use gis_client::cadence::Circuit;
use serde::{Deserialize, Serialize};

use super::db::both;
use super::schema::gis_operations;
use super::types::{Json, Ts};
use super::{Conn, StoreError};
use crate::domain::answer::LastError;

crate::domain::words::words! {
    /// An operation of GIS.
    Operation {
        /// importResponses.
        ImportResponses = "import_responses" "размещение ответов",
        /// exportDebtSubrequests.
        Export = "export" "получение запросов",
        /// getState.
        GetState = "get_state" "результаты обработки",
        /// The file store.
        Files = "files" "файловое хранилище",
    }
}

/// How an operation behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationHealth {
    /// Which.
    pub operation: Operation,
    /// Whether it is called at all.
    pub circuit: Circuit,
    /// Since when it behaves so.
    pub since: DateTime<Utc>,
    /// When GIS last answered.
    pub last_success_at: Option<DateTime<Utc>>,
    /// The last call that got no answer.
    pub last_error: Option<LastError>,
}

/// A circuit as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum StoredCircuit {
    Closed { failures: u32 },
    Open { openings: u32, until: DateTime<Utc> },
    HalfOpen { openings: u32, began: DateTime<Utc>, until: DateTime<Utc> },
}

impl From<Circuit> for StoredCircuit {
    fn from(circuit: Circuit) -> Self {
        match circuit {
            Circuit::Closed { failures } => Self::Closed { failures },
            Circuit::Open { openings, until } => Self::Open { openings, until },
            Circuit::HalfOpen { openings, began, until } => Self::HalfOpen { openings, began, until },
        }
    }
}

impl From<StoredCircuit> for Circuit {
    fn from(stored: StoredCircuit) -> Self {
        match stored {
            StoredCircuit::Closed { failures } => Self::Closed { failures },
            StoredCircuit::Open { openings, until } => Self::Open { openings, until },
            StoredCircuit::HalfOpen { openings, began, until } => Self::HalfOpen { openings, began, until },
        }
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = gis_operations, treat_none_as_default_value = false)]
struct OperationRow {
    operation: Operation,
    circuit: Json,
    since: Ts,
    last_success_at: Option<Ts>,
    last_error: Option<Json>,
    updated_at: Ts,
}

impl TryFrom<OperationRow> for OperationHealth {
    type Error = StoreError;

    fn try_from(row: OperationRow) -> Result<Self, StoreError> {
        Ok(Self {
            operation: row.operation,
            circuit: row.circuit.read::<StoredCircuit>()?.into(),
            since: row.since.0,
            last_success_at: row.last_success_at.map(|time| time.0),
            last_error: row.last_error.map(Json::read).transpose()?,
        })
    }
}

/// Those operations that were ever called.
pub(crate) async fn all(conn: &mut Conn) -> Result<Vec<OperationHealth>, StoreError> {
    let rows = both!(conn, c => {
        gis_operations::table
            .order(gis_operations::operation)
            .select(OperationRow::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(OperationHealth::try_from).collect()
}

/// Stores how an operation behaves.
pub(crate) async fn save(
    conn: &mut Conn,
    health: &OperationHealth,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = OperationRow {
        operation: health.operation,
        circuit: Json::of(&StoredCircuit::from(health.circuit))?,
        since: Ts(health.since),
        last_success_at: health.last_success_at.map(Ts),
        last_error: health.last_error.as_ref().map(Json::of).transpose()?,
        updated_at: Ts(now),
    };
    both!(conn, c => {
        diesel::insert_into(gis_operations::table)
            .values(row)
            .on_conflict(gis_operations::operation)
            .do_update()
            .set((
                gis_operations::circuit.eq(excluded(gis_operations::circuit)),
                gis_operations::since.eq(excluded(gis_operations::since)),
                gis_operations::last_success_at.eq(excluded(gis_operations::last_success_at)),
                gis_operations::last_error.eq(excluded(gis_operations::last_error)),
                gis_operations::updated_at.eq(excluded(gis_operations::updated_at)),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples::at;
    use crate::store::test_db::for_both;

    #[test]
    fn health_is_kept_whatever_it_is() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let circuits = [
                Circuit::Closed { failures: 4 },
                Circuit::Open { openings: 1, until: at(9) },
                Circuit::HalfOpen { openings: 2, began: at(9), until: at(11) },
                Circuit::Closed { failures: 0 },
            ];
            for circuit in circuits {
                let operation = Operation::GetState;
                let health = OperationHealth {
                    operation,
                    circuit,
                    since: at(3),
                    last_success_at: Some(at(2)),
                    last_error: None,
                };
                save(&mut tx, &health, at(9)).await.unwrap();
                assert_eq!(all(&mut tx).await.unwrap(), [health]);
            }
        });
    }
}
