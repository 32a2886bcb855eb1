//! Key files that OpenSSL writes for us to read, and the other way round.
//!
//! Unlike the stored samples these go through every protection and MAC that the reader knows.
#![cfg(test)]

use std::path::PathBuf;

use gost::keyfile::{self, KeyFault};
use gost::{Certificate, ParameterSet, PrivateKey};
use tempfile::TempDir;

const PASSWORD: &str = "Проверка 1";

/// A new key and its certificate in files.
struct Pair {
    folder: TempDir,
    key: PrivateKey,
    certificate: Certificate,
}

impl Pair {
    fn new(set: ParameterSet) -> Self {
        let key = PrivateKey::generate(set).unwrap();
        let (from, to) = ("2026-01-01T00:00:00Z".parse().unwrap(), "2036-01-01T00:00:00Z".parse().unwrap());
        let certificate = Certificate::self_signed(&key, "Проба", from, to).unwrap();
        let pair = Self { folder: tempfile::tempdir().unwrap(), key, certificate };
        std::fs::write(pair.file("key.pem"), keyfile::write_pkcs8_pem(&pair.key).as_bytes()).unwrap();
        std::fs::write(pair.file("certificate.pem"), pair.certificate.to_pem()).unwrap();
        pair
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn export(&self, options: &[&str]) -> Vec<u8> {
        self.export_under(PASSWORD, options)
    }

    fn export_under(&self, password: &str, options: &[&str]) -> Vec<u8> {
        let (key, certificate) = (self.file("key.pem"), self.file("certificate.pem"));
        let password = format!("pass:{password}");
        let fixed = ["pkcs12", "-export", "-inkey", key.to_str().unwrap(), "-in"];
        let more = [certificate.to_str().unwrap(), "-passout", &password];
        test_support::openssl_gost(&[&fixed[..], &more, options].concat(), b"")
    }

    fn assert_in(&self, pfx: &[u8], what: &[&str]) {
        let (key, certificate) =
            keyfile::parse_pkcs12(pfx, PASSWORD).unwrap_or_else(|fault| panic!("{what:?}: {fault}"));
        assert_eq!(*key.to_le_octets(), *self.key.to_le_octets(), "{what:?}");
        assert_eq!(certificate.unwrap().der(), self.certificate.der(), "{what:?}");
    }
}

#[test]
fn pkcs12_with_every_protection_and_mac() {
    if !test_support::gost_engine("PKCS#12 written by OpenSSL") {
        return;
    }
    let pair = Pair::new(ParameterSet::CryptoProXchA);
    for protection in ["gost89", "AES-128-CBC", "AES-192-CBC", "AES-256-CBC", "NONE"] {
        for mac in ["md_gost12_512", "md_gost12_256", "md_gost94", "sha1", "sha256", "sha512"] {
            let options = ["-keypbe", protection, "-certpbe", protection, "-macalg", mac, "-iter", "3"];
            let pfx = pair.export(&options);
            pair.assert_in(&pfx, &options);
            let wrong = keyfile::parse_pkcs12(&pfx, "Проверка 2").unwrap_err();
            assert!(matches!(wrong, KeyFault::WrongPassword), "{options:?}: {wrong}");
        }
    }
}

/// CryptoPro protects certificates by RC2, which OpenSSL has in a provider of its own.
#[test]
fn pkcs12_with_certificates_under_rc2() {
    if !test_support::gost_engine("PKCS#12 with RC2") {
        return;
    }
    let pair = Pair::new(ParameterSet::CryptoProA);
    let providers = ["-provider", "legacy", "-provider", "default"];
    let options =
        [&["-keypbe", "NONE", "-certpbe", "PBE-SHA1-RC2-40", "-macalg", "sha1"], &providers[..]].concat();
    pair.assert_in(&pair.export(&options), &options);
}

#[test]
fn pkcs12_without_mac_tells_a_wrong_password_by_its_content() {
    if !test_support::gost_engine("PKCS#12 without MAC") {
        return;
    }
    let pair = Pair::new(ParameterSet::Tc26B);
    let options = ["-keypbe", "gost89", "-certpbe", "gost89", "-nomac"];
    let pfx = pair.export(&options);
    pair.assert_in(&pfx, &options);
    assert!(matches!(keyfile::parse_pkcs12(&pfx, "wrong"), Err(KeyFault::WrongPassword)));
}

#[test]
fn pkcs12_under_the_empty_password() {
    if !test_support::gost_engine("PKCS#12 without a password") {
        return;
    }
    let pair = Pair::new(ParameterSet::Tc26A);
    for (protection, mac) in [("gost89", "md_gost12_512"), ("AES-256-CBC", "sha256")] {
        let options = ["-keypbe", protection, "-certpbe", protection, "-macalg", mac];
        let (key, _) = keyfile::parse_pkcs12(&pair.export_under("", &options), "").unwrap();
        assert_eq!(*key.to_le_octets(), *pair.key.to_le_octets(), "{options:?}");
    }
}

#[test]
fn parts_that_are_missing_or_cannot_be_opened() {
    if !test_support::gost_engine("PKCS#12 with parts missing") {
        return;
    }
    let pair = Pair::new(ParameterSet::Tc26C);
    assert!(matches!(keyfile::parse_pkcs12(&pair.export(&["-nokeys"]), PASSWORD), Err(KeyFault::NoKey)));

    // Triple DES is unknown to us: the certificate is passed over, the key is not.
    let des = pair.export(&["-keypbe", "AES-256-CBC", "-certpbe", "PBE-SHA1-3DES"]);
    let (key, certificate) = keyfile::parse_pkcs12(&des, PASSWORD).unwrap();
    assert_eq!(*key.to_le_octets(), *pair.key.to_le_octets());
    assert!(certificate.is_none());
    let file = pair.file("des.pfx");
    std::fs::write(&file, &des).unwrap();
    let error = keyfile::pkcs12(&file, PASSWORD, None).unwrap_err();
    assert!(matches!(error.fault(), KeyFault::NoCertificate), "{error}");
    let separate = keyfile::pkcs12(&file, PASSWORD, Some(&pair.file("certificate.pem"))).unwrap();
    assert_eq!(separate.certificate().der(), pair.certificate.der());

    let des = pair.export(&["-keypbe", "PBE-SHA1-3DES", "-certpbe", "AES-256-CBC"]);
    let fault = keyfile::parse_pkcs12(&des, PASSWORD).unwrap_err();
    assert!(fault.to_string().contains("unknown algorithm 1.2.840.113549.1.12.1.3"), "{fault}");
}

#[test]
fn too_many_iterations_are_refused_at_once() {
    if !test_support::gost_engine("PKCS#12 with many iterations") {
        return;
    }
    let pair = Pair::new(ParameterSet::Tc26D);
    let mut pfx = pair.export(&["-iter", "70000", "-nomac", "-keypbe", "AES-256-CBC", "-certpbe", "NONE"]);
    pair.assert_in(&pfx, &["-iter 70000"]);
    let count = [0x02, 0x03, 0x01, 0x11, 0x70];
    let position = pfx.windows(count.len()).position(|window| window == count).unwrap();
    pfx[position + 2] = 0x7f;
    let fault = keyfile::parse_pkcs12(&pfx, PASSWORD).unwrap_err();
    assert!(
        matches!(fault, KeyFault::Iterations { wanted: 8_327_536, allowed: keyfile::MAX_ITERATIONS }),
        "{fault}"
    );
}

/// Each of the three derivations is allowed, all of them together are not.
#[test]
fn iterations_are_counted_over_the_whole_file() {
    if !test_support::gost_engine("PKCS#12 with many iterations in all") {
        return;
    }
    let pair = Pair::new(ParameterSet::Tc26D);
    let of_iterations = |iterations| {
        let protection = ["-keypbe", "AES-256-CBC", "-certpbe", "AES-256-CBC", "-macalg", "sha256"];
        keyfile::parse_pkcs12(&pair.export(&[&protection[..], &["-iter", iterations]].concat()), PASSWORD)
    };
    assert!(of_iterations("300000").is_ok());
    let text = of_iterations("400000").unwrap_err().to_string();
    assert!(text.contains("wants 400000 iterations"), "{text}");
    assert!(text.contains("allowed are 1 to 200000"), "{text}");
}

#[test]
fn encrypted_pkcs8_with_every_hash() {
    if !test_support::gost_engine("PKCS#8 encrypted by OpenSSL") {
        return;
    }
    let pair = Pair::new(ParameterSet::CryptoProB);
    let (key, password) = (pair.file("key.pem"), format!("pass:{PASSWORD}"));
    for (cipher, hashes) in [
        (
            "gost89",
            &["id-HMACGostR3411-94", "id-tc26-hmac-gost-3411-2012-256", "id-tc26-hmac-gost-3411-2012-512"],
        ),
        ("aes-256-cbc", &["hmacWithSHA1", "hmacWithSHA256", "hmacWithSHA512"]),
    ] {
        for hash in hashes {
            let written = test_support::openssl_gost(
                &[
                    "pkcs8",
                    "-topk8",
                    "-in",
                    key.to_str().unwrap(),
                    "-v2",
                    cipher,
                    "-v2prf",
                    hash,
                    "-iter",
                    "3",
                    "-passout",
                    &password,
                ],
                b"",
            );
            let read = keyfile::parse_pem_key(&written, Some(PASSWORD));
            let read = read.unwrap_or_else(|fault| panic!("{cipher} {hash}: {fault}"));
            assert_eq!(*read.to_le_octets(), *pair.key.to_le_octets(), "{cipher} {hash}");
            let wrong = keyfile::parse_pem_key(&written, Some("")).unwrap_err();
            assert!(matches!(wrong, KeyFault::WrongPassword), "{cipher} {hash}: {wrong}");
        }
    }
}

#[test]
fn openssl_reads_the_keys_that_we_write() {
    if !test_support::gost_engine("our PKCS#8 under OpenSSL") {
        return;
    }
    for set in ParameterSet::ALL {
        let key = PrivateKey::generate(set).unwrap();
        let pem = keyfile::write_pkcs8_pem(&key);
        let public = test_support::openssl_gost(&["pkey", "-pubout", "-outform", "DER"], pem.as_bytes());
        assert!(public.ends_with(&key.public_key().to_le_xy()), "{set:?}");
    }
}
