//! The book of accounts (лицевые счета): which accounts belong to which premises, as the supplier knows them.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::hidden::hide;
use super::house::HouseIds;
use super::matching::Question;
use super::premises::{Premises, PremisesKey};
use crate::ids::OrganizationId;

/// Accounts of premises.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Whose book it is.
    pub organization: OrganizationId,
    /// Its place in the book, from 0.
    pub place: i64,
    /// The house in FIAS.
    pub fias_house_id: Uuid,
    /// The flat, room or block as it was written; absent for a house without.
    pub premises: Option<String>,
    /// Unified account (ЕЛС).
    pub unified_account: Option<String>,
    /// Account of the supplier (ЛС).
    pub account: Option<String>,
}

/// House and premises in the form in which the book is looked into.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceKey(String);

/// What the book has for a place, as people read it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FoundAccounts {
    /// Unified accounts (ЕЛС).
    pub unified: Option<String>,
    /// Accounts of the supplier (ЛС).
    pub own: Option<String>,
}

hide!(Account, PlaceKey, FoundAccounts);

impl Account {
    /// The place that it belongs to.
    #[must_use]
    pub fn key(&self) -> PlaceKey {
        let premises = Premises::read(self.premises.as_deref().unwrap_or_default());
        PlaceKey::new(self.fias_house_id, &premises.key())
    }
}

impl PlaceKey {
    fn new(house: Uuid, premises: &PremisesKey) -> Self {
        Self(format!("{} {}", house.as_simple(), premises.as_str()))
    }

    /// The place that a debt request asks about; `None` where that is not certain, because an account of other premises is
    /// worse than none. `houseGUID` may be an identifier of FIAS, so it stands in for one that is missing.
    #[must_use]
    pub fn of(question: &Question) -> Option<Self> {
        let HouseIds { fias, gis } = question.house();
        Some(Self::new(fias.or(gis)?, &question.premises()?.key()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FoundAccounts {
    /// What some rows of one place have, each account once.
    #[must_use]
    pub fn of<'a>(rows: impl Iterator<Item = &'a Account> + Clone) -> Self {
        let list = |texts: BTreeSet<&str>| {
            (!texts.is_empty()).then(|| texts.into_iter().collect::<Vec<_>>().join(", "))
        };
        Self {
            unified: list(rows.clone().filter_map(|row| row.unified_account.as_deref()).collect()),
            own: list(rows.filter_map(|row| row.account.as_deref()).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;
    use crate::domain::debt_request::{Address, GisView, RequestStatus, Requester, ResponseStatus};

    const HOUSE: Uuid = Uuid::from_u128(0xA);

    fn account(premises: Option<&str>, unified: Option<&str>, own: Option<&str>) -> Account {
        Account {
            organization: OrganizationId::generate(),
            place: 0,
            fias_house_id: HOUSE,
            premises: premises.map(ToOwned::to_owned),
            unified_account: unified.map(ToOwned::to_owned),
            account: own.map(ToOwned::to_owned),
        }
    }

    fn asked(address: Address) -> Option<PlaceKey> {
        let view = GisView {
            request_id: None,
            request_number: "62026110433".to_owned(),
            requester: Requester::default(),
            address,
            period_from: None,
            period_to: None,
            sent_on: None,
            due_on: None,
            request_status: RequestStatus::Sent,
            response_status: ResponseStatus::NotSent,
        };
        PlaceKey::of(&Question::of(&view, NaiveDate::from_ymd_opt(2026, 11, 5).unwrap()))
    }

    fn address(premises: Option<&str>, text: Option<&str>) -> Address {
        Address {
            fias_house_id: Some(HOUSE),
            premises: premises.map(ToOwned::to_owned),
            text: text.map(ToOwned::to_owned),
            ..Address::default()
        }
    }

    #[test]
    fn a_request_is_found_however_its_flat_is_written() {
        let flat = account(Some("12"), None, Some("1")).key();
        assert_eq!(asked(address(Some("кв. 12"), None)), Some(flat.clone()));
        assert_eq!(asked(address(None, Some("г Примерск, ул Ткацкая, д. 1, кв. 12"))), Some(flat.clone()));
        let by_gis = Address { fias_house_id: None, gis_house_id: Some(HOUSE), ..address(Some("12"), None) };
        assert_eq!(asked(by_gis), Some(flat.clone()));
        assert_ne!(asked(address(Some("кв. 13"), None)), Some(flat.clone()));
        assert_ne!(asked(address(Some("кв. 12 комн. 1"), None)), Some(flat));
        let house = account(None, None, Some("1")).key();
        assert_eq!(asked(address(None, Some("г Примерск, ул Ткацкая, д. 1"))), Some(house));
    }

    #[test]
    fn where_the_place_is_not_certain_there_is_no_account() {
        let text = "г Примерск, ул Ткацкая, д. 1, кв. 13";
        assert_eq!(asked(address(Some("кв. 12"), Some(text))), None, "two flats");
        assert_eq!(asked(address(Some("пристройка"), None)), None);
        assert_eq!(asked(Address { fias_house_id: None, ..address(Some("12"), None) }), None);
        let room = Address { object_type: Some("room".to_owned()), ..address(Some("кв. 12"), None) };
        assert_eq!(asked(room), None, "the room is not named");
    }

    #[test]
    fn several_accounts_of_one_place_stand_side_by_side() {
        let rows = [
            account(Some("12"), Some("70НН906761"), Some("2")),
            account(Some("кв. 12"), Some("70НН906761"), None),
            account(Some("12"), None, Some("1")),
        ];
        let found = FoundAccounts::of(rows.iter());
        assert_eq!((found.unified.as_deref(), found.own.as_deref()), (Some("70НН906761"), Some("1, 2")));
        assert_eq!(FoundAccounts::of([].iter()), FoundAccounts::default());
        assert_eq!(format!("{:?} {found:?}", rows[0]), "Account(***) FoundAccounts(***)");
    }
}
