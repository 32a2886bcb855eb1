//! Organisations served here, as clients with the scope `admin` keep them: each sees and changes those of its own token. The
//! operator's way is in [`crate::access`].

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono_tz::Tz;

use crate::Service;
use crate::access::authority::{administrator, reach, tell_others};
use crate::access::organizations::{add, remove, signer_mistake};
use crate::access::{NewOrganization, name_mistake};
use crate::domain::caller::{Caller, Scope};
use crate::domain::organization::Organization;
use crate::employees::CANNOT_STAND_IN;
use crate::error::{Code, Error, Mistake, Result};
use crate::ids::{EmployeeId, OrganizationId};
use crate::jobs::JobName;
use crate::store::{Conn, Tx, assignments, employees, organizations, tokens};

/// Most organisations of a token.
const MOST: usize = 1000;

/// A change of an organisation: what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditOrganization {
    /// Its name.
    pub name: Option<String>,
    /// The signer in the configuration.
    pub signer: Option<String>,
    /// Where its days begin.
    pub time_zone: Option<Tz>,
    /// The employee named to GIS when nobody else is.
    pub default_executor: Option<EmployeeId>,
}

impl Service {
    /// Adds an organisation with its employees. The caller's token has it from then on, or nobody could issue one for it.
    /// Tell [`Service::forget_token`] once it is stored.
    ///
    /// # Errors
    /// [`Code::StateConflict`] when another one has its orgPPAGUID, or the token has too many; mistakes by their places.
    pub async fn open_organization(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        new: NewOrganization,
    ) -> Result<Organization> {
        administrator(caller)?;
        let signers = self.own_signers(tx, caller).await?;
        let now = self.clock.now();
        let organization = add(tx, new, &signers, now).await?.organization;
        // After the row that others may wait for: whoever removes an organisation takes the tokens last, too.
        tokens::hold(tx, caller.token).await?;
        let mut reach = reach(tx, caller).await?;
        if reach.len() >= MOST {
            let detail = format!("у токена не более {MOST} организаций; выпустите ещё один");
            return Err(Error::conflict(Code::StateConflict, detail, None));
        }
        reach.push(organization.id);
        tokens::set_organizations(tx, caller.token, &reach).await?;
        let target = format!("organizations/{}", organization.id);
        tell_others(tx, caller, &[organization.id], "add_organization", &target, now).await?;
        // The first reading of GIS begins at once.
        tx.wake(JobName::Sync);
        Ok(organization)
    }

    /// The organisations of the caller's token, by their identifiers, which grow with time, after one of them.
    ///
    /// # Errors
    /// The scope `admin` is missing.
    pub async fn list_own_organizations(
        &self,
        caller: &Caller,
        after: Option<OrganizationId>,
        limit: i64,
    ) -> Result<Vec<Organization>> {
        caller.need(Scope::Admin)?;
        let mut conn = self.db.scan().await?;
        let reach = reach(&mut conn, caller).await?;
        let mut own = organizations::list(&mut conn).await?;
        own.retain(|it| reach.contains(&it.id) && after.is_none_or(|last| it.id > last));
        own.sort_unstable_by_key(|it| it.id);
        own.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(own)
    }

    /// One of them.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get_own_organization(&self, caller: &Caller, id: OrganizationId) -> Result<Organization> {
        caller.need(Scope::Admin)?;
        let mut conn = self.db.read().await?;
        own(&mut conn, caller, id).await
    }

    /// Changes an organisation. With another one who stands in, unanswered debt requests are given out anew.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::VersionMismatch`]; mistakes by their places.
    pub async fn edit_organization(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: OrganizationId,
        edit: EditOrganization,
        if_match: Option<i64>,
    ) -> Result<Organization> {
        administrator(caller)?;
        let before = take(tx, caller, id, if_match).await?;
        let mut organization = edit.over(before.clone());
        if organization == before {
            return Ok(organization);
        }
        let mut mistakes = Vec::from_iter(name_mistake(&organization.name, "/name"));
        if organization.signer != before.signer {
            let signers = self.own_signers(tx, caller).await?;
            mistakes.extend(signer_mistake(&organization.signer, &signers));
        }
        let another = organization.default_executor != before.default_executor;
        if another {
            mistakes.extend(executor_mistake(tx, &organization).await?);
        }
        if !mistakes.is_empty() {
            return Err(Error::Invalid(mistakes));
        }
        let now = self.clock.now();
        organization.version = before.version + 1;
        organizations::update(tx, &organization, now).await?;
        if another {
            assignments::begin(tx, id).await?;
            tx.wake(JobName::Assignment);
        }
        tell_others(tx, caller, &[id], "edit_organization", &format!("organizations/{id}"), now).await?;
        Ok(organization)
    }

    /// Removes an organisation that has neither debt requests nor files. Tokens that have no other are revoked: tell
    /// [`Service::forget_tokens`] once it is stored.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::VersionMismatch`]; [`Code::StateConflict`] when it has some, or the request is made for
    /// this very organisation.
    pub async fn close_organization(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: OrganizationId,
        if_match: Option<i64>,
    ) -> Result<()> {
        administrator(caller)?;
        take(tx, caller, id, if_match).await?;
        if id == caller.organization {
            let detail = "запрос выполняется от имени этой организации; назовите в Organization-Id другую";
            return Err(Error::conflict(Code::StateConflict, detail, None));
        }
        let now = self.clock.now();
        remove(tx, id, now).await?;
        tell_others(tx, caller, &[id], "remove_organization", &format!("organizations/{id}"), now).await
    }
}

impl Service {
    /// The signers of the configuration that sign for organisations of the caller's already. Another one signs for somebody
    /// else: only the operator gives it to an organisation, at the command line.
    async fn own_signers(&self, conn: &mut Conn, caller: &Caller) -> Result<BTreeSet<String>> {
        let reach = reach(conn, caller).await?;
        let own = organizations::list(conn).await?.into_iter().filter(|it| reach.contains(&it.id));
        Ok(own.map(|it| it.signer).filter(|signer| self.settings.signers.contains(signer)).collect())
    }
}

impl EditOrganization {
    fn over(self, old: Organization) -> Organization {
        Organization {
            name: self.name.unwrap_or(old.name),
            signer: self.signer.unwrap_or(old.signer),
            time_zone: self.time_zone.unwrap_or(old.time_zone),
            default_executor: self.default_executor.or(old.default_executor),
            ..old
        }
    }
}

/// An organisation of the caller's.
async fn own(conn: &mut Conn, caller: &Caller, id: OrganizationId) -> Result<Organization> {
    if !reach(conn, caller).await?.contains(&id) {
        return Err(Error::NotFound);
    }
    organizations::get(conn, id).await?.ok_or(Error::NotFound)
}

/// An organisation that the transaction may change: it holds it.
async fn take(
    tx: &mut Tx,
    caller: &Caller,
    id: OrganizationId,
    if_match: Option<i64>,
) -> Result<Organization> {
    own(tx, caller, id).await?;
    organizations::hold(tx, id).await?;
    let organization = organizations::get(tx, id).await?.ok_or(Error::NotFound)?;
    match if_match {
        Some(expected) if expected != organization.version => {
            Err(Error::VersionMismatch { current: organization.version })
        }
        Some(_) | None => Ok(organization),
    }
}

/// Whoever stands in works for the organisation, and GIS knows him.
async fn executor_mistake(conn: &mut Conn, organization: &Organization) -> Result<Option<Mistake>> {
    let Some(executor) = organization.default_executor else { return Ok(None) };
    let at = "/default_executor_id";
    Ok(match employees::get(conn, organization.id, executor).await? {
        None => Some(Mistake::at(at, "not_found", "такого сотрудника у этой организации нет")),
        Some(employee) if employee.can_submit() => None,
        Some(_) => Some(Mistake::at(at, Code::ExecutorWithoutGisId.as_str(), CANNOT_STAND_IN)),
    })
}
