//! The engine: everything that the simulator knows, moved by calls and by the clock.
//!
//! The server and the control door lock it, hand it the present time, and get a decision back; it never waits and never
//! writes XML. Things due later (a result, a late effect, a deadline) stand in an agenda, and [`Engine::settle`] lets
//! them happen in the order of their time before anything else is looked at. What must stay true: the same seed,
//! scenario, times and calls lead to the same world.

mod admit;
mod answer;
mod work;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::calls::CallLog;
use crate::clock::end_of_moscow_day;
use crate::exchange::Exchange;
use crate::faults::{AddError, Faults, MOST_RULES, Rule};
use crate::files::{FileStore, Habits};
use crate::scenario::{Scenario, ScenarioError};
use crate::seed::Info;
use crate::state::{Cause, Change, Effect, World, WorldError};
use crate::wire::model::ResponseStatus;

use answer::Spoiled;
pub use answer::{Incoming, Reply, SignatureFound};
use work::{Ghost, Landing, Work};

/// Bytes of requests that wait for their turn, and of packages that land once more.
pub const MOST_WAITING_BYTES: usize = 256 << 20;

/// What a new engine is made of.
#[derive(Debug, Clone, Default)]
pub struct Seeds {
    /// Decides everything that looks like chance.
    pub seed: u64,
    /// Subrequests that each organisation finds at its first call.
    pub requests: u64,
    /// The organisations served; empty: any.
    pub organizations: BTreeSet<Uuid>,
}

/// Everything that the simulator knows.
#[derive(Debug)]
pub struct Engine {
    /// Suppliers and subrequests.
    pub world: World,
    /// Messages and results.
    pub exchange: Exchange,
    /// Fault rules.
    pub faults: Faults,
    /// The file store.
    pub files: FileStore,
    /// Calls received.
    pub calls: CallLog,
    scenario: Scenario,
    /// The ids of the scenario's fault rules, in their order.
    scenario_rules: Vec<u64>,
    seeds: Seeds,
    agenda: BTreeMap<(DateTime<Utc>, u64), Event>,
    waiting_bytes: usize,
    spoiled: Spoiled,
    lost_once: HashSet<Uuid>,
    /// How many subrequests were invented for each organisation.
    invented: HashMap<Uuid, u64>,
    counter: u64,
}

/// Something due later.
#[derive(Debug)]
enum Event {
    /// An accepted request gets its result.
    Work(Box<Work>),
    /// An action reported as done takes effect.
    Landing(Landing),
    /// What was done of a package takes effect once more.
    Ghost(Box<Ghost>),
    /// The deadline of a subrequest is past.
    Deadline(Uuid),
}

impl Engine {
    /// An engine with nothing in it but the scenario's fault rules.
    #[must_use]
    pub fn new(seeds: Seeds, scenario: Scenario, now: DateTime<Utc>) -> Self {
        let mut engine = Self {
            world: World::default(),
            exchange: Exchange::default(),
            faults: Faults::new(seeds.seed),
            files: FileStore::default(),
            calls: CallLog::default(),
            scenario: Scenario::default(),
            scenario_rules: Vec::new(),
            seeds,
            agenda: BTreeMap::new(),
            waiting_bytes: 0,
            spoiled: Spoiled::default(),
            lost_once: HashSet::new(),
            invented: HashMap::new(),
            counter: 0,
        };
        if let Err(problem) = engine.set_scenario(scenario, now) {
            tracing::error!(%problem, "the scenario was not put in force");
        }
        engine
    }

    /// The switches in force, and those of the scenario's fault rules that nobody removed.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// What the engine was made of.
    #[must_use]
    pub fn seeds(&self) -> &Seeds {
        &self.seeds
    }

    /// Puts another scenario in force. Its fault rules, made anew, take the place of those of the old one; rules made
    /// at run time stay.
    ///
    /// # Errors
    /// When a fault rule makes no sense or there would be too many; nothing is changed then.
    pub fn set_scenario(&mut self, scenario: Scenario, now: DateTime<Utc>) -> Result<(), ScenarioError> {
        self.replace_rules(&scenario.faults, now)?;
        self.switch(scenario, now);
        Ok(())
    }

    /// Changes single switches by a JSON merge patch; fault rules stay as they are unless it has `faults`.
    ///
    /// # Errors
    /// When a key is unknown, a value is wrong, or there would be too many fault rules; nothing is changed then.
    pub fn patch_scenario(
        &mut self,
        patch: serde_json::Value,
        now: DateTime<Utc>,
    ) -> Result<(), ScenarioError> {
        let names_rules = patch.get("faults").is_some();
        let scenario = self.scenario.patched(patch)?;
        if names_rules {
            return self.set_scenario(scenario, now);
        }
        self.switch(scenario, now);
        Ok(())
    }

    /// Removes one fault rule, from the scenario too when it came from there; whether it was in force.
    pub fn remove_fault(&mut self, id: u64) -> bool {
        if let Some(place) = self.scenario_rules.iter().position(|known| *known == id) {
            self.scenario_rules.remove(place);
            self.scenario.faults.remove(place);
        }
        self.faults.remove(id)
    }

    /// Removes every fault rule, those of the scenario too.
    pub fn clear_faults(&mut self) {
        self.scenario_rules.clear();
        self.scenario.faults.clear();
        self.faults.clear();
    }

    fn replace_rules(&mut self, rules: &[Rule], now: DateTime<Utc>) -> Result<(), AddError> {
        rules.iter().try_for_each(Rule::check)?;
        let others = self.faults.list().len().saturating_sub(self.scenario_rules.len());
        if others.saturating_add(rules.len()) > MOST_RULES {
            return Err(AddError::Full);
        }
        for id in std::mem::take(&mut self.scenario_rules) {
            self.faults.remove(id);
        }
        for rule in rules {
            self.scenario_rules.push(self.faults.add(rule.clone(), now)?);
        }
        Ok(())
    }

    fn switch(&mut self, scenario: Scenario, now: DateTime<Utc>) {
        let begins_to_answer = scenario.import.auto_generate && !self.scenario.import.auto_generate;
        self.scenario = scenario;
        if begins_to_answer {
            let known: Vec<Uuid> = self.world.records().map(|record| record.info.guid).collect();
            known.into_iter().for_each(|subrequest| self.answer_if_overdue(subrequest, now));
        }
    }

    /// Begins anew: no subrequests, messages, files, calls, nor rules made at run time. The switches stay.
    pub fn reset(&mut self, now: DateTime<Utc>) {
        *self = Self::new(self.seeds.clone(), self.scenario.clone(), now);
    }

    /// Lets everything happen that is due by `now`, in the order of its time.
    pub fn settle(&mut self, now: DateTime<Utc>) {
        while let Some(entry) = self.agenda.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let ((at, _), event) = entry.remove_entry();
            match event {
                Event::Work(work) => self.work(*work, at),
                Event::Landing(landing) => self.land_late(landing, at),
                Event::Ghost(ghost) => self.haunt(*ghost, at),
                Event::Deadline(subrequest) => self.answer_if_overdue(subrequest, at),
            }
        }
    }

    /// Things due later.
    #[must_use]
    pub fn due_later(&self) -> usize {
        self.agenda.len()
    }

    /// How many of them are deadlines, which pass without a call of anybody.
    #[must_use]
    pub fn deadlines_later(&self) -> usize {
        self.agenda.values().filter(|event| matches!(event, Event::Deadline(_))).count()
    }

    /// Adds a subrequest and its deadline.
    ///
    /// # Errors
    /// When its GUID is taken or the world is full.
    pub fn add_subrequest(&mut self, supplier: Uuid, info: Info) -> Result<std::sync::Arc<Info>, WorldError> {
        let info = self.world.add(supplier, info)?;
        self.plan(end_of_moscow_day(info.respond_by), Event::Deadline(info.guid));
        Ok(info)
    }

    /// The habits of the file store at a moment.
    pub(crate) fn with_files<T>(
        &mut self,
        now: DateTime<Utc>,
        act: impl FnOnce(&mut FileStore, Habits<'_>) -> T,
    ) -> T {
        act(&mut self.files, Habits { switches: &self.scenario.files, now })
    }

    /// A number that was never given before.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.counter = self.counter.wrapping_add(1);
        self.counter
    }

    fn plan(&mut self, at: DateTime<Utc>, event: Event) {
        let number = self.next_number();
        self.agenda.insert((at, number), event);
    }

    /// A person in the cabinet takes the supplier's answer back.
    ///
    /// # Errors
    /// When the subrequest is unknown, withdrawn or not answered.
    pub fn revoke_in_cabinet(&mut self, subrequest: Uuid, at: DateTime<Utc>) -> Result<(), WorldError> {
        self.world.revoke_in_cabinet(subrequest, at)?;
        self.answer_if_overdue(subrequest, at);
        Ok(())
    }

    /// Q29 aside, nothing stays unanswered after its deadline while the system answers by itself.
    fn answer_if_overdue(&mut self, subrequest: Uuid, at: DateTime<Utc>) {
        let overdue = self.world.get(subrequest).is_some_and(|record| {
            record.withdrawn.is_none()
                && record.standing().status == ResponseStatus::NotSent
                && end_of_moscow_day(record.info.respond_by) <= at
        });
        if overdue && self.scenario.import.auto_generate {
            self.answer_by_system(subrequest, at);
        }
    }

    /// "No debt" by the system itself.
    pub(crate) fn answer_by_system(&mut self, subrequest: Uuid, at: DateTime<Utc>) {
        let effect = Effect { at, change: Change::AutoGenerated, cause: Cause::System };
        if let Err(problem) = self.world.apply(subrequest, effect) {
            tracing::debug!(%problem, "no automatic answer");
        }
    }
}

/// A moment later than another by a duration, or the end of time.
fn later(moment: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
    moment.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests;
