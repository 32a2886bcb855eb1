//! What clients send about answers. The limits are those of the XSD (importDSRResponsesRequest 14.0.0.0); the same schema
//! stands in the document and checks the body, so they cannot differ.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use debt_core::answers as core;
use debt_core::answers::{
    ContentDraft, ContentPatch, DebtorDraft, FileDraft, FileSource, IdentityDocumentDraft, Patch,
};
use debt_core::domain::answer::{Confirm, Source};
use debt_core::error::Mistake;
use debt_core::ids::DebtRequestId;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::debt_request_input::present;
use super::texts::ExternalId;

/// Новый ответ на запрос о задолженности.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAnswer {
    /// Ваш собственный идентификатор ответа, уникальный в организации. По нему ответ можно найти, даже если ответ шлюза
    /// потерялся по дороге.
    #[schema(min_length = 1, max_length = 255, example = "1C-000123")]
    pub external_id: Option<String>,
    /// `true` — сразу отправить в ГИС ЖКХ (нужно право `answers:submit`); `false` — сохранить черновик.
    #[serde(default)]
    #[schema(default = false, example = true)]
    pub submit: bool,
    /// Есть ли долг, подтверждённый судом.
    pub has_debt: bool,
    /// Дополнительная информация.
    #[schema(max_length = 1000, example = "Решение вступило в силу 12.03.2025")]
    pub comment: Option<String>,
    /// Должники: при долге не меньше одного, без долга ни одного.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub debtors: Vec<DebtorInput>,
    /// Файлы, не относящиеся к одному должнику; без долга не допускаются.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub attachments: Vec<FileInput>,
    /// Сотрудник, от чьего имени даётся ответ; по умолчанию ответственный, затем исполнитель организации. Токен сотрудника
    /// отправляет ответ только от его собственного имени.
    pub executor_id: Option<Uuid>,
    /// Коды опасных действий, которые вы подтверждаете; какие нужны, говорит ошибка 409 в `confirmable`.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub confirm: Vec<ConfirmCode>,
    /// Причина исправления; обязательна при исправлении размещённого ответа.
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
}

/// Изменение черновика: переданные поля заменяются, `null` очищает поле.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditAnswer {
    /// Ещё один ваш идентификатор этого ответа.
    #[schema(min_length = 1, max_length = 255)]
    pub external_id: Option<String>,
    /// Есть ли долг, подтверждённый судом.
    pub has_debt: Option<bool>,
    /// Дополнительная информация.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 1000, example = "Уточнённый комментарий")]
    pub comment: Option<Option<String>>,
    /// Все должники.
    #[schema(max_items = 100)]
    pub debtors: Option<Vec<DebtorInput>>,
    /// Все файлы, не относящиеся к одному должнику.
    #[schema(max_items = 20)]
    pub attachments: Option<Vec<FileInput>>,
    /// Сотрудник, от чьего имени даётся ответ.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Uuid>)]
    pub executor_id: Option<Option<Uuid>>,
}

/// Должник.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DebtorInput {
    /// Фамилия.
    #[schema(min_length = 1, max_length = 255, example = "Вымышленный")]
    pub last_name: String,
    /// Имя.
    #[schema(min_length = 1, max_length = 255, example = "Пётр")]
    pub first_name: String,
    /// Отчество; если его нет, поле опускается.
    #[schema(min_length = 1, max_length = 255, example = "Иванович")]
    pub middle_name: Option<String>,
    /// СНИЛС, 11 цифр без пробелов и дефисов.
    #[schema(pattern = r"^[0-9]{11}$", example = "11223344595", extensions(("x-code" = json!("snils_format"))))]
    pub snils: Option<String>,
    /// Документ, удостоверяющий личность.
    pub identity_document: Option<IdentityDocumentInput>,
    /// Документы, подтверждающие долг.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub documents: Vec<DebtDocumentInput>,
}

/// Документ, удостоверяющий личность.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityDocumentInput {
    /// Код вида документа, НСИ 95: `GET /v1/dictionaries/identity_documents`.
    #[schema(min_length = 1, max_length = 20, example = "1")]
    pub type_code: String,
    /// Серия, если она есть.
    #[schema(min_length = 1, max_length = 255, example = "6500")]
    pub series: Option<String>,
    /// Номер.
    #[schema(min_length = 1, max_length = 255, example = "123456")]
    pub number: String,
}

/// Документ, подтверждающий долг: загруженный раньше (`attachment_id`) или вложенный (`file_name`, `content_base64`).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DebtDocumentInput {
    /// Код вида документа, НСИ 358: `GET /v1/dictionaries/document_types`.
    #[schema(min_length = 1, max_length = 20, example = "1")]
    pub type_code: String,
    /// Файл, загруженный раньше.
    pub attachment_id: Option<Uuid>,
    /// Имя вложенного файла.
    #[schema(min_length = 1, max_length = 255, example = "Решение суда.txt")]
    pub file_name: Option<String>,
    /// Описание вложенного файла; по умолчанию имя файла.
    #[schema(min_length = 1, max_length = 500)]
    pub description: Option<String>,
    /// Содержание вложенного файла в base64; переводы строк допускаются.
    #[schema(content_encoding = "base64", max_length = 14000000, example = "0KDQtdGI0LXQvdC40LU=")]
    pub content_base64: Option<String>,
}

/// Файл: загруженный раньше (`attachment_id`) или вложенный (`file_name`, `content_base64`).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileInput {
    /// Файл, загруженный раньше.
    pub attachment_id: Option<Uuid>,
    /// Имя вложенного файла.
    #[schema(min_length = 1, max_length = 255, example = "Акт сверки.txt")]
    pub file_name: Option<String>,
    /// Описание вложенного файла; по умолчанию имя файла.
    #[schema(min_length = 1, max_length = 500, example = "Акт сверки")]
    pub description: Option<String>,
    /// Содержание вложенного файла в base64; переводы строк допускаются.
    #[schema(content_encoding = "base64", max_length = 14000000, example = "0JDQutGC")]
    pub content_base64: Option<String>,
}

/// Код опасного, но законного действия, которое вызывающий подтверждает.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfirmCode {
    /// Заменить черновик другого автора.
    DraftExists,
    /// Исправить размещённый ответ.
    AlreadyAnswered,
    /// Ответить поверх автоматического ответа ГИС ЖКХ.
    AutoGeneratedByGis,
    /// Отозвать ответ меньше чем за сутки до срока.
    CorrectionTooLate,
    /// Ответить «нет долга» вопреки реестру.
    RegistryDisagrees,
}

/// Отправка черновика.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitAnswer {
    /// Коды опасных действий, которые вы подтверждаете.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub confirm: Vec<ConfirmCode>,
    /// Причина; обязательна при исправлении размещённого ответа.
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
}

/// Отзыв размещённого ответа.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeAnswer {
    /// Коды опасных действий, которые вы подтверждаете.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub confirm: Vec<ConfirmCode>,
    /// Причина отзыва.
    #[schema(max_length = 1000, example = "Ответ дан по ошибке")]
    pub reason: Option<String>,
}

/// Возврат подготовленного ответа на доработку.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnAnswer {
    /// Что исправить.
    #[schema(min_length = 1, max_length = 1000, example = "Приложите решение суда")]
    pub comment: Option<String>,
}

/// Поиск ответов по идентификаторам.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerLookup {
    /// Идентификаторы ответов.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub ids: Vec<Uuid>,
    /// Ваши собственные идентификаторы.
    #[serde(default)]
    #[schema(max_items = 1000, value_type = Vec<ExternalId>, example = json!(["1C-000123"]))]
    pub external_ids: Vec<String>,
}

impl From<ConfirmCode> for Confirm {
    fn from(code: ConfirmCode) -> Self {
        match code {
            ConfirmCode::DraftExists => Self::DraftExists,
            ConfirmCode::AlreadyAnswered => Self::AlreadyAnswered,
            ConfirmCode::AutoGeneratedByGis => Self::AutoGeneratedByGis,
            ConfirmCode::CorrectionTooLate => Self::CorrectionTooLate,
            ConfirmCode::RegistryDisagrees => Self::RegistryDisagrees,
        }
    }
}

/// The codes as the core knows them.
pub(crate) fn confirmed(codes: &[ConfirmCode]) -> Vec<Confirm> {
    codes.iter().copied().map(Into::into).collect()
}

impl CreateAnswer {
    /// The command, or every mistake in the files.
    pub(crate) fn command(
        self,
        debt_request: DebtRequestId,
        trace: Option<String>,
    ) -> Result<core::CreateAnswer, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let content = ContentDraft {
            has_debt: self.has_debt,
            comment: self.comment,
            debtors: debtors(self.debtors, &mut mistakes),
            attachments: files(self.attachments, &mut mistakes),
        };
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        Ok(core::CreateAnswer {
            debt_request,
            external_id: self.external_id,
            submit: self.submit,
            content,
            executor: self.executor_id.map(Into::into),
            confirm: confirmed(&self.confirm),
            reason: self.reason,
            source: Source::Api,
            trace,
        })
    }
}

impl EditAnswer {
    /// The command, or every mistake in the files.
    pub(crate) fn command(self) -> Result<core::EditAnswer, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let content = ContentPatch {
            has_debt: self.has_debt,
            comment: patch(self.comment),
            debtors: self.debtors.map(|list| debtors(list, &mut mistakes)),
            attachments: self.attachments.map(|list| files(list, &mut mistakes)),
        };
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let executor = patch(self.executor_id.map(|id| id.map(Into::into)));
        Ok(core::EditAnswer { content, external_id: self.external_id, executor })
    }
}

fn patch<T>(field: Option<Option<T>>) -> Patch<T> {
    match field {
        None => Patch::Keep,
        Some(None) => Patch::Clear,
        Some(Some(value)) => Patch::Set(value),
    }
}

fn debtors(list: Vec<DebtorInput>, mistakes: &mut Vec<Mistake>) -> Vec<DebtorDraft> {
    list.into_iter().enumerate().map(|(place, debtor)| debtor.draft(place, mistakes)).collect()
}

fn files(list: Vec<FileInput>, mistakes: &mut Vec<Mistake>) -> Vec<FileDraft> {
    let drafts = list.into_iter().enumerate().filter_map(|(place, file)| {
        let pointer = format!("/attachments/{place}");
        let source =
            file_source(file.attachment_id, file.file_name, file.content_base64, &pointer, mistakes)?;
        Some(FileDraft { type_code: None, description: file.description, source })
    });
    drafts.collect()
}

impl DebtorInput {
    fn draft(self, place: usize, mistakes: &mut Vec<Mistake>) -> DebtorDraft {
        let documents = self.documents.into_iter().enumerate().filter_map(|(number, file)| {
            let pointer = format!("/debtors/{place}/documents/{number}");
            let source =
                file_source(file.attachment_id, file.file_name, file.content_base64, &pointer, mistakes)?;
            Some(FileDraft { type_code: Some(file.type_code), description: file.description, source })
        });
        DebtorDraft {
            documents: documents.collect(),
            last_name: self.last_name,
            first_name: self.first_name,
            middle_name: self.middle_name,
            snils: self.snils,
            identity_document: self.identity_document.map(|document| IdentityDocumentDraft {
                type_code: document.type_code,
                series: document.series,
                number: document.number,
            }),
        }
    }
}

fn file_source(
    stored: Option<Uuid>,
    name: Option<String>,
    content: Option<String>,
    pointer: &str,
    mistakes: &mut Vec<Mistake>,
) -> Option<FileSource> {
    match (stored, name, content) {
        (Some(id), None, None) => Some(FileSource::Stored(id.into())),
        (None, Some(file_name), Some(content)) => match decode(&content) {
            Some(content) => Some(FileSource::Inline { file_name, content }),
            None => {
                mistakes.push(not_base64(format!("{pointer}/content_base64")));
                None
            }
        },
        (_, _, _) => {
            let detail = "нужен либо attachment_id, либо file_name вместе с content_base64";
            mistakes.push(Mistake::at(pointer, "file_source", detail));
            None
        }
    }
}

/// A text that cannot be read as base64.
pub(crate) fn not_base64(pointer: String) -> Mistake {
    Mistake::at(pointer, "base64", "содержание файла должно быть в кодировке base64")
}

/// Reads base64; 1C breaks it into lines.
pub(crate) fn decode(text: &str) -> Option<Bytes> {
    let compact: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(compact).ok().map(Bytes::from)
}
