//! PKCS#12 files (RFC 7292) with one private key: as TC26 writes them (R 50.1.112-2016, RFC 9548), with AES,
//! or as CryptoPro exports them.
//!
//! The MAC is checked before anything is decrypted, so a wrong password is told apart from a damaged file.
//! Parts and certificates that cannot be opened are passed over as long as the key is found elsewhere: the
//! certificate may be given separately.

use der::asn1::OctetStringRef;
use der::{AnyRef, Decode};
use spki::AlgorithmIdentifierRef;

use super::asn1::{
    CertificateBag, ContentInfo, EncryptedData, EncryptedPrivateKeyInfo, MacData, Pfx, PrivateKeyInfo,
    SafeBag, oid, sequence_of,
};
use super::error::KeyFault;
use super::kdf::{Hash, Purpose};
use super::password::Password;
use super::{SecretOctets, cryptopro_pfx, pbes, pkcs8};
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
                self.read_bags(&bags(plain.as_bytes()).map_err(|_malformed| DAMAGED)?)
            }
            oid::ENCRYPTED_DATA => {
                let encrypted: EncryptedData<'_> = part.content_as().map_err(|_malformed| DAMAGED)?;
                let content = &encrypted.content;
                let plain = match self.decrypt(&content.algorithm, content.ciphertext) {
                    Ok(plain) => plain,
                    Err(fault) => return self.pass_over(fault),
                };
                match bags(&plain) {
                    Ok(bags) => self.read_bags(&bags),
                    Err(_rubbish) => self.pass_over(self.unopened()),
                }
            }
            other => self.pass_over(KeyFault::UnknownProtection(other)),
        }
    }

    /// Leaves a part out. What was wrong with it matters only if the key is nowhere else.
    fn pass_over(&mut self, fault: KeyFault) -> Result<(), KeyFault> {
        self.skipped.get_or_insert(fault);
        Ok(())
    }

    fn read_bags(&mut self, bags: &[SafeBag<'_>]) -> Result<(), KeyFault> {
        for bag in bags {
            match bag.id {
                oid::KEY_BAG => {
                    self.take_key(|_password| pkcs8::private_key(&decode::<PrivateKeyInfo<'_>>(bag.value)?))?
                }
                oid::SHROUDED_KEY_BAG => self.take_key(|found| found.shrouded_key(bag.value))?,
                oid::CERTIFICATE_BAG => self.take_certificate(bag.value),
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
        if encrypted.algorithm.oid == oid::CRYPTOPRO_KEY {
            let ciphertext = encrypted.ciphertext.as_bytes();
            return cryptopro_pfx::private_key(&encrypted.algorithm, ciphertext, &mut self.password)
                .map_err(|fault| self.explained(fault));
        }
        let plain = self.decrypt(&encrypted.algorithm, encrypted.ciphertext)?;
        let info = PrivateKeyInfo::from_der(&plain).map_err(|_rubbish| self.unopened())?;
        pkcs8::private_key(&info)
    }

    fn decrypt(
        &mut self,
        algorithm: &AlgorithmIdentifierRef<'_>,
        ciphertext: &OctetStringRef,
    ) -> Result<SecretOctets, KeyFault> {
        pbes::decrypt(algorithm, ciphertext.as_bytes(), &mut self.password)
            .map_err(|fault| self.explained(fault))
    }

    /// Certificates of other algorithms are those of issuers.
    fn take_certificate(&mut self, bag: AnyRef<'_>) {
        let bag = decode::<CertificateBag<'_>>(bag).ok().filter(|bag| bag.id == oid::X509_CERTIFICATE);
        self.certificates.extend(bag.and_then(|bag| Certificate::from_der(bag.value.as_bytes()).ok()));
    }

    /// A fault, but never a wrong password when the MAC has shown the password to be right.
    fn explained(&self, fault: KeyFault) -> KeyFault {
        if matches!(fault, KeyFault::WrongPassword) { self.unopened() } else { fault }
    }

    /// What it means that decrypted octets make no sense.
    fn unopened(&self) -> KeyFault {
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

fn bags(octets: &[u8]) -> der::Result<Vec<SafeBag<'_>>> {
    sequence_of(octets, MAX_BAGS)
}

fn decode<'a, T>(value: AnyRef<'a>) -> Result<T, KeyFault>
where
    T: der::Choice<'a> + der::DecodeValue<'a, Error = der::Error>,
{
    value.decode_as().map_err(|_malformed| DAMAGED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ParameterSet;
    use crate::keyfile::asn1::{
        EncryptedContentInfo, Gost28147Parameters, PbeParameters, Pbes2Parameters, Pbkdf2Parameters,
    };
    use crate::keyfile::{pem, write_pkcs8_pem};
    use der::Encode;
    use der::oid::ObjectIdentifier;

    fn any(der: &[u8]) -> AnyRef<'_> {
        AnyRef::from_der(der).unwrap()
    }

    fn octets(octets: &[u8]) -> &OctetStringRef {
        OctetStringRef::new(octets).unwrap()
    }

    fn algorithm<'a>(oid: ObjectIdentifier, parameters: &'a [u8]) -> AlgorithmIdentifierRef<'a> {
        AlgorithmIdentifierRef { oid, parameters: Some(any(parameters)) }
    }

    /// Algorithm identifiers of every protection, in DER.
    fn protections() -> [Vec<u8>; 4] {
        let salt = octets(&[7; 16]);
        let derivation =
            Pbkdf2Parameters { salt, iterations: 3, key_length: None, prf: None }.to_der().unwrap();
        let pbes2 = |cipher, parameters: Vec<u8>| {
            let scheme = Pbes2Parameters {
                key_derivation: algorithm(oid::PBKDF2, &derivation),
                encryption: algorithm(cipher, &parameters),
            };
            algorithm(oid::PBES2, &scheme.to_der().unwrap()).to_der().unwrap()
        };
        let substitution_box = ObjectIdentifier::new_unwrap("1.2.643.2.2.31.1");
        let own = PbeParameters { salt, iterations: 3 }.to_der().unwrap();
        [
            pbes2(oid::AES_256_CBC, octets(&[0; 16]).to_der().unwrap()),
            pbes2(
                oid::GOST_28147,
                Gost28147Parameters { iv: octets(&[0; 8]), substitution_box }.to_der().unwrap(),
            ),
            algorithm(oid::SHA1_RC2_40, &own).to_der().unwrap(),
            algorithm(oid::CRYPTOPRO_KEY, &own).to_der().unwrap(),
        ]
    }

    /// A part of 32 octets that no password deciphers to anything.
    fn encrypted_part(protection: &[u8]) -> Vec<u8> {
        let data = EncryptedData {
            version: 0,
            content: EncryptedContentInfo {
                content_type: oid::DATA,
                algorithm: AlgorithmIdentifierRef::from_der(protection).unwrap(),
                ciphertext: octets(&[0x55; 32]),
            },
            attributes: None,
        };
        let data = data.to_der().unwrap();
        ContentInfo { content_type: oid::ENCRYPTED_DATA, content: Some(any(&data)) }.to_der().unwrap()
    }

    /// A part with one bag.
    fn plain_part(id: ObjectIdentifier, value: &[u8]) -> Vec<u8> {
        let bag = SafeBag { id, value: any(value), attributes: None }.to_der().unwrap();
        let bags = octets(&[any(&bag)].to_der().unwrap()).to_der().unwrap();
        ContentInfo { content_type: oid::DATA, content: Some(any(&bags)) }.to_der().unwrap()
    }

    fn read(parts: &[&[u8]], authentic: bool) -> Result<(PrivateKey, Option<Certificate>), KeyFault> {
        let mut found = Found::new(Password::new("test"), authentic);
        for part in parts {
            found.read_part(&ContentInfo::from_der(part).unwrap())?;
        }
        found.finish()
    }

    /// With a MAC the password is known to be right.
    fn assert_not_opened(part: &[u8], protection: usize) {
        let fault = read(&[part], true).unwrap_err();
        assert!(matches!(fault, KeyFault::Damaged(_)), "{protection}: {fault}");
        let fault = read(&[part], false).unwrap_err();
        assert!(matches!(fault, KeyFault::WrongPassword), "{protection}: {fault}");
    }

    #[test]
    fn what_the_mac_vouches_for_is_damaged_when_it_does_not_open() {
        for (number, protection) in protections().iter().enumerate() {
            let key = EncryptedPrivateKeyInfo {
                algorithm: AlgorithmIdentifierRef::from_der(protection).unwrap(),
                ciphertext: octets(&[0x55; 32]),
            };
            assert_not_opened(&plain_part(oid::SHROUDED_KEY_BAG, &key.to_der().unwrap()), number);
        }
        for (number, protection) in protections()[..3].iter().enumerate() {
            assert_not_opened(&encrypted_part(protection), number);
        }
    }

    #[test]
    fn parts_that_do_not_open_are_passed_over_when_the_key_is_elsewhere() {
        let key = PrivateKey::generate(ParameterSet::Tc26A).unwrap();
        let text = write_pkcs8_pem(&key);
        let pkcs8 = pem::first_block(text.as_bytes(), |_| true).unwrap().content.unwrap();
        let key_part = plain_part(oid::KEY_BAG, &pkcs8);
        let protections = protections();
        let closed = protections[..3].iter().map(|protection| encrypted_part(protection));
        // A certificate bag that is none.
        for other in closed.chain([plain_part(oid::CERTIFICATE_BAG, &[0x30, 0x00])]) {
            for (parts, authentic) in [([&key_part, &other], true), ([&other, &key_part], false)] {
                let (read, certificate) = read(&parts.map(Vec::as_slice), authentic).unwrap();
                assert_eq!(*read.to_le_octets(), *key.to_le_octets());
                assert!(certificate.is_none());
            }
        }
    }
}
