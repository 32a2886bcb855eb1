//! One fault rule: which calls, when, and what goes wrong with them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Subject;
use crate::files::FileError;
use crate::wire::model::Operation;

const LONGEST: Duration = Duration::from_secs(36_525 * 86_400);
const SLOWEST: Duration = Duration::from_secs(3600);

/// The calls that a rule can spoil.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// Every SOAP operation.
    Any,
    /// SOAP, supplier: read subrequests.
    ExportDebtSubrequests,
    /// SOAP, supplier: answer.
    ImportResponses,
    /// SOAP, requester: ask.
    ImportDebtRequests,
    /// SOAP, requester: read answers.
    ExportDebtRequests,
    /// SOAP: ask for a result.
    GetState,
    /// GET of the SOAP address.
    Probe,
    /// Every operation of the file store.
    AnyFile,
    /// PUT of a whole file.
    UploadFile,
    /// POST `?upload`.
    OpenUpload,
    /// PUT of a part.
    UploadPart,
    /// POST `?completed`.
    CompleteUpload,
    /// HEAD.
    FileState,
    /// GET `?getfile`.
    DownloadFile,
}

impl Target {
    /// Whether this is one of the six operations of the file store, or all of them.
    #[must_use]
    pub fn is_file(self) -> bool {
        match self {
            Self::AnyFile
            | Self::UploadFile
            | Self::OpenUpload
            | Self::UploadPart
            | Self::CompleteUpload
            | Self::FileState
            | Self::DownloadFile => true,
            Self::Any
            | Self::ExportDebtSubrequests
            | Self::ImportResponses
            | Self::ImportDebtRequests
            | Self::ExportDebtRequests
            | Self::GetState
            | Self::Probe => false,
        }
    }

    /// Whether a rule for `self` looks at a call of `operation`.
    fn covers(self, operation: Self) -> bool {
        match self {
            Self::Any => !operation.is_file() && operation != Self::Probe,
            Self::AnyFile => operation.is_file(),
            Self::ExportDebtSubrequests
            | Self::ImportResponses
            | Self::ImportDebtRequests
            | Self::ExportDebtRequests
            | Self::GetState
            | Self::Probe
            | Self::UploadFile
            | Self::OpenUpload
            | Self::UploadPart
            | Self::CompleteUpload
            | Self::FileState
            | Self::DownloadFile => self == operation,
        }
    }

    /// The supplier's operations, whose result comes later.
    fn is_asynchronous(self) -> bool {
        matches!(self, Self::Any | Self::ExportDebtSubrequests | Self::ImportResponses)
    }
}

impl From<Operation> for Target {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::ExportDebtSubrequests => Self::ExportDebtSubrequests,
            Operation::ImportResponses => Self::ImportResponses,
            Operation::ImportDebtRequests => Self::ImportDebtRequests,
            Operation::ExportDebtRequests => Self::ExportDebtRequests,
            Operation::GetState => Self::GetState,
        }
    }
}

/// Which of the matching calls are struck.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// All of them.
    Always,
    /// The next this many.
    Next(u64),
    /// Only the one with this number, from 1.
    Nth(u64),
    /// Each with a number divisible by this.
    Every(u64),
    /// Each with this probability, by the seed.
    Chance(f64),
}

impl Default for When {
    fn default() -> Self {
        Self::Next(1)
    }
}

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

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The calls it looks at.
    pub operation: Target,
    /// Only those of this organisation (orgPPAGUID).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<Uuid>,
    /// Only those about this subrequest; for `getState`, when the polled call was about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subrequest: Option<Uuid>,
    /// Which of them it strikes; the next one when left out.
    #[serde(default)]
    pub when: When,
    /// What it does.
    pub kind: Kind,
}

/// Why a rule makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The operation cannot fail that way.
    #[error("kind does not fit operation: {0}")]
    Misfit(&'static str),
    /// `when` with zero or a probability out of bounds.
    #[error("when: next, nth and every count from 1, chance is between 0 and 1")]
    When,
    /// A status that is no error.
    #[error("status is 400 to 599")]
    Status,
    /// Too long.
    #[error("duration is at most an hour for slow, at most a hundred years elsewhere")]
    Duration,
    /// Nothing would be hit.
    #[error("items and missing count from 1")]
    Count,
    /// The file store does at once what it does.
    #[error("late is 0s for the operations of the file store: what they accept takes effect at once")]
    Late,
    /// An empty or endless code.
    #[error("code is 1 to 50 characters, text at most 4000")]
    Code,
}

impl Rule {
    /// Checks that the rule can strike and do something.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), RuleError> {
        match self.when {
            When::Always => {}
            When::Next(count) | When::Nth(count) | When::Every(count) if count > 0 => {}
            When::Chance(chance) if (0.0..=1.0).contains(&chance) => {}
            When::Next(_) | When::Nth(_) | When::Every(_) | When::Chance(_) => return Err(RuleError::When),
        }
        self.kind.check()?;
        if self.operation.is_file() && !self.kind.lateness().is_zero() {
            return Err(RuleError::Late);
        }
        if self.kind.fits(self.operation) {
            Ok(())
        } else {
            Err(RuleError::Misfit(self.kind.where_it_fits()))
        }
    }
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

    fn check(&self) -> Result<(), RuleError> {
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
    fn lateness(&self) -> Duration {
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
    fn fits(&self, target: Target) -> bool {
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

    fn where_it_fits(&self) -> &'static str {
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

impl Rule {
    pub(super) fn looks_at(&self, subject: Subject<'_>) -> bool {
        self.operation.covers(subject.operation)
            && self.kind.fits(subject.operation)
            && self.organization.is_none_or(|only| subject.organization == Some(only))
            && self.subrequest.is_none_or(|only| subject.subrequests.contains(&only))
    }
}
