//! Organisations and tokens beside those that the demo works with.

use anyhow::Result;
use debt_core::access::NewOrganization;
use debt_core::domain::caller::{Scope, Scopes};
use debt_core::ids::{OrganizationId, TokenId};
use debt_core::tokens::GrantToken;
use uuid::Uuid;

use super::{Furnisher, finish};
use crate::examples;

impl Furnisher<'_> {
    /// An organisation that GIS knows nothing of, so that it stays without debt requests, and two tokens.
    pub(super) async fn access(&self) -> Result<[(&'static str, String); 5]> {
        let idle = self.idle_organization().await?;
        Ok([
            (examples::ORGANIZATION, self.caller.organization.to_string()),
            (examples::ORGANIZATION_TO_DELETE, idle.to_string()),
            // Nobody has it yet, also where data were kept.
            (examples::SUPPLIER, Uuid::new_v4().to_string()),
            (examples::TOKEN, self.token("1С Биллинг").await?.to_string()),
            (examples::TOKEN_TO_REVOKE, self.token("Прежний биллинг").await?.to_string()),
        ])
    }

    async fn idle_organization(&self) -> Result<OrganizationId> {
        let new = NewOrganization {
            id: None,
            name: "УК «Лишняя»".to_owned(),
            ogrn: "1026605606620".parse()?,
            ppa_guid: Uuid::new_v4(),
            signer: "main".to_owned(),
            time_zone: chrono_tz::Europe::Moscow,
            executors: Vec::new(),
        };
        let mut tx = self.begin().await?;
        let organization = self.service.open_organization(&mut tx, self.caller, new).await?;
        finish(tx).await?;
        Ok(organization.id)
    }

    async fn token(&self, name: &str) -> Result<TokenId> {
        let grant = GrantToken {
            name: name.to_owned(),
            scopes: Scopes::from_iter([Scope::RequestsRead, Scope::AnswersRead]),
            organizations: Vec::new(),
            employee: None,
            days: 30,
        };
        let mut tx = self.begin().await?;
        let seen = self.service.grant_token(&mut tx, self.caller, grant).await?;
        finish(tx).await?;
        Ok(seen.token.id)
    }
}
