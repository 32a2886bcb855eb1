//! Which debt requests are answered «no debt» by themselves, and when (`api.md` §12.4): pure rules.
//!
//! A wrong «no debt» is the worst that can happen here, so a request is answered only where nothing at all speaks against
//! it; everything else is left to people, with the reason.

use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::answer::{Answer, State};
use super::calendar::Calendar;
use super::debt_request::{MatchResult, ResponseStatus, Stage};
use super::matching::weight;
use super::settings::{AutoAnswerSettings, Standing};
use super::words::words;
use crate::ids::{MessageId, OrganizationId};

words! {
    /// Why a request is not answered by itself.
    SkipReason {
        /// GIS does not show that an answer is missing.
        NotWaiting = "not_waiting" "ГИС ЖКХ не показывает, что ответ не отправлен",
        /// Something is on its way to GIS, or perhaps is.
        InFlight = "in_flight" "Ответ отправляется, или его исход выясняется",
        /// Somebody has written an answer that says «debt».
        DebtWritten = "debt_written" "Есть ответ «долг есть», который не размещён",
        /// An answer was refused, withdrawn or cancelled.
        NeedsPerson = "needs_person" "Прежний ответ отклонён, отозван или отменён: решает сотрудник",
        /// No registry answers for it.
        NoRegistry = "no_registry" "Нет действующего реестра задолженностей",
        /// The registry is too old.
        RegistryOld = "registry_old" "Реестр задолженностей старше допустимого",
        /// The registry knows a debt.
        DebtFound = "debt_found" "По реестру долг есть",
        /// The match with the registry leaves a doubt.
        Ambiguous = "ambiguous" "Сопоставление с реестром оставило сомнение: решает сотрудник",
        /// It could not be read from GIS before the answer.
        NotRead = "not_read" "Перед автоответом ГИС ЖКХ не показала запрос",
    }
}

/// What the registries that answer say of a debt request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Opinion {
    /// What they found; `None` when none answers for it.
    pub result: Option<MatchResult>,
    /// How old the oldest of them is.
    pub as_of: Option<DateTime<Utc>>,
}

impl Opinion {
    /// With what a further registry found. A debt outweighs a doubt, a doubt outweighs «no debt».
    #[must_use]
    pub fn and(self, result: MatchResult, as_of: DateTime<Utc>) -> Self {
        let heavier = self.result.filter(|known| weight(*known) > weight(result)).unwrap_or(result);
        Self { result: Some(heavier), as_of: Some(self.as_of.map_or(as_of, |known| known.min(as_of))) }
    }
}

/// What is known of a debt request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What GIS shows.
    pub response: ResponseStatus,
    /// Where our work stands.
    pub stage: Stage,
    /// Something is on its way to GIS.
    pub in_flight: bool,
    /// An answer says «debt» and no newer one took its place.
    pub debt_written: bool,
    /// An answer was refused, withdrawn, cancelled or placed.
    pub settled: bool,
    /// What the registries say.
    pub opinion: Opinion,
}

impl Facts {
    /// From what GIS shows, the answers there are and whether anything of them is to be done in GIS.
    #[must_use]
    pub fn of(
        (response, stage): (ResponseStatus, Stage),
        answers: &[Answer],
        in_flight: bool,
        opinion: Opinion,
    ) -> Self {
        let standing = || answers.iter().filter(|answer| answer.state != State::Superseded);
        Self {
            response,
            stage,
            in_flight: in_flight || standing().any(|answer| is_under_way(answer.state)),
            debt_written: standing().any(|answer| answer.content.has_debt()),
            settled: standing().any(|answer| is_settled(answer.state)),
            opinion,
        }
    }
}

const fn is_under_way(state: State) -> bool {
    match state {
        State::Queued | State::Sending | State::Accepted | State::Uncertain | State::Revoking => true,
        State::Draft
        | State::Prepared
        | State::Delivered
        | State::Rejected
        | State::Revoked
        | State::Cancelled
        | State::Superseded => false,
    }
}

const fn is_settled(state: State) -> bool {
    match state {
        // What a person has stopped is not sent again by a machine.
        State::Delivered | State::Rejected | State::Revoked | State::Cancelled => true,
        State::Draft
        | State::Prepared
        | State::Queued
        | State::Sending
        | State::Accepted
        | State::Uncertain
        | State::Revoking
        | State::Superseded => false,
    }
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is answered «no debt».
    Answer,
    /// It is left to people.
    Skip(SkipReason),
}

/// Decides about a request whose time has come. A draft «no debt» is no obstacle: the automatic answer takes its place.
/// Without `require_registry` only the absence and the age of a registry are no obstacles; what it says still counts.
#[must_use]
pub fn decide(facts: &Facts, settings: &AutoAnswerSettings, now: DateTime<Utc>) -> Verdict {
    let Facts { response, stage, in_flight, debt_written, settled, opinion } = *facts;
    let oldest = now - TimeDelta::days(i64::from(settings.registry_max_age_days));
    let reason = if in_flight {
        Some(SkipReason::InFlight)
    } else if response != ResponseStatus::NotSent || stage == Stage::Gone {
        Some(SkipReason::NotWaiting)
    } else if debt_written {
        Some(SkipReason::DebtWritten)
    } else if settled {
        Some(SkipReason::NeedsPerson)
    } else {
        match opinion.result {
            Some(MatchResult::Found) => Some(SkipReason::DebtFound),
            Some(MatchResult::Ambiguous) => Some(SkipReason::Ambiguous),
            Some(MatchResult::NotFound) | None if !settings.require_registry => None,
            None => Some(SkipReason::NoRegistry),
            Some(MatchResult::NotFound) if opinion.as_of.is_none_or(|as_of| as_of < oldest) => {
                Some(SkipReason::RegistryOld)
            }
            Some(MatchResult::NotFound) => None,
        }
    };
    reason.map_or(Verdict::Answer, Verdict::Skip)
}

/// The last days to answer that a run on a day is about, first and last.
///
/// A request's time has come when the working day that lies `days_before_due` working days before its last day is there; a
/// last day that is a day off counts as the working day before it. When that last day is over, GIS answers «no debt» by itself within a day, and two automatic answers need not race each other.
#[must_use]
pub fn window(
    calendar: &Calendar,
    settings: &AutoAnswerSettings,
    today: NaiveDate,
) -> (NaiveDate, NaiveDate) {
    let beyond = calendar.working_days_after(today, settings.days_before_due.saturating_add(1));
    (today, beyond.pred_opt().unwrap_or(beyond).max(today))
}

/// The run that is due, as the day of it; `None` when there is none yet. Settings that were changed after the hour of a day
/// hold from the next day on: nothing is answered in the very moment in which somebody switches it on.
#[must_use]
pub fn due_run(standing: &Standing<AutoAnswerSettings>, zone: Tz, now: DateTime<Utc>) -> Option<NaiveDate> {
    let Standing { settings, updated_at, .. } = standing;
    let today = now.with_timezone(&zone).date_naive();
    let begins = moment(today, settings, zone)?;
    let stood = updated_at.is_some_and(|set| set <= begins);
    (settings.enabled && stood && begins <= now).then_some(today)
}

/// When the run of a day begins. An hour that the clocks skip comes an hour later.
fn moment(day: NaiveDate, settings: &AutoAnswerSettings, zone: Tz) -> Option<DateTime<Utc>> {
    let local = day.and_time(settings.run_at);
    let earliest = |local| zone.from_local_datetime(&local).earliest();
    earliest(local).or_else(|| earliest(local + TimeDelta::hours(1))).map(|time| time.to_utc())
}

/// A run under way: the requests that it would answer are read from GIS first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoAnswerRun {
    /// For whom.
    pub organization: OrganizationId,
    /// The day.
    pub run_on: NaiveDate,
    /// When it began: what GIS showed before is too old.
    pub began_at: DateTime<Utc>,
    /// When GIS was last asked.
    pub asked_at: Option<DateTime<Utc>>,
    /// The questions of that time.
    pub looks: Vec<MessageId>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

impl AutoAnswerRun {
    /// One that begins.
    #[must_use]
    pub const fn new(organization: OrganizationId, run_on: NaiveDate, began_at: DateTime<Utc>) -> Self {
        Self { organization, run_on, began_at, asked_at: None, looks: Vec::new(), finished_at: None }
    }
}

/// The last day of which it is told today that the deadline is near: today and the next working day.
#[must_use]
pub fn soon(calendar: &Calendar, today: NaiveDate) -> NaiveDate {
    calendar.working_days_after(today, 1)
}

#[cfg(test)]
mod tests;
