//! A client of the GIS ZhKH (ГИС ЖКХ) service `DebtRequestsAsync` and of its file store.
//!
//! Called by the jobs of the gateway and by nothing else; it knows no database and no HTTP interface of ours.
//! The pure half ([`envelope`], [`reply`], [`debt_requests`], [`signature`], [`xml`]) turns values into signed
//! messages and replies into values. The other half carries them: [`http`] speaks SOAP, [`files`] speaks to the
//! file store, [`signer`] signs, [`verdict`] judges a state, [`cadence`] says when to call again.
//!
//! What must stay true: the caller chooses every MessageGUID and commits it before the call, and every error
//! says honestly what became of the message ([`Error::fate`]): surely not sent, refused, or unknown. Nothing
//! here repeats a call on its own.

pub mod cadence;
pub mod debt_requests;
pub mod envelope;
pub mod error;
pub mod files;
pub mod http;
pub mod ids;
pub mod reply;
pub mod signature;
pub mod signer;
pub mod text;
pub mod verdict;
pub mod xml;

pub use error::{Error, Fate, GisCode, Repeat};
pub use files::UploadedFile;
pub use http::{Call, Gis, HttpGis, HttpSettings, Recorder};
pub use signer::{Signer, SignerError};
pub use verdict::Verdict;
