//! Why a key file could not be used, in words for the person who has to set it right.

use std::path::{Path, PathBuf};

use der::oid::ObjectIdentifier;

use super::algorithm::UnsupportedKey;
use crate::{CertificateError, KeyError};

/// A key or certificate file that could not be used: which file, what is wrong, what to do.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", path.display())]
pub struct KeyFileError {
    path: PathBuf,
    // Not a `#[source]`: its text is part of this one.
    fault: KeyFault,
}

impl KeyFileError {
    pub(super) fn new(path: &Path, fault: impl Into<KeyFault>) -> Self {
        Self { path: path.to_owned(), fault: fault.into() }
    }

    /// The file or folder that is at fault.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is wrong with it.
    pub fn fault(&self) -> &KeyFault {
        &self.fault
    }
}

/// What is wrong with a key file. The texts go on after the name of the file.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// The operating system does not give the file.
    #[error("cannot be read ({0}); check the path and the rights of this process")]
    Unreadable(std::io::ErrorKind),
    /// More than [`super::MAX_FILE_SIZE`].
    #[error("is larger than 64 KiB, so it is no key or certificate; check the path")]
    TooLarge,
    /// Neither PKCS#8 nor PEM with a private key.
    #[error(
        "holds no private key in PEM or PKCS#8; a .pfx or .p12 file must be read as PKCS#12, \
         a folder with header.key as a CryptoPro container"
    )]
    NotAKey,
    /// Not a PKCS#12 structure in DER.
    #[error("is not a PKCS#12 file in DER; export the key again as a .pfx or .p12 file")]
    NotPkcs12,
    /// A CryptoPro container without one of its files.
    #[error(
        "has no file {0}; give the whole folder of the CryptoPro container with header.key, masks.key \
         and primary.key"
    )]
    NotAContainer(&'static str),
    /// A zip archive, as containers are passed on, in place of the folder.
    #[error("is a zip archive; unpack it and give the folder with header.key")]
    Zip,
    /// The key is encrypted and there is no password.
    #[error("is encrypted; give its password")]
    PasswordNeeded,
    /// The file does not open with this password.
    #[error("does not open with this password; check it, also the keyboard layout and letter case")]
    WrongPassword,
    /// A part of the file contradicts its format or another part.
    #[error("has a damaged part: {0}; copy the file again or export the key anew")]
    Damaged(&'static str),
    /// A key for another algorithm or curve.
    #[error("{0}")]
    UnsupportedKey(UnsupportedKey),
    /// An encryption or MAC algorithm that this crate does not know.
    #[error(
        "is protected by the unknown algorithm {0}; export the key anew with GOST 28147-89 \
         or AES protection (PBES2)"
    )]
    UnknownProtection(ObjectIdentifier),
    /// None, or more than the format has or the file has left of its [`super::MAX_ITERATIONS`].
    #[error(
        "wants {wanted} iterations of its password hash, allowed are 1 to {allowed}; export the key anew"
    )]
    Iterations {
        /// What one of its parts asks for.
        wanted: u32,
        /// The most that this part may ask for.
        allowed: u32,
    },
    /// A PKCS#12 file with certificates alone.
    #[error("holds no private key; export it together with its private key")]
    NoKey,
    /// A PKCS#12 file with more than one key.
    #[error("holds several private keys; export the one that signs")]
    SeveralKeys,
    /// No certificate beside the key.
    #[error("holds no readable certificate of its private key; give the certificate in a file of its own")]
    NoCertificate,
    /// A CryptoPro container whose key may not leave it.
    #[error(
        "holds a key that is marked as not exportable; ask the issuer for a key marked as exportable, \
         or sign by an external command with CryptoPro CSP"
    )]
    NotExportable,
    /// A number that is no key of its curve.
    #[error("holds a damaged private key ({0}); export the key anew")]
    Key(KeyError),
    /// The certificate cannot be used, or not with this key.
    #[error("{0}")]
    Certificate(CertificateError),
}

impl From<std::io::Error> for KeyFault {
    fn from(error: std::io::Error) -> Self {
        Self::Unreadable(error.kind())
    }
}

impl From<KeyError> for KeyFault {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<UnsupportedKey> for KeyFault {
    fn from(error: UnsupportedKey) -> Self {
        Self::UnsupportedKey(error)
    }
}

impl From<CertificateError> for KeyFault {
    fn from(error: CertificateError) -> Self {
        Self::Certificate(error)
    }
}
