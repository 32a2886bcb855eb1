//! Registries and their rows as rows of tables.

use chrono::NaiveDate;
use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};
use gis_client::debt_requests::AtLeastOne;
use gis_client::text::Comment;
use serde::{Deserialize, Serialize};

use crate::domain::content::Debtor;
use crate::domain::court_debt::{CourtDebt, Entry, Origin};
use crate::domain::premises::Premises;
use crate::domain::registry::{KeptDebt, Registry, RegistryStatus};
use crate::ids::{AttachmentId, CourtDebtId, DepartmentId, OrganizationId, RegistryId};
use crate::store::json::AsJson;
use crate::store::schema::{court_debt_registries, court_debts};
use crate::store::types::{Guid, Ts};

/// A row of `court_debt_registries`, without the list of what is wrong with it, which may be long.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = court_debt_registries, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct RegistryRow {
    id: RegistryId,
    organization_id: OrganizationId,
    department_id: Option<DepartmentId>,
    file_name: Option<String>,
    origin: Origin,
    status: RegistryStatus,
    row_count: i64,
    refused_count: i64,
    error_count: i64,
    warning_count: i64,
    created_by: String,
    created_at: Ts,
    activated_at: Option<Ts>,
}

impl From<Registry> for RegistryRow {
    fn from(registry: Registry) -> Self {
        Self {
            id: registry.id,
            organization_id: registry.organization,
            department_id: registry.department,
            file_name: registry.file_name,
            origin: registry.origin,
            status: registry.status,
            row_count: registry.rows,
            refused_count: registry.refused_rows,
            error_count: registry.errors,
            warning_count: registry.warnings,
            created_by: registry.created_by,
            created_at: Ts(registry.created_at),
            activated_at: registry.activated_at.map(Ts),
        }
    }
}

impl From<RegistryRow> for Registry {
    fn from(row: RegistryRow) -> Self {
        Self {
            id: row.id,
            organization: row.organization_id,
            department: row.department_id,
            file_name: row.file_name,
            origin: row.origin,
            status: row.status,
            rows: row.row_count,
            refused_rows: row.refused_count,
            errors: row.error_count,
            warnings: row.warning_count,
            created_by: row.created_by,
            created_at: row.created_at.0,
            activated_at: row.activated_at.map(|Ts(at)| at),
        }
    }
}

/// Who owes and what goes into the answer.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Said {
    debtors: AtLeastOne<Debtor>,
    files: Vec<AttachmentId>,
    note: Option<Comment>,
}

/// A row of `court_debts`.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = court_debts, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct DebtRow {
    id: CourtDebtId,
    registry_id: RegistryId,
    organization_id: OrganizationId,
    row_number: Option<i64>,
    fias_house_id: Guid,
    gis_house_id: Option<Guid>,
    address: Option<String>,
    premises: String,
    premises_key: String,
    in_force_from: NaiveDate,
    repaid_on: Option<NaiveDate>,
    noted: bool,
    origin: Origin,
    content: AsJson<Said>,
    version: i64,
    created_at: Ts,
    updated_at: Ts,
}

impl From<KeptDebt> for DebtRow {
    fn from(kept: KeptDebt) -> Self {
        let CourtDebt { entry, premises_text, debtors, files, note } = kept.debt;
        Self {
            id: entry.id,
            registry_id: kept.registry,
            organization_id: kept.organization,
            row_number: kept.row,
            fias_house_id: Guid(entry.fias_house_id),
            gis_house_id: entry.gis_house_id.map(Guid),
            address: entry.address.map(String::from),
            premises_key: entry.premises.key().as_str().to_owned(),
            premises: premises_text,
            in_force_from: entry.in_force_from,
            repaid_on: entry.repaid_on,
            noted: entry.noted,
            origin: entry.origin,
            content: AsJson(Said { debtors, files, note }),
            version: kept.version,
            created_at: Ts(kept.created_at),
            updated_at: Ts(kept.updated_at),
        }
    }
}

impl From<DebtRow> for KeptDebt {
    fn from(row: DebtRow) -> Self {
        let AsJson(Said { debtors, files, note }) = row.content;
        let entry = Entry {
            id: row.id,
            fias_house_id: row.fias_house_id.0,
            gis_house_id: row.gis_house_id.map(|Guid(id)| id),
            address: row.address.map(String::into_boxed_str),
            premises: Premises::read(&row.premises),
            in_force_from: row.in_force_from,
            repaid_on: row.repaid_on,
            noted: row.noted,
            origin: row.origin,
        };
        Self {
            debt: CourtDebt { entry, premises_text: row.premises, debtors, files, note },
            registry: row.registry_id,
            organization: row.organization_id,
            row: row.row_number,
            version: row.version,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        }
    }
}
