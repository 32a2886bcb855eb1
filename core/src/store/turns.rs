//! Whose turn it is, where the work of many organisations stands in one table.

use std::collections::HashMap;

use super::types::Ts;
use crate::ids::OrganizationId;

/// Organisations with since when they wait, and when each last had something ended and until when it is held: one that is
/// being served now, or was a moment ago, comes last; among those never served the one that waits longest comes first.
pub(super) fn by_turns(
    waiting: Vec<(OrganizationId, Option<Ts>)>,
    served: Vec<(OrganizationId, Option<Ts>, Option<Ts>)>,
) -> Vec<OrganizationId> {
    let served: HashMap<OrganizationId, Option<Ts>> =
        served.into_iter().map(|(organization, ended, held)| (organization, ended.max(held))).collect();
    let mut queue: Vec<_> = waiting
        .into_iter()
        .map(|(organization, since)| (served.get(&organization).copied().flatten(), since, organization))
        .collect();
    queue.sort_unstable();
    queue.into_iter().map(|(.., organization)| organization).collect()
}
