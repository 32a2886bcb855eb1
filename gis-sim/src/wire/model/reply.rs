//! The reply side: states, results of imports, exported subrequests.

use chrono::{DateTime, FixedOffset, NaiveDate};
use uuid::Uuid;

use super::{
    Answer, Debtor, Document, FileRef, NsiRef, Period, Person, RegistryObject, RequestStatus, ResponseStatus,
};

hidden!(CourtAct, Executor, ExportedDocument, HousingObject, Place, Response, Subrequest);

/// What `getState` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// 1, received.
    Received,
    /// 2, being processed.
    Processing,
    /// 3, done.
    Done(Outcome),
}

/// The content of a finished `getStateResult`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// `importResult`, one an action (an empty list writes none: Q17).
    Import(Vec<ItemResult>),
    /// `exportDSRsResult`.
    Subrequests(SubrequestPage),
    /// `ErrorMessage`: the whole request failed, or there is nothing to export (INT002012).
    Error(GisError),
}

/// An error inside a result (`ErrorMessageType`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GisError {
    /// `ErrorCode`.
    pub code: String,
    /// `Description`.
    pub description: String,
    /// `StackTrace`.
    pub stack_trace: Option<String>,
}

/// `CommonResultType`: what became of one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemResult {
    /// `GUID`: the changed thing; in practice the subrequest.
    pub guid: Option<Uuid>,
    /// `TransportGUID`.
    pub transport: Uuid,
    /// Success or errors.
    pub result: Result<Done, Vec<GisError>>,
}

/// The success branch of [`ItemResult`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// `UpdateDate`.
    pub updated: DateTime<FixedOffset>,
}

/// `exportDSRsResultType`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubrequestPage {
    /// `subrequestData`; the schema wants one at least, the real last page may hold none (Q19).
    pub subrequests: Vec<Subrequest>,
    /// `notFound`.
    pub not_found: NotFound,
    /// `pagedOutput`.
    pub paging: Paging,
}

/// `notFound`; an empty list writes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotFound {
    /// `subrequestGUID`.
    Subrequests(Vec<Uuid>),
    /// `requestNumber`.
    Numbers(Vec<String>),
}

/// `pagedOutput`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// No element: the selection was not a filter, or the server left it out (Q21).
    Absent,
    /// An empty element, which the schema forbids and the server has sent (Q21).
    Empty,
    /// `nextSubrequestGUID`.
    Next(Uuid),
    /// `lastPage`.
    Last,
}

/// `DSRType`: a subrequest as exported.
#[derive(Clone, PartialEq, Eq)]
pub struct Subrequest {
    /// `subrequestGUID`.
    pub guid: Uuid,
    /// `requestInfo/requestGUID`.
    pub request: Uuid,
    /// `requestInfo/requestNumber`, at most 30 characters.
    pub number: String,
    /// `requestInfo/organization`: who asks.
    pub organization: Organization,
    /// `requestInfo/housingFundObject`.
    pub housing: HousingObject,
    /// `requestInfo/period`: the period the question is about.
    pub period: Period,
    /// `requestInfo/status`.
    pub status: RequestStatus,
    /// `requestInfo/sentDate`.
    pub sent: NaiveDate,
    /// `requestInfo/responseDate`: the deadline of the answer.
    pub respond_by: NaiveDate,
    /// `requestInfo/executorInfo`: the asking employee.
    pub executor: Executor,
    /// `responseStatus`.
    pub response_status: ResponseStatus,
    /// `responseData`.
    pub response: Option<Response>,
}

/// `OrganizationInfoType`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// `orgRootGUID`.
    pub root: Uuid,
    /// `name`.
    pub name: String,
    /// `tel`.
    pub telephone: Option<String>,
}

/// `ExportHousingFundObjectInfoType`.
#[derive(Clone, PartialEq, Eq)]
pub struct HousingObject {
    /// Which of the two forms is written; the world chooses by the export's version.
    pub place: Place,
    /// `fiasHouseGUID`.
    pub fias_house: Option<Uuid>,
    /// `address`, at most 4000 characters.
    pub address: String,
}

/// The choice inside [`HousingObject`].
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// 13.1.10.1: `houseGUID` and `addressDetails` (at most 255 characters, «кв. 25»).
    House {
        /// `houseGUID`.
        guid: Uuid,
        /// `addressDetails`.
        details: Option<String>,
    },
    /// 14.0.0.0: `HMobjectGUID` and `adressType`.
    Object(RegistryObject),
}

/// `ExecutorInfoType`.
#[derive(Clone, PartialEq, Eq)]
pub struct Executor {
    /// `GUID`.
    pub guid: Uuid,
    /// `fio`, 1 to 255 characters.
    pub name: String,
}

/// `responseData` of an exported subrequest.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// `hasDebt`.
    pub has_debt: bool,
    /// `debtInfo`.
    pub debtors: Vec<ExportedDebtor>,
    /// `additionalFile`.
    pub additional_files: Vec<FileRef>,
    /// `description`, at most 1000 characters.
    pub description: Option<String>,
    /// `executorInfo`.
    pub executor: Executor,
}

impl Response {
    /// The exported form of an answer that a supplier sent. `debtGUID` records come back as no debtor: what
    /// the registry of debts would add is not simulated.
    #[must_use]
    pub fn of_answer(
        answer: &Answer,
        executor_name: &str,
        act: impl Fn(&Document) -> Option<CourtAct>,
    ) -> Self {
        let document = |document: &Document| ExportedDocument {
            kind: document.kind.clone(),
            file: document.file.clone(),
            act: act(document),
        };
        let debtor = |debtor: &Debtor| ExportedDebtor {
            person: debtor.person.clone(),
            documents: debtor.documents.iter().map(document).collect(),
        };
        Self {
            has_debt: answer.has_debt,
            debtors: answer.debtors.iter().map(debtor).collect(),
            additional_files: answer.additional_files.clone(),
            description: answer.description.clone(),
            executor: Executor { guid: answer.executor, name: executor_name.to_owned() },
        }
    }
}

/// `ExportDebtInfoType`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedDebtor {
    /// `person`.
    pub person: Person,
    /// `document`.
    pub documents: Vec<ExportedDocument>,
}

/// `document` of [`ExportedDebtor`]. `debtGUID` and `cancelledAddress` come from the registry of debts, which nobody
/// fills here.
#[derive(Clone, PartialEq, Eq)]
pub struct ExportedDocument {
    /// `type`: entry of NSI 358.
    pub kind: NsiRef,
    /// `attachment`.
    pub file: FileRef,
    /// `actType`, from version 14.0.0.0 on.
    pub act: Option<CourtAct>,
}

/// `ActType`.
#[derive(Clone, PartialEq, Eq)]
pub struct CourtAct {
    /// `number`, at most 255 characters.
    pub number: String,
    /// `date`: when it came into force.
    pub date: NaiveDate,
    /// `judicalActDatePronouncing` (sic), from version 15.3.0.0 on.
    pub pronounced: Option<NaiveDate>,
}
