//! Looks at a file as it comes: name, description, size, kind, digests. Pure and slow, so it belongs on a thread that may
//! block.

use bytes::Bytes;
use gis_client::text::{AttachmentDescription, TextError};
use sha2::{Digest, Sha256};

use super::NewFile;
use super::kind::Kind;
use crate::error::{Code, Mistake};
use crate::settings::Limits;

const LONGEST_NAME: usize = 255;
const LONGEST_DESCRIPTION: u64 = 500;

/// A file that GIS may be offered.
pub(crate) struct SoundFile {
    pub(super) file_name: String,
    pub(super) description: String,
    pub(super) kind: &'static Kind,
    pub(super) content: Bytes,
    pub(super) sha256: [u8; 32],
    pub(super) gost_hash: [u8; 32],
}

/// Names every mistake of a file, with pointers below `pointer`. The digests are made only of what is sound so far.
pub(super) fn inspect(file: NewFile, limits: &Limits, pointer: &str) -> Result<SoundFile, Vec<Mistake>> {
    let at_name = format!("{pointer}/file_name");
    let at_content = format!("{pointer}/content_base64");
    let description = file.description.filter(|text| !text.trim().is_empty());

    let mut mistakes = Vec::new();
    mistakes.extend(name_mistake(&file.file_name, &at_name));
    mistakes.extend(
        description.as_deref().and_then(|text| description_mistake(text, &format!("{pointer}/description"))),
    );
    mistakes.extend(size_mistake(&file.content, limits.file_bytes, &at_content));
    let kind = limits.file_types.kind_of(&file.file_name);
    let fits = kind.is_some_and(|kind| kind.fits(&file.content));
    match kind {
        None => {
            let detail = format!("можно прикладывать {}", limits.file_types.extensions());
            mistakes.push(kind_mistake(at_name, &detail));
        }
        Some(_) if fits || file.content.is_empty() => {}
        Some(kind) => {
            let detail = format!("содержимое файла не соответствует расширению {}", kind.extension);
            mistakes.push(kind_mistake(at_content, &detail));
        }
    }
    let Some(kind) = kind.filter(|_| mistakes.is_empty()) else { return Err(mistakes) };

    let sha256: [u8; 32] = Sha256::digest(&file.content).into();
    if file.sha256.is_some_and(|given| !given.trim().eq_ignore_ascii_case(&hex::encode(sha256))) {
        let detail = "SHA-256 полученного содержимого другой: файл повреждён в пути или указан не тот";
        return Err(vec![Mistake::at(format!("{pointer}/sha256"), "sha256_mismatch", detail)]);
    }
    Ok(SoundFile {
        description: description.unwrap_or_else(|| file.file_name.clone()),
        file_name: file.file_name,
        kind,
        sha256,
        gost_hash: gost::hash::gost94(&file.content),
        content: file.content,
    })
}

fn name_mistake(name: &str, at: &str) -> Option<Mistake> {
    if name.trim().is_empty() {
        return Some(Mistake::at(at, "required", "укажите имя файла"));
    }
    if name.chars().count() > LONGEST_NAME {
        let mistake = Mistake::at(at, "too_long", format!("не более {LONGEST_NAME} знаков"));
        return Some(mistake.with_max(255));
    }
    // Taking the last part of a path would guess what the client meant.
    let forbidden =
        |letter: char| letter.is_control() || matches!(letter, '/' | '\\' | '\u{FFFE}' | '\u{FFFF}');
    let detail = "имя файла без пути: знаки / и \\ и управляющие знаки не допускаются";
    name.contains(forbidden).then(|| Mistake::at(at, Code::CharacterNotAllowed.as_str(), detail))
}

fn description_mistake(text: &str, at: &str) -> Option<Mistake> {
    match AttachmentDescription::parse(text) {
        Ok(_) => None,
        Err(TextError::TooLong { limit, .. }) => {
            let mistake = Mistake::at(at, "too_long", format!("не более {limit} знаков"));
            Some(mistake.with_max(LONGEST_DESCRIPTION))
        }
        Err(TextError::Empty | TextError::Character { .. } | TextError::Form { .. }) => {
            let detail = "управляющие знаки в описании не допускаются";
            Some(Mistake::at(at, Code::CharacterNotAllowed.as_str(), detail))
        }
    }
}

fn size_mistake(content: &Bytes, most: u64, at: &str) -> Option<Mistake> {
    if content.is_empty() {
        return Some(Mistake::at(at, "required", "файл пуст"));
    }
    let fits = u64::try_from(content.len()).is_ok_and(|length| length <= most);
    let detail = format!("файл больше {most} байт");
    (!fits).then(|| Mistake::at(at, Code::FileTooLarge.as_str(), detail).with_max(most))
}

fn kind_mistake(at: String, detail: &str) -> Mistake {
    Mistake::at(at, Code::FileTypeNotAllowed.as_str(), detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attachments::FileTypes;
    use crate::error::Place;

    fn file(name: &str, content: &'static [u8]) -> NewFile {
        NewFile {
            file_name: name.to_owned(),
            description: None,
            content: Bytes::from_static(content),
            sha256: None,
        }
    }

    fn limits() -> Limits {
        Limits { file_bytes: 16, ..Limits::default() }
    }

    fn mistakes(file: NewFile) -> Vec<(String, &'static str)> {
        let place = |place| match place {
            Place::Pointer(text) | Place::Parameter(text) => text,
        };
        let found = inspect(file, &limits(), "/f").err().unwrap_or_default();
        found.into_iter().map(|mistake| (place(mistake.place), mistake.code)).collect()
    }

    #[test]
    fn a_sound_file_is_measured() {
        let sound = inspect(file("Решение суда.PDF", b"%PDF-1.7"), &limits(), "").ok().unwrap();
        assert_eq!((sound.kind.extension, sound.description.as_str()), ("pdf", "Решение суда.PDF"));
        assert_eq!(sound.sha256, <[u8; 32]>::from(Sha256::digest(b"%PDF-1.7")));
        assert_eq!(sound.gost_hash, gost::hash::gost94(b"%PDF-1.7"));
    }

    #[test]
    fn every_mistake_has_its_place() {
        let long = format!("{}.txt", "я".repeat(252));
        for (name, content, expected) in [
            ("", b"x".as_slice(), vec![("file_name", "required"), ("file_name", "file_type_not_allowed")]),
            (&long, b"x", vec![("file_name", "too_long")]),
            ("../a.txt", b"x", vec![("file_name", "character_not_allowed")]),
            ("C:\\a.txt", b"x", vec![("file_name", "character_not_allowed")]),
            ("a\n.txt", b"x", vec![("file_name", "character_not_allowed")]),
            ("a.exe", b"MZ", vec![("file_name", "file_type_not_allowed")]),
            ("a.pdf", b"MZ", vec![("content_base64", "file_type_not_allowed")]),
            ("a.pdf", b"", vec![("content_base64", "required")]),
            ("a.txt", b"12345678901234567", vec![("content_base64", "file_too_large")]),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(place, code)| (format!("/f/{place}"), code)).collect();
            assert_eq!(mistakes(file(name, content)), expected, "{name}");
        }
        let described = |text: &str| NewFile { description: Some(text.to_owned()), ..file("a.txt", b"x") };
        assert_eq!(mistakes(described(&"я".repeat(500))), []);
        assert_eq!(mistakes(described(&"я".repeat(501))), [("/f/description".to_owned(), "too_long")]);
        assert_eq!(mistakes(described("a\0")), [("/f/description".to_owned(), "character_not_allowed")]);
        assert_eq!(mistakes(described(" ")), [], "a blank one counts as none");
    }

    #[test]
    fn a_type_that_is_not_taken_here_is_refused_with_those_that_are() {
        let few = Limits { file_types: FileTypes::named(&["txt", "pdf"]).unwrap(), ..limits() };
        assert!(inspect(file("a.pdf", b"%PDF-1.7"), &few, "").is_ok());
        let picture = file("a.png", b"\x89PNG\r\n\x1a\n\0");
        let mistakes = inspect(picture, &few, "/f").err().unwrap();
        let expected = Mistake::at("/f/file_name", "file_type_not_allowed", "можно прикладывать pdf, txt");
        assert_eq!(mistakes, [expected]);
    }

    #[test]
    fn a_digest_that_is_given_must_be_right() {
        let digest = hex::encode_upper(Sha256::digest(b"x"));
        let with = |sha256| NewFile { sha256: Some(sha256), ..file("a.txt", b"x") };
        assert_eq!(mistakes(with(digest)), []);
        assert_eq!(mistakes(with("00".to_owned())), [("/f/sha256".to_owned(), "sha256_mismatch")]);
    }
}
