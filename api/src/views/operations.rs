//! Long work of every kind as the API shows it in one shape (`api.md` §12.1). What that section calls `result` is here
//! `result_url`: a result is fetched, it is not part of the operation.

use chrono::{DateTime, TimeDelta, Utc};
use debt_core::Service;
use debt_core::domain::answer::State;
use debt_core::domain::match_run::Deed;
use debt_core::domain::operation as domain;
use debt_core::domain::operation::{Outcome, Tally};
use debt_core::imports::ImportDetails;
use debt_core::operations::{ItemDetails, LongWork};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answers::AnswerError;
use super::words::{OperationKind, OperationStatus};

/// Seconds after which it is worth asking for an operation again.
pub(crate) const AGAIN: i64 = 10;

/// Работа, которая длится дольше запроса: массовые ответы, автоответ, выгрузка в Excel, загрузка файла, сопоставление с
/// реестром, получение запросов из ГИС ЖКХ. Всё, что есть только у одного вида, показывает сам объект, `url`.
///
/// Массовые ответы закончены, когда ни один ответ сам больше не изменится.
#[derive(Debug, Serialize, ToSchema)]
pub struct Operation {
    /// Идентификатор; у выгрузки, загрузки, сопоставления и получения запросов тот же, что у самого объекта.
    pub id: Uuid,
    /// Что делает.
    pub kind: OperationKind,
    /// Состояние.
    pub status: OperationStatus,
    /// Состояние по-русски, словами самого объекта.
    #[schema(max_length = 100, example = "Выполняется")]
    pub status_label: &'static str,
    /// Операция закончена, спрашивать дальше незачем.
    pub is_final: bool,
    /// Кто начал: имя клиента; `schedule`, `interval`, `start`, `sync`, `auto_answer` — началась сама.
    #[schema(max_length = 255, example = "1С Биллинг")]
    pub started_by: String,
    /// Сам объект.
    #[schema(max_length = 200, example = "/v1/operations/019a4c00-0000-7000-8000-00000000000d")]
    pub url: String,
    /// Сколько сделано.
    pub progress: OperationProgress,
    /// Результаты обработки ответов; у файла, который только проверен, — какими они были бы; `null` у остальных операций.
    pub counts: Option<OperationCounts>,
    /// Где прочитать исход каждой записи; `null` у выгрузок и получений запросов.
    #[schema(max_length = 200, example = "/v1/operations/019a4c00-0000-7000-8000-00000000000d/items")]
    pub items_url: Option<String>,
    /// Где скачать файл, который получился: выгрузку, файл с отмеченными ошибками, списки сопоставления; `null`, если файла нет.
    #[schema(max_length = 200, example = "/v1/exports/019a4c00-0000-7000-8000-000000000010/content")]
    pub result_url: Option<String>,
    /// Почему операция не выполнена или выполнена не до конца.
    pub error: Option<AnswerError>,
    /// Когда начата.
    pub created_at: DateTime<Utc>,
    /// Когда закончена.
    pub finished_at: Option<DateTime<Utc>>,
    /// Когда стоит спросить снова; `null`, если операция закончена.
    pub next_check_at: Option<DateTime<Utc>>,
    /// Когда будет удалена; `null`, пока не закончена, и у получений запросов из ГИС ЖКХ: они не удаляются.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Сколько сделано: ответов и строк, которые сами больше не изменятся, записанных запросов, обработанных ответов файла,
/// сопоставленных запросов, полученных запросов — смотря по виду операции.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperationProgress {
    /// Сделано.
    #[schema(example = 412)]
    pub done: i64,
    /// Из скольких; `null`, пока это неизвестно. У выгрузок и получений запросов неизвестно никогда.
    #[schema(example = 1000)]
    pub total: Option<i64>,
}

/// Результаты обработки записей операции, ответов и ошибочных строк файла; каждая посчитана один раз.
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
    /// Результат обработки записи: `refused`, `unchanged`, `skipped`, `deleted` или состояние ответа; возможны новые значения.
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

impl Operation {
    /// Work as it is now.
    pub(crate) fn of(service: &Service, work: LongWork) -> Self {
        let (id, finished_at) = (work.id(), work.finished_at());
        let is_final = finished_at.is_some();
        let kept_until = finished_at.map(|at| service.kept_until(at));
        let (kind, status, status_label) = (work.kind().into(), work.status().into(), work.status_label());
        let created_at = work.created_at();
        let Particulars { started_by, url, progress, counts, items_url, result_url, error, expires_at } =
            Particulars::of(work, kept_until);
        Self {
            id,
            kind,
            status,
            status_label,
            is_final,
            started_by,
            url,
            progress,
            counts,
            items_url,
            result_url,
            error,
            created_at,
            finished_at,
            next_check_at: (!is_final).then(|| service.clock.now() + TimeDelta::seconds(AGAIN)),
            expires_at,
        }
    }
}

/// What each kind tells in its own way.
struct Particulars {
    started_by: String,
    url: String,
    progress: OperationProgress,
    counts: Option<OperationCounts>,
    items_url: Option<String>,
    result_url: Option<String>,
    error: Option<AnswerError>,
    expires_at: Option<DateTime<Utc>>,
}

impl Particulars {
    /// `kept_until` is for what is deleted with operations.
    fn of(work: LongWork, kept_until: Option<DateTime<Utc>>) -> Self {
        match work {
            LongWork::Answers(details) => {
                let url = format!("/v1/operations/{}", details.operation.id);
                let total = details.operation.total;
                Self {
                    started_by: details.operation.started_by,
                    progress: OperationProgress { done: details.tally.done(), total: Some(total) },
                    counts: Some(OperationCounts::of(total, &details.tally)),
                    items_url: Some(format!("{url}/items")),
                    result_url: None,
                    error: None,
                    expires_at: kept_until,
                    url,
                }
            }
            LongWork::Export(export) => {
                let export = *export;
                let url = format!("/v1/exports/{}", export.id);
                Self {
                    started_by: export.started_by,
                    progress: OperationProgress { done: export.requests, total: None },
                    counts: None,
                    items_url: None,
                    result_url: export.file.map(|_| format!("{url}/content")),
                    error: export.error.map(Into::into),
                    expires_at: export.expires_at,
                    url,
                }
            }
            LongWork::Import(details) => {
                let ImportDetails { import, tally } = *details;
                let url = format!("/v1/imports/{}", import.id);
                let answers = import.counts.map(|counts| i64::from(counts.answers));
                Self {
                    started_by: import.client.name,
                    progress: OperationProgress { done: import.taken, total: answers },
                    counts: Some(OperationCounts::of(tally.total(), &tally)),
                    items_url: Some(format!("{url}/rows")),
                    result_url: import.marked.map(|_| format!("{url}/marked")),
                    error: import.error.map(Into::into),
                    expires_at: import.expires_at,
                    url,
                }
            }
            LongWork::MatchRun(details) => {
                let url = format!("/v1/match-runs/{}", details.run.id);
                let total = details.run.total;
                let done = total - details.tally.of_deed(Deed::Pending);
                Self {
                    started_by: details.run.started_by,
                    progress: OperationProgress { done, total: Some(total) },
                    counts: None,
                    items_url: Some(format!("{url}/items")),
                    result_url: details.run.finished_at.map(|_| format!("{url}/content")),
                    error: None,
                    expires_at: kept_until,
                    url,
                }
            }
            LongWork::Sync(run) => Self {
                started_by: run.started_by,
                url: format!("/v1/sync-runs/{}", run.id),
                progress: OperationProgress { done: run.found, total: None },
                counts: None,
                items_url: None,
                result_url: None,
                error: run.error.map(Into::into),
                expires_at: None,
            },
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
