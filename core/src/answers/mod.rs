//! Answers: what clients do with them (`api.md` §4.4, §4.5, §5). Every use case takes raw input, names all its mistakes at
//! once, and changes answers only through a `Case`.
//!
//! The parts: [`input`] is what clients send, `draft` and `intake` make a content of it, `decide` says what becomes of
//! an earlier answer, `office`, `desk` and `dispatch` do it, `outlook` when to ask again; the others are one use case or a few each.

mod bulk;
pub(crate) mod by_registry;
mod create;
mod deadline;
mod decide;
mod desk;
mod dispatch;
mod draft;
mod edit;
mod executor;
pub mod input;
pub(crate) mod intake;
mod lifecycle;
pub(crate) mod office;
mod outlook;
mod read;
mod refresh;
mod revoke;

pub use bulk::{BulkItem, CreateAnswers, OnInvalid};
pub(crate) use bulk::{TakenAnswer, mistakes_of};
pub(crate) use create::scope;
pub use input::{
    ContentDraft, ContentPatch, CreateAnswer, DebtorDraft, EditAnswer, FileDraft, FileSource,
    IdentityDocumentDraft, Patch, RevokeAnswer, SubmitAnswer,
};
pub(crate) use intake::remark;

use chrono::NaiveDate;

use crate::domain::answer::{Answer, ExternalId};
use crate::domain::attachment::Attachment;
use crate::ids::AnswerId;

/// An answer with what a client sees beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerDetails {
    /// The answer.
    pub answer: Answer,
    /// The last day to answer, as GIS set it.
    pub due_on: Option<NaiveDate>,
    /// Its files.
    pub files: Vec<Attachment>,
}

/// What came of posting an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The answer; an earlier one where that said the same.
    pub answer: AnswerDetails,
    /// Whether it is new.
    pub outcome: CreatedOutcome,
}

/// What became of a posted answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreatedOutcome {
    /// There is a new draft (201).
    Draft,
    /// It will be sent (202).
    Queued,
    /// An earlier answer says the same; nothing was done (200).
    Same,
}

/// Answers found by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lookup {
    /// What was found, with the external id that found it.
    pub found: Vec<(Option<ExternalId>, AnswerDetails)>,
    /// Identifiers that no answer of this organisation has.
    pub ids_not_found: Vec<AnswerId>,
    /// External ids that no answer of this organisation has.
    pub external_ids_not_found: Vec<String>,
}

#[cfg(test)]
mod tests;
