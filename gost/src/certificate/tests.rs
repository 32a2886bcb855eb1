use super::*;
use crate::hash::streebog256;
use crate::{ParameterSet, Signature};
use der::asn1::BitStringRef;
use der::{AnyRef, Encode, Reader};

const NOT_BEFORE: &str = "2026-01-01T00:00:00Z";
const NOT_AFTER: &str = "2050-06-01T12:30:15Z";

fn at(moment: &str) -> DateTime<Utc> {
    moment.parse().unwrap()
}

fn certificate(key: &PrivateKey, common_name: &str) -> Certificate {
    Certificate::self_signed(key, common_name, at(NOT_BEFORE), at(NOT_AFTER)).unwrap()
}

/// The signed octets and the signature of a certificate.
fn signed_parts(der: &[u8]) -> (Vec<u8>, Signature) {
    AnyRef::from_der(der)
        .unwrap()
        .sequence(|reader| {
            let content = AnyRef::decode(reader)?.to_der()?;
            AnyRef::decode(reader)?;
            let signature = BitStringRef::decode(reader)?.raw_bytes();
            assert!(reader.is_finished());
            Ok::<_, der::Error>((content, Signature::try_from(signature).unwrap()))
        })
        .unwrap()
}

#[test]
fn a_self_signed_certificate_is_read_back_on_every_curve() {
    for set in ParameterSet::ALL {
        let key = PrivateKey::generate(set).unwrap();
        let certificate = certificate(&key, "Стенд, \"испытательный\"");
        assert_eq!(certificate.check_key(&key.public_key()), Ok(()));
        assert_eq!(certificate.public_key().parameter_set(), set);
        assert_eq!(certificate.issuer_name(), r#"cn=Стенд\, \"испытательный\""#);
        assert_eq!(certificate.subject_name(), certificate.issuer_name());
        assert_eq!((certificate.not_before(), certificate.not_after()), (at(NOT_BEFORE), at(NOT_AFTER)));
        let (content, signature) = signed_parts(certificate.der());
        assert_eq!(key.public_key().verify(&streebog256(&content), &signature), Ok(()));
    }
}

#[test]
fn serial_numbers_are_positive_and_differ() {
    let key = PrivateKey::generate(ParameterSet::Tc26B).unwrap();
    let (one, other) = (certificate(&key, "a"), certificate(&key, "a"));
    assert_ne!(one.serial_decimal(), other.serial_decimal());
    for certificate in [one, other] {
        let serial: u128 = certificate.serial_decimal().parse().unwrap();
        assert!(serial >= 1 << 126, "16 octets, not negative");
    }
}

#[test]
fn pem_is_read_back_and_the_first_block_counts() {
    let key = PrivateKey::generate(ParameterSet::Tc26A).unwrap();
    let (first, second) = (certificate(&key, "first"), certificate(&key, "second"));
    let text = format!("Bag Attributes\n{}{}", first.to_pem(), second.to_pem());
    let read = Certificate::from_pem_or_der(text.as_bytes()).unwrap();
    assert_eq!(read.der(), first.der());
    assert_eq!(Certificate::from_pem_or_der(second.der()).unwrap().der(), second.der());
}

#[test]
fn validity_includes_both_ends() {
    let key = PrivateKey::generate(ParameterSet::Tc26A).unwrap();
    let certificate = certificate(&key, "a");
    let cases = [
        ("2025-12-31T23:59:59Z", Err(CertificateError::NotYetValid(at(NOT_BEFORE)))),
        (NOT_BEFORE, Ok(())),
        (NOT_AFTER, Ok(())),
        ("2050-06-01T12:30:16Z", Err(CertificateError::Expired(at(NOT_AFTER)))),
    ];
    for (moment, expected) in cases {
        assert_eq!(certificate.check_validity(at(moment)), expected, "{moment}");
    }
}

#[test]
fn periods_that_cannot_be_written_are_refused() {
    let key = PrivateKey::generate(ParameterSet::Tc26A).unwrap();
    for (from, to) in [(NOT_AFTER, NOT_BEFORE), ("1969-12-31T23:59:59Z", NOT_AFTER)] {
        let made = Certificate::self_signed(&key, "a", at(from), at(to));
        assert_eq!(made.unwrap_err(), CertificateError::Period);
    }
}

#[test]
fn a_certificate_of_another_key_is_refused() {
    let key = PrivateKey::generate(ParameterSet::Tc26A).unwrap();
    let other = PrivateKey::generate(ParameterSet::Tc26A).unwrap();
    let checked = certificate(&key, "a").check_key(&other.public_key());
    assert_eq!(checked, Err(CertificateError::OtherKey));
}

#[test]
fn the_subject_is_not_shown() {
    let key = PrivateKey::generate(ParameterSet::Tc26A).unwrap();
    assert!(!format!("{:?}", certificate(&key, "Вымышленный")).contains("Вымышленный"));
}

#[test]
fn what_is_no_certificate_is_refused() {
    let key = PrivateKey::generate(ParameterSet::Tc26A).unwrap();
    let certificate = certificate(&key, "a");
    let with_tail = [certificate.der(), &[0]].concat();
    let cut = &certificate.der()[..certificate.der().len() - 1];
    let cases: [&[u8]; 5] =
        [b"", b"text", &with_tail, cut, b"-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n"];
    for octets in cases {
        assert_eq!(Certificate::from_pem_or_der(octets).unwrap_err(), CertificateError::NotACertificate);
    }
}

#[test]
fn numbers_are_written_in_decimal() {
    let longest = [&[0x7f][..], &[0xff; 63]].concat();
    let cases: [(&[u8], &str); 8] = [
        (&[], "0"),
        (&[0], "0"),
        (&[0x7f], "127"),
        (&[0x00, 0x80], "128"),
        (&[0x80], "-128"),
        (&[0xff], "-1"),
        (&[0xff, 0x7f], "-129"),
        (
            &longest,
            "670390396497129854978701249910292306373968291029619668886178072186088201503677348840093714\
             9083451713845015929093243025426876941405973284973216824503042047",
        ),
    ];
    for (octets, digits) in cases {
        assert_eq!(decimal(octets).as_deref(), Ok(digits));
    }
    assert_eq!(decimal(&[1; 65]), Err(CertificateError::SerialNumber));
}
