//! Looks at a file before any parser of spreadsheets unpacks it: what it is, and how large it really becomes.
//!
//! A package says of itself how large it is, how many parts and how many strings it has, and the parser believes that and
//! reserves memory. So every part is unpacked once here, to nowhere, and measured. The bounds below hold for what calamine
//! keeps in memory per element; they are far above what Excel, LibreOffice and 1C write.

use std::io::{BufReader, Cursor, Read, Seek};

use bytes::Bytes;
use quick_xml::Reader;
use quick_xml::events::Event;
use zip::ZipArchive;
use zip::read::ZipFile;

use super::errors::WorkbookError;
use super::limits::Limits;

type Archive = ZipArchive<Cursor<Bytes>>;
type Part<'a> = ZipFile<'a, Cursor<Bytes>>;
type Result<T> = std::result::Result<T, WorkbookError>;

const ZIP: &[u8] = b"PK\x03\x04";
/// Before every entry of the directory of a zip file.
pub(super) const DIRECTORY_ENTRY: &[u8] = b"PK\x01\x02";
/// A compound file: an old `.xls`, or a package encrypted with a password.
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// Tags in a part that is no sheet; a style takes some 350 bytes for one tag.
const MOST_TAGS: u64 = 500_000;
/// Tags in the table of strings, four of them for a string.
const MOST_TAGS_OF_STRINGS: u64 = 8_000_000;
/// Bytes of a part that is neither a sheet nor the table of strings.
const MOST_BYTES_OF_OTHERS: u64 = 16 * 1024 * 1024;
/// Bytes between two tags: Excel takes 32,767 characters in a cell.
const LONGEST_TEXT: u64 = 1024 * 1024;
/// Small parts may be packed as well as they like.
const RATIO_FROM: u64 = 1024 * 1024;

/// What was found out on the way.
pub(super) struct Inspected {
    /// Whether cells may be merged somewhere.
    pub(super) merges: bool,
}

/// Lets through what is a workbook of bearable size.
pub(super) fn inspect(content: &Bytes, limits: &Limits) -> Result<Inspected> {
    if length(content.len()) > limits.file_bytes {
        return Err(WorkbookError::FileTooLarge { most: limits.file_bytes });
    }
    if content.starts_with(COMPOUND) {
        return Err(of_compound(content));
    }
    if !content.starts_with(ZIP) {
        return Err(WorkbookError::NotAWorkbook);
    }
    let mut archive = open(content, limits)?;
    check_names(&archive)?;
    let mut left = limits.expanded_bytes;
    let mut merges = false;
    for index in 0..archive.len() {
        let measure = measure(&mut archive, index, left, limits)?;
        left = left.saturating_sub(measure.bytes);
        merges |= measure.merges;
    }
    Ok(Inspected { merges })
}

/// Opens an archive with a bearable number of parts.
fn open(content: &Bytes, limits: &Limits) -> Result<Archive> {
    // Counted by hand: the archive would be read into memory as a whole first.
    let entries = content.windows(DIRECTORY_ENTRY.len()).filter(|window| *window == DIRECTORY_ENTRY).count();
    if entries > limits.parts {
        return Err(WorkbookError::ExpandsTooFar);
    }
    ZipArchive::new(Cursor::new(content.clone())).map_err(|_refused| WorkbookError::NotAWorkbook)
}

fn of_compound(content: &[u8]) -> WorkbookError {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    if content.windows(name.len()).any(|window| window == name) {
        WorkbookError::PasswordProtected
    } else {
        WorkbookError::OtherFormat
    }
}

fn check_names(archive: &Archive) -> Result<()> {
    let names: std::result::Result<Vec<String>, _> =
        archive.file_names().map(|name| name.map(|name| plain_name(&name))).collect();
    let names = names.map_err(|_broken| WorkbookError::Damaged { after_row: None })?;
    let has = |name: &str| names.iter().any(|known| known == name);
    if names.iter().any(|name| name.ends_with("vbaproject.bin") || name.contains("/macrosheets/")) {
        return Err(WorkbookError::Macros);
    }
    if has("xl/workbook.bin") || (has("mimetype") && has("content.xml")) {
        return Err(WorkbookError::OtherFormat);
    }
    if has("[content_types].xml") && has("_rels/.rels") && names.iter().any(|name| name.starts_with("xl/")) {
        Ok(())
    } else {
        Err(WorkbookError::NotAWorkbook)
    }
}

fn plain_name(name: &str) -> String {
    name.replace('\\', "/").trim_start_matches('/').to_lowercase()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sheet,
    Strings,
    /// The relations of the package say where the workbook is.
    Root,
    /// The content types say whether there are macros, whatever their part is called.
    Types,
    Other,
}

impl Kind {
    fn of(name: &str) -> Self {
        let name = plain_name(name);
        if name == "_rels/.rels" {
            Self::Root
        } else if name == "[content_types].xml" {
            Self::Types
        } else if name.ends_with("sharedstrings.xml") {
            Self::Strings
        } else if name.contains("/worksheets/") && !name.ends_with(".rels") {
            Self::Sheet
        } else {
            Self::Other
        }
    }

    const fn most_tags(self) -> u64 {
        match self {
            Self::Sheet => u64::MAX,
            Self::Strings => MOST_TAGS_OF_STRINGS,
            Self::Root | Self::Types | Self::Other => MOST_TAGS,
        }
    }

    const fn most_bytes(self) -> u64 {
        match self {
            Self::Sheet | Self::Strings => u64::MAX,
            Self::Root | Self::Types | Self::Other => MOST_BYTES_OF_OTHERS,
        }
    }

    const fn longest_text(self) -> u64 {
        match self {
            Self::Sheet | Self::Strings => LONGEST_TEXT,
            // A picture has no tags.
            Self::Root | Self::Types | Self::Other => u64::MAX,
        }
    }
}

fn measure(archive: &mut Archive, index: usize, left: u64, limits: &Limits) -> Result<Measure> {
    let mut part = part(archive, index)?;
    let kind = Kind::of(&part.name().map_err(|_broken| WorkbookError::Damaged { after_row: None })?);
    // The packed size may be a lie too, but the file is no larger.
    let packed = part.compressed_size().min(limits.file_bytes);
    let by_ratio = packed.saturating_mul(limits.ratio).max(RATIO_FROM);
    let most = left.min(kind.most_bytes()).min(by_ratio);
    let measure = Measure::of(&mut part, kind, most)?;
    drop(part);
    match kind {
        Kind::Strings => check_claim(self::part(archive, index)?)?,
        Kind::Root => check_root(self::part(archive, index)?)?,
        Kind::Types => check_types(self::part(archive, index)?)?,
        Kind::Sheet | Kind::Other => {}
    }
    Ok(measure)
}

/// A part to be read.
pub(super) fn part<R: Read + Seek>(archive: &mut ZipArchive<R>, index: usize) -> Result<ZipFile<'_, R>> {
    use zip::result::ZipError;

    archive.by_index(index).map_err(|error| {
        if matches!(error, ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) {
            WorkbookError::PasswordProtected
        } else {
            WorkbookError::Damaged { after_row: None }
        }
    })
}

#[derive(Default)]
struct Measure {
    bytes: u64,
    tags: u64,
    text: u64,
    merges: bool,
}

impl Measure {
    fn of(part: &mut impl Read, kind: Kind, most: u64) -> Result<Self> {
        const MERGE: &[u8] = b"mergeCell ";
        let mut measure = Self::default();
        let mut buffer = vec![0; 64 * 1024];
        let mut seam: Vec<u8> = Vec::new();
        loop {
            let count =
                part.read(&mut buffer).map_err(|_broken| WorkbookError::Damaged { after_row: None })?;
            let Some(chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else {
                return Ok(measure);
            };
            measure.add(chunk, kind)?;
            if measure.bytes > most || measure.tags > kind.most_tags() {
                return Err(WorkbookError::ExpandsTooFar);
            }
            if kind == Kind::Sheet && !measure.merges {
                seam.extend(chunk.iter().take(MERGE.len()));
                let has = |bytes: &[u8]| bytes.windows(MERGE.len()).any(|window| window == MERGE);
                measure.merges = has(&seam) || has(chunk);
                seam = chunk.iter().rev().take(MERGE.len()).rev().copied().collect();
            }
        }
    }

    fn add(&mut self, chunk: &[u8], kind: Kind) -> Result<()> {
        self.bytes = self.bytes.saturating_add(length(chunk.len()));
        for (number, text) in chunk.split(|byte| *byte == b'<').enumerate() {
            if number > 0 {
                self.tags += 1;
                self.text = 0;
            }
            self.text = self.text.saturating_add(length(text.len()));
            if self.text > kind.longest_text() {
                return Err(WorkbookError::ExpandsTooFar);
            }
        }
        Ok(())
    }
}

/// The parser reserves memory for as many strings as the table claims to have.
fn check_claim(part: Part<'_>) -> Result<()> {
    const MOST: u64 = MOST_TAGS_OF_STRINGS / 4;
    let damaged = || WorkbookError::Damaged { after_row: None };
    let mut reader = Reader::from_reader(BufReader::new(part));
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer).map_err(|_broken| damaged())?;
        if matches!(event, Event::Eof) {
            return Ok(());
        }
        if let Event::Start(tag) | Event::Empty(tag) = event
            && tag.local_name().as_ref() == "sst"
        {
            let claim = tag.try_get_attribute("uniqueCount").map_err(|_broken| damaged())?;
            let bearable =
                claim.is_none_or(|claim| claim.value.parse().is_ok_and(|count: u64| count <= MOST));
            return bearable.then_some(()).ok_or(WorkbookError::ExpandsTooFar);
        }
    }
}

/// Only sheets and strings may be large, so the workbook itself must not lie among them.
fn check_root(part: Part<'_>) -> Result<()> {
    let odd = has_word(part, &["worksheets", "sharedstrings", "&#"])?;
    if odd { Err(WorkbookError::Damaged { after_row: None }) } else { Ok(()) }
}

fn check_types(part: Part<'_>) -> Result<()> {
    if has_word(part, &["macroenabled", "vbaproject"])? { Err(WorkbookError::Macros) } else { Ok(()) }
}

fn has_word(mut part: Part<'_>, words: &[&str]) -> Result<bool> {
    let mut text = Vec::new();
    part.read_to_end(&mut text).map_err(|_broken| WorkbookError::Damaged { after_row: None })?;
    let text = String::from_utf8_lossy(&text).to_lowercase();
    Ok(words.iter().any(|word| text.contains(word)))
}

fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
