//! What a call is answered: faults first, then who asks, then the exchange.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::RngExt;
use uuid::Uuid;

use super::work::Work;
use super::{Engine, Event, MOST_WAITING_BYTES, later};
use crate::calls::Call;
use crate::codes;
use crate::exchange::{Accepted, Polled, Progress, Ready};
use crate::faults::{Dress, HttpBody, Instead, Kind, Plan, Subject, Target};
use crate::scenario::{SignatureCheck, StrictPolling};
use crate::seed::dice;
use crate::wire::model::{Body, GisError, Outcome, Request, Selection, State, Version};

/// `Retry-After` of a front end that turns a call away.
const RETRY_AFTER: Duration = Duration::from_secs(60);
/// The last digits of a request number whose acknowledgement is lost, once.
const ACKNOWLEDGEMENT_LOST: &str = "04";
/// Messages and bodies remembered as spoiled (Q8).
const MOST_SPOILED: usize = 20_000;

/// What the server found out about the signature of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureFound {
    /// None.
    Absent,
    /// It holds.
    Good,
    /// It does not hold.
    Bad,
}

/// A readable request with what the bytes alone tell.
#[derive(Debug)]
pub struct Incoming {
    /// What was asked.
    pub request: Request,
    /// Its signature.
    pub signature: SignatureFound,
    /// Bytes of the body.
    pub size: usize,
    /// A fingerprint of the bytes (Q8).
    pub fingerprint: u64,
}

/// What goes out.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The acknowledgement with the id given.
    Ack(Uuid),
    /// The state of a message.
    State {
        /// The id asked for.
        message: Uuid,
        /// The `MessageGUID` of the business request.
        original: Uuid,
        /// Of the reply.
        version: Version,
        /// State and result.
        state: State,
        /// What is wrong with its signature.
        dress: Dress,
    },
    /// Anything else.
    Instead(Instead),
}

/// Messages and bodies that got EXP001000 (Q8); of too many, the oldest are forgotten.
#[derive(Debug, Default)]
pub(super) struct Spoiled {
    known: HashSet<u128>,
    order: VecDeque<u128>,
}

impl Spoiled {
    fn keys(incoming: &Incoming) -> [u128; 2] {
        // A GUID and a 64-bit fingerprint cannot be taken for each other: GUIDs in use have high bits.
        [incoming.request.header.message.as_u128(), u128::from(incoming.fingerprint)]
    }

    fn holds(&self, incoming: &Incoming) -> bool {
        Self::keys(incoming).iter().any(|key| self.known.contains(key))
    }

    fn add(&mut self, incoming: &Incoming) {
        for key in Self::keys(incoming) {
            if self.known.insert(key) {
                self.order.push_back(key);
            }
        }
        while self.order.len() > MOST_SPOILED {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }
}

fn fault(code: &str) -> Reply {
    Reply::Instead(Instead::Fault { code: code.to_owned(), text: None })
}

fn unavailable() -> Reply {
    Reply::Instead(Instead::Http { status: 503, body: HttpBody::Html, retry_after: Some(RETRY_AFTER) })
}

impl Engine {
    /// Answers a SOAP call; the duration is how long the reply is to take in real time.
    pub fn call(&mut self, incoming: Incoming, now: DateTime<Utc>) -> (Reply, Duration) {
        self.settle(now);
        let mut entry = self.log_entry(&incoming, now);
        let plan = self.plan_for(&incoming, now);
        let slow = plan.slow.max(self.scenario.timing.slow);
        let reply = self.reply(incoming, plan, now, &mut entry);
        entry.outcome = outcome(&reply);
        self.calls.record(entry);
        (reply, slow)
    }

    fn log_entry(&self, incoming: &Incoming, now: DateTime<Utc>) -> Call {
        let Request { header, body, .. } = &incoming.request;
        let mut entry = Call::new(now, Some(body.operation().into()), "");
        entry.organization = Some(header.organization);
        entry.message = Some(header.message);
        entry.gis_message = polled(body);
        entry.items = subjects(body).len();
        entry
    }

    fn plan_for(&mut self, incoming: &Incoming, now: DateTime<Utc>) -> Plan {
        let Request { header, body, .. } = &incoming.request;
        let subrequests = match polled(body).and_then(|message| self.exchange.get(message, now)) {
            Some(message) => message.accepted.subrequests.clone(),
            None => subjects(body),
        };
        let operation = Target::from(body.operation());
        let subject =
            Subject { operation, organization: Some(header.organization), subrequests: &subrequests };
        let mut plan = Plan::of(self.faults.strike(subject));
        if self.scenario.import.sandbox_endings && operation == Target::ImportResponses {
            self.add_sandbox_endings(&mut plan, header.organization, &subrequests);
        }
        plan
    }

    /// The behaviours that the last two digits of a request number choose; 06 is settled when the action is judged.
    fn add_sandbox_endings(&mut self, plan: &mut Plan, supplier: Uuid, subrequests: &[Uuid]) {
        for subrequest in subrequests {
            let text = |text: &str| Some(text.to_owned());
            let kind = match self.sandbox_ending(supplier, *subrequest) {
                Some("02") => Kind::ItemError {
                    code: codes::WRONG_STATUS.to_owned(),
                    text: text("Ответ отклонен: номер запроса оканчивается на 02"),
                    items: 0,
                },
                Some("03") => Kind::Late { by: Duration::from_secs(3600) },
                Some(ACKNOWLEDGEMENT_LOST) if !self.lost_once.contains(subrequest) => {
                    Kind::ResetAfter { late: Duration::ZERO }
                }
                Some("05") => Kind::StateError {
                    code: codes::NOT_IN_REGISTRY.to_owned(),
                    text: text("Пакет отклонен: в нем есть номер запроса, который оканчивается на 05"),
                },
                Some(_) | None => continue,
            };
            plan.add(kind, Some(*subrequest));
        }
    }

    /// The last two digits of the number of a supplier's own request.
    fn sandbox_ending(&self, supplier: Uuid, subrequest: Uuid) -> Option<&str> {
        let record = self.world.get(subrequest).filter(|record| record.supplier == supplier)?;
        let number = &record.info.number;
        number.get(number.len().checked_sub(2)?..)
    }

    fn reply(&mut self, incoming: Incoming, mut plan: Plan, now: DateTime<Utc>, entry: &mut Call) -> Reply {
        if let Some(instead) = plan.instead.take_if(|_| plan.dropped) {
            self.spoil_if_exp001000(&incoming, &instead);
            return Reply::Instead(instead);
        }
        if let Some(refusal) = self.refusal(&incoming, now) {
            return refusal;
        }
        if let Some(message) = polled(&incoming.request.body) {
            let reply = self.poll(message, incoming.request.header.organization, &plan, now);
            return plan.instead.map_or(reply, Reply::Instead);
        }
        if let Some(instead) = &plan.instead {
            self.spoil_if_exp001000(&incoming, instead);
        }
        if plan.result.error.as_ref().is_some_and(|(code, _)| code == codes::TRANSFER_ERROR) {
            self.spoiled.add(&incoming);
        }
        let guid = self.accept(incoming, plan.result, now);
        entry.gis_message = Some(guid);
        plan.instead.map_or(Reply::Ack(guid), Reply::Instead)
    }

    /// Why a request is refused at once, before it becomes a message.
    fn refusal(&mut self, incoming: &Incoming, now: DateTime<Utc>) -> Option<Reply> {
        let Request { header, body, .. } = &incoming.request;
        if !self.serves(header.organization, now) {
            return Some(fault(codes::UNKNOWN_ORGANIZATION));
        }
        let supplier_asks = match body {
            Body::GetState(_) => return None,
            Body::ExportSubrequests(_) | Body::ImportResponses(_) => true,
            Body::ImportDebtRequests | Body::ExportDebtRequests => false,
        };
        let signature_fails = match (self.scenario.signature.check, incoming.signature) {
            (SignatureCheck::Off, _) | (_, SignatureFound::Good) => false,
            (SignatureCheck::Present, found) => found == SignatureFound::Absent,
            (SignatureCheck::Strict, SignatureFound::Absent | SignatureFound::Bad) => true,
        };
        if signature_fails {
            return Some(fault(codes::BAD_SIGNATURE));
        }
        if !supplier_asks {
            return Some(fault(codes::ACCESS_DENIED));
        }
        if self.scenario.import.same_bytes_loop && self.spoiled.holds(incoming) {
            return Some(fault(codes::TRANSFER_ERROR));
        }
        let full = self.waiting_bytes.saturating_add(incoming.size) > MOST_WAITING_BYTES;
        full.then(unavailable)
    }

    fn spoil_if_exp001000(&mut self, incoming: &Incoming, instead: &Instead) {
        let spoils = match instead {
            Instead::Fault { code, .. } => code == codes::TRANSFER_ERROR,
            // The SOAP body of an HTTP error says EXP001000.
            Instead::Http { body, .. } => *body == HttpBody::Soap,
            Instead::Reset | Instead::Garbage => false,
        };
        if spoils && polled(&incoming.request.body).is_none() {
            self.spoiled.add(incoming);
        }
    }

    fn accept(&mut self, incoming: Incoming, plan: crate::faults::ResultPlan, now: DateTime<Utc>) -> Uuid {
        let Incoming { request, size, .. } = incoming;
        let number = self.next_number();
        let timing = &self.scenario.timing;
        let chance = dice(self.seeds.seed, "ready", number, 0).random::<f64>();
        let wait = timing.poll_ready + timing.poll_ready_spread.mul_f64(chance) + plan.late;
        let due = later(now, wait);
        let accepted = Accepted {
            original: request.header.message,
            organization: request.header.organization,
            version: version(&request.body),
            ready: plan.stuck.map_or(Ready::At(due), |stuck| Ready::Never(stuck.state)),
            lost: plan.lost.map(|after| later(now, after)),
            subrequests: subjects(&request.body),
        };
        if self.scenario.import.sandbox_endings && matches!(request.body, Body::ImportResponses(_)) {
            self.remember_lost(accepted.organization, &accepted.subrequests);
        }
        let gis_message = self.exchange.accept(accepted, now);
        if plan.stuck.is_none_or(|stuck| stuck.effect) {
            self.waiting_bytes = self.waiting_bytes.saturating_add(size);
            let work = Work { gis_message, request, plan, size, number };
            self.plan(due, Event::Work(Box::new(work)));
            self.settle(now);
        }
        gis_message
    }

    /// From the acceptance on an acknowledgement counts as lost, not before.
    fn remember_lost(&mut self, supplier: Uuid, subrequests: &[Uuid]) {
        for subrequest in subrequests {
            if self.sandbox_ending(supplier, *subrequest) == Some(ACKNOWLEDGEMENT_LOST) {
                self.lost_once.insert(*subrequest);
            }
        }
    }

    fn poll(&mut self, message: Uuid, organization: Uuid, plan: &Plan, now: DateTime<Utc>) -> Reply {
        let timing = &self.scenario.timing;
        let etiquette = match timing.strict_polling {
            StrictPolling::Off => None,
            StrictPolling::Exp001000 | StrictPolling::Http503 => Some(timing.poll_after.as_slice()),
        };
        let (known, progress) = match self.exchange.poll(message, organization, now, etiquette) {
            Polled::Unknown => return fault(codes::UNKNOWN_MESSAGE),
            Polled::Early if timing.strict_polling == StrictPolling::Http503 => return unavailable(),
            Polled::Early => return fault(codes::TRANSFER_ERROR),
            Polled::Known(known, progress) => (known, progress),
        };
        let state = match (&plan.result.error, progress) {
            (Some((code, text)), _) => {
                let error: GisError = codes::gis_error(code, text.as_deref());
                State::Done(Outcome::Error(error))
            }
            (None, Progress::Received) => State::Received,
            (None, Progress::Processing) => State::Processing,
            (None, Progress::Done(result)) => State::Done(result.to_wire()),
        };
        let original = known.accepted.original;
        Reply::State { message, original, version: known.accepted.version, state, dress: plan.dress }
    }
}

/// The message that a `getState` asks for.
fn polled(body: &Body) -> Option<Uuid> {
    match body {
        Body::GetState(message) => Some(*message),
        Body::ExportSubrequests(_)
        | Body::ImportResponses(_)
        | Body::ImportDebtRequests
        | Body::ExportDebtRequests => None,
    }
}

/// The subrequests that a request names.
fn subjects(body: &Body) -> Vec<Uuid> {
    match body {
        Body::ImportResponses(actions) => actions.iter().map(|action| action.subrequest).collect(),
        Body::ExportSubrequests(export) => match &export.selection {
            Selection::Subrequests(guids) => guids.clone(),
            Selection::Numbers(_) | Selection::Filter(_) => Vec::new(),
        },
        Body::GetState(_) | Body::ImportDebtRequests | Body::ExportDebtRequests => Vec::new(),
    }
}

fn version(body: &Body) -> Version {
    match body {
        Body::ExportSubrequests(export) => export.version,
        Body::ImportResponses(_)
        | Body::GetState(_)
        | Body::ImportDebtRequests
        | Body::ExportDebtRequests => Version::V14,
    }
}

/// The log's word for a reply.
fn outcome(reply: &Reply) -> String {
    match reply {
        Reply::Ack(_) => "ack".to_owned(),
        Reply::State { state: State::Received, .. } => "state 1".to_owned(),
        Reply::State { state: State::Processing, .. } => "state 2".to_owned(),
        Reply::State { state: State::Done(Outcome::Error(error)), .. } => format!("state 3 {}", error.code),
        Reply::State { state: State::Done(_), .. } => "state 3".to_owned(),
        Reply::Instead(Instead::Fault { code, .. }) => format!("fault {code}"),
        Reply::Instead(Instead::Http { status, .. }) => format!("http {status}"),
        Reply::Instead(Instead::Reset) => "reset".to_owned(),
        Reply::Instead(Instead::Garbage) => "garbage".to_owned(),
    }
}
