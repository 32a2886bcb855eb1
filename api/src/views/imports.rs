//! Spreadsheets with answers as the API shows them (`api.md` §12.2).

use bytes::Bytes;
use chrono::{DateTime, Utc};
use debt_core::domain::answer::State;
use debt_core::domain::import as domain;
use debt_core::domain::operation::{Outcome, Tally};
use debt_core::error::Mistake;
use debt_core::imports as core;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::accounts::ColumnHeader;
use super::answer_input::{decode, not_base64};
use super::answers::AnswerError;
use super::words::{AnswerColumnMode, ImportMode, ImportStatus};

/// Файл Excel с ответами. Хранится вместе с итогами 30 дней после обработки.
#[derive(Debug, Serialize, ToSchema)]
pub struct Import {
    /// Идентификатор.
    pub id: Uuid,
    /// Проверить или применить.
    pub mode: ImportMode,
    /// Как читается столбец «Наличие задолженности».
    pub answer_column: AnswerColumnMode,
    /// Отправить ответы в ГИС ЖКХ; иначе остаются черновики.
    pub submit: bool,
    /// Состояние.
    pub status: ImportStatus,
    /// Состояние по-русски.
    #[schema(max_length = 100, example = "Проверен, ждёт применения")]
    pub status_label: &'static str,
    /// Файл обработан, спрашивать дальше незачем.
    pub is_final: bool,
    /// Кто загрузил файл: имя клиента.
    #[schema(max_length = 255, example = "1С Биллинг")]
    pub uploaded_by: String,
    /// Сотрудник, от имени которого файл загружен; `null` — токен не привязан к сотруднику.
    pub uploaded_by_employee_id: Option<Uuid>,
    /// Кто запустил обработку — загрузил или применил: имя клиента.
    #[schema(max_length = 255, example = "1С Биллинг")]
    pub started_by: String,
    /// Сотрудник, от имени которого загружен или применён; `null` — токен не привязан к сотруднику.
    pub employee_id: Option<Uuid>,
    /// Имя файла.
    #[schema(max_length = 255, example = "Запросы.xlsx")]
    pub file_name: String,
    /// Размер файла в байтах.
    #[schema(example = 70144)]
    pub file_size: i64,
    /// Что прочитано в файле; `null`, пока он не прочитан.
    pub file: Option<ImportedFile>,
    /// Результаты обработки ответов и строк с ошибками; при проверке — какими они были бы.
    pub counts: ImportTally,
    /// Где прочитать итог каждой строки.
    #[schema(max_length = 200, example = "/v1/imports/019a4c00-0000-7000-8000-000000000011/rows")]
    pub rows_url: String,
    /// Где скачать книгу с отмеченными ошибками; `null`, если отмечать нечего.
    #[schema(max_length = 200, example = "/v1/imports/019a4c00-0000-7000-8000-000000000011/marked")]
    pub marked_url: Option<String>,
    /// Почему файл не принят или обработан не до конца.
    pub error: Option<AnswerError>,
    /// Когда загружен.
    pub created_at: DateTime<Utc>,
    /// Когда обработан.
    pub finished_at: Option<DateTime<Utc>>,
    /// Когда будет удалён.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Что прочитано в файле.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedFile {
    /// Заполненных строк.
    #[schema(example = 412)]
    pub rows: u32,
    /// Строк без ответа: ни ДА, ни НЕТ; они пропущены.
    #[schema(example = 12)]
    pub skipped_rows: u32,
    /// Ответов без ошибок заполнения.
    #[schema(example = 398)]
    pub answers: u32,
    /// Из них «долга нет» по пустой ячейке (только `legacy`).
    #[schema(example = 0)]
    pub no_debt_from_blank: u32,
    /// Из них «долга нет» по другому слову (только `legacy`).
    #[schema(example = 0)]
    pub no_debt_from_other: u32,
    /// Ошибок заполнения; первые 10 000 есть в строках.
    #[schema(example = 2)]
    pub errors: u32,
    /// Заголовки столбцов книги, которые не прочитаны: среди них может быть опечатка.
    #[schema(max_items = 50, value_type = Vec<ColumnHeader>)]
    pub ignored_columns: Vec<String>,
}

/// Результаты обработки ответов и ошибочных строк; каждая посчитана один раз.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportTally {
    /// Не приняты: ошибки, неизвестный запрос или что-то мешает.
    #[schema(example = 2)]
    pub refused: i64,
    /// Такой ответ уже есть, второго не создано.
    #[schema(example = 40)]
    pub unchanged: i64,
    /// Черновики, в том числе подготовленные, которые ждут файлов.
    #[schema(example = 0)]
    pub draft: i64,
    /// Ждут отправки.
    #[schema(example = 358)]
    pub queued: i64,
    /// Отправляются, или исход выясняется.
    #[schema(example = 0)]
    pub sending: i64,
    /// Размещены в ГИС ЖКХ.
    #[schema(example = 0)]
    pub delivered: i64,
    /// Отклонены ГИС ЖКХ.
    #[schema(example = 0)]
    pub rejected: i64,
    /// Отозваны, отменены, заменены более новыми или удалены.
    #[schema(example = 0)]
    pub withdrawn: i64,
}

/// Ответ из файла или строка с ошибкой.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportRow {
    /// Номер строки в Excel; у ответа с несколькими должниками — первой.
    #[schema(example = 17)]
    pub row: i64,
    /// Запрос (GUID подзапроса); `null`, если строка не прочитана.
    pub debt_request_id: Option<Uuid>,
    /// Есть ли долг; `null`, если строка не прочитана.
    pub has_debt: Option<bool>,
    /// «Есть документы» — ДА: ответ ждёт файлов и сам не отправляется.
    pub waits_for_files: bool,
    /// Ответ: новый или прежний с тем же содержанием; при проверке нового нет.
    pub answer_id: Option<Uuid>,
    /// Результат обработки строки: `refused`, `unchanged`, `deleted` или состояние ответа; возможны новые значения.
    #[schema(max_length = 64, example = "queued")]
    pub outcome: &'static str,
    /// Почему строка не принята.
    #[schema(max_items = 1000)]
    pub errors: Vec<ImportError>,
    /// Почему ответ отклонён или задерживается.
    pub last_error: Option<AnswerError>,
}

/// Ошибка в строке файла.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportError {
    /// Номер строки в Excel.
    #[schema(example = 17)]
    pub row: u32,
    /// Заголовок столбца; `null`, если дело в строке целиком.
    #[schema(max_length = 255, example = "Наличие задолженности")]
    pub column: Option<String>,
    /// Код.
    #[schema(max_length = 64, example = "yes_or_no")]
    pub code: String,
    /// Пояснение.
    #[schema(max_length = 1000, example = "укажите ДА или НЕТ")]
    pub detail: String,
}

/// Файл Excel с ответами, содержимое которого передано в base64.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateImport {
    /// Имя файла.
    #[schema(min_length = 1, max_length = 255, example = "Запросы.xlsx")]
    pub file_name: String,
    /// Содержимое в base64; переводы строк допускаются.
    #[schema(
        content_encoding = "base64",
        min_length = 1,
        max_length = 30000000,
        example = "UEsDBBQAAAAIAA=="
    )]
    pub content_base64: String,
    /// Проверить (`preview`, по умолчанию) или сразу применить.
    #[serde(default)]
    pub mode: ImportModeInput,
    /// Как читать столбец «Наличие задолженности»; по умолчанию `strict`.
    #[serde(default)]
    pub answer_column: AnswerColumnInput,
    /// `true` — отправить ответы в ГИС ЖКХ (нужно право `answers:submit`); `false` — сохранить черновики.
    #[serde(default)]
    #[schema(default = false)]
    pub submit: bool,
}

/// Файл Excel с ответами в форме `multipart/form-data`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportForm {
    /// Книга Excel (xlsx); имя файла берётся из заголовка части.
    #[schema(value_type = String, format = Binary)]
    pub file: Vec<u8>,
    /// Проверить (`preview`, по умолчанию) или сразу применить.
    pub mode: Option<ImportModeInput>,
    /// Как читать столбец «Наличие задолженности»; по умолчанию `strict`.
    pub answer_column: Option<AnswerColumnInput>,
    /// `true` — отправить ответы в ГИС ЖКХ; `false` — сохранить черновики.
    #[schema(default = false)]
    pub submit: Option<bool>,
}

/// Что сделать с файлом.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportModeInput {
    /// Только проверить.
    #[default]
    Preview,
    /// Сразу применить.
    Apply,
}

/// Как читать столбец «Наличие задолженности».
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnswerColumnInput {
    /// ДА или НЕТ; пустая ячейка — строка пропущена, другое слово — ошибка.
    #[default]
    Strict,
    /// Всё, кроме ДА, и пустая ячейка тоже, — долга нет.
    Legacy,
}

impl From<ImportModeInput> for domain::ImportMode {
    fn from(mode: ImportModeInput) -> Self {
        match mode {
            ImportModeInput::Preview => Self::Preview,
            ImportModeInput::Apply => Self::Apply,
        }
    }
}

impl From<AnswerColumnInput> for domain::AnswerColumnMode {
    fn from(column: AnswerColumnInput) -> Self {
        match column {
            AnswerColumnInput::Strict => Self::Strict,
            AnswerColumnInput::Legacy => Self::Legacy,
        }
    }
}

impl CreateImport {
    /// The command, or the mistake in it.
    pub(crate) fn command(self) -> Result<core::CreateImport, Vec<Mistake>> {
        let content: Bytes =
            decode(&self.content_base64).ok_or_else(|| vec![not_base64("/content_base64".to_owned())])?;
        Ok(core::CreateImport {
            file_name: self.file_name,
            content,
            mode: self.mode.into(),
            answer_column: self.answer_column.into(),
            submit: self.submit,
        })
    }
}

impl From<core::ImportDetails> for Import {
    fn from(details: core::ImportDetails) -> Self {
        let core::ImportDetails { import, tally } = details;
        Self {
            id: import.id.as_uuid(),
            mode: import.mode.into(),
            answer_column: import.answer_column.into(),
            submit: import.submit,
            status: import.status.into(),
            status_label: import.status.label(),
            is_final: import.finished_at.is_some(),
            uploaded_by: import.uploaded_by,
            uploaded_by_employee_id: import.uploader.map(|id| id.as_uuid()),
            started_by: import.client.name,
            employee_id: import.client.employee.map(|id| id.as_uuid()),
            file_name: import.file_name,
            file_size: import.file_size,
            file: import.counts.map(Into::into),
            counts: ImportTally::of(&tally),
            rows_url: format!("/v1/imports/{}/rows", import.id),
            marked_url: import.marked.map(|_| format!("/v1/imports/{}/marked", import.id)),
            error: import.error.map(Into::into),
            created_at: import.created_at,
            finished_at: import.finished_at,
            expires_at: import.expires_at,
        }
    }
}

impl From<domain::ImportCounts> for ImportedFile {
    fn from(counts: domain::ImportCounts) -> Self {
        let domain::ImportCounts {
            rows,
            skipped_rows,
            answers,
            no_debt_from_blank,
            no_debt_from_other,
            errors,
            ignored_columns,
        } = counts;
        Self { rows, skipped_rows, answers, no_debt_from_blank, no_debt_from_other, errors, ignored_columns }
    }
}

impl ImportTally {
    fn of(tally: &Tally) -> Self {
        let states =
            |states: &[State]| states.iter().map(|state| tally.of(Outcome::Answer(*state))).sum::<i64>();
        let withdrawn = [State::Revoking, State::Revoked, State::Cancelled, State::Superseded];
        Self {
            refused: tally.of(Outcome::Refused),
            unchanged: tally.of(Outcome::Unchanged),
            draft: states(&[State::Draft, State::Prepared]),
            queued: states(&[State::Queued]),
            sending: states(&[State::Sending, State::Accepted, State::Uncertain]),
            delivered: states(&[State::Delivered]),
            rejected: states(&[State::Rejected]),
            withdrawn: states(&withdrawn) + tally.of(Outcome::Deleted),
        }
    }
}

impl From<core::ImportRowDetails> for ImportRow {
    fn from(details: core::ImportRowDetails) -> Self {
        let core::ImportRowDetails { row, outcome, last_error } = details;
        Self {
            row: row.row,
            debt_request_id: row.debt_request.map(|id| id.as_uuid()),
            has_debt: row.has_debt,
            waits_for_files: row.waits_for_files,
            answer_id: row.answer.map(|id| id.as_uuid()),
            outcome: outcome.as_str(),
            errors: row.errors.into_iter().map(Into::into).collect(),
            last_error: last_error.map(Into::into),
        }
    }
}

impl From<domain::ImportError> for ImportError {
    fn from(error: domain::ImportError) -> Self {
        let domain::ImportError { row, column, code, detail } = error;
        Self { row, column, code, detail }
    }
}
