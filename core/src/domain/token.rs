//! A token that was issued: its row, not the token itself.

use chrono::{DateTime, Utc};

use super::caller::Scopes;
use crate::ids::{EmployeeId, OrganizationId, TokenId};

/// A token that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Claim `jti`.
    pub id: TokenId,
    /// The client's name, claim `sub`.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// For whom.
    pub organizations: Vec<OrganizationId>,
    /// As whom.
    pub employee: Option<EmployeeId>,
    /// Who issued it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}
