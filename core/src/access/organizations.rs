//! Organisations and their employees, kept by the operator at the command line.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::name_mistake;
use crate::Service;
use crate::audit::{NewAuditEntry, record};
use crate::domain::audit::Actor;
use crate::domain::employee::Employee;
use crate::domain::organization::{Ogrn, Organization};
use crate::error::{Code, Error, Mistake, Result};
use crate::ids::OrganizationId;
use crate::jobs::JobName;
use crate::store::{StoreError, Tx, employees, organizations, tokens};

/// An organisation to be added.
#[derive(Clone, PartialEq, Eq)]
pub struct NewOrganization {
    /// Its identifier; a new one when absent.
    pub id: Option<OrganizationId>,
    /// Its name.
    pub name: String,
    /// Its ОГРН.
    pub ogrn: Ogrn,
    /// orgPPAGUID.
    pub ppa_guid: Uuid,
    /// The signer in the configuration.
    pub signer: String,
    /// Where its days begin.
    pub time_zone: Tz,
    /// Its employees: full name and executorGUID. The first stands in when nobody else is named.
    pub executors: Vec<(String, Uuid)>,
}

/// An organisation with its employees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationDetails {
    /// The organisation.
    pub organization: Organization,
    /// Its employees, by name.
    pub employees: Vec<Employee>,
}

impl Service {
    /// Adds an organisation with its employees.
    ///
    /// # Errors
    /// [`Code::StateConflict`] when another one has its orgPPAGUID or identifier; mistakes by name.
    pub async fn add_organization(&self, new: NewOrganization) -> Result<OrganizationDetails> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let details = add(&mut tx, new, &self.settings.signers, now).await?;
        audit(&mut tx, details.organization.id, "add_organization", now).await?;
        tx.commit().await?;
        Ok(details)
    }

    /// All, by name.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn list_organizations(&self) -> Result<Vec<Organization>> {
        let mut conn = self.db.read().await?;
        Ok(organizations::list(&mut conn).await?)
    }

    /// One organisation with its employees.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn show_organization(&self, id: OrganizationId) -> Result<OrganizationDetails> {
        let mut conn = self.db.read().await?;
        let organization = organizations::get(&mut conn, id).await?.ok_or(Error::NotFound)?;
        let employees = employees::list(&mut conn, id).await?;
        Ok(OrganizationDetails { organization, employees })
    }

    /// Lets an organisation send again that was halted because GIS denied it: somebody has put right what was wrong.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn resume_organization(&self, id: OrganizationId) -> Result<()> {
        let mut tx = self.db.begin().await?;
        if organizations::get(&mut tx, id).await?.is_none() {
            return Err(Error::NotFound);
        }
        organizations::set_halted(&mut tx, id, None).await?;
        audit(&mut tx, id, "resume_organization", self.clock.now()).await?;
        tx.wake(JobName::Outbox);
        tx.commit().await?;
        Ok(())
    }

    /// Removes an organisation that has neither debt requests nor files. Tokens that have no other are revoked.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Code::StateConflict`] when it has some.
    pub async fn remove_organization(&self, id: OrganizationId) -> Result<()> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        remove(&mut tx, id, now).await?;
        audit(&mut tx, id, "remove_organization", now).await?;
        tx.commit().await?;
        self.forget_tokens();
        Ok(())
    }
}

/// Adds an organisation with its employees; the first of them stands in.
pub(crate) async fn add(
    tx: &mut Tx,
    new: NewOrganization,
    signers: &BTreeSet<String>,
    now: DateTime<Utc>,
) -> Result<OrganizationDetails> {
    let mistakes = mistakes(&new, signers);
    if !mistakes.is_empty() {
        return Err(Error::Invalid(mistakes));
    }
    let mut details = new.into_details(now);
    let organization = &mut details.organization;
    organizations::insert(tx, organization).await.map_err(taken)?;
    for employee in &details.employees {
        employees::insert(tx, employee).await?;
    }
    if let Some(executor) = details.employees.first() {
        organizations::set_default_executor(tx, organization.id, executor.id).await?;
        (organization.default_executor, organization.version) = (Some(executor.id), organization.version + 1);
    }
    Ok(details)
}

/// Removes an organisation that has neither debt requests nor files, and takes it out of every token.
pub(crate) async fn remove(tx: &mut Tx, id: OrganizationId, now: DateTime<Utc>) -> Result<()> {
    if !organizations::hold_to_remove(tx, id).await? {
        return Err(Error::NotFound);
    }
    if !organizations::remove(tx, id).await? {
        let detail = "у организации есть запросы о задолженности или файлы, удалить её нельзя";
        return Err(Error::conflict(Code::StateConflict, detail, None));
    }
    Ok(tokens::leave(tx, id, now).await?)
}

/// A signer that the configuration does not have: nothing could be sent.
pub(crate) fn signer_mistake(signer: &str, known: &BTreeSet<String>) -> Option<Mistake> {
    if known.contains(signer) {
        return None;
    }
    let names = known.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let detail = format!("такого раздела [signers.ИМЯ] в настройках шлюза нет, или он не ваш; есть: {names}");
    Some(Mistake::at("/signer", "not_found", detail))
}

/// The operator does something to an organisation.
async fn audit(tx: &mut Tx, id: OrganizationId, action: &'static str, now: DateTime<Utc>) -> Result<()> {
    record(tx, NewAuditEntry::new(id, Actor::Cli, action, format!("organizations/{id}")), now).await
}

impl NewOrganization {
    fn into_details(self, now: DateTime<Utc>) -> OrganizationDetails {
        let id = self.id.unwrap_or_else(OrganizationId::generate);
        let executors = self.executors.into_iter();
        let employees = executors.map(|(name, gis_guid)| Employee::new(id, name, Some(gis_guid), now));
        OrganizationDetails {
            employees: employees.collect(),
            organization: Organization {
                id,
                name: self.name,
                ogrn: self.ogrn,
                ppa_guid: self.ppa_guid,
                signer: self.signer,
                time_zone: self.time_zone,
                default_executor: None,
                content_key: rand::random(),
                halted: None,
                version: 1,
                created_at: now,
            },
        }
    }
}

fn mistakes(new: &NewOrganization, signers: &BTreeSet<String>) -> Vec<Mistake> {
    let executors = new.executors.iter().enumerate();
    let executors =
        executors.filter_map(|(place, (name, _))| name_mistake(name, &format!("/executors/{place}/name")));
    name_mistake(&new.name, "/name")
        .into_iter()
        .chain(signer_mistake(&new.signer, signers))
        .chain(executors)
        .collect()
}

/// With one orgPPAGUID twice a debt request would have two owners.
fn taken(error: StoreError) -> Error {
    match error {
        StoreError::Unique { constraint } => {
            let detail = if constraint.contains("ppa_guid") {
                "организация с таким orgPPAGUID уже заведена: один поставщик в ГИС ЖКХ — одна организация здесь; \
                 филиалы заводятся как подразделения"
            } else {
                "организация с таким идентификатором уже заведена"
            };
            Error::conflict(Code::StateConflict, detail, None)
        }
        StoreError::Unavailable(_) | StoreError::Stale | StoreError::Busy | StoreError::Database(_) => {
            error.into()
        }
    }
}
