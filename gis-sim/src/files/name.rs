//! File names of `X-Upload-Filename`: plain ASCII, or encoded words of RFC 2047 in UTF-8 or windows-1251 (Q33, Q36).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::FileError;

/// Extensions that the store takes (protocol §11).
const EXTENSIONS: [&str; 25] = [
    "pdf", "doc", "docx", "rtf", "txt", "xls", "xlsx", "jpg", "jpeg", "bmp", "tif", "tiff", "gif", "zip",
    "rar", "csv", "odp", "odf", "ods", "odt", "sxc", "sxw", "xml", "crt", "cer",
];
/// Characters that names may not have (Q36).
const FORBIDDEN: [char; 9] = ['<', '>', '?', ':', '|', '*', '%', '\\', '"'];
const LONGEST: usize = 1024;

/// Decodes and checks the header.
///
/// # Errors
/// FieldValidationException for a name that cannot be, ExtensionException for an extension that is not taken.
pub fn file_name(header: &str) -> Result<String, FileError> {
    let name = decode(header.trim()).ok_or(FileError::FieldValidationException)?;
    let bad = |letter: char| FORBIDDEN.contains(&letter) || letter.is_control();
    if name.is_empty() || name.chars().count() > LONGEST || name.contains(bad) {
        return Err(FileError::FieldValidationException);
    }
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase());
    if extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str())) {
        Ok(name)
    } else {
        Err(FileError::ExtensionException)
    }
}

/// A header of encoded words, or one without any.
fn decode(header: &str) -> Option<String> {
    if !header.starts_with("=?") {
        return header.is_ascii().then(|| header.to_owned());
    }
    header.split_ascii_whitespace().map(encoded_word).collect()
}

/// `=?charset?B?base64?=`
fn encoded_word(word: &str) -> Option<String> {
    let inner = word.strip_prefix("=?")?.strip_suffix("?=")?;
    let mut parts = inner.splitn(3, '?');
    let (charset, encoding, text) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = encoding.eq_ignore_ascii_case("b").then(|| STANDARD.decode(text).ok())??;
    match charset.to_ascii_lowercase().as_str() {
        "utf-8" => String::from_utf8(bytes).ok(),
        "windows-1251" => Some(bytes.into_iter().map(windows_1251).collect()),
        _ => None,
    }
}

/// The letters of windows-1251 that file names have; the rest become `_`.
fn windows_1251(byte: u8) -> char {
    let shifted = |base: u32, first: u8| char::from_u32(base + u32::from(byte - first)).unwrap_or('_');
    match byte {
        0x00..=0x7f => char::from(byte),
        0xa8 => 'Ё',
        0xb8 => 'ё',
        0xb9 => '№',
        0xab => '«',
        0xbb => '»',
        0xc0..=0xff => shifted(0x410, 0xc0),
        0x80..=0xbf => '_',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded() {
        let encoded = |charset: &str, bytes: &[u8]| format!("=?{charset}?B?{}?=", STANDARD.encode(bytes));
        for (header, expected) in [
            ("order.pdf".to_owned(), "order.pdf"),
            ("ORDER.PDF".to_owned(), "ORDER.PDF"),
            (encoded("utf-8", "Приказ № 5.docx".as_bytes()), "Приказ № 5.docx"),
            (
                encoded("windows-1251", &[0xcf, 0xf0, 0xe8, 0xea, 0xe0, 0xe7, 0xb9, 0x2e, b't', b'x', b't']),
                "Приказ№.txt",
            ),
            (format!("{} {}", encoded("UTF-8", b"a-"), encoded("UTF-8", b"b.zip")), "a-b.zip"),
        ] {
            assert_eq!(file_name(&header).as_deref(), Ok(expected), "{header}");
        }
    }

    #[test]
    fn impossible_names_are_refused() {
        let field = Err(FileError::FieldValidationException);
        for header in
            ["", "a?.pdf", "a%20b.pdf", "a\"b.pdf", "Приказ.pdf", "=?utf-8?B?###?=", "=?koi8-r?B?YQ==?="]
        {
            assert_eq!(file_name(header), field, "{header}");
        }
        assert_eq!(file_name(&format!("{}.pdf", "a".repeat(1024))), field);
        assert_eq!(file_name("=?utf-8?Q?a.pdf?="), field);
        for header in ["program.exe", "pdf", "archive.tar.gz", "name."] {
            assert_eq!(file_name(header), Err(FileError::ExtensionException), "{header}");
        }
    }
}
