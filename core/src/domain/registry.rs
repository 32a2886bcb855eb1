//! A registry of court debts as a whole: where it came from, what was wrong with it, whether it answers.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::court_debt::{CourtDebt, Origin};
use super::words::words;
use crate::ids::{DepartmentId, OrganizationId, RegistryId};

words! {
    /// Where a registry stands.
    RegistryStatus {
        /// It has no mistakes and waits to be activated.
        Checked = "checked" "Проверен",
        /// It has mistakes. A row left out would be answered «no debt», so nothing of it is taken.
        Refused = "refused" "Не принят: есть ошибки",
        /// Answers are made by it.
        Active = "active" "Действует",
        /// Another one took its place.
        Replaced = "replaced" "Заменён",
    }
}

words! {
    /// How bad something in a row is.
    ProblemKind {
        /// The registry is refused for it.
        Error = "error" "Ошибка",
        /// It is odd, but taken.
        Warning = "warning" "Предупреждение",
    }
}

/// A registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// Its identifier.
    pub id: RegistryId,
    /// Whose debts.
    pub organization: OrganizationId,
    /// The department whose own registry it is.
    pub department: Option<DepartmentId>,
    /// The name of the file; there is none when its rows were added one by one.
    pub file_name: Option<String>,
    /// How its rows came.
    pub origin: Origin,
    /// Where it stands.
    pub status: RegistryStatus,
    /// Rows that it has; those of a refused one were not kept.
    pub rows: i64,
    /// Rows with mistakes.
    pub refused_rows: i64,
    /// Mistakes altogether.
    pub errors: i64,
    /// Oddities altogether.
    pub warnings: i64,
    /// The client's name.
    pub created_by: String,
    /// When it came.
    pub created_at: DateTime<Utc>,
    /// When it last began to answer.
    pub activated_at: Option<DateTime<Utc>>,
}

/// What is wrong or odd in a row; no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowProblem {
    /// How bad it is.
    pub kind: ProblemKind,
    /// The row as Excel counts it; `None` when no row in particular is meant.
    pub row: Option<u32>,
    /// The header of the column.
    pub column: Option<String>,
    /// What, for machines.
    pub code: String,
    /// What, for people.
    pub detail: String,
}

/// A row as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptDebt {
    /// What it says.
    pub debt: CourtDebt,
    /// The registry it belongs to.
    pub registry: RegistryId,
    /// Whose.
    pub organization: OrganizationId,
    /// The row of the file, from 1.
    pub row: Option<i64>,
    /// Grows with every change.
    pub version: i64,
    /// When it came.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl fmt::Debug for KeptDebt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("KeptDebt");
        shown.field("id", &self.debt.entry.id).field("version", &self.version).finish_non_exhaustive()
    }
}
