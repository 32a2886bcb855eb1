//! Questions about many debt requests. GIS fails whole lists for one identifier that it cannot show (Q14, Q20): those of a
//! question that it failed are asked for in halves of it, until that one is alone.

use std::collections::BTreeMap;

use super::outcomes::GIS_REJECTED;
use crate::domain::answer::LastError;
use crate::ids::DebtRequestId;

/// XSD exportDSRsRequest: at most 100 GUIDs a question.
const MOST_IDS: usize = 100;

/// How large the smallest question was that GIS failed, of each debt request in one.
#[derive(Debug, Default)]
pub(crate) struct Halves {
    failed: BTreeMap<DebtRequestId, usize>,
}

impl Halves {
    /// GIS has failed a question.
    pub(crate) fn fail(&mut self, ids: Vec<DebtRequestId>) {
        let size = ids.len();
        for id in ids {
            let known = self.failed.entry(id).or_insert(size);
            *known = size.min(*known);
        }
    }

    /// Whether it was in a question that GIS failed.
    pub(crate) fn has_failed(&self, id: DebtRequestId) -> bool {
        self.failed.contains_key(&id)
    }

    /// Those that GIS fails alone.
    pub(crate) fn alone(&self) -> impl Iterator<Item = DebtRequestId> {
        self.failed.iter().filter(|(_, size)| **size <= 1).map(|(id, _)| *id)
    }

    /// The questions about these, each in their order, the large ones first. None has both some that GIS failed and some that
    /// it did not.
    pub(crate) fn questions(&self, wanted: &[DebtRequestId]) -> Vec<Vec<DebtRequestId>> {
        let mut by_size: BTreeMap<(usize, bool), Vec<DebtRequestId>> = BTreeMap::new();
        for id in wanted {
            let failed = self.failed.get(id);
            let size = failed.map_or(MOST_IDS, |size| size / 2).max(1);
            by_size.entry((size, failed.is_none())).or_default().push(*id);
        }
        let questions = by_size.iter().rev();
        questions.flat_map(|((size, _), ids)| ids.chunks(*size).map(<[DebtRequestId]>::to_vec)).collect()
    }
}

/// Whether a question failed because GIS refuses what it asks for. What did not get through, and trouble of GIS's own, says
/// nothing of the debt requests in it.
pub(crate) fn is_refusal(error: &LastError) -> bool {
    error.gis.is_some() && error.code == GIS_REJECTED
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::store::test_rows::last_error;

    fn ids(numbers: std::ops::RangeInclusive<u128>) -> Vec<DebtRequestId> {
        numbers.map(|number| Uuid::from_u128(number).into()).collect()
    }

    #[test]
    fn one_that_gis_cannot_show_is_found_and_spoils_no_other_question() {
        let (all, bad) = (ids(1..=100), ids(37..=37));
        let mut halves = Halves::default();
        let mut rounds = 0;
        while halves.alone().next().is_none() {
            rounds += 1;
            for question in halves.questions(&all) {
                if question.contains(&bad[0]) {
                    halves.fail(question);
                }
            }
        }
        assert_eq!((rounds, halves.alone().collect::<Vec<_>>()), (7, bad.clone()));
        let questions = halves.questions(&ids(1..=150));
        assert_eq!(questions.iter().map(Vec::len).sum::<usize>(), 150);
        assert!(questions.iter().all(|question| question.len() == 1 || !question.contains(&bad[0])));
        assert_eq!(questions[0], ids(101..=150), "those that were in no question that failed");
    }

    #[test]
    fn only_a_refusal_in_the_words_of_gis_speaks_of_what_was_asked_for() {
        let refusal = LastError { code: GIS_REJECTED.to_owned(), ..last_error() };
        assert!(refusal.gis.is_some() && is_refusal(&refusal));
        assert!(!is_refusal(&LastError { gis: None, ..refusal.clone() }), "HTTP 403 speaks of the sender");
        assert!(!is_refusal(&LastError { code: "gis_fault".to_owned(), ..refusal }));
    }
}
