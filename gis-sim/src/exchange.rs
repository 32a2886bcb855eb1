//! The asynchronous exchange: every accepted request is a message with an id of its own, a state and later a result.
//!
//! A pure state machine over an injected time; [`crate::engine`] accepts and finishes messages, `getState` asks for
//! them. What must stay true: a result, once there, never changes; an id that was never given, or is forgotten, or
//! belongs to another organisation, is unknown (INT002013).

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::faults::StuckState;
use crate::state::Page;
use crate::wire::model::{GisError, ItemResult, Outcome, Version};

/// Messages remembered; of more, the oldest are forgotten.
pub const MOST_MESSAGES: usize = 50_000;
/// Bytes of results remembered; of more, the oldest messages with a result are forgotten.
pub const MOST_RESULT_BYTES: usize = 256 << 20;
/// Between the Gregorian reform, where time-based GUIDs begin, and 1970, in seconds.
const GREGORIAN_TO_UNIX: i64 = 12_219_292_800;

/// What an accepted request leaves in the exchange.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The client's `MessageGUID`.
    pub original: Uuid,
    /// orgPPAGUID.
    pub organization: Uuid,
    /// The version of the reply.
    pub version: Version,
    /// When the result is there.
    pub ready: Ready,
    /// When GIS forgets the message.
    pub lost: Option<DateTime<Utc>>,
    /// The subrequests it is about.
    pub subrequests: Vec<Uuid>,
}

/// When a result is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// Then.
    At(DateTime<Utc>),
    /// Never (Q3); the state stays.
    Never(StuckState),
}

/// A message of the exchange.
#[derive(Debug, Clone)]
pub struct Message {
    /// The id that GIS gave.
    pub guid: Uuid,
    /// What was accepted.
    pub accepted: Accepted,
    /// When it was accepted.
    pub accepted_at: DateTime<Utc>,
    polls: usize,
    last_poll: DateTime<Utc>,
    result: Option<Stored>,
}

/// A result, kept until it is fetched and after.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    /// Of an `importResponses`.
    Import(Vec<ItemResult>),
    /// Of an `exportDebtSubrequests`.
    Export(Page),
    /// The whole request failed, or there is nothing to export.
    Error(GisError),
}

impl Stored {
    /// The result as it goes out.
    #[must_use]
    pub fn to_wire(&self) -> Outcome {
        match self {
            Self::Import(results) => Outcome::Import(results.clone()),
            Self::Export(page) => Outcome::Subrequests(page.to_wire()),
            Self::Error(error) => Outcome::Error(error.clone()),
        }
    }

    /// Roughly the bytes of memory that it holds, or keeps others from giving back.
    fn size(&self) -> usize {
        const ENTRY: usize = 100;
        match self {
            Self::Import(results) => results.iter().map(|item| ENTRY + size_of_errors(item)).sum(),
            Self::Export(page) => page.size(),
            Self::Error(error) => size_of_error(error),
        }
    }
}

fn size_of_errors(item: &ItemResult) -> usize {
    item.result.as_ref().err().map_or(0, |errors| errors.iter().map(size_of_error).sum())
}

fn size_of_error(error: &GisError) -> usize {
    const ENTRY: usize = 72;
    ENTRY + error.code.len() + error.description.len() + error.stack_trace.as_ref().map_or(0, String::len)
}

/// How far a message is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Progress<'sim> {
    /// 1.
    Received,
    /// 2.
    Processing,
    /// 3.
    Done(&'sim Stored),
}

/// The answer to a poll.
#[derive(Debug)]
pub enum Polled<'sim> {
    /// There is no such message for this organisation.
    Unknown,
    /// Asked before the time that etiquette allows (Q1); the poll is not counted.
    Early,
    /// Here it is.
    Known(&'sim Message, Progress<'sim>),
}

/// All messages.
#[derive(Debug, Default)]
pub struct Exchange {
    messages: HashMap<Uuid, Message>,
    order: VecDeque<Uuid>,
    result_bytes: usize,
    last_tick: i64,
}

impl Exchange {
    /// Accepts a request and gives it an id.
    pub fn accept(&mut self, accepted: Accepted, now: DateTime<Utc>) -> Uuid {
        let guid = self.time_based_guid(now);
        while self.order.len() >= MOST_MESSAGES {
            if let Some(oldest) = self.order.pop_front() {
                self.forget(oldest);
            }
        }
        let message = Message { guid, accepted, accepted_at: now, polls: 0, last_poll: now, result: None };
        self.messages.insert(guid, message);
        self.order.push_back(guid);
        guid
    }

    /// Stores the result; the first one stays.
    pub fn finish(&mut self, message: Uuid, result: Stored) {
        let unfinished = self.messages.get_mut(&message).filter(|known| known.result.is_none());
        if let Some(known) = unfinished {
            self.result_bytes = self.result_bytes.saturating_add(result.size());
            known.result = Some(result);
            self.make_room(message);
        }
    }

    /// Forgets the oldest messages with a result until the rest of the results fit; never `newest`.
    fn make_room(&mut self, newest: Uuid) {
        while self.result_bytes > MOST_RESULT_BYTES {
            let finished = |guid: &Uuid| {
                *guid != newest && self.messages.get(guid).is_some_and(|known| known.result.is_some())
            };
            let Some(oldest) =
                self.order.iter().position(finished).and_then(|place| self.order.remove(place))
            else {
                return;
            };
            self.forget(oldest);
        }
    }

    fn forget(&mut self, message: Uuid) {
        let result = self.messages.remove(&message).and_then(|known| known.result);
        self.result_bytes = self.result_bytes.saturating_sub(result.as_ref().map_or(0, Stored::size));
    }

    /// A message, whoever sent it; none when GIS has lost it by now.
    #[must_use]
    pub fn get(&self, message: Uuid, now: DateTime<Utc>) -> Option<&Message> {
        self.messages.get(&message).filter(|message| message.accepted.lost.is_none_or(|lost| now < lost))
    }

    /// Messages remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether nothing was accepted yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Messages without a result.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.messages.values().filter(|message| message.result.is_none()).count()
    }

    /// A `getState`. `etiquette` holds the least waits when early polls are punished.
    pub fn poll(
        &mut self,
        message: Uuid,
        organization: Uuid,
        now: DateTime<Utc>,
        etiquette: Option<&[Duration]>,
    ) -> Polled<'_> {
        if self.get(message, now).is_none_or(|known| known.accepted.organization != organization) {
            return Polled::Unknown;
        }
        let Some(message) = self.messages.get_mut(&message) else {
            return Polled::Unknown;
        };
        if etiquette.is_some_and(|waits| now < message.next_poll(waits)) {
            return Polled::Early;
        }
        message.polls = message.polls.saturating_add(1);
        message.last_poll = now;
        Polled::Known(message, message.progress(now))
    }

    /// GIS gives GUIDs that look time-based; each is later than the one before.
    fn time_based_guid(&mut self, now: DateTime<Utc>) -> Uuid {
        let seconds = now.timestamp().saturating_add(GREGORIAN_TO_UNIX);
        let tick =
            seconds.saturating_mul(10_000_000).saturating_add(i64::from(now.timestamp_subsec_nanos() / 100));
        self.last_tick = tick.max(self.last_tick.saturating_add(1));
        version_1(u128::from(self.last_tick.unsigned_abs()))
    }
}

/// RFC 9562 version 1 with an invented clock sequence and node.
fn version_1(ticks: u128) -> Uuid {
    const SEQUENCE_AND_NODE: u128 = 0x9d0b_0247_4953_0001;
    let low = ticks & 0xffff_ffff;
    let middle = (ticks >> 32) & 0xffff;
    let high = (ticks >> 48) & 0x0fff;
    Uuid::from_u128((low << 96) | (middle << 80) | ((0x1000 | high) << 64) | SEQUENCE_AND_NODE)
}

impl Message {
    fn next_poll(&self, waits: &[Duration]) -> DateTime<Utc> {
        let wait = waits.get(self.polls).or(waits.last()).copied().unwrap_or_default();
        let wait = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
        self.last_poll.checked_add_signed(wait).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    fn progress(&self, now: DateTime<Utc>) -> Progress<'_> {
        if let Some(result) = &self.result {
            return Progress::Done(result);
        }
        let received = match self.accepted.ready {
            Ready::At(ready) => now < self.accepted_at + (ready - self.accepted_at) / 2,
            Ready::Never(state) => state == StuckState::Received,
        };
        if received { Progress::Received } else { Progress::Processing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::gis_error;
    use crate::state::tests::{SUPPLIER, moment};

    fn accepted(ready: Option<i64>) -> Accepted {
        Accepted {
            original: Uuid::from_u128(1),
            organization: SUPPLIER,
            version: Version::V14,
            ready: ready.map_or(Ready::Never(StuckState::Processing), |hours| Ready::At(moment(hours))),
            lost: None,
            subrequests: Vec::new(),
        }
    }

    fn state(exchange: &mut Exchange, guid: Uuid, hours: i64) -> &'static str {
        match exchange.poll(guid, SUPPLIER, moment(hours), None) {
            Polled::Unknown => "unknown",
            Polled::Early => "early",
            Polled::Known(_, Progress::Received) => "1",
            Polled::Known(_, Progress::Processing) => "2",
            Polled::Known(_, Progress::Done(_)) => "3",
        }
    }

    #[test]
    fn a_message_goes_through_its_states_and_keeps_its_result() {
        let mut exchange = Exchange::default();
        let guid = exchange.accept(accepted(Some(4)), moment(0));
        assert_eq!(state(&mut exchange, guid, 1), "1");
        assert_eq!(state(&mut exchange, guid, 3), "2");
        exchange.finish(guid, Stored::Error(gis_error("INT002012", None)));
        exchange.finish(guid, Stored::Import(Vec::new()));
        assert_eq!(state(&mut exchange, guid, 4), "3");
        let Polled::Known(_, Progress::Done(result)) = exchange.poll(guid, SUPPLIER, moment(900), None)
        else {
            panic!("the result is kept");
        };
        assert_eq!(*result, Stored::Error(gis_error("INT002012", None)));
    }

    #[test]
    fn stuck_lost_and_foreign_messages() {
        let mut exchange = Exchange::default();
        let stuck = exchange.accept(accepted(None), moment(0));
        assert_eq!(state(&mut exchange, stuck, 1000), "2");
        let received = Accepted { ready: Ready::Never(StuckState::Received), ..accepted(None) };
        let received = exchange.accept(received, moment(0));
        assert_eq!(state(&mut exchange, received, 1000), "1");
        let lost = exchange.accept(Accepted { lost: Some(moment(5)), ..accepted(Some(1)) }, moment(0));
        assert_eq!(state(&mut exchange, lost, 4), "2");
        assert_eq!(state(&mut exchange, lost, 5), "unknown");
        assert!(matches!(exchange.poll(stuck, Uuid::nil(), moment(1), None), Polled::Unknown));
        assert_eq!(state(&mut exchange, Uuid::nil(), 1), "unknown");
        assert_eq!(exchange.unfinished(), 3);
    }

    #[test]
    fn etiquette_counts_from_the_last_poll() {
        let mut exchange = Exchange::default();
        let guid = exchange.accept(accepted(None), moment(0));
        let waits = [1, 5].map(|hours| Duration::from_secs(hours * 3600));
        let mut early =
            |hours| matches!(exchange.poll(guid, SUPPLIER, moment(hours), Some(&waits)), Polled::Early);
        assert!(early(0));
        assert!(!early(1));
        assert!(early(5));
        assert!(!early(6), "early polls do not count");
        assert!(early(10));
        assert!(!early(11), "the last wait repeats");
    }

    #[test]
    fn ids_look_time_based_and_differ() {
        let mut exchange = Exchange::default();
        let one = exchange.accept(accepted(None), moment(0));
        let other = exchange.accept(accepted(None), moment(0));
        assert_ne!(one, other);
        assert_eq!(one.get_version_num(), 1);
        assert_eq!(one.get_variant(), uuid::Variant::RFC4122);
        let (seconds, _) = one.get_timestamp().unwrap().to_unix();
        assert_eq!(i64::try_from(seconds).unwrap(), moment(0).timestamp());
    }

    #[test]
    fn the_oldest_results_are_forgotten_by_their_bytes() {
        let mut exchange = Exchange::default();
        let stuck = exchange.accept(accepted(None), moment(0));
        let large = || Stored::Error(gis_error("X", Some(&"x".repeat(MOST_RESULT_BYTES / 2))));
        let guids = [0, 1].map(|_| exchange.accept(accepted(Some(1)), moment(0)));
        for guid in guids {
            exchange.finish(guid, large());
        }
        assert_eq!(guids.map(|guid| state(&mut exchange, guid, 2)), ["unknown", "3"]);
        assert_eq!(state(&mut exchange, stuck, 2), "2", "what has no result holds no bytes");
        exchange.forget(guids[1]);
        assert_eq!(exchange.result_bytes, 0);
    }

    #[test]
    fn the_oldest_messages_are_forgotten() {
        let mut exchange = Exchange::default();
        let first = exchange.accept(accepted(None), moment(0));
        for _ in 0..MOST_MESSAGES {
            exchange.accept(accepted(None), moment(0));
        }
        assert_eq!(exchange.len(), MOST_MESSAGES);
        assert_eq!(state(&mut exchange, first, 0), "unknown");
    }
}
