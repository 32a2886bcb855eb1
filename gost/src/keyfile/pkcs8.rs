//! PKCS#8 private keys, plain and encrypted (RFC 5958, RFC 9215, R 50.1.112-2016).
//!
//! The private octets occur in four encodings. They are told apart by length first, then by tag, as OpenSSL's
//! GOST engine does: a key whose octets merely look like another encoding is still read as it was written.

use der::asn1::{AnyRef, OctetStringRef, UintRef};
use der::{Decode, Encode};
use zeroize::Zeroizing;

use super::algorithm::{identifier, parameter_set};
use super::asn1::{EncryptedPrivateKeyInfo, PrivateKeyInfo};
use super::error::KeyFault;
use super::password::Password;
use super::{SecretOctets, pbes, pem};
use crate::{ParameterSet, PrivateKey};

/// The octets of a key or of one of its masks.
type Number = [u8; 32];

/// A masked key and its masks: more than any file has.
const MAX_NUMBERS: usize = 8;

const DAMAGED: KeyFault = KeyFault::Damaged("the private key");

/// A key from PEM or DER, plain or encrypted.
pub(super) fn from_pem_or_der(bytes: &[u8], password: Option<&str>) -> Result<PrivateKey, KeyFault> {
    let Some(block) = pem::first_block(bytes, |label| label.ends_with(b"PRIVATE KEY")) else {
        return from_der(bytes, password);
    };
    match block.label {
        b"PRIVATE KEY" | b"ENCRYPTED PRIVATE KEY" => from_der(&block.content.ok_or(DAMAGED)?, password),
        b"RSA PRIVATE KEY" => Err(super::UnsupportedKey::Rsa.into()),
        b"EC PRIVATE KEY" => Err(super::UnsupportedKey::EllipticCurve.into()),
        _ => Err(KeyFault::NotAKey),
    }
}

fn from_der(der: &[u8], password: Option<&str>) -> Result<PrivateKey, KeyFault> {
    match EncryptedPrivateKeyInfo::from_der(der) {
        Ok(encrypted) => {
            let mut password = Password::new(password.ok_or(KeyFault::PasswordNeeded)?);
            let plain = pbes::decrypt(&encrypted.algorithm, encrypted.ciphertext.as_bytes(), &mut password)?;
            let info = PrivateKeyInfo::from_der(&plain).map_err(|_rubbish| KeyFault::WrongPassword)?;
            private_key(&info)
        }
        Err(_) => plain(der),
    }
}

/// A key from a plain `PrivateKeyInfo`.
fn plain(der: &[u8]) -> Result<PrivateKey, KeyFault> {
    let info = PrivateKeyInfo::from_der(der).map_err(|_malformed| KeyFault::NotAKey)?;
    private_key(&info)
}

pub(super) fn private_key(info: &PrivateKeyInfo<'_>) -> Result<PrivateKey, KeyFault> {
    let set = parameter_set(&info.algorithm.oid, info.algorithm.parameters)?;
    private_octets(set, info.private_key.as_bytes())
}

fn private_octets(set: ParameterSet, octets: &[u8]) -> Result<PrivateKey, KeyFault> {
    if let Some(numbers) = numbers(octets) {
        return unmasked(set, &numbers);
    }
    if let Ok(integer) = UintRef::from_der(octets) {
        return Ok(PrivateKey::from_le_octets(set, &*little_endian(integer.as_bytes())?)?);
    }
    let inner = <&OctetStringRef>::from_der(octets).map_err(|_malformed| DAMAGED)?;
    unmasked(set, &numbers(inner.as_bytes()).ok_or(DAMAGED)?)
}

/// One number is the key itself, several are the masked key and its masks.
fn unmasked(set: ParameterSet, numbers: &[Number]) -> Result<PrivateKey, KeyFault> {
    let key = match numbers {
        [key] => PrivateKey::from_le_octets(set, key),
        factors => PrivateKey::from_product(set, factors),
    };
    Ok(key?)
}

/// The numbers of a raw or masked key, recognised by length alone.
fn numbers(octets: &[u8]) -> Option<Zeroizing<Vec<Number>>> {
    let (numbers, rest) = octets.as_chunks();
    let whole = rest.is_empty() && (1..=MAX_NUMBERS).contains(&numbers.len());
    whole.then(|| Zeroizing::new(numbers.to_vec()))
}

fn little_endian(big_endian: &[u8]) -> Result<Zeroizing<Number>, KeyFault> {
    if big_endian.len() > size_of::<Number>() {
        return Err(DAMAGED);
    }
    let mut number = Zeroizing::new(Number::default());
    number.iter_mut().zip(big_endian.iter().rev()).for_each(|(octet, source)| *octet = *source);
    Ok(number)
}

/// A key as unencrypted PEM with raw little-endian octets: the form that every reader knows.
pub(super) fn write_pem(key: &PrivateKey) -> der::Result<Zeroizing<String>> {
    let algorithm = identifier(key.parameter_set())?;
    let octets = key.to_le_octets();
    let info = PrivateKeyInfo {
        version: 0,
        algorithm: spki::AlgorithmIdentifier {
            oid: algorithm.oid,
            parameters: algorithm.parameters.as_ref().map(AnyRef::from),
        },
        private_key: OctetStringRef::new(octets.as_slice())?,
        attributes: None,
        public_key: None,
    };
    let der: SecretOctets = Zeroizing::new(info.to_der()?);
    Ok(pem::encode("PRIVATE KEY", &der))
}

#[cfg(test)]
mod tests;
