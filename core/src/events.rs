//! The log of what happened, for those who pull it (`api.md` §13).

use chrono::{DateTime, Utc};

use crate::Service;
use crate::domain::caller::{Caller, Scope};
use crate::domain::event::{Event, EventKind};
use crate::error::{Code, Error, Result};
use crate::store::events;

/// Where a puller stands: every entry up to this number is known to it, as the log was at that time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The number.
    pub sequence: i64,
    /// When the mark was made; to the microsecond.
    pub made_at: DateTime<Utc>,
}

/// Part of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Feed {
    /// The entries, oldest first.
    pub events: Vec<Event>,
    /// From where to go on; there is always one.
    pub next: Mark,
    /// Whether there are more entries already.
    pub has_more: bool,
}

impl Service {
    /// The entries behind a mark, or from the oldest that is kept; of all kinds when none is named.
    ///
    /// # Errors
    /// [`Code::CursorExpired`]: the mark is older than what is kept, or the log is older than the mark: something may be
    /// missing behind it.
    pub async fn list_events(
        &self,
        caller: &Caller,
        after: Option<Mark>,
        kinds: &[EventKind],
        limit: usize,
    ) -> Result<Feed> {
        caller.need(Scope::EventsRead)?;
        let made_at = self.clock.now();
        if after.is_some_and(|mark| mark.is_older_than(self.settings.retention.events, made_at)) {
            return Err(expired());
        }
        let mut conn = self.db.scan().await?;
        // First the head: what is noted meanwhile has a higher number and comes with the next call.
        let head = events::head(&mut conn).await?;
        let from = after.map_or(0, |mark| mark.sequence);
        // A database restored from a backup gives the numbers behind its end a second time: the puller would miss them.
        if head > 0 && from > head {
            return Err(expired());
        }
        let most = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let mut found = events::page(&mut conn, caller.organization, (from, head), kinds, most).await?;
        let has_more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().map(|event| event.sequence).filter(|_| has_more);
        // The log may be empty again: its numbers go on all the same.
        let next = Mark { sequence: last.unwrap_or(head.max(from)), made_at };
        Ok(Feed { events: found, next, has_more })
    }
}

fn expired() -> Error {
    let detail = "части событий после этого курсора в журнале нет; обойдите запросы и ответы с updated_since, затем \
                  начните журнал без after";
    Error::refused(Code::CursorExpired, detail)
}

impl Mark {
    fn is_older_than(self, kept: std::time::Duration, now: DateTime<Utc>) -> bool {
        (now - self.made_at).to_std().is_ok_and(|age| age > kept)
    }
}
