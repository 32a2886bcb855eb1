//! What every reader of an organisation's debt requests is told beside them: which day it is there, and how old the
//! mirror is. Each list asks for it, so it is kept for a moment.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::Service;
use crate::domain::caller::Caller;
use crate::error::{Error, Result};
use crate::ids::OrganizationId;
use crate::store::{Conn, organizations, sync_runs};

/// How old a horizon may be.
const LIFE: TimeDelta = TimeDelta::seconds(1);

/// Where an organisation stands in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Horizon {
    time_zone: Tz,
    /// When the last reading of GIS ended well.
    as_of: Option<DateTime<Utc>>,
    known_at: DateTime<Utc>,
}

/// Horizons as they were a moment ago, one for each organisation.
#[derive(Debug, Default)]
pub struct HorizonCache(Mutex<HashMap<OrganizationId, Horizon>>);

impl HorizonCache {
    /// A clock that went back makes an entry old, never eternal.
    fn get(&self, organization: OrganizationId, now: DateTime<Utc>) -> Option<Horizon> {
        let fresh = |horizon: &Horizon| (TimeDelta::zero()..LIFE).contains(&(now - horizon.known_at));
        self.entries().get(&organization).copied().filter(fresh)
    }

    /// Nothing in here can be left half done by a panic.
    fn entries(&self) -> MutexGuard<'_, HashMap<OrganizationId, Horizon>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    /// The day that it is for the caller's organisation.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn day_of(&self, caller: &Caller) -> Result<NaiveDate> {
        let mut conn = self.db.read().await?;
        self.today(&mut conn, caller.organization).await
    }

    /// When the mirror of the caller's organisation was last read from GIS without an error; `None` before the first
    /// time. At most a second old.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn data_as_of(&self, caller: &Caller) -> Result<Option<DateTime<Utc>>> {
        if let Some(horizon) = self.horizons.get(caller.organization, self.clock.now()) {
            return Ok(horizon.as_of);
        }
        let mut conn = self.db.read().await?;
        Ok(self.horizon(&mut conn, caller.organization).await?.as_of)
    }

    /// The day that it is for an organisation.
    pub(crate) async fn today(&self, conn: &mut Conn, organization: OrganizationId) -> Result<NaiveDate> {
        let horizon = self.horizon(conn, organization).await?;
        Ok(self.clock.now().with_timezone(&horizon.time_zone).date_naive())
    }

    async fn horizon(&self, conn: &mut Conn, organization: OrganizationId) -> Result<Horizon> {
        let now = self.clock.now();
        if let Some(horizon) = self.horizons.get(organization, now) {
            return Ok(horizon);
        }
        let time_zone = organizations::get(conn, organization).await?.ok_or(Error::NotFound)?.time_zone;
        let as_of = sync_runs::last_success(conn, organization).await?;
        let horizon = Horizon { time_zone, as_of, known_at: now };
        self.horizons.entries().insert(organization, horizon);
        Ok(horizon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples::at;

    #[test]
    fn a_horizon_is_kept_for_a_second() {
        let cache = HorizonCache::default();
        let organization = OrganizationId::generate();
        let horizon = Horizon { time_zone: Tz::Europe__Moscow, as_of: None, known_at: at(0) };
        cache.entries().insert(organization, horizon);
        assert_eq!(cache.get(organization, at(999_999)), Some(horizon));
        assert_eq!(cache.get(organization, at(1_000_000)), None);
        assert_eq!(cache.get(organization, at(-1)), None, "the clock went back");
        assert_eq!(cache.get(OrganizationId::generate(), at(0)), None);
    }
}
