//! Typed GUIDs of GIS ZhKH, so that one kind cannot be passed for another.
//!
//! Used by every module here and by the callers. GIS writes GUIDs in either case and without braces
//! (`GUIDType` of hcs-base.xsd); we always write lower case, and compare by value.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// The text is not a GUID of the form that GIS uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a GUID: 8-4-4-4-12 hexadecimal digits without braces are needed")]
pub struct NotGuid;

/// Reads a GUID as GIS writes it.
fn parse(text: &str) -> Result<Uuid, NotGuid> {
    // The parser of the uuid crate also takes braced, urn and unhyphenated forms; all of them differ in length.
    const HYPHENATED: usize = 36;
    let uuid = if text.len() == HYPHENATED { Uuid::try_parse(text).ok() } else { None };
    uuid.ok_or(NotGuid)
}

macro_rules! guids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The bare GUID.
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

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = NotGuid;

            fn from_str(text: &str) -> Result<Self, NotGuid> {
                parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(formatter)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

guids! {
    /// MessageGUID of a message of ours: new for every call, committed by the caller before it.
    MessageId;
    /// MessageGUID that GIS gave to an accepted message: what `getState` is asked about.
    GisMessageId;
    /// TransportGUID: our key of one action inside a package, by which its result is found again.
    TransportId;
    /// subrequestGUID: the part of a request (подзапрос) that is addressed to one supplier.
    SubrequestId;
    /// requestGUID: a request (запрос) of a social security body.
    RequestId;
    /// orgPPAGUID: the registered data supplier on whose behalf we act.
    OrganizationId;
    /// orgRootGUID: an organisation in the register of organisations (Реестр организаций).
    OrganizationRootId;
    /// executorGUID: an employee of the supplier, from the personal cabinet of GIS.
    ExecutorId;
    /// AttachmentGUID: a file in the file store of GIS, the upload identifier.
    AttachmentId;
    /// debtGUID: a record in the registry of debts (реестр сведений о задолженности).
    DebtId;
    /// houseGUID: a house in the GIS address register or in FIAS, as formats before 14.0.0.0 name it.
    HouseId;
    /// HMobjectGUID: a house, flat or room in the GIS address register, as formats from 14.0.0.0 name it.
    ObjectId;
    /// fiasHouseGUID: a house in FIAS (ФИАС), the federal address register.
    FiasHouseId;
    /// GUID of an entity that GIS created or changed by an import; in practice the subrequest's.
    EntityId;
    /// GUID of an entry in a dictionary (НСИ). It differs between the stands of GIS.
    DictionaryEntryId;
}

impl MessageId {
    /// A new random MessageGUID.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::new_v4())
    }
}

impl TransportId {
    /// A new random TransportGUID.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::new_v4())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "3e640214-c492-49b6-93ae-948582023561";

    #[test]
    fn either_case_is_read_and_lower_case_is_written() {
        let id: SubrequestId = TEXT.to_uppercase().parse().unwrap();
        assert_eq!(id.to_string(), TEXT);
        assert_eq!(id, TEXT.parse().unwrap());
    }

    #[test]
    fn other_forms_of_a_guid_are_refused() {
        let braced = format!("{{{TEXT}}}");
        let plain = TEXT.replace('-', "");
        let urn = format!("urn:uuid:{TEXT}");
        let shifted = "3e64021-4c492-49b6-93ae-948582023561";
        for text in [braced.as_str(), plain.as_str(), urn.as_str(), shifted, "", " "] {
            assert_eq!(text.parse::<RequestId>(), Err(NotGuid), "{text:?}");
        }
    }

    #[test]
    fn serde_uses_the_same_text() {
        let id: HouseId = TEXT.parse().unwrap();
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("{TEXT:?}"));
        assert_eq!(serde_json::from_str::<HouseId>(&json).unwrap(), id);
        assert!(serde_json::from_str::<HouseId>("\"{3e640214-c492-49b6-93ae-948582023561}\"").is_err());
    }
}
