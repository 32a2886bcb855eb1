//! Subrequests as GIS exports them (`exportDSRsResult`), read leniently.
//!
//! Every field of the schema is here, both forms of an address, and nothing is checked beyond what its type needs:
//! a missing or broken field is `None`, and a broken one is also named in [`Subrequest::broken_fields`]. A
//! subrequest that cannot be told apart from others, because its GUID cannot be read, is listed in
//! [`SubrequestPage::unreadable`]. Text about people and places is [`Personal`], so that `Debug` hides it.

mod read;

pub(super) use read::read_page;

use chrono::NaiveDate;

use super::parts::{AddressType, RequestStatus, ResponseStatus};
use crate::ids::{
    AttachmentId, DebtId, DictionaryEntryId, ExecutorId, FiasHouseId, HouseId, ObjectId, OrganizationRootId,
    RequestId, SubrequestId,
};
use crate::text::Personal;

/// A page of an export.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubrequestPage {
    /// The subrequests; a last page may have none.
    pub subrequests: Vec<Subrequest>,
    /// Subrequests that GIS sent and that have no readable GUID.
    pub unreadable: Vec<UnreadableSubrequest>,
    /// What was asked for by GUID or number and does not exist.
    pub not_found: NotFound,
    /// Where the next page starts; `None` on the last one, which GIS marks in three ways.
    pub next: Option<SubrequestId>,
}

/// A subrequest that GIS sent and that cannot be told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableSubrequest {
    /// Near which byte of the document it ends.
    pub position: u64,
    /// Number of its request, to look it up in the personal cabinet.
    pub request_number: Option<String>,
}

/// What was asked for and does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NotFound {
    /// Unknown subrequests.
    pub subrequests: Vec<SubrequestId>,
    /// Unknown request numbers.
    pub numbers: Vec<String>,
    /// What stood in place of a subrequest's GUID and cannot be read as one, at most 64 characters of each: some
    /// subrequest that was asked for does not exist, but which one is not certain.
    pub unreadable: Vec<String>,
}

/// A subrequest (подзапрос) to one supplier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subrequest {
    /// Its GUID.
    pub id: SubrequestId,
    /// The request that it is a part of.
    pub request: RequestInfo,
    /// Status of the answer. It may lag days behind the truth.
    pub response_status: Option<ResponseStatus>,
    /// The answer that GIS holds, where it was asked for.
    pub response: Option<ExportedResponse>,
    /// Elements that were there and could not be read.
    pub broken_fields: Vec<&'static str>,
}

/// The request behind a subrequest. The applicant is not told to suppliers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestInfo {
    /// GUID of the request.
    pub id: Option<RequestId>,
    /// Number of the request.
    pub number: Option<String>,
    /// Who asks.
    pub organization: RequestingOrganization,
    /// The place asked about.
    pub housing: ExportedHousing,
    /// The time asked about.
    pub period: RequestedPeriod,
    /// Status of the request.
    pub status: Option<RequestStatus>,
    /// When it was sent to the suppliers; a filler date is `None`.
    pub sent_on: Option<NaiveDate>,
    /// The last day to answer; a filler date is `None`.
    pub answer_by: Option<NaiveDate>,
    /// The employee of the organisation who asks.
    pub executor: Option<Staff>,
}

/// The body that asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestingOrganization {
    /// Its GUID in the register of organisations.
    pub root: Option<OrganizationRootId>,
    /// Its name.
    pub name: Option<String>,
    /// Its telephone.
    pub telephone: Option<String>,
}

/// The time that is asked about, as GIS wrote it: very early and very late dates leave it open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestedPeriod {
    /// First day.
    pub start: Option<NaiveDate>,
    /// Last day.
    pub end: Option<NaiveDate>,
}

/// The place asked about: either a house with free text (requests of format 13.1.10.1) or an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExportedHousing {
    /// The house.
    pub house: Option<HouseId>,
    /// Free text that names the flat, such as `кв. 25`, `25` or `кв. 1 комн. 2`.
    pub details: Option<Personal>,
    /// The object.
    pub object: Option<ObjectId>,
    /// Kind of the object.
    pub kind: Option<AddressType>,
    /// The house in FIAS, often absent.
    pub fias_house: Option<FiasHouseId>,
    /// The address in words; the spelling differs from FIAS.
    pub address: Option<Personal>,
}

/// An employee.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Staff {
    /// GUID of the employee.
    pub id: Option<ExecutorId>,
    /// Full name (ФИО).
    pub name: Option<Personal>,
}

/// An answer that GIS holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExportedResponse {
    /// Whether there is a debt.
    pub has_debt: Option<bool>,
    /// Who owes.
    pub debtors: Vec<ExportedDebtor>,
    /// Files that belong to no debtor in particular.
    pub additional_files: Vec<ExportedAttachment>,
    /// Additional information.
    pub comment: Option<Personal>,
    /// The employee who answered.
    pub executor: Option<Staff>,
}

/// A person who owes and what proves it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExportedDebtor {
    /// The person.
    pub person: ExportedPerson,
    /// The proofs.
    pub documents: Vec<ExportedDebtDocument>,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExportedPerson {
    /// First name.
    pub first_name: Option<Personal>,
    /// Last name.
    pub last_name: Option<Personal>,
    /// Middle name.
    pub middle_name: Option<Personal>,
    /// Insurance number (СНИЛС).
    pub snils: Option<Personal>,
    /// Identity document.
    pub document: Option<ExportedIdentityDocument>,
}

/// An identity document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExportedIdentityDocument {
    /// Kind, dictionary 95.
    pub kind: ExportedDictionaryEntry,
    /// Series.
    pub series: Option<Personal>,
    /// Number.
    pub number: Option<Personal>,
}

/// A reference to a dictionary.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExportedDictionaryEntry {
    /// Code of the entry.
    pub code: Option<String>,
    /// GUID of the entry.
    pub id: Option<DictionaryEntryId>,
    /// Name of the entry.
    pub name: Option<String>,
}

/// A document that proves a debt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExportedDebtDocument {
    /// Kind, dictionary 358.
    pub kind: ExportedDictionaryEntry,
    /// Its file.
    pub attachment: ExportedAttachment,
    /// The record in the registry of debts (from 14.0.0.0 on).
    pub debt: Option<DebtId>,
    /// The court act (from 14.0.0.0 on).
    pub court_act: Option<CourtAct>,
    /// The place that the court act names, if GIS has struck it out since (from 14.0.0.0 on).
    pub cancelled_address: Option<CancelledAddress>,
}

/// A file of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExportedAttachment {
    /// File name.
    pub name: Option<Personal>,
    /// Description.
    pub description: Option<Personal>,
    /// The file in the store.
    pub id: Option<AttachmentId>,
    /// Its GOST R 34.11-94, whichever case GIS wrote it in.
    pub hash: Option<[u8; 32]>,
}

/// A court act.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CourtAct {
    /// Number.
    pub number: Option<Personal>,
    /// When it came into force; a filler date is `None`.
    pub in_force_on: Option<NaiveDate>,
    /// When it was pronounced (from 15.3.0.0 on); a filler date is `None`.
    pub pronounced_on: Option<NaiveDate>,
}

/// A place that GIS has struck out of its address register.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CancelledAddress {
    /// The address in words.
    pub text: Option<Personal>,
    /// The house in FIAS.
    pub fias_house: Option<FiasHouseId>,
    /// The house in GIS.
    pub house: Option<HouseId>,
    /// The object in GIS.
    pub object: Option<ObjectId>,
}
