//! Spreadsheets of debt requests as the API shows them (`api.md` §12.2).

use chrono::{DateTime, Utc};
use debt_core::domain::export as domain;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answers::AnswerError;
use super::debt_request_filter::DebtRequestFilter;
use super::words::{ExportKind, ExportStatus};

/// Выгрузка списка в Excel. Хранится вместе с файлом 30 дней после окончания.
#[derive(Debug, Serialize, ToSchema)]
pub struct Export {
    /// Идентификатор.
    pub id: Uuid,
    /// Что выгружается.
    pub kind: ExportKind,
    /// Состояние.
    pub status: ExportStatus,
    /// Состояние по-русски.
    #[schema(max_length = 100, example = "Выполнена")]
    pub status_label: &'static str,
    /// Выгрузка закончена, спрашивать дальше незачем.
    pub is_final: bool,
    /// Условия, под которые подходят запросы; имена те же, что у списка. `due: "today"` показан днём.
    #[schema(value_type = Object, example = json!({"answered": false}))]
    pub filter: Value,
    /// Только запросы, для которых лицевой счёт найден (`true`) или не найден (`false`); `null` — все.
    pub account_found: Option<bool>,
    /// В файле видны ответы, с персональными данными: скачать его можно только с правом `answers:read`.
    pub with_answers: bool,
    /// Кто начал: имя клиента.
    #[schema(max_length = 255, example = "1С Биллинг")]
    pub started_by: String,
    /// Сколько запросов записано.
    #[schema(example = 412)]
    pub requests: i64,
    /// Размер файла в байтах; `null`, пока файла нет.
    #[schema(example = 70144)]
    pub file_size: Option<u64>,
    /// Где скачать файл; `null`, пока файла нет.
    #[schema(max_length = 200, example = "/v1/exports/019a4c00-0000-7000-8000-000000000010/content")]
    pub content_url: Option<String>,
    /// Почему файла нет.
    pub error: Option<AnswerError>,
    /// Когда начата.
    pub created_at: DateTime<Utc>,
    /// Когда закончена.
    pub finished_at: Option<DateTime<Utc>>,
    /// Когда будет удалена вместе с файлом.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Что выгрузить в файл Excel.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateExport {
    /// Что выгружается.
    pub kind: ExportKindInput,
    /// Условия; имена и смысл те же, что у списка запросов. Без условий — все запросы.
    #[serde(default)]
    pub filter: DebtRequestFilter,
    /// `true` — только запросы, для которых в справочнике `/v1/accounts` найден лицевой счёт; `false` — только остальные.
    pub account_found: Option<bool>,
}

/// Что выгружается.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportKindInput {
    /// Запросы о задолженности.
    DebtRequests,
}

impl From<ExportKindInput> for domain::ExportKind {
    fn from(kind: ExportKindInput) -> Self {
        match kind {
            ExportKindInput::DebtRequests => Self::DebtRequests,
        }
    }
}

impl From<domain::Export> for Export {
    fn from(export: domain::Export) -> Self {
        let filter = serde_json::to_value(DebtRequestFilter::from(export.filter)).unwrap_or_default();
        Self {
            id: export.id.as_uuid(),
            kind: export.kind.into(),
            status: export.status.into(),
            status_label: export.status.label(),
            is_final: export.finished_at.is_some(),
            filter,
            account_found: export.account_found,
            with_answers: export.with_answers,
            started_by: export.started_by,
            requests: export.requests,
            file_size: export.file.map(|file| file.size),
            content_url: export.file.map(|_| format!("/v1/exports/{}/content", export.id)),
            error: export.error.map(Into::into),
            created_at: export.created_at,
            finished_at: export.finished_at,
            expires_at: export.expires_at,
        }
    }
}
