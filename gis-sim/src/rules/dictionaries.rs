//! The entries of the dictionaries (справочники НСИ) that this stand knows.
//!
//! GUIDs of entries differ between stands of GIS ZhKH, so these are the simulator's own, but for one: two
//! public clients send the court act of NSI 358 with code 1 and the GUID below. Names are the usual ones.

use uuid::{Uuid, uuid};

use crate::wire::model::NsiRef;

/// A dictionary that answers refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dictionary {
    /// NSI 95: identity documents.
    IdentityDocuments,
    /// NSI 358: documents attached to an answer.
    DebtDocuments,
}

impl Dictionary {
    /// The registry number of the dictionary.
    #[must_use]
    pub fn number(self) -> u16 {
        match self {
            Self::IdentityDocuments => 95,
            Self::DebtDocuments => 358,
        }
    }

    /// Every entry.
    #[must_use]
    pub fn entries(self) -> &'static [Entry] {
        match self {
            Self::IdentityDocuments => &IDENTITY_DOCUMENTS,
            Self::DebtDocuments => &DEBT_DOCUMENTS,
        }
    }

    /// Whether there is an entry with this code and this GUID.
    #[must_use]
    pub fn knows(self, reference: &NsiRef) -> bool {
        self.entries().iter().any(|entry| entry.code == reference.code && entry.guid == reference.guid)
    }
}

/// An entry of a dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// `Code`.
    pub code: &'static str,
    /// `GUID`.
    pub guid: Uuid,
    /// `Name`.
    pub name: &'static str,
}

/// The court act of NSI 358.
pub const COURT_ACT: Uuid = uuid!("237b587e-0b10-4702-b78c-8d641c3d4d45");

const fn entry(code: &'static str, guid: Uuid, name: &'static str) -> Entry {
    Entry { code, guid, name }
}

static IDENTITY_DOCUMENTS: [Entry; 8] = [
    entry("1", uuid!("9a5b1f30-95a1-4c00-8d11-0000000095a1"), "Паспорт гражданина Российской Федерации"),
    entry("2", uuid!("9a5b1f30-95a2-4c00-8d11-0000000095a2"), "Паспорт гражданина СССР"),
    entry("3", uuid!("9a5b1f30-95a3-4c00-8d11-0000000095a3"), "Паспорт иностранного гражданина"),
    entry("4", uuid!("9a5b1f30-95a4-4c00-8d11-0000000095a4"), "Вид на жительство"),
    entry("5", uuid!("9a5b1f30-95a5-4c00-8d11-0000000095a5"), "Военный билет"),
    entry("6", uuid!("9a5b1f30-95a6-4c00-8d11-0000000095a6"), "Временное удостоверение личности"),
    entry("7", uuid!("9a5b1f30-95a7-4c00-8d11-0000000095a7"), "Свидетельство о рождении"),
    entry("8", uuid!("9a5b1f30-95a8-4c00-8d11-0000000095a8"), "Разрешение на временное проживание"),
];

static DEBT_DOCUMENTS: [Entry; 3] = [
    entry("1", COURT_ACT, "Судебный акт"),
    entry("2", uuid!("358d0c70-0002-4c00-8d11-000000000358"), "Исполнительный документ"),
    entry("3", uuid!("358d0c70-0003-4c00-8d11-000000000358"), "Иной документ, подтверждающий задолженность"),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_entry_is_its_code_and_its_guid() {
        let reference = |code: &str| NsiRef { code: code.to_owned(), guid: COURT_ACT, name: None };
        assert!(Dictionary::DebtDocuments.knows(&reference("1")));
        assert!(!Dictionary::DebtDocuments.knows(&reference("2")));
        assert!(!Dictionary::IdentityDocuments.knows(&reference("1")));
    }

    #[test]
    fn no_two_entries_share_a_guid() {
        let entries =
            [Dictionary::IdentityDocuments, Dictionary::DebtDocuments].map(Dictionary::entries).concat();
        let guids: HashSet<_> = entries.iter().map(|entry| entry.guid).collect();
        assert_eq!(guids.len(), entries.len());
    }
}
