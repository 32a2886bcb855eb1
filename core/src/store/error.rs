//! Why the store did not do what it was asked for, told apart only as far as callers act on it: come again later
//! ([`StoreError::Unavailable`]), somebody was first ([`StoreError::Unique`]), a mistake of ours.

use std::path::PathBuf;
use std::time::Duration;

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};

use crate::error::{Cause, Code, Error};

/// The database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is not one of ours. The URL itself may hold a password and is not repeated.
    #[error("database url: {0}")]
    Url(String),
    /// Another process works with the SQLite file.
    #[error("another process works with the database: {} is locked", .0.display())]
    InUse(PathBuf),
    /// A file that is needed cannot be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The TLS settings do not work.
    #[error("TLS to the database: {0}")]
    Tls(String),
    /// The database does not answer.
    #[error("database: {0}")]
    Connect(#[source] Cause),
    /// The tables were brought up to date by a newer program.
    #[error("a newer debtgate has changed the tables, its steps {} are unknown to this one", .0.join(", "))]
    Newer(Vec<String>),
    /// The tables could not be brought up to date.
    #[error("migrations: {0}")]
    Migrate(#[source] Cause),
    /// The tables are there, the first rows are not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A query failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is overloaded or asks to repeat the transaction.
    #[error("database unavailable: {0}")]
    Unavailable(#[source] Cause),
    /// There is such a row already.
    #[error("not unique: {constraint}")]
    Unique {
        /// PostgreSQL names the constraint, SQLite the columns.
        constraint: String,
    },
    /// The row is not in the version that was read: somebody changed it in between.
    #[error("the row has changed in between")]
    Stale,
    /// A twin of the request holds the lock for longer than we wait.
    #[error("a twin of the request is still at work")]
    Busy,
    /// Anything else: a mistake of ours.
    #[error("database: {0}")]
    Database(#[source] DieselError),
}

impl StoreError {
    /// The database does not answer, in words.
    pub(crate) fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::Unavailable(cause.into())
    }

    /// A row that means nothing to us.
    pub(crate) fn corrupt(cause: impl Into<Cause>) -> Self {
        Self::Database(DieselError::DeserializationError(cause.into()))
    }

    /// `Ok` where an update hit its row, else [`Stale`](Self::Stale).
    pub(crate) const fn unless_hit(rows: usize) -> Result<(), Self> {
        if rows == 0 { Err(Self::Stale) } else { Ok(()) }
    }

    /// Whether somebody was first.
    #[must_use]
    pub const fn is_unique(&self) -> bool {
        matches!(self, Self::Unique { .. })
    }
}

/// Messages of passing troubles to which diesel gives no kind of their own. PostgreSQL in another language calls them
/// otherwise: then they end as [`StoreError::Database`], which is as safe, only less polite.
const PASSING: [&str; 9] = [
    // SQLite
    "database is locked",
    "database table is locked",
    "database or disk is full",
    "disk I/O error",
    // PostgreSQL
    "deadlock detected",
    "canceling statement due to",
    "terminating connection",
    "the database system is",
    "sorry, too many clients",
];

fn is_passing(kind: &DatabaseErrorKind, information: &dyn DatabaseErrorInformation) -> bool {
    matches!(
        kind,
        DatabaseErrorKind::UnableToSendCommand
            | DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::SerializationFailure
            | DatabaseErrorKind::ReadOnlyTransaction
    ) || PASSING.iter().any(|text| information.message().contains(text))
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        if let DieselError::DatabaseError(kind, information) = &error {
            if matches!(kind, DatabaseErrorKind::UniqueViolation) {
                let constraint = information.constraint_name().unwrap_or_else(|| information.message());
                return Self::Unique { constraint: constraint.to_owned() };
            }
            // What is referred to was removed in between.
            if matches!(kind, DatabaseErrorKind::ForeignKeyViolation) {
                return Self::Stale;
            }
            if is_passing(kind, information.as_ref()) {
                return Self::Unavailable(Box::new(error));
            }
        }
        Self::Database(error)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable(Box::new(error)),
            StoreError::Stale => Self::conflict(
                Code::StateConflict,
                "объект изменён одновременно с вами; повторите запрос",
                None,
            ),
            StoreError::Busy => {
                Self::TooEarly { code: Code::IdempotencyInProgress, retry_after: Duration::from_secs(1) }
            }
            StoreError::Unique { .. } | StoreError::Database(_) => Self::Internal(Box::new(error)),
        }
    }
}
