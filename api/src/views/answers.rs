//! Answers as the API shows them (`api.md` §4.4, §5). What clients send is in [`super::answer_input`].

use chrono::{DateTime, NaiveDate, Utc};
use debt_core::answers::AnswerDetails;
use debt_core::domain::answer as domain;
use debt_core::domain::attachment::Attachment;
use debt_core::domain::content;
use debt_core::domain::last_error_code::LastErrorCode;
use debt_core::domain::submission::Attempt;
use debt_core::ids::AttachmentId;
use gis_client::text::{DocumentSeries, PersonName, Snils};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::words::{
    AnswerSource, AnswerState, AttemptOutcome, FileState, Severity, SubmissionAction, SubmissionState,
};

/// Ответ на запрос о задолженности.
///
/// Ответ принят, как только получен статус 202: шлюз хранит его и отправит, даже если ГИС ЖКХ сейчас недоступна. Дальше
/// отказать может только ГИС ЖКХ, и тогда ответ становится `rejected` с её словами в `last_error`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer {
    /// Идентификатор ответа.
    pub id: Uuid,
    /// Запрос, на который дан ответ (GUID подзапроса).
    pub debt_request_id: Uuid,
    /// Ваш собственный идентификатор ответа.
    #[schema(max_length = 255, example = "1C-000123")]
    pub external_id: Option<String>,
    /// Номер ответа на этот запрос, с 1.
    #[schema(example = 1)]
    pub revision: i64,
    /// Состояние.
    pub state: AnswerState,
    /// Состояние по-русски.
    #[schema(max_length = 100, example = "Ожидает отправки")]
    pub state_label: &'static str,
    /// Насколько состояние должно беспокоить человека.
    pub severity: Severity,
    /// Состояние окончательное: ответ сам больше не изменится, спрашивать дальше незачем.
    pub is_final: bool,
    /// Есть ли долг, подтверждённый судом.
    pub has_debt: bool,
    /// Дополнительная информация.
    #[schema(max_length = 1000)]
    pub comment: Option<String>,
    /// Должники; без долга список пуст.
    #[schema(max_items = 1000)]
    pub debtors: Vec<Debtor>,
    /// Файлы, не относящиеся к одному должнику.
    #[schema(max_items = 100)]
    pub attachments: Vec<AnswerFile>,
    /// Сотрудник, от чьего имени дан ответ.
    pub executor_id: Option<Uuid>,
    /// Откуда взялся ответ. `gis` – размещён в личном кабинете ГИС ЖКХ или другой программой и показан таким, каким его
    /// отдаёт ГИС ЖКХ, без файлов; отозвать его отсюда нельзя, ответить поверх можно с подтверждением `already_answered`.
    pub source: AnswerSource,
    /// Ключевой хэш содержания: одинаков у ответов с одинаковым содержанием.
    #[schema(max_length = 100, example = "hmac:5d41402abc4b2a76b9719d911017c592")]
    pub content_hash: String,
    /// Последний день для ответа.
    pub due_on: Option<NaiveDate>,
    /// Когда может измениться состояние; раньше спрашивать незачем.
    pub next_check_at: Option<DateTime<Utc>>,
    /// ГИС ЖКХ показала этот ответ. ГИС ЖКХ обновляет статусы с опозданием, иногда на два-три дня.
    pub confirmed_in_gis: bool,
    /// Когда ответ изменён в ГИС ЖКХ, по её сведениям.
    pub gis_updated_at: Option<DateTime<Utc>>,
    /// Ответ, исхода которого ждёт этот.
    pub blocked_by_answer_id: Option<Uuid>,
    /// Ответ, заменивший этот.
    pub superseded_by_answer_id: Option<Uuid>,
    /// Почему ответ отклонён или задерживается.
    pub last_error: Option<AnswerError>,
    /// Что в ответе странно, но не мешает отправке.
    #[schema(max_items = 1000)]
    pub warnings: Vec<Warning>,
    /// Что написал ответственный, вернув ответ на доработку.
    #[schema(max_length = 1000)]
    pub return_comment: Option<String>,
    /// Подготовленный ответ из файла Excel ждёт документов («Есть документы» — ДА): их добавляет и тот, кто его готовит. Ждёт,
    /// пока работу над ним не завершат (`complete`), не отправят его и не вернут на доработку.
    pub waits_for_files: bool,
    /// Растёт с каждым изменением; то же число в `ETag`.
    #[schema(example = 1)]
    pub version: i64,
    /// Когда ответ создан.
    pub created_at: DateTime<Utc>,
    /// Когда ответ изменился.
    pub updated_at: DateTime<Utc>,
    /// Когда в последний раз удалены персональные данные: истёк срок их хранения, считая от срока ответа или последнего
    /// изменения. Тогда исчезают должники, файлы, комментарии и слова ГИС ЖКХ, `version` и `updated_at` растут, а черновик
    /// нельзя продолжить; `has_debt`, состояние и `content_hash` остаются. Это не исправление: в ГИС ЖКХ ничего не
    /// меняется. Записанное позже удаляется в свой срок.
    pub personal_data_erased_at: Option<DateTime<Utc>>,
}

/// Должник.
#[derive(Debug, Serialize, ToSchema)]
pub struct Debtor {
    /// Фамилия.
    #[schema(max_length = 255, example = "Вымышленный")]
    pub last_name: String,
    /// Имя.
    #[schema(max_length = 255, example = "Пётр")]
    pub first_name: String,
    /// Отчество.
    #[schema(max_length = 255)]
    pub middle_name: Option<String>,
    /// СНИЛС, 11 цифр.
    #[schema(pattern = r"^[0-9]{11}$", example = "11223344595")]
    pub snils: Option<String>,
    /// Документ, удостоверяющий личность.
    pub identity_document: Option<IdentityDocument>,
    /// Документы, подтверждающие долг.
    #[schema(max_items = 100)]
    pub documents: Vec<DebtDocument>,
}

/// Документ, удостоверяющий личность.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityDocument {
    /// Код вида документа, НСИ 95.
    #[schema(max_length = 20, example = "1")]
    pub type_code: String,
    /// Серия.
    #[schema(max_length = 255, example = "6500")]
    pub series: Option<String>,
    /// Номер.
    #[schema(max_length = 255, example = "123456")]
    pub number: String,
}

/// Документ, подтверждающий долг.
#[derive(Debug, Serialize, ToSchema)]
pub struct DebtDocument {
    /// Код вида документа, НСИ 358.
    #[schema(max_length = 20, example = "1")]
    pub type_code: String,
    /// Файл.
    #[serde(flatten)]
    pub file: AnswerFile,
}

/// Файл ответа.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnswerFile {
    /// Идентификатор файла.
    pub attachment_id: Uuid,
    /// Имя файла.
    #[schema(max_length = 1024, example = "Решение суда.pdf")]
    pub file_name: String,
    /// Описание.
    #[schema(max_length = 500, example = "Решение суда")]
    pub description: String,
    /// Размер в байтах.
    #[schema(example = 184211)]
    pub size: u64,
    /// Состояние в файловом хранилище ГИС ЖКХ.
    pub gis_state: FileState,
}

/// Почему ответ отклонён или задерживается.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnswerError {
    /// Чья ошибка: `gis` — ГИС ЖКХ, `service` — шлюза, `request` — загруженного файла.
    #[schema(max_length = 16, example = "gis")]
    pub origin: String,
    /// Код; причина и что делать — в справочнике `answer_errors`. У ошибок с `origin: "request"` коды свои, о них всё сказано
    /// в `detail`. Возможны новые значения.
    #[schema(max_length = 64, example = "gis_rejected")]
    pub code: String,
    /// Пояснение по-русски.
    #[schema(max_length = 4000, example = "ГИС ЖКХ отклонила ответ")]
    pub detail: String,
    /// Место в ответе, если известно.
    #[schema(max_length = 200)]
    pub pointer: Option<String>,
    /// Можно ли отправить то же самое ещё раз. `true` и там, где шлюз повторяет сам; что делать вам — в справочнике
    /// `answer_errors`.
    pub retryable: bool,
    /// Слова самой ГИС ЖКХ.
    pub gis: Option<GisWords>,
}

/// Слова самой ГИС ЖКХ.
#[derive(Debug, Serialize, ToSchema)]
pub struct GisWords {
    /// Код ошибки ГИС ЖКХ.
    #[schema(max_length = 255, example = "INT016001")]
    pub code: String,
    /// Описание ошибки; пусто, когда персональные данные ответа удалены: оно могло их повторять.
    #[schema(max_length = 10000)]
    pub description: String,
    /// MessageGUID в ГИС ЖКХ: его спрашивает техническая поддержка.
    pub message_guid: Option<Uuid>,
    /// Когда ГИС ЖКХ это сообщила.
    pub at: DateTime<Utc>,
}

/// Странность, не мешающая отправке.
#[derive(Debug, Serialize, ToSchema)]
pub struct Warning {
    /// Код: `snils_checksum`, `deadline_passed` и другие; возможны новые значения.
    #[schema(max_length = 64, example = "snils_checksum")]
    pub code: String,
    /// Место в ответе.
    #[schema(max_length = 200, example = "/debtors/0/snils")]
    pub pointer: Option<String>,
    /// Пояснение по-русски.
    #[schema(max_length = 1000, example = "контрольная сумма не сходится")]
    pub detail: String,
}

/// Отправка: одно действие в ГИС ЖКХ или одна попытка его.
#[derive(Debug, Serialize, ToSchema)]
pub struct Submission {
    /// Идентификатор отправки; у попыток одной отправки он общий.
    pub id: Uuid,
    /// Действие.
    pub action: SubmissionAction,
    /// TransportGUID действия: один на все попытки.
    pub transport_guid: Uuid,
    /// Номер попытки, с 1; `null`, пока их не было.
    pub attempt: Option<i64>,
    /// Состояние отправки.
    pub state: SubmissionState,
    /// MessageGUID, присвоенный ГИС ЖКХ: его спрашивает техническая поддержка.
    pub gis_message_guid: Option<Uuid>,
    /// Наш MessageGUID.
    pub our_message_guid: Option<Uuid>,
    /// Когда началась попытка.
    pub sent_at: Option<DateTime<Utc>>,
    /// Когда ГИС ЖКХ подтвердила получение.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// Сколько раз спрашивали результат.
    pub polls: i64,
    /// Когда спросим в следующий раз.
    pub next_poll_at: Option<DateTime<Utc>>,
    /// Исход попытки.
    pub outcome: Option<AttemptOutcome>,
    /// Ошибка попытки.
    pub error: Option<AnswerError>,
}

/// Отправки ответа, от старых к новым.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubmissionList {
    /// Отправки и попытки.
    #[schema(max_items = 10000)]
    pub items: Vec<Submission>,
}

impl From<AnswerDetails> for Answer {
    fn from(details: AnswerDetails) -> Self {
        let AnswerDetails { answer, due_on, files } = details;
        let file = |id: AttachmentId| files.iter().find(|file| file.id == id).map(AnswerFile::from);
        Self {
            id: answer.id.as_uuid(),
            debt_request_id: answer.debt_request.as_uuid(),
            external_id: answer.external_id.as_ref().map(ToString::to_string),
            revision: answer.revision,
            state: answer.state.into(),
            state_label: answer.state.label(),
            severity: answer.state.severity().into(),
            is_final: answer.state.is_final(),
            has_debt: answer.content.has_debt(),
            comment: answer.content.comment().map(|comment| comment.as_str().to_owned()),
            debtors: answer.content.debtors().iter().map(|debtor| Debtor::of(debtor, file)).collect(),
            attachments: answer.content.files().iter().filter_map(|id| file(*id)).collect(),
            executor_id: answer.executor.map(|id| id.as_uuid()),
            source: answer.source.into(),
            content_hash: answer.content_hash.as_str().to_owned(),
            due_on,
            next_check_at: answer.next_check_at,
            confirmed_in_gis: answer.confirmed_in_gis,
            gis_updated_at: answer.gis_updated_at,
            blocked_by_answer_id: answer.blocked_by.map(|id| id.as_uuid()),
            superseded_by_answer_id: answer.superseded_by.map(|id| id.as_uuid()),
            last_error: answer.last_error.map(Into::into),
            warnings: answer.warnings.into_iter().map(Into::into).collect(),
            return_comment: answer.return_comment,
            waits_for_files: answer.waits_for_files,
            version: answer.version,
            created_at: answer.created_at,
            updated_at: answer.updated_at,
            personal_data_erased_at: answer.personal_data_erased_at,
        }
    }
}

impl Debtor {
    fn of(debtor: &content::Debtor, file: impl Fn(AttachmentId) -> Option<AnswerFile>) -> Self {
        let documents = debtor.documents.iter().filter_map(|document| {
            Some(DebtDocument {
                type_code: document.type_code.as_str().to_owned(),
                file: file(document.attachment)?,
            })
        });
        Self {
            last_name: debtor.last_name.as_str().to_owned(),
            first_name: debtor.first_name.as_str().to_owned(),
            middle_name: debtor.middle_name.as_ref().map(PersonName::as_str).map(ToOwned::to_owned),
            snils: debtor.snils.as_ref().map(Snils::as_str).map(ToOwned::to_owned),
            identity_document: debtor.identity_document.as_ref().map(IdentityDocument::from),
            documents: documents.collect(),
        }
    }
}

impl From<&content::IdentityDocument> for IdentityDocument {
    fn from(document: &content::IdentityDocument) -> Self {
        Self {
            type_code: document.type_code.as_str().to_owned(),
            series: document.series.as_ref().map(DocumentSeries::as_str).map(ToOwned::to_owned),
            number: document.number.as_str().to_owned(),
        }
    }
}

impl From<&Attachment> for AnswerFile {
    fn from(file: &Attachment) -> Self {
        Self {
            attachment_id: file.id.as_uuid(),
            file_name: file.file_name.clone(),
            description: file.description.clone(),
            size: file.size,
            gis_state: file.gis_state.into(),
        }
    }
}

impl From<domain::LastError> for AnswerError {
    fn from(error: domain::LastError) -> Self {
        let domain::LastError { origin, code, detail, pointer, gis } = error;
        // Mistakes in workbooks have codes of their own; what failed on our side is repeated by ourselves.
        let retryable = code
            .parse::<LastErrorCode>()
            .map_or_else(|_unknown| origin == "service", LastErrorCode::is_retryable);
        Self { origin, code, detail, pointer, retryable, gis: gis.map(Into::into) }
    }
}

impl From<domain::GisWords> for GisWords {
    fn from(words: domain::GisWords) -> Self {
        let domain::GisWords { code, description, message_guid, at } = words;
        Self { code, description, message_guid, at }
    }
}

impl From<domain::Warning> for Warning {
    fn from(warning: domain::Warning) -> Self {
        let domain::Warning { code, pointer, detail } = warning;
        Self { code, pointer, detail }
    }
}

impl From<Attempt> for Submission {
    fn from(attempt: Attempt) -> Self {
        let Attempt { submission, number, message, outcome, error } = attempt;
        Self {
            id: submission.id.as_uuid(),
            action: submission.action.into(),
            transport_guid: submission.transport.as_uuid(),
            attempt: number,
            state: submission.state.into(),
            gis_message_guid: message.as_ref().and_then(|message| message.gis_guid),
            our_message_guid: message.as_ref().map(|message| message.id.as_uuid()),
            sent_at: message.as_ref().map(|message| message.sent_at),
            acknowledged_at: message.as_ref().and_then(|message| message.acknowledged_at),
            polls: message.as_ref().map_or(0, |message| message.polls),
            next_poll_at: message.as_ref().and_then(|message| message.next_poll_at),
            outcome: outcome.map(Into::into),
            error: error.or(submission.error).map(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whether_a_repeat_helps_is_known_by_the_code_and_else_by_the_origin() {
        for (origin, code, expected) in [
            ("gis", "gis_rejected", false),
            ("gis", "gis_fault", true),
            ("service", "gis_unreachable", true),
            ("service", "personal_data_erased", false),
            ("service", "too_many_rows", false),
            ("request", "column_missing", false),
            ("service", "a_code_to_come", true),
        ] {
            let (origin, code, detail) = (origin.to_owned(), code.to_owned(), String::new());
            let error = domain::LastError { origin, code, detail, pointer: None, gis: None };
            let shown = AnswerError::from(error);
            assert_eq!(shown.retryable, expected, "{} {}", shown.origin, shown.code);
        }
    }
}
