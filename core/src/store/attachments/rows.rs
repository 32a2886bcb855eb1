//! Files as rows.

use diesel::prelude::{Insertable, Queryable, Selectable};
use diesel::result::Error as DieselError;

use crate::domain::answer::LastError;
use crate::domain::attachment::{Attachment, FileState};
use crate::ids::{AnswerId, AttachmentId, OrganizationId};
use crate::store::StoreError;
use crate::store::json::AsJson;
use crate::store::schema::attachments;
use crate::store::types::{Guid, Ts};

/// A row of `attachments`, without what only the upload needs.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = attachments, treat_none_as_default_value = false)]
pub(crate) struct AttachmentRow {
    id: AttachmentId,
    organization_id: OrganizationId,
    owner: String,
    file_name: String,
    description: String,
    extension: String,
    media_type: String,
    size: i64,
    sha256: Vec<u8>,
    gost_hash: Vec<u8>,
    created_at: Ts,
    expires_at: Option<Ts>,
    used_by_answer_id: Option<AnswerId>,
    gis_state: FileState,
    gis_guid: Option<Guid>,
    gis_error: Option<AsJson<LastError>>,
}

impl TryFrom<Attachment> for AttachmentRow {
    type Error = StoreError;

    fn try_from(file: Attachment) -> Result<Self, StoreError> {
        let too_large = |error| StoreError::Database(DieselError::SerializationError(Box::new(error)));
        Ok(Self {
            id: file.id,
            organization_id: file.organization,
            owner: file.owner,
            file_name: file.file_name,
            description: file.description,
            extension: file.extension,
            media_type: file.media_type,
            size: i64::try_from(file.size).map_err(too_large)?,
            sha256: file.sha256.to_vec(),
            gost_hash: file.gost_hash.to_vec(),
            created_at: Ts(file.created_at),
            expires_at: file.expires_at.map(Ts),
            used_by_answer_id: file.used_by,
            gis_state: file.gis_state,
            gis_guid: file.gis_id.map(Guid),
            gis_error: file.gis_error.map(AsJson),
        })
    }
}

impl TryFrom<AttachmentRow> for Attachment {
    type Error = StoreError;

    fn try_from(row: AttachmentRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            organization: row.organization_id,
            owner: row.owner,
            file_name: row.file_name,
            description: row.description,
            extension: row.extension,
            media_type: row.media_type,
            size: u64::try_from(row.size)
                .map_err(|error| StoreError::Database(DieselError::DeserializationError(Box::new(error))))?,
            sha256: digest(&row.sha256)?,
            gost_hash: digest(&row.gost_hash)?,
            created_at: row.created_at.0,
            expires_at: row.expires_at.map(|Ts(at)| at),
            used_by: row.used_by_answer_id,
            gis_state: row.gis_state,
            gis_id: row.gis_guid.map(|Guid(guid)| guid),
            gis_error: row.gis_error.map(|AsJson(error)| error),
        })
    }
}

fn digest(bytes: &[u8]) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|error: std::array::TryFromSliceError| {
        StoreError::Database(DieselError::DeserializationError(Box::new(error)))
    })
}

/// Rows as files.
pub(super) fn attachments_of(rows: Vec<AttachmentRow>) -> Result<Vec<Attachment>, StoreError> {
    rows.into_iter().map(Attachment::try_from).collect()
}
