//! One step of a run: some of its requests are compared with the registry, answered where that is wanted, and written
//! down, all in one transaction. Whoever takes the next step finds what is still pending.
//!
//! A run goes by one registry, and others may answer too: that of the organisation and those of its departments (F78). Each
//! of them that is responsible for a request can stand in the way of «no debt».

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};

use super::compare::{compare, known_houses};
use super::end;
use crate::Service;
use crate::answers::by_registry::{Given, debtor_draft, document_draft, file_draft};
use crate::answers::{ContentDraft, DebtorDraft, FileDraft};
use crate::audit::record_own;
use crate::domain::caller::{Caller, Scopes};
use crate::domain::debt_request::{DebtRequest, Match, MatchResult};
use crate::domain::match_run::{Deed, Explanation, MatchItem, MatchMode, MatchRun, MatchRunStatus};
use crate::domain::matching::rules::Reason;
use crate::domain::matching::{Decision, weight};
use crate::domain::registry::{KeptDebt, RegistryStatus};
use crate::error::Result;
use crate::ids::{DebtRequestId, MatchRunId, TokenId};
use crate::jobs::JobName;
use crate::registries::second_opinions;
use crate::store::{Conn, Tx, debt_requests, match_rounds, match_runs, matches_due, registries};

/// Requests of one step.
const BATCH: i64 = 100;

impl Service {
    /// Takes a step of a run; how many requests it moved on, 1 for its end, 0 when it has ended.
    pub(crate) async fn step_match_run(&self, id: MatchRunId) -> Result<u64> {
        let mut tx = self.db.begin().await?;
        // Another instance may be at it, or has ended it.
        let held = match_runs::lock(&mut tx, id).await?;
        let Some(mut run) = held.filter(|run| run.finished_at.is_none()) else { return Ok(0) };
        // Whoever changes a row or lets another registry answer holds the registry: until the end of this step it says the
        // same, so an answer says what the decision rests on.
        let registry = registries::lock(&mut tx, run.organization, run.registry).await?;
        let answers = registry.is_some_and(|registry| registry.status == RegistryStatus::Active);
        let pending = match_runs::pending(&mut tx, id, BATCH).await?;
        let moved = if pending.is_empty() {
            run.status = MatchRunStatus::Succeeded;
            end(&mut tx, &mut run, self.clock.now()).await?;
            1
        } else if answers {
            self.match_some(&mut tx, &run, &pending).await?;
            u64::try_from(pending.len()).unwrap_or(1)
        } else {
            self.give_up(&mut tx, &mut run).await?;
            1
        };
        tx.commit().await?;
        Ok(moved)
    }

    /// Ends a run whose registry does not answer any more. One that began by itself begins anew, by the registry that does, and
    /// so does the round that it is a part of.
    async fn give_up(&self, tx: &mut Tx, run: &mut MatchRun) -> Result<()> {
        let now = self.clock.now();
        if run.automatic {
            // Before the row of the run is written: whoever takes the note and finds the run under way waits for it then.
            match_rounds::end(tx, run.organization).await?;
            matches_due::note(tx, run.organization, now).await?;
            tx.wake(JobName::Matching);
        }
        run.status = MatchRunStatus::Replaced;
        end(tx, run, now).await
    }

    async fn match_some(&self, tx: &mut Tx, run: &MatchRun, pending: &[(i64, DebtRequestId)]) -> Result<()> {
        let now = self.clock.now();
        let today = self.today(tx, run.organization).await?;
        let ids: Vec<_> = pending.iter().map(|(_, id)| *id).collect();
        // All at once and before the first event is noted, see `store::events`.
        let held = debt_requests::lock_many(tx, &ids).await?;
        let ours = |request: &DebtRequest| request.organization == run.organization;
        let requests: Vec<_> = held.into_iter().filter(ours).collect();
        let findings = findings(tx, run, &requests, today).await?;
        for request in &requests {
            if let Some(finding) = findings.get(&request.id) {
                note(tx, request, finding.noted(run, now)).await?;
            }
        }
        let mut given = self.answer_some(tx, run, &findings).await?;
        if run.automatic {
            let made = given.values().filter_map(Given::answer).map(|id| format!("answers/{id}"));
            record_own(tx, run.organization, "create_answer", made.collect(), now).await?;
        }
        let items = pending.iter().map(|(place, id)| {
            let decision = findings.get(id).map(|finding| &finding.decision);
            item(*place, *id, decision, given.remove(id))
        });
        Ok(match_runs::save_items(tx, run.id, items.collect()).await?)
    }

    /// Answers what was decided beyond doubt, as far as the run shall.
    async fn answer_some(
        &self,
        tx: &mut Tx,
        run: &MatchRun,
        findings: &BTreeMap<DebtRequestId, Finding>,
    ) -> Result<BTreeMap<DebtRequestId, Given>> {
        let submit = match run.mode {
            MatchMode::Preview => return Ok(BTreeMap::new()),
            MatchMode::Prepare => false,
            MatchMode::Submit => true,
        };
        let wanted: Vec<_> =
            findings.values().flat_map(|finding| &finding.decision.counting).copied().collect();
        let debts: HashMap<_, _> = registries::debts_by_id(tx, run.registry, &wanted)
            .await?
            .into_iter()
            .map(|kept| (kept.debt.entry.id, kept))
            .collect();
        let mut contents = BTreeMap::new();
        for (id, finding) in findings {
            match finding.answer {
                Some(HasDebt(true)) => {
                    let rows = &finding.decision.counting;
                    contents.insert(*id, debt(rows.iter().filter_map(|row| debts.get(row))));
                }
                Some(HasDebt(false)) => {
                    contents.insert(*id, ContentDraft::default());
                }
                None => {}
            }
        }
        self.answer_by_registry(tx, &starter(run), contents, submit).await
    }
}

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct HasDebt(bool);

/// What a run makes of a request.
struct Finding {
    /// What its registry says; where another one that answers weighs more, a doubt.
    decision: Decision,
    /// What all registries that answer say together.
    joint: MatchResult,
    /// The answer that follows.
    answer: Option<HasDebt>,
}

impl Finding {
    /// «No debt» needs every registry that answers for the request, and a department says it of its own requests alone. A
    /// debt is one, whoever the request was given to.
    fn of(run: &MatchRun, request: &DebtRequest, own: Decision, others: Vec<Decision>) -> Self {
        let heavier = |one, other| if weight(other) > weight(one) { other } else { one };
        let joint = others.iter().map(|other| other.result).fold(own.result, heavier);
        let mut decision = others.into_iter().fold(own, Decision::against);
        let is_foreign = run.department.is_some() && request.department != run.department;
        let answer = match decision.result {
            MatchResult::Found => Some(HasDebt(true)),
            MatchResult::NotFound if run.only_debts => None,
            MatchResult::NotFound if is_foreign => {
                decision.reasons.push(Reason::OtherDepartment);
                None
            }
            MatchResult::NotFound => Some(HasDebt(false)),
            MatchResult::Ambiguous => None,
        };
        Self { decision, joint, answer }
    }

    /// What the request tells of it: a debt that another registry knows is not hidden by this one.
    fn noted(&self, run: &MatchRun, now: DateTime<Utc>) -> Match {
        Match { result: self.joint, registry_id: Some(run.registry.as_uuid()), checked_at: now }
    }
}

async fn findings(
    conn: &mut Conn,
    run: &MatchRun,
    requests: &[DebtRequest],
    today: NaiveDate,
) -> Result<BTreeMap<DebtRequestId, Finding>> {
    let all: Vec<_> = requests.iter().collect();
    let book = known_houses(conn, run.organization, &all).await?;
    let mut own = compare(conn, run.registry, &all, today, &book).await?;
    let mut others = second_opinions(conn, run.organization, run.registry, &all, today, &book).await?;
    let finding = |request: &DebtRequest| {
        let own = own.remove(&request.id)?;
        let others = others.remove(&request.id).unwrap_or_default();
        Some((request.id, Finding::of(run, request, own, others)))
    };
    Ok(requests.iter().filter_map(finding).collect())
}

/// Whoever started a run, as far as answers know him. What he may do was looked at then.
fn starter(run: &MatchRun) -> Caller {
    Caller {
        token: TokenId::generate(),
        subject: run.started_by.clone(),
        organization: run.organization,
        employee: run.employee,
        scopes: Scopes::default(),
    }
}

/// What an answer says of the rows that count: every debtor once with all his documents, every remark, every file.
fn debt<'a>(rows: impl Iterator<Item = &'a KeptDebt>) -> ContentDraft {
    let mut debtors: Vec<(DebtorDraft, Vec<FileDraft>)> = Vec::new();
    let mut remarks: Vec<String> = Vec::new();
    let mut attachments: Vec<FileDraft> = Vec::new();
    for kept in rows {
        for owes in &kept.debt.debtors {
            let (debtor, documents) = (debtor_draft(owes), owes.documents.iter().map(document_draft));
            match debtors.iter_mut().find(|(known, _)| *known == debtor) {
                Some((_, known)) => add(known, documents),
                None => debtors.push((debtor, documents.collect())),
            }
        }
        add(&mut remarks, kept.debt.note.as_ref().map(|note| note.as_str().to_owned()));
        add(&mut attachments, kept.debt.files.iter().copied().map(file_draft));
    }
    let comment = (!remarks.is_empty()).then(|| remarks.join("\n"));
    let debtors =
        debtors.into_iter().map(|(debtor, documents)| DebtorDraft { documents, ..debtor }).collect();
    ContentDraft { has_debt: true, comment, debtors, attachments }
}

/// Adds what is not there yet.
fn add<T: PartialEq>(all: &mut Vec<T>, more: impl IntoIterator<Item = T>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

/// Writes the result into the request; a new version of it only where something new came out. In a round every registry has
/// its turn, so another registry alone is no news.
async fn note(tx: &mut Tx, request: &DebtRequest, matched: Match) -> Result<()> {
    let same = request.matched.is_some_and(|last| last.result == matched.result);
    Ok(debt_requests::note_match(tx, request.id, matched, !same).await?)
}

fn item(
    place: i64,
    debt_request: DebtRequestId,
    decision: Option<&Decision>,
    given: Option<Given>,
) -> MatchItem {
    let (deed, answer, error) = match (decision, given) {
        (None, _) => (Deed::Gone, None, None),
        (Some(_), None) => (Deed::Matched, None, None),
        (Some(_), Some(Given::Skipped)) => (Deed::Skipped, None, None),
        (Some(_), Some(Given::Drafted(id))) => (Deed::Drafted, Some(id), None),
        (Some(_), Some(Given::Queued(id))) => (Deed::Queued, Some(id), None),
        (Some(_), Some(Given::Refused(code))) => (Deed::Refused, None, Some(code.to_owned())),
    };
    MatchItem {
        place,
        debt_request,
        deed,
        result: decision.map(|decision| decision.result),
        explanation: decision.map(Explanation::from),
        answer,
        error,
    }
}
