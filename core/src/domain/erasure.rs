//! Answers whose personal data are kept no longer (`api.md` §14): what such an answer said is gone; that it was given, when,
//! and what became of it stays. Its content becomes [`Content::Erased`], of which no action of GIS can be made, and its hash
//! goes on telling whether GIS shows the same.

use chrono::{DateTime, Utc};

use super::answer::{Answer, GisWords, LastError};
use super::content::Content;

impl Answer {
    /// Takes the personal data out of it: what it says, what people wrote about it, and the words of GIS, which may quote
    /// it. Whoever keeps it notes the change.
    pub fn erase(&mut self, now: DateTime<Utc>) {
        self.content = Content::Erased { has_debt: self.content.has_debt() };
        self.reason = None;
        self.return_comment = None;
        self.last_error = self.last_error.take().map(LastError::without_words);
        self.personal_data_erased_at = Some(now);
    }

    /// Whether nothing is known any more of what it said.
    #[must_use]
    pub const fn is_erased(&self) -> bool {
        matches!(self.content, Content::Erased { .. })
    }

    /// Whether it is a draft that cannot be gone on with; a new answer takes its place.
    #[must_use]
    pub const fn is_emptied_draft(&self) -> bool {
        self.is_erased() && self.state.is_editable()
    }

    /// Whether there may be personal data in it: whatever changed it since they were erased may have brought some, such as
    /// the reason of a withdrawal.
    #[must_use]
    pub fn may_hold_personal_data(&self) -> bool {
        self.personal_data_erased_at.is_none_or(|erased_at| erased_at < self.updated_at)
    }
}

impl LastError {
    /// The same without the description of GIS, which may quote the answer; the code and the message stay.
    #[must_use]
    pub fn without_words(self) -> Self {
        Self { gis: self.gis.map(|words| GisWords { description: String::new(), ..words }), ..self }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::content::{Canonical, Digests};
    use crate::ids::{AttachmentId, DebtRequestId, OrganizationId};
    use crate::store::test_rows::{answer, at, debt, last_error};

    fn full() -> Answer {
        Answer {
            content: debt(AttachmentId::generate(), AttachmentId::generate()),
            reason: Some("Петров просил".to_owned()),
            return_comment: Some("уточните у Петрова".to_owned()),
            last_error: Some(last_error()),
            ..answer(OrganizationId::generate(), DebtRequestId::generate())
        }
    }

    #[test]
    fn what_is_erased_says_no_more_than_whether_there_was_a_debt() {
        let before = full();
        let mut erased = before.clone();
        assert!(erased.may_hold_personal_data() && !erased.is_erased());
        erased.erase(at(9));
        erased.touch(at(9));
        assert!(erased.is_erased() && !erased.may_hold_personal_data());
        assert!(erased.content.has_debt() && erased.content.comment().is_none());
        assert!(erased.content.debtors().is_empty() && erased.content.attachments().next().is_none());
        let told = erased.last_error.clone().unwrap();
        let (words, known) = (told.gis.unwrap(), before.last_error.unwrap().gis.unwrap());
        assert_eq!((words.description.as_str(), words.code), ("", known.code));
        assert!(erased.reason.is_none() && erased.return_comment.is_none());
        assert_eq!(erased.content_hash, before.content_hash);
        erased.content = Content::NoDebt { comment: None };
        erased.erase(at(9));
        assert!(!erased.content.has_debt());
    }

    #[test]
    fn what_changes_afterwards_may_hold_personal_data_again() {
        let mut erased = full();
        erased.erase(at(9));
        erased.touch(at(9));
        erased.touch(at(9) + TimeDelta::microseconds(1));
        assert!(erased.may_hold_personal_data());
    }

    #[test]
    fn what_is_erased_equals_nothing() {
        for has_debt in [false, true] {
            let erased = Canonical::of(&Content::Erased { has_debt }, &Digests::new());
            let bare = Canonical::of(&Content::NoDebt { comment: None }, &Digests::new());
            assert_ne!(erased.hash(&[7; 32]), bare.hash(&[7; 32]));
        }
    }

    #[test]
    fn it_comes_back_from_its_row_as_it_went() {
        let content = Content::Erased { has_debt: true };
        let row = serde_json::to_value(&content).unwrap();
        assert_eq!(row, serde_json::json!({ "kind": "erased", "has_debt": true }));
        assert!(serde_json::from_value::<Content>(row).unwrap() == content);
    }
}
