//! Jobs stepped by hand against the real simulator and both databases: no sleeps, one clock for both sides.

mod answers;
mod assignment;
mod bench;
mod client;
mod elsewhere;
mod model;
mod operations;
mod polling;
mod reading;
mod spreadsheets;
