//! Private keys and certificates from the files that users have.
//!
//! [`pem()`], [`pkcs12()`] and [`container()`] read files and check that key and certificate belong together; the
//! functions that take octets are for callers without files and for fuzzing. All of them refuse keys other than
//! GOST R 34.10-2012 with 256 bits, and say in each error which file is at fault and what to do.
//!
//! Input is never trusted: files are at most 64 KiB and cost at most a million iterations of password hashes,
//! structures are of bounded depth, and no input panics. Secrets are wiped on drop.
//!
//! Whether a certificate is valid today is not asked here: see [`Certificate::check_validity`].

pub(crate) mod algorithm;
mod asn1;
mod cipher;
pub mod container;
mod cryptopro_pfx;
mod error;
mod kdf;
mod password;
mod pbes;
pub(crate) mod pem;
mod pkcs12;
mod pkcs8;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

pub use self::algorithm::UnsupportedKey;
pub use self::error::{KeyFault, KeyFileError};
use crate::{Certificate, CertificateError, PrivateKey};

/// Octets of a key or certificate file above which it is refused.
pub const MAX_FILE_SIZE: usize = 64 * 1024;
/// Iterations of password hashes, over all parts of a file, above which it is refused.
pub const MAX_ITERATIONS: u32 = 1_000_000;

/// Octets that are wiped on drop.
type SecretOctets = Zeroizing<Vec<u8>>;

/// A private key and the certificate issued for it.
#[derive(Clone, Debug)]
pub struct KeyPair {
    key: PrivateKey,
    certificate: Certificate,
}

impl KeyPair {
    /// Joins a key with its certificate.
    ///
    /// # Errors
    /// [`CertificateError::OtherKey`] when the certificate was issued for another key.
    pub fn new(key: PrivateKey, certificate: Certificate) -> Result<Self, CertificateError> {
        certificate.check_key(&key.public_key())?;
        Ok(Self { key, certificate })
    }

    /// The private key.
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// The certificate of the key.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}

/// Reads a key in PKCS#8, PEM or DER, and a certificate, PEM or DER.
///
/// Without encryption the password is not used.
///
/// # Errors
/// [`KeyFileError`] of the file that is at fault.
pub fn pem(key: &Path, certificate: &Path, password: Option<&str>) -> Result<KeyPair, KeyFileError> {
    let private = read(key)
        .and_then(|octets| parse_pem_key(&octets, password))
        .map_err(|fault| KeyFileError::new(key, fault))?;
    with_certificate_file(private, certificate)
}

/// Reads a PKCS#12 file (`.pfx`, `.p12`): of TC26, with AES, or exported by CryptoPro.
///
/// A certificate given separately is preferred to those in the file.
///
/// # Errors
/// [`KeyFileError`] of the file that is at fault.
pub fn pkcs12(file: &Path, password: &str, certificate: Option<&Path>) -> Result<KeyPair, KeyFileError> {
    let (key, inside) = read(file)
        .and_then(|octets| parse_pkcs12(&octets, password))
        .map_err(|fault| KeyFileError::new(file, fault))?;
    with_certificate(key, inside, certificate, file)
}

/// Reads the folder of a CryptoPro container. One without a password takes the empty one.
///
/// A certificate given separately is preferred to the one in the container.
///
/// # Errors
/// [`KeyFileError`] of the file or folder that is at fault, among others for a key marked as not exportable.
pub fn container(folder: &Path, password: &str, certificate: Option<&Path>) -> Result<KeyPair, KeyFileError> {
    let (key, inside) = read_container(folder, password)?;
    with_certificate(key, inside, certificate, folder)
}

/// A private key from the octets of a PKCS#8 file: PEM or DER, plain or encrypted.
///
/// # Errors
/// [`KeyFault`].
pub fn parse_pem_key(octets: &[u8], password: Option<&str>) -> Result<PrivateKey, KeyFault> {
    check_size(octets)?;
    pkcs8::from_pem_or_der(octets, password)
}

/// The private key of a PKCS#12 file and, if it is there, the certificate that belongs to it.
///
/// # Errors
/// [`KeyFault`].
pub fn parse_pkcs12(der: &[u8], password: &str) -> Result<(PrivateKey, Option<Certificate>), KeyFault> {
    check_size(der)?;
    pkcs12::parse(der, password)
}

/// A private key as unencrypted PKCS#8 in PEM, as OpenSSL's GOST engine writes and reads it.
#[expect(clippy::expect_used, reason = "all parts of the structure have fixed, short lengths")]
pub fn write_pkcs8_pem(key: &PrivateKey) -> Zeroizing<String> {
    pkcs8::write_pem(key).expect("a key of 32 octets encodes")
}

fn with_certificate(
    key: PrivateKey,
    inside: Option<Certificate>,
    given: Option<&Path>,
    file: &Path,
) -> Result<KeyPair, KeyFileError> {
    match (given, inside) {
        (Some(path), _) => with_certificate_file(key, path),
        (None, Some(certificate)) => {
            KeyPair::new(key, certificate).map_err(|error| KeyFileError::new(file, error))
        }
        (None, None) => Err(KeyFileError::new(file, KeyFault::NoCertificate)),
    }
}

fn with_certificate_file(key: PrivateKey, path: &Path) -> Result<KeyPair, KeyFileError> {
    let octets = read(path).map_err(|fault| KeyFileError::new(path, fault))?;
    Certificate::from_pem_or_der(&octets)
        .and_then(|certificate| KeyPair::new(key, certificate))
        .map_err(|error| KeyFileError::new(path, error))
}

fn read_container(folder: &Path, password: &str) -> Result<(PrivateKey, Option<Certificate>), KeyFileError> {
    let of_folder = |fault| KeyFileError::new(folder, fault);
    if is_zip(folder) {
        return Err(of_folder(KeyFault::Zip));
    }
    let file = |name| read_member(folder, name);
    let (header, masks, primary) = (file("header.key")?, file("masks.key")?, file("primary.key")?);
    let (masks2, primary2) = (file("masks2.key")?, file("primary2.key")?);
    for (name, copies) in [
        ("header.key", [&header, &header]),
        ("masks.key", [&masks, &masks2]),
        ("primary.key", [&primary, &primary2]),
    ] {
        if copies.iter().all(|octets| octets.is_empty()) {
            return Err(of_folder(KeyFault::NotAContainer(name)));
        }
    }
    let files = container::ContainerFiles {
        header: &header,
        masks: &masks,
        primary: &primary,
        masks2: &masks2,
        primary2: &primary2,
    };
    container::parse_container(&files, password).map_err(of_folder)
}

/// A file of a container, empty if it is not there. FAT sticks may show its name in capitals.
fn read_member(folder: &Path, name: &str) -> Result<SecretOctets, KeyFileError> {
    let of_folder = |error: std::io::Error| KeyFileError::new(folder, error);
    for entry in folder.read_dir().map_err(of_folder)? {
        let entry = entry.map_err(of_folder)?;
        if entry.file_name().eq_ignore_ascii_case(name) {
            return read(&entry.path()).map_err(|fault| KeyFileError::new(&entry.path(), fault));
        }
    }
    Ok(SecretOctets::default())
}

/// Containers are passed on zipped, and then given as they came.
fn is_zip(path: &Path) -> bool {
    let mut start = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *b"PK\x03\x04"
}

fn read(path: &Path) -> Result<SecretOctets, KeyFault> {
    // Room for the whole file at once: a growing buffer would leave copies behind that nobody wipes.
    let mut octets = Zeroizing::new(Vec::with_capacity(MAX_FILE_SIZE + 1));
    let limit = u64::try_from(octets.capacity()).unwrap_or(u64::MAX);
    File::open(path)?.take(limit).read_to_end(&mut octets)?;
    check_size(&octets)?;
    Ok(octets)
}

fn check_size(octets: &[u8]) -> Result<(), KeyFault> {
    if octets.len() > MAX_FILE_SIZE { Err(KeyFault::TooLarge) } else { Ok(()) }
}
