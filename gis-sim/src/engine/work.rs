//! An accepted request gets its result: rules and the world judge it, what is allowed takes effect.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::RngExt;
use rand::seq::SliceRandom;
use uuid::Uuid;

use super::{Engine, Event, later};
use crate::clock::moscow;
use crate::codes::{self, gis_error};
use crate::exchange::Stored;
use crate::faults::ResultPlan;
use crate::files::Habits;
use crate::rules::{self, Scope};
use crate::scenario::BadValue;
use crate::seed::dice;
use crate::state::{Cause, Change, Effect, Judge, Refused, WorldError};
use crate::wire::model::{Action, Answer, Body, Done, Export, GisError, ItemResult, Request};

/// The last digits of a request number that the system answers by itself.
const AUTO_GENERATED_ENDING: &str = "06";

/// Errors of one item.
const MOST_ITEM_ERRORS: usize = 20;

/// An accepted request that waits for its turn.
#[derive(Debug)]
pub(super) struct Work {
    /// The id that GIS gave.
    pub(super) gis_message: Uuid,
    /// What was asked.
    pub(super) request: Request,
    /// What is to go wrong.
    pub(super) plan: ResultPlan,
    /// Bytes of the message.
    pub(super) size: usize,
    /// Decides what looks like chance.
    pub(super) number: u64,
}

/// An action reported as done that takes effect later.
#[derive(Debug)]
pub(super) struct Landing {
    subrequest: Uuid,
    change: Change,
    cause: Cause,
}

/// The actions of a package that were done and are to take effect once more.
#[derive(Debug)]
pub(super) struct Ghost {
    actions: Vec<Action>,
    author: Author,
    number: u64,
    size: usize,
}

/// Who did what, for the history.
#[derive(Debug, Clone, Copy)]
struct Author {
    supplier: Uuid,
    message: Uuid,
    gis_message: Uuid,
    ghost: bool,
}

impl Author {
    fn of(work: &Work) -> Self {
        let header = &work.request.header;
        let (supplier, message) = (header.organization, header.message);
        Self { supplier, message, gis_message: work.gis_message, ghost: false }
    }

    fn cause(self, transport: Uuid) -> Cause {
        Cause::Call { transport, message: self.message, gis_message: self.gis_message, ghost: self.ghost }
    }
}

impl Engine {
    pub(super) fn work(&mut self, work: Work, at: DateTime<Utc>) {
        self.waiting_bytes = self.waiting_bytes.saturating_sub(work.size);
        let result = match (&work.plan.error, &work.request.body) {
            (Some((code, text)), _) => Stored::Error(gis_error(code, text.as_deref())),
            (None, Body::ExportSubrequests(export)) => self.export(&work, export, at),
            (None, Body::ImportResponses(actions)) => self.import(&work, actions, at),
            (None, Body::GetState(_) | Body::ImportDebtRequests | Body::ExportDebtRequests) => return,
        };
        if work.plan.stuck.is_none() {
            self.exchange.finish(work.gis_message, self.dressed(result));
        }
    }

    /// Q9: errors may come with a stack trace.
    fn dressed(&self, result: Stored) -> Stored {
        match result {
            Stored::Error(error) if self.scenario.replies.stack_traces => {
                let stack_trace = Some(crate::wire::write::STACK_TRACE.to_owned());
                Stored::Error(GisError { stack_trace, ..error })
            }
            other @ (Stored::Error(_) | Stored::Import(_) | Stored::Export(_)) => other,
        }
    }

    fn export(&mut self, work: &Work, export: &Export, at: DateTime<Utc>) -> Stored {
        if let Some(error) = self.broken_rules(&work.request, at).into_iter().next() {
            return Stored::Error(gis_error(error.code, Some(&error.description)));
        }
        let view = earlier(at, self.scenario.timing.view_lag);
        match self.world.export(work.request.header.organization, export, view, &self.scenario.export) {
            Ok(page) => Stored::Export(page),
            Err(error) => Stored::Error(error),
        }
    }

    fn import(&mut self, work: &Work, actions: &[Action], at: DateTime<Utc>) -> Stored {
        let broken = self.broken_rules(&work.request, at);
        let whole = |error: &&rules::RuleError| {
            error.scope == Scope::Whole || self.scenario.import.bad_value == BadValue::Package
        };
        if let Some(error) = broken.iter().find(whole) {
            return Stored::Error(gis_error(error.code, Some(&error.description)));
        }
        let author = Author::of(work);
        let mut results = Vec::with_capacity(actions.len());
        let mut done = Vec::new();
        for (place, action) in actions.iter().enumerate() {
            let own = broken.iter().filter(|error| error.scope == Scope::Item(place));
            let mut errors: Refused =
                own.map(|error| gis_error(error.code, Some(&error.description))).collect();
            let planned = work.plan.items.iter().filter(|fault| fault.hits(place, action.subrequest));
            errors.extend(planned.map(|fault| gis_error(&fault.code, fault.text.as_deref())));
            errors.truncate(MOST_ITEM_ERRORS);
            let result =
                if errors.is_empty() { self.act(action, author, work.number, at) } else { Err(errors) };
            if result.is_ok() && work.plan.ghost.is_some() {
                done.push(action.clone());
            }
            results.push(item_result(action, result, at));
        }
        self.plan_ghost(work, done, at);
        Stored::Import(self.disfigured(results, work))
    }

    /// Only what was done once can happen twice; nothing comes of a package without a single done action.
    fn plan_ghost(&mut self, work: &Work, actions: Vec<Action>, at: DateTime<Utc>) {
        let Some(after) = work.plan.ghost.filter(|_| !actions.is_empty()) else {
            return;
        };
        self.waiting_bytes = self.waiting_bytes.saturating_add(work.size);
        let author = Author { ghost: true, ..Author::of(work) };
        let ghost = Ghost { actions, author, number: work.number, size: work.size };
        self.plan(later(at, after), Event::Ghost(Box::new(ghost)));
    }

    /// Lets one action happen, now or as late as the scenario wants.
    fn act(
        &mut self,
        action: &Action,
        author: Author,
        number: u64,
        at: DateTime<Utc>,
    ) -> Result<(), Refused> {
        self.apply_sandbox_ending(action.subrequest, at);
        let judge =
            Judge { supplier: author.supplier, switches: &self.scenario.import, seed: self.seeds.seed };
        let change = judge.judge(&self.world, action)?;
        let landing =
            Landing { subrequest: action.subrequest, change, cause: author.cause(action.transport) };
        let timing = &self.scenario.timing;
        let spread = part_of(timing.effect_spread, self.seeds.seed, number, action.transport);
        let delay = timing.effect_delay.saturating_add(spread);
        if delay.is_zero() {
            return self.land(landing, at).map_err(no_room);
        }
        self.world.reserve(landing.change.size()).map_err(no_room)?;
        self.plan(later(at, delay), Event::Landing(landing));
        Ok(())
    }

    /// A landing that had to wait; its room was reserved, so only a withdrawal can have come between.
    pub(super) fn land_late(&mut self, landing: Landing, at: DateTime<Utc>) {
        self.world.release(landing.change.size());
        let subrequest = landing.subrequest;
        if let Err(problem) = self.land(landing, at) {
            tracing::info!(%subrequest, %problem, "an action took no effect");
        }
    }

    fn land(&mut self, landing: Landing, at: DateTime<Utc>) -> Result<(), WorldError> {
        let answer = match &landing.change {
            Change::Sent(answer) => Some(Arc::clone(answer)),
            Change::Revoked | Change::AutoGenerated => None,
        };
        let effect = Effect { at, change: landing.change, cause: landing.cause };
        self.world.apply(landing.subrequest, effect)?;
        self.answer_if_overdue(landing.subrequest, at);
        answer.iter().flat_map(|answer| files_of(answer)).for_each(|file| self.files.mark_used(file));
        Ok(())
    }

    /// The second landing of a package; what is refused now simply does not happen.
    pub(super) fn haunt(&mut self, ghost: Ghost, at: DateTime<Utc>) {
        self.waiting_bytes = self.waiting_bytes.saturating_sub(ghost.size);
        for action in &ghost.actions {
            if let Err(errors) = self.act(action, ghost.author, ghost.number, at) {
                let code = errors.first().map(|error| error.code.as_str());
                tracing::debug!(subrequest = %action.subrequest, code, "a ghost was refused");
            }
        }
    }

    fn broken_rules(&self, request: &Request, now: DateTime<Utc>) -> Vec<rules::RuleError> {
        let habits = Habits { switches: &self.scenario.files, now };
        rules::check(request, &|organization, file| self.files.hash(organization, file, habits))
    }

    /// Ending 06: the system has answered before the supplier's answer is looked at.
    fn apply_sandbox_ending(&mut self, subrequest: Uuid, at: DateTime<Utc>) {
        let ends = self.world.get(subrequest).is_some_and(|record| {
            record.info.number.ends_with(AUTO_GENERATED_ENDING) && record.history().is_empty()
        });
        if ends && self.scenario.import.sandbox_endings {
            self.answer_by_system(subrequest, at);
        }
    }

    /// Q17: order and number of results.
    fn disfigured(&self, mut results: Vec<ItemResult>, work: &Work) -> Vec<ItemResult> {
        if work.plan.shuffle || self.scenario.import.shuffle_results {
            results.shuffle(&mut dice(self.seeds.seed, "shuffle", work.number, 0));
        }
        results.truncate(results.len().saturating_sub(work.plan.missing));
        if work.plan.duplicate {
            results.extend(results.clone());
        }
        results
    }
}

/// The item error of an action that the full simulator cannot hold; the code is this simulator's choice.
fn no_room(problem: WorldError) -> Refused {
    vec![gis_error(codes::TRANSFER_ERROR, Some(&problem.to_string()))]
}

fn item_result(action: &Action, result: Result<(), Refused>, at: DateTime<Utc>) -> ItemResult {
    let result = result.map(|()| Done { updated: at.with_timezone(&moscow()) });
    let guid = result.is_ok().then_some(action.subrequest);
    ItemResult { guid, transport: action.transport, result }
}

fn files_of(answer: &Answer) -> impl Iterator<Item = Uuid> {
    let papers = answer.debtors.iter().flat_map(|debtor| &debtor.documents).map(|document| &document.file);
    answer.additional_files.iter().chain(papers).map(|file| file.guid)
}

fn earlier(moment: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    let by = chrono::TimeDelta::from_std(by).unwrap_or(chrono::TimeDelta::MAX);
    moment.checked_sub_signed(by).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

/// A part of `spread` that the seed chooses.
fn part_of(spread: Duration, seed: u64, number: u64, transport: Uuid) -> Duration {
    let (high, low) = transport.as_u64_pair();
    spread.mul_f64(dice(seed, "spread", number, high ^ low).random::<f64>())
}
