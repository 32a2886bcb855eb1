//! What all debt requests of a transaction have in common: their supplier, and what was already looked up about its people,
//! the names that clients gave to answers, files, and what the registry knows. Each is asked for once, however many answers come together.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::domain::answer::ExternalId;
use crate::domain::attachment::Attachment;
use crate::domain::debt_request::{DebtRequest, MatchResult};
use crate::domain::employee::Employee;
use crate::domain::organization::Organization;
use crate::error::{Error, Result};
use crate::ids::{AnswerId, AttachmentId, DebtRequestId, EmployeeId, OrganizationId};
use crate::registries::opinions;
use crate::store::{Conn, answers, attachments, employees, organizations};

/// Who has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) answer: AnswerId,
    pub(super) debt_request: DebtRequestId,
}

/// A supplier with what was looked up about it; `None` is what does not exist.
pub(crate) struct Office {
    pub(super) organization: Organization,
    employees: BTreeMap<EmployeeId, Option<Employee>>,
    holders: BTreeMap<ExternalId, Option<Holder>>,
    files: BTreeMap<AttachmentId, Option<Attachment>>,
    /// Whether the registry that answers knows a debt.
    debts: BTreeMap<DebtRequestId, bool>,
}

impl Office {
    pub(crate) async fn open(conn: &mut Conn, id: OrganizationId) -> Result<Self> {
        let organization = organizations::get(conn, id).await?.ok_or(Error::NotFound)?;
        Ok(Self {
            organization,
            employees: BTreeMap::new(),
            holders: BTreeMap::new(),
            files: BTreeMap::new(),
            debts: BTreeMap::new(),
        })
    }

    pub(super) async fn employee(&mut self, conn: &mut Conn, id: EmployeeId) -> Result<Option<&Employee>> {
        if !self.employees.contains_key(&id) {
            let found = employees::get(conn, self.organization.id, id).await?;
            self.employees.insert(id, found);
        }
        Ok(self.employees.get(&id).and_then(Option::as_ref))
    }

    /// Who has a name.
    pub(super) async fn holder(&mut self, conn: &mut Conn, name: &ExternalId) -> Result<Option<Holder>> {
        self.look_up_names(conn, std::slice::from_ref(name)).await?;
        Ok(self.holders.get(name).copied().flatten())
    }

    /// Looks up who has names, in one question for all that are not known yet.
    pub(super) async fn look_up_names(&mut self, conn: &mut Conn, names: &[ExternalId]) -> Result<()> {
        let unknown: Vec<_> =
            names.iter().filter(|name| !self.holders.contains_key(*name)).cloned().collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let found = answers::holders(conn, self.organization.id, &unknown).await?;
        self.holders.extend(unknown.into_iter().map(|name| (name, None)));
        for (name, answer, debt_request) in found {
            self.holders.insert(name, Some(Holder { answer, debt_request }));
        }
        Ok(())
    }

    /// An answer of this transaction has a name from now on.
    pub(super) fn note_name(&mut self, name: ExternalId, holder: Holder) {
        self.holders.insert(name, Some(holder));
    }

    pub(super) async fn file(&mut self, conn: &mut Conn, id: AttachmentId) -> Result<Option<&Attachment>> {
        self.look_up_files(conn, &[id]).await?;
        Ok(self.files.get(&id).and_then(Option::as_ref))
    }

    /// Looks up files, in one question for all that are not known yet.
    pub(super) async fn look_up_files(&mut self, conn: &mut Conn, ids: &[AttachmentId]) -> Result<()> {
        let unknown: Vec<_> = ids.iter().copied().filter(|id| !self.files.contains_key(id)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let found = attachments::find(conn, self.organization.id, &unknown).await?;
        self.files.extend(unknown.into_iter().map(|id| (id, None)));
        self.files.extend(found.into_iter().map(|file| (file.id, Some(file))));
        Ok(())
    }

    /// Whether the registry that answers knows a debt of the place that a request asks about.
    pub(super) async fn finds_debt(
        &mut self,
        conn: &mut Conn,
        request: &DebtRequest,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        self.look_up_debts(conn, &[request], now).await?;
        Ok(self.debts.get(&request.id).copied().unwrap_or(false))
    }

    /// Asks the registry about requests, in one question for all that are not known yet.
    pub(super) async fn look_up_debts(
        &mut self,
        conn: &mut Conn,
        requests: &[&DebtRequest],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let unknown: Vec<_> =
            requests.iter().copied().filter(|request| !self.debts.contains_key(&request.id)).collect();
        let today = now.with_timezone(&self.organization.time_zone).date_naive();
        let found = opinions(conn, self.organization.id, &unknown, today).await?;
        self.debts
            .extend(found.into_iter().map(|(id, opinion)| (id, opinion.result == Some(MatchResult::Found))));
        Ok(())
    }
}
