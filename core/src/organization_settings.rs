//! How an organisation sets anything for itself.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Service;
use crate::domain::caller::{Caller, Scope};
use crate::domain::settings::{OrganizationSettings, Standing};
use crate::error::{Error, Result};
use crate::store::{Tx, organization_settings, organizations};

impl Service {
    /// Sets all that belongs to a subject. What changes nothing leaves the version alone: clients repeat requests by
    /// themselves.
    pub(crate) async fn put_settings<T>(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        settings: T,
        if_match: Option<i64>,
    ) -> Result<Standing<T>>
    where
        T: OrganizationSettings + PartialEq + Serialize + DeserializeOwned + Sync,
    {
        caller.need(Scope::SettingsWrite)?;
        // Two that set it at once come one after the other.
        organizations::hold(tx, caller.organization).await?;
        let standing: Standing<T> = organization_settings::get(tx, caller.organization).await?;
        let current = standing.version;
        if if_match.is_some_and(|version| version != current) {
            return Err(Error::VersionMismatch { current });
        }
        if standing.settings == settings {
            return Ok(standing);
        }
        let (version, now) = (current + 1, self.clock.now());
        organization_settings::put(tx, caller.organization, &settings, version, now).await?;
        Ok(Standing { settings, version, updated_at: Some(now) })
    }
}
