//! The period of a report: `from` and `to`, days of the organisation, both included.

use chrono::{Days, NaiveDate};
use debt_core::domain::caller::Caller;

use crate::problem::Failure;
use crate::query::Query;
use crate::state::AppState;

/// How far back a report goes when nobody says: longer than any debt request is open.
const USUAL: Days = Days::new(30);

/// The period as it was asked for.
pub(super) struct Period {
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
}

impl Period {
    pub(super) fn read(query: &mut Query) -> Self {
        Self { from: query.one("from"), to: query.one("to") }
    }

    /// First and last day: until today and for thirty days, where nobody says otherwise.
    pub(super) async fn days(
        self,
        state: &AppState,
        caller: &Caller,
    ) -> Result<(NaiveDate, NaiveDate), Failure> {
        let to = match self.to {
            Some(to) => to,
            None => state.service.day_of(caller).await?,
        };
        Ok((self.from.unwrap_or_else(|| to.checked_sub_days(USUAL).unwrap_or(to)), to))
    }
}
