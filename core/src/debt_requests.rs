//! Debt requests: read from our mirror, never from GIS, and given to employees (`api.md` §4.2, §4.3, §4.5).

mod assign;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use chrono::NaiveDate;

pub use self::assign::AssignDebtRequest;
use crate::Service;
use crate::domain::caller::{Caller, Scope};
use crate::domain::debt_request::DebtRequest;
use crate::domain::event::Event;
use crate::error::{Error, Mistake, Result};
use crate::ids::DebtRequestId;
use crate::store::debt_requests::{self, After, Counts, Filter, Sort};
use crate::store::events;

/// Most names of one look-up.
const MOST_NAMES: usize = 1000;

/// A debt request with what a client sees beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebtRequestDetails {
    /// The debt request.
    pub request: DebtRequest,
    /// Days until the last day to answer, in the organisation's time zone: 0 today, negative once it is over.
    pub days_left: Option<i64>,
}

/// Debt requests found by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DebtRequestLookup {
    /// What was found.
    pub found: Vec<DebtRequestDetails>,
    /// Identifiers that no debt request of this organisation has.
    pub ids_not_found: Vec<DebtRequestId>,
    /// Numbers that no debt request of this organisation has.
    pub numbers_not_found: Vec<String>,
}

impl DebtRequestDetails {
    fn new(request: DebtRequest, today: NaiveDate) -> Self {
        let days_left = request.gis.due_on.map(|due| (due - today).num_days());
        Self { request, days_left }
    }
}

impl Service {
    /// A page of the mirror; it has at most `limit` debt requests.
    ///
    /// # Errors
    /// The scope `requests:read` is missing.
    pub async fn list_debt_requests(
        &self,
        caller: &Caller,
        filter: &Filter,
        sort: Sort,
        after: Option<&After>,
        limit: i64,
    ) -> Result<Vec<DebtRequestDetails>> {
        caller.need(Scope::RequestsRead)?;
        let mut conn = if filter.is_plain() { self.db.read().await? } else { self.db.scan().await? };
        let today = self.today(&mut conn, caller.organization).await?;
        let page = debt_requests::page(&mut conn, caller.organization, filter, sort, after, limit).await?;
        Ok(page.into_iter().map(|request| DebtRequestDetails::new(request, today)).collect())
    }

    /// One debt request.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get_debt_request(&self, caller: &Caller, id: DebtRequestId) -> Result<DebtRequestDetails> {
        caller.need(Scope::RequestsRead)?;
        let mut conn = self.db.read().await?;
        let today = self.today(&mut conn, caller.organization).await?;
        let request = debt_requests::get(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)?;
        Ok(DebtRequestDetails::new(request, today))
    }

    /// How many debt requests a filter has.
    ///
    /// # Errors
    /// The scope `requests:read` is missing.
    pub async fn count_debt_requests(&self, caller: &Caller, filter: &Filter) -> Result<Counts> {
        caller.need(Scope::RequestsRead)?;
        let mut conn = self.db.scan().await?;
        let today = self.today(&mut conn, caller.organization).await?;
        Ok(debt_requests::count(&mut conn, caller.organization, filter, today).await?)
    }

    /// Debt requests by identifiers and numbers, at most 1000 of both together.
    ///
    /// # Errors
    /// A mistake when there are more.
    pub async fn lookup_debt_requests(
        &self,
        caller: &Caller,
        ids: &[DebtRequestId],
        numbers: &[String],
    ) -> Result<DebtRequestLookup> {
        caller.need(Scope::RequestsRead)?;
        if ids.len() + numbers.len() > MOST_NAMES {
            let mistake = Mistake::at("", "too_many", format!("не более {MOST_NAMES} запросов за раз"));
            return Err(Error::Invalid(vec![mistake.with_max(1000)]));
        }
        let mut conn = self.db.scan().await?;
        let today = self.today(&mut conn, caller.organization).await?;
        let found = debt_requests::find(&mut conn, caller.organization, ids, numbers).await?;
        Ok(looked_up(found, ids, numbers, today))
    }

    /// What happened to a debt request, oldest first, after a sequence number.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn list_debt_request_history(
        &self,
        caller: &Caller,
        id: DebtRequestId,
        after: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Event>> {
        caller.need(Scope::RequestsRead)?;
        let mut conn = self.db.read().await?;
        if debt_requests::get(&mut conn, caller.organization, id).await?.is_none() {
            return Err(Error::NotFound);
        }
        Ok(events::of_request(&mut conn, caller.organization, id, after, limit).await?)
    }
}

/// Tells names that were found from those that were not.
fn looked_up(
    found: Vec<DebtRequest>,
    ids: &[DebtRequestId],
    numbers: &[String],
    today: NaiveDate,
) -> DebtRequestLookup {
    let known_ids: HashSet<_> = found.iter().map(|request| request.id).collect();
    let known_numbers: HashSet<_> = found.iter().map(|request| request.gis.request_number.as_str()).collect();
    let ids_not_found = ids.iter().copied().filter(|id| !known_ids.contains(id)).collect();
    let numbers_not_found =
        numbers.iter().filter(|number| !known_numbers.contains(number.as_str())).cloned().collect();
    let found = found.into_iter().map(|request| DebtRequestDetails::new(request, today)).collect();
    DebtRequestLookup { found, ids_not_found, numbers_not_found }
}
