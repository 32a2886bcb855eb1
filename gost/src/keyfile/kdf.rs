//! From passwords to keys: PBKDF2 (RFC 8018), the derivation of RFC 7292 appendix B, the KDF of RFC 7836 and
//! CryptoPro's two own derivations.
//!
//! Iteration counts are bounded by the callers. What is derived, its buffers and the states of the hashes are
//! wiped on drop. Out of reach are the copies that the compiler makes when it moves a value, and the working
//! values of `pbkdf2` and `hmac`.

use der::oid::ObjectIdentifier;
use gost94::Gost94CryptoPro;
use hmac::digest::block_api::EagerHash;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use streebog::{Digest, Streebog256, Streebog512};
use zeroize::Zeroizing;

use crate::hash::{gost94, streebog256};

/// A hash function by which a file is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha512,
    Gost94,
    Streebog256,
    Streebog512,
}

/// Runs an expression with `$type` bound to the type of a hash function.
macro_rules! with_hash {
    ($hash:expr, $type:ident => $body:expr) => {
        match $hash {
            Hash::Sha1 => {
                type $type = Sha1;
                $body
            }
            Hash::Sha256 => {
                type $type = Sha256;
                $body
            }
            Hash::Sha512 => {
                type $type = Sha512;
                $body
            }
            Hash::Gost94 => {
                type $type = Gost94CryptoPro;
                $body
            }
            Hash::Streebog256 => {
                type $type = Streebog256;
                $body
            }
            Hash::Streebog512 => {
                type $type = Streebog512;
                $body
            }
        }
    };
}

impl Hash {
    const ALL: [Self; 6] =
        [Self::Sha1, Self::Sha256, Self::Sha512, Self::Gost94, Self::Streebog256, Self::Streebog512];

    const fn oid(self) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(match self {
            Self::Sha1 => "1.3.14.3.2.26",
            Self::Sha256 => "2.16.840.1.101.3.4.2.1",
            Self::Sha512 => "2.16.840.1.101.3.4.2.3",
            Self::Gost94 => "1.2.643.2.2.9",
            Self::Streebog256 => "1.2.643.7.1.1.2.2",
            Self::Streebog512 => "1.2.643.7.1.1.2.3",
        })
    }

    const fn hmac_oid(self) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(match self {
            Self::Sha1 => "1.2.840.113549.2.7",
            Self::Sha256 => "1.2.840.113549.2.9",
            Self::Sha512 => "1.2.840.113549.2.11",
            Self::Gost94 => "1.2.643.2.2.10",
            Self::Streebog256 => "1.2.643.7.1.1.4.1",
            Self::Streebog512 => "1.2.643.7.1.1.4.2",
        })
    }

    pub(super) fn from_oid(oid: &ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.oid() == *oid)
    }

    pub(super) fn from_hmac_oid(oid: &ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.hmac_oid() == *oid)
    }

    /// Whether MAC keys are derived by PBKDF2 (Р 50.1.112-2016) before they are by RFC 7292.
    pub(super) const fn is_gost(self) -> bool {
        match self {
            Self::Sha1 | Self::Sha256 | Self::Sha512 => false,
            Self::Gost94 | Self::Streebog256 | Self::Streebog512 => true,
        }
    }

    /// Octets of a digest.
    pub(super) fn length(self) -> usize {
        with_hash!(self, H => <H as Digest>::output_size())
    }

    /// Whether a message has this HMAC, in a time that does not depend on where they differ.
    pub(super) fn verify_hmac(self, key: &[u8], message: &[u8], mac: &[u8]) -> bool {
        with_hash!(self, H => hmac::<H>(key).chain_update(message).verify_slice(mac).is_ok())
    }

    /// PBKDF2 with HMAC, `length` octets.
    pub(super) fn pbkdf2(
        self,
        password: &[u8],
        salt: &[u8],
        iterations: u32,
        length: usize,
    ) -> Zeroizing<Vec<u8>> {
        let mut derived = Zeroizing::new(vec![0; length]);
        with_hash!(self, H => pbkdf2::pbkdf2_hmac::<H>(password, salt, iterations, &mut derived));
        derived
    }

    /// RFC 7292 appendix B.2, `length` octets.
    pub(super) fn pkcs12(
        self,
        purpose: Purpose,
        password: &str,
        salt: &[u8],
        iterations: u32,
        length: usize,
    ) -> Zeroizing<Vec<u8>> {
        let password = utf16(password, u16::to_be_bytes, "\0");
        with_hash!(self, H => pkcs12::<H>(purpose, &password, salt, iterations, length))
    }
}

/// What a key of RFC 7292 is for; the number goes into the derivation.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Encryption,
    InitialVector,
    Mac,
}

impl Purpose {
    const fn id(self) -> u8 {
        match self {
            Self::Encryption => 1,
            Self::InitialVector => 2,
            Self::Mac => 3,
        }
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
fn hmac<H: EagerHash>(key: &[u8]) -> Hmac<H> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of every length")
}

fn pkcs12<H: EagerHash>(
    purpose: Purpose,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let block = H::block_size();
    let filled = |octets: &[u8]| {
        let length = octets.len().div_ceil(block) * block;
        repeated(octets, length)
    };
    let mut input = Zeroizing::new([filled(salt).as_slice(), filled(password).as_slice()].concat());
    let mut derived = Zeroizing::new(Vec::with_capacity(length + <H as Digest>::output_size()));
    while derived.len() < length {
        let mut digest = H::new();
        Digest::update(&mut digest, vec![purpose.id(); block]);
        Digest::update(&mut digest, input.as_slice());
        let mut digest = Zeroizing::new(digest.finalize());
        for _ in 1..iterations {
            *digest = H::digest(digest.as_slice());
        }
        derived.extend_from_slice(&digest);
        for part in input.chunks_mut(block) {
            add_with_one(part, &digest);
        }
    }
    derived.truncate(length);
    derived
}

/// `part = part + digest repeated to its length + 1`, big-endian, without the carry out.
fn add_with_one(part: &mut [u8], digest: &[u8]) {
    let addend = repeated(digest, part.len());
    let mut carry = true;
    for (octet, addend) in part.iter_mut().rev().zip(addend.iter().rev()) {
        let (sum, first) = octet.overflowing_add(*addend);
        let (sum, second) = sum.overflowing_add(u8::from(carry));
        *octet = sum;
        carry = first || second;
    }
}

/// `KDF_GOSTR3411_2012_256` of RFC 7836 §4.5.
pub(super) fn kdf_gostr3411_2012_256(key: &[u8; 32], label: &[u8], seed: &[u8]) -> Zeroizing<[u8; 32]> {
    let message = [&[1], label, &[0], seed, &[1, 0]].concat();
    let mut derived = Zeroizing::new([0; 32]);
    derived.copy_from_slice(hmac::<Streebog256>(key).chain_update(message).finalize().as_bytes());
    derived
}

/// The key of CryptoPro's own PFX: GOST R 34.11-94 over and over, with the step's number. At least one step.
pub(super) fn cryptopro_pfx_key(password: &str, salt: &[u8], iterations: u16) -> Zeroizing<[u8; 32]> {
    let step = |previous: &[u8], number: u16| {
        let input = Zeroizing::new([previous, salt, &number.to_be_bytes()].concat());
        Zeroizing::new(gost94(&input))
    };
    let first = step(&utf16(password, u16::to_le_bytes, ""), 1);
    (2..=iterations).fold(first, |key, number| step(key.as_slice(), number))
}

/// The key of a CryptoPro container: 2000 steps of Streebog, or 2 without a password.
pub(super) fn cryptopro_container_key(password: &str, salt: &[u8]) -> Zeroizing<[u8; 32]> {
    const START: &[u8; 32] = b"DENEFH028.760246785.IUEFHWUIO.EF";
    let mut pin = Zeroizing::new(Vec::with_capacity(4 * password.len()));
    pin.extend(password.bytes().flat_map(|octet| [octet, 0, 0, 0]));
    let hash = |parts: &[&[u8]]| Zeroizing::new(streebog256(&Zeroizing::new(parts.concat())));

    let salted = hash(&[salt, &pin]);
    let steps = if password.is_empty() { 2 } else { 2000 };
    let mut state = Zeroizing::new(*START);
    for _ in 0..steps {
        let (inner, outer) = (padded(&state, 0x36), padded(&state, 0x5c));
        state = hash(&[inner.as_slice(), salted.as_slice(), outer.as_slice(), salted.as_slice()]);
    }
    let (inner, outer) = (masked(&state, 0x36), masked(&state, 0x5c));
    let state = hash(&[inner.as_slice(), salt, outer.as_slice(), &pin]);
    hash(&[state.as_slice()])
}

/// Octets over and over until there are `length` of them.
fn repeated(octets: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(octets.iter().copied().cycle().take(length).collect())
}

/// The state filled with zeros to 64 octets, all of them changed by `mask`.
fn padded(state: &[u8; 32], mask: u8) -> Zeroizing<[u8; 64]> {
    let mut block = Zeroizing::new([mask; 64]);
    block.iter_mut().zip(state).for_each(|(octet, state)| *octet ^= state);
    block
}

fn masked(state: &[u8; 32], mask: u8) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(state.map(|octet| octet ^ mask))
}

/// UTF-16 code units in the wanted octet order, with a terminator.
fn utf16(text: &str, order: fn(u16) -> [u8; 2], terminator: &str) -> Zeroizing<Vec<u8>> {
    // Room for all at once: a growing buffer would leave copies of the password behind.
    let mut octets = Zeroizing::new(Vec::with_capacity(2 * (text.len() + terminator.len())));
    octets.extend(text.encode_utf16().chain(terminator.encode_utf16()).flat_map(order));
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(hexadecimal: &str) -> Vec<u8> {
        hex::decode(hexadecimal).unwrap()
    }

    /// Р 50.1.111-2016 appendix A, the same as RFC 9337 appendix B.
    #[test]
    fn pbkdf2_with_streebog_512() {
        let cases = [
            (
                1,
                "64770af7f748c3b1c9ac831dbcfd85c26111b30a8a657ddc3056b80ca73e040d\
                 2854fd36811f6d825cc4ab66ec0a68a490a9e5cf5156b3a2b7eecddbf9a16b47",
            ),
            (
                2,
                "5a585bafdfbb6e8830d6d68aa3b43ac00d2e4aebce01c9b31c2caed56f0236d4\
                 d34b2b8fbd2c4e89d54d46f50e47d45bbac301571743119e8d3c42ba66d348de",
            ),
            (
                4096,
                "e52deb9a2d2aaff4e2ac9d47a41f34c20376591c67807f0477e32549dc341bc7\
                 867c09841b6d58e29d0347c996301d55df0d34e47cf68f4e3c2cdaf1d9ab86c3",
            ),
        ];
        for (iterations, expected) in cases {
            let derived = Hash::Streebog512.pbkdf2(b"password", b"salt", iterations, 64);
            assert_eq!(hex::encode(derived.as_slice()), expected);
        }
    }

    /// RFC 6070.
    #[test]
    fn pbkdf2_with_sha_1() {
        let derived = Hash::Sha1.pbkdf2(b"password", b"salt", 2, 20);
        assert_eq!(hex::encode(derived.as_slice()), "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957");
    }

    /// Made with `openssl kdf … PKCS12KDF`: more octets than one digest, a password beyond ASCII.
    #[test]
    fn derivation_of_rfc_7292() {
        let cases = [
            (
                Hash::Sha1,
                Purpose::Encryption,
                "54b9edd6927900ef3525be80f6fc2b2fa86e410f732d27e963f782870ff070b35f9266a44c4db7b2",
            ),
            (
                Hash::Sha256,
                Purpose::Mac,
                "4d014b513e7e2aff2ffcb6ea65f2170ecdc243a011a92c22867bfd731e1f354ea36c07b026006f2b",
            ),
        ];
        for (hash, purpose, expected) in cases {
            let derived = hash.pkcs12(purpose, "passп", b"saltsalt", 3, 40);
            assert_eq!(hex::encode(derived.as_slice()), expected);
        }
    }

    /// RFC 7836 appendix B, example 9.
    #[test]
    fn kdf_of_rfc_7836() {
        let key: Vec<u8> = (0..32).collect();
        let derived = kdf_gostr3411_2012_256(
            key.as_slice().try_into().unwrap(),
            &octets("26bdb878"),
            &octets("af21434145656378"),
        );
        assert_eq!(
            hex::encode(derived.as_slice()),
            "a1aa5f7de402d7b3d323f2991c8d4534013137010a83754fd0af6d7cd4922ed9"
        );
    }

    #[test]
    fn every_hash_is_found_by_its_identifiers() {
        for hash in Hash::ALL {
            assert_eq!(Hash::from_oid(&hash.oid()), Some(hash));
            assert_eq!(Hash::from_hmac_oid(&hash.hmac_oid()), Some(hash));
        }
    }
}
