//! The handlers: each parses, calls one use case, prints. They never touch the store and never call GIS.

pub(crate) mod accounts;
pub(crate) mod answer_actions;
pub(crate) mod answers;
pub(crate) mod attachments;
pub(crate) mod audit;
pub(crate) mod auto_answer;
pub(crate) mod court_debts;
pub(crate) mod debt_requests;
pub(crate) mod departments;
pub(crate) mod employees;
pub(crate) mod events;
pub(crate) mod evidence;
pub(crate) mod exports;
pub(crate) mod filters;
pub(crate) mod imports;
pub(crate) mod match_runs;
pub(crate) mod matching_settings;
pub(crate) mod operations;
mod period;
pub(crate) mod reconciliation;
pub(crate) mod registries;
pub(crate) mod statistics;
pub(crate) mod sync_runs;
pub(crate) mod system;
pub(crate) mod templates;
pub(crate) mod testing;
