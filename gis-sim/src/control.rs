//! The control door: what tests, the demo and a person at a sandbox do besides calling GIS.
//!
//! The methods of [`Control`] are what `/control` offers as JSON; [`crate::server`] only parses and prints. What must
//! stay true: everything is done at the clock's present time, after what was due has happened.

mod report;
mod request;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::calls::Call;
use crate::clock::ClockError;
use crate::engine::Engine;
use crate::faults::{ActiveRule, AddError, Rule};
use crate::files::FileState;
use crate::scenario::{Scenario, ScenarioError};
use crate::server::{DEFAULT_ORGANIZATION, Shared};
use crate::state::{Cause, Change, Effect, WorldError};

pub use report::{Held, StateReport, SubrequestList, SubrequestReport, SubrequestSummary};
pub use request::{CabinetAnswer, CabinetDebtor, Fields, NewSubrequests, SubrequestFilter};

/// Calls in one reply.
pub const MOST_CALLS_SHOWN: usize = 1_000;

/// Why the control door did nothing.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// There is no such thing.
    #[error("there is no {0} with this id")]
    NotFound(&'static str),
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// It does not fit what is there.
    #[error("{0}")]
    Conflict(String),
    /// The simulator is full.
    #[error("{0}")]
    Full(String),
}

impl From<WorldError> for ControlError {
    fn from(error: WorldError) -> Self {
        match error {
            WorldError::Unknown => Self::NotFound("subrequest"),
            WorldError::Withdrawn | WorldError::NotSent | WorldError::Exists => {
                Self::Conflict(error.to_string())
            }
            WorldError::Full | WorldError::TooManySuppliers | WorldError::TooManyBytes => {
                Self::Full(error.to_string())
            }
        }
    }
}

impl From<ScenarioError> for ControlError {
    fn from(error: ScenarioError) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<ClockError> for ControlError {
    fn from(error: ClockError) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<AddError> for ControlError {
    fn from(error: AddError) -> Self {
        match error {
            AddError::Rule(_) => Self::Invalid(error.to_string()),
            AddError::Full => Self::Full(error.to_string()),
        }
    }
}

/// The control door of one simulator; cheap to clone.
#[derive(Debug, Clone)]
pub struct Control {
    shared: Arc<Shared>,
}

impl Control {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Counts of everything.
    #[must_use]
    pub fn state(&self) -> StateReport {
        let (engine, now) = self.shared.engine();
        StateReport::of(&engine, now, self.shared.traffic())
    }

    /// Subrequests, in the order of exports within an organisation.
    #[must_use]
    pub fn subrequests(&self, filter: &SubrequestFilter) -> SubrequestList {
        let (engine, _) = self.shared.engine();
        SubrequestList::of(&engine.world, filter)
    }

    /// One subrequest: what GIS holds, what it shows, and the history of effects.
    ///
    /// # Errors
    /// When there is none.
    pub fn subrequest(&self, guid: Uuid) -> Result<SubrequestReport, ControlError> {
        let (engine, now) = self.shared.engine();
        let record = engine.world.get(guid).ok_or(WorldError::Unknown)?;
        Ok(SubrequestReport::of(record, now, engine.scenario().timing.view_lag))
    }

    /// Makes more subrequests, invented but for the fields given.
    ///
    /// # Errors
    /// When the fields make no sense or the simulator is full; those made before the error stay.
    pub fn create(&self, new: &NewSubrequests) -> Result<Vec<SubrequestSummary>, ControlError> {
        let (mut engine, now) = self.shared.engine();
        let organization = organization(&engine, new.organization)?;
        new.check(engine.scenario())?;
        if !engine.serves(organization, now) {
            return Err(ControlError::Invalid(format!("organization {organization} is not served here")));
        }
        let mut made = Vec::new();
        for _ in 0..new.count {
            let (index, mut info) = engine.next_invented(organization, now);
            new.shape(&mut info, index, now);
            let info = engine.add_subrequest(organization, info)?;
            engine.settle(now);
            let record = engine.world.get(info.guid).ok_or(WorldError::Unknown)?;
            made.push(SubrequestSummary::of(record));
        }
        Ok(made)
    }

    /// The requester takes a subrequest back: it vanishes for the supplier (Q29).
    ///
    /// # Errors
    /// When there is none, or it is withdrawn already.
    pub fn withdraw(&self, guid: Uuid) -> Result<(), ControlError> {
        let (mut engine, now) = self.shared.engine();
        Ok(engine.world.withdraw(guid, now)?)
    }

    /// A person in the personal cabinet answers, or changes the answer.
    ///
    /// # Errors
    /// When there is no such subrequest, or it is withdrawn.
    pub fn answer_in_cabinet(&self, guid: Uuid, answer: &CabinetAnswer) -> Result<(), ControlError> {
        let (mut engine, at) = self.shared.engine();
        let change = Change::Sent(Arc::new(answer.to_answer()?));
        Ok(engine.world.apply(guid, Effect { at, change, cause: Cause::Cabinet })?)
    }

    /// A person in the personal cabinet takes the answer back.
    ///
    /// # Errors
    /// When there is no such subrequest, it is withdrawn, or it has no answer.
    pub fn revoke_in_cabinet(&self, guid: Uuid) -> Result<(), ControlError> {
        let (mut engine, now) = self.shared.engine();
        Ok(engine.revoke_in_cabinet(guid, now)?)
    }

    /// Calls received with a number above `after`, oldest first, at most `limit` and [`MOST_CALLS_SHOWN`].
    #[must_use]
    pub fn calls(&self, after: u64, limit: usize) -> Vec<Call> {
        let (engine, _) = self.shared.engine();
        engine.calls.after(after).take(limit.min(MOST_CALLS_SHOWN)).cloned().collect()
    }

    /// A file, whoever owns it.
    ///
    /// # Errors
    /// When there is none.
    pub fn file(&self, guid: Uuid) -> Result<FileState, ControlError> {
        let (engine, _) = self.shared.engine();
        engine.files.look(guid).ok_or(ControlError::NotFound("file"))
    }

    /// The content of a file as far as it arrived, whoever owns it.
    ///
    /// # Errors
    /// When there is none.
    pub fn file_content(&self, guid: Uuid) -> Result<Vec<u8>, ControlError> {
        let content = self.shared.engine().0.files.content(guid).ok_or(ControlError::NotFound("file"))?;
        Ok(content.to_vec())
    }

    /// The switches in force, and those of the scenario's fault rules that nobody removed.
    #[must_use]
    pub fn scenario(&self) -> Scenario {
        self.shared.engine().0.scenario().clone()
    }

    /// Puts another scenario in force; its fault rules take the place of those of the old one.
    ///
    /// # Errors
    /// When a value is wrong or there would be too many fault rules; nothing is changed then.
    pub fn set_scenario(&self, scenario: Value) -> Result<Scenario, ControlError> {
        let scenario = Scenario::from_json(scenario)?;
        let (mut engine, now) = self.shared.engine();
        engine.set_scenario(scenario, now)?;
        Ok(engine.scenario().clone())
    }

    /// Changes single switches by a JSON merge patch; fault rules stay as they are unless it has `faults`.
    ///
    /// # Errors
    /// When a key is unknown, a value is wrong, or there would be too many fault rules; nothing is changed then.
    pub fn patch_scenario(&self, patch: Value) -> Result<Scenario, ControlError> {
        let (mut engine, now) = self.shared.engine();
        engine.patch_scenario(patch, now)?;
        Ok(engine.scenario().clone())
    }

    /// The fault rules in force, with how often each struck.
    #[must_use]
    pub fn faults(&self) -> Vec<ActiveRule> {
        self.shared.engine().0.faults.list().to_vec()
    }

    /// Adds a fault rule and returns its id.
    ///
    /// # Errors
    /// When it makes no sense or there are too many.
    pub fn add_fault(&self, rule: Rule) -> Result<u64, ControlError> {
        let (mut engine, now) = self.shared.engine();
        Ok(engine.faults.add(rule, now)?)
    }

    /// Removes a fault rule.
    ///
    /// # Errors
    /// When there is none.
    pub fn remove_fault(&self, id: u64) -> Result<(), ControlError> {
        let removed = self.shared.engine().0.remove_fault(id);
        if removed { Ok(()) } else { Err(ControlError::NotFound("fault")) }
    }

    /// Removes every fault rule.
    pub fn clear_faults(&self) {
        self.shared.engine().0.clear_faults();
    }

    /// The simulator's present time.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.shared.clock().now()
    }

    /// Moves the clock forward, lets happen what is due, and returns the new time.
    ///
    /// # Errors
    /// When it would be too far.
    pub fn advance(&self, by: Duration) -> Result<DateTime<Utc>, ControlError> {
        self.shared.clock().advance(by)?;
        Ok(self.shared.engine().1)
    }

    /// Moves the clock forward to a time, and lets happen what is due.
    ///
    /// # Errors
    /// When the time is past, or too far.
    pub fn advance_to(&self, time: DateTime<Utc>) -> Result<DateTime<Utc>, ControlError> {
        self.shared.clock().advance_to(time)?;
        Ok(self.shared.engine().1)
    }

    /// Begins anew: no subrequests, messages, files, calls, nor fault rules made at run time. Switches and clock stay.
    pub fn reset(&self) {
        let (mut engine, now) = self.shared.engine();
        engine.reset(now);
    }
}

/// The organisation meant: the one given, the only one served, or the default.
fn organization(engine: &Engine, given: Option<Uuid>) -> Result<Uuid, ControlError> {
    let listed = &engine.seeds().organizations;
    match (given, listed.first()) {
        (Some(given), _) => Ok(given),
        (None, None) => Ok(DEFAULT_ORGANIZATION),
        (None, Some(only)) if listed.len() == 1 => Ok(*only),
        (None, Some(_)) => {
            Err(ControlError::Invalid("several organizations are served: name one".to_owned()))
        }
    }
}
