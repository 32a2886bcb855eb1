//! What travels between a client and the simulator, freed of XML.
//!
//! The reader ([`super::read()`]) turns bytes into [`Request`]; the world turns a request into [`State`] and
//! its content; the writer ([`mod@super::write`]) turns that into bytes. Field order follows the schema (XSD
//! 16.3.0.0 hcs-debt-requests-types), so that a reader of the schema finds his way.
//!
//! A value of these types is structurally valid; whether it makes sense is the business of
//! [`crate::rules`]. Types that hold people or free text print `***` under `Debug`; `Serialize` shows every
//! text byte for byte, because the control door must let a test compare what arrived with what was meant.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;

/// What a `Debug` print shows instead of people, their papers and free text.
macro_rules! hidden {
    ($($name:ident),+ $(,)?) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    )+};
}

hidden!(Answer, FileRef, IdentityDocument, Person);

mod reply;

pub use reply::{
    CourtAct, Done, Executor, ExportedDebtor, ExportedDocument, GisError, HousingObject, ItemResult,
    NotFound, Organization, Outcome, Paging, Place, Response, State, Subrequest, SubrequestPage,
};

/// One well-formed, structurally valid request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The SOAP header `RequestHeader`.
    pub header: Header,
    /// The body element.
    pub body: Body,
    /// Whether the body element carries a `ds:Signature`; whether it holds is for
    /// [`crate::signature::verify`].
    pub signed: bool,
}

/// `RequestHeader` (XSD hcs-base).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// `Date` as the client wrote it, a valid `xs:dateTime`.
    pub date: String,
    /// `MessageGUID`: the client's own id of the call.
    pub message: Uuid,
    /// `orgPPAGUID`, or the older `SenderID`: who asks.
    pub organization: Uuid,
    /// Whether `IsOperatorSignature` was there (it can only be `true`).
    pub operator_signature: bool,
}

/// The operations of `DebtRequestsAsync`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// A supplier reads the subrequests addressed to it.
    ExportDebtSubrequests,
    /// A supplier sends or revokes answers.
    ImportResponses,
    /// A social-security body sends or revokes requests.
    ImportDebtRequests,
    /// A social-security body reads its requests.
    ExportDebtRequests,
    /// Anyone asks for the result of an earlier call.
    GetState,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 5] = [
        Self::ExportDebtSubrequests,
        Self::ImportResponses,
        Self::ImportDebtRequests,
        Self::ExportDebtRequests,
        Self::GetState,
    ];

    /// The WSDL name, e.g. `importResponses`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ExportDebtSubrequests => "exportDebtSubrequests",
            Self::ImportResponses => "importResponses",
            Self::ImportDebtRequests => "importDebtRequests",
            Self::ExportDebtRequests => "exportDebtRequests",
            Self::GetState => "getState",
        }
    }
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// `exportDSRsRequest`.
    ExportSubrequests(Export),
    /// `importDSRResponsesRequest`: 1 to 100 actions.
    ImportResponses(Vec<Action>),
    /// `getStateRequest`: the id that the acknowledgement gave.
    GetState(Uuid),
    /// `importDRsRequest`; its content is not kept, a supplier has no right to it.
    ImportDebtRequests,
    /// `exportDRsRequest`; its content is not kept, a supplier has no right to it.
    ExportDebtRequests,
}

impl Body {
    /// The operation that takes this body.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match self {
            Self::ExportSubrequests(_) => Operation::ExportDebtSubrequests,
            Self::ImportResponses(_) => Operation::ImportResponses,
            Self::GetState(_) => Operation::GetState,
            Self::ImportDebtRequests => Operation::ImportDebtRequests,
            Self::ExportDebtRequests => Operation::ExportDebtRequests,
        }
    }
}

/// Format version of an export (`base:version`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 13.1.10.1: houses and free-text flat numbers, answers on demand.
    V13,
    /// 14.0.0.0: objects of the address registry.
    V14,
    /// 15.3.0.0: as 14.0.0.0, plus the date a court act was pronounced.
    V15,
}

impl Version {
    /// Every version an export takes.
    pub const ALL: [Self; 3] = [Self::V13, Self::V14, Self::V15];

    /// The attribute text.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::V13 => "13.1.10.1",
            Self::V14 => "14.0.0.0",
            Self::V15 => "15.3.0.0",
        }
    }

    /// The version with this attribute text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.text() == text)
    }
}

/// `exportDSRsRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// `base:version`.
    pub version: Version,
    /// What to export.
    pub selection: Selection,
    /// `includeResponses`.
    pub include_responses: Option<bool>,
}

/// The choice at the head of `exportDSRsRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// `subrequestGUID`, 1 to 100.
    Subrequests(Vec<Uuid>),
    /// `requestNumber`, 1 to 100, at most 30 characters each.
    Numbers(Vec<String>),
    /// Conditions, answered in blocks of 100.
    Filter(Filter),
}

/// Conditions that a subrequest must all satisfy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// `periodOfSendingRequest`.
    pub period: Period,
    /// `houseGUID` or `exportHMObjectGUID`.
    pub objects: Objects,
    /// `requestStatus`.
    pub request_status: Option<RequestStatus>,
    /// `responseStatus`, 0 to 2; empty means any.
    pub response_statuses: Vec<ResponseStatus>,
    /// `exportSubrequestGUID`: which block, the first when absent.
    pub page: Option<Uuid>,
}

/// A period, both days included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// `startDate`.
    pub start: NaiveDate,
    /// `endDate`.
    pub end: NaiveDate,
}

/// The place condition of a [`Filter`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objects {
    /// No condition.
    Any,
    /// `houseGUID`, 1 to 100.
    Houses(Vec<Uuid>),
    /// `exportHMObjectGUID`, 1 to 100.
    Registry(Vec<RegistryObject>),
}

/// `ExportHMObjectInfoType`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryObject {
    /// `HMobjectGUID`.
    pub guid: Uuid,
    /// `adressType` (sic), free text of at most 36 characters.
    pub kind: String,
}

/// `RequestStatusType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum RequestStatus {
    /// Направлен: sent to the suppliers.
    Sent,
    /// Получен ответ: answered.
    Processed,
}

impl RequestStatus {
    /// The schema's word.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Sent => "Sent",
            Self::Processed => "Processed",
        }
    }

    /// The status of this word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Sent, Self::Processed].into_iter().find(|status| status.text() == text)
    }
}

/// `ResponseStatusType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum ResponseStatus {
    /// Не отправлен: no answer.
    NotSent,
    /// Отправлен: answered by the supplier.
    Sent,
    /// Сформирован автоматически: the system answered "no debt" after the deadline.
    AutoGenerated,
}

impl ResponseStatus {
    /// The schema's word.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::NotSent => "NotSent",
            Self::Sent => "Sent",
            Self::AutoGenerated => "AutoGenerated",
        }
    }

    /// The status of this word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::NotSent, Self::Sent, Self::AutoGenerated].into_iter().find(|status| status.text() == text)
    }
}

/// One `action` of `importDSRResponsesRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// `TransportGUID`: the client's id of this action.
    pub transport: Uuid,
    /// `subrequestGUID`.
    pub subrequest: Uuid,
    /// `actionType`.
    pub kind: ActionKind,
    /// `responseData`; the schema does not tie it to the kind, [`crate::rules`] do.
    pub response: Option<Answer>,
}

impl Action {
    /// What the action is to do; `None` when `responseData` does not fit the kind, which [`crate::rules`]
    /// report.
    #[must_use]
    pub fn effect(&self) -> Option<Effect<'_>> {
        match (self.kind, &self.response) {
            (ActionKind::Send, Some(answer)) => Some(Effect::Send(answer)),
            (ActionKind::Revoke, None) => Some(Effect::Revoke),
            (ActionKind::Send, None) | (ActionKind::Revoke, Some(_)) => None,
        }
    }
}

/// `DSRResponseActionType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum ActionKind {
    /// Отправить ответ, or change the one already sent.
    Send,
    /// Отозвать ранее отправленный ответ.
    Revoke,
}

/// What a sensible [`Action`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect<'action> {
    /// Places or replaces the answer.
    Send(&'action Answer),
    /// Takes the answer back.
    Revoke,
}

/// `ImportDSRResponseType`: a supplier's answer.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// `hasDebt`.
    pub has_debt: bool,
    /// `additionalFile`.
    pub additional_files: Vec<FileRef>,
    /// `description`, at most 1000 characters.
    pub description: Option<String>,
    /// `executorGUID`: the employee who answers.
    pub executor: Uuid,
    /// `debtInfo`; empty when `debts` is not.
    pub debtors: Vec<Debtor>,
    /// `debtGUID`: records of the debt registry; empty when `debtors` is not.
    pub debts: Vec<Uuid>,
}

/// `DebtInfoType`: one debtor and the papers that prove the debt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Debtor {
    /// `person`.
    #[serde(flatten)]
    pub person: Person,
    /// `document` of the debt.
    pub documents: Vec<Document>,
}

/// `person` of a debtor.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// `firstName`, 1 to 255 characters.
    pub first: String,
    /// `lastName`, 1 to 255 characters.
    pub last: String,
    /// `middleName`, 1 to 255 characters.
    pub middle: Option<String>,
    /// `snils`: 11 digits in the schema; what a request brings is kept as it came and judged by the rules.
    pub snils: Option<String>,
    /// `document`: the identity document.
    pub document: Option<IdentityDocument>,
}

/// `DocumentType`: an identity document.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct IdentityDocument {
    /// `type`: entry of NSI 95.
    #[serde(rename = "type")]
    pub kind: NsiRef,
    /// `series`, at most 255 characters.
    pub series: Option<String>,
    /// `number`, at most 255 characters.
    pub number: String,
}

/// `document` of an imported `debtInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Document {
    /// `type`: entry of NSI 358.
    #[serde(rename = "type")]
    pub kind: NsiRef,
    /// `attachment`.
    pub file: FileRef,
}

/// `nsiRef`: an entry of a dictionary (справочник НСИ).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NsiRef {
    /// `Code`, at most 20 characters.
    pub code: String,
    /// `GUID`.
    pub guid: Uuid,
    /// `Name`, at most 1200 characters.
    pub name: Option<String>,
}

/// `AttachmentType`: a file of the file store.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct FileRef {
    /// `Name`, 1 to 1024 characters.
    pub name: String,
    /// `Description`, 1 to 500 characters.
    pub description: String,
    /// `Attachment/AttachmentGUID`: what the file store gave.
    pub guid: Uuid,
    /// `AttachmentHASH`: GOST R 34.11-94 in hex; the schema lets it be absent, imports need it.
    pub hash: Option<String>,
}
