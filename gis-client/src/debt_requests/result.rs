//! What GIS says of each imported action, and its errors.
//!
//! Read by `super::state`. What must stay true: only an explicit success is a success and only an explicit error
//! an error; an item that says neither is [`ItemResult::Unclear`].

use std::fmt;

use chrono::{DateTime, FixedOffset};

use super::state::{is_filler, parsed, read_moment};
use crate::error::{Fate, Repeat};
use crate::ids::{EntityId, TransportId};
use crate::xml::Namespace::Base;
use crate::xml::{Problem, Reader};

/// An error as GIS words it.
#[derive(Clone, PartialEq, Eq)]
pub struct GisError {
    /// Code such as `INT002012`; empty where GIS gave none.
    pub code: String,
    /// Description in Russian. It may quote the data that GIS did not like, so `Debug` does not print it.
    pub description: String,
    /// Java stack trace, which some errors carry; for the archive only.
    pub stack_trace: Option<String>,
}

impl fmt::Debug for GisError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.gis_code();
        formatter.debug_struct("GisError").field("code", &code.as_str()).finish_non_exhaustive()
    }
}

/// The result of one action. GIS keeps neither the order nor the number of the actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportResult {
    /// Our key of the action; `None` where GIS gave none that can be read.
    pub transport: Option<TransportId>,
    /// The entity changed; in practice the GUID of the subrequest.
    pub entity: Option<EntityId>,
    /// What became of the action.
    pub result: ItemResult,
}

/// What became of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemResult {
    /// It was done.
    Ok {
        /// Number in a registry.
        unique_number: Option<String>,
        /// When it was done; `None` where GIS wrote no usable time.
        updated_at: Option<DateTime<FixedOffset>>,
    },
    /// It was refused, for at least one reason.
    Errors(Vec<GisError>),
    /// GIS said neither: take it as unknown.
    Unclear,
}

impl ItemResult {
    /// What became of the action; `None` for one that was done. It is refused only if every error says so.
    #[must_use]
    pub fn fate(&self) -> Option<Fate> {
        match self {
            Self::Ok { .. } => None,
            Self::Unclear => Some(Fate::Unknown),
            Self::Errors(errors) => {
                let refused = !errors.is_empty() && errors.iter().all(|error| error.fate() == Fate::Refused);
                Some(if refused { Fate::Refused } else { Fate::Unknown })
            }
        }
    }

    /// Whether a repeat of the action can help. GIS has judged it alone, so smaller parts do not.
    #[must_use]
    pub fn repeat(&self) -> Repeat {
        let errors = match self {
            Self::Errors(errors) => errors.as_slice(),
            Self::Ok { .. } | Self::Unclear => &[],
        };
        match self.fate() {
            None | Some(Fate::Refused) => Repeat::Never,
            Some(Fate::NotSent | Fate::Unknown) => errors
                .iter()
                .map(GisError::repeat)
                .find(|repeat| matches!(repeat, Repeat::NewMessage { .. }))
                .unwrap_or(Repeat::AfterLook { after: None }),
        }
    }
}

/// Reads `CommonResultType`.
pub(super) fn read_import_result(reader: &mut Reader<'_>) -> Result<ImportResult, Problem> {
    let mut transport = None;
    let mut entity = None;
    let mut unique_number = None;
    let mut update = None;
    let mut errors = Vec::new();
    reader.children(|reader, element| {
        match element.name() {
            (Some(Base), "TransportGUID") => transport = parsed(&reader.text()?),
            (Some(Base), "GUID") => entity = parsed(&reader.text()?),
            (Some(Base), "UniqueNumber") => unique_number = Some(reader.text()?.into_owned()),
            (Some(Base), "UpdateDate") => {
                let text = reader.text()?;
                // A filler says that there is none. A text in an unknown form is a time all the same.
                update = (!is_filler(&text)).then(|| read_moment(&text));
            }
            (Some(Base), "Error") => errors.push(read_error(reader)?),
            _ => {}
        }
        Ok(())
    })?;
    let result = match (errors.is_empty(), update) {
        (false, _) => ItemResult::Errors(errors),
        (true, Some(updated_at)) => ItemResult::Ok { unique_number, updated_at },
        // The schema makes UpdateDate the mark of success.
        (true, None) => ItemResult::Unclear,
    };
    Ok(ImportResult { transport, entity, result })
}

/// Reads `ErrorMessageType` and the fault detail, which differ in the name of the text.
pub(crate) fn read_error(reader: &mut Reader<'_>) -> Result<GisError, Problem> {
    let mut error = GisError { code: String::new(), description: String::new(), stack_trace: None };
    reader.children(|reader, element| {
        match element.name() {
            (Some(Base), "ErrorCode") => error.code = reader.text()?.trim().to_owned(),
            (Some(Base), "Description" | "ErrorMessage") => error.description = reader.text()?.into_owned(),
            (Some(Base), "StackTrace") => {
                error.stack_trace =
                    Some(reader.text()?.into_owned()).filter(|trace| !trace.trim().is_empty());
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::RESEND_AFTER_FAULT;

    fn errors(codes: &[&str]) -> ItemResult {
        let error = |code: &&str| GisError {
            code: (*code).to_owned(),
            description: String::new(),
            stack_trace: None,
        };
        ItemResult::Errors(codes.iter().map(error).collect())
    }

    #[test]
    fn an_action_is_refused_only_if_every_error_says_so() {
        let look = Repeat::AfterLook { after: None };
        let anew = Repeat::NewMessage { after: RESEND_AFTER_FAULT };
        let done = ItemResult::Ok { unique_number: None, updated_at: None };
        for (result, fate, repeat) in [
            (done, None, Repeat::Never),
            (ItemResult::Unclear, Some(Fate::Unknown), look),
            (errors(&[]), Some(Fate::Unknown), look),
            (errors(&["FMT001300", "AUT011003"]), Some(Fate::Refused), Repeat::Never),
            (errors(&["FMT001300", "INTERNAL_ERROR"]), Some(Fate::Unknown), look),
            (errors(&["FMT001300", "EXP001000"]), Some(Fate::Unknown), anew),
            (errors(&["INT002013"]), Some(Fate::Unknown), look),
        ] {
            assert_eq!((result.fate(), result.repeat()), (fate, repeat), "{result:?}");
        }
    }

    #[test]
    fn a_code_is_printed_in_its_safe_form() {
        let error = GisError {
            code: "INT002013: Иванов".to_owned(),
            description: "Иванов".to_owned(),
            stack_trace: None,
        };
        assert_eq!(format!("{error:?}"), "GisError { code: \"INT002013\", .. }");
    }
}
