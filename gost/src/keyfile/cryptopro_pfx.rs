//! Private keys in PKCS#12 files that CryptoPro CSP exports.
//!
//! The key bag has an algorithm of CryptoPro's own. Under it lies a PKCS#8 structure whose octets are a second
//! wrapping, the exported key blob of the CSP. No document describes this; several open readers agree on it.
//! A wrong key cannot slip through: the blob has a MAC, and callers compare the key with its certificate.

use der::asn1::{AnyRef, OctetStringRef};
use der::{Decode, Encode, Sequence};
use spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use super::algorithm::{UnsupportedKey, parameter_set};
use super::asn1::{PbeParameters, PrivateKeyInfo, parameters};
use super::cipher::{Block, Cipher, SubstitutionBox, decrypt_cfb};
use super::error::KeyFault;
use super::kdf::{cryptopro_pfx_key, kdf_gostr3411_2012_256};
use super::password::Password;
use crate::PrivateKey;

/// Octets before the DER structure of the blob.
const HEADER: usize = 16;
/// The key's algorithm, at this place of the header: `CALG_DH_GR3410_12_256_EPHEM` and its 512-bit twin.
const ALGORITHM: std::ops::Range<usize> = 4..6;
const ALGORITHM_256: &[u8] = &[0x46, 0xaa];
const ALGORITHM_512: &[u8] = &[0x42, 0xaa];
/// It is hashed anew in every iteration. CryptoPro writes 16 octets.
const MAX_SALT: usize = 64;
const TABLE: SubstitutionBox = SubstitutionBox::CryptoProA;
const LABEL: &[u8] = &[0x26, 0xbd, 0xb8, 0x78];

const DAMAGED: KeyFault = KeyFault::Damaged("the CryptoPro key");

#[derive(Sequence)]
struct Export<'a> {
    /// An [`Inner`], kept undecoded because the MAC is over its octets.
    inner: AnyRef<'a>,
    mac: &'a OctetStringRef,
}

#[derive(Sequence)]
struct Inner<'a> {
    ukm: &'a OctetStringRef,
    wrapped: WrappedKey<'a>,
    /// Flags and algorithm, known already from the outer structure.
    about: Option<AnyRef<'a>>,
}

#[derive(Sequence)]
struct WrappedKey<'a> {
    key: &'a OctetStringRef,
    /// Left unchecked: readers disagree on it, and the outer MAC covers the same octets.
    mac: &'a OctetStringRef,
}

/// Opens a key bag with the algorithm `1.2.840.113549.1.12.1.80`.
pub(super) fn private_key(
    algorithm: &AlgorithmIdentifierRef<'_>,
    ciphertext: &[u8],
    password: &mut Password<'_>,
) -> Result<PrivateKey, KeyFault> {
    let protection: PbeParameters<'_> = parameters(algorithm).map_err(|_malformed| DAMAGED)?;
    let salt = protection.salt.as_bytes();
    if salt.len() > MAX_SALT {
        return Err(DAMAGED);
    }
    let iv: &Block = salt.first_chunk().ok_or(DAMAGED)?;
    let iterations = checked_iterations(protection.iterations)?;
    let key = cryptopro_pfx_key(password.take(iterations.into())?, salt, iterations);

    let mut plain = Zeroizing::new(ciphertext.to_vec());
    decrypt_cfb(&key, TABLE, iv, &mut plain);
    let info = PrivateKeyInfo::from_der(&plain).map_err(|_rubbish| KeyFault::WrongPassword)?;
    let set = parameter_set(&info.algorithm.oid, info.algorithm.parameters)?;
    let octets = unwrap(info.private_key.as_bytes(), &key)?;
    Ok(PrivateKey::from_le_octets(set, &octets)?)
}

/// The number of each iteration is hashed as two octets.
fn checked_iterations(wanted: u32) -> Result<u16, KeyFault> {
    let iterations = u16::try_from(wanted).ok().filter(|iterations| *iterations > 0);
    iterations.ok_or(KeyFault::Iterations { wanted, allowed: u16::MAX.into() })
}

/// The key inside of an exported blob.
fn unwrap(blob: &[u8], password_key: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, KeyFault> {
    match blob.get(ALGORITHM) {
        Some(ALGORITHM_256) => {}
        Some(ALGORITHM_512) => return Err(UnsupportedKey::Gost512.into()),
        _ => return Err(DAMAGED),
    }
    let export = Export::from_der(blob.get(HEADER..).unwrap_or_default()).map_err(|_malformed| DAMAGED)?;
    let inner: Inner<'_> = export.inner.decode_as().map_err(|_malformed| DAMAGED)?;
    let wrapped = inner.wrapped.key.as_bytes().try_into().map_err(|_wrong_length| DAMAGED)?;

    let cipher = Cipher::new(&kdf_gostr3411_2012_256(password_key, LABEL, inner.ukm.as_bytes()), TABLE);
    let authenticated = export.inner.to_der().map_err(|_malformed| DAMAGED)?;
    if !cipher.verify_mac(&authenticated, export.mac.as_bytes()) {
        return Err(DAMAGED);
    }
    Ok(cipher.decrypt_key(wrapped))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyfile::asn1::EncryptedPrivateKeyInfo;

    /// An invented key under the password `test`, with 2000 iterations.
    const BAG: &str = "3081c73024060a2a864886f70d010c01503016041038b4e652e44da7f2370d9e260e271365020207d004819e06cf728e\
         34062e0f0dc9ae70fc41010205593d4e81c4494d0e8d6ac476bbc9b92f149df218adcc126ff29f4032fcf03126471e29\
         267d917aa6cac7979ad1ebd2d2f9ca9a20adbca20235691f899eebd461769158772b9a53d4927bb65d4794c611dcc51e\
         c12aaa06e5dfa95d7b79f6313546048c8bc2060afe9cf2af2cbd82ea061e7245262510d1deec5ef3c37d9a6cea5c9d37\
         63f5ef53d29422799bd9";
    const KEY: &str = "a46f8291b221fb007e5143d215c6279d3196018c426a6e5952b593a91c952ac9";

    fn open(bag: &[u8], password: &str) -> Result<PrivateKey, KeyFault> {
        let bag = EncryptedPrivateKeyInfo::from_der(bag).unwrap();
        private_key(&bag.algorithm, bag.ciphertext.as_bytes(), &mut Password::new(password))
    }

    #[test]
    fn a_key_is_unwrapped_twice() {
        let key = open(&hex::decode(BAG).unwrap(), "test").unwrap();
        assert_eq!(hex::encode(key.to_le_octets().as_slice()), KEY);
    }

    #[test]
    fn a_wrong_password_is_told_from_damage() {
        let mut bag = hex::decode(BAG).unwrap();
        assert!(matches!(open(&bag, "Test"), Err(KeyFault::WrongPassword)));
        // An octet of the wrapped key, or of its MAC: cipher feedback spoils the next block as well.
        let place = bag.len() - 60;
        bag[place] ^= 1;
        assert!(matches!(open(&bag, "test"), Err(KeyFault::Damaged(_))));
    }

    /// A bag with these parameters and nothing worth decrypting.
    fn refusal(salt: &[u8], iterations: u32) -> String {
        let salt = OctetStringRef::new(salt).unwrap();
        let parameters = PbeParameters { salt, iterations }.to_der().unwrap();
        let algorithm = AlgorithmIdentifierRef {
            oid: crate::keyfile::asn1::oid::CRYPTOPRO_KEY,
            parameters: Some(AnyRef::from_der(&parameters).unwrap()),
        };
        private_key(&algorithm, &[0; 8], &mut Password::new("test")).unwrap_err().to_string()
    }

    /// The salt is hashed in every step.
    #[test]
    fn a_long_salt_is_refused() {
        assert!(refusal(&[0; 64], 1).contains("password"));
        assert!(refusal(&[0; 65], 1).contains("the CryptoPro key"));
    }

    #[test]
    fn a_refusal_of_iterations_names_the_limit_of_this_format() {
        for iterations in [0, 65_536, 70_000] {
            let text = refusal(&[0; 16], iterations);
            assert!(text.contains(&format!("wants {iterations} ")), "{text}");
            assert!(text.contains("allowed are 1 to 65535"), "{text}");
        }
    }

    #[test]
    fn the_algorithm_of_the_blob_is_checked() {
        let blob = |algorithm: &[u8]| [&[0; 4], algorithm, &[0; 26]].concat();
        let refusal = |algorithm: &[u8]| unwrap(&blob(algorithm), &[0; 32]).unwrap_err();
        assert!(matches!(refusal(ALGORITHM_512), KeyFault::UnsupportedKey(UnsupportedKey::Gost512)));
        assert!(matches!(refusal(ALGORITHM_256), KeyFault::Damaged(_)));
        assert!(matches!(refusal(&[0, 0]), KeyFault::Damaged(_)));
        assert!(matches!(unwrap(&[], &[0; 32]), Err(KeyFault::Damaged(_))));
    }
}
