//! Files as the API shows them (`api.md` §11).

use bytes::Bytes;
use chrono::{DateTime, Utc};
use debt_core::attachments::NewFile;
use debt_core::domain::attachment as domain;
use debt_core::error::Mistake;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer_input::{decode, not_base64};
use super::answers::AnswerError;
use super::words::FileState;

/// Файл для ответа. Неиспользованный файл удаляется через семь дней.
#[derive(Debug, Serialize, ToSchema)]
pub struct Attachment {
    /// Идентификатор: его указывают в ответе как `attachment_id`.
    pub id: Uuid,
    /// Имя файла.
    #[schema(max_length = 255, example = "Решение суда.pdf")]
    pub file_name: String,
    /// Описание.
    #[schema(max_length = 500, example = "Решение суда")]
    pub description: String,
    /// Тип содержимого.
    #[schema(max_length = 100, example = "application/pdf")]
    pub media_type: String,
    /// Размер в байтах.
    #[schema(example = 184211)]
    pub size: u64,
    /// SHA-256 содержимого, 64 шестнадцатеричные цифры.
    #[schema(
        pattern = "^[0-9a-f]{64}$",
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    pub sha256: String,
    /// Когда файл будет удалён, если ни один ответ его не использует.
    pub expires_at: Option<DateTime<Utc>>,
    /// Последний ответ, использующий файл.
    pub used_by_answer_id: Option<Uuid>,
    /// Файл в файловом хранилище ГИС ЖКХ.
    pub gis: AttachmentInGis,
}

/// Файл в файловом хранилище ГИС ЖКХ.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttachmentInGis {
    /// Состояние.
    pub state: FileState,
    /// AttachmentGUID в ГИС ЖКХ.
    pub attachment_guid: Option<Uuid>,
    /// Почему файл не загружен.
    pub error: Option<AnswerError>,
}

/// Файл, содержимое которого передано в base64.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UploadAttachment {
    /// Имя файла; расширение должно соответствовать содержимому.
    #[schema(min_length = 1, max_length = 255, example = "Решение суда.txt")]
    pub file_name: String,
    /// Описание; по умолчанию имя файла.
    #[schema(min_length = 1, max_length = 500, example = "Решение суда")]
    pub description: Option<String>,
    /// Содержимое в base64; переводы строк допускаются.
    #[schema(
        content_encoding = "base64",
        min_length = 1,
        max_length = 14000000,
        example = "0KDQtdGI0LXQvdC40LUg0YHRg9C00LA="
    )]
    pub content_base64: String,
    /// SHA-256 содержимого, если вы хотите проверить передачу.
    #[schema(pattern = "^[0-9a-fA-F]{64}$")]
    pub sha256: Option<String>,
}

/// Файл в форме `multipart/form-data`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachmentForm {
    /// Содержимое; имя файла берётся из заголовка части.
    #[schema(value_type = String, format = Binary)]
    pub file: Vec<u8>,
    /// Описание; по умолчанию имя файла.
    #[schema(max_length = 500, example = "Решение суда")]
    pub description: Option<String>,
}

impl UploadAttachment {
    /// The file, or the mistake in it.
    pub(crate) fn command(self) -> Result<NewFile, Vec<Mistake>> {
        let content: Bytes =
            decode(&self.content_base64).ok_or_else(|| vec![not_base64("/content_base64".to_owned())])?;
        Ok(NewFile { file_name: self.file_name, description: self.description, content, sha256: self.sha256 })
    }
}

impl From<domain::Attachment> for Attachment {
    fn from(file: domain::Attachment) -> Self {
        let uploaded = file.gis_state == domain::FileState::Uploaded;
        Self {
            id: file.id.as_uuid(),
            file_name: file.file_name,
            description: file.description,
            media_type: file.media_type,
            size: file.size,
            sha256: hex::encode(file.sha256),
            expires_at: file.expires_at,
            used_by_answer_id: file.used_by.map(|id| id.as_uuid()),
            gis: AttachmentInGis {
                state: file.gis_state.into(),
                attachment_guid: file.gis_id.filter(|_| uploaded),
                error: file.gis_error.map(Into::into),
            },
        }
    }
}
