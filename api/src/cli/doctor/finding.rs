//! What a check found, for people and as JSON.

use serde::Serialize;

/// What a check found.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// What was looked at.
    pub(super) check: String,
    /// Whether it is as it should be.
    pub(super) outcome: Outcome,
    /// What was seen.
    pub(super) detail: String,
    /// What to do.
    pub(super) advice: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Ok,
    Warning,
    Failed,
}

impl Finding {
    pub(super) fn ok(check: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { check: check.into(), outcome: Outcome::Ok, detail: detail.into(), advice: None }
    }

    pub(super) fn warning(
        check: impl Into<String>,
        detail: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { outcome: Outcome::Warning, advice: Some(advice.into()), ..Self::ok(check, detail) }
    }

    pub(super) fn failed(
        check: impl Into<String>,
        detail: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { outcome: Outcome::Failed, advice: Some(advice.into()), ..Self::ok(check, detail) }
    }

    pub(super) fn print(&self) {
        let mark = match self.outcome {
            Outcome::Ok => "ок      ",
            Outcome::Warning => "внимание",
            Outcome::Failed => "ошибка  ",
        };
        println!("{mark}  {}: {}", self.check, self.detail);
        if let Some(advice) = &self.advice {
            println!("          что делать: {advice}");
        }
    }
}
