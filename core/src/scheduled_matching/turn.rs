//! Which match comes next by itself: by which registry, and of which requests.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::debt_request::{DebtRequest, Match, ResponseStatus, Stage};
use crate::domain::match_run::{MatchMode, MatchRound};
use crate::domain::registry::Registry;
use crate::domain::settings::MatchingSettings;
use crate::error::Result;
use crate::ids::{DebtRequestId, DepartmentId, OrganizationId};
use crate::match_runs::{MOST, NewRun, walk};
use crate::store::debt_requests::{DepartmentFilter, Filter};
use crate::store::{Conn, Tx, match_rounds, match_runs, matches_due, registries};

/// Who begins such a match.
const AUTHOR: &str = "sync";

/// What calls for a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// A reading of GIS that ended then.
    Reading(DateTime<Utc>),
    /// A round in which a run is still to come. It goes before readings: they are served by the next one.
    Round(MatchRound),
}

impl Call {
    pub(super) async fn of(conn: &mut Conn, organization: OrganizationId) -> Result<Option<Self>> {
        if let Some(round) = match_rounds::get(conn, organization).await? {
            return Ok(Some(Self::Round(round)));
        }
        Ok(matches_due::since(conn, organization).await?.map(Self::Reading))
    }

    /// It is answered; `false` when it is not as it was.
    pub(super) async fn take(self, tx: &mut Tx, organization: OrganizationId) -> Result<bool> {
        Ok(match self {
            Self::Reading(since) => matches_due::take(tx, organization, since).await?,
            Self::Round(round) => match_rounds::take(tx, organization, round).await?,
        })
    }

    const fn round(self) -> Option<MatchRound> {
        match self {
            Self::Reading(_) => None,
            Self::Round(round) => Some(round),
        }
    }
}

/// The match that comes next.
#[derive(Debug)]
pub(super) struct Turn {
    registry: Registry,
    requests: Vec<DebtRequestId>,
}

impl Turn {
    /// `None` when there is nothing to be matched, or nothing to match it with.
    pub(super) async fn of(
        conn: &mut Conn,
        organization: OrganizationId,
        settings: &MatchingSettings,
        call: Call,
    ) -> Result<Option<Self>> {
        // A round is over when matches are not wished any more, or by the registry of one department alone.
        let goes_on = call.round().is_none() || settings.department.is_none();
        if !settings.follows_sync() || !goes_on {
            return Ok(None);
        }
        let active = registries::all_active(conn, organization).await?;
        let Some(registry) = next(settings, &active, call.round()) else { return Ok(None) };
        let known: Vec<_> = match settings.department {
            Some(_) => vec![registry.id.as_uuid()],
            None => active.iter().map(|registry| registry.id.as_uuid()).collect(),
        };
        let waiting = |request| Waiting::of(&request, &known);
        let open = walk(conn, organization, &open(settings), MOST, waiting).await?;
        let requests = match call {
            Call::Reading(_) => in_turn(open, settings.max_per_run),
            Call::Round(round) => {
                let left: HashSet<_> =
                    match_runs::without_debt(conn, round.last_run).await?.into_iter().collect();
                open.into_iter().map(|request| request.id).filter(|id| left.contains(id)).collect()
            }
        };
        let registry = registry.clone();
        Ok((!requests.is_empty()).then_some(Self { registry, requests }))
    }

    /// The department after whose run a round goes on.
    pub(super) fn department(&self, settings: &MatchingSettings) -> Option<DepartmentId> {
        self.registry.department.filter(|_| settings.department.is_none())
    }

    /// The run of it. A branch of a round answers debts alone: «no debt» is left to the head office.
    pub(super) fn run(self, organization: OrganizationId, settings: &MatchingSettings) -> NewRun {
        NewRun {
            organization,
            department: self.registry.department,
            registry: self.registry.id,
            mode: if settings.submit { MatchMode::Submit } else { MatchMode::Prepare },
            only_debts: settings.only_debts || self.department(settings).is_some(),
            requests: self.requests,
            started_by: AUTHOR.to_owned(),
            automatic: true,
            employee: None,
        }
    }
}

/// The registry whose turn it is: that of the department which the settings name; else those of the departments, in the order
/// in which these were made, then that of the organisation.
fn next<'a>(
    settings: &MatchingSettings,
    active: &'a [Registry],
    round: Option<MatchRound>,
) -> Option<&'a Registry> {
    if settings.department.is_some() {
        return active.iter().find(|registry| registry.department == settings.department);
    }
    // Nothing comes before every department.
    let last = round.map(|round| round.department);
    let branches = active.iter().filter(|registry| registry.department > last);
    let of_organization = || active.iter().find(|registry| registry.department.is_none());
    branches.min_by_key(|registry| registry.department).or_else(of_organization)
}

/// Requests that nobody has answered or begun to. A department's registry says «no debt» of its own requests alone; a debt
/// that it knows is one, whoever the request was given to.
fn open(settings: &MatchingSettings) -> Filter {
    Filter {
        answered: Some(false),
        has_draft: Some(false),
        stages: vec![Stage::New],
        response_statuses: vec![ResponseStatus::NotSent],
        department: settings.department.filter(|_| !settings.only_debts).map(DepartmentFilter::Is),
        ..Filter::default()
    }
}

/// A request that may be matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waiting {
    id: DebtRequestId,
    /// When it was last compared with one of the registries that answer now.
    matched_at: Option<DateTime<Utc>>,
}

impl Waiting {
    fn of(request: &DebtRequest, known: &[Uuid]) -> Self {
        let by_these = |last: &Match| last.registry_id.is_some_and(|registry| known.contains(&registry));
        Self { id: request.id, matched_at: request.matched.filter(by_these).map(|last| last.checked_at) }
    }
}

/// Those whose turn it is: first what was never compared with these registries, the nearest deadline first, then what was
/// compared longest ago. So what a match leaves open does not keep the others out for ever.
fn in_turn(mut waiting: Vec<Waiting>, most: u32) -> Vec<DebtRequestId> {
    waiting.sort_by_key(|request| request.matched_at);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    waiting.into_iter().take(most).map(|request| request.id).collect()
}
