//! Who is served: an organisation finds its subrequests at its first call.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Engine;
use crate::clock::moscow_day;
use crate::seed::{self, Info};

impl Engine {
    /// Whether this organisation is served; at its first call it gets its invented subrequests.
    pub(crate) fn serves(&mut self, organization: Uuid, now: DateTime<Utc>) -> bool {
        let listed = self.seeds.organizations.is_empty() || self.seeds.organizations.contains(&organization);
        if !listed || self.world.knows(organization) {
            return listed;
        }
        if let Err(problem) = self.world.admit(organization) {
            tracing::warn!(%problem, "an organisation is turned away");
            return false;
        }
        self.invent(organization, now);
        true
    }

    /// The next invented subrequest of an organisation; it is not added to the world.
    pub(crate) fn next_invented(&mut self, organization: Uuid, now: DateTime<Utc>) -> (u64, Info) {
        let next = self.invented.entry(organization).or_insert(0);
        let index = *next;
        *next += 1;
        let today = moscow_day(now);
        (index, seed::subrequest(self.seeds.seed, organization, index, today, &self.scenario.requests))
    }

    fn invent(&mut self, organization: Uuid, now: DateTime<Utc>) {
        for _ in 0..self.seeds.requests {
            let (index, info) = self.next_invented(organization, now);
            if let Err(problem) = self.add_subrequest(organization, info) {
                tracing::warn!(%problem, index, "no more subrequests are invented");
                return;
            }
        }
    }
}
