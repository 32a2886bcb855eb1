//! The store: SQLite or PostgreSQL behind one set of queries, one file a noun. Functions take and give domain types;
//! rows never leave this module. Every read of a supplier's rows takes the supplier's identifier.
//!
//! Use cases and jobs call it with a [`Conn`]; what belongs together happens in one [`Tx`].

pub mod db;
pub mod error;
pub(crate) mod json;
pub(crate) mod keys;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod schema;
#[cfg(test)]
pub(crate) mod test_db;
#[cfg(test)]
pub(crate) mod test_rows;
mod turns;
pub(crate) mod types;

pub(crate) mod accounts;
pub mod answers;
pub(crate) mod assignments;
pub(crate) mod attachments;
pub(crate) mod audit;
pub(crate) mod auto_answer_runs;
pub(crate) mod deadline_notices;
pub mod debt_requests;
pub(crate) mod delay_notices;
pub(crate) mod departments;
pub mod employees;
pub(crate) mod events;
pub(crate) mod evidence;
pub(crate) mod expiry_notices;
pub(crate) mod exports;
pub mod gis_operations;
pub(crate) mod imports;
pub(crate) mod jobs;
pub(crate) mod match_rounds;
pub(crate) mod match_runs;
pub(crate) mod matches_due;
pub(crate) mod messages;
pub(crate) mod names;
pub(crate) mod operations;
pub(crate) mod organization_settings;
pub(crate) mod organizations;
pub(crate) mod receipts;
pub(crate) mod reconciliation;
pub(crate) mod registries;
pub(crate) mod statistics;
pub(crate) mod submissions;
pub(crate) mod sync_runs;
pub(crate) mod tokens;
pub(crate) mod watches;
pub(crate) mod webhook_deliveries;
pub(crate) mod webhook_endpoints;

pub(crate) use db::Conn;
pub use db::{DatabaseSettings, Db, Tx};
pub use error::{OpenError, StoreError};
