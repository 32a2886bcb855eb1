//! Debt requests: read from our mirror, never from GIS, and given to employees (`api.md` §4.2, §4.3, §4.5).

mod assign;
mod details;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

pub use self::assign::AssignDebtRequest;
use self::details::names_of;
pub use self::details::{AssignedNames, DebtRequestDetails};
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
/// Most debt requests that one look-up gives: a number may stand for a great many.
const MOST_FOUND: usize = 10_000;

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
        let names = names_of(&mut conn, caller.organization, &page).await?;
        Ok(page.into_iter().map(|request| DebtRequestDetails::new(request, &names, today)).collect())
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
        let names = names_of(&mut conn, caller.organization, [&request]).await?;
        Ok(DebtRequestDetails::new(request, &names, today))
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
    /// A mistake when there are more, or when they are the names of too many.
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
        let most = i64::try_from(MOST_FOUND + 1).map_err(Error::internal)?;
        let found = debt_requests::find_some(&mut conn, caller.organization, ids, numbers, most).await?;
        bear(found.len())?;
        let names = names_of(&mut conn, caller.organization, &found).await?;
        Ok(looked_up(found, ids, numbers, |request| DebtRequestDetails::new(request, &names, today)))
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

/// Refuses a look-up that finds more than one reply should hold.
fn bear(found: usize) -> Result<()> {
    if found <= MOST_FOUND {
        return Ok(());
    }
    let detail = format!(
        "по этим номерам больше {MOST_FOUND} запросов; назовите меньше номеров или возьмите список с request_number"
    );
    Err(Error::Invalid(vec![Mistake::at("/request_numbers", "too_many_found", detail)]))
}

/// Tells names that were found from those that were not.
fn looked_up(
    found: Vec<DebtRequest>,
    ids: &[DebtRequestId],
    numbers: &[String],
    details: impl Fn(DebtRequest) -> DebtRequestDetails,
) -> DebtRequestLookup {
    let known_ids: HashSet<_> = found.iter().map(|request| request.id).collect();
    let known_numbers: HashSet<_> = found.iter().map(|request| request.gis.request_number.as_str()).collect();
    let ids_not_found = ids.iter().copied().filter(|id| !known_ids.contains(id)).collect();
    let numbers_not_found =
        numbers.iter().filter(|number| !known_numbers.contains(number.as_str())).cloned().collect();
    let found = found.into_iter().map(details).collect();
    DebtRequestLookup { found, ids_not_found, numbers_not_found }
}
