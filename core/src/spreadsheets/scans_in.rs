//! The archive of scans beside a registry: files found by name, without regard to folders, case and how the archive wrote
//! Cyrillic.
//!
//! Windows packs names in code page 866 and does not say so; macOS takes й and ё apart. Both are put right here. Names hold
//! names of people, so no error repeats one.

use std::collections::HashMap;
use std::fmt;
use std::io::{Cursor, Read};

use bytes::Bytes;
use encoding_rs::IBM866;
use zip::ZipArchive;

use super::errors::WorkbookError;
use super::limits::Limits;
use super::package;

/// Why scans cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScansError {
    /// The file is larger than is taken.
    FileTooLarge {
        /// The most bytes taken.
        most: u64,
    },
    /// It is no zip archive.
    NotAnArchive,
    /// It holds more files than are taken.
    TooMany {
        /// The most files taken.
        most: usize,
    },
    /// A password protects it.
    PasswordProtected,
    /// It cannot be read.
    Damaged,
    /// Two files have one name.
    NameTwice {
        /// Places of both in the archive, from 1.
        places: (usize, usize),
    },
    /// A scan is larger than is taken.
    ScanTooLarge {
        /// The most bytes taken.
        most: u64,
    },
    /// There is no scan with this name.
    Missing,
}

impl ScansError {
    /// The code for machines.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::FileTooLarge { .. } | Self::ScanTooLarge { .. } => "file_too_large",
            Self::NotAnArchive => "not_an_archive",
            Self::TooMany { .. } => "too_many_files",
            Self::PasswordProtected => "archive_password",
            Self::Damaged => "archive_damaged",
            Self::NameTwice { .. } => "file_name_twice",
            Self::Missing => "file_missing",
        }
    }
}

impl fmt::Display for ScansError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileTooLarge { most } => write!(formatter, "архив больше {most} байт"),
            Self::NotAnArchive => formatter.write_str("файл не является архивом zip"),
            Self::TooMany { most } => write!(formatter, "в архиве больше {most} файлов"),
            Self::PasswordProtected => formatter.write_str("архив защищён паролем"),
            Self::Damaged => formatter.write_str("архив повреждён"),
            Self::NameTwice { places: (first, second) } => {
                write!(
                    formatter,
                    "у файлов № {first} и № {second} архива одно имя: имена должны быть уникальными"
                )
            }
            Self::ScanTooLarge { most } => write!(formatter, "файл больше {most} байт"),
            Self::Missing => formatter.write_str("файла с таким именем нет в архиве"),
        }
    }
}

impl std::error::Error for ScansError {}

/// An opened archive of scans.
pub struct Scans {
    archive: ZipArchive<Cursor<Bytes>>,
    places: HashMap<String, usize>,
}

impl fmt::Debug for Scans {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Scans").field("count", &self.places.len()).finish_non_exhaustive()
    }
}

impl Scans {
    /// Opens an archive of at most so many bytes and files as the limits say. Nothing is unpacked yet.
    ///
    /// # Errors
    /// It is no archive, or one that is not taken.
    pub fn open(content: &Bytes, limits: &Limits) -> Result<Self, ScansError> {
        if u64::try_from(content.len()).is_ok_and(|length| length > limits.file_bytes) {
            return Err(ScansError::FileTooLarge { most: limits.file_bytes });
        }
        let archive = package::open(content, limits).map_err(|error| {
            if error == WorkbookError::ExpandsTooFar {
                ScansError::TooMany { most: limits.parts }
            } else {
                ScansError::NotAnArchive
            }
        })?;
        let mut scans = Self { archive, places: HashMap::new() };
        scans.list()?;
        Ok(scans)
    }

    fn list(&mut self) -> Result<(), ScansError> {
        for place in 0..self.archive.len() {
            let entry = self.archive.by_index_raw(place).or(Err(ScansError::Damaged))?;
            let Some(key) = (!entry.is_dir()).then(|| key_of_entry(entry.name_raw())).flatten() else {
                continue;
            };
            if let Some(first) = self.places.insert(key, place) {
                return Err(ScansError::NameTwice { places: (first + 1, place + 1) });
            }
        }
        Ok(())
    }

    /// Whether there is a scan with this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.places.contains_key(&key(name))
    }

    /// How many scans there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// Unpacks a scan of at most so many bytes.
    ///
    /// # Errors
    /// There is none, it is too large or damaged, or a password is needed.
    pub fn read(&mut self, name: &str, most: u64) -> Result<Bytes, ScansError> {
        let place = *self.places.get(&key(name)).ok_or(ScansError::Missing)?;
        let part = package::part(&mut self.archive, place).map_err(|error| {
            if error == WorkbookError::PasswordProtected {
                ScansError::PasswordProtected
            } else {
                ScansError::Damaged
            }
        })?;
        let mut content = Vec::new();
        // One byte more tells a scan that is too large from one that just fits.
        part.take(most.saturating_add(1)).read_to_end(&mut content).or(Err(ScansError::Damaged))?;
        if u64::try_from(content.len()).is_ok_and(|length| length <= most) {
            Ok(content.into())
        } else {
            Err(ScansError::ScanTooLarge { most })
        }
    }
}

/// The key of a file in the archive; `None` for what programs leave there.
fn key_of_entry(name: &[u8]) -> Option<String> {
    let name = match std::str::from_utf8(name) {
        Ok(name) => name.to_owned(),
        Err(_) => IBM866.decode_without_bom_handling(name).0.into_owned(),
    };
    let (folder, file) = name.rsplit_once(['/', '\\']).unwrap_or(("", &name));
    let is_rubbish =
        folder.contains("__MACOSX") || file.starts_with('.') || file.eq_ignore_ascii_case("thumbs.db");
    (!is_rubbish && !file.is_empty()).then(|| key(file))
}

/// Names that differ only in this are one name on Windows or macOS.
fn key(name: &str) -> String {
    name.trim().to_lowercase().replace("и\u{306}", "й").replace("е\u{308}", "ё")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(names: &[&str]) -> Bytes {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for name in names {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(b"scan").unwrap();
        }
        zip.finish().unwrap().into_inner().into()
    }

    /// An archive whose names are in code page 866, as Windows writes them.
    fn windows_archive(name: &str) -> Bytes {
        let (bytes, _, _) = IBM866.encode(name);
        let stand_in = "x".repeat(bytes.len());
        let mut content = archive(&[&stand_in]).to_vec();
        for start in 0..content.len() - bytes.len() {
            if content[start..].starts_with(stand_in.as_bytes()) {
                content[start..start + bytes.len()].copy_from_slice(&bytes);
            }
        }
        content.into()
    }

    #[test]
    fn scans_are_found_by_name() {
        let content =
            archive(&["сканы/Тестов - акт.jpg", "__MACOSX/._x.jpg", ".DS_Store", "Акт сверки и\u{306}.pdf"]);
        let mut scans = Scans::open(&content, &Limits::default()).unwrap();
        assert_eq!(scans.count(), 2);
        assert!(scans.has("тестов - АКТ.jpg") && scans.has("Акт сверки й.pdf") && !scans.has("нет.pdf"));
        assert_eq!(scans.read("Тестов - акт.jpg", 4).unwrap(), "scan");
        assert_eq!(scans.read("Тестов - акт.jpg", 3), Err(ScansError::ScanTooLarge { most: 3 }));
        assert_eq!(scans.read("нет.pdf", 3), Err(ScansError::Missing));
    }

    #[test]
    fn names_of_windows_are_read() {
        let scans = Scans::open(&windows_archive("Судебный акт № 1.jpg"), &Limits::default()).unwrap();
        assert!(scans.has("Судебный акт № 1.jpg"));
    }

    #[test]
    fn bad_archives_are_refused_in_words() {
        let limits = Limits { file_bytes: 500, parts: 2, ..Limits::default() };
        let refused = |content: Bytes| Scans::open(&content, &limits).unwrap_err();
        assert_eq!(refused(Bytes::from(vec![0; 501])), ScansError::FileTooLarge { most: 500 });
        assert_eq!(refused(Bytes::from_static(b"%PDF-1.7")), ScansError::NotAnArchive);
        assert_eq!(refused(archive(&["a", "b", "c"])), ScansError::TooMany { most: 2 });
        assert_eq!(refused(archive(&["a/Й.jpg", "b/й.JPG"])), ScansError::NameTwice { places: (1, 2) });
    }
}
