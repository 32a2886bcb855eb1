//! A message: one asynchronous call of GIS. The row is committed with its MessageGUID and a lease before the call, so that a
//! crash leaves a trace; the acknowledgement and the polls are noted in it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::answer::LastError;
use super::words::words;
use crate::ids::{DebtRequestId, MessageId, OrganizationId, SyncRunId, WorkerId};

words! {
    /// Where a message stands.
    MessageState {
        /// The call is under way, as long as its lease.
        Sending = "sending" "Отправляется",
        /// GIS has acknowledged it and is polled.
        Accepted = "accepted" "Принято ГИС ЖКХ",
        /// Its result is recorded.
        Done = "done" "Обработано",
        /// GIS refused it as a whole, or it was never sent.
        Failed = "failed" "Не обработано",
        /// Nobody knows what became of it.
        Lost = "lost" "Исход неизвестен",
    }
}

words! {
    /// What a message is for.
    Kind {
        /// A package of answers.
        Import = "import" "Размещение ответов",
        /// A page of a sync.
        Page = "page" "Получение запросов",
        /// A reading of single debt requests with their answers.
        Look = "look" "Проверка ответов",
    }
}

/// What a message asks GIS, besides the attempts that an import carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Purpose {
    /// A package of answers; `attempts` says which.
    Import,
    /// A page of a sync.
    Page {
        /// The run.
        run: SyncRunId,
        /// First day of the window of sending.
        from: chrono::NaiveDate,
        /// Last day.
        to: chrono::NaiveDate,
        /// Where the page starts; `None` for the first.
        after: Option<DebtRequestId>,
        /// How many debt requests the pages before it had.
        found: i64,
        /// How often GIS did not find it, although it has named it itself (Q20).
        #[serde(default)]
        lost: u32,
    },
    /// What GIS shows of these, with answers; at most 100.
    Look {
        /// The debt requests.
        ids: Vec<DebtRequestId>,
    },
}

impl Purpose {
    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Import => Kind::Import,
            Self::Page { .. } => Kind::Page,
            Self::Look { .. } => Kind::Look,
        }
    }

    /// The same after GIS did not find a page that it has named itself.
    #[must_use]
    pub fn lost_again(mut self) -> Self {
        match &mut self {
            Self::Page { lost, .. } => *lost = lost.saturating_add(1),
            Self::Import | Self::Look { .. } => {}
        }
        self
    }
}

/// One asynchronous call of GIS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its MessageGUID.
    pub id: MessageId,
    /// On whose behalf.
    pub organization: OrganizationId,
    /// What it asks.
    pub purpose: Purpose,
    /// Where it stands.
    pub state: MessageState,
    /// Who holds it.
    pub worker: Option<WorkerId>,
    /// Until when.
    pub lease_until: Option<DateTime<Utc>>,
    /// The MessageGUID that GIS gave.
    pub gis_guid: Option<Uuid>,
    /// When the call began.
    pub sent_at: DateTime<Utc>,
    /// When GIS acknowledged it.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// How often GIS was asked for the result.
    pub polls: i64,
    /// When it is asked next.
    pub next_poll_at: Option<DateTime<Utc>>,
    /// Polls in a row that failed.
    pub failures: i64,
    /// The last error.
    pub error: Option<LastError>,
    /// W3C `traceparent` that the call belongs to.
    pub trace: Option<String>,
    /// When the result was recorded.
    pub finished_at: Option<DateTime<Utc>>,
}
