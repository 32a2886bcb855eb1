//! What the use cases stand on. They are methods of [`Service`], one file a noun: `debt_requests`, `answers`,
//! `attachments`, `access`. Those that write take an open transaction, so that the caller can store its receipt beside the
//! effect; those that read take none.

use gis_client::debt_requests::Dictionaries;

use crate::access::TokenCache;
use crate::clock::Clock;
use crate::crash::Point;
use crate::files::FileStore;
use crate::horizon::HorizonCache;
use crate::settings::Settings;
use crate::store::Db;

/// Everything that a use case needs; cheap to share, never to copy.
pub struct Service {
    /// The database.
    pub db: Db,
    /// What time it is.
    pub clock: Clock,
    /// The content of files.
    pub files: FileStore,
    /// Dictionaries 95 and 358 of this stand.
    pub dictionaries: Dictionaries,
    /// What can be set.
    pub settings: Settings,
    /// Tokens as they were a moment ago; begins empty.
    pub tokens: TokenCache,
    /// Organisations' days and last readings as they were a moment ago; begins empty.
    pub horizons: HorizonCache,
}

impl Service {
    /// Marks a point at which a test may let this process die.
    pub(crate) fn reach(&self, point: Point) {
        self.settings.crash_at.reach(point);
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Service").finish_non_exhaustive()
    }
}
