//! PEM blocks: base64 between `-----BEGIN …-----` and `-----END …-----`, with any text around.
//!
//! More tolerant than RFC 7468: any line length, any line end, spaces at line ends. Keys and certificates pass
//! through here, so what is decoded is wiped on drop.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Some Windows editors put it at the beginning of a file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The characters of a line of base64 that is written.
const LINE: usize = 64;

/// A decoded block.
pub(crate) struct Block<'a> {
    pub(crate) label: &'a [u8],
    /// `None` when the text is not base64.
    pub(crate) content: Option<Zeroizing<Vec<u8>>>,
}

/// The first block whose label satisfies `wanted`.
pub(crate) fn first_block(text: &[u8], wanted: impl Fn(&[u8]) -> bool) -> Option<Block<'_>> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let mut lines = text.split(|octet| *octet == b'\n').map(<[u8]>::trim_ascii);
    let label = lines.find_map(|line| boundary(line, b"-----BEGIN ").filter(|label| wanted(label)))?;
    let mut encoded = Zeroizing::new(Vec::with_capacity(text.len()));
    for line in lines {
        if boundary(line, b"-----END ") == Some(label) {
            return Some(Block { label, content: STANDARD.decode(&encoded).ok().map(Zeroizing::new) });
        }
        encoded.extend_from_slice(line);
    }
    Some(Block { label, content: None })
}

fn boundary<'a>(line: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(start)?.strip_suffix(b"-----")
}

/// A block of text from octets.
pub(crate) fn encode(label: &str, content: &[u8]) -> Zeroizing<String> {
    let encoded = Zeroizing::new(STANDARD.encode(content));
    let mut text = Zeroizing::new(String::with_capacity(2 * encoded.len() + 4 * label.len() + LINE));
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    for (position, character) in encoded.chars().enumerate() {
        if position > 0 && position % LINE == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 47, 48, 49, 1000] {
            let content = vec![0xa5; length];
            let text = encode("PRIVATE KEY", &content);
            assert!(text.lines().all(|line| line.len() <= LINE));
            let block = first_block(text.as_bytes(), |label| label == b"PRIVATE KEY").unwrap();
            assert_eq!(*block.content.unwrap(), content);
        }
    }

    #[test]
    fn text_around_and_other_blocks_are_skipped() {
        let text = b"Bag Attributes\r\n-----BEGIN A-----\r\nAAAA\r\n-----END A-----\r\n\
            \xff\xfe\n-----BEGIN B----- \r\nAQ\r\nID\r\n-----END B-----";
        let block = first_block(text, |label| label == b"B").unwrap();
        assert_eq!(*block.content.unwrap(), [1, 2, 3]);
        assert!(first_block(text, |label| label == b"C").is_none());
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        let text = "\u{feff}-----BEGIN B-----\nAQID\n-----END B-----";
        assert_eq!(*first_block(text.as_bytes(), |_| true).unwrap().content.unwrap(), [1, 2, 3]);
    }

    #[test]
    fn a_block_without_end_or_base64_has_no_content() {
        for text in ["-----BEGIN B-----\nAQID\n", "-----BEGIN B-----\nAQ?D\n-----END B-----\n"] {
            assert!(first_block(text.as_bytes(), |_| true).unwrap().content.is_none());
        }
    }
}
