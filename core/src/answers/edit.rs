//! Changing and deleting drafts. A prepared answer that is changed goes on as prepared. One that waits for files goes on
//! waiting: they may come one by one, and only whoever adds them knows which is the last.

use super::AnswerDetails;
use super::create::{give_name, take_name};
use super::desk::{Desk, adds_files, details, guard_content, guard_draft, guard_review, wrong_state};
use super::executor;
use super::input::{
    ContentDraft, ContentPatch, DebtorDraft, EditAnswer, FileDraft, FileSource, IdentityDocumentDraft, Patch,
};
use super::intake::keep;
use crate::Service;
use crate::audit::Changed;
use crate::domain::caller::{Caller, Scope};
use crate::domain::content::{Content, Debtor};
use crate::domain::event::EventKind;
use crate::error::{Error, Result};
use crate::ids::{AnswerId, AttachmentId};
use crate::store::{Tx, answers};

impl Service {
    /// Changes a draft.
    ///
    /// # Errors
    /// Every mistake of the input at once; a conflict when it is no draft any more, somebody else's, or handed in. Of what is
    /// handed in and waits for files, whoever prepares it changes those and the comment.
    pub async fn edit_answer(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: AnswerId,
        edit: EditAnswer,
        if_match: Option<i64>,
    ) -> Result<Changed<AnswerDetails>> {
        caller.need(Scope::AnswersWrite)?;
        let (mut desk, mut answer) = Desk::open_answer(tx, caller, id, if_match, self.clock.now()).await?;
        if !answer.state.is_editable() {
            return Err(wrong_state(&answer, "изменить можно только черновик или подготовленный ответ"));
        }
        guard_content(&answer)?;
        let executor = edit.executor.over(answer.executor);
        let denies = edit.content.has_debt.is_some_and(|has_debt| has_debt != answer.content.has_debt());
        if denies || executor != answer.executor || !adds_files(&desk.case.request, &answer, caller) {
            guard_review(&desk.case.request, &answer, caller)?;
        }
        guard_draft(&answer, caller, if_match)?;
        let before = details(tx, answer.clone(), desk.case.request.gis.due_on).await?;
        let mut mistakes = Vec::new();
        let name = take_name(tx, &mut desk, edit.external_id.as_deref()).await?;
        let name = keep(name, &mut mistakes);
        mistakes.extend(executor::check(tx, &mut desk.office, executor).await?);
        let draft = edit.content.over(&answer.content);
        let said = self.take_in(tx, caller, &mut desk.office, &draft, &mut mistakes).await?;
        let Some(said) = said.filter(|_| mistakes.is_empty()) else { return Err(Error::Invalid(mistakes)) };
        if !names_the_same(&said.content, &answer.content) {
            guard_review(&desk.case.request, &answer, caller)?;
        }
        answer.content = said.content;
        answer.content_hash = said.hash;
        answer.warnings = said.warnings;
        answer.executor = executor;
        // Without a debt there are none.
        answer.waits_for_files &= answer.content.has_debt();
        answer.external_id = answer.external_id.or_else(|| name.clone());
        desk.case.update(&mut answer);
        answers::set_files(tx, id, &said.files, self.unused_until()).await?;
        give_name(tx, &mut desk, &answer, name.as_ref()).await?;
        desk.case.tell(EventKind::AnswerEdited, Some(&answer));
        Ok(Changed { before, after: desk.close(tx, answer).await? })
    }

    /// Deletes a draft and gives what it was.
    ///
    /// # Errors
    /// A conflict when it is no draft any more, handed in, or somebody else's.
    pub async fn delete_answer(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: AnswerId,
        if_match: Option<i64>,
    ) -> Result<AnswerDetails> {
        caller.need(Scope::AnswersWrite)?;
        let (mut desk, answer) = Desk::open_answer(tx, caller, id, if_match, self.clock.now()).await?;
        if !answer.state.is_editable() {
            return Err(wrong_state(&answer, "удалить можно только черновик или подготовленный ответ"));
        }
        guard_review(&desk.case.request, &answer, caller)?;
        guard_draft(&answer, caller, if_match)?;
        let deleted = details(tx, answer.clone(), desk.case.request.gis.due_on).await?;
        answers::delete(tx, id, self.unused_until()).await?;
        desk.case.forget(&answer);
        desk.case.close(tx).await?;
        Ok(deleted)
    }
}

/// Whether two contents name the same debtors, whatever proves their debts.
fn names_the_same(one: &Content, other: &Content) -> bool {
    let bare = |debtor: &Debtor| Debtor { documents: Vec::new(), ..debtor.clone() };
    let (ours, theirs) = (one.debtors(), other.debtors());
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(one, other)| bare(one) == bare(other))
}

impl<T> Patch<T> {
    fn over(self, old: Option<T>) -> Option<T> {
        match self {
            Self::Keep => old,
            Self::Clear => None,
            Self::Set(new) => Some(new),
        }
    }
}

impl ContentPatch {
    /// What shall be said: what was said, with the changes. Checked as a whole, as if it came from the client.
    fn over(self, old: &Content) -> ContentDraft {
        let old = ContentDraft::from(old);
        ContentDraft {
            has_debt: self.has_debt.unwrap_or(old.has_debt),
            comment: self.comment.over(old.comment),
            debtors: self.debtors.unwrap_or(old.debtors),
            attachments: self.attachments.unwrap_or(old.attachments),
        }
    }
}

impl From<&Content> for ContentDraft {
    fn from(content: &Content) -> Self {
        Self {
            has_debt: content.has_debt(),
            comment: content.comment().map(|comment| comment.as_str().to_owned()),
            debtors: content.debtors().iter().map(DebtorDraft::from).collect(),
            attachments: content.files().iter().map(|id| stored(*id, None)).collect(),
        }
    }
}

impl From<&Debtor> for DebtorDraft {
    fn from(debtor: &Debtor) -> Self {
        let document = debtor.identity_document.as_ref();
        Self {
            last_name: debtor.last_name.as_str().to_owned(),
            first_name: debtor.first_name.as_str().to_owned(),
            middle_name: debtor.middle_name.as_ref().map(|name| name.as_str().to_owned()),
            snils: debtor.snils.as_ref().map(|snils| snils.as_str().to_owned()),
            identity_document: document.map(|document| IdentityDocumentDraft {
                type_code: document.type_code.as_str().to_owned(),
                series: document.series.as_ref().map(|series| series.as_str().to_owned()),
                number: document.number.as_str().to_owned(),
            }),
            documents: debtor
                .documents
                .iter()
                .map(|document| stored(document.attachment, Some(document.type_code.as_str())))
                .collect(),
        }
    }
}

fn stored(id: AttachmentId, type_code: Option<&str>) -> FileDraft {
    FileDraft {
        type_code: type_code.map(ToOwned::to_owned),
        description: None,
        source: FileSource::Stored(id),
    }
}
