//! Many answers at once (`api.md` §12.1): every one is checked and decided upon as if it had come alone, then all are
//! written together. What is wrong with one leaves the others alone, or all of them out, as the client wishes.

use std::collections::{BTreeMap, BTreeSet};

use super::create::{Placed, scope};
use super::desk::Desk;
use super::input::CreateAnswer;
use super::intake::{external_id, stored};
use super::office::Office;
use super::{CreatedOutcome, draft};
use crate::Service;
use crate::case::Case;
use crate::domain::caller::Caller;
use crate::domain::operation::{Intake, ItemError, OperationItem, OperationKind};
use crate::error::{Code, Conflict, Error, Mistake, Place, Result};
use crate::ids::{AnswerId, DebtRequestId};
use crate::operations::{OperationDetails, begin};
use crate::store::Tx;

/// What becomes of the others when an item is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnInvalid {
    /// They are taken.
    Skip,
    /// Nothing is taken.
    RejectAll,
}

/// One of many answers, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkItem {
    /// The debt request, where it names one.
    pub debt_request: Option<DebtRequestId>,
    /// The client's name for the answer.
    pub external_id: Option<String>,
    /// The command, or what is wrong with its form.
    pub command: std::result::Result<CreateAnswer, Vec<Mistake>>,
}

/// Many answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateAnswers {
    /// Whether they shall be sent now.
    pub submit: bool,
    /// What becomes of the others when one is wrong.
    pub on_invalid: OnInvalid,
    /// The answers, at most `limits.bulk_items`; each debt request at most once.
    pub items: Vec<BulkItem>,
}

/// An answer that was taken, or that was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TakenAnswer {
    /// The answer.
    pub(crate) id: AnswerId,
    /// What became of it.
    pub(crate) intake: Intake,
}

/// What became of an item; a refused one has its mistakes.
type Taken = std::result::Result<Placed, Vec<Mistake>>;

impl Service {
    /// Takes many answers. The operation tells what becomes of each.
    ///
    /// # Errors
    /// With [`OnInvalid::RejectAll`] every mistake of every item, below `/items/17`.
    pub async fn create_answers(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        command: CreateAnswers,
    ) -> Result<OperationDetails> {
        caller.need(scope(command.submit))?;
        let CreateAnswers { on_invalid, items, .. } = command;
        let most = self.settings.limits.bulk_items;
        if items.len() > most {
            let mistake = Mistake::at("/items", "too_many", format!("не более {most} ответов"));
            return Err(Error::Invalid(vec![mistake.with_max(u64::try_from(most).unwrap_or(u64::MAX))]));
        }
        let named: Vec<_> = items.iter().map(|item| (item.debt_request, item.external_id.clone())).collect();
        let taken = self.take_all(tx, caller, items).await?;
        if on_invalid == OnInvalid::RejectAll {
            let mistakes: Vec<_> = taken.iter().enumerate().flat_map(|(at, it)| below(at, it)).collect();
            if !mistakes.is_empty() {
                return Err(Error::Invalid(mistakes));
            }
        }
        let items = named.into_iter().zip(&taken).zip(0..).map(|((named, taken), at)| item(at, named, taken));
        let kind = OperationKind::AnswersBulk;
        begin(tx, caller, kind, items.collect(), self.clock.now()).await
    }

    /// Takes answers that are not told of by an operation.
    pub(crate) async fn take_answers(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        items: Vec<BulkItem>,
    ) -> Result<Vec<std::result::Result<TakenAnswer, Vec<Mistake>>>> {
        let taken = self.take_all(tx, caller, items).await?.into_iter();
        let short = |Placed { answer, outcome }| TakenAnswer { id: answer.id, intake: intake(outcome) };
        Ok(taken.map(|taken| taken.map(short)).collect())
    }

    /// Brings every command to its debt request and writes what came of it.
    async fn take_all(&self, tx: &mut Tx, caller: &Caller, items: Vec<BulkItem>) -> Result<Vec<Taken>> {
        let mut office = Office::open(tx, caller.organization).await?;
        self.look_ahead(tx, &mut office, &items).await?;
        let mut cases = self.cases(tx, caller, &items).await?;
        self.ask_registry(tx, &mut office, &items, &cases).await?;
        let mut seen = BTreeSet::new();
        let (mut taken, mut changed) = (Vec::with_capacity(items.len()), Vec::new());
        for item in items {
            let command = match item.command {
                Ok(command) if seen.insert(command.debt_request) => command,
                Ok(_) => {
                    taken.push(Err(vec![twice()]));
                    continue;
                }
                Err(mistakes) => {
                    taken.push(Err(mistakes));
                    continue;
                }
            };
            let Some(case) = cases.remove(&command.debt_request) else {
                taken.push(Err(vec![unknown()]));
                continue;
            };
            let mut desk = Desk::new(office, case);
            let placed = self.place(tx, caller, &mut desk, command).await;
            office = desk.office;
            match placed {
                Ok(placed) => {
                    if placed.outcome != CreatedOutcome::Same {
                        changed.push(desk.case);
                    }
                    taken.push(Ok(placed));
                }
                Err(error) => taken.push(Err(mistakes_of(error)?)),
            }
        }
        Case::close_all(tx, changed).await?;
        Ok(taken)
    }

    /// Asks once for what the items would ask for one by one.
    async fn look_ahead(&self, tx: &mut Tx, office: &mut Office, items: &[BulkItem]) -> Result<()> {
        let commands = || items.iter().filter_map(|item| item.command.as_ref().ok());
        let names: Vec<_> =
            commands().filter_map(|it| external_id(it.external_id.as_deref()?).ok()).collect();
        office.look_up_names(tx, &names).await?;
        let limits = &self.settings.limits;
        let files = commands().flat_map(|it| draft::files(&it.content, limits)).map(|(_, file)| file);
        office.look_up_files(tx, &stored(files)).await
    }

    /// Asks the registry once about every request that shall be answered «no debt».
    async fn ask_registry(
        &self,
        tx: &mut Tx,
        office: &mut Office,
        items: &[BulkItem],
        cases: &BTreeMap<DebtRequestId, Case>,
    ) -> Result<()> {
        let commands = items.iter().filter_map(|item| item.command.as_ref().ok());
        let no_debt = commands.filter(|command| command.submit && !command.content.has_debt);
        let asked: Vec<_> =
            no_debt.filter_map(|command| Some(&cases.get(&command.debt_request)?.request)).collect();
        office.look_up_debts(tx, &asked, self.clock.now()).await
    }

    async fn cases(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        items: &[BulkItem],
    ) -> Result<BTreeMap<DebtRequestId, Case>> {
        let ids: Vec<_> =
            items.iter().filter_map(|item| Some(item.command.as_ref().ok()?.debt_request)).collect();
        let cases = Case::open_many(tx, &ids, self.clock.now()).await?;
        let ours = cases.into_iter().filter(|case| case.request.organization == caller.organization);
        Ok(ours.map(|case| (case.request.id, case)).collect())
    }
}

/// A refusal as mistakes of the item; what is not about the item concerns everything.
pub(crate) fn mistakes_of(error: Error) -> Result<Vec<Mistake>> {
    match error {
        Error::Invalid(mistakes) => Ok(mistakes),
        Error::Conflict(conflict) => Ok(of_conflict(*conflict)),
        Error::Refused { code, detail } => Ok(vec![Mistake::at("", code.as_str(), detail)]),
        error @ (Error::NotFound
        | Error::VersionMismatch { .. }
        | Error::TooEarly { .. }
        | Error::Unavailable(_)
        | Error::Internal(_)) => Err(error),
    }
}

/// What can be confirmed is named one by one: each code is what `confirm` would have to hold.
fn of_conflict(conflict: Conflict) -> Vec<Mistake> {
    let Conflict { code, detail, confirmable, .. } = conflict;
    if confirmable.is_empty() {
        return vec![Mistake::at("", code.as_str(), detail)];
    }
    confirmable.into_iter().map(|it| Mistake::at("/confirm", it.as_str(), detail.clone())).collect()
}

fn twice() -> Mistake {
    Mistake::at("/debt_request_id", "repeated", "на этот запрос в списке уже есть ответ")
}

fn unknown() -> Mistake {
    Mistake::at("/debt_request_id", Code::NotFound.as_str(), "такого запроса нет")
}

/// The mistakes of an item, below its place in the list.
fn below(at: usize, taken: &Taken) -> Vec<Mistake> {
    let lower = |mistake: &Mistake| match &mistake.place {
        Place::Pointer(pointer) => {
            Mistake { place: Place::Pointer(format!("/items/{at}{pointer}")), ..mistake.clone() }
        }
        Place::Parameter(_) => mistake.clone(),
    };
    taken.as_ref().err().into_iter().flatten().map(lower).collect()
}

fn item(place: i64, named: (Option<DebtRequestId>, Option<String>), taken: &Taken) -> OperationItem {
    let (debt_request, external_id) = named;
    let (intake, answer, errors) = match taken {
        Ok(Placed { answer, outcome }) => (intake(*outcome), Some(answer.id), Vec::new()),
        Err(mistakes) => (Intake::Refused, None, mistakes.iter().map(item_error).collect()),
    };
    OperationItem { place, debt_request, external_id, intake, answer, errors }
}

const fn intake(outcome: CreatedOutcome) -> Intake {
    match outcome {
        CreatedOutcome::Draft => Intake::Drafted,
        CreatedOutcome::Queued => Intake::Queued,
        CreatedOutcome::Same => Intake::Unchanged,
    }
}

fn item_error(mistake: &Mistake) -> ItemError {
    let pointer = match &mistake.place {
        Place::Pointer(pointer) => pointer.clone(),
        Place::Parameter(name) => name.clone(),
    };
    ItemError { pointer, code: mistake.code.to_owned(), detail: mistake.detail.clone() }
}
