//! Text on its way into a cell and out of it.
//!
//! A text that a spreadsheet could take for a formula gets an apostrophe before it: `=1+1` becomes `'=1+1`. Our cells are
//! strings and no formulas anyway, but the file may be saved as CSV, or a cell be edited, and then only the text itself
//! protects. A text that begins with an apostrophe gets one more. On the way in one leading apostrophe is removed, so that
//! every text comes back as it was, but for white space at its ends.

use std::borrow::Cow;

/// Excel takes no more UTF-16 units in a cell.
const LONGEST: usize = 32_767;

/// A text without what people do not see: other spaces become plain ones, marks without width and ends are removed.
pub(super) fn tidy(text: &str) -> Cow<'_, str> {
    if text.chars().any(|letter| is_invisible(letter) || is_odd_space(letter)) {
        let visible = text.chars().filter(|letter| !is_invisible(*letter));
        let plain: String = visible.map(|letter| if is_odd_space(letter) { ' ' } else { letter }).collect();
        Cow::Owned(plain.trim().to_owned())
    } else {
        Cow::Borrowed(text.trim())
    }
}

fn is_odd_space(letter: char) -> bool {
    matches!(letter, '\u{A0}' | '\u{2007}' | '\u{202F}')
}

fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{AD}' | '\u{200B}' | '\u{2060}' | '\u{FEFF}')
}

/// What stands in a cell, as it was meant.
pub(super) fn from_cell(text: &str) -> Cow<'_, str> {
    match tidy(text) {
        Cow::Borrowed(text) => Cow::Borrowed(text.strip_prefix('\'').map_or(text, str::trim)),
        Cow::Owned(text) => {
            Cow::Owned(text.strip_prefix('\'').map(|rest| rest.trim().to_owned()).unwrap_or(text))
        }
    }
}

/// What is written into a cell.
pub(super) fn for_cell(text: &str) -> Cow<'_, str> {
    let text = fit(tidy(text));
    if text.starts_with(is_active) { Cow::Owned(format!("'{text}")) } else { text }
}

/// Whether two texts look the same in a cell. What people do not see does not survive it, and a text that a spreadsheet has
/// brought back must not pass for another one.
pub(crate) fn same_in_cell(one: &str, other: &str) -> bool {
    in_cell(one) == in_cell(other)
}

fn in_cell(text: &str) -> String {
    tidy(text).replace("\r\n", "\n").replace('\r', "\n")
}

/// Characters that begin a formula for some program; the wide ones are taken so by some in the East.
fn is_active(letter: char) -> bool {
    matches!(letter, '=' | '+' | '-' | '@' | '\'' | '＝' | '＋' | '－' | '＠')
}

/// A text that Excel takes, apostrophe and all. Nothing that we write is so long, but what others wrote may be.
fn fit(text: Cow<'_, str>) -> Cow<'_, str> {
    const MOST: usize = LONGEST - 1;
    if text.len() <= MOST || text.encode_utf16().count() <= MOST {
        return text;
    }
    // In the worst case every character is two units.
    Cow::Owned(text.chars().take(MOST / 2 - 1).chain(['…']).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_are_neutralised() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("+7 900", "'+7 900"),
            ("-", "'-"),
            ("@cmd", "'@cmd"),
            ("\t=1", "'=1"),
            ("\r=1", "'=1"),
            ("\u{a0}=1", "'=1"),
            ("\u{200b}=1", "'=1"),
            ("＝1", "'＝1"),
            ("'=1", "''=1"),
            ("Иванов-Петров", "Иванов-Петров"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(for_cell(text), cell, "{text:?}");
        }
    }

    #[test]
    fn what_people_do_not_see_is_removed() {
        for (cell, text) in [
            ("  Тестов \n", "Тестов"),
            ("'00123", "00123"),
            ("' Тестов", "Тестов"),
            ("\u{a0}Тестов\u{a0}", "Тестов"),
            ("Анна\u{a0}Мария", "Анна Мария"),
            ("\u{feff}Тестов", "Тестов"),
            ("''", "'"),
            ("'", ""),
            ("O'Нил", "O'Нил"),
        ] {
            assert_eq!(from_cell(cell), text, "{cell:?}");
        }
    }

    #[test]
    fn a_text_is_the_same_when_a_cell_has_tidied_it() {
        for (one, other) in [
            ("Решение\u{a0}№ 5", "Решение № 5"),
            (" Тестов\u{200b}", "Тестов"),
            ("Тес\u{ad}тов", "Тестов"),
            ("одно\r\nдругое\r", "одно\nдругое"),
        ] {
            assert!(same_in_cell(one, other), "{one:?}");
        }
        assert!(!same_in_cell("Тестов", "тестов"));
        assert!(!same_in_cell("Анна Мария", "Анна  Мария"));
    }

    proptest! {
        #[test]
        fn a_text_comes_back(text in "[=+@' \\u{a0}\\u{200b}\\t\\r\\n\u{400}-\u{45f}-]{0,20}") {
            let cell = for_cell(&text);
            prop_assert_eq!(from_cell(&cell), tidy(&text));
        }

        #[test]
        fn no_cell_begins_like_a_formula(text in any::<String>()) {
            prop_assert!(!for_cell(&text).trim().starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']));
        }
    }
}
