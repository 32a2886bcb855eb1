//! What must be true: after everything that happens (safety), and when all has come to rest (`in_the_end`). Each is a
//! sentence of `api.md` §6 about what the database says and what GIS holds; none of them asks how the jobs do it.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, TimeDelta};
use uuid::Uuid;

use super::action::Words;
use super::gis::{Called, Deed, Held, ModelGis};
use super::world::Kept;
use crate::domain::answer::{Answer, Confirm, State};
use crate::domain::content::ContentHash;
use crate::domain::debt_request::{DebtRequest, ResponseStatus, Stage};
use crate::domain::submission::{Action, Submission};
use crate::ids::{AnswerId, DebtRequestId, OrganizationId};
use crate::store::{Db, answers, debt_requests, messages, submissions};

/// Most repairs of one submission (`api.md` §6.9).
const MOST_REPAIRS: i64 = 3;

/// `gis.view_lag`, the default.
const VIEW_LAG: TimeDelta = TimeDelta::hours(72);

/// What the database says of a debt request.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) request: DebtRequest,
    /// Newest first.
    pub(super) answers: Vec<Answer>,
    submissions: Vec<Submission>,
}

/// What the database says.
pub(super) type View = BTreeMap<DebtRequestId, Case>;

pub(super) async fn view(db: &Db, organization: OrganizationId, requests: &[DebtRequestId]) -> View {
    let mut conn = db.read().await.unwrap();
    let mut view = View::new();
    for id in requests {
        let answers = answers::of_requests(&mut conn, &[*id]).await.unwrap();
        let request = debt_requests::get(&mut conn, organization, *id).await.unwrap().unwrap();
        let submissions = submissions::of_requests(&mut conn, &[*id]).await.unwrap();
        view.insert(*id, Case { request, answers, submissions });
    }
    view
}

pub(super) fn words_of(answer: &Answer) -> Words {
    Words::of_text(answer.content.comment().unwrap().as_str())
}

/// What has happened so far, as far as the laws need it.
#[derive(Clone, Default)]
pub(super) struct Memory {
    /// What the database said last.
    pub(super) view: View,
    /// So many calls of GIS were looked at.
    calls: usize,
    /// Answers that waited for another one, or took the place of one that did.
    waited: HashSet<AnswerId>,
    /// Debt requests that somebody else has changed in GIS.
    pub(super) meddled: HashSet<DebtRequestId>,
    /// Since when the database is a backup, in the order of everything that GIS has seen.
    restored: Option<u64>,
    /// Answers that were in the backup, or took the place of one that was.
    inherited: HashSet<AnswerId>,
}

impl Memory {
    /// The memory of a database that was restored.
    pub(super) fn restored(self, gis: &ModelGis) -> Self {
        let inherited = self.view.values().flat_map(|case| &case.answers).map(|answer| answer.id).collect();
        Self { calls: gis.calls.len(), restored: Some(gis.turn()), inherited, ..self }
    }

    /// Whether what GIS holds may differ from what the database says, because of what the gateway cannot know: somebody
    /// else acted, or it has forgotten what it did itself.
    pub(super) fn allows_much(&self, request: DebtRequestId) -> bool {
        self.restored.is_some() || self.meddled.contains(&request)
    }

    /// Calls that were not looked at yet.
    pub(super) fn new_calls<'a>(&self, gis: &'a ModelGis) -> &'a [Called] {
        &gis.calls[self.calls..]
    }

    /// Whether nothing was broken since the last look.
    pub(super) fn check(&mut self, view: View, gis: &ModelGis) -> Kept {
        for case in view.values() {
            self.note_waiting(case);
        }
        for call in self.new_calls(gis) {
            self.call(call, gis)?;
        }
        self.calls = gis.calls.len();
        for (id, case) in &view {
            one_live(case)?;
            few_repairs(case)?;
            calm_while_views_lag(case)?;
            if self.restored.is_none() {
                not_sent_is_not_sent(case, gis)?;
            }
            if let Some(before) = self.view.get(id) {
                steps(before, case)?;
                results_are_true(before, case, gis)?;
            }
        }
        self.view = view;
        Ok(())
    }

    fn note_waiting(&mut self, case: &Case) {
        for answer in case.answers.iter().rev() {
            if answer.blocked_by.is_some() {
                self.waited.insert(answer.id);
            }
            for marked in [&mut self.waited, &mut self.inherited] {
                if let Some(by) = answer.superseded_by.filter(|_| marked.contains(&answer.id)) {
                    marked.insert(by);
                }
            }
        }
    }

    /// A call of GIS against what the database said before it.
    fn call(&self, call: &Called, gis: &ModelGis) -> Kept {
        let case = &self.view[&call.item.request];
        let (answer, _) = case.of_transport(call.item.transport)?;
        self.looked_before(call, answer, gis)?;
        not_over_others(case, call, answer, gis)?;
        if self.restored.is_none() {
            not_over_our_own(case, call, answer)?;
        }
        Ok(())
    }

    /// §6.8, §6.14: before a Revoke, before a Send behind another answer or a repeat GIS is read; in a restored database
    /// before anything.
    fn looked_before(&self, call: &Called, answer: &Answer, gis: &ModelGis) -> Kept {
        let item = &call.item;
        let earlier =
            gis.calls.iter().filter(|other| other.turn < call.turn && other.item.request == item.request);
        let earlier: Vec<_> = earlier.filter(|other| !other.refused).collect();
        let repeat = earlier.iter().any(|other| other.item.transport == item.transport);
        let last = earlier.iter().map(|other| other.turn).max().unwrap_or(0);
        let anew = self.restored.filter(|restored| last <= *restored && self.inherited.contains(&answer.id));
        let behind = self.waited.contains(&answer.id);
        let needed = item.deed == Deed::Revoke || repeat || behind || anew.is_some();
        let since = last.max(anew.unwrap_or(0));
        let looked = gis
            .told
            .iter()
            .any(|told| told.asked > since && told.read < call.turn && told.requests.contains(&item.request));
        if needed && !looked {
            return Err(format!("{:?} without a look at GIS since its last call", item.deed));
        }
        Ok(())
    }
}

impl Case {
    fn of_transport(&self, transport: Uuid) -> Kept<(&Answer, &Submission)> {
        let submission = self.submissions.iter().find(|it| it.transport.as_uuid() == transport);
        let submission = submission.ok_or("GIS was called for what the database does not know")?;
        let answer = self.answers.iter().find(|answer| answer.id == submission.answer);
        Ok((answer.ok_or("a submission without its answer")?, submission))
    }

    fn ours(&self, hash: &ContentHash) -> bool {
        self.answers.iter().any(|answer| !answer.is_from_elsewhere() && answer.content_hash == *hash)
    }

    /// Whether the last answer or its request says that GIS does not hold what it should. That a mirror contradicts a
    /// delivered answer is too little in the end: by then it is repaired, or a person was called for good.
    fn says_so(&self, last: Option<&Answer>) -> bool {
        let rejected = last.is_some_and(|last| last.state == State::Rejected);
        let called = rejected && self.request.stage == Stage::NeedsAttention;
        called || self.request.alarm.is_some() || self.request.stage == Stage::Gone
    }
}

/// §6.4: whatever call GIS has seen is written down, with every item of it.
pub(super) async fn are_written_down(db: &Db, calls: &[Called]) -> Kept {
    let mut conn = db.read().await.unwrap();
    for call in calls {
        let carried = messages::carried(&mut conn, call.message.into()).await.unwrap();
        if !carried.iter().any(|submission| submission.transport.as_uuid() == call.item.transport) {
            return Err(format!("{:?} without a trace in the database", call.item.deed));
        }
    }
    Ok(())
}

/// §6.2.
fn one_live(case: &Case) -> Kept {
    let live = case.submissions.iter().filter(|submission| submission.state.is_live()).count();
    if live > 1 { Err(format!("{live} submissions of one debt request are live")) } else { Ok(()) }
}

/// §6.9.
fn few_repairs(case: &Case) -> Kept {
    let many = case.submissions.iter().any(|submission| submission.repairs > MOST_REPAIRS);
    if many { Err("too many repairs".to_owned()) } else { Ok(()) }
}

/// §6.6: an export that may lag behind the delivery calls nobody, whatever older content of ours it shows.
fn calm_while_views_lag(case: &Case) -> Kept {
    let current = case.answers.iter().find(|answer| answer.state != State::Superseded);
    let Some(current) = current.filter(|answer| answer.state == State::Delivered) else { return Ok(()) };
    let repaired = case.submissions.iter().any(|it| it.answer == current.id && it.repairs > 0);
    let called = case.request.stage == Stage::NeedsAttention && case.request.alarm.is_none() && !repaired;
    let Some(shown) = case.request.shown.as_ref().filter(|_| called) else { return Ok(()) };
    let older = shown.content_hash.as_ref().is_some_and(|hash| case.ours(hash));
    let lags = current.settled_at.is_some_and(|settled| shown.viewed_at < settled + VIEW_LAG);
    if older && lags { Err(format!("a lagging view calls a person: {}", case.told())) } else { Ok(()) }
}

/// What the gateway says was not sent has not come to GIS and will not: on it rests that it may be cancelled or replaced.
fn not_sent_is_not_sent(case: &Case, gis: &ModelGis) -> Kept {
    for answer in &case.answers {
        let says_so = match answer.state {
            State::Queued => !answer.maybe_sent,
            State::Cancelled => true,
            // One that was in force, and that GIS lost, was replaced by the same content sent anew.
            State::Superseded => answer.delivered_at.is_none(),
            State::Draft
            | State::Prepared
            | State::Sending
            | State::Accepted
            | State::Uncertain
            | State::Delivered
            | State::Rejected
            | State::Revoking
            | State::Revoked => false,
        };
        let own = case.submissions.iter().filter(|submission| submission.answer == answer.id);
        if says_so && own.map(|own| own.transport.as_uuid()).any(|transport| gis.has_trace_of(transport)) {
            return Err(format!("{} is {}, but GIS has it", words_of(answer).text(), answer.state));
        }
    }
    Ok(())
}

/// §5: no answer vanishes, none leaves a final state by itself, and one whose fate is unknown is never taken for unsent.
fn steps(before: &Case, after: &Case) -> Kept {
    for old in &before.answers {
        let new = after.answers.iter().find(|answer| answer.id == old.id);
        let new = new.ok_or_else(|| format!("the answer {} is gone", words_of(old).text()))?;
        let kept = match old.state {
            State::Rejected | State::Revoked | State::Cancelled | State::Superseded => new.state == old.state,
            State::Delivered if new.state == State::Superseded => after
                .answers
                .iter()
                .any(|other| Some(other.id) == new.superseded_by && other.state == State::Delivered),
            State::Uncertain | State::Delivered | State::Revoking => {
                !matches!(new.state, State::Queued | State::Cancelled | State::Superseded)
            }
            State::Sending | State::Accepted => !matches!(new.state, State::Cancelled | State::Superseded),
            State::Draft | State::Prepared | State::Queued => true,
        };
        if !kept {
            return Err(format!("{} went from {} to {}", words_of(old).text(), old.state, new.state));
        }
    }
    Ok(())
}

/// §6.6, §6.7: an answer is delivered (or confirmed) only if GIS held it at some time since its submission began, and
/// withdrawn only if GIS held no answer at some time since its withdrawal began. §6.12: one from elsewhere, at any time.
fn results_are_true(before: &Case, after: &Case, gis: &ModelGis) -> Kept {
    for new in &after.answers {
        let old = before.answers.iter().find(|answer| answer.id == new.id);
        let was = |state| old.is_some_and(|old| old.state == state);
        let fresh = new.state == State::Delivered && !was(State::Delivered) && !was(State::Revoking);
        let confirmed = new.confirmed_in_gis && old.is_none_or(|old| !old.confirmed_in_gis);
        let words = words_of(new);
        if fresh || confirmed {
            let held = after.held_since_begin(new, Action::Send, gis)?;
            if !held.contains(&Held::Answer(words)) {
                return Err(format!("{} is {}, but GIS never held it", words.text(), new.state));
            }
        }
        if new.state == State::Revoked && !was(State::Revoked) {
            let held = after.held_since_begin(new, Action::Revoke, gis)?;
            if held.iter().all(|held| matches!(held, Held::Answer(_))) {
                return Err(format!("{} is revoked, but GIS held an answer all the time", words.text()));
            }
        }
    }
    Ok(())
}

impl Case {
    fn held_since_begin(&self, answer: &Answer, action: Action, gis: &ModelGis) -> Kept<Vec<Held>> {
        if answer.is_from_elsewhere() {
            return Ok(gis.held_since(self.request.id, DateTime::UNIX_EPOCH));
        }
        let own = self.submissions.iter().rfind(|it| it.answer == answer.id && it.action == action);
        let began = own.and_then(|own| own.began_at);
        let began =
            began.ok_or_else(|| format!("{} is {} without a call", words_of(answer).text(), answer.state))?;
        Ok(gis.held_since(self.request.id, began))
    }
}

/// §6.8: never over an answer of others that GIS has shown, unless that was confirmed.
fn not_over_others(case: &Case, call: &Called, answer: &Answer, gis: &ModelGis) -> Kept {
    let known = |other: &Called| case.of_transport(other.item.transport).is_ok();
    let mut others = gis.calls.iter().filter(|other| other.turn < call.turn && !other.refused);
    let first = others.all(|other| other.item.transport == call.item.transport || !known(other));
    let send = matches!(call.item.deed, Deed::Send(_));
    let shown = case.request.shown.as_ref().and_then(|shown| shown.content_hash.as_ref());
    let obstacle = match case.request.gis.response_status {
        ResponseStatus::Sent => shown.filter(|hash| !case.ours(hash)).map(|_| Confirm::AlreadyAnswered),
        ResponseStatus::AutoGenerated => Some(Confirm::AutoGeneratedByGis),
        ResponseStatus::NotSent | ResponseStatus::Unknown => None,
    };
    let Some(obstacle) = obstacle else { return Ok(()) };
    let confirmed =
        send && answer.confirm.contains(&obstacle) && (first || obstacle != Confirm::AlreadyAnswered);
    if confirmed { Ok(()) } else { Err(format!("{:?} although GIS shows {obstacle}", call.item.deed)) }
}

/// §4.4: an answer of ours in force is withdrawn before another one is sent (the default way of corrections).
fn not_over_our_own(case: &Case, call: &Called, answer: &Answer) -> Kept {
    let in_force = case.answers.iter().find(|other| other.state == State::Delivered);
    match (call.item.deed, in_force) {
        (Deed::Send(words), Some(other)) if other.content_hash != answer.content_hash => {
            Err(format!("{} is sent over {}", words.text(), words_of(other).text()))
        }
        (Deed::Send(_) | Deed::Revoke, _) => Ok(()),
    }
}

/// What is not settled yet, in words.
pub(super) fn unsettled(view: &View) -> String {
    let answers = view.values().flat_map(|case| &case.answers).filter(|answer| !answer.state.is_final());
    let answers = answers.map(|answer| format!("{} is {}", words_of(answer).text(), answer.state));
    let submissions = view.values().flat_map(|case| &case.submissions);
    let submissions = submissions
        .filter(|submission| !submission.state.is_final())
        .map(|submission| format!("a {} is {}", submission.action, submission.state));
    answers.chain(submissions).collect::<Vec<_>>().join(", ")
}

/// The promise: the last content is in force, or the answer says that it is not, and no older content of ours is in force
/// in silence. `allows_much`: somebody else has acted, so that GIS may hold what nobody here can know of.
pub(super) fn in_the_end(case: &Case, held: Held, allows_much: bool) -> Kept {
    let settled = |state| matches!(state, State::Delivered | State::Revoked | State::Rejected);
    let last = case.answers.iter().find(|answer| settled(answer.state));
    let in_force = case.answers.iter().find(|answer| answer.state == State::Delivered);
    let ours = matches!(held, Held::Answer(words) if words != Words::Foreign);
    let kept = match (last, in_force) {
        (None, _) => !ours,
        (Some(last), _) if last.state == State::Revoked => !ours,
        (Some(_), None) => !ours,
        (Some(_), Some(in_force)) => held == Held::Answer(words_of(in_force)) || (allows_much && !ours),
    };
    if !kept && !case.says_so(last) && !allows_much {
        return Err(format!("GIS holds {held:?} in the end, and nobody says so: {}", case.told()));
    }
    if kept
        && !allows_much
        && case.request.stage == Stage::NeedsAttention
        && last.is_some_and(|last| last.state != State::Rejected)
    {
        return Err(format!("all is well in the end, but a person is called: {}", case.told()));
    }
    Ok(())
}

impl Case {
    /// What the gateway says of a debt request, in words.
    fn told(&self) -> String {
        let answers = self.answers.iter().rev().map(|answer| {
            let error = answer.last_error.as_ref().map_or("", |error| error.code.as_str());
            format!("{} is {} {error}", words_of(answer).text(), answer.state)
        });
        let answers = answers.collect::<Vec<_>>().join(", ");
        format!("{answers}; the request is {}, {:?}", self.request.stage, self.request.alarm)
    }
}
