//! Reads `importDSRResponsesRequest`: actions, answers, debtors and files.

use roxmltree::Node;

use super::model::{Action, ActionKind, Answer, Debtor, Document, FileRef, IdentityDocument, NsiRef, Person};
use super::names::{base, drs, nsi};
use super::tree::{Children, Read, boolean, guid, guids, matching, nsi_code, text, word};

/// XSD importDSRResponsesRequest 14.0.0.0: at most 100 actions.
const ACTIONS: usize = 100;
/// Characters of a `snils` that is kept to be judged by the rules.
const SNILS: usize = 255;

/// All actions of the request.
pub(super) fn actions(mut parts: Children<'_, '_>) -> Read<Vec<Action>> {
    let nodes = parts.repeated(drs("action"), ACTIONS)?;
    if nodes.is_empty() {
        return Err(parts.unexpected("ожидается элемент action"));
    }
    parts.finish()?;
    nodes.into_iter().map(action).collect()
}

fn action(node: Node<'_, '_>) -> Read<Action> {
    let mut parts = Children::of(node)?;
    let transport = guid(parts.required(base("TransportGUID"))?)?;
    let subrequest = guid(parts.required(drs("subrequestGUID"))?)?;
    let kind = word(parts.required(drs("actionType"))?, |text| match text {
        "Send" => Some(ActionKind::Send),
        "Revoke" => Some(ActionKind::Revoke),
        _ => None,
    })?;
    let response = parts.optional(drs("responseData")).map(answer).transpose()?;
    parts.finish()?;
    Ok(Action { transport, subrequest, kind, response })
}

fn answer(node: Node<'_, '_>) -> Read<Answer> {
    let mut parts = Children::of(node)?;
    let has_debt = boolean(parts.required(drs("hasDebt"))?)?;
    let additional_files = each(parts.repeated(drs("additionalFile"), usize::MAX)?, file)?;
    let description = parts.optional(drs("description")).map(|node| text(node, 1000)).transpose()?;
    let executor = guid(parts.required(drs("executorGUID"))?)?;
    // XSD: a choice, so that one kind after the other is a left-over for finish().
    let debtors = each(parts.repeated(drs("debtInfo"), usize::MAX)?, debtor)?;
    let debts =
        if debtors.is_empty() { guids(parts.repeated(drs("debtGUID"), usize::MAX)?)? } else { Vec::new() };
    parts.finish()?;
    Ok(Answer { has_debt, additional_files, description, executor, debtors, debts })
}

fn debtor(node: Node<'_, '_>) -> Read<Debtor> {
    let mut parts = Children::of(node)?;
    let person = person(parts.required(drs("person"))?)?;
    let documents = each(parts.repeated(drs("document"), usize::MAX)?, document)?;
    parts.finish()?;
    Ok(Debtor { person, documents })
}

fn person(node: Node<'_, '_>) -> Read<Person> {
    let mut parts = Children::of(node)?;
    let person = Person {
        first: text(parts.required(drs("firstName"))?, 255)?,
        last: text(parts.required(drs("lastName"))?, 255)?,
        middle: parts.optional(drs("middleName")).map(|node| text(node, 255)).transpose()?,
        snils: parts.optional(drs("snils")).map(|node| text(node, SNILS)).transpose()?,
        document: parts.optional(drs("document")).map(identity_document).transpose()?,
    };
    parts.finish()?;
    Ok(person)
}

/// `DocumentType`.
pub(super) fn identity_document(node: Node<'_, '_>) -> Read<IdentityDocument> {
    let mut parts = Children::of(node)?;
    let document = IdentityDocument {
        kind: nsi_ref(parts.required(drs("type"))?)?,
        series: parts.optional(drs("series")).map(|node| text(node, 255)).transpose()?,
        number: text(parts.required(drs("number"))?, 255)?,
    };
    parts.finish()?;
    Ok(document)
}

fn document(node: Node<'_, '_>) -> Read<Document> {
    let mut parts = Children::of(node)?;
    let kind = nsi_ref(parts.required(drs("type"))?)?;
    let file = file(parts.required(drs("attachment"))?)?;
    parts.finish()?;
    Ok(Document { kind, file })
}

/// `nsiRef`.
pub(super) fn nsi_ref(node: Node<'_, '_>) -> Read<NsiRef> {
    let mut parts = Children::of(node)?;
    let reference = NsiRef {
        code: nsi_code(parts.required(nsi("Code"))?)?,
        guid: guid(parts.required(nsi("GUID"))?)?,
        name: parts.optional(nsi("Name")).map(|node| text(node, 1200)).transpose()?,
    };
    parts.finish()?;
    Ok(reference)
}

/// `AttachmentType`.
fn file(node: Node<'_, '_>) -> Read<FileRef> {
    let mut parts = Children::of(node)?;
    let name = text(parts.required(base("Name"))?, 1024)?;
    let description = text(parts.required(base("Description"))?, 500)?;
    let mut attachment = Children::of(parts.required(base("Attachment"))?)?;
    let guid = guid(attachment.required(base("AttachmentGUID"))?)?;
    attachment.finish()?;
    let hash = parts.optional(base("AttachmentHASH"));
    // The schema bounds it from below only; no hash is longer than this.
    let hash = hash.map(|node| matching(node, "AttachmentHASH", |text| text.len() <= 1024)).transpose()?;
    parts.finish()?;
    Ok(FileRef { name, description, guid, hash })
}

fn each<T>(nodes: Vec<Node<'_, '_>>, read: impl Fn(Node<'_, '_>) -> Read<T>) -> Read<Vec<T>> {
    nodes.into_iter().map(read).collect()
}
