//! GIS as drill and soak want it, and the manners of the gateway towards it.

use std::time::Duration;

use bench::Failure;
use bench::gateway::Manners;
use chrono::{Days, Utc};
use clap::ValueEnum;
use gis_sim::control::{Fields, NewSubrequests, StateReport};
use gis_sim::faults::{Kind, Rule, Target, When};
use gis_sim::scenario::Prefixes;
use gis_sim::{Config, Control, Sim, SimHandle};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use uuid::Uuid;

/// GIS needs so long for a result.
const RESULT: Duration = Duration::from_secs(3);
/// GIS takes so many calls at once.
const PARALLEL: usize = 5;
/// One call in so many is told to try later.
const OVERLOADED_ONE_IN: f64 = 20.0;
/// One debt request in so many is poisoned: no package with it is taken.
const POISON_ONE_IN: usize = 100;
/// Days on which the debt requests were sent.
const DAYS: u32 = 28;
/// Nobody's day to answer comes meanwhile.
const TIME_TO_ANSWER: Days = Days::new(10);

/// Times towards GIS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Cadence {
    /// Short ones, for a GIS that needs seconds.
    Quick,
    /// Those of the regulations, which are the defaults.
    Official,
}

impl Cadence {
    /// What the gateway is told.
    pub(crate) const fn manners(self, log: &str) -> Manners<'_> {
        let gis = match self {
            Self::Quick => {
                r#"poll_after = ["1s", "2s", "4s"]
timeout = "1900ms"
settle_time = "5s"
resend_after_fault = "2s"
view_lag = "2s""#
            }
            Self::Official => "",
        };
        Manners { log, gis }
    }

    /// The same in words.
    pub(crate) const fn describe(self) -> &'static str {
        match self {
            Self::Quick => "polls after 1, 2, 4 s, settle 5 s, resend after fault 2 s, view lag 2 s",
            Self::Official => "polls after 10, 60, 300 s and the other defaults",
        }
    }
}

/// The simulator and what is wrong in it.
pub(crate) struct World {
    sim: SimHandle,
    seed: u64,
    poisoned: Vec<Uuid>,
    faults: Vec<String>,
}

impl World {
    /// Starts a GIS without debt requests that makes no mistakes.
    pub(crate) fn start(seed: u64) -> Result<Self, Failure> {
        let mut config = Config { seed, requests: 0, ..Config::default() };
        config.scenario.timing.poll_ready = RESULT;
        config.scenario.timing.poll_ready_spread = Duration::ZERO;
        config.scenario.transport.max_parallel = PARALLEL;
        config.scenario.replies.prefixes = Prefixes::Random;
        config.scenario.import.auto_generate = false;
        Ok(Self { sim: Sim::start(config)?, seed, poisoned: Vec::new(), faults: Vec::new() })
    }

    /// Debt requests of the last weeks, as many of each day.
    pub(crate) fn create(&self, requests: u32) -> Result<Vec<Uuid>, Failure> {
        let today = Utc::now().date_naive();
        let mut guids = Vec::new();
        for day in 0..DAYS {
            let count = (day + 1) * requests / DAYS - day * requests / DAYS;
            if count == 0 {
                continue;
            }
            let fields = Fields {
                sent: today.checked_sub_days(Days::new(u64::from(day))),
                respond_by: today.checked_add_days(TIME_TO_ANSWER),
                ..Fields::default()
            };
            let made =
                self.control().create(&NewSubrequests { count, fields, ..NewSubrequests::default() })?;
            guids.extend(made.iter().map(|summary| summary.guid));
        }
        Ok(guids)
    }

    /// "Try later" to calls of every kind.
    pub(crate) fn overload(&mut self) -> Result<(), Failure> {
        let overloaded = Kind::SoapFault { code: "EXP001000".to_owned(), text: None, late: None };
        self.rule(Target::Any, 1.0 / OVERLOADED_ONE_IN, overloaded)?;
        self.faults.push(format!("EXP001000 to one call in {OVERLOADED_ONE_IN}"));
        Ok(())
    }

    /// Makes packages with some of these impossible.
    pub(crate) fn poison(&mut self, guids: &[Uuid]) -> Result<(), Failure> {
        let mut dice = StdRng::seed_from_u64(self.seed);
        self.poisoned = guids.sample(&mut dice, guids.len() / POISON_ONE_IN).copied().collect();
        for guid in &self.poisoned {
            let kind = Kind::SoapFault { code: "FMT001300".to_owned(), text: None, late: None };
            let (operation, when) = (Target::ImportResponses, When::Always);
            self.control().add_fault(Rule {
                operation,
                organization: None,
                subrequest: Some(*guid),
                when,
                kind,
            })?;
        }
        self.faults.push(format!("{} poisoned", self.poisoned.len()));
        Ok(())
    }

    /// Lost acknowledgements, late and repeated effects, results that go astray.
    pub(crate) fn haunt(&mut self) -> Result<(), Failure> {
        let (import, second) = (Target::ImportResponses, Duration::from_secs(1));
        self.rule(import, 0.03, Kind::ResetAfter { late: Duration::ZERO })?;
        self.rule(import, 0.02, Kind::ResetBefore)?;
        self.rule(import, 0.05, Kind::Ghost { after: 2 * second })?;
        self.rule(import, 0.05, Kind::Late { by: 2 * second })?;
        self.rule(import, 0.02, Kind::WrongCount { missing: 2 })?;
        self.rule(import, 0.01, Kind::LostState { after: Duration::ZERO })?;
        self.rule(Target::GetState, 0.02, Kind::ResetBefore)?;
        self.rule(Target::ExportDebtSubrequests, 0.02, Kind::LostState { after: Duration::ZERO })?;
        self.rule(Target::UploadFile, 0.02, Kind::ResetBefore)?;
        self.faults.push("lost, late and repeated effects".to_owned());
        Ok(())
    }

    fn rule(&self, operation: Target, chance: f64, kind: Kind) -> Result<(), Failure> {
        let when = When::Chance(chance);
        self.control().add_fault(Rule { operation, organization: None, subrequest: None, when, kind })?;
        Ok(())
    }

    /// Nothing goes wrong any more.
    pub(crate) fn heal(&self) {
        self.control().clear_faults();
    }

    pub(crate) fn base_url(&self) -> String {
        self.sim.base_url()
    }

    pub(crate) fn control(&self) -> &Control {
        self.sim.control()
    }

    pub(crate) fn state(&self) -> StateReport {
        self.control().state()
    }

    pub(crate) fn is_poisoned(&self, guid: Uuid) -> bool {
        self.poisoned.contains(&guid)
    }

    /// The conditions in words.
    pub(crate) fn describe(&self) -> String {
        let faults = if self.faults.is_empty() { "no faults".to_owned() } else { self.faults.join(", ") };
        let (result, seed) = (RESULT.as_secs(), self.seed);
        format!("results after {result} s, at most {PARALLEL} calls at once, seed {seed}, {faults}")
    }
}
