//! What the name of a file must be, and what it says.

use crate::domain::organization::Ogrn;
use crate::error::{Error, Mistake, Result};

/// Characters, as in most file systems.
const LONGEST: usize = 255;

/// Refuses what is no name of a file; the mistake is at `pointer`.
pub(crate) fn check_file_name(name: &str, pointer: &str) -> Result<()> {
    let mistake = |code, detail: String| Err(Error::Invalid(vec![Mistake::at(pointer, code, detail)]));
    if name.chars().count() > LONGEST {
        return mistake("too_long", format!("имя файла не длиннее {LONGEST} знаков"));
    }
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return mistake("file_name", "нужно имя файла без управляющих знаков".to_owned());
    }
    Ok(())
}

/// Whether the name of a file holds the ОГРН, as a number of its own and not as a part of a longer one.
#[must_use]
pub fn file_name_has_ogrn(file_name: &str, ogrn: &Ogrn) -> bool {
    file_name.split(|letter: char| !letter.is_ascii_digit()).any(|digits| digits == ogrn.as_str())
}
