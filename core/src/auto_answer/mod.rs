//! Answers «no debt» that are given by themselves shortly before the deadline (`api.md` §12.4): clients set and preview
//! them here, the job `auto_answer` gives them.

mod answering;
mod considered;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;

pub(crate) use self::answering::{Stop, any_shown, end, leave_unread, unread};
pub use self::considered::Considered;
pub(crate) use self::considered::consider;
use crate::Service;
use crate::departments::unknown_department;
use crate::domain::auto_answer::{Verdict, window};
use crate::domain::caller::{Caller, Scope};
use crate::domain::settings::{AutoAnswerSettings, Standing};
use crate::error::{Error, Result};
use crate::store::{Tx, organization_settings, organizations};

/// What a run would do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The day of the run.
    pub run_on: NaiveDate,
    /// The first last day to answer that it is about.
    pub due_from: NaiveDate,
    /// The last one.
    pub due_to: NaiveDate,
    /// How many it would answer.
    pub answers: usize,
    /// How many it would leave to people.
    pub skips: usize,
    /// Whether these are too many, so that it would answer none.
    pub stops: bool,
    /// The requests, the nearest deadline first.
    pub items: Vec<Considered>,
    /// How many more there are.
    pub more: usize,
}

impl Service {
    /// What is set.
    ///
    /// # Errors
    /// The scope `settings:read` is missing.
    pub async fn auto_answer_settings(&self, caller: &Caller) -> Result<Standing<AutoAnswerSettings>> {
        caller.need(Scope::SettingsRead)?;
        let mut conn = self.db.read().await?;
        Ok(organization_settings::get(&mut conn, caller.organization).await?)
    }

    /// Sets all of it.
    ///
    /// # Errors
    /// Every mistake by its place; [`Error::VersionMismatch`].
    pub async fn set_auto_answer(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        settings: AutoAnswerSettings,
        if_match: Option<i64>,
    ) -> Result<Standing<AutoAnswerSettings>> {
        caller.need(Scope::SettingsWrite)?;
        let comment = crate::answers::remark("/comment", settings.comment);
        let comment = comment.map_err(|mistake| Error::Invalid(vec![mistake]))?;
        let mut mistakes = Vec::new();
        for (place, id) in settings.departments.iter().flatten().enumerate() {
            let at = format!("/departments/{place}");
            mistakes.extend(unknown_department(tx, caller.organization, Some(*id), &at).await?);
        }
        if !mistakes.is_empty() {
            return Err(Error::Invalid(mistakes));
        }
        self.put_settings(tx, caller, AutoAnswerSettings { comment, ..settings }, if_match).await
    }

    /// What a run would do now, by the settings as they stand, whether they are switched on or not. It goes by what GIS
    /// showed last; a run reads the requests that it would answer once more.
    ///
    /// # Errors
    /// The scope `settings:read` is missing.
    pub async fn preview_auto_answer(&self, caller: &Caller, most: usize) -> Result<Preview> {
        caller.need(Scope::SettingsRead)?;
        let now = self.clock.now();
        let mut conn = self.db.scan().await?;
        let organization =
            organizations::get(&mut conn, caller.organization).await?.ok_or(Error::NotFound)?;
        let Standing { settings, .. } = organization_settings::get(&mut conn, organization.id).await?;
        let run_on = now.with_timezone(&organization.time_zone).date_naive();
        let (due_from, due_to) = window(&self.settings.calendar, &settings, run_on);
        let mut items = consider(&mut conn, &self.settings.calendar, &organization, &settings, now).await?;
        let answers = items.iter().filter(|item| item.verdict == Verdict::Answer).count();
        let (skips, more) = (items.len() - answers, items.len().saturating_sub(most));
        items.truncate(most);
        let stops = answers > usize::try_from(settings.max_per_run).unwrap_or(usize::MAX);
        Ok(Preview { run_on, due_from, due_to, answers, skips, stops, items, more })
    }
}
