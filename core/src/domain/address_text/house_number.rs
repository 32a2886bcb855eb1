//! The number of a house: `12`, `12а`, `12/1`, `12 корп. 1`, `12к1`, `вл. 5 стр. 2`, `12 лит. А`.

use super::Agreement;
use super::words::is_ordinal_ending;
use crate::domain::spelling::{Token, as_it_looks};

/// A number and the letter behind it; a letter alone has the number 0.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Piece {
    digits: u32,
    letter: Option<char>,
}

/// The number of a house with everything that tells it from its neighbours.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct HouseNumber {
    main: Piece,
    fraction: Option<Piece>,
    building: Option<Piece>,
    structure: Option<Piece>,
    litera: Option<Piece>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Building,
    Structure,
    Litera,
}

/// Where a house number was found.
pub(super) struct Found {
    /// The number.
    pub(super) number: HouseNumber,
    /// How many tokens it takes.
    pub(super) length: usize,
}

impl HouseNumber {
    /// Whether two numbers are of one house. `12/1` and `12 корп. 1` agree, and so do `12а` and `12 лит. А`: registers write
    /// the same house both ways, and the identifiers have said already that the house is the same.
    pub(super) fn agreement(&self, other: &Self) -> Agreement {
        let same = self.main.digits == other.main.digits
            && self.letter() == other.letter()
            && self.seconds() == other.seconds()
            && self.structure == other.structure;
        if same { Agreement::Agree } else { Agreement::Differ }
    }

    fn letter(&self) -> Option<Piece> {
        let of_main = self.main.letter.map(|letter| Piece { digits: 0, letter: Some(letter) });
        of_main.or(self.litera)
    }

    fn seconds(&self) -> (Option<Piece>, Option<Piece>) {
        match (self.fraction, self.building) {
            (None, building) => (building, None),
            (fraction @ Some(_), building) => (fraction, building),
        }
    }

    /// Reads the number that begins at the first token, with a house word before it or without one. What follows it, over
    /// commas, is read as far as it belongs to the number.
    pub(super) fn read(tokens: &[Token<'_>]) -> Option<Found> {
        let mut reader = Reader { tokens, at: 0 };
        let word = reader.peek_word().is_some_and(|word| is_house_word(&word));
        if word {
            reader.at += 1;
            reader.skip_signs();
        }
        let main = reader.piece()?;
        let fraction = if reader.is_mark(0, "/") && reader.is_digits(1) {
            reader.at += 1;
            Some(reader.piece()?)
        } else {
            None
        };
        // `5-12`: houses from … to, or a house and its flat.
        if (reader.is_mark(0, "-") || reader.is_mark(0, "/")) && reader.is_digits(1) {
            return None;
        }
        let mut number = Self { main, fraction, building: None, structure: None, litera: None };
        while let Some((mark, piece)) = reader.marked() {
            let slot = match mark {
                Mark::Building => &mut number.building,
                Mark::Structure => &mut number.structure,
                Mark::Litera => &mut number.litera,
            };
            if slot.replace(piece).is_some() {
                return None;
            }
        }
        Some(Found { number, length: reader.at })
    }

    /// Whether a house number with its word begins here: `д. 5`, but neither `д. Тестовка` nor `д. 2-я Тестовка`.
    pub(super) fn begins(tokens: &[Token<'_>]) -> bool {
        let mut reader = Reader { tokens, at: 0 };
        if !reader.peek_word().is_some_and(|word| is_house_word(&word)) {
            return false;
        }
        reader.at += 1;
        reader.skip_signs();
        reader.is_digits(0) && !reader.is_ordinal()
    }
}

fn is_house_word(word: &str) -> bool {
    matches!(
        word,
        "д" | "дом"
            | "вл"
            | "влад"
            | "владение"
            | "двлд"
            | "домовл"
            | "домовладение"
            | "зд"
            | "здание"
    )
}

fn mark_of(word: &str) -> Option<Mark> {
    Some(match word {
        "к" | "корп" | "корпус" | "кор" => Mark::Building,
        "с" | "стр" | "строен" | "строение" | "соор" | "сооружение" => {
            Mark::Structure
        }
        "л" | "лит" | "литер" | "литера" => Mark::Litera,
        _ => return None,
    })
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self, ahead: usize) -> Option<Token<'a>> {
        self.tokens.get(self.at + ahead).copied()
    }

    fn peek_word(&self) -> Option<std::borrow::Cow<'a, str>> {
        Some(as_it_looks(self.peek(0)?.word()?))
    }

    fn is_mark(&self, ahead: usize, mark: &str) -> bool {
        self.peek(ahead).is_some_and(|token| token.is_mark(mark))
    }

    fn is_digits(&self, ahead: usize) -> bool {
        self.peek(ahead).is_some_and(Token::is_digits)
    }

    fn skip_signs(&mut self) {
        while [".", "№", ":"].iter().any(|sign| self.is_mark(0, sign)) {
            self.at += 1;
        }
    }

    /// Whether the digits here are the `2` of `2-я`.
    fn is_ordinal(&self) -> bool {
        let ahead = if self.is_mark(1, "-") { 2 } else { 1 };
        let ending = self.peek(ahead).and_then(Token::word).is_some_and(is_ordinal_ending);
        ending && self.peek(ahead + 1).is_some_and(|next| next.word().is_some())
    }

    fn piece(&mut self) -> Option<Piece> {
        let digits = self.peek(0).filter(|token| token.is_digits())?.text.parse().ok()?;
        self.at += 1;
        Some(Piece { digits, letter: self.letter() })
    }

    /// `12а`, `12 а`, `12-а`, but not the к of `12к1`.
    fn letter(&mut self) -> Option<char> {
        let ahead = usize::from(self.is_mark(0, "-"));
        let letter = single_letter(self.peek(ahead)?.word()?)?;
        let next = if self.is_mark(ahead + 1, ".") { ahead + 2 } else { ahead + 1 };
        if self.is_digits(next) {
            return None;
        }
        self.at += ahead + 1;
        Some(letter)
    }

    /// `, корп. 1`, `к1`, ` лит. А`; leaves everything where it was if something else stands there.
    fn marked(&mut self) -> Option<(Mark, Piece)> {
        let before = self.at;
        let found = self.try_marked();
        if found.is_none() {
            self.at = before;
        }
        found
    }

    fn try_marked(&mut self) -> Option<(Mark, Piece)> {
        while self.is_mark(0, ",") || self.is_mark(0, ".") {
            self.at += 1;
        }
        let mark = mark_of(&self.peek_word()?)?;
        self.at += 1;
        self.skip_signs();
        if self.is_digits(0) {
            return Some((mark, self.piece()?));
        }
        let letter = single_letter(self.peek(0)?.word()?)?;
        self.at += 1;
        Some((mark, Piece { digits: 0, letter: Some(letter) }))
    }
}

fn single_letter(word: &str) -> Option<char> {
    let mut letters = word.chars();
    let letter = letters.next()?;
    letters.next().is_none().then_some(letter)
}
