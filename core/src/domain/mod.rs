//! What the words mean: pure types and rules, without a database, without GIS, without a clock.

pub mod answer;
pub mod attachment;
pub mod caller;
pub mod content;
pub mod debt_request;
pub mod event;
pub mod evidence;
pub mod message;
pub mod organization;
pub mod submission;
pub mod sync_run;
pub mod token;
pub mod words;
