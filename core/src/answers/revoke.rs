//! Withdrawing an answer in force (`api.md` §4.4, §6.7).

use super::desk::{Desk, wrong_state};
use super::dispatch::Mandate;
use super::executor;
use super::input::RevokeAnswer;
use super::intake::remark;
use super::{AnswerDetails, decide};
use crate::Service;
use crate::domain::answer::{Answer, Confirm, State};
use crate::domain::caller::{Caller, Scope};
use crate::domain::debt_request::Stage;
use crate::error::{Code, Error, Result};
use crate::ids::AnswerId;
use crate::store::Tx;

impl Service {
    /// Withdraws a delivered answer.
    ///
    /// # Errors
    /// A conflict when it is not in force, when a correction is under way, or when the deadline is so near that it must
    /// be confirmed.
    pub async fn revoke_answer(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: AnswerId,
        command: RevokeAnswer,
        if_match: Option<i64>,
    ) -> Result<AnswerDetails> {
        caller.need(Scope::AnswersSubmit)?;
        let reason = remark("/reason", command.reason).map_err(|mistake| Error::Invalid(vec![mistake]))?;
        let (mut desk, mut answer) = Desk::open_answer(tx, caller, id, if_match, self.clock.now()).await?;
        executor::guard(tx, &mut desk.office, &desk.case.request, caller).await?;
        may_revoke(&desk, &answer, &command.confirm)?;
        Mandate { confirm: command.confirm, reason, trace: command.trace }.note(&mut answer);
        desk.begin_revoke(tx, &mut answer)?;
        desk.close(tx, answer).await
    }
}

fn may_revoke(desk: &Desk, answer: &Answer, confirm: &[Confirm]) -> Result<()> {
    if answer.state != State::Delivered {
        return Err(wrong_state(answer, "отозвать можно только размещённый ответ"));
    }
    if answer.is_from_elsewhere() {
        return Err(wrong_state(answer, "ответ размещён не отсюда; отозвать его можно там, где он размещён"));
    }
    match desk.earlier() {
        Some(newest) if newest.id == answer.id => {}
        Some(newest) if newest.state.is_final() => {
            return Err(wrong_state(newest, "вместо этого ответа размещён более новый"));
        }
        Some(_) | None => {
            let detail = "ответ уже исправляется; дождитесь исхода или отмените исправление";
            let state = desk.earlier().map(|newest| newest.state);
            return Err(Error::conflict(Code::CorrectionInProgress, detail, state));
        }
    }
    if desk.case.request.stage == Stage::Gone {
        return Err(desk.refuse(decide::Refusal::Gone));
    }
    let late = desk.deadline().is_near(desk.case.now());
    if late && !confirm.contains(&Confirm::CorrectionTooLate) {
        return Err(desk.unconfirmed(vec![Confirm::CorrectionTooLate]));
    }
    Ok(())
}
