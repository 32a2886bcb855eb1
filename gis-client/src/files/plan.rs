//! How a file is cut for the file store. Pure: also the way to go on with an upload that broke off.

use std::num::NonZeroU64;
use std::ops::Range;

/// The longest part that the file store takes, in bytes; a file that is not longer goes in one piece.
pub const PART_LIMIT: NonZeroU64 = NonZeroU64::new(5_242_880).unwrap();

/// One part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// The number of the part, from 1.
    pub(super) number: u64,
    /// Which bytes of the file it holds.
    pub(super) range: Range<u64>,
}

/// The parts of a file of a known length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    length: u64,
}

impl Plan {
    /// The plan for a file of `length` bytes.
    #[must_use]
    pub(super) fn new(length: u64) -> Self {
        Self { length }
    }

    /// How many parts there are; none for an empty file.
    #[must_use]
    pub(super) fn count(&self) -> u64 {
        self.length.div_ceil(PART_LIMIT.get())
    }

    /// The parts in order: all are as long as the limit, except perhaps the last.
    pub(super) fn parts(&self) -> impl Iterator<Item = Part> + use<> {
        let length = self.length;
        (1..=self.count()).map(move |number| {
            let start = (number - 1).saturating_mul(PART_LIMIT.get());
            Part { number, range: start..start.saturating_add(PART_LIMIT.get()).min(length) }
        })
    }

    /// The parts that are not among those that the file store has.
    pub(super) fn missing<'a>(&self, completed: &'a [u64]) -> impl Iterator<Item = Part> + use<'a> {
        self.parts().filter(|part| !completed.contains(&part.number))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_is_cut_at_the_limit() {
        let limit = PART_LIMIT.get();
        let counts = [(0, 0), (1, 1), (limit, 1), (limit + 1, 2), (2 * limit, 2), (2 * limit + 1, 3)];
        for (length, count) in counts {
            assert_eq!(Plan::new(length).count(), count, "{length}");
        }
        let parts: Vec<Part> = Plan::new(limit + 10).parts().collect();
        assert_eq!(
            parts,
            [Part { number: 1, range: 0..limit }, Part { number: 2, range: limit..limit + 10 }]
        );
    }

    #[test]
    fn an_upload_goes_on_where_it_broke_off() {
        let plan = Plan::new(3 * PART_LIMIT.get());
        let numbers: Vec<u64> = plan.missing(&[1, 3]).map(|part| part.number).collect();
        assert_eq!(numbers, [2]);
        assert_eq!(plan.missing(&[3, 2, 1]).next(), None);
    }

    proptest! {
        #[test]
        fn the_parts_are_the_file(length in 0_u64..200_000_000) {
            let mut end = 0;
            for (part, number) in Plan::new(length).parts().zip(1..) {
                prop_assert_eq!(part.number, number);
                prop_assert_eq!(part.range.start, end);
                prop_assert!(part.range.end > end && part.range.end - end <= PART_LIMIT.get());
                end = part.range.end;
            }
            prop_assert_eq!(end, length);
        }

        #[test]
        fn no_length_overflows(length: u64) {
            let plan = Plan::new(length);
            prop_assert!(plan.parts().take(3).all(|part| part.range.end <= length));
        }
    }
}
