//! Premises as people write them (квартира, комната, блок, помещение) and what is known of two such texts.
//!
//! The registry of court debts and debt requests name flats in free text: `кв. 1`, `1`, `кв.1`, `кв. 1 комн. 2`, nothing for
//! a house. [`Premises::read`] brings a text into one normal form, once, when a row is loaded or a request is asked about;
//! [`Premises::relation`] compares two of them without allocating. Called by [`super::matching`] and by whoever checks a
//! registry.
//!
//! What must stay true: reading the normal form gives the normal form again; two texts have one form only if they name one
//! place; what is not understood completely equals nothing and differs from nothing. The table `premises/cases.tsv` says
//! what each spelling means and can be extended without knowing Rust.

use std::fmt;

use self::kind::{Kind, Level};
use self::number::{Number, NumberRelation};
use super::hidden::hide;
use super::spelling::fold;

mod kind;
mod number;
mod read;

/// Longer texts are not read: `addressDetails` has at most 255 characters (XSD 13.1.10.1).
const LONGEST: usize = 255;
/// The most characters of a text that could not be understood are kept in its key.
const LONGEST_KEPT: usize = 240;
/// Begins the key of a text that could not be understood.
const NOT_UNDERSTOOD: char = '?';

/// Premises, read.
#[derive(Clone, PartialEq, Eq)]
pub struct Premises(Form);

#[derive(Clone, PartialEq, Eq)]
enum Form {
    /// Nothing is named: the object is a house.
    House,
    /// Parts that were all understood, in the order of the normal form; in a registry there are a million of these.
    Named(Box<[Part]>),
    /// The folded text, which was not understood to its end.
    NotUnderstood(Box<str>),
}

#[derive(Clone, PartialEq, Eq)]
struct Part {
    kind: Kind,
    number: Number,
}

/// The normal form of premises as text: equal for two rows only if they name one place. For indexes and for finding
/// duplicates; what is *not* equal may still be the same place, see [`Premises::relation`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PremisesKey(String);

/// What a number without a word numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BareNumber {
    /// A flat, as in the registry: «кв. 1» or «1».
    #[default]
    Flat,
    /// A block: the object is known to be one.
    Block,
}

impl BareNumber {
    const fn kind(self) -> Kind {
        match self {
            Self::Flat => Kind::Flat,
            Self::Block => Kind::Block,
        }
    }
}

/// What is known of two premises of one house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// One place.
    Same,
    /// Two places, however the texts are read.
    Different,
    /// One is a room of the other.
    Partial,
    /// One names premises, the other names none.
    Missing,
    /// It depends on what the writers meant.
    Unclear,
}

impl Premises {
    /// Reads the text of a registry row or of an address.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self::read_as(text, BareNumber::Flat)
    }

    /// Reads a text whose bare number is known to be a flat or a block.
    #[must_use]
    pub fn read_as(text: &str, bare: BareNumber) -> Self {
        // A byte more than four for each character is certainly too long; folding megabytes would only cost time.
        let short = text.len() <= LONGEST * 4 && text.chars().count() <= LONGEST;
        let text = if short { text } else { head(text, LONGEST) };
        let folded = fold(text);
        if !short || folded.starts_with(NOT_UNDERSTOOD) {
            return Self::not_understood(&folded);
        }
        if read::is_whole_house(&folded) {
            return Self(Form::House);
        }
        read::parts(&folded, bare)
            .map_or_else(|| Self::not_understood(&folded), |parts| Self(Form::Named(parts.into())))
    }

    /// A house, of which no part is named.
    #[must_use]
    pub const fn house() -> Self {
        Self(Form::House)
    }

    fn not_understood(folded: &str) -> Self {
        let bare = folded.trim_start_matches([NOT_UNDERSTOOD, ' ']);
        Self(Form::NotUnderstood(head(bare, LONGEST_KEPT).trim_end().into()))
    }

    /// The normal form as text.
    #[must_use]
    pub fn key(&self) -> PremisesKey {
        PremisesKey(self.0.to_string())
    }

    /// Whether no premises are named, the object being a house.
    #[must_use]
    pub const fn is_house(&self) -> bool {
        matches!(self.0, Form::House)
    }

    /// Whether every character of the text was understood. A registry row whose text was not should be refused or shown
    /// to a person: it holds up the answers of its whole house.
    #[must_use]
    pub const fn is_understood(&self) -> bool {
        !matches!(self.0, Form::NotUnderstood(_))
    }

    /// Whether a room is named.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.parts().iter().any(|part| part.kind == Kind::Room)
    }

    fn parts(&self) -> &[Part] {
        match &self.0 {
            Form::Named(parts) => parts,
            Form::House | Form::NotUnderstood(_) => &[],
        }
    }

    /// What is known of these premises and others of the same house.
    #[must_use]
    pub fn relation(&self, other: &Self) -> Relation {
        match (&self.0, &other.0) {
            // Even the same text twice: nobody knows that it names one place (`пристройка`, `см. документы`).
            (Form::NotUnderstood(_), _) | (_, Form::NotUnderstood(_)) => Relation::Unclear,
            (Form::House, Form::House) => Relation::Same,
            (Form::House, Form::Named(_)) | (Form::Named(_), Form::House) => Relation::Missing,
            (Form::Named(ours), Form::Named(theirs)) => compare(ours, theirs),
        }
    }
}

impl PremisesKey {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The comparison proves that two places differ only by two numbers of *one* thing, or by numbers that differ in every
/// reading; it proves that they are one only by equal forms.
fn compare(ours: &[Part], theirs: &[Part]) -> Relation {
    if ours == theirs {
        return Relation::Same;
    }
    let (our_units, their_units) = (has_units(ours), has_units(theirs));
    let of_units = numbers_of_shared(ours, theirs, Kind::is_unit);
    let rooms = numbers_of_shared(ours, theirs, |kind| kind == Kind::Room);
    if of_units == Some(NumberRelation::Different) {
        return Relation::Different;
    }
    match (our_units, their_units) {
        // A flat and a block, a flat and premises: the words are mixed up in practice, numbers are not.
        (true, true) if of_units.is_none() => match numbers_apart(ours, theirs) {
            true => Relation::Different,
            false => Relation::Unclear,
        },
        (true, true) | (false, false) if rooms == Some(NumberRelation::Different) => Relation::Different,
        // A room without a flat lies in any flat, or is a flat of a hostel; only another room number tells it apart.
        (true, false) | (false, true) => match rooms {
            Some(NumberRelation::Different) if numbers_apart(ours, theirs) => Relation::Different,
            _ => Relation::Unclear,
        },
        (true, true) | (false, false) => {
            let inside = |outer: &[Part], inner: &[Part]| is_room_inside(outer, inner);
            if inside(ours, theirs) || inside(theirs, ours) { Relation::Partial } else { Relation::Unclear }
        }
    }
}

fn has_units(parts: &[Part]) -> bool {
    parts.iter().any(|part| part.kind.is_unit())
}

/// The strongest that the kinds say which both name; `None` if there are none.
fn numbers_of_shared(
    ours: &[Part],
    theirs: &[Part],
    wanted: impl Fn(Kind) -> bool,
) -> Option<NumberRelation> {
    let mut found = None;
    for part in ours.iter().filter(|part| wanted(part.kind)) {
        let Some(other) = theirs.iter().find(|other| other.kind == part.kind) else { continue };
        match part.number.relation(&other.number) {
            NumberRelation::Different => return Some(NumberRelation::Different),
            relation @ (NumberRelation::Same | NumberRelation::Unclear) => found = Some(relation),
        }
    }
    found
}

/// Whether no unit or room of the one can have a number of the other, whatever the words.
fn numbers_apart(ours: &[Part], theirs: &[Part]) -> bool {
    let names = |part: &&Part| matches!(part.kind.level(), Level::Unit | Level::Room);
    ours.iter().filter(names).all(|one| {
        theirs.iter().filter(names).all(|two| one.number.relation(&two.number) == NumberRelation::Different)
    })
}

/// Whether `inner` is `outer` and a room.
fn is_room_inside(outer: &[Part], inner: &[Part]) -> bool {
    let without_room = inner.iter().filter(|part| part.kind != Kind::Room);
    inner.len() == outer.len() + 1 && without_room.eq(outer.iter())
}

/// The first characters of a text.
fn head(text: &str, characters: usize) -> &str {
    let end = text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

impl fmt::Display for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::House => formatter.write_str("дом"),
            Self::NotUnderstood(text) => write!(formatter, "{NOT_UNDERSTOOD}{text}"),
            Self::Named(parts) => parts.iter().enumerate().try_for_each(|(place, part)| {
                let space = if place == 0 { "" } else { " " };
                write!(formatter, "{space}{} {}", part.kind.written(), part.number)
            }),
        }
    }
}

hide!(Premises, PremisesKey);

#[cfg(test)]
mod tests;
