//! One fault rule: which calls, and when.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Kind, Subject};
use crate::wire::model::Operation;

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
    pub(super) fn is_asynchronous(self) -> bool {
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

    pub(super) fn looks_at(&self, subject: Subject<'_>) -> bool {
        self.operation.covers(subject.operation)
            && self.kind.fits(subject.operation)
            && self.organization.is_none_or(|only| subject.organization == Some(only))
            && self.subrequest.is_none_or(|only| subject.subrequests.contains(&only))
    }
}
