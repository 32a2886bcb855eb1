//! The wire format: SOAP 1.1 messages of `DebtRequestsAsync`, read and written without help of the client
//! under test.
//!
//! [`model`] holds the types, [`read()`] turns bytes into a request as strictly as the schema asks or into a
//! [`Refusal`], [`write`](mod@write) turns answers into bytes, [`style`] says in what dress.

mod answer;
pub mod model;
pub(crate) mod names;
pub mod read;
mod refusal;
mod requester;
pub(crate) mod scan;
pub mod style;
mod tree;
pub mod write;
mod write_subrequest;

pub use read::read;
pub use refusal::{Refusal, RefusalAnswer};
pub use style::Style;
