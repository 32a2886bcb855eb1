//! Building blocks that several messages share: people, documents, attachments, dictionary references, statuses.
//!
//! The types for writing hold validated text ([`crate::text`]); [`super::import`] writes them, `super::export` and
//! `super::subrequest` use the statuses.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{AttachmentId, DictionaryEntryId};
use crate::text::{
    AttachmentDescription, AttachmentName, DocumentNumber, DocumentSeries, NsiCode, NsiName, PersonName,
    Snils,
};

/// The most characters of an unknown word that are kept.
const LONGEST_UNKNOWN: usize = 64;

/// A list that holds at least one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<T>", bound(deserialize = "T: Deserialize<'de>"))]
pub struct AtLeastOne<T>(Vec<T>);

impl<T> TryFrom<Vec<T>> for AtLeastOne<T> {
    type Error = &'static str;

    fn try_from(items: Vec<T>) -> Result<Self, Self::Error> {
        Self::new(items).ok_or("a list that must not be empty is empty")
    }
}

impl<T> AtLeastOne<T> {
    /// `None` for an empty list.
    #[must_use]
    pub fn new(items: Vec<T>) -> Option<Self> {
        (!items.is_empty()).then_some(Self(items))
    }

    /// The items, at least one.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }

    /// A list as long, of what is made of each item and its place.
    ///
    /// # Errors
    /// The first one that `make` gives.
    pub fn try_map<U, E>(&self, make: impl FnMut((usize, &T)) -> Result<U, E>) -> Result<AtLeastOne<U>, E> {
        self.0.iter().enumerate().map(make).collect::<Result<_, _>>().map(AtLeastOne)
    }

    /// The items in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }
}

impl<T> From<T> for AtLeastOne<T> {
    fn from(item: T) -> Self {
        Self(vec![item])
    }
}

impl<'a, T> IntoIterator for &'a AtLeastOne<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Reference to an entry of a dictionary (НСИ); which dictionary, the place of use says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NsiRef {
    /// Code of the entry.
    pub code: NsiCode,
    /// GUID of the entry on the stand that is spoken to: another stand's GUID gives error SRV007079.
    pub id: DictionaryEntryId,
    /// Name of the entry, which GIS does not need.
    pub name: Option<NsiName>,
}

/// A file that lies in the file store of GIS already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// File name shown to people.
    pub name: AttachmentName,
    /// Description, mandatory for GIS.
    pub description: AttachmentDescription,
    /// The file in the store.
    pub id: AttachmentId,
    /// GOST R 34.11-94 of the whole file with the CryptoPro parameters; written as lower-case hex.
    pub hash: [u8; 32],
}

/// A person who owes.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// First name (имя).
    pub first_name: PersonName,
    /// Last name (фамилия).
    pub last_name: PersonName,
    /// Middle name (отчество); `None` where there is none, GIS refuses an empty one.
    pub middle_name: Option<PersonName>,
    /// Insurance number (СНИЛС).
    pub snils: Option<Snils>,
    /// Identity document.
    pub document: Option<IdentityDocument>,
}

impl fmt::Debug for Person {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Person(***)")
    }
}

/// A document that proves who a person is.
#[derive(Clone, PartialEq, Eq)]
pub struct IdentityDocument {
    /// Kind of the document, dictionary 95.
    pub kind: NsiRef,
    /// Series, where the kind has one.
    pub series: Option<DocumentSeries>,
    /// Number.
    pub number: DocumentNumber,
}

impl fmt::Debug for IdentityDocument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IdentityDocument(***)")
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$word_doc])* $variant,)+
            /// A word that the schema known to us does not have, as GIS wrote it, at most 64 characters of it.
            Unknown(String),
        }

        impl $name {
            /// The word as GIS writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Unknown(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)+
                    other => Self::Unknown(other.chars().take(LONGEST_UNKNOWN).collect()),
                }
            }
        }
    };
}

words! {
    /// Status of a request in GIS. A withdrawn request is not shown to suppliers at all.
    RequestStatus {
        /// Sent to the suppliers (направлен).
        Sent = "Sent",
        /// Answered (получен ответ).
        Processed = "Processed",
    }
}

words! {
    /// Status of the answer to a subrequest in GIS.
    ResponseStatus {
        /// Not sent (не отправлен).
        NotSent = "NotSent",
        /// Sent by the supplier (отправлен).
        Sent = "Sent",
        /// Made by GIS itself when the time was over (сформирован автоматически).
        AutoGenerated = "AutoGenerated",
    }
}

words! {
    /// Kind of a housing object. The schema leaves it open: any text up to 36 characters.
    AddressType {
        /// Flat or other premises (помещение).
        Apartment = "Apartment",
        /// Room (комната).
        Room = "Room",
        /// Single house (жилой дом).
        House = "House",
        /// Block of a house (блок в жилом доме); in a question it is an [`Apartment`](Self::Apartment).
        HouseBlock = "HouseBlock",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_both_ways_and_new_ones_are_kept() {
        assert_eq!(ResponseStatus::from("AutoGenerated"), ResponseStatus::AutoGenerated);
        assert_eq!(ResponseStatus::AutoGenerated.as_str(), "AutoGenerated");
        assert_eq!(RequestStatus::from("Revoked"), RequestStatus::Unknown("Revoked".to_owned()));
        assert_eq!(AddressType::from("Appartment").as_str(), "Appartment");
    }

    #[test]
    fn an_unknown_word_is_kept_short() {
        assert_eq!(RequestStatus::from("\u{44f}".repeat(999).as_str()).as_str(), "\u{44f}".repeat(64));
    }

    #[test]
    fn an_empty_list_is_not_at_least_one() {
        assert!(AtLeastOne::<u8>::new(Vec::new()).is_none());
        assert_eq!(AtLeastOne::new(vec![1, 2]).unwrap().as_slice(), [1, 2]);
    }
}
