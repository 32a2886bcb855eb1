//! A file of an answer: checked when it comes, uploaded to the file store of GIS by a job before the answer is sent.

use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::answer::LastError;
use super::words::words;
use crate::ids::{AnswerId, AttachmentId, OrganizationId};

words! {
    /// Where a file stands with GIS.
    FileState {
        /// GIS has nothing of it.
        NotUploaded = "not_uploaded" "Не загружен",
        /// The upload is under way or broke off.
        Uploading = "uploading" "Загружается",
        /// GIS has it.
        Uploaded = "uploaded" "Загружен",
        /// GIS has refused it.
        Refused = "refused" "Отклонён",
    }
}

/// A file of an answer; the content lies in the file store of ours.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its identifier, also its name in the file store of ours.
    pub id: AttachmentId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// The client that uploaded it.
    pub owner: String,
    /// Name as people see it.
    pub file_name: String,
    /// Description; GIS demands one.
    pub description: String,
    /// Extension in lower case, one of [`FileTypes`](crate::attachments::FileTypes).
    pub extension: String,
    /// Media type of that extension.
    pub media_type: String,
    /// Length in bytes.
    pub size: u64,
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
    /// GOST R 34.11-94 of the content, which GIS is told.
    pub gost_hash: [u8; 32],
    /// When it came.
    pub created_at: DateTime<Utc>,
    /// When it is deleted if no answer uses it; `None` once one does.
    pub expires_at: Option<DateTime<Utc>>,
    /// The last answer that used it.
    pub used_by: Option<AnswerId>,
    /// Where it stands with GIS.
    pub gis_state: FileState,
    /// The file in the store of GIS; while uploading, where to go on.
    pub gis_id: Option<Uuid>,
    /// Why GIS refused it, or the last failure.
    pub gis_error: Option<LastError>,
}

impl fmt::Debug for Attachment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Attachment")
            .field("id", &self.id)
            .field("size", &self.size)
            .field("gis_state", &self.gis_state)
            .finish_non_exhaustive()
    }
}
