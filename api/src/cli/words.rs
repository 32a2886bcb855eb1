//! Errors of the core in words for the terminal.

use anyhow::anyhow;
use debt_core::Error;

use crate::problem::Problem;

/// Every mistake on a line of its own.
pub(super) fn explain(error: Error) -> anyhow::Error {
    let problem = Problem::from(error);
    let mut text = format!("{}: {}", problem.title, problem.detail);
    for mistake in &problem.errors {
        text.push_str(&format!("\n  {}", mistake.detail));
    }
    anyhow!(text)
}
