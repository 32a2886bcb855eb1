//! The file store: whole files and files in parts, kept in memory.
//!
//! Pure; [`crate::server`] maps HTTP to these operations and a [`FileError`] to `X-Upload-Error` (protocol: the values
//! Q34, the limits and names Q33, Q35, Q36). What must stay true: an id belongs to the organisation that uploaded it; a
//! complete file never changes; all files together stay within [`MOST_BYTES`]; nothing here takes longer than a part does,
//! as the caller holds the lock on the engine: contents leave as [`Content`], to be hashed and copied outside of it.

mod content;
mod error;
mod name;

use std::collections::{BTreeMap, HashMap};

use actix_web::web::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use md5::{Digest, Md5};
use serde::Serialize;
use uuid::Uuid;

pub use content::Content;
pub use error::{FileError, StoreError};
pub use name::file_name;

/// The largest part, and the largest file in one piece: 5 MiB.
pub const PART_BYTES: usize = 5_242_880;
/// All files together, as announced, with [`OVERHEAD_BYTES`] for each file and each of its parts: 512 MiB.
pub const MOST_BYTES: usize = 512 << 20;
/// What a file, and a part of one, costs besides its content: names, maps, buffers.
pub const OVERHEAD_BYTES: usize = 256;
/// Files and open uploads at once.
pub const MOST_FILES: usize = 20_000;
/// Parts of one file.
pub const MOST_PARTS: u32 = 1_000;

/// What an upload announces.
#[derive(Clone, Copy)]
pub struct Announced<'call> {
    /// `X-Upload-OrgPPAGUID`.
    pub owner: Uuid,
    /// `X-Upload-Filename` as it came.
    pub name: &'call str,
    /// `X-Upload-Length`: bytes of the whole file.
    pub length: usize,
}

impl std::fmt::Debug for Announced<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Announced(***)")
    }
}

struct StoredFile {
    owner: Uuid,
    name: String,
    length: usize,
    part_count: u32,
    parts: BTreeMap<u32, Bytes>,
    stage: Stage,
    used: bool,
}

impl std::fmt::Debug for StoredFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoredFile(***)")
    }
}

#[derive(Debug)]
enum Stage {
    /// Parts may come.
    Open,
    /// All is there and the caller works on the hash.
    Closing,
    Closed(Completed),
}

#[derive(Debug)]
struct Completed {
    at: DateTime<Utc>,
    hash: String,
}

/// What `HEAD` and `/control/files` tell about a file.
#[derive(Clone, Serialize)]
pub struct FileState {
    /// `X-Upload-UploadID`, the `AttachmentGUID`.
    pub guid: Uuid,
    /// orgPPAGUID of the uploader.
    pub organization: Uuid,
    /// The decoded name.
    pub name: String,
    /// Bytes announced.
    pub length: usize,
    /// Numbers of the parts that arrived.
    pub completed_parts: Vec<u32>,
    /// Whether the upload is closed.
    pub completed: bool,
    /// When it was closed.
    pub completed_at: Option<DateTime<Utc>>,
    /// GOST R 34.11-94 (CryptoPro parameters) in lower-case hex, once closed.
    pub hash: Option<String>,
    /// Whether an answer that took effect names it.
    pub used: bool,
}

impl std::fmt::Debug for FileState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileState")
            .field("guid", &self.guid)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// All files.
#[derive(Debug, Default)]
pub struct FileStore {
    files: HashMap<Uuid, StoredFile>,
    bytes: usize,
}

/// The habits of the store at one call.
#[derive(Debug, Clone, Copy)]
pub struct Habits<'sim> {
    /// The switches.
    pub switches: &'sim crate::scenario::Files,
    /// The present time.
    pub now: DateTime<Utc>,
}

impl FileStore {
    /// PUT of a whole file; its id is `guid`. As after [`Self::close`], [`Self::complete`] must follow.
    ///
    /// # Errors
    /// When a header or the content is wrong, or the store is full.
    pub fn put_whole(
        &mut self,
        guid: Uuid,
        announced: Announced<'_>,
        md5: Option<&str>,
        content: &[u8],
    ) -> Result<Content, StoreError> {
        if content.is_empty() || content.len() > PART_BYTES || content.len() != announced.length {
            return Err(FileError::InvalidSizeException.into());
        }
        self.open(guid, announced, 1)?;
        let stored = self.put_part(announced.owner, guid, 1, md5, content);
        let closed = stored.and_then(|()| self.close(announced.owner, guid));
        if closed.is_err() {
            self.remove(guid);
        }
        closed
    }

    /// POST `?upload`: announces a file in parts under the id `guid`.
    ///
    /// # Errors
    /// When a header is wrong, or the store is full.
    pub fn open(&mut self, guid: Uuid, announced: Announced<'_>, part_count: u32) -> Result<(), StoreError> {
        let name = file_name(announced.name)?;
        if !(1..=MOST_PARTS).contains(&part_count) {
            return Err(FileError::InvalidPartNumberException.into());
        }
        let room = usize::try_from(part_count).unwrap_or(usize::MAX).saturating_mul(PART_BYTES);
        if announced.length == 0 || announced.length > room {
            return Err(FileError::InvalidSizeException.into());
        }
        let charge = charge(announced.length, part_count);
        if self.files.len() >= MOST_FILES || self.bytes.saturating_add(charge) > MOST_BYTES {
            return Err(StoreError::Full);
        }
        let file = StoredFile {
            owner: announced.owner,
            name,
            length: announced.length,
            part_count,
            parts: BTreeMap::new(),
            stage: Stage::Open,
            used: false,
        };
        // Everything announced is reserved, so that parts cannot overflow the store later.
        self.bytes += charge;
        self.files.insert(guid, file);
        Ok(())
    }

    /// PUT of a part, numbered from 1; a part sent again replaces the earlier one.
    ///
    /// # Errors
    /// When the id, the number or the content is wrong.
    pub fn put_part(
        &mut self,
        owner: Uuid,
        guid: Uuid,
        number: u32,
        md5: Option<&str>,
        content: &[u8],
    ) -> Result<(), StoreError> {
        let file = self.owned_mut(owner, guid)?;
        if !matches!(file.stage, Stage::Open) {
            return Err(FileError::InvalidStatusException.into());
        }
        if !(1..=file.part_count).contains(&number) {
            return Err(FileError::InvalidPartNumberException.into());
        }
        let others: usize =
            file.parts.iter().filter(|(other, _)| **other != number).map(|(_, part)| part.len()).sum();
        if content.is_empty() || content.len() > PART_BYTES || others + content.len() > file.length {
            return Err(FileError::InvalidSizeException.into());
        }
        check_md5(md5, content)?;
        // A copy is as large as it must be; what came from the network keeps the larger buffer it was read into.
        file.parts.insert(number, Bytes::copy_from_slice(content));
        Ok(())
    }

    /// The first half of POST `?completed`: no part is taken from now on. The caller hashes the content and hands the
    /// hash to [`Self::complete`].
    ///
    /// # Errors
    /// When the id is wrong, parts are missing or the size differs.
    pub fn close(&mut self, owner: Uuid, guid: Uuid) -> Result<Content, StoreError> {
        let file = self.owned_mut(owner, guid)?;
        let arrived = u32::try_from(file.parts.len()).unwrap_or(u32::MAX);
        if !matches!(file.stage, Stage::Open) || arrived != file.part_count {
            return Err(FileError::InvalidStatusException.into());
        }
        let content = file.content();
        if content.len() != file.length {
            return Err(FileError::InvalidSizeException.into());
        }
        file.stage = Stage::Closing;
        Ok(content)
    }

    /// The second half of POST `?completed`: the file has this hash (lower-case hex) and can be used.
    ///
    /// # Errors
    /// When the file is gone meanwhile or was not closed.
    pub fn complete(
        &mut self,
        owner: Uuid,
        guid: Uuid,
        hash: String,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let file = self.owned_mut(owner, guid)?;
        if !matches!(file.stage, Stage::Closing) {
            return Err(FileError::InvalidStatusException.into());
        }
        file.stage = Stage::Closed(Completed { at: now, hash });
        Ok(())
    }

    /// HEAD.
    ///
    /// # Errors
    /// When the id is wrong or the virus check is not over (Q35).
    pub fn state(&self, owner: Uuid, guid: Uuid, habits: Habits<'_>) -> Result<FileState, StoreError> {
        let file = self.owned(owner, guid)?;
        file.check_virus(habits)?;
        Ok(file.state(guid))
    }

    /// GET `?getfile`: the whole content.
    ///
    /// # Errors
    /// When the id is wrong, the file is not complete, not checked yet, or named by no answer.
    pub fn download(&self, owner: Uuid, guid: Uuid, habits: Habits<'_>) -> Result<Content, StoreError> {
        let file = self.owned(owner, guid)?;
        if file.completed().is_none() {
            return Err(FileError::InvalidStatusException.into());
        }
        file.check_virus(habits)?;
        if !file.used && !habits.switches.download_unused {
            return Err(FileError::FilePermissionException.into());
        }
        Ok(file.content())
    }

    /// The hash of a complete and checked file of this organisation: what answers must repeat.
    #[must_use]
    pub fn hash(&self, owner: Uuid, guid: Uuid, habits: Habits<'_>) -> Option<String> {
        let file = self.owned(owner, guid).ok()?;
        file.check_virus(habits).ok()?;
        file.completed().map(|completed| completed.hash.clone())
    }

    /// Marks a file as named by an answer in force.
    pub fn mark_used(&mut self, guid: Uuid) {
        if let Some(file) = self.files.get_mut(&guid) {
            file.used = true;
        }
    }

    /// A file as the control door shows it, whoever owns it.
    #[must_use]
    pub fn look(&self, guid: Uuid) -> Option<FileState> {
        self.files.get(&guid).map(|file| file.state(guid))
    }

    /// The content of a file as far as it arrived, whoever owns it.
    #[must_use]
    pub fn content(&self, guid: Uuid) -> Option<Content> {
        self.files.get(&guid).map(StoredFile::content)
    }

    /// Files and open uploads.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Bytes that all of them take up in the sense of [`MOST_BYTES`].
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn remove(&mut self, guid: Uuid) {
        if let Some(file) = self.files.remove(&guid) {
            self.bytes = self.bytes.saturating_sub(charge(file.length, file.part_count));
        }
    }

    fn owned(&self, owner: Uuid, guid: Uuid) -> Result<&StoredFile, FileError> {
        let file = self.files.get(&guid).ok_or(FileError::FileNotFoundException)?;
        if file.owner == owner { Ok(file) } else { Err(FileError::FilePermissionException) }
    }

    fn owned_mut(&mut self, owner: Uuid, guid: Uuid) -> Result<&mut StoredFile, FileError> {
        let file = self.files.get_mut(&guid).ok_or(FileError::FileNotFoundException)?;
        if file.owner == owner { Ok(file) } else { Err(FileError::FilePermissionException) }
    }
}

impl StoredFile {
    fn content(&self) -> Content {
        Content::new(self.parts.values().cloned().collect())
    }

    fn completed(&self) -> Option<&Completed> {
        match &self.stage {
            Stage::Closed(completed) => Some(completed),
            Stage::Open | Stage::Closing => None,
        }
    }

    fn check_virus(&self, habits: Habits<'_>) -> Result<(), FileError> {
        let checked = |completed: &Completed| {
            let age = (habits.now - completed.at).to_std().unwrap_or_default();
            age >= habits.switches.virus_check
        };
        if self.completed().is_none_or(checked) {
            Ok(())
        } else {
            Err(FileError::FileVirusNotCheckedException)
        }
    }

    fn state(&self, guid: Uuid) -> FileState {
        FileState {
            guid,
            organization: self.owner,
            name: self.name.clone(),
            length: self.length,
            completed_parts: self.parts.keys().copied().collect(),
            completed: self.completed().is_some(),
            completed_at: self.completed().map(|completed| completed.at),
            hash: self.completed().map(|completed| completed.hash.clone()),
            used: self.used,
        }
    }
}

fn charge(length: usize, part_count: u32) -> usize {
    let pieces = usize::try_from(part_count).unwrap_or(usize::MAX).saturating_add(1);
    length.saturating_add(pieces.saturating_mul(OVERHEAD_BYTES))
}

fn check_md5(header: Option<&str>, content: &[u8]) -> Result<(), FileError> {
    let announced = header.ok_or(FileError::FieldValidationException)?;
    let announced =
        STANDARD.decode(announced.trim()).map_err(|_not_base64| FileError::FieldValidationException)?;
    if announced == Md5::digest(content).as_slice() { Ok(()) } else { Err(FileError::HashConflictException) }
}

#[cfg(test)]
mod tests;
