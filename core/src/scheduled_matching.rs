//! Matches with the registry that begin by themselves after each reading of GIS (`api.md` §12.3).
//!
//! A reading that has ended notes that a match is due, in its own transaction, so none is lost; the job `matching` begins it
//! once no other one is under way and takes the note away in the same transaction, so none is made twice. A reading that ends
//! while the requests are looked for notes it anew, and they are looked for once more.
//!
//! Where departments have registries of their own, a match is a round of runs (F78): every branch answers the debts that its
//! registry knows, then the organisation answers by its own. The row of the round says which run comes next; what a
//! reading brings meanwhile is matched in the next round.

#[cfg(test)]
mod tests;
mod turn;

use chrono::{DateTime, Utc};

use self::turn::{Call, Turn};
use crate::Service;
use crate::audit::record_own;
use crate::departments::unknown_department;
use crate::domain::caller::{Caller, Scope};
use crate::domain::match_run::MatchRound;
use crate::domain::settings::{MatchingSettings, Standing};
use crate::error::{Error, Result};
use crate::ids::OrganizationId;
use crate::jobs::JobName;
use crate::match_runs::begin;
use crate::store::{Tx, match_rounds, match_runs, matches_due, organization_settings};

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

    /// Begins the match that comes next for an organisation, if nothing is in its way; whether anything was done.
    pub(crate) async fn begin_due_match(&self, organization: OrganizationId) -> Result<bool> {
        let mut conn = self.db.scan().await?;
        let Some(call) = Call::of(&mut conn, organization).await? else { return Ok(false) };
        // A run and its round are committed together: whoever saw the round sees the run.
        if match_runs::is_running(&mut conn, organization).await? {
            return Ok(false);
        }
        let Standing { settings, .. } =
            organization_settings::get::<MatchingSettings>(&mut conn, organization).await?;
        let turn = Turn::of(&mut conn, organization, &settings, call).await?;
        drop(conn);
        let mut tx = self.db.begin().await?;
        // Another instance was quicker, or a reading that ended meanwhile has noted it anew: what it brought was perhaps not
        // seen.
        if !call.take(&mut tx, organization).await? {
            return Ok(true);
        }
        let now: Standing<MatchingSettings> = organization_settings::get(&mut tx, organization).await?;
        if now.settings != settings {
            return Ok(true);
        }
        if let Some(turn) = turn {
            let department = turn.department(&settings);
            match begin(&mut tx, turn.run(organization, &settings), self.clock.now()).await {
                Ok(run) => {
                    if let Some(department) = department {
                        let round = MatchRound { last_run: run.id, department };
                        match_rounds::insert(&mut tx, organization, round).await?;
                    }
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
