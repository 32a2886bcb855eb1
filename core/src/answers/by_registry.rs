//! Answers that nobody asks for one by one: those of a match with the registry of court debts, only where nobody has
//! answered or begun to, and automatic ones. Each goes the way of one that came alone.

use std::collections::BTreeMap;

use super::bulk::mistakes_of;
use super::create::Placed;
use super::desk::Desk;
use super::input::{ContentDraft, CreateAnswer};
use super::office::Office;
use super::{CreatedOutcome, DebtorDraft, FileDraft, FileSource, IdentityDocumentDraft};
use crate::Service;
use crate::case::Case;
use crate::domain::answer::{Source, State};
use crate::domain::caller::Caller;
use crate::domain::content::{DebtDocument, Debtor};
use crate::domain::debt_request::{ResponseStatus, Stage};
use crate::error::{Code, Result};
use crate::ids::{AnswerId, AttachmentId, DebtRequestId};
use crate::store::Tx;

/// What became of the answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Given {
    /// It has one already, somebody works on one, or a person has stopped one.
    Skipped,
    /// There is a draft.
    Drafted(AnswerId),
    /// It goes to GIS.
    Queued(AnswerId),
    /// Something is in its way.
    Refused(&'static str),
}

impl Given {
    /// The answer that was made.
    pub(crate) const fn answer(&self) -> Option<AnswerId> {
        match self {
            Self::Drafted(id) | Self::Queued(id) => Some(*id),
            Self::Skipped | Self::Refused(_) => None,
        }
    }
}

/// How answers are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Giving {
    /// Whether they are sent; else they are drafts.
    pub(crate) submit: bool,
    /// What they come of.
    pub(crate) source: Source,
}

impl Service {
    /// Answers requests of one organisation.
    pub(crate) async fn answer_by_registry(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        contents: BTreeMap<DebtRequestId, ContentDraft>,
        submit: bool,
    ) -> Result<BTreeMap<DebtRequestId, Given>> {
        let ids: Vec<_> = contents.keys().copied().collect();
        let cases = Case::open_many(tx, &ids, self.clock.now()).await?;
        let ours = |case: &Case| case.request.organization == caller.organization;
        let (free, taken): (Vec<_>, Vec<_>) =
            cases.into_iter().partition(|case| ours(case) && is_untouched(case));
        let mut given =
            self.give(tx, caller, free, contents, Giving { submit, source: Source::Registry }).await?;
        given.extend(taken.into_iter().map(|case| (case.request.id, Given::Skipped)));
        Ok(given)
    }

    /// Gives answers to debt requests that the transaction holds, without anybody who could confirm anything.
    pub(crate) async fn give(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        cases: Vec<Case>,
        mut contents: BTreeMap<DebtRequestId, ContentDraft>,
        giving: Giving,
    ) -> Result<BTreeMap<DebtRequestId, Given>> {
        let mut given = BTreeMap::new();
        if cases.is_empty() {
            return Ok(given);
        }
        let mut office = Office::open(tx, caller.organization).await?;
        let mut changed = Vec::new();
        for case in cases {
            let id = case.request.id;
            let Some(content) = contents.remove(&id) else { continue };
            let mut desk = Desk::new(office, case);
            let placed = self.place(tx, caller, &mut desk, command(id, content, giving)).await;
            office = desk.office;
            let outcome = match placed {
                Ok(Placed { outcome: CreatedOutcome::Same, .. }) => Given::Skipped,
                Ok(Placed { answer, outcome }) => {
                    changed.push(desk.case);
                    match outcome {
                        CreatedOutcome::Queued => Given::Queued(answer.id),
                        CreatedOutcome::Draft | CreatedOutcome::Same => Given::Drafted(answer.id),
                    }
                }
                Err(error) => {
                    let mistakes = mistakes_of(error)?;
                    let first = mistakes.first().map_or(Code::ValidationFailed.as_str(), |first| first.code);
                    Given::Refused(first)
                }
            };
            given.insert(id, outcome);
        }
        Case::close_all(tx, changed).await?;
        Ok(given)
    }
}

/// Whether nobody has answered a request or works on an answer. One that was refused, and one that a person has cancelled,
/// wait for a person.
fn is_untouched(case: &Case) -> bool {
    let request = &case.request;
    request.gis.response_status == ResponseStatus::NotSent
        && request.stage != Stage::Gone
        && !request.answered
        && case.answers().iter().all(|answer| answer.state == State::Superseded || answer.is_emptied_draft())
}

fn command(debt_request: DebtRequestId, content: ContentDraft, giving: Giving) -> CreateAnswer {
    CreateAnswer {
        debt_request,
        external_id: None,
        submit: giving.submit,
        content,
        executor: None,
        confirm: Vec::new(),
        reason: None,
        source: giving.source,
        trace: None,
    }
}

/// A debtor of the registry in the form in which clients send one, without documents.
pub(crate) fn debtor_draft(debtor: &Debtor) -> DebtorDraft {
    let text = |name: &gis_client::text::PersonName| name.as_str().to_owned();
    DebtorDraft {
        last_name: text(&debtor.last_name),
        first_name: text(&debtor.first_name),
        middle_name: debtor.middle_name.as_ref().map(text),
        snils: debtor.snils.as_ref().map(|snils| snils.as_str().to_owned()),
        identity_document: debtor.identity_document.as_ref().map(|document| IdentityDocumentDraft {
            type_code: document.type_code.as_str().to_owned(),
            series: document.series.as_ref().map(|series| series.as_str().to_owned()),
            number: document.number.as_str().to_owned(),
        }),
        documents: Vec::new(),
    }
}

/// A document of a debtor of the registry.
pub(crate) fn document_draft(document: &DebtDocument) -> FileDraft {
    FileDraft { type_code: Some(document.type_code.as_str().to_owned()), ..file_draft(document.attachment) }
}

/// A file of the registry.
pub(crate) fn file_draft(id: AttachmentId) -> FileDraft {
    FileDraft { type_code: None, description: None, source: FileSource::Stored(id) }
}
