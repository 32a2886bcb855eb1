//! What clients send about answers, before anything of it was checked. Personal data: `Debug` shows none.

use bytes::Bytes;

use crate::domain::answer::{Confirm, Source};
use crate::domain::hidden::hide;
use crate::ids::{AttachmentId, DebtRequestId, EmployeeId};

/// What an answer shall say.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ContentDraft {
    /// Whether there is a debt.
    pub has_debt: bool,
    /// Additional information.
    pub comment: Option<String>,
    /// Who owes.
    pub debtors: Vec<DebtorDraft>,
    /// Files that belong to no debtor in particular.
    pub attachments: Vec<FileDraft>,
}

/// A person who owes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DebtorDraft {
    /// Last name (фамилия).
    pub last_name: String,
    /// First name (имя).
    pub first_name: String,
    /// Middle name (отчество).
    pub middle_name: Option<String>,
    /// Insurance number (СНИЛС).
    pub snils: Option<String>,
    /// Identity document.
    pub identity_document: Option<IdentityDocumentDraft>,
    /// Documents that prove the debt.
    pub documents: Vec<FileDraft>,
}

/// A document that proves who a person is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct IdentityDocumentDraft {
    /// Code in dictionary 95 (НСИ 95).
    pub type_code: String,
    /// Series.
    pub series: Option<String>,
    /// Number.
    pub number: String,
}

/// A file of an answer.
#[derive(Clone, PartialEq, Eq)]
pub struct FileDraft {
    /// Code in dictionary 358 (НСИ 358); demanded of a debtor's documents, absent elsewhere.
    pub type_code: Option<String>,
    /// Description of an inline file; a stored one has its own.
    pub description: Option<String>,
    /// Where its content is.
    pub source: FileSource,
}

/// Where the content of a file is.
#[derive(Clone, PartialEq, Eq)]
pub enum FileSource {
    /// It was uploaded before.
    Stored(AttachmentId),
    /// It came with the answer.
    Inline {
        /// Name as people see it.
        file_name: String,
        /// The content.
        content: Bytes,
    },
}

/// A new answer.
#[derive(Clone, PartialEq, Eq)]
pub struct CreateAnswer {
    /// What it answers.
    pub debt_request: DebtRequestId,
    /// The client's name for it.
    pub external_id: Option<String>,
    /// Whether it shall be sent now; else it is a draft.
    pub submit: bool,
    /// What it says.
    pub content: ContentDraft,
    /// The employee named to GIS.
    pub executor: Option<EmployeeId>,
    /// What the client confirms.
    pub confirm: Vec<Confirm>,
    /// The client's reason, demanded of a correction.
    pub reason: Option<String>,
    /// Where it comes from.
    pub source: Source,
    /// W3C `traceparent` of the request.
    pub trace: Option<String>,
}

/// A change of a field that may be absent (RFC 7396: left out, `null`, a value).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// The field stays as it is.
    #[default]
    Keep,
    /// The field becomes absent.
    Clear,
    /// The field becomes this.
    Set(T),
}

/// A change of what a draft says; what is `None` stays.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ContentPatch {
    /// Whether there is a debt.
    pub has_debt: Option<bool>,
    /// Additional information.
    pub comment: Patch<String>,
    /// Who owes, all of them.
    pub debtors: Option<Vec<DebtorDraft>>,
    /// Files that belong to no debtor, all of them.
    pub attachments: Option<Vec<FileDraft>>,
}

/// A change of a draft.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EditAnswer {
    /// What it says.
    pub content: ContentPatch,
    /// A further name of the client for it.
    pub external_id: Option<String>,
    /// The employee named to GIS.
    pub executor: Patch<EmployeeId>,
}

/// The wish to send a draft.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubmitAnswer {
    /// What the client confirms.
    pub confirm: Vec<Confirm>,
    /// The client's reason, demanded of a correction.
    pub reason: Option<String>,
    /// W3C `traceparent` of the request.
    pub trace: Option<String>,
}

/// The wish to withdraw an answer in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RevokeAnswer {
    /// What the client confirms.
    pub confirm: Vec<Confirm>,
    /// The client's reason.
    pub reason: Option<String>,
    /// W3C `traceparent` of the request.
    pub trace: Option<String>,
}

hide!(
    ContentDraft,
    DebtorDraft,
    IdentityDocumentDraft,
    FileDraft,
    FileSource,
    CreateAnswer,
    ContentPatch,
    EditAnswer
);
