//! Certificates against the outside world: GIS ZhKH's own messages and OpenSSL.
#![cfg(test)]

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gost::{Certificate, ParameterSet, PrivateKey};

/// The text between the first tag that ends with `name>` and the next tag.
fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let start = xml.find(&format!(":{name}>")).unwrap() + name.len() + 2;
    let (text, _) = xml[start..].split_once('<').unwrap();
    text
}

#[test]
fn names_and_serials_are_those_that_gis_writes() {
    let Some(schemas) = test_support::test_data("gis-zhkh-schemas", "issuer names of GIS messages") else {
        return;
    };
    for example in
        ["05-getState-response-two-subrequests.signed.xml", "07-importResponses-request.signed.xml"]
    {
        let xml = std::fs::read_to_string(schemas.join("examples").join(example)).unwrap();
        let encoded: String = element(&xml, "X509Certificate").split_whitespace().collect();
        let certificate = Certificate::from_der(&STANDARD.decode(encoded).unwrap()).unwrap();
        assert_eq!(certificate.issuer_name(), element(&xml, "X509IssuerName"), "{example}");
        assert_eq!(certificate.serial_decimal(), element(&xml, "X509SerialNumber"), "{example}");
    }
}

#[test]
fn the_test_curve_of_rfc_9215_is_refused() {
    let Some(vectors) = test_support::test_data("gost-vectors", "certificate of RFC 9215") else {
        return;
    };
    let der = std::fs::read(vectors.join("rfc9215/D1-cert.der")).unwrap();
    let error = Certificate::from_der(&der).unwrap_err().to_string();
    assert!(error.contains("unknown curve 1.2.643.2.2.35.0"), "{error}");
}

#[test]
fn openssl_reads_and_verifies_what_we_sign() {
    if !test_support::gost_engine("self-signed certificates under OpenSSL") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for set in ParameterSet::ALL {
        let key = PrivateKey::generate(set).unwrap();
        let (from, to) = ("2026-01-01T00:00:00Z".parse().unwrap(), "2060-01-01T00:00:00Z".parse().unwrap());
        let certificate = Certificate::self_signed(&key, "Стенд «Проба»", from, to).unwrap();
        let file = folder.path().join("certificate.pem");
        std::fs::write(&file, certificate.to_pem()).unwrap();
        check_with_openssl(&file, &certificate);
    }
}

fn check_with_openssl(file: &Path, certificate: &Certificate) {
    let file = file.to_str().unwrap();
    let text = test_support::openssl_gost(&["x509", "-noout", "-text", "-in", file], b"");
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains("GOST R 34.10-2012 with GOST R 34.11-2012 (256 bit)"), "{text}");
    assert!(text.contains("Version: 3 (0x2)"), "{text}");

    let serial = test_support::openssl_gost(&["x509", "-noout", "-serial", "-in", file], b"");
    let serial = String::from_utf8(serial).unwrap();
    let serial = u128::from_str_radix(serial.trim().strip_prefix("serial=").unwrap(), 16).unwrap();
    assert_eq!(certificate.serial_decimal(), serial.to_string());

    let verified =
        test_support::openssl_gost(&["verify", "-check_ss_sig", "-x509_strict", "-CAfile", file, file], b"");
    assert!(String::from_utf8_lossy(&verified).ends_with(": OK\n"));
}
