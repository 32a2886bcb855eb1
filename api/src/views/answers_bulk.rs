//! Many answers in one request (`api.md` §12.1).

use std::collections::BTreeMap;

use debt_core::answers as core;
use debt_core::answers::{BulkItem, ContentDraft, FileDraft, FileSource};
use debt_core::error::Mistake;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer_input::{ConfirmCode, CreateAnswer, DebtorInput, FileInput};
use crate::input::Parts;

/// Много ответов сразу.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAnswers {
    /// `true` — сразу отправить в ГИС ЖКХ (нужно право `answers:submit`); `false` — сохранить черновики.
    #[serde(default)]
    #[schema(default = false, example = true)]
    pub submit: bool,
    /// Что делать с остальными, если в одном ошибка.
    #[serde(default)]
    pub on_invalid: OnInvalid,
    /// Ответы; на каждый запрос не больше одного.
    #[schema(min_items = 1, max_items = 1000)]
    pub items: Vec<BulkAnswer>,
}

/// Что делать с остальными ответами, если в одном ошибка.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnInvalid {
    /// Принять остальные.
    #[default]
    Skip,
    /// Не принимать ничего: 422 со всеми ошибками.
    RejectAll,
}

/// Один из многих ответов. Файлы — только загруженные раньше, по `attachment_id`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkAnswer {
    /// Запрос: GUID подзапроса в ГИС ЖКХ.
    pub debt_request_id: Uuid,
    /// Ваш собственный идентификатор ответа, уникальный в организации.
    #[schema(min_length = 1, max_length = 255, example = "1C-000124")]
    pub external_id: Option<String>,
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
    /// Сотрудник, от чьего имени даётся ответ; по умолчанию ответственный, затем исполнитель организации.
    pub executor_id: Option<Uuid>,
    /// Коды опасных действий, которые вы подтверждаете; какие нужны, говорит ошибка записи с местом `/confirm`.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub confirm: Vec<ConfirmCode>,
    /// Причина исправления; обязательна при исправлении размещённого ответа.
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
}

impl CreateAnswers {
    /// The command. `wrong` are the items that do not obey their schema, by their places in the list that was sent.
    pub(crate) fn command(
        self,
        wrong: BTreeMap<usize, Parts>,
        trace: Option<&String>,
    ) -> core::CreateAnswers {
        let submit = self.submit;
        let total = self.items.len() + wrong.len();
        let (mut sound, mut wrong) = (self.items.into_iter(), wrong);
        let items = (0..total).filter_map(|place| match wrong.remove(&place) {
            Some(parts) => Some(unreadable(parts)),
            None => sound.next().map(|item| item.command(submit, trace.cloned())),
        });
        core::CreateAnswers {
            submit,
            on_invalid: match self.on_invalid {
                OnInvalid::Skip => core::OnInvalid::Skip,
                OnInvalid::RejectAll => core::OnInvalid::RejectAll,
            },
            items: items.collect(),
        }
    }
}

impl BulkAnswer {
    fn command(self, submit: bool, trace: Option<String>) -> BulkItem {
        let (debt_request, external_id) = (self.debt_request_id.into(), self.external_id.clone());
        let answer = CreateAnswer {
            external_id: self.external_id,
            submit,
            has_debt: self.has_debt,
            comment: self.comment,
            debtors: self.debtors,
            attachments: self.attachments,
            executor_id: self.executor_id,
            confirm: self.confirm,
            reason: self.reason,
        };
        let command = answer.command(debt_request, trace).and_then(|command| {
            let inline = inline_files(&command.content);
            if inline.is_empty() { Ok(command) } else { Err(inline) }
        });
        BulkItem { debt_request: Some(debt_request), external_id, command }
    }
}

/// An item that does not obey its schema: what names it is kept where it can be read.
fn unreadable(parts: Parts) -> BulkItem {
    let text = |name| parts.value.get(name).and_then(Value::as_str);
    let external_id = text("external_id").filter(|text| text.chars().count() <= 255);
    BulkItem {
        debt_request: text("debt_request_id").and_then(|text| text.parse().ok()),
        external_id: external_id.map(ToOwned::to_owned),
        command: Err(parts.mistakes),
    }
}

fn inline_files(content: &ContentDraft) -> Vec<Mistake> {
    let of_debtors = content.debtors.iter().enumerate().flat_map(|(debtor, person)| {
        let documents = person.documents.iter().enumerate();
        documents.map(move |(place, file)| (format!("/debtors/{debtor}/documents/{place}"), file))
    });
    let of_answer = content.attachments.iter().enumerate();
    let of_answer = of_answer.map(|(place, file)| (format!("/attachments/{place}"), file));
    let inline = |file: &FileDraft| matches!(file.source, FileSource::Inline { .. });
    let detail = "в списке ответов файлы указываются по attachment_id; загрузите файл заранее";
    of_debtors
        .chain(of_answer)
        .filter(|(_, file)| inline(file))
        .map(|(at, _)| Mistake::at(format!("{at}/content_base64"), "inline_not_allowed", detail))
        .collect()
}
