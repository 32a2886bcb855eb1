//! From what a client sent to a [`Content`], with every mistake at its place (`api.md` §4.4). Pure: files were taken in
//! before, and stand here by the pointer of their place.

use std::collections::BTreeMap;

use gis_client::debt_requests::{AtLeastOne, Dictionaries, NsiRef};
use gis_client::text::{Comment, DocumentNumber, DocumentSeries, NsiCode, PersonName, Snils, TextError};

use super::input::{ContentDraft, DebtorDraft, FileDraft, IdentityDocumentDraft};
use crate::domain::answer::Warning;
use crate::domain::content::{Content, DebtDocument, Debtor, IdentityDocument};
use crate::error::Mistake;
use crate::ids::AttachmentId;
use crate::settings::Limits;

const REQUIRED: &str = "обязательное поле";

/// Files that were taken in, by the place where they stand, such as `/attachments/0`. One that is not here has mistakes
/// of its own, which are known already.
pub(crate) type Files = BTreeMap<String, AttachmentId>;

/// What holds for every answer of this stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'a> {
    pub(crate) dictionaries: &'a Dictionaries,
    pub(crate) limits: &'a Limits,
}

/// A content and what is odd about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) content: Content,
    pub(crate) warnings: Vec<Warning>,
}

/// Checks a draft.
///
/// `Ok(None)` says that only files have mistakes.
pub(crate) fn check(
    draft: &ContentDraft,
    rules: Rules<'_>,
    files: &Files,
) -> Result<Option<Checked>, Vec<Mistake>> {
    let mut checker = Checker { rules, files, mistakes: Vec::new(), warnings: Vec::new() };
    let content = checker.content(draft);
    if checker.mistakes.is_empty() {
        Ok(content.map(|content| Checked { content, warnings: checker.warnings }))
    } else {
        Err(checker.mistakes)
    }
}

/// The files of a draft with their places, as far as there may be any: without a debt there are none, and those above the
/// limits are not looked at.
pub(super) fn files<'a>(draft: &'a ContentDraft, limits: &Limits) -> Vec<(String, &'a FileDraft)> {
    if !draft.has_debt {
        return Vec::new();
    }
    let of_debtors = draft.debtors.iter().take(limits.debtors).enumerate().flat_map(|(debtor, person)| {
        let documents = person.documents.iter().take(limits.files_per_debtor).enumerate();
        documents.map(move |(place, file)| (format!("/debtors/{debtor}/documents/{place}"), file))
    });
    let of_answer = draft.attachments.iter().take(limits.files_per_answer).enumerate();
    of_debtors.chain(of_answer.map(|(place, file)| (format!("/attachments/{place}"), file))).collect()
}

struct Checker<'a> {
    rules: Rules<'a>,
    files: &'a Files,
    mistakes: Vec<Mistake>,
    warnings: Vec<Warning>,
}

impl Checker<'_> {
    fn content(&mut self, draft: &ContentDraft) -> Option<Content> {
        let comment = self.optional("/comment", draft.comment.as_deref(), Comment::parse);
        if !draft.has_debt {
            self.nothing("/debtors", draft.debtors.len(), "должников");
            self.nothing("/attachments", draft.attachments.len(), "файлов");
            return Some(Content::NoDebt { comment: comment? });
        }
        let debtors = self.debtors(&draft.debtors);
        let files = self.attachments(&draft.attachments);
        Some(Content::Debt { comment: comment?, debtors: debtors?, files: files? })
    }

    fn debtors(&mut self, drafts: &[DebtorDraft]) -> Option<AtLeastOne<Debtor>> {
        if drafts.is_empty() {
            self.mistake("/debtors", "required", "укажите хотя бы одного должника");
            return None;
        }
        self.at_most("/debtors", drafts.len(), self.rules.limits.debtors, "должников");
        let debtors = self.each("/debtors", drafts, Self::debtor)?;
        AtLeastOne::new(debtors)
    }

    fn debtor(&mut self, at: &str, draft: &DebtorDraft) -> Option<Debtor> {
        let last_name = self.required(&format!("{at}/last_name"), &draft.last_name, PersonName::parse);
        let first_name = self.required(&format!("{at}/first_name"), &draft.first_name, PersonName::parse);
        let middle_name =
            self.optional(&format!("{at}/middle_name"), draft.middle_name.as_deref(), PersonName::parse);
        let snils = self.snils(&format!("{at}/snils"), draft.snils.as_deref());
        let document = draft.identity_document.as_ref();
        let identity_document = document.map(|document| self.identity_document(at, document));
        let documents = self.documents(&format!("{at}/documents"), &draft.documents);
        Some(Debtor {
            last_name: last_name?,
            first_name: first_name?,
            middle_name: middle_name?,
            snils: snils?,
            identity_document: match identity_document {
                None => None,
                Some(document) => Some(document?),
            },
            documents: documents?,
        })
    }

    fn snils(&mut self, at: &str, text: Option<&str>) -> Option<Option<Snils>> {
        let parse = |text| Snils::parse(text).or(Err(TextError::Form { form: "eleven digits" }));
        let snils = self.optional(at, text, parse)?;
        if snils.as_ref().is_some_and(|snils| !snils.has_valid_checksum()) {
            self.warnings.push(Warning {
                code: "snils_checksum".to_owned(),
                pointer: Some(at.to_owned()),
                detail: "контрольная сумма СНИЛС не сходится".to_owned(),
            });
        }
        Some(snils)
    }

    fn identity_document(&mut self, debtor: &str, draft: &IdentityDocumentDraft) -> Option<IdentityDocument> {
        let at = format!("{debtor}/identity_document");
        let code_at = format!("{at}/type_code");
        let entry = self.rules.dictionaries.identity_document(&draft.type_code);
        let type_code = self.code(&code_at, &draft.type_code, entry, "НСИ 95");
        let series = self.optional(&format!("{at}/series"), draft.series.as_deref(), DocumentSeries::parse);
        let number = self.required(&format!("{at}/number"), &draft.number, DocumentNumber::parse);
        Some(IdentityDocument { type_code: type_code?, series: series?, number: number? })
    }

    fn documents(&mut self, at: &str, drafts: &[FileDraft]) -> Option<Vec<DebtDocument>> {
        let limit = self.rules.limits.files_per_debtor;
        self.at_most(at, drafts.len(), limit, "файлов");
        self.each(at, drafts, |checker, at, draft| {
            let code = draft.type_code.as_deref().unwrap_or_default();
            let entry = checker.rules.dictionaries.debt_document(code);
            let type_code = checker.code(&format!("{at}/type_code"), code, entry, "НСИ 358");
            let attachment = checker.files.get(at).copied();
            Some(DebtDocument { type_code: type_code?, attachment: attachment? })
        })
    }

    fn attachments(&mut self, drafts: &[FileDraft]) -> Option<Vec<AttachmentId>> {
        self.at_most("/attachments", drafts.len(), self.rules.limits.files_per_answer, "файлов");
        self.each("/attachments", drafts, |checker, at, draft| {
            if draft.type_code.is_some() {
                let detail = "вид документа указывается только у документов должника";
                checker.mistake(&format!("{at}/type_code"), "not_allowed", detail);
            }
            checker.files.get(at).copied()
        })
    }

    /// Checks every item, also after one that is wrong.
    fn each<D, T>(
        &mut self,
        at: &str,
        drafts: &[D],
        mut check: impl FnMut(&mut Self, &str, &D) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items: Vec<_> = drafts
            .iter()
            .enumerate()
            .map(|(place, draft)| check(self, &format!("{at}/{place}"), draft))
            .collect();
        items.into_iter().collect()
    }

    fn code(&mut self, at: &str, text: &str, entry: Option<&NsiRef>, dictionary: &str) -> Option<NsiCode> {
        if let Some(entry) = entry {
            return Some(entry.code.clone());
        }
        if text.trim().is_empty() {
            self.mistake(at, "required", REQUIRED);
        } else {
            let detail = format!("такого кода нет в справочнике {dictionary} этого стенда");
            self.mistake(at, "dictionary_unknown", detail);
        }
        None
    }

    fn required<T>(
        &mut self,
        at: &str,
        text: &str,
        parse: impl Fn(String) -> Result<T, TextError>,
    ) -> Option<T> {
        if text.trim().is_empty() {
            self.mistake(at, "required", REQUIRED);
            return None;
        }
        self.parsed(at, parse(text.to_owned()))
    }

    /// The outer `None` says that there is a mistake.
    #[expect(clippy::option_option, reason = "whether it is right, and whether it is there at all")]
    fn optional<T>(
        &mut self,
        at: &str,
        text: Option<&str>,
        parse: impl Fn(String) -> Result<T, TextError>,
    ) -> Option<Option<T>> {
        let Some(text) = text else { return Some(None) };
        if text.trim().is_empty() {
            self.mistake(at, "empty", "пустое значение; передайте null");
            return None;
        }
        self.parsed(at, parse(text.to_owned())).map(Some)
    }

    fn parsed<T>(&mut self, at: &str, parsed: Result<T, TextError>) -> Option<T> {
        parsed.map_err(|error| self.mistakes.push(text_mistake(at, error))).ok()
    }

    fn at_most(&mut self, at: &str, count: usize, limit: usize, what: &str) {
        if count > limit {
            let mistake = Mistake::at(at, "too_many", format!("не более {limit} {what}"));
            self.mistakes.push(mistake.with_max(u64::try_from(limit).unwrap_or(u64::MAX)));
        }
    }

    fn nothing(&mut self, at: &str, count: usize, what: &str) {
        if count > 0 {
            self.mistake(at, "not_allowed_without_debt", format!("в ответе «нет долга» не бывает {what}"));
        }
    }

    fn mistake(&mut self, at: &str, code: &'static str, detail: impl Into<String>) {
        self.mistakes.push(Mistake::at(at, code, detail));
    }
}

/// The mistake in the client's terms. Of the texts here only СНИЛС has a form.
pub(super) fn text_mistake(at: &str, error: TextError) -> Mistake {
    match error {
        TextError::Empty => Mistake::at(at, "required", REQUIRED),
        TextError::TooLong { limit, .. } => {
            let max = u64::try_from(limit).unwrap_or(u64::MAX);
            Mistake::at(at, "too_long", format!("не более {limit} знаков")).with_max(max)
        }
        TextError::Character { position, code } => {
            let detail = format!("знак U+{code:04X} на месте {position} нельзя передать в ГИС ЖКХ");
            Mistake::at(at, "character_not_allowed", detail)
        }
        TextError::Form { .. } => Mistake::at(at, "snils_format", "СНИЛС: ровно 11 цифр"),
    }
}

#[cfg(test)]
mod tests;
