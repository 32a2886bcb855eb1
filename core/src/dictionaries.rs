//! Dictionaries for clients: codes that GIS wants (НСИ 95 and 358 of this stand) and words of our own, with the text that
//! people read. The problem codes are a table of the HTTP side.

use gis_client::debt_requests::NsiRef;
use uuid::Uuid;

use crate::Service;
use crate::domain::answer::{Severity, State};
use crate::domain::debt_request::{RequestStatus, ResponseStatus, Stage};
use crate::domain::event::EventKind;
use crate::domain::event_guide::DataKey;
use crate::domain::last_error_code::LastErrorCode;
use crate::domain::words::words;

words! {
    /// A dictionary of the core.
    DictionaryName {
        /// Kinds of documents that prove a debt.
        DocumentTypes = "document_types" "Виды документов о задолженности (НСИ 358)",
        /// Kinds of identity documents.
        IdentityDocuments = "identity_documents" "Виды документов, удостоверяющих личность (НСИ 95)",
        /// States of answers.
        States = "states" "Состояния ответа",
        /// Stages of work on a debt request.
        Stages = "stages" "Этапы работы с запросом",
        /// Statuses of requests in GIS.
        RequestStatuses = "request_statuses" "Статусы запроса в ГИС ЖКХ",
        /// Statuses of answers in GIS.
        ResponseStatuses = "response_statuses" "Статусы ответа в ГИС ЖКХ",
        /// Types of events.
        EventTypes = "event_types" "Виды событий",
        /// Why answers are late or were refused.
        AnswerErrors = "answer_errors" "Коды ошибок ответов, файлов и выгрузок",
    }
}

/// An entry of a dictionary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DictionaryEntry {
    /// The code that clients write and read.
    pub code: String,
    /// Name for people, where there is one.
    pub name: Option<String>,
    /// The entry in GIS, of НСИ dictionaries.
    pub guid: Option<Uuid>,
    /// How much it should worry a person, of states.
    pub severity: Option<Severity>,
    /// Whether it changes no more by itself, of states.
    pub is_final: Option<bool>,
    /// What it means, of types of events.
    pub description: Option<String>,
    /// What `data` may hold, of types of events.
    pub data: Option<Vec<DataKey>>,
    /// Why, of errors.
    pub cause: Option<String>,
    /// What to do, of errors.
    pub cure: Option<String>,
}

impl Service {
    /// The entries of a dictionary, in their order.
    #[must_use]
    pub fn dictionary(&self, name: DictionaryName) -> Vec<DictionaryEntry> {
        match name {
            DictionaryName::DocumentTypes => of_gis(self.dictionaries.debt_documents()),
            DictionaryName::IdentityDocuments => of_gis(self.dictionaries.identity_documents()),
            DictionaryName::States => State::ALL.iter().copied().map(of_state).collect(),
            DictionaryName::Stages => {
                Stage::ALL.iter().map(|stage| word(stage.as_str(), stage.label())).collect()
            }
            DictionaryName::RequestStatuses => {
                RequestStatus::ALL.iter().map(|status| word(status.as_str(), status.label())).collect()
            }
            DictionaryName::ResponseStatuses => {
                ResponseStatus::ALL.iter().map(|status| word(status.as_str(), status.label())).collect()
            }
            DictionaryName::EventTypes => EventKind::ALL.iter().copied().map(of_event_type).collect(),
            DictionaryName::AnswerErrors => LastErrorCode::ALL.iter().copied().map(of_error).collect(),
        }
    }
}

fn of_gis(entries: &[NsiRef]) -> Vec<DictionaryEntry> {
    entries
        .iter()
        .map(|entry| DictionaryEntry {
            code: entry.code.as_str().to_owned(),
            name: entry.name.as_ref().map(|name| name.as_str().to_owned()),
            guid: Some(entry.id.as_uuid()),
            ..DictionaryEntry::default()
        })
        .collect()
}

fn of_state(state: State) -> DictionaryEntry {
    DictionaryEntry {
        severity: Some(state.severity()),
        is_final: Some(state.is_final()),
        ..word(state.as_str(), state.label())
    }
}

fn of_event_type(kind: EventKind) -> DictionaryEntry {
    DictionaryEntry {
        description: Some(kind.meaning().to_owned()),
        data: Some(kind.keys().copied().collect()),
        ..word(kind.as_str(), kind.label())
    }
}

fn of_error(code: LastErrorCode) -> DictionaryEntry {
    DictionaryEntry {
        cause: Some(code.cause().to_owned()),
        cure: Some(code.cure().to_owned()),
        ..word(code.as_str(), code.label())
    }
}

fn word(code: &str, label: &str) -> DictionaryEntry {
    DictionaryEntry { code: code.to_owned(), name: Some(label.to_owned()), ..DictionaryEntry::default() }
}

#[cfg(test)]
mod tests {
    use gis_client::debt_requests::Dictionaries;

    use super::*;

    #[test]
    fn entries_of_gis_carry_what_the_wire_wants() {
        let entries = of_gis(Dictionaries::default().debt_documents());
        let act = entries.first().unwrap();
        assert_eq!(act.code, "1");
        assert_eq!(act.guid.unwrap().to_string(), "237b587e-0b10-4702-b78c-8d641c3d4d45");
    }

    #[test]
    fn types_of_events_and_errors_are_explained() {
        let due_soon = of_event_type(EventKind::RequestDueSoon);
        let keys: Vec<_> = due_soon.data.unwrap().iter().map(|key| key.name).collect();
        assert_eq!(keys, ["due_on", "answer_id", "answer_state"]);
        assert!(due_soon.description.is_some() && due_soon.cause.is_none());
        let lost = of_error(LastErrorCode::GisNoAnswer);
        assert_eq!(lost.code, "gis_no_answer");
        assert!(lost.cause.is_some() && lost.cure.is_some() && lost.data.is_none());
    }

    #[test]
    fn states_say_when_to_stop_asking() {
        let uncertain = of_state(State::Uncertain);
        assert_eq!((uncertain.code.as_str(), uncertain.severity), ("uncertain", Some(Severity::Warning)));
        assert_eq!((uncertain.is_final, of_state(State::Delivered).is_final), (Some(false), Some(true)));
    }
}
