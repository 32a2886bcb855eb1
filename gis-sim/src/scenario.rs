//! The scenario: every standing habit of the simulator as a named switch, and the fault rules it begins with.
//!
//! Read from TOML (`--scenario FILE`, [`Scenario::from_toml`]) or changed at run time ([`Scenario::patched`], which
//! takes a JSON merge patch). An unknown key is an error that names it. The default is a calm GIS: quick, truthful,
//! strict about the format. What must stay true: with the same seed, scenario and order of calls the simulator does
//! the same things.
//!
//! | quirk | switch | default |
//! | --- | --- | --- |
//! | Q1 early polls punished | `timing.strict_polling`, `timing.poll_after` | `off` |
//! | Q2 quick or hours | `timing.poll_ready`, `timing.poll_ready_spread` | `2s`, `0s` |
//! | Q3 never ready, with or without effect | fault `stuck` | – |
//! | Q4 slow call | `timing.slow`, fault `slow` | `0s` |
//! | Q5 registry lags | `timing.view_lag` | `0s` |
//! | Q6 no notice | always so | |
//! | Q7 EXP001000 in two shapes | faults `soap_fault`, `state_error` | – |
//! | Q8 same bytes loop after EXP001000 | `import.same_bytes_loop` | `true` |
//! | Q9 rude faults, HTML | `replies.stack_traces`, `replies.unknown_fault`, `replies.fault_header`, fault `http` | `false`, `false`, `empty` |
//! | Q10 HTTP errors, cut connections | `replies.schema_violation`, faults `http`, `reset_before`, `reset_after` | `http400` |
//! | Q11 INT002012 for nothing | always so | |
//! | Q12, Q13 error codes | faults `soap_fault`, `state_error`, `item_error` take any code | – |
//! | Q14 listed, yet denied | `import.denied_one_in` | `0` |
//! | Q15 Revoke of what is not sent | always so | |
//! | Q16 one bad value | `import.bad_value` | `package` |
//! | Q17 result count and order | `import.shuffle_results`, faults `wrong_count`, `shuffle`, `duplicate` | `false` |
//! | Q18 header repeats the first MessageGUID | `replies.original_message` | `true` |
//! | Q19 empty last page | `export.empty_last_page` | `false` |
//! | Q20 content not found | `export.page_lost_times` | `0` |
//! | Q21 no or empty pagedOutput | `export.last_page` | `marked` |
//! | Q22 no FIAS id | `requests.without_fias_one_in` | `7` |
//! | Q23 no flat in the 14.0.0.0 form | always so | |
//! | Q24 forms of flat numbers | `requests.premises` | `mixed` |
//! | Q25 spelling of addresses | `requests.spelling` | `mixed` |
//! | Q26 dates | `replies.zoned_dates`, `replies.short_update_dates` | `true`, `false` |
//! | Q27 prefixes | `replies.prefixes` | `random` |
//! | Q28 choices that strict parsers reject | follows from the schema | |
//! | Q29 withdrawn requests | `import.withdrawn_code`, `import.withdrawn_text` | `INT002000` |
//! | Q30, Q31, Q32 refusals of format | always so | |
//! | Q33, Q34, Q36 file store | always so, fault `file_error` | – |
//! | Q35 virus check, hash of the first part | `files.virus_check`, `files.hash_first_part_only` | `0s`, `false` |
//! | Q37 TLS | belongs to the tunnel | |
//! | Q38 signatures | `signature.check`, `replies.signed`, faults `bad_signature`, `unsigned` | `strict`, `true` |
//! | Q39, Q40 header variants | both accepted | |
//! | Q41 too many at once | `transport.max_parallel`, `transport.over_parallel` | `0`, `reset` |

mod switches;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::faults::{AddError, Rule, RuleError};

use switches::PAGE_SIZE;
pub use switches::{
    BadValue, Export, FaultHeader, Files, Import, LastPage, OverParallel, Permission, Prefixes, Replies,
    Requests, SchemaViolation, Signature, SignatureCheck, StrictPolling, Timing, Transport, Variety,
};

/// The longest duration a switch takes: 100 years, as the clock.
const LONGEST: Duration = Duration::from_secs(36_525 * 86_400);
/// `slow` holds a connection of the simulator for real time.
const SLOWEST: Duration = Duration::from_secs(3600);

/// Every switch; see the table of the module.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// When things happen.
    pub timing: Timing,
    /// How answers are judged and when they take effect.
    pub import: Import,
    /// How subrequests are shown.
    pub export: Export,
    /// What the invented subrequests look like.
    pub requests: Requests,
    /// The dress of replies.
    pub replies: Replies,
    /// The check of the client's signature.
    pub signature: Signature,
    /// The file store.
    pub files: Files,
    /// Connections.
    pub transport: Transport,
    /// Fault rules in force from the start; at run time they are managed under `/control/faults`.
    pub faults: Vec<Rule>,
}

/// Why a scenario was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("scenario file {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not TOML, an unknown key or a value of the wrong kind.
    #[error("scenario is wrong: {0}")]
    Toml(#[from] toml::de::Error),
    /// Not the right JSON, an unknown key or a value of the wrong kind.
    #[error("scenario is wrong: {0}")]
    Json(#[from] serde_json::Error),
    /// A value out of its bounds.
    #[error("scenario switch {switch} {problem}")]
    Value {
        /// `section.key`.
        switch: &'static str,
        /// What is allowed.
        problem: &'static str,
    },
    /// A fault rule that makes no sense.
    #[error("scenario fault {number}: {source}")]
    Fault {
        /// Which one, from 1.
        number: usize,
        /// What is wrong.
        source: RuleError,
    },
    /// More fault rules than the simulator keeps.
    #[error("scenario faults cannot be put in force: {0}")]
    Faults(#[from] AddError),
}

impl Scenario {
    /// Reads a scenario; keys left out keep their defaults.
    ///
    /// # Errors
    /// When the text is not TOML, names an unknown key, or a value is wrong.
    pub fn from_toml(text: &str) -> Result<Self, ScenarioError> {
        toml::from_str::<Self>(text)?.checked()
    }

    /// Reads a scenario file.
    ///
    /// # Errors
    /// As [`Self::from_toml`], or when the file cannot be read.
    pub fn from_file(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ScenarioError::Unreadable { path: path.to_owned(), source })?;
        Self::from_toml(&text)
    }

    /// Reads a whole scenario from JSON; keys left out get their defaults.
    ///
    /// # Errors
    /// When a key is unknown or a value is wrong.
    pub fn from_json(value: Value) -> Result<Self, ScenarioError> {
        serde_json::from_value::<Self>(value)?.checked()
    }

    /// This scenario with single switches changed by a JSON merge patch (RFC 7396), e.g.
    /// `{"timing":{"view_lag":"72h"}}`; `null` puts a switch back to its default.
    ///
    /// # Errors
    /// When a key is unknown or a value is wrong; nothing is changed then.
    pub fn patched(&self, patch: Value) -> Result<Self, ScenarioError> {
        let mut value = serde_json::to_value(self)?;
        merge(&mut value, patch);
        Self::from_json(value)
    }

    fn checked(self) -> Result<Self, ScenarioError> {
        let timing = &self.timing;
        let durations = [
            ("timing.poll_ready", timing.poll_ready, LONGEST),
            ("timing.poll_ready_spread", timing.poll_ready_spread, LONGEST),
            ("timing.view_lag", timing.view_lag, LONGEST),
            ("timing.effect_delay", timing.effect_delay, LONGEST),
            ("timing.effect_spread", timing.effect_spread, LONGEST),
            ("files.virus_check", self.files.virus_check, LONGEST),
            ("timing.slow", timing.slow, SLOWEST),
        ];
        for (switch, value, longest) in durations {
            if value > longest {
                let problem =
                    if longest == SLOWEST { "is at most one hour" } else { "is at most a hundred years" };
                return Err(ScenarioError::Value { switch, problem });
            }
        }
        if !(1..=PAGE_SIZE).contains(&self.export.page_size) {
            return Err(ScenarioError::Value { switch: "export.page_size", problem: "is 1 to 100" });
        }
        if timing.poll_after.is_empty() || timing.poll_after.iter().any(|wait| *wait > LONGEST) {
            let problem = "needs at least one wait, none longer than a hundred years";
            return Err(ScenarioError::Value { switch: "timing.poll_after", problem });
        }
        for (index, rule) in self.faults.iter().enumerate() {
            rule.check().map_err(|source| ScenarioError::Fault { number: index + 1, source })?;
        }
        Ok(self)
    }
}

/// RFC 7396: objects merge, `null` removes, everything else replaces.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(changes) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    if let Value::Object(fields) = target {
        for (key, change) in changes {
            if change.is_null() {
                fields.remove(&key);
            } else {
                merge(fields.entry(key).or_insert(Value::Null), change);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_empty_scenario_is_the_calm_default() {
        assert_eq!(Scenario::from_toml("").unwrap(), Scenario::default());
    }

    #[test]
    fn every_default_survives_toml_and_json() {
        let json = serde_json::to_value(Scenario::default()).unwrap();
        assert_eq!(Scenario::from_json(json).unwrap(), Scenario::default());
        let text = toml::to_string(&Scenario::default()).unwrap();
        assert_eq!(Scenario::from_toml(&text).unwrap(), Scenario::default());
    }

    #[test]
    fn a_patch_changes_one_switch_and_null_puts_it_back() {
        let lagging = Scenario::default().patched(json!({"timing": {"view_lag": "72h"}})).unwrap();
        assert_eq!(lagging.timing.view_lag, Duration::from_secs(72 * 3600));
        assert_eq!(lagging.import, Scenario::default().import);
        let back = lagging.patched(json!({"timing": {"view_lag": null}})).unwrap();
        assert_eq!(back, Scenario::default());
    }

    #[test]
    fn wrong_scenarios_are_named() {
        for (text, expected) in [
            ("[timing]\nview_lagg = \"1h\"", "unknown field `view_lagg`"),
            ("[timing]\nview_lag = \"soon\"", "view_lag"),
            ("[timing]\nslow = \"2h\"", "timing.slow is at most one hour"),
            ("[timing]\npoll_after = []", "timing.poll_after needs at least one wait"),
            ("[export]\npage_size = 0", "export.page_size is 1 to 100"),
            ("[import]\nbad_value = \"row\"", "unknown variant `row`"),
            ("[[faults]]\noperation = \"getState\"\nkind = \"ghost\"", "ghost"),
            ("[files", "TOML parse error"),
        ] {
            let error = Scenario::from_toml(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text} gave {error}");
        }
        let error = Scenario::default().patched(json!(7)).unwrap_err().to_string();
        assert!(error.contains("scenario is wrong"), "{error}");
        let missing = Scenario::from_file(Path::new("/nowhere/calm.toml")).unwrap_err().to_string();
        assert!(missing.contains("/nowhere/calm.toml"), "{missing}");
    }

    #[test]
    fn ready_scenarios_of_this_crate_are_right() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= 4);
        for file in files {
            let scenario = Scenario::from_file(&file);
            assert!(scenario.is_ok(), "{}: {}", file.display(), scenario.unwrap_err());
        }
    }
}
