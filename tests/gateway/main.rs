//! Black-box tests: the real program over HTTP, the real wire against the simulator of GIS, SQLite and PostgreSQL, and
//! one clock in hand. A story is told once and runs on both databases.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic, and JSON indexing never does"
)]

mod harness;

mod accounts;
mod answers;
mod audit;
mod auto_answer;
mod awaited_files;
mod bad_envelopes;
mod bad_fields;
mod bad_queries;
mod bad_steps;
mod bad_workbooks;
mod bulk;
mod commands;
mod delegation;
mod departments;
mod dictionaries;
mod doctor;
mod employees;
mod events;
mod evidence;
mod exports;
mod faults;
mod features;
mod filters;
mod headers;
mod imports;
mod issued_tokens;
mod log;
mod match_runs;
mod matching;
mod matching_settings;
mod metrics;
mod next_check;
mod operations;
mod organizations;
mod personal_data;
mod readable;
mod reading;
mod reconciliation;
mod refusal;
mod registry;
mod reminders;
mod replays;
mod sandbox;
mod scans;
mod states;
mod statistics;
mod templates;
mod token_attacks;
mod tokens;
mod uploads;
mod walk;
mod walk_demo;
mod webhooks;
