//! What goes over the wire: the shapes of requests and responses, with the texts of the OpenAPI document.
//!
//! Descriptions are Russian, for the integrators who read them; identifiers are English. A shape never reaches the core:
//! what comes becomes a command, what goes is made of a domain type.

pub mod accounts;
pub mod answer_input;
pub mod answers;
pub mod answers_bulk;
pub mod attachments;
pub mod audit;
pub mod auto_answer;
pub mod court_debt_input;
pub mod debt_request_filter;
pub mod debt_request_input;
pub mod debt_requests;
pub mod departments;
pub mod employees;
pub mod events;
pub(crate) mod evidence;
pub mod exports;
pub mod imports;
pub mod lists;
pub mod match_runs;
pub mod matching_settings;
pub mod operations;
pub mod organizations;
pub mod reconciliation;
pub mod registries;
pub mod sandbox;
pub mod statistics;
pub mod sync_runs;
pub mod system;
pub mod texts;
mod times;
pub mod tokens;
pub mod webhook_endpoints;
pub mod words;
