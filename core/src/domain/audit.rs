//! The audit log: what was done on whose request (`api.md` §14). No personal data: what was changed stands in it as a
//! keyed hash.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::answer::Confirm;
use super::words::words;
use crate::ids::{AuditId, EmployeeId, OrganizationId, TokenId};

words! {
    /// What kind of actor did something.
    ActorKind {
        /// A client of the API.
        Client = "client" "Клиент API",
        /// The operator at the command line.
        Cli = "cli" "Командная строка",
        /// The gateway by itself.
        Auto = "auto" "Шлюз сам",
    }
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A client of the API.
    Client {
        /// Its token.
        token: TokenId,
        /// The name of the token.
        name: String,
        /// The employee it acts as.
        employee: Option<EmployeeId>,
        /// Where it called from.
        ip: Option<IpAddr>,
    },
    /// The operator at the command line.
    Cli,
    /// The gateway by itself.
    Auto,
}

impl Actor {
    /// What kind of actor it is.
    #[must_use]
    pub const fn kind(&self) -> ActorKind {
        match self {
            Self::Client { .. } => ActorKind::Client,
            Self::Cli => ActorKind::Cli,
            Self::Auto => ActorKind::Auto,
        }
    }
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its identifier.
    pub id: AuditId,
    /// Whose log it belongs to.
    pub organization: OrganizationId,
    /// When it was done.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub actor: Actor,
    /// What was done: the name of the operation.
    pub action: String,
    /// To what: the kind and, where it has one, the identifier, `answers/7f3e…`.
    pub target: String,
    /// The keyed hash of what stood there before, where it is known.
    pub before_hash: Option<String>,
    /// The keyed hash of what stood there afterwards, where something did.
    pub after_hash: Option<String>,
    /// What the client confirmed.
    pub confirm: Vec<Confirm>,
    /// The client's reason.
    pub reason: Option<String>,
    /// The identifier of the request.
    pub request_id: Option<String>,
}

/// Which entries are asked for; what is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// To this thing.
    pub target: Option<String>,
    /// Of this kind.
    pub action: Option<String>,
    /// By whom.
    pub actor: Option<Whom>,
    /// From then on.
    pub from: Option<DateTime<Utc>>,
    /// Before then.
    pub to: Option<DateTime<Utc>>,
}

/// Who is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// Anybody of a kind.
    Kind(ActorKind),
    /// A token, or an employee.
    Named(Uuid),
}
