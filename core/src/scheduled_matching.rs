//! Matches with the registry that begin by themselves after each reading of GIS (`api.md` §12.3).
//!
//! A reading that has ended notes that a match is due, in its own transaction, so none is lost; the job `matching` begins it
//! once no other one is under way and takes the note away in the same transaction, so none is made twice. A reading that ends
//! while the requests are looked for notes it anew, and they are looked for once more.

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

use crate::Service;
use crate::audit::record_own;
use crate::departments::unknown_department;
use crate::domain::caller::{Caller, Scope};
use crate::domain::debt_request::{DebtRequest, Match, ResponseStatus, Stage};
use crate::domain::match_run::MatchMode;
use crate::domain::registry::Registry;
use crate::domain::settings::{MatchingSettings, Standing};
use crate::error::{Error, Result};
use crate::ids::{DebtRequestId, OrganizationId, RegistryId};
use crate::jobs::JobName;
use crate::match_runs::{MOST, NewRun, begin, walk};
use crate::store::debt_requests::{DepartmentFilter, Filter};
use crate::store::{Tx, match_runs, matches_due, organization_settings, registries};

/// Who begins such a match.
const AUTHOR: &str = "sync";

impl Service {
    /// What is set.
    ///
    /// # Errors
    /// The scope `settings:read` is missing.
    pub async fn matching_settings(&self, caller: &Caller) -> Result<Standing<MatchingSettings>> {
        caller.need(Scope::SettingsRead)?;
        let mut conn = self.db.read().await?;
        Ok(organization_settings::get(&mut conn, caller.organization).await?)
    }

    /// Sets all of it.
    ///
    /// # Errors
    /// [`Error::VersionMismatch`]; there is no such department.
    pub async fn set_matching(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        settings: MatchingSettings,
        if_match: Option<i64>,
    ) -> Result<Standing<MatchingSettings>> {
        caller.need(Scope::SettingsWrite)?;
        let unknown = unknown_department(tx, caller.organization, settings.department, "/department_id");
        if let Some(mistake) = unknown.await? {
            return Err(Error::Invalid(vec![mistake]));
        }
        self.put_settings(tx, caller, settings, if_match).await
    }

    /// Begins the match that is due for an organisation, if nothing is in its way; whether anything was done.
    pub(crate) async fn begin_due_match(&self, organization: OrganizationId) -> Result<bool> {
        let mut conn = self.db.scan().await?;
        if match_runs::is_running(&mut conn, organization).await? {
            return Ok(false);
        }
        let Some(due_since) = matches_due::since(&mut conn, organization).await? else { return Ok(false) };
        let Standing { settings, .. } =
            organization_settings::get::<MatchingSettings>(&mut conn, organization).await?;
        let registry = registries::active(&mut conn, organization, settings.department).await?;
        let requests = match &registry {
            Some(registry) if settings.follows_sync() => {
                let waiting = |request| Waiting::of(&request, registry.id);
                let open = walk(&mut conn, organization, &open(&settings), MOST, waiting).await?;
                in_turn(open, settings.max_per_run)
            }
            Some(_) | None => Vec::new(),
        };
        drop(conn);
        let mut tx = self.db.begin().await?;
        // A reading that ended meanwhile has noted it anew: what it brought was perhaps not seen.
        if !matches_due::take(&mut tx, organization, due_since).await? {
            return Ok(true);
        }
        let now: Standing<MatchingSettings> = organization_settings::get(&mut tx, organization).await?;
        if now.settings != settings {
            return Ok(true);
        }
        if let Some(registry) = registry.filter(|_| !requests.is_empty()) {
            let run = new_run(organization, &registry, &settings, requests);
            match begin(&mut tx, run, self.clock.now()).await {
                Ok(run) => {
                    let target = format!("match-runs/{}", run.id);
                    record_own(&mut tx, organization, "start_match_run", vec![target], run.created_at)
                        .await?;
                }
                // A client was quicker: the note stays, and the match follows that one.
                Err(error) if error.is_unique() => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// A reading has ended well: a match is due where the organisation wants one.
pub(crate) async fn note_sync(tx: &mut Tx, organization: OrganizationId, now: DateTime<Utc>) -> Result<()> {
    let Standing { settings, .. } = organization_settings::get::<MatchingSettings>(tx, organization).await?;
    if settings.follows_sync() {
        matches_due::note(tx, organization, now).await?;
        tx.wake(JobName::Matching);
    }
    Ok(())
}

fn new_run(
    organization: OrganizationId,
    registry: &Registry,
    settings: &MatchingSettings,
    requests: Vec<DebtRequestId>,
) -> NewRun {
    NewRun {
        organization,
        department: settings.department,
        registry: registry.id,
        mode: if settings.submit { MatchMode::Submit } else { MatchMode::Prepare },
        only_debts: settings.only_debts,
        requests,
        started_by: AUTHOR.to_owned(),
        automatic: true,
        employee: None,
    }
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
    /// When it was last compared with the registry that answers now.
    matched_at: Option<DateTime<Utc>>,
}

impl Waiting {
    fn of(request: &DebtRequest, registry: RegistryId) -> Self {
        let by_this = |last: &Match| last.registry_id == Some(registry.as_uuid());
        Self { id: request.id, matched_at: request.matched.filter(by_this).map(|last| last.checked_at) }
    }
}

/// Those whose turn it is: first what was never compared with this registry, the nearest deadline first, then what was
/// compared longest ago. So what a match leaves open does not keep the others out for ever.
fn in_turn(mut waiting: Vec<Waiting>, most: u32) -> Vec<DebtRequestId> {
    waiting.sort_by_key(|request| request.matched_at);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    waiting.into_iter().take(most).map(|request| request.id).collect()
}
