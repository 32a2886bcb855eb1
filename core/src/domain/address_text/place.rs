//! The names before the house number: region, town, street. Names stand before or behind their type, with commas or without.

use super::Agreement;
use super::words::{Street, Type, is_ordinal_ending, ordinal, strong_type, weak_type};
use crate::domain::spelling::{Token, as_it_looks};

/// A word of a name.
#[derive(Clone, PartialEq, Eq)]
struct Word {
    text: Box<str>,
    /// A dot stood behind it: `акад.`, `А.`
    shortened: bool,
}

/// A name, without the words that are left out at will.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Name(Vec<Word>);

/// A street with its type, where that was written.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct StreetName {
    kind: Option<Street>,
    name: Name,
}

/// What was read before the house number.
#[derive(Default)]
pub(super) struct Places {
    pub(super) city: Option<Name>,
    pub(super) village: Option<Name>,
    pub(super) street: Option<StreetName>,
    /// The last segment that no type word explains.
    untyped: Option<Name>,
}

impl Places {
    /// Reads segments that are already cut at commas, with a house number behind them or without.
    pub(super) fn read(segments: &[&[Token<'_>]], has_house: bool) -> Self {
        let mut places = Self::default();
        for segment in segments {
            places.segment(segment);
        }
        if has_house && places.street.is_none() {
            // `г. Светлоборск, Мельничная, 5`
            places.street = places.untyped.take().map(|name| StreetName { kind: None, name });
        }
        if !has_house {
            // `ул. Мира 5-12`: where the name ends, nobody knows.
            places.street = places.street.take().filter(|street| !street.name.ends_with_number());
        }
        places
    }

    fn segment(&mut self, tokens: &[Token<'_>]) {
        let words = pieces(tokens);
        let strong = words.iter().any(|word| matches!(strong_type(&word.text), Some(Type::Street(_))));
        let type_of = |word: &Piece| {
            let weak = || if strong { None } else { weak_type(&word.text) };
            strong_type(&word.text).or_else(weak)
        };
        let Some(first) = words.first() else { return };
        if type_of(first).is_some() {
            self.types_first(&words, type_of)
        } else {
            self.names_first(&words, type_of)
        }
    }

    /// `г. Новолесск ул. Ткацкая`
    fn types_first(&mut self, words: &[Piece], type_of: impl Fn(&Piece) -> Option<Type>) {
        let mut current: Option<(Type, Vec<&Piece>)> = None;
        for word in words {
            let kind = type_of(word);
            match (&mut current, kind) {
                // Letters behind `ул.` are initials, not villages: `ул. Г. Титова`, `ул. А.С. Примерова`.
                (Some((_, name)), Some(_)) if name.last().is_none_or(|last| is_initial(last)) => {
                    name.push(word)
                }
                (_, Some(kind)) => {
                    if let Some((kind, name)) = current.replace((kind, Vec::new())) {
                        self.put(kind, &name);
                    }
                }
                (Some((_, name)), None) => name.push(word),
                (None, None) => {}
            }
        }
        if let Some((kind, name)) = current {
            self.put(kind, &name);
        }
    }

    /// `Приозёрская область`, `Ткацкая ул.`, `Новолесск г Ткацкая ул`
    fn names_first(&mut self, words: &[Piece], type_of: impl Fn(&Piece) -> Option<Type>) {
        let mut name = Vec::new();
        for word in words {
            match type_of(word) {
                Some(kind) if !name.is_empty() => {
                    self.put(kind, &name);
                    name.clear();
                }
                Some(_) | None => name.push(word),
            }
        }
        // Six digits are a postcode.
        let postcode = matches!(name.as_slice(), [only] if only.text.len() == 6 && is_number(only));
        if !name.is_empty() && !postcode {
            self.untyped = Some(Name::of(&name));
        }
    }

    fn put(&mut self, kind: Type, name: &[&Piece]) {
        let name = Name::of(name);
        if name.0.is_empty() {
            return;
        }
        match kind {
            Type::Region => {}
            Type::City => self.city = Some(name),
            Type::Village => self.village = Some(name),
            Type::Street(kind) => {
                let better = |street: &StreetName| street.kind.is_some_and(|street| !street.is_area());
                if !kind.is_area() || !self.street.as_ref().is_some_and(better) {
                    self.street = Some(StreetName { kind: Some(kind), name });
                }
            }
        }
    }
}

/// A word or number of a segment, ordinals in digits.
struct Piece {
    text: String,
    shortened: bool,
}

fn is_number(piece: &Piece) -> bool {
    piece.text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_initial(piece: &Piece) -> bool {
    piece.shortened && piece.text.chars().nth(1).is_none()
}

fn pieces(tokens: &[Token<'_>]) -> Vec<Piece> {
    let mut found: Vec<Piece> = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        if token.is_digits() {
            found.push(Piece { text: token.text.to_owned(), shortened: false });
            // The ending of an ordinal says nothing more.
            let hyphen = usize::from(tokens.get(at).is_some_and(|next| next.is_mark("-")));
            let ending = tokens.get(at + hyphen).and_then(|next| next.word());
            at += if ending.is_some_and(is_ordinal_ending) { hyphen + 1 } else { 0 };
        } else if let Some(word) = token.word() {
            let word = as_it_looks(word);
            let shortened = tokens.get(at).is_some_and(|next| next.is_mark("."));
            let text = ordinal(&word).map_or_else(|| word.into_owned(), str::to_owned);
            found.push(Piece { text, shortened });
        }
    }
    join_split_types(found)
}

/// `р.п.` is the settlement `рп`, `г.о.` the municipality `го`.
fn join_split_types(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match joined.last_mut() {
            Some(last) if last.shortened && piece.shortened && is_split_type(&last.text, &piece.text) => {
                last.text.push_str(&piece.text);
            }
            Some(_) | None => joined.push(piece),
        }
    }
    joined
}

fn is_split_type(first: &str, second: &str) -> bool {
    matches!((first, second), ("р", "п") | ("г", "о") | ("м", "о"))
}

impl Name {
    fn of(pieces: &[&Piece]) -> Self {
        let kept = pieces.iter().filter(|piece| !matches!(piece.text.as_str(), "им" | "имени"));
        Self(kept.map(|piece| Word::of(piece)).collect())
    }

    /// Whether a number stands at the end of a longer name.
    fn ends_with_number(&self) -> bool {
        let number = |word: &Word| word.text.bytes().all(|byte| byte.is_ascii_digit());
        self.0.len() > 1 && self.0.last().is_some_and(number)
    }

    /// Names agree in any order of their words. A letter that only one of them has may be an initial, so nothing is known.
    pub(super) fn agreement(&self, other: &Self) -> Agreement {
        let alone = |ours: &Self, theirs: &Self| {
            let without = ours.0.iter().filter(|word| !theirs.0.iter().any(|their| word.agrees(their)));
            without.fold((0, 0), |(letters, words), word| match word.is_letter() {
                true => (letters + 1, words),
                false => (letters, words + 1),
            })
        };
        match (alone(self, other), alone(other, self)) {
            ((0, 0), (0, 0)) if self.0.len() == other.0.len() => Agreement::Agree,
            ((0, 0), (_, 0)) | ((_, 0), (0, 0)) => Agreement::Unreadable,
            _ => Agreement::Differ,
        }
    }
}

impl Word {
    fn of(piece: &Piece) -> Self {
        Self { text: piece.text.replace('-', "").into(), shortened: piece.shortened }
    }

    fn is_letter(&self) -> bool {
        self.text.chars().nth(1).is_none() && !self.text.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// `акад.` agrees with `академика`, `Б.` with `Большая`.
    fn agrees(&self, other: &Self) -> bool {
        let shortens = |short: &Self, long: &Self| short.shortened && long.text.starts_with(&*short.text);
        self.text == other.text || shortens(self, other) || shortens(other, self)
    }
}

impl StreetName {
    /// Whether two streets are one.
    pub(super) fn agreement(&self, other: &Self) -> Agreement {
        let kinds = self.kind.zip(other.kind).is_none_or(|(ours, theirs)| ours.agrees(theirs));
        if kinds { self.name.agreement(&other.name) } else { Agreement::Differ }
    }
}
