//! GOST 28147-89 as key files use it: single blocks, cipher feedback with key meshing, and the 4-octet MAC.
//!
//! RFC 5830 defines the rounds, RFC 4357 the substitution boxes and the meshing. The crate `magma` has the same
//! rounds in the octet order of GOST R 34.12-2015, but not the 16-round MAC; only its boxes are taken, but for D.

use der::oid::ObjectIdentifier;
use elliptic_curve::subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// 64 bits, little-endian halves.
pub(super) type Block = [u8; 8];

/// Row `i` substitutes the `i`-th nibble, counted from the lowest.
type Rows = [[u8; 16]; 8];

/// Octets enciphered under one key before the next is derived (RFC 4357 §2.3.2).
const MESHING_PERIOD: usize = 1024;

/// Deciphered under the present key, this constant of RFC 4357 §2.3.2 gives the next.
const MESHING_CONSTANT: [u8; 32] = [
    0x69, 0x00, 0x72, 0x22, 0x64, 0xc9, 0x04, 0x23, 0x8d, 0x3a, 0xdb, 0x96, 0x46, 0xe9, 0x2a, 0xc4, 0x18,
    0xfe, 0xac, 0x94, 0x00, 0xed, 0x07, 0x12, 0xc0, 0x86, 0xdc, 0xc2, 0xef, 0x4c, 0xa9, 0x2b,
];

/// RFC 4357 §11.2. What `magma` 0.10 calls by this name is the box of GOST R 34.11-94.
const CRYPTOPRO_D: Rows = [
    [15, 12, 2, 10, 6, 4, 5, 0, 7, 9, 14, 13, 1, 11, 8, 3],
    [11, 6, 3, 4, 12, 15, 14, 2, 7, 13, 8, 0, 5, 10, 9, 1],
    [1, 12, 11, 0, 15, 14, 6, 5, 10, 13, 4, 8, 9, 3, 7, 2],
    [1, 5, 14, 12, 10, 7, 0, 13, 6, 2, 11, 4, 9, 3, 15, 8],
    [0, 12, 8, 9, 13, 2, 10, 11, 7, 3, 6, 5, 4, 14, 15, 1],
    [8, 0, 15, 3, 2, 5, 14, 11, 1, 10, 4, 7, 12, 9, 13, 6],
    [3, 0, 6, 15, 1, 14, 9, 2, 13, 8, 12, 4, 11, 10, 5, 7],
    [1, 10, 6, 8, 15, 11, 0, 4, 12, 3, 5, 9, 7, 13, 2, 14],
];

/// A named table of substitutions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SubstitutionBox {
    /// `id-tc26-gost-28147-param-Z`, RFC 7836.
    Tc26Z,
    /// `id-Gost28147-89-CryptoPro-A-ParamSet`, RFC 4357.
    CryptoProA,
    /// `id-Gost28147-89-CryptoPro-B-ParamSet`.
    CryptoProB,
    /// `id-Gost28147-89-CryptoPro-C-ParamSet`.
    CryptoProC,
    /// `id-Gost28147-89-CryptoPro-D-ParamSet`.
    CryptoProD,
}

impl SubstitutionBox {
    const ALL: [Self; 5] =
        [Self::Tc26Z, Self::CryptoProA, Self::CryptoProB, Self::CryptoProC, Self::CryptoProD];

    const fn oid(self) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(match self {
            Self::Tc26Z => "1.2.643.7.1.2.5.1.1",
            Self::CryptoProA => "1.2.643.2.2.31.1",
            Self::CryptoProB => "1.2.643.2.2.31.2",
            Self::CryptoProC => "1.2.643.2.2.31.3",
            Self::CryptoProD => "1.2.643.2.2.31.4",
        })
    }

    pub(super) fn from_oid(oid: &ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.oid() == *oid)
    }

    const fn rows(self) -> &'static Rows {
        match self {
            Self::Tc26Z => <magma::Magma as Table>::ROWS,
            Self::CryptoProA => <magma::Gost89CryptoProA as Table>::ROWS,
            Self::CryptoProB => <magma::Gost89CryptoProB as Table>::ROWS,
            Self::CryptoProC => <magma::Gost89CryptoProC as Table>::ROWS,
            Self::CryptoProD => &CRYPTOPRO_D,
        }
    }
}

/// Reaches the tables of `magma`, whose types have no public names of their own.
trait Table {
    const ROWS: &'static Rows;
}

impl<S: magma::Sbox> Table for magma::Gost89<S> {
    const ROWS: &'static Rows = &S::SBOX;
}

/// GOST 28147-89 under one key. The key is wiped on drop.
pub(super) struct Cipher {
    key: Zeroizing<[u32; 8]>,
    table: SubstitutionBox,
}

impl Cipher {
    pub(super) fn new(key: &[u8; 32], table: SubstitutionBox) -> Self {
        let mut words = Zeroizing::new([0; 8]);
        for (word, octets) in words.iter_mut().zip(key.as_chunks().0) {
            *word = u32::from_le_bytes(*octets);
        }
        Self { key: words, table }
    }

    fn encrypt_block(&self, block: &Block) -> Block {
        let forward = || self.key.iter();
        let keys = forward().chain(forward()).chain(forward()).chain(forward().rev());
        Halves::from(block).rounds(keys, self.table.rows()).swapped().into()
    }

    fn decrypt_block(&self, block: &Block) -> Block {
        let backward = || self.key.iter().rev();
        let keys = self.key.iter().chain(backward()).chain(backward()).chain(backward());
        Halves::from(block).rounds(keys, self.table.rows()).swapped().into()
    }

    /// Deciphers four independent blocks, the form in which keys are wrapped.
    pub(super) fn decrypt_key(&self, wrapped: &[u8; 32]) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new(*wrapped);
        for block in key.as_chunks_mut().0 {
            *block = self.decrypt_block(block);
        }
        key
    }

    /// Whether data has this MAC, in a time that does not depend on where they differ.
    pub(super) fn verify_mac(&self, data: &[u8], mac: &[u8]) -> bool {
        self.mac(data).ct_eq(mac).into()
    }

    /// The MAC of RFC 5830 §8, 32 bits; the last block is padded with zeros.
    ///
    /// The standard wants two blocks at least: callers have more than 8 octets.
    fn mac(&self, data: &[u8]) -> [u8; 4] {
        let mut state = Halves::from(&Block::default());
        for chunk in data.chunks(size_of::<Block>()) {
            let mut block = Block::default();
            block.iter_mut().zip(chunk).for_each(|(octet, input)| *octet = *input);
            let keys = self.key.iter().chain(self.key.iter());
            state = state.xor(&Halves::from(&block)).rounds(keys, self.table.rows());
        }
        state.low.to_le_bytes()
    }
}

/// Deciphers in place: cipher feedback with CryptoPro key meshing.
pub(super) fn decrypt_cfb(key: &[u8; 32], table: SubstitutionBox, iv: &Block, data: &mut [u8]) {
    let mut cipher = Cipher::new(key, table);
    let mut feedback = *iv;
    for (number, section) in data.chunks_mut(MESHING_PERIOD).enumerate() {
        if number > 0 {
            cipher = Cipher::new(&cipher.decrypt_key(&MESHING_CONSTANT), table);
            feedback = cipher.encrypt_block(&feedback);
        }
        for chunk in section.chunks_mut(size_of::<Block>()) {
            let gamma = cipher.encrypt_block(&feedback);
            for ((octet, fed_back), gamma) in chunk.iter_mut().zip(&mut feedback).zip(gamma) {
                *fed_back = *octet;
                *octet ^= gamma;
            }
        }
    }
}

/// The registers N1 and N2 of RFC 5830.
#[derive(Clone, Copy)]
struct Halves {
    low: u32,
    high: u32,
}

impl Halves {
    fn rounds<'a>(self, keys: impl Iterator<Item = &'a u32>, rows: &Rows) -> Self {
        keys.fold(self, |state, key| Self {
            low: state.high ^ substitute(state.low.wrapping_add(*key), rows).rotate_left(11),
            high: state.low,
        })
    }

    /// A full encryption does not exchange the registers after its last round.
    fn swapped(self) -> Self {
        Self { low: self.high, high: self.low }
    }

    fn xor(self, other: &Self) -> Self {
        Self { low: self.low ^ other.low, high: self.high ^ other.high }
    }
}

impl From<&Block> for Halves {
    fn from(block: &Block) -> Self {
        let [a, b, c, d, e, f, g, h] = *block;
        Self { low: u32::from_le_bytes([a, b, c, d]), high: u32::from_le_bytes([e, f, g, h]) }
    }
}

impl From<Halves> for Block {
    fn from(halves: Halves) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (halves.low.to_le_bytes(), halves.high.to_le_bytes());
        [a, b, c, d, e, f, g, h]
    }
}

#[expect(clippy::indexing_slicing, reason = "a nibble is below 16, the length of a row")]
fn substitute(word: u32, rows: &Rows) -> u32 {
    let mut octets = word.to_le_bytes();
    for (octet, [low, high]) in octets.iter_mut().zip(rows.as_chunks().0) {
        *octet = low[usize::from(*octet & 15)] | high[usize::from(*octet >> 4)] << 4;
    }
    u32::from_le_bytes(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use magma::cipher::{BlockCipherEncrypt, KeyInit};

    const KEY: [u8; 32] = *b"0123456789abcdefghijklmnopqrstuv";
    const IV: Block = *b"ABCDEFGH";

    /// The crate reads the same numbers in the opposite octet order.
    #[test]
    fn blocks_agree_with_the_crate_magma() {
        let mut key = KEY;
        key.as_chunks_mut::<4>().0.iter_mut().for_each(|word| word.reverse());
        let other = magma::Gost89CryptoProA::new(&key.into());
        let ours = Cipher::new(&KEY, SubstitutionBox::CryptoProA);
        for seed in 0..=u8::MAX {
            let block = [seed, 1, 2, 3, 4, 5, 6, seed ^ 0xff];
            let mut expected = block;
            expected.reverse();
            let mut expected = expected.into();
            other.encrypt_block(&mut expected);
            let mut encrypted = ours.encrypt_block(&block);
            assert_eq!(ours.decrypt_block(&encrypted), block);
            encrypted.reverse();
            assert_eq!(encrypted, expected.0);
        }
    }

    /// Made with OpenSSL's GOST engine: `openssl enc -d -gost89` of zeros, which meshes keys.
    #[test]
    fn cipher_feedback_meshes_keys_every_1024_octets() {
        let mut data = [0; 2100];
        decrypt_cfb(&KEY, SubstitutionBox::Tc26Z, &IV, &mut data);
        assert_eq!(hex::encode(&data[..16]), "e7894112cdc6a93091d2ccbfaca93d48");
        assert_eq!(hex::encode(&data[1016..1032]), "91d2ccbfaca93d48cab74c47292e2683");
        assert_eq!(hex::encode(&data[2080..]), "6cc09c192c644ac26cc09c192c644ac26cc09c19");

        let mut data = [0; 16];
        decrypt_cfb(&KEY, SubstitutionBox::CryptoProA, &IV, &mut data);
        assert_eq!(hex::encode(data), "60307d959a4c8c3f6a3865ea4934a063");
    }

    /// Made with OpenSSL's GOST engine: `openssl dgst -mac gost-mac` and `gost-mac-12` of 0, 1, 2 ….
    #[test]
    fn macs_agree_with_the_engine() {
        let message: Vec<u8> = (0..37).collect();
        let mac = |table, length: usize| hex::encode(Cipher::new(&KEY, table).mac(&message[..length]));
        assert_eq!(mac(SubstitutionBox::CryptoProA, 37), "27584539");
        assert_eq!(mac(SubstitutionBox::CryptoProA, 16), "012917ad");
        assert_eq!(mac(SubstitutionBox::Tc26Z, 37), "2246aa12");
        assert_eq!(mac(SubstitutionBox::Tc26Z, 16), "616cf5ef");
    }

    /// Made with OpenSSL's GOST engine, which takes the identifier: `openssl dgst -mac gost-mac -macopt paramset:…`.
    #[test]
    fn every_identifier_means_the_box_that_it_means_to_the_engine() {
        let message: Vec<u8> = (0..37).collect();
        let vectors = [
            ("1.2.643.7.1.2.5.1.1", "2246aa12"),
            ("1.2.643.2.2.31.1", "27584539"),
            ("1.2.643.2.2.31.2", "d0aca674"),
            ("1.2.643.2.2.31.3", "5dd291e9"),
            ("1.2.643.2.2.31.4", "61d6d1f8"),
        ];
        assert_eq!(vectors.len(), SubstitutionBox::ALL.len());
        for (oid, expected) in vectors {
            let table = SubstitutionBox::from_oid(&ObjectIdentifier::new_unwrap(oid)).unwrap();
            assert_eq!(hex::encode(Cipher::new(&KEY, table).mac(&message)), expected, "{oid}");
        }
    }
}
