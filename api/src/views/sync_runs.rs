//! Readings of GIS as the API shows them.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use debt_core::Service;
use debt_core::domain::sync_run as domain;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answers::AnswerError;
use super::words::SyncRunState;

/// Seconds after which it is worth asking for a reading again.
pub(crate) const AGAIN: i64 = 15;

/// Получение запросов из ГИС ЖКХ.
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncRun {
    /// Идентификатор.
    pub id: Uuid,
    /// Кто начал: `schedule`, `interval`, `start` или имя клиента.
    #[schema(max_length = 255, example = "schedule")]
    pub started_by: String,
    /// Состояние.
    pub state: SyncRunState,
    /// Получение закончено, спрашивать дальше незачем.
    pub is_final: bool,
    /// Первый день направления запросов.
    pub window_from: NaiveDate,
    /// Последний день направления запросов.
    pub window_to: NaiveDate,
    /// Сколько запросов показала ГИС ЖКХ.
    #[schema(example = 412)]
    pub found: i64,
    /// Сколько из них новых.
    #[schema(example = 57)]
    pub added: i64,
    /// Сколько изменилось.
    #[schema(example = 3)]
    pub changed: i64,
    /// Сколько страниц прочитано.
    #[schema(example = 5)]
    pub pages: i64,
    /// Почему получить запросы не удалось.
    pub error: Option<AnswerError>,
    /// Когда началось.
    pub started_at: DateTime<Utc>,
    /// Когда закончилось.
    pub finished_at: Option<DateTime<Utc>>,
    /// Когда стоит спросить снова; `null`, если получение закончено.
    pub next_check_at: Option<DateTime<Utc>>,
}

impl SyncRun {
    /// A reading as it is now.
    pub(crate) fn of(service: &Service, run: domain::SyncRun) -> Self {
        let is_final = run.finished_at.is_some();
        Self {
            id: run.id.as_uuid(),
            started_by: run.started_by,
            state: run.state.into(),
            is_final,
            window_from: run.window_from,
            window_to: run.window_to,
            found: run.found,
            added: run.added,
            changed: run.changed,
            pages: run.pages,
            error: run.error.map(Into::into),
            started_at: run.started_at,
            finished_at: run.finished_at,
            next_check_at: (!is_final).then(|| service.clock.now() + TimeDelta::seconds(AGAIN)),
        }
    }
}
