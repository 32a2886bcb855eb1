//! Steps of an answer before it is sent (`api.md` §4.5): completed, returned, submitted, cancelled.

use std::collections::HashMap;

use super::AnswerDetails;
use super::decide::{Decision, Draft, EarlierStep, Wish, decide};
use super::desk::{Desk, adds_files, details, guard_content, guard_draft, guard_review, wrong_state};
use super::dispatch::Mandate;
use super::executor;
use super::input::SubmitAnswer;
use super::intake::remark;
use super::office::Office;
use crate::Service;
use crate::case::Case;
use crate::domain::answer::{Answer, Change, Confirm, State};
use crate::domain::caller::{Caller, Scope};
use crate::domain::event::EventKind;
use crate::error::{Code, Error, Result};
use crate::ids::{AnswerId, DebtRequestId, OrganizationId};
use crate::store::Tx;

impl Service {
    /// The executor has finished. A prepared answer that has waited for files does so no longer.
    ///
    /// # Errors
    /// A conflict when it is no draft and waits for nothing, or is somebody else's.
    pub async fn complete_answer(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: AnswerId,
        if_match: Option<i64>,
    ) -> Result<AnswerDetails> {
        self.hand_in(tx, caller, id, if_match, false).await
    }

    /// A spreadsheet has said all that there is to say, but the files are still to come (F47).
    pub(crate) async fn complete_before_files(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: AnswerId,
    ) -> Result<AnswerDetails> {
        self.hand_in(tx, caller, id, None, true).await
    }

    async fn hand_in(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: AnswerId,
        if_match: Option<i64>,
        waits_for_files: bool,
    ) -> Result<AnswerDetails> {
        caller.need(Scope::AnswersWrite)?;
        let (mut desk, mut answer) = Desk::open_answer(tx, caller, id, if_match, self.clock.now()).await?;
        let has_waited = answer.state == State::Prepared && answer.waits_for_files;
        if answer.state != State::Draft && !has_waited {
            let detail = "завершить можно только черновик или подготовленный ответ, который ждёт документов";
            return Err(wrong_state(&answer, detail));
        }
        guard_content(&answer)?;
        if !adds_files(&desk.case.request, &answer, caller) {
            guard_review(&desk.case.request, &answer, caller)?;
        }
        guard_draft(&answer, caller, if_match)?;
        answer.waits_for_files = waits_for_files;
        if has_waited {
            // It was handed in before; whoever is responsible learns that all is there.
            desk.case.update(&mut answer);
            desk.case.tell(EventKind::AnswerPrepared, Some(&answer));
        } else {
            answer.return_comment = None;
            desk.case.apply(&mut answer, Change::Complete)?;
        }
        desk.close(tx, answer).await
    }

    /// The responsible employee sends a prepared answer back.
    ///
    /// # Errors
    /// A conflict when it is not prepared; [`Code::NotResponsible`] for any other employee.
    pub async fn return_answer(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: AnswerId,
        comment: Option<String>,
        if_match: Option<i64>,
    ) -> Result<AnswerDetails> {
        caller.need(Scope::AnswersSubmit)?;
        let comment = remark("/comment", comment).map_err(|mistake| Error::Invalid(vec![mistake]))?;
        let (mut desk, mut answer) = Desk::open_answer(tx, caller, id, if_match, self.clock.now()).await?;
        if caller.employee.is_some() && caller.employee != desk.case.request.responsible {
            let detail = "вернуть ответ на доработку может только ответственный за запрос сотрудник";
            return Err(Error::refused(Code::NotResponsible, detail));
        }
        if answer.state != State::Prepared {
            return Err(wrong_state(&answer, "вернуть на доработку можно только подготовленный ответ"));
        }
        guard_content(&answer)?;
        answer.return_comment = comment;
        desk.case.apply(&mut answer, Change::Return)?;
        desk.close(tx, answer).await
    }

    /// A draft or a prepared answer shall go to GIS. A prepared one is meant for whoever submits; somebody else's
    /// unfinished draft is submitted only with its version or `confirm`.
    ///
    /// # Errors
    /// The conflicts of posting it.
    pub async fn submit_answer(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: AnswerId,
        command: SubmitAnswer,
        if_match: Option<i64>,
    ) -> Result<AnswerDetails> {
        caller.need(Scope::AnswersSubmit)?;
        let reason = remark("/reason", command.reason).map_err(|mistake| Error::Invalid(vec![mistake]))?;
        let (mut desk, answer) = Desk::open_answer(tx, caller, id, if_match, self.clock.now()).await?;
        if !answer.state.is_editable() {
            return Err(wrong_state(&answer, "отправить можно только черновик или подготовленный ответ"));
        }
        guard_content(&answer)?;
        let mandate = Mandate { confirm: command.confirm, reason, trace: command.trace };
        let confirm = [answer.confirm.as_slice(), &mandate.confirm].concat();
        let own = if_match.is_some() || answer.state == State::Prepared || answer.author == caller.author();
        if !own && !confirm.contains(&Confirm::DraftExists) {
            return Err(desk.unconfirmed(vec![Confirm::DraftExists]));
        }
        let reason = mandate.reason.is_some() || answer.reason.is_some();
        let wish = Wish { submit: true, confirm: &confirm, reason };
        let draft = Some(Draft { own: true, same: true });
        let disagrees = !answer.content.has_debt() && desk.registry_finds_debt(tx).await?;
        let situation = desk.situation(&answer.content_hash, draft, disagrees, &self.settings.gis);
        match decide(&situation, wish).map_err(|refusal| desk.refuse(refusal))? {
            Decision::Go { earlier, .. } => {
                let sent = self.send_draft(tx, caller, &mut desk, answer, earlier, mandate).await?;
                desk.close(tx, sent).await
            }
            Decision::SameAsDraft | Decision::SameAsEarlier => {
                let detail = "ответ с тем же содержанием уже отправлен; черновик можно удалить";
                let state = desk.earlier().map(|earlier| earlier.state);
                Err(Error::conflict(Code::AlreadyAnswered, detail, state))
            }
        }
    }

    /// Submits the draft on the desk.
    pub(super) async fn send_draft(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        desk: &mut Desk,
        mut draft: Answer,
        earlier: EarlierStep,
        mandate: Mandate,
    ) -> Result<Answer> {
        mandate.note(&mut draft);
        desk.prepare(tx, caller, earlier, &mut draft, &self.settings.gis).await?;
        desk.case.apply(&mut draft, Change::Submit)?;
        desk.queue(tx, &draft);
        Ok(draft)
    }

    /// Takes a queued answer back before anything of it was sent.
    ///
    /// # Errors
    /// A conflict when something of it may have reached GIS.
    pub async fn cancel_answer(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: AnswerId,
        if_match: Option<i64>,
    ) -> Result<AnswerDetails> {
        caller.need(Scope::AnswersSubmit)?;
        let (mut desk, mut answer) = Desk::open_answer(tx, caller, id, if_match, self.clock.now()).await?;
        executor::guard(tx, &mut desk.office, &desk.case.request, caller).await?;
        // Clients repeat requests by themselves (1C does): what is done already is no conflict.
        if answer.state == State::Cancelled {
            return details(tx, answer, desk.case.request.gis.due_on).await;
        }
        if !is_untouched(&desk, &answer) {
            return Err(wrong_state(&answer, "отменить можно только ответ, отправка которого не начиналась"));
        }
        desk.cancel(tx, &mut answer)?;
        desk.close(tx, answer).await
    }

    /// Takes back what nothing was sent of, because the work that had queued it was stopped; the others go their way. How
    /// many that were. Who stops work stops what it made, whoever answers for the debt requests by now. A correction for
    /// which an answer is being withdrawn goes its way too.
    pub(crate) async fn cancel_answers(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        answers: &[(DebtRequestId, AnswerId)],
    ) -> Result<usize> {
        let ids: Vec<_> = answers.iter().map(|(request, _)| *request).collect();
        let named: HashMap<_, _> = answers.iter().copied().collect();
        let mut office = Office::open(tx, organization).await?;
        let mut cancelled = Vec::new();
        for case in Case::open_many(tx, &ids, self.clock.now()).await? {
            let mut desk = Desk::new(office, case);
            let answer = named.get(&desk.case.request.id).and_then(|id| desk.case.answer(*id)).cloned();
            let may_go = |answer: &Answer| is_untouched(&desk, answer) && !desk.has_made_way(answer);
            if let Some(mut answer) = answer.filter(may_go) {
                desk.take_back(tx, &mut answer)?;
                cancelled.push(desk.case);
            }
            office = desk.office;
        }
        let count = cancelled.len();
        Case::close_all(tx, cancelled).await?;
        Ok(count)
    }
}

/// Whether an answer waits in the queue and nothing of it was sent.
fn is_untouched(desk: &Desk, answer: &Answer) -> bool {
    let live = desk.case.submissions_of(answer.id).any(|submission| submission.state.is_live());
    answer.state == State::Queued && !answer.maybe_sent && !live
}
