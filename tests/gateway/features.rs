//! The table of features says what is true: `docs/features.md`.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

/// The root of the workspace, from the package that the tests belong to.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The words of a cell that stand in backquotes.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The headings of the README that a cell names.
fn headings(cell: &str) -> impl Iterator<Item = &str> {
    cell.split("README, «").skip(1).filter_map(|rest| rest.split('»').next())
}

/// Whether something shows a number: a test, a group of tests, or a file.
fn is_shown_by(proof: &str) -> bool {
    match proof.split_once("::") {
        Some(("faults", group)) => Path::new(ROOT).join(format!("tests/gateway/faults/{group}.rs")).exists(),
        Some((file, test)) => read(&format!("tests/gateway/{file}.rs")).contains(&format!("fn {test}(")),
        None => Path::new(ROOT).join(proof).exists(),
    }
}

/// Whether an operation, or a path with any, is in the document; other words are commands and files.
fn is_known(place: &str, document: &Value) -> bool {
    let (method, path) = place.split_once(' ').unwrap_or(("", place));
    if !path.starts_with("/v1/") {
        return true;
    }
    let operations = &document["paths"][path];
    operations.is_object() && (method.is_empty() || operations[method.to_lowercase()].is_object())
}

#[test]
fn every_number_is_here_and_is_shown() {
    let document: Value = serde_json::from_str(&read("openapi/openapi.json")).unwrap();
    let readme = read("README.md");
    let mut numbers = BTreeSet::new();
    for line in
        read("docs/features.md").lines().filter(|line| line.starts_with("| F") || line.starts_with("| W"))
    {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [number, what, place, proofs] = cells[..] else { panic!("four cells: {line}") };
        assert!(!what.is_empty(), "{number}");
        assert!(numbers.insert(number.to_owned()), "{number} stands there twice");
        for place in quoted(place) {
            assert!(is_known(place, &document), "{number}: {place} is not in the document");
        }
        assert_eq!(place.matches("README").count(), headings(place).count(), "{number} names a heading");
        for heading in headings(place) {
            assert!(
                readme.contains(&format!("\n## {heading}\n")),
                "{number}: {heading} is not in the README"
            );
        }
        for proof in quoted(proofs) {
            assert!(is_shown_by(proof), "{number}: {proof} is not there");
        }
        let unproved = ["F69", "F73", "F74"].contains(&number);
        assert_eq!(quoted(proofs).next().is_none(), unproved, "{number}");
    }
    let features = (1..=87).map(|number| format!("F{number}"));
    let wishes = (1..=16).map(|number| format!("W{number}"));
    assert_eq!(numbers, features.chain(wishes).collect());
}
