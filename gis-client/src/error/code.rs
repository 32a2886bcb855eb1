//! The error codes of GIS and what they mean for a message.
//!
//! One table for the three places in which GIS reports errors: a SOAP fault, the error of a finished state and
//! the error of one item. No official list is public; the codes are those seen by several clients. What must
//! stay true: a code that is not in the table proves nothing about the message.

use std::fmt;
use std::time::Duration;

use super::{Fate, Repeat};
use crate::debt_requests::GisError;

/// The wait before a message is built anew after EXP001000 and its like: shorter waits made GIS repeat the
/// error for ever.
pub const RESEND_AFTER_FAULT: Duration = Duration::from_secs(120);

/// The most characters of a code that are kept.
const LONGEST_CODE: usize = 40;

/// An error code of GIS, such as `INT002012`. Empty when GIS gave none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GisCode(String);

/// What a code says about the message it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CodeClass {
    /// There is nothing to export: an empty list, not an error.
    EmptyResult,
    /// The message is not of the right form; it will be refused each time.
    Format,
    /// Something in the message is wrong, or names what GIS does not have; it will be refused each time.
    Content,
    /// The sender, its signature or its rights are wrong.
    Authority,
    /// GIS failed inside and asks for a repeat. It may have taken the message all the same.
    Repeat,
    /// GIS is closed for maintenance. It may have taken the message all the same.
    Maintenance,
    /// getState does not know the message asked about, which may have been taken and forgotten.
    UnknownMessage,
    /// A code without a known meaning.
    Unknown,
}

impl GisCode {
    /// Takes the code that a text begins with. A text without one is kept, short and with `?` for all but letters,
    /// digits and `_ - .`, so that it can be shown and logged anywhere.
    #[must_use]
    pub fn new(text: &str) -> Self {
        if let Some((code, _)) = split_code(text) {
            return Self(code.to_owned());
        }
        let allowed = |character: char| character.is_ascii_alphanumeric() || "_-.".contains(character);
        let shown = |character| if allowed(character) { character } else { '?' };
        Self(text.trim().chars().map(shown).take(LONGEST_CODE).collect())
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the code says about the message.
    #[must_use]
    pub fn class(&self) -> CodeClass {
        // A word that happens to begin like a code, such as INTERNAL_ERROR, proves nothing.
        if !is_code(&self.0) {
            return CodeClass::Unknown;
        }
        match self.as_str() {
            "INT002012" => CodeClass::EmptyResult,
            "INT002013" => CodeClass::UnknownMessage,
            "INT002018" | "EXP001000" | "EXP002001" | "EXP002002" | "EXP002003" => CodeClass::Repeat,
            "INT002029" => CodeClass::Maintenance,
            "FIL001001" | "FIL001002" | "FIL001004" | "FIL001005" | "SRV007079" => CodeClass::Content,
            code if code.starts_with("FMT") => CodeClass::Format,
            code if code.starts_with("INT") => CodeClass::Content,
            code if code.starts_with("AUT") => CodeClass::Authority,
            _ => CodeClass::Unknown,
        }
    }
}

/// Splits a text into the code that it begins with, three letters and six digits, and what follows the colon.
pub(crate) fn split_code(text: &str) -> Option<(&str, &str)> {
    let (code, rest) = text.trim_start().split_at_checked(9).filter(|(code, _)| is_code(code))?;
    let ends = !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
    ends.then(|| (code, rest.trim_start().trim_start_matches(':')))
}

fn is_code(text: &str) -> bool {
    let letters = text.bytes().take(3).filter(u8::is_ascii_uppercase).count();
    let digits = text.bytes().skip(3).filter(u8::is_ascii_digit).count();
    text.len() == 9 && letters == 3 && digits == 6
}

impl fmt::Display for GisCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_empty() { "(no code)" } else { &self.0 })
    }
}

impl CodeClass {
    /// What became of a message that was answered with such a code.
    #[must_use]
    pub fn fate(self) -> Fate {
        match self {
            Self::EmptyResult | Self::Format | Self::Content | Self::Authority => Fate::Refused,
            Self::Repeat | Self::Maintenance | Self::UnknownMessage | Self::Unknown => Fate::Unknown,
        }
    }

    /// Whether a repeat can help.
    #[must_use]
    pub fn repeat(self) -> Repeat {
        match self {
            // An export has its empty page; an import that is answered so has something that GIS does not have in it.
            // AUT011003 and AUT011005 can be the fault of one item, so authority is looked for in parts too.
            Self::EmptyResult | Self::Format | Self::Content | Self::Authority => Repeat::InParts,
            Self::Repeat | Self::Maintenance => Repeat::NewMessage { after: RESEND_AFTER_FAULT },
            Self::UnknownMessage | Self::Unknown => Repeat::AfterLook { after: None },
        }
    }
}

impl GisError {
    /// The code in a form that can be shown and logged anywhere.
    #[must_use]
    pub fn gis_code(&self) -> GisCode {
        GisCode::new(&self.code)
    }

    /// What became of the message or of the action that was answered with this error.
    #[must_use]
    pub fn fate(&self) -> Fate {
        self.gis_code().class().fate()
    }

    /// Whether a repeat can help, judged by the code alone.
    #[must_use]
    pub fn repeat(&self) -> Repeat {
        self.gis_code().class().repeat()
    }

    /// Whether this is the passing trouble of a paged export with a page that GIS itself has named. The code
    /// beside the text varies. Only for the caller of an export, who asks for the same page later.
    #[must_use]
    pub fn is_lost_page(&self) -> bool {
        self.description.contains("Content not found for guid")
    }

    /// Whether the answer to be withdrawn is not in the status "sent": for a Revoke the proof that there is
    /// nothing left to withdraw. The code beside the text is not known.
    #[must_use]
    pub fn is_nothing_to_revoke(&self) -> bool {
        self.description.contains("не имеет статус") && self.description.contains("Ответ отправлен")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_code_has_its_class() {
        let table = [
            (CodeClass::EmptyResult, &["INT002012"][..]),
            (CodeClass::Format, &["FMT001300", "FMT001301", "FMT001307", "FMT001310"]),
            (
                CodeClass::Content,
                &[
                    "INT002000",
                    "INT002031",
                    "INT002034",
                    "INT002039",
                    "FIL001001",
                    "FIL001002",
                    "FIL001004",
                    "FIL001005",
                    "SRV007079",
                ],
            ),
            (
                CodeClass::Authority,
                &["AUT011000", "AUT011002", "AUT011003", "AUT011004", "AUT011005", "AUT011009"],
            ),
            (CodeClass::Repeat, &["EXP001000", "EXP002001", "EXP002002", "EXP002003", "INT002018"]),
            (CodeClass::Maintenance, &["INT002029", "INT002029: регламентные работы.", " INT002029\n"]),
            (CodeClass::UnknownMessage, &["INT002013"]),
            (CodeClass::Unknown, &["", "EXP009999", "SRV000001", "FIL009999", "env:Server", "int002012"]),
            (
                CodeClass::Unknown,
                &[
                    "INTERNAL_ERROR",
                    "AUT",
                    "INT 002012",
                    "AUTH_BACKEND_TIMEOUT",
                    "FMT00130",
                    "FMT0013000",
                    "FMT001300Ж",
                    "INT_002012",
                ],
            ),
        ];
        for (class, codes) in table {
            for code in codes {
                assert_eq!(GisCode::new(code).class(), class, "{code}");
            }
        }
    }

    #[test]
    fn only_a_refusal_proves_that_nothing_was_taken() {
        let table = [
            (CodeClass::EmptyResult, Fate::Refused, Repeat::InParts),
            (CodeClass::Format, Fate::Refused, Repeat::InParts),
            (CodeClass::Content, Fate::Refused, Repeat::InParts),
            (CodeClass::Authority, Fate::Refused, Repeat::InParts),
            (CodeClass::Repeat, Fate::Unknown, Repeat::NewMessage { after: RESEND_AFTER_FAULT }),
            (CodeClass::Maintenance, Fate::Unknown, Repeat::NewMessage { after: RESEND_AFTER_FAULT }),
            (CodeClass::UnknownMessage, Fate::Unknown, Repeat::AfterLook { after: None }),
            (CodeClass::Unknown, Fate::Unknown, Repeat::AfterLook { after: None }),
        ];
        for (class, fate, repeat) in table {
            assert_eq!((class.fate(), class.repeat()), (fate, repeat), "{class:?}");
        }
    }

    #[test]
    fn a_code_is_safe_to_show() {
        assert_eq!(GisCode::new(" EXP001000\n<b>").as_str(), "EXP001000");
        assert_eq!(GisCode::new(" env:Server\n<b>").as_str(), "env?Server??b?");
        assert_eq!(GisCode::new(&"A".repeat(999)).as_str().len(), 40);
        assert_eq!(GisCode::new("").to_string(), "(no code)");
    }

    #[test]
    fn texts_that_mean_more_than_their_code() {
        let error = |description: &str| GisError {
            code: "EXP001000".to_owned(),
            description: description.to_owned(),
            stack_trace: None,
        };
        let lost = error("Error loading content: Content not found for guid: 3e640214-…");
        assert!(lost.is_lost_page());
        assert_eq!(
            lost.repeat(),
            CodeClass::Repeat.repeat(),
            "an import may not be sent again because of it"
        );
        assert!(error("Ответ (не имеет статус \"Ответ отправлен\")").is_nothing_to_revoke());
        assert!(error("Ответ (не имеет статус «Ответ отправлен»)").is_nothing_to_revoke());
        assert!(!error("Доступ запрещен").is_lost_page() && !error("Ответ отправлен").is_nothing_to_revoke());
    }
}
