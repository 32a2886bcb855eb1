//! What GIS says of each imported action, and its errors.
//!
//! Read by `super::state`. What must stay true: only an explicit success is a success and only an explicit error
//! an error; an item that says neither is [`ItemResult::Unclear`].

use std::fmt;

use chrono::{DateTime, FixedOffset};

use super::state::{parsed, read_moment};
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
        formatter.debug_struct("GisError").field("code", &self.code).finish_non_exhaustive()
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
            (Some(Base), "UpdateDate") => update = Some(read_moment(&reader.text()?)),
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
