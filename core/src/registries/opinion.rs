//! What the registries that answer say of debt requests at this moment, whoever asks: nothing is stored.
//!
//! An organisation has a registry of its own, and its departments may have theirs. A request is asked of the first, and of
//! that of its department; while nobody knows its department, of all of them. What the others have rows of counts too: «no
//! debt» is never said of a place of which anybody in the organisation knows a debt, or may know one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::auto_answer::Opinion;
use crate::domain::court_debt::Origin;
use crate::domain::debt_request::DebtRequest;
use crate::domain::house::HouseBook;
use crate::domain::matching::{Decision, weight};
use crate::domain::registry::Registry;
use crate::error::Result;
use crate::ids::{DebtRequestId, OrganizationId, RegistryId};
use crate::match_runs::{compare, known_houses};
use crate::store::{Conn, registries};

/// What is said of requests of one organisation that would be answered today.
pub(crate) async fn opinions(
    conn: &mut Conn,
    organization: OrganizationId,
    requests: &[&DebtRequest],
    today: NaiveDate,
) -> Result<BTreeMap<DebtRequestId, Opinion>> {
    let mut opinions: BTreeMap<_, _> =
        requests.iter().map(|request| (request.id, Opinion::default())).collect();
    if requests.is_empty() {
        return Ok(opinions);
    }
    let book = known_houses(conn, organization, requests).await?;
    for registry in registries::all_active(conn, organization).await? {
        let decided = ask(conn, &registry, requests, today, &book).await?;
        if decided.is_empty() {
            continue;
        }
        let as_of = as_of(conn, &registry).await?;
        for (id, decision) in decided {
            if let Some(opinion) = opinions.get_mut(&id) {
                *opinion = opinion.and(decision.result, as_of);
            }
        }
    }
    Ok(opinions)
}

/// What the registries that answer besides one say of requests, each for itself.
pub(crate) async fn second_opinions(
    conn: &mut Conn,
    organization: OrganizationId,
    first: RegistryId,
    requests: &[&DebtRequest],
    today: NaiveDate,
    book: &HouseBook,
) -> Result<BTreeMap<DebtRequestId, Vec<Decision>>> {
    let mut said: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let all = registries::all_active(conn, organization).await?;
    for registry in all.into_iter().filter(|registry| registry.id != first) {
        for (id, decision) in ask(conn, &registry, requests, today, book).await? {
            said.entry(id).or_default().push(decision);
        }
    }
    Ok(said)
}

/// What a registry says of those requests that it is asked about, and of others whose place it has rows of.
async fn ask(
    conn: &mut Conn,
    registry: &Registry,
    requests: &[&DebtRequest],
    today: NaiveDate,
    book: &HouseBook,
) -> Result<BTreeMap<DebtRequestId, Decision>> {
    let asked: BTreeSet<_> =
        requests.iter().filter(|request| is_asked(registry, request)).map(|request| request.id).collect();
    let mut said = compare(conn, registry.id, requests, today, book).await?;
    said.retain(|id, decision| asked.contains(id) || knows_of_it(decision));
    Ok(said)
}

/// Whether rows speak against «no debt», and not only the lack of rows.
const fn knows_of_it(decision: &Decision) -> bool {
    weight(decision.result) > 0 && !decision.candidates.is_empty()
}

fn is_asked(registry: &Registry, request: &DebtRequest) -> bool {
    registry.department.is_none() || request.department.is_none() || registry.department == request.department
}

/// Of when a registry is: a file of the day on which it came, rows added one by one of their last change.
async fn as_of(conn: &mut Conn, registry: &Registry) -> Result<DateTime<Utc>> {
    let changed = match registry.origin {
        Origin::Workbook => None,
        Origin::Single => registries::last_change(conn, registry.id).await?,
    };
    Ok(changed.unwrap_or(registry.created_at))
}
