//! The keys of `[auth] keys`, opened and bound each to its algorithm.

use std::path::{Path, PathBuf};
use std::{fs, io};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, errors};

use crate::config::{AlgorithmSetting, KeyMaterial, KeySetting};

/// RFC 7518 §3.2: an HS256 key has at least as many bits as the hash.
const SHORTEST_SECRET: usize = 32;

/// Why a key of the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("key {kid:?} of [auth] keys: the file {} cannot be read", path.display())]
    Unreadable {
        /// The key.
        kid: String,
        /// Its file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds no key of this algorithm.
    #[error("key {kid:?} of [auth] keys: the file {} holds no {wanted} in PEM", path.display())]
    WrongKind {
        /// The key.
        kid: String,
        /// Its file.
        path: PathBuf,
        /// What was looked for.
        wanted: &'static str,
        /// What the library says.
        source: errors::Error,
    },
    /// The secret is too short.
    #[error("key {kid:?} of [auth] keys: the secret has {length} bytes, HS256 needs 32 or more")]
    ShortSecret {
        /// The key.
        kid: String,
        /// Its length.
        length: usize,
    },
}

/// A key with the one algorithm it serves.
pub(super) struct Key {
    pub(super) kid: String,
    pub(super) algorithm: Algorithm,
    pub(super) verifying: DecodingKey,
    pub(super) signing: Option<EncodingKey>,
}

impl Key {
    pub(super) fn load(setting: &KeySetting) -> Result<Self, KeyError> {
        let algorithm = match setting.algorithm {
            AlgorithmSetting::EdDsa => Algorithm::EdDSA,
            AlgorithmSetting::Rs256 => Algorithm::RS256,
            AlgorithmSetting::Hs256 => Algorithm::HS256,
        };
        let (verifying, signing) = match &setting.material {
            KeyMaterial::Secret(path) => secret(&setting.kid, path)?,
            KeyMaterial::Public(path) => (public(setting, path)?, None),
            KeyMaterial::Private(path) => private(setting, algorithm, path)?,
        };
        Ok(Self { kid: setting.kid.clone(), algorithm, verifying, signing })
    }
}

fn read(kid: &str, path: &Path) -> Result<Vec<u8>, KeyError> {
    fs::read(path).map_err(|source| KeyError::Unreadable {
        kid: kid.to_owned(),
        path: path.to_owned(),
        source,
    })
}

/// The whole file is the secret, except the end of its last line, which editors add.
fn secret(kid: &str, path: &Path) -> Result<(DecodingKey, Option<EncodingKey>), KeyError> {
    let octets = read(kid, path)?;
    let secret = octets.trim_ascii_end();
    if secret.len() < SHORTEST_SECRET {
        return Err(KeyError::ShortSecret { kid: kid.to_owned(), length: secret.len() });
    }
    Ok((DecodingKey::from_secret(secret), Some(EncodingKey::from_secret(secret))))
}

fn public(setting: &KeySetting, path: &Path) -> Result<DecodingKey, KeyError> {
    let pem = read(&setting.kid, path)?;
    let (key, wanted) = match setting.algorithm {
        AlgorithmSetting::EdDsa => (DecodingKey::from_ed_pem(&pem), "Ed25519 public key"),
        AlgorithmSetting::Rs256 | AlgorithmSetting::Hs256 => {
            (DecodingKey::from_rsa_pem(&pem), "RSA public key")
        }
    };
    key.map_err(|source| wrong_kind(setting, path, wanted, source))
}

fn private(
    setting: &KeySetting,
    algorithm: Algorithm,
    path: &Path,
) -> Result<(DecodingKey, Option<EncodingKey>), KeyError> {
    let pem = read(&setting.kid, path)?;
    let (key, wanted) = match setting.algorithm {
        AlgorithmSetting::EdDsa => (EncodingKey::from_ed_pem(&pem), "Ed25519 private key (PKCS#8)"),
        AlgorithmSetting::Rs256 | AlgorithmSetting::Hs256 => {
            (EncodingKey::from_rsa_pem(&pem), "RSA private key")
        }
    };
    let public = |signing: EncodingKey| {
        let verifying = DecodingKey::from_jwk(&Jwk::from_encoding_key(&signing, algorithm)?)?;
        Ok((verifying, Some(signing)))
    };
    key.and_then(public).map_err(|source| wrong_kind(setting, path, wanted, source))
}

fn wrong_kind(setting: &KeySetting, path: &Path, wanted: &'static str, source: errors::Error) -> KeyError {
    KeyError::WrongKind { kid: setting.kid.clone(), path: path.to_owned(), wanted, source }
}
