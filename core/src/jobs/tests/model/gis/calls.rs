//! What the gateway asks the GIS of the model, and what it is told.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use gis_client::debt_requests::{
    Acknowledgement, Action, ExportSubrequests, ExportedDebtor, ExportedPerson, ExportedResponse, GisError,
    ImportResponses, ImportResult, ItemResult, NotFound, Outcome, Progress, RequestInfo, RequestStatus,
    Response, ResponseStatus, ResultHeader, Selection, State, Subrequest, SubrequestPage,
};
use gis_client::error::{MaybeSent, NotSent};
use gis_client::{Call, Error, Fate};
use uuid::Uuid;

use super::{Called, Deed, Held, Item, Message, ModelGis, Told};
use crate::ids::DebtRequestId;
use crate::jobs::tests::model::action::{ExportFate, ImportFate, ItemFate, PollFate, Span, Words};

impl ModelGis {
    /// A package arrives. The reply says what the gateway hears; what GIS does is done or planned already.
    pub(in crate::jobs::tests::model) fn import(
        &mut self,
        call: &Call,
        request: &ImportResponses,
        now: DateTime<Utc>,
    ) -> Result<Acknowledgement, Error> {
        self.land(now);
        let fate = self.fates.imports.pop_front().unwrap_or(ImportFate::Good);
        let items: Vec<Item> = request.actions().iter().map(item_of).collect();
        let turn = self.next_turn();
        let message = call.header.message.as_uuid();
        assert!(self.calls.iter().all(|called| called.message != message), "a MessageGUID is used twice");
        let refused = is_refusal(fate, &items);
        self.calls.extend(items.iter().map(|item| Called {
            turn,
            message,
            item: *item,
            refused,
            done: false,
        }));
        self.take(fate, message, items, now)
    }

    fn take(
        &mut self,
        fate: ImportFate,
        message: Uuid,
        items: Vec<Item>,
        now: DateTime<Utc>,
    ) -> Result<Acknowledgement, Error> {
        let late = |delay: Span| now + delay.time();
        let mut of_first = None;
        match fate {
            ImportFate::Good => {}
            ImportFate::Item(fate) => of_first = Some(fate),
            ImportFate::AckLost => {
                self.perform_all(&items, now);
                return Err(reset());
            }
            ImportFate::Vanishes => return Err(reset()),
            ImportFate::Unreachable => {
                return Err(Error::NotSent { reason: NotSent::ConnectionRefused, source: None });
            }
            ImportFate::Busy => return Err(busy(&items)),
            ImportFate::Fault { performed } => {
                if performed {
                    self.perform_all(&items, now);
                }
                return Err(Error::Fault(gis_error("EXP001000", "")));
            }
            ImportFate::RefusesContent => return Err(Error::Fault(gis_error("FMT001300", ""))),
            ImportFate::RefusesSender => return Err(Error::Fault(gis_error("AUT011003", ""))),
            ImportFate::Late(delay) => {
                items.iter().for_each(|item| self.schedule(*item, late(delay), None));
                return Err(reset());
            }
            ImportFate::LostGhost(delay) => {
                self.perform_all(&items, now);
                items.iter().for_each(|item| self.schedule(*item, late(delay), None));
                return Err(reset());
            }
            ImportFate::Ghost(delay) => items.iter().for_each(|item| self.schedule(*item, late(delay), None)),
            ImportFate::Slow(delay) => {
                let results = items.iter().map(|item| (item.transport, None)).collect();
                let acknowledgement = self.acknowledge(message, items.clone(), results, None);
                let id = acknowledgement.message.as_uuid();
                items.iter().for_each(|item| self.schedule(*item, late(delay), Some(id)));
                return Ok(acknowledgement);
            }
            ImportFate::FailsWhole { performed } => {
                if performed {
                    self.perform_all(&items, now);
                }
                let failed = Some(gis_error("EXP001000", ""));
                return Ok(self.acknowledge(message, items, HashMap::new(), failed));
            }
            ImportFate::RefusesWhole => {
                let failed = Some(gis_error("FMT001300", ""));
                return Ok(self.acknowledge(message, items, HashMap::new(), failed));
            }
        }
        let mut results = HashMap::new();
        for item in &items {
            if let Some(result) = self.result_of(of_first.take(), *item, now) {
                results.insert(item.transport, Some(result));
            }
        }
        Ok(self.acknowledge(message, items, results, None))
    }

    fn result_of(&mut self, fate: Option<ItemFate>, item: Item, now: DateTime<Utc>) -> Option<ItemResult> {
        let performed = match fate {
            None => true,
            Some(ItemFate::Error | ItemFate::AlreadyAnswered) => false,
            Some(ItemFate::Fault { performed } | ItemFate::Missing { performed }) => performed,
        };
        let result = performed.then(|| self.perform(item, now));
        let errors = |code, words| Some(ItemResult::Errors(vec![gis_error(code, words)]));
        match fate {
            None => result,
            Some(ItemFate::Error) => errors("INT002034", "Доступ запрещен"),
            Some(ItemFate::AlreadyAnswered) => errors("INT002039", "На запрос уже направлен ответ"),
            Some(ItemFate::Fault { .. }) => errors("EXP001000", ""),
            Some(ItemFate::Missing { .. }) => None,
        }
    }

    fn perform_all(&mut self, items: &[Item], now: DateTime<Utc>) {
        for item in items {
            self.perform(*item, now);
        }
    }

    fn acknowledge(
        &mut self,
        message: Uuid,
        items: Vec<Item>,
        results: HashMap<Uuid, Option<ItemResult>>,
        failed: Option<GisError>,
    ) -> Acknowledgement {
        let id = Uuid::new_v4();
        self.messages.insert(id, Message::Import { ours: message, items, results, failed });
        Acknowledgement {
            message: id.into(),
            requester_message: Some(message.into()),
            header: ResultHeader::default(),
        }
    }

    /// A question what is held. What it shows is as old as its fate says.
    pub(in crate::jobs::tests::model) fn export(
        &mut self,
        call: &Call,
        request: &ExportSubrequests,
        now: DateTime<Utc>,
    ) -> Result<Acknowledgement, Error> {
        self.land(now);
        let asked = self.next_turn();
        let (lag, clear) = match self.fates.exports.pop_front() {
            None => (self.usual_lag, true),
            Some(ExportFate::Shows(age)) => (age.duration(), true),
            Some(ExportFate::Unclear) => (Duration::ZERO, false),
            Some(ExportFate::Lost) => return Err(reset()),
            Some(ExportFate::Unreachable) => {
                return Err(Error::NotSent { reason: NotSent::ConnectionRefused, source: None });
            }
        };
        let wanted: Vec<DebtRequestId> = match request.selection() {
            Selection::Subrequests(ids) => ids.iter().map(|id| (*id).into()).collect(),
            Selection::Filter(_) => self.subjects.keys().copied().collect(),
            Selection::Numbers(_) => Vec::new(),
        };
        let (shown, missing): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|id| self.subjects[id].visible);
        let answers = request.include_responses() && clear;
        let page = SubrequestPage {
            subrequests: shown
                .iter()
                .map(|id| subrequest(*id, self.held_at(*id, now - lag), answers))
                .collect(),
            not_found: NotFound {
                subrequests: missing.into_iter().map(Into::into).collect(),
                ..NotFound::default()
            },
            ..SubrequestPage::default()
        };
        let id = Uuid::new_v4();
        self.messages.insert(id, Message::Export { asked, page });
        Ok(Acknowledgement {
            message: id.into(),
            requester_message: Some(call.header.message),
            header: ResultHeader::default(),
        })
    }

    /// A question what became of a message.
    pub(in crate::jobs::tests::model) fn state(
        &mut self,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<State, Error> {
        self.land(now);
        let read = self.next_turn();
        match self.fates.polls.pop_front().unwrap_or(PollFate::Good) {
            PollFate::Good => {}
            PollFate::Pending => return Ok(state(Progress::Processing, None)),
            PollFate::Lost => return Err(reset()),
            PollFate::Forgets => {
                self.messages.insert(id, Message::Forgotten);
            }
        }
        match self.messages.get(&id) {
            Some(Message::Export { asked, page }) => {
                let requests = page.subrequests.iter().map(|found| found.id.into()).collect();
                self.told.push(Told { asked: *asked, read, requests });
                Ok(state(Progress::Done, Some(Outcome::Subrequests(page.clone()))))
            }
            Some(Message::Import { failed: Some(error), items, ours, .. }) => {
                let (error, items, ours) = (error.clone(), items.clone(), *ours);
                if error.fate() == Fate::Refused {
                    items
                        .iter()
                        .for_each(|item| self.note_result(ours, *item, |called| called.refused = true));
                }
                Ok(state(Progress::Done, Some(Outcome::Error(error))))
            }
            Some(Message::Import { items, results, ours, failed: None }) => {
                let ours = *ours;
                if results.values().any(Option::is_none) {
                    return Ok(state(Progress::Processing, None));
                }
                let told: Vec<(Item, ItemResult)> = items
                    .iter()
                    .filter_map(|item| Some((*item, results.get(&item.transport)?.clone()?)))
                    .collect();
                Ok(state(Progress::Done, Some(Outcome::Import(self.tell(ours, told)))))
            }
            Some(Message::Forgotten) | None => Err(Error::Fault(gis_error("INT002013", ""))),
        }
    }

    fn tell(&mut self, ours: Uuid, results: Vec<(Item, ItemResult)>) -> Vec<ImportResult> {
        for (item, result) in &results {
            match result {
                ItemResult::Ok { .. } => self.note_result(ours, *item, |called| called.done = true),
                ItemResult::Errors(errors) if errors.iter().any(GisError::is_nothing_to_revoke) => {
                    self.note_result(ours, *item, |called| called.done = true);
                }
                ItemResult::Errors(_) if result.fate() == Some(Fate::Refused) => {
                    self.note_result(ours, *item, |called| called.refused = true);
                }
                ItemResult::Errors(_) | ItemResult::Unclear => {}
            }
        }
        let result = |(item, result): (Item, ItemResult)| ImportResult {
            transport: Some(item.transport.into()),
            entity: None,
            result,
        };
        results.into_iter().map(result).collect()
    }

    /// The gateway is told what became of an action of a message.
    fn note_result(&mut self, ours: Uuid, item: Item, note: impl Fn(&mut Called)) {
        let of_item =
            |called: &&mut Called| called.message == ours && called.item.transport == item.transport;
        self.calls.iter_mut().filter(of_item).for_each(note);
    }
}

/// Whether the reply says that nothing was taken.
fn is_refusal(fate: ImportFate, items: &[Item]) -> bool {
    let busy = fate == ImportFate::Busy && items.iter().all(|item| item.deed != Deed::Revoke);
    busy || matches!(fate, ImportFate::Unreachable | ImportFate::RefusesContent | ImportFate::RefusesSender)
}

fn item_of(action: &Action) -> Item {
    let deed = match action {
        Action::Send { response, .. } => Deed::Send(words_of(response)),
        Action::Revoke { .. } => Deed::Revoke,
    };
    Item { request: action.subrequest().into(), transport: action.transport().as_uuid(), deed }
}

fn words_of(response: &Response) -> Words {
    let comment = match response {
        Response::NoDebt { comment, .. }
        | Response::Debt { comment, .. }
        | Response::RegistryDebt { comment, .. } => comment,
    };
    Words::of_text(comment.as_ref().unwrap().as_str())
}

fn subrequest(id: DebtRequestId, held: Held, answers: bool) -> Subrequest {
    let (status, words) = match held {
        Held::Nothing => (ResponseStatus::NotSent, None),
        Held::Answer(words) => (ResponseStatus::Sent, Some(words)),
        Held::Automatic => (ResponseStatus::AutoGenerated, None),
    };
    Subrequest {
        id: id.into(),
        request: RequestInfo { status: Some(RequestStatus::Sent), ..RequestInfo::default() },
        response_status: Some(status),
        response: words.filter(|_| answers).map(exported),
        broken_fields: Vec::new(),
    }
}

fn exported(words: Words) -> ExportedResponse {
    let debtor = || ExportedDebtor {
        person: ExportedPerson {
            first_name: Some("Пётр".into()),
            last_name: Some("Вымышленный".into()),
            ..ExportedPerson::default()
        },
        documents: Vec::new(),
    };
    ExportedResponse {
        has_debt: Some(words.has_debt()),
        debtors: if words.has_debt() { vec![debtor()] } else { Vec::new() },
        comment: Some(words.text().into()),
        ..ExportedResponse::default()
    }
}

fn state(progress: Progress, outcome: Option<Outcome>) -> State {
    State { progress, message: None, outcome, header: ResultHeader::default() }
}

fn reset() -> Error {
    Error::MaybeSent { reason: MaybeSent::Reset, source: None }
}

/// What HTTP 503 means: a package with a withdrawal may have been taken all the same.
fn busy(items: &[Item]) -> Error {
    let (status, retry_after) = (503, None);
    if items.iter().any(|item| item.deed == Deed::Revoke) {
        Error::MaybeSent { reason: MaybeSent::Busy { status, retry_after }, source: None }
    } else {
        Error::NotSent { reason: NotSent::Busy { status, retry_after }, source: None }
    }
}

fn gis_error(code: &str, description: &str) -> GisError {
    GisError { code: code.to_owned(), description: description.to_owned(), stack_trace: None }
}

pub(super) fn nothing_to_revoke() -> ItemResult {
    ItemResult::Errors(vec![gis_error("INT002031", "Ответ (не имеет статус «Ответ отправлен»)")])
}
