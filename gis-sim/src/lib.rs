//! A stand-in of GIS ZhKH for one service, `DebtRequestsAsync`, and its file store.
//!
//! It answers over HTTP as the real system does, with its bad manners: asynchronous exchange, late effects, lost
//! acknowledgements, HTML instead of XML, a registry that lags behind the truth. Tests step its clock and ask for
//! faults; the demo runs it in the same process; integrators run the program `gis-sim` as a sandbox.
//!
//! It shares no code with the client under test: it reads and writes the wire format by itself, so that a mistake of
//! the client cannot hide behind a common type.
//!
//! The way of one call: [`server`] takes the HTTP request, [`wire`] reads it, [`signature`] checks it; [`engine`] decides:
//! [`faults`] may spoil it, [`exchange`] gives the acknowledgement and keeps the result, [`rules`] and [`state`] judge
//! what is asked, and the history of [`state`] shows what took effect. [`control`] is the door for tests: the same
//! operations as Rust methods and as JSON over HTTP.

pub mod calls;
pub mod clock;
pub mod codes;
pub mod control;
pub mod engine;
pub mod exchange;
pub mod faults;
pub mod files;
pub mod rules;
pub mod scenario;
pub mod seed;
pub mod server;
pub mod signature;
pub mod state;
pub mod wire;

pub use control::Control;
pub use server::{Config, Sim, SimHandle};
