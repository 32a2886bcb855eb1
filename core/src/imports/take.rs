//! Brings answers of a spreadsheet to their debt requests, as many answers of one request are.
//!
//! A spreadsheet says less than an answer may: no СНИЛС, no identity document, no files. An answer that says more is left as
//! it is, unless the spreadsheet says otherwise.

use std::collections::HashMap;

use crate::Service;
use crate::answers::{BulkItem, ContentDraft, CreateAnswer, DebtorDraft, SubmitAnswer, TakenAnswer};
use crate::domain::answer::{Answer, Source, State};
use crate::domain::caller::Caller;
use crate::domain::content::{Content, Debtor};
use crate::domain::debt_request::DebtRequest;
use crate::domain::import::{ImportError, ImportRow};
use crate::domain::operation::Intake;
use crate::error::{Mistake, Place, Result};
use crate::ids::{AnswerId, DebtRequestId};
use crate::spreadsheets::{RowError, SheetAnswer};
use crate::store::{Tx, answers, debt_requests};

/// What is to be done about an answer.
enum Plan {
    /// Its number is not the one of the debt request.
    WrongNumber,
    /// It is said already.
    Leave(AnswerId),
    /// It is said already, and more, and shall be sent.
    Send(AnswerId),
    /// It is to be said.
    Say,
}

impl Service {
    /// Makes answers. After an error the transaction is of no use any more.
    pub(crate) async fn take_sheet(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        said: &[SheetAnswer],
        submit: bool,
    ) -> Result<Vec<ImportRow>> {
        let plans = self.plans(tx, caller, said, submit).await?;
        let items = said.iter().zip(&plans).filter(|(_, plan)| matches!(plan, Plan::Say));
        let items = items.map(|(said, _)| item(said, submit)).collect();
        let mut taken = self.take_answers(tx, caller, items).await?.into_iter();
        let mut rows = Vec::with_capacity(said.len());
        for (said, plan) in said.iter().zip(plans) {
            let outcome = match plan {
                Plan::WrongNumber => Err(vec![Mistake::at(
                    "/request_number",
                    "request_number_differs",
                    "у этого подзапроса другой номер запроса",
                )]),
                Plan::Leave(id) => Ok(TakenAnswer { id, intake: Intake::Unchanged }),
                Plan::Send(id) => self.send(tx, caller, id).await?,
                Plan::Say => match taken.next() {
                    Some(outcome) => outcome,
                    None => return Err(crate::Error::internal("an answer came to nothing")),
                },
            };
            if let Ok(TakenAnswer { id, intake: Intake::Drafted }) = &outcome
                && said.waits_for_files
            {
                self.complete_answer(tx, caller, *id, None).await?;
            }
            rows.push(row(said, outcome));
        }
        Ok(rows)
    }

    async fn plans(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        said: &[SheetAnswer],
        submit: bool,
    ) -> Result<Vec<Plan>> {
        let ids: Vec<_> = said.iter().map(|said| said.debt_request).collect();
        let found = debt_requests::find(tx, caller.organization, &ids, &[]).await?;
        let current: Vec<_> = found.iter().filter_map(|request| Some(request.answer?.id)).collect();
        let current = answers::find_any(tx, &current).await?;
        let current: HashMap<_, _> = current.into_iter().map(|it| (it.debt_request, it)).collect();
        let found: HashMap<_, _> = found.into_iter().map(|request| (request.id, request)).collect();
        let plan = |said: &SheetAnswer| plan(said, &found, current.get(&said.debt_request), submit);
        Ok(said.iter().map(plan).collect())
    }

    /// Sends a draft that says more than the spreadsheet.
    async fn send(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: AnswerId,
    ) -> Result<std::result::Result<TakenAnswer, Vec<Mistake>>> {
        match self.submit_answer(tx, caller, id, SubmitAnswer::default(), None).await {
            Ok(_) => Ok(Ok(TakenAnswer { id, intake: Intake::Queued })),
            Err(error) => Ok(Err(crate::answers::mistakes_of(error)?)),
        }
    }
}

fn plan(
    said: &SheetAnswer,
    found: &HashMap<DebtRequestId, DebtRequest>,
    current: Option<&Answer>,
    submit: bool,
) -> Plan {
    // What does not exist is told like any unknown debt request.
    let Some(request) = found.get(&said.debt_request) else { return Plan::Say };
    if said.request_number.as_ref().is_some_and(|number| *number != request.gis.request_number) {
        return Plan::WrongNumber;
    }
    let Some(answer) = current.filter(|answer| shows(&answer.content, &said.content)) else {
        return Plan::Say;
    };
    let says_more = answer.content != said.content;
    match answer.state {
        // It waits for files or for whoever submits it, and an export does not tell that it does.
        State::Prepared => Plan::Leave(answer.id),
        State::Draft if says_more && submit && !said.waits_for_files => Plan::Send(answer.id),
        State::Draft
        | State::Queued
        | State::Sending
        | State::Accepted
        | State::Uncertain
        | State::Delivered
            if says_more =>
        {
            Plan::Leave(answer.id)
        }
        State::Draft
        | State::Queued
        | State::Sending
        | State::Accepted
        | State::Uncertain
        | State::Delivered
        | State::Rejected
        | State::Revoking
        | State::Revoked
        | State::Cancelled
        | State::Superseded => Plan::Say,
    }
}

/// Whether a content looks in a spreadsheet as another one that came from there.
fn shows(content: &Content, sheet: &Content) -> bool {
    let names =
        |debtor: &Debtor| (debtor.last_name.clone(), debtor.first_name.clone(), debtor.middle_name.clone());
    content.has_debt() == sheet.has_debt()
        && content.comment() == sheet.comment()
        && content.debtors().iter().map(names).eq(sheet.debtors().iter().map(names))
}

fn item(said: &SheetAnswer, submit: bool) -> BulkItem {
    let debtor = |debtor: &Debtor| DebtorDraft {
        last_name: debtor.last_name.as_str().to_owned(),
        first_name: debtor.first_name.as_str().to_owned(),
        middle_name: debtor.middle_name.as_ref().map(|name| name.as_str().to_owned()),
        ..DebtorDraft::default()
    };
    let content = ContentDraft {
        has_debt: said.content.has_debt(),
        comment: said.content.comment().map(|comment| comment.as_str().to_owned()),
        debtors: said.content.debtors().iter().map(debtor).collect(),
        attachments: Vec::new(),
    };
    let command = CreateAnswer {
        debt_request: said.debt_request,
        external_id: None,
        submit: submit && !said.waits_for_files,
        content,
        executor: None,
        confirm: Vec::new(),
        reason: None,
        source: Source::Xlsx,
        trace: None,
    };
    BulkItem { debt_request: Some(said.debt_request), external_id: None, command: Ok(command) }
}

fn row(said: &SheetAnswer, outcome: std::result::Result<TakenAnswer, Vec<Mistake>>) -> ImportRow {
    let (intake, answer, errors) = match outcome {
        Ok(TakenAnswer { id, intake }) => (intake, Some(id), Vec::new()),
        Err(mistakes) => {
            let errors = mistakes.into_iter().map(|mistake| {
                let pointer = match &mistake.place {
                    Place::Pointer(pointer) => pointer.as_str(),
                    Place::Parameter(_) => "",
                };
                noted(&said.error(pointer, mistake.code, mistake.detail.clone()))
            });
            (Intake::Refused, None, errors.collect())
        }
    };
    ImportRow {
        row: said.rows.as_slice().first().map_or(1, |row| i64::from(*row)),
        debt_request: Some(said.debt_request),
        has_debt: Some(said.content.has_debt()),
        waits_for_files: said.waits_for_files,
        intake,
        answer,
        errors,
    }
}

/// A mistake as it is kept.
pub(crate) fn noted(error: &RowError) -> ImportError {
    ImportError {
        row: error.row,
        column: error.column.clone(),
        code: error.code.to_owned(),
        detail: error.detail.clone(),
    }
}
