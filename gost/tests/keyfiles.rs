//! Every sample key file with what has to come of it.
//!
//! Expected keys are the last 32 octets of the `client-*.key.p8.der` files, which OpenSSL's GOST engine wrote.
#![cfg(test)]

use std::path::{Path, PathBuf};

use gost::keyfile::{self, KeyFault};
use gost::{Certificate, CertificateError, KeyFileError, KeyPair, ParameterSet};

const SETS: [(&str, ParameterSet); 9] = [
    ("TCA", ParameterSet::Tc26A),
    ("TCB", ParameterSet::Tc26B),
    ("TCC", ParameterSet::Tc26C),
    ("TCD", ParameterSet::Tc26D),
    ("A", ParameterSet::CryptoProA),
    ("B", ParameterSet::CryptoProB),
    ("C", ParameterSet::CryptoProC),
    ("XA", ParameterSet::CryptoProXchA),
    ("XB", ParameterSet::CryptoProXchB),
];

/// The folder of the samples.
struct Samples(PathBuf);

impl Samples {
    fn find(test: &str) -> Option<Self> {
        test_support::test_data("gost-vectors", test).map(Self)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn key(&self, name: &str) -> PathBuf {
        self.path(&format!("test-keys/{name}"))
    }

    /// The key that OpenSSL wrote for a parameter set.
    fn expected(&self, set: &str) -> Vec<u8> {
        let der = std::fs::read(self.key(&format!("client-{set}.key.p8.der"))).unwrap();
        der[der.len() - 32..].to_vec()
    }

    fn certificate(&self, set: &str) -> Vec<u8> {
        std::fs::read(self.key(&format!("client-{set}.crt.der"))).unwrap()
    }

    fn pem(&self, key: &str, certificate: &str, password: Option<&str>) -> Result<KeyPair, KeyFileError> {
        keyfile::pem(&self.key(key), &self.key(certificate), password)
    }

    fn assert_is(&self, pair: Result<KeyPair, KeyFileError>, set: &str, what: &str) {
        let pair = pair.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(pair.key().to_le_octets().as_slice(), self.expected(set), "{what}");
        assert_eq!(pair.certificate().der(), self.certificate(set), "{what}");
    }
}

/// The error's text names the file, and its fault is the expected one.
fn assert_fault(result: Result<KeyPair, KeyFileError>, at: &Path, expected: fn(&KeyFault) -> bool) {
    let error = result.expect_err("must be refused");
    assert_eq!(error.path(), at);
    assert!(error.to_string().starts_with(&at.display().to_string()), "{error}");
    assert!(expected(error.fault()), "{error}");
}

#[test]
fn pem_pairs_on_every_curve() {
    let Some(samples) = Samples::find("PEM key files") else {
        return;
    };
    for (name, set) in SETS {
        let (key, certificate) = (format!("client-{name}.key.pem"), format!("client-{name}.crt.pem"));
        let pair = samples.pem(&key, &certificate, None);
        assert_eq!(pair.as_ref().unwrap().key().parameter_set(), set);
        samples.assert_is(pair, name, &key);
        // A password that is not needed does no harm.
        let key = format!("client-{name}.key.p8.der");
        samples.assert_is(samples.pem(&key, &format!("client-{name}.crt.der"), Some("x")), name, &key);
        let own = samples.pem(&key, &format!("client-{name}.self.crt.pem"), None).unwrap();
        assert_eq!(own.certificate().issuer_name(), own.certificate().subject_name());
    }
}

#[test]
fn all_encodings_of_pkcs8() {
    let Some(samples) = Samples::find("encodings of PKCS#8") else {
        return;
    };
    for encoding in ["integer.p8.der", "octets-in-octets.p8.der", "masked1.p8.der", "p8.der", "pem"] {
        let key = format!("client-XA.key.{encoding}");
        samples.assert_is(samples.pem(&key, "client-XA.crt.pem", None), "XA", &key);
    }
    let key = "client-XA.key.enc.pem";
    samples.assert_is(samples.pem(key, "client-XA.crt.pem", Some("test")), "XA", key);
}

#[test]
fn pkcs12_of_every_kind() {
    let Some(samples) = Samples::find("PKCS#12 files") else {
        return;
    };
    let of_tc26 = SETS.map(|(set, _)| (format!("test-keys/client-{set}.tc26.pfx"), "test", set));
    let others = [
        ("test-keys/client-XA.tc26-plaincert.pfx", "test", "XA"),
        ("test-keys/client-XA.tc26-cyrpass.pfx", "тест", "XA"),
        ("test-keys/client-XA.aes.pfx", "test", "XA"),
        ("cryptopro-synthetic/client-XA.cp80.pfx", "test", "XA"),
        ("cryptopro-synthetic/client-TCA.cp80.pfx", "test", "TCA"),
        ("cryptopro-synthetic/client-A.cp80-cyrpass.pfx", "тест", "A"),
    ]
    .map(|(file, password, set)| (file.to_owned(), password, set));
    for (name, password, set) in of_tc26.into_iter().chain(others) {
        let file = samples.path(&name);
        samples.assert_is(keyfile::pkcs12(&file, password, None), set, &name);
        let separate = samples.key(&format!("client-{set}.crt.pem"));
        samples.assert_is(keyfile::pkcs12(&file, password, Some(&separate)), set, &name);
        for wrong in ["", "wrong"] {
            assert_fault(keyfile::pkcs12(&file, wrong, None), &file, |fault| {
                matches!(fault, KeyFault::WrongPassword)
            });
        }
    }
}

/// The standard's own example: its private octets are masked.
#[test]
fn example_of_the_standard() {
    let Some(samples) = Samples::find("PKCS#12 example of R 50.1.112-2016") else {
        return;
    };
    let file = samples.path("tc26-pkcs12/r50.1.112-2016-example.p12");
    let pair = keyfile::pkcs12(&file, "Пароль для PFX", None).unwrap();
    assert_eq!(
        hex::encode(pair.key().to_le_octets().as_slice()),
        "5222ef9c5522b453eba66b00fd0007230850996a24418f5b64195db0a334ea2b"
    );
    let certificate = std::fs::read(samples.path("tc26-pkcs12/r50.1.112-2016-example.cer")).unwrap();
    assert_eq!(pair.certificate().der(), Certificate::from_pem_or_der(&certificate).unwrap().der());
    assert_fault(keyfile::pkcs12(&file, "пароль для PFX", None), &file, |fault| {
        matches!(fault, KeyFault::WrongPassword)
    });
}

/// A GOST key under AES, its certificate issued by RSA.
#[test]
fn files_of_xmlsec() {
    let Some(samples) = Samples::find("keys of xmlsec") else {
        return;
    };
    let certificate = samples.path("xmlsec-keys/gost-2012-256-cert.pem");
    let (p12, p8) = (
        samples.path("xmlsec-keys/gost-2012-256-key.p12"),
        samples.path("xmlsec-keys/gost-2012-256-key.p8-pem"),
    );
    let from_p12 = keyfile::pkcs12(&p12, "secret123", None).unwrap();
    let from_p8 = keyfile::pem(&p8, &certificate, Some("secret123")).unwrap();
    assert_eq!(*from_p12.key().to_le_octets(), *from_p8.key().to_le_octets());
    assert_eq!(from_p12.certificate().der(), from_p8.certificate().der());
    assert_fault(keyfile::pem(&p8, &certificate, Some("wrong")), &p8, |fault| {
        matches!(fault, KeyFault::WrongPassword)
    });
    assert_fault(keyfile::pem(&p8, &certificate, None), &p8, |fault| {
        matches!(fault, KeyFault::PasswordNeeded)
    });
}

#[test]
fn certificates_out_of_date_or_of_strangers_load_and_say_so_when_asked() {
    let Some(samples) = Samples::find("certificates out of date") else {
        return;
    };
    let now = "2026-11-22T00:00:00Z".parse().unwrap();
    let validity = |name: &str| {
        let pair = samples.pem(&format!("{name}.key.pem"), &format!("{name}.crt.pem"), None).unwrap();
        pair.certificate().check_validity(now)
    };
    assert!(matches!(validity("expired"), Err(CertificateError::Expired(_))));
    assert!(matches!(validity("future"), Err(CertificateError::NotYetValid(_))));
    for name in ["ca", "subca", "otherca", "client-chain", "untrusted", "other", "server"] {
        // Made on 2026-11-22, some of them in the course of that day.
        let pair = samples.pem(&format!("{name}.key.pem"), &format!("{name}.crt.pem"), None).unwrap();
        let tomorrow = pair.certificate().not_before() + chrono::Duration::days(1);
        assert_eq!(pair.certificate().check_validity(tomorrow), Ok(()), "{name}");
    }
    let chain = samples.pem("client-chain.key.pem", "client-chain.fullchain.pem", None).unwrap();
    let leaf = samples.pem("client-chain.key.pem", "client-chain.crt.pem", None).unwrap();
    assert_eq!(chain.certificate().der(), leaf.certificate().der());
}

#[test]
fn other_algorithms_are_refused_by_name() {
    let Some(samples) = Samples::find("keys of other algorithms") else {
        return;
    };
    for (key, says) in [("rsa.key.pem", "RSA"), ("client512-A.key.pem", "512 bits")] {
        let error = samples.pem(key, "client-A.crt.pem", None).unwrap_err();
        assert_eq!(error.path(), samples.key(key));
        assert!(error.to_string().contains(says), "{error}");
    }
    for (certificate, says) in [("rsa.crt.pem", "RSA"), ("client512-A.self.crt.pem", "512 bits")] {
        let error = samples.pem("client-A.key.pem", certificate, None).unwrap_err();
        assert_eq!(error.path(), samples.key(certificate));
        assert!(error.to_string().contains(says), "{error}");
    }
    let error = keyfile::pkcs12(&samples.key("rsa.pfx"), "test", None).unwrap_err();
    assert!(error.to_string().contains("RSA"), "{error}");
}

#[test]
fn a_certificate_of_another_key_is_refused() {
    let Some(samples) = Samples::find("certificates of other keys") else {
        return;
    };
    let other = |fault: &KeyFault| matches!(fault, KeyFault::Certificate(CertificateError::OtherKey));
    let stranger = samples.key("other.crt.pem");
    assert_fault(samples.pem("client-XA.key.pem", "other.crt.pem", None), &stranger, other);
    let pfx = samples.key("client-XA.tc26.pfx");
    assert_fault(keyfile::pkcs12(&pfx, "test", Some(&stranger)), &stranger, other);
    let folder = samples.path("cryptopro-synthetic/client-XA.000");
    assert_fault(keyfile::container(&folder, "test", Some(&stranger)), &stranger, other);
}

#[test]
fn files_of_the_wrong_kind_are_refused_with_advice() {
    let Some(samples) = Samples::find("files of the wrong kind") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent.pem");
    assert_fault(keyfile::pem(&absent, &absent, None), &absent, |fault| {
        matches!(fault, KeyFault::Unreadable(std::io::ErrorKind::NotFound))
    });
    let large = folder.path().join("large.pem");
    std::fs::write(&large, vec![b' '; keyfile::MAX_FILE_SIZE + 1]).unwrap();
    assert_fault(keyfile::pem(&large, &absent, None), &large, |fault| matches!(fault, KeyFault::TooLarge));

    let (pfx, certificate) = (samples.key("client-XA.tc26.pfx"), samples.key("client-XA.crt.pem"));
    let not_a_key = |fault: &KeyFault| matches!(fault, KeyFault::NotAKey);
    assert_fault(keyfile::pem(&pfx, &certificate, None), &pfx, not_a_key);
    assert_fault(keyfile::pem(&certificate, &certificate, None), &certificate, not_a_key);
    let key = samples.key("client-XA.key.pem");
    assert_fault(keyfile::pem(&key, &key, None), &key, |fault| {
        matches!(fault, KeyFault::Certificate(CertificateError::NotACertificate))
    });
    assert_fault(keyfile::pkcs12(&key, "test", None), &key, |fault| matches!(fault, KeyFault::NotPkcs12));
    assert_fault(keyfile::container(folder.path(), "", None), folder.path(), |fault| {
        matches!(fault, KeyFault::NotAContainer("header.key"))
    });
    assert_fault(keyfile::container(&key, "", None), &key, |fault| matches!(fault, KeyFault::Unreadable(_)));
}
