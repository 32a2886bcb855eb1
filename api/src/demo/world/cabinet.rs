//! What others do in GIS: somebody in the personal cabinet writes over an answer of ours.

use anyhow::Result;
use chrono::{Days, NaiveDate};
use debt_core::ids::DebtRequestId;
use gis_sim::control::{CabinetAnswer, CabinetDebtor};

use super::Furnisher;

/// How far back the report of the examples goes, as it does when nobody says.
const PERIOD: Days = Days::new(30);

impl Furnisher<'_> {
    /// As soon as the jobs look at GIS again, in about a minute, the report has a difference to show: we said that there is no
    /// debt, GIS shows one.
    pub(super) fn contradict(&self, request: DebtRequestId) -> Result<()> {
        let debtor = CabinetDebtor {
            first: "Пётр".to_owned(),
            last: "Вымышленный".to_owned(),
            middle: None,
            snils: None,
        };
        let answer = CabinetAnswer { has_debt: true, debtors: vec![debtor], ..CabinetAnswer::default() };
        Ok(self.sim.control().answer_in_cabinet(request.as_uuid(), &answer)?)
    }

    /// The days of the examples' report.
    pub(super) async fn period(&self) -> Result<(NaiveDate, NaiveDate)> {
        let today = self.service.day_of(self.caller).await?;
        Ok((today.checked_sub_days(PERIOD).unwrap_or(today), today))
    }
}
