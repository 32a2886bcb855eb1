//! A supplier served here.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use crate::ids::{EmployeeId, OrganizationId};

/// A primary state registration number (ОГРН): 13 digits, for sole proprietors 15, the last one a check digit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ogrn(String);

/// The text is no ОГРН.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("ОГРН: 13 цифр (для ИП 15), последняя контрольная")]
pub struct NotOgrn;

impl FromStr for Ogrn {
    type Err = NotOgrn;

    fn from_str(text: &str) -> Result<Self, NotOgrn> {
        let divisor = match text.len() {
            13 => 11,
            15 => 13,
            _ => return Err(NotOgrn),
        };
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotOgrn);
        }
        let (number, check) = text.split_at(text.len() - 1);
        let number: u64 = number.parse().or(Err(NotOgrn))?;
        let check: u64 = check.parse().or(Err(NotOgrn))?;
        if number % divisor % 10 == check { Ok(Self(text.to_owned())) } else { Err(NotOgrn) }
    }
}

impl Ogrn {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why an organisation sends nothing until a person has acted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Halt {
    /// Code of GIS, such as `AUT011003`.
    pub code: String,
    /// In words, for people.
    pub detail: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// A supplier served here.
#[derive(Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its identifier.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// Its ОГРН.
    pub ogrn: Ogrn,
    /// orgPPAGUID, unique here.
    pub ppa_guid: Uuid,
    /// The signer in the configuration, `[signers.NAME]`.
    pub signer: String,
    /// Where its days begin.
    pub time_zone: Tz,
    /// The employee named to GIS when nobody else is.
    pub default_executor: Option<EmployeeId>,
    /// The key of its content hashes.
    pub content_key: [u8; 32],
    /// Why it sends nothing at present.
    pub halted: Option<Halt>,
    /// Grows with every change.
    pub version: i64,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

impl fmt::Debug for Organization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Organization").field("id", &self.id).finish_non_exhaustive()
    }
}
