//! Makes any answer one that the simulator accepts, and says how it must come back.
//!
//! Text is left as it is. Files must lie in the store with their hash, and entries of dictionaries must exist.

use gis_client::UploadedFile;
use gis_client::debt_requests::{
    AtLeastOne, Attachment, DebtDocument, Debtor, ExportedAttachment, ExportedDebtDocument, ExportedDebtor,
    ExportedDictionaryEntry, ExportedIdentityDocument, ExportedPerson, ExportedResponse, IdentityDocument,
    NsiRef, Person, Response, Staff,
};
use gis_client::text::{Comment, NsiCode};
use gis_sim::rules::dictionaries::Dictionary;

/// Puts existing files and dictionary entries into an answer.
pub(crate) fn legalize(mut response: Response, files: &[UploadedFile]) -> Response {
    let mut files = files.iter().cycle();
    let mut place = |attachment: &mut Attachment| {
        let file = files.next().unwrap();
        (attachment.id, attachment.hash) = (file.id, file.hash);
    };
    match &mut response {
        Response::NoDebt { .. } => {}
        Response::Debt { debtors, additional_files, .. } => {
            additional_files.iter_mut().for_each(&mut place);
            let mut legal: Vec<Debtor> = debtors.iter().cloned().collect();
            for (number, debtor) in legal.iter_mut().enumerate() {
                for document in &mut debtor.documents {
                    place(&mut document.attachment);
                    document.kind = entry(Dictionary::DebtDocuments, number, &document.kind);
                }
                if let Some(document) = &mut debtor.person.document {
                    document.kind = entry(Dictionary::IdentityDocuments, number, &document.kind);
                }
            }
            *debtors = AtLeastOne::new(legal).unwrap();
        }
        Response::RegistryDebt { additional_files, .. } => additional_files.iter_mut().for_each(place),
    }
    response
}

/// An entry that the simulator knows, under the name that was drawn.
fn entry(dictionary: Dictionary, number: usize, drawn: &NsiRef) -> NsiRef {
    let entries = dictionary.entries();
    let entry = &entries[number % entries.len()];
    NsiRef { code: NsiCode::parse(entry.code).unwrap(), id: entry.guid.into(), name: drawn.name.clone() }
}

/// How an export must show an answer; the names of staff are GIS's own.
pub(crate) fn as_exported(response: &Response) -> ExportedResponse {
    let (comment, executor, files) = match response {
        Response::NoDebt { comment, executor } => (comment, executor, &[][..]),
        Response::Debt { comment, executor, additional_files, .. }
        | Response::RegistryDebt { comment, executor, additional_files, .. } => {
            (comment, executor, additional_files.as_slice())
        }
    };
    let debtors = match response {
        Response::Debt { debtors, .. } => debtors.iter().map(debtor).collect(),
        Response::NoDebt { .. } | Response::RegistryDebt { .. } => Vec::new(),
    };
    ExportedResponse {
        has_debt: Some(!matches!(response, Response::NoDebt { .. })),
        debtors,
        additional_files: files.iter().map(attachment).collect(),
        comment: comment.as_ref().map(Comment::as_str).map(Into::into),
        executor: Some(Staff { id: Some(*executor), name: None }),
    }
}

fn debtor(debtor: &Debtor) -> ExportedDebtor {
    ExportedDebtor {
        person: person(&debtor.person),
        documents: debtor.documents.iter().map(debt_document).collect(),
    }
}

fn person(person: &Person) -> ExportedPerson {
    ExportedPerson {
        first_name: Some(person.first_name.as_str().into()),
        last_name: Some(person.last_name.as_str().into()),
        middle_name: person.middle_name.as_ref().map(|name| name.as_str().into()),
        snils: person.snils.as_ref().map(|snils| snils.as_str().into()),
        document: person.document.as_ref().map(identity_document),
    }
}

fn identity_document(document: &IdentityDocument) -> ExportedIdentityDocument {
    ExportedIdentityDocument {
        kind: reference(&document.kind),
        series: document.series.as_ref().map(|series| series.as_str().into()),
        number: Some(document.number.as_str().into()),
    }
}

fn debt_document(document: &DebtDocument) -> ExportedDebtDocument {
    ExportedDebtDocument {
        kind: reference(&document.kind),
        attachment: attachment(&document.attachment),
        ..ExportedDebtDocument::default()
    }
}

fn attachment(attachment: &Attachment) -> ExportedAttachment {
    ExportedAttachment {
        name: Some(attachment.name.as_str().into()),
        description: Some(attachment.description.as_str().into()),
        id: Some(attachment.id),
        hash: Some(attachment.hash),
    }
}

fn reference(reference: &NsiRef) -> ExportedDictionaryEntry {
    ExportedDictionaryEntry {
        code: Some(reference.code.as_str().to_owned()),
        id: Some(reference.id),
        name: reference.name.as_ref().map(|name| name.as_str().to_owned()),
    }
}
