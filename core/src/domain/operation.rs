//! Work on many things at once that takes longer than a request (`api.md` §12.1): what it is, where it stands, and what
//! became of each thing.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::answer::State;
use super::words::words;
use crate::ids::{AnswerId, DebtRequestId, OperationId, OrganizationId};

words! {
    /// What an operation does.
    OperationKind {
        /// Takes many answers.
        AnswersBulk = "answers_bulk" "Массовые ответы",
        /// Answers «no debt» by itself.
        AutoAnswer = "auto_answer" "Автоответ",
    }
}

words! {
    /// Where an operation stands.
    OperationStatus {
        /// Something is not final yet.
        Running = "running" "Выполняется",
        /// Everything has come to a good end.
        Succeeded = "succeeded" "Выполнена",
        /// Everything has come to its end, and something was refused.
        CompletedWithErrors = "completed_with_errors" "Выполнена с ошибками",
        /// A person has stopped it; what was sent before goes its way.
        Cancelled = "cancelled" "Отменена",
    }
}

words! {
    /// What became of a thing when it came.
    Intake {
        /// It has mistakes, or something is in its way.
        Refused = "refused" "Не принят",
        /// An earlier answer says the same.
        Unchanged = "unchanged" "Такой ответ уже есть",
        /// It is left to people.
        Skipped = "skipped" "Оставлен сотрудникам",
        /// There is a draft.
        Drafted = "draft" "Черновик",
        /// It goes to GIS.
        Queued = "queued" "Принят к отправке",
    }
}

/// Work on many things at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its identifier.
    pub id: OperationId,
    /// For whom.
    pub organization: OrganizationId,
    /// What it does.
    pub kind: OperationKind,
    /// Where it stands.
    pub status: OperationStatus,
    /// The client's name.
    pub started_by: String,
    /// Whose it is, [`crate::domain::caller::Caller::author`]: several clients may have one name.
    pub author: String,
    /// How many things it is about.
    pub total: i64,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// One of the things, numbered from 0 as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationItem {
    /// Its place.
    pub place: i64,
    /// The debt request, where it names one.
    pub debt_request: Option<DebtRequestId>,
    /// The client's name for the answer.
    pub external_id: Option<String>,
    /// What became of it when it came.
    pub intake: Intake,
    /// The answer made of it, or the earlier one that says the same.
    pub answer: Option<AnswerId>,
    /// Why it was refused or skipped.
    pub errors: Vec<ItemError>,
}

/// Why a thing was refused; no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemError {
    /// JSON pointer inside the thing; empty for the whole of it.
    pub pointer: String,
    /// A problem code.
    pub code: String,
    /// In words.
    pub detail: String,
}

/// What an item has come to: refused, unchanged or skipped, else the state of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It was refused.
    Refused,
    /// An earlier answer says the same.
    Unchanged,
    /// It was left to people.
    Skipped,
    /// An answer was made of it, which now stands there.
    Answer(State),
    /// The draft made of it was deleted.
    Deleted,
}

impl Outcome {
    /// `state` is where the answer stands.
    #[must_use]
    pub const fn of(intake: Intake, state: Option<State>) -> Self {
        match (intake, state) {
            (Intake::Refused, _) => Self::Refused,
            (Intake::Unchanged, _) => Self::Unchanged,
            (Intake::Skipped, _) => Self::Skipped,
            (Intake::Drafted | Intake::Queued, Some(state)) => Self::Answer(state),
            (Intake::Drafted | Intake::Queued, None) => Self::Deleted,
        }
    }

    /// The word as the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => Intake::Refused.as_str(),
            Self::Unchanged => Intake::Unchanged.as_str(),
            Self::Skipped => Intake::Skipped.as_str(),
            Self::Answer(state) => state.as_str(),
            Self::Deleted => "deleted",
        }
    }

    /// The outcome with this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        let states = State::ALL.iter().copied().map(Self::Answer);
        [Self::Refused, Self::Unchanged, Self::Skipped, Self::Deleted]
            .into_iter()
            .chain(states)
            .find(|it| it.as_str() == word)
    }

    /// Whether it is what nobody wants.
    #[must_use]
    pub const fn is_bad(self) -> bool {
        matches!(self, Self::Refused | Self::Answer(State::Rejected))
    }

    /// Whether it goes on by itself. A draft waits for a person, and no operation waits for a person.
    #[must_use]
    pub const fn is_pending(self) -> bool {
        match self {
            Self::Refused | Self::Unchanged | Self::Skipped | Self::Deleted => false,
            Self::Answer(state) => !state.is_final() && !state.is_editable(),
        }
    }
}

/// How many items have come to what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<Outcome, i64>);

impl Tally {
    /// Adds some.
    pub fn add(&mut self, outcome: Outcome, count: i64) {
        *self.0.entry(outcome).or_default() += count;
    }

    /// How many have come to this.
    #[must_use]
    pub fn of(&self, outcome: Outcome) -> i64 {
        self.0.get(&outcome).copied().unwrap_or(0)
    }

    /// How many there are.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.0.values().sum()
    }

    /// How many go on by themselves no more.
    #[must_use]
    pub fn done(&self) -> i64 {
        self.0.iter().filter(|(outcome, _)| !outcome.is_pending()).map(|(_, count)| count).sum()
    }

    /// Where an operation with these items stands, if nobody has stopped it.
    #[must_use]
    pub fn status(&self) -> OperationStatus {
        let any =
            |holds: fn(Outcome) -> bool| self.0.iter().any(|(outcome, count)| *count > 0 && holds(*outcome));
        if any(Outcome::is_pending) {
            OperationStatus::Running
        } else if any(Outcome::is_bad) {
            OperationStatus::CompletedWithErrors
        } else {
            OperationStatus::Succeeded
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_have_words_of_their_own() {
        for word in ["refused", "unchanged", "skipped", "deleted", "queued", "delivered", "rejected", "draft"]
        {
            assert_eq!(Outcome::named(word).map(Outcome::as_str), Some(word));
        }
        assert_eq!(Outcome::named("anything"), None);
    }

    #[test]
    fn an_operation_runs_until_nothing_goes_on_by_itself() {
        let tally = |outcomes: &[Outcome]| {
            let mut tally = Tally::default();
            outcomes.iter().for_each(|outcome| tally.add(*outcome, 1));
            tally
        };
        let status = |outcomes: &[Outcome]| tally(outcomes).status();
        let (sent, done) = (Outcome::Answer(State::Accepted), Outcome::Answer(State::Delivered));
        assert_eq!(status(&[]), OperationStatus::Succeeded);
        assert_eq!(status(&[done, sent, Outcome::Refused]), OperationStatus::Running);
        assert_eq!(status(&[done, Outcome::Unchanged]), OperationStatus::Succeeded);
        assert_eq!(status(&[done, Outcome::Answer(State::Draft)]), OperationStatus::Succeeded);
        assert_eq!(status(&[done, Outcome::Refused]), OperationStatus::CompletedWithErrors);
        assert_eq!(status(&[Outcome::Answer(State::Rejected)]), OperationStatus::CompletedWithErrors);
        let some = tally(&[done, sent, sent, Outcome::Answer(State::Draft), Outcome::Refused]);
        assert_eq!((some.total(), some.done()), (5, 3));
    }
}
