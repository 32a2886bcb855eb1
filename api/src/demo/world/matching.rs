//! What the debt requests of the demo are compared with: the registry of court debts and the book of accounts.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use bytes::Bytes;
use chrono::NaiveDate;
use debt_core::accounts::{NewAccount, NewBook};
use debt_core::answers::DebtorDraft;
use debt_core::domain::debt_request::Address;
use debt_core::domain::match_run::MatchMode;
use debt_core::domain::premises::Premises;
use debt_core::ids::{CourtDebtId, DebtRequestId, MatchRunId, RegistryId};
use debt_core::match_runs::{MatchScope, StartMatchRun};
use debt_core::registries::{CourtDebtDraft, NewRegistry};
use debt_core::store::debt_requests::{Filter, Sort, SortBy};
use uuid::Uuid;

use super::{Furnisher, NEEDED, finish};

impl Furnisher<'_> {
    /// A book of accounts for the premises of the first requests, so that exports show some.
    pub(super) async fn accounts(&self) -> Result<()> {
        let sort = Sort { by: SortBy::DueOn, descending: true };
        let found = self.service.list_debt_requests(self.caller, &Filter::default(), sort, None, 50).await?;
        let addresses = found.into_iter().map(|details| details.request.gis.address);
        let places: BTreeSet<_> = addresses
            .filter_map(|address| Some((address.fias_house_id?, address.premises?)))
            .filter(|(_, premises)| Premises::read(premises).is_understood())
            .collect();
        let account = |(number, (fias_house_id, premises)): (u32, _)| NewAccount {
            fias_house_id,
            premises: Some(premises),
            unified_account: Some(format!("70НН{number:06}")),
            account: Some(format!("{number:010}")),
        };
        let rows = (1..).zip(places).map(account).collect();
        let checked = self.service.check_accounts(self.caller, NewBook::Rows(rows)).await?;
        let mut tx = self.begin().await?;
        self.service.replace_accounts(&mut tx, self.caller, checked).await?;
        finish(tx).await
    }

    pub(super) async fn registry(&self) -> Result<RegistryId> {
        let file = NewRegistry {
            file_name: "Реестр 1027700132195.xlsx".to_owned(),
            content: Bytes::from_static(include_bytes!("../registry.xlsx")),
            scans: None,
            ogrn: None,
            department: None,
        };
        let checked = self.service.check_registry(self.caller, file).await?;
        let mut tx = self.begin().await?;
        let registry = self.service.store_registry(&mut tx, self.caller, checked).await?;
        // It answers already, so that the rows of the examples belong to it.
        let registry = self.service.activate_registry(&mut tx, self.caller, registry.id).await?;
        finish(tx).await?;
        Ok(registry.id)
    }

    /// The address of the first request behind the examples that tells its house and premises well enough to be found, and that
    /// none in front of it is about: nobody answers «no debt» where the registry has a debt.
    pub(super) async fn asked_address(&self, requests: &[DebtRequestId]) -> Result<Address> {
        let mut before = Vec::new();
        for (place, request) in requests.iter().enumerate() {
            let address = self.service.get_debt_request(self.caller, *request).await?.request.gis.address;
            let premises = address.premises.as_deref().map(Premises::read);
            let is_clear =
                address.fias_house_id.is_some() && premises.is_some_and(|premises| premises.is_understood());
            if is_clear && place >= NEEDED && !before.contains(&address) {
                return Ok(address);
            }
            before.push(address);
        }
        bail!("ни у одного запроса нет дома по ФИАС и понятного помещения; задайте --requests побольше")
    }

    /// A row of the registry for premises that somebody asks about, or, with an empty address, for others.
    pub(super) async fn court_debt(&self, address: Address) -> Result<CourtDebtId> {
        let debtor = DebtorDraft {
            last_name: "Вымышленный".to_owned(),
            first_name: "Пётр".to_owned(),
            ..DebtorDraft::default()
        };
        let draft = CourtDebtDraft {
            department: None,
            fias_house_id: address.fias_house_id.unwrap_or_else(Uuid::now_v7),
            gis_house_id: None,
            address: None,
            premises: address.premises.unwrap_or_else(|| "кв. 12".to_owned()),
            in_force_from: NaiveDate::from_ymd_opt(2025, 3, 12).unwrap_or_default(),
            repaid_on: None,
            debtors: vec![debtor],
            attachments: Vec::new(),
            comment: None,
        };
        let mut tx = self.begin().await?;
        let kept = self.service.add_court_debt(&mut tx, self.caller, draft).await?;
        finish(tx).await?;
        Ok(kept.debt.entry.id)
    }

    /// A match of everything, left to the jobs.
    pub(super) async fn match_run(&self) -> Result<MatchRunId> {
        let scope = MatchScope::Filter(Box::default());
        let requests = self.service.match_scope(self.caller, scope).await?;
        let command =
            StartMatchRun { requests, mode: MatchMode::Preview, only_debts: false, department: None };
        let mut tx = self.begin().await?;
        let details = self.service.start_match_run(&mut tx, self.caller, command).await?;
        finish(tx).await?;
        Ok(details.run.id)
    }
}
