//! What debtgate does: the domain of debt requests and answers, the use cases, the store and the jobs that speak to GIS.

pub mod access;
pub mod accounts;
pub mod answers;
pub mod attachments;
pub mod audit;
pub mod auto_answer;
mod case;
pub mod clock;
pub mod crash;
pub mod debt_requests;
pub mod departments;
pub mod dictionaries;
pub mod domain;
pub mod employees;
pub mod error;
pub mod events;
pub mod evidence;
pub mod exports;
pub mod figures;
pub mod files;
pub mod gis_status;
pub mod horizon;
pub mod idempotency;
pub mod ids;
pub mod imports;
pub mod jobs;
pub mod match_runs;
pub mod operations;
mod organization_settings;
pub mod reconciliation;
pub mod registries;
pub mod schedule;
mod scheduled_matching;
pub mod sealing;
pub mod service;
pub mod settings;
pub mod spreadsheets;
pub mod statistics;
pub mod store;
pub mod sync_runs;
#[cfg(test)]
mod test_service;
pub mod trace;

pub use error::{Code, Error, Result};
pub use service::Service;
