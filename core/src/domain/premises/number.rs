//! Numbers of flats and rooms: `12`, `12а`, `12/1`, `12-14`, `12, 13`.

use std::fmt;

/// A number with the letter behind it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Atom {
    /// 1 to [`LARGEST`]; 0 where there is only a letter.
    digits: u16,
    letter: Option<char>,
}

/// Flats have at most four digits. Five are the number of a day that a spreadsheet made of `1/2`, or a slip.
pub(super) const LARGEST: u16 = 9999;

/// How two atoms of a number are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    /// `12/1`: a fraction, or two flats made one, or a flat and its room.
    Slash,
    /// `12-14`: from … to, or a house and its flat, or a flat and its room.
    Hyphen,
    /// `12, 14`: a list.
    Comma,
}

/// A number as it was written, its pieces in their order.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Number {
    first: Atom,
    rest: Vec<(Joint, Atom)>,
}

/// What is known of two numbers of the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberRelation {
    /// One number.
    Same,
    /// Two numbers, however they are read.
    Different,
    /// It depends on what the writer meant.
    Unclear,
}

impl Atom {
    /// `None` for 0 and for what is too large.
    pub(super) fn parse(digits: &str, letter: Option<char>) -> Option<Self> {
        let digits = digits.trim_start_matches('0').parse().ok()?;
        (1..=LARGEST).contains(&digits).then_some(Self { digits, letter })
    }

    /// A letter alone, as a литера has.
    pub(super) const fn of_letter(letter: char) -> Self {
        Self { digits: 0, letter: Some(letter) }
    }

    fn relation(&self, other: &Self) -> NumberRelation {
        if self == other {
            return NumberRelation::Same;
        }
        if self.digits != other.digits {
            return NumberRelation::Different;
        }
        match (self.letter, other.letter) {
            // A Latin letter that is no look-alike may stand for several Russian ones.
            (Some(one), Some(two)) if is_russian(one) && is_russian(two) => NumberRelation::Different,
            // A flat 12а exists beside 12, but some write 12а for a part of 12 with an account of its own.
            _ => NumberRelation::Unclear,
        }
    }
}

fn is_russian(letter: char) -> bool {
    ('а'..='я').contains(&letter)
}

impl Number {
    /// A number of one piece.
    pub(super) const fn new(first: Atom) -> Self {
        Self { first, rest: Vec::new() }
    }

    /// The number with another piece behind it.
    pub(super) fn join(&mut self, joint: Joint, atom: Atom) {
        self.rest.push((joint, atom));
    }

    /// Another number of the same thing behind this one.
    pub(super) fn list(&mut self, other: Self) {
        self.rest.push((Joint::Comma, other.first));
        self.rest.extend(other.rest);
    }

    /// How many pieces it has.
    pub(super) fn pieces(&self) -> usize {
        self.rest.len() + 1
    }

    /// What is known of two numbers of the same thing.
    pub(super) fn relation(&self, other: &Self) -> NumberRelation {
        if self == other {
            return NumberRelation::Same;
        }
        if self.rest.is_empty() && other.rest.is_empty() {
            return self.first.relation(&other.first);
        }
        if self.is_fraction() && other.is_fraction() && self.pieces() == other.pieces() {
            // Written after one custom, they are compared piece by piece: 12/1 is neither 13/1 nor 12/2.
            let apart = self.atoms().zip(other.atoms()).any(|(one, two)| one.digits != two.digits);
            return if apart { NumberRelation::Different } else { NumberRelation::Unclear };
        }
        if self.touches(other) { NumberRelation::Unclear } else { NumberRelation::Different }
    }

    fn is_fraction(&self) -> bool {
        !self.rest.is_empty() && self.rest.iter().all(|(joint, _)| *joint == Joint::Slash)
    }

    fn atoms(&self) -> impl Iterator<Item = &Atom> {
        std::iter::once(&self.first).chain(self.rest.iter().map(|(_, atom)| atom))
    }

    /// Whether any of the numbers meant by the one, in any reading, may be meant by the other.
    fn touches(&self, other: &Self) -> bool {
        self.spans().any(|one| other.spans().any(|two| one.0 <= two.1 && two.0 <= one.1))
    }

    /// Every piece, and every «from … to».
    fn spans(&self) -> impl Iterator<Item = (u16, u16)> {
        let pieces = self.atoms().map(|atom| (atom.digits, atom.digits));
        let ranges = self.atoms().zip(&self.rest).filter_map(|(from, (joint, to))| match joint {
            Joint::Hyphen => Some((from.digits, to.digits)),
            Joint::Slash | Joint::Comma => None,
        });
        pieces.chain(ranges)
    }
}

impl fmt::Display for Atom {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits > 0 {
            write!(formatter, "{}", self.digits)?;
        }
        self.letter.map_or(Ok(()), |letter| write!(formatter, "{letter}"))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(formatter)?;
        self.rest.iter().try_for_each(|(joint, atom)| {
            let sign = match joint {
                Joint::Slash => "/",
                Joint::Hyphen => "-",
                Joint::Comma => ", ",
            };
            write!(formatter, "{sign}{atom}")
        })
    }
}
