//! What an answer says: no debt, or a debt with its debtors, documents and files. An answer that GIS would refuse for its
//! shape cannot be written down here.
//!
//! Two contents are the same when their [`Canonical`] forms are equal (`api.md` §4.4): the comment with trimmed ends and
//! plain line ends, the multiset of persons, the multiset of files by type and GOST digest. The executor, order and
//! identifiers do not count. What GIS shows is brought into the same form, and only keyed hashes are kept and compared.

use gis_client::debt_requests::{AtLeastOne, ExportedDebtor, ExportedIdentityDocument, ExportedResponse};
use gis_client::text::{Comment, DocumentNumber, DocumentSeries, NsiCode, PersonName, Personal, Snils};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::collections::BTreeMap;

use crate::domain::hidden::hide;
use crate::ids::AttachmentId;

/// What an answer says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// No debt that a court has confirmed. Files and debtors have no place here (XSD annotation of hasDebt).
    NoDebt {
        /// Additional information.
        comment: Option<Comment>,
    },
    /// There is a debt.
    Debt {
        /// Additional information.
        comment: Option<Comment>,
        /// Who owes.
        debtors: AtLeastOne<Debtor>,
        /// Files that belong to no debtor in particular.
        files: Vec<AttachmentId>,
    },
    /// What was said is erased, because the time of keeping it is over. Nobody can say this anew, least of all to GIS.
    Erased {
        /// Whether there was a debt.
        has_debt: bool,
    },
}

/// A person who owes and what proves it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debtor {
    /// Last name (фамилия).
    pub last_name: PersonName,
    /// First name (имя).
    pub first_name: PersonName,
    /// Middle name (отчество), absent where there is none.
    pub middle_name: Option<PersonName>,
    /// Insurance number (СНИЛС).
    pub snils: Option<Snils>,
    /// Identity document.
    pub identity_document: Option<IdentityDocument>,
    /// Documents that prove the debt.
    pub documents: Vec<DebtDocument>,
}

/// A document that proves who a person is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityDocument {
    /// Code in dictionary 95 (НСИ 95).
    pub type_code: NsiCode,
    /// Series, where the kind has one.
    pub series: Option<DocumentSeries>,
    /// Number.
    pub number: DocumentNumber,
}

/// A document that proves a debt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebtDocument {
    /// Code in dictionary 358 (НСИ 358).
    pub type_code: NsiCode,
    /// The file.
    pub attachment: AttachmentId,
}

hide!(Content, Debtor, IdentityDocument, Canonical);

impl Content {
    /// Whether there is a debt.
    #[must_use]
    pub const fn has_debt(&self) -> bool {
        match self {
            Self::NoDebt { .. } => false,
            Self::Debt { .. } => true,
            Self::Erased { has_debt } => *has_debt,
        }
    }

    /// Additional information.
    #[must_use]
    pub const fn comment(&self) -> Option<&Comment> {
        match self {
            Self::NoDebt { comment } | Self::Debt { comment, .. } => comment.as_ref(),
            Self::Erased { .. } => None,
        }
    }

    /// Who owes; empty without a debt.
    #[must_use]
    pub fn debtors(&self) -> &[Debtor] {
        match self {
            Self::NoDebt { .. } | Self::Erased { .. } => &[],
            Self::Debt { debtors, .. } => debtors.as_slice(),
        }
    }

    /// Files that belong to no debtor in particular.
    #[must_use]
    pub fn files(&self) -> &[AttachmentId] {
        match self {
            Self::NoDebt { .. } | Self::Erased { .. } => &[],
            Self::Debt { files, .. } => files,
        }
    }

    /// What GIS shows of an answer that was not sent from here, without its files, which are not ours; `None` where it does
    /// not say whether there is a debt, or names nobody who can be read although there is one.
    #[must_use]
    pub fn of_exported(response: &ExportedResponse) -> Option<Self> {
        let comment = read(response.comment.as_ref(), Comment::parse);
        if !response.has_debt? {
            return Some(Self::NoDebt { comment });
        }
        let debtors = AtLeastOne::new(response.debtors.iter().filter_map(Debtor::of_exported).collect())?;
        Some(Self::Debt { comment, debtors, files: Vec::new() })
    }

    /// Every file with its JSON pointer in the client's terms; one file may stand in several places.
    pub fn attachments(&self) -> impl Iterator<Item = (String, AttachmentId)> + '_ {
        let of_debtors = self.debtors().iter().enumerate().flat_map(|(debtor, person)| {
            person.documents.iter().enumerate().map(move |(document, file)| {
                (format!("/debtors/{debtor}/documents/{document}/attachment_id"), file.attachment)
            })
        });
        let of_answer = self.files().iter().enumerate();
        of_debtors.chain(of_answer.map(|(place, id)| (format!("/attachments/{place}/attachment_id"), *id)))
    }
}

impl Debtor {
    fn of_exported(debtor: &ExportedDebtor) -> Option<Self> {
        let person = &debtor.person;
        Some(Self {
            last_name: read(person.last_name.as_ref(), PersonName::parse)?,
            first_name: read(person.first_name.as_ref(), PersonName::parse)?,
            middle_name: read(person.middle_name.as_ref(), PersonName::parse),
            snils: read(person.snils.as_ref(), Snils::parse),
            identity_document: person.document.as_ref().and_then(IdentityDocument::of_exported),
            documents: Vec::new(),
        })
    }
}

impl IdentityDocument {
    fn of_exported(document: &ExportedIdentityDocument) -> Option<Self> {
        Some(Self {
            type_code: NsiCode::parse(document.kind.code.as_deref()?).ok()?,
            series: read(document.series.as_ref(), DocumentSeries::parse),
            number: read(document.number.as_ref(), DocumentNumber::parse)?,
        })
    }
}

/// A text of GIS as one of ours, where it keeps to the limits.
fn read<T, E>(text: Option<&Personal>, parse: impl Fn(String) -> Result<T, E>) -> Option<T> {
    parse(text?.as_str().to_owned()).ok()
}

/// The form in which contents are compared. Holds personal data; only its keyed hash is stored.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Canonical {
    has_debt: bool,
    comment: String,
    persons: Vec<CanonicalPerson>,
    files: Vec<(String, String)>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct CanonicalPerson {
    names: [String; 3],
    snils: String,
    document: [String; 3],
}

/// GOST R 34.11-94 of the files of a content.
pub type Digests = BTreeMap<AttachmentId, [u8; 32]>;

/// A keyed hash of a canonical content, `hmac:` and 64 hexadecimal digits. A bare hash of so little text could be guessed
/// from lists of names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContentHash(String);

impl ContentHash {
    /// A hash that was stored before.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An HMAC-SHA-256 under a key, of nothing yet.
pub(crate) fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    // HMAC fills a short key with zeros up to the block; done here, no length is left that could be wrong.
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(slot, byte)| *slot = *byte);
    <Hmac<Sha256> as KeyInit>::new(&block.into())
}

/// HMAC-SHA-256 of some parts under the key of an organisation, as text: `hmac:` and 64 hexadecimal digits.
pub(crate) fn keyed_hash<'a>(key: &[u8; 32], parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut mac = keyed(key);
    for part in parts {
        // With its length before each part, no two lists of parts give one input.
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        mac.update(&length.to_be_bytes());
        mac.update(part);
    }
    format!("hmac:{}", hex::encode(mac.finalize().into_bytes()))
}

impl Canonical {
    /// The canonical form of a content of ours. A file without a digest counts by its identifier, so it equals nothing
    /// that GIS shows.
    #[must_use]
    pub fn of(content: &Content, digests: &Digests) -> Self {
        let digest = |id: AttachmentId| digests.get(&id).map_or_else(|| id.to_string(), hex::encode);
        let of_debtors = content
            .debtors()
            .iter()
            .flat_map(|debtor| &debtor.documents)
            .map(|document| (document.type_code.as_str().to_owned(), digest(document.attachment)));
        let of_answer = content.files().iter().map(|id| (String::new(), digest(*id)));
        // What is erased equals nothing, not even a bare «no debt»: only the hash that is stored tells what it said.
        let erased = matches!(content, Content::Erased { .. }).then(|| ("erased".to_owned(), String::new()));
        Self::new(
            content.has_debt(),
            content.comment().map(Comment::as_str),
            content.debtors().iter().map(CanonicalPerson::of).collect(),
            of_debtors.chain(of_answer).chain(erased).collect(),
        )
    }

    /// The canonical form of what GIS shows; `None` where it does not say whether there is a debt.
    #[must_use]
    pub fn of_exported(response: &ExportedResponse) -> Option<Self> {
        let digest = |hash: Option<[u8; 32]>| hash.map_or_else(String::new, hex::encode);
        let of_debtors = response.debtors.iter().flat_map(|debtor| &debtor.documents).map(|document| {
            (document.kind.code.clone().unwrap_or_default(), digest(document.attachment.hash))
        });
        let of_answer = response.additional_files.iter().map(|file| (String::new(), digest(file.hash)));
        Some(Self::new(
            response.has_debt?,
            response.comment.as_ref().map(Personal::as_str),
            response.debtors.iter().map(CanonicalPerson::of_exported).collect(),
            of_debtors.chain(of_answer).collect(),
        ))
    }

    fn new(
        has_debt: bool,
        comment: Option<&str>,
        mut persons: Vec<CanonicalPerson>,
        mut files: Vec<(String, String)>,
    ) -> Self {
        persons.sort_unstable();
        files.sort_unstable();
        Self { has_debt, comment: plain(comment), persons, files }
    }

    /// The keyed hash; the key is the organisation's.
    ///
    #[must_use]
    pub fn hash(&self, key: &[u8; 32]) -> ContentHash {
        ContentHash(keyed_hash(key, self.parts().into_iter().map(str::as_bytes)))
    }

    fn parts(&self) -> Vec<&str> {
        let mut parts =
            vec![if self.has_debt { "debt" } else { "no debt" }, self.comment.as_str(), "persons"];
        for person in &self.persons {
            parts.extend(
                person.names.iter().chain([&person.snils]).chain(&person.document).map(String::as_str),
            );
        }
        parts.push("files");
        for (kind, digest) in &self.files {
            parts.extend([kind.as_str(), digest.as_str()]);
        }
        parts
    }
}

impl CanonicalPerson {
    fn of(debtor: &Debtor) -> Self {
        let document = debtor.identity_document.as_ref();
        Self {
            names: [
                plain(Some(debtor.last_name.as_str())),
                plain(Some(debtor.first_name.as_str())),
                plain(debtor.middle_name.as_ref().map(PersonName::as_str)),
            ],
            snils: plain(debtor.snils.as_ref().map(Snils::as_str)),
            document: [
                plain(document.map(|document| document.type_code.as_str())),
                plain(document.and_then(|document| document.series.as_ref()).map(DocumentSeries::as_str)),
                plain(document.map(|document| document.number.as_str())),
            ],
        }
    }

    fn of_exported(debtor: &ExportedDebtor) -> Self {
        let person = &debtor.person;
        let document = person.document.as_ref();
        let text = |value: Option<&Personal>| plain(value.map(Personal::as_str));
        Self {
            names: [
                text(person.last_name.as_ref()),
                text(person.first_name.as_ref()),
                text(person.middle_name.as_ref()),
            ],
            snils: text(person.snils.as_ref()),
            document: [
                plain(document.and_then(|document| document.kind.code.as_deref())),
                text(document.and_then(|document| document.series.as_ref())),
                text(document.and_then(|document| document.number.as_ref())),
            ],
        }
    }
}

/// A text without what GIS may change on the way: white space at its ends, kinds of line ends.
fn plain(text: Option<&str>) -> String {
    text.unwrap_or_default().replace("\r\n", "\n").replace('\r', "\n").trim().to_owned()
}
