//! What GIS ZhKH asks of a request beyond its structure.
//!
//! The sources are the schema's annotations, its keys, and what public clients met (Q16, Q30).
//! The engine calls [`check`] while it works on a request, and decides whether an error of one item kills the
//! whole package. The world's own refusals (no such subrequest, nothing to revoke) are not
//! here: these rules need no state but the file store.
//!
//! Most of the real control codes are not public. SRV007079 is known; the codes that begin with INT009 are
//! invented, and a client must take them for what it knows not.

pub mod dictionaries;

use std::collections::HashSet;

use chrono::Months;
use uuid::Uuid;

use self::dictionaries::Dictionary;
use crate::wire::model::{
    Action, ActionKind, Answer, Body, Debtor, Export, FileRef, NsiRef, Objects, Period, Request, Selection,
    Version,
};

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// `ErrorCode`.
    pub code: &'static str,
    /// `Description`, in Russian, with GIS words and no personal data.
    pub description: String,
    /// What it spoils.
    pub scope: Scope,
}

/// What a [`RuleError`] spoils.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The action with this index, from 0.
    Item(usize),
    /// The whole request.
    Whole,
}

/// What the rules must know of the file store.
pub trait Files {
    /// The GOST R 34.11-94 hash (hex) of a complete file that `organization` uploaded as `file`.
    fn hash(&self, organization: Uuid, file: Uuid) -> Option<String>;
}

impl<F: Fn(Uuid, Uuid) -> Option<String>> Files for F {
    fn hash(&self, organization: Uuid, file: Uuid) -> Option<String> {
        self(organization, file)
    }
}

/// Two actions of a package with one id (XSD: keys of importDSRResponsesRequest).
pub const NOT_UNIQUE: &str = "INT009001";
/// The period of sending is upside down or longer than six months.
pub const BAD_PERIOD: &str = "INT009002";
/// An element that the request's version does not know.
pub const WRONG_VERSION: &str = "INT009003";
/// `responseData` does not fit `actionType`.
pub const WRONG_RESPONSE: &str = "INT009004";
/// The parts of an answer do not fit `hasDebt`.
pub const WRONG_DEBT: &str = "INT009005";
/// `AttachmentHASH` is absent.
pub const NO_HASH: &str = "INT009006";
/// The file is not there, or belongs to another organisation. The code is real, its meaning a guess.
pub const NO_SUCH_FILE: &str = "FIL001001";
/// The file has another hash. The code is real, its meaning a guess.
pub const HASH_DIFFERS: &str = "FIL001002";
/// `snils` is not 11 digits: the schema forbids it too, but a package with one such value was seen to fail as a
/// whole (Q16), not to be turned away.
pub const BAD_SNILS: &str = "INT009007";
/// The dictionary has no such entry (known: an entry of another stand).
pub const UNKNOWN_ENTRY: &str = "SRV007079";

/// Every broken rule of the request, in its order; empty when all is well.
#[must_use]
pub fn check(request: &Request, files: &impl Files) -> Vec<RuleError> {
    match &request.body {
        Body::ExportSubrequests(export) => check_export(export),
        Body::ImportResponses(actions) => check_import(actions, request.header.organization, files),
        Body::GetState(_) | Body::ImportDebtRequests | Body::ExportDebtRequests => Vec::new(),
    }
}

fn check_export(export: &Export) -> Vec<RuleError> {
    let mut errors = Vec::new();
    let mut whole = |code, description: &str| {
        errors.push(RuleError { code, description: description.to_owned(), scope: Scope::Whole });
    };
    if let Selection::Filter(filter) = &export.selection {
        if let Some(problem) = period_problem(filter.period) {
            whole(BAD_PERIOD, problem);
        }
        match (&filter.objects, export.version) {
            (Objects::Houses(_), Version::V14 | Version::V15) => {
                whole(WRONG_VERSION, "Элемент houseGUID указывается только для версии 13.1.10.1");
            }
            (Objects::Registry(_), Version::V13) => {
                whole(
                    WRONG_VERSION,
                    "Элемент exportHMObjectGUID указывается только начиная с версии 14.0.0.0",
                );
            }
            (Objects::Any, _) | (Objects::Houses(_), Version::V13) | (Objects::Registry(_), _) => {}
        }
    }
    if export.include_responses.is_some() && export.version != Version::V13 {
        whole(WRONG_VERSION, "Элемент includeResponses указывается только для версии 13.1.10.1");
    }
    errors
}

/// XSD periodOfSendingRequest: at most six months.
fn period_problem(period: Period) -> Option<&'static str> {
    if period.start > period.end {
        return Some("Дата начала периода направления запроса позже даты окончания");
    }
    let latest = period.start.checked_add_months(Months::new(6));
    latest
        .is_none_or(|latest| period.end > latest)
        .then_some("Период направления запроса не должен превышать 6-ти месяцев")
}

fn check_import(actions: &[Action], organization: Uuid, files: &impl Files) -> Vec<RuleError> {
    let mut errors = Vec::new();
    let (mut transports, mut subrequests) = (HashSet::new(), HashSet::new());
    for action in actions {
        for (seen, guid, element) in [
            (&mut transports, action.transport, "TransportGUID"),
            (&mut subrequests, action.subrequest, "subrequestGUID"),
        ] {
            if !seen.insert(guid) {
                errors.push(RuleError {
                    code: NOT_UNIQUE,
                    description: format!("Значение {element} {guid} не уникально в рамках запроса"),
                    scope: Scope::Whole,
                });
            }
        }
    }
    for (index, action) in actions.iter().enumerate() {
        let mut item = Item { index, organization, files, errors: &mut errors };
        item.check(action);
    }
    errors
}

/// One action under examination.
struct Item<'check, F> {
    index: usize,
    organization: Uuid,
    files: &'check F,
    errors: &'check mut Vec<RuleError>,
}

impl<F: Files> Item<'_, F> {
    fn report(&mut self, code: &'static str, description: impl Into<String>) {
        self.errors.push(RuleError { code, description: description.into(), scope: Scope::Item(self.index) });
    }

    fn check(&mut self, action: &Action) {
        match (action.kind, &action.response) {
            (ActionKind::Send, Some(answer)) => self.check_answer(answer),
            (ActionKind::Send, None) => {
                self.report(WRONG_RESPONSE, "Элемент responseData обязателен для операции Send");
            }
            (ActionKind::Revoke, Some(_)) => {
                self.report(WRONG_RESPONSE, "Элемент responseData указывается только для операции Send");
            }
            (ActionKind::Revoke, None) => {}
        }
    }

    fn check_answer(&mut self, answer: &Answer) {
        let names_debt = !answer.debtors.is_empty() || !answer.debts.is_empty();
        if answer.has_debt && !names_debt {
            self.report(WRONG_DEBT, "Элемент debtInfo обязателен, если hasDebt=TRUE");
        }
        if !answer.has_debt && names_debt {
            self.report(
                WRONG_DEBT,
                "Элементы debtInfo и debtGUID могут быть указаны, только если hasDebt=TRUE",
            );
        }
        if !answer.has_debt && !answer.additional_files.is_empty() {
            self.report(WRONG_DEBT, "Элемент additionalFile может быть указан, только если hasDebt=TRUE");
        }
        answer.additional_files.iter().for_each(|file| self.check_file(file));
        answer.debtors.iter().for_each(|debtor| self.check_debtor(debtor));
    }

    fn check_debtor(&mut self, debtor: &Debtor) {
        if debtor.person.snils.as_deref().is_some_and(|snils| !is_snils(snils)) {
            self.report(BAD_SNILS, "Значение snils не соответствует формату: 11 цифр");
        }
        if let Some(document) = &debtor.person.document {
            self.check_entry(Dictionary::IdentityDocuments, &document.kind);
        }
        for document in &debtor.documents {
            self.check_entry(Dictionary::DebtDocuments, &document.kind);
            self.check_file(&document.file);
        }
    }

    fn check_entry(&mut self, dictionary: Dictionary, reference: &NsiRef) {
        if !dictionary.knows(reference) {
            let NsiRef { code, guid, .. } = reference;
            let number = dictionary.number();
            let problem =
                format!("В справочнике НСИ {number} отсутствует элемент с кодом {code} и GUID {guid}");
            self.report(UNKNOWN_ENTRY, problem);
        }
    }

    fn check_file(&mut self, file: &FileRef) {
        let Some(hash) = &file.hash else {
            return self.report(NO_HASH, "Элемент AttachmentHASH обязателен в запросах импорта");
        };
        match self.files.hash(self.organization, file.guid) {
            None => self.report(NO_SUCH_FILE, format!("Файл с идентификатором {} не найден", file.guid)),
            Some(stored) if !stored.eq_ignore_ascii_case(hash) => {
                self.report(
                    HASH_DIFFERS,
                    format!("Хэш файла {} не совпадает с указанным в AttachmentHASH", file.guid),
                );
            }
            Some(_) => {}
        }
    }
}

/// XSD SNILSType.
pub(crate) fn is_snils(text: &str) -> bool {
    text.len() == 11 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
