//! The period of a report: `from` and `to`, days of the organisation, both included.

use chrono::{Days, NaiveDate};
use debt_core::domain::caller::Caller;
use utoipa::IntoParams;

use crate::examples;
use crate::problem::Failure;
use crate::query::Query;
use crate::state::AppState;

/// How far back a report goes when nobody says: longer than any debt request is open.
const USUAL: Days = Days::new(30);

/// The days that a report is about.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; `Period::read` reads them")]
pub(super) struct PeriodParameters {
    /// Первый день направления запросов; обычно за 30 дней до последнего.
    #[param(example = json!(examples::FIRST_DAY))]
    from: Option<NaiveDate>,
    /// Последний день направления запросов; обычно сегодня.
    #[param(example = json!(examples::LAST_DAY))]
    to: Option<NaiveDate>,
}

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
