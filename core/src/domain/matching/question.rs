//! What a debt request asks, read once, before it is compared with rows.

use chrono::NaiveDate;

use super::rules::{DatesRule, PremisesRule};
use crate::domain::address_text::AddressText;
use crate::domain::court_debt::Entry;
use crate::domain::debt_request::{Address, GisView};
use crate::domain::house::HouseIds;
use crate::domain::premises::{BareNumber, Premises, Relation};

/// A decision is a warning when it came into force earlier than this before the end of the period: the law asks for debts of
/// the last three years.
const LONG_AGO: chrono::Months = chrono::Months::new(36);

/// A debt request, read.
#[derive(Debug, Clone)]
pub struct Question {
    pub(super) house: HouseIds,
    pub(super) has_object: bool,
    pub(super) asked: Asked,
    pub(super) address: Option<AddressText>,
    period_end: NaiveDate,
    long_ago: NaiveDate,
    sent_on: Option<NaiveDate>,
}

/// The place asked about. With a second reading, only what both say is certain.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    first: Wanted,
    second: Option<Wanted>,
}

#[derive(Debug, Clone)]
enum Wanted {
    /// A house without premises.
    House,
    /// Premises that nothing names.
    Unknown,
    /// Premises. They are not exact when the object is a room whose number is not written, or the other way round.
    Premises { named: Premises, exact: bool },
}

/// `adressType` (XSD 14.0.0.0) in the words of [`Address::object_type`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ObjectKind {
    House,
    HouseBlock,
    Apartment,
    Room,
    /// No word, or one that the schema does not have.
    Unknown,
}

impl ObjectKind {
    fn of(word: Option<&str>) -> Self {
        match word {
            Some("house") => Self::House,
            Some("house_block") => Self::HouseBlock,
            // The schema spells it in two ways.
            Some("apartment" | "appartment") => Self::Apartment,
            Some("room") => Self::Room,
            Some(_) | None => Self::Unknown,
        }
    }
}

impl Question {
    /// What a request asks. `today` is the day on which it would be answered.
    #[must_use]
    pub fn of(view: &GisView, today: NaiveDate) -> Self {
        let address = &view.address;
        let kind = ObjectKind::of(address.object_type.as_deref());
        let bare = if kind == ObjectKind::HouseBlock { BareNumber::Block } else { BareNumber::Flat };
        let text = address.text.as_deref().filter(|text| !text.trim().is_empty());
        let read = text.map(|text| AddressText::read_as(text, bare));
        // An open period ends with the request. A decision that is not in force today never counts.
        let period_end = view.period_to.or(view.sent_on).unwrap_or(today).min(today);
        Self {
            house: HouseIds::of(address),
            has_object: address.gis_object_id.is_some(),
            asked: Asked::of(address, kind, bare, read.as_ref()),
            address: read,
            period_end,
            long_ago: period_end.checked_sub_months(LONG_AGO).unwrap_or(NaiveDate::MIN),
            sent_on: view.sent_on.map(|day| day.min(today)),
        }
    }

    /// The identifiers of the house.
    #[must_use]
    pub const fn house(&self) -> HouseIds {
        self.house
    }

    /// The premises asked about, where nothing about them is in doubt; those of a house without are the house.
    #[must_use]
    pub fn premises(&self) -> Option<Premises> {
        match (&self.asked.first, &self.asked.second) {
            (Wanted::House, None) => Some(Premises::house()),
            (Wanted::Premises { named, exact: true }, None) if named.is_understood() => Some(named.clone()),
            (Wanted::House | Wanted::Unknown | Wanted::Premises { .. }, None | Some(_)) => None,
        }
    }

    /// The question with the identifiers that a [`HouseBook`](crate::domain::house::HouseBook) has completed.
    #[must_use]
    pub fn with_house(self, house: HouseIds) -> Self {
        Self { house, ..self }
    }

    /// What the dates of a row say.
    ///
    /// One address is one row of a workbook, and what else is owed there stands in words beside it: a repaid row with such
    /// words may hide an open decision, as one that was repaid before its decision does.
    ///
    /// «Not repaid on the day of sending» can be read of the request and of the answer. A debt repaid before the request was
    /// sent counts in neither reading; one repaid later counts in one of them, so a person decides. The same holds for a
    /// decision in force after the end of the period: it did not count in the period, and it is in force now.
    pub(super) fn dates(&self, row: &Entry) -> DatesRule {
        match row.repaid_on {
            Some(repaid) if row.noted || repaid < row.in_force_from => DatesRule::RepaidUnclear,
            Some(repaid) if self.sent_on.is_some_and(|sent| repaid < sent) => DatesRule::RepaidBefore,
            Some(_) => DatesRule::RepaidLater,
            None if row.in_force_from > self.period_end => DatesRule::AfterPeriod,
            None if row.in_force_from < self.long_ago => DatesRule::InForceLongAgo,
            None => DatesRule::InForce,
        }
    }
}

impl Asked {
    fn of(address: &Address, kind: ObjectKind, bare: BareNumber, text: Option<&AddressText>) -> Self {
        let written = address.premises.as_deref().map(|text| Premises::read_as(text, bare));
        let written = written.filter(|premises| !premises.is_house());
        let in_text = text.and_then(AddressText::premises);
        let named = match (written, in_text) {
            (None, None) => return Self::without_premises(address, kind, text),
            (None, Some(in_text)) => Self::named(in_text.clone(), kind),
            (Some(written), None) => Self::named(written, kind),
            (Some(written), Some(in_text)) => Self::twice_named(written, in_text, kind),
        };
        match kind {
            // A house without premises that has premises: one of the two is wrong.
            ObjectKind::House => Self { second: Some(Wanted::House), ..named },
            ObjectKind::HouseBlock | ObjectKind::Apartment | ObjectKind::Room | ObjectKind::Unknown => named,
        }
    }

    fn named(named: Premises, kind: ObjectKind) -> Self {
        let exact = match kind {
            ObjectKind::Room => named.has_room(),
            ObjectKind::Apartment => !named.has_room(),
            ObjectKind::House | ObjectKind::HouseBlock | ObjectKind::Unknown => true,
        };
        Self { first: Wanted::Premises { named, exact }, second: None }
    }

    /// The field names the premises and the address names them too. A text that cannot be read takes nothing away, and one
    /// that stops at the flat says nothing against a room.
    fn twice_named(written: Premises, in_text: &Premises, kind: ObjectKind) -> Self {
        let consistent = match written.relation(in_text) {
            Relation::Same => true,
            Relation::Partial => written.has_room(),
            Relation::Different | Relation::Missing | Relation::Unclear => !in_text.is_understood(),
        };
        let first = Self::named(written, kind);
        if consistent {
            first
        } else {
            Self { second: Some(Self::named(in_text.clone(), kind).first), ..first }
        }
    }

    /// XSD 13.1.10.1: `addressDetails` is left out for houses and mandatory for everything else; the form 14.0.0.0 has no
    /// such field and says the kind of the object.
    fn without_premises(address: &Address, kind: ObjectKind, text: Option<&AddressText>) -> Self {
        let old_form = address.gis_object_id.is_none();
        let nothing_hidden = text.is_none_or(AddressText::is_read_to_end);
        let first = match kind {
            ObjectKind::House => Wanted::House,
            ObjectKind::Unknown if address.object_type.is_none() && old_form && nothing_hidden => {
                Wanted::House
            }
            ObjectKind::Unknown | ObjectKind::HouseBlock | ObjectKind::Apartment | ObjectKind::Room => {
                Wanted::Unknown
            }
        };
        Self { first, second: None }
    }

    /// Whether a house without premises is asked about.
    pub(super) const fn is_house(&self) -> bool {
        matches!(self.first, Wanted::House)
    }

    /// How the premises of a row compare; `None` if they are certainly others.
    pub(super) fn compare(&self, row: &Premises) -> Option<PremisesRule> {
        let first = self.first.relation(row);
        let relation = match &self.second {
            Some(second) if second.relation(row) != first => Relation::Unclear,
            Some(_) | None => first,
        };
        Some(match relation {
            Relation::Different => return None,
            Relation::Same if row.is_house() => PremisesRule::SameHouse,
            Relation::Same => PremisesRule::Same,
            Relation::Partial => PremisesRule::Room,
            Relation::Missing if self.first.is_named() => PremisesRule::MissingInRegistry,
            Relation::Missing => PremisesRule::MissingInRequest,
            Relation::Unclear if !row.is_understood() || !self.first.is_understood() => {
                PremisesRule::NotUnderstood
            }
            Relation::Unclear => PremisesRule::Unclear,
        })
    }
}

impl Wanted {
    const fn is_named(&self) -> bool {
        matches!(self, Self::Premises { .. })
    }

    fn is_understood(&self) -> bool {
        match self {
            Self::House | Self::Unknown => true,
            Self::Premises { named, .. } => named.is_understood(),
        }
    }

    fn relation(&self, row: &Premises) -> Relation {
        match self {
            Self::House if row.is_house() => Relation::Same,
            Self::House | Self::Unknown if row.is_understood() => Relation::Missing,
            Self::House | Self::Unknown => Relation::Unclear,
            Self::Premises { named, exact } => match named.relation(row) {
                Relation::Same if !exact => Relation::Partial,
                relation @ (Relation::Same
                | Relation::Different
                | Relation::Partial
                | Relation::Missing
                | Relation::Unclear) => relation,
            },
        }
    }
}
