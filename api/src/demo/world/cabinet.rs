//! What others do in GIS: somebody in the personal cabinet writes over an answer of ours.

use anyhow::Result;
use chrono::{Days, NaiveDate};
use debt_core::Error;
use debt_core::domain::answer::State;
use debt_core::ids::DebtRequestId;
use gis_sim::control::{CabinetAnswer, CabinetDebtor};

use super::{Furnisher, finish};

/// How far back the report of the examples goes, as it does when nobody says.
const PERIOD: Days = Days::new(30);

impl Furnisher<'_> {
    /// After it the report has a difference to show: we said that there is no debt, GIS shows one.
    pub(super) async fn contradict(&self, request: DebtRequestId) -> Result<()> {
        let ours = self.answer(request, None, true).await?;
        self.work_until(async || Ok(self.state_of(ours).await? == State::Delivered)).await?;
        let debtor = CabinetDebtor {
            first: "Пётр".to_owned(),
            last: "Вымышленный".to_owned(),
            middle: None,
            snils: None,
        };
        let answer = CabinetAnswer { has_debt: true, debtors: vec![debtor], ..CabinetAnswer::default() };
        self.sim.control().answer_in_cabinet(request.as_uuid(), &answer)?;
        self.work_until(async || self.start_sync().await).await?;
        let (from, to) = self.period().await?;
        self.work_until(async || {
            let report = self.service.reconcile(self.caller, from, to).await?;
            Ok(report.differences.iter().any(|difference| difference.debt_request == request))
        })
        .await
    }

    /// Begins a reading of GIS, unless the last one was a moment ago.
    async fn start_sync(&self) -> Result<bool> {
        let mut tx = self.begin().await?;
        match self.service.start_sync(&mut tx, self.caller).await {
            Ok(_) => finish(tx).await.map(|()| true),
            Err(Error::TooEarly { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The days of the examples' report.
    pub(super) async fn period(&self) -> Result<(NaiveDate, NaiveDate)> {
        let today = self.service.day_of(self.caller).await?;
        Ok((today.checked_sub_days(PERIOD).unwrap_or(today), today))
    }
}
