//! A submission: one action in GIS for one revision of an answer, with a TransportGUID that never changes. Its attempts are
//! messages with a MessageGUID of their own each (`api.md` §6).
//!
//! At most one submission of a debt request is live; the database sees to that with a partial unique index.

use chrono::{DateTime, NaiveDate, Utc};

use super::answer::LastError;
use super::words::words;
use crate::ids::{AnswerId, DebtRequestId, OrganizationId, SubmissionId, TransportId};

words! {
    /// What is done in GIS.
    Action {
        /// An answer is placed or changed.
        Send = "send" "Размещение ответа",
        /// The answer is withdrawn.
        Revoke = "revoke" "Отзыв ответа",
    }
}

words! {
    /// Where a submission stands.
    SubmissionState {
        /// Waits for an older submission of the same debt request.
        Waiting = "waiting" "Ждёт предыдущей отправки",
        /// Waits for a worker.
        Queued = "queued" "Ожидает отправки",
        /// Its attempt is committed; the call is under way.
        Sending = "sending" "Отправляется",
        /// GIS has acknowledged the package.
        Accepted = "accepted" "Принята ГИС ЖКХ",
        /// The attempt may have reached GIS.
        Uncertain = "uncertain" "Исход выясняется",
        /// GIS has done it.
        Done = "done" "Выполнена",
        /// GIS has refused it for good, or it was judged so.
        Refused = "refused" "Отклонена",
        /// It was taken back before anything was sent.
        Cancelled = "cancelled" "Отменена",
    }
}

impl SubmissionState {
    /// Whether something of it may be on its way to GIS: the states of the partial unique index.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Sending | Self::Accepted | Self::Uncertain)
    }

    /// Whether nothing more will be done for it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Refused | Self::Cancelled)
    }
}

/// One action in GIS for one revision of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Its identifier.
    pub id: SubmissionId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// The debt request concerned.
    pub debt_request: DebtRequestId,
    /// The revision concerned.
    pub answer: AnswerId,
    /// What is done.
    pub action: Action,
    /// Our key of the action in GIS, fixed.
    pub transport: TransportId,
    /// Where it stands.
    pub state: SubmissionState,
    /// Attempts so far.
    pub attempts: i64,
    /// Whether the answer says that there is a debt: such packages go apart.
    pub has_debt: bool,
    /// Due day for the order of the queue; far away when GIS set none.
    pub due: NaiveDate,
    /// No attempt and no look before this.
    pub not_before: DateTime<Utc>,
    /// Whether the next step is to read what GIS shows and not an attempt: before a withdrawal, behind another answer,
    /// before a repeat, and while GIS takes long (`api.md` §6.8, §6.11).
    pub look_first: bool,
    /// The largest package that it may go in, because GIS has refused a larger one as a whole; `None` for no limit.
    pub pack_limit: Option<i64>,
    /// When its first attempt that may have reached GIS began.
    pub began_at: Option<DateTime<Utc>>,
    /// Since when its fate is unknown.
    pub uncertain_since: Option<DateTime<Utc>>,
    /// When GIS was last asked what it shows.
    pub looked_at: Option<DateTime<Utc>>,
    /// How often it was sent again because GIS had lost it.
    pub repairs: i64,
    /// The last error.
    pub error: Option<LastError>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// One attempt of a submission, as the client may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The submission.
    pub submission: Submission,
    /// Number of the attempt, from 1; `None` while none was made.
    pub number: Option<i64>,
    /// The message that carried it.
    pub message: Option<super::message::Message>,
    /// What GIS said of it in that message: `done`, `refused`, `unknown`.
    pub outcome: Option<Outcome>,
    /// The error of this attempt.
    pub error: Option<LastError>,
}

words! {
    /// What became of one attempt.
    Outcome {
        /// GIS has done it.
        Done = "done" "Выполнена",
        /// GIS has refused it.
        Refused = "refused" "Отклонена",
        /// It certainly did not reach GIS.
        NotSent = "not_sent" "Не отправлена",
        /// Nobody knows.
        Unknown = "unknown" "Исход неизвестен",
    }
}
