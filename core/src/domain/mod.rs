//! What the words mean: pure types and rules, without a database, without GIS, without a clock.

pub mod address_text;
pub mod answer;
pub mod attachment;
pub mod calendar;
pub mod caller;
pub mod content;
pub mod court_debt;
pub mod debt_request;
pub mod event;
pub mod evidence;
pub(crate) mod hidden;
pub mod house;
pub mod matching;
pub mod message;
pub mod operation;
pub mod organization;
pub mod premises;
mod spelling;
pub mod submission;
pub mod sync_run;
pub mod token;
pub mod words;
