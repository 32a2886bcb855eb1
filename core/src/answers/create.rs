//! Posting an answer (`api.md` §4.4): taken in, compared with the earlier one, stored as a draft or queued.

use super::decide::{Decision, Draft, DraftStep, EarlierStep, Refusal, Wish, decide};
use super::desk::{Desk, details, guard_review};
use super::dispatch::Mandate;
use super::executor;
use super::input::CreateAnswer;
use super::intake::{Said, external_id, keep, remark};
use super::office::Holder;
use super::{Created, CreatedOutcome};
use crate::Service;
use crate::domain::answer::{Answer, ExternalId, Source, State};
use crate::domain::caller::{Caller, Scope};
use crate::error::{Error, Mistake, Result};
use crate::ids::EmployeeId;
use crate::store::{Conn, Tx, answers};

/// A command without mistakes.
struct Order {
    external_id: Option<ExternalId>,
    said: Said,
    executor: Option<EmployeeId>,
    source: Source,
    mandate: Mandate,
    submit: bool,
}

impl Order {
    /// Whether somebody says «no debt» to GIS without having asked the registry.
    const fn must_agree(&self) -> bool {
        let asked = match self.source {
            Source::Api | Source::Xlsx => false,
            Source::Registry | Source::Auto | Source::Gis => true,
        };
        self.submit && !asked && !self.said.content.has_debt()
    }
}

/// What became of a command, on the desk.
pub(super) struct Placed {
    pub(super) answer: Answer,
    pub(super) outcome: CreatedOutcome,
}

impl Service {
    /// Takes an answer to a debt request: a draft, or one that is sent.
    ///
    /// # Errors
    /// Every mistake of the input at once; a conflict with an earlier answer, with what can be confirmed.
    pub async fn create_answer(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        command: CreateAnswer,
    ) -> Result<Created> {
        caller.need(scope(command.submit))?;
        let mut desk = Desk::open(tx, caller, command.debt_request, self.clock.now()).await?;
        let Placed { answer, outcome } = self.place(tx, caller, &mut desk, command).await?;
        let answer = match outcome {
            CreatedOutcome::Same => details(tx, answer, desk.case.request.gis.due_on).await,
            CreatedOutcome::Draft | CreatedOutcome::Queued => desk.close(tx, answer).await,
        }?;
        Ok(Created { answer, outcome })
    }

    /// Brings a command to the debt request on the desk. The desk is still to be closed, unless an earlier answer says the
    /// same. After an error the desk is of no use any more, and nothing of the command is stored but files that came
    /// inside it.
    pub(super) async fn place(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        desk: &mut Desk,
        command: CreateAnswer,
    ) -> Result<Placed> {
        let order = self.order(tx, caller, desk, command).await?;
        if order.submit {
            executor::guard_name(caller, order.executor)?;
        }
        let disagrees = order.must_agree() && desk.registry_finds_debt(tx).await?;
        let hash = &order.said.hash;
        // An automatic answer takes the place of whatever draft may be there: it is asked for only where none says «debt».
        let automatic = order.source == Source::Auto;
        // So it does of an erased one: nothing is left of it that could be lost, or sent.
        let draft = desk.draft().map(|draft| Draft {
            own: automatic || draft.is_erased() || draft.author == caller.author(),
            same: !automatic && !draft.is_erased() && draft.content_hash == *hash,
        });
        let situation = desk.situation(hash, draft, disagrees, &self.settings.gis);
        let wish = Wish {
            submit: order.submit,
            confirm: &order.mandate.confirm,
            reason: order.mandate.reason.is_some(),
        };
        let decision = decide(&situation, wish);
        // Before anything can be confirmed: that does not help against what is handed in.
        if let Some(handed_in) = desk.draft().filter(|_| replaces(draft, &decision)) {
            guard_review(&desk.case.request, handed_in, caller)?;
        }
        match decision.map_err(|refusal| desk.refuse(refusal))? {
            Decision::SameAsDraft => same(tx, desk, desk.draft().cloned(), order.external_id).await,
            Decision::SameAsEarlier => same(tx, desk, desk.earlier().cloned(), order.external_id).await,
            Decision::Go { draft: DraftStep::Submit, earlier } => {
                let mut draft = desk.draft().cloned().ok_or_else(lost)?;
                draft.executor = order.executor.or(draft.executor);
                let answer = self.send_draft(tx, caller, desk, draft, earlier, order.mandate).await?;
                give_name(tx, desk, &answer, order.external_id.as_ref()).await?;
                Ok(Placed { answer, outcome: CreatedOutcome::Queued })
            }
            Decision::Go { draft: DraftStep::Replace | DraftStep::Absent, earlier } => {
                self.insert(tx, caller, desk, order, earlier).await
            }
        }
    }

    /// Puts a new answer on the desk.
    async fn insert(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        desk: &mut Desk,
        order: Order,
        earlier: EarlierStep,
    ) -> Result<Placed> {
        let Order { external_id, said, executor, source, mandate, submit } = order;
        let draft = desk.case.next_revision(said.content, said.hash, caller.author());
        let mut answer = Answer { external_id, executor, source, warnings: said.warnings, ..draft };
        mandate.note(&mut answer);
        if let Some(mut draft) = desk.draft().cloned() {
            desk.supersede(&mut draft, answer.id)?;
        }
        if submit {
            answer.state = State::Queued;
            answer.submitted_at = Some(answer.created_at);
            desk.prepare(tx, caller, earlier, &mut answer, &self.settings.gis).await?;
        }
        if let Some(name) = &answer.external_id {
            desk.office.note_name(name.clone(), holder(&answer));
        }
        desk.case.insert(answer.clone(), said.files);
        if submit {
            desk.queue(tx, &answer);
        }
        let outcome = if submit { CreatedOutcome::Queued } else { CreatedOutcome::Draft };
        Ok(Placed { answer, outcome })
    }

    /// Reads a command; every mistake is named.
    async fn order(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        desk: &mut Desk,
        command: CreateAnswer,
    ) -> Result<Order> {
        let mut mistakes = Vec::new();
        let external_id = take_name(tx, desk, command.external_id.as_deref()).await?;
        let external_id = keep(external_id, &mut mistakes);
        let said = self.take_in(tx, caller, &mut desk.office, &command.content, &mut mistakes).await?;
        mistakes.extend(executor::check(tx, &mut desk.office, command.executor).await?);
        let reason = keep(remark("/reason", command.reason), &mut mistakes);
        match said {
            Some(said) if mistakes.is_empty() => Ok(Order {
                external_id,
                said,
                executor: command.executor,
                source: command.source,
                mandate: Mandate { confirm: command.confirm, reason, trace: command.trace },
                submit: command.submit,
            }),
            Some(_) | None => Err(Error::Invalid(mistakes)),
        }
    }
}

/// Whether a new answer takes the place of the draft, now or once what is missing is confirmed.
fn replaces(draft: Option<Draft>, decision: &std::result::Result<Decision, Refusal>) -> bool {
    let is_said = matches!(decision, Ok(Decision::SameAsDraft | Decision::SameAsEarlier));
    draft.is_some_and(|draft| !draft.same) && !is_said
}

/// What a token must be good for that posts answers, or sends them too.
pub(crate) const fn scope(submit: bool) -> Scope {
    if submit { Scope::AnswersSubmit } else { Scope::AnswersWrite }
}

/// Reads the client's name for an answer; one that another debt request's answer has is taken.
pub(super) async fn take_name(
    conn: &mut Conn,
    desk: &mut Desk,
    text: Option<&str>,
) -> Result<std::result::Result<Option<ExternalId>, Mistake>> {
    let Some(text) = text else { return Ok(Ok(None)) };
    let name = match external_id(text) {
        Ok(name) => name,
        Err(mistake) => return Ok(Err(mistake)),
    };
    let holder = desk.office.holder(conn, &name).await?;
    if holder.is_some_and(|holder| holder.debt_request != desk.case.request.id) {
        let detail = "под этим именем записан ответ на другой запрос";
        return Ok(Err(Mistake::at("/external_id", "external_id_taken", detail)));
    }
    Ok(Ok(Some(name)))
}

/// Gives a stored answer a name, or a further one; from an older revision the name moves to it.
pub(super) async fn give_name(
    conn: &mut Conn,
    desk: &mut Desk,
    answer: &Answer,
    name: Option<&ExternalId>,
) -> Result<()> {
    let Some(name) = name else { return Ok(()) };
    if desk.office.holder(conn, name).await? == Some(holder(answer)) {
        return Ok(());
    }
    answers::name(conn, answer.organization, name, answer.id, answer.updated_at).await?;
    desk.office.note_name(name.clone(), holder(answer));
    Ok(())
}

const fn holder(answer: &Answer) -> Holder {
    Holder { answer: answer.id, debt_request: answer.debt_request }
}

/// Nothing is done but the name: the answer is there.
async fn same(
    conn: &mut Conn,
    desk: &mut Desk,
    answer: Option<Answer>,
    name: Option<ExternalId>,
) -> Result<Placed> {
    let answer = answer.ok_or_else(lost)?;
    give_name(conn, desk, &answer, name.as_ref()).await?;
    Ok(Placed { answer, outcome: CreatedOutcome::Same })
}

/// The decision speaks of an answer that is not on the desk.
fn lost() -> Error {
    Error::internal("a decision without its answer")
}
