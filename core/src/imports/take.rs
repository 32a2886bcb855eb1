//! Brings answers of a spreadsheet to their debt requests, as many answers of one request are.
//!
//! A spreadsheet says less than an answer may: no СНИЛС, no identity document, no files, and no comment for whoever may not
//! read answers. An answer that says more is left as it is, unless the spreadsheet says otherwise. It may also be an old one:
//! nothing in it confirms that it shall take the place of what waits to be sent.

use std::collections::HashMap;

use gis_client::text::{Comment, PersonName};

use crate::Service;
use crate::answers::{BulkItem, ContentDraft, CreateAnswer, SubmitAnswer, TakenAnswer};
use crate::domain::answer::{Answer, Source, State};
use crate::domain::caller::Caller;
use crate::domain::content::{Content, Debtor};
use crate::domain::debt_request::DebtRequest;
use crate::domain::import::{ImportError, ImportRow};
use crate::domain::operation::Intake;
use crate::error::{Mistake, Place, Result};
use crate::ids::AnswerId;
use crate::spreadsheets::{RowError, SheetAnswer, same_in_cell};
use crate::store::{Tx, answers, debt_requests};

/// What is to be done about an answer.
enum Plan {
    /// It cannot be taken.
    Refuse(Mistake),
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
                Plan::Refuse(mistake) => Err(vec![mistake]),
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
                self.complete_before_files(tx, caller, *id).await?;
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
        let answered: Vec<_> =
            found.iter().filter(|request| request.answer.is_some()).map(|request| request.id).collect();
        let mut given: HashMap<_, Vec<Answer>> = HashMap::new();
        for answer in answers::of_requests(tx, &answered).await? {
            given.entry(answer.debt_request).or_default().push(answer);
        }
        let found: HashMap<_, _> = found.into_iter().map(|request| (request.id, request)).collect();
        let given = |id| given.get(&id).map(Vec::as_slice).unwrap_or_default();
        let plan =
            |said: &SheetAnswer| plan(said, found.get(&said.debt_request), given(said.debt_request), submit);
        Ok(said.iter().map(plan).collect())
    }

    /// Sends what is there already and says no less than the spreadsheet.
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

/// `given` is what the request was answered, newest first.
fn plan(said: &SheetAnswer, request: Option<&DebtRequest>, given: &[Answer], submit: bool) -> Plan {
    // What does not exist is told like any unknown debt request.
    let Some(request) = request else { return Plan::Say };
    if said.request_number.as_ref().is_some_and(|number| *number != request.gis.request_number) {
        return Plan::Refuse(wrong_number());
    }
    let submit = submit && !said.waits_for_files;
    // A draft whose content is erased says nothing any more; what was sent of erased content was said all the same.
    let is_shown = |answer: &&Answer| !answer.is_emptied_draft() && shows(&answer.content, &said.content);
    let current = given.iter().find(|answer| answer.state != State::Superseded).filter(is_shown);
    let queued = given.iter().find(|answer| answer.state == State::Queued);
    if queued.is_some_and(|queued| !is_shown(&queued)) && (submit || current.is_none()) {
        return Plan::Refuse(queued_otherwise());
    }
    let Some(answer) = current else { return Plan::Say };
    let says_more = answer.content != said.content;
    match answer.state {
        State::Rejected => Plan::Refuse(rejected_before()),
        // An export does not tell that it waits for files.
        State::Prepared if submit && !answer.waits_for_files => Plan::Send(answer.id),
        State::Prepared => Plan::Leave(answer.id),
        State::Draft if says_more && submit => Plan::Send(answer.id),
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
        | State::Revoking
        | State::Revoked
        | State::Cancelled
        | State::Superseded => Plan::Say,
    }
}

fn wrong_number() -> Mistake {
    Mistake::at("/request_number", "request_number_differs", "у этого подзапроса другой номер запроса")
}

fn queued_otherwise() -> Mistake {
    let detail =
        "ответ с другим содержанием уже ждёт отправки; отмените его или исправьте отдельно, а не файлом";
    Mistake::at("/has_debt", "answer_queued", detail)
}

fn rejected_before() -> Mistake {
    let detail =
        "ГИС ЖКХ уже отклонила этот ответ; исправьте его по её сообщению, то же самое файлом не отправляется";
    Mistake::at("/has_debt", "rejected_before", detail)
}

/// Whether a content looks in a spreadsheet as another one that came from there. A blank comment contradicts none: the
/// spreadsheet may be of somebody to whom comments are not shown.
fn shows(content: &Content, sheet: &Content) -> bool {
    let (ours, theirs) = (content.debtors(), sheet.debtors());
    if matches!(content, Content::Erased { .. }) {
        // Who the debtors were nobody knows any more; a row of an old spreadsheet is held to mean the same.
        return content.has_debt() == sheet.has_debt();
    }
    content.has_debt() == sheet.has_debt()
        && sheet.comment().is_none_or(|comment| {
            same_in_cell(content.comment().map_or("", Comment::as_str), comment.as_str())
        })
        && ours.len() == theirs.len()
        && ours.iter().zip(theirs).all(|(one, other)| is_same_person(one, other))
}

fn is_same_person(one: &Debtor, other: &Debtor) -> bool {
    let middle_name = |debtor: &Debtor| debtor.middle_name.as_ref().map_or("", PersonName::as_str).to_owned();
    same_in_cell(one.last_name.as_str(), other.last_name.as_str())
        && same_in_cell(one.first_name.as_str(), other.first_name.as_str())
        && same_in_cell(&middle_name(one), &middle_name(other))
}

fn item(said: &SheetAnswer, submit: bool) -> BulkItem {
    let command = CreateAnswer {
        debt_request: said.debt_request,
        external_id: None,
        submit: submit && !said.waits_for_files,
        content: ContentDraft::from(&said.content),
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

#[cfg(test)]
mod tests {
    use gis_client::debt_requests::AtLeastOne;
    use gis_client::text::Snils;

    use super::*;
    use crate::ids::{AttachmentId, OrganizationId};
    use crate::store::{samples, test_rows};

    const COMMENT: &str = "Решение\u{a0}№ 5 ";

    fn debtor(last_name: &str) -> Debtor {
        Debtor {
            last_name: PersonName::parse(last_name).unwrap(),
            first_name: PersonName::parse("Пётр").unwrap(),
            middle_name: None,
            snils: None,
            identity_document: None,
            documents: Vec::new(),
        }
    }

    fn debt(comment: Option<&str>, debtor: Debtor) -> Content {
        let comment = comment.map(|text| Comment::parse(text).unwrap());
        Content::Debt { comment, debtors: AtLeastOne::from(debtor), files: Vec::new() }
    }

    /// What was answered: more than a sheet says, with spaces that it does not keep.
    fn answered() -> Content {
        let snils = Some(Snils::parse("11223344595").unwrap());
        debt(Some(COMMENT), Debtor { snils, ..debtor("Вымышленный\u{200b}") })
    }

    fn in_state(state: State) -> Answer {
        let organization = OrganizationId::generate();
        let request = samples::request(organization).id;
        Answer { state, content: answered(), ..test_rows::answer(organization, request) }
    }

    fn planned(content: Content, given: &[Answer], submit: bool) -> String {
        planned_row(content, given, submit, false)
    }

    fn planned_row(content: Content, given: &[Answer], submit: bool, waits_for_files: bool) -> String {
        let request = samples::request(OrganizationId::generate());
        let rows = AtLeastOne::from(2);
        let said =
            SheetAnswer { debt_request: request.id, request_number: None, content, waits_for_files, rows };
        match plan(&said, Some(&request), given, submit) {
            Plan::Refuse(mistake) => mistake.code.to_owned(),
            Plan::Leave(_) => "leave".to_owned(),
            Plan::Send(_) => "send".to_owned(),
            Plan::Say => "say".to_owned(),
        }
    }

    #[test]
    fn an_untouched_row_overwrites_nothing() {
        let exported = [
            debt(Some("Решение № 5"), debtor("Вымышленный")),
            // Without the right to read answers comments are not exported.
            debt(None, debtor("Вымышленный")),
        ];
        for row in exported {
            for state in [State::Queued, State::Sending, State::Delivered] {
                assert_eq!(planned(row.clone(), &[in_state(state)], true), "leave", "{state}");
            }
            assert_eq!(planned(row.clone(), &[in_state(State::Draft)], false), "leave");
            assert_eq!(planned(row.clone(), &[in_state(State::Draft)], true), "send");
            assert_eq!(planned(row.clone(), &[in_state(State::Prepared)], false), "leave");
            assert_eq!(planned(row.clone(), &[in_state(State::Prepared)], true), "send");
            assert_eq!(planned_row(row.clone(), &[in_state(State::Prepared)], true, true), "leave");
            assert_eq!(planned(row.clone(), &[in_state(State::Rejected)], true), "rejected_before");
            assert_eq!(planned(row, &[in_state(State::Cancelled)], true), "say");
        }
    }

    #[test]
    fn what_waits_for_files_is_not_sent_without_them() {
        let row = || debt(None, debtor("Вымышленный"));
        let waiting = Answer { waits_for_files: true, ..in_state(State::Prepared) };
        assert_eq!(planned(row(), std::slice::from_ref(&waiting), true), "leave");
        let files = vec![AttachmentId::generate()];
        let debtors = AtLeastOne::from(debtor("Вымышленный"));
        let content = Content::Debt { comment: None, debtors, files };
        let complete = Answer { content, waits_for_files: false, ..waiting };
        assert_eq!(planned(row(), &[complete], true), "send");
    }

    #[test]
    fn what_is_erased_is_neither_sent_nor_contradicted_by_a_row() {
        let erased = |state, has_debt| Answer { content: Content::Erased { has_debt }, ..in_state(state) };
        let no_debt = || Content::NoDebt { comment: None };
        for (state, expected) in
            [(State::Delivered, "leave"), (State::Draft, "say"), (State::Prepared, "say")]
        {
            assert_eq!(planned(no_debt(), &[erased(state, false)], true), expected, "{state}");
        }
        let row = || debt(None, debtor("Вымышленный"));
        assert_eq!(planned(row(), &[erased(State::Delivered, true)], true), "leave");
        assert_eq!(planned(row(), &[erased(State::Rejected, true)], true), "rejected_before");
        assert_eq!(planned(row(), &[erased(State::Delivered, false)], true), "say");
    }

    #[test]
    fn a_stale_row_takes_no_place_of_what_waits_to_be_sent() {
        let no_debt = || Content::NoDebt { comment: None };
        let other = || debt(Some("Решение № 6"), debtor("Вымышленный"));
        for submit in [false, true] {
            assert_eq!(planned(no_debt(), &[in_state(State::Queued)], submit), "answer_queued");
            assert_eq!(planned(other(), &[in_state(State::Queued)], submit), "answer_queued");
            assert_eq!(planned(no_debt(), &[in_state(State::Rejected)], submit), "say");
            assert_eq!(
                planned(no_debt(), &[in_state(State::Delivered)], submit),
                "say",
                "it must be confirmed"
            );
        }
        let draft = Answer { content: no_debt(), ..in_state(State::Draft) };
        let both = [draft, in_state(State::Queued)];
        assert_eq!(planned(no_debt(), &both, true), "answer_queued", "a draft over it harms nobody yet");
        assert_eq!(planned(no_debt(), &both, false), "say");
        assert_eq!(planned(no_debt(), &[], true), "say");
    }
}
