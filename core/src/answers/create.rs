//! Posting an answer (`api.md` §4.4): taken in, compared with the earlier one, stored as a draft or queued.

use super::decide::{Decision, Draft, DraftStep, EarlierStep, Wish, decide};
use super::desk::{Desk, details};
use super::dispatch::Mandate;
use super::executor;
use super::input::CreateAnswer;
use super::intake::{Said, external_id, keep, remark};
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
        caller.need(if command.submit { Scope::AnswersSubmit } else { Scope::AnswersWrite })?;
        let desk = Desk::open(tx, caller, command.debt_request, self.clock.now()).await?;
        let order = self.order(tx, caller, &desk, command).await?;
        let hash = &order.said.hash;
        let draft = desk
            .draft()
            .map(|draft| Draft { own: draft.author == caller.author(), same: draft.content_hash == *hash });
        let situation = desk.situation(hash, draft, &self.settings.gis);
        let wish = Wish {
            submit: order.submit,
            confirm: &order.mandate.confirm,
            reason: order.mandate.reason.is_some(),
        };
        match decide(&situation, wish).map_err(|refusal| desk.refuse(refusal))? {
            Decision::SameAsDraft => same(tx, &desk, desk.draft(), order.external_id.as_ref()).await,
            Decision::SameAsEarlier => same(tx, &desk, desk.earlier(), order.external_id.as_ref()).await,
            Decision::Go { draft: DraftStep::Submit, earlier } => {
                let mut draft = desk.draft().cloned().ok_or_else(lost)?;
                draft.executor = order.executor.or(draft.executor);
                let answer = self.send_draft(tx, caller, desk, draft, earlier, order.mandate).await?;
                give_name(tx, &answer.answer, order.external_id.as_ref()).await?;
                Ok(Created { answer, outcome: CreatedOutcome::Queued })
            }
            Decision::Go { draft: DraftStep::Replace | DraftStep::Absent, earlier } => {
                self.place(tx, caller, desk, order, earlier).await
            }
        }
    }

    /// Stores a new answer.
    async fn place(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        mut desk: Desk,
        order: Order,
        earlier: EarlierStep,
    ) -> Result<Created> {
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
        desk.case.insert(tx, &answer).await?;
        answers::set_files(tx, answer.id, &said.files, self.unused_until()).await?;
        if submit {
            desk.queue(tx, &answer);
        }
        let outcome = if submit { CreatedOutcome::Queued } else { CreatedOutcome::Draft };
        Ok(Created { answer: desk.close(tx, answer).await?, outcome })
    }

    /// Reads a command; every mistake is named.
    async fn order(&self, tx: &mut Tx, caller: &Caller, desk: &Desk, command: CreateAnswer) -> Result<Order> {
        let mut mistakes = Vec::new();
        let external_id = self.take_name(tx, desk, command.external_id.as_deref()).await?;
        let external_id = keep(external_id, &mut mistakes);
        let said = self.take_in(tx, caller, &desk.organization, &command.content, &mut mistakes).await?;
        mistakes.extend(executor::check(tx, &desk.organization, command.executor).await?);
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

    /// Reads the client's name for an answer; one that another debt request's answer has is taken.
    pub(super) async fn take_name(
        &self,
        conn: &mut Conn,
        desk: &Desk,
        text: Option<&str>,
    ) -> Result<std::result::Result<Option<ExternalId>, Mistake>> {
        let Some(text) = text else { return Ok(Ok(None)) };
        let name = match external_id(text) {
            Ok(name) => name,
            Err(mistake) => return Ok(Err(mistake)),
        };
        let holder = answers::named(conn, desk.organization.id, &name).await?;
        if holder.is_some_and(|holder| holder.debt_request != desk.case.request.id) {
            let detail = "под этим именем записан ответ на другой запрос";
            return Ok(Err(Mistake::at("/external_id", "external_id_taken", detail)));
        }
        Ok(Ok(Some(name)))
    }
}

/// Gives an answer a name, or a further one; from an older revision the name moves to it.
pub(super) async fn give_name(conn: &mut Conn, answer: &Answer, name: Option<&ExternalId>) -> Result<()> {
    if let Some(name) = name {
        answers::name(conn, answer.organization, name, answer.id, answer.updated_at).await?;
    }
    Ok(())
}

/// Nothing is done but the name: the answer is there.
async fn same(
    conn: &mut Conn,
    desk: &Desk,
    answer: Option<&Answer>,
    name: Option<&ExternalId>,
) -> Result<Created> {
    let answer = answer.cloned().ok_or_else(lost)?;
    give_name(conn, &answer, name).await?;
    let answer = details(conn, answer, desk.case.request.gis.due_on).await?;
    Ok(Created { answer, outcome: CreatedOutcome::Same })
}

/// The decision speaks of an answer that is not on the desk.
fn lost() -> Error {
    Error::internal("a decision without its answer")
}
