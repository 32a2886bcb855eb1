//! A row of the registry of court debts (реестр судебных задолженностей): a place, a decision in force, who owes.
//!
//! [`Entry`] is what matching reads of a row; its premises are read once, when the row is loaded. [`CourtDebt`] is the whole
//! row, from which an answer is made. Called by [`super::matching`] and by whoever loads and stores registries.

use chrono::NaiveDate;
use gis_client::debt_requests::AtLeastOne;
use gis_client::text::Comment;
use uuid::Uuid;

use super::content::Debtor;
use super::house::HouseBook;
use super::premises::{Premises, PremisesKey};
use super::words::words;
use crate::domain::hidden::hide;
use crate::ids::{AttachmentId, CourtDebtId};

words! {
    /// How a row came into the registry.
    Origin {
        /// From a workbook, where one address has one row; a second one is a mistake.
        Workbook = "workbook" "Реестр xlsx",
        /// One by one, where several rows of one flat are several decisions.
        Single = "single" "Добавлено отдельной записью",
    }
}

/// What matching reads of a row.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The row.
    pub id: CourtDebtId,
    /// «Идентификатор адреса»: the house in FIAS.
    pub fias_house_id: Uuid,
    /// The house in the address register of GIS, where the supplier knows it.
    pub gis_house_id: Option<Uuid>,
    /// «Адрес дома» as it was written. It is read only where the premises leave a question: for a few rows of a house.
    pub address: Option<Box<str>>,
    /// «Номер квартиры, комнаты, блока жилого дома», read.
    pub premises: Premises,
    /// «Дата начала периода задолженности»: the day on which the decision came into force.
    pub in_force_from: NaiveDate,
    /// «Дата погашения задолженности».
    pub repaid_on: Option<NaiveDate>,
    /// Whether «Дополнительная информация» says anything. One address is one row of a workbook, so further debtors and
    /// further decisions stand there, and these may be open although the row is repaid.
    pub noted: bool,
    /// How the row came into the registry.
    pub origin: Origin,
}

impl Entry {
    /// The key under which two rows of a workbook are one address written twice.
    #[must_use]
    pub fn key(&self) -> (Uuid, PremisesKey) {
        (self.fias_house_id, self.premises.key())
    }

    /// Tells the book which identifiers belong together.
    pub fn teach(&self, book: &mut HouseBook) {
        book.learn(self.fias_house_id, self.gis_house_id);
    }
}

/// A row of the registry.
#[derive(Clone, PartialEq, Eq)]
pub struct CourtDebt {
    /// The place and the dates.
    pub entry: Entry,
    /// «Номер квартиры, комнаты, блока жилого дома» as it was written.
    pub premises_text: String,
    /// Who owes. A workbook names one person and the others in words, in the note.
    pub debtors: AtLeastOne<Debtor>,
    /// Files that belong to no debtor in particular.
    pub files: Vec<AttachmentId>,
    /// «Дополнительная информация»: goes into the answer.
    pub note: Option<Comment>,
}

impl CourtDebt {
    /// Every file that it names; one may stand in several places.
    pub fn attachments(&self) -> impl Iterator<Item = AttachmentId> + '_ {
        let documents = self.debtors.iter().flat_map(|debtor| &debtor.documents);
        documents.map(|document| document.attachment).chain(self.files.iter().copied())
    }
}

hide!(Entry, CourtDebt);

#[cfg(test)]
mod tests {
    use gis_client::text::PersonName;

    use super::*;
    use crate::domain::house::HouseIds;

    fn entry(premises: &str) -> Entry {
        Entry {
            id: Uuid::from_u128(1).into(),
            fias_house_id: Uuid::from_u128(2),
            gis_house_id: Some(Uuid::from_u128(3)),
            address: Some("ул. Ткацкая, д. 1".into()),
            premises: Premises::read(premises),
            in_force_from: NaiveDate::from_ymd_opt(2025, 1, 9).unwrap(),
            repaid_on: None,
            noted: false,
            origin: Origin::Workbook,
        }
    }

    #[test]
    fn one_address_written_in_two_ways_has_one_key() {
        assert_eq!(entry("кв. 7").key(), entry("7").key());
        assert_ne!(entry("кв. 7").key(), entry("кв. 7 комн. 1").key());
    }

    #[test]
    fn a_row_tells_which_identifiers_belong_together() {
        let mut book = HouseBook::default();
        entry("7").teach(&mut book);
        let known = book.complete(HouseIds { fias: None, gis: Some(Uuid::from_u128(3)) });
        assert_eq!(known.fias, Some(Uuid::from_u128(2)));
    }

    #[test]
    fn nobody_is_printed_for_debugging() {
        let debtor = Debtor {
            last_name: PersonName::parse("Примеров").unwrap(),
            first_name: PersonName::parse("Образец").unwrap(),
            middle_name: None,
            snils: None,
            identity_document: None,
            documents: Vec::new(),
        };
        let debt = CourtDebt {
            entry: entry("кв. 7"),
            premises_text: "кв. 7".to_owned(),
            debtors: AtLeastOne::new(vec![debtor]).unwrap(),
            files: Vec::new(),
            note: None,
        };
        assert_eq!(format!("{debt:?} {:?}", debt.entry), "CourtDebt(***) Entry(***)");
    }
}
