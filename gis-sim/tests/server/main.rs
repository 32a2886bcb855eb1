//! The simulator over HTTP, spoken to in XML written by hand. Time is stepped by the simulator's clock; no test sleeps.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of tests may panic"
)]

mod client;
mod control;
mod exchange;
mod faults;
mod files;
mod quirks;
mod scenarios;
