//! Registries of court debts (`api.md` §12.3): a file is checked as it comes; one without mistakes can be activated, and
//! then takes the place of the one that answered before, in one step.

mod changes;
mod check;
mod opinion;
mod scans;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

pub use self::changes::CourtDebtDraft;
pub(crate) use self::opinion::{opinions, second_opinions};
pub use self::scans::MOST_SCAN_BYTES;
use crate::Service;
use crate::departments::unknown_department;
use crate::domain::attachment::Attachment;
use crate::domain::caller::{Caller, Scope};
use crate::domain::event::{EventKind, NewEvent};
use crate::domain::registry::{KeptDebt, Registry, RegistryStatus, RowProblem};
use crate::error::{Code, Error, Result};
use crate::ids::{AttachmentId, CourtDebtId, DepartmentId, RegistryId};
use crate::store::{Tx, attachments, events, organizations, registries};

/// A registry as a client brings it.
pub struct NewRegistry {
    /// Name of the file; it holds the ОГРН, unless that is given.
    pub file_name: String,
    /// The workbook.
    pub content: Bytes,
    /// The archive of the scans that its rows name; it may be large, so it lies on the disk.
    pub scans: Option<File>,
    /// The ОГРН of the supplier whose debts these are.
    pub ogrn: Option<String>,
    /// The department whose own registry it is.
    pub department: Option<DepartmentId>,
}

impl fmt::Debug for NewRegistry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NewRegistry").field("size", &self.content.len()).finish_non_exhaustive()
    }
}

/// A registry that was read, before it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedRegistry {
    registry: Registry,
    debts: Vec<KeptDebt>,
    problems: Vec<RowProblem>,
    /// Scans that were not there before; their content is stored.
    files: Vec<Attachment>,
}

impl Service {
    /// Stores a registry that was checked. It answers nothing before it is activated.
    ///
    /// # Errors
    /// The scope `registry:write` is missing.
    pub async fn store_registry(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        checked: CheckedRegistry,
    ) -> Result<Registry> {
        caller.need(Scope::RegistryWrite)?;
        let CheckedRegistry { registry, debts, problems, files } = checked;
        registries::insert(tx, &registry, problems).await?;
        for file in &files {
            attachments::insert(tx, file).await?;
        }
        let links: BTreeSet<_> = debts.iter().flat_map(links).collect();
        registries::insert_debts(tx, debts).await?;
        registries::insert_files(tx, links).await?;
        Ok(registry)
    }

    /// Newest first, after (`created_at`, `id`).
    ///
    /// # Errors
    /// The scope `registry:read` is missing.
    pub async fn list_registries(
        &self,
        caller: &Caller,
        after: Option<(DateTime<Utc>, RegistryId)>,
        limit: i64,
    ) -> Result<Vec<Registry>> {
        caller.need(Scope::RegistryRead)?;
        let mut conn = self.db.scan().await?;
        Ok(registries::page(&mut conn, caller.organization, after, limit).await?)
    }

    /// One registry.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get_registry(&self, caller: &Caller, id: RegistryId) -> Result<Registry> {
        caller.need(Scope::RegistryRead)?;
        let mut conn = self.db.read().await?;
        registries::get(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)
    }

    /// What is wrong with a registry and what is odd, in the order of its rows, after so many of them.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn list_registry_problems(
        &self,
        caller: &Caller,
        id: RegistryId,
        after: usize,
        limit: usize,
    ) -> Result<Vec<(usize, RowProblem)>> {
        caller.need(Scope::RegistryRead)?;
        let mut conn = self.db.scan().await?;
        registries::get(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)?;
        let all = registries::problems(&mut conn, id).await?;
        Ok((1..).zip(all).skip(after).take(limit).collect())
    }

    /// The rows of a registry after one of them; those of one house if that is given.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn list_registry_rows(
        &self,
        caller: &Caller,
        id: RegistryId,
        fias_house: Option<Uuid>,
        after: Option<CourtDebtId>,
        limit: i64,
    ) -> Result<Vec<KeptDebt>> {
        caller.need(Scope::RegistryRead)?;
        let mut conn = self.db.scan().await?;
        registries::get(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)?;
        Ok(registries::debts(&mut conn, id, fias_house, after, limit).await?)
    }

    /// The rows of the registry that answers, for the organisation or for a department of it; none where there is none.
    ///
    /// # Errors
    /// The scope `registry:read` is missing.
    pub async fn list_court_debts(
        &self,
        caller: &Caller,
        department: Option<DepartmentId>,
        fias_house: Option<Uuid>,
        after: Option<CourtDebtId>,
        limit: i64,
    ) -> Result<Vec<KeptDebt>> {
        caller.need(Scope::RegistryRead)?;
        let mut conn = self.db.scan().await?;
        match registries::active(&mut conn, caller.organization, department).await? {
            None => Ok(Vec::new()),
            Some(active) => Ok(registries::debts(&mut conn, active.id, fias_house, after, limit).await?),
        }
    }

    /// Lets a registry answer from now on. One that was replaced may come back.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Code::StateConflict`] when it was refused, its department is no more, or its rows are deleted.
    pub async fn activate_registry(&self, tx: &mut Tx, caller: &Caller, id: RegistryId) -> Result<Registry> {
        caller.need(Scope::RegistryWrite)?;
        // Two that are activated at once come one after the other.
        organizations::hold(tx, caller.organization).await?;
        let mut registry = registries::lock(tx, caller.organization, id).await?.ok_or(Error::NotFound)?;
        match registry.status {
            RegistryStatus::Checked | RegistryStatus::Replaced => {}
            // Clients repeat requests by themselves: what is done already is no conflict.
            RegistryStatus::Active => return Ok(registry),
            RegistryStatus::Refused => {
                let detail = "в реестре есть ошибки; исправьте файл и загрузите его снова";
                return Err(Error::conflict(Code::StateConflict, detail, None));
            }
        }
        let department = registry.department;
        if unknown_department(tx, caller.organization, department, "/department_id").await?.is_some() {
            let detail = "подразделения, чей это реестр, больше нет; загрузите реестр для другого";
            return Err(Error::conflict(Code::StateConflict, detail, None));
        }
        if registries::has_lost_rows(tx, id).await? {
            let detail =
                "строки этого реестра удалены, потому что срок их хранения истёк; загрузите файл снова";
            return Err(Error::conflict(Code::StateConflict, detail, None));
        }
        let earlier = registries::active(tx, caller.organization, registry.department).await?;
        let replaced = earlier.map(|earlier| earlier.id);
        if let Some(replaced) = replaced {
            let earlier =
                registries::lock(tx, caller.organization, replaced).await?.ok_or(Error::NotFound)?;
            let earlier = Registry { status: RegistryStatus::Replaced, ..earlier };
            registries::update(tx, &earlier).await?;
        }
        let now = self.clock.now();
        registry.status = RegistryStatus::Active;
        registry.activated_at = Some(now);
        registries::update(tx, &registry).await?;
        events::append(tx, &[activated(&registry, replaced)], now).await?;
        Ok(registry)
    }
}

/// The files that a row names.
fn links(kept: &KeptDebt) -> impl Iterator<Item = (CourtDebtId, AttachmentId)> + '_ {
    let id = kept.debt.entry.id;
    kept.debt.attachments().map(move |file| (id, file))
}

/// A registry answers from now on.
fn activated(registry: &Registry, replaced: Option<RegistryId>) -> NewEvent {
    NewEvent {
        organization: registry.organization,
        kind: EventKind::RegistryActivated,
        debt_request: None,
        answer: None,
        data: json!({ "registry_id": registry.id, "replaced_registry_id": replaced, "rows": registry.rows }),
    }
}
