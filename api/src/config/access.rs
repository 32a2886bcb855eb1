//! `[auth]`: the keys that tokens are signed with. [`crate::auth`] opens the files.

use std::path::PathBuf;

use super::section::Section;
use super::value;

/// How callers are known.
#[derive(Debug, Clone)]
pub struct AuthSettings {
    /// Claim `iss` of our tokens.
    pub issuer: String,
    /// Claim `aud` of our tokens.
    pub audience: String,
    /// The keys, each with a name of its own.
    pub keys: Vec<KeySetting>,
}

/// One key.
#[derive(Debug, Clone)]
pub struct KeySetting {
    /// The name that tokens carry.
    pub kid: String,
    /// The one algorithm of the key.
    pub algorithm: AlgorithmSetting,
    /// Where the key lies.
    pub material: KeyMaterial,
}

/// The algorithms we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlgorithmSetting {
    /// Ed25519.
    EdDsa,
    /// RSA with SHA-256.
    Rs256,
    /// HMAC with SHA-256.
    Hs256,
}

/// Where a key lies and what it can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyMaterial {
    /// Signs and verifies.
    Private(PathBuf),
    /// Verifies.
    Public(PathBuf),
    /// Signs and verifies, shared by both sides.
    Secret(PathBuf),
}

const ALGORITHMS: [(&str, AlgorithmSetting); 3] = [
    ("EdDSA", AlgorithmSetting::EdDsa),
    ("RS256", AlgorithmSetting::Rs256),
    ("HS256", AlgorithmSetting::Hs256),
];

impl AuthSettings {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let issuer = section.or("issuer", "debtgate".to_owned(), value::text);
        let audience = section.or("audience", "debtgate".to_owned(), value::text);
        let keys: Vec<_> = section.listed_sections("keys").into_iter().map(key).collect();
        let keys: Option<Vec<KeySetting>> = keys.into_iter().collect();
        if let Some(twice) = keys.as_deref().and_then(twin) {
            section.wrong("keys", format!("two keys have the kid {twice:?}"));
        }
        section.finish();
        Some(Self { issuer, audience, keys: keys? })
    }
}

fn twin(keys: &[KeySetting]) -> Option<&str> {
    let mut seen: Vec<&str> = Vec::new();
    keys.iter().map(|key| key.kid.as_str()).find(|kid| {
        let known = seen.contains(kid);
        seen.push(kid);
        known
    })
}

fn key(mut section: Section<'_>) -> Option<KeySetting> {
    let kid = section.required("kid", value::text);
    let algorithm = section.required("alg", value::one_of(&ALGORITHMS));
    let given = [
        section.path("private_key").map(KeyMaterial::Private),
        section.path("public_key").map(KeyMaterial::Public),
        section.path("secret").map(KeyMaterial::Secret),
    ];
    let mut given = given.into_iter().flatten();
    let (first, second) = (given.next(), given.next());
    let (material, algorithm) = match (algorithm, first, second) {
        (Some(AlgorithmSetting::Hs256), Some(secret @ KeyMaterial::Secret(_)), None) => {
            (secret, AlgorithmSetting::Hs256)
        }
        (
            Some(algorithm @ (AlgorithmSetting::EdDsa | AlgorithmSetting::Rs256)),
            Some(key @ (KeyMaterial::Private(_) | KeyMaterial::Public(_))),
            None,
        ) => (key, algorithm),
        (Some(AlgorithmSetting::Hs256), ..) => return refuse(section, "HS256 needs one path: secret"),
        (Some(AlgorithmSetting::EdDsa | AlgorithmSetting::Rs256), ..) => {
            return refuse(section, "EdDSA and RS256 need one path: private_key or public_key");
        }
        (None, ..) => {
            section.finish();
            return None;
        }
    };
    section.finish();
    Some(KeySetting { kid: kid?, algorithm, material })
}

fn refuse(section: Section<'_>, text: &str) -> Option<KeySetting> {
    section.wrong("alg", text);
    section.finish();
    None
}
