//! Decryption by password: PBES2 (RFC 8018) with GOST 28147-89 (Р 50.1.112-2016) or AES, and the RC2 of
//! RFC 7292 by which CryptoPro protects certificates.
//!
//! A wrong password is told only where the padding shows it; elsewhere the caller finds rubbish. Keys are derived
//! last: a file whose other parameters make no sense costs nothing.

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{
    Block, BlockCipherDecrypt, BlockModeDecrypt, BlockSizeUser, InnerIvInit, KeyInit, KeyIvInit,
};
use der::asn1::OctetStringRef;
use spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use super::SecretOctets;
use super::asn1::{Gost28147Parameters, PbeParameters, Pbes2Parameters, Pbkdf2Parameters, oid, parameters};
use super::cipher::{SubstitutionBox, decrypt_cfb};
use super::error::KeyFault;
use super::kdf::{Hash, Purpose};
use super::password::Password;

const DAMAGED: KeyFault = KeyFault::Damaged("the parameters of its encryption");
const CUT: KeyFault = KeyFault::Damaged("an encrypted part, which is no whole number of cipher blocks");

/// Decrypts a part of a key file.
pub(super) fn decrypt(
    algorithm: &AlgorithmIdentifierRef<'_>,
    ciphertext: &[u8],
    password: &mut Password<'_>,
) -> Result<SecretOctets, KeyFault> {
    match algorithm.oid {
        oid::PBES2 => pbes2(&read(algorithm)?, ciphertext, password),
        oid::SHA1_RC2_40 => sha1_rc2_40(&read(algorithm)?, ciphertext, password),
        other => Err(KeyFault::UnknownProtection(other)),
    }
}

fn pbes2(
    scheme: &Pbes2Parameters<'_>,
    ciphertext: &[u8],
    password: &mut Password<'_>,
) -> Result<SecretOctets, KeyFault> {
    let derivation = Derivation::read(&scheme.key_derivation)?;
    let key = |length: usize| derivation.key(password, length);
    let encryption = &scheme.encryption;
    match encryption.oid {
        oid::GOST_28147 => gost_28147(encryption, ciphertext, key),
        oid::AES_128_CBC => aes::<aes::Aes128>(encryption, ciphertext, key),
        oid::AES_192_CBC => aes::<aes::Aes192>(encryption, ciphertext, key),
        oid::AES_256_CBC => aes::<aes::Aes256>(encryption, ciphertext, key),
        other => Err(KeyFault::UnknownProtection(other)),
    }
}

/// PBKDF2 with all of its parameters.
struct Derivation<'a> {
    hash: Hash,
    salt: &'a [u8],
    iterations: u32,
}

impl<'a> Derivation<'a> {
    /// RFC 8018 §5.2: the HMAC is that of SHA-1 when none is named.
    fn read(algorithm: &AlgorithmIdentifierRef<'a>) -> Result<Self, KeyFault> {
        if algorithm.oid != oid::PBKDF2 {
            return Err(KeyFault::UnknownProtection(algorithm.oid));
        }
        let parameters: Pbkdf2Parameters<'a> = read(algorithm)?;
        let hash = match parameters.prf {
            None => Hash::Sha1,
            Some(prf) => Hash::from_hmac_oid(&prf.oid).ok_or(KeyFault::UnknownProtection(prf.oid))?,
        };
        Ok(Self { hash, salt: parameters.salt.as_bytes(), iterations: parameters.iterations })
    }

    fn key(&self, password: &mut Password<'_>, length: usize) -> Result<SecretOctets, KeyFault> {
        let password = password.take(self.iterations)?;
        Ok(self.hash.pbkdf2(password.as_bytes(), self.salt, self.iterations, length))
    }
}

fn gost_28147(
    encryption: &AlgorithmIdentifierRef<'_>,
    ciphertext: &[u8],
    key: impl FnOnce(usize) -> Result<SecretOctets, KeyFault>,
) -> Result<SecretOctets, KeyFault> {
    let parameters: Gost28147Parameters<'_> = read(encryption)?;
    let table = SubstitutionBox::from_oid(&parameters.substitution_box)
        .ok_or(KeyFault::UnknownProtection(parameters.substitution_box))?;
    let iv = parameters.iv.as_bytes().try_into().map_err(|_wrong_length| DAMAGED)?;
    let key = key(32)?;
    let mut data = Zeroizing::new(ciphertext.to_vec());
    decrypt_cfb(key.as_slice().try_into().map_err(|_wrong_length| DAMAGED)?, table, iv, &mut data);
    Ok(data)
}

fn aes<C>(
    encryption: &AlgorithmIdentifierRef<'_>,
    ciphertext: &[u8],
    key: impl FnOnce(usize) -> Result<SecretOctets, KeyFault>,
) -> Result<SecretOctets, KeyFault>
where
    C: BlockCipherDecrypt + KeyInit,
{
    let iv: &OctetStringRef = read(encryption)?;
    let iv: &Block<C> = iv.as_bytes().try_into().map_err(|_wrong_length| DAMAGED)?;
    check_blocks(ciphertext, C::block_size())?;
    let mode = cbc::Decryptor::<C>::new_from_slices(&key(C::key_size())?, iv);
    unpadded(mode.map_err(|_wrong_length| DAMAGED)?, ciphertext)
}

/// `pbeWithSHAAnd40BitRC2-CBC` of RFC 7292: worthless as a protection, but what CryptoPro puts around certificates.
fn sha1_rc2_40(
    parameters: &PbeParameters<'_>,
    ciphertext: &[u8],
    password: &mut Password<'_>,
) -> Result<SecretOctets, KeyFault> {
    check_blocks(ciphertext, rc2::Rc2::block_size())?;
    let (salt, iterations) = (parameters.salt.as_bytes(), parameters.iterations);
    let mut derived = |purpose, length| {
        let password = password.take(iterations)?;
        Ok::<_, KeyFault>(Hash::Sha1.pkcs12(purpose, password, salt, iterations, length))
    };
    let cipher = rc2::Rc2::new_with_eff_key_len(&derived(Purpose::Encryption, 5)?, 40);
    let mode = cbc::Decryptor::inner_iv_slice_init(cipher, &derived(Purpose::InitialVector, 8)?)
        .map_err(|_wrong_length| DAMAGED)?;
    unpadded(mode, ciphertext)
}

/// The padding makes the last block whole, and there is always one.
fn check_blocks(ciphertext: &[u8], size: usize) -> Result<(), KeyFault> {
    let whole = !ciphertext.is_empty() && ciphertext.len().is_multiple_of(size);
    if whole { Ok(()) } else { Err(CUT) }
}

fn unpadded(mode: impl BlockModeDecrypt, ciphertext: &[u8]) -> Result<SecretOctets, KeyFault> {
    let mut data = Zeroizing::new(ciphertext.to_vec());
    let length = mode.decrypt_padded::<Pkcs7>(&mut data).map_err(|_padding| KeyFault::WrongPassword)?.len();
    data.truncate(length);
    Ok(data)
}

/// The parameters of an algorithm as a `T`.
fn read<'a, T>(algorithm: &AlgorithmIdentifierRef<'a>) -> Result<T, KeyFault>
where
    T: der::Choice<'a> + der::DecodeValue<'a, Error = der::Error>,
{
    parameters(algorithm).map_err(|_malformed| DAMAGED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use der::asn1::AnyRef;
    use der::oid::ObjectIdentifier;
    use der::{Decode, Encode};

    /// No iterations at all: a derivation would be refused for them.
    fn refusal(cipher: ObjectIdentifier, parameters: &impl Encode, ciphertext: &[u8]) -> KeyFault {
        let salt = OctetStringRef::new(b"salt").unwrap();
        let derivation =
            Pbkdf2Parameters { salt, iterations: 0, key_length: None, prf: None }.to_der().unwrap();
        let parameters = parameters.to_der().unwrap();
        let identifier = |oid, parameters| AlgorithmIdentifierRef {
            oid,
            parameters: Some(AnyRef::from_der(parameters).unwrap()),
        };
        let scheme = Pbes2Parameters {
            key_derivation: identifier(oid::PBKDF2, &derivation),
            encryption: identifier(cipher, &parameters),
        };
        let scheme = scheme.to_der().unwrap();
        decrypt(&identifier(oid::PBES2, &scheme), ciphertext, &mut Password::new("")).unwrap_err()
    }

    #[test]
    fn keys_are_derived_after_everything_else_is_checked() {
        let octets = |length| OctetStringRef::new(&[0; 16][..length]).unwrap();
        let known = ObjectIdentifier::new_unwrap("1.2.643.2.2.31.1");
        let unknown = ObjectIdentifier::new_unwrap("1.2.643.2.2.31.0");
        let gost = |length, substitution_box| {
            let parameters = Gost28147Parameters { iv: octets(length), substitution_box };
            refusal(oid::GOST_28147, &parameters, &[0; 5])
        };
        assert!(matches!(gost(8, known), KeyFault::Iterations { wanted: 0, allowed: 1_000_000 }));
        assert!(matches!(gost(8, unknown), KeyFault::UnknownProtection(oid) if oid == unknown));
        assert!(matches!(gost(7, known), KeyFault::Damaged(_)));

        let aes = |iv, length| refusal(oid::AES_256_CBC, &octets(iv), &[0; 32][..length]);
        assert!(matches!(aes(16, 32), KeyFault::Iterations { .. }));
        for (iv, length) in [(15, 32), (16, 31), (16, 0)] {
            assert!(matches!(aes(iv, length), KeyFault::Damaged(_)), "{iv} {length}");
        }
    }
}
