//! `importResponses`: answers to subrequests and withdrawals of answers.
//!
//! The shape of [`Response`] carries the rules that the schema only tells in its annotations: files and debtors
//! belong to a debt alone, and a debt without the registry of debts names at least one debtor.

use std::collections::HashSet;
use std::fmt;

use super::parts::{AtLeastOne, Attachment, IdentityDocument, NsiRef, Person};
use crate::ids::{DebtId, ExecutorId, SubrequestId, TransportId};
use crate::text::Comment;
use crate::xml::Namespace::{Base, Drs, Nsi};
use crate::xml::Writer;

/// XSD importDSRResponsesRequest: at most 100 actions.
const MOST_ACTIONS: usize = 100;

/// What is done with the answer to one subrequest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send an answer. Over an existing answer GIS changes that one.
    Send {
        /// Our key of the action.
        transport: TransportId,
        /// The subrequest answered.
        subrequest: SubrequestId,
        /// The answer.
        response: Response,
    },
    /// Withdraw the answer that was sent before.
    Revoke {
        /// Our key of the action.
        transport: TransportId,
        /// The subrequest whose answer is withdrawn.
        subrequest: SubrequestId,
    },
}

impl Action {
    /// Our key of the action.
    #[must_use]
    pub const fn transport(&self) -> TransportId {
        match self {
            Self::Send { transport, .. } | Self::Revoke { transport, .. } => *transport,
        }
    }

    /// The subrequest concerned.
    #[must_use]
    pub const fn subrequest(&self) -> SubrequestId {
        match self {
            Self::Send { subrequest, .. } | Self::Revoke { subrequest, .. } => *subrequest,
        }
    }
}

/// An answer to a subrequest.
#[derive(Clone, PartialEq, Eq)]
pub enum Response {
    /// There is no debt that a court has confirmed.
    NoDebt {
        /// Additional information.
        comment: Option<Comment>,
        /// The employee who answers.
        executor: ExecutorId,
    },
    /// There is a debt, described here.
    Debt {
        /// Additional information.
        comment: Option<Comment>,
        /// The employee who answers.
        executor: ExecutorId,
        /// Who owes.
        debtors: AtLeastOne<Debtor>,
        /// Files that belong to no debtor in particular.
        additional_files: Vec<Attachment>,
    },
    /// There is a debt, recorded in the registry of debts of GIS.
    ///
    /// At least one record is named, although the schema calls debtGUID optional: an answer with neither debtInfo
    /// nor debtGUID is by the annotation of debtInfo one without the registry, and there debtInfo is obligatory.
    RegistryDebt {
        /// Additional information.
        comment: Option<Comment>,
        /// The employee who answers.
        executor: ExecutorId,
        /// The records.
        debts: AtLeastOne<DebtId>,
        /// Files that belong to no record in particular.
        additional_files: Vec<Attachment>,
    },
}

impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::NoDebt { .. } => "NoDebt",
            Self::Debt { .. } => "Debt",
            Self::RegistryDebt { .. } => "RegistryDebt",
        };
        write!(formatter, "{kind}(***)")
    }
}

/// A person who owes and what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Debtor {
    /// The person.
    pub person: Person,
    /// The documents that prove the debt.
    pub documents: Vec<DebtDocument>,
}

/// A document that proves a debt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebtDocument {
    /// Kind of the document, dictionary 358.
    pub kind: NsiRef,
    /// Its file.
    pub attachment: Attachment,
}

/// A valid package of actions for `importResponses`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportResponses {
    actions: Vec<Action>,
}

/// Why GIS would not take a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidImport {
    /// No action or too many.
    #[error("{0} actions in a package; 1 to {MOST_ACTIONS} are allowed")]
    Count(usize),
    /// Two actions with one TransportGUID.
    #[error("two actions of a package have the transport GUID {0}")]
    SameTransport(TransportId),
    /// Two actions about one subrequest.
    #[error("two actions of a package are about the subrequest {0}; put them into packages of their own")]
    SameSubrequest(SubrequestId),
}

impl ImportResponses {
    /// The format version, fixed by the schema for this operation.
    pub const VERSION: &'static str = "14.0.0.0";

    /// A package of 1 to 100 actions, each with its own TransportGUID and subrequest.
    ///
    /// # Errors
    /// [`InvalidImport`].
    pub fn new(actions: Vec<Action>) -> Result<Self, InvalidImport> {
        if !(1..=MOST_ACTIONS).contains(&actions.len()) {
            return Err(InvalidImport::Count(actions.len()));
        }
        // XSD keys importDSRResponses_TransportGUIDKey and importDSRResponses_DSRGUIDKey.
        let mut transports = HashSet::with_capacity(actions.len());
        let mut subrequests = HashSet::with_capacity(actions.len());
        for action in &actions {
            if !transports.insert(action.transport()) {
                return Err(InvalidImport::SameTransport(action.transport()));
            }
            if !subrequests.insert(action.subrequest()) {
                return Err(InvalidImport::SameSubrequest(action.subrequest()));
            }
        }
        Ok(Self { actions })
    }

    /// The actions in the order of writing.
    #[must_use]
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }
}

/// Writes the content of `importDSRResponsesRequest`, without the element itself.
pub(crate) fn write_import(writer: &mut Writer, request: &ImportResponses) {
    for action in request.actions() {
        writer.element(Drs, "action", |writer| write_action(writer, action));
    }
}

fn write_action(writer: &mut Writer, action: &Action) {
    writer.guid(Base, "TransportGUID", action.transport());
    writer.guid(Drs, "subrequestGUID", action.subrequest());
    match action {
        Action::Send { response, .. } => {
            writer.text(Drs, "actionType", "Send");
            writer.element(Drs, "responseData", |writer| write_response(writer, response));
        }
        Action::Revoke { .. } => writer.text(Drs, "actionType", "Revoke"),
    }
}

fn write_response(writer: &mut Writer, response: &Response) {
    match response {
        Response::NoDebt { comment, executor } => {
            write_response_head(writer, "false", &[], comment.as_ref(), *executor);
        }
        Response::Debt { comment, executor, debtors, additional_files } => {
            write_response_head(writer, "true", additional_files, comment.as_ref(), *executor);
            for debtor in debtors {
                writer.element(Drs, "debtInfo", |writer| write_debtor(writer, debtor));
            }
        }
        Response::RegistryDebt { comment, executor, debts, additional_files } => {
            write_response_head(writer, "true", additional_files, comment.as_ref(), *executor);
            debts.iter().for_each(|debt| writer.guid(Drs, "debtGUID", *debt));
        }
    }
}

fn write_response_head(
    writer: &mut Writer,
    has_debt: &str,
    files: &[Attachment],
    comment: Option<&Comment>,
    executor: ExecutorId,
) {
    writer.text(Drs, "hasDebt", has_debt);
    for file in files {
        writer.element(Drs, "additionalFile", |writer| write_attachment(writer, file));
    }
    if let Some(comment) = comment {
        writer.text(Drs, "description", comment.as_str());
    }
    writer.guid(Drs, "executorGUID", executor);
}

fn write_debtor(writer: &mut Writer, debtor: &Debtor) {
    writer.element(Drs, "person", |writer| write_person(writer, &debtor.person));
    for document in &debtor.documents {
        writer.element(Drs, "document", |writer| {
            writer.element(Drs, "type", |writer| write_reference(writer, &document.kind));
            writer.element(Drs, "attachment", |writer| write_attachment(writer, &document.attachment));
        });
    }
}

fn write_person(writer: &mut Writer, person: &Person) {
    writer.text(Drs, "firstName", person.first_name.as_str());
    writer.text(Drs, "lastName", person.last_name.as_str());
    if let Some(middle_name) = &person.middle_name {
        writer.text(Drs, "middleName", middle_name.as_str());
    }
    if let Some(snils) = &person.snils {
        writer.text(Drs, "snils", snils.as_str());
    }
    if let Some(document) = &person.document {
        writer.element(Drs, "document", |writer| write_identity_document(writer, document));
    }
}

fn write_identity_document(writer: &mut Writer, document: &IdentityDocument) {
    writer.element(Drs, "type", |writer| write_reference(writer, &document.kind));
    if let Some(series) = &document.series {
        writer.text(Drs, "series", series.as_str());
    }
    writer.text(Drs, "number", document.number.as_str());
}

fn write_reference(writer: &mut Writer, reference: &NsiRef) {
    writer.text(Nsi, "Code", reference.code.as_str());
    writer.guid(Nsi, "GUID", reference.id);
    if let Some(name) = &reference.name {
        writer.text(Nsi, "Name", name.as_str());
    }
}

fn write_attachment(writer: &mut Writer, attachment: &Attachment) {
    writer.text(Base, "Name", attachment.name.as_str());
    writer.text(Base, "Description", attachment.description.as_str());
    writer.element(Base, "Attachment", |writer| writer.guid(Base, "AttachmentGUID", attachment.id));
    writer.hex(Base, "AttachmentHASH", &attachment.hash);
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn revoke(transport: u128, subrequest: u128) -> Action {
        Action::Revoke {
            transport: Uuid::from_u128(transport).into(),
            subrequest: Uuid::from_u128(subrequest).into(),
        }
    }

    #[test]
    fn a_package_has_1_to_100_actions() {
        for (count, fits) in [(0, false), (1, true), (100, true), (101, false)] {
            let actions = (0..count).map(|n| revoke(n, n)).collect();
            assert_eq!(ImportResponses::new(actions).is_ok(), fits, "{count}");
        }
    }

    #[test]
    fn keys_of_a_package_are_unique() {
        let same_transport = ImportResponses::new(vec![revoke(1, 1), revoke(1, 2)]);
        assert_eq!(same_transport, Err(InvalidImport::SameTransport(Uuid::from_u128(1).into())));
        let same_subrequest = ImportResponses::new(vec![revoke(1, 3), revoke(2, 3)]);
        assert_eq!(same_subrequest, Err(InvalidImport::SameSubrequest(Uuid::from_u128(3).into())));
    }
}
