//! One step of a run: some of its requests are compared with the registry, answered where that is wanted, and written
//! down, all in one transaction. Whoever takes the next step finds what is still pending.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::end;
use crate::Service;
use crate::answers::ContentDraft;
use crate::answers::by_registry::{Given, debtor_draft};
use crate::domain::caller::{Caller, Scopes};
use crate::domain::court_debt::Entry;
use crate::domain::debt_request::{DebtRequest, Match, MatchResult};
use crate::domain::house::{HouseBook, HouseIds};
use crate::domain::match_run::{Deed, Explanation, MatchItem, MatchMode, MatchRun, MatchRunStatus};
use crate::domain::matching::{Decision, Question, decide};
use crate::domain::registry::KeptDebt;
use crate::error::Result;
use crate::ids::{CourtDebtId, DebtRequestId, MatchRunId, RegistryId, TokenId};
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
        let questions: Vec<_> = requests.iter().map(|request| Question::of(&request.gis, today)).collect();
        let rows = Rows::load(tx, run.registry, &requests, &questions).await?;
        let mut decisions = BTreeMap::new();
        for (request, question) in requests.iter().zip(questions) {
            let house = rows.book.complete(question.house());
            let decision = decide(&question.with_house(house), rows.of(house));
            decisions.insert(request.id, decision);
        }
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

/// Rows that may concern some requests, by the identifiers of their houses.
struct Rows {
    entries: Vec<Entry>,
    by_house: HashMap<Uuid, Vec<usize>>,
    book: HouseBook,
}

impl Rows {
    async fn load(
        tx: &mut Tx,
        registry: RegistryId,
        requests: &[DebtRequest],
        questions: &[Question],
    ) -> Result<Self> {
        let mut rows = Self { entries: Vec::new(), by_house: HashMap::new(), book: HouseBook::default() };
        for request in requests {
            let HouseIds { fias, gis } = HouseIds::of(&request.gis.address);
            if let Some(fias) = fias {
                rows.book.learn(fias, gis);
            }
        }
        let asked: HashSet<Uuid> = questions.iter().flat_map(|question| question.house().keys()).collect();
        rows.add(tx, registry, &asked).await?;
        // What the rows say of houses may name them in the other register.
        let completed = questions.iter().flat_map(|question| rows.book.complete(question.house()).keys());
        let further: HashSet<Uuid> = completed.filter(|key| !asked.contains(key)).collect();
        rows.add(tx, registry, &further).await?;
        Ok(rows)
    }

    async fn add(&mut self, tx: &mut Tx, registry: RegistryId, houses: &HashSet<Uuid>) -> Result<()> {
        let houses: Vec<Uuid> = houses.iter().copied().collect();
        for entry in registries::entries(tx, registry, &houses).await? {
            entry.teach(&mut self.book);
            let place = self.entries.len();
            self.by_house.entry(entry.fias_house_id).or_default().push(place);
            if let Some(gis) = entry.gis_house_id {
                self.by_house.entry(gis).or_default().push(place);
            }
            self.entries.push(entry);
        }
        Ok(())
    }

    /// Those of a house.
    fn of(&self, house: HouseIds) -> impl Iterator<Item = &Entry> {
        let places = house.keys().flat_map(|key| self.by_house.get(&key).into_iter().flatten());
        places.filter_map(|place| self.entries.get(*place))
    }
}

/// What an answer says of the rows that count: every debtor once, every remark.
fn debt<'a>(rows: impl Iterator<Item = &'a KeptDebt>) -> ContentDraft {
    let mut debtors = Vec::new();
    let mut remarks: Vec<String> = Vec::new();
    for kept in rows {
        for debtor in kept.debt.debtors.iter().map(debtor_draft) {
            if !debtors.contains(&debtor) {
                debtors.push(debtor);
            }
        }
        let remark = kept.debt.note.as_ref().map(|note| note.as_str().to_owned());
        remarks.extend(remark.filter(|remark| !remarks.contains(remark)));
    }
    let comment = (!remarks.is_empty()).then(|| remarks.join("\n"));
    ContentDraft { has_debt: true, comment, debtors, attachments: Vec::new() }
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
