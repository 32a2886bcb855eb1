//! What the service `DebtRequestsAsync` is asked and what it answers, as values.
//!
//! The supplier's three operations are here: [`ExportSubrequests`] (what is a supplier asked?), [`ImportResponses`]
//! (answer or withdraw) and [`State`] (what became of a message?). A requester has two more, `importDebtRequests`
//! and `exportDebtRequests`; they would be two files beside these, their schema types are
//! `importDRsRequest` and `exportDRsRequest`.
//!
//! [`crate::envelope`] writes the questions, [`crate::reply`] reads the answers. What must stay true: a value that
//! can be built here is a message that the schema and its annotations allow, and nothing that GIS says is dropped
//! in silence: what cannot be read is named beside what could.

mod dictionary;
mod export;
mod import;
mod parts;
mod result;
mod state;
mod subrequest;

pub use dictionary::{Dictionaries, DictionaryError};
pub use export::{
    ExportSubrequests, ExportVersion, Filter, HousingObject, InvalidExport, Period, Place, Selection,
};
pub use import::{Action, DebtDocument, Debtor, ImportResponses, InvalidImport, Response};
pub use parts::{
    AddressType, AtLeastOne, Attachment, IdentityDocument, NsiRef, Person, RequestStatus, ResponseStatus,
};
pub use result::{GisError, ImportResult, ItemResult};
pub use state::{Acknowledgement, Outcome, Progress, ResultHeader, State};
pub use subrequest::{
    CancelledAddress, CourtAct, ExportedAttachment, ExportedDebtDocument, ExportedDebtor,
    ExportedDictionaryEntry, ExportedHousing, ExportedIdentityDocument, ExportedPerson, ExportedResponse,
    NotFound, RequestInfo, RequestedPeriod, RequestingOrganization, Staff, Subrequest, SubrequestPage,
    UnreadableSubrequest,
};

pub(crate) use export::write_export;
pub(crate) use import::write_import;
pub(crate) use result::read_error;
pub(crate) use state::{read_acknowledgement, read_header, read_state};
