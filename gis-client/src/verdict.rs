//! What a [`State`] means for the message it tells about.
//!
//! Called by the polling job with what `getState` gave. What must stay true: only an explicit result is a result;
//! a state that says less is [`Verdict::Pending`] or [`Verdict::Unclear`], never a failure.

use crate::debt_requests::{GisError, ImportResult, Outcome, Progress, State, SubrequestPage};
use crate::error::CodeClass;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<T> {
    /// GIS is still at work: poll again.
    Pending,
    /// The result.
    Done(T),
    /// The message failed as a whole; [`GisError::fate`] and [`GisError::repeat`] say what that means.
    Failed(GisError),
    /// GIS says that it is done but not with what, or answers another question: look at what GIS shows.
    Unclear,
}

impl State {
    /// The verdict on an `exportDebtSubrequests`. The error INT002012 (Нет объектов для экспорта) is an empty page.
    #[must_use]
    pub fn into_page(self) -> Verdict<SubrequestPage> {
        self.into_verdict(|outcome| match outcome {
            Outcome::Subrequests(page) => Verdict::Done(page),
            Outcome::Error(error) if error.gis_code().class() == CodeClass::EmptyResult => {
                Verdict::Done(SubrequestPage::default())
            }
            Outcome::Error(error) => failed(error),
            Outcome::Import(_) | Outcome::RequesterResult => Verdict::Unclear,
        })
    }

    /// The verdict on an `importResponses`: a result for each action, if GIS forgot none.
    #[must_use]
    pub fn into_import_results(self) -> Verdict<Vec<ImportResult>> {
        self.into_verdict(|outcome| match outcome {
            Outcome::Import(results) => Verdict::Done(results),
            Outcome::Error(error) => failed(error),
            Outcome::Subrequests(_) | Outcome::RequesterResult => Verdict::Unclear,
        })
    }

    fn into_verdict<T>(self, finished: impl FnOnce(Outcome) -> Verdict<T>) -> Verdict<T> {
        match (self.progress, self.outcome) {
            (Progress::Received | Progress::Processing, _) => Verdict::Pending,
            (Progress::Done, Some(outcome)) => finished(outcome),
            (Progress::Done, None) | (Progress::Unknown(_), _) => Verdict::Unclear,
        }
    }
}

/// That getState does not know a message (INT002013) is no error of the message: it may have been taken and forgotten.
fn failed<T>(error: GisError) -> Verdict<T> {
    match error.gis_code().class() {
        CodeClass::UnknownMessage => Verdict::Unclear,
        CodeClass::EmptyResult
        | CodeClass::Format
        | CodeClass::Content
        | CodeClass::Authority
        | CodeClass::Repeat
        | CodeClass::Maintenance
        | CodeClass::Unknown => Verdict::Failed(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(progress: Progress, outcome: Option<Outcome>) -> State {
        State { progress, message: None, outcome, header: crate::debt_requests::ResultHeader::default() }
    }

    fn error(code: &str) -> GisError {
        GisError { code: code.to_owned(), description: String::new(), stack_trace: None }
    }

    #[test]
    fn an_empty_export_is_an_empty_page() {
        let nothing = state(Progress::Done, Some(Outcome::Error(error("INT002012"))));
        assert_eq!(nothing.clone().into_page(), Verdict::Done(SubrequestPage::default()));
        assert_eq!(nothing.into_import_results(), Verdict::Failed(error("INT002012")));
    }

    #[test]
    fn work_in_progress_is_no_result() {
        for progress in [Progress::Received, Progress::Processing] {
            assert_eq!(state(progress.clone(), None).into_page(), Verdict::Pending);
            assert_eq!(state(progress, None).into_import_results(), Verdict::Pending);
        }
    }

    #[test]
    fn what_says_too_little_proves_nothing() {
        assert_eq!(state(Progress::Done, None).into_import_results(), Verdict::Unclear);
        assert_eq!(state(Progress::Unknown("4".to_owned()), None).into_page(), Verdict::Unclear);
        let other = state(Progress::Done, Some(Outcome::Import(Vec::new())));
        assert_eq!(other.clone().into_page(), Verdict::Unclear);
        assert_eq!(other.into_import_results(), Verdict::Done(Vec::new()));
    }

    #[test]
    fn a_message_that_get_state_does_not_know_has_not_failed() {
        let forgotten = state(Progress::Done, Some(Outcome::Error(error("INT002013"))));
        assert_eq!(forgotten.clone().into_page(), Verdict::Unclear);
        assert_eq!(forgotten.into_import_results(), Verdict::Unclear);
    }

    #[test]
    fn a_failure_keeps_its_error() {
        let failed = state(Progress::Done, Some(Outcome::Error(error("EXP001000"))));
        assert_eq!(failed.into_page(), Verdict::Failed(error("EXP001000")));
    }
}
