//! Fault rules: what goes wrong, on which calls, and how often.
//!
//! A rule names an operation, optionally an organisation or a subrequest, when it strikes and what it does. Rules come
//! from the scenario's `[[faults]]` or from `POST /control/faults`; [`Faults::strike`] is asked at every call and
//! [`Plan`] says what the struck rules mean for it. What must stay true: whether a rule strikes depends only on the
//! seed and on the calls it has seen.

mod kind;
mod plan;
mod rule;

use chrono::{DateTime, Utc};
use rand::RngExt;
use serde::Serialize;
use uuid::Uuid;

use crate::seed::dice;

pub use kind::{HttpBody, Kind, StuckState};
pub use plan::{Dress, Instead, ItemFault, Plan, ResultPlan, Stuck};
pub use rule::{Rule, RuleError, Target, When};

/// Rules kept at once.
pub const MOST_RULES: usize = 1_000;

/// A call as the rules see it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'call> {
    /// What is called; never `Any` or `AnyFile`.
    pub operation: Target,
    /// Who calls, where known.
    pub organization: Option<Uuid>,
    /// The subrequests it is about.
    pub subrequests: &'call [Uuid],
}

/// A rule in force.
#[derive(Debug, Clone, Serialize)]
pub struct ActiveRule {
    /// Its id under `/control/faults`.
    pub id: u64,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// Calls it looked at.
    pub seen: u64,
    /// Calls it struck.
    pub struck: u64,
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
}

/// All rules in force.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Vec<ActiveRule>,
    last_id: u64,
    seed: u64,
}

/// Why a rule was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    /// It makes no sense.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// There are too many.
    #[error("there are 1000 fault rules already: delete some")]
    Full,
}

impl Faults {
    /// No rules; the seed decides about chances.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { rules: Vec::new(), last_id: 0, seed }
    }

    /// Adds a rule and returns its id.
    ///
    /// # Errors
    /// When the rule makes no sense or there are too many.
    pub fn add(&mut self, rule: Rule, now: DateTime<Utc>) -> Result<u64, AddError> {
        rule.check()?;
        if self.rules.len() >= MOST_RULES {
            return Err(AddError::Full);
        }
        self.last_id += 1;
        self.rules.push(ActiveRule { id: self.last_id, created: now, seen: 0, struck: 0, rule });
        Ok(self.last_id)
    }

    /// Every rule, oldest first.
    #[must_use]
    pub fn list(&self) -> &[ActiveRule] {
        &self.rules
    }

    /// Removes one rule; whether it was there.
    pub fn remove(&mut self, id: u64) -> bool {
        let before = self.rules.len();
        self.rules.retain(|active| active.id != id);
        self.rules.len() < before
    }

    /// Removes every rule.
    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// The rules that strike this call, oldest first.
    pub fn strike(&mut self, subject: Subject<'_>) -> Vec<Rule> {
        let seed = self.seed;
        let looking = self.rules.iter_mut().filter(|active| active.rule.looks_at(subject));
        looking.filter_map(|active| active.strikes(seed).then(|| active.rule.clone())).collect()
    }
}

impl ActiveRule {
    fn strikes(&mut self, seed: u64) -> bool {
        self.seen = self.seen.saturating_add(1);
        let strikes = match self.rule.when {
            When::Always => true,
            When::Next(count) => self.struck < count,
            When::Nth(number) => self.seen == number,
            When::Every(period) => self.seen.is_multiple_of(period),
            When::Chance(chance) => dice(seed, "fault", self.id, self.seen).random::<f64>() < chance,
        };
        if strikes {
            self.struck = self.struck.saturating_add(1);
        }
        strikes
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(value: serde_json::Value) -> Rule {
        serde_json::from_value(value).unwrap()
    }

    fn pattern(when: serde_json::Value, seed: u64, calls: usize) -> String {
        let mut faults = Faults::new(seed);
        let rule = rule(json!({"operation": "getState", "when": when, "kind": "reset_before"}));
        faults.add(rule, Utc::now()).unwrap();
        let subject = Subject { operation: Target::GetState, organization: None, subrequests: &[] };
        (0..calls).map(|_| if faults.strike(subject).is_empty() { '.' } else { 'x' }).collect()
    }

    #[test]
    fn every_kind_has_its_name() {
        // The reader of rules lists all that it knows when it meets another one.
        let known = serde_json::from_value::<Kind>(json!("none")).unwrap_err().to_string();
        let (_, known) = known.split_once("expected one of ").unwrap();
        let known: Vec<_> = known.split(", ").map(|name| name.trim_matches('`')).collect();
        assert_eq!(known, Kind::NAMES);
        for (kind, written) in [
            (Kind::Slow { duration: std::time::Duration::from_secs(1) }, json!({"slow": {"for": "1s"}})),
            (Kind::Shuffle, json!("shuffle")),
        ] {
            assert!(written.as_str() == Some(kind.name()) || written.get(kind.name()).is_some());
            assert_eq!(serde_json::from_value::<Kind>(written).unwrap(), kind);
        }
    }

    #[test]
    fn rules_strike_when_they_say() {
        assert_eq!(pattern(json!("always"), 1, 4), "xxxx");
        assert_eq!(pattern(json!({"next": 2}), 1, 4), "xx..");
        assert_eq!(pattern(json!({"nth": 3}), 1, 4), "..x.");
        assert_eq!(pattern(json!({"every": 2}), 1, 6), ".x.x.x");
        assert_eq!(pattern(json!({"chance": 0.0}), 1, 6), "......");
        assert_eq!(pattern(json!({"chance": 1.0}), 1, 6), "xxxxxx");
        let half = pattern(json!({"chance": 0.5}), 1, 64);
        assert_eq!(half, pattern(json!({"chance": 0.5}), 1, 64), "the seed decides");
        assert_ne!(half, pattern(json!({"chance": 0.5}), 2, 64));
        assert!(half.contains('x') && half.contains('.'));
    }

    #[test]
    fn rules_look_only_at_their_calls() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut faults = Faults::new(0);
        let rule = rule(json!({
            "operation": "any", "organization": one, "subrequest": other, "when": "always", "kind": {"stuck": {}},
        }));
        faults.add(rule, Utc::now()).unwrap();
        let mut strikes = |operation, organization, subrequests: &[Uuid]| {
            let organization = Some(organization);
            !faults.strike(Subject { operation, organization, subrequests }).is_empty()
        };
        assert!(strikes(Target::ImportResponses, one, &[one, other]));
        assert!(!strikes(Target::ImportResponses, other, &[other]));
        assert!(!strikes(Target::ImportResponses, one, &[one]));
        assert!(!strikes(Target::GetState, one, &[other]), "a poll cannot be stuck");
        assert!(!strikes(Target::UploadFile, one, &[other]));
    }

    #[test]
    fn senseless_rules_are_refused() {
        for (value, expected) in [
            (
                json!({"operation": "getState", "kind": {"stuck": {}}}),
                "exportDebtSubrequests and importResponses",
            ),
            (json!({"operation": "uploadFile", "kind": "bad_signature"}), "it fits getState"),
            (
                json!({"operation": "importResponses", "kind": {"file_error": {"error": "INT002029"}}}),
                "file store",
            ),
            (json!({"operation": "any", "when": {"every": 0}, "kind": "reset_before"}), "count from 1"),
            (json!({"operation": "any", "when": {"chance": 1.5}, "kind": "reset_before"}), "between 0 and 1"),
            (json!({"operation": "any", "kind": {"http": {"status": 200}}}), "400 to 599"),
            (json!({"operation": "uploadFile", "kind": {"reset_after": {"late": "2h"}}}), "late is 0s"),
            (json!({"operation": "anyFile", "kind": {"http": {"status": 504, "late": "1s"}}}), "late is 0s"),
            (json!({"operation": "any", "kind": {"slow": {"for": "2h"}}}), "at most an hour"),
            (json!({"operation": "any", "kind": {"soap_fault": {"code": ""}}}), "1 to 50"),
        ] {
            let error = Faults::new(0).add(rule(value), Utc::now()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        for value in [
            json!({"operation": "getstate", "kind": {"stuck": {}}}),
            json!({"operation": "any", "kind": {"slow": {"for": "1s", "extra": 1}}}),
            json!({"operation": "any", "kind": "explode"}),
            json!({"operation": "any", "kind": {"stuck": {"state": 3}}}),
            json!({"operation": "any", "kind": {"stuck": {}}, "often": true}),
        ] {
            assert!(serde_json::from_value::<Rule>(value).is_err());
        }
    }

    #[test]
    fn rules_are_listed_removed_and_bounded() {
        let mut faults = Faults::new(0);
        let one = rule(json!({"operation": "probe", "kind": "reset_before"}));
        let first = faults.add(one.clone(), Utc::now()).unwrap();
        let second = faults.add(one.clone(), Utc::now()).unwrap();
        assert_ne!(first, second);
        assert!(faults.remove(first) && !faults.remove(first));
        assert_eq!(faults.list().iter().map(|active| active.id).collect::<Vec<_>>(), [second]);
        for _ in 1..MOST_RULES {
            faults.add(one.clone(), Utc::now()).unwrap();
        }
        assert_eq!(faults.add(one, Utc::now()), Err(AddError::Full));
        faults.clear();
        assert!(faults.list().is_empty());
    }
}
