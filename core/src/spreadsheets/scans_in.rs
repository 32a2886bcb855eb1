//! The archive of scans beside a registry: files found by name, without regard to folders, case and how the archive wrote
//! Cyrillic.
//!
//! Windows packs names in code page 866 and does not say so; macOS takes й and ё apart. Both are put right here. Names hold
//! names of people, so no error repeats one.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{Read, Seek};

use bytes::Bytes;
use encoding_rs::IBM866;
use zip::ZipArchive;

use super::errors::WorkbookError;
use super::limits::Limits;
use super::package::{self, DIRECTORY_ENTRY};

/// How often the mark of a directory entry may stand in an archive, for each file that it may hold: a scan may be an archive
/// itself.
const MARKS: usize = 20;

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
    /// Unpacked it is larger than is taken: a zip bomb.
    ExpandsTooFar {
        /// The most bytes taken.
        most: u64,
    },
    /// Two files have one name.
    NameTwice {
        /// Places of both in the archive, from 1.
        places: (usize, usize),
    },
    /// Two files have one path.
    PathTwice,
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
            Self::ExpandsTooFar { .. } => "archive_expands",
            Self::NameTwice { .. } | Self::PathTwice => "file_name_twice",
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
            Self::ExpandsTooFar { most } => write!(formatter, "файлы архива вместе больше {most} байт"),
            Self::NameTwice { places: (first, second) } => {
                write!(
                    formatter,
                    "у файлов № {first} и № {second} архива одно имя: имена должны быть уникальными"
                )
            }
            Self::PathTwice => {
                formatter.write_str("в архиве два файла с одним именем: имена должны быть уникальными")
            }
            Self::ScanTooLarge { most } => write!(formatter, "файл больше {most} байт"),
            Self::Missing => formatter.write_str("файла с таким именем нет в архиве"),
        }
    }
}

impl std::error::Error for ScansError {}

/// An opened archive of scans. It stays on the disk, and one scan at a time is unpacked.
pub struct Scans {
    archive: ZipArchive<File>,
    places: HashMap<String, usize>,
    most_expanded: u64,
    expanded: u64,
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
    pub fn open(mut file: File, limits: &Limits) -> Result<Self, ScansError> {
        let length = file.metadata().or(Err(ScansError::Damaged))?.len();
        if length > limits.file_bytes {
            return Err(ScansError::FileTooLarge { most: limits.file_bytes });
        }
        let too_many = ScansError::TooMany { most: limits.parts };
        // Counted before: the directory is read into memory as a whole.
        if marks(&mut file).or(Err(ScansError::Damaged))? > limits.parts.saturating_mul(MARKS) {
            return Err(too_many);
        }
        let archive = ZipArchive::new(file).or(Err(ScansError::NotAnArchive))?;
        if archive.len() > limits.parts {
            return Err(too_many);
        }
        // Of two files with one path only the last could be read.
        if archive.has_duplicate_names() {
            return Err(ScansError::PathTwice);
        }
        let most_expanded = limits.expanded_bytes;
        let mut scans = Self { archive, places: HashMap::new(), most_expanded, expanded: 0 };
        scans.list()?;
        Ok(scans)
    }

    fn list(&mut self) -> Result<(), ScansError> {
        for place in 0..self.archive.len() {
            let entry = self.archive.by_index_raw(place).or(Err(ScansError::Damaged))?;
            if entry.encrypted() {
                return Err(ScansError::PasswordProtected);
            }
            let Some(key) = (!entry.is_dir()).then(|| key_of_entry(entry.name_raw())).flatten() else {
                continue;
            };
            if let Some(first) = self.places.insert(key, place) {
                return Err(ScansError::NameTwice { places: (first + 1, place + 1) });
            }
        }
        Ok(())
    }

    /// The scan with this name, as its place in the archive from 1.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.places.get(&key(name)).map(|place| place + 1)
    }

    /// The places of all scans in their order.
    #[must_use]
    pub fn places(&self) -> Vec<usize> {
        let mut places: Vec<_> = self.places.values().map(|place| place + 1).collect();
        places.sort_unstable();
        places
    }

    /// Unpacks a scan of at most so many bytes.
    ///
    /// # Errors
    /// There is none, it or all of them together are too large, it is damaged, or a password is needed.
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
        let length = u64::try_from(content.len()).unwrap_or(u64::MAX);
        self.expanded = self.expanded.saturating_add(length);
        if self.expanded > self.most_expanded {
            Err(ScansError::ExpandsTooFar { most: self.most_expanded })
        } else if length > most {
            Err(ScansError::ScanTooLarge { most })
        } else {
            Ok(content.into())
        }
    }
}

/// How often the mark of a directory entry stands in a file.
fn marks(file: &mut File) -> std::io::Result<usize> {
    file.rewind()?;
    let (mut buffer, mut count, mut kept) = (vec![0; 64 * 1024], 0, 0);
    loop {
        let read = file.read(buffer.get_mut(kept..).unwrap_or_default())?;
        let seen = buffer.get(..kept + read).unwrap_or_default();
        count += seen.windows(DIRECTORY_ENTRY.len()).filter(|window| *window == DIRECTORY_ENTRY).count();
        if read == 0 {
            return Ok(count);
        }
        // A mark may lie across the seam.
        let from = seen.len().saturating_sub(DIRECTORY_ENTRY.len() - 1);
        kept = seen.len() - from;
        buffer.copy_within(from..from + kept, 0);
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
    use std::io::{Cursor, Write};

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

    fn open(content: &[u8], limits: &Limits) -> Result<Scans, ScansError> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        Scans::open(file, limits)
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
        let mut scans = open(&content, &Limits::default()).unwrap();
        assert_eq!(scans.places(), [1, 4]);
        let places = ["тестов - АКТ.jpg", "Акт сверки й.pdf", "нет.pdf"].map(|name| scans.place(name));
        assert_eq!(places, [Some(1), Some(4), None]);
        assert_eq!(scans.read("Тестов - акт.jpg", 4).unwrap(), "scan");
        assert_eq!(scans.read("Тестов - акт.jpg", 3), Err(ScansError::ScanTooLarge { most: 3 }));
        assert_eq!(scans.read("нет.pdf", 3), Err(ScansError::Missing));
    }

    #[test]
    fn names_of_windows_are_read() {
        let scans = open(&windows_archive("Судебный акт № 1.jpg"), &Limits::default()).unwrap();
        assert_eq!(scans.place("Судебный акт № 1.jpg"), Some(1));
    }

    #[test]
    fn bad_archives_are_refused_in_words() {
        let limits = Limits { file_bytes: 500, parts: 2, ..Limits::default() };
        let refused = |content: Bytes| open(&content, &limits).unwrap_err();
        assert_eq!(refused(Bytes::from(vec![0; 501])), ScansError::FileTooLarge { most: 500 });
        assert_eq!(refused(Bytes::from_static(b"%PDF-1.7")), ScansError::NotAnArchive);
        assert_eq!(refused(archive(&["a", "b", "c"])), ScansError::TooMany { most: 2 });
        assert_eq!(refused(archive(&["a/Й.jpg", "b/й.JPG"])), ScansError::NameTwice { places: (1, 2) });
        assert_eq!(refused(renamed("a.jpg", "b.jpg")), ScansError::PathTwice);
        assert_eq!(refused(locked("a.jpg")), ScansError::PasswordProtected);
    }

    /// An archive of two files, the second of which is given the name of the first.
    fn renamed(first: &str, second: &str) -> Bytes {
        let mut content = archive(&[first, second]).to_vec();
        for start in 0..content.len() - second.len() {
            if content[start..].starts_with(second.as_bytes()) {
                content[start..start + first.len()].copy_from_slice(first.as_bytes());
            }
        }
        content.into()
    }

    /// An archive that says of its file that a password is needed.
    fn locked(name: &str) -> Bytes {
        let mut content = archive(&[name]).to_vec();
        let entry = content.windows(4).position(|window| window == DIRECTORY_ENTRY).unwrap();
        content[entry + 8] |= 1;
        content[6] |= 1;
        content.into()
    }

    #[test]
    fn a_bomb_is_stopped_while_it_is_unpacked() {
        let limits = Limits { expanded_bytes: 1_000_000, ..Limits::default() };
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for name in ["a.txt", "b.txt", "c.txt"] {
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(&[b' '; 600_000]).unwrap();
        }
        let content = zip.finish().unwrap().into_inner();
        assert!(content.len() < 10_000);
        let mut scans = open(&content, &limits).unwrap();
        assert_eq!(scans.read("a.txt", 1_000_000).unwrap().len(), 600_000);
        assert_eq!(scans.read("b.txt", 1_000_000), Err(ScansError::ExpandsTooFar { most: 1_000_000 }));
    }

    #[test]
    fn paths_lead_nowhere_and_a_long_directory_is_counted_before_it_is_read() {
        let mut scans = open(&archive(&["../../etc/passwd", "C:\\x\\акт.pdf"]), &Limits::default()).unwrap();
        assert_eq!((scans.place("passwd"), scans.place("акт.pdf")), (Some(1), Some(2)));
        assert_eq!(scans.read("../../etc/passwd", 9), Err(ScansError::Missing));
        let mut marked = vec![0; 64 * 1024 - 2];
        marked.extend_from_slice(DIRECTORY_ENTRY);
        marked.extend_from_slice(DIRECTORY_ENTRY);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&marked).unwrap();
        assert_eq!(marks(&mut file).unwrap(), 2);
    }
}
