//! The GIS of the model: what it holds, what is still on its way to it, and what it has told. It keeps its word (a refusal
//! is a refusal) and its bounds (`max_delay`, `view_lag`); within them it does whatever the [`Fates`] of its calls say.

mod calls;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use chrono::{DateTime, Utc};
use gis_client::debt_requests::{GisError, ItemResult, SubrequestPage};
use uuid::Uuid;

use self::calls::nothing_to_revoke;
use super::action::{ExportFate, ImportFate, PollFate, Words};
use crate::ids::DebtRequestId;

/// What GIS holds of a debt request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// No answer.
    Nothing,
    /// An answer.
    Answer(Words),
    /// The answer that GIS makes by itself.
    Automatic,
}

/// What a copy of a call does when it takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// Places an answer, over whatever is there.
    Send(Words),
    /// Withdraws whatever answer is there.
    Revoke,
}

/// One action of a package, as GIS got it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) request: DebtRequestId,
    /// TransportGUID.
    pub(super) transport: Uuid,
    pub(super) deed: Deed,
}

/// A call of `importResponses` for one debt request, as the gateway knows of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Called {
    /// When, in the order of everything that GIS has seen.
    pub(super) turn: u64,
    /// MessageGUID.
    pub(super) message: Uuid,
    pub(super) item: Item,
    /// Whether the gateway may believe that nothing was taken: it was told so.
    pub(super) refused: bool,
    /// Whether the gateway was told that it is done.
    pub(super) done: bool,
}

/// An export that the gateway has read.
#[derive(Debug)]
pub(super) struct Told {
    /// When it was asked for and when it was read, in the order of everything that GIS has seen.
    pub(super) asked: u64,
    pub(super) read: u64,
    pub(super) requests: Vec<DebtRequestId>,
}

/// A debt request in GIS.
struct Subject {
    /// What was held from when on, oldest first.
    history: Vec<(DateTime<Utc>, Held)>,
    /// Copies that will take effect.
    coming: Vec<Copy>,
    /// Whether GIS shows it.
    visible: bool,
}

#[derive(Clone)]
struct Copy {
    at: DateTime<Utc>,
    item: Item,
    /// The message whose result is the result of this copy.
    reports_to: Option<Uuid>,
}

/// A message that GIS has acknowledged.
enum Message {
    Import {
        /// MessageGUID.
        ours: Uuid,
        items: Vec<Item>,
        /// By TransportGUID; `None` as long as GIS is at it.
        results: HashMap<Uuid, Option<ItemResult>>,
        failed: Option<GisError>,
    },
    Export {
        asked: u64,
        page: SubrequestPage,
    },
    Forgotten,
}

/// What befalls the next calls; without a word all goes well.
#[derive(Default)]
struct Fates {
    imports: VecDeque<ImportFate>,
    exports: VecDeque<ExportFate>,
    polls: VecDeque<PollFate>,
}

/// GIS.
pub(super) struct ModelGis {
    subjects: BTreeMap<DebtRequestId, Subject>,
    messages: HashMap<Uuid, Message>,
    fates: Fates,
    /// How old what an export shows usually is.
    pub(super) usual_lag: Duration,
    turn: u64,
    pub(super) calls: Vec<Called>,
    pub(super) told: Vec<Told>,
    /// TransportGUIDs that have taken effect.
    performed: HashSet<Uuid>,
}

impl ModelGis {
    pub(super) fn new(requests: &[DebtRequestId], start: DateTime<Utc>) -> Self {
        let subject = || Subject { history: vec![(start, Held::Nothing)], coming: Vec::new(), visible: true };
        Self {
            subjects: requests.iter().map(|id| (*id, subject())).collect(),
            messages: HashMap::new(),
            fates: Fates::default(),
            usual_lag: Duration::ZERO,
            turn: 0,
            calls: Vec::new(),
            told: Vec::new(),
            performed: HashSet::new(),
        }
    }

    // What the adversary decides.

    pub(super) fn next_import(&mut self, fate: ImportFate) {
        self.fates.imports.push_back(fate);
    }

    pub(super) fn next_export(&mut self, fate: ExportFate) {
        self.fates.exports.push_back(fate);
    }

    pub(super) fn next_poll(&mut self, fate: PollFate) {
        self.fates.polls.push_back(fate);
    }

    /// Nothing goes wrong any more; what is on its way still lands.
    pub(super) fn heal(&mut self, usual_lag: Duration) {
        self.fates = Fates::default();
        self.usual_lag = usual_lag;
    }

    /// Somebody else changes what GIS holds.
    pub(super) fn put(&mut self, request: DebtRequestId, held: Held, now: DateTime<Utc>) {
        self.land(now);
        self.subject(request).history.push((now, held));
    }

    /// GIS does not show the request any more.
    pub(super) fn hide(&mut self, request: DebtRequestId) {
        self.subject(request).visible = false;
    }

    // What the laws ask.

    /// What is held.
    pub(super) fn held(&mut self, request: DebtRequestId, now: DateTime<Utc>) -> Held {
        self.land(now);
        self.held_at(request, now)
    }

    /// What was held at some time since then, that moment included.
    pub(super) fn held_since(&self, request: DebtRequestId, since: DateTime<Utc>) -> Vec<Held> {
        let history = &self.subjects[&request].history;
        let first = history.iter().rposition(|(at, _)| *at < since).unwrap_or(0);
        history[first..].iter().map(|(_, held)| *held).collect()
    }

    /// Whether a copy of an action has taken effect, or will.
    pub(super) fn has_trace_of(&self, transport: Uuid) -> bool {
        let mut coming = self.subjects.values().flat_map(|subject| &subject.coming);
        self.performed.contains(&transport) || coming.any(|copy| copy.item.transport == transport)
    }

    /// When the next copy lands.
    pub(super) fn next_landing(&self) -> Option<DateTime<Utc>> {
        self.subjects.values().flat_map(|subject| &subject.coming).map(|copy| copy.at).min()
    }

    fn subject(&mut self, request: DebtRequestId) -> &mut Subject {
        self.subjects.get_mut(&request).unwrap()
    }

    fn held_at(&self, request: DebtRequestId, time: DateTime<Utc>) -> Held {
        let history = &self.subjects[&request].history;
        history.iter().rfind(|(at, _)| *at <= time).map_or(Held::Nothing, |(_, held)| *held)
    }

    // Time.

    /// Lets land what has come by now, in the order of its times.
    pub(super) fn land(&mut self, now: DateTime<Utc>) {
        while let Some(at) = self.next_landing().filter(|at| *at <= now) {
            let mut due = Vec::new();
            for subject in self.subjects.values_mut() {
                let (landing, coming) =
                    std::mem::take(&mut subject.coming).into_iter().partition(|copy| copy.at <= at);
                subject.coming = coming;
                due.extend::<Vec<Copy>>(landing);
            }
            for copy in due {
                let result = self.perform(copy.item, copy.at);
                if let Some(message) = copy.reports_to {
                    self.report(message, copy.item.transport, result);
                }
            }
        }
    }

    fn perform(&mut self, item: Item, at: DateTime<Utc>) -> ItemResult {
        let before = self.held_at(item.request, at);
        let after = match (item.deed, before) {
            (Deed::Send(words), _) => Held::Answer(words),
            (Deed::Revoke, Held::Answer(_)) => Held::Nothing,
            (Deed::Revoke, Held::Nothing | Held::Automatic) => return nothing_to_revoke(),
        };
        self.performed.insert(item.transport);
        self.subject(item.request).history.push((at, after));
        ItemResult::Ok { unique_number: None, updated_at: Some(at.fixed_offset()) }
    }

    fn report(&mut self, message: Uuid, transport: Uuid, result: ItemResult) {
        if let Some(Message::Import { results, .. }) = self.messages.get_mut(&message) {
            results.insert(transport, Some(result));
        }
    }

    fn schedule(&mut self, item: Item, at: DateTime<Utc>, reports_to: Option<Uuid>) {
        self.subject(item.request).coming.push(Copy { at, item, reports_to });
    }

    /// How much GIS has seen.
    pub(super) const fn turn(&self) -> u64 {
        self.turn
    }

    fn next_turn(&mut self) -> u64 {
        self.turn += 1;
        self.turn
    }
}
