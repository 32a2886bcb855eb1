//! Operations as the API shows them (`api.md` §12.1).

use chrono::{DateTime, Utc};
use debt_core::domain::answer::State;
use debt_core::domain::operation as domain;
use debt_core::domain::operation::{Outcome, Tally};
use debt_core::operations::{ItemDetails, OperationDetails};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answers::AnswerError;
use super::words::{OperationKind, OperationStatus};

/// Работа сразу над многим, которая длится дольше запроса.
///
/// Операция закончена, когда ни один её ответ сам больше не изменится. Хранится 30 дней после окончания.
#[derive(Debug, Serialize, ToSchema)]
pub struct Operation {
    /// Идентификатор.
    pub id: Uuid,
    /// Что делает.
    pub kind: OperationKind,
    /// Состояние.
    pub status: OperationStatus,
    /// Состояние по-русски.
    #[schema(max_length = 100, example = "Выполняется")]
    pub status_label: &'static str,
    /// Операция закончена, спрашивать дальше незачем.
    pub is_final: bool,
    /// Кто начал: имя клиента.
    #[schema(max_length = 255, example = "1С Биллинг")]
    pub started_by: String,
    /// Сколько чего сейчас.
    pub counts: OperationCounts,
    /// Где прочитать исход каждой записи.
    #[schema(max_length = 200, example = "/v1/operations/019a4c00-0000-7000-8000-00000000000d/items")]
    pub items_url: String,
    /// Когда начата.
    pub created_at: DateTime<Utc>,
    /// Когда закончена.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Сколько записей операции к чему пришли; каждая посчитана один раз.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperationCounts {
    /// Всего.
    #[schema(example = 1000)]
    pub total: i64,
    /// Не приняты: в них ошибки или что-то мешает.
    #[schema(example = 2)]
    pub refused: i64,
    /// Такой ответ уже был, второго не создано.
    #[schema(example = 40)]
    pub unchanged: i64,
    /// Оставлены сотрудникам.
    #[schema(example = 0)]
    pub skipped: i64,
    /// Черновики, в том числе подготовленные.
    #[schema(example = 0)]
    pub draft: i64,
    /// Ждут отправки.
    #[schema(example = 958)]
    pub queued: i64,
    /// Отправляются.
    #[schema(example = 0)]
    pub sending: i64,
    /// ГИС ЖКХ подтвердила получение.
    #[schema(example = 0)]
    pub accepted: i64,
    /// Исход выясняется.
    #[schema(example = 0)]
    pub uncertain: i64,
    /// Размещены.
    #[schema(example = 0)]
    pub delivered: i64,
    /// Отклонены.
    #[schema(example = 0)]
    pub rejected: i64,
    /// Отзываются.
    #[schema(example = 0)]
    pub revoking: i64,
    /// Отозваны.
    #[schema(example = 0)]
    pub revoked: i64,
    /// Отменены до отправки.
    #[schema(example = 0)]
    pub cancelled: i64,
    /// Заменены более новыми.
    #[schema(example = 0)]
    pub superseded: i64,
    /// Черновики, которые удалили.
    #[schema(example = 0)]
    pub deleted: i64,
}

/// Запись операции и её исход.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperationItem {
    /// Место в списке, с 0.
    #[schema(example = 17)]
    pub index: i64,
    /// Ваш собственный идентификатор ответа.
    #[schema(max_length = 255, example = "1C-000123")]
    pub external_id: Option<String>,
    /// Запрос (GUID подзапроса); `null`, если в записи его нет.
    pub debt_request_id: Option<Uuid>,
    /// Ответ: новый или прежний с тем же содержанием.
    pub answer_id: Option<Uuid>,
    /// К чему пришла запись: `refused`, `unchanged`, `skipped`, `deleted` или состояние ответа; возможны новые значения.
    #[schema(max_length = 64, example = "delivered")]
    pub outcome: &'static str,
    /// Почему запись не принята или оставлена сотрудникам; места — внутри записи.
    #[schema(max_items = 1000)]
    pub errors: Vec<ItemError>,
    /// Почему ответ отклонён или задерживается.
    pub last_error: Option<AnswerError>,
}

/// Ошибка в записи операции.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemError {
    /// Место в записи; пусто, если дело в записи целиком.
    #[schema(max_length = 200, example = "/comment")]
    pub pointer: String,
    /// Код.
    #[schema(max_length = 64, example = "too_long")]
    pub code: String,
    /// Пояснение.
    #[schema(max_length = 1000, example = "не более 1000 знаков")]
    pub detail: String,
}

impl From<OperationDetails> for Operation {
    fn from(details: OperationDetails) -> Self {
        let OperationDetails { operation, tally } = details;
        Self {
            id: operation.id.as_uuid(),
            kind: operation.kind.into(),
            status: operation.status.into(),
            status_label: operation.status.label(),
            is_final: operation.finished_at.is_some(),
            started_by: operation.started_by,
            counts: OperationCounts::of(operation.total, &tally),
            items_url: format!("/v1/operations/{}/items", operation.id),
            created_at: operation.created_at,
            finished_at: operation.finished_at,
        }
    }
}

impl OperationCounts {
    fn of(total: i64, tally: &Tally) -> Self {
        let state = |state| tally.of(Outcome::Answer(state));
        Self {
            total,
            refused: tally.of(Outcome::Refused),
            unchanged: tally.of(Outcome::Unchanged),
            skipped: tally.of(Outcome::Skipped),
            draft: state(State::Draft) + state(State::Prepared),
            queued: state(State::Queued),
            sending: state(State::Sending),
            accepted: state(State::Accepted),
            uncertain: state(State::Uncertain),
            delivered: state(State::Delivered),
            rejected: state(State::Rejected),
            revoking: state(State::Revoking),
            revoked: state(State::Revoked),
            cancelled: state(State::Cancelled),
            superseded: state(State::Superseded),
            deleted: tally.of(Outcome::Deleted),
        }
    }
}

impl From<ItemDetails> for OperationItem {
    fn from(details: ItemDetails) -> Self {
        let ItemDetails { item, outcome, last_error } = details;
        Self {
            index: item.place,
            external_id: item.external_id,
            debt_request_id: item.debt_request.map(|id| id.as_uuid()),
            answer_id: item.answer.map(|id| id.as_uuid()),
            outcome: outcome.as_str(),
            errors: item.errors.into_iter().map(Into::into).collect(),
            last_error: last_error.map(Into::into),
        }
    }
}

impl From<domain::ItemError> for ItemError {
    fn from(error: domain::ItemError) -> Self {
        let domain::ItemError { pointer, code, detail } = error;
        Self { pointer, code, detail }
    }
}
