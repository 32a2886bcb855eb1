//! What goes wrong with a call, and which calls can go wrong in that way.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rule::{RuleError, Target};
use crate::files::FileError;

const LONGEST: Duration = Duration::from_secs(36_525 * 86_400);
const SLOWEST: Duration = Duration::from_secs(3600);

/// What goes wrong. Where `late` is optional: without it nothing was accepted; with it the request was accepted all
/// the same and is processed that much later than usual.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Kind {
    /// A SOAP Fault instead of the reply (Q7); the text defaults to the known one of the code.
    SoapFault {
        /// E.g. `EXP001000`.
        code: String,
        /// Its text.
        #[serde(default)]
        text: Option<String>,
        /// Accepted all the same.
        #[serde(default, with = "humantime_serde")]
        late: Option<Duration>,
    },
    /// The result is an `ErrorMessage` and nothing takes effect; on `getState` only this reply says so.
    StateError {
        /// E.g. `EXP001000`.
        code: String,
        /// Its text.
        #[serde(default)]
        text: Option<String>,
    },
    /// Items are refused: the rule's subrequest, or the first `items` of the package.
    ItemError {
        /// E.g. `INT002034`.
        code: String,
        /// Its text.
        #[serde(default)]
        text: Option<String>,
        /// How many from the beginning, when the rule names no subrequest.
        #[serde(default = "one")]
        items: usize,
    },
    /// An HTTP status from in front of GIS (Q10).
    Http {
        /// 400 to 599.
        status: u16,
        /// What comes with it.
        #[serde(default)]
        body: HttpBody,
        /// `Retry-After`.
        #[serde(default, with = "humantime_serde")]
        retry_after: Option<Duration>,
        /// Accepted all the same.
        #[serde(default, with = "humantime_serde")]
        late: Option<Duration>,
    },
    /// The connection is cut, nothing was accepted.
    ResetBefore,
    /// The request was accepted, then the connection is cut: the acknowledgement is lost.
    ResetAfter {
        /// How much later than usual it is processed.
        #[serde(default, with = "humantime_serde")]
        late: Duration,
    },
    /// The reply takes this long in real time, at most an hour (Q4).
    Slow {
        /// How long.
        #[serde(rename = "for", with = "humantime_serde")]
        duration: Duration,
    },
    /// The result never comes (Q3).
    Stuck {
        /// Whether the answers are in force all the same, at the time at which the result would have come.
        #[serde(default)]
        effect: bool,
        /// The `RequestState` that stays.
        #[serde(default)]
        state: StuckState,
    },
    /// The result comes, and takes effect, this much later.
    Late {
        /// How much.
        #[serde(with = "humantime_serde")]
        by: Duration,
    },
    /// The package takes effect a second time (a copy that was under way).
    Ghost {
        /// How much after the first.
        #[serde(with = "humantime_serde")]
        after: Duration,
    },
    /// 200 with bytes that are no SOAP.
    Garbage {
        /// Accepted all the same.
        #[serde(default, with = "humantime_serde")]
        late: Option<Duration>,
    },
    /// The result has fewer items than the package had actions (Q17); they took effect all the same.
    WrongCount {
        /// How many are missing, from the end.
        #[serde(default = "one")]
        missing: usize,
    },
    /// The result's items are in another order (Q17).
    Shuffle,
    /// The result's items come twice (Q17).
    Duplicate,
    /// GIS forgets the call: `getState` answers INT002013.
    LostState {
        /// How long after the acknowledgement.
        #[serde(default, with = "humantime_serde")]
        after: Duration,
    },
    /// The signature of the reply does not hold.
    BadSignature,
    /// The reply has no signature.
    Unsigned,
    /// The file store answers with `X-Upload-Error`.
    FileError {
        /// Which.
        error: FileError,
    },
}

/// The `RequestState` of a call whose result never comes, written as its number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum StuckState {
    /// 1.
    Received,
    /// 2.
    #[default]
    Processing,
}

impl TryFrom<u8> for StuckState {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        match number {
            1 => Ok(Self::Received),
            2 => Ok(Self::Processing),
            _ => Err("state is 1 or 2"),
        }
    }
}

impl From<StuckState> for u8 {
    fn from(state: StuckState) -> Self {
        match state {
            StuckState::Received => 1,
            StuckState::Processing => 2,
        }
    }
}

/// The body of a [`Kind::Http`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpBody {
    /// A page of the front end.
    #[default]
    Html,
    /// Nothing.
    Empty,
    /// A SOAP Fault.
    Soap,
}

impl Kind {
    /// The name of every kind, as rules are written.
    pub const NAMES: [&'static str; 18] = [
        "soap_fault",
        "state_error",
        "item_error",
        "http",
        "reset_before",
        "reset_after",
        "slow",
        "stuck",
        "late",
        "ghost",
        "garbage",
        "wrong_count",
        "shuffle",
        "duplicate",
        "lost_state",
        "bad_signature",
        "unsigned",
        "file_error",
    ];

    /// Its name, one of [`NAMES`](Self::NAMES).
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::SoapFault { .. } => "soap_fault",
            Self::StateError { .. } => "state_error",
            Self::ItemError { .. } => "item_error",
            Self::Http { .. } => "http",
            Self::ResetBefore => "reset_before",
            Self::ResetAfter { .. } => "reset_after",
            Self::Slow { .. } => "slow",
            Self::Stuck { .. } => "stuck",
            Self::Late { .. } => "late",
            Self::Ghost { .. } => "ghost",
            Self::Garbage { .. } => "garbage",
            Self::WrongCount { .. } => "wrong_count",
            Self::Shuffle => "shuffle",
            Self::Duplicate => "duplicate",
            Self::LostState { .. } => "lost_state",
            Self::BadSignature => "bad_signature",
            Self::Unsigned => "unsigned",
            Self::FileError { .. } => "file_error",
        }
    }

    pub(super) fn check(&self) -> Result<(), RuleError> {
        match self {
            Self::SoapFault { code, text, late } => {
                check_code(code, text.as_deref())?;
                check_duration(late.unwrap_or_default(), LONGEST)
            }
            Self::ItemError { items: 0, .. } | Self::WrongCount { missing: 0 } => Err(RuleError::Count),
            Self::StateError { code, text } | Self::ItemError { code, text, .. } => {
                check_code(code, text.as_deref())
            }
            Self::Http { status, retry_after, late, .. } => {
                if !(400..=599).contains(status) {
                    return Err(RuleError::Status);
                }
                check_duration(retry_after.unwrap_or_default(), LONGEST)?;
                check_duration(late.unwrap_or_default(), LONGEST)
            }
            Self::Garbage { late } => check_duration(late.unwrap_or_default(), LONGEST),
            Self::Slow { duration } => check_duration(*duration, SLOWEST),
            Self::ResetAfter { late: duration }
            | Self::Late { by: duration }
            | Self::Ghost { after: duration }
            | Self::LostState { after: duration } => check_duration(*duration, LONGEST),
            Self::ResetBefore
            | Self::Stuck { .. }
            | Self::WrongCount { .. }
            | Self::Shuffle
            | Self::Duplicate
            | Self::BadSignature
            | Self::Unsigned
            | Self::FileError { .. } => Ok(()),
        }
    }

    /// How much later than usual a request that gets another reply is processed.
    pub(super) fn lateness(&self) -> Duration {
        match self {
            Self::SoapFault { late, .. } | Self::Http { late, .. } | Self::Garbage { late } => {
                late.unwrap_or_default()
            }
            Self::ResetAfter { late } => *late,
            Self::StateError { .. }
            | Self::ItemError { .. }
            | Self::ResetBefore
            | Self::Slow { .. }
            | Self::Stuck { .. }
            | Self::Late { .. }
            | Self::Ghost { .. }
            | Self::WrongCount { .. }
            | Self::Shuffle
            | Self::Duplicate
            | Self::LostState { .. }
            | Self::BadSignature
            | Self::Unsigned
            | Self::FileError { .. } => Duration::ZERO,
        }
    }

    /// Whether calls of this target can fail in this way.
    pub(super) fn fits(&self, target: Target) -> bool {
        let soap = !target.is_file() && target != Target::Probe;
        match self {
            Self::Http { .. } | Self::ResetBefore | Self::Slow { .. } => true,
            Self::ResetAfter { .. } => target != Target::Probe,
            Self::SoapFault { .. } | Self::Garbage { .. } => soap,
            Self::StateError { .. } => target.is_asynchronous() || target == Target::GetState,
            Self::Stuck { .. } | Self::Late { .. } | Self::LostState { .. } => target.is_asynchronous(),
            Self::ItemError { .. }
            | Self::Ghost { .. }
            | Self::WrongCount { .. }
            | Self::Shuffle
            | Self::Duplicate => matches!(target, Target::Any | Target::ImportResponses),
            Self::BadSignature | Self::Unsigned => matches!(target, Target::Any | Target::GetState),
            Self::FileError { .. } => target.is_file(),
        }
    }

    pub(super) fn where_it_fits(&self) -> &'static str {
        match self {
            Self::Http { .. } | Self::ResetBefore | Self::Slow { .. } => "it fits every operation",
            Self::ResetAfter { .. } => "it fits every operation but probe",
            Self::SoapFault { .. } | Self::Garbage { .. } => "it fits the SOAP operations",
            Self::StateError { .. } => "it fits exportDebtSubrequests, importResponses and getState",
            Self::Stuck { .. } | Self::Late { .. } | Self::LostState { .. } => {
                "it fits exportDebtSubrequests and importResponses"
            }
            Self::ItemError { .. }
            | Self::Ghost { .. }
            | Self::WrongCount { .. }
            | Self::Shuffle
            | Self::Duplicate => "it fits importResponses",
            Self::BadSignature | Self::Unsigned => "it fits getState",
            Self::FileError { .. } => "it fits the operations of the file store",
        }
    }
}

fn one() -> usize {
    1
}

fn check_code(code: &str, text: Option<&str>) -> Result<(), RuleError> {
    let fits = (1..=50).contains(&code.chars().count()) && text.is_none_or(|text| text.len() <= 4000);
    if fits { Ok(()) } else { Err(RuleError::Code) }
}

fn check_duration(duration: Duration, longest: Duration) -> Result<(), RuleError> {
    if duration <= longest { Ok(()) } else { Err(RuleError::Duration) }
}
