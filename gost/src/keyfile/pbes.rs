//! Decryption by password: PBES2 (RFC 8018) with GOST 28147-89 (Р 50.1.112-2016) or AES, and the RC2 of
//! RFC 7292 by which CryptoPro protects certificates.
//!
//! A wrong password is told only where the padding shows it; elsewhere the caller finds rubbish.

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, InnerIvInit, KeyInit, KeyIvInit};
use der::asn1::OctetStringRef;
use spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use super::asn1::{Gost28147Parameters, PbeParameters, Pbes2Parameters, Pbkdf2Parameters, oid, parameters};
use super::cipher::{SubstitutionBox, decrypt_cfb};
use super::error::KeyFault;
use super::kdf::{Hash, Purpose};
use super::{MAX_ITERATIONS, SecretOctets};

const DAMAGED: KeyFault = KeyFault::Damaged("the parameters of its encryption");

/// Decrypts a part of a key file.
pub(super) fn decrypt(
    algorithm: &AlgorithmIdentifierRef<'_>,
    ciphertext: &[u8],
    password: &str,
) -> Result<SecretOctets, KeyFault> {
    match algorithm.oid {
        oid::PBES2 => pbes2(&read(algorithm)?, ciphertext, password),
        oid::SHA1_RC2_40 => sha1_rc2_40(&read(algorithm)?, ciphertext, password),
        other => Err(KeyFault::UnknownProtection(other)),
    }
}

/// Refuses iteration counts that would keep the processor busy for long.
pub(super) fn checked_iterations(iterations: u32) -> Result<u32, KeyFault> {
    let allowed = 1..=MAX_ITERATIONS;
    if allowed.contains(&iterations) { Ok(iterations) } else { Err(KeyFault::Iterations(iterations)) }
}

fn pbes2(scheme: &Pbes2Parameters<'_>, ciphertext: &[u8], password: &str) -> Result<SecretOctets, KeyFault> {
    let encryption = &scheme.encryption;
    let key = |length: usize| pbkdf2(&scheme.key_derivation, password, length);
    match encryption.oid {
        oid::GOST_28147 => gost_28147(encryption, &key(32)?, ciphertext),
        oid::AES_128_CBC => aes::<aes::Aes128>(encryption, &key(16)?, ciphertext),
        oid::AES_192_CBC => aes::<aes::Aes192>(encryption, &key(24)?, ciphertext),
        oid::AES_256_CBC => aes::<aes::Aes256>(encryption, &key(32)?, ciphertext),
        other => Err(KeyFault::UnknownProtection(other)),
    }
}

/// RFC 8018 §5.2: the HMAC is that of SHA-1 when none is named.
fn pbkdf2(
    derivation: &AlgorithmIdentifierRef<'_>,
    password: &str,
    length: usize,
) -> Result<SecretOctets, KeyFault> {
    if derivation.oid != oid::PBKDF2 {
        return Err(KeyFault::UnknownProtection(derivation.oid));
    }
    let parameters: Pbkdf2Parameters<'_> = read(derivation)?;
    let hash = match parameters.prf {
        None => Hash::Sha1,
        Some(prf) => Hash::from_hmac_oid(&prf.oid).ok_or(KeyFault::UnknownProtection(prf.oid))?,
    };
    let iterations = checked_iterations(parameters.iterations)?;
    Ok(hash.pbkdf2(password.as_bytes(), parameters.salt.as_bytes(), iterations, length))
}

fn gost_28147(
    encryption: &AlgorithmIdentifierRef<'_>,
    key: &[u8],
    ciphertext: &[u8],
) -> Result<SecretOctets, KeyFault> {
    let parameters: Gost28147Parameters<'_> = read(encryption)?;
    let table = SubstitutionBox::from_oid(&parameters.substitution_box)
        .ok_or(KeyFault::UnknownProtection(parameters.substitution_box))?;
    let iv = parameters.iv.as_bytes().try_into().map_err(|_wrong_length| DAMAGED)?;
    let key = key.try_into().map_err(|_wrong_length| DAMAGED)?;
    let mut data = Zeroizing::new(ciphertext.to_vec());
    decrypt_cfb(key, table, iv, &mut data);
    Ok(data)
}

fn aes<C>(
    encryption: &AlgorithmIdentifierRef<'_>,
    key: &[u8],
    ciphertext: &[u8],
) -> Result<SecretOctets, KeyFault>
where
    C: BlockCipherDecrypt + KeyInit,
{
    let iv: &OctetStringRef = read(encryption)?;
    let mode = cbc::Decryptor::<C>::new_from_slices(key, iv.as_bytes()).map_err(|_wrong_length| DAMAGED)?;
    unpadded(mode, ciphertext)
}

/// `pbeWithSHAAnd40BitRC2-CBC` of RFC 7292: worthless as a protection, but what CryptoPro puts around certificates.
fn sha1_rc2_40(
    parameters: &PbeParameters<'_>,
    ciphertext: &[u8],
    password: &str,
) -> Result<SecretOctets, KeyFault> {
    let iterations = checked_iterations(parameters.iterations)?;
    let derived = |purpose, length| {
        Hash::Sha1.pkcs12(purpose, password, parameters.salt.as_bytes(), iterations, length)
    };
    let cipher = rc2::Rc2::new_with_eff_key_len(&derived(Purpose::Encryption, 5), 40);
    let mode = cbc::Decryptor::inner_iv_slice_init(cipher, &derived(Purpose::InitialVector, 8))
        .map_err(|_wrong_length| DAMAGED)?;
    unpadded(mode, ciphertext)
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
