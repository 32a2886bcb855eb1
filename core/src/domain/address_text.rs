//! Addresses in words, as GIS and people write them: `620000, обл Свердловская, г Екатеринбург, ул Мира, д. 1, кв. 12`.
//!
//! A house is known by its identifiers; its text is a second opinion («Адрес дома» of the registry «сверяется с адресом,
//! указанным в заявке»), and the only place where requests of the form 14.0.0.0 name the flat. [`AddressText::read`] takes
//! a text apart once; [`AddressText::agreement`] compares two without allocating. Called by [`super::matching`] and by
//! whoever checks a registry.
//!
//! What must stay true: a text that was not understood proves nothing, neither that houses agree nor that they differ; a
//! flat is taken only from behind a house number and only with its word. `address_text/cases.tsv` holds the examples.

use std::fmt;

use self::house_number::HouseNumber;
use self::place::{Name, Places, StreetName};
use super::premises::{BareNumber, Premises};
use super::spelling::{Token, as_it_looks, fold, tokens};

mod house_number;
mod place;
mod words;

/// XSD: `address` has at most 4000 characters.
const LONGEST: usize = 4000;

/// An address, read.
#[derive(Clone, PartialEq, Eq)]
pub struct AddressText {
    city: Option<Name>,
    village: Option<Name>,
    street: Option<StreetName>,
    house: Option<HouseNumber>,
    premises: Option<Premises>,
    /// A flat may be hidden: behind the house number, where something was not understood, or before it.
    may_hide_premises: bool,
}

/// What two texts say of the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// Street and house number are the same.
    Agree,
    /// The texts cannot be of one house: town, street or house number differ.
    Differ,
    /// One of the texts could not be read so far.
    Unreadable,
}

impl AddressText {
    /// Reads a text.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self::read_as(text, BareNumber::Flat)
    }

    /// Reads a text in which a bare number behind the house would be a flat or a block.
    #[must_use]
    pub fn read_as(text: &str, bare: BareNumber) -> Self {
        let end = text.char_indices().nth(LONGEST).map_or(text.len(), |(at, _)| at);
        let folded = fold(text.get(..end).unwrap_or(text));
        let tokens = tokens(&folded);
        let (places, house, after) = house_and_before(&tokens);
        let segments: Vec<&[Token<'_>]> = places.split(is_comma).filter(|part| !part.is_empty()).collect();
        let Places { city, village, street, .. } = Places::read(&segments, house.is_some());
        let mut address = Self { city, village, street, house, premises: None, may_hide_premises: false };
        // `мкр. 5, кв. 12, д. 3`: a quarter, or a flat in a place of its own.
        let hidden_before = names_premises_before_house(places);
        address.may_hide_premises = hidden_before;
        let mut rest =
            after.iter().skip_while(|token| is_comma(token) || token.is_mark(".") || token.is_mark("-"));
        let Some(first) = rest.next() else { return address };
        address.may_hide_premises = true;
        // Without a house number `кв. 5` may be the quarter (квартал) 5.
        if address.house.is_some() && first.word().is_some_and(|word| names_premises(&as_it_looks(word))) {
            let premises = Premises::read_as(folded.get(first.start..).unwrap_or_default(), bare);
            address.may_hide_premises = hidden_before || !premises.is_understood();
            address.premises = Some(premises);
        }
        address
    }

    /// The premises named behind the house, where there are any.
    #[must_use]
    pub const fn premises(&self) -> Option<&Premises> {
        self.premises.as_ref()
    }

    /// Whether the house number was found, everything behind it was understood, and no flat stands before it. Otherwise a
    /// flat may be hidden in the text.
    #[must_use]
    pub const fn is_read_to_end(&self) -> bool {
        self.house.is_some() && !self.may_hide_premises
    }

    /// What two texts say of the house. One difference is enough, while agreement needs the house number and either the
    /// street or, where there are no streets, the village.
    #[must_use]
    pub fn agreement(&self, other: &Self) -> Agreement {
        let streets = both(&self.street, &other.street, StreetName::agreement);
        let villages = both(&self.village, &other.village, Name::agreement);
        let cities = both(&self.city, &other.city, Name::agreement);
        let houses = both(&self.house, &other.house, HouseNumber::agreement);
        if [streets, villages, cities, houses].contains(&Agreement::Differ) {
            return Agreement::Differ;
        }
        let without_streets = self.street.is_none() && other.street.is_none();
        let named = streets == Agreement::Agree || without_streets && villages == Agreement::Agree;
        if named && houses == Agreement::Agree { Agreement::Agree } else { Agreement::Unreadable }
    }
}

fn both<T>(ours: &Option<T>, theirs: &Option<T>, compare: impl Fn(&T, &T) -> Agreement) -> Agreement {
    ours.as_ref().zip(theirs.as_ref()).map_or(Agreement::Unreadable, |(ours, theirs)| compare(ours, theirs))
}

fn is_comma(token: &Token<'_>) -> bool {
    [",", ";", "(", ")"].iter().any(|mark| token.is_mark(mark))
}

/// Words before a flat. `к.` is not among them: behind a house number it is a building (корпус).
fn names_premises(word: &str) -> bool {
    matches!(
        word,
        "кв" | "квартира"
            | "кв-ра"
            | "комн"
            | "комната"
            | "ком"
            | "пом"
            | "помещ"
            | "помещение"
            | "жилое"
            | "нежилое"
            | "блок"
            | "апарт"
            | "апартаменты"
            | "офис"
            | "секция"
            | "подъезд"
            | "этаж"
    )
}

/// Whether `кв. 12` stands before the house number.
fn names_premises_before_house(places: &[Token<'_>]) -> bool {
    let mut follows = false;
    places.iter().filter(|token| !token.is_mark(".")).any(|token| {
        let hidden = follows && token.is_digits();
        follows = token.word().is_some_and(|word| names_premises(&as_it_looks(word)));
        hidden
    })
}

/// The tokens before the house number, the number, the tokens behind it.
fn house_and_before<'t, 'a>(
    tokens: &'t [Token<'a>],
) -> (&'t [Token<'a>], Option<HouseNumber>, &'t [Token<'a>]) {
    let at = explicit_house(tokens).or_else(|| bare_house(tokens));
    let Some((before, from)) = at.and_then(|at| tokens.split_at_checked(at)) else {
        return (tokens, None, &[]);
    };
    match HouseNumber::read(from) {
        Some(found) => (before, Some(found.number), from.get(found.length..).unwrap_or_default()),
        // A house that cannot be read: what follows it is not read either.
        None => (before, None, from),
    }
}

/// Where `д. 5` begins.
fn explicit_house(tokens: &[Token<'_>]) -> Option<usize> {
    (0..tokens.len()).find(|at| tokens.get(*at..).is_some_and(HouseNumber::begins))
}

/// Where a house number without its word begins: a segment of its own (`ул. Мира, 5`), or the end of the street's segment
/// (`ул. Мира 5`).
fn bare_house(tokens: &[Token<'_>]) -> Option<usize> {
    let mut names_before = false;
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        let follows_name = before.is_some_and(|before| before.word().is_some() || before.is_mark("."));
        let alone = before.is_none_or(is_comma) || follows_name && !is_name_number(tokens, at);
        if token.is_digits() && names_before && alone && ends_segment(tokens, at) {
            return Some(at);
        }
        names_before |= token.word().is_some_and(|word| word.chars().nth(2).is_some());
    }
    None
}

/// Whether the number is the name of the type before it: `мкр. 5`, `ул. 8 Марта`, but not `Ткацкая ул. 5`.
fn is_name_number(tokens: &[Token<'_>], at: usize) -> bool {
    let is_sign = |token: &&Token<'_>| token.is_mark(".") || token.is_mark("№");
    let mut earlier = tokens.get(..at).unwrap_or_default().iter().rev().skip_while(is_sign);
    let kind = earlier.next().and_then(|token| token.word());
    let named =
        kind.is_some_and(|word| words::strong_type(word).is_some() || words::weak_type(word).is_some());
    named && earlier.next().is_none_or(is_comma)
}

/// Whether nothing but the house number, and premises, stands from here to the next comma.
fn ends_segment(tokens: &[Token<'_>], at: usize) -> bool {
    let from = tokens.get(at..).unwrap_or_default();
    let Some(found) = HouseNumber::read(from) else { return false };
    from.get(found.length).is_none_or(|next| {
        is_comma(next) || next.word().is_some_and(|word| names_premises(&as_it_looks(word)))
    })
}

impl fmt::Debug for AddressText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AddressText(***)")
    }
}

#[cfg(test)]
mod tests;
