//! Reading the text of premises. What is not understood to its last character is not understood at all: half an
//! understanding would pin a debt on the wrong flat.

use super::kind::Kind;
use super::number::{Atom, Joint, Number};
use super::{BareNumber, Part};
use crate::domain::spelling::{Token, TokenKind, as_it_looks, tokens};

/// More numbers than this are a list that a person should look at. With [`MOST_PARTS`] it keeps normal forms short enough
/// to be read again.
const MOST_PIECES: usize = 12;
/// More parts than this name nothing that exists.
const MOST_PARTS: usize = 6;

/// Signs between a word and its number: `кв. 1`, `кв-1`, `кв:1`, `кв № 1`.
const BEFORE_NUMBER: [&str; 4] = [".", "-", ":", "№"];
/// Signs between parts.
const BETWEEN_PARTS: [&str; 7] = [",", ".", ";", "(", ")", "[", "]"];
/// Signs of a list.
const LIST: [&str; 3] = [",", ";", "+"];

/// The parts that a folded text names, in the order of the normal form; `None` if anything in it is not understood.
pub(super) fn parts(folded: &str, bare: BareNumber) -> Option<Vec<Part>> {
    let tokens = tokens(folded);
    Reader { tokens: &tokens, at: 0, parts: Vec::new(), bare, bare_seen: false }.read()
}

/// Whether a folded text says that there are no premises, the object being a house.
pub(super) fn is_whole_house(folded: &str) -> bool {
    matches!(
        folded.trim_matches([' ', '.', ',', '-']),
        "" | "нет"
            | "отсутствует"
            | "дом"
            | "весь дом"
            | "дом целиком"
            | "жилой дом"
            | "частный дом"
            | "индивидуальный дом"
            | "индивидуальный жилой дом"
            | "ижс"
            | "ижд"
    )
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    parts: Vec<Part>,
    bare: BareNumber,
    /// A number without a word was taken as a flat or a block.
    bare_seen: bool,
}

impl<'a> Reader<'a> {
    fn read(mut self) -> Option<Vec<Part>> {
        while let Some(token) = self.peek(0) {
            if BETWEEN_PARTS.iter().any(|mark| token.is_mark(mark)) || self.is_dash_between_parts() {
                self.at += 1;
            } else if token.is_digits() {
                self.number_first()?;
            } else {
                self.word_first()?;
            }
        }
        // An entrance or a letter alone names nothing that can owe.
        let names = self.parts.iter().any(|part| part.kind.is_unit() || part.kind == Kind::Room);
        let pieces: usize = self.parts.iter().map(|part| part.number.pieces()).sum();
        self.parts.sort_by_key(|part| part.kind.level());
        (names && pieces <= MOST_PIECES && self.parts.len() <= MOST_PARTS).then_some(self.parts)
    }

    fn peek(&self, ahead: usize) -> Option<Token<'a>> {
        self.tokens.get(self.at + ahead).copied()
    }

    fn peek_kind(&self, ahead: usize) -> Option<Kind> {
        Kind::of(&as_it_looks(self.peek(ahead)?.word()?))
    }

    fn is_digits(&self, ahead: usize) -> bool {
        self.peek(ahead).is_some_and(Token::is_digits)
    }

    fn is_mark(&self, ahead: usize, marks: &[&str]) -> bool {
        self.peek(ahead).is_some_and(|token| marks.iter().any(|mark| token.is_mark(mark)))
    }

    /// `кв. 1 - комн. 2`, `кв. 1/комн. 2`.
    fn is_dash_between_parts(&self) -> bool {
        let follows_part = !self.parts.is_empty();
        follows_part && self.is_mark(0, &["-", "/"]) && self.peek(1).is_some_and(|next| next.word().is_some())
    }

    /// A number without a word before it: a flat, or a floor with its word behind.
    fn number_first(&mut self) -> Option<()> {
        // `этаж 2 5` could be anything, `этаж 2; 5` is a flat on a floor.
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        if before.is_some_and(|token| token.kind != TokenKind::Mark || token.is_mark("-")) {
            return None;
        }
        let number = self.number()?;
        match self.peek_kind(0) {
            Some(kind) if kind.may_follow_its_number() && !self.digits_after_word() => {
                self.at += 1;
                self.push(kind, number)
            }
            // `12 кв.`: nothing else may stand there, or it could be the flat of a house 12.
            Some(kind) if kind.is_unit() && self.parts.is_empty() && self.word_is_last() => {
                self.at = self.tokens.len();
                self.push(kind, number)
            }
            _ if self.parts.iter().any(|part| part.kind.is_unit() || part.kind == Kind::Room) => None,
            _ => {
                self.push(self.bare.kind(), number)?;
                self.bare_seen = true;
                Some(())
            }
        }
    }

    fn digits_after_word(&self) -> bool {
        let ahead = if self.is_mark(1, &BEFORE_NUMBER) { 2 } else { 1 };
        self.is_digits(ahead)
    }

    fn word_is_last(&self) -> bool {
        self.peek(1).is_none() || self.is_mark(1, &["."]) && self.peek(2).is_none()
    }

    /// A word and the number behind it.
    fn word_first(&mut self) -> Option<()> {
        let kind = self.kind()?;
        while self.is_mark(0, &BEFORE_NUMBER) || self.is_number_word() {
            self.at += 1;
        }
        if kind == Kind::Litera {
            let before = !self.parts.iter().any(|part| part.kind.is_unit() || part.kind == Kind::Room);
            let kind = if before { Kind::HouseLitera } else { Kind::Litera };
            let number = self.lone_letter().map(Number::new).or_else(|| self.number())?;
            return self.push(kind, number);
        }
        let number = self.number()?;
        self.push(kind, number)
    }

    /// The words `№`, `N`, `No`, `номер` before a number.
    fn is_number_word(&self) -> bool {
        let word = self.peek(0).and_then(Token::word);
        word.is_some_and(|word| matches!(word, "n" | "nо" | "номер")) && !self.is_mark(1, &["/"])
    }

    fn kind(&mut self) -> Option<Kind> {
        let word = as_it_looks(self.peek(0)?.word()?);
        let adjective = match &*word {
            "жилое" | "жил" => Some(Kind::Premises),
            "нежилое" | "нежил" | "неж" => Some(Kind::NonResidential),
            _ => None,
        };
        if let Some(kind) = adjective {
            self.at += if self.is_mark(1, &["."]) { 2 } else { 1 };
            let noun = self.peek_kind(0)?;
            self.at += 1;
            return (noun == Kind::Premises).then_some(kind);
        }
        // к. is a room behind a flat that is called so; elsewhere it may be a flat, a room or a building.
        let in_flat = !self.bare_seen && self.parts.last().is_some_and(|part| part.kind == Kind::Flat);
        let kind = if &*word == "к" && in_flat { Kind::Room } else { Kind::of(&word)? };
        self.at += 1;
        Some(kind)
    }

    fn push(&mut self, kind: Kind, number: Number) -> Option<()> {
        // `12 блок 3`, `12 кв. 3`: the first number may be a house, a flat or a block.
        if self.bare_seen && kind != Kind::Room && kind != Kind::Litera {
            return None;
        }
        match self.parts.iter_mut().find(|part| part.kind == kind) {
            None => self.parts.push(Part { kind, number }),
            Some(room) if kind == Kind::Room => room.number.list(number),
            Some(_) => return None,
        }
        Some(())
    }

    /// A number with its letter and all that is joined to it.
    fn number(&mut self) -> Option<Number> {
        let mut number = Number::new(self.atom()?);
        while let Some(joint) = self.joint() {
            self.at += 1;
            number.join(joint, self.atom()?);
        }
        Some(number)
    }

    fn joint(&self) -> Option<Joint> {
        if !self.is_digits(1) {
            return None;
        }
        let and = self.peek(0).and_then(Token::word) == Some("и");
        match () {
            () if self.is_mark(0, &["/"]) => Some(Joint::Slash),
            () if self.is_mark(0, &["-"]) => Some(Joint::Hyphen),
            () if and || self.is_mark(0, &LIST) => Some(Joint::Comma),
            () => None,
        }
    }

    fn atom(&mut self) -> Option<Atom> {
        let digits = self.peek(0).filter(|token| token.is_digits())?.text;
        self.at += 1;
        let letter = self.letter();
        // О and З may be a zero and a three; й and я end an ordinal; к wants a number.
        let doubtful = letter.is_some_and(|letter| matches!(letter, 'о' | 'з' | 'й' | 'я' | 'к' | 'l' | 'i'));
        if doubtful { None } else { Atom::parse(digits, letter) }
    }

    /// The letter of a number: `1а`, `1 а`, `1-а`.
    fn letter(&mut self) -> Option<char> {
        let ahead = usize::from(self.is_mark(0, &["-"]));
        let letter = single_letter(self.peek(ahead)?.word()?)?;
        let before_number = if self.is_mark(ahead + 1, &BEFORE_NUMBER) { ahead + 2 } else { ahead + 1 };
        let before_digits = self.is_digits(before_number) && !self.is_mark(ahead + 1, &["-"]);
        // `комн. 2 в кв. 5`: a preposition.
        let before_word = self.peek(ahead + 1).is_some_and(|next| next.word().is_some());
        let preposition = matches!(letter, 'в' | 'с') && before_word && !self.is_glued();
        if before_digits || preposition {
            return None;
        }
        self.at += ahead + 1;
        Some(letter)
    }

    /// Whether nothing, not even a space, stands between this token and the one before.
    fn is_glued(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.zip(self.peek(0)).is_some_and(|(before, here)| before.start + before.text.len() == here.start)
    }

    fn lone_letter(&mut self) -> Option<Atom> {
        let letter = single_letter(self.peek(0)?.word()?)?;
        // `лит. А5` names a building, not the flat 5.
        if self.is_digits(1) {
            return None;
        }
        self.at += 1;
        Some(Atom::of_letter(letter))
    }
}

fn single_letter(word: &str) -> Option<char> {
    let mut letters = word.chars();
    let letter = letters.next()?;
    letters.next().is_none().then_some(letter)
}
