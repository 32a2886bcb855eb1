//! Exactly once, whatever GIS does: every kind of fault of the simulator on every operation of the gateway that can meet it
//! (`docs/faults.md` is made of these tables).
//!
//! A row is one debt request: its answer is posted, one call about it goes wrong, time passes, and at the end GIS holds what
//! was posted last, it took effect as often as the row says, and the history tells how it came to that.

mod files;
mod imports;
mod isolation;
mod kinds;
mod parts;
mod questions;
mod revokes;
mod row;
mod slow;

use std::collections::BTreeSet;

pub(crate) use kinds::item_error;

use gis_sim::faults::{Kind, Rule, Target, When};

/// The operations of the gateway with the faults that have a row there.
fn told() -> [(&'static str, Target, Vec<Kind>); 5] {
    let kinds = |rows: Vec<row::Row>| rows.into_iter().map(|row| row.kind);
    let slow = |target| slow::rows().into_iter().filter(move |row| row.0 == target).map(|row| row.1);
    let with_slow = |rows: Vec<row::Row>, target| kinds(rows).chain(slow(target)).collect();
    [
        ("an answer", Target::ImportResponses, with_slow(imports::rows(), Target::ImportResponses)),
        ("a withdrawal", Target::ImportResponses, with_slow(revokes::rows(), Target::ImportResponses)),
        ("a question for a result", Target::GetState, with_slow(questions::polls(), Target::GetState)),
        (
            "an export",
            Target::ExportDebtSubrequests,
            with_slow(questions::looks(), Target::ExportDebtSubrequests),
        ),
        ("a file", Target::UploadFile, with_slow(files::rows(), Target::UploadFile)),
    ]
}

/// A new kind of the simulator fails here until it has a row wherever it can strike.
#[test]
fn every_kind_has_a_row_wherever_it_can_strike() {
    let told = told();
    let all: Vec<_> = told.iter().flat_map(|(.., kinds)| kinds).collect();
    let names: BTreeSet<_> = all.iter().map(|kind| kind.name()).collect();
    assert_eq!(names, BTreeSet::from(Kind::NAMES), "a kind without any row");
    for (what, operation, kinds) in &told {
        for example in &all {
            let kind = without_lateness((*example).clone());
            let rule = Rule {
                operation: *operation,
                organization: None,
                subrequest: None,
                when: When::Always,
                kind,
            };
            let strikes = rule.check().is_ok();
            let has_row = kinds.iter().any(|kind| kind.name() == example.name());
            assert_eq!(strikes, has_row, "{} of {what}", example.name());
        }
    }
}

/// The file store does everything at once, so that a late effect alone would not fit there.
fn without_lateness(kind: Kind) -> Kind {
    match kind {
        Kind::SoapFault { code, text, late: _ } => Kind::SoapFault { code, text, late: None },
        Kind::Http { status, body, retry_after, late: _ } => {
            Kind::Http { status, body, retry_after, late: None }
        }
        Kind::ResetAfter { late: _ } => Kind::ResetAfter { late: std::time::Duration::ZERO },
        Kind::Garbage { late: _ } => Kind::Garbage { late: None },
        other @ (Kind::StateError { .. }
        | Kind::ItemError { .. }
        | Kind::ResetBefore
        | Kind::Slow { .. }
        | Kind::Stuck { .. }
        | Kind::Late { .. }
        | Kind::Ghost { .. }
        | Kind::WrongCount { .. }
        | Kind::Shuffle
        | Kind::Duplicate
        | Kind::LostState { .. }
        | Kind::BadSignature
        | Kind::Unsigned
        | Kind::FileError { .. }) => other,
    }
}
