//! Which house is meant. A house has an identifier in FIAS and one in the address register of GIS; requests carry the one,
//! the other or both, and `houseGUID` may be either (XSD 13.1.10.1: «либо в Реестре адресных объектов ГИС ЖКХ, либо в
//! справочнике ФИАС»). The registry of court debts names houses by FIAS.
//!
//! [`HouseIds`] compares a request with a row. [`HouseBook`] remembers which identifiers belong together, so that a request
//! with a GIS identifier alone can be answered «no debt»: without it an unknown GUID may be the other name of a house that
//! the registry does know.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::debt_request::Address;

/// The identifiers of a house that a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HouseIds {
    /// In FIAS.
    pub fias: Option<Uuid>,
    /// `houseGUID`: in the address register of GIS or in FIAS.
    pub gis: Option<Uuid>,
}

/// What the identifiers of a request and of a row say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HouseRelation {
    /// One house: the FIAS identifiers are equal.
    ByFias,
    /// One house: `houseGUID` is an identifier of the row.
    ByGis,
    /// `houseGUID` is an identifier of the row, and the FIAS identifiers differ.
    Contradicted,
    /// Nothing says that it is one house.
    Other,
}

impl HouseIds {
    /// The identifiers in the address of a request.
    #[must_use]
    pub const fn of(address: &Address) -> Self {
        Self { fias: address.fias_house_id, gis: address.gis_house_id }
    }

    /// The values by which rows are looked up: those whose FIAS or GIS identifier is one of them. At most two, no value
    /// twice.
    pub fn keys(&self) -> impl Iterator<Item = Uuid> + use<> {
        let gis = self.gis.filter(|gis| self.fias != Some(*gis));
        self.fias.into_iter().chain(gis)
    }

    /// Whether nothing is known of the house.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.fias.is_none() && self.gis.is_none()
    }

    /// What these identifiers and those of a row say.
    #[must_use]
    pub fn relation(&self, row_fias: Uuid, row_gis: Option<Uuid>) -> HouseRelation {
        if self.fias == Some(row_fias) {
            return HouseRelation::ByFias;
        }
        let named = self.gis.is_some_and(|gis| gis == row_fias || Some(gis) == row_gis);
        match (named, self.fias) {
            (false, _) => HouseRelation::Other,
            (true, None) => HouseRelation::ByGis,
            (true, Some(_)) => HouseRelation::Contradicted,
        }
    }
}

/// Which identifiers belong to one house. Filled from registry rows, from requests that carry both identifiers, and from any
/// list of the supplier's houses.
#[derive(Debug, Clone, Default)]
pub struct HouseBook {
    fias: HashSet<Uuid>,
    fias_of: HashMap<Uuid, Owner>,
}

#[derive(Debug, Clone, Copy)]
enum Owner {
    One(Uuid),
    /// The sources contradict each other.
    Several,
}

impl HouseBook {
    /// Remembers an identifier of FIAS, and the one of GIS for the same house.
    pub fn learn(&mut self, fias: Uuid, gis: Option<Uuid>) {
        self.fias.insert(fias);
        let Some(gis) = gis.filter(|gis| *gis != fias) else { return };
        let owner = self.fias_of.entry(gis).or_insert(Owner::One(fias));
        if let Owner::One(known) = *owner
            && known != fias
        {
            *owner = Owner::Several;
        }
    }

    /// The identifiers with the one of FIAS where the book proves it; as they are otherwise.
    #[must_use]
    pub fn complete(&self, ids: HouseIds) -> HouseIds {
        let Some(gis) = ids.gis.filter(|_| ids.fias.is_none()) else { return ids };
        let fias = match (self.fias.contains(&gis), self.fias_of.get(&gis)) {
            (true, None) => Some(gis),
            (false, Some(Owner::One(fias))) => Some(*fias),
            // One GUID as the FIAS identifier of a house and the GIS identifier of another proves neither.
            (true, Some(Owner::One(_) | Owner::Several)) | (false, Some(Owner::Several) | None) => None,
        };
        HouseIds { fias, ..ids }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Uuid = Uuid::from_u128(0xA);
    const B: Uuid = Uuid::from_u128(0xB);
    const G: Uuid = Uuid::from_u128(0x6);

    const fn ids(fias: Option<Uuid>, gis: Option<Uuid>) -> HouseIds {
        HouseIds { fias, gis }
    }

    #[test]
    fn a_house_is_known_by_either_register() {
        use HouseRelation::{ByFias, ByGis, Contradicted, Other};
        for (request, row_fias, row_gis, wanted) in [
            (ids(Some(A), None), A, None, ByFias),
            (ids(Some(A), Some(G)), A, Some(B), ByFias),
            (ids(None, Some(A)), A, None, ByGis),
            (ids(None, Some(G)), A, Some(G), ByGis),
            (ids(Some(B), Some(G)), A, Some(G), Contradicted),
            (ids(Some(B), Some(A)), A, None, Contradicted),
            (ids(Some(B), None), A, Some(B), Other),
            (ids(None, Some(B)), A, None, Other),
            (ids(None, None), A, None, Other),
        ] {
            assert_eq!(request.relation(row_fias, row_gis), wanted, "{request:?} {row_fias} {row_gis:?}");
        }
    }

    #[test]
    fn keys_are_the_identifiers_without_repetition() {
        let keys = |ids: HouseIds| ids.keys().collect::<Vec<_>>();
        assert_eq!(keys(ids(Some(A), Some(G))), [A, G]);
        assert_eq!(keys(ids(Some(A), Some(A))), [A]);
        assert_eq!(keys(ids(None, Some(G))), [G]);
        assert!(keys(HouseIds::default()).is_empty());
        assert!(HouseIds::default().is_empty());
    }

    #[test]
    fn the_book_completes_only_what_it_can_prove() {
        let mut book = HouseBook::default();
        book.learn(A, Some(G));
        assert_eq!(book.complete(ids(None, Some(G))).fias, Some(A));
        assert_eq!(book.complete(ids(None, Some(A))).fias, Some(A), "houseGUID may be of FIAS");
        assert_eq!(book.complete(ids(None, Some(B))).fias, None);
        assert_eq!(book.complete(ids(Some(B), Some(G))).fias, Some(B), "what the request says stays");
        book.learn(A, Some(G));
        assert_eq!(book.complete(ids(None, Some(G))).fias, Some(A));
        book.learn(B, Some(G));
        assert_eq!(book.complete(ids(None, Some(G))).fias, None, "two houses claim it");
        book.learn(A, Some(B));
        assert_eq!(book.complete(ids(None, Some(B))).fias, None, "of FIAS and of GIS for different houses");
    }
}
