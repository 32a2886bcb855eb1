//! The two generations of GOST digests that GIS ZhKH uses side by side.
//!
//! Signatures and certificates take Streebog (GOST R 34.11-2012, RFC 6986). Attachments take the older
//! GOST R 34.11-94 with the CryptoPro S-box (RFC 5831, RFC 4357), over the whole file.

use gost94::Gost94CryptoPro;
use streebog::Digest;
pub use streebog::{Streebog256, Streebog512};

/// Streebog-256 of a message, octets in the order in which XMLDSig writes them.
pub fn streebog256(message: &[u8]) -> [u8; 32] {
    Streebog256::digest(message).into()
}

/// Streebog-512 of a message.
pub fn streebog512(message: &[u8]) -> [u8; 64] {
    Streebog512::digest(message).into()
}

/// GOST R 34.11-94 with CryptoPro parameters of a message held in memory.
pub fn gost94(message: &[u8]) -> [u8; 32] {
    Gost94CryptoPro::digest(message).into()
}

/// GOST R 34.11-94 with CryptoPro parameters of a message that arrives in pieces.
#[derive(Clone, Default)]
pub struct Gost94(Gost94CryptoPro);

impl Gost94 {
    /// An empty message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of all pieces.
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6986 §10.1: the 63 digits.
    const DIGITS: &[u8] = b"012345678901234567890123456789012345678901234567890123456789012";

    #[test]
    fn streebog_of_rfc_6986_example_1() {
        assert_eq!(
            hex::encode(streebog256(DIGITS)),
            "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500"
        );
        assert_eq!(
            hex::encode(streebog512(DIGITS)),
            "1b54d01a4af5b9d5cc3d86d68d285462b19abc2475222f35c085122be4ba1ffa\
             00ad30f8767b3a82384c6574f024c311e2a481332b08ef7f41797891c1646f48"
        );
    }

    #[test]
    fn streebog_of_rfc_6986_example_2() {
        let message = hex::decode(
            "d1e520e2e5f2f0e82c20d1f2f0e8e1eee6e820e2edf3f6e82c20e2e5fef2fa20f120eceef0ff20f1f2f0e5ebe0ece8\
             20ede020f5f0e0e1f0fbff20efebfaeafb20c8e3eef0e5e2fb",
        )
        .unwrap();
        assert_eq!(
            hex::encode(streebog256(&message)),
            "9dd2fe4e90409e5da87f53976d7405b0c0cac628fc669a741d50063c557e8f50"
        );
    }

    /// The empty message is where OpenSSL's engine is wrong: the value is rhash's (`--gost94-cryptopro`).
    #[test]
    fn gost94_of_known_messages() {
        let expected: [(&[u8], &str); 4] = [
            (b"", "981e5f3ca30c841487830f84fb433e13ac1101569b9c13584ac483234cd656c0"),
            (b"a", "e74c52dd282183bf37af0079c9f78055715a103f17e3133ceff1aacf2f403011"),
            (b"abc", "b285056dbf18d7392d7677369524dd14747459ed8143997e163b2986f92fd42c"),
            (
                b"This is message, length=32 bytes",
                "2cefc2f7b7bdc514e18ea57fa74ff357e7fa17d652c75f69cb1be7893ede48eb",
            ),
        ];
        for (message, digest) in expected {
            assert_eq!(hex::encode(gost94(message)), digest);
        }
    }

    #[test]
    fn gost94_in_pieces_equals_gost94_at_once() {
        let message: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let mut pieces = Gost94::new();
        for piece in message.chunks(33) {
            pieces.update(piece);
        }
        assert_eq!(pieces.finish(), gost94(&message));
    }
}
