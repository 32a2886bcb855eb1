//! What debtgate does: the domain of debt requests and answers, the use cases, the store and the jobs that speak to GIS.

pub mod access;
pub mod answers;
pub mod attachments;
mod case;
pub mod clock;
pub mod crash;
pub mod debt_requests;
pub mod dictionaries;
pub mod domain;
pub mod error;
pub mod events;
pub mod evidence;
pub mod files;
pub mod gis_status;
pub mod horizon;
pub mod idempotency;
pub mod ids;
pub mod jobs;
pub mod match_runs;
pub mod operations;
pub mod reconciliation;
pub mod registries;
pub mod schedule;
pub mod sealing;
pub mod service;
pub mod settings;
pub mod spreadsheets;
pub mod store;
pub mod sync_runs;
#[cfg(test)]
mod test_service;
pub mod trace;

pub use error::{Code, Error, Result};
pub use service::Service;
