//! Cross-checks with OpenSSL's GOST engine: two programs that share no code must agree.
#![cfg(test)]

use std::path::{Path, PathBuf};

use gost::hash::{gost94, streebog256, streebog512};
use gost::keyfile::write_pkcs8_pem;
use gost::{ParameterSet, PrivateKey, Signature};
use test_support::{gost_engine, openssl_gost, openssl_gost_output};

/// Signatures checked in each direction, over all parameter sets together.
const MESSAGES: usize = 200;

/// A key of each parameter set, with the files that OpenSSL reads it from.
struct Key {
    key: PrivateKey,
    private: PathBuf,
    public: PathBuf,
}

impl Key {
    fn new(set: ParameterSet, folder: &Path) -> Self {
        let key = PrivateKey::generate(set).unwrap();
        let private = folder.join(format!("{set:?}.key.pem"));
        let public = folder.join(format!("{set:?}.pub.pem"));
        std::fs::write(&private, write_pkcs8_pem(&key).as_bytes()).unwrap();
        openssl_gost(&["pkey", "-in", path(&private), "-pubout", "-out", path(&public)], b"");
        Self { key, private, public }
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The `index`-th message: pseudo-random octets, of every length from 0 up.
fn message(index: usize) -> Vec<u8> {
    let seed = streebog512(&index.to_be_bytes());
    seed.iter().copied().cycle().take(index * 7 % 1000).collect()
}

fn keys(folder: &Path) -> Vec<Key> {
    ParameterSet::ALL.into_iter().map(|set| Key::new(set, folder)).collect()
}

#[test]
fn openssl_verifies_what_we_sign() {
    if !gost_engine("openssl_verifies_what_we_sign") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let signature_file = folder.path().join("signature");
    let keys = keys(folder.path());
    for (index, key) in keys.iter().cycle().take(MESSAGES).enumerate() {
        let message = message(index);
        let signature = key.key.sign(&streebog256(&message)).unwrap();
        std::fs::write(&signature_file, signature.as_bytes()).unwrap();
        let arguments =
            ["dgst", "-md_gost12_256", "-verify", path(&key.public), "-signature", path(&signature_file)];
        openssl_gost(&arguments, &message);
        let tampered = [message, b"!".to_vec()].concat();
        assert!(!openssl_gost_output(&arguments, &tampered).status.success(), "the check can fail");
    }
}

#[test]
fn we_verify_what_openssl_signs() {
    if !gost_engine("we_verify_what_openssl_signs") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let keys = keys(folder.path());
    for (index, key) in keys.iter().cycle().take(MESSAGES).enumerate() {
        let message = message(index);
        let octets = openssl_gost(&["dgst", "-md_gost12_256", "-sign", path(&key.private)], &message);
        let signature = Signature::try_from(octets.as_slice()).unwrap();
        let public = key.key.public_key();
        assert_eq!(public.verify(&streebog256(&message), &signature), Ok(()), "message {index}");
    }
}

#[test]
fn digests_agree_with_openssl() {
    if !gost_engine("digests_agree_with_openssl") {
        return;
    }
    // From 1: the engine's GOST R 34.11-94 of the empty message is known to be wrong.
    for index in 1..100 {
        let message = message(index);
        let digest = |name: &str| openssl_gost(&["dgst", "-binary", name], &message);
        assert_eq!(digest("-md_gost12_256"), streebog256(&message));
        assert_eq!(digest("-md_gost12_512"), streebog512(&message));
        if !message.is_empty() {
            assert_eq!(digest("-md_gost94"), gost94(&message));
        }
    }
}
