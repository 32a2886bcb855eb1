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
pub(crate) mod types;

pub mod answers;
pub(crate) mod attachments;
pub mod debt_requests;
pub(crate) mod events;
pub(crate) mod evidence;
pub mod gis_operations;
pub(crate) mod jobs;
pub(crate) mod match_runs;
pub(crate) mod messages;
pub(crate) mod operations;
pub(crate) mod organizations;
pub(crate) mod receipts;
pub(crate) mod reconciliation;
pub(crate) mod registries;
pub(crate) mod submissions;
pub(crate) mod sync_runs;
pub(crate) mod tokens;
pub(crate) mod watches;

pub(crate) use db::Conn;
pub use db::{DatabaseSettings, Db, Tx};
pub use error::{OpenError, StoreError};
