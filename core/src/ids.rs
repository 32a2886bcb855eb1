//! Identifiers of our own objects, one type each, so that none can stand where another is meant. New ones are UUIDs of
//! version 7: they grow with time, which keeps indexes compact. Upper-case GUIDs are accepted (1C writes them), lower-case
//! ones are given out.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new identifier.
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// The bare UUID.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::try_parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(formatter)
            }
        }

        crate::store::types::uid!($name);
    )+};
}

ids! {
    /// A supplier served here.
    OrganizationId;
    /// An employee of a supplier.
    EmployeeId;
    /// A department of a supplier.
    DepartmentId;
    /// An entry of the audit log.
    AuditId;
    /// A debt request: the GUID of the GIS subrequest (подзапрос).
    DebtRequestId;
    /// One revision of an answer.
    AnswerId;
    /// One action in GIS for a revision of an answer.
    SubmissionId;
    /// A file of ours, whether GIS has it or not.
    AttachmentId;
    /// What lies in the file store: the content of a file of ours, or a message of the archive.
    ContentId;
    /// An event of the log.
    EventId;
    /// A row of the registry of court debts.
    CourtDebtId;
    /// A registry of court debts: one file, or rows added one by one.
    RegistryId;
    /// A match of many debt requests with a registry.
    MatchRunId;
    /// Work on many things at once.
    OperationId;
    /// A list that is written into a spreadsheet.
    ExportId;
    /// A spreadsheet with answers.
    ImportId;
    /// A reading of GIS.
    SyncRunId;
    /// An address that events are sent to.
    WebhookEndpointId;
    /// A token: its claim `jti`.
    TokenId;
    /// One run of the program, the holder of leases.
    WorkerId;
    /// A call of GIS: its MessageGUID.
    MessageId;
    /// An action inside a package: its TransportGUID, never changed.
    TransportId;
}

impl From<AttachmentId> for ContentId {
    fn from(id: AttachmentId) -> Self {
        Self(id.0)
    }
}

impl From<DebtRequestId> for gis_client::ids::SubrequestId {
    fn from(id: DebtRequestId) -> Self {
        Self::from(id.0)
    }
}

impl From<gis_client::ids::SubrequestId> for DebtRequestId {
    fn from(id: gis_client::ids::SubrequestId) -> Self {
        Self(id.as_uuid())
    }
}
