//! One step of a run: some of its requests are compared with the registry, answered where that is wanted, and written
//! down, all in one transaction. Whoever takes the next step finds what is still pending.

use std::collections::{BTreeMap, HashMap};

use super::compare::compare;
use super::end;
use crate::Service;
use crate::answers::by_registry::{Given, debtor_draft, document_draft, file_draft};
use crate::answers::{ContentDraft, DebtorDraft, FileDraft};
use crate::domain::caller::{Caller, Scopes};
use crate::domain::debt_request::{DebtRequest, Match, MatchResult};
use crate::domain::match_run::{Deed, Explanation, MatchItem, MatchMode, MatchRun, MatchRunStatus};
use crate::domain::matching::Decision;
use crate::domain::registry::KeptDebt;
use crate::error::Result;
use crate::ids::{CourtDebtId, DebtRequestId, MatchRunId, TokenId};
use crate::store::{Tx, debt_requests, match_runs, registries};

/// Requests of one step.
const BATCH: i64 = 100;

impl Service {
    /// Takes a step of a run; how many requests it moved on, 1 for its end, 0 when it has ended.
    pub(crate) async fn step_match_run(&self, id: MatchRunId) -> Result<u64> {
        let mut tx = self.db.begin().await?;
        // Another instance may be at it, or has ended it.
        let held = match_runs::lock(&mut tx, id).await?;
        let Some(mut run) = held.filter(|run| run.finished_at.is_none()) else { return Ok(0) };
        let pending = match_runs::pending(&mut tx, id, BATCH).await?;
        let moved = if pending.is_empty() {
            run.status = MatchRunStatus::Succeeded;
            end(&mut tx, &mut run, self.clock.now()).await?;
            1
        } else {
            self.match_some(&mut tx, &run, &pending).await?;
            u64::try_from(pending.len()).unwrap_or(1)
        };
        tx.commit().await?;
        Ok(moved)
    }

    async fn match_some(&self, tx: &mut Tx, run: &MatchRun, pending: &[(i64, DebtRequestId)]) -> Result<()> {
        let now = self.clock.now();
        let today = self.today(tx, run.organization).await?;
        let ids: Vec<_> = pending.iter().map(|(_, id)| *id).collect();
        let requests = debt_requests::find(tx, run.organization, &ids, &[]).await?;
        let decisions = compare(tx, run.registry, &requests.iter().collect::<Vec<_>>(), today).await?;
        let mut given = self.answer_some(tx, run, &decisions).await?;
        let matches: Vec<_> = requests
            .iter()
            .filter_map(|request| {
                let result = decisions.get(&request.id)?.result;
                let registry_id = Some(run.registry.as_uuid());
                Some((request, Match { result, registry_id, checked_at: now }))
            })
            .collect();
        for (request, matched) in matches {
            note(tx, request, matched).await?;
        }
        let items = pending.iter().map(|(place, id)| {
            let decision = decisions.get(id);
            item(*place, *id, decision, given.remove(id))
        });
        Ok(match_runs::save_items(tx, run.id, items.collect()).await?)
    }

    /// Answers what was decided beyond doubt, as far as the run shall.
    async fn answer_some(
        &self,
        tx: &mut Tx,
        run: &MatchRun,
        decisions: &BTreeMap<DebtRequestId, Decision>,
    ) -> Result<BTreeMap<DebtRequestId, Given>> {
        let submit = match run.mode {
            MatchMode::Preview => return Ok(BTreeMap::new()),
            MatchMode::Prepare => false,
            MatchMode::Submit => true,
        };
        let counted = |decision: &Decision| -> Vec<CourtDebtId> {
            decision.candidates.iter().filter(|row| row.counts).map(|row| row.id).collect()
        };
        let wanted: Vec<_> = decisions.values().flat_map(counted).collect();
        let debts: HashMap<_, _> = registries::debts_by_id(tx, run.registry, &wanted)
            .await?
            .into_iter()
            .map(|kept| (kept.debt.entry.id, kept))
            .collect();
        let mut contents = BTreeMap::new();
        for (id, decision) in decisions {
            match decision.result {
                MatchResult::Found => {
                    let rows = counted(decision);
                    contents.insert(*id, debt(rows.iter().filter_map(|row| debts.get(row))));
                }
                MatchResult::NotFound if !run.only_debts => {
                    contents.insert(*id, ContentDraft::default());
                }
                MatchResult::NotFound | MatchResult::Ambiguous => {}
            }
        }
        self.answer_by_registry(tx, &starter(run), contents, submit).await
    }
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

/// Writes the result into the request; a new version of it only where something new came out.
async fn note(tx: &mut Tx, request: &DebtRequest, matched: Match) -> Result<()> {
    let same = request
        .matched
        .is_some_and(|last| (last.result, last.registry_id) == (matched.result, matched.registry_id));
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
