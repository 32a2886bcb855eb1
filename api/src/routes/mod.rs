//! The handlers: each parses, calls one use case, prints. They never touch the store and never call GIS.

pub(crate) mod answer_actions;
pub(crate) mod answers;
pub(crate) mod attachments;
pub(crate) mod debt_requests;
pub(crate) mod events;
pub(crate) mod evidence;
pub(crate) mod exports;
pub(crate) mod filters;
pub(crate) mod imports;
pub(crate) mod operations;
pub(crate) mod reconciliation;
pub(crate) mod sync_runs;
pub(crate) mod system;
pub(crate) mod testing;
