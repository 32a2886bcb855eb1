//! PKCS#12 files (RFC 7292) with one private key: as TC26 writes them (R 50.1.112-2016, RFC 9548), with AES,
//! or as CryptoPro exports them.
//!
//! The MAC is checked before anything is decrypted, so a wrong password is told apart from a damaged file.
//! Parts that cannot be opened are passed over as long as the key is found elsewhere: the certificate may be
//! given separately.

use der::asn1::OctetStringRef;
use der::{AnyRef, Decode};

use super::asn1::{
    CertificateBag, ContentInfo, EncryptedData, EncryptedPrivateKeyInfo, MacData, Pfx, PrivateKeyInfo,
    SafeBag, oid, sequence_of,
};
use super::error::KeyFault;
use super::kdf::{Hash, Purpose};
use super::password::Password;
use super::{cryptopro_pfx, pbes, pkcs8};
use crate::{Certificate, PrivateKey};

/// Each part and each key costs a run of the password hash.
const MAX_PARTS: usize = 8;
/// A key, its certificate and the chain above it, many times over.
const MAX_BAGS: usize = 64;

const DAMAGED: KeyFault = KeyFault::Damaged("a part of the PKCS#12 structure");

/// The key of a file, and the certificate that belongs to it if the file has one.
pub(super) fn parse(bytes: &[u8], password: &str) -> Result<(PrivateKey, Option<Certificate>), KeyFault> {
    let pfx = Pfx::from_der(bytes).map_err(|_malformed| KeyFault::NotPkcs12)?;
    let safe: &OctetStringRef = pfx.auth_safe.content_as().map_err(|_malformed| KeyFault::NotPkcs12)?;
    let mut password = Password::new(password);
    if let Some(mac) = &pfx.mac {
        check_mac(mac, safe.as_bytes(), &mut password)?;
    }
    let mut found = Found::new(password, pfx.mac.is_some());
    let parts = sequence_of(safe.as_bytes(), MAX_PARTS).map_err(|_malformed| DAMAGED)?;
    for part in &parts {
        found.read_part(part)?;
    }
    found.finish()
}

/// Two derivations of the MAC key are in use for GOST hashes: PBKDF2 (R 50.1.112-2016) and RFC 7292.
///
/// The file pays for one of them, or else a wrong password would be called too many iterations.
fn check_mac(mac: &MacData<'_>, message: &[u8], password: &mut Password<'_>) -> Result<(), KeyFault> {
    let algorithm = mac.digest.algorithm.oid;
    let hash = Hash::from_oid(&algorithm).ok_or(KeyFault::UnknownProtection(algorithm))?;
    let iterations = mac.iterations.unwrap_or(1);
    let password = password.take(iterations)?;
    let salt = mac.salt.as_bytes();
    let fits = |key: &[u8]| hash.verify_hmac(key, message, mac.digest.digest.as_bytes());

    if hash.is_gost() {
        let derived = hash.pbkdf2(password.as_bytes(), salt, iterations, 96);
        if derived.last_chunk::<32>().is_some_and(|key| fits(key)) {
            return Ok(());
        }
    }
    let derived = hash.pkcs12(Purpose::Mac, password, salt, iterations, hash.length());
    if fits(&derived) { Ok(()) } else { Err(KeyFault::WrongPassword) }
}

/// What has been found in the parts read so far.
struct Found<'a> {
    password: Password<'a>,
    /// The MAC has shown that password and file are right.
    authentic: bool,
    key: Option<PrivateKey>,
    certificates: Vec<Certificate>,
    /// The first part that could not be opened.
    skipped: Option<KeyFault>,
}

impl<'a> Found<'a> {
    fn new(password: Password<'a>, authentic: bool) -> Self {
        Self { password, authentic, key: None, certificates: Vec::new(), skipped: None }
    }

    fn read_part(&mut self, part: &ContentInfo<'_>) -> Result<(), KeyFault> {
        match part.content_type {
            oid::DATA => {
                let plain: &OctetStringRef = part.content_as().map_err(|_malformed| DAMAGED)?;
                self.read_bags(plain.as_bytes())
            }
            oid::ENCRYPTED_DATA => {
                let encrypted: EncryptedData<'_> = part.content_as().map_err(|_malformed| DAMAGED)?;
                let content = &encrypted.content;
                match pbes::decrypt(&content.algorithm, content.ciphertext.as_bytes(), &mut self.password) {
                    Ok(plain) => self.read_bags(&plain),
                    Err(fault) => self.skip(fault),
                }
            }
            other => self.skip(KeyFault::UnknownProtection(other)),
        }
    }

    /// Passes over a part of an unknown kind; any other fault is final.
    fn skip(&mut self, fault: KeyFault) -> Result<(), KeyFault> {
        if !matches!(fault, KeyFault::UnknownProtection(_)) {
            return Err(fault);
        }
        self.skipped.get_or_insert(fault);
        Ok(())
    }

    fn read_bags(&mut self, octets: &[u8]) -> Result<(), KeyFault> {
        let bags = sequence_of::<SafeBag<'_>>(octets, MAX_BAGS).map_err(|_malformed| self.rubbish())?;
        for bag in bags {
            match bag.id {
                oid::KEY_BAG => {
                    self.take_key(|_password| pkcs8::private_key(&decode::<PrivateKeyInfo<'_>>(bag.value)?))?
                }
                oid::SHROUDED_KEY_BAG => self.take_key(|found| found.shrouded_key(bag.value))?,
                oid::CERTIFICATE_BAG => self.take_certificate(bag.value)?,
                // Revocation lists, secrets and nested bags are of no use to a signer.
                _ => {}
            }
        }
        Ok(())
    }

    fn take_key(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<PrivateKey, KeyFault>,
    ) -> Result<(), KeyFault> {
        if self.key.is_some() {
            return Err(KeyFault::SeveralKeys);
        }
        self.key = Some(read(self)?);
        Ok(())
    }

    fn shrouded_key(&mut self, bag: AnyRef<'_>) -> Result<PrivateKey, KeyFault> {
        let encrypted: EncryptedPrivateKeyInfo<'_> = decode(bag)?;
        let ciphertext = encrypted.ciphertext.as_bytes();
        if encrypted.algorithm.oid == oid::CRYPTOPRO_KEY {
            return cryptopro_pfx::private_key(&encrypted.algorithm, ciphertext, &mut self.password);
        }
        let plain = pbes::decrypt(&encrypted.algorithm, ciphertext, &mut self.password)?;
        let info = PrivateKeyInfo::from_der(&plain).map_err(|_malformed| self.rubbish())?;
        pkcs8::private_key(&info)
    }

    /// Certificates of other algorithms are those of issuers.
    fn take_certificate(&mut self, bag: AnyRef<'_>) -> Result<(), KeyFault> {
        let bag: CertificateBag<'_> = decode(bag)?;
        if bag.id == oid::X509_CERTIFICATE {
            self.certificates.extend(Certificate::from_der(bag.value.as_bytes()).ok());
        }
        Ok(())
    }

    /// What it means that decrypted octets make no sense.
    fn rubbish(&self) -> KeyFault {
        if self.authentic { DAMAGED } else { KeyFault::WrongPassword }
    }

    fn finish(self) -> Result<(PrivateKey, Option<Certificate>), KeyFault> {
        let key = self.key.ok_or(self.skipped.unwrap_or(KeyFault::NoKey))?;
        let public = key.public_key();
        let certificate =
            self.certificates.into_iter().find(|certificate| *certificate.public_key() == public);
        Ok((key, certificate))
    }
}

fn decode<'a, T>(value: AnyRef<'a>) -> Result<T, KeyFault>
where
    T: der::Choice<'a> + der::DecodeValue<'a, Error = der::Error>,
{
    value.decode_as().map_err(|_malformed| DAMAGED)
}
