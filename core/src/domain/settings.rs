//! What an organisation has set for itself: matches by themselves, and automatic answers (`api.md` §12.3, §12.4).

use chrono::{DateTime, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use super::words::words;
use crate::ids::DepartmentId;

words! {
    /// What settings are about.
    SettingsSubject {
        /// Matches that begin by themselves.
        Matching = "matching" "Сопоставление с реестром",
        /// Answers «no debt» that are given by themselves.
        AutoAnswer = "auto_answer" "Автоответ",
    }
}

/// Settings of one subject.
pub trait OrganizationSettings: Default + Send {
    /// The subject.
    const SUBJECT: SettingsSubject;
}

/// Settings as they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing<T> {
    /// What is set.
    pub settings: T,
    /// Grows with every change; 1 is what holds before anything was set.
    pub version: i64,
    /// When they were last set.
    pub updated_at: Option<DateTime<Utc>>,
}

impl<T: Default> Default for Standing<T> {
    fn default() -> Self {
        Self { settings: T::default(), version: 1, updated_at: None }
    }
}

/// Matches with the registry that begin by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MatchingSettings {
    /// Whether any does.
    pub enabled: bool,
    /// Whether one begins after each reading of GIS.
    pub run_after_sync: bool,
    /// Whether answers are sent; else drafts are made.
    pub submit: bool,
    /// Whether «no debt» is left to somebody else.
    pub only_debts: bool,
    /// Most debt requests of one run.
    pub max_per_run: u32,
    /// The department whose registry it is.
    pub department: Option<DepartmentId>,
}

impl MatchingSettings {
    /// Whether a match begins after a reading of GIS.
    #[must_use]
    pub const fn follows_sync(&self) -> bool {
        self.enabled && self.run_after_sync
    }
}

impl Default for MatchingSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            run_after_sync: true,
            submit: false,
            only_debts: false,
            max_per_run: 10_000,
            department: None,
        }
    }
}

impl OrganizationSettings for MatchingSettings {
    const SUBJECT: SettingsSubject = SettingsSubject::Matching;
}

/// Answers «no debt» that are given by themselves shortly before the deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AutoAnswerSettings {
    /// Whether any is given.
    pub enabled: bool,
    /// From how many working days before the last day to answer.
    pub days_before_due: u32,
    /// When, in the organisation's time zone.
    pub run_at: NaiveTime,
    /// Whether a registry must say «no debt».
    pub require_registry: bool,
    /// How old that registry may be.
    pub registry_max_age_days: u32,
    /// Only requests of these departments.
    pub departments: Option<Vec<DepartmentId>>,
    /// With more answers than this a run gives none.
    pub max_per_run: u32,
    /// Additional information in every answer.
    pub comment: Option<String>,
}

impl Default for AutoAnswerSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            days_before_due: 1,
            run_at: NaiveTime::from_hms_opt(10, 0, 0).unwrap_or_default(),
            require_registry: true,
            registry_max_age_days: 30,
            departments: None,
            max_per_run: 500,
            comment: None,
        }
    }
}

impl OrganizationSettings for AutoAnswerSettings {
    const SUBJECT: SettingsSubject = SettingsSubject::AutoAnswer;
}
