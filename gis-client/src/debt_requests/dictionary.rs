//! The dictionaries (НСИ) that answers refer to: 95, kinds of identity documents, and 358, kinds of documents that
//! prove a debt.
//!
//! The GUIDs of the entries differ between the stands of GIS, so the operator keeps them in a file for the stand in
//! use. One entry that public clients agree on is built in: the court act of dictionary 358.

use serde::Deserialize;
use uuid::Uuid;

use super::parts::NsiRef;
use crate::ids::{DictionaryEntryId, NotGuid};
use crate::text::{NsiCode, NsiName, TextError};

/// GUID of the court act (судебный акт), code 1 of dictionary 358.
const COURT_ACT: Uuid = Uuid::from_u128(0x237b_587e_0b10_4702_b78c_8d64_1c3d_4d45);

/// Entries of dictionaries 95 and 358.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dictionaries {
    identity_documents: Vec<NsiRef>,
    debt_documents: Vec<NsiRef>,
}

/// Why a dictionary file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DictionaryError {
    /// Not the expected TOML.
    #[error(
        "the dictionary file must hold tables [[nsi_95]] and [[nsi_358]] with code, guid and, optionally, name"
    )]
    Toml(#[from] toml::de::Error),
    /// An entry has a code that GIS does not allow.
    #[error("the code {code:?} in dictionary {dictionary} cannot be used")]
    Code {
        /// 95 or 358.
        dictionary: u16,
        /// The code.
        code: String,
        /// What is wrong with it.
        source: TextError,
    },
    /// An entry has a name that GIS does not allow.
    #[error("the name of code {code} in dictionary {dictionary} cannot be used")]
    Name {
        /// 95 or 358.
        dictionary: u16,
        /// The code.
        code: String,
        /// What is wrong with the name.
        source: TextError,
    },
    /// An entry has no proper GUID.
    #[error("the GUID of code {code} in dictionary {dictionary} cannot be used")]
    Guid {
        /// 95 or 358.
        dictionary: u16,
        /// The code.
        code: String,
        /// What is needed.
        source: NotGuid,
    },
    /// Two entries have one code.
    #[error("dictionary {dictionary} has the code {code} twice; remove one of the entries")]
    Duplicate {
        /// 95 or 358.
        dictionary: u16,
        /// The code.
        code: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    nsi_95: Vec<Entry>,
    #[serde(default)]
    nsi_358: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    code: String,
    guid: String,
    name: Option<String>,
}

impl Dictionaries {
    /// Reads the dictionary file of a stand. Its entries replace the built-in entry of the same code.
    ///
    /// # Errors
    /// [`DictionaryError`] names the entry.
    pub fn from_toml(text: &str) -> Result<Self, DictionaryError> {
        let file: File = toml::from_str(text)?;
        let mut debt_documents = entries(358, file.nsi_358)?;
        let court_act = court_act();
        if find(&debt_documents, court_act.code.as_str()).is_none() {
            debt_documents.push(court_act);
        }
        Ok(Self { identity_documents: entries(95, file.nsi_95)?, debt_documents })
    }

    /// The code of the court act in dictionary 358; every dictionary has it.
    #[must_use]
    pub fn court_act_code() -> NsiCode {
        court_act().code
    }

    /// Kinds of identity documents, dictionary 95.
    #[must_use]
    pub fn identity_documents(&self) -> &[NsiRef] {
        &self.identity_documents
    }

    /// Kinds of documents that prove a debt, dictionary 358.
    #[must_use]
    pub fn debt_documents(&self) -> &[NsiRef] {
        &self.debt_documents
    }

    /// A kind of identity documents by its code in dictionary 95.
    #[must_use]
    pub fn identity_document(&self, code: &str) -> Option<&NsiRef> {
        find(&self.identity_documents, code)
    }

    /// A kind of documents that prove a debt by its code in dictionary 358.
    #[must_use]
    pub fn debt_document(&self, code: &str) -> Option<&NsiRef> {
        find(&self.debt_documents, code)
    }
}

/// Only the entry that is built in: the court act of dictionary 358.
impl Default for Dictionaries {
    fn default() -> Self {
        Self { identity_documents: Vec::new(), debt_documents: vec![court_act()] }
    }
}

fn court_act() -> NsiRef {
    NsiRef { code: NsiCode::one(), id: COURT_ACT.into(), name: None }
}

fn find<'a>(entries: &'a [NsiRef], code: &str) -> Option<&'a NsiRef> {
    entries.iter().find(|entry| entry.code.as_str() == code)
}

fn entries(dictionary: u16, raw: Vec<Entry>) -> Result<Vec<NsiRef>, DictionaryError> {
    let mut entries = Vec::with_capacity(raw.len());
    for entry in raw {
        let entry = parse(dictionary, entry)?;
        if find(&entries, entry.code.as_str()).is_some() {
            return Err(DictionaryError::Duplicate { dictionary, code: entry.code.into() });
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn parse(dictionary: u16, raw: Entry) -> Result<NsiRef, DictionaryError> {
    let Entry { code, guid, name } = raw;
    let id: DictionaryEntryId = match guid.parse() {
        Ok(id) => id,
        Err(source) => {
            return Err(DictionaryError::Guid { dictionary, code, source });
        }
    };
    let name = match name.map(NsiName::parse).transpose() {
        Ok(name) => name,
        Err(source) => {
            return Err(DictionaryError::Name { dictionary, code, source });
        }
    };
    match NsiCode::parse(code.clone()) {
        Ok(code) => Ok(NsiRef { code, id, name }),
        Err(source) => Err(DictionaryError::Code { dictionary, code, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSPORT: &str =
        "[[nsi_95]]\ncode = \"1\"\nguid = \"6A5A2F3E-0000-4000-8000-000000000001\"\nname = \"Паспорт\"\n";

    #[test]
    fn the_court_act_is_built_in() {
        let dictionaries = Dictionaries::default();
        let act = dictionaries.debt_document("1").unwrap();
        assert_eq!(act.id.to_string(), "237b587e-0b10-4702-b78c-8d641c3d4d45");
        assert!(dictionaries.identity_documents().is_empty());
        assert_eq!(Dictionaries::from_toml("").unwrap(), dictionaries);
    }

    #[test]
    fn a_file_adds_and_replaces_entries() {
        let text = format!(
            "{PASSPORT}[[nsi_358]]\ncode = \"1\"\nguid = \"00000000-0000-4000-8000-000000000002\"\n[[nsi_358]]\ncode = \"2\"\nguid = \"00000000-0000-4000-8000-000000000003\"\n"
        );
        let dictionaries = Dictionaries::from_toml(&text).unwrap();
        assert_eq!(dictionaries.identity_document("1").unwrap().name.as_ref().unwrap().as_str(), "Паспорт");
        assert_eq!(dictionaries.debt_documents().len(), 2);
        assert_eq!(
            dictionaries.debt_document("1").unwrap().id.to_string(),
            "00000000-0000-4000-8000-000000000002"
        );
        assert!(dictionaries.debt_document("3").is_none());
    }

    #[test]
    fn mistakes_are_named() {
        let with = |code: &str, guid: &str, name: &str| {
            let text = format!("[[nsi_95]]\ncode = {code:?}\nguid = {guid:?}\nname = {name:?}\n");
            Dictionaries::from_toml(&text).unwrap_err()
        };
        let guid = "00000000-0000-4000-8000-000000000002";
        assert!(matches!(with("x", guid, "n"), DictionaryError::Code { dictionary: 95, .. }));
        assert!(matches!(with("1", "x", "n"), DictionaryError::Guid { dictionary: 95, .. }));
        assert!(matches!(with("1", guid, ""), DictionaryError::Name { dictionary: 95, .. }));
        let twice = Dictionaries::from_toml(&PASSPORT.repeat(2)).unwrap_err();
        assert_eq!(twice.to_string(), "dictionary 95 has the code 1 twice; remove one of the entries");
        assert!(matches!(Dictionaries::from_toml("[[nsi_96]]"), Err(DictionaryError::Toml(_))));
        assert!(matches!(Dictionaries::from_toml("nsi_95 = 1"), Err(DictionaryError::Toml(_))));
    }
}
