//! An answer becomes an action of a package: its content with the files that lie in GIS, the dictionary entries of this
//! stand and the employee who answers. Pure; what is missing is named in the client's terms.

use std::collections::HashMap;

use gis_client::debt_requests as gis;
use gis_client::debt_requests::{Dictionaries, NsiRef};
use gis_client::ids::ExecutorId;
use gis_client::text::{AttachmentDescription, AttachmentName};

use crate::domain::answer::{Answer, LastError};
use crate::domain::attachment::{Attachment, FileState};
use crate::domain::content::{Content, DebtDocument, Debtor, IdentityDocument};
use crate::domain::last_error_code::LastErrorCode;
use crate::domain::submission::{Action, Submission};
use crate::ids::AttachmentId;

/// Why an answer cannot be sent as it is. It was possible when the answer was taken: something has changed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Defect {
    /// Nobody with an identifier in GIS answers for it.
    Executor,
    /// A code is not in the dictionaries of this stand any more.
    Dictionary {
        /// Where in the answer.
        pointer: String,
    },
    /// A file is gone from our store, or GIS does not have it.
    File {
        /// Where in the answer.
        pointer: String,
    },
    /// GIS has refused a file.
    RefusedFile(Box<LastError>),
    /// What it said is erased. Nothing asks for it to be sent; if something did, nothing would be sent.
    Erased,
}

impl Defect {
    /// Whether no repair of settings mends it.
    pub(crate) const fn is_for_good(&self) -> bool {
        match self {
            Self::File { .. } | Self::RefusedFile(_) | Self::Erased => true,
            Self::Executor | Self::Dictionary { .. } => false,
        }
    }

    /// The error as the client sees it.
    pub(crate) fn into_error(self) -> LastError {
        let (code, detail, pointer) = match self {
            Self::RefusedFile(error) => return *error,
            Self::Executor => {
                (LastErrorCode::ExecutorWithoutGisId, "у исполнителя нет идентификатора в ГИС ЖКХ", None)
            }
            Self::Dictionary { pointer } => {
                let detail = "кода нет в справочнике этого стенда ГИС ЖКХ";
                (LastErrorCode::DictionaryUnknown, detail, Some(pointer))
            }
            Self::File { pointer } => {
                (LastErrorCode::AttachmentExpired, "файл ответа недоступен", Some(pointer))
            }
            Self::Erased => (
                LastErrorCode::PersonalDataErased,
                "содержание ответа удалено: истёк срок хранения персональных данных",
                None,
            ),
        };
        LastError {
            origin: "service".to_owned(),
            code: code.to_string(),
            detail: detail.to_owned(),
            pointer,
            gis: None,
        }
    }
}

/// What actions are made with.
#[derive(Debug)]
pub(crate) struct Means<'a> {
    /// Dictionaries 95 and 358 of this stand.
    pub(crate) dictionaries: &'a Dictionaries,
    /// The files of the answers.
    pub(crate) files: HashMap<AttachmentId, Attachment>,
}

/// The action that a submission stands for.
pub(crate) fn action(
    submission: &Submission,
    answer: &Answer,
    executor: Option<ExecutorId>,
    means: &Means<'_>,
) -> Result<gis::Action, Defect> {
    let transport = submission.transport.as_uuid().into();
    let subrequest = submission.debt_request.into();
    match submission.action {
        Action::Revoke => Ok(gis::Action::Revoke { transport, subrequest }),
        Action::Send => {
            let response = response(&answer.content, executor.ok_or(Defect::Executor)?, means)?;
            Ok(gis::Action::Send { transport, subrequest, response })
        }
    }
}

fn response(content: &Content, executor: ExecutorId, means: &Means<'_>) -> Result<gis::Response, Defect> {
    match content {
        Content::NoDebt { comment } => Ok(gis::Response::NoDebt { comment: comment.clone(), executor }),
        Content::Debt { comment, debtors, files } => {
            let debtors =
                debtors.try_map(|(place, debtor)| means.debtor(debtor, &format!("/debtors/{place}")))?;
            let files = files
                .iter()
                .enumerate()
                .map(|(place, file)| means.file(*file, || format!("/attachments/{place}/attachment_id")));
            Ok(gis::Response::Debt {
                comment: comment.clone(),
                executor,
                debtors,
                additional_files: files.collect::<Result<Vec<_>, _>>()?,
            })
        }
        Content::Erased { .. } => Err(Defect::Erased),
    }
}

impl Means<'_> {
    /// Whether a file of the answer is on its way to GIS once more: GIS had lost it, which was found out after the answer was
    /// chosen.
    pub(crate) fn awaits_files(&self, submission: &Submission, answer: &Answer) -> bool {
        let awaited =
            |file: &Attachment| matches!(file.gis_state, FileState::NotUploaded | FileState::Uploading);
        submission.action == Action::Send
            && answer.content.attachments().any(|(_, id)| self.files.get(&id).is_some_and(awaited))
    }

    fn debtor(&self, debtor: &Debtor, pointer: &str) -> Result<gis::Debtor, Defect> {
        let documents =
            debtor.documents.iter().enumerate().map(|(place, document)| {
                self.debt_document(document, &format!("{pointer}/documents/{place}"))
            });
        let identity = debtor.identity_document.as_ref();
        Ok(gis::Debtor {
            person: gis::Person {
                first_name: debtor.first_name.clone(),
                last_name: debtor.last_name.clone(),
                middle_name: debtor.middle_name.clone(),
                snils: debtor.snils.clone(),
                document: identity.map(|document| self.identity_document(document, pointer)).transpose()?,
            },
            documents: documents.collect::<Result<Vec<_>, _>>()?,
        })
    }

    fn identity_document(
        &self,
        document: &IdentityDocument,
        pointer: &str,
    ) -> Result<gis::IdentityDocument, Defect> {
        let kind = known(self.dictionaries.identity_document(document.type_code.as_str()), || {
            format!("{pointer}/identity_document/type_code")
        })?;
        Ok(gis::IdentityDocument { kind, series: document.series.clone(), number: document.number.clone() })
    }

    fn debt_document(&self, document: &DebtDocument, pointer: &str) -> Result<gis::DebtDocument, Defect> {
        let kind = known(self.dictionaries.debt_document(document.type_code.as_str()), || {
            format!("{pointer}/type_code")
        })?;
        let attachment = self.file(document.attachment, || format!("{pointer}/attachment_id"))?;
        Ok(gis::DebtDocument { kind, attachment })
    }

    fn file(&self, id: AttachmentId, pointer: impl Fn() -> String) -> Result<gis::Attachment, Defect> {
        let known = self.files.get(&id);
        if let Some(error) =
            known.filter(|file| file.gis_state == FileState::Refused).and_then(|file| file.gis_error.clone())
        {
            return Err(Defect::RefusedFile(Box::new(LastError { pointer: Some(pointer()), ..error })));
        }
        let uploaded = known.filter(|file| file.gis_state == FileState::Uploaded);
        let (file, place) =
            uploaded.and_then(|file| Some((file, file.gis_id?))).ok_or_else(|| file_defect(pointer()))?;
        Ok(gis::Attachment {
            name: AttachmentName::parse(file.file_name.as_str()).or(Err(file_defect(pointer())))?,
            // GIS demands one and refuses an empty element.
            description: AttachmentDescription::parse(file.description.as_str())
                .unwrap_or_else(|_| AttachmentDescription::blank()),
            id: place.into(),
            hash: file.gost_hash,
        })
    }
}

fn known(entry: Option<&NsiRef>, pointer: impl Fn() -> String) -> Result<NsiRef, Defect> {
    entry.cloned().ok_or_else(|| Defect::Dictionary { pointer: pointer() })
}

const fn file_defect(pointer: String) -> Defect {
    Defect::File { pointer }
}
