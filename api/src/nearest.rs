//! "Did you mean …?": the known name that a mistyped one comes nearest to. Used for settings, JSON fields and query
//! parameters alike.

/// How alike two names must be (Jaro-Winkler, 0 to 1) for one to be proposed for the other.
const ALIKE: f64 = 0.8;

/// The known name that is most alike, if any is alike enough.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (alike(&name, candidate), candidate))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

/// One slip of the finger counts as almost the same; in short names the measure alone would not see it.
fn alike(name: &str, candidate: &str) -> f64 {
    if strsim::osa_distance(name, candidate) == 1 { 0.99 } else { strsim::jaro_winkler(name, candidate) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_nonsense_finds_none() {
        let known = ["debtors", "comment", "has_debt", "external_id"];
        for (typed, meant) in [
            ("debtrs", Some("debtors")),
            ("Comment", Some("comment")),
            ("hasDebt", Some("has_debt")),
            ("externalid", Some("external_id")),
            ("comnemt", Some("comment")),
            ("zzz", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
    }
}
