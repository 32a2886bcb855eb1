//! Black-box tests: the real program over HTTP, the real wire against the simulator of GIS, SQLite and PostgreSQL, and
//! one clock in hand. A story is told once and runs on both databases.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic, and JSON indexing never does"
)]

mod harness;

mod answers;
mod bad_envelopes;
mod bad_fields;
mod bad_queries;
mod bad_steps;
mod bulk;
mod events;
mod evidence;
mod faults;
mod filters;
mod match_runs;
mod reading;
mod reconciliation;
mod refusal;
mod registry;
mod states;
mod token_attacks;
mod tokens;
mod walk;
mod walk_demo;
