//! The content of a file: its parts in order, shared with the store and not copied until somebody asks.
//!
//! The store hands it out under the lock on the engine; the server and the control door hash, cut and join it outside.

use std::ops::Range;

use actix_web::web::Bytes;
use gost::hash::Gost94;

use super::PART_BYTES;

/// The bytes of a file, cheap to clone.
#[derive(Clone)]
pub struct Content {
    parts: Vec<Bytes>,
    length: usize,
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content(*** {} bytes)", self.length)
    }
}

impl Content {
    pub(super) fn new(parts: Vec<Bytes>) -> Self {
        let length = parts.iter().map(Bytes::len).sum();
        Self { parts, length }
    }

    /// The content of a file in one piece.
    #[cfg(test)]
    pub(crate) fn of(whole: Bytes) -> Self {
        Self::new(vec![whole])
    }

    /// Bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// A copy of all.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        self.parts.concat()
    }

    /// A copy of a range, as far as there are bytes.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Vec<u8> {
        let mut slice = Vec::with_capacity(range.end.min(self.length).saturating_sub(range.start));
        let mut start = 0;
        for part in &self.parts {
            let from = range.start.saturating_sub(start).min(part.len());
            let until = range.end.saturating_sub(start).min(part.len());
            slice.extend_from_slice(part.get(from..until).unwrap_or_default());
            start += part.len();
        }
        slice
    }

    /// Lower-case hex of GOST R 34.11-94 (CryptoPro parameters); over the first 5 MiB only, when GIS is ill (Q35).
    #[must_use]
    pub fn hash(&self, first_part_only: bool) -> String {
        let mut hash = Gost94::new();
        let mut left = if first_part_only { PART_BYTES } else { self.length };
        for part in &self.parts {
            let taken = part.get(..left).unwrap_or(part);
            hash.update(taken);
            left -= taken.len();
        }
        hex::encode(hash.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(parts: &[&'static [u8]]) -> Content {
        Content::new(parts.iter().copied().map(Bytes::from_static).collect())
    }

    #[test]
    fn a_slice_may_span_parts() {
        let content = content(&[b"012", b"3", b"456"]);
        assert_eq!((content.len(), content.to_vec().as_slice()), (7, b"0123456".as_slice()));
        assert_eq!(content.slice(2..5), b"234");
        assert_eq!(content.slice(0..usize::MAX), b"0123456");
        assert_eq!(content.slice(6..7), b"6");
        assert_eq!(content.slice(7..9), b"");
    }

    #[test]
    fn an_ill_store_hashes_the_first_five_mebibytes_whatever_the_parts() {
        let whole: Vec<u8> = (0..PART_BYTES + 7).map(|index| u8::try_from(index % 251).unwrap()).collect();
        let expected = hex::encode(gost::hash::gost94(&whole[..PART_BYTES]));
        for at in [1, 3_000_000, PART_BYTES] {
            let parts = [&whole[..at], &whole[at..]].map(Bytes::copy_from_slice);
            let content = Content::new(parts.to_vec());
            assert_eq!(content.hash(true), expected, "parts of {at} bytes and the rest");
        }
        let short = content(&[b"a", b"bc"]);
        assert_eq!(short.hash(true), short.hash(false));
        assert_eq!(short.hash(true), hex::encode(gost::hash::gost94(b"abc")));
    }
}
