//! What the struck rules mean for one call, sorted by the moment at which they matter: before the reply, at the
//! acceptance, in the result, in the dress of the reply. Where two rules contradict each other the older one wins.

use std::time::Duration;

use uuid::Uuid;

use super::{HttpBody, Kind, Rule, StuckState};
use crate::files::FileError;

/// Everything that is to go wrong with one call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Real time to wait before the reply.
    pub slow: Duration,
    /// What is answered instead of the usual reply.
    pub instead: Option<Instead>,
    /// The request is not accepted: no message, no effect.
    pub dropped: bool,
    /// The `X-Upload-Error` of a call of the file store.
    pub file_error: Option<FileError>,
    /// What goes wrong later.
    pub result: ResultPlan,
    /// The signature of the reply.
    pub dress: Dress,
}

/// What is answered instead of the usual reply.
#[derive(Debug, Clone, PartialEq)]
pub enum Instead {
    /// A SOAP Fault; without a text the known one of the code.
    Fault {
        /// The code.
        code: String,
        /// Its text.
        text: Option<String>,
    },
    /// An HTTP error.
    Http {
        /// 400 to 599.
        status: u16,
        /// What comes with it.
        body: HttpBody,
        /// `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// The connection is cut.
    Reset,
    /// 200 with bytes that are no SOAP.
    Garbage,
}

/// What goes wrong with the result of an accepted request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ResultPlan {
    /// How much later than usual.
    pub late: Duration,
    /// It never comes.
    pub stuck: Option<Stuck>,
    /// The package takes effect once more, this long after the first time.
    pub ghost: Option<Duration>,
    /// The call is forgotten this long after the acknowledgement.
    pub lost: Option<Duration>,
    /// The whole request fails: code and text.
    pub error: Option<(String, Option<String>)>,
    /// Items that fail.
    pub items: Vec<ItemFault>,
    /// Items missing from the end of the result.
    pub missing: usize,
    /// The items are in another order.
    pub shuffle: bool,
    /// The items come twice.
    pub duplicate: bool,
}

/// A result that never comes (Q3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stuck {
    /// Whether the answers are in force all the same; then `late` and `ghost` count as without it.
    pub effect: bool,
    /// The state that stays.
    pub state: StuckState,
}

/// Items that fail.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemFault {
    /// The item of this subrequest, or the first `items`.
    pub subrequest: Option<Uuid>,
    /// How many, from the beginning.
    pub items: usize,
    /// The code.
    pub code: String,
    /// Its text.
    pub text: Option<String>,
}

impl ItemFault {
    /// Whether the item at this place, about this subrequest, fails.
    #[must_use]
    pub fn hits(&self, place: usize, subrequest: Uuid) -> bool {
        self.subrequest.map_or(place < self.items, |only| only == subrequest)
    }
}

/// The signature of the reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dress {
    /// As the scenario says.
    #[default]
    Usual,
    /// It does not hold.
    BadSignature,
    /// There is none.
    Unsigned,
}

impl Plan {
    /// Sorts out the struck rules.
    #[must_use]
    pub fn of(rules: Vec<Rule>) -> Self {
        let mut plan = Self::default();
        for rule in rules {
            plan.add(rule.kind, rule.subrequest);
        }
        plan
    }

    /// Adds one more thing that goes wrong; `subrequest` is the one it is meant for.
    pub fn add(&mut self, kind: Kind, subrequest: Option<Uuid>) {
        match kind {
            Kind::SoapFault { code, text, late } => self.answer(Instead::Fault { code, text }, late),
            Kind::Http { status, body, retry_after, late } => {
                self.answer(Instead::Http { status, body, retry_after }, late);
            }
            Kind::ResetBefore => self.answer(Instead::Reset, None),
            Kind::ResetAfter { late } => self.answer(Instead::Reset, Some(late)),
            Kind::Garbage { late } => self.answer(Instead::Garbage, late),
            Kind::StateError { code, text } => {
                self.result.error.get_or_insert((code, text));
            }
            Kind::ItemError { code, text, items } => {
                self.result.items.push(ItemFault { subrequest, items, code, text });
            }
            Kind::Slow { duration } => self.slow = self.slow.max(duration),
            Kind::Stuck { effect, state } => {
                self.result.stuck.get_or_insert(Stuck { effect, state });
            }
            Kind::Late { by } => self.result.late = self.result.late.max(by),
            Kind::Ghost { after } => self.result.ghost = Some(after),
            Kind::WrongCount { missing } => self.result.missing = self.result.missing.max(missing),
            Kind::Shuffle => self.result.shuffle = true,
            Kind::Duplicate => self.result.duplicate = true,
            Kind::LostState { after } => self.result.lost = Some(after),
            Kind::BadSignature => self.dress = Dress::BadSignature,
            Kind::Unsigned => self.dress = Dress::Unsigned,
            Kind::FileError { error } => {
                self.file_error.get_or_insert(error);
            }
        }
    }

    fn answer(&mut self, instead: Instead, late: Option<Duration>) {
        if self.instead.is_some() {
            return;
        }
        self.instead = Some(instead);
        match late {
            Some(late) => self.result.late = self.result.late.max(late),
            None => self.dropped = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_reply_wins_and_delays_add_up_to_the_longest() {
        let mut plan = Plan::default();
        plan.add(Kind::ResetAfter { late: Duration::from_secs(60) }, None);
        plan.add(Kind::ResetBefore, None);
        plan.add(Kind::Late { by: Duration::from_secs(30) }, None);
        assert_eq!(plan.instead, Some(Instead::Reset));
        assert!(!plan.dropped, "the older rule accepted the request");
        assert_eq!(plan.result.late, Duration::from_secs(60));
    }

    #[test]
    fn a_reply_without_late_drops_the_request() {
        let mut plan = Plan::default();
        plan.add(Kind::Garbage { late: None }, None);
        assert!(plan.dropped);
    }

    #[test]
    fn item_faults_hit_by_place_or_by_subrequest() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let fault = |subrequest, items| ItemFault { subrequest, items, code: "X".to_owned(), text: None };
        assert!(fault(None, 2).hits(1, other) && !fault(None, 2).hits(2, other));
        assert!(fault(Some(one), 1).hits(7, one) && !fault(Some(one), 1).hits(0, other));
    }
}
