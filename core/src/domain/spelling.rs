//! How people's spelling is taken apart before anything is understood: one letter for what looks like one letter, then
//! words, numbers and marks. [`super::premises`] and [`super::address_text`] read from here.
//!
//! Folding must be idempotent, because what was read once is stored and read again, and it must not make two letters one
//! unless nobody could tell them apart on paper.

use std::borrow::Cow;

/// What a token is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Letters, perhaps with hyphens inside.
    Word,
    /// ASCII digits.
    Digits,
    /// Any other character.
    Mark,
}

/// A piece of a folded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// What it is made of.
    pub(crate) kind: TokenKind,
    /// Its text.
    pub(crate) text: &'a str,
    /// Where it begins in the folded text, in bytes.
    pub(crate) start: usize,
}

impl<'a> Token<'a> {
    /// The word, where it is one.
    pub(crate) fn word(self) -> Option<&'a str> {
        (self.kind == TokenKind::Word).then_some(self.text)
    }

    /// Whether it is this mark.
    pub(crate) fn is_mark(self, mark: &str) -> bool {
        self.kind == TokenKind::Mark && self.text == mark
    }

    /// Whether it is a number.
    pub(crate) fn is_digits(self) -> bool {
        self.kind == TokenKind::Digits
    }
}

/// Lower case, Cyrillic for Latin letters that look the same, е for ё, one kind of hyphen, quotation mark and slash, single
/// spaces, nothing invisible.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            // Soft hyphen, zero-width characters, byte order mark; accents of stressed vowels and the dots of a decomposed ё.
            '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{301}' | '\u{308}' => {}
            // й in two characters, as macOS writes file names and some copies.
            '\u{306}' => {
                if folded.ends_with('и') {
                    folded.pop();
                    folded.push('й');
                }
            }
            '"' | '\'' | '`' | '«' | '»' | '\u{2018}'..='\u{201f}' => space(&mut folded),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => folded.push('-'),
            '\\' | '\u{2044}' | '\u{2215}' => folded.push('/'),
            '#' => folded.push('№'),
            // The capital alone looks like Н; the small one like nothing Russian.
            'H' => folded.push('н'),
            _ if character.is_whitespace() => space(&mut folded),
            _ => character.to_lowercase().for_each(|lower| folded.push(look_alike(lower))),
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

fn space(folded: &mut String) {
    if !folded.is_empty() && !folded.ends_with(' ') {
        folded.push(' ');
    }
}

/// Cyrillic for the Latin letters that mean the same whether copied by eye or typed by ear. B, P and Y are not among them: a
/// typed B is as often Б as В.
const fn look_alike(lower: char) -> char {
    match lower {
        'a' => 'а',
        'c' => 'с',
        'e' | 'ё' => 'е',
        'k' => 'к',
        'm' => 'м',
        'o' => 'о',
        't' => 'т',
        'x' => 'х',
        'і' => 'i',
        other => other,
    }
}

/// A folded word with the doubtful letters too as they look: a whole word leaves no doubt.
pub(crate) fn as_it_looks(word: &str) -> Cow<'_, str> {
    if !word.contains(['b', 'p', 'y']) {
        return Cow::Borrowed(word);
    }
    let clear = |letter| match letter {
        'b' => 'в',
        'p' => 'р',
        'y' => 'у',
        other => other,
    };
    Cow::Owned(word.chars().map(clear).collect())
}

/// The tokens of a folded text, without its spaces.
pub(crate) fn tokens(folded: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = folded.trim_start();
    while let Some(first) = rest.chars().next() {
        let (kind, length) = match first {
            '0'..='9' => (TokenKind::Digits, rest.bytes().take_while(u8::is_ascii_digit).count()),
            _ if first.is_alphabetic() => (TokenKind::Word, word_length(rest)),
            _ => (TokenKind::Mark, first.len_utf8()),
        };
        let (text, after) = rest.split_at(length);
        found.push(Token { kind, text, start: folded.len() - rest.len() });
        rest = after.trim_start();
    }
    found
}

/// Letters, and a hyphen where letters stand on both sides of it: `пр-кт`, `кв-ра`.
fn word_length(text: &str) -> usize {
    let mut length = 0;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let hyphen = character == '-' && characters.peek().is_some_and(|next| next.is_alphabetic());
        if !character.is_alphabetic() && !hyphen {
            break;
        }
        length += character.len_utf8();
    }
    length
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_looks_the_same_becomes_the_same() {
        // The first of each pair is Latin, decomposed, or otherwise unlike what it looks like.
        for (written, folded) in [
            ("KB. 1A", "кb. 1а"),
            ("Ёлочная", "елочная"),
            ("Зеленыи\u{306}", "зеленый"),
            ("кв.\u{a0}5\u{200b}", "кв. 5"),
            ("1 «А»", "1 а"),
            ("1–2—3", "1-2-3"),
            ("1\\2", "1/2"),
            ("  два   слова ", "два слова"),
            ("1H", "1н"),
        ] {
            assert_eq!(fold(written), folded, "{written:?}");
        }
        assert_eq!(as_it_looks("кb"), "кв");
    }

    #[test]
    fn letters_digits_and_marks_come_apart() {
        let texts = |text| tokens(text).iter().map(|token| token.text).collect::<Vec<_>>();
        assert_eq!(texts("кв.12а-1"), ["кв", ".", "12", "а", "-", "1"]);
        assert_eq!(texts("пр-кт мира"), ["пр-кт", "мира"]);
        assert_eq!(texts("12-комн"), ["12", "-", "комн"]);
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in any::<String>()) {
            let once = fold(&text);
            prop_assert_eq!(&fold(&once), &once);
            prop_assert_eq!(tokens(&once).iter().map(|token| token.text).collect::<String>(),
                once.split_whitespace().collect::<String>());
        }
    }
}
