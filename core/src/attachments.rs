//! Files of answers (`api.md` §11): checked as they come, kept in the file store, uploaded to GIS by a job.
//!
//! A file that nobody uses in an answer is deleted after a time; the same content of the same client is kept once.

mod inspect;
mod kind;
#[cfg(test)]
mod tests;

use std::fmt;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::task::spawn_blocking;

pub(crate) use self::inspect::SoundFile;
use self::inspect::inspect;
pub use self::kind::FileTypes;
use crate::Service;
use crate::domain::attachment::{Attachment, FileState};
use crate::domain::caller::{Caller, Scope};
use crate::error::{Code, Error, Mistake, Result};
use crate::ids::AttachmentId;
use crate::store::{Tx, attachments};

/// A file as a client brings it.
#[derive(Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Name as people see it, with its extension.
    pub file_name: String,
    /// Description; the file name stands in for it.
    pub description: Option<String>,
    /// The content.
    pub content: Bytes,
    /// SHA-256 in hexadecimal digits; compared when given.
    pub sha256: Option<String>,
}

impl fmt::Debug for NewFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NewFile").field("size", &self.content.len()).finish_non_exhaustive()
    }
}

impl Service {
    /// How long a file lives that no answer uses from now on.
    pub(crate) fn unused_until(&self) -> DateTime<Utc> {
        self.clock.now() + self.settings.retention.unused_files
    }

    /// Takes a file. The same file of the same client is kept once, and lives on.
    ///
    /// # Errors
    /// [`Code::FileTooLarge`], [`Code::FileTypeNotAllowed`], mistakes by name.
    pub async fn upload_attachment(&self, tx: &mut Tx, caller: &Caller, file: NewFile) -> Result<Attachment> {
        caller.need(Scope::AttachmentsWrite)?;
        self.admit_file(tx, caller, file, "").await?.map_err(refusal)
    }

    /// Takes a file that came inside an answer, whose use case has looked at the scopes. The mistakes have pointers below
    /// `pointer`, such as `/attachments/0`.
    pub(crate) async fn admit_file(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        file: NewFile,
        pointer: &str,
    ) -> Result<std::result::Result<Attachment, Vec<Mistake>>> {
        match self.look_at_file(file, pointer).await? {
            Ok(sound) => self.keep(tx, caller, sound).await.map(Ok),
            Err(mistakes) => Ok(Err(mistakes)),
        }
    }

    /// Looks at a file. The mistakes have pointers below `pointer`.
    pub(crate) async fn look_at_file(
        &self,
        file: NewFile,
        pointer: &str,
    ) -> Result<std::result::Result<SoundFile, Vec<Mistake>>> {
        let (limits, pointer) = (self.settings.limits, pointer.to_owned());
        spawn_blocking(move || inspect(file, &limits, &pointer)).await.map_err(Error::internal)
    }

    /// Stores the content of a file that something is going to use; its row is left to whoever calls, among `staged`. What is
    /// known already, or staged, is not stored again.
    pub(crate) async fn stage_file(
        &self,
        caller: &Caller,
        file: SoundFile,
        staged: &mut Vec<Attachment>,
    ) -> Result<AttachmentId> {
        let now = self.clock.now();
        let alike = |known: &&Attachment| known.sha256 == file.sha256 && is_same(known, &file);
        if let Some(known) = staged.iter().find(alike) {
            return Ok(known.id);
        }
        let same = {
            let mut conn = self.db.read().await?;
            attachments::same(&mut conn, caller.organization, &caller.subject, &file.sha256, now).await?
        };
        if let Some(known) = same.filter(|known| is_same(known, &file)) {
            return Ok(known.id);
        }
        let attachment = described(caller, &file, now, None)?;
        let id = attachment.id;
        self.files.put(id, file.content).await?;
        staged.push(attachment);
        Ok(id)
    }

    async fn keep(&self, tx: &mut Tx, caller: &Caller, file: SoundFile) -> Result<Attachment> {
        let now = self.clock.now();
        let expires_at = self.unused_until();
        let same = attachments::same(tx, caller.organization, &caller.subject, &file.sha256, now).await?;
        if let Some(mut known) = same.filter(|known| is_same(known, &file)) {
            if known.expires_at.is_some() {
                attachments::prolong(tx, known.id, expires_at).await?;
                known.expires_at = Some(expires_at);
            }
            return Ok(known);
        }
        let attachment = described(caller, &file, now, Some(expires_at))?;
        self.files.put(attachment.id, file.content).await?;
        attachments::insert(tx, &attachment).await?;
        Ok(attachment)
    }

    /// A file without its content.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get_attachment(&self, caller: &Caller, id: AttachmentId) -> Result<Attachment> {
        caller.need(Scope::AnswersRead)?;
        let mut conn = self.db.read().await?;
        attachments::get(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)
    }

    /// A file with its content.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn attachment_content(&self, caller: &Caller, id: AttachmentId) -> Result<(Attachment, Bytes)> {
        let attachment = self.get_attachment(caller, id).await?;
        let content = self.files.get(id).await?;
        Ok((attachment, content))
    }

    /// Deletes a file that nothing uses. Its content is left to the sweep: the transaction may yet fail.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Code::StateConflict`] when an answer or a registry uses it.
    pub async fn delete_attachment(&self, tx: &mut Tx, caller: &Caller, id: AttachmentId) -> Result<()> {
        caller.need(Scope::AttachmentsWrite)?;
        if attachments::get(tx, caller.organization, id).await?.is_none() {
            return Err(Error::NotFound);
        }
        if attachments::delete(tx, caller.organization, id).await? {
            return Ok(());
        }
        Err(Error::conflict(
            Code::StateConflict,
            "файл приложен к ответу или назван в реестре, удалить его нельзя",
            None,
        ))
    }
}

/// The same in all that people see: a file of another name stays a file of its own, since GIS shows the name.
fn is_same(known: &Attachment, file: &SoundFile) -> bool {
    known.file_name == file.file_name && known.description == file.description
}

fn described(
    caller: &Caller,
    file: &SoundFile,
    now: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
) -> Result<Attachment> {
    Ok(Attachment {
        id: AttachmentId::generate(),
        organization: caller.organization,
        owner: caller.subject.clone(),
        file_name: file.file_name.clone(),
        description: file.description.clone(),
        extension: file.kind.extension.to_owned(),
        media_type: file.kind.media_type.to_owned(),
        size: u64::try_from(file.content.len()).map_err(Error::internal)?,
        sha256: file.sha256,
        gost_hash: file.gost_hash,
        created_at: now,
        expires_at,
        used_by: None,
        gis_state: FileState::NotUploaded,
        gis_id: None,
        gis_error: None,
    })
}

/// Size and kind have codes and statuses of their own, where the file is the whole request.
fn refusal(mistakes: Vec<Mistake>) -> Error {
    let whole = [Code::FileTooLarge, Code::FileTypeNotAllowed];
    let found = whole.into_iter().find_map(|code| {
        mistakes.iter().find(|mistake| mistake.code == code.as_str()).map(|mistake| (code, &mistake.detail))
    });
    match found {
        Some((code, detail)) => Error::refused(code, detail.as_str()),
        None => Error::Invalid(mistakes),
    }
}
