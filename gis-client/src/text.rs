//! Text that cannot be wrong on writing: each type keeps the limits of the element it is written into.
//!
//! Called by whoever builds an answer or a question for GIS; the writers of [`crate::debt_requests`] rely on it
//! and check nothing again. Lengths are counted in characters, as XML Schema counts them, and only characters that
//! XML 1.0 can carry are let in. An empty text is refused everywhere: GIS refuses empty elements, so what is absent
//! must be an absent value. What GIS writes to us is not held to these limits, see [`Personal`].

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text cannot be written into its element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// There is no text; leave the value out instead.
    #[error("empty text; leave the value out instead")]
    Empty,
    /// The text is longer than the schema allows.
    #[error("{actual} characters, at most {limit} are allowed")]
    TooLong {
        /// The most characters allowed.
        limit: usize,
        /// The characters given.
        actual: usize,
    },
    /// XML 1.0 cannot carry a character, not even escaped.
    #[error("character U+{code:04X} at position {position} cannot be written in XML; remove it")]
    Character {
        /// Which character of the text it is, from 1.
        position: usize,
        /// Its Unicode code.
        code: u32,
    },
    /// The text does not have the form of its kind.
    #[error("wrong form, {form} is needed")]
    Form {
        /// The form that is needed.
        form: &'static str,
    },
}

/// Characters that a document of XML 1.0 may contain (production `Char`).
pub(crate) fn is_xml_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{FFFD}' | '\u{10000}'..)
}

fn check(text: &str, length: &RangeInclusive<usize>) -> Result<(), TextError> {
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    let mut actual = 0;
    for character in text.chars() {
        actual += 1;
        if !is_xml_character(character) {
            return Err(TextError::Character { position: actual, code: u32::from(character) });
        }
    }
    if actual > *length.end() {
        return Err(TextError::TooLong { limit: *length.end(), actual });
    }
    Ok(())
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident($length:expr) $debug:ident $(where $form:expr)?;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// Accepts a text that fits.
            ///
            /// # Errors
            /// [`TextError`] says which limit of the type it breaks.
            pub fn parse(text: impl Into<String>) -> Result<Self, TextError> {
                let text = text.into();
                check(&text, &$length)?;
                $($form(&text)?;)?
                Ok(Self(text))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = TextError;

            fn try_from(text: String) -> Result<Self, TextError> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }

        texts!(@$debug $name);
    )+};
    (@personal $name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    };
    (@plain $name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_tuple(stringify!($name)).field(&self.0).finish()
            }
        }
    };
}

texts! {
    /// First, last or middle name of a person: 1 to 255 characters (`PersonNameType`).
    PersonName(1..=255) personal;
    /// Additional information of an answer: 1 to 1000 characters (`description`).
    Comment(1..=1000) personal;
    /// File name of an attachment as people see it: 1 to 1024 characters.
    AttachmentName(1..=1024) personal;
    /// Description of an attachment: 1 to 500 characters. It is mandatory, see [`AttachmentDescription::blank`].
    AttachmentDescription(1..=500) personal;
    /// Series of an identity document: 1 to 255 characters.
    DocumentSeries(1..=255) personal;
    /// Number of an identity document: 1 to 255 characters.
    DocumentNumber(1..=255) personal;
    /// Insurance number of a person (СНИЛС): eleven digits. [`Snils::has_valid_checksum`] says more.
    Snils(11..=11) personal where snils_form;
    /// Number that GIS gave to a request: 1 to 30 characters (`RequestNumberType`).
    RequestNumber(1..=30) plain;
    /// Code of a dictionary entry (`nsiCodeType`): 1 to 20 characters, such as `1`, `1.2` or `A1.`.
    NsiCode(1..=20) plain where nsi_code_form;
    /// Name of a dictionary entry: 1 to 1200 characters.
    NsiName(1..=1200) plain;
    /// Name of another information system or of its operator in `ISCreator`: 1 to 255 characters.
    CreatorName(1..=255) plain;
}

impl AttachmentDescription {
    /// What is written when there is nothing to say: one space, which GIS accepts where it refuses an empty element.
    #[must_use]
    pub fn blank() -> Self {
        Self(" ".to_owned())
    }
}

impl NsiCode {
    /// The code `1`, the first of most dictionaries.
    #[must_use]
    pub fn one() -> Self {
        Self("1".to_owned())
    }
}

impl Snils {
    /// Whether the last two digits are the checksum of the first nine.
    ///
    /// The schema does not ask for it, GIS refuses a whole package for one bad number. Numbers up to 001-001-998
    /// were given out without a checksum and are taken as valid.
    #[must_use]
    pub fn has_valid_checksum(&self) -> bool {
        const LAST_WITHOUT_CHECKSUM: u64 = 1_001_998;
        let number: u64 = self.0.get(..9).and_then(|digits| digits.parse().ok()).unwrap_or(0);
        let given: u64 = self.0.get(9..).and_then(|digits| digits.parse().ok()).unwrap_or(0);
        let weighted: u64 =
            self.0.bytes().take(9).zip((1..=9).rev()).map(|(b, n)| u64::from(b - b'0') * n).sum();
        number <= LAST_WITHOUT_CHECKSUM || weighted % 101 % 100 == given
    }
}

// XSD SNILSType: `\d{11}`, of which GIS means the ASCII digits.
fn snils_form(text: &str) -> Result<(), TextError> {
    let digits = text.len() == 11 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then_some(()).ok_or(TextError::Form { form: "eleven digits without spaces or hyphens" })
}

// XSD nsiCodeType: `(A{0,1}\d{1,4}(\.)?)+`. The dot may be left out, so neighbouring groups merge: a run of digits
// may have any length. What remains of the pattern: an A is followed by a digit, and so is the start; a dot follows
// a digit.
fn nsi_code_form(text: &str) -> Result<(), TextError> {
    const WRONG: TextError =
        TextError::Form { form: "digits, each group with an optional A before and dot after it" };
    let mut previous = '.';
    for character in text.chars() {
        let fits = match character {
            '0'..='9' => true,
            'A' => previous != 'A',
            '.' => previous.is_ascii_digit(),
            _ => false,
        };
        if !fits {
            return Err(WRONG);
        }
        previous = character;
    }
    if previous == 'A' { Err(WRONG) } else { Ok(()) }
}

/// Text about a person as GIS wrote it: not checked, and never printed by `Debug`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Personal(String);

impl Personal {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Personal {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl AsRef<str> for Personal {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters() {
        let longest = "Ё".repeat(255);
        assert_eq!(PersonName::parse(longest.clone()).unwrap().as_str(), longest);
        let refused = PersonName::parse("👍".repeat(256)).unwrap_err();
        assert_eq!(refused, TextError::TooLong { limit: 255, actual: 256 });
        assert_eq!(Comment::parse("").unwrap_err(), TextError::Empty);
    }

    #[test]
    fn only_characters_of_xml_are_let_in() {
        for text in ["a\u{0}", "a\u{1}", "a\u{b}", "a\u{1f}", "a\u{fffe}", "a\u{ffff}"] {
            let code = u32::from(text.chars().nth(1).unwrap());
            assert_eq!(Comment::parse(text).unwrap_err(), TextError::Character { position: 2, code });
        }
        for text in ["\t\r\n", "\u{85}\u{2028}", "\u{fffd}", "\u{10ffff}", "\u{7f}", "e\u{301}"] {
            assert_eq!(Comment::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn snils_is_eleven_digits() {
        for text in ["123-456-789 64", "1234567890", "123456789012", "1234567890a", "１２３４５６７８９０１"]
        {
            assert!(Snils::parse(text).is_err(), "{text}");
        }
        for (text, valid) in [
            ("11223344595", true),
            ("08765430300", true),
            ("11223344596", false),
            ("00100199800", true),
            ("00000000000", true),
            ("99999999902", false),
        ] {
            assert_eq!(Snils::parse(text).unwrap().has_valid_checksum(), valid, "{text}");
        }
    }

    #[test]
    fn codes_follow_the_pattern_of_the_schema() {
        for text in ["1", "12", "1.2", "1.2.", "A1", "A1.A2.", "12345", "1A2", "00001"] {
            assert!(NsiCode::parse(text).is_ok(), "{text}");
        }
        for text in ["", ".", "A", "1.A", "1..2", "AA1", ".1", "B1", "1 ", "А1", "123456789012345678901"] {
            assert!(NsiCode::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn personal_text_is_not_printed() {
        let name = PersonName::parse("Тестов").unwrap();
        assert_eq!(format!("{name:?}"), "PersonName(***)");
        assert_eq!(format!("{:?}", Personal::from("Тестов")), "***");
        assert_eq!(format!("{:?}", NsiCode::parse("1").unwrap()), "NsiCode(\"1\")");
    }
}
