//! The answers of a run, in one transaction: each request is held and looked at once more, so that whatever came meanwhile
//! counts.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::json;

use super::Considered;
use crate::Service;
use crate::answers::ContentDraft;
use crate::answers::by_registry::{Given, Giving};
use crate::audit::record_own;
use crate::case::Case;
use crate::domain::answer::Source;
use crate::domain::auto_answer::{AutoAnswerRun, Facts, SkipReason, Verdict, decide};
use crate::domain::caller::{Caller, Scopes};
use crate::domain::event::{EventKind, NewEvent};
use crate::domain::operation::{Intake, ItemError, OperationItem, OperationKind};
use crate::domain::organization::Organization;
use crate::domain::settings::AutoAnswerSettings;
use crate::error::Result;
use crate::ids::{DebtRequestId, TokenId};
use crate::operations;
use crate::registries::opinions;
use crate::store::{Conn, Tx, auto_answer_runs, events};

/// Who gives the answers, as operations and answers name him.
const AUTHOR: &str = "auto_answer";
/// What the log says was stopped: a run that answers none leaves nothing else behind.
const SETTINGS: &str = "settings/auto-answer";

/// Why a run answers none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// There are more answers than one run may give: something may be wrong with the registry.
    TooMany {
        /// How many.
        answers: usize,
    },
    /// GIS could not be read in time.
    NotRead,
}

impl Service {
    /// Gives the answers of a run, tells of all its requests in an operation, and ends it.
    pub(crate) async fn answer_automatically(
        &self,
        tx: &mut Tx,
        run: AutoAnswerRun,
        organization: &Organization,
        settings: &AutoAnswerSettings,
        considered: Vec<Considered>,
    ) -> Result<()> {
        let now = self.clock.now();
        let caller = author(organization);
        let wanted = considered.iter().filter(|item| item.verdict == Verdict::Answer);
        let wanted: Vec<_> = wanted.map(|item| item.request.id).collect();
        let cases = Case::open_many(tx, &wanted, now).await?;
        let verdicts = verdicts(tx, organization, settings, &cases, now).await?;
        let free = |case: &Case| verdicts.get(&case.request.id) == Some(&Verdict::Answer);
        let cases: Vec<_> = cases.into_iter().filter(free).collect();
        let content = || ContentDraft { comment: settings.comment.clone(), ..ContentDraft::default() };
        let contents = cases.iter().map(|case| (case.request.id, content())).collect();
        let giving = Giving { submit: true, source: Source::Auto };
        let given = self.give(tx, &caller, cases, contents, giving).await?;
        let made = given.values().filter_map(Given::answer).map(|id| format!("answers/{id}"));
        record_own(tx, organization.id, "create_answer", made.collect(), now).await?;
        let items: Vec<_> = (0..)
            .zip(considered)
            .map(|(place, Considered { request, verdict })| {
                let verdict = verdicts.get(&request.id).copied().unwrap_or(verdict);
                item(place, request.id, verdict, given.get(&request.id))
            })
            .collect();
        if !items.is_empty() {
            let begun = operations::begin(tx, &caller, OperationKind::AutoAnswer, items, now).await?;
            let target = format!("operations/{}", begun.operation.id);
            record_own(tx, organization.id, "auto_answer", vec![target], now).await?;
        }
        end(tx, run, now).await
    }

    /// Ends a run that answers none, and tells people.
    pub(crate) async fn stop_auto_answer(
        &self,
        tx: &mut Tx,
        run: AutoAnswerRun,
        settings: &AutoAnswerSettings,
        stop: Stop,
    ) -> Result<()> {
        let now = self.clock.now();
        let data = match stop {
            Stop::TooMany { answers } => json!({
                "run_on": run.run_on,
                "reason": "too_many",
                "answers": answers,
                "max_per_run": settings.max_per_run,
            }),
            Stop::NotRead => json!({ "run_on": run.run_on, "reason": "gis_not_read" }),
        };
        let event = NewEvent {
            organization: run.organization,
            kind: EventKind::AutoAnswerStopped,
            debt_request: None,
            answer: None,
            data,
        };
        tracing::warn!(organization = %run.organization, ?stop, "the automatic answer was stopped");
        let organization = run.organization;
        end(tx, run, now).await?;
        events::append(tx, &[event], now).await?;
        record_own(tx, organization, "stop_auto_answer", vec![SETTINGS.to_owned()], now).await
    }
}

/// Ends a run.
pub(crate) async fn end(conn: &mut Conn, run: AutoAnswerRun, now: DateTime<Utc>) -> Result<()> {
    let run = AutoAnswerRun { finished_at: Some(now), ..run };
    Ok(auto_answer_runs::update(conn, &run).await?)
}

/// What becomes of requests that the transaction holds.
async fn verdicts(
    conn: &mut Conn,
    organization: &Organization,
    settings: &AutoAnswerSettings,
    cases: &[Case],
    now: DateTime<Utc>,
) -> Result<BTreeMap<DebtRequestId, Verdict>> {
    let today = now.with_timezone(&organization.time_zone).date_naive();
    let requests: Vec<_> = cases.iter().map(|case| &case.request).collect();
    let opinions = opinions(conn, organization.id, &requests, today).await?;
    let verdict = |case: &Case| {
        let request = &case.request;
        let in_flight = case.submissions().iter().any(|submission| !submission.state.is_final());
        let opinion = opinions.get(&request.id).copied().unwrap_or_default();
        let shown = (request.gis.response_status, request.stage);
        decide(&Facts::of(shown, case.answers(), in_flight, opinion), settings, now)
    };
    Ok(cases.iter().map(|case| (case.request.id, verdict(case))).collect())
}

fn author(organization: &Organization) -> Caller {
    Caller {
        token: TokenId::generate(),
        subject: AUTHOR.to_owned(),
        organization: organization.id,
        employee: None,
        scopes: Scopes::default(),
    }
}

fn item(place: i64, debt_request: DebtRequestId, verdict: Verdict, given: Option<&Given>) -> OperationItem {
    let skipped = |reason: SkipReason| vec![error(reason.as_str(), reason.label())];
    let (intake, answer, errors) = match (verdict, given) {
        (Verdict::Skip(reason), _) => (Intake::Skipped, None, skipped(reason)),
        (Verdict::Answer, Some(Given::Queued(id) | Given::Drafted(id))) => {
            (Intake::Queued, Some(*id), Vec::new())
        }
        (Verdict::Answer, Some(Given::Refused(code))) => {
            (Intake::Refused, None, vec![error(code, "автоответ не принят")])
        }
        (Verdict::Answer, Some(Given::Skipped)) => (Intake::Skipped, None, skipped(SkipReason::InFlight)),
        // It was not there any more.
        (Verdict::Answer, None) => (Intake::Skipped, None, skipped(SkipReason::NotWaiting)),
    };
    OperationItem { place, debt_request: Some(debt_request), external_id: None, intake, answer, errors }
}

fn error(code: &str, detail: &str) -> ItemError {
    ItemError { pointer: String::new(), code: code.to_owned(), detail: detail.to_owned() }
}

/// Requests that would be answered although they were last shown before the run, and of which GIS was not asked in it.
pub(crate) fn unread(
    considered: &[Considered],
    since: DateTime<Utc>,
    asked: &BTreeSet<DebtRequestId>,
) -> Vec<DebtRequestId> {
    let stale = considered.iter().filter(|item| is_stale(item, since)).map(|item| item.request.id);
    stale.filter(|id| !asked.contains(id)).collect()
}

/// Whether GIS has shown in this run any request that would be answered.
pub(crate) fn any_shown(considered: &[Considered], since: DateTime<Utc>) -> bool {
    considered.iter().any(|item| item.verdict == Verdict::Answer && !is_stale(item, since))
}

/// Those that GIS was asked for in vain are left to people.
pub(crate) fn leave_unread(considered: &mut [Considered], since: DateTime<Utc>) {
    for item in considered.iter_mut().filter(|item| is_stale(item, since)) {
        item.verdict = Verdict::Skip(SkipReason::NotRead);
    }
}

fn is_stale(item: &Considered, since: DateTime<Utc>) -> bool {
    item.verdict == Verdict::Answer && item.request.synced_at < since
}
