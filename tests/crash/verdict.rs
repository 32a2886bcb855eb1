//! What must be true in the end: nothing accepted is lost, nothing took effect twice, nothing is held that nobody posted.
//!
//! That one content is sent to GIS more than once is no fault: where the fate of a call is unknown there is no other way. An
//! effect is double when the held content goes back to an older one, or when one more takes its place; so effects in a row
//! with one and the same content count as one. GIS's own late copies do not count, but what they undo must have been put
//! right in the end.

use std::collections::{BTreeMap, HashMap};

use gis_sim::Control;
use gis_sim::state::{Cause, Change};
use gis_sim::wire::model::{Answer, ResponseStatus};
use serde_json::Value;
use uuid::Uuid;

use crate::clients::Accepted;
use crate::plan::{Content, Debt};

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Answers that are not delivered, or not held as they were posted.
    pub(crate) lost: Vec<Finding>,
    /// Debt requests with an effect too many.
    pub(crate) doubled: Vec<Finding>,
    /// Effects that repeated the content held already.
    pub(crate) resends: usize,
    /// Copies that GIS placed by itself and that changed something.
    pub(crate) copies: usize,
}

/// Something that must not be.
#[derive(Debug)]
pub(crate) struct Finding {
    /// The number of the debt request.
    pub(crate) request: usize,
    pub(crate) words: String,
}

impl Verdict {
    #[track_caller]
    pub(crate) fn assert_exactly_once(&self, seed: u64) {
        let findings = self.lost.iter().chain(&self.doubled).take(5);
        let words: Vec<_> =
            findings.map(|finding| format!("{}: {}", finding.request, finding.words)).collect();
        assert!(
            self.lost.is_empty() && self.doubled.is_empty(),
            "DEBTGATE_CRASH_SEED={seed}: lost {}, doubled {}\n{}",
            self.lost.len(),
            self.doubled.len(),
            words.join("\n")
        );
    }
}

/// Everything to be compared.
pub(crate) struct Judge<'run> {
    gis: &'run Control,
    requests: &'run [String],
    /// What the program says of every answer it has.
    states: HashMap<String, String>,
}

/// What became of a debt request, step by step.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Holds(Content),
    Empty,
}

/// What happened to a debt request in GIS.
struct History {
    held: Step,
    /// What we placed, one after the other.
    steps: Vec<Step>,
    /// How often it was told what it was told last.
    resends: usize,
    /// Copies that GIS placed by itself and that changed something.
    copies: usize,
}

impl<'run> Judge<'run> {
    pub(crate) fn new(gis: &'run Control, requests: &'run [String], answers: Vec<Value>) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let states = answers.iter().map(|answer| (text(&answer["id"]), text(&answer["state"]))).collect();
        Self { gis, requests, states }
    }

    pub(crate) fn judge(&self, accepted: &[Accepted]) -> Verdict {
        let mut verdict = Verdict::default();
        let mut by_request: BTreeMap<usize, Vec<&Accepted>> = BTreeMap::new();
        for answer in accepted {
            by_request.entry(answer.request).or_default().push(answer);
        }
        assert_eq!(self.states.len(), accepted.len(), "as many answers as posts were accepted");
        for request in 0..self.requests.len() {
            let posted = by_request.get(&request).map_or(&[][..], Vec::as_slice);
            self.judge_one(request, posted, &mut verdict);
        }
        verdict
    }

    fn judge_one(&self, request: usize, posted: &[&Accepted], verdict: &mut Verdict) {
        let History { held, steps, resends, copies } = self.history(request);
        verdict.resends += resends;
        verdict.copies += copies;
        let states: Vec<&str> = posted
            .iter()
            .map(|answer| self.states.get(&answer.answer).map_or("none", String::as_str))
            .collect();
        // In the order of posting: an earlier answer was either never sent, or taken back before the later one.
        let expected = match (posted, states.as_slice()) {
            ([], []) => Some(vec![]),
            ([only], ["delivered"]) => Some(vec![holds(only)]),
            ([_, last], ["superseded", "delivered"]) => Some(vec![holds(last)]),
            ([first, last], ["revoked", "delivered"]) => Some(vec![holds(first), Step::Empty, holds(last)]),
            _ => None,
        };
        let finding = || Finding {
            request,
            words: format!(
                "posted {:?}, which are {states:?}; GIS holds {held:?}, after {steps:#?}",
                contents(posted)
            ),
        };
        let last = posted.last().map_or(Step::Empty, |last| holds(last));
        if expected.is_none() || held != last {
            verdict.lost.push(finding());
        } else if expected.is_some_and(|expected| expected != steps) {
            verdict.doubled.push(finding());
        }
    }

    fn history(&self, request: usize) -> History {
        let guid: Uuid = self.requests[request].parse().unwrap();
        let report = self.gis.subrequest(guid).unwrap();
        assert_eq!(report.forgotten, 0, "the whole history is there");
        let held = report.held.answer.as_deref().map_or(Step::Empty, |answer| self.content(answer));
        assert_ne!(report.held.status, ResponseStatus::AutoGenerated);
        let (mut before, mut steps, mut resends, mut copies) = (Step::Empty, Vec::new(), 0, 0);
        for effect in &report.history {
            let step = self.step(&effect.change);
            let changed = step != before;
            if matches!(effect.cause, Cause::Call { ghost: true, .. }) {
                copies += usize::from(changed);
            } else if steps.last() == Some(&step) {
                resends += 1;
            } else {
                steps.push(step.clone());
            }
            before = step;
        }
        assert_eq!(held, before, "it holds what it was told last");
        History { held, steps, resends, copies }
    }

    fn step(&self, change: &Change) -> Step {
        match change {
            Change::Sent(answer) => self.content(answer),
            Change::Revoked => Step::Empty,
            Change::AutoGenerated => panic!("nobody lets GIS answer by itself here"),
        }
    }

    /// An answer in GIS in the words of whoever posted it, files byte for byte.
    fn content(&self, answer: &Answer) -> Step {
        let debts: Vec<Debt> = answer
            .debtors
            .iter()
            .map(|debtor| {
                let [document] = debtor.documents.as_slice() else { panic!("one document") };
                let paper = self.gis.file_content(document.file.guid).unwrap();
                Debt { last_name: debtor.person.last.clone(), paper }
            })
            .collect();
        assert_eq!(answer.has_debt, debts.len() == 1);
        Step::Holds(Content {
            comment: answer.description.clone().unwrap_or_default(),
            debt: debts.into_iter().next(),
        })
    }
}

fn holds(accepted: &Accepted) -> Step {
    Step::Holds(accepted.content.clone())
}

fn contents(posted: &[&Accepted]) -> Vec<String> {
    posted.iter().map(|accepted| accepted.content.comment.clone()).collect()
}
