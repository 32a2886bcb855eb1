//! A signer with the key in memory.

use std::path::Path;

use async_trait::async_trait;
use gost::keyfile::{self, KeyFileError};
use gost::{Certificate, KeyPair, Signature};

use super::{Signer, SignerError};

/// Signs with a key that was read from a file. Its `Debug` does not show the key.
#[derive(Debug)]
pub struct KeyPairSigner {
    pair: KeyPair,
}

impl KeyPairSigner {
    /// A signer over a key and its certificate.
    #[must_use]
    pub fn new(pair: KeyPair) -> Self {
        Self { pair }
    }

    /// Reads a PEM key (PKCS#8, encrypted or not) and a certificate (PEM or DER).
    ///
    /// # Errors
    /// [`KeyFileError`] names the file and says what to do.
    pub fn pem(key: &Path, certificate: &Path, password: Option<&str>) -> Result<Self, KeyFileError> {
        keyfile::pem(key, certificate, password).map(Self::new)
    }

    /// Reads a PKCS#12 file (PFX); the certificate may lie in a file of its own.
    ///
    /// # Errors
    /// [`KeyFileError`] names the file and says what to do.
    pub fn pkcs12(file: &Path, password: &str, certificate: Option<&Path>) -> Result<Self, KeyFileError> {
        keyfile::pkcs12(file, password, certificate).map(Self::new)
    }

    /// Reads a CryptoPro container folder; the certificate may lie in a file of its own.
    ///
    /// # Errors
    /// [`KeyFileError`] names the file and says what to do.
    pub fn container(
        folder: &Path,
        password: &str,
        certificate: Option<&Path>,
    ) -> Result<Self, KeyFileError> {
        keyfile::container(folder, password, certificate).map(Self::new)
    }
}

#[async_trait]
impl Signer for KeyPairSigner {
    fn certificate(&self) -> &Certificate {
        self.pair.certificate()
    }

    // About a tenth of a millisecond of work: not worth a thread of its own.
    async fn sign(&self, digest: &[u8; 32]) -> Result<Signature, SignerError> {
        self.pair.key().sign(digest).map_err(SignerError::Key)
    }
}
